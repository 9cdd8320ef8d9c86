"""What Blockcerts credentials of all versions have in common: a root in a transaction, an issuer's profile
with the keys that may send it, and the profile's revocation list.

The root must be the transaction's whole call data, as in Blockcerts' own verifier: a root inside other data
may have been put there by anybody's contract call. Only EVM chains are looked at; a Bitcoin transaction is
``unknown``. A key counts from after its ``created`` until before its ``revoked`` and ``expires``, measured by
the time of the transaction's block; a key that the profile lists twice must fit by each entry.

A profile speaks for its own ``id`` alone. Revocation is looked up by the credential's id, in the list that
the profile names; that list's server is not told which credential is meant.

Source: npm @blockcerts/cert-verifier-js 6.35.0 (domain/verifier, inspectors: ensureMerkleRootEqual,
ensureValidIssuingKey, ensureNotRevoked), npm @blockcerts/schemas 3.10.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from registry.credentials.findings import Finding
from registry.credentials.merkle_proof_2019 import Ledger, ProofAnchor
from registry.credentials.sources import LedgerTransaction, Tools
from registry.encoding import Address, JsonValue, invalid, parse_json, parse_time, to_checksum, to_hex
from registry.errors import MalformedInputError, UnavailableSourceError, ValidationError
from registry.verdict.report import CheckName, CheckResult, Outcome

MAX_PROFILE_KEYS: Final = 1_000
MAX_REVOKED: Final = 100_000
KEY_PREFIX: Final = "ecdsa-koblitz-pubkey:"

_PROFILE_TYPES: Final = frozenset(("issuer", "profile", "blockcertsissuerprofile"))
_ADDRESS_TEXT: Final = 42
_MAX_DOCUMENT_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Profile:
    """An issuer's profile.

    Attributes:
        keys: its entries as they stand.
        has_methods: whether it lists verification methods, so that a proof has to name one of them.
    """

    id: str
    name: str | None
    keys: tuple[Mapping[str, JsonValue], ...]
    has_methods: bool
    revocation_list: JsonValue


# --- the transaction ----------------------------------------------------------------------------------------


def transaction_finding(
    tools: Tools, root: bytes, anchors: tuple[ProofAnchor, ...]
) -> tuple[Finding, LedgerTransaction | None]:
    """Whether the root stands in the transaction that the proof names, and that transaction if it does.

    The first anchor on an EVM chain is taken; on others there is nothing to look at.
    """
    anchor = next((one for one in anchors if one.chain_id is not None), anchors[0])
    if anchor.ledger is Ledger.MOCK:
        detail = "it was made for trying: its root stands on no chain"
        return _anchor(CheckResult.FAIL, detail, Outcome.NOT_FOUND), None
    assert anchor.transaction is not None
    if anchor.chain_id is None:
        detail = f"its root is said to stand in the Bitcoin transaction {anchor.transaction.hex()}, "
        return _anchor(CheckResult.UNKNOWN, detail + "and no Bitcoin node is configured"), None
    where = f"the transaction {to_hex(anchor.transaction)} on eip155:{anchor.chain_id}"
    try:
        found = tools.ledgers.transaction(anchor.chain_id, anchor.transaction)
    except UnavailableSourceError as error:
        return _anchor(CheckResult.UNKNOWN, f"whether {where} holds its root is not known: {error}"), None
    if found is None:
        return _anchor(CheckResult.FAIL, f"{where} is not there, or has failed", Outcome.NOT_FOUND), None
    if found.input != root:
        inside = ", though that is somewhere in its data" if root in found.input else ""
        return _anchor(CheckResult.FAIL, f"{where} is not its root{inside}"), None
    if not found.final:
        return _anchor(CheckResult.UNKNOWN, f"{where} is not final yet", Outcome.PENDING), found
    return _anchor(CheckResult.PASS, f"{where} is its root"), found


def _anchor(result: CheckResult, detail: str, forces: Outcome | None = None) -> Finding:
    return Finding(CheckName.ANCHOR, result, detail, forces)


# --- the issuer's profile -----------------------------------------------------------------------------------


def get_profile(tools: Tools, url: str) -> Profile:
    """The profile at an address.

    Raises:
        UnavailableSourceError: it could not be looked at.
        MalformedInputError: it is no profile, or does not speak for that address.
    """
    document = parse_json(tools.documents.get(url), max_bytes=_MAX_DOCUMENT_BYTES)
    if not isinstance(document, Mapping) or document.get("id") != url:
        raise invalid("id", "the issuer's profile does not speak for the address that it was found at", "/id")
    types = document.get("type")
    listed = types if isinstance(types, list) else [types]
    if not any(isinstance(name, str) and name.lower() in _PROFILE_TYPES for name in listed):
        raise invalid("type", "the issuer's profile has not the type of one", "/type")
    name = document.get("name")
    return Profile(
        id=url,
        name=name if isinstance(name, str) else None,
        keys=_entries(document.get("publicKey", document.get("publicKeys"))),
        has_methods="verificationMethod" in document,
        revocation_list=document.get("revocationList"),
    )


def _entries(value: JsonValue) -> tuple[Mapping[str, JsonValue], ...]:
    entries = value if isinstance(value, list) else [value]
    if len(entries) > MAX_PROFILE_KEYS:
        raise invalid("publicKey", f"a profile has at most {MAX_PROFILE_KEYS} keys here", "/publicKey")
    return tuple(entry for entry in entries if isinstance(entry, Mapping))


def sender_finding(profile: Profile, found: LedgerTransaction) -> Finding:
    """Whether the account that sent the transaction is a key of the profile, and was one at that time."""
    entries = [entry for entry in profile.keys if _account(entry) == found.sender]
    account = f"the account {to_checksum(found.sender)}, which anchored it,"
    if not entries:
        return signature(CheckResult.FAIL, f"{account} is none of the issuer's")
    for entry in entries:
        try:
            fault = _fault(entry, found)
        except ValidationError:
            detail = f"{account} has dates in the issuer's profile that cannot be read"
            return signature(CheckResult.UNKNOWN, detail)
        if fault == _NOT_YET:
            return signature(CheckResult.FAIL, f"{account} {fault}")
        if fault is not None:  # the registry's word for an anchor by a key that was no longer trusted
            return Finding(CheckName.ISSUER, CheckResult.FAIL, f"{account} {fault}", Outcome.WITHDRAWN)
    return signature(CheckResult.PASS, f"{account} was the issuer's at that time")


def _account(entry: Mapping[str, JsonValue]) -> Address | None:
    """The account of a key entry; None for keys of other chains."""
    text = entry.get("id", entry.get("publicKey"))
    if not isinstance(text, str):
        return None
    digits = text.removeprefix(KEY_PREFIX)
    if len(digits) != _ADDRESS_TEXT or not digits.startswith("0x"):
        return None
    try:
        account = bytes.fromhex(digits[2:])
    except ValueError:
        return None
    return Address(account) if len(account) == 20 else None


_NOT_YET = "was not the issuer's yet"


def _fault(entry: Mapping[str, JsonValue], found: LedgerTransaction) -> str | None:
    """What is wrong with sending that transaction with this key. Raises ValidationError for its dates."""
    times = {
        name: parse_time(entry[name])
        for name in ("created", "revoked", "expires")
        if entry.get(name) is not None
    }
    if "created" in times and found.at <= times["created"]:
        return _NOT_YET
    if "revoked" in times and found.at >= times["revoked"]:
        return "had been revoked by the issuer"
    if "expires" in times and found.at >= times["expires"]:
        return "had expired as the issuer's"
    return None


def signature(result: CheckResult, detail: str) -> Finding:
    """A finding about who anchored it."""
    return Finding(CheckName.SIGNATURE, result, detail)


# --- revocation ---------------------------------------------------------------------------------------------


def revocation_finding(tools: Tools, profile: Profile, credential_id: JsonValue) -> Finding:
    """Whether the profile's revocation list names the credential."""
    url = profile.revocation_list
    if url is None:
        return _status(CheckResult.SKIPPED, "the issuer's profile names no revocation list")
    if not isinstance(url, str) or not isinstance(credential_id, str):
        return _status(CheckResult.UNKNOWN, "the revocation list or the credential has no address to go by")
    try:
        revoked = _revoked(tools, url)
    except UnavailableSourceError as error:
        detail = f"the issuer's revocation list could not be looked at: {error}"
        return Finding(CheckName.STATUS, CheckResult.UNKNOWN, detail, missing=url)
    except MalformedInputError:
        return _status(CheckResult.UNKNOWN, "the issuer's revocation list cannot be read")
    if credential_id in revoked:
        detail = "the issuer's revocation list names it"
        return Finding(CheckName.STATUS, CheckResult.FAIL, detail, Outcome.REVOKED)
    return _status(CheckResult.PASS, "the issuer's revocation list does not name it")


def _revoked(tools: Tools, url: str) -> frozenset[str]:
    """The ids that a revocation list names. Raises MalformedInputError, UnavailableSourceError."""
    document = parse_json(tools.documents.get(url), max_bytes=_MAX_DOCUMENT_BYTES)
    listed = document.get("revokedAssertions", []) if isinstance(document, Mapping) else None
    if not isinstance(listed, list) or len(listed) > MAX_REVOKED:
        raise invalid("revokedAssertions", "a revocation list holds a list", "/revokedAssertions")
    ids = [entry.get("id") if isinstance(entry, Mapping) else None for entry in listed]
    if not all(isinstance(entry, str) for entry in ids):
        raise invalid("revokedAssertions", "an entry of a revocation list has an id", "/revokedAssertions")
    return frozenset(str(entry) for entry in ids)


def _status(result: CheckResult, detail: str) -> Finding:
    return Finding(CheckName.STATUS, result, detail)
