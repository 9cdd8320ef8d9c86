"""A server with the identity of its issuers, over the embedded chain, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registry.credentials.chain_profiles import ChainProfiles
from registry.credentials.identity import IdentityService
from registry.credentials.keystore import EncryptedCredentialKeystore
from tests.support.chains import embedded_chain
from tests.support.databases import database_url, postgres_server, postgres_url, sqlite_url
from tests.support.pipeline import World, world_on

__all__ = ["database_url", "postgres_server", "postgres_url", "sqlite_url"]

BASE = "https://registry.example"

IdentityMaker = Callable[..., IdentityService]


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    with embedded_chain(tmp_path / "chain") as driven, world_on(driven, tmp_path, url=database_url) as world:
        yield world


@pytest.fixture
def identity_of(world: World) -> IdentityMaker:
    """A process of the server at an address; it shares database and keystores with the others."""

    def make(public_url: str = BASE) -> IdentityService:
        keystore = EncryptedCredentialKeystore(world.directory / "signing", b"c" * 64)
        accounts = [world.operating, world.admins]
        return IdentityService(world.store, world.chain, keystore, accounts, world.clock, public_url)

    return make


@pytest.fixture
def identity(identity_of: IdentityMaker) -> IdentityService:
    return identity_of()


@pytest.fixture
def profiles(world: World) -> ChainProfiles:
    return ChainProfiles(world.store, world.chain, world.relayer, world.clock, world.policy)
