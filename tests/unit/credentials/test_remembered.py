"""The RDF of what one request shows is made once, and never taken for another document's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from registry.credentials.remembered import MAX_FORMS, RememberedForms
from registry.errors import UndefinedTermError
from registry.ports.documents import RdfHash


class Counting:
    """Answers with the number of the question, and refuses documents with a `wrong`."""

    def __init__(self) -> None:
        self.asked = 0

    def n_quads(self, document: Mapping[str, Any], rdf_hash: RdfHash = RdfHash.SHA256) -> bytes:
        self.asked += 1
        if "wrong" in document:
            raise UndefinedTermError("a term is not defined")
        return f"{self.asked} {rdf_hash.value}".encode()

    def n_quads_of_many(
        self, documents: Sequence[Mapping[str, Any]], rdf_hash: RdfHash = RdfHash.SHA256
    ) -> list[bytes]:
        return [self.n_quads(document, rdf_hash) for document in documents]


def test_refusal_is_not_remembered() -> None:
    counting = Counting()
    forms = RememberedForms(counting)
    for _ in range(2):
        with pytest.raises(UndefinedTermError):
            forms.n_quads({"wrong": True})
    assert counting.asked == 2


def test_equal_document_with_other_objects_is_another_one() -> None:
    forms = RememberedForms(Counting())
    first = forms.n_quads({"id": "urn:x", "value": [1]})
    assert forms.n_quads({"id": "urn:x", "value": [1.0]}) != first
    assert forms.n_quads({"id": "urn:x", "value": [True]}) != first


def test_members_under_other_names_or_with_another_hash_are_another_document() -> None:
    forms = RememberedForms(Counting())
    shared = ["one"]
    answers = [
        forms.n_quads({"a": shared}),
        forms.n_quads({"b": shared}),
        forms.n_quads({"a": shared, "b": shared}),
        forms.n_quads({"a": shared}, RdfHash.SHA384),
    ]
    assert len(set(answers)) == len(answers)


def test_document_without_its_proof_is_made_once() -> None:
    counting = Counting()
    forms = RememberedForms(counting)
    document = {"id": "urn:x", "subject": {"name": "Ada"}, "proof": {}}
    asked = [{name: value for name, value in document.items() if name != "proof"} for _ in range(3)]
    assert len({forms.n_quads(one) for one in asked}) == 1
    assert counting.asked == 1


def test_no_more_than_the_first_few_are_kept() -> None:
    counting = Counting()
    forms = RememberedForms(counting)
    documents = [{"id": [number]} for number in range(MAX_FORMS + 1)]
    for document in (*documents, *documents):
        forms.n_quads(document)
    assert counting.asked == MAX_FORMS + 2


def test_batches_are_passed_on() -> None:
    assert RememberedForms(Counting()).n_quads_of_many([{}, {}]) == [b"1 sha256", b"2 sha256"]
