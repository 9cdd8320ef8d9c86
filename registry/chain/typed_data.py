"""What issuers and keys sign for the contract: EIP-712 typed data, domain "Rootmark", version "1".

Pure: no I/O, no keys. Each function returns the four members that EIP-712 defines (types, primaryType,
domain, message) as plain JSON: addresses and 32-byte values are ``0x`` hex in lower case, and integers that
may pass 2^53-1 are decimal strings, which wallets and eth-account read alike. Addresses are 20 bytes, roots
32, deadlines seconds since the epoch. The types are pinned by tests/vectors/eip712 and can never change.

Every function raises ValueError for an address or root of another length, and for an integer that its type
cannot hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from registry.encoding import Address, Root, to_hex
from registry.model.chain import Change

TypedData = dict[str, Any]
StatusType = Literal["Revoke", "Suspend", "Reinstate", "Annul"]
WithdrawalType = Literal["Withdraw", "AnnulWithdrawal"]

DOMAIN_NAME: Final = "Rootmark"
DOMAIN_VERSION: Final = "1"
MAX_SAFE_BITS: Final = 53

_DOMAIN_FIELDS: Final = "string name,string version,uint256 chainId,address verifyingContract"
_CHANGE_FIELDS: Final = "uint64 word,uint256 mask"
_STATUS_FIELDS: Final = (
    "address issuer,bytes32 root,Change[] changes,uint16 reason,uint256 nonce,uint256 deadline"
)
_WITHDRAWAL_FIELDS: Final = "address issuer,bytes32 root,uint16 reason,uint256 nonce,uint256 deadline"

FIELDS: Final[dict[str, str]] = {
    "KeyConsent": "address issuer,address key,uint16 roles,uint256 deadline",
    "AddKey": "address issuer,address key,uint16 roles,uint256 nonce,uint256 deadline",
    "RetireKey": "address issuer,address key,uint40 validUntil,uint16 reason,uint256 nonce,uint256 deadline",
    "Anchor": "address issuer,bytes32 root,uint256 nonce,uint256 deadline",
    "Revoke": _STATUS_FIELDS,
    "Suspend": _STATUS_FIELDS,
    "Reinstate": _STATUS_FIELDS,
    "Annul": _STATUS_FIELDS,
    "Withdraw": _WITHDRAWAL_FIELDS,
    "AnnulWithdrawal": _WITHDRAWAL_FIELDS,
}
"""The members of each type that is signed, as EIP-712's encodeType writes them between the parentheses."""


@dataclass(frozen=True, slots=True)
class Domain:
    """One deployment of the contract: EIP-155 chain id and the contract's address."""

    chain_id: int
    registry: Address


def encode_type(primary: str) -> str:
    """EIP-712's encodeType of one of ``FIELDS``: the text whose Keccak-256 is the type hash."""
    fields = FIELDS[primary]
    referenced = f"Change({_CHANGE_FIELDS})" if "Change[]" in fields else ""
    return f"{primary}({fields}){referenced}"


def key_consent(domain: Domain, *, issuer: Address, key: Address, roles: int, deadline: int) -> TypedData:
    """By this ``key`` agrees to belong to ``issuer`` for ever. Signed by the key; good until ``deadline``."""
    return _build(domain, "KeyConsent", issuer=issuer, key=key, roles=roles, deadline=deadline)


def add_key(
    domain: Domain, *, issuer: Address, key: Address, roles: int, nonce: int, deadline: int
) -> TypedData:
    """Signed by the issuer's admin, with the admin's next ``nonce``."""
    return _build(domain, "AddKey", issuer=issuer, key=key, roles=roles, nonce=nonce, deadline=deadline)


def retire_key(
    domain: Domain,
    *,
    issuer: Address,
    key: Address,
    valid_until: int,
    reason: int,
    nonce: int,
    deadline: int,
) -> TypedData:
    """Signed by the issuer's admin. ``valid_until`` in seconds, 2^40-1 for "now"."""
    return _build(
        domain,
        "RetireKey",
        issuer=issuer,
        key=key,
        validUntil=valid_until,
        reason=reason,
        nonce=nonce,
        deadline=deadline,
    )


def anchor(domain: Domain, *, issuer: Address, root: Root, nonce: int, deadline: int) -> TypedData:
    """Signed by a key with the role ANCHOR."""
    return _build(domain, "Anchor", issuer=issuer, root=root, nonce=nonce, deadline=deadline)


def status_change(
    domain: Domain,
    kind: StatusType,
    *,
    issuer: Address,
    root: Root,
    changes: Sequence[Change],
    reason: int,
    nonce: int,
    deadline: int,
) -> TypedData:
    """Signed by a key with REVOKE or SUSPEND, or by the admin for "Annul"."""
    return _build(
        domain,
        kind,
        issuer=issuer,
        root=root,
        changes=list(changes),
        reason=reason,
        nonce=nonce,
        deadline=deadline,
    )


def withdrawal(
    domain: Domain,
    kind: WithdrawalType,
    *,
    issuer: Address,
    root: Root,
    reason: int,
    nonce: int,
    deadline: int,
) -> TypedData:
    """Signed by a key with WITHDRAW, or by the admin for "AnnulWithdrawal"."""
    return _build(domain, kind, issuer=issuer, root=root, reason=reason, nonce=nonce, deadline=deadline)


def _members(fields: str) -> list[dict[str, str]]:
    pairs = (field.split(" ") for field in fields.split(","))
    return [{"name": name, "type": type_} for type_, name in pairs]


def _value(type_: str, value: Any) -> Any:
    """One member as JSON. Raises ValueError when the value is none of its type."""
    if type_ == "Change[]":
        return [
            {"word": _value("uint64", change.word), "mask": _value("uint256", change.mask)}
            for change in value
        ]
    if type_ in ("address", "bytes32"):
        length = 20 if type_ == "address" else 32
        if len(value) != length:
            raise ValueError(f"{type_} wants {length} bytes")
        return to_hex(value)
    bits = int(type_.removeprefix("uint"))
    if not 0 <= value < 1 << bits:
        raise ValueError(f"a value is out of the range of {type_}")
    return str(value) if bits > MAX_SAFE_BITS else int(value)


def _build(domain: Domain, primary: str, **values: Any) -> TypedData:
    members = _members(FIELDS[primary])
    types = {"EIP712Domain": _members(_DOMAIN_FIELDS), primary: members}
    if "changes" in values:
        types["Change"] = _members(_CHANGE_FIELDS)
    return {
        "types": types,
        "primaryType": primary,
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": domain.chain_id,
            "verifyingContract": _value("address", domain.registry),
        },
        "message": {member["name"]: _value(member["type"], values[member["name"]]) for member in members},
    }
