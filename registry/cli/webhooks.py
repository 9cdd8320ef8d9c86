"""webhook: where an issuer is told of what happens."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registry.cli.options import ApiKey, JsonFlag, ServerUrl, server
from registry.cli.output import guarded, show

webhook_app = typer.Typer(
    help="Tell other systems of what happens: batches final or failed, credentials revoked.",
    no_args_is_help=True,
)

WebhookId = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="batch.final, batch.failed, credential.revoked ...; repeat. Default: all."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(webhook_app, name="webhook")


@webhook_app.command("add")
@guarded
def add(
    url: Annotated[str, typer.Argument(help="Where messages are sent: https at a public host.")],
    kind: Kinds = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a webhook; its secret is printed once. The key needs the scope admin.

    The receiver checks each message with the secret (Standard Webhooks). Try it out with `rootmark webhook
    test`.

    Example: rootmark webhook add https://lms.example/rootmark --kind batch.final --kind credential.revoked
    """
    body = {"url": url, "kinds": kind or [], "description": description}
    with server(server_url, key) as target:
        made = target.post("/v1/webhooks", body)
    show(made, as_json, lambda m: f"id      {m['id']}\nsecret  {m['secret']}  (shown once)")


@webhook_app.command("list")
@guarded
def list_webhooks(server_url: ServerUrl = None, key: ApiKey = None, as_json: JsonFlag = False) -> None:
    """The issuer's webhooks, and how their deliveries stand."""
    with server(server_url, key) as target:
        items = list(target.items("/v1/webhooks"))
    show(items, as_json, lambda _: "\n".join(map(_line, items)) or "no webhooks")


def _line(item: dict[str, Any]) -> str:
    state = "on " if item["enabled"] else "OFF"
    counts = item["deliveries"]
    told = f"{counts['delivered']} delivered, {counts['waiting']} waiting, {counts['failed']} failed"
    why = f"\n    switched off at {item['off_at']}: {item['off_reason']}" if not item["enabled"] else ""
    kinds = ",".join(item["kinds"]) or "everything"
    return f"{item['id']}  {state}  {item['url']}  {kinds}  ({told}){why}"


@webhook_app.command("change")
@guarded
def change(
    webhook: WebhookId,
    url: Annotated[str | None, typer.Option(help="Another address.")] = None,
    kind: Kinds = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Switch it on or off.")] = None,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Change a webhook, or switch it on again after it was switched off.

    Then `rootmark webhook replay ID --since` sends what it missed.

    Example: rootmark webhook change 3f0c9a1be2d44c71 --on
    """
    from registry.cli.client import path_of

    given = {"url": url, "kinds": kind, "description": description, "enabled": enabled}
    body = {name: value for name, value in given.items() if value is not None}
    with server(server_url, key) as target:
        show(target.patch(path_of("webhooks", webhook), body), as_json, _line)


@webhook_app.command("remove")
@guarded
def remove(
    webhook: WebhookId, server_url: ServerUrl = None, key: ApiKey = None, as_json: JsonFlag = False
) -> None:
    """Remove a webhook."""
    from registry.cli.client import path_of

    with server(server_url, key) as target:
        target.delete(path_of("webhooks", webhook))
    show({"id": webhook, "state": "removed"}, as_json, lambda _: "removed")


@webhook_app.command("rotate")
@guarded
def rotate(
    webhook: WebhookId, server_url: ServerUrl = None, key: ApiKey = None, as_json: JsonFlag = False
) -> None:
    """Make a new secret, printed once; for 24 hours messages are signed with both."""
    from registry.cli.client import path_of

    with server(server_url, key) as target:
        made = target.post(path_of("webhooks", webhook, "secret"))
    show(made, as_json, lambda m: f"secret  {m['secret']}  (shown once)")


@webhook_app.command("test")
@guarded
def send_test(
    webhook: WebhookId, server_url: ServerUrl = None, key: ApiKey = None, as_json: JsonFlag = False
) -> None:
    """Send a message for nothing; `rootmark webhook deliveries ID` shows what became of it."""
    from registry.cli.client import path_of

    with server(server_url, key) as target:
        show(target.post(path_of("webhooks", webhook, "test")), as_json, lambda _: "on its way")


@webhook_app.command("deliveries")
@guarded
def deliveries(
    webhook: WebhookId,
    state: Annotated[str | None, typer.Option(help="waiting, delivered or failed.")] = None,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """What was sent in the last 30 days, newest first, and what became of it."""
    from registry.cli.client import path_of

    with server(server_url, key) as target:
        items = list(target.items(path_of("webhooks", webhook, "deliveries"), state=state, limit=500))
    show(items, as_json, lambda _: "\n".join(map(_delivery, items)) or "nothing was sent")


def _delivery(item: dict[str, Any]) -> str:
    told = item["error"] or (f"status {item['status']}" if item["status"] else "")
    again = f", again at {item['next_attempt_at']}" if item["next_attempt_at"] and item["attempts"] else ""
    return (
        f"{item['id']:>8}  {item['created_at']}  {item['kind']:<24} {item['state']:<9} "
        f"{item['attempts']} attempts  {told}{again}"
    )


@webhook_app.command("replay")
@guarded
def replay(
    webhook: WebhookId,
    delivery: Annotated[int | None, typer.Argument(help="One delivery, whatever became of it.")] = None,
    since: Annotated[
        str | None, typer.Option(help="All that failed or was never sent since then, as an RFC 3339 time.")
    ] = None,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Send messages again, under the ids they had.

    Examples:

      rootmark webhook replay 3f0c9a1be2d44c71 128

      rootmark webhook replay 3f0c9a1be2d44c71 --since 2026-11-20T00:00:00Z
    """
    from registry.cli.client import path_of

    if (delivery is None) is (since is None):
        raise typer.BadParameter("name one delivery, or a time with --since")
    with server(server_url, key) as target:
        if delivery is not None:
            path = path_of("webhooks", webhook, "deliveries", str(delivery), "replay")
            done = target.post(path)
        else:
            done = target.post(path_of("webhooks", webhook, "replay"), {"since": since})
    show(done, as_json, lambda d: f"{d['count']} on their way")
