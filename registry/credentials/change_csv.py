"""Credentials named in a CSV file (RFC 4180), for changing their status. Pure.

The header names at least one of `digest`, `external_id` and `id` (an award's); other columns may stand there,
so that a list of awards as it is exported can be sent back. Each row names one credential by the first of
these columns that is not empty.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from registry.encoding import Digest
from registry.errors import Fault, ValidationError

NAMES = ("digest", "external_id", "id")
_DIGEST = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class Naming:
    """What a row says; one of the three is there."""

    line: int
    digest: Digest | None = None
    external_id: str | None = None
    award_id: str | None = None


def credentials_of_csv(data: bytes) -> Iterator[Naming | Fault]:
    """The rows of a file; a fault in the place of one that names nothing. What comes after text that is no
    CSV cannot be told, so such a place ends the rows.

    Raises:
        ValidationError: the header is not one.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        yield Fault("encoding", "this is not UTF-8", None, line)
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            if cells and header is None:
                header = _header(cells, line)
            elif cells and header is not None:
                yield _row(header, cells, line)
            line = reader.line_num + 1
    except csv.Error:
        yield Fault(
            "csv", "this is not CSV as in RFC 4180: look for quotation marks that are not closed", None, line
        )
        return
    if header is None:
        raise _bad("the first line names the columns, and there is none", 1)


def _header(cells: list[str], line: int) -> list[str]:
    named = [cell.strip() for cell in cells]
    if not any(name in named for name in NAMES):
        raise _bad(f"the first line names at least one of the columns {', '.join(NAMES)}", line)
    repeated = next((name for name in NAMES if named.count(name) > 1), None)
    if repeated is not None:
        raise _bad(f"column {repeated} stands twice", line)
    return named


def _bad(detail: str, line: int) -> ValidationError:
    return ValidationError(detail, faults=[Fault("csv-header", detail, None, line)])


def _row(header: list[str], cells: list[str], line: int) -> Naming | Fault:
    if len(cells) != len(header):
        return Fault("csv-cells", f"{len(header)} cells are expected, {len(cells)} are there", None, line)
    values = dict(zip(header, cells, strict=True))
    if digest := values.get("digest"):
        found = _DIGEST.fullmatch(digest.strip())
        if found is None:
            return Fault("digest", "column digest: 64 hexadecimal digits are expected", None, line)
        return Naming(line, digest=Digest(bytes.fromhex(found[1])))
    if values.get("external_id"):
        return Naming(line, external_id=values["external_id"])
    if values.get("id"):
        return Naming(line, award_id=values["id"].strip())
    return Fault("missing", "the row names no credential", None, line)
