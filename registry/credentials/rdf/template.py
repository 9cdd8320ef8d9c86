"""The RDF of a shape, made once, and filled with the texts of each further document. Pure.

A template holds the quads of one document of the shape, with slots in place of terms that are a leaf's whole
text: as a literal's lexical form, or as an absolute IRI. Filling makes pyoxigraph terms of the other
document's leaves, never text. It is right because expansion treats those texts as opaque, and it is refused
(`NotFillableError`) for any text that expansion could look into: an IRI that a context defines as a term,
that begins with a prefix of a context, or that is not absolute. Where the text decides more than a term (a
type, a JSON literal, a name from a vocabulary, a number written as text) the place is no slot: the text is
fixed, and belongs to what a template is looked up by. `compiling` finds out which is which.

Blank nodes get their canonical names (RDFC-1.0, section 4.4) from the quads that mention one; all other quads
are written as they are. Of both, only what differs from the document before is made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyoxigraph import BlankNode, Quad

from registry.credentials.rdf.keywords import is_absolute_iri
from registry.credentials.rdf.naming import Parts, first_degree_hash, line, names
from registry.credentials.rdf.terms import QuadRow, canonical_lines, node
from registry.ports.documents import RdfHash

SLOT = "s"
"""A slot is a term ``("s", leaf's number, "i")`` or ``("s", leaf's number, "l", datatype, language)``."""


class NotFillableError(Exception):
    """A text is one that expansion may look into: the document must go the full way."""


@dataclass(frozen=True, slots=True)
class _Filled:
    """The last document that was filled in; most texts of the next one are the same.

    Attributes:
        nodes, texts: each slot's term, and how N-Quads write it.
        ground: the lines of the quads without blank nodes.
        blank: the other quads.
        hashes: each blank node's first degree hash.
        blank_lines: the lines of ``blank``.
    """

    leaves: tuple[str, ...]
    nodes: tuple[Any, ...]
    texts: tuple[str, ...]
    ground: tuple[str, ...]
    blank: tuple[Parts, ...]
    hashes: tuple[str, ...]
    blank_lines: tuple[str, ...]
    rdf_hash: RdfHash


@dataclass(frozen=True, slots=True)
class _Hole:
    """Where the term of slot number ``slot`` goes."""

    slot: int


@dataclass(frozen=True, slots=True)
class _Slot:
    leaf: int
    term: tuple[str, ...]

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
        self._ground = _Quads([row for row in rows if not _mentions_blank(row)], self._slots)
        self._blank = _Quads([row for row in rows if _mentions_blank(row)], self._slots)
        self._last: _Filled | None = None
        self.size_bytes = sum(len(str(term)) + 150 for row in rows for term in row)

    def n_quads(self, leaves: tuple[str, ...], rdf_hash: RdfHash) -> bytes:
        """The canonical N-Quads of the document with these leaves.

        Raises:
            NotFillableError: the full way must be taken.
        """
        try:
            filled = self._fill(self._last, leaves, rdf_hash)
        except ValueError as error:
            raise NotFillableError from error
        self._last = filled
        return "".join(sorted({*filled.ground, *filled.blank_lines})).encode()

    def _fill(self, last: _Filled | None, leaves: tuple[str, ...], rdf_hash: RdfHash) -> _Filled:
        """Fill in what differs from ``last``, or everything."""
        nodes: list[Any] = list(last.nodes) if last else [None] * len(self._slots)
        texts = list(last.texts) if last else [""] * len(self._slots)
        changed = []
        for number, slot in enumerate(self._slots):
            text = leaves[slot.leaf]
            if last is None or text != last.leaves[slot.leaf]:
                nodes[number] = slot.node(text, self._terms)
                texts[number] = str(nodes[number])
                changed.append(number)
        ground = list(last.ground) if last else [""] * len(self._ground.parts)
        for place in self._ground.using(changed, everything=last is None):
            ground[place] = line(self._ground.filled(place, texts))
        blank: list[Parts] = list(last.blank) if last else [()] * len(self._blank.parts)
        touched = self._blank.using(changed, everything=last is None)
        for place in touched:
            blank[place] = self._blank.filled(place, texts)
        if last is not None and last.rdf_hash is rdf_hash and not touched:
            hashes, blank_lines = last.hashes, last.blank_lines
        else:
            again = last is None or last.rdf_hash is not rdf_hash
            hashes = self._hashes(last, blank, None if again else touched, rdf_hash)
            blank_lines = self._blank_lines(blank, hashes, nodes, rdf_hash)
        return _Filled(
            leaves, tuple(nodes), tuple(texts), tuple(ground), tuple(blank), hashes, blank_lines, rdf_hash
        )

    def _hashes(
        self, last: _Filled | None, blank: list[Parts], touched: set[int] | None, rdf_hash: RdfHash
    ) -> tuple[str, ...]:
        """The first degree hashes; only those of nodes in ``touched`` quads anew, or all for None."""
        places_of = self._blank.places_of_blank
        if last is None or touched is None:
            renewed = set(range(len(places_of)))
            hashes = [""] * len(places_of)
        else:
            renewed = {part for place in touched for part in blank[place] if type(part) is int}
            hashes = list(last.hashes)
        for number in renewed:
            quads = [blank[place] for place in places_of[number]]
            hashes[number] = first_degree_hash(number, quads, rdf_hash)
        return tuple(hashes)

    def _blank_lines(
        self, blank: list[Parts], hashes: tuple[str, ...], nodes: list[Any], rdf_hash: RdfHash
    ) -> tuple[str, ...]:
        named = names(hashes)
        if named is not None:
            return tuple([line(parts, named) for parts in blank])
        quads = [self._blank.quad(place, nodes) for place in range(len(blank))]
        return canonical_lines(quads, rdf_hash)


class _Quads:
    """Quads whose terms are fixed, slots, or blank nodes.

    Attributes:
        parts: for each quad its three or four terms: N-Quads text, a blank node's number, or a slot's hole.
        places_of_blank: for each blank node the places of the quads that mention it.
    """

    def __init__(self, rows: Sequence[QuadRow], slots: Sequence[_Slot]) -> None:
        numbers = {slot.term: number for number, slot in enumerate(slots)}
        self._blank_numbers: dict[str, int] = {}
        self._terms: list[tuple[Any, ...]] = []
        self.parts: list[tuple[str | int | _Hole, ...]] = []
        self.places_of_blank: list[list[int]] = []
        self._places_of_slot: list[list[int]] = [[] for _ in slots]
        for place, row in enumerate(rows):
            terms = [_Hole(numbers[tuple(term)]) if term[0] == SLOT else node(term) for term in row if term]
            self._terms.append(tuple(terms))
            parts = tuple([self._part(term, place) for term in terms])
            self.parts.append(parts)
            for part in parts:
                if isinstance(part, _Hole):
                    self._places_of_slot[part.slot].append(place)

    def _part(self, term: Any, place: int) -> str | int | _Hole:
        if isinstance(term, _Hole):
            return term
        if not isinstance(term, BlankNode):
            return str(term)
        number = self._blank_numbers.setdefault(term.value, len(self._blank_numbers))
        if number == len(self.places_of_blank):
            self.places_of_blank.append([])
        if place not in self.places_of_blank[number]:
            self.places_of_blank[number].append(place)
        return number

    def using(self, slots: Sequence[int], *, everything: bool) -> set[int]:
        """The places of the quads that have one of these slots, or of all."""
        if everything:
            return set(range(len(self.parts)))
        return {place for slot in slots for place in self._places_of_slot[slot]}

    def filled(self, place: int, texts: Sequence[str]) -> Parts:
        """The quad at ``place`` with its slots filled."""
        return tuple([texts[part.slot] if isinstance(part, _Hole) else part for part in self.parts[place]])

    def quad(self, place: int, nodes: Sequence[Any]) -> Quad:
        """The same for pyoxigraph."""
        return Quad(*[nodes[term.slot] if type(term) is _Hole else term for term in self._terms[place]])


def _slots(rows: Sequence[QuadRow]) -> list[_Slot]:
    return [
        _Slot(int(term[1]), tuple(term))
        for row in rows
        for term in row
        if term is not None and term[0] == SLOT
    ]


def _mentions_blank(row: QuadRow) -> bool:
    return any(term is not None and term[0] == "b" for term in row)
