"""Sessions and drafts of the console, and what the console reads, in both databases."""

from __future__ import annotations

from dataclasses import replace

from registry.model.awards import AwardFilter
from registry.model.batches import BatchState
from registry.model.console import ConsoleSession, Draft, DraftKind
from registry.model.operations import RequestKind
from registry.store import SqlStore
from tests.integration.store.makers import T0, address, anchor, api_key, b32, batch_with, digest, later, root
from tests.integration.store.test_awards import award, sealed_awards


def session(name: str, key: str = "k", at: float = 0) -> ConsoleSession:
    return ConsoleSession(b32(name), key, later(at), later(at))


def draft(name: str, key: str = "k", at: float = 0, kind: DraftKind = DraftKind.AWARDS) -> Draft:
    summary = {"rows": 3, "text": "é\u0000\ud800", "problems": []}
    return Draft(name, address("a"), key, kind, f"{name}.csv", summary, later(at))


def test_session_is_found_by_its_digest_alone_until_it_ends(store: SqlStore) -> None:
    with store.write() as unit:
        unit.console.add_session(session("one"), keep=3)
        unit.console.touch_session(b32("one"), later(60))
        unit.console.touch_session(b32("nobody's"), later(60))
    with store.read() as unit:
        assert unit.console.session(b32("one")) == replace(session("one"), seen_at=later(60))
        assert unit.console.session(b"one") is None
    with store.write() as unit:
        assert unit.console.end_session(b32("one"))
        assert not unit.console.end_session(b32("one"))
    with store.read() as unit:
        assert unit.console.session(b32("one")) is None


def test_newest_sessions_of_a_key_are_kept_and_other_keys_ones_left_alone(store: SqlStore) -> None:
    with store.write() as unit:
        unit.console.add_session(session("other", "other"), keep=2)
        for number in range(4):
            unit.console.add_session(session(f"s{number}", at=number), keep=2)
    with store.read() as unit:
        left = [name for name in ("other", "s0", "s1", "s2", "s3") if unit.console.session(b32(name))]
    assert left == ["other", "s2", "s3"]


def test_draft_keeps_its_data_until_it_is_finished(store: SqlStore) -> None:
    data = bytes(range(256)) * 10_000
    with store.write() as unit:
        unit.console.add_draft(draft("d"), data, keep=5)
    with store.read() as unit:
        assert unit.console.draft("d") == draft("d")
        assert unit.console.draft_data("d") == data
        assert unit.console.drafts_of("k", 9) == [draft("d")]
        assert unit.console.drafts_of("other", 9) == []
    with store.write() as unit:
        unit.console.finish_draft("d", "batch:1")
    with store.read() as unit:
        assert unit.console.draft("d") == replace(draft("d"), made="batch:1", title="", summary={})
        assert unit.console.draft_data("d") == b""
        assert unit.console.drafts_of("k", 9) == []
    with store.write() as unit:
        unit.console.remove_draft("d")
        unit.console.remove_draft("d")
    with store.read() as unit:
        assert unit.console.draft("d") is None
        assert unit.console.draft_data("d") == b""


def test_old_drafts_make_room_but_never_those_that_became_something(store: SqlStore) -> None:
    with store.write() as unit:
        unit.console.add_draft(draft("done"), b"x", keep=2)
        unit.console.finish_draft("done", "batch:1")
        for number in range(4):
            unit.console.add_draft(draft(f"d{number}", at=number), b"x", keep=2)
    with store.read() as unit:
        assert [one.id for one in unit.console.drafts_of("k", 9)] == ["d3", "d2"]
        assert unit.console.draft("done") is not None


def test_draft_that_holds_an_erased_digest_is_forgotten(store: SqlStore) -> None:
    held = digest("held")
    shifted = b"\0" * 16 + held + b"\0" * 16  # not at a place of a digest
    with store.write() as unit:
        unit.console.add_draft(draft("with", kind=DraftKind.REVOCATION), digest("x") + held, keep=9)
        unit.console.add_draft(draft("without", kind=DraftKind.REVOCATION), digest("x"), keep=9)
        unit.console.add_draft(draft("shifted", kind=DraftKind.REVOCATION), shifted, keep=9)
        foreign = replace(draft("foreign", kind=DraftKind.REVOCATION), issuer=address("b"))
        unit.console.add_draft(foreign, bytes(held), keep=9)
        unit.console.forget(address("a"), held)
    with store.read() as unit:
        left = [name for name in ("with", "without", "shifted", "foreign") if unit.console.draft(name)]
    assert left == ["without", "shifted", "foreign"]


def test_what_is_over_is_purged(store: SqlStore) -> None:
    with store.write() as unit:
        for name, at in (("old", 0), ("unused", 50), ("living", 50)):
            unit.console.add_session(session(name, name, at), keep=1)
        unit.console.touch_session(b32("old"), later(100))
        unit.console.touch_session(b32("living"), later(100))
        unit.console.add_draft(draft("early"), b"x", keep=9)
        unit.console.add_draft(draft("late", at=100), b"x", keep=9)
        unit.console.purge(later(10), later(60), later(70))
    with store.read() as unit:
        assert [name for name in ("old", "unused", "living") if unit.console.session(b32(name))] == ["living"]
        assert [name for name in ("early", "late") if unit.console.draft(name)] == ["late"]


def test_key_is_found_by_its_id_and_its_history_by_its_subject(store: SqlStore) -> None:
    with store.write() as unit:
        unit.access.add_key(api_key("one", revoked_at=later(1)), b32("token"))
        for subject in ("0xaa", "0xaa/one", "0xaab", "0xaa%", "0xbb/one"):
            unit.access.log(T0, "me", "api-key.created", subject, "")
        unit.access.log(T0, "me", "batch.approved", "0xaa", "")
    with store.read() as unit:
        assert unit.access.key("one") == api_key("one", revoked_at=later(1))
        assert unit.access.key("two") is None
        found = unit.access.records_about("0xaa", ["api-key.created"], 9)
        assert [record.subject for record in found] == ["0xaa/one", "0xaa"]
        assert len(unit.access.records_about("0xaa", ["api-key.created"], 1)) == 1
        assert unit.access.records_about("0xaa", [], 9) == []


def test_totals_count_an_issuers_batches_and_entries_by_state(store: SqlStore) -> None:
    with store.write() as unit:
        first = sealed_awards(unit, ["x", "y"])
        sealed_awards(unit, ["z"])
        sealed_awards(unit, ["other"], owner="b")
        batch_with(unit, ["arriving"], owner="a")
        unit.batches.set_state(first.seq, BatchState.FINAL, anchor=anchor(), error=None)
    with store.read() as unit:
        assert unit.batches.totals(address("a")) == {BatchState.FINAL: (1, 2), BatchState.SEALED: (1, 1)}
        assert unit.batches.totals(address("nobody")) == {}


def test_requests_of_an_issuer_come_newest_first(store: SqlStore) -> None:
    with store.write() as unit:
        for number, owner in enumerate(("a", "b", "a")):
            unit.outbox.add_request(
                f"r{number}",
                RequestKind.REVOCATION,
                address(owner),
                1,
                None,
                "me",
                None,
                1,
                [digest(number)],
                later(number),
            )
    with store.read() as unit:
        assert [one.id for one in unit.outbox.requests_of(address("a"), 9)] == ["r2", "r0"]
        assert [one.id for one in unit.outbox.requests_of(address("a"), 1)] == ["r2"]


def test_awards_are_filtered_by_achievement_batch_state_and_day_of_issue(store: SqlStore) -> None:
    with store.write() as unit:
        first = batch_with(unit, ["a", "b"], owner="a", valid_from=T0)
        unit.awards.add(first, 0, [award("a"), award("b", achievement_id="urn:other")])
        unit.batches.seal(first.seq, root("first"), [], T0)
        second = batch_with(unit, ["c"], owner="a", valid_from=later(100))
        unit.awards.add(second, 0, [award("c")])
        unit.batches.seal(second.seq, root("second"), [], T0)
        unit.batches.set_state(second.seq, BatchState.FINAL, anchor=anchor(), error=None)
        sealed_awards(unit, ["foreign"], owner="b")

    def found(wanted: AwardFilter, **more: object) -> list[str]:
        with store.read() as unit:
            return [one.id for one in unit.awards.matching(address("a"), wanted, **more)]  # type: ignore[arg-type]

    assert found(AwardFilter()) == ["c", "b", "a"]
    assert found(AwardFilter(), limit=1) == ["c"]
    assert found(AwardFilter(), before=(first.seq, 1)) == ["a"]
    assert found(AwardFilter(achievement_id="urn:welding")) == ["c", "a"]
    assert found(AwardFilter(batch_seq=first.seq)) == ["b", "a"]
    assert found(AwardFilter(batch_states=frozenset({BatchState.FINAL}))) == ["c"]
    assert found(AwardFilter(issued_from=T0, issued_before=later(100))) == ["b", "a"]
    assert found(AwardFilter(issued_from=later(100))) == ["c"]
    assert found(AwardFilter(issued_before=T0)) == []
    with store.read() as unit:
        assert [one.id for one in unit.awards.by_ids(["c", "a", "a", "nobody"])] == ["a", "c"]
        assert unit.awards.by_ids([]) == []
