"""JSON-RPC 2.0 framing: batches, notifications and malformed requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from registry.chain.embedded import (
    EmbeddedStorageError,
    RpcError,
    handle_jsonrpc,
    parse_error_response,
    rpc_methods_allowed,
)


class Target:
    """Answers with its parameters, or raises what it was given."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls: list[tuple[str, list[Any]]] = []

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        self.calls.append((method, list(params)))
        if self.error is not None:
            raise self.error
        return {"params": list(params)}


def ask(**fields: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", **fields}


def code_of(answer: Any) -> int:
    assert isinstance(answer, dict)
    assert answer["jsonrpc"] == "2.0"
    assert "result" not in answer
    code: int = answer["error"]["code"]
    return code


@pytest.mark.parametrize("request_id", [1, "a", None, 0, 1.5])
def test_answer_carries_the_request_id(request_id: Any) -> None:
    answer = handle_jsonrpc(Target(), ask(id=request_id, params=["0x1"]))
    assert answer == {"jsonrpc": "2.0", "id": request_id, "result": {"params": ["0x1"]}}


def test_absent_and_null_params_are_none_given() -> None:
    target = Target()
    handle_jsonrpc(target, ask())
    handle_jsonrpc(target, ask(params=None))
    assert target.calls == [("eth_chainId", []), ("eth_chainId", [])]


@pytest.mark.parametrize(
    "body",
    [
        None,
        5,
        "x",
        True,
        {},
        [],
        ask(jsonrpc="1.0"),
        ask(jsonrpc=2.0),
        ask(method=5),
        ask(method=None),
        ask(id=[]),
        ask(id={}),
        ask(id=True),
        [ask()] * 101,
    ],
)
def test_malformed_request_is_an_invalid_request_and_reaches_nothing(body: Any) -> None:
    target = Target()
    answer = handle_jsonrpc(target, body)
    assert code_of(answer) == -32600
    assert isinstance(answer, dict)
    assert answer["id"] is None or answer["id"] == 1
    assert target.calls == []


@pytest.mark.parametrize(
    "method", ["eth_sendTransaction", "evm_mine", "debug_setHead", "personal_sign", "", "x" * 1000]
)
def test_method_that_is_not_allowed_is_not_found_and_reaches_nothing(method: str) -> None:
    target = Target()
    answer = handle_jsonrpc(target, ask(method=method))
    assert code_of(answer) == -32601
    assert len(str(answer)) < 300
    assert target.calls == []


def test_only_one_allowed_method_writes_and_none_signs() -> None:
    assert {name for name in rpc_methods_allowed if "send" in name.lower()} == {"eth_sendRawTransaction"}
    assert not [
        name for name in rpc_methods_allowed if name.startswith(("evm_", "debug_", "personal_", "admin_"))
    ]
    assert not [name for name in rpc_methods_allowed if "sign" in name.lower()]


def test_named_params_are_invalid_params() -> None:
    assert code_of(handle_jsonrpc(Target(), ask(params={"a": 1}))) == -32602


def test_batch_answers_each_in_order_and_leaves_notifications_out() -> None:
    notification = {"jsonrpc": "2.0", "method": "eth_chainId"}
    answers = handle_jsonrpc(Target(), [ask(id=1), notification, ask(id=2, method="nope"), 7, ask(id=3)])
    assert isinstance(answers, list)
    assert [answer["id"] for answer in answers] == [1, 2, None, 3]
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32601, -32600, None]


def test_batch_of_a_hundred_is_answered() -> None:
    answers = handle_jsonrpc(Target(), [ask(id=number) for number in range(100)])
    assert isinstance(answers, list)
    assert len(answers) == 100


@pytest.mark.parametrize("error", [None, RpcError(-32000, "no")])
def test_notifications_are_executed_and_never_answered(error: Exception | None) -> None:
    target = Target(error)
    notification = {"jsonrpc": "2.0", "method": "eth_chainId"}
    assert handle_jsonrpc(target, notification) is None
    assert handle_jsonrpc(target, [notification]) is None
    assert len(target.calls) == 2


def test_rpc_error_keeps_code_message_and_data() -> None:
    answer = handle_jsonrpc(Target(RpcError(3, "execution reverted", "0xdeadbeef")), ask())
    assert isinstance(answer, dict)
    assert answer["error"] == {"code": 3, "message": "execution reverted", "data": "0xdeadbeef"}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (EmbeddedStorageError("secret path"), "storage is unavailable; nothing was accepted"),
        (ZeroDivisionError("secret"), "internal error"),
    ],
)
def test_other_failures_are_internal_errors_that_tell_no_details(error: Exception, message: str) -> None:
    answer = handle_jsonrpc(Target(error), ask())
    assert isinstance(answer, dict)
    assert answer["error"] == {"code": -32603, "message": message}


def test_parse_error_has_no_id() -> None:
    assert parse_error_response() == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": -32700, "message": "parse error"},
    }
