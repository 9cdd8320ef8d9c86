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

KEY_CALLS = frozenset({CallKind.ADD_KEY, CallKind.RETIRE_KEY})
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
    result: list[Operation] = []
    changing_keys: set[Address] = set()
    changing_status: set[Address] = set()
    for operation in sorted(operations, key=lambda operation: operation.id):
        if operation.state not in _UNMINED:
            continue
        call = operation.call
        waits = operation.state is not OperationState.QUEUED or operation.actor in relaying
        if call.kind is CallKind.FUND or call.kind in KEY_CALLS:
            waits = (
                waits
                or (operation.actor in changing_keys)
                or _touches(call.account, changing_keys, call.kind)
            )
            if call.account is not None:
                changing_keys.add(call.account)
        else:
            waits = waits or operation.actor in changing_keys or operation.issuer in awaiting_admin
        if call.kind in STATUS_CALLS and operation.batch_seq not in anchored:
            continue
        if call.kind in STATUS_CALLS:
            waits = waits or operation.issuer in changing_status
            changing_status.add(operation.issuer)
        if not waits:
            result.append(operation)
    return result


def _touches(account: Address | None, changing: Collection[Address], kind: CallKind) -> bool:
    """A key is added before it is retired; funding it and adding it do not wait for each other."""
    return kind is CallKind.RETIRE_KEY and account in changing
