"""RDF terms and quads as plain tuples, and their canonical N-Quads by RDFC-1.0. Pure.

A term is ``("i", iri)``, ``("b", label)`` or ``("l", lexical form, datatype, language or "")``; a quad is
four terms, subject, predicate, object and graph name, with None for the default graph. Tuples go through JSON
unchanged but for being lists. pyoxigraph checks IRIs (RFC 3987) and language tags (BCP 47), canonicalises
(RDF Dataset Canonicalization 1.0) and writes canonical N-Quads; the lines are sorted here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    Literal,
    NamedNode,
    Quad,
)

from registry.ports.documents import RdfHash

Term: TypeAlias = Sequence[str]
QuadRow: TypeAlias = Sequence[Term | None]

XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"
XSD_DOUBLE = "http://www.w3.org/2001/XMLSchema#double"
RDF_JSON = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON"
RDF_LANGUAGE_STRING = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"

_ALGORITHMS = {
    RdfHash.SHA256: CanonicalizationAlgorithm.RDFC_1_0,
    RdfHash.SHA384: CanonicalizationAlgorithm.RDFC_1_0_SHA_384,
}


def node(term: Term) -> Any:
    """The pyoxigraph term of ``term``.

    Raises:
        ValueError: not an IRI, not a language tag, or text with a lone surrogate, U+FFFE or U+FFFF. Canonical
            N-Quads escape the latter two, and rdf-canonize, which many verifiers use, does not.
    """
    if term[0] == "i":
        return NamedNode(term[1])
    if term[0] == "b":
        return BlankNode(term[1])
    if "\ufffe" in term[1] or "\uffff" in term[1]:
        raise ValueError("implementations disagree on how to write this text")
    if term[3]:
        return Literal(term[1], language=term[3])
    if term[2] == XSD_STRING:
        return Literal(term[1])
    return Literal(term[1], datatype=NamedNode(term[2]))


def quad(row: QuadRow) -> Quad:
    """The pyoxigraph quad of ``row``. Raises as `node`."""
    subject, predicate, target, graph = row
    if subject is None or predicate is None or target is None:
        raise ValueError("only the graph name of a quad may be absent")
    return Quad(node(subject), node(predicate), node(target), None if graph is None else node(graph))


def canonical_lines(quads: Iterable[Quad], rdf_hash: RdfHash) -> tuple[str, ...]:
    """The lines of the canonical N-Quads of a dataset (RDFC-1.0, sections 4.4 and 5), in no order.

    Takes time exponential in the number of blank nodes that cannot be told apart: see `worker`.
    """
    dataset = Dataset(quads)
    dataset.canonicalize(_ALGORITHMS[rdf_hash])
    return tuple(f"{line}\n" for line in str(dataset).split("\n") if line)


def canonical_n_quads(quads: Iterable[Quad], rdf_hash: RdfHash) -> bytes:
    """Canonical N-Quads, UTF-8, sorted by code point; as expensive as `canonical_lines`."""
    return "".join(sorted(canonical_lines(quads, rdf_hash))).encode()
