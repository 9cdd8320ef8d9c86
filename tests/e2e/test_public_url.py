"""The server's address as its operator changes it: refused at the start once something was signed, unless it
is accepted."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from registry.bootstrap import build
from registry.cli.exits import USAGE
from registry.credentials.identity import PINNED
from registry.encoding import Address
from registry.settings import Settings, load_settings
from tests.e2e.test_demo import started, told
from tests.support.pipeline import ADMIN

BEFORE = "https://before.example"

pytestmark = pytest.mark.slow


def settings_in(directory: Path) -> Settings:
    return load_settings(data_dir=directory / "rootmark-data", public_url=BEFORE)


def signed_in(directory: Path) -> Address:
    """An issuer that has signed under the address before."""
    with closing(build(settings_in(directory))) as app:
        issuer = app.issuers.register(ADMIN, "College", "https://college.example").issuer.address
        app.identity.signer(issuer)
        return issuer


def pinned(directory: Path) -> str | None:
    with closing(build(settings_in(directory))) as app, app.store.read() as unit:
        return unit.meta.get(PINNED)


def test_start_under_another_address_is_refused_until_it_is_accepted(tmp_path: Path) -> None:
    issuer = signed_in(tmp_path)
    _, error = told(tmp_path, "serve", "--port", "0", "--no-workers", code=USAGE)
    assert "--accept-new-public-url" in error
    assert "ROOTMARK_PUBLIC_URL" in error
    assert pinned(tmp_path) == BEFORE
    arguments = ("serve", "--port", "0", "--no-workers", "--accept-new-public-url", "--json")
    with started(tmp_path, *arguments) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        port = url.rpartition(":")[2]
        found = httpx.get(f"{url}/issuers/0x{issuer.hex()}/did.json", trust_env=False, timeout=60).json()
        assert found["id"] == f"did:web:localhost%3A{port}:issuers:0x{issuer.hex()}"
    assert pinned(tmp_path) == f"http://localhost:{port}"
