"""The languages of the pages: catalogues, the choice among them, dates and numbers as they are written there.

English texts stand in templates and code and are the keys; `locales/<language>/*.po` translates them. A
catalogue is read as it is (Babel reads PO files), so that nothing has to be compiled. A text that a catalogue
lacks appears in English; a test fails for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from starlette.requests import Request

from registry.encoding import parse_time

LOCALES = Path(__file__).parent / "locales"
LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français"}
"""What there is, each in its own words; the first is the one of the texts in the code."""
DEFAULT = "en"
COOKIE = "rootmark-language"
PARAMETER = "lang"
_MAX_RANGES = 20


@dataclass(frozen=True, slots=True)
class Texts:
    """One language: its catalogue, and how it writes dates and numbers."""

    language: str
    _singular: Mapping[str, str] = field(repr=False)
    _plural: Mapping[tuple[str, str], tuple[str, ...]] = field(repr=False)
    _locale: Locale = field(repr=False)

    def gettext(self, message: str) -> str:
        """The text in this language."""
        return self._singular.get(message, message)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The text for ``count`` things, with `%(num)d` still in it."""
        forms = self._plural.get((singular, plural))
        if forms is None:
            return singular if count == 1 else plural
        return forms[self._locale.plural_form(count) != "one"]  # French has a form for millions too

    def date(self, value: str | date | datetime | None) -> str:
        """A day, written out; of a time, the day in UTC. Empty for None."""
        if value is None:
            return ""
        moment = parse_time(value) if isinstance(value, str) else value
        return format_date(moment, format="long", locale=self._locale)

    def time(self, value: str | datetime | None) -> str:
        """Day and time to the second, in UTC, and saying so. Empty for None."""
        if value is None:
            return ""
        moment = parse_time(value) if isinstance(value, str) else value.astimezone(UTC)
        return f"{format_datetime(moment, format='d MMM y, HH:mm:ss', tzinfo=UTC, locale=self._locale)} UTC"

    def amount(self, value: Decimal) -> str:
        """An exact number, with all the decimal places that it has."""
        return format_decimal(value, format="#,##0.##################", locale=self._locale)

    def number(self, value: float) -> str:
        """A number with this language's separators."""
        return format_decimal(value, locale=self._locale)


@lru_cache
def texts_of(language: str) -> Texts:
    """A language of `LANGUAGES`, read once."""
    singular: dict[str, str] = {}
    plural: dict[tuple[str, str], tuple[str, ...]] = {}
    for path in sorted((LOCALES / language).glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language, abort_invalid=True)
        for message in catalogue:
            if not message.id or message.fuzzy:
                continue
            if isinstance(message.id, str):
                if message.string:
                    singular[message.id] = str(message.string)
            else:
                plural[(message.id[0], message.id[1])] = tuple(message.string or ())
    return Texts(language, singular, plural, Locale.parse(language))


def language_of(request: Request) -> str:
    """The language: the query's, else the one chosen before, else the first of the browser's that is here."""
    for wanted in (request.query_params.get(PARAMETER), request.cookies.get(COOKIE)):
        if wanted is not None and wanted in LANGUAGES:
            return wanted
    return _accepted(request.headers.get("accept-language", ""))


def _accepted(header: str) -> str:
    """The best language of an Accept-Language header (RFC 9110, section 12.5.4)."""
    ranges = []
    for part in header.split(",")[:_MAX_RANGES]:
        tag, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        ranges.append((quality, tag.strip().lower().partition("-")[0]))
    known = [(quality, tag) for quality, tag in ranges if quality > 0 and tag in LANGUAGES]
    return max(known, key=lambda found: found[0])[1] if known else DEFAULT
