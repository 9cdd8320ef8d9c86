"""The HTTP provider: limits on size and time, names, no redirects, no proxy for the loopback interface."""

from __future__ import annotations

import pytest
from web3.types import RPCEndpoint

from registry.chain.factory import http_nodes
from registry.chain.provider import AnswerTooLargeError, HttpProvider
from registry.errors import ChainUnavailableError
from tests.support import hostile_node as hostile
from tests.support.hostile_node import Answer, hostile_node

CHAIN_ID = RPCEndpoint("eth_chainId")


def nothing(method: str, params: list[object]) -> Answer:
    """A node that answers every method with 1."""
    return {"result": "0x1"}


def test_an_answer_over_the_limit_is_not_read_to_its_end() -> None:
    with hostile_node(nothing, hostile.huge(50_000_000)) as node:
        provider = HttpProvider(node.url, max_body_bytes=100_000)
        with pytest.raises(AnswerTooLargeError):
            provider.make_request(CHAIN_ID, [])
        provider.close()


def test_an_answer_up_to_the_limit_is_read() -> None:
    with hostile_node(nothing, hostile.huge(50_000)) as node:
        provider = HttpProvider(node.url, max_body_bytes=100_000)
        assert len(provider.make_request(CHAIN_ID, [])["result"]) == 50_002
        provider.close()


def test_an_answer_that_drips_runs_into_the_timeout() -> None:
    with hostile_node(nothing, hostile.drips(0.05)) as node:
        provider = HttpProvider(node.url, timeout_seconds=0.5)
        with pytest.raises(ChainUnavailableError, match="in time"):
            provider.make_request(CHAIN_ID, [])
        provider.close()


def test_a_redirect_is_not_followed() -> None:
    with hostile_node(nothing) as elsewhere:

        def redirect(*_: object) -> Answer:
            raise hostile.Reply(b"", 307, location=elsewhere.url)

        with hostile_node(nothing, redirect) as node:
            provider = HttpProvider(node.url)
            with pytest.raises(ChainUnavailableError, match="HTTP 307"):
                provider.make_request(CHAIN_ID, [])
            provider.close()
        assert elsewhere.asked == []


def test_a_proxy_of_the_environment_never_sees_the_loopback_interface(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with hostile_node(nothing) as node, hostile_node(nothing) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        provider = HttpProvider(node.url)
        assert provider.make_request(CHAIN_ID, [])["result"] == "0x1"
        provider.close()
        assert proxy.asked == []


def test_an_error_is_read_whatever_the_http_status() -> None:
    body = b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no"}}'
    with hostile_node(nothing, hostile.replies(body, 400)) as node:
        provider = HttpProvider(node.url)
        assert provider.make_request(CHAIN_ID, [])["error"]["message"] == "no"
        provider.close()


def test_batches_come_back_in_the_order_of_the_requests() -> None:
    def echo(method: str, params: list[object]) -> Answer:
        return {"result": params[0]}

    with hostile_node(echo) as node:
        provider = HttpProvider(node.url)
        answers = provider.make_batch_request([(CHAIN_ID, [n]) for n in range(50)])
        assert [answer["result"] for answer in answers] == list(range(50))
        provider.close()


def test_nodes_on_one_host_get_different_names() -> None:
    nodes = http_nodes(["https://rpc.example.org/a", "https://rpc.example.org/b", "http://127.0.0.1:1"])
    assert [node.name for node in nodes] == ["rpc.example.org#1", "rpc.example.org#2", "127.0.0.1:1"]
    for node in nodes:
        node.close()
