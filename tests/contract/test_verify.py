"""`verify` on chain against a tree built in Python."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.contract.support import Bench, Person, Status, leaf_of, levels_of, path_of, root_of

METHOD = 1


def _salted(index: int) -> bytes:
    return sha256(b"salted %d" % index).digest()


def _tree(issuer: Person, size: int) -> list[list[bytes]]:
    return levels_of([leaf_of(METHOD, issuer.raw, index, _salted(index)) for index in range(size)])


def _verify(bench: Bench, issuer: Person, root: bytes, index: int, size: int, path: list[bytes]) -> Status:
    call = bench.functions.verify(issuer.address, root, METHOD, index, size, _salted(index), path)
    anchored_at, status = call.call()
    assert (anchored_at == 0) == (status in (Status.BAD_PROOF, Status.NOT_ANCHORED))
    return Status(status)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 31, 33])
def test_every_index_verifies(size: int, bench: Bench, issuer: Person, key: Person) -> None:
    levels = _tree(issuer, size)
    root = root_of(levels)
    bench.anchor(key, root)
    found = [_verify(bench, issuer, root, index, size, path_of(levels, index)) for index in range(size)]
    assert found == [Status.GOOD] * size


def test_a_large_tree_verifies_at_its_edges_and_follows_the_status(
    bench: Bench, issuer: Person, key: Person
) -> None:
    size = 1000
    levels = _tree(issuer, size)
    root = root_of(levels)
    assert _verify(bench, issuer, root, 999, size, path_of(levels, 999)) is Status.NOT_ANCHORED
    bench.anchor(key, root)
    bench.send(bench.functions.revoke(root, [(999 >> 8, 1 << (999 & 255))], 1), key)
    bench.send(bench.functions.suspend(root, [(0, 1)], 7), key)
    found = {
        index: _verify(bench, issuer, root, index, size, path_of(levels, index))
        for index in (0, 1, 511, 512, 998, 999)
    }
    assert found == dict.fromkeys((1, 511, 512, 998), Status.GOOD) | {
        0: Status.SUSPENDED,
        999: Status.REVOKED,
    }


def test_a_proof_moved_to_another_index_or_size_is_bad(bench: Bench, issuer: Person, key: Person) -> None:
    size = 11
    levels = _tree(issuer, size)
    root = root_of(levels)
    bench.anchor(key, root)
    path = path_of(levels, 6)
    call = bench.functions.verify
    for index in range(20):
        for claimed in (1, 6, 7, 10, 12, 16):
            answer = call(issuer.address, root, METHOD, index, claimed, _salted(6), path).call()
            assert answer == [0, Status.BAD_PROOF]
        if index != 6:
            answer = call(issuer.address, root, METHOD, index, size, _salted(6), path).call()
            assert answer == [0, Status.BAD_PROOF]


@pytest.mark.parametrize("size", [0, 2**32 + 1, 2**64 - 1])
def test_a_size_out_of_range_is_bad(size: int, bench: Bench, issuer: Person, root: bytes) -> None:
    assert _verify(bench, issuer, root, 0, size, []) is Status.BAD_PROOF
