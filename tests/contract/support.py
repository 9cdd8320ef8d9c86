"""A registry contract on a chain in memory, and people who can call it and sign for it.

Everything here reads the contract through its committed artifact alone; history heads, storage slots and
digests are worked out again, so that the tests compare two independent makings.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from hashlib import sha256
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_tester import EthereumTester
from eth_tester.exceptions import TransactionFailed
from eth_utils import keccak, to_canonical_address, to_checksum_address
from web3 import Web3

from registry.chain import typed_data
from registry.chain.abi import CustomError, decode_custom_error, load_artifact, signature_of
from registry.encoding import Address, Root
from registry.model.chain import Change

NO_DEADLINE = 2**256 - 1
NOW = 2**40 - 1
ALL_ROLES = 15
GAS = 16_777_216  # EIP-7825: what one transaction may use
ALL_BITS = 2**256 - 1


class Status(IntEnum):
    """The contract's enum."""

    NONE = 0
    BAD_PROOF = 1
    NOT_ANCHORED = 2
    DISTRUSTED = 3
    WITHDRAWN = 4
    REVOKED = 5
    SUSPENDED = 6
    GOOD = 7


@dataclass(frozen=True)
class Person:
    """An account with its private key."""

    address: str
    private_key: bytes

    @property
    def raw(self) -> Address:
        return Address(to_canonical_address(self.address))

    def sign(self, data: Mapping[str, Any]) -> bytes:
        """EIP-712, as a wallet does it: r || s || v."""
        message = encode_typed_data(full_message=dict(data))
        return bytes(Account.sign_message(message, self.private_key).signature)


class Bench:
    """A deployed registry, its chain, and ten people with ether."""

    def __init__(self, tester: EthereumTester, w3: Web3, contract: Any) -> None:
        self.tester = tester
        self.w3 = w3
        self.contract = contract
        self.people = [
            Person(to_checksum_address(key.public_key.to_canonical_address()), key.to_bytes())
            for key in tester.backend.account_keys
        ]

    @cached_property
    def functions(self) -> Any:
        return self.contract.functions

    @cached_property
    def domain(self) -> typed_data.Domain:
        address = Address(to_canonical_address(self.contract.address))
        return typed_data.Domain(chain_id=self.tester.backend.chain.chain_id, registry=address)

    # ---------------------------------------------------------------------------------------------- calling

    def send(self, call: Any, sender: Person) -> Any:
        """The receipt of a call that succeeds."""
        return self._mined(call.transact({"from": sender.address, "gas": GAS}))

    def send_data(self, data: bytes, sender: Person, value: int = 0) -> Any:
        """The receipt of a transaction with just this call data."""
        transaction = {"from": sender.address, "to": self.contract.address, "data": data, "value": value}
        return self._mined(self.w3.eth.send_transaction({**transaction, "gas": GAS}))

    def _mined(self, transaction: bytes) -> Any:
        receipt = self.w3.eth.wait_for_transaction_receipt(transaction)
        assert receipt["status"] == 1
        return receipt

    def refusal(self, call: Any, sender: Person) -> CustomError | None:
        """The contract's error for a call that reverts."""
        return self.refusal_of_data(call._encode_transaction_data(), sender)

    def refusal_of_data(self, data: bytes | str, sender: Person, value: int = 0) -> CustomError | None:
        """The same for any call data; None for a revert without data."""
        transaction = {"from": sender.address, "to": self.contract.address, "data": data, "value": value}
        try:
            self.w3.eth.call({**transaction, "gas": GAS})
        except TransactionFailed as failure:
            _, _, raw = str(failure.args[0]).partition("execution reverted: ")
            return decode_custom_error(ast.literal_eval(raw))
        raise AssertionError("the call did not revert")

    # ---------------------------------------------------------------------------------------------- time

    @property
    def time(self) -> int:
        """Time of the newest block."""
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def wait(self, seconds: int = 100) -> int:
        """Let time pass; returns a time that lies in between."""
        middle = self.time + seconds // 2
        self.tester.time_travel(self.time + seconds)
        return middle

    # ---------------------------------------------------------------------------------------------- shorthand

    def add_key(self, issuer: Person, key: Person, roles: int = ALL_ROLES) -> Any:
        consent = key.sign(
            typed_data.key_consent(
                self.domain, issuer=issuer.raw, key=key.raw, roles=roles, deadline=NO_DEADLINE
            )
        )
        call = self.functions.addKey(issuer.address, key.address, roles, NO_DEADLINE, consent)
        return self.send(call, issuer)

    def anchor(self, key: Person, root: bytes) -> Any:
        return self.send(self.functions.anchor(root), key)

    def status(self, issuer: Person, root: bytes, index: int) -> Status:
        return Status(self.functions.statusOf(issuer.address, root, index).call()[1])

    def nonce(self, signer: Person) -> int:
        return int(self.functions.nonceOf(signer.address).call())

    # ---------------------------------------------------------------------------------------------- signing

    def sign_status(
        self,
        kind: typed_data.StatusType,
        signer: Person,
        issuer: Person,
        root: bytes,
        changes: Sequence[tuple[int, int]],
        reason: int,
        deadline: int = NO_DEADLINE,
    ) -> bytes:
        """A signature over Revoke, Suspend, Reinstate or Annul with the signer's next nonce."""
        return signer.sign(
            typed_data.status_change(
                self.domain,
                kind,
                issuer=issuer.raw,
                root=Root(root),
                changes=[Change(word, mask) for word, mask in changes],
                reason=reason,
                nonce=self.nonce(signer),
                deadline=deadline,
            )
        )

    def sign_anchor(
        self,
        signer: Person,
        issuer: Person,
        root: bytes,
        *,
        nonce: int | None = None,
        deadline: int = NO_DEADLINE,
    ) -> bytes:
        """A signature over Anchor, with the signer's next nonce unless another is given."""
        return signer.sign(
            typed_data.anchor(
                self.domain,
                issuer=issuer.raw,
                root=Root(root),
                nonce=self.nonce(signer) if nonce is None else nonce,
                deadline=deadline,
            )
        )

    # ---------------------------------------------------------------------------------------------- history

    def events(self) -> list[Any]:
        """Every event of the registry so far, decoded, in order."""
        logs = self.w3.eth.get_logs({"fromBlock": 0, "toBlock": "latest", "address": self.contract.address})
        return [self.decode(log) for log in logs]

    def decode(self, log: Any) -> Any:
        entry = ENTRIES_BY_TOPIC[bytes(log["topics"][0])]
        return self.contract.events[entry["name"]]().process_log(log)

    def storage(self, slot: bytes) -> int:
        """One word of the registry's storage."""
        return self.storage_at(int.from_bytes(slot))

    def storage_at(self, slot: int) -> int:
        """The same by number."""
        return int.from_bytes(self.w3.eth.get_storage_at(self.contract.address, slot))


ENTRIES_BY_TOPIC = {
    keccak(signature_of(entry).encode()): entry for entry in load_artifact().abi if entry["type"] == "event"
}


def fold(head: bytes, event: Any) -> bytes:
    """The head after ``event``: keccak256(abi.encode(head, entry)) of all its parameters but the head."""
    topic = keccak(
        signature_of(next(e for e in ENTRIES_BY_TOPIC.values() if e["name"] == event["event"])).encode()
    )
    inputs = [i for i in ENTRIES_BY_TOPIC[topic]["inputs"] if i["name"] != "head"]
    types = ["(uint64,uint256)[]" if i["type"] == "tuple[]" else i["type"] for i in inputs]
    values = [_plain(event["args"][i["name"]]) for i in inputs]
    return keccak(
        encode(["bytes32", "bytes32"], [head, keccak(encode(["bytes32", *types], [topic, *values]))])
    )


def _plain(value: Any) -> Any:
    """Changes as tuples; everything else as it is."""
    if isinstance(value, list | tuple):
        return [(change["word"], change["mask"]) for change in value]
    return value


def heads_of(events: Sequence[Any]) -> dict[str, bytes]:
    """Each issuer's head after these events; asserts that every event carries the head it should."""
    heads: dict[str, bytes] = {}
    for event in events:
        issuer = event["args"]["issuer"]
        heads[issuer] = fold(heads.get(issuer, bytes(32)), event)
        assert event["args"]["head"] == heads[issuer], event["event"]
    return heads


def slot_of(number: int, *keys: tuple[str, Any]) -> bytes:
    """Where a nested mapping keeps the value of ``keys``, which are (type, value), outermost first."""
    slot = number.to_bytes(32)
    for type_, value in keys:
        slot = keccak(encode([type_, "bytes32"], [value, slot]))
    return slot


# --- the tree ---------------------------------------------------------------------------------------


def leaf_of(method: int, issuer: bytes, index: int, salted: bytes) -> bytes:
    return sha256(bytes([method]) + issuer + index.to_bytes(8) + salted).digest()


def levels_of(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Leaves first, top last; an unpaired last node is carried up."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([sha256(b"".join(below[i : i + 2])).digest() for i in range(0, len(below) - 1, 2)])
        if len(below) % 2:
            levels[-1].append(below[-1])
    return levels


def path_of(levels: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    return list(_siblings(levels, index))


def _siblings(levels: Sequence[Sequence[bytes]], index: int) -> Iterator[bytes]:
    for level in levels[:-1]:
        if index ^ 1 < len(level):
            yield level[index ^ 1]
        index >>= 1


def root_of(levels: Sequence[Sequence[bytes]]) -> bytes:
    return sha256(b"\xff" + len(levels[0]).to_bytes(8) + levels[-1][0]).digest()
