"""One server for all API tests of a worker: embedded chain, SQLite, a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any

import httpx
import pytest

from api.commands import listening_socket, serving
from registry.bootstrap import App, build
from registry.settings import load_settings
from tests.support.databases import BOTH, lent_url, postgres_server

__all__ = ["ON_BOTH", "Api", "api", "new_digest", "postgres_server", "served"]

ON_BOTH = pytest.mark.parametrize("api", BOTH, indirect=True, scope="session")

SETTLED = frozenset({"final", "failed"})


@dataclass
class Api:
    """A running server, its administrator and one issuer."""

    app: App
    url: str
    admin: httpx.Client
    issuer: httpx.Client
    address: str
    public: httpx.Client
    open_clients: ExitStack

    def client(self, token: str | None) -> httpx.Client:
        """A client with another key, closed with the server."""
        return self.open_clients.enter_context(_client(self.url, token))

    def register(self, name: str = "Another College") -> tuple[str, httpx.Client]:
        """A further issuer, and a client with its first key."""
        made = self.admin.post("/v1/issuers", json={"name": name, "url": "https://college.example"}).json()
        return made["address"], self.client(made["api_key"])

    def final_batch(self, digests: list[Any], **query: str) -> dict[str, Any]:
        """A batch of the issuer, once it is final."""
        response = self.issuer.post(
            "/v1/batches", json={"digests": digests}, params=query, headers={"Prefer": "wait=60"}
        )
        assert response.status_code == 200, response.text
        batch: dict[str, Any] = response.json()
        assert batch["state"] == "final", batch
        return batch

    def final_request(self, made: dict[str, Any], client: httpx.Client | None = None) -> dict[str, Any]:
        """A status request, once it is final."""
        while made["state"] not in SETTLED:
            made = (client or self.issuer).get(f"/v1/requests/{made['id']}").json()
        assert made["state"] == "final", made
        return made


def new_digest() -> str:
    """A digest nobody has issued."""
    return "0x" + token_bytes(32).hex()


@pytest.fixture(scope="session")
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The server, on SQLite; a module that is marked with `ON_BOTH` runs on each database in turn."""
    directory = tmp_path_factory.mktemp("api")
    with lent_url(request, directory) as url, served(directory, database_url=url) as running:
        yield running


@contextmanager
def served(directory: Path, **more: Any) -> Iterator[Api]:
    """A server of one's own, with further settings."""
    settings = load_settings(
        data_dir=directory,
        poll_seconds=0.05,
        rate_limit_per_minute=1_000_000,
        rate_limit_per_minute_key=1_000_000,
        store_documents=True,
        **more,
    )
    app = build(settings)
    bound = listening_socket("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    token = (settings.data_dir / "admin-token").read_text().strip()
    with ExitStack() as stack:
        stack.callback(app.close)
        stack.enter_context(serving(app, bound))
        clients = stack.enter_context(ExitStack())
        admin = clients.enter_context(_client(url, token))
        made = admin.post(
            "/v1/issuers", json={"name": "Test College", "url": "https://college.example"}
        ).json()
        issuer = clients.enter_context(_client(url, made["api_key"]))
        public = clients.enter_context(_client(url, None))
        yield Api(app, url, admin, issuer, made["address"], public, clients)


def _client(url: str, token: str | None) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=url, headers=headers, timeout=60)
