"""How much canonicalising one document, and one request, may cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from registry.credentials import patience as patience_module
from registry.credentials.patience import Patience, TimedDocuments
from registry.errors import TooComplexError, UnavailableSourceError, UnknownContextError
from registry.ports.documents import RdfHash


class Slow:
    """Takes the seconds that a document says, on a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.asked = 0
        monkeypatch.setattr(patience_module.time, "monotonic", lambda: self.now)

    def n_quads(self, document: Mapping[str, Any], rdf_hash: RdfHash = RdfHash.SHA256) -> bytes:
        self.asked += 1
        self.now += document["seconds"]
        if "error" in document:
            raise document["error"]
        return rdf_hash.value.encode()

    def n_quads_of_many(
        self, documents: Sequence[Mapping[str, Any]], rdf_hash: RdfHash = RdfHash.SHA256
    ) -> list[bytes]:
        raise AssertionError("documents are canonicalised one by one")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(monkeypatch)


def test_document_that_was_too_complex_is_not_tried_again(slow: Slow) -> None:
    patience = Patience(slow)
    document = patience.for_a_document()
    with pytest.raises(TooComplexError, match="poison"):
        document.n_quads({"seconds": 3, "error": TooComplexError("poison")})
    with pytest.raises(TooComplexError, match="longer"):
        document.n_quads({"seconds": 0})
    assert slow.asked == 1
    assert patience.for_a_document().n_quads({"seconds": 0}, RdfHash.SHA384) == b"sha384"


def test_document_whose_parts_take_too_long_together_is_stopped(slow: Slow) -> None:
    document = Patience(slow).for_a_document()
    assert document.n_quads_of_many([{"seconds": 2.9}] * 7) == [b"sha256"] * 7
    with pytest.raises(TooComplexError):
        document.n_quads({"seconds": 0})
    assert slow.asked == 7


def test_request_of_many_slow_documents_is_stopped(slow: Slow) -> None:
    patience = Patience(slow)
    for _ in range(20):
        patience.for_a_document().n_quads({"seconds": 3})
    with pytest.raises(TooComplexError):
        patience.for_a_document().n_quads({"seconds": 0})
    assert slow.asked == 20


def test_other_errors_use_up_nothing_but_their_time(slow: Slow) -> None:
    document = Patience(slow).for_a_document()
    with pytest.raises(UnknownContextError):
        document.n_quads({"seconds": 1, "error": UnknownContextError("none")})
    assert document.n_quads({"seconds": 1}) == b"sha256"


class SlowDocuments:
    """Each takes four seconds; every second one cannot be had."""

    def __init__(self, slow: Slow) -> None:
        self._slow = slow
        self.asked = 0

    def get(self, url: str) -> bytes:
        self.asked += 1
        self._slow.now += 4
        if self.asked % 2 == 0:
            raise UnavailableSourceError(f"supply {url}")
        return b"{}"


def test_documents_that_are_slow_to_fetch_are_not_fetched_for_ever(slow: Slow) -> None:
    source = SlowDocuments(slow)
    documents = TimedDocuments(source)
    for _ in range(2):
        assert documents.get("https://x.example/") == b"{}"
        with pytest.raises(UnavailableSourceError, match="supply https"):
            documents.get("https://x.example/")
    with pytest.raises(UnavailableSourceError, match="too long"):
        documents.get("https://x.example/")
    assert source.asked == 4
