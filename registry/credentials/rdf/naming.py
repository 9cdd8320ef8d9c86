"""Canonical names of blank nodes that differ in what is said of each directly. Pure.

That is the first half of RDFC-1.0 (RDF Dataset Canonicalization, section 4.4.3, steps 3 and 4, with the first
degree hash of section 4.6). It is cheap, and enough for nearly every credential; where two blank nodes have
the same hash, `names` says so, and pyoxigraph does the whole algorithm.

A quad is given as a `Pattern`: its N-Quads line with holes, each for an entry of one sequence of texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from operator import itemgetter

from registry.ports.documents import RdfHash

_HASHES = {RdfHash.SHA256: hashlib.sha256, RdfHash.SHA384: hashlib.sha384}


class Pattern:
    """The N-Quads line of a quad, of which some terms are filled in."""

    __slots__ = ("_format", "_pick")

    def __init__(self, parts: Sequence[str | int]) -> None:
        """``parts`` are the three or four terms: N-Quads text, or the number of a text; at least one of
        these."""
        self._format = "".join([_piece(part) for part in parts]) + ".\n"
        self._pick = itemgetter(*[part for part in parts if not isinstance(part, str)])

    def line(self, texts: Sequence[str]) -> str:
        """The line, with ``texts`` filled in."""
        line: str = self._format % self._pick(texts)
        return line


def _piece(part: str | int) -> str:
    return part.replace("%", "%%") + " " if isinstance(part, str) else "%s "


def first_degree_hash(lines: Iterable[str], rdf_hash: RdfHash) -> str:
    """The hash of a blank node, in hex.

    Args:
        lines: a line for each quad that mentions it, in which it is ``_:a`` and every other blank node
            ``_:z``; the lines of different quads may be equal, and both count.
    """
    return _HASHES[rdf_hash]("".join(sorted(lines)).encode()).hexdigest()


def names(hashes: Sequence[str]) -> list[str] | None:
    """The canonical name of each blank node; None if two hashes are equal, and more must be looked at."""
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    found = [""] * len(hashes)
    for place, number in enumerate(order):
        if place and hashes[number] == hashes[order[place - 1]]:
            return None
        found[number] = f"_:c14n{place}"
    return found
