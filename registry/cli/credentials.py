"""credential: single credentials, for issuers that award one at a time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registry.cli import exits
from registry.cli.inputs import read_json_input
from registry.cli.options import ApiKey, JsonFlag, ServerUrl, server
from registry.cli.output import guarded, show
from registry.errors import ValidationError

MAX_EXTERNAL_IDS = 100
"""As many as the server looks up at once."""

credential_app = typer.Typer(help="Add single credentials, and find them.", no_args_is_help=True)

DigestArgument = Annotated[str, typer.Argument(metavar="DIGEST", help="The credential's digest.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(credential_app, name="credential")


@credential_app.command("add")
@guarded
def add(
    file: Annotated[str, typer.Argument(help="A credential as JSON; a digest; - for standard input.")],
    external_id: Annotated[
        str | None, typer.Option(help="Your own name for it; the same again adds nothing.")
    ] = None,
    digest_method: Annotated[
        str | None, typer.Option(help="How a given digest was made: opaque or jcs-sha256.")
    ] = None,
    valid_from: Annotated[str | None, typer.Option(help="With a digest: RFC 3339 time.")] = None,
    valid_until: Annotated[str | None, typer.Option(help="With a digest: RFC 3339 time.")] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="Makes repeating this command safe.")] = None,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Add one credential to the issuer's open batch, which is sealed when it is full or old enough.

    Examples:

      rootmark credential add diploma.json --external-id award-2026-0417

      rootmark credential add 0x5a... --digest-method jcs-sha256 --valid-until 2031-01-01T00:00:00Z
    """
    given = {
        "digest_method": digest_method,
        "valid_from": valid_from,
        "valid_until": valid_until,
        "external_id": external_id,
    }
    body = _subject(file) | {name: value for name, value in given.items() if value is not None}
    with server(server_url, key) as target:
        made = target.post("/v1/credentials", body, key=idempotency_key)
    show(made, as_json, lambda m: f"{m['digest']}  {m['state']}  batch {m['batch']}, index {m['index']}")


def _subject(file: str) -> dict[str, Any]:
    """What is added: a digest from the command line or a file, or a credential from a file."""
    value = file if file.startswith(("0x", "0X")) else read_json_input(file)
    if isinstance(value, str):
        return {"digest": value}
    if not isinstance(value, dict):
        raise ValidationError(f"{file} holds neither a credential (a JSON object) nor a digest")
    return {"credential": value}


@credential_app.command("find")
@guarded
def find(
    external_ids: Annotated[
        list[str], typer.Argument(metavar="EXTERNAL_ID...", help="Your own names; one or several.")
    ],
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Look up your credentials by external id. The exit code is 4 where one is not there.

    Example: rootmark credential find award-2026-0417 award-2026-0418
    """
    items: list[dict[str, Any]] = []
    with server(server_url, key) as target:
        for start in range(0, len(external_ids), MAX_EXTERNAL_IDS):
            part = external_ids[start : start + MAX_EXTERNAL_IDS]
            items += target.get("/v1/credentials", external_id=part)["items"]
    show(items, as_json, lambda found: "\n".join(map(_entry_text, found)) or "none")
    if set(external_ids) - {item["external_id"] for item in items}:
        raise typer.Exit(exits.UNDECIDED)


def _entry_text(item: dict[str, Any]) -> str:
    name = f"{item['external_id']}  " if "external_id" in item else ""
    status = item["status"] or item["state"]
    what = item.get("digest", item["issuer"])
    return f"{name}{what}  {status}  batch {item['batch']}, index {item['index']}"


@credential_app.command("show")
@guarded
def show_entries(digest: DigestArgument, server_url: ServerUrl = None, as_json: JsonFlag = False) -> None:
    """Where a digest is anchored, and in what state."""
    from registry.cli.client import path_of

    with server(server_url, None) as target:
        found = target.get(path_of("credentials", digest))
    show(found, as_json, lambda f: "\n".join(map(_entry_text, f["entries"])))


@credential_app.command("proof")
@guarded
def proof(
    digest: DigestArgument,
    issuer: Annotated[str | None, typer.Option(help="Where several issuers have it.")] = None,
    batch: Annotated[str | None, typer.Option(help="Where several batches have it.")] = None,
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,  # noqa: ARG001 - every command has it
) -> None:
    """A credential's RootmarkProof, for its holder. It is JSON with and without --json."""
    from registry.cli.client import path_of

    with server(server_url, None) as target:
        found = target.get(path_of("credentials", digest, "proof"), issuer=issuer, batch=batch)
    show(found, True, str)
