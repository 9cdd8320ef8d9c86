"""Nodes that lie, fail or know less: the browser's verifier never calls anything valid on their word alone
where they contradict themselves."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from registry.model.chain import CallKind, Change
from tests.support.anvil import anvil
from tests.support.chains import driven_anvil
from tests.verifier_js.conftest import JavaScript
from tests.verifier_js.test_differential import Ground

pytestmark = pytest.mark.node

Answer = dict[str, Any]
Twist = Callable[[str, Answer], Answer | bytes | None]


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with anvil() as node, driven_anvil(node) as driven:
        driven.make_issuer()
        yield Ground(node, driven)


@contextmanager
def twisted(url: str, twist: Twist) -> Iterator[str]:
    """A node before the node. ``twist`` changes an answer, gives other bytes, or None for an HTTP error."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = httpx.post(url, json=asked, trust_env=False).json()
            told = twist(asked["method"], answer)
            body = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(500 if told is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def without(method: str) -> Twist:
    def twist(asked: str, answer: Answer) -> Answer:
        if asked == method:
            return {
                "jsonrpc": "2.0",
                "id": answer["id"],
                "error": {"code": -32601, "message": "no such method"},
            }
        return answer

    return twist


def in_proof(change: Callable[[dict[str, Any]], None]) -> Twist:
    def twist(asked: str, answer: Answer) -> Answer:
        if asked == "eth_getProof":
            change(answer["result"])
        return answer

    return twist


def cut_off(proof: dict[str, Any]) -> None:
    for entry in proof["storageProof"]:
        entry["proof"] = entry["proof"][:-1]


def emptied(proof: dict[str, Any]) -> None:
    for entry in proof["storageProof"]:
        entry["proof"] = []


def without_account(proof: dict[str, Any]) -> None:
    proof["accountProof"] = proof["accountProof"][:1]


def with_other_node(proof: dict[str, Any]) -> None:
    for entry in proof["storageProof"]:
        last = entry["proof"][-1]
        entry["proof"][-1] = last[:-2] + ("00" if last[-2:] != "00" else "01")


def swapped(proof: dict[str, Any]) -> None:
    first, *rest = proof["storageProof"]
    proof["storageProof"] = [*rest, first]


LIES: dict[str, Twist] = {
    "proof cut off": in_proof(cut_off),
    "proof emptied": in_proof(emptied),
    "account cut off": in_proof(without_account),
    "proof of other values": in_proof(with_other_node),
    "proofs of other slots": in_proof(swapped),
    "no JSON": lambda _asked, _answer: b"<html>",
    "JSON twice": lambda _asked, _answer: b'{"jsonrpc": "2.0", "result": "0x1", "result": "0x2"}',
    "HTTP error": lambda _asked, _answer: None,
    "an error": lambda _asked, _answer: {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": -32000, "message": "busy"},
    },
    "too long": lambda _asked, _answer: b'{"result": "' + b"0" * 2_000_000 + b'"}',
    "null blocks": lambda asked, answer: (
        answer | {"result": None} if asked == "eth_getBlockByNumber" else answer
    ),
    "chain id as text": lambda asked, answer: (
        answer | {"result": "31337"} if asked == "eth_chainId" else answer
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_nothing_is_valid_on_such_a_word(javascript: JavaScript, ground: Ground, lie: str) -> None:
    shown = ground.issue()
    assert javascript.verify(shown, rpc=ground.node.url, issuer=ground.issuer)["outcome"] == "valid"
    with twisted(ground.node.url, LIES[lie]) as url:
        report = javascript.verify(shown, rpc=url, issuer=ground.issuer)
    assert report["outcome"] == "indeterminate", report
    assert {check["name"]: check["result"] for check in report["checks"]}["anchor"] == "unknown"


def test_node_that_does_not_answer_leaves_it_open(javascript: JavaScript, ground: Ground) -> None:
    report = javascript.verify(ground.issue(), rpc="http://127.0.0.1:9", issuer=ground.issuer)
    assert report["outcome"] == "indeterminate"
    assert "does not answer" in report["summary"]


def test_revocation_cannot_be_hidden_from_a_proof(javascript: JavaScript, ground: Ground) -> None:
    shown = ground.issue()
    before = httpx.post(
        ground.node.url,
        json={"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []},
        trust_env=False,
    ).json()["result"]
    ground.change(CallKind.REVOKE, shown, changes=(Change(0, 1),), reason=1)

    def old(asked: str, answer: Answer) -> Answer:
        if asked != "eth_getProof":
            return answer
        params = answer["result"]["address"], [one["key"] for one in answer["result"]["storageProof"]], before
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_getProof", "params": params}
        stale: Answer = httpx.post(ground.node.url, json=body, trust_env=False).json()
        return stale

    with twisted(ground.node.url, old) as url:
        report = javascript.verify(shown, rpc=url, issuer=ground.issuer)
    assert report["outcome"] == "indeterminate"
    assert javascript.verify(shown, rpc=ground.node.url, issuer=ground.issuer)["outcome"] == "revoked"


def test_node_without_storage_proofs_is_called_and_that_is_said(
    javascript: JavaScript, ground: Ground
) -> None:
    shown = ground.issue()
    with twisted(ground.node.url, without("eth_getProof")) as url:
        good = javascript.verify(shown, rpc=url, issuer=ground.issuer)
        assert (good["outcome"], good["as_of"]["proven"]) == ("valid", False)
        assert "by the node's word" in json.dumps(good["checks"])
        ground.change(CallKind.SUSPEND, shown, changes=(Change(0, 1),))
        assert javascript.verify(shown, rpc=url, issuer=ground.issuer)["outcome"] == "suspended"


def test_other_code_at_the_address_is_not_the_registry(javascript: JavaScript, ground: Ground) -> None:
    shown = ground.issue()
    report = javascript.verify(shown, rpc=ground.node.url, issuer=ground.issuer, registry="0x" + "22" * 20)
    assert report["outcome"] == "indeterminate"
    with twisted(ground.node.url, without("eth_getProof")) as url:
        report = javascript.verify(shown, rpc=url, issuer=ground.issuer, registry="0x" + "22" * 20)
    assert report["outcome"] == "indeterminate"
    assert "other code, or none" in report["summary"]
