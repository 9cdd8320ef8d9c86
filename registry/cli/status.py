"""revoke, suspend, reinstate, annul, withdraw: what changes a status."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registry.cli.inputs import read_input
from registry.cli.options import ApiKey, JsonFlag, Note, ServerUrl, Wait
from registry.cli.output import guarded
from registry.cli.requests import DeadlineOption, SignatureOption, send, signed
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
    signature: SignatureOption = None,
    deadline: DeadlineOption = None,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Annul revocations, or a batch's withdrawal. Needs an API key with scope `admin`.

    Where the issuer's admin key is not on the server, the first run prints what that key signs (--json), and
    nothing is sent; run it again with --signature and --deadline.
    """
    if (batch is None) == (not digests):
        raise ValidationError("give either digests or --batch")
    from registry.cli.client import path_of

    body = _body(reason, note) | signed(signature, deadline)
    if batch is not None:
        send(path_of("batches", batch, "withdrawal-annulment"), body, wait, server_url, key, as_json)
    else:
        body |= {"digests": _named(digests or [])}
        send("/v1/annulments", body, wait, server_url, key, as_json)


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

    send(path_of("batches", batch, "withdrawal"), _body(reason, note), wait, server_url, key, as_json)


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
    send(path, {"digests": _named(digests)} | _body(reason, note), wait, server_url, key, as_json)


def _named(digests: list[str]) -> list[str]:
    wanted = read_input("-").decode(errors="replace").split() if digests == ["-"] else digests
    if not wanted:
        raise ValidationError("standard input holds no digest")
    return wanted


@guarded
def approve(
    request: Annotated[str, typer.Argument(help="The request's id.")],
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Approve a change of status with a second API key, where the server asks for one (REQUIRE_APPROVAL)."""
    from registry.cli.client import path_of

    send(path_of("requests", request, "approval"), {}, True, server_url, key, as_json)
