"""What a transaction offers per gas (EIP-1559), and what it must offer to replace an earlier one. Pure.

Nodes replace a waiting transaction of the same nonce only when both fee fields grow by their price bump: 10 %
in geth, 12.5 % in others, so 12.5 % is used.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.model.chain import FeeQuote
from registry.services.policy import MAX_TRANSACTION_GAS


@dataclass(frozen=True, slots=True)
class Fees:
    """The two fee fields of a transaction."""

    max_fee_per_gas_wei: int
    max_priority_fee_per_gas_wei: int


def first_fees(quote: FeeQuote, cap_wei: int) -> Fees | None:
    """Twice the base fee and the tip, so that six full blocks in a row do not price it out; not above
    ``cap_wei``.

    Returns:
        None while the base fee alone is above the cap: nothing signed now could be mined now.
    """
    if quote.base_fee_wei > cap_wei:
        return None
    max_fee = min(2 * quote.base_fee_wei + quote.priority_fee_wei, cap_wei)
    return Fees(max_fee, min(quote.priority_fee_wei, max_fee))


def bumped_fees(last: Fees, quote: FeeQuote, cap_wei: int) -> Fees | None:
    """Fees of a replacement: at least 12.5 % above ``last`` in both fields, at least what a new one would
    offer.

    Returns:
        None when the cap leaves no room for a replacement that nodes would take.
    """
    least_max = _one_eighth_up(last.max_fee_per_gas_wei)
    least_tip = _one_eighth_up(last.max_priority_fee_per_gas_wei)
    if least_max > cap_wei or least_tip > cap_wei:
        return None
    max_fee = min(max(least_max, 2 * quote.base_fee_wei + quote.priority_fee_wei), cap_wei)
    tip = max(least_tip, min(quote.priority_fee_wei, max_fee))
    return Fees(max(max_fee, tip), tip)


def _one_eighth_up(wei: int) -> int:
    """12.5 % more, rounded up, and never the same: a fee of 0 or 1 must grow too."""
    return max(-(-wei * 9 // 8), wei + 1)


def gas_limit(estimate: int) -> int | None:
    """A quarter and 10,000 above the estimate, since the state may change before it is mined; at most what
    EIP-7825 allows. None when the estimate alone is above that."""
    if estimate > MAX_TRANSACTION_GAS:
        return None
    return min(estimate + estimate // 4 + 10_000, MAX_TRANSACTION_GAS)
