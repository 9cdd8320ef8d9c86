"""issuer, keys: who issues, and with which keys. `batch` and `erase` are in `registry.cli.batches`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registry.cli import batches, credentials, webhooks
from registry.cli.options import ApiKey, JsonFlag, ServerUrl, Wait, admin_token, server
from registry.cli.output import guarded, show
from registry.cli.requests import DeadlineOption, SignatureOption, send, signed

issuer_app = typer.Typer(help="Register and list issuers.", no_args_is_help=True)
keys_app = typer.Typer(help="API keys, and keys on chain.", no_args_is_help=True)

IssuerAddress = Annotated[str, typer.Argument(metavar="ISSUER", help="The issuer's address.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(issuer_app, name="issuer")
    app.add_typer(keys_app, name="keys")
    batches.register(app)
    credentials.register(app)
    webhooks.register(app)


@issuer_app.command("create")
@guarded
def create_issuer(
    name: Annotated[str, typer.Argument(help="The issuer's name.")],
    url: Annotated[str, typer.Argument(help="The issuer's web address.")],
    admin: Annotated[
        str | None, typer.Option(help="Address of an admin key that the issuer keeps itself.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Address for mail, shown in the public profile.")] = None,
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """Register an issuer; its API key is printed once. Needs the server's admin token.

    The token is taken from ROOTMARK_ADMIN_TOKEN, else from DATA_DIR.

    Example: rootmark issuer create "Example College" https://college.example
    """
    body = {"name": name, "url": url} | ({"admin": admin} if admin else {})
    body |= {"email": email} if email else {}
    with server(server_url, admin_token()) as target:
        show(target.post("/v1/issuers", body), as_json, _issuer_text)


def _issuer_text(made: dict[str, Any]) -> str:
    lines = [
        f"issuer   {made['address']}",
        f"state    {made['state']}",
        f"API key  {made['api_key']}  (shown once)",
    ]
    if made["state"] == "awaiting_admin":
        lines.append("the admin signs the typed data that --json shows (rootmark issuer show, with its key),")
        lines.append(
            f"then: rootmark keys add {made['address']} --new-key {made['key']} --signature 0x... \\"
        )
        lines.append(f"        --deadline {made['deadline']}")
    return "\n".join(lines)


@issuer_app.command("list")
@guarded
def list_issuers(server_url: ServerUrl = None, as_json: JsonFlag = False) -> None:
    """The issuers hosted on the server."""
    with server(server_url, None) as target:
        items = list(target.items("/v1/issuers", limit=500))
    text = "\n".join(f"{item['address']}  {item['state']:<14}  {item['name']}" for item in items)
    show(items, as_json, lambda _: text or "no issuers")


@issuer_app.command("show")
@guarded
def show_issuer(
    issuer: IssuerAddress, server_url: ServerUrl = None, key: ApiKey = None, as_json: JsonFlag = False
) -> None:
    """One issuer. While it awaits its admin, --json shows its own key what the admin signs."""
    from registry.cli.client import path_of

    with server(server_url, key) as target:
        found = target.get(path_of("issuers", issuer))
    text = "\n".join(f"{name:<10} {found[name]}" for name in ("address", "state", "name", "url"))
    show(found, as_json, lambda _: text)


# --- keys ---------------------------------------------------------------------------------------------------


@keys_app.command("list")
@guarded
def list_keys(
    issuer: IssuerAddress, server_url: ServerUrl = None, key: ApiKey = None, as_json: JsonFlag = False
) -> None:
    """The issuer's keys on chain, the keys that sign its credentials, and with a key its API keys."""
    from registry.cli.client import path_of

    token = key or admin_token()
    with server(server_url, token) as target:
        found: dict[str, Any] = {
            "chain": list(target.items(path_of("issuers", issuer, "keys"))),
            "signing": list(target.items(path_of("issuers", issuer, "signing-keys"))),
        }
        if token:
            found["api"] = list(target.items(path_of("issuers", issuer, "api-keys")))
    show(found, as_json, _keys_text)


def _keys_text(found: dict[str, Any]) -> str:
    lines = [
        f"chain  {k['key']}  {','.join(k['roles'])}  until {k['valid_until'] or 'open'}"
        for k in found["chain"]
    ]
    for key in found["signing"]:
        end = f"until {key['retired_at']}" if key["retired_at"] else "signs now"
        lines.append(f"signs  {key['kind']}  {end}  {key['verification_method'] or 'no DID'}")
    for key in found.get("api", []):
        end = "revoked" if key["revoked_at"] else f"expires {key['expires_at'] or 'never'}"
        lines.append(f"api    {key['id']}  {','.join(key['scopes'])}  {end}  {key['label']}")
    return "\n".join(lines) or "no keys"


@keys_app.command("create")
@guarded
def create_key(
    issuer: IssuerAddress,
    label: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[
        list[str], typer.Option(help="batch, status, read, audit or admin; repeat for several.")
    ],
    expires: Annotated[str | None, typer.Option(help="RFC 3339 time.")] = None,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Make an API key; it is printed once.

    To rotate: make one, move over, then `rootmark keys delete` the old one.

    Example: rootmark keys create 0x1234... "import job" --scope batch --scope read
    """
    from registry.cli.client import path_of

    body = {"label": label, "scopes": scope} | ({"expires_at": expires} if expires else {})
    with server(server_url, key or admin_token()) as target:
        made = target.post(path_of("issuers", issuer, "api-keys"), body)
    show(made, as_json, lambda m: f"id       {m['id']}\nAPI key  {m['api_key']}  (shown once)")


@keys_app.command("rotate")
@guarded
def rotate_key(
    issuer: IssuerAddress,
    kind: Annotated[str, typer.Option(help="Ed25519, P-256 or RSA-2048.")] = "Ed25519",
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Let a new key sign the issuer's credentials from now on.

    The old key stays in the DID document: what it signed still verifies.

    Example: rootmark keys rotate 0x<issuer> --kind P-256
    """
    from registry.cli.client import path_of

    with server(server_url, key or admin_token()) as target:
        made = target.post(path_of("issuers", issuer, "signing-keys"), {"kind": kind})
    show(made, as_json, lambda m: f"signs  {m['kind']}  {m['verification_method'] or 'no DID'}")


@keys_app.command("delete")
@guarded
def delete_key(
    issuer: IssuerAddress,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The API key's id.")],
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """End an API key at once."""
    from registry.cli.client import path_of

    with server(server_url, key or admin_token()) as target:
        target.delete(path_of("issuers", issuer, "api-keys", key_id))
    show({"id": key_id, "state": "ended"}, as_json, lambda _: "ended")


@keys_app.command("add")
@guarded
def add_key(
    issuer: IssuerAddress,
    role: Annotated[
        list[str] | None,
        typer.Option(help="anchor, suspend, revoke, withdraw; repeat. Default: the first three."),
    ] = None,
    new_key: Annotated[
        str | None, typer.Option("--new-key", help="A key's address; without it the server makes a key.")
    ] = None,
    consent: Annotated[str | None, typer.Option(help="The KeyConsent that --new-key has signed.")] = None,
    consent_deadline: Annotated[int | None, typer.Option(help="That consent's deadline.")] = None,
    signature: SignatureOption = None,
    deadline: DeadlineOption = None,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Give the issuer a new key on chain. A key that the server made signs from then on.

    Where the issuer's admin key is not on the server, the first run prints what that key signs (--json); run
    it again with --new-key, --signature and --deadline.

    Example: rootmark keys add 0x<issuer> --role anchor --role revoke
    """
    from registry.cli.client import path_of

    given = {
        "key": new_key,
        "consent": consent,
        "consent_deadline": consent_deadline,
        "signature": signature[0] if signature else None,
        "deadline": deadline,
    }
    body = {"roles": role or ["anchor", "suspend", "revoke"]}
    body |= {name: value for name, value in given.items() if value is not None}  # type: ignore[misc]
    send(path_of("issuers", issuer, "keys"), body, wait, server_url, key, as_json)


@keys_app.command("retire")
@guarded
def retire_key(
    issuer: IssuerAddress,
    chain_key: Annotated[str, typer.Argument(metavar="KEY", help="The key on chain.")],
    valid_until: Annotated[
        str, typer.Argument(help="RFC 3339 time from which its anchors are not trusted; or: now.")
    ],
    reason: Annotated[str, typer.Option(help="For a stolen key: key_compromise.")] = "unspecified",
    signature: SignatureOption = None,
    deadline: DeadlineOption = None,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Retire a key on chain, from a moment on that may lie in the past. Cannot be undone.

    Then `rootmark keys add` gives the issuer a new one, and `rootmark batch retry` anchors a batch anew whose
    anchor is void by this.

    Example: rootmark keys retire 0x<issuer> 0x<key> 2026-11-20T00:00:00Z --reason key_compromise
    """
    from registry.cli.client import path_of

    body: dict[str, Any] = {"reason": reason} | signed(signature, deadline)
    if valid_until != "now":
        body["valid_until"] = valid_until
    send(path_of("issuers", issuer, "keys", chain_key, "retirement"), body, wait, server_url, key, as_json)
