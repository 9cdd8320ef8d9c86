"""Work in a child process ends at its limits, and sees and changes nothing of its parent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.errors import UnavailableError
from registry.limited import answer_of

WORK = Path(__file__).parents[1] / "support" / "limited_work.py"


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child looks where this process would."""
    monkeypatch.syspath_prepend(str(WORK.parent))


def done(data: bytes) -> bytes | None:
    return answer_of(WORK.stem, data, seconds=1, memory_bytes=1 << 29)


def test_too_much_time_or_memory_gives_nothing() -> None:
    assert done(b"spin") is None
    assert done(b"fill") is None


def test_nothing_is_written_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "written"
    assert b"File too large" in (done(b"write " + bytes(file)) or b"")
    assert file.read_bytes() == b""


def test_settings_and_secrets_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOTMARK_SIGNER_PASSWORD", "secret")
    found = json.loads(done(b"environment") or b"")
    assert not [name for name in found if name.startswith("ROOTMARK")]
    assert "secret" not in found.values()


@pytest.mark.parametrize("module", ["no_such_module", "json"])
def test_child_that_does_not_start_is_no_answer(module: str) -> None:
    with pytest.raises(UnavailableError, match="does not start"):
        answer_of(module, b"abc", seconds=1, memory_bytes=1 << 29)


def test_child_that_gets_no_processor_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.limited._START_SECONDS", -0.9)
    with pytest.raises(UnavailableError, match="kept waiting"):
        done(b"spin")


def test_failing_work_is_no_answer() -> None:
    with pytest.raises(UnavailableError, match="limited_work"):
        done(b"fail")


def test_answer_comes_back_whole() -> None:
    assert done(b"abc") == b"cba"
    assert done(b"x" * 5_000_000) == b"x" * 5_000_000
