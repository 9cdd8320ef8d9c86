"""Makes templates: finds out, by trying, which texts of a document RDF takes as they are.

Every free text is replaced by a marker that occurs nowhere else, the document is expanded, and the result is
searched for markers. A text is a slot only where its marker is found, and found nowhere but as the whole of a
literal or of an IRI. Anything else that happens to it (dropped, resolved, looked up, put inside a JSON
literal, read as a number) leaves it fixed. The template is then made with the fixed texts in place, and must
give for the document itself exactly what the full way gave.

How expensive a filled template can be is measured too: its blank nodes are canonicalised without anything
that could tell them apart but how they hang together. Texts only make them easier to tell apart, so no
document that is filled in is much harder than that.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.credentials.rdf.expansion import Expander
from registry.credentials.rdf.keywords import is_absolute_iri
from registry.credentials.rdf.shape import Shape, ShapeReader
from registry.credentials.rdf.template import SLOT, NotFillableError, Template
from registry.credentials.rdf.terms import XSD_DOUBLE, QuadRow, Term, canonical_lines, quad
from registry.encoding import JsonValue
from registry.errors import RootmarkError
from registry.ports.documents import RdfHash

MAX_TEMPLATE_QUADS = 2_000
MAX_CHEAP_BLANK_NODES = 200
CHEAP_SECONDS = 0.002

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Compiled:
    """What `Template` is made of.

    Attributes:
        rows: quads with slots.
        fixed: the numbers of the leaves that are no slots, ascending.
        cheap: whether filled documents may be canonicalised without a guard.
    """

    rows: tuple[QuadRow, ...]
    fixed: tuple[int, ...]
    cheap: bool


class Compiler:
    """Makes templates with an `Expander`; as safe from threads as that."""

    def __init__(self, expander: Expander, reader: ShapeReader, terms: frozenset[str]) -> None:
        self._expander = expander
        self._reader = reader
        self._terms = terms

    def compile(
        self,
        document: Mapping[str, JsonValue],
        n_quads: bytes,
        rdf_hash: RdfHash,
        *,
        forced: Collection[int] = (),
    ) -> Compiled | None:
        """A template for the shape of ``document``, or None where it cannot be relied on.

        Args:
            n_quads: what the full way gave for ``document`` with ``rdf_hash``.
            forced: leaves to take as fixed whatever their markers show.
        """
        shape = self._reader.read(document)
        marks = _Marks(shape)
        tried = [number for number in range(len(shape.leaves)) if number not in set(forced)]
        try:
            loose = self._expander.quads(marks.put(document, tried, self._reader), checked=False)
            free = marks.whole(loose)
            marked = self._expander.quads(marks.put(document, free, self._reader))
        except RootmarkError:
            return None
        if len(marked) > MAX_TEMPLATE_QUADS or marks.whole(marked) != free:
            return None
        rows = tuple(tuple(marks.slot(term) for term in row) for row in marked)
        try:
            if Template(rows, self._terms).n_quads(shape.leaves, rdf_hash) != n_quads:
                return None
        except (NotFillableError, ValueError):
            return None
        fixed = tuple(sorted(set(range(len(shape.leaves))) - free))
        return Compiled(rows, fixed, is_cheap(rows))


def is_cheap(rows: Sequence[QuadRow]) -> bool:
    """Whether the blank nodes of ``rows`` are quick to name whatever else is said of them."""
    linked = []
    names: set[str] = set()
    for row in rows:
        labels = [term[1] for term in row if term is not None and term[0] == "b"]
        names.update(labels)
        if len(labels) > 1:
            linked.append(quad(_stripped(row)))
    if len(names) > MAX_CHEAP_BLANK_NODES:
        return False
    for _ in range(_TRIES):
        started = time.perf_counter()
        canonical_lines(linked, RdfHash.SHA256)
        elapsed = time.perf_counter() - started
        if elapsed < CHEAP_SECONDS or elapsed > 10 * CHEAP_SECONDS:
            return elapsed < CHEAP_SECONDS
    return False


def _stripped(row: QuadRow) -> QuadRow:
    """``row`` with one name for every term that is no blank node, but for the predicate."""
    subject, predicate, target, graph = row
    nothing: Term = ("i", "urn:x")
    return (
        subject if subject and subject[0] == "b" else nothing,
        predicate,
        target if target and target[0] == "b" else nothing,
        graph if graph is None or graph[0] == "b" else nothing,
    )


class _Marks:
    """The markers of one compilation."""

    def __init__(self, shape: Shape) -> None:
        nonce = secrets.token_hex(12)
        self._found = re.compile(nonce + r"[-/](\d+)")
        self._marks = [
            f"x-slot://{nonce}/{number}" if is_absolute_iri(text) else f"slot-{nonce}-{number}"
            for number, text in enumerate(shape.leaves)
        ]
        self._numbers = {mark: number for number, mark in enumerate(self._marks)}

    def put(
        self, document: Mapping[str, JsonValue], numbers: Collection[int], reader: ShapeReader
    ) -> dict[str, JsonValue]:
        """``document`` with markers for these leaves."""
        chosen = set(numbers)

        def replaced(number: int, text: str) -> str:
            return self._marks[number] if number in chosen else text

        return reader.replaced(document, replaced)

    def whole(self, rows: Sequence[QuadRow]) -> set[int]:
        """The leaves whose markers are found as whole terms, and nowhere else."""
        whole: set[int] = set()
        elsewhere: set[int] = set()
        for row in rows:
            for place, term in enumerate(row):
                if term is None:
                    continue
                number = self._numbers.get(term[1]) if self._may_be_slot(place, term) else None
                if number is not None:
                    whole.add(number)
                for text in term[1:] if number is None else term[2:]:
                    elsewhere.update(int(digits) for digits in self._found.findall(text))
        return whole - elsewhere

    @staticmethod
    def _may_be_slot(place: int, term: Term) -> bool:
        # Text typed as a double is rewritten where it reads as a number; a predicate comes from a key.
        return place != 1 and (term[0] == "i" or (term[0] == "l" and term[2] != XSD_DOUBLE))

    def slot(self, term: Term | None) -> Any:
        """``term``, or the slot that it is the marker of."""
        if term is None or term[0] == "b" or term[1] not in self._numbers:
            return term
        number = str(self._numbers[term[1]])
        return (SLOT, number, "i") if term[0] == "i" else (SLOT, number, "l", term[2], term[3])
