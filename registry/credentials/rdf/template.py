"""The RDF of a shape, made once, and filled with the texts of each further document. Pure.

A template holds the quads of one document of the shape, with slots in place of terms that are a leaf's whole
text: as a literal's lexical form, or as an absolute IRI. Filling makes pyoxigraph terms of the other
document's leaves, never text. It is right because expansion treats those texts as opaque, and it is refused
(`NotFillableError`) for any text that expansion could look into: an IRI that a context defines as a term,
that begins with a prefix of a context, or that is not absolute. Where the text decides more than a term (a
type, a JSON literal, a name from a vocabulary, a number written as text) the place is no slot: the text is
fixed, and belongs to what a template is looked up by. `compiling` finds out which is which.

Blank nodes get their canonical names (RDFC-1.0, section 4.4) from the quads that mention one; all other quads
are written as they are, so only the former are canonicalised again for each document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyoxigraph import Quad

from registry.credentials.rdf.keywords import is_absolute_iri
from registry.credentials.rdf.terms import QuadRow, Term, canonical_lines, node
from registry.ports.documents import RdfHash

SLOT = "s"
"""A slot is a term ``("s", leaf's number, "i")`` or ``("s", leaf's number, "l", datatype, language)``."""


class NotFillableError(Exception):
    """A text is one that expansion may look into: the document must go the full way."""


@dataclass(frozen=True, slots=True)
class _Filled:
    """The last document that was filled in; most texts of the next one are the same."""

    leaves: tuple[str, ...]
    nodes: tuple[Any, ...]
    ground: tuple[str, ...]
    blank: tuple[Quad, ...]
    blank_lines: tuple[str, ...]
    rdf_hash: RdfHash


@dataclass(frozen=True, slots=True)
class _Slot:
    leaf: int
    term: Term

    def node(self, text: str, terms: frozenset[str]) -> Any:
        """The term for ``text``. Raises NotFillableError, and ValueError as `terms.node`."""
        if self.term[2] == "l":
            return node(("l", text, self.term[3], self.term[4]))
        scheme, _, rest = text.partition(":")
        if text in terms or (scheme in terms and not rest.startswith("//")) or not is_absolute_iri(text):
            raise NotFillableError
        return node(("i", text))


class Template:
    """A shape's quads with slots. Safe from several threads."""

    def __init__(self, rows: Sequence[QuadRow], terms: frozenset[str]) -> None:
        """Prepare a template.

        Args:
            rows: quads whose terms may be slots.
            terms: every term that some context defines.

        Raises:
            ValueError: a row is none.
        """
        self._terms = terms
        self._slots = list(dict.fromkeys(_slots(rows)))
        numbers = {(slot.leaf, tuple(slot.term)): number for number, slot in enumerate(self._slots)}
        self._ground: list[tuple[Any, ...]] = []
        self._blank: list[tuple[Any, ...]] = []
        for row in rows:
            parts = tuple(_part(term, numbers) for term in row)
            (self._blank if _mentions_blank(row) else self._ground).append(parts)
        self._ground_of = _users(self._ground, len(self._slots))
        self._blank_of = _users(self._blank, len(self._slots))
        self._last: _Filled | None = None
        self.size_bytes = sum(len(str(term)) + 100 for row in rows for term in row)
        self.quad_count = len(rows)

    def n_quads(self, leaves: tuple[str, ...], rdf_hash: RdfHash) -> bytes:
        """The canonical N-Quads of the document with these leaves.

        Raises:
            NotFillableError: the full way must be taken.
        """
        last = self._last
        try:
            filled = self._refill(last, leaves, rdf_hash) if last else self._fill(leaves, rdf_hash)
        except ValueError as error:
            raise NotFillableError from error
        self._last = filled
        return "".join(sorted({*filled.ground, *filled.blank_lines})).encode()

    def _fill(self, leaves: tuple[str, ...], rdf_hash: RdfHash) -> _Filled:
        nodes = tuple(slot.node(leaves[slot.leaf], self._terms) for slot in self._slots)
        ground = tuple(_line(_built(parts, nodes)) for parts in self._ground)
        blank = tuple(_built(parts, nodes) for parts in self._blank)
        return _Filled(leaves, nodes, ground, blank, canonical_lines(blank, rdf_hash), rdf_hash)

    def _refill(self, last: _Filled, leaves: tuple[str, ...], rdf_hash: RdfHash) -> _Filled:
        nodes = list(last.nodes)
        ground_changed: set[int] = set()
        blank_changed: set[int] = set()
        old = last.leaves
        for number, slot in enumerate(self._slots):
            text = leaves[slot.leaf]
            if text != old[slot.leaf]:
                nodes[number] = slot.node(text, self._terms)
                ground_changed.update(self._ground_of[number])
                blank_changed.update(self._blank_of[number])
        ground = list(last.ground)
        for place in ground_changed:
            ground[place] = _line(_built(self._ground[place], nodes))
        blank, blank_lines = last.blank, last.blank_lines
        if blank_changed or rdf_hash is not last.rdf_hash:
            renewed = list(blank)
            for place in blank_changed:
                renewed[place] = _built(self._blank[place], nodes)
            blank = tuple(renewed)
            blank_lines = canonical_lines(blank, rdf_hash)
        return _Filled(leaves, tuple(nodes), tuple(ground), blank, blank_lines, rdf_hash)


def _slots(rows: Sequence[QuadRow]) -> list[_Slot]:
    return [
        _Slot(int(term[1]), tuple(term))
        for row in rows
        for term in row
        if term is not None and term[0] == SLOT
    ]


def _mentions_blank(row: QuadRow) -> bool:
    return any(term is not None and term[0] == "b" for term in row)


def _part(term: Term | None, numbers: dict[tuple[int, tuple[str, ...]], int]) -> Any:
    """A term that stays, a slot's number, or None."""
    if term is None:
        return None
    if term[0] == SLOT:
        return numbers[int(term[1]), tuple(term)]
    return node(term)


def _users(quads: list[tuple[Any, ...]], slot_count: int) -> list[list[int]]:
    """For each slot the places of the quads that have it."""
    users: list[list[int]] = [[] for _ in range(slot_count)]
    for place, parts in enumerate(quads):
        for part in parts:
            if type(part) is int:
                users[part].append(place)
    return users


def _built(parts: tuple[Any, ...], nodes: Sequence[Any]) -> Quad:
    subject, predicate, target, graph = parts
    return Quad(
        nodes[subject] if type(subject) is int else subject,
        predicate,
        nodes[target] if type(target) is int else target,
        nodes[graph] if type(graph) is int else graph,
    )


def _line(built: Quad) -> str:
    return f"{built} .\n"
