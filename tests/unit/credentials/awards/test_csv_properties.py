"""Whatever bytes a file holds, it is read to rows or refused, and what was written is what is read."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from registry.credentials.award_csv import COLUMNS, awards_of_csv
from registry.credentials.award_values import AwardRequest, BadRow, Place
from registry.errors import ValidationError

HEAD = (",".join(COLUMNS) + "\r\n").encode()
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=50).filter(
    lambda text: text == text.strip()
)


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_rows_or_refused(text: bytes, headed: bool) -> None:
    lines = ((HEAD if headed else b"") + text).splitlines(keepends=True)
    try:
        rows = list(awards_of_csv(lines))
    except ValidationError:
        return
    for row in rows:
        assert isinstance(row, AwardRequest | BadRow)
        assert isinstance(row.place, Place)
        if isinstance(row, BadRow):
            assert row.faults
            assert all(fault.line is not None and fault.line >= 1 for fault in row.faults)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=10))
def test_what_a_csv_writer_wrote_is_read_as_it_was(cells: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["recipient_name", "external_id", "recipient_email", "achievement_id"])
    writer.writerows([name, id_, "ada@college.example", "urn:a"] for name, id_ in cells)
    read = list(awards_of_csv(out.getvalue().encode().splitlines(keepends=True)))
    assert [
        (row.recipient.name, row.external_id)
        for row in read
        if isinstance(row, AwardRequest) and row.recipient is not None
    ] == cells
