"""The whole command line: names, --json everywhere, examples, a quick start, and no traceback, whatever is
typed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer import Typer

from tests.cli.conftest import Shell

REPOSITORY = Path(__file__).resolve().parents[2]
COMMANDS = [
    "serve",
    "worker",
    "demo",
    "issuer",
    "batch",
    "verify",
    "revoke",
    "suspend",
    "reinstate",
    "withdraw",
    "annul",
    "erase",
    "audit",
    "keys",
    "deploy",
    "db",
    "doctor",
]
HEAVY = ("web3", "eth_tester", "eth", "sqlalchemy", "alembic", "fastapi", "uvicorn", "httpx", "pydantic")


def leaves(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its path."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


@pytest.fixture(scope="module")
def commands(cli: Typer) -> dict[tuple[str, ...], Any]:
    return dict(leaves(typer.main.get_command(cli)))


def test_every_command_is_there(commands: dict[tuple[str, ...], Any]) -> None:
    assert set(COMMANDS) <= {path[0] for path in commands}


def test_every_command_prints_json(commands: dict[tuple[str, ...], Any]) -> None:
    without = [
        path
        for path, command in commands.items()
        if not any("--json" in option.opts for option in command.params)
    ]
    assert without == []


def test_every_command_and_option_says_what_it_is(commands: dict[tuple[str, ...], Any]) -> None:
    for path, command in commands.items():
        assert command.help, path
        assert all(option.help for option in command.params if option.name != "help"), path


@pytest.mark.parametrize("path", [("verify",), ("batch", "create"), ("audit", "issuer"), ("revoke",)])
def test_help_has_examples(bare: Shell, path: tuple[str, ...]) -> None:
    ran = bare.run(*path, "--help")
    assert ran.code == 0
    assert f"rootmark {' '.join(path)} " in ran.out.split("Example", 1)[1]


def test_help_names_the_exit_codes(bare: Shell) -> None:
    assert "5 cannot reach" in " ".join(bare.run("--help").out.split())
    assert bare.run().code == 2
    assert bare.run("--version").out.startswith("rootmark ")


def test_completion_is_offered(bare: Shell) -> None:
    assert "--install-completion" in bare.run("--help").out


def test_start_loads_nothing_heavy() -> None:
    program = (
        "import sys; from registry.cli.main import build_app; build_app();"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("path", ["doctor", "deploy", "db version", "issuer list", "verify x"])
def test_broken_settings_file_is_a_clear_error(bare: Shell, nowhere: Path, path: str) -> None:
    (nowhere / "rootmark.toml").write_text("port = [")
    ran = bare.run(*path.split())
    assert ran.code == 2
    assert "rootmark.toml" in ran.err or path == "verify x"


def test_unknown_setting_is_named(bare: Shell, nowhere: Path) -> None:
    (nowhere / "rootmark.toml").write_text('datadir = "x"')
    ran = bare.run("doctor")
    assert ran.code == 2
    assert "DATADIR" in ran.err


def test_doctor_works_with_nothing_set(bare: Shell) -> None:
    found = bare.done("doctor")
    assert all(finding["ok"] for finding in found)
    assert "ok   disk" in bare.run("doctor").out


def test_doctor_ends_with_1_and_says_what_to_do(bare: Shell) -> None:
    ran = bare.run("doctor", ROOTMARK_RPC_URL="http://127.0.0.1:1", ROOTMARK_CHAIN_ID="1")
    assert ran.code == 1
    assert "BAD  node" in ran.out
    assert "-> check RPC_URL" in ran.out


def test_schema_is_made_and_its_version_told(bare: Shell) -> None:
    assert bare.run("db", "version", "--check").code == 1
    version = bare.done("db", "migrate")["version"]
    assert bare.done("db", "version", "--check") == {"version": version, "behind": 0}


def test_deploying_needs_a_chain_and_a_key(bare: Shell) -> None:
    assert bare.run("deploy").code == 2
    ran = bare.run("deploy", ROOTMARK_RPC_URL="http://127.0.0.1:1", ROOTMARK_CHAIN_ID="1")
    assert (ran.code, "SIGNER_KEYSTORE" in ran.err) == (2, True)
    assert bare.run("checkpoint", "x.json").code == 2


ODD = [
    "",
    "-",
    "0x",
    "0x12",
    "0x" + "ff" * 32,
    "\u202e",
    "a\x00b",
    "../..",
    "--",
    "-1",
    "9" * 40,
    "%00",
    "é" * 300,
    "{}",
]


@pytest.mark.slow
def test_no_arguments_bring_a_traceback(
    bare: Shell, commands: dict[tuple[str, ...], Any], nowhere: Path
) -> None:
    """`Shell.run` fails for a defect; nothing here has a server to talk to."""
    chance = random.Random(4)
    rounds = 4
    for path, command in sorted(commands.items()):
        if path[0] in ("serve", "demo", "worker"):
            continue
        options = [
            o.opts[0] for o in command.params if o.param_type_name == "option" and o.opts[0] != "--help"
        ]
        arguments = sum(o.param_type_name == "argument" for o in command.params)
        for _ in range(rounds):
            words = [chance.choice(ODD) for _ in range(arguments)]
            for option in chance.sample(options, min(2, len(options))):
                words += [option, *([chance.choice(ODD)] if chance.random() < 0.8 else [])]
            ran = bare.run(*path, *words, stdin=chance.choice(ODD), ROOTMARK_PORT="1")
            assert ran.code in range(6), (path, words)
            assert ran.code == 0 or ran.err or ran.out, (path, words)
