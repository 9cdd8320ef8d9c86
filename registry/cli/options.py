"""Options that commands share, and what follows from them: the settings, the server, the tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from registry.cli.client import Server
    from registry.settings import Settings

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]
ServerUrl = Annotated[
    str | None,
    typer.Option(
        "--server", metavar="URL", help="The server; default: PUBLIC_URL, else HOST and PORT of the settings."
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--key", envvar="ROOTMARK_API_KEY", show_envvar=True, help="API key; better set in the environment."
    ),
]
Note = Annotated[str | None, typer.Option("--note", help="Private note, for the issuer and auditors.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the chain has it, finally.")]


def settings() -> Settings:
    """The settings of this directory and environment.

    Raises:
        ConfigurationError: they have not their form.
    """
    from registry.settings import load_settings

    return load_settings()


def server(url: str | None, token: str | None) -> Server:
    """The server to talk to."""
    from registry.cli.client import Server

    if url is None:
        found = settings()
        host = f"[{found.host}]" if ":" in found.host else found.host
        here = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - asked, not bound
        url = found.public_url or f"{found.scheme}://{here}:{found.port}"
    return Server(url, token)


def admin_token() -> str | None:
    """The server's admin token, where this account may read it."""
    found = settings()
    if found.admin_token is not None:
        return found.admin_token.get_secret_value()
    try:
        return (found.data_dir / "admin-token").read_text().strip()
    except (OSError, ValueError):
        return None
