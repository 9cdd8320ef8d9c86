"""Lists as an auditor takes them away: JSON or CSV, with the block they are of, their rows and their digest.

Every answer carries `X-Row-Count`, `X-Content-SHA256` (of the body) and, once something is indexed,
`X-Block-Number` and `X-Block-Hash`. Each page is an export of its own; `Link` leads to the next.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.context import Query, next_page
from registry.encoding import to_hex
from registry.errors import UnsupportedMediaTypeError
from registry.model.chain import IndexPosition

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""With the full-width forms, which some spreadsheets read alike."""


def wants_csv(request: Request) -> bool:
    """Whether CSV is asked for.

    Raises:
        UnsupportedMediaTypeError: neither JSON nor CSV is accepted.
    """
    accepted = request.headers.get("accept", "*/*")
    if "text/csv" in accepted:
        return True
    if not any(kind in accepted for kind in ("json", "*/*", "application/*")):
        raise UnsupportedMediaTypeError("this is served as application/json and text/csv")
    return False


def rows_wanted(query: Query, *, as_csv: bool, csv_rows: int) -> int:
    """How many rows a page has: `limit`, else ``csv_rows`` for CSV."""
    return csv_rows if as_csv and query.text("limit") is None else query.limit()


def csv_cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """RFC 4180 text with a header line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(row.get(column)) for column in columns] for row in rows)
    return out.getvalue().encode()


def json_export(
    request: Request, items: list[dict[str, Any]], following: str | None, position: IndexPosition | None
) -> Response:
    """A page of a list as JSON."""
    body = orjson.dumps({"items": items, "next_cursor": following})
    headers = _headers(body, len(items), position) | next_page(request, following)
    return Response(body, headers=headers, media_type="application/json")


def csv_export(
    request: Request,
    name: str,
    columns: Sequence[str],
    rows: list[dict[str, Any]],
    following: str | None,
    position: IndexPosition | None,
) -> Response:
    """A page of a list as a CSV file called ``name``."""
    body = csv_text(columns, rows)
    headers = _headers(body, len(rows), position) | next_page(request, following)
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(body, headers=headers, media_type="text/csv")


def _headers(body: bytes, rows: int, position: IndexPosition | None) -> dict[str, str]:
    headers = {"X-Row-Count": str(rows), "X-Content-SHA256": sha256(body).hexdigest()}
    if position is not None:
        headers["X-Block-Number"] = str(position.block.number)
        headers["X-Block-Hash"] = to_hex(position.block.hash)
    return headers
