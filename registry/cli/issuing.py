"""issuer, keys, batch, erase: what an issuer does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from registry.cli import exits
from registry.cli.output import (
    ApiKey,
    JsonFlag,
    ServerUrl,
    Wait,
    admin_token,
    fail,
    guarded,
    read_input,
    server,
    show,
    stderr,
    stdout,
)

SETTLED = frozenset({"final", "failed"})

issuer_app = typer.Typer(help="Register and list issuers.", no_args_is_help=True)
keys_app = typer.Typer(help="API keys, and keys on chain.", no_args_is_help=True)
batch_app = typer.Typer(help="Issue batches, and follow them.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(issuer_app, name="issuer")
    app.add_typer(keys_app, name="keys")
    app.add_typer(batch_app, name="batch")
    app.command("erase")(erase)


@issuer_app.command("create")
@guarded
def create_issuer(
    name: Annotated[str, typer.Argument(help="The issuer's name.")],
    url: Annotated[str, typer.Argument(help="The issuer's web address.")],
    admin: Annotated[
        str | None, typer.Option(help="Address of an admin key that the issuer keeps itself.")
    ] = None,
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """Register an issuer; its API key is printed once. Needs the server's admin token."""
    body = {"name": name, "url": url} | ({"admin": admin} if admin else {})
    made = server(server_url, admin_token()).post("/v1/issuers", body)
    show(
        made,
        as_json,
        lambda m: f"issuer   {m['address']}\nstate    {m['state']}\nAPI key  {m['api_key']}  (shown once)",
    )


@issuer_app.command("list")
@guarded
def list_issuers(server_url: ServerUrl = None, as_json: JsonFlag = False) -> None:
    """The issuers hosted on the server."""
    items = list(server(server_url, None).items("/v1/issuers"))
    show(
        items,
        as_json,
        lambda found: "\n".join(f"{i['address']}  {i['state']:<14}  {i['name']}" for i in found),
    )


@keys_app.command("list")
@guarded
def list_keys(
    issuer: Annotated[str, typer.Argument(help="The issuer's address.")],
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """The issuer's keys on chain, and with a key its API keys."""
    target = server(server_url, key or admin_token())
    found: dict[str, Any] = {"chain": list(target.items(f"/v1/issuers/{issuer}/keys"))}
    if key or admin_token():
        found["api"] = list(target.items(f"/v1/issuers/{issuer}/api-keys"))
    show(found, as_json, _keys_text)


def _keys_text(found: dict[str, Any]) -> str:
    lines = [
        f"chain  {k['key']}  {','.join(k['roles'])}  until {k['valid_until'] or 'open'}"
        for k in found["chain"]
    ]
    for key in found.get("api", []):
        end = "revoked" if key["revoked_at"] else f"expires {key['expires_at'] or 'never'}"
        lines.append(f"api    {key['id']}  {','.join(key['scopes'])}  {end}  {key['label']}")
    return "\n".join(lines)


@keys_app.command("create")
@guarded
def create_key(
    issuer: Annotated[str, typer.Argument(help="The issuer's address.")],
    label: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[
        list[str], typer.Option(help="batch, status, read, audit or admin; repeat for several.")
    ],
    expires: Annotated[str | None, typer.Option(help="RFC 3339 time.")] = None,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Make an API key. To rotate: make one, move over, then `rootmark keys delete` the old one."""
    body = {"label": label, "scopes": scope} | ({"expires_at": expires} if expires else {})
    made = server(server_url, key or admin_token()).post(f"/v1/issuers/{issuer}/api-keys", body)
    show(made, as_json, lambda m: f"id       {m['id']}\nAPI key  {m['api_key']}  (shown once)")


@keys_app.command("delete")
@guarded
def delete_key(
    issuer: Annotated[str, typer.Argument(help="The issuer's address.")],
    key_id: Annotated[str, typer.Argument(help="The API key's id.")],
    server_url: ServerUrl = None,
    key: ApiKey = None,
) -> None:
    """End an API key at once."""
    server(server_url, key or admin_token()).delete(f"/v1/issuers/{issuer}/api-keys/{key_id}")
    stdout.print("ended")


@keys_app.command("retire")
@guarded
def retire_key(
    issuer: Annotated[str, typer.Argument(help="The issuer's address.")],
    chain_key: Annotated[str, typer.Argument(help="The key on chain.")],
    valid_until: Annotated[str, typer.Argument(help="RFC 3339 time from which its anchors are not trusted.")],
    reason: Annotated[str, typer.Option(help="For a stolen key: key_compromise.")] = "unspecified",
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Retire a key on chain, from a moment on that may lie in the past. Cannot be undone."""
    target = server(server_url, key)
    body = {"valid_until": valid_until, "reason": reason}
    made = target.post(f"/v1/issuers/{issuer}/keys/{chain_key}/retirement", body)
    if wait:
        made = target.wait(f"/v1/requests/{made['id']}", SETTLED)
    show(made, as_json, lambda m: f"{m['kind']} {m['state']}")
    if made["state"] == "failed":
        raise typer.Exit(exits.INVALID)


@batch_app.command("create")
@guarded
def create_batch(
    file: Annotated[
        str, typer.Argument(help="NDJSON, a JSON list, or a JSON batch body; - for standard input.")
    ],
    allow_duplicate: Annotated[bool, typer.Option(help="Anchor digests again that are anchored.")] = False,
    idempotency_key: Annotated[str | None, typer.Option(help="Makes repeating this command safe.")] = None,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Issue a batch: one digest or credential a line, or a JSON list of them."""
    target = server(server_url, key)
    duplicates = "true" if allow_duplicate else None
    data = read_input(file)
    batch = (
        target.post_lines("/v1/batches", iter([data]), key=idempotency_key, allow_duplicate=duplicates)
        if _is_lines(data)
        else target.post("/v1/batches", _body(data), key=idempotency_key, allow_duplicate=duplicates)
    )
    if wait:
        batch = follow(target, batch)
    show(batch, as_json, batch_text)
    if batch["state"] == "failed":
        raise typer.Exit(exits.INVALID)


def _is_lines(data: bytes) -> bool:
    """Whether a file is NDJSON: its first line is a whole JSON value and not a list or a batch body."""
    first = data.lstrip().split(b"\n", 1)[0].strip()
    try:
        value = json.loads(first)
    except ValueError:
        return False
    return isinstance(value, str) or (
        isinstance(value, dict) and ("digest" in value or "credential" in value)
    )


def _body(data: bytes) -> Any:
    from registry.encoding import parse_json

    value = parse_json(data)
    if not isinstance(value, list):
        return value
    credentials = bool(value) and isinstance(value[0], dict) and "digest" not in value[0]
    return {"credentials" if credentials else "digests": value}


def follow(target: Any, batch: dict[str, Any]) -> dict[str, Any]:
    """Wait for a batch with its state on the terminal."""
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=stderr, transient=True
    ) as progress:
        task = progress.add_task(batch["state"])
        while batch["state"] not in SETTLED:
            progress.update(task, description=f"batch {batch['id']}: {batch['state']}")
            batch = target.wait(f"/v1/batches/{batch['id']}", SETTLED, timeout_seconds=1)
    return batch


def batch_text(batch: dict[str, Any]) -> str:
    """A batch for a person."""
    lines = [
        f"batch  {batch['id']}",
        f"state  {batch['state']}",
        f"size   {batch['size']}",
        f"root   {batch['root']}",
    ]
    anchor = batch["anchor"]
    if anchor:
        lines += [
            f"block  {anchor['block_number']}  {anchor['anchored_at']}",
            f"tx     {anchor['transaction']}",
        ]
    if batch["error"]:
        lines.append(f"error  {batch['error']}")
    return "\n".join(lines)


@batch_app.command("show")
@guarded
def show_batch(
    batch_id: Annotated[str, typer.Argument(help="The batch's id.")],
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """One batch."""
    show(server(server_url, None).get(f"/v1/batches/{batch_id}"), as_json, batch_text)


@batch_app.command("list")
@guarded
def list_batches(
    issuer: Annotated[str | None, typer.Option(help="Only this issuer's.")] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state.")] = None,
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """Batches, newest first."""
    items = list(server(server_url, None).items("/v1/batches", issuer=issuer, state=state, limit=500))
    text = "\n".join(f"{b['id']}  {b['state']:<9}  {b['size']:>9}  {b['created_at']}" for b in items)
    show(items, as_json, lambda _: text or "no batches")


@batch_app.command("proofs")
@guarded
def proofs(
    batch_id: Annotated[str, typer.Argument(help="The batch's id.")],
    output: Annotated[Path, typer.Argument(help="File to write, NDJSON.")],
    server_url: ServerUrl = None,
    key: ApiKey = None,
) -> None:
    """Write all proofs of a batch; hand each holder the line of her credential."""
    text = server(server_url, key).text(f"/v1/batches/{batch_id}/proofs", "application/x-ndjson")
    try:
        output.write_text(text)
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}", exits.USAGE)
    stdout.print(f"{text.count(chr(10))} proofs written to {output}", markup=False)


@guarded
def erase(
    digest: Annotated[str, typer.Argument(help="The credential's digest.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    server_url: ServerUrl = None,
    key: ApiKey = None,
) -> None:
    """Erase what the server knows of a credential: digest, salt, document, dates. The root stays on chain."""
    if not yes:
        typer.confirm(
            "This cannot be undone, and the credential can then only be verified with its proof. Go on?",
            abort=True,
        )
    server(server_url, key).delete(f"/v1/credentials/{digest}")
    stdout.print("erased")
