"""One node that lies about the registry's events: it is caught by the contract's history head, nothing is
said about the issuer until the lie is over, and then nothing of it is left."""

from __future__ import annotations

from typing import Any

import pytest

from registry.chain.abi import event_topics
from registry.chain.rpc import hexed
from registry.encoding import Root
from registry.model.chain import CallKind, Change, ContractCall, EventKind
from registry.model.issuers import Caller
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.services import indexing
from registry.verdict.report import Outcome
from tests.integration.indexing.conftest import Watched
from tests.support import hostile_node as hostile

REVOKED = hexed(event_topics()["Revoked"])
ANCHORED = hexed(event_topics()["BatchAnchored"])


@pytest.fixture
def caller(watched: Watched) -> Caller:
    return watched.world.hosted()[1]


def revoke(watched: Watched, caller: Caller, digest: Any) -> None:
    watched.world.status.change(caller, RequestKind.REVOCATION, [digest], Reason.MISCONDUCT)
    watched.world.settle()


def forged(log: dict[str, Any]) -> dict[str, Any]:
    """A second revocation beside a real one, of every credential in the word."""
    data = log["data"].removeprefix("0x")
    words = [data[at : at + 64] for at in range(0, len(data), 64)]
    words[-1] = "f" * 64
    return log | {"data": "0x" + "".join(words), "logIndex": hex(int(log["logIndex"], 16) + 1)}


def test_hidden_revocation_makes_the_issuers_verdicts_indeterminate_until_it_shows(
    watched: Watched, caller: Caller
) -> None:
    first, second, _ = watched.issue(caller, "hidden")
    watched.node.add(hostile.hide_event(REVOKED))
    revoke(watched, caller, first)
    assert list(watched.mismatches()) == [caller.issuer]
    assert watched.outcome(first) is Outcome.INDETERMINATE
    assert watched.outcome(second) is Outcome.INDETERMINATE
    assert watched.outcome(second, live=True) is Outcome.INDETERMINATE
    assert {"history_mismatch", "request_missing"} <= watched.differences()
    assert caller.issuer is not None
    assert not watched.audit.issuer(caller.issuer).match
    assert "credential.revoked" not in watched.world.feed()

    watched.node.behave()
    watched.later()
    assert watched.mismatches() == {}
    assert watched.outcome(first) is Outcome.REVOKED
    assert watched.outcome(second) is Outcome.VALID
    assert watched.differences() == set()
    assert watched.world.feed().count("credential.revoked") == 1
    assert watched.indexed() == list(watched.world.events())


def test_invented_revocation_revokes_nothing_and_leaves_nothing_behind(
    watched: Watched, caller: Caller
) -> None:
    first, second, _ = watched.issue(caller, "invented")
    watched.node.add(
        hostile.changed_logs(
            lambda logs: [
                one for log in logs for one in ([log, forged(log)] if log["topics"][0] == REVOKED else [log])
            ]
        )
    )
    revoke(watched, caller, first)
    assert list(watched.mismatches()) == [caller.issuer]
    assert watched.outcome(second) is Outcome.INDETERMINATE
    assert "history_mismatch" in watched.differences()

    watched.node.behave()
    watched.later()
    assert watched.outcome(first) is Outcome.REVOKED
    assert watched.outcome(second) is Outcome.VALID
    assert watched.differences() == set()
    assert watched.world.feed().count("credential.revoked") == 1
    assert watched.indexed() == list(watched.world.events())


def test_invented_revocation_does_not_keep_a_real_one_from_being_sent(
    watched: Watched, caller: Caller
) -> None:
    first, second, _ = watched.issue(caller, "invented, then real")
    watched.node.add(
        hostile.changed_logs(
            lambda logs: [
                one for log in logs for one in ([log, forged(log)] if log["topics"][0] == REVOKED else [log])
            ]
        )
    )
    revoke(watched, caller, first)
    entries = watched.world.issuing.entries_by_digest(second)
    assert watched.audit.entry_states(entries) == [("unknown", None)]
    request = watched.world.status.change(caller, RequestKind.REVOCATION, [first, second], Reason.SUPERSEDED)
    assert request.skipped == ()
    watched.world.settle()
    watched.node.behave()
    watched.later()
    assert watched.outcome(second) is Outcome.REVOKED
    assert watched.audit.entry_states(entries)[0][0] == "revoked"
    fact = watched.verify(first).status
    assert fact.reason == int(Reason.MISCONDUCT), "the first revocation keeps its reason"


def test_another_issuers_verdicts_stay_as_they_are_when_one_history_is_contradicted(
    watched: Watched, caller: Caller
) -> None:
    _, other = watched.world.hosted()
    (theirs, _, _), (ours, _, _) = watched.issue(other, "theirs"), watched.issue(caller, "ours")
    watched.node.add(hostile.hide_event(REVOKED))
    revoke(watched, caller, ours)
    later = watched.issue(other, "theirs, later")
    assert watched.outcome(theirs) is watched.outcome(later[0]) is Outcome.VALID
    watched.node.behave()
    watched.later()
    assert watched.outcome(theirs) is watched.outcome(later[0]) is Outcome.VALID
    assert watched.outcome(ours) is Outcome.REVOKED
    assert watched.indexed() == list(watched.world.events())


def test_node_that_goes_on_lying_keeps_the_issuer_out_however_often_it_is_asked(
    watched: Watched, caller: Caller
) -> None:
    first, _, _ = watched.issue(caller, "hidden for long")
    watched.node.add(hostile.hide_event(REVOKED))
    revoke(watched, caller, first)
    for _ in range(3):
        watched.later()
        assert watched.outcome(first) is Outcome.INDETERMINATE


def test_hidden_event_is_noticed_without_new_blocks_when_there_are_many_issuers(
    watched: Watched, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        watched.world.hosted()
    first, _, _ = watched.issue(caller, "one of many")
    monkeypatch.setattr(indexing, "HEADS_PER_ROUND", 1)
    watched.node.add(hostile.hide_event(REVOKED))
    assert caller.issuer is not None
    root = next(event.root for event in watched.world.events(caller.issuer) if event.root is not None)
    watched.outside(caller, revocation(caller, root))
    for _ in range(5):
        watched.world.indexer.step()
    assert watched.outcome(first) is Outcome.INDETERMINATE
    assert list(watched.mismatches()) == [caller.issuer]


def revocation(caller: Caller, root: Root) -> ContractCall:
    assert caller.issuer is not None
    return ContractCall(CallKind.REVOKE, caller.issuer, root=root, changes=(Change(0, 1),))


def test_old_head_does_not_bring_a_revoked_credential_back(watched: Watched, caller: Caller) -> None:
    first, second, _ = watched.issue(caller, "old head")
    before = watched.world.chain.latest().number
    revoke(watched, caller, first)
    newest = watched.indexed()
    watched.node.add(hostile.old_head(before))
    watched.later(1)
    assert watched.indexed() == newest
    assert watched.outcome(first) is Outcome.REVOKED
    assert watched.outcome(second) is Outcome.VALID
    watched.later(61)
    assert watched.outcome(second) is Outcome.INDETERMINATE
    watched.node.behave()
    watched.later()
    assert watched.outcome(second) is Outcome.VALID


def test_old_head_is_never_a_live_reading(watched: Watched, caller: Caller) -> None:
    first, second, _ = watched.issue(caller, "old head, live")
    watched.node.add(hostile.old_head(watched.world.chain.latest().number - 1))
    assert watched.outcome(second, live=True) is Outcome.INDETERMINATE
    watched.node.behave()
    assert watched.outcome(first, live=True) is Outcome.VALID


def test_empty_log_answers_are_noticed_in_the_range_that_they_leave_out(
    watched: Watched, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = watched.issue(caller, "catching up")
    watched.world.driven.mine(20)
    with watched.world.store.write() as unit:
        unit.events.rewind(-1)
    monkeypatch.setattr(indexing, "NEAR_BLOCKS", 4)
    watched.node.add(hostile.empty_logs())
    watched.world.indexer.catch_up()
    assert watched.outcome(given[0]) is Outcome.INDETERMINATE
    watched.node.behave()
    watched.later()
    assert watched.outcome(given[0]) is Outcome.VALID
    assert watched.indexed() == list(watched.world.events())
    kinds = [event.kind for event in watched.indexed()]
    assert kinds.count(EventKind.BATCH_ANCHORED) == 1
