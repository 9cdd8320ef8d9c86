"""Storage proofs in a world that was made up, with py-trie as the other opinion."""

from __future__ import annotations

import random

import pytest
import rlp
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from registry.encoding import Address
from registry.errors import MalformedEvidenceError
from registry.model.chain import Header
from registry.verdict import storage_proofs
from registry.verdict.storage_proofs import (
    EMPTY_CODE_HASH,
    EMPTY_TRIE_ROOT,
    MAX_HEADER_BYTES,
    ProvenAccount,
    verify_account,
    verify_header,
    verify_slot,
)
from tests.support.fabricated import World

HERE = Address(b"\xaa" * 20)
CODE = keccak(b"code")
STORAGE = {slot: (slot * 7919) ** 5 % 2**256 or 1 for slot in range(200)} | {
    5: 1,
    6: 127,
    7: 128,
    8: 2**256 - 1,
}


@pytest.fixture(scope="module")
def world() -> World:
    return World(HERE, CODE, STORAGE)


# --- a world that fits together -----------------------------------------------------------------------------


def test_a_fabricated_world_verifies_in_itself(world: World) -> None:
    """Which is why a block hash has to be known from elsewhere."""
    proof = world.proof(*STORAGE)
    header = verify_header(proof.header_rlp)
    assert header.header == Header(world.number, world.block_hash, b"\x01" * 32, world.timestamp)  # type: ignore[arg-type]
    account = verify_account(header.state_root, HERE, proof.account_proof)
    assert account == ProvenAccount(world.storage_root, CODE)
    assert {
        slot: verify_slot(account.storage_root, slot, nodes) for slot, nodes in proof.storage_proofs
    } == STORAGE


def test_a_slot_that_was_never_set_is_proven_zero(world: World) -> None:
    for slot, nodes in world.proof(*range(200, 300), 2**256 - 1).storage_proofs:
        assert verify_slot(world.storage_root, slot, nodes) == 0


def test_an_account_that_does_not_exist_is_proven_empty(world: World) -> None:
    trie = world.state_trie
    for number in range(50, 90):
        missing = Address(bytes([number]) * 20)
        nodes = [rlp.encode(node) for node in trie.get_proof(keccak(missing))]
        assert verify_account(world.state_root, missing, nodes) == ProvenAccount(
            EMPTY_TRIE_ROOT, EMPTY_CODE_HASH
        )


def test_an_empty_storage_proves_zero_with_no_node_or_the_empty_one() -> None:
    assert verify_slot(EMPTY_TRIE_ROOT, 3, ()) == 0
    assert verify_slot(EMPTY_TRIE_ROOT, 3, (b"\x80",)) == 0
    with pytest.raises(MalformedEvidenceError):
        verify_slot(EMPTY_TRIE_ROOT, 3, (b"\xc0",))


@pytest.mark.parametrize("later_fields", range(7))
def test_headers_of_every_fork_are_read(world: World, later_fields: int) -> None:
    header = World(HERE, CODE, STORAGE, later_fields=later_fields)
    assert verify_header(header.header_rlp).header.hash == header.block_hash


# --- what must not verify -----------------------------------------------------------------------------------


def test_a_proof_cut_anywhere_is_an_error_and_never_absence(world: World) -> None:
    present, absent = 17, 4_711
    for slot, nodes in world.proof(present, absent).storage_proofs:
        for cut in range(len(nodes)):
            for part in (nodes[:cut], nodes[cut + 1 :], nodes[:cut] + nodes[cut + 1 :]):
                with pytest.raises(MalformedEvidenceError):
                    verify_slot(world.storage_root, slot, part)
    nodes = world.proof().account_proof
    for cut in range(len(nodes)):
        with pytest.raises(MalformedEvidenceError):
            verify_account(world.state_root, HERE, nodes[:cut])


def test_every_node_cut_short_by_any_number_of_bytes_is_an_error(world: World) -> None:
    ((slot, nodes),) = world.proof(17).storage_proofs
    for number, node in enumerate(nodes):
        for length in range(len(node)):
            with pytest.raises(MalformedEvidenceError):
                verify_slot(world.storage_root, slot, (*nodes[:number], node[:length], *nodes[number + 1 :]))


def test_any_changed_byte_of_a_proof_is_an_error(world: World) -> None:
    ((slot, nodes),) = world.proof(17).storage_proofs
    for number, node in enumerate(nodes):
        for position in range(len(node)):
            changed = bytearray(node)
            changed[position] ^= 1
            with pytest.raises(MalformedEvidenceError):
                verify_slot(world.storage_root, slot, (*nodes[:number], bytes(changed), *nodes[number + 1 :]))


def test_a_proof_of_another_slot_proves_nothing_of_this_one(world: World) -> None:
    proofs = dict(world.proof(*range(20)).storage_proofs)
    for slot in proofs:
        for other, its_nodes in proofs.items():
            if slot != other:
                with pytest.raises(MalformedEvidenceError):
                    verify_slot(world.storage_root, slot, its_nodes)
    assert verify_slot(world.storage_root, 0, proofs[0]) == STORAGE[0]


def test_swapped_doubled_and_surplus_nodes_are_errors(world: World) -> None:
    ((slot, nodes),) = world.proof(17).storage_proofs
    account = world.proof().account_proof
    for wrong in (
        nodes[::-1],
        (*nodes, nodes[-1]),
        (nodes[0], *nodes),
        (*nodes, b"\x80"),
        account,
        (b"",),
        (b"\xc0",),
    ):
        with pytest.raises(MalformedEvidenceError):
            verify_slot(world.storage_root, slot, wrong)


def test_a_proof_under_another_worlds_root_is_an_error(world: World) -> None:
    other = world.with_storage(STORAGE | {17: 1})
    ((slot, nodes),) = world.proof(17).storage_proofs
    with pytest.raises(MalformedEvidenceError):
        verify_slot(other.storage_root, slot, nodes)
    with pytest.raises(MalformedEvidenceError):
        verify_account(other.state_root, HERE, world.proof().account_proof)


def test_an_account_proof_is_no_storage_proof(world: World) -> None:
    """The state trie's leaf is an account, not a word."""
    trie = HexaryTrie({})
    trie[keccak((3).to_bytes(32, "big"))] = rlp.encode([1, 0, bytes(32), bytes(32)])
    nodes = [rlp.encode(node) for node in trie.get_proof(keccak((3).to_bytes(32, "big")))]
    with pytest.raises(MalformedEvidenceError):
        verify_slot(trie.root_hash, 3, nodes)


@pytest.mark.parametrize(
    "account",
    [
        b"\x80",
        rlp.encode([1, 0, bytes(32)]),
        rlp.encode([1, 0, bytes(31), bytes(32)]),
        rlp.encode([1, 0, [], bytes(32)]),
    ],
)
def test_an_account_of_another_form_is_an_error(account: bytes) -> None:
    trie = HexaryTrie({})
    trie[keccak(HERE)] = account
    nodes = [rlp.encode(node) for node in trie.get_proof(keccak(HERE))]
    with pytest.raises(MalformedEvidenceError):
        verify_account(trie.root_hash, HERE, nodes)


def test_headers_of_another_form_are_errors(world: World) -> None:
    good = rlp.decode(world.header_rlp)
    bad = [
        b"",
        b"\x80",
        b"\xc0",
        world.header_rlp[:-1],
        world.header_rlp + b"\0",
        rlp.encode(good[:14]),
        rlp.encode([b"\x01" * 31, *good[1:]]),
        rlp.encode([*good[:3], b"\x01" * 31, *good[4:]]),
        rlp.encode([*good[:8], b"\0\x01", *good[9:]]),
        rlp.encode([*good[:8], b"\x01" * 9, *good[9:]]),
        rlp.encode([*good[:11], [], *good[12:]]),
        rlp.encode([*good, bytes(MAX_HEADER_BYTES)]),
        b"\xc1" * 4000,
        b"\xf9\xff\xff" + bytes(10),
    ]
    for header in bad:
        with pytest.raises(MalformedEvidenceError):
            verify_header(header)


@given(st.lists(st.binary(max_size=600), max_size=6), st.binary(min_size=32, max_size=32))
@settings(max_examples=200)
def test_arbitrary_bytes_are_an_error_and_nothing_else(nodes: list[bytes], root: bytes) -> None:
    with pytest.raises(MalformedEvidenceError):
        verify_slot(root, 1, nodes)
    if nodes:
        with pytest.raises(MalformedEvidenceError):
            verify_slot(keccak(nodes[0]), 1, [nodes[0], *nodes[1:], b"end"])


@given(st.dictionaries(st.integers(0, 400), st.integers(1, 2**256 - 1), max_size=40), st.integers(0, 400))
@settings(max_examples=100, deadline=None)
def test_py_trie_agrees(storage: dict[int, int], slot: int) -> None:
    world = World(HERE, CODE, storage)
    ((_, nodes),) = world.proof(slot).storage_proofs
    assert verify_slot(world.storage_root, slot, nodes) == storage.get(slot, 0)
    key = keccak(slot.to_bytes(32, "big"))
    theirs = HexaryTrie.get_from_proof(world.storage_root, key, [rlp.decode(node) for node in nodes])
    assert (rlp.decode(theirs) if theirs else b"") == (
        storage[slot].to_bytes((storage[slot].bit_length() + 7) // 8, "big") if slot in storage else b""
    )


def test_short_nodes_are_read_inside_their_parent_or_beside_it() -> None:
    """Keys that share all but the last nibble: their leaves have under 32 bytes and lie inside the branch."""
    key = b"\x77" * 31
    trie = HexaryTrie({})
    for last in (0x70, 0x71, 0x72):
        trie[key + bytes([last])] = rlp.encode(last)
    nodes = [rlp.encode(node) for node in trie.get_proof(key + b"\x71")]
    outer = tuple(node for number, node in enumerate(nodes) if number == 0 or len(node) >= 32)
    assert len(outer) < len(nodes)
    for proof in (tuple(nodes), outer):
        assert storage_proofs._walk(trie.root_hash, key + b"\x71", proof) == b"\x71"
    assert storage_proofs._walk(trie.root_hash, key + b"\x73", outer) is None
    with pytest.raises(MalformedEvidenceError):
        storage_proofs._walk(trie.root_hash, key + b"\x71", outer[:-1])


KEY_NIBBLES = keccak((1).to_bytes(32, "big"))
LEAF_PATH = b"\x20" + KEY_NIBBLES


@pytest.mark.parametrize(
    "node",
    [
        [b"", b"value"],
        [b"\x40" + KEY_NIBBLES, b"value"],
        [b"\x21" + KEY_NIBBLES, b"value"],
        [b"\x2f" + KEY_NIBBLES, b"value"],
        [b"\x0f" + KEY_NIBBLES, b"value"],
        [b"\x00", b"\x11" * 32],
        [[], b"value"],
        [LEAF_PATH, [b"value"]],
        [LEAF_PATH, b"\xc0"],
        [LEAF_PATH, b"\x82\x01"],
        [LEAF_PATH, b"\x00"],
        [LEAF_PATH, rlp.encode(b"\x00\x01")],
        [LEAF_PATH, rlp.encode(b"\x01" * 33)],
        [LEAF_PATH, rlp.encode([b"\x01"])],
        [b"\x00" + KEY_NIBBLES[:1], b"short"],
        [b""] * 16,
        [b"\x11" * 32] * 17,
        [b"\x11" * 31] * 17,
        [],
    ],
    ids=lambda node: rlp.encode(node)[:12].hex(),
)
def test_a_trie_of_one_node_of_another_form_is_an_error(node: list[object]) -> None:
    raw = rlp.encode(node)
    with pytest.raises(MalformedEvidenceError):
        verify_slot(keccak(raw), 1, [raw])


@pytest.mark.parametrize(
    ("node", "word"),
    [
        ([LEAF_PATH, b"\x07"], 7),
        ([LEAF_PATH, rlp.encode(b"\x07" * 32)], int.from_bytes(b"\x07" * 32, "big")),
        ([LEAF_PATH, b"\x80"], 0),
        ([LEAF_PATH, b""], 0),
        ([b"\x20" + bytes(32), b"\x07"], 0),
        ([b"\x00" + bytes(2), b"\x11" * 32], 0),
        ([b""] * 17, 0),
    ],
)
def test_a_trie_of_one_node_gives_the_word_or_its_absence(node: list[bytes], word: int) -> None:
    raw = rlp.encode(node)
    assert verify_slot(keccak(raw), 1, [raw]) == word


def test_a_value_in_the_branch_where_a_key_ends_is_found() -> None:
    trie = HexaryTrie({})
    trie[b"\x12"] = b"short key" * 4
    trie[b"\x12\x34"] = b"longer key" * 4
    nodes = [rlp.encode(node) for node in trie.get_proof(b"\x12")]
    assert storage_proofs._walk(trie.root_hash, b"\x12", nodes) == b"short key" * 4


@pytest.mark.parametrize("proof", [[b"\xc0"] * 65, [bytes(1025)]])
def test_a_proof_larger_than_any_is_an_error(proof: list[bytes]) -> None:
    with pytest.raises(MalformedEvidenceError, match="larger"):
        verify_slot(bytes(32), 1, proof)


def test_random_worlds_do_not_depend_on_the_order_of_writing() -> None:
    slots = list(STORAGE)
    random.Random(1).shuffle(slots)
    shuffled = World(HERE, CODE, {slot: STORAGE[slot] for slot in slots})
    assert shuffled.block_hash == World(HERE, CODE, STORAGE).block_hash
