"""A stranger writes whatever the contract lets anybody write: the index takes it, the heads agree, and every
public answer stays an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from eth_abi.abi import encode

from api.commands import listening_socket, serving
from registry.bootstrap import App, build
from registry.chain.abi import function_selectors
from registry.chain.embedded.testing import EmbeddedTesting
from registry.chain.factory import EmbeddedGateway
from registry.encoding import parse_address, to_checksum
from registry.model.chain import BIT_EVENTS, CallKind, Change, ContractCall, EventKind
from registry.services.auditing.history import audit_from_chain
from registry.services.auditing.views import audit_json
from registry.settings import load_settings
from tests.support.chains import DrivenChain, root_of
from tests.support.databases import BOTH, lent_url

ALL = 2**256 - 1
FARTHEST = 2**64 - 1
URIS = {
    "no UTF-8": b"\x80\xff\xfe ill \xed\xa0\x80",
    "NUL": b"a\x00b\x00",
    "emptiness": b"",
    "100 kB": b"\xe2\x98\x83" * 33_000 + b"\xff",
}


def driven(app: App) -> DrivenChain:
    """The server's own chain, driven by a stranger with ether."""
    chain = app.chain
    assert isinstance(chain, EmbeddedGateway)
    testing = EmbeddedTesting(chain.chain)

    def mine(blocks: int) -> None:
        testing.mine(blocks)

    def nothing(*_: object) -> None:
        raise AssertionError("these tests neither reorganise nor close the chain by its driver")

    return DrivenChain(chain, chain.funder, nothing, mine, nothing)  # type: ignore[arg-type]


def set_profile(stranger: DrivenChain, uri: bytes) -> None:
    selector = next(
        bytes(code) for name, code in function_selectors().items() if name.split("(")[0] == "setProfile"
    )
    data = selector + encode(["address", "bytes"], [to_checksum(stranger.issuer), uri])
    gas = 200_000 + 60 * len(data)
    receipt = stranger.mined(stranger.sign(stranger.gateway.info.address, data, gas_limit=gas))
    assert receipt.status == 1


def change(stranger: DrivenChain, kind: CallKind, changes: tuple[Change, ...], reason: int) -> None:
    call = ContractCall(kind, stranger.issuer, root=root_of(1), changes=changes, reason=reason)
    to, data = stranger.gateway.encoder.direct(call)
    receipt = stranger.mined(stranger.sign(to, data, gas_limit=16_000_000))
    assert receipt.status == 1


def do_everything(stranger: DrivenChain) -> None:
    """Every event with the strangest values that the contract takes."""
    stranger.make_issuer()
    for uri in URIS.values():
        set_profile(stranger, uri)
    stranger.anchor(root_of(1))
    change(stranger, CallKind.REVOKE, (Change(FARTHEST, ALL),), 65535)
    change(stranger, CallKind.SUSPEND, (Change(FARTHEST, 1), Change(0, 0), Change(0, ALL)), 8)
    change(stranger, CallKind.REINSTATE, (Change(0, 1), Change(0, 1), Change(0, 1)), 65535)
    change(stranger, CallKind.REVOKE, tuple(Change(2**24 - 1, 1 << (i % 256)) for i in range(1900)), 0)
    change(stranger, CallKind.ANNUL, (Change(FARTHEST, ALL),), 65535)
    for kind in (CallKind.WITHDRAW, CallKind.ANNUL_WITHDRAWAL):
        stranger.do(ContractCall(kind, stranger.issuer, root=root_of(1), reason=65535))


@contextmanager
def running(directory: Path, database_url: str | None) -> Iterator[tuple[App, httpx.Client]]:
    settings = load_settings(
        data_dir=directory,
        database_url=database_url,
        poll_seconds=0.05,
        rate_limit_per_minute=1_000_000,
    )
    with ExitStack() as stack:
        app = build(settings)
        stack.callback(app.close)
        do_everything(driven(app))
        bound = listening_socket("127.0.0.1", 0)
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        stack.enter_context(serving(app, bound))
        yield app, stack.enter_context(httpx.Client(base_url=url, timeout=60))


@pytest.fixture(scope="module", params=BOTH)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[App, httpx.Client]]:
    directory = tmp_path_factory.mktemp("hostile")
    with lent_url(request, directory) as url, running(directory, url) as made:
        made[0].indexer.catch_up()
        yield made


@pytest.fixture
def app(server: tuple[App, httpx.Client]) -> App:
    return server[0]


@pytest.fixture
def client(server: tuple[App, httpx.Client]) -> httpx.Client:
    return server[1]


@pytest.fixture
def stranger(app: App) -> str:
    assert isinstance(app.chain, EmbeddedGateway)
    return to_checksum(app.chain.funder.address)


def test_index_takes_all_of_it_and_agrees_with_the_contract(app: App) -> None:
    with app.store.read() as unit:
        position = unit.events.position()
        stored = [item.event for item in unit.events.list(limit=100_000)]
        assert unit.events.mismatches() == {}
    assert position is not None
    assert stored == list(app.chain.events_in_range(0, position.block.number))
    assert {event.kind for event in stored} >= BIT_EVENTS | {EventKind.PROFILE_SET}
    assert max(len(event.changes) for event in stored) == 1900


def test_history_of_the_stranger_is_shown_and_complete(client: httpx.Client, stranger: str) -> None:
    response = client.get(f"/v1/audit/issuers/{stranger}")
    assert response.status_code == 200
    found = response.json()
    assert found["head"]["match"]
    assert found["problems"] == []
    uris = [event["uri"] for event in found["events"] if event["kind"] == "ProfileSet"]
    assert uris == [uri.decode("utf-8", "replace") for uri in URIS.values()]


def test_history_from_the_chain_alone_is_the_same(app: App, client: httpx.Client, stranger: str) -> None:
    found = client.get(f"/v1/audit/issuers/{stranger}").json()
    alone = audit_from_chain(app.chain, parse_address(stranger), block_number=found["block_number"])
    assert audit_json(alone) == found


@pytest.mark.parametrize(
    "path",
    [
        "/v1/audit/events?limit=500",
        "/v1/audit/events?kind=ProfileSet",
        "/v1/audit/consistency",
        "/v1/revocations?limit=500",
        "/v1/revocations?reason=unspecified&limit=1",
        "/v1/revocations?kind=suspension&limit=255",
        "/v1/issuers",
        "/v1/registry",
        "/metrics",
        "/health/ready",
    ],
)
def test_public_answer_is_an_answer_on_every_page(client: httpx.Client, path: str) -> None:
    pages = 0
    while path and pages < 30:
        response = client.get(path)
        assert response.status_code == 200, response.text[:500]
        link = response.links.get("next", {}).get("url")
        path = str(link) if link else ""
        pages += 1


def test_bits_that_no_batch_can_have_make_no_line(client: httpx.Client, stranger: str) -> None:
    lines = []
    path = f"/v1/revocations?issuer={stranger}&limit=500"
    while path:
        page = client.get(path)
        lines += page.json()["items"]
        path = page.links.get("next", {}).get("url", "")
    indices = [line["index"] for line in lines if line["kind"] == "suspension"]
    assert indices == list(range(256))
    assert {line["reason"] for line in lines} == {"unspecified"}
    assert max(line["index"] for line in lines if line["index"] is not None) < 2**32
    csv = client.get("/v1/revocations", headers={"Accept": "text/csv"})
    assert csv.status_code == 200
    assert csv.headers["X-Row-Count"] == str(len(lines))


def test_changes_are_listed_as_they_were_given(client: httpx.Client, stranger: str) -> None:
    events = client.get(f"/v1/audit/events?issuer={stranger}&kind=Revoked").json()["items"]
    assert events[0]["changes"] == [{"word": str(FARTHEST), "mask": "0x" + "f" * 64}]
    assert len(events[1]["changes"]) == 1900


@pytest.mark.parametrize("live", [False, True])
def test_verdict_about_the_strangers_root_is_an_answer(
    client: httpx.Client, stranger: str, live: bool
) -> None:
    digest = "0x" + "11" * 32
    proof = {
        "type": "RootmarkProof/v1",
        "issuer": stranger,
        "digestMethod": "opaque",
        "digest": digest,
        "salt": "0x" + "22" * 32,
        "index": 0,
        "size": 1,
        "path": [],
        "root": "0x" + root_of(1).hex(),
    }
    response = client.post("/v1/verify", json={"digest": digest, "proof": proof, "live": live})
    assert response.status_code == 200, response.text
    assert response.json()["outcome"] == "invalid"
