"""Awards out of a CSV file (RFC 4180), row by row. Pure but for reading the lines it is given.

Strict: UTF-8 with or without a byte order mark; a header line with known names, each once; every row as many
cells as the header; quotes where RFC 4180 wants them. A cell that is empty says nothing. Nothing is trimmed
or guessed. Faults name the line on which the row begins, and the column. Cells that a spreadsheet would take
for formulas are values like others here; they are made harmless where they are written out.

Only one row is in memory at a time, and its length is bounded: a quoted cell may span lines.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from registry.credentials.award_values import (
    MAX_EXTERNAL_ID,
    MAX_NAME,
    MAX_VALUE,
    AwardRequest,
    BadRow,
    Place,
    Recipient,
    ResultRequest,
    Row,
    checked_email,
    checked_line,
    checked_url,
    parse_day,
)
from registry.credentials.badges import Evidence
from registry.errors import Fault, ValidationError


def _line_of(limit: int) -> Callable[[str], str]:
    return lambda text: checked_line(text, limit)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "external_id": _line_of(MAX_EXTERNAL_ID),
    "recipient_name": _line_of(MAX_NAME),
    "recipient_email": checked_email,
    "achievement_id": _line_of(MAX_VALUE),
    "issued_on": parse_day,
    "expires_on": parse_day,
    "evidence_url": checked_url,
    "result": _line_of(MAX_VALUE),
    "level": _line_of(MAX_VALUE),
}
"""How a cell of each column is read; `ValidationError` with one fault where it cannot be."""

COLUMNS = tuple(_READERS)
REQUIRED = ("recipient_email", "achievement_id")
MAX_ROW_BYTES = 64 * 1024
_BOM = b"\xef\xbb\xbf"


class _TooLongError(Exception):
    """A row passes its limit."""


class _Lines:
    """Decoded lines for the csv module, counted; ``row_begins`` is called before each row."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self._row_bytes = 0
        self.number = 0

    def row_begins(self) -> None:
        self._row_bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        if self.number == 1:
            line = line.removeprefix(_BOM)
        self._row_bytes += len(line)
        if self._row_bytes > MAX_ROW_BYTES:
            raise _TooLongError
        return line.decode("utf-8")


def awards_of_csv(lines: Iterable[bytes]) -> Iterator[Row]:
    """The rows of a file, given its lines with their ends. What comes after text that is no CSV cannot be
    told, so such a place ends the rows.

    Raises:
        ValidationError: the header is not one; the fault names the line and the column.
    """
    source = _Lines(lines)
    reader = csv.reader(source, strict=True)
    header: list[str] | None = None
    while True:
        source.row_begins()
        line = source.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            if header is None:
                raise _bad_header("the first line names the columns, and there is none", 1) from None
            return
        except (csv.Error, UnicodeDecodeError, _TooLongError) as error:
            yield BadRow(Place(line, in_columns=True), (_unreadable(error, max(source.number, line)),))
            return
        if not cells:
            continue
        if header is None:
            header = _header(cells, line)
        else:
            yield _row(header, cells, Place(line, in_columns=True))


def _unreadable(error: Exception, line: int) -> Fault:
    if isinstance(error, UnicodeDecodeError):
        return Fault("encoding", "this is not UTF-8", None, line)
    if isinstance(error, _TooLongError):
        detail = f"a row has more than {MAX_ROW_BYTES} bytes; is a quotation mark not closed?"
        return Fault("too-large", detail, None, line)
    detail = "this is not CSV as in RFC 4180: look for quotation marks that are not doubled or not closed"
    return Fault("csv", detail, None, line)


def _header(cells: list[str], line: int) -> list[str]:
    for number, name in enumerate(cells, 1):
        if name not in COLUMNS:
            raise _bad_header(f"column {number} has no name known here; use {', '.join(COLUMNS)}", line)
    repeated = next((name for name in COLUMNS if cells.count(name) > 1), None)
    if repeated is not None:
        raise _bad_header(f"column {repeated} stands twice", line)
    missing = [name for name in REQUIRED if name not in cells]
    if missing:
        raise _bad_header(f"column {missing[0]} is missing", line)
    return cells


def _bad_header(detail: str, line: int) -> ValidationError:
    return ValidationError(detail, faults=[Fault("csv-header", detail, None, line)])


def _row(header: list[str], cells: list[str], place: Place) -> Row:
    if len(cells) != len(header):
        fault = place.fault("csv-cells", f"{len(header)} cells are expected, {len(cells)} are there")
        return BadRow(place, (fault,))
    values: dict[str, Any] = {}
    wrong: list[Fault] = []
    for column, text in zip(header, cells, strict=True):
        if text:
            try:
                values[column] = _READERS[column](text)
            except ValidationError as error:
                fault = error.faults[0]
                wrong.append(place.fault(fault.code, fault.detail, column))
        elif column in REQUIRED:
            wrong.append(place.fault("missing", "a value is needed", column))
    return BadRow(place, tuple(wrong)) if wrong else _award(values.get, place)


def _award(value: Callable[[str], Any], place: Place) -> AwardRequest:
    result, level, evidence = value("result"), value("level"), value("evidence_url")
    return AwardRequest(
        place=place,
        recipient=Recipient(email=value("recipient_email"), name=value("recipient_name")),
        achievement_id=value("achievement_id"),
        external_id=value("external_id"),
        issued_on=value("issued_on"),
        expires_on=value("expires_on"),
        results=(ResultRequest(result, level),) if result or level else (),
        evidence=(Evidence(evidence),) if evidence else (),
    )
