"""The doctor finds each thing that keeps a server from working, names it, and says what to do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from eth_keyfile.keyfile import create_keyfile_json
from sqlalchemy import create_engine, text

from registry.bootstrap import build
from registry.chain.keystore import LocalSigner
from registry.doctor import Finding, examine
from registry.errors import ConfigurationError
from registry.settings import Settings, load_settings
from registry.store.schema import VERSION_TABLE
from tests.support import hostile_node as hostile
from tests.support.chains import DrivenChain, embedded_chain
from tests.support.hostile_node import Rule, hostile_node
from tests.support.pipeline import ADMIN

PASSWORD = b"relayer's password"
KEY = b"\x11" * 32


class ShiftedClock:
    """The machine's clock, so many seconds off."""

    def __init__(self, seconds: float) -> None:
        self._shift = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DrivenChain]:
    with embedded_chain(tmp_path_factory.mktemp("doctor")) as driven:
        yield driven


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ROOTMARK_")]:
        monkeypatch.delenv(name)


def keystore(directory: Path, *, key: bytes = KEY) -> dict[str, Any]:
    """Settings with a relayer."""
    stored = directory / "relayer"
    stored.mkdir()
    file = create_keyfile_json(key, PASSWORD, kdf="pbkdf2", iterations=1000)
    (stored / f"{LocalSigner(key).address.hex()}.json").write_text(json.dumps(file))
    (directory / "password").write_bytes(PASSWORD)
    return {"signer_keystore": stored, "signer_password_file": directory / "password"}


def on_node(url: str, **more: Any) -> Settings:
    return load_settings(rpc_url=[url], chain_id=31337, **more)


def bad(findings: list[Finding]) -> dict[str, Finding]:
    """What is wrong, by check; each with advice."""
    found = {finding.check: finding for finding in findings if not finding.ok}
    assert all(finding.advice for finding in found.values())
    return found


def look(chain: DrivenChain, *rules: Rule, shift: float = 0, **more: Any) -> list[Finding]:
    with hostile_node(chain.backend(), *rules) as node:
        return examine(on_node(node.url, **more), clock=ShiftedClock(shift))


def test_all_is_well_with_nothing_set_and_nothing_is_made(tmp_path: Path) -> None:
    findings = examine(load_settings())
    assert not bad(findings)
    assert {finding.check for finding in findings} == {"disk", "database", "keystore", "clock", "lock"}
    assert not list(tmp_path.iterdir())


def test_all_is_well_after_a_server_has_run() -> None:
    settings = load_settings()
    app = build(settings)
    try:
        held = examine(settings)
    finally:
        app.close()
    assert not bad(held)
    assert f"in use by process {os.getpid()}" in next(f.detail for f in held if f.check == "lock")
    assert not bad(examine(settings))


def test_all_is_well_on_a_good_node(chain: DrivenChain, tmp_path: Path) -> None:
    findings = look(chain, hostile.returns("eth_getBalance", hex(10**18)), **keystore(tmp_path))
    assert not bad(findings)
    assert {"node", "clock", "funds"} <= {finding.check for finding in findings}


def test_node_that_is_down_is_found(chain: DrivenChain) -> None:
    with hostile_node(chain.backend()) as node:
        url = node.url
    found = bad(examine(on_node(url)))
    assert set(found) == {"node"}
    assert url.removeprefix("http://") in found["node"].detail


@pytest.mark.parametrize(
    ("rule", "check", "said"),
    [
        (hostile.html(), "node", "502"),
        (hostile.returns("eth_chainId", "0x1"), "chain", "expected chain id 31337, found 1"),
        (hostile.returns("eth_getCode", "0x"), "contract", "no contract"),
        (hostile.returns("eth_getCode", "0x6000"), "contract", "not this registry"),
    ],
    ids=["error page", "wrong chain id", "no code", "other code"],
)
def test_wrong_node_is_found(chain: DrivenChain, rule: Rule, check: str, said: str) -> None:
    found = bad(look(chain, rule))
    assert said in found[check].detail


def test_bad_node_is_named_beside_a_good_one(chain: DrivenChain) -> None:
    with (
        hostile_node(chain.backend()) as good,
        hostile_node(chain.backend(), hostile.returns("eth_getCode", "0x")) as other,
    ):
        findings = examine(load_settings(rpc_url=[good.url, other.url], chain_id=31337))
    assert [f.ok for f in findings if f.check == "node"] == [True]
    assert other.url.removeprefix("http://") in bad(findings)["contract"].detail


def test_relayer_without_funds_is_found(chain: DrivenChain, tmp_path: Path) -> None:
    found = bad(look(chain, **keystore(tmp_path)))
    assert set(found) == {"funds"}
    assert " has 0 wei" in found["funds"].detail


@pytest.mark.parametrize("shift", [45, -45, 3 * 3600])
def test_clock_that_is_off_is_found(chain: DrivenChain, shift: float) -> None:
    found = bad(look(chain, shift=shift))
    assert set(found) == {"clock"}
    assert ("ahead of" if shift > 0 else "behind") in found["clock"].detail


def test_clock_that_is_a_little_off_is_fine(chain: DrivenChain) -> None:
    assert not bad(look(chain, shift=15))


def test_clock_behind_the_newest_block_is_found(chain: DrivenChain) -> None:
    def later(method: str, params: list[Any], rest: hostile.Backend) -> hostile.Answer:
        answer = rest(method, params)
        return {
            "result": answer["result"] | {"timestamp": hex(int(answer["result"]["timestamp"], 16) + 3600)}
        }

    chain.mine(1)
    found = bad(look(chain, hostile.only("eth_getBlockByNumber", later)))
    assert "behind the newest block" in found["clock"].detail


def test_clock_behind_the_files_of_the_data_directory_is_found(tmp_path: Path) -> None:
    settings = load_settings()
    build(settings).close()
    found = bad(examine(settings, clock=ShiftedClock(-3600)))
    assert "behind the newest file" in found["clock"].detail


def test_full_disk_is_found() -> None:
    found = bad(examine(load_settings(), free_bytes=lambda _: 1024 * 1024))
    assert set(found) == {"disk"}
    assert "1 MiB free" in found["disk"].detail


def test_database_behind_on_migrations_is_found(tmp_path: Path) -> None:
    settings = load_settings()
    build(settings).close()
    engine = create_engine(settings.effective_database_url)
    with engine.begin() as connection:
        connection.execute(text(f"DELETE FROM {VERSION_TABLE}"))
    engine.dispose()
    found = bad(examine(settings))
    assert set(found) == {"database"}
    assert "behind" in found["database"].detail
    assert "rootmark db migrate" in found["database"].advice


def test_database_that_is_none_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.db").write_bytes(b"this is no database" * 100)
    found = bad(examine(load_settings(database_url=f"sqlite:///{tmp_path / 'other.db'}")))
    assert set(found) == {"database"}


def _other_password(data_dir: Path) -> None:
    (data_dir / "operating-keys-password").write_text("another")


def _no_password(data_dir: Path) -> None:
    (data_dir / "admin-keys-password").unlink()


def _broken_file(data_dir: Path) -> None:
    next((data_dir / "operating-keys").iterdir()).write_text("{")


def _broken_signing_key(data_dir: Path) -> None:
    next((data_dir / "credential-keys").iterdir()).write_text("-----BEGIN")


def _no_password_of_signing_keys(data_dir: Path) -> None:
    (data_dir / "credential-keys-password").unlink()


HARMS = [_other_password, _no_password, _broken_file, _broken_signing_key, _no_password_of_signing_keys]


@pytest.mark.parametrize("harm", HARMS)
def test_unreadable_keystore_is_found(harm: Callable[[Path], None]) -> None:
    settings = load_settings()
    app = build(settings)
    try:
        made = app.issuers.register(ADMIN, "College", "https://college.example", None)
        app.identity.signer(made.issuer.address)
    finally:
        app.close()
    assert not bad(examine(settings))
    harm(settings.data_dir)
    before = sorted(path.name for path in settings.data_dir.iterdir())
    assert set(bad(examine(settings))) == {"keystore"}
    assert sorted(path.name for path in settings.data_dir.iterdir()) == before


@pytest.mark.parametrize(
    ("file", "text", "check", "said"),
    [
        ("webhook-secrets-key", "x", "webhooks", "holds no key of 32 bytes"),
        ("webhook-secrets-key", "", "webhooks", "is empty"),
        ("report-signing.pem", "x", "reports", "no key with its certificate"),
        ("report-signing.pem", "", "reports", "is empty"),
    ],
)
def test_broken_key_of_webhooks_or_reports_is_found(file: str, text: str, check: str, said: str) -> None:
    settings = load_settings()
    build(settings).close()
    (settings.data_dir / file).write_text(text)
    found = bad(examine(settings))
    assert set(found) == {check}
    assert said in found[check].detail


@pytest.mark.parametrize(
    ("days", "well"), [(-1, False), (0, True), (3619, True), (3621, False), (3651, False)]
)
def test_certificate_of_reports_that_is_not_in_force_or_soon_ends_is_found(days: int, well: bool) -> None:
    settings = load_settings()
    build(settings).close()
    found = bad(examine(settings, clock=ShiftedClock(days * 86400)))
    assert ("reports" not in found) is well


def test_relayer_with_another_password_is_found(chain: DrivenChain, tmp_path: Path) -> None:
    settings = keystore(tmp_path)
    settings["signer_password_file"].write_text("another")
    assert set(bad(look(chain, **settings))) == {"keystore"}


def test_relayer_without_password_file_is_found(chain: DrivenChain, tmp_path: Path) -> None:
    settings = keystore(tmp_path)
    settings["signer_password_file"].unlink()
    assert "PASSWORD_FILE" in bad(look(chain, **settings))["keystore"].detail


def test_lock_of_a_killed_process_is_found(tmp_path: Path) -> None:
    program = (
        "import os, signal; from registry.bootstrap import build;"
        "from registry.settings import load_settings;"
        "build(load_settings()); os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    killed = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    settings = load_settings()
    found = bad(examine(settings))
    assert set(found) == {"lock"}
    assert "stale lock" in found["lock"].detail
    build(settings).close()
    assert not bad(examine(settings))


def test_data_directory_that_is_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "rootmark-data").write_text("")
    assert "disk" in bad(examine(load_settings()))


def test_several_faults_are_all_found(chain: DrivenChain, tmp_path: Path) -> None:
    more = keystore(tmp_path)
    shutil.rmtree(more["signer_keystore"])
    found = bad(look(chain, hostile.returns("eth_chainId", "0x1"), shift=60, **more))
    assert set(found) == {"keystore", "chain", "clock"}


def test_address_that_is_no_url_is_found() -> None:
    found = bad(examine(load_settings(rpc_url=["not-a-url"], chain_id=1)))
    assert set(found) == {"node"}


def test_broken_settings_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "rootmark.toml").write_text("port = [")
    with pytest.raises(ConfigurationError, match=r"rootmark\.toml"):
        load_settings()
