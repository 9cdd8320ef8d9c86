"""scripts/interop fails for whatever comes otherwise than expected, and says what it was."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.interoperability.cases import ACCEPTED, Case, blockcerts
from scripts.interoperability.judging import Judge, Judgement
from scripts.interoperability.report import Judged, blind_spots, surprises, to_json, to_text, wrong_refusals

PASSED = Judgement(True, "Verified", ())
REFUSED = Judgement(False, "compareHashes: not the same", ("https://elsewhere.example/context",))


def judged(
    core: Judgement = PASSED,
    other: Judgement = PASSED,
    *,
    wrong: str = "",
    outcome: str = "valid",
    **expected: Any,
) -> Judged:
    case = Case("a badge", {}, wrong, expected.get("refused_for", ACCEPTED), "valid")
    own = {"outcome": outcome, "summary": "in short", "checks": [{"name": "anchor", "detail": "block 12"}]}
    return Judged(case, {Judge.CORE: core, Judge.BLOCKCERTS: other}, own)


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (judged(other=REFUSED), "cert-verifier-js refuses it (compareHashes"),
        (judged(refused_for=blockcerts("compareHashes")), "cert-verifier-js accepts it"),
        (judged(other=REFUSED, refused_for=blockcerts("checkAuthenticity")), "cert-verifier-js refuses it"),
        (judged(outcome="revoked"), "Rootmark says revoked, not valid (in short)"),
    ],
    ids=["refused", "accepted", "refused for another reason", "our own outcome"],
)
def test_what_was_not_expected_fails_the_run(one: Judged, says: str) -> None:
    (line,) = surprises([one])
    assert line.startswith(f"a badge: {says}")
    assert to_text([one]).endswith("FAILED")
    assert line in to_text([one])


def test_what_was_expected_passes() -> None:
    as_expected = [judged(), judged(other=REFUSED, refused_for=blockcerts("compareHashes"))]
    assert surprises(as_expected) == []
    assert to_text(as_expected).endswith("all as expected")


def test_accepting_what_is_wrong_is_a_blind_spot_and_refusing_what_is_good_is_none() -> None:
    blind = judged(wrong="the anchor proof was taken out")
    assert blind_spots([blind], Judge.CORE) == ["a badge: the anchor proof was taken out"]
    assert wrong_refusals([blind], Judge.CORE) == []
    assert blind_spots([judged(REFUSED)], Judge.CORE) == []
    assert wrong_refusals([judged(REFUSED)], Judge.CORE) == [f"a badge: {REFUSED.said}"]


def test_table_marks_both_and_names_what_was_asked_for_in_vain() -> None:
    text = to_text([judged(REFUSED, wrong="the anchor proof was taken out")])
    row = next(line for line in text.splitlines() if line.startswith("a badge"))
    assert row.split() == ["a", "badge", "refuses", "accepts", "!", "valid"]
    assert "https://elsewhere.example/context" in text


def test_json_names_judges_with_the_locked_versions() -> None:
    assert to_json([])["judges"] == {"verifier-core": "1.0.0-beta.11", "cert-verifier-js": "6.35.0"}
