"""Rows as a Parquet file, for those who read exports with a dataframe library.

The library that writes it is large, so it is an extra of the installation (`rootmark[parquet]`) and loaded
only when such a file is asked for.

Source: Apache Parquet format; media type: IANA, application/vnd.apache.parquet.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from typing import Any

from registry.encoding import parse_time
from registry.errors import NotFoundError

PARQUET_TYPE = "application/vnd.apache.parquet"


class Kind(Enum):
    """What a column holds. Times are RFC 3339 in a row."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Table:
    """A list's name and its columns, in order."""

    name: str
    columns: Mapping[str, Kind]


def is_installed() -> bool:
    """Whether this server can write Parquet."""
    return find_spec("pyarrow") is not None


def parquet_bytes(table: Table, rows: Sequence[Mapping[str, Any]], about: Mapping[str, str]) -> bytes:
    """The file, compressed. A row's missing members are null.

    Args:
        about: what stands in the file's metadata, each below `rootmark.`.

    Raises:
        NotFoundError: the library is not installed.
    """
    if not is_installed():
        raise NotFoundError(
            "this server writes no Parquet: its operator can install rootmark[parquet]; ask for CSV or JSON"
        )
    import pyarrow as pa
    from pyarrow import parquet

    types = {
        Kind.TEXT: pa.string(),
        Kind.NUMBER: pa.int64(),
        Kind.FLAG: pa.bool_(),
        Kind.TIME: pa.timestamp("us", tz="UTC"),
    }
    fields = [pa.field(name, types[kind]) for name, kind in table.columns.items()]
    metadata = {f"rootmark.{name.lower()}": value for name, value in about.items()}
    arrays = [
        pa.array([_value(kind, row.get(name)) for row in rows], types[kind])
        for name, kind in table.columns.items()
    ]
    made = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=metadata))
    out = io.BytesIO()
    parquet.write_table(made, out, compression="zstd")
    return out.getvalue()


def _value(kind: Kind, value: Any) -> Any:
    return parse_time(value) if kind is Kind.TIME and value is not None else value
