"""What is asked for while a record is looked into: once each, and not without end."""

from __future__ import annotations

import pytest

from registry.credentials.findings import Examination, Presented
from registry.credentials.nested import (
    MAX_DOCUMENTS,
    RememberedDocuments,
    RememberedExaminations,
    inside_of,
    registry_findings,
)
from registry.errors import ChainUnavailableError, UnavailableSourceError
from registry.services.claims import VerifyRequest
from registry.verdict.report import CheckName, CheckResult, Outcome
from tests.support.anchored import FakeDocuments


class Counting(FakeDocuments):
    def __init__(self, **known: bytes) -> None:
        super().__init__(known)
        self.asked: list[str] = []

    def get(self, url: str) -> bytes:
        self.asked.append(url)
        return super().get(url)


def test_failure_is_remembered_as_a_document_is() -> None:
    source = Counting(good=b"{}")
    documents = RememberedDocuments(source)
    for _ in range(3):
        assert documents.get("good") == b"{}"
        with pytest.raises(UnavailableSourceError):
            documents.get("bad")
    assert source.asked == ["good", "bad"]


def test_one_document_too_many_is_not_asked_for() -> None:
    source = Counting()
    documents = RememberedDocuments(source)
    for number in range(MAX_DOCUMENTS):
        with pytest.raises(UnavailableSourceError, match="supply"):
            documents.get(str(number))
    with pytest.raises(UnavailableSourceError, match="more than"):
        documents.get("another")
    assert len(source.asked) == MAX_DOCUMENTS


def test_each_document_is_examined_once_and_a_token_is_no_document() -> None:
    seen: list[Presented] = []

    def examine(presented: Presented) -> Examination:
        seen.append(presented)
        return Examination("", ())

    examined = RememberedExaminations(examine)
    for _ in range(2):
        examined(Presented(document={"id": "a"}))
        examined(Presented(token="a"))
    assert len(seen) == 2


def test_credential_that_cannot_be_looked_up_leaves_the_record_open() -> None:
    one = Examination("Open Badges 3.0", (), issuer="did:web:x")
    inside = inside_of([one], lambda _: [VerifyRequest()], lambda _: True, lambda _: False)
    answer = ChainUnavailableError("the node does not answer")
    (finding,) = registry_findings(inside, iter([answer]))
    assert (finding.check, finding.result) == (CheckName.ANCHOR, CheckResult.UNKNOWN)
    assert finding.outcome is Outcome.INDETERMINATE


def test_credential_without_issuer_is_by_nobody_who_is_known() -> None:
    inside = inside_of([Examination("", ())], lambda _: [], lambda _: True, lambda _: True)
    (finding,) = registry_findings(inside, iter([]))
    assert (finding.check, finding.result) == (CheckName.ISSUER, CheckResult.UNKNOWN)
