"""audit: an issuer's history and the server's consistency; with --rpc from the chain alone."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registry.cli import exits
from registry.cli.options import ApiKey, JsonFlag, ServerUrl, admin_token, server, settings
from registry.cli.output import guarded, show, stdout
from registry.cli.progress import waiting

audit_app = typer.Typer(help="Inspect what happened, and whether it is complete.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(audit_app, name="audit")


@audit_app.command("issuer")
@guarded
def issuer(
    address: Annotated[str, typer.Argument(help="The issuer's address.")],
    rpc: Annotated[
        str | None,
        typer.Option("--rpc", help="Rebuild it from this node alone; several by comma must agree."),
    ] = None,
    block: Annotated[int | None, typer.Option(help="With --rpc: as of this block.")] = None,
    chain_id: Annotated[int | None, typer.Option(help="With --rpc: the chain the node must be on.")] = None,
    registry: Annotated[str | None, typer.Option(help="With --rpc: the registry's address.")] = None,
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """Replay an issuer's whole history and hold it against the head that the contract has.

    With --rpc neither a server nor a database is asked: every event comes from the node, and a node that
    hides or invents one is found out by the head. The exit code is 1 where events and head do not fit.

    Examples:

      rootmark audit issuer 0x1234...

      rootmark audit issuer 0x1234... --rpc https://node-a.example,https://node-b.example --chain-id 1
    """
    if rpc is None:
        from registry.cli.client import path_of

        with server(server_url, None) as target:
            found = target.get(path_of("audit", "issuers", address))
    else:
        with waiting("reading the chain"):
            found = _from_chain(address, rpc, block, chain_id, registry)
    show(found, as_json, history_text)
    if not found["head"]["match"]:
        raise typer.Exit(exits.INVALID)


def _from_chain(
    address: str, rpc: str, block: int | None, chain_id: int | None, registry: str | None
) -> dict[str, Any]:
    from registry.bootstrap import open_reader
    from registry.encoding import parse_address
    from registry.services.auditing.history import audit_from_chain
    from registry.services.auditing.views import audit_json

    wanted = parse_address(address)
    chain = open_reader(settings(), rpc.split(","), chain_id=chain_id, registry=registry)
    try:
        return audit_json(audit_from_chain(chain, wanted, block_number=block))
    finally:
        chain.close()


def history_text(found: dict[str, Any]) -> str:
    """A history for a person: a line each event, then the head check."""
    lines = [f"history of {found['issuer']} at block {found['block_number']}"]
    lines += [_event_text(event) for event in found["events"]]
    lines += [
        f"  VOID: root {voided['root']} was anchored after its key's end, {voided['valid_until']}"
        for voided in found["voided"]
    ]
    head = found["head"]
    verdict = "the list is complete" if head["match"] else "THE LIST IS NOT WHAT THE CONTRACT HAS"
    lines += [f"head replayed  {head['replayed']}", f"head on chain  {head['on_chain']}", verdict]
    lines += [f"  {problem['detail']} (block {problem['block_number']})" for problem in found["problems"]]
    return "\n".join(lines)


def _event_text(event: dict[str, Any]) -> str:
    count = sum(int(change["mask"], 16).bit_count() for change in event.get("changes", []))
    what = f"{count} credential{'s' if count != 1 else ''}" if count else event.get("key", "")
    where = f"{event['at']}  block {event['block_number']:>6}"
    return f"  {where}  {event['kind']:<18} {what}  {event.get('reason', '')}".rstrip()


@audit_app.command("consistency")
@guarded
def consistency(server_url: ServerUrl = None, as_json: JsonFlag = False) -> None:
    """Compare the server's records with the chain, and name each difference."""
    with server(server_url, None) as target:
        found = target.get("/v1/audit/consistency")
    show(found, as_json, _consistency_text)
    if not found["consistent"]:
        raise typer.Exit(exits.INVALID)


def _consistency_text(found: dict[str, Any]) -> str:
    if found["consistent"]:
        return f"server and chain agree at block {found['block_number']}"
    return "\n".join(f"{d['kind']:<22} {d['issuer']}  {d['detail']}" for d in found["differences"])


@audit_app.command("revocations")
@guarded
def revocations(
    issuer_address: Annotated[str | None, typer.Option("--issuer", help="Only this issuer's.")] = None,
    kind: Annotated[str | None, typer.Option(help="revocation, suspension, reinstatement, …")] = None,
    reason: Annotated[str | None, typer.Option(help="Only with this reason.")] = None,
    since: Annotated[str | None, typer.Option(help="RFC 3339 time, inclusive.")] = None,
    until: Annotated[str | None, typer.Option(help="RFC 3339 time, exclusive.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Block or time: what was known then.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")] = False,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Status changes in chain order."""
    query: dict[str, str | None] = {
        "issuer": issuer_address,
        "kind": kind,
        "reason": reason,
        "since": since,
        "until": until,
        "as_of": as_of,
    }
    with server(server_url, key) as target:
        if csv:
            stdout.print(target.text("/v1/revocations", "text/csv", **query), markup=False, end="")
            return
        items = list(target.items("/v1/revocations", limit=500, **query))
    lines = [
        f"{i['at']}  {i['kind']:<13} {i['reason']:<20} {i['digest'] or i['batch'] or i['root']}"
        for i in items
    ]
    show(items, as_json, lambda _: "\n".join(lines) or "none")


@audit_app.command("access")
@guarded
def access(server_url: ServerUrl = None, as_json: JsonFlag = False) -> None:
    """Who made, used up and ended API keys, and what administrators did. Needs the server's admin token."""
    with server(server_url, admin_token()) as target:
        items = list(target.items("/v1/audit/access", limit=500))
    lines = ["  ".join(str(value) for value in item.values() if value is not None) for item in items]
    show(items, as_json, lambda _: "\n".join(lines) or "none")
