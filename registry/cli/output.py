"""How commands print, and how they end.

Results go to standard output, everything else (errors, progress, hints) to standard error. Imports only what
is quick to load: `rootmark --help` goes through here.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from traceback import extract_tb
from typing import Any, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console

from registry.cli import exits
from registry.errors import RootmarkError

P = ParamSpec("P")
T = TypeVar("T")

stdout = Console(soft_wrap=True, highlight=False)
stderr = Console(stderr=True, soft_wrap=True, highlight=False)


class CommandError(RootmarkError):
    """A command ends with this message and exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def guarded(command: Callable[P, T]) -> Callable[P, T]:
    """Let a command end with one clear line, or under --json with a problem object, and its exit code instead
    of a traceback."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        ended = partial(_end, as_json=bool(kwargs.get("as_json")))
        try:
            return command(*args, **kwargs)
        except RootmarkError as error:
            ended(error)
        except BrokenPipeError:  # the reader of our output has gone, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(exits.DONE) from None
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except OSError as error:  # the disk is full, a file is in the way
            why = error.strerror or type(error).__name__
            ended(CommandError(f"the system refused: {why}", exits.INVALID))
        except Exception as error:  # noqa: BLE001 - a command line shows no traceback
            ended(CommandError(_defect(error), exits.INVALID))

    return run


def _end(error: RootmarkError, *, as_json: bool) -> NoReturn:
    """Say why on standard error, for a person or for a program, and end."""
    told = isinstance(error, CommandError)
    code = error.code if isinstance(error, CommandError) else exits.exit_code_of(error)
    if not as_json:
        fail(str(error) if told else _with_places(error), code)
    typer.echo(json.dumps(problem_of(error), ensure_ascii=False), err=True)
    raise typer.Exit(code)


def problem_of(error: RootmarkError) -> dict[str, Any]:
    """A problem object (RFC 9457): the server's own where it answered with one, else of the same members as
    far as they make sense without a request."""
    given = getattr(error, "problem", None)
    if given:
        return dict(given)
    places = [
        ({"line": fault.line} if fault.line and fault.pointer is None else {"pointer": fault.pointer or ""})
        | {"code": fault.code, "detail": fault.detail}
        for fault in error.faults
    ]
    return {"type": "about:blank", "title": "The command failed", "detail": str(error), "errors": places}


def _with_places(error: RootmarkError) -> str:
    lines = [str(error)]
    for fault in error.faults:
        place = fault.pointer or (f"line {fault.line}" if fault.line else "")
        if place and fault.detail not in lines[0]:
            lines.append(f"  {place}: {fault.detail}")
    return "\n".join(lines)


def _defect(error: Exception) -> str:
    """What to report about an error that nobody expected: its kind and place, none of its contents."""
    frames = extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"rootmark itself failed ({type(error).__name__}{place}); please report what you did"


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
