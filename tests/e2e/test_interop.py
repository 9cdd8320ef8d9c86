"""Verifiers that others wrote judge what this server issues: what `scripts/interop` must have shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE, BLOCKCERTS = "verifier-core", "cert-verifier-js"

pytestmark = [pytest.mark.slow, pytest.mark.node]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One run, as JSON."""
    done = subprocess.run(
        [ROOT / "scripts" / "interop", "--json"],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        env={**os.environ, "VIRTUAL_ENV": sys.prefix},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if told["surprises"] else 0), done.stderr
    return told


def accepted_by(report: dict[str, Any], name: str) -> set[str]:
    """The judges that accept a document."""
    (case,) = (case for case in report["cases"] if case["name"] == name)
    return {judge for judge in (CORE, BLOCKCERTS) if case[judge]["accepted"]}


def test_judges_make_of_each_document_what_is_expected_of_them(report: dict[str, Any]) -> None:
    assert report["surprises"] == []
    assert len(report["cases"]) >= 19


def test_one_and_the_same_file_is_accepted_by_both_verifiers(report: dict[str, Any]) -> None:
    assert accepted_by(report, "without status") == {CORE, BLOCKCERTS}


def test_that_file_is_refused_by_blockcerts_verifier_once_revoked(report: dict[str, Any]) -> None:
    assert BLOCKCERTS not in accepted_by(report, "without status, revoked")


def test_file_with_status_is_accepted_by_verifier_core_and_refused_once_revoked(
    report: dict[str, Any],
) -> None:
    assert CORE in accepted_by(report, "with status")
    assert CORE not in accepted_by(report, "with status, revoked")
    assert CORE not in accepted_by(report, "with status, suspended")


def test_changed_subject_is_refused_by_both(report: dict[str, Any]) -> None:
    assert accepted_by(report, "subject changed") == set()


@pytest.mark.parametrize(
    "name",
    [
        "root of another batch",
        "anchor of another batch",
        "root sent by a stranger",
        "root inside other call data",
        "anchored by a disowned key",
    ],
)
def test_anchor_that_is_none_is_refused_by_blockcerts_verifier(report: dict[str, Any], name: str) -> None:
    assert BLOCKCERTS not in accepted_by(report, name)


def test_blind_spots_of_each_verifier_are_named(report: dict[str, Any]) -> None:
    for judge in (CORE, BLOCKCERTS):
        assert any(line.startswith("without anchor proof") for line in report["blind_spots"][judge])
