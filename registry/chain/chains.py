"""What is known of chains by their id: which are for tests, and which keys everybody knows.

Ids: EIP-155, as registered at chainlist.org. Everything that is not in a table here counts as a chain where
    things are worth
something.
"""

from __future__ import annotations

from typing import Final

from registry.encoding import Address, to_checksum
from registry.errors import ConfigurationError

LOCAL_CHAINS: Final = frozenset({1337, 31337, 131277322940537})
"""Run by one person for themselves: geth --dev and ganache, hardhat, anvil and ours, eth-tester."""

PUBLIC_TEST_CHAINS: Final = frozenset(
    {
        5,  # Goerli
        97,  # BNB testnet
        300,  # zkSync Sepolia
        10200,  # Chiado
        17000,  # Holesky
        43113,  # Fuji
        59141,  # Linea Sepolia
        80002,  # Amoy
        84532,  # Base Sepolia
        421614,  # Arbitrum Sepolia
        534351,  # Scroll Sepolia
        560048,  # Hoodi
        11142220,  # Celo Sepolia
        11155111,  # Sepolia
        11155420,  # OP Sepolia
    }
)


def is_test_chain(chain_id: int) -> bool:
    """Whether what stands on this chain is a trial, which every report has to say."""
    return chain_id in LOCAL_CHAINS or chain_id in PUBLIC_TEST_CHAINS


def is_known_development_key(address: Address) -> bool:
    """Whether the account's private key is printed by a development tool."""
    return address in _KNOWN


def refuse_development_key(address: Address, chain_id: int) -> None:
    """Raise ConfigurationError when everybody has the account's key and the chain is anybody's."""
    if chain_id not in LOCAL_CHAINS and is_known_development_key(address):
        raise ConfigurationError(
            f"{to_checksum(address)} is a well-known development account; "
            f"its key must not be used on chain {chain_id}"
        )


_KNOWN: Final = frozenset(
    Address(bytes.fromhex(digits))
    for digits in (
        # anvil and hardhat, accounts 0 to 19
        "f39fd6e51aad88f6f4ce6ab8827279cfffb92266",
        "70997970c51812dc3a010c7d01b50e0d17dc79c8",
        "3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
        "90f79bf6eb2c4f870365e785982e1f101e93b906",
        "15d34aaf54267db7d7c367839aaf71a00a2c6a65",
        "9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
        "976ea74026e726554db657fa54763abd0c3a0aa9",
        "14dc79964da2c08b23698b3d3cc7ca32193d9955",
        "23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f",
        "a0ee7a142d267c1f36714e4a8f75612f20a79720",
        "bcd4042de499d14e55001ccbb24a551f3b954096",
        "71be63f3384f5fb98995898a86b02fb2426c5788",
        "fabb0ac9d68b0b445fb7357272ff202c5651694a",
        "1cbd3b2770909d4e10f157cabc84c7264073c9ec",
        "df3e18d64bc6a983f673ab319ccae4f1a57c7097",
        "cd3b766ccdd6ae721141f452c550ca635964ce71",
        "2546bcd3c84621e976d8185a91a922ae77ecec30",
        "bda5747bfd65f08deb54cb465eb87d40e51b197e",
        "dd2fd4581271e230360230f9337d5c0430bf44c0",
        "8626f6940e2eb28930efb4cef49b2d1f2c9c1199",
        # ganache --deterministic, accounts 0 to 9
        "90f8bf6a479f320ead074411a4b0e7944ea8c9c1",
        "ffcf8fdee72ac11b5c542428b35eef5769c409f0",
        "22d491bde2303f2f43325b2108d26f1eaba1e32b",
        "e11ba2b4d45eaed5996cd0823791e0c93114882d",
        "d03ea8624c8c5987235048901fb614fdca89b117",
        "95ced938f7991cd0dfcb48f0a06a40fa1af46ebc",
        "3e5e9111ae8eb78fe1cc3bb8915d5d461f3ef9a9",
        "28a8746e75304c0780e011bed21c72cd78cd535e",
        "aca94ef8bd5ffee41947b4585a84bda5a3d3da6e",
        "1df62f291b2e969fb0849d99d9ce41e2f137006e",
        # truffle develop, accounts 0 to 9
        "627306090abab3a6e1400e9345bc60c78a8bef57",
        "f17f52151ebef6c7334fad080c5704d77216b732",
        "c5fdf4076b8f3a5357c5e395ab970b5b54098fef",
        "821aea9a577a9b44299b9c15c88cf3087f3b5544",
        "0d1d4e623d10f9fba5db95830f7d3839406c6af2",
        "2932b7a2355d6fecc4b5c0b6bd44cc31df247a2e",
        "2191ef87e392377ec08e7c08eb105ef5448eced5",
        "0f4f2ac550a1b4e2280d04c21cea7ebd822934b5",
        "6330a553fc93768f612722bb8c2ec78ac90b3bbc",
        "5aeda56215b167893e80b4fe645ba6d5bab767de",
        # eth-tester, keys 1 to 10
        "7e5f4552091a69125d5dfcb7b8c2659029395bdf",
        "2b5ad5c4795c026514f8317c7a215e218dccd6cf",
        "6813eb9362372eef6200f3b1dbc3f819671cba69",
        "1eff47bc3a10a45d4b230b5d10e37751fe6aa718",
        "e1ab8145f7e55dc933d51a18c793f901a3a0b276",
        "e57bfe9f44b819898f47bf37e5af72a0783e1141",
        "d41c057fd1c78805aac12b0a94a405c0461a6fbb",
        "f1f6619b38a98d6de0800f1defc0a6399eb6d30c",
        "f7edc8fa1ecc32967f827c9043fcae6ba73afa5c",
        "4cceba2d7d2b4fdce4304d3e09a1fea9fbeb1528",
    )
)
