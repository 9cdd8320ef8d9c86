"""verify: every form of input, one or many, and the exit code of each verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.cli.many import MAX_LINE_BYTES
from tests.cli.conftest import Running, Shell, credential, new_digest


@dataclass
class Awards:
    """Issued credentials; ``valid`` has its proof."""

    valid: dict[str, Any]
    valid_digest: str
    proof: dict[str, Any]
    revoked: str
    expired: str


@pytest.fixture(scope="module")
def made() -> list[Awards]:
    return []


@pytest.fixture
def awards(shell: Shell, running: Running, made: list[Awards]) -> Awards:
    """Issued at the first use in this module."""
    if not made:
        document = credential()
        revoked = new_digest()
        expired = {"digest": new_digest(), "valid_until": "2020-01-01T00:00:00Z"}
        lines = [{"credential": document}, revoked, expired]
        batch = shell.done("batch", "create", "-", stdin="\n".join(json.dumps(line) for line in lines))
        shell.done("revoke", revoked)
        proof = json.loads(shell.run("batch", "proofs", batch["id"], "-").out.splitlines()[0])
        made.append(Awards(document, proof["digest"], proof, revoked, expired["digest"]))
    return made[0]


FORMS: dict[str, Callable[[Awards], object]] = {
    "digest": lambda a: a.valid_digest,
    "credential": lambda a: a.valid,
    "proof": lambda a: a.proof,
    "credential and proof": lambda a: {"credential": a.valid, "proof": a.proof},
    "digest and proof": lambda a: {"digest": a.valid_digest, "proof": a.proof},
    "credential with its proof inside": lambda a: a.valid | {"proof": a.proof},
}


@pytest.mark.parametrize("form", FORMS)
def test_valid_is_0_in_every_form(shell: Shell, awards: Awards, form: str) -> None:
    text = json.dumps(FORMS[form](awards))
    Path("given.json").write_text(text)
    assert shell.run("verify", "given.json").code == 0
    assert shell.run("verify", "-", stdin=text).code == 0


def test_proof_may_be_beside_the_credential(shell: Shell, awards: Awards) -> None:
    Path("credential.json").write_text(json.dumps(awards.valid))
    Path("proof.json").write_text(json.dumps(awards.proof))
    assert shell.run("verify", "credential.json", "--proof", "proof.json").code == 0


def test_digest_is_given_as_argument_or_on_standard_input(shell: Shell, awards: Awards) -> None:
    assert shell.run("verify", awards.valid_digest).code == 0
    assert shell.run("verify", "-", stdin=f"{awards.valid_digest}\n").code == 0


def test_tampered_is_1(shell: Shell, awards: Awards) -> None:
    worse = awards.valid | {"credentialSubject": {"name": "Eve"}}
    ran = shell.run("verify", "-", stdin=json.dumps({"credential": worse, "proof": awards.proof}))
    assert (ran.code, ran.out.split(":")[0]) == (1, "INVALID")


def test_revoked_and_expired_are_3(shell: Shell, awards: Awards) -> None:
    assert shell.run("verify", awards.revoked).code == 3
    assert shell.run("verify", awards.expired).code == 3


def test_unknown_and_unknown_issuer_are_4(shell: Shell, awards: Awards, running: Running) -> None:
    assert shell.run("verify", new_digest()).code == 4
    proof = Path("proof.json")
    proof.write_text(json.dumps(awards.proof))
    stranger = shell.run("verify", "proof.json", "--rpc", f"{running.url}/rpc")
    assert (stranger.code, stranger.out.split(":")[0]) == (4, "INDETERMINATE")
    trusted = shell.run(
        "verify", "proof.json", "--rpc", f"{running.url}/rpc", ROOTMARK_TRUSTED_ISSUERS=running.issuer
    )
    assert trusted.code == 0


def test_as_of_and_live_are_passed_on(shell: Shell, awards: Awards) -> None:
    before = shell.run("verify", awards.revoked, "--as-of", "1", "--json")
    assert before.json["outcome"] == "not_found"
    live = shell.run("verify", awards.revoked, "--live", "--json")
    assert (live.code, live.json["as_of"]["source"]) == (3, "rpc")
    ran = shell.run("verify", awards.revoked, "--as-of", "yesterday")
    assert ran.code == 2


def test_several_nodes_must_agree(shell: Shell, awards: Awards, running: Running) -> None:
    Path("proof.json").write_text(json.dumps(awards.proof))
    rpc = f"{running.url}/rpc"
    ran = shell.run("verify", "proof.json", "--rpc", rpc, "--rpc", rpc, "--issuer", running.issuer)
    assert ran.code == 0, ran.err


def test_offline_needs_the_proof(shell: Shell, awards: Awards, running: Running) -> None:
    ran = shell.run("verify", awards.valid_digest, "--rpc", f"{running.url}/rpc")
    assert ran.code == 2
    assert "--proof" in ran.err


def test_embedded_chain_says_that_it_makes_no_bundle(shell: Shell, awards: Awards, running: Running) -> None:
    Path("proof.json").write_text(json.dumps(awards.proof))
    ran = shell.run("bundle", "proof.json", "bundle.json", "--rpc", f"{running.url}/rpc")
    assert ran.code == 1
    assert "eth_getProof" in ran.err
    assert not Path("bundle.json").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-file.json"],
        ["."],
        ["0x12"],
        [""],
        ["a\x00b"],
        ["-", "--proof", "no-such-file"],
        ["0x" + "11" * 32, "--issuer", "0x12"],
        ["x.json", "--bundle", "--rpc", "http://127.0.0.1:1"],
        ["x.json", "--bundle", "--live"],
        ["x.json", "--bundle", "--max-age", "-1"],
        ["x.json", "--many", "--bundle"],
        ["x.json", "--many"],
        [],
        ["--nonsense"],
    ],
)
def test_wrong_arguments_are_2_with_one_clear_line(shell: Shell, arguments: list[str]) -> None:
    ran = shell.run("verify", *arguments, stdin="{}")
    assert ran.code == 2
    assert ran.err.strip()


@pytest.mark.parametrize("text", ["", "{", "[]", "17", '{"a":1,"a":2}', "NaN", "\xff\xfe", "[" * 5000])
def test_input_that_is_no_credential_is_2(shell: Shell, text: str) -> None:
    ran = shell.run("verify", "-", stdin=text)
    assert ran.code == 2
    assert ran.err.strip()


# --- many ---------------------------------------------------------------------------------------------------


def test_many_are_verified_line_by_line_and_the_worst_counts(shell: Shell, awards: Awards) -> None:
    unknown = new_digest()
    lines = [awards.valid_digest, json.dumps(awards.valid), "", f'"{unknown}"', "nonsense", "0x12"]
    ran = shell.run("verify", "--many", "-", "--json", stdin="\n".join(lines))
    reports = [json.loads(line) for line in ran.out.splitlines()]
    assert [(line["line"], line["outcome"]) for line in reports] == [
        (1, "valid"),
        (2, "valid"),
        (4, "not_found"),
        (5, "malformed"),
        (6, "malformed"),
    ]
    assert reports[0]["report"]["digest"] == awards.valid_digest
    assert ran.code == 2
    assert "5 verified: 2 malformed, 1 not_found, 2 valid" in ran.err


def test_many_in_parts_keep_their_order(
    shell: Shell, awards: Awards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.cli.many.AT_ONCE", 3)
    lines = [awards.valid_digest, awards.expired] * 5
    Path("many.ndjson").write_text("\n".join(lines))
    ran = shell.run("verify", "--many", "many.ndjson")
    assert [line.split()[:2] for line in ran.out.splitlines()] == [
        [str(number), "valid" if number % 2 else "expired"] for number in range(1, 11)
    ]
    assert ran.code == 3
    assert shell.run("verify", "--many", "-", stdin=awards.valid_digest).code == 0


def test_many_refuses_a_line_without_end(shell: Shell) -> None:
    ran = shell.run("verify", "--many", "-", stdin="x" * (MAX_LINE_BYTES + 2))
    assert (ran.code, "line 1" in ran.err) == (2, True)


# --- cannot reach -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "0x" + "11" * 32],
        ["issuer", "list"],
        ["audit", "consistency"],
        ["batch", "create", "-"],
        ["verify", "--many", "-"],
        ["batch", "proofs", "x", "-"],
    ],
)
def test_server_that_is_down_is_5(bare: Shell, arguments: list[str]) -> None:
    ran = bare.run(*arguments, stdin='"0x' + "11" * 32 + '"', ROOTMARK_PORT="1")
    assert ran.code == 5
    assert "rootmark serve" in ran.err


def test_node_that_is_down_is_5(shell: Shell, awards: Awards, running: Running) -> None:
    Path("proof.json").write_text(json.dumps(awards.proof))
    assert shell.run("verify", "proof.json", "--rpc", "http://127.0.0.1:1").code == 5
    assert shell.run("audit", "issuer", running.issuer, "--rpc", "http://127.0.0.1:1").code == 5


def test_what_is_not_rootmark_is_5(bare: Shell, running: Running) -> None:
    assert httpx.get(f"{running.url}/docs").is_success  # a page, not JSON
    ran = bare.run("issuer", "list", "--server", f"{running.url}/docs?")
    assert ran.code in (2, 4, 5)
    assert ran.err.strip()


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://127.0.0.1", "http://", "http://[", "http://127.0.0.1:x"]
)
def test_server_address_that_is_none_is_2(bare: Shell, url: str) -> None:
    ran = bare.run("issuer", "list", "--server", url)
    assert ran.code == 2
    assert ran.err.strip()
