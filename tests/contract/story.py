"""A history of two issuers, with every kind of event, that several tests read."""

from __future__ import annotations

from typing import Any

from tests.contract.support import Bench, Person

ROOTS = [bytes([i]) * 32 for i in (0x41, 0x42)]


def tell_a_story(bench: Bench, issuer: Person, key: Person, stranger: Person) -> None:
    """Two issuers, all twelve kinds of events, several times, in a fixed but mixed order."""
    f, other = bench.functions, bench.people[4]
    bench.send(f.addKey(stranger.address, stranger.address, 15, 0, b""), stranger)
    bench.add_key(issuer, other, 1)
    for root in ROOTS:
        bench.anchor(key, root)
        bench.anchor(stranger, root)
    steps: list[tuple[Any, Person]] = [
        (f.revoke(ROOTS[0], [(0, 3), (9, 1 << 255)], 1), key),
        (f.suspend(ROOTS[0], [(0, 6)], 7), key),
        (f.reinstate(ROOTS[0], [(0, 4)], 0), key),
        (f.revoke(ROOTS[1], [(2**56 - 1, 5)], 9), stranger),
        (f.annul(issuer.address, ROOTS[0], [(0, 1)], 2), issuer),
        (f.withdraw(ROOTS[1], 3), key),
        (f.withdraw(ROOTS[0], 4), key),
        (f.annulWithdrawal(issuer.address, ROOTS[0], 5), issuer),
        (f.setProfile(issuer.address, "https://example.org/" + "x" * 40), issuer),
        (f.proposeAdmin(issuer.address, other.address), issuer),
        (f.acceptAdmin(issuer.address), other),
        (f.proposeAdmin(issuer.address, stranger.address), other),
        (f.retireKey(issuer.address, key.address, 1_000, 6), other),
        (f.anchor(ROOTS[0]), other),
    ]
    for call, sender in steps:
        bench.send(call, sender)
