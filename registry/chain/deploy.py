"""Putting the registry on a chain: through the CREATE2 factory where there is one, so that its address is
the same everywhere.

The factory is the deterministic deployment proxy at 0x4e59b44847b379578588920ca78fbf26c0b4956c: call data
is salt || init code (EIP-1014). Where it is missing, the contract is created from the sender's account and
gets an address of its own. Deploying again where our code stands already is nothing to do.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import rlp
from eth_hash.auto import keccak

from registry.chain.abi import load_artifact
from registry.chain.blocks import code_at
from registry.chain.chains import refuse_development_key
from registry.chain.gateway import chain_id_of
from registry.chain.node import Node
from registry.chain.rpc import Refusal, hexed, mapping, quantity
from registry.chain.sending import fees_of
from registry.encoding import Address, TxHash, to_checksum, to_hex
from registry.errors import (
    ChainUnavailableError,
    ConfigurationError,
    ContractRevertedError,
    TransactionRejectedError,
)
from registry.model.chain import UnsignedTransaction
from registry.ports.signer import Signer

FACTORY_CODE: Final = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "e03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
)
DEPLOYMENT_TIMEOUT_SECONDS: Final = 180.0
_POLL_SECONDS: Final = 0.25
_TIP_WEI: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class DeployedRegistry:
    """Where the registry stands. ``transaction`` and ``block_number`` are None when it stood there before."""

    chain_id: int
    address: Address
    transaction: TxHash | None
    block_number: int | None


def deploy_registry(
    node: Node,
    signer: Signer,
    *,
    expected_chain_id: int | None = None,
    timeout_seconds: float = DEPLOYMENT_TIMEOUT_SECONDS,
) -> DeployedRegistry:
    """Deploy, wait until it is mined, and check the code that is there then.

    Args:
        node: of the chain.
        signer: an account with ether for about 4 million gas.
        expected_chain_id: of the settings; None takes the node's.
        timeout_seconds: for the transaction to be mined.

    Raises:
        ConfigurationError: the node is on another chain, other code stands at the address, or the signer's
            key is a development key.
        ContractRevertedError: the transaction failed. TransactionRejectedError: the node refused it.
        ChainUnavailableError: the node does not answer, or the transaction is not mined in time; deploying
            again is safe with the factory, and may leave a second contract without it.
    """
    chain_id = chain_id_of(node)
    if expected_chain_id not in (None, chain_id):
        raise ConfigurationError(
            f"node {node.name} is on another chain: expected chain id {expected_chain_id}, found {chain_id}"
        )
    refuse_development_key(signer.address, chain_id)
    artifact = load_artifact()
    if code_at(node, artifact.create2_address):
        _require_registry(node, artifact.create2_address)
        return DeployedRegistry(chain_id, artifact.create2_address, None, None)
    nonce = _count(node, signer.address)
    if code_at(node, artifact.create2_factory) == FACTORY_CODE:
        to, payload = artifact.create2_factory, artifact.create2_salt + artifact.bytecode
        address = artifact.create2_address
    else:
        to, payload = Address(b""), artifact.bytecode
        address = _created_address(signer.address, nonce)
    signed = signer.sign_transaction(_transaction(node, chain_id, signer.address, nonce, to, payload))
    _send(node, signed.raw)
    block_number = _wait(node, signed.hash, timeout_seconds)
    _require_registry(node, address)
    return DeployedRegistry(chain_id, address, signed.hash, block_number)


def _transaction(
    node: Node, chain_id: int, sender: Address, nonce: int, to: Address, payload: bytes
) -> UnsignedTransaction:
    base_fee, tip = fees_of(node)
    tip = max(tip, _TIP_WEI)
    call = {"from": hexed(sender), "data": hexed(payload)} | ({"to": hexed(to)} if to else {})
    estimated = node.ask("eth_estimateGas", call)
    gas = node.reading("eth_estimateGas", lambda: quantity(estimated, "gas"))
    return UnsignedTransaction(
        chain_id=chain_id,
        nonce=nonce,
        to=to,
        data=payload,
        gas_limit=gas * 6 // 5,
        max_fee_per_gas_wei=2 * base_fee + tip,
        max_priority_fee_per_gas_wei=tip,
    )


def _send(node: Node, raw: bytes) -> None:
    try:
        node.raw("eth_sendRawTransaction", hexed(raw))
    except Refusal as refusal:
        raise TransactionRejectedError(
            f"node {node.name} refused the deployment: {refusal.message}"
        ) from refusal


def _wait(node: Node, transaction: TxHash, timeout_seconds: float) -> int:
    """The block that has the transaction."""
    deadline = time.monotonic() + timeout_seconds
    while (receipt := node.ask("eth_getTransactionReceipt", hexed(transaction))) is None:
        if time.monotonic() >= deadline:
            raise ChainUnavailableError(f"the deployment {to_hex(transaction)} is not mined yet")
        time.sleep(_POLL_SECONDS)
    if node.reading("a receipt", lambda: quantity(mapping(receipt, "receipt").get("status"), "status")) != 1:
        raise ContractRevertedError("the deployment failed; is the gas limit of the chain's blocks too low?")
    return node.reading("a receipt", lambda: quantity(receipt.get("blockNumber"), "block number"))


def _require_registry(node: Node, address: Address) -> None:
    found, expected = keccak(code_at(node, address)), load_artifact().code_hash
    if found != expected:
        raise ConfigurationError(
            f"the contract at {to_checksum(address)} is not this registry: "
            f"expected code hash {to_hex(expected)}, found {to_hex(found)}"
        )


def _count(node: Node, account: Address) -> int:
    found = node.ask("eth_getTransactionCount", hexed(account), "pending")
    return node.reading("eth_getTransactionCount", lambda: quantity(found, "count"))


def _created_address(sender: Address, nonce: int) -> Address:
    """Address of a contract created by an account (Yellow Paper, section 7)."""
    return Address(keccak(rlp.encode([sender, nonce]))[12:])
