"""Changes of status at the command line, and the exit code of the verdict after each."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.cli.conftest import Running, Shell, new_digest


def issued(shell: Shell, count: int = 1) -> tuple[str, list[str]]:
    digests = [new_digest() for _ in range(count)]
    return shell.done("batch", "create", "-", stdin=json.dumps(digests))["id"], digests


def outcome(shell: Shell, digest: str) -> tuple[int, str]:
    ran = shell.run("verify", digest, "--json")
    return ran.code, ran.json["outcome"]


def test_revoked_is_revoked_until_the_admin_annuls_it(shell: Shell, running: Running) -> None:
    _, (digest,) = issued(shell)
    made = shell.done("revoke", digest, "--reason", "issued_in_error", "--note", "wrong name")
    assert (made["kind"], made["state"], made["count"]) == ("revocation", "final", 1)
    assert outcome(shell, digest) == (3, "revoked")
    status = shell.done("keys", "create", running.issuer, "status", "--scope", "status")
    assert shell.run("annul", digest, ROOTMARK_API_KEY=status["api_key"]).code == 2
    ran = shell.run("annul", digest, ROOTMARK_API_KEY=running.admin_scoped_key)
    assert ran.code == 0, ran.err
    assert outcome(shell, digest) == (0, "valid")


def test_many_digests_come_from_standard_input(shell: Shell) -> None:
    _, digests = issued(shell, 5)
    made = shell.done("revoke", "-", stdin="\n".join(digests[:4]))
    assert made["count"] == 4
    again = shell.run("revoke", *digests)
    assert "revocation of 1: final, 4 already so" in again.out


def test_suspended_is_over_until_reinstated(shell: Shell) -> None:
    _, (digest,) = issued(shell)
    shell.done("suspend", digest)
    assert outcome(shell, digest) == (3, "suspended")
    shell.done("reinstate", digest)
    assert outcome(shell, digest) == (0, "valid")


def test_withdrawn_batch_is_over_until_annulled(shell: Shell, running: Running) -> None:
    batch, (digest,) = issued(shell)
    shell.done("withdraw", batch, "--reason", "issued_in_error")
    assert outcome(shell, digest) == (3, "withdrawn")
    shell.done("annul", "--batch", batch, ROOTMARK_API_KEY=running.admin_scoped_key)
    assert outcome(shell, digest) == (0, "valid")


def test_no_wait_answers_before_the_chain_does(shell: Shell) -> None:
    _, (digest,) = issued(shell)
    assert shell.done("revoke", digest, "--no-wait")["state"] in ("submitted", "mined", "final")


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["revoke", "0x12"], None),
        (["revoke", "0x" + "11" * 32, "--reason", "because"], None),
        (["revoke", "0x" + "11" * 32], None),
        (["revoke", "-"], ""),
        (["revoke", "-"], "\x00\xff"),
        (["revoke"], None),
        (["annul"], None),
        (["annul", "0x" + "11" * 32, "--batch", "x"], None),
        (["withdraw", ""], None),
    ],
)
def test_what_names_nothing_is_a_usage_error(
    shell: Shell, running: Running, arguments: list[str], stdin: str | None
) -> None:
    ran = shell.run(*arguments, stdin=stdin, ROOTMARK_API_KEY=running.api_key)
    assert ran.code == 2
    assert ran.err


def test_unknown_batch_and_request_are_not_found(shell: Shell) -> None:
    assert shell.run("withdraw", "no-such-batch").code == 4
    assert shell.run("batch", "show", "../issuers").code == 4
    assert shell.run("approve", "no-such-request").code == 4


def test_history_and_revocations_tell_what_happened(shell: Shell, running: Running) -> None:
    _, (digest,) = issued(shell)
    shell.done("revoke", digest, "--reason", "misconduct")
    items = shell.done("audit", "revocations", "--issuer", running.issuer, "--reason", "misconduct")
    assert digest in [item["digest"] for item in items]
    table = shell.run("audit", "revocations", "--csv").out
    assert digest in [row["digest"] for row in csv.DictReader(io.StringIO(table))]
    server = shell.done("audit", "issuer", running.issuer)
    assert server["head"]["match"]
    chain = shell.done("audit", "issuer", running.issuer, "--rpc", f"{running.url}/rpc")
    assert chain["head"] == server["head"]
    assert [event["kind"] for event in chain["events"]] == [event["kind"] for event in server["events"]]
    told = shell.run("audit", "issuer", running.issuer).out
    assert "Revoked" in told
    assert told.endswith("the list is complete\n")
    ran = shell.run("audit", "consistency", "--json")
    assert ran.code == (0 if ran.json["consistent"] else 1)


def test_access_log_is_the_administrators(shell: Shell, running: Running) -> None:
    assert shell.done("audit", "access", ROOTMARK_DATA_DIR=str(running.data_dir))
    assert shell.run("audit", "access").code == 2
