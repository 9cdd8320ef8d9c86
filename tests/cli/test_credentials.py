"""Single credentials at the command line, and batches of digests made by a named method."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from registry.encoding import DigestMethod, credential_digest
from tests.cli.conftest import Shell, credential, new_digest


def jcs_digest(document: dict[str, object]) -> str:
    return "0x" + credential_digest(document, DigestMethod.JCS_SHA256).hex()  # type: ignore[arg-type]


def test_credential_is_added_once_and_found_by_its_external_id(shell: Shell, tmp_path: Path) -> None:
    document, name = credential(), f"award {uuid4()}"
    (tmp_path / "diploma.json").write_text(json.dumps(document))
    made = shell.done("credential", "add", "diploma.json", "--external-id", name)
    again = shell.done("credential", "add", "-", "--external-id", name, stdin=json.dumps(document))
    assert made == again
    assert made["digest"] == jcs_digest(document)
    (found,) = shell.done("credential", "find", name)
    assert (found["digest"], found["batch"], found["status"]) == (made["digest"], made["batch"], None)
    shell.done("batch", "seal", made["batch"])
    told = shell.run("credential", "find", name)
    assert told.code == 0
    assert told.out.startswith(f"{name}  {made['digest']}  active")
    (entry,) = shell.done("credential", "show", made["digest"])["entries"]
    assert entry["status"] == "active"
    (tmp_path / "proof.json").write_text(shell.run("credential", "proof", made["digest"]).out)
    assert shell.run("verify", "diploma.json", "--proof", "proof.json").code == 0


def test_external_id_with_other_content_is_refused(shell: Shell) -> None:
    name = f"award {uuid4()}"
    shell.done("credential", "add", new_digest(), "--external-id", name)
    ran = shell.run("credential", "add", new_digest(), "--external-id", name)
    assert ran.code == 1
    assert "external_id" in ran.err


def test_digest_has_its_method_and_dates(shell: Shell) -> None:
    document = credential()
    options = ["--digest-method", "jcs-sha256", "--valid-until", "2020-01-01T00:00:00Z"]
    made = shell.done("credential", "add", jcs_digest(document), *options)
    shell.done("batch", "seal", made["batch"])
    ran = shell.run("verify", "-", "--json", stdin=json.dumps(document))
    assert (ran.code, ran.json["outcome"]) == (3, "expired")


def test_unknown_external_ids_end_with_4(shell: Shell) -> None:
    ran = shell.run("credential", "find", "nobody's", "--json")
    assert (ran.code, ran.json) == (4, [])
    assert shell.run("credential", "show", new_digest()).code == 4


def test_more_external_ids_than_one_request_takes_are_looked_up(shell: Shell) -> None:
    names = [f"{uuid4()}" for _ in range(101)]
    lines = "".join(json.dumps({"digest": new_digest(), "external_id": name}) + "\n" for name in names)
    shell.done("batch", "create", "-", "--no-wait", stdin=lines)
    assert {item["external_id"] for item in shell.done("credential", "find", *names)} == set(names)


@pytest.mark.parametrize("stdin", ["[]", "17", "null", "nonsense", '"0x12"', '{"no": "id"}'])
def test_what_is_no_credential_is_a_usage_error(shell: Shell, stdin: str) -> None:
    ran = shell.run("credential", "add", "-", stdin=stdin)
    assert ran.code == 2
    assert ran.err


@pytest.mark.parametrize("form", ["lines", "list", "body"])
def test_batch_of_digests_has_the_method_that_is_named(shell: Shell, form: str) -> None:
    document = credential()
    digest = jcs_digest(document)
    stdin = {
        "lines": json.dumps(digest) + "\n" + json.dumps(new_digest()) + "\n",
        "list": json.dumps([digest], indent=1),
        "body": json.dumps({"digests": [digest]}),
    }[form]
    shell.done("batch", "create", "-", "--digest-method", "jcs-sha256", stdin=stdin)
    assert shell.run("verify", "-", stdin=json.dumps(document)).code == 0


def test_method_that_contradicts_the_body_is_refused(shell: Shell) -> None:
    body = {"digests": [new_digest()], "digest_method": "opaque"}
    ran = shell.run("batch", "create", "-", "--digest-method", "jcs-sha256", stdin=json.dumps(body))
    assert ran.code == 2
    assert "--digest-method" in ran.err
    for stdin in (json.dumps([new_digest()]), json.dumps(new_digest())):
        assert shell.run("batch", "create", "-", "--digest-method", "md5", stdin=stdin).code == 2
