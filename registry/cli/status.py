"""revoke, suspend, reinstate, annul, withdraw: what changes a status."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registry.cli import exits
from registry.cli.issuing import SETTLED
from registry.cli.output import (
    ApiKey,
    JsonFlag,
    Note,
    ServerUrl,
    Wait,
    guarded,
    read_input,
    server,
    show,
)
from registry.errors import ValidationError
from registry.model.reasons import REASON_LABELS

_REASONS = f"One of {', '.join(REASON_LABELS)}."

Digests = Annotated[list[str], typer.Argument(help="Digests; - reads them from standard input, one a line.")]
ReasonName = Annotated[str | None, typer.Option("--reason", help=_REASONS)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("revoke")(revoke)
    app.command("suspend")(suspend)
    app.command("reinstate")(reinstate)
    app.command("annul")(annul)
    app.command("withdraw")(withdraw)


@guarded
def revoke(
    digests: Digests,
    reason: ReasonName = None,
    note: Note = None,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Revoke credentials for good; only the issuer's admin can annul it."""
    _change("/v1/revocations", digests, reason, note, wait, server_url, key, as_json)


@guarded
def suspend(
    digests: Digests,
    reason: ReasonName = None,
    note: Note = None,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Suspend credentials until they are reinstated."""
    _change("/v1/suspensions", digests, reason, note, wait, server_url, key, as_json)


@guarded
def reinstate(
    digests: Digests,
    reason: ReasonName = None,
    note: Note = None,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """End suspensions."""
    _change("/v1/reinstatements", digests, reason, note, wait, server_url, key, as_json)


@guarded
def annul(
    digests: Annotated[list[str] | None, typer.Argument(help="Digests whose revocation is annulled.")] = None,
    batch: Annotated[str | None, typer.Option(help="Annul this batch's withdrawal instead.")] = None,
    reason: ReasonName = None,
    note: Note = None,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Annul revocations, or a batch's withdrawal. Needs an API key with scope `admin`."""
    if (batch is None) == (not digests):
        raise ValidationError("give either digests or --batch")
    if batch is not None:
        _send(
            f"/v1/batches/{batch}/withdrawal-annulment", _body(reason, note), wait, server_url, key, as_json
        )
    else:
        _change("/v1/annulments", digests or [], reason, note, wait, server_url, key, as_json)


@guarded
def withdraw(
    batch: Annotated[str, typer.Argument(help="The batch's id.")],
    reason: ReasonName = None,
    note: Note = None,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Withdraw a whole batch."""
    _send(f"/v1/batches/{batch}/withdrawal", _body(reason, note), wait, server_url, key, as_json)


def _body(reason: str | None, note: str | None) -> dict[str, Any]:
    return ({"reason": reason} if reason else {}) | ({"note": note} if note else {})


def _change(
    path: str,
    digests: list[str],
    reason: str | None,
    note: str | None,
    wait: bool,
    server_url: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    wanted = read_input("-").decode(errors="replace").split() if digests == ["-"] else digests
    _send(path, {"digests": wanted} | _body(reason, note), wait, server_url, key, as_json)


def _send(
    path: str, body: dict[str, Any], wait: bool, server_url: str | None, key: str | None, as_json: bool
) -> None:
    target = server(server_url, key)
    made = target.post(path, body)
    if wait and made["state"] != "awaiting_approval":
        made = target.wait(f"/v1/requests/{made['id']}", SETTLED)
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
        lines.append(f"waits for a second API key: POST /v1/requests/{request['id']}/approval")
    return "\n".join(lines)
