"""What to offer for gas: eth_gasPrice, eth_maxPriorityFeePerGas, eth_feeHistory (EIP-1559). All in wei per
gas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from registry.chain.embedded import params
from registry.chain.embedded.engine import Engine, View
from registry.chain.embedded.errors import invalid_params
from registry.chain.embedded.serialize import effective_price, qty

SUGGESTED_TIP_WEI: Final = 10**9
_MAX_HISTORY: Final = 1024


def gas_price(engine: Engine, given: Sequence[Any]) -> str:
    """eth_gasPrice: the next base fee and the suggested tip."""
    params.arguments(given, 0, 0)
    return qty(engine.next_base_fee() + SUGGESTED_TIP_WEI)


def max_priority_fee(_engine: Engine, given: Sequence[Any]) -> str:
    """eth_maxPriorityFeePerGas: a constant; there is no competition for room here."""
    params.arguments(given, 0, 0)
    return qty(SUGGESTED_TIP_WEI)


def fee_history(engine: Engine, given: Sequence[Any]) -> dict[str, Any]:
    """eth_feeHistory: base fees of the blocks and of the one after them, fullness, tips at the
    percentiles."""
    count_given, newest, percentiles_given = params.arguments(given, 2, 3)
    percentiles = _percentiles(percentiles_given)
    count = min(params.quantity(count_given, "block count"), _MAX_HISTORY)
    block = params.block_id(newest)
    if isinstance(block, params.ByHash):
        raise invalid_params("newest block must be a number or a tag")
    last = engine.resolve("latest" if block == "pending" else block).header.block_number
    oldest = max(0, last - count + 1)
    if count == 0:
        return {"oldestBlock": "0x0", "gasUsedRatio": []}
    views = [engine.resolve(number) for number in range(oldest, last + 1)]
    answer: dict[str, Any] = {
        "oldestBlock": qty(oldest),
        "baseFeePerGas": [qty(_base_fee(view)) for view in views] + [qty(_base_fee_after(views[-1]))],
        "gasUsedRatio": [view.header.gas_used / view.header.gas_limit for view in views],
    }
    if percentiles is not None:
        answer["reward"] = [_rewards(view, percentiles) for view in views]
    return answer


def _percentiles(value: Any) -> list[float] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > 100:
        raise invalid_params("reward percentiles must be an array of at most 100")
    for entry in value:
        if isinstance(entry, bool) or not isinstance(entry, int | float) or not 0 <= entry <= 100:
            raise invalid_params("a reward percentile is a number from 0 to 100")
    if sorted(value) != value:
        raise invalid_params("reward percentiles must increase")
    return [float(entry) for entry in value]


def _rewards(view: View, percentiles: list[float]) -> list[str]:
    """Tips in order of size, each weighed by the gas its transaction used."""
    block = view.block()
    if not block.transactions:
        return [qty(0)] * len(percentiles)
    base_fee, before = _base_fee(view), 0
    weighed: list[tuple[int, int]] = []
    for transaction, receipt in zip(block.transactions, block.get_receipts(view.chain.chaindb), strict=True):
        weighed.append((effective_price(transaction, base_fee) - base_fee, receipt.gas_used - before))
        before = receipt.gas_used
    weighed.sort()
    rewards, position, seen = [], 0, weighed[0][1]
    for percentile in percentiles:
        threshold = view.header.gas_used * percentile / 100
        while seen < threshold and position < len(weighed) - 1:
            position += 1
            seen += weighed[position][1]
        rewards.append(qty(weighed[position][0]))
    return rewards


def _base_fee(view: View) -> int:
    header: Any = view.header
    return int(header.base_fee_per_gas)


def _base_fee_after(view: View) -> int:
    header: Any = view.chain.create_header_from_parent(view.header)
    return int(header.base_fee_per_gas)
