"""Issuers, keys and batches at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Running, Shell, credential, new_digest


def lines_of(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def test_batch_of_lines_is_issued_and_each_line_verifies(shell: Shell, tmp_path: Path) -> None:
    digest, document = new_digest(), credential()
    (tmp_path / "awards.ndjson").write_text(
        "\n" + lines_of(digest, {"digest": new_digest(), "external_id": "17"}, {"credential": document})
    )
    batch = shell.done("batch", "create", "awards.ndjson")
    assert (batch["state"], batch["size"]) == ("final", 3)
    assert shell.run("verify", digest).code == 0
    (tmp_path / "one.json").write_text(json.dumps(document))
    told = shell.run("verify", "one.json")
    assert told.code == 0
    assert told.out.startswith("VALID: anchored by Example College")
    assert shell.done("batch", "show", batch["id"])["root"] == batch["root"]
    assert batch["id"] in [item["id"] for item in shell.done("batch", "list", "--state", "final")]


@pytest.mark.parametrize("form", ["list of digests", "list of credentials", "body", "lines"])
def test_batch_is_read_from_standard_input_in_every_form(shell: Shell, form: str) -> None:
    stdin = {
        "list of digests": json.dumps([new_digest(), new_digest()], indent=1),
        "list of credentials": json.dumps([credential(), credential()]),
        "body": json.dumps({"digests": [new_digest(), new_digest()]}),
        "lines": lines_of(new_digest(), new_digest()),
    }[form]
    assert shell.done("batch", "create", "-", stdin=stdin)["size"] == 2


def test_long_input_is_sent_as_it_is_read(shell: Shell) -> None:
    stdin = lines_of(*[{"digest": new_digest(), "external_id": f"{'long' * 45}-{i}"} for i in range(3000)])
    assert len(stdin) > 800_000
    assert shell.done("batch", "create", "-", "--no-wait", stdin=stdin)["size"] == 3000


def test_bad_line_is_named_and_nothing_is_issued(shell: Shell) -> None:
    good = new_digest()
    ran = shell.run("batch", "create", "-", stdin=lines_of(good, "0x12"))
    assert ran.code == 2
    assert "line 2" in ran.err
    assert shell.run("verify", good).code == 4


@pytest.mark.parametrize("stdin", ["", "nonsense", "{}", '{"id": "x"}', "[]", "[" * 100, "\xff"])
def test_what_is_no_batch_is_a_usage_error(shell: Shell, stdin: str) -> None:
    ran = shell.run("batch", "create", "-", stdin=stdin)
    assert ran.code == 2
    assert ran.err


def test_document_that_is_too_long_names_the_way_out(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.cli.batches.MAX_DOCUMENT_BYTES", 1000)
    ran = shell.run("batch", "create", "-", stdin=json.dumps([new_digest() for _ in range(50)], indent=1))
    assert ran.code == 2
    assert "NDJSON" in ran.err


def test_duplicate_is_refused_unless_allowed(shell: Shell) -> None:
    digest = new_digest()
    first = shell.done("batch", "create", "-", stdin=lines_of(digest))
    again = shell.run("batch", "create", "-", stdin=lines_of(digest))
    assert again.code == 1
    assert first["id"] in again.err
    assert shell.done("batch", "create", "-", "--allow-duplicate", stdin=lines_of(digest))["state"] == "final"


def test_repeated_command_with_a_key_issues_once(shell: Shell) -> None:
    stdin = lines_of(new_digest())
    once = shell.done("batch", "create", "-", "--idempotency-key", "autumn-2026", stdin=stdin)
    assert (
        shell.done("batch", "create", "-", "--idempotency-key", "autumn-2026", stdin=stdin)["id"]
        == once["id"]
    )


def test_proofs_are_written_and_verify_without_the_server(
    shell: Shell, running: Running, tmp_path: Path
) -> None:
    digests = [new_digest() for _ in range(3)]
    batch = shell.done("batch", "create", "-", stdin=lines_of(*digests))
    assert shell.done("batch", "proofs", batch["id"], "proofs.ndjson")["proofs"] == 3
    written = (tmp_path / "proofs.ndjson").read_text().splitlines()
    assert [json.loads(line)["digest"] for line in written] == digests
    (tmp_path / "proof.json").write_text(written[1])
    ran = shell.run("verify", "proof.json", "--rpc", f"{running.url}/rpc", "--issuer", running.issuer)
    assert ran.code == 0, ran.err
    assert shell.run("batch", "proofs", batch["id"], "-").out.splitlines() == written


def test_refused_proofs_leave_no_file(shell: Shell, tmp_path: Path) -> None:
    batch = shell.done("batch", "create", "-", stdin=lines_of(new_digest()))
    ran = shell.run("batch", "proofs", batch["id"], "proofs.ndjson", ROOTMARK_API_KEY="rmk_wrong")
    assert ran.code == 2
    assert "ROOTMARK_API_KEY" in ran.err
    assert not (tmp_path / "proofs.ndjson").exists()


def test_steps_that_a_batch_does_not_need_are_refused(shell: Shell) -> None:
    batch = shell.done("batch", "create", "-", stdin=lines_of(new_digest()))
    assert shell.done("batch", "seal", batch["id"])["state"] == "final"
    for step in ("retry", "approve"):
        assert shell.run("batch", step, batch["id"]).code == 1


def test_erased_credential_is_not_found(shell: Shell) -> None:
    digest = new_digest()
    shell.done("batch", "create", "-", stdin=lines_of(digest))
    refused = shell.run("erase", digest, stdin="n\n")
    assert refused.code == 1
    assert shell.run("verify", digest).code == 0
    assert shell.done("erase", digest, "--yes")["state"] == "erased"
    assert shell.run("verify", digest).code == 4


def test_issuers_are_listed_and_shown(shell: Shell, running: Running) -> None:
    assert running.issuer in [item["address"] for item in shell.done("issuer", "list")]
    assert "Example College" in shell.run("issuer", "show", running.issuer).out
    assert shell.run("issuer", "show", "0x" + "00" * 20).code == 4


def test_api_key_is_made_used_and_ended(shell: Shell, running: Running) -> None:
    admin = {"ROOTMARK_API_KEY": running.admin_scoped_key}
    made = shell.done("keys", "create", running.issuer, "import", "--scope", "batch", **admin)
    key = {"ROOTMARK_API_KEY": made["api_key"]}
    assert shell.done("batch", "create", "-", stdin=lines_of(new_digest()), **key)["state"] == "final"
    assert shell.run("revoke", new_digest(), **key).code == 2  # another scope
    assert "import" in shell.run("keys", "list", running.issuer, **admin).out
    shell.done("keys", "delete", running.issuer, made["id"], **admin)
    assert shell.run("batch", "create", "-", stdin=lines_of(new_digest()), **key).code == 2


def test_signing_key_is_rotated_and_listed(shell: Shell, running: Running) -> None:
    admin = {"ROOTMARK_API_KEY": running.admin_scoped_key}
    assert shell.run("keys", "rotate", running.issuer, "--kind", "DSA", **admin).code == 2
    assert shell.run("keys", "rotate", "0x" + "00" * 20, **admin).code == 2
    first, second = (shell.done("keys", "rotate", running.issuer, **admin) for _ in range(2))
    told = shell.run("keys", "list", running.issuer, **admin).out
    assert f"signs  Ed25519  until {second['created_at']}  {first['verification_method']}" in told
    assert f"signs  Ed25519  signs now  {second['verification_method']}" in told
    listed = shell.done("keys", "list", running.issuer, **admin)["signing"]
    made = [first["public_key_jwk"], second["public_key_jwk"]]
    assert [key["public_key_jwk"] for key in listed][-2:] == made  # after those of other tests
    assert shell.run("keys", "list", "0x" + "00" * 20, ROOTMARK_API_KEY="").out == "no keys\n"


def test_email_of_an_issuer_is_shown_to_everybody(shell: Shell, running: Running) -> None:
    owner = {"ROOTMARK_DATA_DIR": str(running.data_dir), "ROOTMARK_API_KEY": ""}
    email = ("--email", "office@mail.example")
    made = shell.done("issuer", "create", "Mail College", "https://mail.example", *email, **owner)
    assert shell.done("issuer", "show", made["address"])["email"] == "office@mail.example"


def test_issuer_with_its_own_admin_is_awaited(shell: Shell, running: Running) -> None:
    ran = shell.run(
        "issuer",
        "create",
        "Own College",
        "https://own.example",
        "--admin",
        "0x" + "ab" * 20,
        ROOTMARK_DATA_DIR=str(running.data_dir),
    )
    assert ran.code == 0, ran.err
    assert "awaiting_admin" in ran.out
    assert "signs the typed data" in ran.out


def test_registering_without_the_admin_token_says_where_it_is_from(shell: Shell) -> None:
    ran = shell.run("issuer", "create", "College", "https://college.example")
    assert ran.code == 2
    assert "ROOTMARK_ADMIN_TOKEN" in ran.err


def test_retired_key_voids_what_it_anchored_after(shell: Shell, running: Running) -> None:
    owner = {"ROOTMARK_DATA_DIR": str(running.data_dir), "ROOTMARK_API_KEY": ""}
    made = shell.done("issuer", "create", "Robbed College", "https://robbed.example", **owner)
    key = {"ROOTMARK_API_KEY": made["api_key"]}
    digest = new_digest()
    batch = shell.done("batch", "create", "-", stdin=lines_of(digest), **key)
    admin = shell.done("keys", "create", made["address"], "a", "--scope", "admin", **owner)
    retired = shell.run(
        "keys",
        "retire",
        made["address"],
        made["key"],
        "2026-01-01T00:00:00Z",
        "--reason",
        "key_compromise",
        ROOTMARK_API_KEY=admin["api_key"],
    )
    assert (retired.code, retired.out.splitlines()[0]) == (0, "key_retirement of 1: final"), retired.err
    assert shell.run("verify", digest).code == 3
    told = shell.run("audit", "issuer", made["address"]).out
    assert "VOID: root" in told
    consistency = shell.run("audit", "consistency")
    assert consistency.code == 1
    assert f"anchor_voided          {made['address']}" in consistency.out
    added = shell.run("keys", "add", made["address"], ROOTMARK_API_KEY=admin["api_key"])
    assert (added.code, added.out.splitlines()[0]) == (0, "key_addition of 1: final"), added.err
    assert shell.run("batch", "retry", batch["id"], **key).code == 0
    assert shell.run("verify", digest).code == 0


def test_key_of_an_admin_elsewhere_is_printed_to_be_signed_and_nothing_is_sent(
    shell: Shell, running: Running
) -> None:
    owner = {"ROOTMARK_DATA_DIR": str(running.data_dir), "ROOTMARK_API_KEY": ""}
    admin = "0x" + "cd" * 20
    made = shell.done(
        "issuer", "create", "Distant College", "https://distant.example", "--admin", admin, **owner
    )
    key = {"ROOTMARK_API_KEY": made["api_key"]}
    shown = shell.run("keys", "add", made["address"], **key)
    assert shown.code == 4, shown.err
    assert "nothing was sent yet" in shown.out
    assert "--new-key 0x" in shown.out
    again = shell.done("issuer", "show", made["address"], **key)
    assert again["typed_data"]["primaryType"] == "AddKey"


def test_webhook_is_made_changed_and_removed(shell: Shell) -> None:
    made = shell.done("webhook", "add", "https://hooks.invalid/", "--kind", "batch.failed")
    assert made["secret"].startswith("whsec_")
    assert made["kinds"] == ["batch.failed"]
    name = made["id"]
    told = shell.run("webhook", "change", name, "--off")
    assert told.code == 0
    assert "switched off by its issuer" in told.out
    assert f"{name}  OFF  https://hooks.invalid/" in shell.run("webhook", "list").out
    refused = shell.run("webhook", "test", name)
    assert refused.code == 1
    assert "switch it on first" in refused.err
    assert shell.run("webhook", "replay", name).code == 2
    assert shell.run("webhook", "deliveries", name).out.strip() == "nothing was sent"
    assert shell.done("webhook", "rotate", name)["secret"] != made["secret"]
    assert shell.done("webhook", "change", name, "--on", "--description", "LMS")["enabled"] is True
    assert shell.done("webhook", "replay", name, "--since", made["created_at"])["count"] == 0
    assert "no such delivery" in shell.run("webhook", "replay", name, "999").err
    assert shell.run("webhook", "remove", name).code == 0
    assert name not in shell.run("webhook", "list").out
    private = shell.run("webhook", "add", "http://10.0.0.1/")
    assert private.code != 0
    assert "/url: an address begins with https://" in private.err
