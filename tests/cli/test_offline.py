"""verify without a server: what the server says of signed awards, nodes alone say too."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Running, Shell

COURSE = {"name": "Welding", "description": "Joins metal", "criteria": {"narrative": "Weld."}}
DATES = {"expired": {"issued_on": "2019-01-01", "expires_on": "2020-01-01"}}
STATES = ("valid", "revoked", "suspended", "withdrawn", "expired", "tampered")
OUTCOMES = {"tampered": "invalid"}
SHOWN = ("outcome", "digest", "format", "status")


@dataclass
class Made:
    """Awards by the state that they are in: their badges and their proofs; the issuer's DID."""

    badges: dict[str, dict[str, Any]] = field(default_factory=dict)
    proofs: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    did: str = ""

    def write(self, state: str) -> tuple[str, ...]:
        """The arguments that show an award in a state with its proof."""
        Path("badge.json").write_text(json.dumps(self.badges[state]))
        Path("proof.json").write_text(json.dumps(self.proofs[state]))
        return ("verify", "badge.json", "--proof", "proof.json")

    def supplied(self) -> list[str]:
        """The arguments that send the issuer's documents along."""
        arguments = []
        for number, (address, document) in enumerate(self.documents.items()):
            Path(f"{number}.json").write_text(json.dumps(document))
            arguments += ["--document", f"{address}={number}.json"]
        return arguments


@pytest.fixture(scope="module")
def memory() -> Made:
    return Made()


@pytest.fixture
def made(shell: Shell, running: Running, memory: Made) -> Made:
    """Awarded at the first use in this module."""
    if not memory.badges:
        course = shell.done("achievement", "create", "-", stdin=json.dumps(COURSE))
        for state in STATES:
            award(shell, course["id"], state, memory)
        shell.done("revoke", memory.proofs["revoked"]["digest"], "--reason", "misconduct")
        shell.done("suspend", memory.proofs["suspended"]["digest"])
        memory.badges["tampered"]["credentialSubject"]["achievement"]["name"] = "Surgery"
        memory.did = memory.badges["valid"]["issuer"]["id"]
        publish(running, memory)
    return memory


def award(shell: Shell, course: str, state: str, made: Made) -> None:
    """A batch of one."""
    one = {"recipient": {"email": "ada@college.example"}, "achievement_id": course} | DATES.get(state, {})
    created = shell.done("award", "create", "-", "--format", "ndjson", stdin=json.dumps(one))
    shown = shell.done("award", "show", created["awards"][0]["id"])
    made.badges[state] = shown["credential"]
    made.proofs[state] = shell.done("credential", "proof", shown["digest"])
    if state == "withdrawn":
        shell.done("withdraw", created["batch"]["id"])


def publish(running: Running, made: Made) -> None:
    """What the issuer's server publishes, by its address."""

    def fetched(address: str) -> Any:
        path = "/" + address.partition("://")[2].partition("/")[2]
        return httpx.get(running.url + path, trust_env=False).raise_for_status().json()

    account = made.did.rpartition(":")[2]
    made.documents[made.did] = fetched(f"http://x/issuers/{account}/did.json")
    for entry in made.badges["valid"]["credentialStatus"]:
        made.documents[entry["statusListCredential"]] = fetched(entry["statusListCredential"])


def results(report: dict[str, Any], *without: str) -> dict[str, str]:
    return {one["name"]: one["result"] for one in report["checks"] if one["name"] not in without}


# --- the same as the server ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_nodes_alone_say_of_an_award_what_the_server_says(
    shell: Shell, running: Running, made: Made, state: str
) -> None:
    arguments = made.write(state)
    server = shell.run(*arguments, "--issuer", made.did, "--json")
    alone = shell.run(*arguments, "--issuer", made.did, "--rpc", f"{running.url}/rpc", "--json")
    assert server.json["outcome"] == OUTCOMES.get(state, state)
    assert alone.code == server.code
    supplied = shell.run(
        *arguments, *made.supplied(), "--issuer", made.did, "--rpc", f"{running.url}/rpc", "--json"
    )
    assert alone.json["as_of"]["source"] == "rpc"
    if state == "tampered":  # nodes are not asked about what contradicts itself
        assert supplied.json["outcome"] == alone.json["outcome"] == "invalid"
        return
    assert {name: alone.json[name] for name in SHOWN} == {name: server.json[name] for name in SHOWN}
    assert results(alone.json, "signature") == results(server.json, "signature")
    assert results(supplied.json) == results(server.json)


def test_award_by_an_issuer_that_nobody_named_is_indeterminate_from_nodes_alone(
    shell: Shell, running: Running, made: Made
) -> None:
    rpc = ("--rpc", f"{running.url}/rpc")
    ran = shell.run(*made.write("valid"), *rpc, "--json")
    assert (ran.code, results(ran.json)["issuer"]) == (4, "unknown")
    assert results(ran.json)["signature"] == "skipped"
    assert shell.run(*made.write("valid"), *rpc, "--issuer", running.issuer).code == 0
    assert shell.run(*made.write("valid"), *rpc, ROOTMARK_TRUSTED_ISSUERS=running.issuer).code == 0
    other = shell.run(*made.write("valid"), *rpc, "--issuer", "0x" + "11" * 20)
    assert other.code == 4


def test_did_of_another_account_does_not_make_the_award_known(
    shell: Shell, running: Running, made: Made
) -> None:
    other = made.did[:-2] + ("00" if made.did[-2:] != "00" else "11")
    ran = shell.run(*made.write("valid"), "--rpc", f"{running.url}/rpc", "--issuer", other, "--json")
    assert (ran.code, ran.json["outcome"]) != (0, "valid")


def test_award_without_its_signature_rests_on_its_anchor(shell: Shell, running: Running, made: Made) -> None:
    made.write("valid")
    plain = {name: value for name, value in made.badges["valid"].items() if name != "proof"}
    Path("badge.json").write_text(json.dumps(plain))
    shown = ("verify", "badge.json", "--issuer", running.issuer)
    for way in ((), ("--rpc", f"{running.url}/rpc")):
        assert shell.run(*shown, "--proof", "proof.json", *way).code == 0
    assert shell.run(*shown).code == 4
    Path("badge.json").write_text(json.dumps(plain | {"validFrom": "2026-01-01T00:00:00Z"}))
    assert shell.run(*shown, "--proof", "proof.json").code == 1


# --- without its place --------------------------------------------------------------------------------------


def test_award_without_its_proof_is_indeterminate_though_its_signature_passes(
    shell: Shell, running: Running, made: Made
) -> None:
    made.write("valid")
    arguments = ("verify", "badge.json", *made.supplied(), "--issuer", made.did, "--json")
    for way in (("--rpc", f"{running.url}/rpc"), ("--offline",)):
        ran = shell.run(*arguments, *way)
        assert (ran.code, results(ran.json)["signature"]) == (4, "pass"), ran.out
        assert results(ran.json)["anchor"] == "unknown"
        assert "RootmarkProof" in ran.out


def test_award_is_never_valid_when_no_chain_is_asked(shell: Shell, made: Made) -> None:
    arguments = (*made.supplied(), "--issuer", made.did, "--offline", "--json")
    ran = shell.run(*made.write("valid"), *arguments)
    assert (ran.code, ran.json["as_of"]["chain"], ran.json["as_of"]["source"]) == (4, None, "none")
    assert "--rpc" in ran.json["summary"]
    assert shell.run(*made.write("tampered"), *arguments).code == 1


def test_proof_alone_is_open_when_no_chain_is_asked(shell: Shell, made: Made) -> None:
    made.write("valid")
    assert shell.run("verify", "proof.json", "--offline").code == 4
    broken = made.proofs["valid"] | {"salt": "0x" + "11" * 32}
    assert shell.run("verify", "-", "--offline", stdin=json.dumps(broken)).code == 1


def test_status_list_that_was_sent_along_counts_beside_the_chain(
    shell: Shell, running: Running, made: Made
) -> None:
    ran = shell.run(
        *made.write("revoked"), *made.supplied(), "--rpc", f"{running.url}/rpc", "--issuer", made.did
    )
    assert ran.code == 3


def test_plain_json_without_a_proof_names_the_option(shell: Shell, running: Running) -> None:
    plain = json.dumps({"id": "urn:uuid:2f1c1f2e-32a4-4e3b-9d57-6f0b0c7cf5a1", "name": "x"})
    for way in (("--rpc", f"{running.url}/rpc"), ("--offline",)):
        ran = shell.run("verify", "-", *way, stdin=plain)
        assert (ran.code, "--proof" in ran.err) == (2, True)
