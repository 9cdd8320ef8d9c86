"""Blocks that go away beneath the index, shallow and deep, and processes that end in the middle."""

from __future__ import annotations

import pytest

from registry.chain.embedded.testing import EmbeddedTesting, Snapshot
from registry.errors import NodeMismatchError
from registry.model.issuers import Caller
from registry.services import indexing
from registry.services.indexing import LEASE_SECONDS, NEVER
from registry.verdict.report import Outcome
from tests.integration.indexing.conftest import Watched
from tests.support import hostile_node as hostile
from tests.support.chains import root_of


@pytest.fixture
def caller(watched: Watched) -> Caller:
    return watched.world.hosted()[1]


@pytest.fixture
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges and memory of a few blocks."""
    monkeypatch.setattr(indexing, "NEAR_BLOCKS", 4)
    monkeypatch.setattr(indexing, "RANGE_BLOCKS", 5)
    monkeypatch.setattr(indexing, "KEPT_HEADERS", 4)


def forget(watched: Watched) -> None:
    """Begin with an empty index."""
    with watched.world.store.write() as unit:
        unit.events.rewind(-1)


def strangers_story(watched: Watched, anchors: int) -> None:
    """Anchors of somebody who is not hosted here, a block each."""
    watched.world.driven.make_issuer()
    for number in range(anchors):
        watched.world.driven.anchor(root_of(number + 1))


def agrees(watched: Watched) -> bool:
    return watched.indexed() == list(watched.world.events())


def test_event_of_a_dropped_block_is_forgotten_with_it(watched: Watched) -> None:
    strangers_story(watched, 3)
    watched.world.indexer.catch_up()
    assert len(watched.indexed()) == 4
    watched.world.driven.replace(2)
    watched.world.indexer.catch_up()
    assert len(watched.indexed()) == 2
    assert agrees(watched)
    assert watched.mismatches() == {}


@pytest.mark.usefixtures("_small_steps")
def test_reorg_deeper_than_the_kept_headers_starts_the_index_anew_and_the_feed_not(
    watched: Watched, caller: Caller
) -> None:
    given = watched.issue(caller, "deep")
    strangers_story(watched, 9)
    watched.world.indexer.catch_up()
    feed = watched.world.feed()
    watched.world.driven.replace(8)
    watched.world.indexer.catch_up()
    assert agrees(watched)
    assert watched.outcome(given[0]) is Outcome.VALID
    assert watched.world.feed() == feed


def test_shorter_chain_with_other_blocks_is_followed(watched: Watched) -> None:
    strangers_story(watched, 4)
    watched.world.indexer.catch_up()
    testing = EmbeddedTesting(watched.world.driven.gateway.chain)  # type: ignore[attr-defined]
    number = watched.world.chain.latest().number - 3
    testing.revert(Snapshot(watched.world.chain.header(number).hash, number))
    testing.mine(2)
    watched.world.indexer.catch_up()
    assert agrees(watched)
    with watched.world.store.read() as unit:
        position = unit.events.position()
    assert position is not None
    assert position.block == watched.world.chain.latest()


def test_node_behind_is_waited_for_and_followed_when_it_returns_on_another_branch(watched: Watched) -> None:
    strangers_story(watched, 4)
    watched.world.indexer.catch_up()
    before = watched.indexed()
    watched.node.add(hostile.old_head(watched.world.chain.latest().number - 3))
    with pytest.raises(NodeMismatchError):
        watched.world.indexer.catch_up()
    assert watched.indexed() == before
    watched.world.driven.replace(2)
    watched.node.behave()
    watched.world.indexer.catch_up()
    assert agrees(watched)


@pytest.mark.usefixtures("_small_steps")
def test_nothing_is_valid_while_the_index_is_still_catching_up(watched: Watched, caller: Caller) -> None:
    given = watched.issue(caller, "early")
    strangers_story(watched, 20)
    forget(watched)
    outcomes = set()
    while watched.world.indexer.step():
        outcomes.add(watched.outcome(given[0]))
        with watched.world.store.read() as unit:
            position = unit.events.position()
        assert position is not None
        assert position.read_at == NEVER
    assert outcomes == {Outcome.INDETERMINATE}
    assert watched.outcome(given[0]) is Outcome.VALID


@pytest.mark.usefixtures("_small_steps")
def test_reorg_during_catching_up_leaves_what_the_chain_has(watched: Watched, caller: Caller) -> None:
    given = watched.issue(caller, "caught in between")
    strangers_story(watched, 20)
    forget(watched)
    assert watched.world.indexer.step()
    with watched.world.store.read() as unit:
        position = unit.events.position()
    assert position is not None
    depth = watched.world.chain.latest().number - position.block.number + 2
    watched.world.driven.replace(depth)
    watched.world.indexer.catch_up()
    assert agrees(watched)
    assert watched.mismatches() == {}
    assert watched.outcome(given[0]) is not Outcome.REVOKED


@pytest.mark.usefixtures("_small_steps")
def test_another_process_goes_on_where_one_ended_in_the_middle(watched: Watched) -> None:
    strangers_story(watched, 20)
    assert watched.world.indexer.step()
    assert watched.world.indexer.step()
    heir = watched.new_indexer("heir")
    assert not heir.step(), "the lease is another's"
    watched.world.clock.advance(LEASE_SECONDS + 1)
    heir.catch_up()
    assert agrees(watched)
    watched.world.driven.anchor(root_of(1000))
    assert not watched.world.indexer.step()
    assert not agrees(watched)
    heir.close()
    watched.world.indexer.catch_up()
    assert agrees(watched)


@pytest.mark.usefixtures("_small_steps")
def test_feed_has_each_event_once_however_often_the_index_is_built(watched: Watched, caller: Caller) -> None:
    watched.issue(caller, "once")
    before = watched.world.feed()
    assert before.count("key.added") == 1
    forget(watched)
    watched.world.indexer.catch_up()
    assert watched.world.feed() == before
