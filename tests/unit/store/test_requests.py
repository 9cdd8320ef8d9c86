"""The state of a request is the worst among its operations."""

from __future__ import annotations

from itertools import permutations

import pytest

from registry.model.operations import OperationState, RequestState
from registry.store.repositories.requests import request_state

ORDER = [
    (OperationState.FAILED, RequestState.FAILED),
    (OperationState.HELD, RequestState.AWAITING_APPROVAL),
    (OperationState.QUEUED, RequestState.SUBMITTED),
    (OperationState.SUBMITTED, RequestState.SUBMITTED),
    (OperationState.MINED, RequestState.MINED),
    (OperationState.FINAL, RequestState.FINAL),
]


@pytest.mark.parametrize("start", range(len(ORDER)))
def test_worst_state_wins_whatever_the_order(start: int) -> None:
    states = [state for state, _ in ORDER[start:]]
    for arrangement in permutations(states, min(3, len(states))):
        worst = min(arrangement, key=[state for state, _ in ORDER].index)
        assert request_state(False, arrangement) is dict(ORDER)[worst]


def test_awaited_approval_comes_before_everything() -> None:
    assert request_state(True, [OperationState.FAILED]) is RequestState.AWAITING_APPROVAL


def test_request_without_operations_is_final() -> None:
    assert request_state(False, []) is RequestState.FINAL
