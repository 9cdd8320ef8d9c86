"""Data Integrity proofs before the browser's verifier and the package's: the same outcome and checks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.credentials.suites.parts import STRANGER, badge, chained, signed
from tests.verifier_js.conftest import JavaScript
from tests.verifier_js.test_differential import Ground, compare, ground, results

pytestmark = pytest.mark.node
__all__ = ["ground"]


def with_proofs(document: dict[str, Any], *proofs: dict[str, Any]) -> dict[str, Any]:
    return document | {"proof": list(proofs)}


CHAIN = chained()
FIRST, SECOND = CHAIN["proof"]
SIGNED = signed()
UNKNOWN = SIGNED["proof"] | {"cryptosuite": "bbs-2023"}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (SIGNED, ("valid", "pass")),
        (signed(expires=datetime(2090, 1, 1, tzinfo=UTC)), ("valid", "pass")),
        (signed(expires=datetime(2026, 1, 1, tzinfo=UTC)), ("invalid", "fail")),
        (SIGNED | {"proof": SIGNED["proof"] | {"expires": "some day"}}, ("invalid", "fail")),
        (SIGNED | {"proof": SIGNED["proof"] | {"created": "2026-01-01T00:00:00Z"}}, ("invalid", "fail")),
        (SIGNED | {"@context": [*SIGNED["@context"], "https://evil.example/context"]}, ("invalid", "fail")),
        (SIGNED | {"proof": SIGNED["proof"] | {"@context": SIGNED["@context"][:1]}}, ("invalid", "fail")),
        (signed(purpose="authentication"), ("invalid", "fail")),
        (signed(pair=STRANGER), ("invalid", "fail")),
        (with_proofs(SIGNED, SIGNED["proof"], UNKNOWN), ("valid", "pass")),
        (with_proofs(SIGNED, UNKNOWN), ("indeterminate", "skipped")),
        (badge(), ("indeterminate", "skipped")),  # nothing ties its issuer to the account
        (CHAIN, ("valid", "pass")),
        (with_proofs(CHAIN, FIRST | {"nonce": "n"}, SECOND), ("invalid", "fail")),
        (with_proofs(CHAIN, SECOND), ("invalid", "fail")),
        (with_proofs(CHAIN, FIRST, FIRST, SECOND), ("invalid", "fail")),
        (with_proofs(CHAIN, FIRST, SECOND | {"previousProof": 5}), ("invalid", "fail")),
    ],
)
def test_proofs_are_judged_alike(
    javascript: JavaScript, ground: Ground, document: dict[str, Any], expected: tuple[str, str]
) -> None:
    report = compare(javascript, ground.node.url, ground.anchored(document), ground.issuer)
    assert (report["outcome"], results(report)["signature"]) == expected
