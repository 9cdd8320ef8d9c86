"""Which awards somebody means: the filter's fields, as a search's query and as a form send them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from api.web.forms import fault
from registry.model.awards import AwardFilter

FILTERS = ("achievement", "batch", "since", "until")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was typed. ``since`` and ``until`` are days of issue, both included; empty means any."""

    achievement: str = ""
    batch: str = ""
    since: str = ""
    until: str = ""

    @property
    def is_open(self) -> bool:
        """Whether everything is meant."""
        return not (self.achievement or self.batch or self.since or self.until)

    @property
    def query(self) -> str:
        """As the query of an address."""
        return urlencode({name: getattr(self, name) for name in FILTERS if getattr(self, name)})

    def filter(self) -> AwardFilter:
        """As the services take it; the batch is named beside it.

        Raises:
            ValidationError: a day that is none, or an end before the beginning.
        """
        since, until = _day(self.since, "since"), _day(self.until, "until")
        if since is not None and until is not None and until < since:
            raise fault("until", "order", "the last day lies before the first")
        after = None if until is None else until + timedelta(days=1)
        return AwardFilter(self.achievement or None, issued_from=since, issued_before=after)


def chosen_of(values: Mapping[str, str]) -> Chosen:
    """What was typed, checked. Raises `ValidationError` as `Chosen.filter`."""
    chosen = Chosen(**{name: values.get(name, "") for name in FILTERS})
    chosen.filter()
    return chosen


def _day(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise fault(name, "day", "a day is written as 2026-11-23") from error
    if not 1970 <= day.year < 9999:
        raise fault(name, "day", "a day is written as 2026-11-23")
    return day
