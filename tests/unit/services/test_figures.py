"""An auditor's figures, from events and batches."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from registry.encoding import BlockHash
from registry.model.chain import EventKind, Header
from registry.model.figures import AnchoredBatch, StatusCount
from registry.services.auditing.figures import MAX_BATCHES, MAX_WORDS, Figures, computed

BLOCK = Header(9, BlockHash(b"h" * 32), BlockHash(b"p" * 32), 0)


def at(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def revoked(day: str, count: int = 1, reason: int = 1) -> StatusCount:
    return StatusCount(EventKind.REVOKED, reason, at(day), count)


def figures(counted: list[StatusCount] | None = None, batches: list[AnchoredBatch] | None = None) -> Figures:
    counted, batches = counted or [], batches or []
    return computed(BLOCK, counted, batches, len(counted), len(batches))


def test_nothing_makes_no_figures() -> None:
    found = figures()
    assert (found.revocations, found.reasons, found.changes, found.gas) == ([], [], [], [])
    assert {bar.count for bar in (*found.lags, *found.sizes)} == {0}


def test_days_between_the_first_and_the_last_are_there_and_time_of_day_does_not_matter() -> None:
    found = figures(
        [revoked("2026-11-03T23:59:59", 2), revoked("2026-11-01"), revoked("2026-11-01T12:00:00")]
    )
    assert [(span.since, span.count) for span in found.revocations] == [
        (date(2026, 11, 1), 2),
        (date(2026, 11, 2), 0),
        (date(2026, 11, 3), 2),
    ]


@pytest.mark.parametrize(
    ("first", "last", "spans", "second"),
    [
        ("2026-01-01", "2026-03-03", 62, date(2026, 1, 2)),
        ("2026-01-31", "2026-12-01", 12, date(2026, 2, 1)),
        ("2023-12-31", "2026-11-30", 36, date(2024, 1, 1)),
        ("2023-11-30", "2026-11-30", 4, date(2024, 1, 1)),
        ("2016-02-29", "2026-11-30", 11, date(2017, 1, 1)),
    ],
)
def test_long_times_come_by_month_or_year(first: str, last: str, spans: int, second: date) -> None:
    found = figures([revoked(first, 3), revoked(last, 4)]).revocations
    assert len(found) == spans
    assert found[1].since == second
    assert sum(span.count for span in found) == 7
    assert all(one.until == two.since for one, two in pairwise(found))


def test_reasons_count_revocations_alone_and_kinds_count_all() -> None:
    found = figures(
        [
            revoked("2026-11-01", 5, 1),
            revoked("2026-11-01", 2, 99),
            StatusCount(EventKind.SUSPENDED, 1, at("2026-11-01"), 7),
        ]
    )
    assert found.reasons == [("unspecified", 2), ("issued_in_error", 5)]
    assert dict(found.changes) == {EventKind.REVOKED: 7, EventKind.SUSPENDED: 7}


def test_batches_are_sorted_by_lag_and_size_at_the_bounds() -> None:
    sizes = (1, 2, 10, 11, 100_000, 100_001)
    lags = (-0.5, 4.9, 5, 59.9, 60, 10**6)
    found = figures([], [AnchoredBatch(size, lag, 50_000) for size, lag in zip(sizes, lags, strict=True)])
    assert [bar.count for bar in found.sizes] == [1, 2, 1, 0, 0, 1, 1]
    assert [(bar.since, bar.until) for bar in found.sizes][:2] == [(1, 2), (2, 11)]
    assert found.sizes[-1].until is None
    assert [bar.count for bar in found.lags] == [2, 1, 1, 1, 0, 0, 1]


def test_gas_for_a_credential_is_all_gas_over_all_credentials_of_a_size() -> None:
    found = figures(
        [], [AnchoredBatch(1, 1, 54_000), AnchoredBatch(10, 1, 54_000), AnchoredBatch(2, 1, 66_000)]
    )
    assert [(bar.since, bar.value, bar.count) for bar in found.gas] == [(1, 54_000, 1), (2, 10_000, 2)]


def test_what_was_left_out_is_said() -> None:
    assert not figures().more_changes
    found = computed(BLOCK, [], [], MAX_WORDS + 1, MAX_BATCHES + 1)
    assert (found.more_changes, found.more_batches) == (True, True)
