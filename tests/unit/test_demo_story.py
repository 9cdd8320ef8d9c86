"""The demo over a server that has just started, which has read nothing of its chain yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api import demo_story
from registry.cli.client import ServerProblemError

DID = "did:web:localhost:issuers:0x1"
NAMED = {"events": [{"kind": "ProfileSet", "uri": DID}]}


class Answers:
    """A server that gives each answer once, the last one for ever."""

    def __init__(self, *answers: dict[str, Any] | int) -> None:
        self._answers: Iterator[dict[str, Any] | int] = iter(answers)
        self._last: dict[str, Any] | int = 500

    def get(self, _path: str) -> dict[str, Any]:
        self._last = next(self._answers, self._last)
        if isinstance(self._last, int):
            raise ServerProblemError({"title": "not now", "status": self._last}, self._last)
        return self._last


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_story, "POLL_SECONDS", 0)


def history(*answers: dict[str, Any] | int) -> dict[str, Any]:
    server: Any = Answers(*answers)
    return demo_story._settled_history(server, "0x1", DID)


def test_server_that_has_read_nothing_yet_is_asked_again() -> None:
    assert history(503, 503, {"events": []}, NAMED) == NAMED


def test_any_other_problem_ends_it() -> None:
    with pytest.raises(ServerProblemError, match="not now"):
        history(503, 500)


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_story, "PATIENCE_SECONDS", -1)
    with pytest.raises(ServerProblemError):
        history(503)
    assert history({"events": []}) == {"events": []}
