"""Whether an OpenAttestation root was issued, and by whom: contracts, signatures of DIDs, and DNS names.

A document store answers ``isIssued(bytes32)`` for the root and ``isRevoked(bytes32)`` for every hash between
document and root; a token registry is an ERC-721 whose token is the root; a DID of the method ethr signs the
root as a personal message (ERC-191), and counts only while the registry of that method says that it belongs
to the account that signed (ERC-1056 ``identityOwner``, at its published address).

DNS is never asked. Who has the answer may supply it under the address ``dns:<name>?type=TXT`` (RFC 4501), one
TXT record a line; otherwise the finding says which record would settle the question.

Source: npm @govtechsg/oa-verify 7.0.0 and 9.4.0 (verifiers/documentStatus, verifiers/issuerIdentity, did),
the ethr DID method specification.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak

from registry.credentials.findings import Finding
from registry.credentials.sources import Tools
from registry.encoding import Address, parse_address, to_checksum, to_hex
from registry.errors import UnavailableSourceError, ValidationError
from registry.verdict.report import CheckName, CheckResult, Outcome

ETHR_REGISTRIES: Final = {
    1: "0xdca7ef03e98e0dc2b855be647c39abe984fcf21b",
    11155111: "0x03d5003bf0e79c5f5223588f347eba39afbc3818",
}
"""Where the ethr method keeps its owners, by chain id (npm ethr-did-resolver 11.0.4, config/deployments)."""

_DID: Final = re.compile(r"did:ethr:(?:(0x[0-9a-fA-F]{1,8}|[a-z]{1,16}):)?(0x[0-9a-fA-F]{40})")
_KEY: Final = re.compile(_DID.pattern + "#controller")
_NETWORKS: Final = {"mainnet": 1, "sepolia": 11155111}
_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z]{2,63}"
)
_SIGNATURE: Final = re.compile(r"0x[0-9a-fA-F]{130}")
_MAX_DNS_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Rooted:
    """What is looked for: every hash ``way`` from the document's (first) to the root (last), on a chain."""

    way: tuple[bytes, ...]
    chain_id: int

    @property
    def root(self) -> bytes:
        """The root, which is what contracts know."""
        return self.way[-1]


# --- contracts ----------------------------------------------------------------------------------------------


def store_findings(tools: Tools, rooted: Rooted, written: object) -> list[Finding]:
    """Whether a document store issued the root, and revoked nothing on the way to it."""
    store = _address(written)
    if isinstance(store, Finding):
        return [store]
    where = _place(store, rooted.chain_id)
    try:
        issued = _bool(tools, rooted.chain_id, store, "isIssued(bytes32)", rooted.root)
    except UnavailableSourceError as error:
        return [
            _unknown(CheckName.ANCHOR, f"whether the document store {where} issued it is not known: {error}"),
            _unknown(
                CheckName.STATUS, f"whether the document store {where} revoked it is not known: {error}"
            ),
        ]
    if issued is not True:
        said = "did not issue it" if issued is False else "is no contract that answers isIssued"
        return [_not_found(f"the document store {where} {said}")]
    passed = Finding(CheckName.ANCHOR, CheckResult.PASS, f"the document store {where} issued it")
    return [passed, revocation_store_finding(tools, rooted, store)]


def revocation_store_finding(tools: Tools, rooted: Rooted, written: object) -> Finding:
    """Whether a store says that the document, or a batch it is in, was revoked."""
    store = _address(written, CheckName.STATUS)
    if isinstance(store, Finding):
        return store
    where = _place(store, rooted.chain_id)
    for digest in rooted.way:
        try:
            revoked = _bool(tools, rooted.chain_id, store, "isRevoked(bytes32)", digest)
        except UnavailableSourceError as error:
            return _unknown(CheckName.STATUS, f"whether the store {where} revoked it is not known: {error}")
        if revoked is None:
            return _unknown(CheckName.STATUS, f"the store {where} does not answer isRevoked")
        if revoked:
            detail = f"the store {where} revoked it"
            return Finding(CheckName.STATUS, CheckResult.FAIL, detail, Outcome.REVOKED)
    return Finding(CheckName.STATUS, CheckResult.PASS, f"the store {where} did not revoke it")


def token_findings(tools: Tools, rooted: Rooted, written: object) -> list[Finding]:
    """Whether a token registry has a token for the root. Who holds it is not looked at."""
    registry = _address(written)
    if isinstance(registry, Finding):
        return [registry]
    where = _place(registry, rooted.chain_id)
    try:
        owner = tools.ledgers.call(rooted.chain_id, registry, _call("ownerOf(uint256)", rooted.root))
    except UnavailableSourceError as error:
        detail = f"whether the token registry {where} has a token for it is not known: {error}"
        return [_unknown(CheckName.ANCHOR, detail)]
    if len(owner) != 32 or not any(owner):
        return [_not_found(f"the token registry {where} has no token for it")]
    return [Finding(CheckName.ANCHOR, CheckResult.PASS, f"the token registry {where} has a token for it")]


# --- signatures ---------------------------------------------------------------------------------------------


def did_finding(tools: Tools, rooted: Rooted, did: object, key: object, signature: object) -> Finding:
    """Whether the DID's controller signed the root.

    Args:
        did: of the method ethr, with an address.
        key: the verification method that signed; only the controller itself is read.
        signature: ``0x`` and 65 bytes; None where the document carries none for that key.
    """
    match = _DID.fullmatch(did) if isinstance(did, str) else None
    if match is None:
        return _unknown(CheckName.SIGNATURE, "the issuer's DID is not one of did:ethr with an address")
    if key != f"{did}#controller":
        return _unknown(CheckName.SIGNATURE, "the key that signed is not the controller of the issuer's DID")
    if not isinstance(signature, str) or not _SIGNATURE.fullmatch(signature):
        return _fail(CheckName.SIGNATURE, "there is no signature of 65 bytes by the key of the issuer")
    account = Address(bytes.fromhex(match[2][2:]))
    if signer_of(rooted.root, bytes.fromhex(signature[2:])) != account:
        return _fail(CheckName.SIGNATURE, "the signature is not one of the issuer's account for this root")
    return _ownership(tools, account, match[1])


def signer_of(root: bytes, signature: bytes) -> Address | None:
    """The account that made a personal-message signature (ERC-191, version 0x45) of 32 bytes; None for
    nobody's."""
    from eth_keys.datatypes import Signature
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError as BadValue

    recovery = signature[64] - 27 if signature[64] >= 27 else signature[64]
    message = keccak(b"\x19Ethereum Signed Message:\n32" + root)
    try:
        public = Signature(signature[:64] + bytes([recovery])).recover_public_key_from_msg_hash(message)
    except (BadSignature, BadValue, ValueError):
        return None
    return Address(public.to_canonical_address())


def _ownership(tools: Tools, account: Address, network: str | None) -> Finding:
    """Whether the account still controls the DID that is named after it."""
    signed = f"the account {to_checksum(account)} signed it"
    chain_id = _network(network)
    registry = ETHR_REGISTRIES.get(chain_id) if chain_id is not None else None
    if chain_id is None or registry is None:
        return _unknown(
            CheckName.SIGNATURE, f"{signed}, on a network whose registry of DIDs is not known here"
        )
    address = parse_address(registry)
    where = _place(address, chain_id)
    try:
        payload = _call("identityOwner(address)", bytes(12) + account)
        owner = tools.ledgers.call(chain_id, address, payload)
    except UnavailableSourceError as error:
        detail = (
            f"{signed}; whether its DID still belongs to it, as {where} would tell, is not known: {error}"
        )
        return _unknown(CheckName.SIGNATURE, detail)
    if len(owner) != 32:
        return _unknown(CheckName.SIGNATURE, f"{signed}; the registry of DIDs {where} does not answer")
    if owner != bytes(12) + account:
        return _fail(CheckName.SIGNATURE, f"{signed}, and its DID belongs to another account now")
    return Finding(CheckName.SIGNATURE, CheckResult.PASS, f"{signed}, and its DID belongs to it")


def _network(name: str | None) -> int | None:
    if name is None:
        return 1
    return int(name, 16) if name.startswith("0x") else _NETWORKS.get(name)


# --- names --------------------------------------------------------------------------------------------------


def host_of(location: object) -> str | None:
    """A DNS name as it is compared: in lower case. None for what is none."""
    return location.lower() if isinstance(location, str) and _HOST.fullmatch(location) else None


def dns_txt_finding(tools: Tools, host: str, chain_id: int, contract: Address) -> Finding:
    """Whether the name vouches for the contract."""
    wanted = {"net": "ethereum", "netId": str(chain_id), "addr": to_hex(contract)}
    record = f"openatts net=ethereum netId={chain_id} addr={to_checksum(contract)}"
    return _name_finding(tools, host, record, wanted)


def dns_did_finding(tools: Tools, host: str, key: object) -> Finding:
    """Whether the name vouches for the key of a DID."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return _unknown(
            CheckName.ISSUER, f"it names {host} as its issuer, and no key that {host} may vouch for"
        )
    record = f"openatts a=dns-did; p={key}; v=1.0;"
    return _name_finding(tools, host, record, {"a": "dns-did", "p": key.lower()})


def _name_finding(tools: Tools, host: str, record: str, wanted: dict[str, str]) -> Finding:
    supplied = tools.supplied.get(f"dns:{host}?type=TXT")
    if supplied is None:
        detail = f"it names {host} as its issuer, which a TXT record of that name would confirm: {record}"
        return _unknown(CheckName.ISSUER, detail)
    lines = supplied[:_MAX_DNS_BYTES].decode("utf-8", "replace").splitlines()
    if any(_matches(line, wanted) for line in lines):
        return Finding(CheckName.ISSUER, CheckResult.PASS, f"{host} vouches for it in its TXT records")
    return _fail(CheckName.ISSUER, f"{host} does not vouch for it in its TXT records")


def _matches(line: str, wanted: dict[str, str]) -> bool:
    kind, _, rest = line.strip().strip('"').strip().partition(" ")
    found = dict(part.partition("=")[::2] for part in rest.replace(";", " ").split())
    shown = {name: value.lower() if name in ("addr", "p") else value for name, value in found.items()}
    return kind == "openatts" and wanted.items() <= shown.items()


# --- small things -------------------------------------------------------------------------------------------


def _address(written: object, check: CheckName = CheckName.ANCHOR) -> Address | Finding:
    try:
        return Address(written) if isinstance(written, bytes) else parse_address(written)
    except ValidationError:
        return _fail(check, "the contract that would know it is not written as an address")


def _call(signature: str, word: bytes) -> bytes:
    return keccak(signature.encode())[:4] + word


def _bool(tools: Tools, chain_id: int, contract: Address, signature: str, word: bytes) -> bool | None:
    """What a contract answers; None where it is none, or answers something else."""
    answer = tools.ledgers.call(chain_id, contract, _call(signature, word))
    known: Sequence[bytes] = (bytes(32), bytes(31) + b"\x01")
    return bool(known.index(answer)) if answer in known else None


def _place(contract: Address, chain_id: int) -> str:
    return f"{to_checksum(contract)} on eip155:{chain_id}"


def _unknown(check: CheckName, detail: str) -> Finding:
    return Finding(check, CheckResult.UNKNOWN, detail)


def _fail(check: CheckName, detail: str) -> Finding:
    return Finding(check, CheckResult.FAIL, detail)


def _not_found(detail: str) -> Finding:
    return Finding(CheckName.ANCHOR, CheckResult.FAIL, detail, Outcome.NOT_FOUND)
