"""Certificates for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from registry.credentials.certificates.drawing import Certificate

CREDENTIAL = b'{"@context":["https://www.w3.org/ns/credentials/v2"],"id":"urn:uuid:1"}'
PROOF = b'{"type":"RootmarkProof/v1"}'


def certificate(**changes: Any) -> Certificate:
    """A certificate with everything on it."""
    members: dict[str, Any] = {
        "id": "urn:uuid:1",
        "achievement": "Medication Records in Home Care",
        "description": "Keeps medication records in home care. 15 hours, level: intermediate.",
        "criteria": "A written test.",
        "issuer": "Riverside Short Courses",
        "holder": "Ada Lovelace",
        "issued": datetime(2026, 11, 10, tzinfo=UTC),
        "expires": datetime(2029, 11, 10, tzinfo=UTC),
        "credits": "2.5",
        "results": [("Result", "91 %")],
        "address": "https://registry.example/c/abcdefghijklmnopqrstuv",
        "has_page": True,
        "test_chain": True,
        "chain": "eip155:31337:0x5a2a29865a69edcff7e4af6690fa1fbc9c5f416f",
        "anchored": "2026-11-26T16:04:39Z, block 4, 0x" + "7b" * 32,
        "root": "0x" + "cc" * 32,
        "credential": CREDENTIAL,
        "proof": PROOF,
    }
    return Certificate(**members | changes)
