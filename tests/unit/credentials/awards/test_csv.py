"""Awards out of CSV: what is wrong is named by line and column, and nothing is guessed or trimmed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from registry.credentials.award_csv import COLUMNS, MAX_ROW_BYTES, awards_of_csv
from registry.credentials.award_values import AwardRequest, BadRow, Recipient, ResultRequest, Row
from registry.credentials.badges import Evidence
from registry.errors import ValidationError

HEAD = ",".join(COLUMNS)
ROW = "e1,Ada,ada@college.example,urn:a,2026-11-23,2027-11-23,https://college.example/1,A,Mastered"


def lines(text: str | bytes) -> list[bytes]:
    raw = text.encode() if isinstance(text, str) else text
    return raw.splitlines(keepends=True)


def rows(text: str | bytes) -> list[Row]:
    return list(awards_of_csv(lines(text)))


def faults(text: str | bytes) -> list[tuple[str, int | None, str]]:
    return [
        (fault.code, fault.line, fault.detail)
        for row in rows(text)
        if isinstance(row, BadRow)
        for fault in row.faults
    ]


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("", "the first line names the columns"),
        ("\n\n", "the first line names the columns"),
        ("recipient_email", "column achievement_id is missing"),
        ("achievement_id", "column recipient_email is missing"),
        ("recipient_email,achievement_id,grade", "column 3 has no name known here"),
        ("recipient_email,achievement_id,", "column 3 has no name known here"),
        ("Recipient_Email,achievement_id", "column 1 has no name known here"),
        (" recipient_email,achievement_id", "column 1 has no name known here"),
        ("recipient_email;achievement_id", "column 1 has no name known here"),
        ("recipient_email,achievement_id,recipient_email", "column recipient_email stands twice"),
        ("\ufeff\ufeffrecipient_email,achievement_id", "column 1 has no name known here"),
    ],
)
def test_header_that_is_none_is_refused(head: str, told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        rows(head + "\n" if head.strip() else head)
    (fault,) = raised.value.faults
    assert told in fault.detail
    assert fault.line == 1
    assert "grade" not in fault.detail


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("recipient_email", "ada", "email"),
        ("recipient_email", " ada@college.example", "email"),
        ("recipient_email", "ada@college", "email"),
        ("recipient_email", "ada@@college.example", "email"),
        ("recipient_email", "ada@-college.example", "email"),
        ("recipient_email", "a" * 250 + "@college.example", "email"),
        ("recipient_email", '"ada <ada@college.example>"', "email"),
        ("recipient_email", "", "missing"),
        ("achievement_id", "", "missing"),
        ("achievement_id", "x" * 201, "length"),
        ("recipient_name", "x" * 201, "length"),
        ("recipient_name", "Ada ", "characters"),
        ("recipient_name", '"Ada\nLovelace"', "characters"),
        ("recipient_name", "Ada\x00", "characters"),
        ("external_id", "x" * 201, "length"),
        ("issued_on", "23.11.2026", "date"),
        ("issued_on", "2026-02-30", "date"),
        ("issued_on", "2026-11-23 ", "date"),
        ("issued_on", "2026-11-23T04:00:00", "date"),
        ("expires_on", "never", "date"),
        ("evidence_url", "college.example/1", "url"),
        ("evidence_url", "javascript:alert(1)", "url"),
        ("evidence_url", "file:///etc/passwd", "url"),
        ("evidence_url", "https://college.example/a b", "url"),
        ("evidence_url", "https://", "url"),
        ("evidence_url", "https://[::1", "url"),
        ("result", "x" * 201, "length"),
        ("level", "x\x7f", "characters"),
    ],
)
def test_bad_cell_is_named_by_line_and_column_and_not_echoed(column: str, cell: str, code: str) -> None:
    cells = dict(zip(COLUMNS, ROW.split(","), strict=True)) | {column: cell}
    ((found, line, detail),) = faults(f"{HEAD}\n{ROW}\n" + ",".join(cells.values()) + "\n")
    assert (found, line) == (code, 3)
    assert detail.startswith(f"column {column}: ")
    assert len(cell) < 3 or cell.strip('"') not in detail


def test_all_bad_cells_of_a_row_are_named() -> None:
    found = faults(f"{HEAD}\ne1,,x,,never,never,x,,\n")
    columns = [detail.split(":")[0] for _, _, detail in found]
    assert columns == [
        "column recipient_email",
        "column achievement_id",
        "column issued_on",
        "column expires_on",
        "column evidence_url",
    ]


@pytest.mark.parametrize(
    ("row", "code", "line"),
    [
        ("a,b\n", "csv-cells", 2),
        (ROW + ",\n", "csv-cells", 2),
        ('"a"b,' + ROW + "\n", "csv", 2),
        ('"a\n' + ROW + "\n", "csv", 3),
        (f"a\rb{ROW}\n", "csv", 2),
    ],
)
def test_row_that_is_no_csv_is_named(row: str, code: str, line: int) -> None:
    raw = [HEAD.encode() + b"\n", *row.encode().split(b"\n")]
    ended = [part if part.endswith(b"\n") else part + b"\n" for part in raw if part]
    found = [fault for one in awards_of_csv(ended) if isinstance(one, BadRow) for fault in one.faults]
    assert [(fault.code, fault.line) for fault in found] == [(code, line)]


def test_text_that_is_not_utf_8_is_named_and_ends_the_rows() -> None:
    raw = f"{HEAD}\n{ROW}\n".encode() + b"e2,\xe9,ada@college.example,urn:a,,,,,\n" + f"{ROW}\n".encode()
    assert faults(raw) == [("encoding", 3, "this is not UTF-8")]
    assert len(rows(raw)) == 2


def test_quotation_mark_that_is_never_closed_does_not_fill_the_memory() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield HEAD.encode() + b"\n"
        yield b'"\n'
        while True:
            read += 1
            yield b"x" * 1000 + b"\n"

    (row,) = awards_of_csv(endless())
    assert isinstance(row, BadRow)
    assert row.faults[0].code == "too-large"
    assert read <= MAX_ROW_BYTES // 1000 + 1


def test_row_is_read_whole() -> None:
    (row,) = rows(f"{HEAD}\r\n{ROW}\r\n")
    assert isinstance(row, AwardRequest)
    assert (row.place.line, row.external_id, row.achievement_id) == (2, "e1", "urn:a")
    assert row.recipient == Recipient(email="ada@college.example", name="Ada")
    assert row.issued_on == datetime(2026, 11, 23, tzinfo=UTC)
    assert row.expires_on == datetime(2027, 11, 23, tzinfo=UTC)
    assert row.evidence == (Evidence("https://college.example/1"),)
    assert row.results == (ResultRequest("A", "Mastered"),)


def test_columns_may_stand_in_any_order_and_most_may_be_missing() -> None:
    (row,) = rows("\ufeffachievement_id,recipient_email\nurn:a,ada@college.example")
    assert isinstance(row, AwardRequest)
    assert (row.external_id, row.issued_on, row.results, row.evidence) == (None, None, (), ())


def test_lines_count_through_blank_ones_and_cells_of_several_lines() -> None:
    text = f'{HEAD}\n\n{ROW}\n"a\nb",x,ada@college.example,urn:a,,,,,\n{ROW}\n'
    assert [row.place.line for row in rows(text)] == [3, 4, 6]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", '=HYPERLINK("x")'])
def test_cell_that_a_spreadsheet_would_run_is_a_value_like_others(name: str) -> None:
    cell = '"' + name.replace('"', '""') + '"'
    (row,) = rows(f"recipient_name,recipient_email,achievement_id\n{cell},ada@college.example,urn:a\n")
    assert isinstance(row, AwardRequest)
    assert row.recipient is not None
    assert row.recipient.name == name


@pytest.mark.parametrize(
    "email", ["a@b.de", "o'neill+x@mail.college.example", "ü@bücher.example", "a.b@xn--bcher-kva.example"]
)
def test_ordinary_addresses_are_taken(email: str) -> None:
    (row,) = rows(f"recipient_email,achievement_id\n{email},urn:a\n")
    assert isinstance(row, AwardRequest)
