"""Members that a verdict rests on, written so that a reader of JSON does not see them. Pure.

JSON-LD lets the same statement stand under a term, under the IRI that the term stands for, or under a compact
IRI; the RDF, and with it the signature, is the same. Whoever holds a signed credential could thus write its
end, or its status entry, in a way that the JSON's readers pass over. So such a member is taken under its own
name alone. Other IRIs may be keys: nobody reads them here.
"""

from __future__ import annotations

from collections.abc import Iterator

from registry.credentials.rdf.context_store import Vocabulary

GUARDED = frozenset(
    [
        "badge",
        "credentialStatus",
        "credentialSubject",
        "expirationDate",
        "expires",
        "holder",
        "issuanceDate",
        "issuedOn",
        "issuer",
        "validFrom",
        "validUntil",
        "verifiableCredential",
        "verification",
        "verify",
    ]
)
"""Members of credentials, presentations, assertions and proofs by which they are judged."""

_MOST_STEPS = 4


class Disguises:
    """Which keys of a document stand for a guarded member without being its name."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._meanings = vocabulary.meanings
        self._guarded = frozenset(
            iri for term in GUARDED for iri in self._iris(term, _MOST_STEPS) if ":" in iri
        )
        self.terms = frozenset(
            term
            for term in vocabulary.terms - GUARDED
            if not self._guarded.isdisjoint(self._iris(term, _MOST_STEPS))
        )
        """Terms of known contexts that are disguises."""

    def is_one(self, key: str) -> bool:
        """Whether a key that no context defines is one: an IRI, or a compact one."""
        return ":" in key and not self._guarded.isdisjoint(self._expanded(key, _MOST_STEPS))

    def _iris(self, term: str, steps: int) -> Iterator[str]:
        """What a term may stand for in some context."""
        for meaning in self._meanings.get(term, ()):
            yield from self._expanded(meaning, steps)

    def _expanded(self, text: str, steps: int) -> Iterator[str]:
        """The text itself, and what it says when a prefix, or the whole, is a term."""
        yield text
        if steps == 0:
            return
        prefix, colon, rest = text.partition(":")
        if not colon:
            yield from self._iris(text, steps - 1)
        elif not rest.startswith("//"):
            yield from (iri + rest for iri in self._iris(prefix, steps - 1))
