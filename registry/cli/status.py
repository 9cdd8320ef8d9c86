"""revoke, suspend, reinstate, annul, withdraw: what changes a status."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registry.cli import exits
from registry.cli.inputs import read_input
from registry.cli.options import ApiKey, JsonFlag, Note, ServerUrl, Wait, server
from registry.cli.output import guarded, show
from registry.cli.progress import waiting
from registry.errors import ValidationError
from registry.model.reasons import REASON_LABELS

SETTLED = frozenset({"final", "failed", "awaiting_approval"})
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
    app.command("approve")(approve)


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
    """Revoke credentials for good; only the issuer's admin can annul it.

    Examples:

      rootmark revoke 0x5a... --reason issued_in_error

      rootmark revoke - --reason superseded --note "new syllabus" < digests.txt
    """
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
    from registry.cli.client import path_of

    if batch is not None:
        path = path_of("batches", batch, "withdrawal-annulment")
        _send(path, _body(reason, note), wait, server_url, key, as_json)
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
    from registry.cli.client import path_of

    _send(path_of("batches", batch, "withdrawal"), _body(reason, note), wait, server_url, key, as_json)


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
    if not wanted:
        raise ValidationError("standard input holds no digest")
    _send(path, {"digests": wanted} | _body(reason, note), wait, server_url, key, as_json)


def _send(
    path: str, body: dict[str, Any], wait: bool, server_url: str | None, key: str | None, as_json: bool
) -> None:
    from registry.cli.client import path_of

    with server(server_url, key) as target:
        made = target.post(path, body)
        with waiting(f"{made['kind']} of {made['count']}: {made['state']}") as say:
            while wait and made["state"] not in SETTLED:
                made = target.wait(path_of("requests", made["id"]), SETTLED, timeout_seconds=1)
                say(f"{made['kind']} of {made['count']}: {made['state']}")
    _finish(made, as_json)


def _finish(made: dict[str, Any], as_json: bool) -> None:
    show(made, as_json, request_text)
    if made["state"] == "failed":
        raise typer.Exit(exits.INVALID)


@guarded
def approve(
    request: Annotated[str, typer.Argument(help="The request's id.")],
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Approve a change of status with a second API key, where the server asks for one (REQUIRE_APPROVAL)."""
    from registry.cli.client import path_of

    _send(path_of("requests", request, "approval"), {}, True, server_url, key, as_json)


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
