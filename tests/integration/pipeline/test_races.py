"""Requests that arrive at the same moment, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from registry.encoding import DigestMethod
from registry.errors import ConflictError, DuplicateDigestError, RootmarkError
from registry.model.batches import Batch, BatchState, Entry
from registry.model.issuers import Caller
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.services.issuing import NewItem
from tests.support.pipeline import ADMIN, World, digests, items

THREADS = 4


@pytest.fixture
def caller(world: World) -> Caller:
    token = world.issuers.register(ADMIN, "Example College", "https://college.example/").token
    return world.access.authenticate(token)


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run the jobs from one starting shot; their results, or the RootmarkErrors they raised."""
    results: list[Any] = [None] * len(jobs)
    gate = threading.Barrier(len(jobs))

    def run(i: int) -> None:
        gate.wait()
        try:
            results[i] = jobs[i]()
        except RootmarkError as error:
            results[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return results


def test_one_of_several_equal_batches_passes(world: World, caller: Caller) -> None:
    def post() -> Batch:
        return world.issuing.create_batch(caller, items(digests(50)))

    results = at_once(*[post] * THREADS)
    assert sum(isinstance(result, Batch) for result in results) == 1
    assert sum(isinstance(result, DuplicateDigestError) for result in results) == THREADS - 1
    world.settle()
    assert len(world.anchors()) == 1


def test_credentials_added_at_once_stand_in_a_row(world: World, caller: Caller) -> None:
    def add(name: str) -> Callable[[], Entry]:
        item = NewItem(digests(1, name)[0], DigestMethod.OPAQUE)
        return lambda: world.issuing.add_credential(caller, item)

    results = at_once(*(add(f"c{i}") for i in range(8)))
    assert sorted(entry.index for entry in results) == list(range(8))
    assert len({entry.batch_id for entry in results}) == 1


def test_external_id_given_at_once_to_two_contents_belongs_to_one(world: World, caller: Caller) -> None:
    def add(name: str) -> Callable[[], Entry]:
        item = NewItem(digests(1, name)[0], DigestMethod.OPAQUE, "x")
        return lambda: world.issuing.add_credential(caller, item)

    results = at_once(add("a"), add("b"))
    assert sum(isinstance(result, Entry) for result in results) == 1
    assert sum(isinstance(result, ConflictError) for result in results) == 1


def test_revocation_and_reissue_at_once_never_leave_a_valid_copy(world: World, caller: Caller) -> None:
    given = digests(3)
    world.final_batch(caller, given)
    revoked, again = at_once(
        lambda: world.status.change(caller, RequestKind.REVOCATION, given, Reason.MISCONDUCT),
        lambda: world.issuing.create_batch(caller, items(given), allow_duplicate=True),
    )
    assert not isinstance(revoked, RootmarkError)
    world.settle()
    if isinstance(again, RootmarkError):
        assert isinstance(again, DuplicateDigestError)
        return
    assert world.batch(again.id).state is BatchState.FINAL
    words = [op.batch_seq for op in world.operations() if op.request_id == revoked.id]
    assert again.seq in words


def test_two_pipelines_at_once_anchor_every_batch_once(world: World, caller: Caller) -> None:
    world.settle()
    batches = [world.issuing.create_batch(caller, items(digests(2, f"batch {i}"))) for i in range(6)]
    pipelines = [world.new_pipeline(f"process {i}") for i in range(2)]
    world.pipeline.close()

    def work(i: int) -> Callable[[], list[bool]]:
        return lambda: [pipelines[i].step() for _ in range(6)]

    at_once(work(0), work(1))
    world.clock.advance(world.policy.lease_ttl_seconds + 1)
    world.settle()
    assert {world.batch(batch.id).state for batch in batches} == {BatchState.FINAL}
    assert len(world.anchors()) == 6
    nonces = [one.nonce for one in world.transactions() if one.sender != world.relayer.address]
    assert sorted(nonces) == list(range(6))
