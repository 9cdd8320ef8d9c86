"""Canonical N-Quads: the W3C's vectors, the escapes of the canonical form, and published credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import RdfFormat, parse

from registry.credentials.rdf import ContextStore, RdfCanonicalizer, rdf_digest
from registry.credentials.rdf.terms import XSD_STRING, canonical_n_quads, node, quad
from registry.ports.documents import RdfHash
from tests.unit.credentials.rdf.samples import EXAMPLES, VC2, badge, full_way

VECTORS = Path(__file__).parents[3] / "vectors" / "rdf-canon"
INPUTS = sorted(VECTORS.glob("*-in.nq"))

# Data Integrity EdDSA Cryptosuites 1.0, appendix B.1 (w3c/vc-di-eddsa, TestVectors/eddsa-rdfc-2022).
ALUMNI: dict[str, Any] = {
    "@context": [VC2, EXAMPLES],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
ALUMNI_PROOF = {
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-rdfc-2022",
    "created": "2023-02-24T23:36:38Z",
    "verificationMethod": (
        "https://vc.example/issuers/5678#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
    ),
    "proofPurpose": "assertionMethod",
    "@context": [VC2, EXAMPLES],
}
ALUMNI_PROOF_CANONICAL = """\
_:c14n0 <http://purl.org/dc/terms/created> "2023-02-24T23:36:38Z"^^\
<http://www.w3.org/2001/XMLSchema#dateTime> .
_:c14n0 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/security#DataIntegrityProof> .
_:c14n0 <https://w3id.org/security#cryptosuite> "eddsa-rdfc-2022"^^\
<https://w3id.org/security#cryptosuiteString> .
_:c14n0 <https://w3id.org/security#proofPurpose> <https://w3id.org/security#assertionMethod> .
_:c14n0 <https://w3id.org/security#verificationMethod> \
<https://vc.example/issuers/5678#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2> .
"""


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_published_graph_gets_its_published_canonical_form(path: Path) -> None:
    quads = parse(path.read_bytes(), format=RdfFormat.N_QUADS)
    expected = path.with_name(path.name.replace("-in", "-out")).read_bytes()
    assert canonical_n_quads(quads, RdfHash.SHA256) == expected


def test_published_graph_gets_its_published_canonical_form_with_sha384() -> None:
    quads = parse((VECTORS / "test044-in.nq").read_bytes(), format=RdfFormat.N_QUADS)
    expected = (VECTORS / "test075-sha384-out.nq").read_bytes()
    assert canonical_n_quads(quads, RdfHash.SHA384) == expected


def test_worked_example_of_the_eddsa_suites_has_its_published_forms() -> None:
    with RdfCanonicalizer(ContextStore()) as canonicalizer:
        digest = rdf_digest(canonicalizer, {**ALUMNI, "proof": {"type": "DataIntegrityProof"}})
        assert canonicalizer.n_quads(ALUMNI_PROOF).decode() == ALUMNI_PROOF_CANONICAL
    assert digest.hex() == "517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017"


@pytest.mark.parametrize(
    ("character", "written"),
    [
        ("\b", "\\b"),
        ("\t", "\\t"),
        ("\n", "\\n"),
        ("\f", "\\f"),
        ("\r", "\\r"),
        ('"', '\\"'),
        ("\\", "\\\\"),
        ("\x00", "\\u0000"),
        ("\x0b", "\\u000B"),
        ("\x1f", "\\u001F"),
        ("\x7f", "\\u007F"),
        ("'", "'"),
        ("\x80", "\x80"),
        ("\u2028", "\u2028"),
        ("😀", "😀"),
    ],
)
def test_character_is_escaped_only_where_the_canonical_form_says_so(character: str, written: str) -> None:
    row = (
        ("i", "urn:s"),
        ("i", "urn:p"),
        ("l", character, "http://www.w3.org/2001/XMLSchema#string", ""),
        None,
    )
    assert canonical_n_quads([quad(row)], RdfHash.SHA256).decode() == f'<urn:s> <urn:p> "{written}" .\n'


def test_lines_are_sorted_by_code_point_not_by_utf16_unit() -> None:
    n_quads = full_way(badge(name=["\uff5e", "😀"])).decode()
    assert n_quads.index('"\uff5e"') < n_quads.index('"😀"')


def test_no_quads_give_no_bytes() -> None:
    assert canonical_n_quads([], RdfHash.SHA256) == b""


@pytest.mark.parametrize(
    "term",
    [
        ("i", "relative"),
        ("i", "https://x.example/{}"),
        ("l", "x", "", "not a tag"),
        ("l", "\ud800", "urn:d", ""),
        ("l", "\ufffe", "urn:d", ""),
        ("l", "x\uffff", XSD_STRING, "en"),
    ],
)
def test_what_is_no_term_is_refused(term: tuple[str, ...]) -> None:
    with pytest.raises(ValueError):
        node(term)


def test_quad_without_a_subject_is_refused() -> None:
    with pytest.raises(ValueError):
        quad((None, ("i", "urn:p"), ("i", "urn:o"), None))
