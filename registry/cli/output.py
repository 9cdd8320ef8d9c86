"""What commands share: where the server is, which key, how to print, how to end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console

from registry.cli import exits
from registry.cli.client import Server, ServerUnreachableError
from registry.encoding import JsonValue, parse_json
from registry.errors import RootmarkError, ValidationError
from registry.settings import Settings, load_settings

P = ParamSpec("P")
T = TypeVar("T")

stdout = Console(soft_wrap=True, highlight=False)
stderr = Console(stderr=True, soft_wrap=True, highlight=False)

MAX_FILE_BYTES = 64 * 1024 * 1024

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]
ServerUrl = Annotated[
    str | None,
    typer.Option("--server", help="Address of the server; default: HOST and PORT of the settings."),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--key", envvar="ROOTMARK_API_KEY", show_envvar=True, help="API key; better set in the environment."
    ),
]
Reason = Annotated[
    str | None, typer.Option("--reason", help="Why; see `rootmark revoke --help` for the names.")
]
Note = Annotated[str | None, typer.Option("--note", help="Private note, for the issuer and auditors.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the chain has it, finally.")]


def guarded(command: Callable[P, T]) -> Callable[P, T]:
    """Let a command end with one clear line and its exit code instead of a traceback."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except ServerUnreachableError as error:
            fail(str(error), exits.UNREACHABLE)
        except RootmarkError as error:
            lines = [str(error)]
            for fault in error.faults:
                place = fault.pointer or (f"line {fault.line}" if fault.line else "")
                if place and fault.detail not in lines[0]:
                    lines.append(f"  {place}: {fault.detail}")
            fail("\n".join(lines), exits.exit_code_of(error))
        except BrokenPipeError:  # the reader of our output has gone, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(exits.DONE) from None

    return run


def fail(message: str, code: int) -> NoReturn:
    """Say why on standard error, and end."""
    stderr.print(message, style="red", markup=False)
    raise typer.Exit(code)


def show(value: Any, as_json: bool, text: Callable[[Any], str]) -> None:
    """Print a result for a program or for a person."""
    if as_json:
        typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
    else:
        stdout.print(text(value), markup=False)


def settings() -> Settings:
    """The settings of this directory and environment."""
    return load_settings()


def server(url: str | None, token: str | None) -> Server:
    """The server to talk to."""
    if url is None:
        found = settings()
        url = found.public_url or f"http://{found.host}:{found.port}"
    return Server(url, token)


def admin_token() -> str | None:
    """The server's admin token, where this account may read it."""
    found = settings()
    if found.admin_token is not None:
        return found.admin_token.get_secret_value()
    try:
        return (found.data_dir / "admin-token").read_text().strip()
    except OSError:
        return None


def read_input(path: str) -> bytes:
    """The bytes of a file, or of standard input for `-`.

    Raises:
        ValidationError: it cannot be read, or is longer than 64 MiB.
    """
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ValidationError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise ValidationError(f"{path} is longer than {MAX_FILE_BYTES} bytes")
    return data


def read_json_input(path: str) -> JsonValue:
    """A file, or standard input, as strict JSON."""
    return parse_json(read_input(path))
