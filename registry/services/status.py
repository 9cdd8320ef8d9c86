"""Changing statuses: revoke, suspend, reinstate, annul, withdraw.

A request is all or nothing when it is accepted; on chain it becomes as few transactions as the limits allow.
Who acts: the operating key revokes, suspends and reinstates; the issuer's admin annuls; withdrawing wants a
key with WITHDRAW. The operating key of a hosted issuer has not got that role, so its admin account adds
itself as a key for withdrawing, once, before its first withdrawal (the contract asks no consent of the acting
account). Invariant: a digest is skipped only when the final state, the newest state and the state after all
that was asked for agree that it is so already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from registry.encoding import Address, Digest, Root
from registry.errors import (
    MAX_FAULTS,
    Fault,
    ForbiddenError,
    NotFoundError,
    NotSealedError,
    ValidationError,
    WrongStateError,
)
from registry.model.batches import Batch, BatchState, Entry
from registry.model.chain import (
    MAX_WORDS_PER_TRANSACTION,
    CallKind,
    ContractCall,
    EventKind,
    Role,
)
from registry.model.issuers import Caller, Issuer, Scope
from registry.model.operations import Operation, OperationState, RequestKind, RequestState, StatusRequest
from registry.model.reasons import Reason
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.access import may_see_private, require_issuer
from registry.services.admin_calls import (
    AdminCalls,
    Signatures,
    ToSign,
    current_admin,
    is_held_here,
    with_signatures,
)
from registry.services.bits import (
    CALL_EFFECTS,
    Bits,
    changes_of,
    fold_events,
    fold_operations,
    is_set,
    targets,
)
from registry.services.idempotency import IdempotencyRef
from registry.services.policy import Policy
from registry.services.receiving import locked_issuer
from registry.services.requests import RequestBuilder, check_note

_CALLS: Mapping[RequestKind, CallKind] = {
    RequestKind.REVOCATION: CallKind.REVOKE,
    RequestKind.SUSPENSION: CallKind.SUSPEND,
    RequestKind.REINSTATEMENT: CallKind.REINSTATE,
    RequestKind.ANNULMENT: CallKind.ANNUL,
}
_ASKED_FOR = frozenset({OperationState.QUEUED, OperationState.SUBMITTED, OperationState.MINED})
MAX_OPERATIONS = 100_000
APPROVAL_WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Known:
    """An issuer's bits as they are finally, as they are now, and as they will be after all that was asked
    for."""

    final: Bits
    latest: Bits
    asked: Bits

    def already(self, call: CallKind, root: Root, index: int) -> bool:
        """Whether the call would change nothing, whatever view of the chain holds."""
        kind, sets = CALL_EFFECTS[call]
        return all(is_set(bits, kind, root, index) is sets for bits in (self.final, self.latest, self.asked))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a change would do: credentials that it changes, and those that are in that state already."""

    count: int
    already: int


@dataclass(frozen=True, slots=True)
class _Unsigned:
    """Calls that an admin elsewhere signs first."""

    actor: Address
    calls: Sequence[ContractCall]


class StatusService:
    """Status requests of the issuers hosted here."""

    def __init__(self, store: Store, chain: Chain, clock: Clock, policy: Policy) -> None:
        self._store = store
        self._chain = chain
        self._clock = clock
        self._policy = policy
        self._admin_calls = AdminCalls(chain, clock, policy)

    # --- credentials ----------------------------------------------------------------------------------------

    def change(
        self,
        caller: Caller,
        kind: RequestKind,
        digests: Sequence[Digest],
        reason: Reason,
        note: str | None = None,
        *,
        signed: Signatures | None = None,
        idempotency: IdempotencyRef | None = None,
    ) -> StatusRequest | ToSign:
        """Revoke, suspend, reinstate, or annul revocations of every entry of these digests under the caller's
        issuer.

        Args:
            signed: of an annulment, by an admin whose key is not here; without them such an annulment is not
                stored, and what to sign is returned.

        Raises:
            ForbiddenError: not the issuer's key with scope `status` (`admin` for annulments).
            ValidationError: no digest, or digests that the issuer does not have; the faults point at them.
            NotSealedError: a digest stands in the open batch.
            WrongStateError: signatures for other calls than there are to sign.
        """
        _permitted(caller, kind, digests)
        with self._store.write() as unit:
            made = self._change(
                unit, caller, kind, digests, reason, note, signed=signed, idempotency=idempotency
            )
        if isinstance(made, _Unsigned):
            return self._admin_calls.to_sign(made.actor, made.calls)
        return made

    def foresee(self, caller: Caller, kind: RequestKind, digests: Sequence[Digest]) -> Foreseen:
        """What `change` would do now; nothing is stored. Raises as `change`."""
        call, address = _permitted(caller, kind, digests)
        with self._store.read() as unit:
            wanted, already = self._divide(unit, address, call, _entries(unit, address, digests))
        return Foreseen(len({entry.digest for entry in wanted}), len(already))

    def change_in(
        self,
        unit: Unit,
        caller: Caller,
        kind: RequestKind,
        digests: Sequence[Digest],
        reason: Reason,
        note: str | None = None,
        *,
        hold: bool = False,
    ) -> StatusRequest:
        """`change` inside ``unit``, for a change that must happen with something else or not at all; not for
        annulments. With ``hold`` it waits for a second key's approval whatever its size."""
        made = self._change(unit, caller, kind, digests, reason, note, hold=hold)
        if isinstance(made, _Unsigned):
            raise ValidationError("an annulment is not made inside another change")
        return made

    def _change(
        self,
        unit: Unit,
        caller: Caller,
        kind: RequestKind,
        digests: Sequence[Digest],
        reason: Reason,
        note: str | None,
        *,
        hold: bool = False,
        signed: Signatures | None = None,
        idempotency: IdempotencyRef | None = None,
    ) -> StatusRequest | _Unsigned:
        call, address = _permitted(caller, kind, digests)
        by_admin = kind is RequestKind.ANNULMENT
        note = check_note(note)
        issuer = locked_issuer(unit, address)
        actor = current_admin(unit, address) if by_admin else issuer.key
        entries = _entries(unit, address, digests)
        wanted, skipped = self._divide(unit, address, call, entries)
        calls = list(_calls(address, call, int(reason), wanted))
        if by_admin and calls and not is_held_here(issuer, actor):
            if signed is None:
                return _Unsigned(actor, [one for _, one in calls])
            made = with_signatures([one for _, one in calls], signed)
            calls = [(seq, one) for (seq, _), one in zip(calls, made, strict=True)]
        count = len({entry.digest for entry in wanted})
        held = hold or (kind is RequestKind.REVOCATION and self._needs_approval(unit, caller, count))
        builder = RequestBuilder(unit, caller, address, kind, self._clock.now(), held=held)
        builder.open(int(reason), note, count, skipped)
        for batch_seq, one in calls:
            builder.operation(actor, one, batch_seq)
        if by_admin:
            builder.log(f"{count} credentials")
        return builder.close(idempotency)

    def _needs_approval(self, unit: Unit, caller: Caller, count: int) -> bool:
        """Above the threshold, together with what the same key asked for lately: many small requests are one
        large one."""
        if not self._policy.require_approval:
            return False
        since = self._clock.now() - APPROVAL_WINDOW
        lately = unit.outbox.revoked_by_key(caller.key_id, since) if caller.key_id is not None else 0
        return lately + count > self._policy.approval_threshold

    def _divide(
        self, unit: Unit, issuer: Address, call: CallKind, entries: Sequence[Entry]
    ) -> tuple[list[Entry], list[Digest]]:
        """Entries to change, and digests all of whose entries are in that state already. An index that
        contradicts the chain cannot say so; what is superfluous then falls away when it is sent."""
        known = None if issuer in unit.events.mismatches() else _known(unit, issuer, entries)
        wanted = [
            entry
            for entry in entries
            if entry.root is not None and not (known and known.already(call, entry.root, entry.index))
        ]
        changing = {entry.digest for entry in wanted}
        skipped = dict.fromkeys(entry.digest for entry in entries if entry.digest not in changing)
        return wanted, list(skipped)

    # --- batches --------------------------------------------------------------------------------------------

    def withdraw(
        self,
        caller: Caller,
        batch_id: str,
        reason: Reason,
        note: str | None = None,
        *,
        idempotency: IdempotencyRef | None = None,
    ) -> StatusRequest:
        """Withdraw a whole batch.

        Raises:
            ForbiddenError, NotFoundError, NotSealedError: as in `change`.
            WrongStateError: the batch has failed, or no key here may withdraw for the issuer.
        """
        address = require_issuer(caller, Scope.STATUS)
        note = check_note(note)
        with self._store.write() as unit:
            issuer = locked_issuer(unit, address)
            batch = _living_batch(unit, address, batch_id)
            held = self._needs_approval(unit, caller, batch.size)
            kind = RequestKind.WITHDRAWAL
            builder = RequestBuilder(unit, caller, address, kind, self._clock.now(), held=held)
            builder.open(int(reason), note, batch.size)
            builder.log(f"batch {batch.id}")
            actor, addition = _withdrawer(unit, issuer)
            if addition is not None:
                builder.operation(actor, addition)
            call = ContractCall(CallKind.WITHDRAW, address, root=batch.root, reason=int(reason))
            builder.operation(actor, call, batch.seq)
            return builder.close(idempotency)

    def annul_withdrawal(
        self,
        caller: Caller,
        batch_id: str,
        reason: Reason,
        note: str | None = None,
        *,
        signed: Signatures | None = None,
        idempotency: IdempotencyRef | None = None,
    ) -> StatusRequest | ToSign:
        """Take a withdrawal back; by the issuer's admin, see `change`. Raises as `withdraw`."""
        address = require_issuer(caller, Scope.ADMIN)
        note = check_note(note)
        with self._store.write() as unit:
            issuer = locked_issuer(unit, address)
            batch = _living_batch(unit, address, batch_id)
            kind = RequestKind.WITHDRAWAL_ANNULMENT
            actor = current_admin(unit, address)
            call = ContractCall(CallKind.ANNUL_WITHDRAWAL, address, root=batch.root, reason=int(reason))
            held_here = is_held_here(issuer, actor)
            if not held_here and signed is not None:
                (call,) = with_signatures([call], signed)
            if held_here or signed is not None:
                builder = RequestBuilder(unit, caller, address, kind, self._clock.now())
                builder.open(int(reason), note, batch.size)
                builder.log(f"batch {batch.id}")
                builder.operation(actor, call, batch.seq)
                return builder.close(idempotency)
        return self._admin_calls.to_sign(actor, [call])

    # --- requests -------------------------------------------------------------------------------------------

    def request(self, caller: Caller, request_id: str) -> StatusRequest:
        """A request of the caller's issuer; another's is as unknown as none. Raises `NotFoundError`."""
        with self._store.read() as unit:
            request = unit.outbox.request(request_id)
        if request is None or not may_see_private(caller, request.issuer):
            raise NotFoundError("no such request")
        return request

    def approve(self, caller: Caller, request_id: str) -> StatusRequest:
        """Let a held request go ahead.

        Raises:
            ForbiddenError: the key made the request itself, or lacks the scope `status`.
            WrongStateError: nothing waits for an approval.
        """
        address = require_issuer(caller, Scope.STATUS)
        with self._store.write() as unit:
            unit.issuers.lock(address)
            request = unit.outbox.request(request_id)
            if request is None or request.issuer != address:
                raise NotFoundError("no such request")
            if request.state is not RequestState.AWAITING_APPROVAL:
                raise WrongStateError("the request does not wait for an approval")
            if caller.key_id == request.requested_by_key:
                raise ForbiddenError("another API key than the requesting one must approve")
            unit.outbox.approve_request(request_id)
            unit.access.log(self._clock.now(), caller.label, "request.approved", request_id, "")
            approved = unit.outbox.request(request_id)
        assert approved is not None
        return approved


def _permitted(caller: Caller, kind: RequestKind, digests: Sequence[Digest]) -> tuple[CallKind, Address]:
    """The call that a change needs, and the issuer that the caller may change. Raises as `change`."""
    call = _CALLS.get(kind)
    if call is None:
        raise ValidationError("this kind of request does not name digests")
    scope = Scope.ADMIN if kind is RequestKind.ANNULMENT else Scope.STATUS
    address = require_issuer(caller, scope)
    if not digests:
        raise ValidationError(
            "no digest is named", faults=[Fault("empty", "name at least one digest", "/digests")]
        )
    return call, address


def _entries(unit: Unit, issuer: Address, digests: Sequence[Digest]) -> list[Entry]:
    """Every living entry of these digests, or an error that points at those without one."""
    found = [
        entry
        for entry in unit.entries.by_digests(set(digests), issuer=issuer)
        if entry.batch_state is not BatchState.FAILED
    ]
    have = {entry.digest for entry in found}
    unknown = [i for i, digest in enumerate(digests) if digest not in have]
    if unknown:
        faults = [
            Fault("unknown-digest", "no credential of this issuer", f"/digests/{i}")
            for i in unknown[:MAX_FAULTS]
        ]
        raise ValidationError("digests are unknown; nothing was changed", faults=faults)
    unsealed = {entry.digest for entry in found if entry.root is None}
    if unsealed:
        faults = [
            Fault("not-sealed", "its batch is still open; seal it first", f"/digests/{i}")
            for i, digest in enumerate(digests)
            if digest in unsealed
        ]
        raise NotSealedError("credentials of an open batch have no status on chain", faults=faults)
    order = {digest: i for i, digest in reversed(list(enumerate(digests)))}
    return sorted(found, key=lambda entry: (order[entry.digest], entry.batch_seq, entry.index))


def _known(unit: Unit, issuer: Address, entries: Iterable[Entry]) -> _Known:
    words = {(entry.root, entry.index >> 8) for entry in entries if entry.root is not None}
    events = unit.events.touching(targets(issuer, words))
    position = unit.events.position()
    asked: Sequence[Operation] = unit.outbox.operations(
        states=_ASKED_FOR, issuer=issuer, limit=MAX_OPERATIONS
    )
    latest = fold_events(events)
    return _Known(
        final=fold_events(events, up_to_block=position.final_block if position is not None else -1),
        latest=latest,
        asked=fold_operations(latest, asked),
    )


def _calls(
    issuer: Address, kind: CallKind, reason: int, entries: Sequence[Entry]
) -> Iterable[tuple[int, ContractCall]]:
    """One call for each batch, or several where one transaction cannot change so many words."""
    batches: dict[tuple[int, Root], list[int]] = {}
    for entry in entries:
        assert entry.root is not None
        batches.setdefault((entry.batch_seq, entry.root), []).append(entry.index)
    for (seq, root), indices in sorted(batches.items()):
        changes = changes_of(indices)
        for first in range(0, len(changes), MAX_WORDS_PER_TRANSACTION):
            part = changes[first : first + MAX_WORDS_PER_TRANSACTION]
            yield seq, ContractCall(kind, issuer, root=root, changes=part, reason=reason)


def _living_batch(unit: Unit, issuer: Address, batch_id: str) -> Batch:
    batch = unit.batches.by_id(batch_id)
    if batch is None or batch.issuer != issuer:
        raise NotFoundError("no such batch of this issuer")
    if batch.state is BatchState.FAILED:
        raise WrongStateError("the batch has failed: it is not on chain")
    if batch.root is None:
        raise NotSealedError("the batch is still open; seal it first")
    return batch


def _withdrawer(unit: Unit, issuer: Issuer) -> tuple[Address, ContractCall | None]:
    """The account that withdraws, and the call that gives it the role first, if it has not got it yet."""
    roles: dict[Address, int] = {}
    retired: set[Address | None] = set()
    kinds = {EventKind.KEY_ADDED, EventKind.KEY_RETIRED}
    for stored in unit.events.list(issuer=issuer.address, kinds=kinds, limit=MAX_OPERATIONS):
        event = stored.event
        if event.kind is EventKind.KEY_RETIRED:
            retired.add(event.account)
        elif event.account is not None:
            roles[event.account] = event.roles
    if roles.get(issuer.key, 0) & Role.WITHDRAW and issuer.key not in retired:
        return issuer.key, None
    if not is_held_here(issuer, current_admin(unit, issuer.address)):
        raise WrongStateError("no key with the role WITHDRAW is held here for this issuer")
    admin = issuer.address
    if admin in retired:
        raise WrongStateError("the admin's own key is retired; give a new key the role WITHDRAW first")
    if roles.get(admin, 0) & Role.WITHDRAW:
        return admin, None
    call = ContractCall(CallKind.ADD_KEY, issuer.address, account=admin, roles=int(Role.WITHDRAW))
    return admin, call
