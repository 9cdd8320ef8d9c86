"""A node that lies, stalls or speaks another dialect: a JSON-RPC server on the loopback interface before a
real node.

`HostileNode` passes every request on to the real one and lets its rules change what goes in or comes out. A
rule is called with the method, the parameters, and the rest of the way to the node; the newest rule comes
first.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Answer = dict[str, Any]
"""A JSON-RPC response without id: ``result`` or ``error``."""
Backend = Callable[[str, list[Any]], Answer]
Rule = Callable[[str, list[Any], Backend], Answer]


class Reply(Exception):  # noqa: N818 - a signal, not an error
    """Raised by a rule: the whole HTTP answer, whatever was asked; with a pause after each byte, if one is
    given."""

    def __init__(
        self,
        body: bytes,
        status: int = 200,
        content_type: str = "application/json",
        *,
        pause_seconds: float = 0,
        location: str | None = None,
    ) -> None:
        super().__init__("reply")
        self.pause_seconds = pause_seconds
        self.location = location
        self.body = body
        self.status = status
        self.content_type = content_type


class Silence(Exception):  # noqa: N818 - a signal, not an error
    """Raised by a rule: the connection is closed without an answer, after ``seconds``."""

    def __init__(self, seconds: float = 0) -> None:
        super().__init__("silence")
        self.seconds = seconds


def error(code: int, message: str, data: Any = None) -> Answer:
    """An error answer."""
    return {"error": {"code": code, "message": message} | ({"data": data} if data is not None else {})}


@dataclass
class HostileNode:
    """The server's address, its rules, and what it was asked (method, parameters)."""

    url: str = ""
    rules: list[Rule] = field(default_factory=list)
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)

    def add(self, *rules: Rule) -> None:
        """Put rules before those that are there."""
        self.rules[:0] = rules

    def behave(self) -> None:
        """Drop all rules: an honest node again."""
        self.rules.clear()

    def count(self, method: str) -> int:
        """How often a method was asked for."""
        return sum(1 for asked, _ in self.asked if asked == method)

    def answer(self, backend: Backend, method: str, params: list[Any]) -> Answer:
        """What the rules make of one request."""
        self.asked.append((method, params))
        way = backend
        for rule in reversed(self.rules):
            way = _through(rule, way)
        return way(method, params)


def _through(rule: Rule, rest: Backend) -> Backend:
    return lambda method, params: rule(method, params, rest)


def node_at(url: str) -> Backend:
    """The real node behind a URL."""
    client = httpx.Client(timeout=30, trust_env=False, verify=False)

    def ask(method: str, params: list[Any]) -> Answer:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = client.post(url, json=body).json()
        return {key: answer[key] for key in ("result", "error") if key in answer}

    ask.close = client.close  # type: ignore[attr-defined]
    return ask


def in_process(request: Callable[[str, Sequence[Any]], Any], refusal: type[Exception]) -> Backend:
    """A real node in this process: ``request`` returns the result or raises ``refusal``, which has
    ``as_object``."""

    def ask(method: str, params: list[Any]) -> Answer:
        try:
            return {"result": request(method, params)}
        except refusal as refused:
            return {"error": refused.as_object()}  # type: ignore[attr-defined]

    return ask


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, node: HostileNode, backend: Backend) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.node = node
        self.backend = backend
        self.stopped = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536
    server: _Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            answers = [self._answer(one) for one in (asked if isinstance(asked, list) else [asked])]
        except Silence as silence:
            self.server.stopped.wait(silence.seconds)
            self.close_connection = True
        except Reply as reply:
            self._reply(reply)
        else:
            self._reply(Reply(json.dumps(answers if isinstance(asked, list) else answers[0]).encode()))

    def _answer(self, one: dict[str, Any]) -> Answer:
        answer = self.server.node.answer(self.server.backend, one["method"], one["params"])
        return {"jsonrpc": "2.0", "id": one["id"]} | answer

    def _reply(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        if reply.location is not None:
            self.send_header("Location", reply.location)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        try:
            self._write(reply)
        except OSError:  # the client saw enough
            self.close_connection = True

    def _write(self, reply: Reply) -> None:
        if not reply.pause_seconds:
            self.wfile.write(reply.body)
            return
        for byte in reply.body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.server.stopped.wait(reply.pause_seconds):
                return

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def hostile_node(backend: Backend, *rules: Rule) -> Iterator[HostileNode]:
    """Serve for the length of the block."""
    node = HostileNode(rules=list(rules))
    server = _Server(node, backend)
    node.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield node
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
        if hasattr(backend, "close"):
            backend.close()


# --- rules: lies --------------------------------------------------------------------------------------------


def changed_logs(change: Callable[[list[Any]], list[Any]]) -> Rule:
    """The answers of eth_getLogs, and the logs in receipts, as ``change`` makes them."""

    def rule(method: str, params: list[Any], rest: Backend) -> Answer:
        answer = rest(method, params)
        if method == "eth_getLogs" and "result" in answer:
            return {"result": change(answer["result"])}
        if method == "eth_getTransactionReceipt" and answer.get("result"):
            return {"result": answer["result"] | {"logs": change(answer["result"]["logs"])}}
        return answer

    return rule


def hide_event(topic0: str) -> Rule:
    """Leave out every log with that first topic."""
    return changed_logs(lambda logs: [log for log in logs if log["topics"][0] != topic0])


def invent_event(log: Mapping[str, Any]) -> Rule:
    """Add a log to every answer of eth_getLogs."""

    def rule(method: str, params: list[Any], rest: Backend) -> Answer:
        answer = rest(method, params)
        if method == "eth_getLogs" and "result" in answer:
            return {"result": [*answer["result"], dict(log)]}
        return answer

    return rule


def old_head(number: int) -> Rule:
    """Serve the chain as it was at a block: nothing after it exists, `latest` is that block."""

    def rule(method: str, params: list[Any], rest: Backend) -> Answer:
        if method == "eth_blockNumber":
            return {"result": hex(number)}
        asked = [hex(number) if p in ("latest", "pending") else p for p in params]
        if method == "eth_getBlockByNumber" and asked[0].startswith("0x") and int(asked[0], 16) > number:
            return {"result": None}
        answer = rest(method, asked)
        if (
            method == "eth_getBlockByHash"
            and answer.get("result")
            and int(answer["result"]["number"], 16) > number
        ):
            return {"result": None}
        return answer

    return rule


def call_returns(selector: str, result: str) -> Rule:
    """Answer every eth_call of the function with that selector (``0x`` and 8 digits)."""
    return only(
        "eth_call",
        lambda method, params, rest: (
            {"result": result} if params[0]["data"].startswith(selector) else rest(method, params)
        ),
    )


def empty_logs() -> Rule:
    """No logs at all, as load-balanced nodes answer for blocks that they do not have yet."""
    return returns("eth_getLogs", [])


def missing_blocks(first: int) -> Rule:
    """Blocks from ``first`` on are not there yet by number, though `latest` says so; their logs are an
    empty list."""

    def rule(method: str, params: list[Any], rest: Backend) -> Answer:
        answer = rest(method, params)
        if method == "eth_getBlockByNumber" and params[0].startswith("0x") and int(params[0], 16) >= first:
            return {"result": None}
        if method == "eth_getLogs" and "result" in answer:
            return {"result": [log for log in answer["result"] if int(log["blockNumber"], 16) < first]}
        return answer

    return rule


# --- rules: faults ------------------------------------------------------------------------------------------


def only(method: str, rule: Rule) -> Rule:
    """A rule for one method."""
    return lambda asked, params, rest: (rule if asked == method else _pass)(asked, params, rest)


def _pass(method: str, params: list[Any], rest: Backend) -> Answer:
    return rest(method, params)


def returns(method: str, result: Any) -> Rule:
    """Answer a method with this result."""
    return only(method, lambda *_: {"result": result})


def refuses(method: str, code: int, message: str, data: Any = None) -> Rule:
    """Answer a method with this error."""
    return only(method, lambda *_: error(code, message, data))


def takes_and_says(method: str, code: int, message: str) -> Rule:
    """Pass a request on and answer with this error all the same, as a node does that had it already."""

    def rule(method: str, params: list[Any], rest: Backend) -> Answer:
        rest(method, params)
        return error(code, message)

    return only(method, rule)


def drops(method: str | None = None) -> Rule:
    """Close the connection instead of answering."""
    return _raises(Silence, method)


def takes_and_drops(method: str) -> Rule:
    """Pass a request on and close the connection: nobody knows whether it arrived."""

    def rule(method: str, params: list[Any], rest: Backend) -> Answer:
        rest(method, params)
        raise Silence

    return only(method, rule)


def hangs(seconds: float, method: str | None = None) -> Rule:
    """Say nothing for so long, then close the connection."""
    return _raises(lambda: Silence(seconds), method)


def replies(body: bytes, status: int = 200, content_type: str = "application/json") -> Rule:
    """Answer everything with this body."""
    return _raises(lambda: Reply(body, status, content_type))


def html(status: int = 502) -> Rule:
    """A proxy's error page."""
    return replies(b"<html><body><h1>Bad Gateway</h1></body></html>", status, "text/html")


def huge(size: int) -> Rule:
    """A JSON answer of so many bytes."""
    return replies(b'{"jsonrpc":"2.0","id":1,"result":"0x' + b"0" * size + b'"}')


def drips(pause_seconds: float) -> Rule:
    """An answer that comes byte by byte, so that no single wait is long."""
    body = b'{"jsonrpc":"2.0","id":1,"result":"0x' + b"0" * 1000 + b'"}'
    return _raises(lambda: Reply(body, pause_seconds=pause_seconds), None)


def refuses_ranges_over(blocks: int) -> Rule:
    """eth_getLogs takes so many blocks at most."""

    def rule(method: str, params: list[Any], rest: Backend) -> Answer:
        wanted = params[0]
        if "fromBlock" in wanted and int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) + 1 > blocks:
            return error(-32005, f"query exceeds max block range {blocks}")
        return rest(method, params)

    return only("eth_getLogs", rule)


def without_block_objects() -> Rule:
    """A node from before EIP-1898."""

    def rule(method: str, params: list[Any], rest: Backend) -> Answer:
        if method != "eth_getLogs" and params and isinstance(params[-1], dict) and "blockHash" in params[-1]:
            return error(
                -32602, "invalid argument 1: json: cannot unmarshal object into Go value of type string"
            )
        return rest(method, params)

    return rule


def without(method: str) -> Rule:
    """A node that does not have the method."""
    return refuses(method, -32601, f"the method {method} does not exist/is not available")


def slow(seconds: float) -> Rule:
    """Every answer takes so long."""

    def rule(method: str, params: list[Any], rest: Backend) -> Answer:
        time.sleep(seconds)
        return rest(method, params)

    return rule


def every(count: int, rule: Rule) -> Rule:
    """Apply a rule to every ``count``-th request only."""
    number = itertools.count(1)
    return lambda method, params, rest: (
        rule(method, params, rest) if next(number) % count == 0 else rest(method, params)
    )


def _raises(make: Callable[[], Exception], only_method: str | None = None) -> Rule:
    def rule(method: str, params: list[Any], rest: Backend) -> Answer:
        if only_method in (None, method):
            raise make()
        return rest(method, params)

    return rule
