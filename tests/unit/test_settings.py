"""Settings: where they come from, what contradicts itself, and what is never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from registry.errors import ConfigurationError
from registry.settings import Settings, load_settings

ADDRESS = "0x52908400098527886e0f7030069857d2e4169ee7"


DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without rootmark.toml."""
    monkeypatch.chdir(tmp_path)


def test_nothing_set_is_sqlite_and_the_embedded_chain_in_the_data_directory(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.embedded
    assert settings.effective_database_url == f"sqlite:///{tmp_path.resolve()}/rootmark-data/rootmark.db"
    assert (settings.effective_confirmations, settings.max_index_age_seconds) == (1, 60)
    assert (settings.batch_max_age_seconds, settings.batch_max_size) == (300, 10_000)


def test_another_chain_waits_for_twelve_confirmations() -> None:
    settings = load_settings(rpc_url="http://127.0.0.1:1, http://127.0.0.1:2", chain_id=1)
    assert settings.rpc_url == ["http://127.0.0.1:1", "http://127.0.0.1:2"]
    assert (settings.embedded, settings.effective_confirmations) == (False, 12)
    assert load_settings(confirmations=3).effective_confirmations == 3


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rootmark.toml").write_text('port = 1\nhost = "::1"\nmax_fee_gwei = 7\n')
    monkeypatch.setenv("ROOTMARK_PORT", "2")
    monkeypatch.setenv("ROOTMARK_HOST", "127.0.0.2")
    settings = load_settings(port=3, host=None)
    assert (settings.port, settings.host, settings.max_fee_gwei) == (3, "127.0.0.2", 7)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"rpc_url": "http://127.0.0.1:1"}, "chain_id"),
        ({"chain_id": 1}, "chain_id"),
        ({"checkpoint_file": "checkpoints.json"}, "checkpoint_key"),
        ({"registry": "0x12"}, "ROOTMARK_REGISTRY"),
        ({"trusted_issuers": ADDRESS.replace("e", "E", 1)}, "ROOTMARK_TRUSTED_ISSUERS"),
        ({"port": 65_536}, "ROOTMARK_PORT"),
        ({"confirmations": 0}, "ROOTMARK_CONFIRMATIONS"),
        ({"colour": "red"}, "ROOTMARK_COLOUR"),
    ],
)
def test_what_contradicts_itself_or_has_the_wrong_form_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        load_settings(**changes)


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "rootmark.toml").write_text("port = ")
    with pytest.raises(ConfigurationError, match=r"rootmark\.toml"):
        load_settings()


def test_neither_repr_nor_error_shows_a_secret() -> None:
    secrets = {
        "admin_token": "secret-1",
        "database_url": "postgresql://user:secret-2@db.example/rootmark",
        "rpc_url": "https://node.example/v3/secret-3",
    }
    assert "secret-" not in repr(load_settings(chain_id=1, **secrets))
    with pytest.raises(ConfigurationError) as caught:
        load_settings(chain_id="secret-4", **secrets)
    assert "secret-" not in str(caught.value)


def test_hosts_to_fetch_from_are_names_in_lower_case() -> None:
    assert load_settings().fetch_hosts == []
    hosts = load_settings(
        fetch_hosts="Issuer.example, status.example:8443,localhost:8000,127.0.0.1"
    ).fetch_hosts
    assert hosts == ["issuer.example", "status.example:8443", "localhost:8000", "127.0.0.1"]


@pytest.mark.parametrize(
    "host",
    [
        "https://issuer.example",
        "issuer.example/path",
        "*.example",
        "user@issuer.example",
        "issuer.example:port",
        "10.0.0.1",
        "2130706433",
        "[::1]",
        ".example",
        "a..example",
        "éxample.org",
    ],
)
def test_host_to_fetch_from_is_refused_when_it_is_no_name(host: str) -> None:
    with pytest.raises(ConfigurationError, match="ROOTMARK_FETCH_HOSTS") as caught:
        load_settings(fetch_hosts=[host])
    assert host not in str(caught.value)


def shown_default(value: Any) -> str:
    """A default as the table of settings has it."""
    if value is None or value == []:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_every_setting_stands_in_the_operators_table_with_its_default() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text.split("\n## Settings\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "`" in line
    ]
    table = {cells[0]: cells[1] for cells in rows if len(cells) == 3}
    expected = {
        f"`{name.upper()}`": shown_default(field.get_default(call_default_factory=True))
        for name, field in Settings.model_fields.items()
    }
    assert table == expected
    assert list(table) == list(expected)
