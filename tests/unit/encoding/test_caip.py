"""CAIP-2 and CAIP-10 names of EVM chains and accounts."""

from __future__ import annotations

import pytest

from registry.encoding import AccountId, Address, ChainId, parse_account_id, parse_chain_id
from registry.errors import ValidationError

ADDRESS = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "eip155",
        "eip155:",
        "eip155:0",
        "eip155:01",
        "eip155:-1",
        "eip155:1:",
        "EIP155:1",
        "solana:1",
        "eip155:\u0661",
    ],
)
def test_what_is_no_chain_is_refused(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_chain_id(text, pointer="/chain")
    assert (caught.value.faults[0].code, caught.value.faults[0].pointer) == ("chain-id", "/chain")


def test_chain_is_read_and_written() -> None:
    assert parse_chain_id("eip155:31337") == ChainId(31337)
    assert str(ChainId(1)) == "eip155:1"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (17, "type"),
        ("", "account-id"),
        (ADDRESS, "account-id"),
        ("eip155:1", "account-id"),
        (f"1:{ADDRESS}", "account-id"),
        (f"bip122:1:{ADDRESS}", "chain-id"),
        (f"eip155:1:1:{ADDRESS}", "chain-id"),
        (f"eip155:1:{ADDRESS[:-2]}", "hex-length"),
        (f"eip155:1:{ADDRESS[:-1]}D", "address-checksum"),
    ],
)
def test_what_is_no_account_is_refused(text: object, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_account_id(text, pointer="/registry")
    assert (caught.value.faults[0].code, caught.value.faults[0].pointer) == (code, "/registry")


def test_a_number_is_no_chain() -> None:
    with pytest.raises(ValidationError):
        parse_chain_id(1)


def test_account_is_read_with_checksum_and_written_in_lower_case() -> None:
    account = parse_account_id("eip155:31337:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
    assert account == AccountId(ChainId(31337), Address(bytes.fromhex(ADDRESS[2:])))
    assert str(account) == f"eip155:31337:{ADDRESS}"
