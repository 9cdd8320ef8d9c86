"""What commands that change something on chain share: sending, waiting, saying what came of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registry.cli import exits
from registry.cli.options import server
from registry.cli.output import show
from registry.cli.progress import waiting

SETTLED = frozenset({"final", "failed", "awaiting_approval"})

SignatureOption = Annotated[
    list[str] | None,
    typer.Option(
        "--signature",
        help="Of an admin whose key is not on the server, over what the first run printed; repeat in order.",
    ),
]
DeadlineOption = Annotated[
    int | None, typer.Option("--deadline", help="With --signature: as it was printed.")
]


def signed(signatures: list[str] | None, deadline: int | None) -> dict[str, Any]:
    """The members that an admin's signatures add to a body."""
    members: dict[str, Any] = {"signatures": signatures} if signatures else {}
    return members if deadline is None else members | {"deadline": deadline}


def send(
    path: str, body: dict[str, Any], wait: bool, server_url: str | None, key: str | None, as_json: bool
) -> None:
    """Send a request and show what became of it: exit 0 when done, 1 when it failed, 4 when somebody has to
    sign first."""
    from registry.cli.client import path_of

    with server(server_url, key) as target:
        made = target.post(path, body)
        if "to_sign" in made:
            show(made, as_json, _to_sign_text)
            raise typer.Exit(exits.UNDECIDED)
        with waiting(f"{made['kind']} of {made['count']}: {made['state']}") as say:
            while wait and made["state"] not in SETTLED:
                made = target.wait(path_of("requests", made["id"]), SETTLED, timeout_seconds=1)
                say(f"{made['kind']} of {made['count']}: {made['state']}")
    show(made, as_json, request_text)
    if made["state"] == "failed":
        raise typer.Exit(exits.INVALID)


def request_text(request: dict[str, Any]) -> str:
    """A status request for a person."""
    skipped = f", {len(request['skipped'])} already so" if request["skipped"] else ""
    lines = [f"{request['kind']} of {request['count']}: {request['state']}{skipped}"]
    lines += [f"tx  {transaction}" for transaction in request["transactions"]]
    if request["error"]:
        lines.append(f"error  {request['error']}")
    if request["state"] == "awaiting_approval":
        lines.append(f"waits for a second API key: `rootmark approve {request['id']}`")
    return "\n".join(lines)


def _to_sign_text(made: dict[str, Any]) -> str:
    count = len(made["to_sign"])
    named = f"--new-key {made['key']} " if "key" in made else ""
    return "\n".join(
        [
            f"nothing was sent yet: {made['signer']} signs {count} message{'s' if count > 1 else ''} first",
            "  --json prints them (EIP-712); sign each with the admin's key, and repeat the command with",
            f"  {named}--deadline {made['deadline']}{' --signature 0x…' * count}",
        ]
    )
