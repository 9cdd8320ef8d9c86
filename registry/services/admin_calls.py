"""Calls that only an issuer's admin may make: signed here for a hosted one, shown to be signed elsewhere for
any other.

An admin whose key is not here gets the EIP-712 data of each call, signs it wherever its key lies, and sends
the signatures back; the relayer then pays. Invariant: a call is stored only when its signature is there, or
the key is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from registry.encoding import Address
from registry.errors import Fault, ValidationError, WrongStateError
from registry.model.chain import ContractCall, EventKind
from registry.model.issuers import Issuer
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.store import Unit
from registry.services.policy import Policy

_MAX_CHANGES = 1_000
MAX_SIGNED_CALLS = 100
"""Calls that one request may ask an admin elsewhere to sign."""


@dataclass(frozen=True, slots=True)
class ToSign:
    """What an admin elsewhere signs, in this order; nothing has been stored.

    Attributes:
        signer: the account that signs.
        typed_data: EIP-712 data, one for each call; their nonces follow one another.
        deadline: until when the signatures can be used, in seconds; sent back with them.
        call: the first call, for what the answer shows beside it (a new key and its consent).
    """

    signer: Address
    typed_data: tuple[Mapping[str, Any], ...]
    deadline: int
    call: ContractCall


@dataclass(frozen=True, slots=True)
class Signatures:
    """An admin's answer to `ToSign`."""

    signatures: tuple[bytes, ...]
    deadline: int


def current_admin(unit: Unit, issuer: Address) -> Address:
    """The issuer's admin by the index: the issuer's own account until it hands over."""
    changes = unit.events.list(issuer=issuer, kinds={EventKind.ADMIN_CHANGED}, limit=_MAX_CHANGES)
    account = changes[-1].event.account if changes else None
    return account or issuer


def is_held_here(issuer: Issuer, admin: Address) -> bool:
    """Whether this server can sign for the present admin: hosted, and not handed over on chain."""
    return issuer.hosted_admin and admin == issuer.address


def with_signatures(calls: Sequence[ContractCall], given: Signatures) -> list[ContractCall]:
    """The calls with the admin's signatures, in order.

    Raises:
        WrongStateError: there are other calls to sign by now than there were signatures asked for.
    """
    if len(calls) != len(given.signatures):
        raise WrongStateError("what is to be signed has changed meanwhile; ask for it again, and sign that")
    return [
        replace(call, signature=signature, deadline=given.deadline)
        for call, signature in zip(calls, given.signatures, strict=True)
    ]


class AdminCalls:
    """Prepares what an admin elsewhere signs."""

    def __init__(self, chain: Chain, clock: Clock, policy: Policy) -> None:
        self._chain = chain
        self._clock = clock
        self._policy = policy

    def to_sign(self, admin: Address, calls: Sequence[ContractCall]) -> ToSign:
        """The typed data of ``calls``, from the admin's next nonce on.

        Raises:
            ValidationError: more calls than anybody should sign at once.
            ChainUnavailableError: the nonce cannot be read.
        """
        if len(calls) > MAX_SIGNED_CALLS:
            detail = f"this would take {len(calls)} signatures; name fewer digests"
            raise ValidationError(detail, faults=[Fault("too-many", detail, "/digests")])
        deadline = int(self._clock.now().timestamp()) + self._policy.consent_deadline_seconds
        nonce = self._chain.call_nonce_of(admin)
        encoder = self._chain.encoder
        typed_data = tuple(
            encoder.typed_data(call, number, deadline) for number, call in enumerate(calls, nonce)
        )
        return ToSign(admin, typed_data, deadline, calls[0])
