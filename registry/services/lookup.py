"""Entries and requested changes behind many claims, in a handful of queries.

However many claims there are, the number of queries stays the same: entries by digest, hosted issuers not met
before, operations on the entries' batches, and batches of proofs whose entry was erased.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from registry.encoding import Address, Root
from registry.model.batches import Batch, BatchState, Entry
from registry.model.chain import BIT_CALLS, WORD_BITS, CallKind
from registry.model.issuers import Issuer
from registry.model.operations import Operation, OperationState, RequestKind
from registry.ports.store import Unit
from registry.services.claims import Claim
from registry.verdict.evidence import Candidate, Known, Validity
from registry.verdict.report import PendingChange

_PUBLIC_KINDS = {
    CallKind.REVOKE: RequestKind.REVOCATION,
    CallKind.SUSPEND: RequestKind.SUSPENSION,
    CallKind.REINSTATE: RequestKind.REINSTATEMENT,
    CallKind.ANNUL: RequestKind.ANNULMENT,
    CallKind.WITHDRAW: RequestKind.WITHDRAWAL,
    CallKind.ANNUL_WITHDRAWAL: RequestKind.WITHDRAWAL_ANNULMENT,
}

Place = tuple[Address, Root]


class Lookup:
    """Finds candidates. Shared by the threads of a process; remembers hosted issuers, who are never
    removed."""

    def __init__(self, trusted: frozenset[Address]) -> None:
        self._trusted = trusted
        self._hosted: dict[Address, Issuer] = {}

    def find(
        self, unit: Unit, claims: Sequence[tuple[Claim, bool]], mismatches: Mapping[Address, str]
    ) -> list[list[Candidate]]:
        """The entries that each claim may be about, without views.

        Args:
            claims: each with whether it is about the present; only then requested changes are shown.
            mismatches: issuers whose indexed history contradicts the chain, and how.
        """
        wanted = {claim.digest for claim, _ in claims if not claim.is_invalid}
        by_digest: dict[bytes, list[Entry]] = defaultdict(list)
        for entry in unit.entries.by_digests(wanted) if wanted else ():
            by_digest[entry.digest].append(entry)
        found = [
            [] if claim.is_invalid else _candidates(claim, by_digest[claim.digest]) for claim, _ in claims
        ]
        everything = [candidate for mine in found for candidate in mine]
        if not everything:
            return found
        self._meet(unit, {candidate.issuer for candidate in everything})
        places = {(c.issuer, c.root) for c in everything if c.root is not None}
        unrecorded = {(c.issuer, c.root) for c in everything if c.root is not None and c.batch_id is None}
        batches = _batches(unit, unrecorded) if unrecorded else {}
        present = any(now for _, now in claims) and bool(places)
        operations = _by_place(unit.outbox.pending_for_roots(places)) if present else {}
        return [
            [self._completed(candidate, batches, operations if now else {}, mismatches) for candidate in mine]
            for mine, (_, now) in zip(found, claims, strict=True)
        ]

    def _meet(self, unit: Unit, addresses: set[Address]) -> None:
        strangers = addresses - self._hosted.keys()
        if strangers:
            self._hosted.update(unit.issuers.by_addresses(strangers))

    def _completed(
        self,
        candidate: Candidate,
        batches: Mapping[Place, Batch],
        operations: Mapping[Place, Sequence[Operation]],
        mismatches: Mapping[Address, str],
    ) -> Candidate:
        """Say who the issuer is, whether its indexed history may be used, and what was asked for."""
        issuer, root = candidate.issuer, candidate.root
        hosted = self._hosted.get(issuer)
        mismatch = mismatches.get(issuer)
        known = None
        if hosted is not None:
            known = Known.HOSTED
        elif issuer in self._trusted:
            known = Known.TRUST_LIST
        place = None if root is None else (issuer, root)
        batch = batches.get(place) if place is not None and candidate.batch_id is None else None
        waiting = operations.get(place, ()) if place is not None else ()
        return replace(
            candidate,
            name=hosted.name if hosted else None,
            known=known,
            contested=f"the index contradicts the chain for this issuer ({mismatch})" if mismatch else None,
            batch_id=batch.id if batch else candidate.batch_id,
            queued=batch.state is not BatchState.FAILED if batch else candidate.queued,
            pending=tuple(_pending(found) for found in waiting if concerns(found, candidate.index)),
        )


def _candidates(claim: Claim, entries: Iterable[Entry]) -> list[Candidate]:
    proof = claim.proof
    candidates = [
        Candidate(
            issuer=entry.issuer,
            method=entry.method,
            root=entry.root,
            index=entry.index,
            size=entry.size,
            batch_id=entry.batch_id,
            queued=entry.batch_state is not BatchState.FAILED,
            validity=Validity(entry.valid_from, entry.valid_until),
            proved=proof is not None
            and (entry.issuer, entry.root, entry.index) == (proof.issuer, proof.root, proof.index),
        )
        for entry in entries
    ]
    if proof is not None and not any(candidate.proved for candidate in candidates):
        candidates.append(
            Candidate(proof.issuer, proof.method, proof.root, proof.index, proof.size, proved=True)
        )
    return candidates


def _batches(unit: Unit, places: set[Place]) -> dict[Place, Batch]:
    found = unit.batches.by_roots(places)
    return {(batch.issuer, batch.root): batch for batch in found if batch.root is not None}


def _by_place(operations: Iterable[Operation]) -> dict[Place, list[Operation]]:
    places: dict[Place, list[Operation]] = defaultdict(list)
    for operation in operations:
        shown = operation.call.kind in _PUBLIC_KINDS and operation.state is not OperationState.HELD
        if operation.call.root is not None and shown:
            places[operation.issuer, operation.call.root].append(operation)
    return places


def concerns(operation: Operation, index: int) -> bool:
    """A change of bits concerns those entries whose bit is in it; a withdrawal all of the batch."""
    if operation.call.kind not in BIT_CALLS:
        return True
    return any(
        change.word == index // WORD_BITS and change.mask >> (index % WORD_BITS) & 1
        for change in operation.call.changes
    )


def _pending(operation: Operation) -> PendingChange:
    return PendingChange(
        kind=_PUBLIC_KINDS[operation.call.kind].value,
        reason=operation.call.reason,
        requested_at=operation.created_at,
        state=operation.state.value,
    )
