"""Achievements: what can be earned, in versions that never change.

An achievement is public: whoever sees a credential may look up what it was given for. A change makes a new
version, based on the newest one, and credentials go on embedding the version that they were issued with.
Invariants: ids are random and belong to one issuer for ever; every result description has an id, and all ids
within an achievement differ, so that a result names exactly one thing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from registry.encoding import Address, JsonValue, canonical_json
from registry.errors import (
    MAX_FAULTS,
    Fault,
    NotFoundError,
    PreconditionFailedError,
    ValidationError,
)
from registry.model.awards import Achievement
from registry.model.issuers import Caller, Scope
from registry.ports.clock import Clock
from registry.ports.store import Store
from registry.services.access import require_issuer
from registry.services.idempotency import IdempotencyRef, bind

MAX_DOCUMENT_BYTES = 32 * 1024
"""Every credential embeds its achievement."""


class AchievementService:
    """Achievements of the issuers hosted here. Documents come with their members checked one by one (types,
    lengths, numbers); what concerns several members is checked here."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(
        self, caller: Caller, document: Mapping[str, JsonValue], *, idempotency: IdempotencyRef | None = None
    ) -> Achievement:
        """Store a new achievement as version 1.

        Raises:
            ForbiddenError: not an issuer's key with scope `batch`.
            ValidationError: members contradict each other, or it is too large.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        made = Achievement(issuer, uuid4().urn, 1, completed(document), self._clock.now())
        with self._store.write() as unit:
            if unit.issuers.get(issuer) is None:
                raise NotFoundError("no such issuer here")
            unit.achievements.add(made)
            bind(unit, idempotency, f"achievement:{made.id}")
        return made

    def replace(
        self,
        caller: Caller,
        achievement_id: str,
        document: Mapping[str, JsonValue],
        based_on: Collection[int] | None,
    ) -> Achievement:
        """Store a new version, which replaces the newest one as a whole.

        Args:
            based_on: versions one of which must be the newest; None is content with any.

        Raises:
            ForbiddenError: not an issuer's key with scope `batch`.
            NotFoundError: the issuer has no such achievement.
            PreconditionFailedError: it has another version by now.
            ValidationError: as in `create`.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        complete = completed(document)
        with self._store.write() as unit:
            newest = unit.achievements.get(achievement_id)
            if newest is None or newest.issuer != issuer:
                raise NotFoundError("no such achievement of this issuer")
            made = Achievement(issuer, newest.id, newest.version + 1, complete, self._clock.now())
            unwanted = based_on is not None and newest.version not in based_on
            if unwanted or not unit.achievements.add(made):
                raise PreconditionFailedError("the achievement has another version by now")
        return made

    def get(self, achievement_id: str, version: int | None = None) -> Achievement:
        """That version, or the newest. Raises `NotFoundError`."""
        with self._store.read() as unit:
            found = unit.achievements.get(achievement_id, version)
        if found is None:
            raise NotFoundError("no such achievement, or no such version of it")
        return found

    def page(
        self, issuer: Address | None = None, after: str | None = None, limit: int = 50
    ) -> Sequence[Achievement]:
        """Newest versions in order of id, ``id`` greater than ``after``."""
        with self._store.read() as unit:
            return list(unit.achievements.page(issuer, after, limit))


def completed(document: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The document with an id for each result description, and whole numbers as such.

    Raises:
        ValidationError: an id stands twice; a level or value is required that is not among the possible ones;
            it is longer than 32 KiB as canonical JSON.
    """
    complete: dict[str, Any] = {
        name: _whole(value) for name, value in document.items() if value not in (None, [])
    }
    descriptions = [dict(one) for one in complete.get("result_descriptions", ())]
    for one in descriptions:
        one.setdefault("id", uuid4().urn)
    if descriptions:
        complete["result_descriptions"] = descriptions
    faults = list(_contradictions(descriptions))[:MAX_FAULTS]
    if len(canonical_json(complete)) > MAX_DOCUMENT_BYTES:
        faults.insert(0, Fault("length", f"an achievement has at most {MAX_DOCUMENT_BYTES} bytes", ""))
    if faults:
        raise ValidationError(f"the achievement contradicts itself: {faults[0].detail}", faults=faults)
    return complete


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 3.0 is 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _contradictions(descriptions: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, one in enumerate(descriptions):
        at = f"/result_descriptions/{number}"
        levels = one.get("rubric_criterion_levels", ())
        places = [(one["id"], f"{at}/id")]
        places += [(level["id"], f"{at}/rubric_criterion_levels/{k}/id") for k, level in enumerate(levels)]
        for id_, place in places:
            if id_ in seen:
                yield Fault("repeated-id", "the id stands twice in this achievement", place)
            seen.add(id_)
        required = one.get("required_level")
        if required is not None and required not in {level["id"] for level in levels}:
            yield Fault("required-level", "this is the id of none of its levels", f"{at}/required_level")
        values = one.get("allowed_values")
        if values and len(set(values)) < len(values):
            yield Fault("repeated-value", "a value stands twice", f"{at}/allowed_values")
        if values and one.get("required_value") not in (None, *values):
            yield Fault("required-value", "this is none of the allowed values", f"{at}/required_value")
