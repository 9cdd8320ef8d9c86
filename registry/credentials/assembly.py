"""Which formats are known here, put together once for the server and the command line alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from registry.credentials.findings import Examiner
from registry.credentials.formats.blockcerts import Blockcerts
from registry.credentials.formats.blockcerts_2 import Blockcerts2
from registry.credentials.formats.jwt_credentials import VcJoseCredentials, VcJwtCredentials
from registry.credentials.formats.open_attestation import OpenAttestationExaminer
from registry.credentials.formats.open_badges_2 import OpenBadges2
from registry.credentials.formats.sd_jwt_credentials import SdJwtCredentials
from registry.credentials.formats.verifiable_credentials import VerifiableCredentials
from registry.credentials.merkle_proof_2019 import (
    decode_proof_value,
    inclusion_proof_of,
    is_merkle_proof_2019,
)
from registry.credentials.own_documents import MAX_DOCUMENT_BYTES, shown_url
from registry.credentials.sources import Documents, Ledgers
from registry.credentials.status.checking import check_status
from registry.credentials.suites.proofs import proofs_of
from registry.credentials.verification import Examining
from registry.encoding import Address, JsonValue
from registry.errors import UnavailableSourceError, ValidationError
from registry.merkle import InclusionProof
from registry.ports.documents import Canonicalizer
from registry.ports.ledgers import LedgerTransaction

EXAMINERS: tuple[Examiner, ...] = (
    Blockcerts(),
    OpenAttestationExaminer(),
    VerifiableCredentials(),
    VcJoseCredentials(),
    SdJwtCredentials(),
    Blockcerts2(),
    OpenBadges2(),
    VcJwtCredentials(),
)
"""The first that recognises a document examines it: the narrower formats come before the wider ones."""


def examining(
    canonicalizer: Canonicalizer,
    documents: Callable[[Mapping[str, bytes]], Documents],
    ledgers: Ledgers,
) -> Examining:
    """Everything that knows formats, over what it may ask for.

    Args:
        documents: from what a caller supplied to the source that answers from it first.
    """
    return Examining(EXAMINERS, canonicalizer, documents, ledgers, check_status, registry_proof_in)


def registry_proof_in(credential: Mapping[str, JsonValue]) -> InclusionProof | None:
    """The place in a registry that a credential's own merkle-proof-2019 leads to; None for a credential
    without, and for one of another system, whose examiner says what is wrong with it."""
    try:
        for proof in proofs_of(credential):
            if is_merkle_proof_2019(proof):
                found = inclusion_proof_of(decode_proof_value(proof.get("proofValue")))
                if found is not None:
                    return found
    except ValidationError:
        return None
    return None


class NoLedgers:
    """For a verifier that reads no chain of its own choice."""

    def transaction(self, chain_id: int, transaction: bytes) -> LedgerTransaction | None:
        """Raises `UnavailableSourceError`."""
        del transaction
        raise _not_configured(chain_id)

    def call(self, chain_id: int, to: Address, data: bytes) -> bytes:
        """Raises `UnavailableSourceError`."""
        del to, data
        raise _not_configured(chain_id)


def _not_configured(chain_id: int) -> UnavailableSourceError:
    return UnavailableSourceError(f"configure a node of eip155:{chain_id} to look there")


class SuppliedOnly:
    """Documents that the caller sent along, and no others."""

    def __init__(self, supplied: Mapping[str, bytes]) -> None:
        self._supplied = supplied

    def get(self, url: str) -> bytes:
        """The document. Raises `UnavailableSourceError`: it was not sent along, or is too large."""
        found = self._supplied.get(url)
        if found is None:
            raise UnavailableSourceError(f"send {shown_url(url)} along")
        if len(found) > MAX_DOCUMENT_BYTES:
            raise UnavailableSourceError(f"{shown_url(url)} is larger than {MAX_DOCUMENT_BYTES} bytes")
        return found
