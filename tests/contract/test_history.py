"""History heads and storage: what the events rebuild, and where the contract keeps it."""

from __future__ import annotations

import random
from typing import Any

from tests.contract.story import ROOTS, tell_a_story
from tests.contract.support import NOW, Bench, Person, fold, heads_of, slot_of


def test_replaying_the_events_gives_the_heads_and_the_slots(
    bench: Bench, issuer: Person, key: Person, stranger: Person
) -> None:
    tell_a_story(bench, issuer, key, stranger)
    events = bench.events()
    heads = heads_of(events)
    assert len({event["event"] for event in events}) == 12
    for person in (issuer, stranger):
        assert bench.functions.headOf(person.address).call() == heads[person.address]
        head = slot_of(2, ("address", person.address))
        assert bench.storage(head) == int.from_bytes(heads[person.address])
    _assert_slots(bench, _rebuild(events))


def _rebuild(events: list[Any]) -> dict[bytes, int]:
    """Storage words, by slot, that follow from the events."""
    words: dict[bytes, int] = {}
    for event in events:
        args, issuer = event["args"], ("address", event["args"]["issuer"])
        match event["event"]:
            case "KeyAdded":
                words[slot_of(0, ("address", args["key"]))] = _packed(args["issuer"], NOW, 0, args["roles"])
            case "KeyRetired":
                slot = slot_of(0, ("address", args["key"]))
                words[slot] = _packed(args["issuer"], args["validUntil"], args["at"], words[slot] >> 240)
            case "BatchAnchored":
                slot = slot_of(1, issuer, ("bytes32", args["root"]))
                words[slot] = words.get(slot, 0) >> 200 << 200 | _packed(args["key"], args["at"], 0, 0)
            case "BatchWithdrawn":
                slot = slot_of(1, issuer, ("bytes32", args["root"]))
                words[slot] |= _packed("0x0", 0, args["at"], args["reason"])
            case "WithdrawalAnnulled":
                slot = slot_of(1, issuer, ("bytes32", args["root"]))
                words[slot] &= (1 << 200) - 1
            case "AdminProposed":
                words[slot_of(5, issuer)] = int(args["admin"], 16)
            case "AdminChanged":
                words[slot_of(4, issuer)] = int(args["admin"], 16)
                words[slot_of(5, issuer)] = 0
            case "Revoked" | "Suspended" | "Reinstated" | "RevocationAnnulled" as name:
                kind = 1 if name in ("Revoked", "RevocationAnnulled") else 2
                for change in args["changes"]:
                    place = ("uint64", change["word"])
                    slot = slot_of(3, ("uint8", kind), issuer, ("bytes32", args["root"]), place)
                    before = words.get(slot, 0)
                    sets = name in ("Revoked", "Suspended")
                    words[slot] = before | change["mask"] if sets else before & ~change["mask"]
    return words


def _packed(address: str, first: int, second: int, third: int) -> int:
    """address, uint40, uint40, uint16 in one word, the first in the lowest bits."""
    return int(address, 16) | first << 160 | second << 200 | third << 240


def _assert_slots(bench: Bench, words: dict[bytes, int]) -> None:
    assert len(words) > 10
    for slot, expected in words.items():
        assert bench.storage(slot) == expected


def test_a_hidden_added_or_changed_event_gives_another_head(
    bench: Bench, issuer: Person, key: Person, stranger: Person
) -> None:
    tell_a_story(bench, issuer, key, stranger)
    events = [event for event in bench.events() if event["args"]["issuer"] == issuer.address]
    on_chain = bench.functions.headOf(issuer.address).call()
    dice = random.Random(5)

    def head(sequence: list[Any]) -> bytes:
        result = bytes(32)
        for event in sequence:
            result = fold(result, event)
        return result

    assert head(events) == on_chain
    for position in range(len(events)):
        assert head(events[:position] + events[position + 1 :]) != on_chain
        assert head([*events[:position], dice.choice(events), *events[position:]]) != on_chain
        if position:
            swapped = [*events]
            swapped[position - 1 : position + 1] = reversed(swapped[position - 1 : position + 1])
            assert head(swapped) != on_chain


def test_nonces_are_at_their_slot(bench: Bench, issuer: Person, key: Person) -> None:
    signature = bench.sign_anchor(key, issuer, ROOTS[0])
    call = bench.functions.anchorBySig(key.address, issuer.address, ROOTS[0], 2**256 - 1, signature)
    bench.send(call, issuer)
    assert bench.storage(slot_of(6, ("address", key.address))) == 1
    assert bench.functions.nonceOf(key.address).call() == 1


def test_bits_of_reads_one_word_of_one_kind(bench: Bench, issuer: Person, key: Person, root: bytes) -> None:
    bench.send(bench.functions.revoke(root, [(4, 5)], 1), key)
    bench.send(bench.functions.suspend(root, [(4, 6)], 7), key)
    read = bench.functions.bitsOf
    assert [read(kind, issuer.address, root, 4).call() for kind in (0, 1, 2, 3)] == [0, 5, 6, 0]
    assert read(1, issuer.address, root, 5).call() == 0
