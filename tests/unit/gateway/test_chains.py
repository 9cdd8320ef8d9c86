"""Which chains are for tests, and which keys everybody knows."""

from __future__ import annotations

import pytest
from eth_account import Account

from registry.chain.chains import (
    LOCAL_CHAINS,
    PUBLIC_TEST_CHAINS,
    is_known_development_key,
    is_test_chain,
    refuse_development_key,
)
from registry.chain.keystore import LocalSigner
from registry.encoding import Address
from registry.errors import ConfigurationError

MNEMONICS = {
    "test test test test test test test test test test test junk": 20,
    "myth like bonus scare over problem client lizard pioneer submit female collect": 10,
    "candy maple cake sugar pudding cream honey rich smooth crumble sweet treat": 10,
}


def test_the_accounts_of_development_tools_are_known() -> None:
    Account.enable_unaudited_hdwallet_features()
    for mnemonic, count in MNEMONICS.items():
        for index in range(count):
            account = Account.from_mnemonic(mnemonic, account_path=f"m/44'/60'/0'/0/{index}")
            assert is_known_development_key(Address(bytes.fromhex(account.address[2:])))
    for number in range(1, 11):
        assert is_known_development_key(LocalSigner(number.to_bytes(32, "big")).address)
    assert not is_known_development_key(LocalSigner(b"\x17" * 32).address)


@pytest.mark.parametrize("chain_id", [1, 10, 100, 137, 8453, 42161, 11155111, 17000, 999_999])
def test_a_development_key_is_refused_where_others_can_reach_the_chain(chain_id: int) -> None:
    with pytest.raises(ConfigurationError, match=str(chain_id)):
        refuse_development_key(LocalSigner((1).to_bytes(32, "big")).address, chain_id)
    refuse_development_key(LocalSigner(b"\x17" * 32).address, chain_id)


@pytest.mark.parametrize("chain_id", sorted(LOCAL_CHAINS))
def test_a_development_key_is_fine_on_a_local_chain(chain_id: int) -> None:
    refuse_development_key(LocalSigner((1).to_bytes(32, "big")).address, chain_id)


def test_test_chains_are_the_local_and_the_public_ones_for_tests() -> None:
    assert all(is_test_chain(chain_id) for chain_id in LOCAL_CHAINS | PUBLIC_TEST_CHAINS)
    assert not any(is_test_chain(chain_id) for chain_id in (1, 10, 56, 100, 137, 8453, 42161, 59144))
