"""Members that are written so that a reader of JSON does not see them."""

from __future__ import annotations

from typing import Any

import pytest

from registry.credentials.rdf import ContextStore
from registry.credentials.rdf.context_store import Vocabulary
from registry.credentials.rdf.disguises import GUARDED, Disguises
from registry.credentials.rdf.shape import MAX_CONTEXTS, ShapeReader
from registry.errors import TooComplexError, ValidationError
from tests.unit.credentials.rdf.samples import OB3, VC2, badge

CREDENTIALS = "https://www.w3.org/2018/credentials#"
STORE = ContextStore()
READER = ShapeReader(STORE)


def disguised(name: str, key: str) -> dict[str, Any]:
    document = badge()
    document[key] = document.pop(name, "https://x.example/1")
    return document


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("validUntil", f"{CREDENTIALS}validUntil"),
        ("validFrom", f"{CREDENTIALS}validFrom"),
        ("issuer", f"{CREDENTIALS}issuer"),
        ("credentialStatus", f"{CREDENTIALS}credentialStatus"),
        ("credentialStatus", "cred:credentialStatus"),
        ("credentialSubject", f"{CREDENTIALS}credentialSubject"),
        ("expirationDate", f"{CREDENTIALS}expirationDate"),
        ("expires", "https://w3id.org/security#expiration"),
        ("expires", "sec:expiration"),
        ("expires", "expiration"),
        ("issuedOn", "https://w3id.org/openbadges#issueDate"),
        ("verification", "obi:verify"),
        ("id", "@id"),
        ("type", "@type"),
    ],
)
def test_document_with_a_member_in_disguise_is_refused(name: str, key: str) -> None:
    with pytest.raises(ValidationError, match="its own name") as caught:
        READER.read(disguised(name, key))
    assert caught.value.faults[0].code == "disguised-member"


def test_member_in_disguise_is_found_in_nested_nodes_too() -> None:
    document = badge(evidence=[{"id": "https://x.example/1", f"{CREDENTIALS}validUntil": "2020"}])
    with pytest.raises(ValidationError) as caught:
        READER.read(document)
    assert caught.value.faults[0].pointer == f"/evidence/0/{CREDENTIALS.replace('/', '~1')}validUntil"


def test_other_iris_and_compact_ones_are_taken_as_keys() -> None:
    READER.read(badge(**{"https://x.example/name": "x", "schema:name": "y", "x:y": "z"}))


def test_disguises_that_an_operators_context_brings_are_refused() -> None:
    meanings = {
        **STORE.vocabulary.meanings,
        "until": frozenset(["end"]),
        "end": frozenset(["c:validUntil"]),
        "c": frozenset([CREDENTIALS]),
        "loop": frozenset(["loop:x"]),
    }
    disguises = Disguises(Vocabulary(frozenset(meanings), {}, meanings))
    assert {"until", "end"} <= disguises.terms
    assert "loop" not in disguises.terms
    assert disguises.is_one("c:issuer")
    assert not disguises.is_one("c:name")


def test_guarded_terms_mean_something_in_the_bundled_contexts() -> None:
    assert STORE.vocabulary.terms >= GUARDED
    assert Disguises(STORE.vocabulary).terms == {"expiration"}


def test_document_with_a_context_a_hundred_times_over_is_too_complex() -> None:
    READER.read(badge(**{"@context": [VC2, OB3] * (MAX_CONTEXTS // 2)}))
    with pytest.raises(TooComplexError, match="contexts"):
        READER.read(badge(**{"@context": [VC2] * (MAX_CONTEXTS + 1)}))
