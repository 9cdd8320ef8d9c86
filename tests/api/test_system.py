"""The server itself: health, figures, what every answer carries, and the embedded chain's JSON-RPC."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from registry.errors import ChainUnavailableError, NodeMismatchError, StoreUnavailableError
from registry.services.metrics import Metrics
from tests.api.conftest import Api, new_digest
from tests.api.support import FrontEnd, problem

HEAD = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}


# --- registry and health ------------------------------------------------------------------------------------


def test_registry_names_chain_contract_and_progress(api: Api) -> None:
    found = api.public.get("/v1/registry").json()
    assert set(found) == {
        "chain",
        "registry",
        "code_hash",
        "deployed_block",
        "confirmations",
        "latest_block",
        "indexed_block",
        "test_chain",
    }
    assert (found["chain"], found["confirmations"], found["test_chain"]) == ("eip155:31337", 1, True)
    assert found["deployed_block"] <= found["indexed_block"] <= found["latest_block"]


def test_ready_when_all_parts_work(api: Api) -> None:
    response = api.public.get("/health/ready")
    assert response.status_code == 200
    assert response.json()["parts"] == {"database": "ok", "node": "ok", "index": "ok"}


def _unavailable(error: Exception) -> Any:
    def raising(*_: Any, **__: Any) -> None:
        raise error

    return raising


def test_not_ready_names_the_database(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.app.store, "ping", _unavailable(StoreUnavailableError("the database is locked")))
    _not_ready(api.public.get("/health/ready"), "database")
    assert api.public.get("/health/live").status_code == 200


def test_not_ready_names_the_node(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.app.chain, "latest", _unavailable(ChainUnavailableError("the node is silent")))
    _not_ready(api.public.get("/health/ready"), "node")


def test_not_ready_names_the_index_when_it_is_too_old(api: Api) -> None:
    class Later:
        def now(self) -> Any:
            return api.app.clock.now() + timedelta(seconds=120)

    front = FrontEnd(api.app, clock=Later())
    _not_ready(front.send("GET", "/health/ready"), "index")
    assert front.send("GET", "/health/live").status_code == 200


def _not_ready(response: httpx.Response, part: str) -> None:
    assert response.status_code == 503, response.text
    found = response.json()
    assert found["status"] == "unavailable"
    assert [name for name, state in found["parts"].items() if state != "ok"] == [part]


# --- figures ------------------------------------------------------------------------------------------------


def _figures(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_each_figure_changes_with_what_it_counts(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    before_text = api.public.get("/metrics").text
    assert len(re.findall(r"^# TYPE ", before_text, re.MULTILINE)) == 5
    before = _figures(before_text)
    api.final_batch([new_digest()])
    api.public.get(f"/v1/verify/{new_digest()}")
    after = _figures(api.public.get("/metrics").text)
    final, unknown = 'rootmark_batches{state="final"}', 'rootmark_verdicts_total{outcome="not_found"}'
    assert after[final] > before[final]
    assert after[unknown] > before[unknown]
    assert after["rootmark_gas_used_total"] > before["rootmark_gas_used_total"] + 21_000

    ahead = replace(api.app.chain.latest(), number=10**6)
    monkeypatch.setattr(api.app.chain, "latest", lambda: ahead)
    assert _figures(api.public.get("/metrics").text)["rootmark_index_lag_blocks"] > 900_000


def test_anchor_lag_is_the_age_of_the_oldest_unanchored_batch(api: Api) -> None:
    oldest = api.app.clock.now() - timedelta(seconds=30)

    class Batches:
        def __getattr__(self, name: str) -> Any:
            return {
                "oldest_unanchored": lambda: oldest,
                "count_by_state": dict,
                "gas_used_total": lambda: 0,
                "position": lambda: None,
            }[name]

    class Unit:
        batches = events = outbox = Batches()

        def __enter__(self) -> Unit:
            return self

        def __exit__(self, *_: object) -> None:
            return None

    class Store:
        def read(self) -> Unit:
            return Unit()

    metrics = Metrics(Store(), api.app.chain, api.app.clock)  # type: ignore[arg-type]
    front = FrontEnd(api.app, metrics=metrics)
    assert 30 <= _figures(front.send("GET", "/metrics").text)["rootmark_anchor_lag_seconds"] < 600


@pytest.mark.parametrize("error", [ChainUnavailableError("silent"), NodeMismatchError("they disagree")])
def test_figures_leave_out_the_lag_when_the_node_cannot_be_read(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(api.app.chain, "latest", _unavailable(error))
    response = api.public.get("/metrics")
    assert response.status_code == 200
    assert "rootmark_index_lag_blocks" not in response.text


# --- what every answer carries ------------------------------------------------------------------------------


def test_every_answer_has_an_id_of_its_own_and_takes_none_from_outside(api: Api) -> None:
    ids = set()
    for path in ("/health/live", "/v1/registry", "/nope", "/v1/events", "/docs", "/metrics"):
        response = api.public.get(path, headers={"X-Request-Id": "mine"})
        assert re.fullmatch("[0-9a-f]{16}", response.headers["x-request-id"])
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in response.headers["content-security-policy"]
        ids.add(response.headers["x-request-id"])
    assert len(ids) == 6


PUBLIC = [
    "/v1/verify/0x12",
    "/v1/issuers",
    "/v1/batches",
    "/v1/revocations",
    "/v1/audit/consistency",
    "/v1/registry",
]
PRIVATE = [
    "/v1/events",
    "/v1/audit/access",
    "/v1/batches/b/proofs",
    "/v1/issuers/0x12/api-keys",
    "/v1/credentials",
]
PRIVATE += ["/v1/requests/r", "/metrics", "/health/ready"]


@pytest.mark.parametrize("path", PUBLIC)
def test_pages_from_anywhere_may_read_what_is_public(api: Api, path: str) -> None:
    response = api.public.get(path, headers={"Origin": "https://employer.example"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers
    preflight = api.public.options(
        path, headers={"Origin": "https://employer.example", "Access-Control-Request-Method": "GET"}
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", PRIVATE)
def test_pages_from_elsewhere_may_not_read_what_is_private(api: Api, path: str) -> None:
    response = api.issuer.get(path, headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in response.headers
    preflight = api.public.options(
        path, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    )
    assert preflight.status_code >= 400
    assert "access-control-allow-origin" not in preflight.headers


def test_pages_from_anywhere_may_verify_and_not_issue(api: Api) -> None:
    def preflight(path: str) -> httpx.Response:
        wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        return api.public.options(path, headers={"Origin": "https://any.example", **wanted})

    for path in ("/v1/verify", "/v1/verify/bulk"):
        answer = preflight(path)
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert "content-type" in answer.headers["access-control-allow-headers"]
        assert api.public.post(path, json={}).headers["access-control-allow-origin"] == "*"
    for path in ("/v1/batches", "/v1/issuers", "/v1/revocations"):
        assert preflight(path).status_code == 405
        assert "access-control-allow-origin" not in api.public.post(path, json={}).headers


def test_page_after_page_follows_the_link_and_repeats_nothing(api: Api) -> None:
    for number in range(3):
        api.register(f"Paged {number}")
        api.final_batch([new_digest()])
    for client, path in (
        (api.public, "/v1/issuers?limit=2"),
        (api.public, "/v1/audit/events?limit=3"),
        (api.admin, "/v1/audit/access?limit=2"),
        (api.admin, "/v1/events?limit=2&after=0"),
    ):
        seen: list[str] = []
        url: str | None = path
        while url and len(seen) < 100:
            response = client.get(url)
            page = response.json()
            seen += [str(item) for item in page["items"]]
            url = response.links.get("next", {}).get("url")
            assert (url is None) == (page["next_cursor"] is None)
            assert url is None or url.startswith(f"{api.url}/v1/")
        assert len(seen) == len(set(seen)) > 2


def test_links_carry_the_public_address_where_the_operator_named_one(api: Api) -> None:
    front = FrontEnd(api.app, settings={"public_url": "https://registry.example/"})
    link = front.send("GET", "/v1/audit/events?limit=1&issuer=" + api.address).headers["link"]
    assert link.startswith(f"<https://registry.example/v1/audit/events?limit=1&issuer={api.address}&cursor=")


# --- JSON-RPC -----------------------------------------------------------------------------------------------


def test_rpc_answers_this_machine(api: Api) -> None:
    assert int(api.public.post("/rpc", json=HEAD).json()["result"], 16) > 0


@pytest.mark.parametrize(
    "client", ["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "fe80::1", "2001:db8::1", ""]
)
def test_rpc_is_refused_to_other_machines(api: Api, client: str) -> None:
    problem(FrontEnd(api.app, client).send("POST", "/rpc", json=HEAD), 403, "forbidden")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "192.0.2.1"]
)
def test_rpc_is_refused_to_a_rebound_name(api: Api, host: str) -> None:
    problem(api.public.post("/rpc", json=HEAD, headers={"Host": host}), 403, "forbidden")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "localhost."])
def test_rpc_is_answered_under_this_machines_names(api: Api, host: str) -> None:
    assert api.public.post("/rpc", json=HEAD, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://", "x"]
)
def test_rpc_is_refused_to_pages_from_elsewhere(api: Api, origin: str) -> None:
    response = api.public.post("/rpc", json=HEAD, headers={"Origin": origin})
    problem(response, 403, "forbidden")
    assert "access-control-allow-origin" not in response.headers
    assert (
        api.public.options(
            "/rpc", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        ).status_code
        == 405
    )


def test_rpc_is_answered_to_this_machines_pages(api: Api) -> None:
    assert api.public.post("/rpc", json=HEAD, headers={"Origin": "http://localhost:3000"}).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_rpc_is_refused_through_a_proxy(api: Api, header: str) -> None:
    problem(api.public.post("/rpc", json=HEAD, headers={header: "127.0.0.1"}), 403, "forbidden")


@pytest.mark.parametrize(
    "method",
    [
        "eth_sendTransaction",
        "eth_sign",
        "eth_accounts_",
        "personal_sign",
        "evm_mine",
        "evm_revert",
        "admin_peers",
        "debug_traceTransaction",
        "txpool_content",
        "miner_start",
        "eth_newFilter",
        "hardhat_setBalance",
    ],
)
def test_rpc_reads_only(api: Api, method: str) -> None:
    answer = api.public.post("/rpc", json={**HEAD, "method": method}).json()
    assert answer["error"]["code"] == -32601


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b'"x"',
        b"{}",
        b"\xff",
        b'{"jsonrpc":"2.0","id":{},"method":"a"}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{"a":1}}',
        b'{"a":1,"a":1}',
        b"[" * 900,
        b'{"jsonrpc":"2.0","id":1e400,"method":"a"}',
        b'{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[1]}',
    ],
)
def test_rpc_answers_nonsense_with_an_error_object(api: Api, body: bytes) -> None:
    response = api.public.post("/rpc", content=body)
    assert response.status_code == 200
    assert response.json()["error"]["code"] < 0


def test_rpc_caps_batches_and_bodies(api: Api) -> None:
    assert len(api.public.post("/rpc", json=[HEAD] * 100).json()) == 100
    assert api.public.post("/rpc", json=[HEAD] * 101).json()["error"]["code"] == -32600
    problem(api.public.post("/rpc", content=b" " * (1024 * 1024 + 1)), 413, "too-large")


def test_rpc_says_nothing_to_a_notification(api: Api) -> None:
    silent = {name: value for name, value in HEAD.items() if name != "id"}
    response = api.public.post("/rpc", json=silent)
    assert (response.status_code, response.content) == (204, b"")


def test_rpc_is_not_there_with_a_node_of_ones_own(api: Api) -> None:
    front = FrontEnd(api.app, jsonrpc=None)
    problem(front.send("POST", "/rpc", json=HEAD), 404, "not-found")


# --- the page about the API ---------------------------------------------------------------------------------


def test_docs_need_nothing_from_elsewhere(api: Api) -> None:
    page = api.public.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert addresses
    assert not [address for address in addresses if urlsplit(address).netloc]
    assert "<script" not in page.text
    for path in ("/v1/verify/{digest}", "/v1/batches", "/v1/revocations"):
        assert path in page.text
