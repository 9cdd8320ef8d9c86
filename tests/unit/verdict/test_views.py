"""Views of one credential at any block, and what happened later."""

from __future__ import annotations

from registry.model.chain import BitKind, ContractStatus, EventKind
from registry.verdict.state import RegistryState
from registry.verdict.views import EntryView, Target, later_facts, relevant, view_of, views_at, word_of
from tests.unit.verdict.samples import (
    ADMIN,
    BASE,
    DISTRUSTED,
    GOOD,
    ISSUER,
    KEY_2,
    OTHER,
    REVOKED,
    ROOT,
    ROOT_2,
    SUSPENDED,
    WITHDRAWN,
    anchored,
    view,
)

TARGET = Target(ISSUER, ROOT, 17)


def test_status_is_the_contracts_first_that_applies() -> None:
    assert [v.status for v in (EntryView(), DISTRUSTED, WITHDRAWN, REVOKED, SUSPENDED, GOOD)] == [
        ContractStatus.NOT_ANCHORED,
        ContractStatus.DISTRUSTED,
        ContractStatus.WITHDRAWN,
        ContractStatus.REVOKED,
        ContractStatus.SUSPENDED,
        ContractStatus.GOOD,
    ]
    worst = anchored().suspend(17).revoke(17).withdraw().retire_key(valid_until=BASE)
    assert view(worst).status is ContractStatus.DISTRUSTED


def test_anchor_at_the_keys_valid_until_is_distrusted_and_one_second_earlier_is_not() -> None:
    at = anchored().events[-1].at
    assert view(anchored().retire_key(valid_until=at)).status is ContractStatus.DISTRUSTED
    assert view(anchored().retire_key(valid_until=at + 1)).status is ContractStatus.GOOD


def test_anchor_without_a_known_key_is_distrusted() -> None:
    events = anchored().events[1:]
    assert views_at(events, [(9, TARGET)])[9, TARGET].status is ContractStatus.DISTRUSTED


def test_views_are_those_after_the_blocks_own_events() -> None:
    history = anchored().suspend(17).revoke(17).reinstate(17).annul(17)
    wanted = [(block, TARGET) for block in range(8)]
    views = views_at(history.events, wanted)
    assert [views[block, TARGET].status.value for block in range(8)] == [
        "not_anchored",
        "not_anchored",
        "good",
        "suspended",
        "revoked",
        "revoked",
        "good",
        "good",
    ]


def test_many_targets_are_seen_in_one_pass() -> None:
    history = (
        anchored()
        .anchor(ROOT_2)
        .add_key(KEY_2, issuer=OTHER)
        .anchor(ROOT, KEY_2, issuer=OTHER)
        .revoke(17, 600)
    )
    targets = [TARGET, Target(ISSUER, ROOT, 18), Target(ISSUER, ROOT_2, 17), Target(OTHER, ROOT, 600)]
    views = views_at(history.events, [(block, target) for target in targets for block in (2, 6)])
    assert [views[6, target].status.value for target in targets] == ["revoked", "good", "good", "good"]
    assert [views[2, target].status.value for target in targets] == [
        "good",
        "good",
        "not_anchored",
        "not_anchored",
    ]


def test_views_of_a_forged_record_without_events_are_not_anchored() -> None:
    assert views_at([], [(5, TARGET)])[5, TARGET] == EntryView()


def test_later_facts_are_those_that_changed_the_view_after_the_block() -> None:
    history = anchored().revoke(18).revoke(17, 18).suspend(5).add(EventKind.PROFILE_SET, uri="x").withdraw()
    history.retire_key(valid_until=BASE)
    later = later_facts(history.events, TARGET, 2)
    assert [(item.kind, item.fact.block_number) for item in later] == [
        ("revocation", 4),
        ("withdrawal", 7),
        ("key_retirement", 8),
    ]
    assert later_facts(history.events, TARGET, 7) == later[2:]


def test_later_facts_name_the_anchor_and_what_was_taken_back() -> None:
    history = anchored().suspend(17).reinstate(17).revoke(17).annul(17).withdraw().annul_withdrawal()
    assert [item.kind for item in later_facts(history.events, TARGET, 0)] == [
        "anchor",
        "suspension",
        "reinstatement",
        "revocation",
        "annulment",
        "withdrawal",
        "withdrawal_annulment",
    ]


def test_relevant_events_are_the_issuers_keys_and_the_batchs_own() -> None:
    history = (
        anchored().anchor(ROOT_2).add_key(KEY_2, issuer=OTHER).add(EventKind.ADMIN_PROPOSED, account=ADMIN)
    )
    kept = relevant(history.events, TARGET)
    assert [event.block_number for event in kept] == [1, 2, 5]


def test_word_of_an_index_has_256_bits() -> None:
    assert [word_of(index) for index in (0, 255, 256)] == [0, 0, 1]


def test_state_of_a_subset_ignores_bits_of_other_words() -> None:
    state = RegistryState()
    for event in anchored().revoke(17).events:
        state.apply(event)
    assert state.bit(BitKind.REVOKED, ISSUER, ROOT, 256 + 17) is None
    assert view_of(state, TARGET).revocation is not None
