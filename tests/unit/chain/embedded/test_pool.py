"""The order of the waiting transactions and the rules that need no chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from eth.abc import StateAPI
from eth_typing import Address

from registry.chain.embedded import RpcError
from registry.chain.embedded.pool import MAX_POOL_TRANSACTIONS, Pool, Waiting, floor_gas

A, B = Address(b"\x0a" * 20), Address(b"\x0b" * 20)
RICH = 10**30


@dataclass
class Transaction:
    """The fields that the pool reads."""

    name: str
    gas: int = 21_000
    value: int = 0
    to: bytes = b"\x01" * 20
    data: bytes = b""
    intrinsic_gas: int = 21_000

    def validate(self) -> None:
        """Valid."""


@dataclass
class State:
    """Nonces and balances by address."""

    nonces: dict[bytes, int] = field(default_factory=dict)
    balance: int = RICH

    def get_nonce(self, address: bytes) -> int:
        return self.nonces.get(address, 0)

    def get_balance(self, address: bytes) -> int:
        return self.balance


def waiting(name: str, sender: Address, nonce: int, fee: int = 100, tip: int = 10, **fields: Any) -> Waiting:
    transaction = Transaction(name, **fields)
    return Waiting(transaction, name.encode(), name.encode(), sender, nonce, fee, tip)


def state(balance: int = RICH, **nonces: int) -> StateAPI:
    return cast(StateAPI, State({A: nonces.get("a", 0), B: nonces.get("b", 0)}, balance))


def order(pool: Pool, base_fee: int = 0, **nonces: int) -> str:
    return "".join(cast(Transaction, one).name for one in pool.executable(state(**nonces), base_fee))


def test_each_senders_transactions_go_in_nonce_order_whatever_the_arrival() -> None:
    pool = Pool()
    for one in (waiting("2", A, 1), waiting("x", B, 0), waiting("1", A, 0), waiting("3", A, 2)):
        pool.add(one)
    assert order(pool) == "123x"
    assert order(pool, a=1, b=1) == "23"
    assert order(pool, a=3) == "x"


def test_gap_or_low_fee_holds_back_what_comes_after_it() -> None:
    pool = Pool()
    for one in (waiting("1", A, 0), waiting("3", A, 2), waiting("x", B, 0, fee=5), waiting("y", B, 1)):
        pool.add(one)
    assert order(pool, base_fee=6) == "1"
    assert order(pool, base_fee=5) == "1xy"
    assert pool.next_nonce(A, 0) == 1
    assert pool.next_nonce(A, 2) == 3


def test_replacement_takes_the_place_and_the_version_moves() -> None:
    pool = Pool()
    pool.add(waiting("1", A, 0))
    version = pool.version
    better = waiting("2", A, 0, fee=110, tip=11)
    assert pool.check(better, state(), 10**6) is pool.get(b"1")
    pool.add(better)
    assert (len(pool), pool.get(b"1"), order(pool)) == (1, None, "2")
    assert pool.version != version
    pool.remove(better)
    assert (len(pool), list(pool)) == (0, [])


@pytest.mark.parametrize(("fee", "tip"), [(109, 11), (110, 10), (100, 10), (1000, 10)])
def test_replacement_that_pays_too_little_more_is_underpriced(fee: int, tip: int) -> None:
    pool = Pool()
    pool.add(waiting("1", A, 0))
    with pytest.raises(RpcError, match="replacement transaction underpriced"):
        pool.check(waiting("2", A, 0, fee=fee, tip=tip), state(), 10**6)


def test_replacement_of_a_transaction_without_tip_must_still_pay_more() -> None:
    pool = Pool()
    pool.add(waiting("1", A, 0, fee=0, tip=0))
    with pytest.raises(RpcError, match="underpriced"):
        pool.check(waiting("2", A, 0, fee=0, tip=0), state(), 10**6)


def test_replaced_transaction_does_not_count_against_the_balance() -> None:
    pool = Pool()
    pool.add(waiting("1", A, 0, value=1000))
    better = waiting("2", A, 0, fee=110, tip=11, value=1000)
    assert pool.check(better, state(balance=21_000 * 110 + 1000), 10**6) is not None


def test_full_pool_takes_replacements_only() -> None:
    pool = Pool()
    for number in range(MAX_POOL_TRANSACTIONS):
        pool.add(waiting(f"t{number}", A, number))
    with pytest.raises(RpcError, match="txpool is full"):
        pool.check(waiting("one more", B, 0), state(), 10**6)
    assert pool.check(waiting("better", A, 5, fee=110, tip=11), state(), 10**6) is not None


def test_stale_transactions_are_those_whose_nonce_is_used() -> None:
    pool = Pool()
    for one in (waiting("1", A, 0), waiting("2", A, 1), waiting("x", B, 0)):
        pool.add(one)
    assert [one.hash for one in pool.stale(state(a=1))] == [b"1"]


def test_floor_gas_is_that_of_eip_7623() -> None:
    assert floor_gas(b"") == 21_000
    assert floor_gas(b"\x00" * 3) == 21_030
    assert floor_gas(b"\x01\x00") == 21_050
