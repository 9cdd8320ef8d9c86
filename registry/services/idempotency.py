"""A name for "this effect belongs to that Idempotency-Key", bound in the effect's own database
transaction."""

from __future__ import annotations

from dataclasses import dataclass

from registry.ports.store import Unit


@dataclass(frozen=True, slots=True)
class IdempotencyRef:
    """``owner`` is the API key's id, or `admin`; ``key`` is the header's value, already claimed."""

    owner: str
    key: str

    def bind(self, unit: Unit, resource: str) -> None:
        """Remember in ``unit`` that the claimed key made ``resource`` (such as `batch:<id>`)."""
        unit.idempotency.bind(self.owner, self.key, resource)


def bind(unit: Unit, idempotency: IdempotencyRef | None, resource: str) -> None:
    """`IdempotencyRef.bind`, or nothing when the request carried no key."""
    if idempotency is not None:
        idempotency.bind(unit, resource)
