"""Findings and examinations are read, never taken for a yes or no."""

from __future__ import annotations

import pytest

from registry.credentials.findings import Examination, Finding
from registry.verdict.report import CheckName, CheckResult, Outcome


def test_finding_and_examination_have_no_truth_value() -> None:
    finding = Finding(CheckName.SIGNATURE, CheckResult.PASS, "it fits")
    for value in (finding, Examination("none", (finding,))):
        with pytest.raises(TypeError):
            bool(value)


@pytest.mark.parametrize(
    ("result", "forces", "outcome"),
    [
        (CheckResult.FAIL, None, Outcome.INVALID),
        (CheckResult.UNKNOWN, None, Outcome.INDETERMINATE),
        (CheckResult.FAIL, Outcome.REVOKED, Outcome.REVOKED),
        (CheckResult.SKIPPED, None, Outcome.VALID),
        (CheckResult.PASS, None, Outcome.VALID),
    ],
)
def test_outcome_follows_from_the_result(
    result: CheckResult, forces: Outcome | None, outcome: Outcome
) -> None:
    assert Finding(CheckName.STATUS, result, "", forces).outcome is outcome
