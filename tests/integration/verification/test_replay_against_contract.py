"""Random histories on the real contract: what is replayed from the events is what the contract has stored."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak

from registry.chain.keystore import LocalSigner
from registry.encoding import Address, Root
from registry.errors import RootmarkError
from registry.model.chain import BitKind, CallKind, Change, ContractCall
from registry.verdict.history import replay
from registry.verdict.views import Target, views_at
from tests.support.anvil import DEV_KEYS
from tests.support.chains import DrivenChain, anvil_chain, embedded_chain

ROOTS = [Root(bytes([number]) * 32) for number in range(0xF1, 0xF5)]
INDICES = [0, 1, 2, 255, 256, 257, 600]
WORDS = [0, 1, 2]
FAR = 2**40


class Actors:
    """An issuer, two more keys and a second admin, all with ether."""

    def __init__(self, driven: DrivenChain, dice: random.Random) -> None:
        self.dice = dice
        self.driven = [driven, *(replace(driven, signer=LocalSigner(key)) for key in DEV_KEYS[1:4])]
        self.admin = driven
        self.issuer = driven.issuer
        self.gateway = driven.gateway
        for other in self.driven[1:]:
            if driven.gateway.balance_wei(other.issuer) == 0:
                driven.do(ContractCall(CallKind.FUND, driven.issuer, account=other.issuer, value_wei=10**18))

    def step(self) -> None:
        """One random call by a random account; the contract may refuse it."""
        rare = [self.add_key, self.retire_key, self.withdraw, self.annul, self.administer, self.set_profile]
        action = self.dice.choice([*rare, self.anchor, self.anchor, *([self.bits] * 6)])
        action()

    def send(self, call: ContractCall, by: DrivenChain) -> None:
        to, data = self.gateway.encoder.direct(call)
        self.raw(by, to, data)

    def raw(self, by: DrivenChain, to: Address, data: bytes) -> None:
        by.mined(by.sign(to, data))

    def anyone(self) -> DrivenChain:
        return self.dice.choice(self.driven[:3])

    def now(self) -> int:
        return self.gateway.latest().timestamp

    def add_key(self) -> None:
        key = self.anyone()
        roles = self.dice.choice([15, 15, 7, 1, 4])
        consent = self.gateway.encoder.key_consent(self.issuer, key.issuer, roles, FAR)
        call = ContractCall(
            CallKind.ADD_KEY,
            self.issuer,
            account=key.issuer,
            roles=roles,
            consent_deadline=FAR,
            consent=key.signer.sign_typed_data(consent),
        )
        self.send(call, self.admin)

    def retire_key(self) -> None:
        if self.dice.random() < 0.6:
            return
        until = self.dice.choice([self.now() - self.dice.randrange(200), self.now() + 100])
        call = ContractCall(
            CallKind.RETIRE_KEY, self.issuer, account=self.anyone().issuer, valid_until=until, reason=6
        )
        self.send(call, self.admin)

    def anchor(self) -> None:
        self.send(ContractCall(CallKind.ANCHOR, self.issuer, root=self.dice.choice(ROOTS)), self.anyone())

    def changes(self) -> tuple[Change, ...]:
        """Some bits; a word may come twice."""
        indices = self.dice.sample(INDICES, self.dice.randrange(1, 4))
        return tuple(Change(index // 256, 1 << index % 256) for index in indices)

    def bits(self) -> None:
        kind = self.dice.choice([CallKind.REVOKE, CallKind.SUSPEND, CallKind.REINSTATE])
        reason = self.dice.choice([0, 3, 7, 900])
        call = ContractCall(
            kind, self.issuer, root=self.dice.choice(ROOTS), changes=self.changes(), reason=reason
        )
        self.send(call, self.anyone())

    def withdraw(self) -> None:
        self.send(
            ContractCall(CallKind.WITHDRAW, self.issuer, root=self.dice.choice(ROOTS), reason=2),
            self.anyone(),
        )

    def annul(self) -> None:
        root = self.dice.choice(ROOTS)
        kind = self.dice.choice([CallKind.ANNUL, CallKind.ANNUL_WITHDRAWAL])
        changes = self.changes() if kind is CallKind.ANNUL else ()
        self.send(ContractCall(kind, self.issuer, root=root, changes=changes, reason=1), self.admin)

    def administer(self) -> None:
        """Propose an admin; now and then it accepts."""
        proposed = self.dice.choice(self.driven)
        data = encode(["address", "address"], [self.issuer, proposed.issuer])
        self.raw(self.admin, self.gateway.info.address, selector("proposeAdmin(address,address)") + data)
        if self.dice.random() < 0.5:
            accept = selector("acceptAdmin(address)") + encode(["address"], [self.issuer])
            self.raw(proposed, self.gateway.info.address, accept)
            self.admin = proposed

    def set_profile(self) -> None:
        uri = "https://issuer.example/" + "é" * self.dice.randrange(60)
        data = selector("setProfile(address,string)") + encode(["address", "string"], [self.issuer, uri])
        self.raw(self.admin, self.gateway.info.address, data)


def selector(signature: str) -> bytes:
    return bytes(keccak(signature.encode())[:4])


def require_same(actors: Actors) -> None:
    """Every word of storage, head and status, from the events alone."""
    gateway, issuer = actors.gateway, actors.issuer
    latest = gateway.latest()
    events = gateway.events_in_range(0, latest.number, issuer=issuer)
    result = replay(events)
    assert result.problems == ()
    assert result.head == gateway.head_of(issuer, latest.hash)
    assert result.state.admin(issuer) == gateway.admin_of(issuer, latest.hash)
    for actor in actors.driven:
        stored, replayed = gateway.key_of(actor.issuer, latest.hash), result.state.key(actor.issuer)
        if replayed is None:
            assert not any(stored.issuer)
        else:
            assert (replayed.issuer, replayed.valid_until, replayed.retired_at, replayed.roles) == (
                stored.issuer,
                stored.valid_until,
                stored.retired_at,
                stored.roles,
            )
    for root in ROOTS:
        stored_batch, batch = gateway.batch_of(issuer, root, latest.hash), result.state.batch(issuer, root)
        withdrawal = batch.withdrawal if batch else None
        assert (
            stored_batch.key,
            stored_batch.anchored_at,
            stored_batch.withdrawn_at,
            stored_batch.reason,
        ) == (
            batch.key if batch else bytes(20),
            batch.anchored_at if batch else 0,
            withdrawal.at if withdrawal else 0,
            withdrawal.reason if withdrawal else 0,
        )
        for kind in BitKind:
            words = gateway.bits_of(kind, issuer, root, WORDS, latest.hash)
            assert words == {word: result.state.word(kind, issuer, root, word) for word in WORDS}
    for number in {latest.number, latest.number // 2, latest.number - 3}:
        block = gateway.header(number)
        for root in ROOTS:
            for index in INDICES:
                view = views_at(events, [(number, Target(issuer, root, index))])
                said = gateway.status_of(issuer, root, index, block.hash)[1]
                assert [found.status for found in view.values()] == [said]


def run(driven: DrivenChain, seed: int, steps: int) -> None:
    dice = random.Random(seed)
    actors = Actors(driven, dice)
    own = driven.make_issuer
    own()
    sent = 0
    for _ in range(steps):
        try:
            actors.step()
        except RootmarkError:  # refused before it was mined
            continue
        sent += 1
    assert sent > steps // 2
    require_same(actors)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[DrivenChain]:
    with embedded_chain(tmp_path) as driven:
        yield driven


@pytest.mark.node
@pytest.mark.parametrize("seed", range(6))
def test_replayed_history_equals_anvils_storage(seed: int) -> None:
    chain: AbstractContextManager[Any] = anvil_chain()
    with chain as driven:
        run(driven, seed, 150)


@pytest.mark.slow
def test_replayed_history_equals_the_embedded_chains_storage(embedded: DrivenChain) -> None:
    run(embedded, 99, 60)
