"""What a request itself tells, before anything is looked up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.encoding import Digest, DigestMethod, credential_digest
from registry.errors import MalformedJsonError, ValidationError
from registry.merkle import proof_to_json
from registry.services.claims import VerifyRequest, read_claim
from registry.verdict.evidence import DocumentCheck, Inclusion
from tests.unit.verification.forging import CREDENTIAL, PROOF, proof_of

OTHER = Digest(b"\1" * 32)
OPAQUE = proof_of(method=DigestMethod.OPAQUE)
CHANGED = CREDENTIAL | {"name": "Surgery"}

CASES = {
    "digest": (VerifyRequest(digest=OTHER), DocumentCheck.NOT_SHOWN, OTHER),
    "proof": (VerifyRequest(proof=PROOF), DocumentCheck.NOT_SHOWN, PROOF.digest),
    "digest and its proof": (VerifyRequest(PROOF.digest, None, PROOF), DocumentCheck.NOT_SHOWN, PROOF.digest),
    "digest and another proof": (VerifyRequest(OTHER, None, PROOF), DocumentCheck.MISMATCH, OTHER),
    "credential": (VerifyRequest(credential=CREDENTIAL), DocumentCheck.MATCH, PROOF.digest),
    "credential and its proof": (VerifyRequest(None, CREDENTIAL, PROOF), DocumentCheck.MATCH, PROOF.digest),
    "credential and its digest": (VerifyRequest(PROOF.digest, CREDENTIAL), DocumentCheck.MATCH, PROOF.digest),
    "changed credential": (
        VerifyRequest(None, CHANGED, PROOF),
        DocumentCheck.MISMATCH,
        credential_digest(CHANGED, DigestMethod.JCS_SHA256),
    ),
    "credential, another digest": (VerifyRequest(OTHER, CREDENTIAL), DocumentCheck.MISMATCH, OTHER),
    "credential, opaque proof": (
        VerifyRequest(None, CREDENTIAL, OPAQUE),
        DocumentCheck.UNCHECKABLE,
        OPAQUE.digest,
    ),
    "credential, opaque proof, another digest": (
        VerifyRequest(OTHER, CREDENTIAL, OPAQUE),
        DocumentCheck.MISMATCH,
        OTHER,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_document_digest_and_proof_are_held_against_each_other(name: str) -> None:
    request, document, digest = CASES[name]
    claim = read_claim(request)
    assert (claim.document, claim.digest) == (document, digest)


def test_proof_that_leads_elsewhere_fails_inclusion() -> None:
    claim = read_claim(VerifyRequest(proof=replace(PROOF, index=1)))
    assert (claim.inclusion, claim.is_invalid) == (Inclusion.FAILED, True)
    assert claim.inclusion_detail
    assert read_claim(VerifyRequest(proof=PROOF)).inclusion is Inclusion.PROVED
    assert read_claim(VerifyRequest(digest=OTHER)).inclusion is Inclusion.NOT_CLAIMED


def test_opaque_record_neither_fits_nor_contradicts_a_document() -> None:
    claim = read_claim(VerifyRequest(OTHER, CREDENTIAL))
    assert not claim.is_invalid
    assert claim.document_given([DigestMethod.OPAQUE]) is DocumentCheck.UNCHECKABLE
    assert claim.document_given([DigestMethod.JCS_SHA256]) is DocumentCheck.MISMATCH
    assert claim.document_given([DigestMethod.OPAQUE, DigestMethod.JCS_SHA256]) is DocumentCheck.MISMATCH
    assert claim.document_given([]) is DocumentCheck.MISMATCH


def test_dates_are_taken_from_a_matching_document_only() -> None:
    dated = CREDENTIAL | {"validUntil": "2030-01-01T00:00:00Z"}
    assert read_claim(VerifyRequest(credential=dated)).document_validity.valid_until is not None
    assert not read_claim(VerifyRequest(None, dated, PROOF)).document_validity.given


def test_id_need_not_be_random_beside_a_proof() -> None:
    short = {"id": "1"}
    with pytest.raises(ValidationError):
        read_claim(VerifyRequest(credential=short))
    assert read_claim(VerifyRequest(None, short, proof_of(short))).document is DocumentCheck.MATCH


def test_proof_given_beside_comes_before_the_one_inside() -> None:
    inside = CREDENTIAL | {"proof": proof_to_json(OPAQUE)}
    assert read_claim(VerifyRequest(None, inside, PROOF)).document is DocumentCheck.MATCH
    assert read_claim(VerifyRequest(None, inside)).document is DocumentCheck.UNCHECKABLE
    assert read_claim(VerifyRequest(None, CREDENTIAL | {"proof": {"type": "Other"}})).proof is None


def test_document_without_a_canonical_form_is_refused() -> None:
    with pytest.raises(MalformedJsonError):
        read_claim(VerifyRequest(None, CREDENTIAL | {"n": float("nan")}, PROOF))


def test_registry_in_the_proof_is_a_hint() -> None:
    assert read_claim(VerifyRequest(proof=PROOF)).hint is None
    assert read_claim(VerifyRequest(digest=OTHER)).hint is None
