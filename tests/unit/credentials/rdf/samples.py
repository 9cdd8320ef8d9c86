"""Documents that the tests of JSON-LD begin from."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import cache
from typing import Any

from registry.credentials.rdf import ContextStore
from registry.credentials.rdf.expansion import Expander
from registry.credentials.rdf.terms import canonical_n_quads, quad
from registry.ports.documents import RdfHash

VC2 = "https://www.w3.org/ns/credentials/v2"
VC1 = "https://www.w3.org/2018/credentials/v1"
OB3 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"


def badge(**members: Any) -> dict[str, Any]:
    """An Open Badges 3.0 credential of some forty quads, with ``members`` replaced or added."""
    document: dict[str, Any] = {
        "@context": [VC2, OB3],
        "id": "urn:uuid:5b0b3a1e-8c7f-4f4b-9a35-2f2f6f0f1a2b",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": "did:web:school.example", "type": ["Profile"], "name": "School"},
        "validFrom": "2026-01-01T00:00:00Z",
        "name": "Badge",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "identityHash": "sha256$00",
                    "identityType": "emailAddress",
                    "hashed": True,
                    "salt": "salt",
                }
            ],
            "achievement": {
                "id": "https://school.example/achievements/1",
                "type": ["Achievement"],
                "name": "Welding",
                "description": "Can weld.",
                "criteria": {"narrative": "Welded."},
                "creditsAvailable": 2.5,
                "tag": ["metal", "fire"],
                "alignment": [
                    {
                        "type": ["Alignment"],
                        "targetName": "Joining",
                        "targetUrl": "https://skills.example/1",
                    }
                ],
            },
            "result": [{"type": ["Result"], "value": "95"}, {"type": ["Result"], "value": "A"}],
        },
        "evidence": [{"id": "https://school.example/evidence/1", "type": ["Evidence"], "name": "Seam"}],
    }
    document.update(members)
    return document


def proof_configuration() -> dict[str, Any]:
    """What eddsa-rdfc-2022 canonicalises beside the document."""
    return {
        "@context": [VC2, OB3],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-01-01T00:00:00Z",
        "verificationMethod": "did:web:school.example#key-1",
        "proofPurpose": "assertionMethod",
    }


def clique(size: int) -> dict[str, Any]:
    """A credential of a few hundred bytes, whose subjects are ``size`` blank nodes, each linked to all."""
    names = [f"_:b{number}" for number in range(size)]
    nodes = [
        {"id": name, "https://x.example/p": [{"@id": other} for other in names if other != name]}
        for name in names
    ]
    return {
        "@context": [VC2, EXAMPLES],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:school.example",
        "credentialSubject": nodes,
    }


@cache
def expander() -> Expander:
    """One for all tests of a process."""
    return Expander(ContextStore())


def full_way(document: dict[str, Any], rdf_hash: RdfHash = RdfHash.SHA256) -> bytes:
    """The canonical form, in this process and without templates."""
    return canonical_n_quads(map(quad, expander().quads(document)), rdf_hash)


def changed(document: dict[str, Any], path: Iterable[str | int], value: Any) -> dict[str, Any]:
    """A copy of ``document`` with ``value`` at ``path``."""
    renewed = copy.deepcopy(document)
    *above, last = path
    place: Any = renewed
    for name in above:
        place = place[name]
    place[last] = value
    return renewed
