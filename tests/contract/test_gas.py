"""What each operation costs: gas of whole transactions, from their receipts. Exact numbers, nothing timed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry.chain import typed_data
from registry.chain.abi import load_artifact
from tests.contract.support import ALL_BITS, ALL_ROLES, GAS, NO_DEADLINE, Bench, Person

DOCS = Path(__file__).parents[2] / "docs" / "contract.md"

ANCHOR_BUDGET = 55_500
WORD_BUDGET = 62_000
WORDS_PER_TRANSACTION = 650
FAR_WORD = 2**64 - 1  # no zero byte in the call data
MANY = [(word, ALL_BITS) for word in range(WORDS_PER_TRANSACTION)]


class Costs:
    """An issuer with history: a key, a root that the key anchored, and a revocation in its first word."""

    def __init__(self, bench: Bench, issuer: Person, key: Person, root: bytes, stranger: Person) -> None:
        self.bench, self.issuer, self.key, self.root, self.stranger = bench, issuer, key, root, stranger
        self.f = bench.functions
        self.send(self.f.revoke(root, [(0, 1)], 1), key)

    def send(self, call: Any, sender: Person) -> int:
        return int(self.bench.send(call, sender)["gasUsed"])

    def as_key(self, call: Any) -> int:
        return self.send(call, self.key)

    def as_admin(self, call: Any) -> int:
        return self.send(call, self.issuer)

    def deployment(self) -> int:
        artifact = load_artifact()
        factory = self.bench.w3.eth.contract(abi=list(artifact.abi), bytecode=artifact.bytecode)
        return self.send(factory.constructor(), self.stranger)

    def new_key(self) -> int:
        return int(self.bench.add_key(self.issuer, self.bench.people[5])["gasUsed"])

    def first_key(self) -> int:
        call = self.f.addKey(self.stranger.address, self.stranger.address, ALL_ROLES, 0, b"")
        return self.send(call, self.stranger)

    def bare_anchor(self) -> int:
        return int(self.bench.send_data(b"\x66" * 32, self.key)["gasUsed"])

    def relayed_anchor(self, nonce: int = 0) -> int:
        for used in range(nonce):
            self._relay(bytes([0x70 + used]) * 32)
        return self._relay(b"\x66" * 32)

    def _relay(self, root: bytes) -> int:
        signature = self.bench.sign_anchor(self.key, self.issuer, root)
        call = self.f.anchorBySig(self.key.address, self.issuer.address, root, NO_DEADLINE, signature)
        return self.send(call, self.stranger)

    def takeover(self) -> int:
        fresh = self.bench.people[5]
        self.bench.add_key(self.issuer, fresh)
        self.as_admin(self.f.retireKey(self.issuer.address, self.key.address, 1, 6))
        return self.send(self.f.anchor(self.root), fresh)

    def relayed_words(self) -> int:
        signature = self.bench.sign_status("Revoke", self.key, self.issuer, self.root, MANY, 1)
        call = self.f.revokeBySig(
            self.key.address, self.issuer.address, self.root, MANY, 1, NO_DEADLINE, signature
        )
        return self.send(call, self.stranger)

    def reinstatement(self) -> int:
        self.as_key(self.f.suspend(self.root, [(0, 1)], 7))
        return self.as_key(self.f.reinstate(self.root, [(0, 1)], 0))

    def annulled_withdrawal(self) -> int:
        self.as_key(self.f.withdraw(self.root, 1))
        return self.as_admin(self.f.annulWithdrawal(self.issuer.address, self.root, 1))

    def accepted_admin(self) -> int:
        self.as_admin(self.f.proposeAdmin(self.issuer.address, self.stranger.address))
        return self.send(self.f.acceptAdmin(self.issuer.address), self.stranger)

    def relayed_key(self) -> int:
        newcomer = self.bench.people[5]
        consent = newcomer.sign(
            typed_data.key_consent(
                self.bench.domain,
                issuer=self.issuer.raw,
                key=newcomer.raw,
                roles=ALL_ROLES,
                deadline=NO_DEADLINE,
            )
        )
        signature = self.issuer.sign(
            typed_data.add_key(
                self.bench.domain,
                issuer=self.issuer.raw,
                key=newcomer.raw,
                roles=ALL_ROLES,
                nonce=0,
                deadline=NO_DEADLINE,
            )
        )
        call = self.f.addKeyBySig(
            self.issuer.address,
            self.issuer.address,
            newcomer.address,
            ALL_ROLES,
            NO_DEADLINE,
            NO_DEADLINE,
            consent,
            signature,
        )
        return self.send(call, self.stranger)


OPERATIONS: dict[str, Callable[[Costs], int]] = {
    "deployment": Costs.deployment,
    "addKey, itself, as an issuer's first event": Costs.first_key,
    "addKey, with the key's consent": Costs.new_key,
    "addKeyBySig, with the key's consent": Costs.relayed_key,
    "anchor": lambda c: c.as_key(c.f.anchor(b"\x66" * 32)),
    "anchor, the bare root": Costs.bare_anchor,
    "anchor again (no effect)": lambda c: c.as_key(c.f.anchor(c.root)),
    "anchor, taking over": Costs.takeover,
    "anchorBySig, the key's first": Costs.relayed_anchor,
    "anchorBySig": lambda c: c.relayed_anchor(nonce=2),
    "revoke 1, in a new word": lambda c: c.as_key(c.f.revoke(c.root, [(1, 1)], 1)),
    "revoke 1, in a used word": lambda c: c.as_key(c.f.revoke(c.root, [(0, 2)], 1)),
    "revoke 256, in a new word": lambda c: c.as_key(c.f.revoke(c.root, [(FAR_WORD, ALL_BITS)], 65_535)),
    "revoke 256 times 650 words": lambda c: c.as_key(c.f.revoke(c.root, MANY, 1)),
    "revokeBySig, 256 times 650 words": Costs.relayed_words,
    "suspend 1, in a new word": lambda c: c.as_key(c.f.suspend(c.root, [(0, 1)], 7)),
    "reinstate 1, the word's last": Costs.reinstatement,
    "annul 1, the word's last": lambda c: c.as_admin(c.f.annul(c.issuer.address, c.root, [(0, 1)], 1)),
    "withdraw": lambda c: c.as_key(c.f.withdraw(c.root, 1)),
    "annulWithdrawal": Costs.annulled_withdrawal,
    "retireKey": lambda c: c.as_admin(c.f.retireKey(c.issuer.address, c.key.address, 1_000, 6)),
    "setProfile, 40 characters": lambda c: c.as_admin(c.f.setProfile(c.issuer.address, "x" * 40)),
    "proposeAdmin": lambda c: c.as_admin(c.f.proposeAdmin(c.issuer.address, c.stranger.address)),
    "acceptAdmin": Costs.accepted_admin,
}


@pytest.fixture
def costs(bench: Bench, issuer: Person, key: Person, root: bytes, stranger: Person) -> Costs:
    return Costs(bench, issuer, key, root, stranger)


@pytest.mark.parametrize("name", ["anchor", "anchor, the bare root"])
def test_an_anchor_by_an_issuer_with_history_stays_in_its_budget(name: str, costs: Costs) -> None:
    assert OPERATIONS[name](costs) <= ANCHOR_BUDGET


def test_256_revocations_in_one_word_stay_in_their_budget(costs: Costs) -> None:
    assert OPERATIONS["revoke 256, in a new word"](costs) <= WORD_BUDGET


@pytest.mark.parametrize("name", ["revoke 256 times 650 words", "revokeBySig, 256 times 650 words"])
def test_650_words_fit_into_one_transaction(name: str, costs: Costs) -> None:
    assert OPERATIONS[name](costs) <= GAS


def _documented() -> dict[str, int]:
    rows = re.findall(r"^\| ([^|]+?) \| ([0-9,]+) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: int(gas.replace(",", "")) for name, gas in rows}


def test_the_documented_table_names_every_operation() -> None:
    assert list(_documented()) == list(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_documented_gas_is_what_it_costs(name: str, costs: Costs) -> None:
    assert OPERATIONS[name](costs) == _documented()[name]
