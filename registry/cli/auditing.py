"""audit: an issuer's history and the server's consistency; with --rpc from the chain alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from registry.cli import exits
from registry.cli.exporting import CSV_TYPE, PARQUET_TYPE, write_csv, write_parquet
from registry.cli.inputs import STANDARD_INPUT, read_input, write_output
from registry.cli.options import ApiKey, JsonFlag, ServerUrl, admin_token, server, settings
from registry.cli.output import guarded, show
from registry.cli.progress import waiting
from registry.encoding import format_time
from registry.errors import ValidationError

audit_app = typer.Typer(help="Inspect what happened, and whether it is complete.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(audit_app, name="audit")


@audit_app.command("issuer")
@guarded
def issuer(
    address: Annotated[str, typer.Argument(help="The issuer's address.")],
    as_of: Annotated[str | None, typer.Option(help="Block or time: the history until then.")] = None,
    block: Annotated[int | None, typer.Option(min=0, help="The same as --as-of with a block.")] = None,
    rpc: Annotated[
        str | None,
        typer.Option("--rpc", help="Rebuild it from this node alone; several by comma must agree."),
    ] = None,
    chain_id: Annotated[int | None, typer.Option(help="With --rpc: the chain the node must be on.")] = None,
    registry: Annotated[str | None, typer.Option(help="With --rpc: the registry's address.")] = None,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Replay an issuer's whole history and hold it against the head that the contract has.

    With --rpc neither a server nor a database is asked: every event comes from the node, and a node that
    hides or invents one is found out by the head. With --rpc and --server that server's records are then held
    against the history, and each difference is named as `rootmark audit consistency` names it. The exit code
    is 1 where events and head, or server and chain, do not fit.

    Examples:

      rootmark audit issuer 0x1234...

      rootmark audit issuer 0x1234... --rpc https://node-a.example,https://node-b.example --chain-id 1

      rootmark audit issuer 0x1234... --rpc https://node.example --chain-id 1 --server https://registry.example
    """
    if as_of is not None and block is not None:
        raise ValidationError("give --as-of or --block, not both")
    asked = str(block) if block is not None else as_of
    if rpc is not None:
        found = _from_chain(address, rpc, asked, chain_id, registry, server_url, key)
    elif chain_id is not None or registry is not None:
        raise ValidationError("--chain-id and --registry say what a node must have: give --rpc too")
    else:
        from registry.cli.client import path_of

        with server(server_url, None) as target:
            found = target.get(path_of("audit", "issuers", address), as_of=asked)
    show(found, as_json, history_text)
    comparison = found.get("comparison")
    if not found["head"]["match"] or (comparison is not None and not comparison["consistent"]):
        raise typer.Exit(exits.INVALID)


def _from_chain(
    address: str,
    rpc: str,
    as_of: str | None,
    chain_id: int | None,
    registry: str | None,
    server_url: str | None,
    key: str | None,
) -> dict[str, Any]:
    from contextlib import ExitStack
    from datetime import UTC, datetime

    from registry.bootstrap import open_reader
    from registry.cli.comparing import block_to_compare, compared
    from registry.cli.inputs import parse_as_of
    from registry.encoding import parse_address
    from registry.services.auditing.history import audit_from_chain
    from registry.services.auditing.views import audit_json
    from registry.services.moments import number_on_chain

    wanted = parse_address(address)
    asked = None if as_of is None else parse_as_of(as_of)
    with ExitStack() as stack:
        stack.enter_context(waiting("reading the chain"))
        target = None if server_url is None else stack.enter_context(server(server_url, key))
        chain = open_reader(settings(), rpc.split(","), chain_id=chain_id, registry=registry)
        stack.callback(chain.close)
        number = None if asked is None else number_on_chain(asked, chain, datetime.now(UTC))
        if target is not None:
            newest = block_to_compare(target, chain)
            number = newest if number is None else min(number, newest)
        audit = audit_from_chain(chain, wanted, block_number=number)
        found = audit_json(audit)
        if target is not None:
            found["comparison"] = compared(target, audit)
    return found


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
    if "comparison" in found:
        from registry.cli.comparing import comparison_text

        lines.append(comparison_text(found["comparison"]))
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


@audit_app.command("report")
@guarded
def report(
    address: Annotated[str, typer.Argument(help="The issuer's address.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The PDF to write; - is standard output.")],
    as_of: Annotated[str | None, typer.Option(help="Block or time: the history until then.")] = None,
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """Write an issuer's audit as a PDF for the files, signed by the server, with all events attached.

    Examples:

      rootmark audit report 0x1234... -o audit.pdf
    """
    from registry.cli.client import path_of

    with server(server_url, None) as target:
        data = target.file(path_of("audit", "issuers", address, "report"), as_of=as_of)
    write_output(output, data)
    if str(output) != STANDARD_INPUT:
        told = {"issuer": address, "file": str(output), "bytes": len(data)}
        show(told, as_json, lambda one: f"report written to {one['file']}, {one['bytes']} bytes")


@audit_app.command("check-report")
@guarded
def check_report(
    file: Annotated[str, typer.Argument(help="The report; - is standard input.")],
    certificate: Annotated[
        Path | None, typer.Option(help="PEM of the certificate that it has to be signed with.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a report without a network: that it is as it was signed, and what is attached to it.

    With --certificate also by whom; get it from the server once, over a way that you trust
    (GET /v1/audit/report-certificate). The exit code is 1 for a report that was changed, is another's, or
    says that history and contract do not fit, and 4 where nobody said whose certificate is the right one.

    Examples:

      rootmark audit check-report audit.pdf --certificate registry.pem
    """
    from registry.reports import checking

    found = checking.check_report(read_input(file))
    problems = list(found.problems)
    if certificate is not None:
        wanted = checking.fingerprint_of(read_input(str(certificate)))
        if wanted != found.fingerprint:
            problems.append(f"it is signed with another certificate than that in {certificate}")
    audit = found.audit or {}
    told = {
        "intact": not found.problems,
        "signer": "known" if certificate is not None and not problems else "unknown",
        "fingerprint": found.fingerprint,
        "signed_at": None if found.signed_at is None else format_time(found.signed_at),
        "problems": problems,
        "issuer": audit.get("issuer"),
        "block_number": audit.get("block_number"),
        "events": len(audit["events"]) if audit else None,
        "match": audit["head"]["match"] if audit else None,
    }
    show(told, as_json, _report_text)
    if problems or told["match"] is not True:
        raise typer.Exit(exits.INVALID)
    if certificate is None:
        raise typer.Exit(exits.UNDECIDED)


def _report_text(told: dict[str, Any]) -> str:
    """What came of a report, for a person."""
    lines = [f"not to be relied on: {problem}" for problem in told["problems"]]
    if told["intact"]:
        lines.append(f"as it was signed at {told['signed_at']}")
    known = told["signer"] == "known"
    lines.append(f"certificate {told['fingerprint']}" + (", the one that was given" if known else ""))
    if not known and not told["problems"]:
        lines.append("compare it with the server's at /audit, or give --certificate")
    if told["issuer"] is not None:
        fits = "history and contract fit" if told["match"] else "history and contract do NOT fit"
        lines.append(f"{told['issuer']}, block {told['block_number']}, {told['events']} events: {fits}")
    return "\n".join(lines)


CsvFlag = Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")]
ParquetDirectory = Annotated[
    Path | None,
    typer.Option("--parquet", metavar="DIRECTORY", help="Parquet files into a new or empty directory."),
]


@audit_app.command("revocations")
@guarded
def revocations(
    issuer_address: Annotated[str | None, typer.Option("--issuer", help="Only this issuer's.")] = None,
    kind: Annotated[str | None, typer.Option(help="revocation, suspension, reinstatement, …")] = None,
    reason: Annotated[str | None, typer.Option(help="Only with this reason.")] = None,
    since: Annotated[str | None, typer.Option(help="RFC 3339 time, inclusive.")] = None,
    until: Annotated[str | None, typer.Option(help="RFC 3339 time, exclusive.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Block or time: what was known then.")] = None,
    csv: CsvFlag = False,
    parquet: ParquetDirectory = None,
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
            write_csv(target.exported("/v1/revocations", CSV_TYPE, **query))
            return
        if parquet is not None:
            write_parquet(target.exported("/v1/revocations", PARQUET_TYPE, **query), parquet, "revocations")
            return
        items = list(target.items("/v1/revocations", limit=500, **query))
    lines = [
        f"{i['at']}  {i['kind']:<13} {i['reason']:<20} {i['digest'] or i['batch'] or i['root']}"
        for i in items
    ]
    show(items, as_json, lambda _: "\n".join(lines) or "none")


@audit_app.command("events")
@guarded
def events(
    issuer_address: Annotated[str | None, typer.Option("--issuer", help="Only this issuer's.")] = None,
    kind: Annotated[str | None, typer.Option(help="BatchAnchored, KeyAdded, Revoked, …")] = None,
    since: Annotated[str | None, typer.Option(help="RFC 3339 time, inclusive.")] = None,
    until: Annotated[str | None, typer.Option(help="RFC 3339 time, exclusive.")] = None,
    csv: CsvFlag = False,
    parquet: ParquetDirectory = None,
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """The contract's events in chain order."""
    query: dict[str, str | None] = {"issuer": issuer_address, "kind": kind, "since": since, "until": until}
    with server(server_url, None) as target:
        if csv:
            write_csv(target.exported("/v1/audit/events", CSV_TYPE, **query))
            return
        if parquet is not None:
            write_parquet(target.exported("/v1/audit/events", PARQUET_TYPE, **query), parquet, "events")
            return
        items = list(target.items("/v1/audit/events", limit=500, **query))
    lines = [f"{item['issuer']}{_event_text(item)}" for item in items]
    show(items, as_json, lambda _: "\n".join(lines) or "none")


@audit_app.command("access")
@guarded
def access(server_url: ServerUrl = None, as_json: JsonFlag = False) -> None:
    """Who made, used up and ended API keys, and what administrators did. Needs the server's admin token."""
    with server(server_url, admin_token()) as target:
        items = list(target.items("/v1/audit/access", limit=500))
    lines = ["  ".join(str(value) for value in item.values() if value is not None) for item in items]
    show(items, as_json, lambda _: "\n".join(lines) or "none")
