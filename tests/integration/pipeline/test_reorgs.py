"""Blocks that go away again, on the embedded chain, with two confirmations until final."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.model.batches import BatchState
from registry.model.issuers import Caller
from registry.model.operations import OperationState, RequestKind, RequestState, TransactionState
from registry.model.reasons import Reason
from registry.services.policy import Policy
from tests.support.chains import embedded_chain
from tests.support.pipeline import ADMIN, World, digests, items, world_on


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    with (
        embedded_chain(tmp_path / "chain") as driven,
        world_on(driven, tmp_path, url=database_url, policy=Policy(confirmations=3)) as world,
    ):
        yield world


@pytest.fixture
def caller(world: World) -> Caller:
    return world.hosted()[1]


def mined_batch(world: World, caller: Caller) -> str:
    batch = world.issuing.create_batch(caller, items(digests(3)))
    world.work()
    world.driven.mine(1)
    world.work()
    assert world.batch(batch.id).state is BatchState.MINED
    return batch.id


def drop(world: World, block_number: int) -> None:
    """Replace the chain's end from that block on by empty blocks."""
    world.driven.replace(world.chain.latest().number - block_number + 1)


def test_mined_batch_is_not_final_before_its_confirmations(world: World, caller: Caller) -> None:
    batch_id = mined_batch(world, caller)
    for _ in range(world.policy.confirmations):
        world.work()
        anchor = world.batch(batch_id).anchor
        assert anchor is not None
        deep_enough = world.chain.latest().number - anchor.block_number + 1 >= world.policy.confirmations
        assert world.batch(batch_id).state is (BatchState.FINAL if deep_enough else BatchState.MINED)
        world.driven.mine(1)
    assert world.batch(batch_id).state is BatchState.FINAL


def test_reorg_puts_a_mined_batch_back_to_submitted_and_sends_the_same_bytes(
    world: World, caller: Caller
) -> None:
    batch_id = mined_batch(world, caller)
    before = world.batch(batch_id).anchor
    assert before is not None
    drop(world, before.block_number)
    world.step()
    again = world.batch(batch_id)
    assert (again.state, again.anchor) == (BatchState.SUBMITTED, None)
    world.clock.advance(world.policy.resend_after_seconds)
    world.settle()
    final = world.batch(batch_id)
    assert final.state is BatchState.FINAL
    assert final.anchor is not None
    assert final.anchor.transaction == before.transaction
    assert final.anchor.block_hash != before.block_hash
    assert len(world.anchors(final.root)) == 1


def test_transaction_mined_again_in_another_block_gets_that_blocks_hash(world: World, caller: Caller) -> None:
    batch_id = mined_batch(world, caller)
    before = world.batch(batch_id).anchor
    assert before is not None
    (transaction,) = world.transactions(TransactionState.MINED)
    drop(world, before.block_number)
    world.chain.send_raw(transaction.attempts[0].raw)
    world.driven.mine(1)
    world.settle()
    final = world.batch(batch_id).anchor
    assert final is not None
    assert final.transaction == before.transaction
    assert (final.block_number, final.block_hash) != (before.block_number, before.block_hash)
    assert len(world.anchors()) == 1


def test_reorg_of_a_revocation_is_repaired(world: World, caller: Caller) -> None:
    given = digests(3)
    world.final_batch(caller, given)
    request = world.status.change(caller, RequestKind.REVOCATION, given[:1], Reason.UNSPECIFIED)
    world.work()
    world.driven.mine(1)
    world.work()
    assert world.status.request(caller, request.id).state is RequestState.MINED
    (operation,) = world.operations(OperationState.MINED)
    assert operation.effect_block is not None
    drop(world, operation.effect_block)
    world.step()
    assert world.status.request(caller, request.id).state is RequestState.SUBMITTED
    world.clock.advance(world.policy.resend_after_seconds)
    world.settle()
    assert world.status.request(caller, request.id).state is RequestState.FINAL


def test_gas_counts_every_final_transaction_once_and_never_falls_in_a_reorg(
    world: World, caller: Caller
) -> None:
    registration = world.gas_used_total()
    assert registration > 0
    given = digests(3)
    world.final_batch(caller, given)
    anchored = world.gas_used_total()
    assert anchored > registration
    world.status.change(caller, RequestKind.REVOCATION, given[:1], Reason.UNSPECIFIED)
    world.work()
    world.driven.mine(1)
    world.work()
    (operation,) = world.operations(OperationState.MINED)
    assert operation.effect_block is not None
    assert world.gas_used_total() == anchored
    drop(world, operation.effect_block)
    world.step()
    assert world.gas_used_total() == anchored
    world.clock.advance(world.policy.resend_after_seconds)
    world.settle()
    receipts = [
        receipt
        for transaction in world.transactions(TransactionState.FINAL)
        for attempt in transaction.attempts
        if (receipt := world.chain.receipt(attempt.hash)) is not None
    ]
    assert world.gas_used_total() == sum(receipt.gas_used for receipt in receipts) > anchored


def test_reorg_that_drops_registration_and_anchor_loses_neither(world: World) -> None:
    world = world.with_policy(confirmations=8)
    registration = world.issuers.register(ADMIN, "Example College", "https://college.example/")
    caller = world.access.authenticate(registration.token)
    batch = world.issuing.create_batch(caller, items(digests(2)))
    start = world.chain.latest().number
    for _ in range(3):
        world.work()
        world.driven.mine(1)
    world.step()
    assert world.batch(batch.id).state is BatchState.MINED
    world.driven.replace(world.chain.latest().number - start)
    for _ in range(4):
        world.clock.advance(world.policy.resend_after_seconds)
        world.settle()
    assert world.batch(batch.id).state is BatchState.FINAL
    assert len(world.anchors()) == 1
    assert not world.operations(OperationState.FAILED)


def test_final_batch_is_left_alone(world: World, caller: Caller) -> None:
    batch = world.final_batch(caller, digests(2))
    assert not world.step()
    assert world.batch(batch.id) == batch
