"""What the services need of JSON-LD: the canonical form of a document's RDF dataset.

Whoever implements this is safe against hostile documents: bounded in time, memory and size, and it never
fetches a context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Protocol

from registry.encoding import JsonValue


class RdfHash(Enum):
    """The hash inside RDF dataset canonicalization (RDFC-1.0, section 4.5)."""

    SHA256 = "sha256"
    SHA384 = "sha384"


class Canonicalizer(Protocol):
    """From JSON-LD documents to canonical N-Quads (RDFC-1.0)."""

    def n_quads(self, document: Mapping[str, JsonValue], rdf_hash: RdfHash = RdfHash.SHA256) -> bytes:
        """The canonical N-Quads of the whole document, UTF-8.

        Raises:
            UnknownContextError: a context that is not bundled and not the operator's; it is named.
            UndefinedTermError: a term that no context defines, or a relative IRI: signing would lose it.
            TooComplexError: too many quads or blank nodes, or it takes too long.
            ValidationError: not JSON-LD in another way.
        """
        ...

    def n_quads_of_many(
        self, documents: Sequence[Mapping[str, JsonValue]], rdf_hash: RdfHash = RdfHash.SHA256
    ) -> list[bytes]:
        """The same for many documents of few shapes, in order. Raises as `n_quads`, for the first that
        fails; the fault's pointer begins with its position, ``/17``."""
        ...
