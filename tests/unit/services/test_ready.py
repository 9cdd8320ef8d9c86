"""Which operations may be sent: a table of queues and what is ready in them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from registry.encoding import Address, Root
from registry.model.chain import CallKind, ContractCall
from registry.model.operations import Operation, OperationState
from registry.services.anchoring.ready import ready

A, B = Address(b"\x0a" * 20), Address(b"\x0b" * 20)
KEY, OTHER, RELAYER = Address(b"\x01" * 20), Address(b"\x02" * 20), Address(b"\x0f" * 20)
Q, S, M, H = OperationState.QUEUED, OperationState.SUBMITTED, OperationState.MINED, OperationState.HELD
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def op(
    number: int,
    kind: CallKind,
    state: OperationState = Q,
    *,
    issuer: Address = A,
    actor: Address = KEY,
    account: Address | None = None,
    batch: int | None = None,
) -> Operation:
    call = ContractCall(kind, issuer, root=Root(bytes(32)), account=account)
    return Operation(number, issuer, actor, call, state, batch, None, NOW, None, None, None, None)


def anchor(number: int, state: OperationState = Q, **rest: object) -> Operation:
    return op(number, CallKind.ANCHOR, state, batch=number, **rest)  # type: ignore[arg-type]


def revoke(number: int, batch: int, state: OperationState = Q, **rest: object) -> Operation:
    return op(number, CallKind.REVOKE, state, batch=batch, **rest)  # type: ignore[arg-type]


def add_key(number: int, state: OperationState = Q, key: Address = KEY) -> Operation:
    return op(number, CallKind.ADD_KEY, state, actor=A, account=key)


def retire(number: int, state: OperationState = Q, key: Address = KEY) -> Operation:
    return op(number, CallKind.RETIRE_KEY, state, actor=A, account=key)


def fund(number: int, state: OperationState = Q, key: Address = KEY) -> Operation:
    return op(number, CallKind.FUND, state, actor=RELAYER, account=key)


CASES = {
    "anchors of one issuer go together": ([anchor(1), anchor(2)], {}, [1, 2]),
    "oldest first whatever the order given": ([anchor(2), anchor(1)], {}, [1, 2]),
    "only queued ones": ([anchor(1, S), anchor(2, M), anchor(3, H)], {}, []),
    "an anchor waits for its key to be queued before it": ([add_key(1), anchor(2)], {}, [1]),
    "an anchor waits for its key on its way": ([add_key(1, S), anchor(2)], {}, []),
    "an anchor goes once its key is mined": ([add_key(1, M), anchor(2)], {}, [2]),
    "an anchor does not wait for another key": ([add_key(1, key=OTHER), anchor(2)], {}, [1, 2]),
    "an anchor before the addition does not wait": ([anchor(1), add_key(2)], {}, [1, 2]),
    "an anchor waits for its key's ether": ([fund(1, S), anchor(2)], {}, []),
    "an anchor after its key's retirement waits for that": ([retire(1), anchor(2)], {}, [1]),
    "a retirement waits for the addition": ([add_key(1, S), retire(2)], {}, []),
    "an addition does not wait for ether": ([fund(1), add_key(2)], {}, [1, 2]),
    "nothing but key calls before the admin registered": (
        [add_key(1, key=OTHER), anchor(2)],
        {"awaiting_admin": {A}},
        [1],
    ),
    "another issuer does not wait for that admin": ([anchor(1, issuer=B)], {"awaiting_admin": {A}}, [1]),
    "a status change waits for its anchor": ([revoke(2, batch=1)], {}, []),
    "a status change goes once its batch is anchored": ([revoke(2, batch=1)], {"anchored": {1}}, [2]),
    "status changes go one after the other": (
        [revoke(2, batch=1), revoke(3, batch=1)],
        {"anchored": {1}},
        [2],
    ),
    "a status change waits for one on its way": (
        [revoke(2, 1, S), revoke(3, batch=1)],
        {"anchored": {1}},
        [],
    ),
    "a status change goes once the one before is mined": (
        [revoke(2, 1, M), revoke(3, batch=1)],
        {"anchored": {1}},
        [3],
    ),
    "a held status change holds up nothing": ([revoke(2, 1, H), revoke(3, 1)], {"anchored": {1}}, [3]),
    "one that waits for its anchor does not hold up other batches": (
        [revoke(3, batch=1), revoke(4, batch=2)],
        {"anchored": {2}},
        [4],
    ),
    "two issuers' status changes go together": (
        [revoke(2, 1), revoke(3, 1, issuer=B)],
        {"anchored": {1}},
        [2, 3],
    ),
    "an account with a relayed call on its way waits": ([anchor(1)], {"relaying": {KEY}}, []),
    "another account does not": ([anchor(1, actor=OTHER)], {"relaying": {KEY}}, [1]),
}


@pytest.mark.parametrize(("queue", "situation", "expected"), CASES.values(), ids=CASES.keys())
def test_ready_operations(
    queue: list[Operation], situation: dict[str, set[object]], expected: list[int]
) -> None:
    known: dict[str, set[object]] = {"anchored": set(), "awaiting_admin": set(), "relaying": set()}
    found = ready(queue, **(known | situation))  # type: ignore[arg-type]
    assert [operation.id for operation in found] == expected
