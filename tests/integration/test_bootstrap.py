"""Starting: what is made at the first start, what is found again at the next, and what refuses to start."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from registry.bootstrap import App, build, deploy_contract, relayer_of
from registry.chain.abi import load_artifact
from registry.chain.embedded import RpcError
from registry.chain.factory import open_embedded
from registry.chain.keystore import EncryptedKeystore
from registry.encoding import to_hex
from registry.errors import ConfigurationError, IndexStaleError, SignerError, UnauthorizedError
from registry.settings import Settings, load_settings
from tests.support.hostile_node import HostileNode, hostile_node, in_process

KNOWN_KEY = (1).to_bytes(32, "big")
OWN_KEY = b"\x17" * 32


@contextmanager
def running(directory: Path, **changes: Any) -> Iterator[App]:
    app = build(load_settings(data_dir=directory, **changes))
    with closing(app):
        yield app


@contextmanager
def node_of(directory: Path, chain_id: int = 31337) -> Iterator[HostileNode]:
    """A node with the registry on a chain of that id."""
    gateway = open_embedded(directory, chain_id=chain_id)
    with closing(gateway), hostile_node(in_process(gateway.chain.request, RpcError)) as node:
        yield node


def keystore(directory: Path, *keys: bytes) -> dict[str, Path]:
    """Settings of a relayer with these keys."""
    for key in keys:
        EncryptedKeystore(directory, b"a password", strong_kdf=False).add(key)
    password = directory.with_suffix(".password")
    password.write_text("a password\n")
    return {"signer_keystore": directory, "signer_password_file": password}


# --- the data directory -------------------------------------------------------------------------------------


def test_everything_in_the_data_directory_is_its_owners_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    before = os.umask(0)
    try:
        with running(tmp_path):
            modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in tmp_path.rglob("*")}
    finally:
        os.umask(before)
    names = {path.name for path in modes}
    assert {"rootmark.db", "rootmark.db-wal", "admin-token", "operating-keys", "admin-keys-password"} <= names
    assert {path.name: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


def test_the_admin_token_is_made_once_and_opens_the_server(tmp_path: Path) -> None:
    with running(tmp_path) as app:
        token = (tmp_path / "admin-token").read_text().strip()
        assert app.access.authenticate(token).is_server_admin
        with pytest.raises(UnauthorizedError):
            app.access.authenticate(token[:-1])
    with running(tmp_path) as app:
        assert app.access.authenticate(token).is_server_admin


def test_the_admin_token_of_the_settings_comes_first_and_nothing_is_written(tmp_path: Path) -> None:
    with running(tmp_path, admin_token="chosen by the operator") as app:
        assert app.access.authenticate("chosen by the operator").is_server_admin
    assert not (tmp_path / "admin-token").exists()


def test_an_empty_secret_file_refuses_to_start(tmp_path: Path) -> None:
    (tmp_path / "admin-token").touch()
    with pytest.raises(ConfigurationError, match="admin-token in DATA_DIR is empty"):
        build(load_settings(data_dir=tmp_path))
    (tmp_path / "admin-token").unlink()
    with running(tmp_path):
        pass  # the failed start holds no lock


def test_the_keystores_are_apart_and_so_are_their_passwords(tmp_path: Path) -> None:
    with running(tmp_path):
        names = ("operating", "admin", "credential")
        passwords = {(tmp_path / f"{name}-keys-password").read_text() for name in names}
        assert len(passwords) == len(names)


def test_a_data_directory_serves_one_process(tmp_path: Path) -> None:
    with running(tmp_path), pytest.raises(ConfigurationError):
        build(load_settings(data_dir=tmp_path))


def test_a_sqlite_database_serves_one_process_on_any_chain(tmp_path: Path) -> None:
    with node_of(tmp_path / "chain") as node:
        settings = load_settings(data_dir=tmp_path / "data", rpc_url=node.url, chain_id=31337)
        with closing(build(settings)), pytest.raises(ConfigurationError, match=f"process {os.getpid()}"):
            build(settings)
        build(settings).close()


def test_no_repr_shows_a_secret(tmp_path: Path) -> None:
    with running(tmp_path, admin_token="chosen by the operator") as app:
        shown = f"{app!r} {app.settings!r} {app.chain!r} {app.access!r} {app.pipeline!r} {app.issuers!r}"
        shown += repr(app.identity)
        assert "chosen by the operator" not in shown
        for name in (
            "operating-keys-password",
            "admin-keys-password",
            "credential-keys-password",
            "chain/faucet.key",
        ):
            assert (tmp_path / name).read_text().strip() not in shown


# --- what refuses to start ----------------------------------------------------------------------------------


def test_a_database_of_another_chain_refuses_to_start(tmp_path: Path) -> None:
    with running(tmp_path / "one"):
        pass
    url = f"sqlite:///{tmp_path / 'one' / 'rootmark.db'}"
    with pytest.raises(ConfigurationError, match="belongs to another registry or chain"):
        build(load_settings(data_dir=tmp_path / "two", database_url=url))
    with running(tmp_path / "one"):
        pass  # nothing in it was changed


def test_a_node_on_another_chain_refuses_to_start(tmp_path: Path) -> None:
    with node_of(tmp_path / "chain") as node:
        settings = load_settings(data_dir=tmp_path / "data", rpc_url=node.url, chain_id=11155111)
        with pytest.raises(ConfigurationError, match="expected chain id 11155111, found 31337"):
            build(settings)


@pytest.mark.parametrize("where", ["nothing", "another contract"])
def test_an_address_without_the_registrys_code_refuses_to_start(tmp_path: Path, where: str) -> None:
    address = b"\x12" * 20 if where == "nothing" else load_artifact().create2_factory
    with node_of(tmp_path / "chain") as node:
        settings = load_settings(
            data_dir=tmp_path / "data", rpc_url=node.url, chain_id=31337, registry=to_hex(address)
        )
        with pytest.raises(ConfigurationError, match="no contract" if where == "nothing" else "found 0x"):
            build(settings)


@pytest.mark.parametrize(("chain_id", "starts"), [(31337, True), (1, False), (11155111, False)])
def test_a_known_development_key_pays_on_local_chains_only(
    tmp_path: Path, chain_id: int, starts: bool
) -> None:
    relayer = keystore(tmp_path / "relayer", KNOWN_KEY)
    with node_of(tmp_path / "chain", chain_id) as node:
        settings = load_settings(data_dir=tmp_path / "data", rpc_url=node.url, chain_id=chain_id, **relayer)
        if starts:
            build(settings).close()
        else:
            with pytest.raises(ConfigurationError, match="well-known development account"):
                build(settings)


def test_a_relayers_keystore_has_exactly_one_key_and_a_password(tmp_path: Path) -> None:
    def relayer(**changes: Any) -> Any:
        return relayer_of(load_settings(rpc_url="http://127.0.0.1:1", chain_id=1, **changes))

    assert relayer() is None
    one = keystore(tmp_path / "one", OWN_KEY)
    assert relayer(**one).address in EncryptedKeystore(tmp_path / "one", b"").addresses()
    with pytest.raises(ConfigurationError, match="PASSWORD_FILE"):
        relayer(signer_keystore=tmp_path / "one")
    with pytest.raises(ConfigurationError, match="PASSWORD_FILE: cannot be read"):
        relayer(signer_keystore=tmp_path / "one", signer_password_file=tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="exactly one key is expected, there are 2"):
        relayer(**keystore(tmp_path / "two", OWN_KEY, b"\x18" * 32))
    (tmp_path / "one.password").write_text("another")
    with pytest.raises(SignerError, match="the password is another one"):
        relayer(**one)


def test_the_registry_is_deployed_on_the_configured_chain_only(tmp_path: Path) -> None:
    relayer = keystore(tmp_path / "relayer", OWN_KEY)
    with node_of(tmp_path / "chain") as node:
        settings = load_settings(rpc_url=node.url, chain_id=11155111, **relayer)
        with pytest.raises(ConfigurationError, match="expected chain id 11155111, found 31337"):
            deploy_contract(settings)
        assert node.count("eth_sendRawTransaction") == 0
        made = deploy_contract(load_settings(rpc_url=node.url, chain_id=31337, **relayer))
        assert made["transaction"] is None  # it stands there already
    with pytest.raises(ConfigurationError, match="brings its registry"):
        deploy_contract(Settings())


# --- readiness ----------------------------------------------------------------------------------------------


def test_an_index_that_was_never_read_is_not_ready_and_one_that_was_is(tmp_path: Path) -> None:
    with running(tmp_path) as app:
        with pytest.raises(IndexStaleError):
            app.readiness_checks()["index"]()
        app.worker.step()
        for check in app.readiness_checks().values():
            check()
