"""Fees: first offers, replacements, gas limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.model.chain import FeeQuote
from registry.services.anchoring.fees import Fees, bumped_fees, first_fees, gas_limit
from registry.services.policy import MAX_TRANSACTION_GAS

GWEI = 10**9
WEI = st.integers(0, 10**13)


def test_first_offer_is_twice_the_base_fee_and_the_tip() -> None:
    assert first_fees(FeeQuote(10 * GWEI, GWEI), 500 * GWEI) == Fees(21 * GWEI, GWEI)


def test_first_offer_is_capped() -> None:
    assert first_fees(FeeQuote(10 * GWEI, GWEI), 12 * GWEI) == Fees(12 * GWEI, GWEI)


def test_nothing_is_offered_while_the_base_fee_is_above_the_cap() -> None:
    assert first_fees(FeeQuote(13 * GWEI, GWEI), 12 * GWEI) is None


def test_tip_is_never_above_the_fee() -> None:
    assert first_fees(FeeQuote(1, 5 * GWEI), 2 * GWEI) == Fees(2 * GWEI, 2 * GWEI)


def test_replacement_offers_an_eighth_more_in_both_fields() -> None:
    assert bumped_fees(Fees(8000, 800), FeeQuote(1, 1), 10**6) == Fees(9000, 900)


def test_replacement_follows_a_jump_of_the_base_fee() -> None:
    bumped = bumped_fees(Fees(21 * GWEI, GWEI), FeeQuote(100 * GWEI, GWEI), 500 * GWEI)
    assert bumped == Fees(201 * GWEI, GWEI * 9 // 8)


def test_no_replacement_without_room_under_the_cap() -> None:
    assert bumped_fees(Fees(100, 10), FeeQuote(1, 1), 112) is None


@given(WEI, WEI, WEI, WEI, st.integers(1, 10**13))
def test_replacement_is_always_one_that_nodes_take(
    max_fee: int, tip: int, base: int, quoted_tip: int, cap: int
) -> None:
    old = Fees(max(max_fee, tip), tip)
    new = bumped_fees(old, FeeQuote(base, quoted_tip), cap)
    if new is None:
        return
    assert 8 * new.max_fee_per_gas_wei >= 9 * old.max_fee_per_gas_wei
    assert 8 * new.max_priority_fee_per_gas_wei >= 9 * old.max_priority_fee_per_gas_wei
    assert new.max_fee_per_gas_wei > old.max_fee_per_gas_wei
    assert new.max_priority_fee_per_gas_wei > old.max_priority_fee_per_gas_wei
    assert new.max_priority_fee_per_gas_wei <= new.max_fee_per_gas_wei <= cap


@pytest.mark.parametrize(
    ("estimate", "limit"),
    [(40_000, 60_000), (MAX_TRANSACTION_GAS, MAX_TRANSACTION_GAS), (MAX_TRANSACTION_GAS + 1, None)],
)
def test_gas_limit_has_a_margin_and_ends_at_the_cap(estimate: int, limit: int | None) -> None:
    assert gas_limit(estimate) == limit
