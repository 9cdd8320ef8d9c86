"""Lists as an auditor takes them away: JSON, CSV or Parquet, with the block they are of, their rows and their
digest.

Every answer carries `X-Row-Count`, `X-Content-SHA256` (of the body) and, once something is indexed,
`X-Block-Number` and `X-Block-Hash`. Each page is an export of its own; `Link` leads to the next.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.context import Query, next_page
from api.parquet import PARQUET_TYPE, Table, parquet_bytes
from registry.encoding import to_hex
from registry.errors import UnsupportedMediaTypeError
from registry.model.chain import IndexPosition

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""With the full-width forms, which some spreadsheets read alike."""


class ExportForm(StrEnum):
    """What a list may be had as, by media type."""

    JSON = "application/json"
    CSV = "text/csv"
    PARQUET = PARQUET_TYPE


FILES = (ExportForm.CSV, ExportForm.PARQUET)


def form_wanted(request: Request, *files: ExportForm) -> ExportForm:
    """Which of ``files`` the Accept header names; JSON when it names none of them.

    Raises:
        UnsupportedMediaTypeError: it takes neither them nor JSON.
    """
    accepted = request.headers.get("accept", "*/*")
    for form in files:
        if form.value in accepted:
            return form
    if not any(kind in accepted for kind in ("json", "*/*", "application/*")):
        kinds = " and ".join(form.value for form in (ExportForm.JSON, *files))
        raise UnsupportedMediaTypeError(f"this is served as {kinds}")
    return ExportForm.JSON


def rows_wanted(query: Query, form: ExportForm, file_rows: int) -> int:
    """How many rows a page has: `limit`, else ``file_rows`` for a file."""
    return file_rows if form is not ExportForm.JSON and query.text("limit") is None else query.limit()


def csv_cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def csv_text(columns: Collection[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
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


def file_export(
    request: Request,
    form: ExportForm,
    table: Table,
    rows: list[dict[str, Any]],
    following: str | None,
    position: IndexPosition | None,
) -> Response:
    """A page of a list as a file, CSV or Parquet.

    Raises:
        NotFoundError: Parquet is asked for, and not installed.
    """
    as_parquet = form is ExportForm.PARQUET
    body = parquet_bytes(table, rows, _block(position)) if as_parquet else csv_text(table.columns, rows)
    headers = _headers(body, len(rows), position) | next_page(request, following)
    ending = "parquet" if as_parquet else "csv"
    headers["Content-Disposition"] = f'attachment; filename="{table.name}.{ending}"'
    return Response(body, headers=headers, media_type=form.value)


def _block(position: IndexPosition | None) -> dict[str, str]:
    """Up to which block something is, as far as anything is indexed."""
    if position is None:
        return {}
    return {"Block-Number": str(position.block.number), "Block-Hash": to_hex(position.block.hash)}


def _headers(body: bytes, rows: int, position: IndexPosition | None) -> dict[str, str]:
    headers = {"X-Row-Count": str(rows), "X-Content-SHA256": sha256(body).hexdigest()}
    return headers | {f"X-{name}": value for name, value in _block(position).items()}
