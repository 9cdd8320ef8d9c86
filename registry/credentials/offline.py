"""Verification of documents without a server: what `registry.credentials.verification` does, over what a
verifier holds itself. Nothing is fetched and nobody is hosted; documents are those that were supplied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from registry.credentials.assembly import SuppliedOnly, examining, registry_proof_in
from registry.credentials.hosts import NoHosts
from registry.credentials.rdf import rdf_digest
from registry.credentials.verification import CredentialVerification, Registry
from registry.encoding import DigestMethod, JsonValue
from registry.merkle import InclusionProof
from registry.ports.clock import Clock
from registry.ports.documents import Canonicalizer
from registry.ports.ledgers import Ledgers
from registry.services.claims import VerifyRequest, embedded_proof


def without_server(
    canonicalizer: Canonicalizer,
    registry: Registry,
    ledgers: Ledgers,
    clock: Clock,
    trusted: frozenset[str] = frozenset(),
) -> CredentialVerification:
    """A verifier of documents.

    Args:
        registry: what the chain says: nodes alone, a bundle, or nothing.
        ledgers: for anchors of other systems.
        trusted: DIDs and URLs of the trust list.
    """
    parts = examining(canonicalizer, SuppliedOnly, ledgers)
    return CredentialVerification(registry, parts, NoHosts(), clock, trusted)


def place_in(credential: Mapping[str, JsonValue]) -> InclusionProof | None:
    """The place in a registry that a credential carries: a RootmarkProof, or merkle-proof-2019.

    Raises:
        ValidationError: it carries several RootmarkProofs, or one that does not have its form.
    """
    return embedded_proof(credential) or registry_proof_in(credential)


def with_place(request: VerifyRequest, canonicalizer: Canonicalizer) -> VerifyRequest:
    """The request with the place that its credential carries, where none was given, and with the credential's
    digest where that is rdfc-sha256.

    Raises:
        ValidationError: as of `place_in`, and as of `Canonicalizer.n_quads`.
    """
    credential = request.credential
    if credential is None:
        return request
    proof = request.proof or place_in(credential)
    if proof is None or proof.method is not DigestMethod.RDFC_SHA256:
        return replace(request, proof=proof)
    digest = rdf_digest(canonicalizer, credential)
    return replace(request, proof=proof, computed={proof.method: digest})
