"""worker, deploy, checkpoint, db, doctor: what an operator does besides serving."""

from __future__ import annotations

import json
import signal
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.cli import exits
from registry.cli.inputs import write_output
from registry.cli.options import JsonFlag, settings
from registry.cli.output import guarded, show, stderr
from registry.cli.progress import waiting
from registry.cli.startup import heavy_imports

db_app = typer.Typer(help="The database's schema.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("worker")(worker)
    app.command("deploy")(deploy)
    app.command("checkpoint")(checkpoint)
    app.command("doctor")(doctor)
    app.add_typer(db_app, name="db")


def stop_on_signals(stop: threading.Event) -> None:
    """Let SIGINT and SIGTERM set ``stop``."""

    def handle(_signal: int, _frame: Any) -> None:
        stop.set()

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)


@guarded
def worker(as_json: JsonFlag = False) -> None:
    """Do the background work alone: index, send, confirm, deliver webhooks.

    Several may share one database.

    Servers beside it run with `rootmark serve --no-workers`. It needs a node of its own (RPC_URL): the
    embedded chain belongs to one process.
    """
    found = settings()
    with heavy_imports():
        from registry.bootstrap import build, working
        from registry.logs import configure_logging

    configure_logging(found.log_level)
    stop = threading.Event()
    stop_on_signals(stop)
    app = build(found)
    try:
        if as_json:
            typer.echo(json.dumps({"worker": "running", "chain": f"eip155:{app.chain.info.chain_id}"}))
        stderr.print("working; Ctrl-C ends it", markup=False)
        with working(app):
            stop.wait()
    finally:
        app.close()


@guarded
def doctor(as_json: JsonFlag = False) -> None:
    """Look for what keeps a server from working, and say what to do about it. Changes nothing.

    Looks at DATA_DIR, the database's schema, the keystores, the clock, and at each node of RPC_URL: whether
    it answers, is on CHAIN_ID and has the registry's code, and whether the relayer's key has ether. The exit
    code is 1 when something is wrong.
    """
    found = settings()
    with heavy_imports():
        from registry.doctor import examine

    findings = [asdict(finding) for finding in examine(found)]
    show(findings, as_json, _findings_text)
    if not all(finding["ok"] for finding in findings):
        raise typer.Exit(exits.INVALID)


def _findings_text(findings: list[dict[str, Any]]) -> str:
    lines = []
    for finding in findings:
        lines.append(f"{'ok ' if finding['ok'] else 'BAD'}  {finding['check']:<9} {finding['detail']}")
        if finding["advice"]:
            lines.append(f"     {'':<9} -> {finding['advice']}")
    return "\n".join(lines)


@guarded
def deploy(as_json: JsonFlag = False) -> None:
    """Deploy the registry contract with the key of SIGNER_KEYSTORE; nothing happens where it already
    stands.

    Example: ROOTMARK_RPC_URL=https://node.example ROOTMARK_CHAIN_ID=11155111 rootmark deploy
    """
    found = settings()
    with heavy_imports():
        from registry.bootstrap import deploy_contract

    with waiting("deploying"):
        made = deploy_contract(found)
    show(made, as_json, _deployed)


def _deployed(made: dict[str, Any]) -> str:
    how = "deployed" if made["transaction"] else "already there"
    return f"registry  {made['registry']}  ({how})\nset ROOTMARK_REGISTRY={made['registry']}"


@guarded
def checkpoint(
    output: Annotated[Path, typer.Argument(help="File to write; - for standard output.")],
    block: Annotated[
        list[int] | None, typer.Option(help="A block's number; repeat for several. Default: the last final.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Sign hashes of blocks, for verifiers of bundles who take them from you.

    Read from RPC_URL, signed with the key of SIGNER_KEYSTORE. A verifier sets CHECKPOINT_FILE to the file and
    CHECKPOINT_KEY to that key's address.

    Example: rootmark checkpoint checkpoints.json --block 21000000 --block 21007200
    """
    found = settings()
    with heavy_imports():
        from registry.cli.offline import sign_checkpoints

    made = sign_checkpoints(found, block or [])
    write_output(output, json.dumps(made, indent=2) + "\n")
    if str(output) != "-":
        told = {"file": str(output), "signer": made["signer"], "blocks": len(made["blocks"])}
        show(told, as_json, lambda t: f"{t['blocks']} blocks signed by {t['signer']}, in {t['file']}")


# --- db -----------------------------------------------------------------------------------------------------


@db_app.command("migrate")
@guarded
def migrate(as_json: JsonFlag = False) -> None:
    """Bring the schema to this version's. Safe to repeat, and from several processes at once."""
    found = settings()
    with heavy_imports():
        from registry.bootstrap import migrate_database

    show({"version": migrate_database(found)}, as_json, lambda made: f"schema {made['version']}")


@db_app.command("copy")
@guarded
def copy(
    target: Annotated[str, typer.Argument(help="URL of the empty database: postgresql://… or sqlite:///…")],
    as_json: JsonFlag = False,
) -> None:
    """Copy everything to another, empty database, from SQLite to PostgreSQL or back. Stop all servers
    first."""
    found = settings()
    with heavy_imports():
        from registry.bootstrap import copy_to

    with waiting("copying") as say:
        counts = copy_to(found, target, lambda table, rows: say(f"{table}: {rows} rows"))
    show(counts, as_json, lambda made: "\n".join(f"{rows:>10}  {table}" for table, rows in made.items()))


@db_app.command("version")
@guarded
def versions(
    check: Annotated[bool, typer.Option("--check", help="End with 1 when migrations are missing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Which schema the database has, and how many migrations it is behind."""
    found = settings()
    with heavy_imports():
        from registry.bootstrap import database_versions

    made = database_versions(found)
    show(made, as_json, lambda v: f"schema {v['version'] or 'none'}, {v['behind']} migrations behind")
    if check and made["behind"]:
        stderr.print("run `rootmark db migrate`", markup=False)
        raise typer.Exit(exits.INVALID)
