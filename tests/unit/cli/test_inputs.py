"""What commands read: piece by piece where it may be long, refused with a clear word where it cannot be."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from registry.cli import batches, inputs
from registry.cli.output import CommandError, guarded
from registry.cli.verifying import headline
from registry.errors import MalformedJsonError, TooLargeError, ValidationError


class Recording(io.BytesIO):
    """Remembers the largest piece that was read at once."""

    largest = 0

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        self.largest = max(self.largest, len(piece))
        return piece


class Kept:
    """A server that keeps what it is sent, and how far the input had been read when the first part came."""

    def __init__(self, source: Recording) -> None:
        self.source = source
        self.position_at_first_part = -1
        self.body = b""

    def post_lines(self, path: str, parts: Any, **_: Any) -> dict[str, Any]:
        for part in parts:
            if self.position_at_first_part < 0:
                self.position_at_first_part = self.source.tell()
            self.body += part
        return {"state": "final"}


def test_lines_are_sent_piece_by_piece_and_unchanged() -> None:
    data = b"\n" + b'"0x' + b"5a" * 32 + b'"\n' + b'"0x' + b"5b" * 32 + b'"\r\n' * 20_000
    source = Recording(data)
    kept = Kept(source)
    batches._send(kept, source, "-", None, None, None)  # type: ignore[arg-type]
    assert kept.body == data[1:]
    assert kept.position_at_first_part == 1 + 69
    assert source.largest <= batches.PART_BYTES


@pytest.mark.parametrize("line", [b'"0x12"', b'{"digest": 1}', b'{"credential": {}}'])
def test_first_line_that_is_an_item_means_lines(line: bytes) -> None:
    assert batches._is_item(line)


@pytest.mark.parametrize(
    "line", [b"", b"[", b"[]", b"{", b"{}", b'{"digests": []}', b"1", b"[" * 100_000, b"\xff"]
)
def test_other_first_lines_mean_a_document(line: bytes) -> None:
    assert not batches._is_item(line)


def test_pipe_has_no_size() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as file, os.fdopen(writing, "wb"):
        assert inputs.size_of(file) is None
    assert inputs.size_of(io.BytesIO(b"123")) == 3


def test_file_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_FILE_BYTES", 10)
    (tmp_path / "long").write_bytes(b"x" * 11)
    with pytest.raises(TooLargeError, match="longer than 10"):
        inputs.read_input(str(tmp_path / "long"))


def test_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(MalformedJsonError, match=r"broken\.json: "):
        inputs.read_json_input(str(tmp_path / "broken.json"))


def test_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="cannot be written"):
        inputs.write_output(tmp_path / "missing" / "file", "text")


def test_defect_is_one_line_without_the_values(capsys: pytest.CaptureFixture[str]) -> None:
    @guarded
    def broken() -> None:
        raise KeyError("a secret")

    with pytest.raises(Exception) as ended:
        broken()
    assert ended.value.exit_code == 1  # type: ignore[attr-defined]
    told = capsys.readouterr().err
    assert "rootmark itself failed (KeyError at test_inputs.py:" in told
    assert "secret" not in told


def test_command_ends_with_the_code_of_its_error(capsys: pytest.CaptureFixture[str]) -> None:
    @guarded
    def refused() -> None:
        raise CommandError("no", 5)

    with pytest.raises(Exception) as ended:
        refused()
    assert ended.value.exit_code == 5  # type: ignore[attr-defined]
    assert capsys.readouterr().err == "no\n"


@pytest.mark.parametrize(
    ("outcome", "summary", "said"),
    [
        ("valid", "Valid: it is.", "VALID: it is."),
        ("revoked", "Revoked on Monday.", "REVOKED: Revoked on Monday."),
        ("not_found", "Not found: nothing.", "NOT_FOUND: nothing."),
    ],
)
def test_headline_says_the_outcome_once(outcome: str, summary: str, said: str) -> None:
    assert headline({"outcome": outcome, "summary": summary}) == said
