"""Canonicalising and fetching whose time for one request, and for one document in it, is bounded.

A document can hold many proofs and name many lists, each of which is fetched and canonicalised; one that
keeps a worker busy until it is killed, or a host that answers slowly, would do so again for each of them.
Invariants: one document kills at most one worker; nothing more is begun once its time, or that of the whole
request, is used up. Then the answer is `TooComplexError` or `UnavailableSourceError`, and both leave a
verdict open.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from registry.credentials.sources import Documents
from registry.encoding import JsonValue
from registry.errors import Fault, TooComplexError, UnavailableSourceError
from registry.ports.documents import Canonicalizer, RdfHash

SECONDS_OF_A_DOCUMENT = 20.0
SECONDS_OF_A_REQUEST = 60.0
"""Waiting for a worker included."""

SECONDS_OF_FETCHING = 15.0
"""For one document: three that are as slow as a fetch may be."""


class Patience:
    """The time that is left for the documents of a request. Not safe from several threads."""

    def __init__(self, canonicalizer: Canonicalizer) -> None:
        self._canonicalizer = canonicalizer
        self._left = SECONDS_OF_A_REQUEST

    def for_a_document(self) -> Canonicalizer:
        """A canonicaliser for one document, the proofs in it and the lists that it names."""
        return _ForADocument(self)

    def n_quads(self, document: Mapping[str, JsonValue], rdf_hash: RdfHash) -> bytes:
        """As `Canonicalizer.n_quads`; TooComplexError when the time is used up."""
        if self._left <= 0:
            raise _impatient()
        started = time.monotonic()
        try:
            return self._canonicalizer.n_quads(document, rdf_hash)
        finally:
            self._left -= time.monotonic() - started


class _ForADocument:
    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._left = SECONDS_OF_A_DOCUMENT

    def n_quads(self, document: Mapping[str, JsonValue], rdf_hash: RdfHash = RdfHash.SHA256) -> bytes:
        if self._left <= 0:
            raise _impatient()
        started = time.monotonic()
        try:
            return self._patience.n_quads(document, rdf_hash)
        except TooComplexError:
            self._left = 0
            raise
        finally:
            self._left -= time.monotonic() - started

    def n_quads_of_many(
        self, documents: Sequence[Mapping[str, JsonValue]], rdf_hash: RdfHash = RdfHash.SHA256
    ) -> list[bytes]:
        return [self.n_quads(document, rdf_hash) for document in documents]


class TimedDocuments:
    """`registry.credentials.sources.Documents` for one document. Not safe from several threads."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._left = SECONDS_OF_FETCHING

    def get(self, url: str) -> bytes:
        """The other document. Raises `UnavailableSourceError`, also when the time is used up."""
        if self._left <= 0:
            raise UnavailableSourceError("the documents that it names take too long to fetch; supply them")
        started = time.monotonic()
        try:
            return self._documents.get(url)
        finally:
            self._left -= time.monotonic() - started


def _impatient() -> TooComplexError:
    detail = "its documents take longer to be canonicalised than any credential's, or the server is busy"
    return TooComplexError(detail, faults=[Fault("too-complex", detail, "")])
