"""Entry point of `rootmark`."""

from __future__ import annotations

from importlib.metadata import entry_points, version
from typing import Annotated

import typer

GROUP = "rootmark.commands"

HELP = """Issue, verify, revoke and audit micro-credentials anchored on a blockchain.

Start with `rootmark demo`, then `rootmark serve`. Commands talk to the server of the settings, or to --server
URL; `verify` with --rpc, --bundle or --offline and `audit issuer --rpc` need none. `rootmark COMMAND --help`
has examples.

Exit codes: 0 valid or done, 1 invalid, 2 usage, 3 revoked, suspended, withdrawn or expired, 4 pending,
indeterminate or not found, 5 cannot reach."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rootmark {version('rootmark')}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The top level has no action of its own."""


def build_app() -> typer.Typer:
    """The application with every command found."""
    app = typer.Typer(
        name="rootmark",
        help=HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(help=HELP)(_root)
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        entry.load()(app)
    return app


def main() -> None:
    """Run the command line."""
    build_app()()
