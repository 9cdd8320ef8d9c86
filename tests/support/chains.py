"""A chain with the registry on it, to be driven by tests: the same controls over the embedded chain and
over anvil."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from registry.chain.embedded import RpcError
from registry.chain.embedded.testing import EmbeddedTesting
from registry.chain.factory import deploy_by_rpc, open_embedded, open_rpc
from registry.chain.gateway import Web3Gateway
from registry.chain.keystore import LocalSigner
from registry.encoding import Address, Root
from registry.model.chain import (
    CallKind,
    Change,
    ContractCall,
    Receipt,
    Role,
    SignedTransaction,
    UnsignedTransaction,
)
from registry.ports.signer import Signer
from tests.support.anvil import DEV_KEYS, Anvil, anvil
from tests.support.hostile_node import Backend, in_process, node_at

ALL_ROLES = int(Role.ANCHOR | Role.SUSPEND | Role.REVOKE | Role.WITHDRAW)
NOBODY = Address(bytes.fromhex("00000000000000000000000000000000000000ff"))


@dataclass
class DrivenChain:
    """A gateway, an account with ether, and power over the chain's blocks.

    Attributes:
        backend: the node beneath, for a stand-in that changes its answers.
        mine: mines that many blocks at once; waiting transactions go into the first.
        replace: replaces the newest blocks, that many, by as many others without transactions.
        automines: whether the node mines each transaction by itself, soon after it has accepted it.
    """

    gateway: Web3Gateway
    signer: Signer
    backend: Callable[[], Backend]
    mine: Callable[[int], None]
    replace: Callable[[int], None]
    automines: Callable[[], bool] = lambda: False

    def sign(
        self,
        to: Address,
        data: bytes,
        *,
        value_wei: int = 0,
        nonce: int | None = None,
        tip_wei: int | None = None,
        gas_limit: int = 400_000,
    ) -> SignedTransaction:
        """A transaction with the next nonce, and fees that get it mined, unless others are given."""
        fees = self.gateway.fee_quote()
        tip = fees.priority_fee_wei if tip_wei is None else tip_wei
        account = self.signer.address
        return self.signer.sign_transaction(
            UnsignedTransaction(
                chain_id=self.gateway.info.chain_id,
                nonce=self.gateway.transaction_count(account, pending=True) if nonce is None else nonce,
                to=to,
                data=data,
                gas_limit=gas_limit,
                max_fee_per_gas_wei=2 * fees.base_fee_wei + tip,
                max_priority_fee_per_gas_wei=tip,
                value_wei=value_wei,
            )
        )

    def sign_call(self, call: ContractCall, *, nonce: int | None = None) -> SignedTransaction:
        """The direct form of a call, signed."""
        to, data = self.gateway.encoder.direct(call)
        return self.sign(to, data, value_wei=call.value_wei, nonce=nonce)

    def mined(self, signed: SignedTransaction) -> Receipt:
        """Send a transaction, have it mined, and return its receipt; its block is the newest.

        A node that mines by itself is waited for: told to mine in between, it puts an empty block on top.
        """
        self.gateway.send_raw(signed.raw)
        receipt = self.gateway.receipt(signed.hash)
        if receipt is None:
            if self.automines():
                wait_for(lambda: self.gateway.receipt(signed.hash) is not None)
            else:
                self.mine(1)
            receipt = self.gateway.receipt(signed.hash)
        assert receipt is not None
        return receipt

    def do(self, call: ContractCall) -> Receipt:
        """Send the direct form of a call, mine it, and return its receipt."""
        return self.mined(self.sign_call(call))

    @property
    def issuer(self) -> Address:
        """The account that acts: its own admin, and its own key once `make_issuer` was called."""
        return self.signer.address

    def make_issuer(self) -> Receipt:
        """Give the account the account as a key with all roles."""
        return self.do(ContractCall(CallKind.ADD_KEY, self.issuer, account=self.issuer, roles=ALL_ROLES))

    def anchor(self, root: Root) -> Receipt:
        """Anchor a root."""
        return self.do(ContractCall(CallKind.ANCHOR, self.issuer, root=root))

    def revoke(self, root: Root, mask: int, *, word: int = 0, reason: int = 0) -> Receipt:
        """Revoke the credentials of a word's mask."""
        change = (Change(word, mask),)
        return self.do(ContractCall(CallKind.REVOKE, self.issuer, root=root, changes=change, reason=reason))


@contextmanager
def embedded_chain(directory: Path) -> Iterator[DrivenChain]:
    """The embedded chain in that directory."""
    gateway = open_embedded(directory)
    testing = EmbeddedTesting(gateway.chain)

    def mine(blocks: int) -> None:
        testing.mine(blocks)

    def replace(depth: int) -> None:
        number = gateway.latest().number
        snapshot = type(testing.snapshot())(gateway.header(number - depth).hash, number - depth)
        testing.revert(snapshot)
        testing.mine(depth)

    try:
        yield DrivenChain(
            gateway, gateway.funder, lambda: in_process(gateway.chain.request, RpcError), mine, replace
        )
    finally:
        gateway.close()


@contextmanager
def anvil_chain(*, finalized_tag: bool = False, **options: object) -> Iterator[DrivenChain]:
    """A fresh anvil with the registry."""
    with anvil(**options) as node, driven_anvil(node, finalized_tag=finalized_tag) as driven:  # type: ignore[arg-type]
        yield driven


@contextmanager
def driven_anvil(node: Anvil, *, finalized_tag: bool = False) -> Iterator[DrivenChain]:
    """The registry on a running anvil, which mines each transaction at once."""
    signer = LocalSigner(DEV_KEYS[0])
    deploy_by_rpc([node.url], signer)
    gateway = open_rpc([node.url], has_finalized_tag=finalized_tag)
    try:
        yield DrivenChain(gateway, signer, lambda: node_at(node.url), node.mine, node.reorg, node.automines)
    finally:
        gateway.close()


def root_of(number: int) -> Root:
    """A root that is no function's selector."""
    return Root(b"\xee" + number.to_bytes(31, "big"))


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
