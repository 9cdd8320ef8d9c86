"""Every function of the contract that has a twin by signature, in both forms, on one scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from registry.chain import typed_data
from registry.encoding import Root
from tests.contract.support import ALL_BITS, NO_DEADLINE, Bench, Person

OTHER = b"\x22" * 32
CHANGES = [(0, 0b101), (7, ALL_BITS)]


@dataclass
class Scene:
    """An issuer with a key and an anchored root; ``newcomer`` is nobody's key."""

    bench: Bench
    issuer: Person
    key: Person
    newcomer: Person
    root: bytes

    def consent(self, roles: int) -> bytes:
        return self.newcomer.sign(
            typed_data.key_consent(
                self.bench.domain,
                issuer=self.issuer.raw,
                key=self.newcomer.raw,
                roles=roles,
                deadline=NO_DEADLINE,
            )
        )

    @property
    def common(self) -> dict[str, Any]:
        return {"issuer": self.issuer.raw, "deadline": NO_DEADLINE}


@dataclass(frozen=True)
class Operation:
    """One function in both forms. ``prepare`` makes the state in which it has an effect."""

    event: str
    by_admin: bool
    direct: Callable[[Scene], Any]
    typed: Callable[[Scene, int], dict[str, Any]]
    relayed: Callable[[Scene, str, bytes], Any]
    prepare: Callable[[Scene], Any] = lambda scene: None

    def actor(self, scene: Scene) -> Person:
        return scene.issuer if self.by_admin else scene.key


def _status(kind: typed_data.StatusType, event: str, prepare: Callable[[Scene], Any]) -> Operation:
    name = kind.lower()
    by_admin = kind == "Annul"

    def direct(s: Scene) -> Any:
        issuer = [s.issuer.address] if by_admin else []
        return s.bench.functions[name](*issuer, s.root, CHANGES, 300)

    def typed(s: Scene, nonce: int) -> dict[str, Any]:
        changes = [typed_data.Change(word, mask) for word, mask in CHANGES]
        return typed_data.status_change(
            s.bench.domain, kind, root=Root(s.root), changes=changes, reason=300, nonce=nonce, **s.common
        )

    def relayed(s: Scene, signer: str, signature: bytes) -> Any:
        function = s.bench.functions[f"{name}BySig"]
        return function(signer, s.issuer.address, s.root, CHANGES, 300, NO_DEADLINE, signature)

    return Operation(event, by_admin, direct, typed, relayed, prepare)


def _withdrawal(
    kind: typed_data.WithdrawalType, name: str, event: str, prepare: Callable[[Scene], Any]
) -> Operation:
    by_admin = kind == "AnnulWithdrawal"

    def direct(s: Scene) -> Any:
        issuer = [s.issuer.address] if by_admin else []
        return s.bench.functions[name](*issuer, s.root, 2)

    def typed(s: Scene, nonce: int) -> dict[str, Any]:
        return typed_data.withdrawal(
            s.bench.domain, kind, root=Root(s.root), reason=2, nonce=nonce, **s.common
        )

    def relayed(s: Scene, signer: str, signature: bytes) -> Any:
        function = s.bench.functions[f"{name}BySig"]
        return function(signer, s.issuer.address, s.root, 2, NO_DEADLINE, signature)

    return Operation(event, by_admin, direct, typed, relayed, prepare)


def _nothing(_: Scene) -> None:
    pass


OPERATIONS = {
    "addKey": Operation(
        "KeyAdded",
        True,
        lambda s: s.bench.functions.addKey(
            s.issuer.address, s.newcomer.address, 3, NO_DEADLINE, s.consent(3)
        ),
        lambda s, nonce: typed_data.add_key(
            s.bench.domain, key=s.newcomer.raw, roles=3, nonce=nonce, **s.common
        ),
        lambda s, signer, signature: s.bench.functions.addKeyBySig(
            signer, s.issuer.address, s.newcomer.address, 3, NO_DEADLINE, NO_DEADLINE, s.consent(3), signature
        ),
    ),
    "retireKey": Operation(
        "KeyRetired",
        True,
        lambda s: s.bench.functions.retireKey(s.issuer.address, s.key.address, 1_000, 6),
        lambda s, nonce: typed_data.retire_key(
            s.bench.domain, key=s.key.raw, valid_until=1_000, reason=6, nonce=nonce, **s.common
        ),
        lambda s, signer, signature: s.bench.functions.retireKeyBySig(
            signer, s.issuer.address, s.key.address, 1_000, 6, NO_DEADLINE, signature
        ),
    ),
    "anchor": Operation(
        "BatchAnchored",
        False,
        lambda s: s.bench.functions.anchor(OTHER),
        lambda s, nonce: typed_data.anchor(s.bench.domain, root=Root(OTHER), nonce=nonce, **s.common),
        lambda s, signer, signature: s.bench.functions.anchorBySig(
            signer, s.issuer.address, OTHER, NO_DEADLINE, signature
        ),
    ),
    "revoke": _status("Revoke", "Revoked", _nothing),
    "suspend": _status("Suspend", "Suspended", _nothing),
    "reinstate": _status(
        "Reinstate",
        "Reinstated",
        lambda s: s.bench.send(s.bench.functions.suspend(s.root, [(0, 1)], 7), s.key),
    ),
    "annul": _status(
        "Annul",
        "RevocationAnnulled",
        lambda s: s.bench.send(s.bench.functions.revoke(s.root, [(7, 8)], 1), s.key),
    ),
    "withdraw": _withdrawal("Withdraw", "withdraw", "BatchWithdrawn", _nothing),
    "annulWithdrawal": _withdrawal(
        "AnnulWithdrawal",
        "annulWithdrawal",
        "WithdrawalAnnulled",
        lambda s: s.bench.send(s.bench.functions.withdraw(s.root, 1), s.key),
    ),
}
