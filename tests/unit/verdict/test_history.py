"""Replaying histories: the state, the event behind each status, and histories that are not the contract's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.encoding import Address
from registry.model.chain import BitKind, EventKind, Role
from registry.verdict.history import EMPTY_HEAD, RegistryState, replay
from tests.unit.verdict.samples import (
    ADMIN,
    BASE,
    ISSUER,
    KEY,
    KEY_2,
    OTHER,
    ROOT,
    ROOT_2,
    History,
    anchored,
)


def state_after(history: History) -> RegistryState:
    result = replay(history.events)
    assert result.problems == ()
    assert result.count == len(history.events)
    return result.state


def details(history: History) -> list[str]:
    return [problem.detail for problem in replay(history.events).problems]


def test_empty_history_has_the_empty_head() -> None:
    result = replay([])
    assert (result.head, result.count, result.problems) == (EMPTY_HEAD, 0, ())


def test_head_is_that_of_the_last_event() -> None:
    history = anchored().revoke(3)
    assert replay(history.events).head == history.events[-1].head


def test_bit_already_set_keeps_its_first_events_time_reason_and_actor() -> None:
    history = (
        anchored().add_key(KEY_2, Role.REVOKE).revoke(17, reason=1).revoke(17, 18, reason=2, actor=KEY_2)
    )
    state = state_after(history)
    first, second = (state.bit(BitKind.REVOKED, ISSUER, ROOT, index) for index in (17, 18))
    assert (first.reason, first.actor, first.block_number) == (1, KEY, 4)
    assert (second.reason, second.actor, second.block_number) == (2, KEY_2, 5)


def test_bit_set_again_after_annulment_shows_the_new_event() -> None:
    state = state_after(anchored().revoke(17, reason=1).annul(17).revoke(17, reason=2))
    assert state.bit(BitKind.REVOKED, ISSUER, ROOT, 17).reason == 2


def test_annulment_clears_only_the_bits_it_names() -> None:
    state = state_after(anchored().revoke(17, 18, 300).annul(18, 19))
    assert state.word(BitKind.REVOKED, ISSUER, ROOT, 0) == 1 << 17
    assert state.words(BitKind.REVOKED, ISSUER, ROOT) == {0: 1 << 17, 1: 1 << 44}
    assert state.bit(BitKind.REVOKED, ISSUER, ROOT, 18) is None


def test_reinstatement_leaves_revocations_alone() -> None:
    state = state_after(anchored().suspend(5).revoke(5).reinstate(5))
    assert state.bit(BitKind.SUSPENDED, ISSUER, ROOT, 5) is None
    assert state.bit(BitKind.REVOKED, ISSUER, ROOT, 5) is not None


def test_takeover_overwrites_key_and_time_and_keeps_withdrawal_and_bits() -> None:
    history = anchored().add_key(KEY_2).revoke(17).withdraw()
    history.retire_key(KEY, valid_until=BASE + 15).anchor(ROOT, KEY_2)
    batch = state_after(history).batch(ISSUER, ROOT)
    assert (batch.key, batch.anchored_at) == (KEY_2, BASE + 70)
    assert batch.withdrawal.block_number == 5
    assert state_after(history).bit(BitKind.REVOKED, ISSUER, ROOT, 17) is not None


def test_withdrawal_and_its_annulment() -> None:
    assert state_after(anchored().withdraw(reason=4)).batch(ISSUER, ROOT).withdrawal.reason == 4
    assert state_after(anchored().withdraw().annul_withdrawal()).batch(ISSUER, ROOT).withdrawal is None


def test_key_keeps_its_last_retirement() -> None:
    history = (
        anchored().retire_key(valid_until=BASE + 25, reason=2).retire_key(valid_until=BASE + 15, reason=6)
    )
    key = state_after(history).key(KEY)
    assert (key.valid_until, key.retired_at) == (BASE + 15, BASE + 40)
    assert (key.retirement.reason, key.retirement.actor) == (6, None)


def test_admin_changes_in_two_steps_and_then_annuls() -> None:
    history = anchored().revoke(1).add(EventKind.ADMIN_PROPOSED, account=ADMIN)
    assert state_after(history).admin(ISSUER) == ISSUER
    assert state_after(history).pending_admin(ISSUER) == ADMIN
    history.add(EventKind.ADMIN_CHANGED, account=ADMIN).annul(1, actor=ADMIN)
    assert state_after(history).admin(ISSUER) == ADMIN
    assert state_after(history).pending_admin(ISSUER) is None


def test_proposal_can_be_taken_back() -> None:
    history = History().add(EventKind.ADMIN_PROPOSED, account=ADMIN)
    history.add(EventKind.ADMIN_PROPOSED, account=Address(bytes(20)))
    assert state_after(history).pending_admin(ISSUER) is None


def test_profile_is_the_last_one_set() -> None:
    history = History().add(EventKind.PROFILE_SET, uri="https://a.example")
    history.add(EventKind.PROFILE_SET, uri="https://a.example")
    assert state_after(history).profile(ISSUER) == "https://a.example"
    assert state_after(history).profile(OTHER) is None


def test_state_lists_keys_and_batches_in_order() -> None:
    state = state_after(anchored().add_key(KEY_2).anchor(ROOT_2, KEY_2))
    keys = state.keys()
    assert [key.key for key in keys] == [KEY, KEY_2]
    assert [batch.root for batch in state.batches()] == [ROOT, ROOT_2]


def test_bits_are_counted_over_all_batches_and_each_once() -> None:
    history = anchored().anchor(ROOT_2).revoke(1, 2, 300).revoke(2, 3).revoke(1, root=ROOT_2).suspend(9)
    state = state_after(history.annul(3))
    assert (state.count(BitKind.REVOKED), state.count(BitKind.SUSPENDED)) == (4, 1)


# --- histories that are not the contract's ---


@pytest.mark.parametrize("hidden", range(4))
def test_hidden_event_breaks_the_heads(hidden: int) -> None:
    history = anchored().revoke(17).suspend(18).revoke(19)
    del history.events[hidden]
    problems = replay(history.events).problems
    assert "head" in problems[0].detail
    assert problems[0].position == hidden


def test_hidden_last_event_shows_only_in_the_head() -> None:
    history = anchored().revoke(17)
    head = history.events[-1].head
    result = replay(history.events[:-1])
    assert result.problems == ()
    assert result.head != head


@pytest.mark.parametrize(
    "forged",
    [{"at": BASE}, {"reason": 5}, {"account": OTHER}, {"root": ROOT_2}, {"changes": ()}, {"issuer": OTHER}],
)
def test_changed_event_breaks_the_heads(forged: dict) -> None:
    history = anchored().revoke(17)
    history.events[-1] = replace(history.events[-1], **forged)
    assert any("head" in detail for detail in details(history))


def test_swapped_events_are_named() -> None:
    history = anchored().revoke(17).revoke(18)
    history.events[2:] = history.events[:1:-1]
    assert any("not after" in detail for detail in details(history))


def test_another_issuers_event_is_named() -> None:
    history = anchored().add_key(KEY_2, issuer=OTHER)
    assert any("another issuer" in detail for detail in details(history))


IMPOSSIBLE = {
    "anchor by a stranger": (History().anchor(), "acting key"),
    "anchor by another issuer's key": (History().add_key().anchor(issuer=OTHER), "acting key"),
    "anchor without the role": (History().add_key(KEY, Role.REVOKE).anchor(), "acting key"),
    "anchor after retirement": (History().add_key().retire_key(valid_until=BASE).anchor(), "acting key"),
    "anchor of an anchored root": (anchored().anchor(), "already anchored"),
    "revocation of nothing": (History().add_key().revoke(1), "never anchored"),
    "revocation without effect": (anchored().revoke(1).revoke(1), "changes nothing"),
    "reinstatement without effect": (anchored().reinstate(1), "changes nothing"),
    "annulment by a key": (anchored().revoke(1).annul(1, actor=KEY), "admin"),
    "withdrawal twice": (anchored().withdraw().withdraw(), "changes nothing"),
    "withdrawal of nothing": (History().add_key().withdraw(), "never anchored"),
    "annulment of no withdrawal": (anchored().annul_withdrawal(), "changes nothing"),
    "annulment by a stranger": (anchored().withdraw().annul_withdrawal(actor=OTHER), "admin"),
    "key added twice": (History().add_key().add_key(), "changes nothing"),
    "unknown key retired": (History().retire_key(), "changes nothing"),
    "retirement moved forward": (
        History().add_key().retire_key().retire_key(valid_until=BASE + 1),
        "changes nothing",
    ),
    "retirement in the future": (History().add_key().retire_key(valid_until=BASE + 10**6), "in the future"),
    "admin without proposal": (History().add(EventKind.ADMIN_CHANGED, account=ADMIN), "not proposed"),
    "proposal repeated": (
        History().add(EventKind.ADMIN_PROPOSED, account=ADMIN).add(EventKind.ADMIN_PROPOSED, account=ADMIN),
        "changes nothing",
    ),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_event_that_the_contract_would_not_emit_is_named(name: str) -> None:
    history, expected = IMPOSSIBLE[name]
    assert any(expected in detail for detail in details(history)), details(history)


def test_event_about_a_batch_without_a_root_is_refused() -> None:
    history = anchored()
    event = replace(history.events[-1], kind=EventKind.WITHDRAWAL_ANNULLED, root=None, account=ISSUER)
    with pytest.raises(ValueError, match="lacks"):
        replay([event])
