"""What the server publishes about an issuer: its DID document, and its profile for Blockcerts. Pure.

The shapes are those that verifiers written by others accepted. Invariants: a key that was once listed stays
listed, and no verification method has ``expires`` or ``revoked``, which some verifiers would hold against
credentials signed before; the end of an anchoring key stands in the profile. Every id is absolute.

Source: Decentralized Identifiers 1.0, section 5; Controlled Identifiers 1.0, section 2.2 (JsonWebKey,
Multikey); did:key Method; did:pkh Method (``alsoKnownAs``); Open Badges 2.0, Profile, as Blockcerts 3 extends
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from registry.credentials.did_web import (
    PROFILE_PATH,
    REVOCATION_LIST_PATH,
    issuer_did,
    url_below,
)
from registry.credentials.keys import KeyType, PublicKey
from registry.encoding import AccountId, Address, JsonValue, format_time, to_hex
from registry.model.issuers import Issuer
from registry.model.signing_keys import SigningKey, SigningKeyKind

DID_CONTEXTS = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/jwk/v1",
    "https://w3id.org/security/multikey/v1",
)
PROFILE_CONTEXTS = ("https://w3id.org/openbadges/v2", "https://w3id.org/blockcerts/v3")
PROFILE_SERVICE = "IssuerProfile"
ACCOUNT_DID = "did:pkh:"
"""Before a CAIP-10 account id: the account as a DID."""

KEY_TYPES = {
    SigningKeyKind.ED25519: KeyType.ED25519,
    SigningKeyKind.P256: KeyType.P256,
    SigningKeyKind.P384: KeyType.P384,
    SigningKeyKind.RSA2048: KeyType.RSA,
}


@dataclass(frozen=True, slots=True)
class AnchoringKey:
    """A key that anchors, or did, for an issuer.

    Attributes:
        number: its place in the order in which the issuer's anchoring keys were added, from 1.
        public_key: the compressed point, 33 bytes; None where the server cannot know it.
        added_at, valid_until: by the chain; None: not retired.
    """

    number: int
    account: Address
    public_key: bytes | None
    added_at: datetime
    valid_until: datetime | None


def public_key_of(key: SigningKey) -> PublicKey:
    """A stored key as one that verifies."""
    return PublicKey.from_raw(KEY_TYPES[key.kind], key.public_key)


def signing_method_id(did: str, key: SigningKey) -> str:
    """The absolute id of a signing key's method: ``#`` and its multibase; for RSA, which has none, its JWK
    thumbprint (RFC 7638)."""
    public = public_key_of(key)
    fragment = public.thumbprint() if public.kind is KeyType.RSA else public.to_multikey()
    return f"{did}#{fragment}"


def anchoring_method_id(did: str, key: AnchoringKey) -> str | None:
    """The absolute id of an anchoring key's method; None where it has none, for want of its public key."""
    return None if key.public_key is None else f"{did}#chain-{key.number}"


def issuer_document(
    base: str, account: AccountId, signing: Sequence[SigningKey], anchoring: Sequence[AnchoringKey]
) -> dict[str, JsonValue]:
    """The DID document of an issuer.

    Args:
        base: the server's address, as `registry.credentials.did_web.public_base` gives it.
        account: the issuer on its chain; the document says that it is the same one (`alsoKnownAs`), as the
            profile on chain says the reverse.
        signing, anchoring: all keys, retired ones too, in the order they were added.
    """
    did = issuer_did(base, account.address)
    methods = [_signing_method(did, key) for key in signing]
    methods += [
        _multikey(method_id, did, PublicKey.from_raw(KeyType.SECP256K1, key.public_key))
        for key in anchoring
        if key.public_key is not None and (method_id := anchoring_method_id(did, key))
    ]
    return {
        "@context": list(DID_CONTEXTS),
        "id": did,
        "alsoKnownAs": [f"{ACCOUNT_DID}{account}"],
        "verificationMethod": list(methods),
        "assertionMethod": [method["id"] for method in methods],
        "service": [
            {
                "id": f"{did}#profile",
                "type": PROFILE_SERVICE,
                "serviceEndpoint": url_below(base, PROFILE_PATH, account.address),
            }
        ],
    }


def key_document(key: PublicKey) -> dict[str, JsonValue]:
    """The DID document of a did:key. Raises `ValidationError` for RSA, which has none here."""
    multibase = key.to_multikey()
    did = f"did:key:{multibase}"
    method_id = f"{did}#{multibase}"
    return {
        "@context": [DID_CONTEXTS[0], DID_CONTEXTS[2]],
        "id": did,
        "verificationMethod": [_multikey(method_id, did, key)],
        "authentication": [method_id],
        "assertionMethod": [method_id],
        "capabilityDelegation": [method_id],
        "capabilityInvocation": [method_id],
    }


def issuer_profile(base: str, issuer: Issuer, anchoring: Sequence[AnchoringKey]) -> dict[str, JsonValue]:
    """The profile at which Blockcerts' verifiers look for the keys that may anchor, and until when."""
    address = issuer.address
    profile: dict[str, JsonValue] = {
        "@context": list(PROFILE_CONTEXTS),
        "type": "Profile",
        "id": url_below(base, PROFILE_PATH, address),
        "name": issuer.name,
        "url": issuer.url,
        "publicKey": [_blockcerts_key(key) for key in anchoring],
        "revocationList": url_below(base, REVOCATION_LIST_PATH, address),
    }
    if issuer.email is not None:
        profile["email"] = issuer.email
    return profile


def _signing_method(did: str, key: SigningKey) -> dict[str, JsonValue]:
    return {
        "id": signing_method_id(did, key),
        "type": "JsonWebKey",
        "controller": did,
        "publicKeyJwk": public_key_of(key).to_jwk(),
    }


def _multikey(method_id: str, did: str, key: PublicKey) -> dict[str, JsonValue]:
    return {
        "id": method_id,
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": key.to_multikey(),
    }


def _blockcerts_key(key: AnchoringKey) -> dict[str, JsonValue]:
    # Blockcerts' verifiers count a key from after this second, and a key may anchor in the very block that
    # adds it. It cannot before, so that a second earlier lets nothing else in.
    created = key.added_at - timedelta(seconds=1)
    entry: dict[str, JsonValue] = {
        "id": f"ecdsa-koblitz-pubkey:{to_hex(key.account)}",
        "created": format_time(created),
    }
    if key.valid_until is not None:
        entry["revoked"] = format_time(key.valid_until)
    return entry
