"""Canonical names of blank nodes that differ in what is said of each directly. Pure.

That is the first half of RDFC-1.0 (RDF Dataset Canonicalization, section 4.4.3, steps 3 and 4, with the first
degree hash of section 4.6). It is cheap, and enough for nearly every credential; where two blank nodes have
the same hash, `names` says so, and pyoxigraph does the whole algorithm.

A quad is given by its parts, three or four: the N-Quads text of a term, or the number of a blank node.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from registry.ports.documents import RdfHash

Parts: TypeAlias = "tuple[str | int, ...]"

_HASHES = {RdfHash.SHA256: hashlib.sha256, RdfHash.SHA384: hashlib.sha384}


def first_degree_hash(number: int, quads: Iterable[Parts], rdf_hash: RdfHash) -> str:
    """The hash of blank node ``number``, in hex, from all quads that mention it."""
    lines = []
    for parts in set(quads):
        masked = [part if type(part) is str else "_:a" if part == number else "_:z" for part in parts]
        lines.append(f"{' '.join(masked)} .\n")
    lines.sort()
    return _HASHES[rdf_hash]("".join(lines).encode()).hexdigest()


def names(hashes: Sequence[str]) -> list[str] | None:
    """The canonical name of each blank node; None if two hashes are equal, and more must be looked at."""
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    found = [""] * len(hashes)
    for place, number in enumerate(order):
        if place and hashes[number] == hashes[order[place - 1]]:
            return None
        found[number] = f"_:c14n{place}"
    return found


def line(parts: Parts, named: Sequence[str] = ()) -> str:
    """The N-Quads line of a quad, its blank nodes having these names."""
    return f"{' '.join([part if type(part) is str else named[int(part)] for part in parts])} .\n"
