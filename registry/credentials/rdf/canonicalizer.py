"""The canonicaliser that the rest of Rootmark uses: `registry.ports.documents.Canonicalizer`."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence

from registry.credentials.rdf.context_store import ContextStore
from registry.credentials.rdf.expansion import Expander
from registry.credentials.rdf.shape import ShapeReader
from registry.credentials.rdf.terms import canonical_n_quads, quad
from registry.encoding import Digest, JsonValue
from registry.errors import Fault, RootmarkError, ValidationError
from registry.ports.documents import Canonicalizer, RdfHash


class RdfCanonicalizer:
    """Canonical N-Quads of JSON-LD documents. Safe from several threads; `close` it in the end."""

    def __init__(self, store: ContextStore) -> None:
        self._reader = ShapeReader(store)
        self._expander = Expander(store)
        self._lock = threading.Lock()

    def n_quads(self, document: Mapping[str, JsonValue], rdf_hash: RdfHash = RdfHash.SHA256) -> bytes:
        self._reader.read(document)
        with self._lock:
            rows = self._expander.quads(document)
        try:
            return canonical_n_quads(map(quad, rows), rdf_hash)
        except ValueError as error:
            detail = "the document has an IRI or a language tag that is not one"
            raise ValidationError(detail, faults=[Fault("invalid-term", detail, "")]) from error

    def n_quads_of_many(
        self, documents: Sequence[Mapping[str, JsonValue]], rdf_hash: RdfHash = RdfHash.SHA256
    ) -> list[bytes]:
        results = []
        for position, document in enumerate(documents):
            try:
                results.append(self.n_quads(document, rdf_hash))
            except RootmarkError as error:
                raise _at(error, position) from error
        return results

    def close(self) -> None:
        """Give back what the canonicaliser holds; it cannot be used afterwards."""


def _at(error: RootmarkError, position: int) -> RootmarkError:
    faults = [
        Fault(fault.code, fault.detail, f"/{position}{fault.pointer or ''}", fault.line)
        for fault in error.faults
    ]
    return type(error)(str(error), faults=faults or [Fault("invalid-document", str(error), f"/{position}")])


def rdf_digest(canonicalizer: Canonicalizer, document: Mapping[str, JsonValue]) -> Digest:
    """The digest of method rdfc-sha256: SHA-256 of the canonical N-Quads of ``document`` without its
    top-level ``proof``. Raises as `Canonicalizer.n_quads`."""
    plain = {name: value for name, value in document.items() if name != "proof"}
    return Digest(hashlib.sha256(canonicalizer.n_quads(plain)).digest())
