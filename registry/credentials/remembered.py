"""The RDF of what one request shows, made once: the proof's check and the registry's digest both need it.

For the length of one request. A document is known again by its members, the very same in memory, so that
nothing is compared; none may change meanwhile. At most `MAX_FORMS` are kept, the first: the document itself
and its proofs' options come before what they refer to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from registry.encoding import JsonValue
from registry.ports.documents import Canonicalizer, RdfHash

MAX_FORMS = 4

_Key = tuple[RdfHash, tuple[tuple[str, int], ...]]


class RememberedForms:
    """A `registry.ports.documents.Canonicalizer` over another one; not for several threads."""

    def __init__(self, canonicalizer: Canonicalizer) -> None:
        self._canonicalizer = canonicalizer
        self._known: dict[_Key, tuple[Sequence[JsonValue], bytes]] = {}

    def n_quads(self, document: Mapping[str, JsonValue], rdf_hash: RdfHash = RdfHash.SHA256) -> bytes:
        """See `Canonicalizer.n_quads`."""
        key = rdf_hash, tuple([(name, id(value)) for name, value in document.items()])
        found = self._known.get(key)
        if found is not None:
            return found[1]
        n_quads = self._canonicalizer.n_quads(document, rdf_hash)
        if len(self._known) < MAX_FORMS:  # with the values: nothing else gets their place in memory
            self._known[key] = list(document.values()), n_quads
        return n_quads

    def n_quads_of_many(
        self, documents: Sequence[Mapping[str, JsonValue]], rdf_hash: RdfHash = RdfHash.SHA256
    ) -> list[bytes]:
        """See `Canonicalizer.n_quads_of_many`; nothing is remembered."""
        return self._canonicalizer.n_quads_of_many(documents, rdf_hash)
