"""The registry's calling conventions: `CallEncoder` of registry.ports.chain. Pure: no I/O, no keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError

from registry.chain import typed_data
from registry.chain.abi import function_selectors, is_selector
from registry.chain.recovery import recover_public_key
from registry.chain.typed_data import Domain, StatusType, WithdrawalType
from registry.encoding import Address, Root
from registry.model.chain import BIT_CALLS, UNRELAYABLE_CALLS, CallKind, ContractCall

Argument = tuple[str, Any]
"""An ABI type and a value of it."""

_STATUS_TYPES: Final[Mapping[CallKind, StatusType]] = {
    CallKind.REVOKE: "Revoke",
    CallKind.SUSPEND: "Suspend",
    CallKind.REINSTATE: "Reinstate",
    CallKind.ANNUL: "Annul",
}
_WITHDRAWAL_TYPES: Final[Mapping[CallKind, WithdrawalType]] = {
    CallKind.WITHDRAW: "Withdraw",
    CallKind.ANNUL_WITHDRAWAL: "AnnulWithdrawal",
}
_FUNCTIONS: Final[Mapping[CallKind, str]] = {
    CallKind.ANCHOR: "anchor",
    CallKind.REVOKE: "revoke",
    CallKind.SUSPEND: "suspend",
    CallKind.REINSTATE: "reinstate",
    CallKind.WITHDRAW: "withdraw",
    CallKind.ANNUL: "annul",
    CallKind.ANNUL_WITHDRAWAL: "annulWithdrawal",
    CallKind.ADD_KEY: "addKey",
    CallKind.RETIRE_KEY: "retireKey",
    CallKind.SET_PROFILE: "setProfile",
}
_BY_ISSUER: Final = frozenset(
    {
        CallKind.ADD_KEY,
        CallKind.RETIRE_KEY,
        CallKind.SET_PROFILE,
        CallKind.ANNUL,
        CallKind.ANNUL_WITHDRAWAL,
    }
)
"""Direct calls that name the issuer; for the others it is the calling key's."""


def encode_call(function: str, *arguments: Argument) -> bytes:
    """Call data of a function of the registry.

    Raises:
        ValueError: a value does not fit its type.
    """
    types, values = [type_ for type_, _ in arguments], [value for _, value in arguments]
    try:
        return function_selectors()[function] + encode(types, values)
    except EncodingError as error:
        raise ValueError(f"an argument of {function} does not fit its type") from error


class RegistryCallEncoder:
    """`CallEncoder` for one deployment."""

    def __init__(self, chain_id: int, registry: Address) -> None:
        self._registry = registry
        self._domain = Domain(chain_id=chain_id, registry=registry)

    def direct(self, call: ContractCall) -> tuple[Address, bytes]:
        """Receiver and call data for the acting account itself. An anchor is its 32 bare bytes (the
        fallback)."""
        if call.kind is CallKind.FUND:
            if call.account is None:
                raise ValueError("funding wants an account")
            return call.account, b""
        if call.kind is CallKind.ANCHOR:
            return self._registry, bytes(_root(call))
        arguments = _subject(call)
        if call.kind is CallKind.ADD_KEY:
            arguments += [("uint256", call.consent_deadline), ("bytes", call.consent)]
        if call.kind in _BY_ISSUER:
            arguments.insert(0, ("address", call.issuer))
        return self._registry, encode_call(_FUNCTIONS[call.kind], *arguments)

    def relayed(
        self, call: ContractCall, signer: Address, deadline: int, signature: bytes
    ) -> tuple[Address, bytes]:
        """Receiver and call data of the `…BySig` form."""
        if call.kind in UNRELAYABLE_CALLS:
            raise ValueError(f"{call.kind.value} cannot be relayed")
        arguments: list[Argument] = [("address", signer), ("address", call.issuer), *_subject(call)]
        arguments.append(("uint256", deadline))
        if call.kind is CallKind.ADD_KEY:
            arguments += [("uint256", call.consent_deadline), ("bytes", call.consent)]
        arguments.append(("bytes", signature))
        return self._registry, encode_call(f"{_FUNCTIONS[call.kind]}BySig", *arguments)

    def typed_data(self, call: ContractCall, nonce: int, deadline: int) -> Mapping[str, Any]:
        """EIP-712 typed data that the acting account signs for a relayed call."""
        signed: dict[str, Any] = {"issuer": call.issuer, "nonce": nonce, "deadline": deadline}
        match call.kind:
            case CallKind.FUND | CallKind.SET_PROFILE:
                raise ValueError(f"{call.kind.value} cannot be relayed")
            case CallKind.ANCHOR:
                return typed_data.anchor(self._domain, root=_root(call), **signed)
            case CallKind.ADD_KEY:
                return typed_data.add_key(self._domain, key=_key(call), roles=call.roles, **signed)
            case CallKind.RETIRE_KEY:
                return typed_data.retire_key(
                    self._domain, key=_key(call), valid_until=call.valid_until, reason=call.reason, **signed
                )
            case CallKind.WITHDRAW | CallKind.ANNUL_WITHDRAWAL:
                kind = _WITHDRAWAL_TYPES[call.kind]
                return typed_data.withdrawal(
                    self._domain, kind, root=_root(call), reason=call.reason, **signed
                )
            case _:
                return typed_data.status_change(
                    self._domain,
                    _STATUS_TYPES[call.kind],
                    root=_root(call),
                    changes=call.changes,
                    reason=call.reason,
                    **signed,
                )

    def key_consent(self, issuer: Address, key: Address, roles: int, deadline: int) -> Mapping[str, Any]:
        """EIP-712 typed data by which a key agrees to act for an issuer."""
        return typed_data.key_consent(self._domain, issuer=issuer, key=key, roles=roles, deadline=deadline)

    def consenting_key(self, call: ContractCall) -> bytes | None:
        """The public key behind the consent of an ADD_KEY; None when it shows none."""
        consented = typed_data.key_consent(
            self._domain,
            issuer=call.issuer,
            key=_key(call),
            roles=call.roles,
            deadline=call.consent_deadline,
        )
        return recover_public_key(consented, call.consent, _key(call))

    def is_selector(self, first_four: bytes) -> bool:
        """Whether a root that starts so would be taken for a function call instead of the fallback."""
        return is_selector(first_four)


def _subject(call: ContractCall) -> list[Argument]:
    """The arguments that say what shall change, in the order of both forms of the function."""
    if call.kind is CallKind.ADD_KEY:
        return [("address", _key(call)), ("uint16", call.roles)]
    if call.kind is CallKind.RETIRE_KEY:
        return [("address", _key(call)), ("uint40", call.valid_until), ("uint16", call.reason)]
    if call.kind is CallKind.SET_PROFILE:
        return [("string", _uri(call))]
    arguments: list[Argument] = [("bytes32", _root(call))]
    if call.kind in BIT_CALLS:
        changes = [(change.word, change.mask) for change in call.changes]
        arguments.append(("(uint64,uint256)[]", changes))
    if call.kind is not CallKind.ANCHOR:
        arguments.append(("uint16", call.reason))
    return arguments


def _root(call: ContractCall) -> Root:
    if call.root is None or len(call.root) != 32:
        raise ValueError(f"{call.kind.value} wants a root of 32 bytes")
    return call.root


def _uri(call: ContractCall) -> str:
    if call.uri is None:
        raise ValueError(f"{call.kind.value} wants a URI")
    return call.uri


def _key(call: ContractCall) -> Address:
    if call.account is None:
        raise ValueError(f"{call.kind.value} wants a key")
    return call.account
