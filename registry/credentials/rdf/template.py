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

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyoxigraph import Quad

from registry.credentials.rdf.keywords import is_absolute_iri
from registry.credentials.rdf.naming import Pattern, first_degree_hash, names
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
        texts: how N-Quads write each slot's term.
        ground: the lines of the quads that have slots and no blank nodes.
        labelled: the lines of the quads with blank nodes, under the template's own names for these.
        hashes: each blank node's first degree hash.
        blank: the lines of the quads with blank nodes, under their canonical names.
    """

    leaves: tuple[str, ...]
    texts: tuple[str, ...]
    ground: tuple[str, ...]
    labelled: tuple[str, ...]
    hashes: tuple[str, ...]
    blank: tuple[str, ...]
    rdf_hash: RdfHash


@dataclass(frozen=True, slots=True)
class _Slot:
    leaf: int
    term: tuple[str, ...]

    def node(self, leaves: Sequence[str], terms: frozenset[str]) -> Any:
        """Its term in a document. Raises NotFillableError, and ValueError as `terms.node`."""
        text = leaves[self.leaf]
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
        labels = dict.fromkeys(term[1] for row in rows for term in row if term and term[0] == "b")
        self._labels = [f"_:{label}" for label in labels]
        # What is filled into lines is one sequence: the slots' texts, then the blank nodes' names.
        numbers = {slot.term: number for number, slot in enumerate(self._slots)}
        numbers |= {("b", label): number for number, label in enumerate(labels, len(self._slots))}
        blank = [row for row in rows if _mentions("b", row)]
        ground = [row for row in rows if not _mentions("b", row)]
        self._constant = [_constant(row) for row in ground if not _mentions(SLOT, row)]
        self._ground = _Quads([row for row in ground if _mentions(SLOT, row)], numbers)
        self._blank = _Quads(blank, numbers)
        self._last: _Filled | None = None
        self.size_bytes = sum(len(str(term)) + 150 for row in rows for term in row)

    def n_quads(self, leaves: tuple[str, ...], rdf_hash: RdfHash) -> bytes:
        """The canonical N-Quads of the document with these leaves.

        Raises:
            NotFillableError: the full way must be taken.
        """
        last = self._last
        try:
            if last is None or last.rdf_hash is not rdf_hash:
                filled = self._fill(leaves, rdf_hash)
            else:
                filled = self._refill(last, leaves)
        except ValueError as error:
            raise NotFillableError from error
        self._last = filled
        return "".join(sorted({*self._constant, *filled.ground, *filled.blank})).encode()

    def _fill(self, leaves: tuple[str, ...], rdf_hash: RdfHash) -> _Filled:
        texts = [str(slot.node(leaves, self._terms)) for slot in self._slots]
        labelled = self._blank.lines([*texts, *self._labels])
        hashes = [self._hash(number, texts, labelled, rdf_hash) for number in range(len(self._labels))]
        ground = self._ground.lines(texts)
        blank = self._named(leaves, texts, hashes, rdf_hash)
        return _Filled(leaves, tuple(texts), ground, labelled, tuple(hashes), blank, rdf_hash)

    def _refill(self, last: _Filled, leaves: tuple[str, ...]) -> _Filled:
        """Fill in what differs from ``last``."""
        texts = list(last.texts)
        changed = [
            number for number, slot in enumerate(self._slots) if leaves[slot.leaf] != last.leaves[slot.leaf]
        ]
        for number in changed:
            texts[number] = str(self._slots[number].node(leaves, self._terms))
        ground = self._ground.renewed(last.ground, self._ground.using(changed), texts)
        labelled, hashes, blank = last.labelled, last.hashes, last.blank
        touched = self._blank.using(changed)
        if touched:
            labelled = self._blank.renewed(labelled, touched, [*texts, *self._labels])
            first = len(texts)
            renewed = list(hashes)
            for number in self._blank.numbers(touched):
                if number >= first:
                    renewed[number - first] = self._hash(number - first, texts, labelled, last.rdf_hash)
            hashes = tuple(renewed)
            blank = self._named(leaves, texts, hashes, last.rdf_hash)
        return _Filled(leaves, tuple(texts), ground, labelled, hashes, blank, last.rdf_hash)

    def _hash(self, number: int, texts: Sequence[str], labelled: Sequence[str], rdf_hash: RdfHash) -> str:
        """The first degree hash of blank node ``number``. A quad that is there twice counts once."""
        masked = [*texts, *["_:z"] * len(self._labels)]
        masked[len(texts) + number] = "_:a"
        places = self._blank.places(len(texts) + number)
        quads = {labelled[place]: place for place in places}
        return first_degree_hash([self._blank.line(place, masked) for place in quads.values()], rdf_hash)

    def _named(
        self, leaves: tuple[str, ...], texts: Sequence[str], hashes: Sequence[str], rdf_hash: RdfHash
    ) -> tuple[str, ...]:
        """The lines of the quads with blank nodes."""
        named = names(hashes)
        if named is not None:
            return self._blank.lines([*texts, *named])
        nodes = {slot.term: slot.node(leaves, self._terms) for slot in self._slots}
        return canonical_lines(self._blank.quads(nodes), rdf_hash)


class _Quads:
    """Quads of which terms are filled in, by their numbers in the sequence of texts."""

    def __init__(self, rows: Sequence[QuadRow], numbers: Mapping[tuple[str, ...], int]) -> None:
        self._rows = [[tuple(term) for term in row if term] for row in rows]
        self._patterns = [Pattern([_part(term, numbers) for term in row]) for row in self._rows]
        self._numbers = [{numbers[term] for term in row if term in numbers} for row in self._rows]
        self._places: list[list[int]] = [[] for _ in numbers]
        for place, used in enumerate(self._numbers):
            for number in used:
                self._places[number].append(place)

    def line(self, place: int, texts: Sequence[str]) -> str:
        """The line of the quad at ``place``."""
        return self._patterns[place].line(texts)

    def lines(self, texts: Sequence[str]) -> tuple[str, ...]:
        """The lines of all."""
        return tuple([pattern.line(texts) for pattern in self._patterns])

    def renewed(
        self, lines: tuple[str, ...], places: Collection[int], texts: Sequence[str]
    ) -> tuple[str, ...]:
        """``lines``, those at ``places`` made anew."""
        made = list(lines)
        for place in places:
            made[place] = self._patterns[place].line(texts)
        return tuple(made)

    def places(self, number: int) -> Sequence[int]:
        """The places of the quads that mention a text."""
        return self._places[number]

    def using(self, numbers: Sequence[int]) -> set[int]:
        """The places of the quads that mention one of these texts."""
        return {place for number in numbers for place in self._places[number]}

    def numbers(self, places: Collection[int]) -> set[int]:
        """The numbers of the texts in the quads at these places."""
        return {number for place in places for number in self._numbers[place]}

    def quads(self, nodes: Mapping[tuple[str, ...], Any]) -> list[Quad]:
        """The same for pyoxigraph, with ``nodes`` for the slots."""
        return [Quad(*[nodes[term] if term[0] == SLOT else node(term) for term in row]) for row in self._rows]


def _part(term: tuple[str, ...], numbers: Mapping[tuple[str, ...], int]) -> str | int:
    return numbers[term] if term in numbers else str(node(term))


def _constant(row: QuadRow) -> str:
    return "".join(f"{node(term)} " for term in row if term) + ".\n"


def _slots(rows: Sequence[QuadRow]) -> list[_Slot]:
    return [
        _Slot(int(term[1]), tuple(term))
        for row in rows
        for term in row
        if term is not None and term[0] == SLOT
    ]


def _mentions(kind: str, row: QuadRow) -> bool:
    return any(term is not None and term[0] == kind for term in row)
