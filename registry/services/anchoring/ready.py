"""Which queued operations may be sent now. Pure.

The rules, for an operation and those before it (by id):

- an operation waits for an earlier addition, retirement or funding of the very key that acts;
- everything but key calls and funding waits while the issuer's own admin has not registered the key;
- a status change waits until its batch's anchor is mined;
- status changes of one issuer go one after the other: each waits until the one before is mined. One that
  still waits for its anchor does not hold up those of other batches;
- the contract counts relayed calls per signer, so an account has at most one relayed call on its way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from registry.encoding import Address
from registry.model.chain import STATUS_CALLS, CallKind
from registry.model.operations import Operation, OperationState

_ABOUT_KEYS = frozenset({CallKind.ADD_KEY, CallKind.RETIRE_KEY, CallKind.FUND})
_UNMINED = frozenset({OperationState.QUEUED, OperationState.SUBMITTED})


def ready(
    operations: Iterable[Operation],
    *,
    anchored: Collection[int],
    awaiting_admin: Collection[Address],
    relaying: Collection[Address],
) -> list[Operation]:
    """Those of ``operations`` that may be sent now, oldest first.

    Args:
        operations: all unfinished ones, of all issuers.
        anchored: numbers (``seq``) of the batches whose anchor is mined or final.
        awaiting_admin: issuers whose key their own admin has still to register.
        relaying: accounts with a relayed call on its way.
    """
    queue = _Queue(anchored, awaiting_admin, relaying)
    unmined = (one for one in operations if one.state in _UNMINED)
    return [one for one in sorted(unmined, key=lambda one: one.id) if queue.lets_pass(one)]


class _Queue:
    """What the operations looked at so far hold up."""

    def __init__(
        self,
        anchored: Collection[int],
        awaiting_admin: Collection[Address],
        relaying: Collection[Address],
    ) -> None:
        self._anchored = anchored
        self._awaiting_admin = awaiting_admin
        self._relaying = relaying
        self._changing_keys: set[Address] = set()
        self._changing_status: set[Address] = set()

    def lets_pass(self, operation: Operation) -> bool:
        """Whether the next unmined operation, by id, may be sent; it holds up others from then on."""
        kind = operation.call.kind
        if kind in STATUS_CALLS and operation.batch_seq not in self._anchored:
            return False
        free = self._is_free(operation)
        if kind in _ABOUT_KEYS and operation.call.account is not None:
            self._changing_keys.add(operation.call.account)
        if kind in STATUS_CALLS:
            self._changing_status.add(operation.issuer)
        return free and operation.state is OperationState.QUEUED

    def _is_free(self, operation: Operation) -> bool:
        call, actor = operation.call, operation.actor
        if actor in self._relaying or actor in self._changing_keys:
            return False
        if call.kind is CallKind.RETIRE_KEY:
            return call.account not in self._changing_keys
        if call.kind in _ABOUT_KEYS:
            return True
        if call.kind in STATUS_CALLS and operation.issuer in self._changing_status:
            return False
        return operation.issuer not in self._awaiting_admin
