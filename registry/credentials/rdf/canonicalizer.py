"""The canonicaliser that the rest of Rootmark uses: `registry.ports.documents.Canonicalizer`.

A document of a shape that is known, and whose blank nodes are quick to name whatever the texts are, is done
here, by filling a template. Every other one goes to a worker process, which sends the template back. So
nothing whose cost is not known ever runs in this process.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from types import TracebackType

from registry.credentials.rdf.context_store import ContextStore
from registry.credentials.rdf.pool import MEMORY_BYTES, SECONDS_PER_DOCUMENT, WORKERS, WorkerPool
from registry.credentials.rdf.shape import Shape, ShapeReader
from registry.credentials.rdf.template import NotFillableError
from registry.credentials.rdf.template_cache import TemplateCache
from registry.encoding import Digest, JsonValue
from registry.errors import (
    DefectError,
    Fault,
    RootmarkError,
    TooComplexError,
    UnavailableError,
    UndefinedTermError,
    UnknownContextError,
    ValidationError,
)
from registry.ports.documents import Canonicalizer, RdfHash

COMPILE_SECONDS = 1.0
"""How long making a template may take; the shape is then done the full way for good."""

SAMPLE_EVERY = 1_000
"""In a batch of this many or more, one in so many filled documents also goes the full way, and must agree."""

_ERRORS = {
    each.__name__: each
    for each in (UnknownContextError, UndefinedTermError, TooComplexError, ValidationError)
}


class RdfCanonicalizer:
    """Canonical N-Quads of JSON-LD documents. Safe from several threads; a context manager, or `close` it."""

    def __init__(
        self,
        store: ContextStore,
        *,
        workers: int = WORKERS,
        seconds: float = SECONDS_PER_DOCUMENT,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        """Prepare; the first document that needs one starts a worker.

        Args:
            workers: how many processes at most.
            seconds, memory_bytes: what one document may cost in a worker.
        """
        self._reader = ShapeReader(store)
        self._terms = store.vocabulary.terms
        self._cache = TemplateCache()
        self._pool = WorkerPool(
            store.operator_texts(), workers=workers, seconds=seconds, memory_bytes=memory_bytes
        )

    def __enter__(self) -> RdfCanonicalizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start a worker now, which takes about a second, rather than with the first document.

        Raises:
            DefectError: it does not start.
        """
        self._pool.start()

    def close(self) -> None:
        """End the worker processes; nothing can be canonicalised afterwards but known shapes."""
        self._pool.close()

    def n_quads(self, document: Mapping[str, JsonValue], rdf_hash: RdfHash = RdfHash.SHA256) -> bytes:
        return self._n_quads(document, self._reader.read(document), rdf_hash, expect_more=False)

    def n_quads_of_many(
        self, documents: Sequence[Mapping[str, JsonValue]], rdf_hash: RdfHash = RdfHash.SHA256
    ) -> list[bytes]:
        sampled = secrets.randbelow(SAMPLE_EVERY) if len(documents) >= SAMPLE_EVERY else -1
        shapes = self._reader.read_many(documents)
        results: list[bytes] = []
        for position, document in enumerate(documents):
            try:
                shape = next(shapes)
                results.append(self._n_quads(document, shape, rdf_hash, expect_more=len(documents) > 1))
                if sampled >= 0 and position % SAMPLE_EVERY == sampled:
                    self._check(document, results[-1], rdf_hash)
            except RootmarkError as error:
                raise _at(error, position) from error
        return results

    def _n_quads(
        self, document: Mapping[str, JsonValue], shape: Shape, rdf_hash: RdfHash, *, expect_more: bool
    ) -> bytes:
        known = self._cache.find(shape)
        if known is not None and known.template is not None and known.cheap:
            try:
                return known.template.n_quads(shape.leaves, rdf_hash)
            except NotFillableError:
                pass
        n_quads = self._full_way(document, rdf_hash)
        if known is None and self._cache.worth_compiling(shape, expect_more=expect_more):
            self._compile(document, shape, n_quads, rdf_hash)
        return n_quads

    def _full_way(self, document: Mapping[str, JsonValue], rdf_hash: RdfHash) -> bytes:
        answer = self._pool.ask({"document": dict(document), "hash": rdf_hash.value})
        if "error" in answer:
            name, message, faults = answer["error"]
            kind = _ERRORS.get(name, DefectError)
            raise kind(message, faults=[Fault(code, detail, pointer) for code, detail, pointer in faults])
        return str(answer["n_quads"]).encode()

    def _compile(
        self, document: Mapping[str, JsonValue], shape: Shape, n_quads: bytes, rdf_hash: RdfHash
    ) -> None:
        request = {
            "document": dict(document),
            "hash": rdf_hash.value,
            "n_quads": n_quads.decode(),
            "forced": list(self._cache.fixed(shape)),
        }
        try:
            answer = self._pool.ask(request, COMPILE_SECONDS)
        except TooComplexError:
            answer = {}
        except UnavailableError:
            return
        self._cache.keep(shape, answer.get("template"), self._terms)

    def _check(self, document: Mapping[str, JsonValue], n_quads: bytes, rdf_hash: RdfHash) -> None:
        if self._full_way(document, rdf_hash) != n_quads:
            self._cache.clear()
            raise DefectError("a document's canonical form differs from the one that its shape gives")


def _at(error: RootmarkError, position: int) -> RootmarkError:
    """``error`` of one document as that of a batch."""
    if not isinstance(error, ValidationError):
        return error
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
