"""Nodes, keystores and databases that fail in the middle of a round: nothing is lost, doubled or given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from registry.errors import (
    ChainUnavailableError,
    ContractRevertedError,
    SignerError,
    StoreUnavailableError,
    TransactionRejectedError,
    UnknownBlockError,
)
from registry.model.batches import Batch, BatchState
from registry.model.issuers import Caller
from registry.model.operations import OperationState, TransactionState
from registry.services.anchoring import Pipeline
from tests.support.pipeline import ADMIN, World, digests, items

ALWAYS = 1_000_000


class Faulty:
    """A port with one method that fails so many times, before or after the real one was called."""

    def __init__(
        self, real: Any, method: str, error: Exception, *, times: int = 1, after: bool = False, skip: int = 0
    ) -> None:
        self._real = real
        self._method = method
        self._error = error
        self._times = times
        self._after = after
        self._skip = skip

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        return self._failing(real) if name == self._method else real

    def _failing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if self._skip:
                self._skip -= 1
                return real(*arguments, **named)
            if not self._times:
                return real(*arguments, **named)
            self._times -= 1
            if self._after:
                real(*arguments, **named)
            raise self._error

        return call


def pipeline(world: World, *, chain: Any = None, store: Any = None, operating: Any = None) -> Pipeline:
    """The server's own pipeline with some of its parts replaced; the old one has let go of its senders."""
    world.pipeline.close()
    return Pipeline(
        store or world.store,
        chain or world.chain,
        operating or world.operating,
        world.admins,
        world.relayer,
        world.clock,
        world.policy,
        "faulty",
    )


@pytest.fixture
def caller(world: World) -> Caller:
    return world.hosted()[1]


@pytest.fixture
def batch(world: World, caller: Caller) -> Batch:
    return world.issuing.create_batch(caller, items(digests(2)))


def ends_well(world: World, batch: Batch, with_pipeline: Pipeline) -> None:
    world.clock.advance(world.policy.resend_after_seconds)
    world.settle(with_pipeline)
    assert world.batch(batch.id).state is BatchState.FINAL
    assert len(world.anchors(batch.root)) == 1
    key = world.issuers.get(batch.issuer).key
    own = [one for one in world.transactions() if one.sender == key]
    assert [(one.nonce, one.state) for one in own] == [(0, TransactionState.FINAL)]


REJECTED = TransactionRejectedError("the node said no")
UNREACHABLE = ChainUnavailableError("the node does not answer")


@pytest.mark.parametrize("error", [REJECTED, UNREACHABLE], ids=["rejected", "unreachable"])
@pytest.mark.parametrize("arrived", [True, False], ids=["though it arrived", "and it did not arrive"])
def test_failed_sending_is_unknown_and_repeated(
    world: World, batch: Batch, error: Exception, arrived: bool
) -> None:
    faulty = pipeline(world, chain=Faulty(world.chain, "send_raw", error, after=arrived))
    faulty.step()
    assert world.batch(batch.id).state is BatchState.SUBMITTED
    (transaction,) = world.transactions(TransactionState.SIGNED)
    assert transaction.attempts[0].sent_at is None
    ends_well(world, batch, faulty)


@pytest.mark.parametrize(
    "method",
    ["latest", "fee_quote", "estimate_gas", "balance_wei", "batch_of", "transaction_count", "receipt"],
)
def test_node_that_goes_away_in_a_round_ends_only_that_round(world: World, batch: Batch, method: str) -> None:
    faulty = pipeline(world, chain=Faulty(world.chain, method, UNREACHABLE))
    failed = 0
    for _ in range(3):
        world.indexer.catch_up()
        try:
            faulty.step()
        except ChainUnavailableError:
            failed += 1
        world.driven.mine(1)
    assert failed == 1
    ends_well(world, batch, faulty)


@pytest.mark.parametrize("method", ["batch_of", "key_of"])
def test_block_that_vanishes_between_two_readings_ends_nothing(
    world: World, batch: Batch, method: str
) -> None:
    faulty = pipeline(world, chain=Faulty(world.chain, method, UnknownBlockError("gone")))
    faulty.step()
    ends_well(world, batch, faulty)


@pytest.mark.parametrize("skip", range(6))
def test_database_that_fails_at_any_write_loses_nothing(world: World, batch: Batch, skip: int) -> None:
    error = StoreUnavailableError("the database is locked")
    faulty = pipeline(world, store=Faulty(world.store, "write", error, skip=skip))
    for _ in range(4):
        world.indexer.catch_up()
        try:
            faulty.step()
        except StoreUnavailableError:
            continue
        world.driven.mine(1)
    ends_well(world, batch, faulty)


def test_key_that_cannot_be_read_makes_the_operation_wait(world: World, batch: Batch) -> None:
    missing = SignerError("the key file cannot be read")
    faulty = pipeline(world, operating=Faulty(world.operating, "get", missing))
    assert not faulty.step()
    assert world.batch(batch.id).state is BatchState.SEALED
    ends_well(world, batch, faulty)


def test_refusal_that_finality_may_heal_is_not_a_failure(world: World) -> None:
    """A node behind the others does not know yet that the key was added."""
    unfinal = world.with_policy(confirmations=6)
    token = unfinal.issuers.register(ADMIN, "Example College", "https://college.example/").token
    for _ in range(3):
        unfinal.work()
        unfinal.driven.mine(1)
    assert unfinal.operations(OperationState.MINED)
    batch = unfinal.issuing.create_batch(world.access.authenticate(token), items(digests(2)))
    refusal = ContractRevertedError("reverted", name="NotKeyOf")
    faulty = pipeline(unfinal, chain=Faulty(world.chain, "estimate_gas", refusal))
    unfinal.step(faulty)
    assert unfinal.batch(batch.id).state is BatchState.SEALED
    ends_well(unfinal, batch, faulty)


def test_refusal_that_nothing_can_heal_is_a_failure(world: World, batch: Batch) -> None:
    refusal = ContractRevertedError("reverted", name="NotKeyOf")
    faulty = pipeline(world, chain=Faulty(world.chain, "estimate_gas", refusal))
    world.step(faulty)
    failed = world.batch(batch.id)
    assert (failed.state, "NotKeyOf" in (failed.error or "")) == (BatchState.FAILED, True)


def test_stale_relay_signature_is_made_anew(world: World) -> None:
    relaying = world.with_policy(funding_wei=0)
    _, caller = relaying.hosted()
    batch = relaying.issuing.create_batch(caller, items(digests(2)))
    stale = ContractRevertedError("reverted", name="InvalidSignature")
    faulty = pipeline(relaying, chain=Faulty(world.chain, "estimate_gas", stale))
    relaying.step(faulty)
    assert relaying.batch(batch.id).state is BatchState.SEALED
    relaying.settle(faulty)
    assert relaying.batch(batch.id).state is BatchState.FINAL


def test_anchor_of_unknown_origin_waits_for_its_receipt(world: World, batch: Batch) -> None:
    """The event is seen, and the node that is asked next does not have the receipt."""
    faulty = pipeline(world, chain=Faulty(world.chain, "header_by_hash", UnknownBlockError("gone"), times=2))
    for _ in range(3):
        world.step(faulty)
        world.driven.mine(1)
    ends_well(world, batch, faulty)


def test_operation_is_given_up_after_so_many_transactions_without_effect(
    world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = world.with_policy(max_transactions=2)
    batch = limited.issuing.create_batch(caller, items(digests(2)))
    monkeypatch.setattr("registry.services.anchoring.confirming.shown_by", lambda *_: False)
    monkeypatch.setattr("registry.services.anchoring.confirming.unmet", lambda _, call, *__, **___: call)
    monkeypatch.setattr("registry.services.anchoring.submitting.unmet", lambda _, call, *__, **___: call)
    limited.settle()
    failed = limited.batch(batch.id)
    assert failed.state is BatchState.FAILED
    assert "2 transactions" in (failed.error or "")
    assert len(limited.anchors(batch.root)) == 1
