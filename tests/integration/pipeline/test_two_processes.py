"""Two pipelines on one store: one sends for an account at a time, and a late one writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.model.batches import BatchState
from registry.model.issuers import Caller
from registry.services.anchoring import Pipeline
from registry.services.anchoring.lanes import Lanes
from registry.services.policy import Policy
from tests.support.chains import embedded_chain
from tests.support.pipeline import World, digests, items, world_on


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    with (
        embedded_chain(tmp_path / "chain") as driven,
        world_on(driven, tmp_path, url=database_url, policy=Policy(confirmations=2)) as world,
    ):
        yield world


@pytest.fixture
def caller(world: World) -> Caller:
    caller = world.hosted()[1]
    world.pipeline.close()
    return caller


class Interrupted:
    """The chain, with something happening at the moment the sender's nonce is asked for."""

    def __init__(self, chain: Any, then: Any) -> None:
        self._chain = chain
        self._then = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def transaction_count(self, *arguments: Any, **named: Any) -> int:
        then, self._then = self._then, lambda: None
        then()
        return int(self._chain.transaction_count(*arguments, **named))


def interrupted(world: World, owner: str, then: Any) -> Pipeline:
    return Pipeline(
        world.store,
        Interrupted(world.chain, then),  # type: ignore[arg-type]
        world.operating,
        world.admins,
        world.relayer,
        world.clock,
        world.policy,
        owner,
    )


def test_process_whose_lease_ran_out_stores_and_sends_nothing(world: World, caller: Caller) -> None:
    other = world.new_pipeline("other")

    def takes_over() -> None:
        world.clock.advance(world.policy.lease_ttl_seconds + 1)
        assert other.step()

    late = interrupted(world, "late", takes_over)
    batch = world.issuing.create_batch(caller, items(digests(2)))
    world.step(late)
    assert world.batch(batch.id).state is not BatchState.SEALED
    nonces = [one.nonce for one in world.transactions() if one.sender != world.relayer.address]
    assert nonces == [0]
    world.settle(other)
    assert len(world.anchors()) == 1
    assert world.batch(batch.id).state is BatchState.FINAL


def test_fencing_alone_stops_a_late_process_before_the_new_one_has_done_anything(
    world: World, caller: Caller
) -> None:
    batch = world.issuing.create_batch(caller, items(digests(2)))
    key = world.issuers.get(batch.issuer).key
    lanes = Lanes(world.store, world.chain.info.chain_id, world.clock, world.policy, "other")

    def takes_over() -> None:
        world.clock.advance(world.policy.lease_ttl_seconds + 1)
        assert lanes.acquire(key) is not None

    late = interrupted(world, "late", takes_over)
    assert not world.step(late)
    assert world.batch(batch.id).state is BatchState.SEALED
    assert not [one for one in world.transactions() if one.sender == key]


def test_sender_is_left_alone_while_another_process_holds_it(world: World, caller: Caller) -> None:
    first, second = world.new_pipeline("first"), world.new_pipeline("second")
    world.issuing.create_batch(caller, items(digests(2, "a")))
    world.step(first)
    batch = world.issuing.create_batch(caller, items(digests(2, "b")))
    world.step(second)
    assert world.batch(batch.id).state is BatchState.SEALED
    world.step(first)
    assert world.batch(batch.id).state is BatchState.SUBMITTED


def test_closing_hands_the_sender_over_at_once(world: World, caller: Caller) -> None:
    first, second = world.new_pipeline("first"), world.new_pipeline("second")
    world.issuing.create_batch(caller, items(digests(2, "a")))
    world.step(first)
    first.close()
    batch = world.issuing.create_batch(caller, items(digests(2, "b")))
    world.step(second)
    assert world.batch(batch.id).state is BatchState.SUBMITTED


def test_two_processes_in_turns_anchor_every_batch_once(world: World, caller: Caller) -> None:
    pipelines = [world.new_pipeline("first"), world.new_pipeline("second")]
    batches = [world.issuing.create_batch(caller, items(digests(2, f"batch {i}"))) for i in range(6)]
    for round_number in range(12):
        world.step(pipelines[round_number % 2])
        world.driven.mine(1)
        world.clock.advance(world.policy.lease_ttl_seconds * (round_number % 3))
    world.clock.advance(world.policy.lease_ttl_seconds + 1)
    world.settle(pipelines[0])
    assert {world.batch(batch.id).state for batch in batches} == {BatchState.FINAL}
    assert len({event.root for event in world.anchors()}) == len(world.anchors()) == 6
    own = [one.nonce for one in world.transactions() if one.sender != world.relayer.address]
    assert sorted(own) == list(range(6))
