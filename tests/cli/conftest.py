"""One server for the tests of the command line, and a way to run commands against it in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes
from typing import Any
from uuid import uuid4

import pytest
from typer import Typer
from typer.testing import CliRunner

from api.commands import listening_socket, serving, url_of
from registry.bootstrap import build
from registry.cli.main import build_app
from registry.settings import load_settings


@dataclass
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass
class Shell:
    """Runs commands in this process; ``environment`` holds server and keys."""

    app: Typer
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str | bytes | None = None, **environment: str) -> Ran:
        """A command to its end. A defect of its own is an error of the test."""
        result = CliRunner().invoke(
            self.app, list(arguments), input=stdin, env={**self.environment, **environment}
        )
        assert "rootmark itself failed" not in result.stderr, result.stderr
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def done(self, *arguments: str, stdin: str | bytes | None = None, **environment: str) -> Any:
        """What a command that succeeds prints with --json."""
        ran = self.run(*arguments, "--json", stdin=stdin, **environment)
        assert ran.code == 0, ran.err + ran.out
        return ran.json


@dataclass
class Running:
    """A server, and the issuer whose key the shell has."""

    url: str
    data_dir: Path
    issuer: str
    api_key: str
    admin_scoped_key: str


def new_digest() -> str:
    """A digest nobody has issued."""
    return "0x" + token_bytes(32).hex()


def credential(**more: Any) -> dict[str, Any]:
    """A credential nobody has issued."""
    return {
        "id": f"urn:uuid:{uuid4()}",
        "type": ["VerifiableCredential"],
        "credentialSubject": {"name": "a learner"},
    } | more


@pytest.fixture(scope="session")
def cli() -> Typer:
    """The command line, with every command found."""
    return build_app()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, cli: Typer) -> Iterator[Running]:
    """The server: embedded chain, SQLite."""
    settings = load_settings(
        data_dir=tmp_path_factory.mktemp("cli"), poll_seconds=0.05, rate_limit_per_minute=1_000_000
    )
    with ExitStack() as stack:
        app = build(settings)
        stack.callback(app.close)
        bound = listening_socket("127.0.0.1", 0)
        stack.enter_context(serving(app, bound))
        url = url_of(bound)
        admin = Shell(cli, {"ROOTMARK_DATA_DIR": str(settings.data_dir), "ROOTMARK_PUBLIC_URL": url})
        made = admin.done("issuer", "create", "Example College", "https://college.example")
        scoped = admin.done("keys", "create", made["address"], "admin", "--scope", "admin")
        yield Running(url, settings.data_dir, made["address"], made["api_key"], scoped["api_key"])


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ROOTMARK_")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def shell(cli: Typer, running: Running, nowhere: Path) -> Shell:
    """A shell with the issuer's key."""
    return Shell(cli, {"ROOTMARK_PUBLIC_URL": running.url, "ROOTMARK_API_KEY": running.api_key})


@pytest.fixture
def bare(cli: Typer, nowhere: Path) -> Shell:
    """A shell where nothing is set."""
    return Shell(cli)
