"""An auditor's figures: revocations over time and by reason, anchoring lag, credentials in a batch, gas for a
credential. Pure but for the unit.

Status changes come from the index; batches are those of this server that are on chain. Both are bounded, and
say when there are more: the newest are counted then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from registry.encoding import Address
from registry.model.chain import EventKind, Header
from registry.model.figures import AnchoredBatch, StatusCount
from registry.model.reasons import REASON_LABELS, reason_from_code
from registry.ports.store import Unit

MAX_WORDS = 100_000
"""Words of 256 credentials each in status events."""

MAX_BATCHES = 50_000
_MOST_DAYS = 62
_MOST_MONTHS = 36

LAGS = (5, 15, 60, 300, 3_600, 86_400)
"""Seconds: each bar ends before one of these; the last goes on."""

SIZES = (2, 11, 101, 1_001, 10_001, 100_001)
"""Credentials: likewise."""


@dataclass(frozen=True, slots=True)
class Span:
    """Credentials within a day, a month or a year, which ends before ``until``."""

    count: int
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class Bar:
    """Batches of a size or lag from ``since`` to before ``until``, None for the last. ``value`` is what is
    drawn."""

    value: float
    count: int
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All plots, as of a block.

    Attributes:
        revocations: credentials named by revocations in each span of time, from the first to the last.
        reasons: of revocations, by reason, in the order of the reasons' numbers; those with none left out.
        changes: credentials named, by kind of event.
        lags: batches by the time from sealing to block.
        sizes: batches by the number of credentials.
        gas: gas for one credential, by the size of the batch.
        more_changes, more_batches: whether older ones were left out.
    """

    block: Header
    revocations: Sequence[Span]
    reasons: Sequence[tuple[str, int]]
    changes: Sequence[tuple[EventKind, int]]
    lags: Sequence[Bar]
    sizes: Sequence[Bar]
    gas: Sequence[Bar]
    more_changes: bool
    more_batches: bool


def figures_of(unit: Unit, issuer: Address | None, block: Header) -> Figures:
    """The figures of everyone, or of an issuer, up to ``block``."""
    counted = unit.events.status_counts(issuer, block.number, MAX_WORDS + 1)
    batches = unit.batches.anchored(issuer, block.number, MAX_BATCHES + 1)
    return computed(block, counted[:MAX_WORDS], batches[:MAX_BATCHES], len(counted), len(batches))


def computed(
    block: Header,
    counted: Sequence[StatusCount],
    batches: Sequence[AnchoredBatch],
    words: int,
    batch_count: int,
) -> Figures:
    """The figures of these; ``words`` and ``batch_count`` are how many there were."""
    revoked = [one for one in counted if one.kind is EventKind.REVOKED]
    by_reason: Counter[str] = Counter()
    by_kind: Counter[EventKind] = Counter()
    for one in counted:
        by_kind[one.kind] += one.count
    for one in revoked:
        by_reason[reason_from_code(one.reason).label] += one.count
    return Figures(
        block=block,
        revocations=_over_time(revoked),
        reasons=[(label, by_reason[label]) for label in REASON_LABELS if by_reason[label]],
        changes=[(kind, by_kind[kind]) for kind in EventKind if by_kind[kind]],
        lags=_histogram(batches, LAGS, lambda batch: max(batch.lag_seconds, 0.0)),
        sizes=_histogram(batches, SIZES, lambda batch: batch.size, first=1),
        gas=_gas(batches),
        more_changes=words > MAX_WORDS,
        more_batches=batch_count > MAX_BATCHES,
    )


# --- over time ----------------------------------------------------------------------------------------------


def _over_time(counted: Sequence[StatusCount]) -> list[Span]:
    """Days, months or years, whichever are few enough, with those in between that have nothing."""
    if not counted:
        return []
    days: Counter[date] = Counter()
    for one in counted:
        days[datetime.fromtimestamp(one.at, UTC).date()] += one.count
    first, last = min(days), max(days)
    months = (last.year - first.year) * 12 + last.month - first.month
    begin, following = _BY_DAY
    if (last - first).days >= _MOST_DAYS:
        begin, following = _BY_MONTH if months < _MOST_MONTHS else _BY_YEAR
    totals: Counter[date] = Counter()
    for day, count in days.items():
        totals[begin(day)] += count
    return [Span(totals[start], start, following(start)) for start in _from(begin(first), last, following)]


def _from(start: date, last: date, following: Callable[[date], date]) -> Iterator[date]:
    while start <= last:
        yield start
        start = following(start)


_Calendar = tuple[Callable[[date], date], Callable[[date], date]]
"""From a day to the first of its span, and from that to the next one's."""

_BY_DAY: _Calendar = (lambda day: day, lambda day: day + timedelta(days=1))
_BY_MONTH: _Calendar = (
    lambda day: day.replace(day=1),
    lambda day: (day.replace(day=1) + timedelta(days=32)).replace(day=1),
)
_BY_YEAR: _Calendar = (
    lambda day: day.replace(month=1, day=1),
    lambda day: day.replace(year=day.year + 1, month=1, day=1),
)


# --- by size ------------------------------------------------------------------------------------------------


def _histogram(
    batches: Sequence[AnchoredBatch],
    bounds: Sequence[int],
    measure: Callable[[AnchoredBatch], float],
    *,
    first: int = 0,
) -> list[Bar]:
    counts: Counter[int] = Counter(_place(measure(batch), bounds) for batch in batches)
    return [
        Bar(counts[place], counts[place], since, until)
        for place, (since, until) in enumerate(pairwise([first, *bounds, None]))
        if since is not None
    ]


def _gas(batches: Sequence[AnchoredBatch]) -> list[Bar]:
    """All gas of a size's batches over all their credentials; sizes that no batch has are left out."""
    gas: Counter[int] = Counter()
    credentials: Counter[int] = Counter()
    counts: Counter[int] = Counter()
    for batch in batches:
        place = _place(batch.size, SIZES)
        gas[place] += batch.gas_used
        credentials[place] += batch.size
        counts[place] += 1
    return [
        Bar(gas[place] / credentials[place], counts[place], since, until)
        for place, (since, until) in enumerate(pairwise([1, *SIZES, None]))
        if since is not None and credentials[place]
    ]


def _place(value: float, bounds: Sequence[int]) -> int:
    return sum(value >= bound for bound in bounds)
