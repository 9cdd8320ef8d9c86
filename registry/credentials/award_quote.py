"""What it would cost to anchor awards now: one transaction, whatever their number."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from registry.encoding import Address, Root
from registry.errors import ChainError, ContractRevertedError, UnavailableError
from registry.model.chain import CallKind, ContractCall
from registry.model.issuers import Issuer
from registry.ports.chain import Chain

ANCHOR_GAS = 55_500
"""The contract's budget for an anchor by an issuer with history (docs/contract.md)."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Cost of one batch of ``awards``, sent by the issuer's own key, at the fee of the next block.

    Attributes:
        estimated: whether ``gas`` is the node's estimate, and not the contract's budget.
    """

    awards: int
    gas: int
    estimated: bool
    fee_per_gas_wei: int

    @property
    def fee_wei(self) -> int:
        """Of the whole batch."""
        return self.gas * self.fee_per_gas_wei

    @property
    def fee_per_credential_wei(self) -> int:
        """Rounded up."""
        return -(-self.fee_wei // self.awards)


def quote(chain: Chain, issuer: Issuer, awards: int) -> Quote | None:
    """Ask the node; None when there is nothing to anchor, or the node does not answer."""
    if not awards:
        return None
    to, data = chain.encoder.direct(
        ContractCall(CallKind.ANCHOR, issuer.address, root=Root(secrets.token_bytes(32)))
    )
    try:
        fees = chain.fee_quote()
        gas, estimated = _gas(chain, issuer, to, data)
    except (UnavailableError, ChainError):
        return None
    return Quote(awards, gas, estimated, fees.base_fee_wei + fees.priority_fee_wei)


def _gas(chain: Chain, issuer: Issuer, to: Address, data: bytes) -> tuple[int, bool]:
    try:
        return chain.estimate_gas(issuer.key, to, data), True
    except ContractRevertedError:  # the issuer's key may not anchor yet
        return ANCHOR_GAS, False
