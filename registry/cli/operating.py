"""worker, deploy, db, doctor: what an operator does besides serving."""

from __future__ import annotations

import signal
import threading
from dataclasses import asdict
from typing import Annotated, Any

import typer

from registry.bootstrap import build, copy_to, database_versions, deploy_contract, migrate_database
from registry.cli import exits
from registry.cli.output import JsonFlag, guarded, settings, show, stderr, stdout
from registry.doctor import examine
from registry.logs import configure_logging

db_app = typer.Typer(help="The database's schema.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("worker")(worker)
    app.command("deploy")(deploy)
    app.command("doctor")(doctor)
    app.add_typer(db_app, name="db")


def stop_on_signals(stop: threading.Event) -> None:
    """Let SIGINT and SIGTERM set ``stop``."""

    def handle(_signal: int, _frame: Any) -> None:
        stop.set()

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)


@guarded
def worker() -> None:
    """Do the background work alone: index, sign, send, confirm. Several may share one database."""
    found = settings()
    configure_logging(found.log_level)
    stop = threading.Event()
    stop_on_signals(stop)
    app = build(found)
    try:
        stderr.print("working; Ctrl-C ends it", markup=False)
        app.worker.run(stop)
    finally:
        app.close()


@guarded
def doctor(as_json: JsonFlag = False) -> None:
    """Look for what keeps a server from working, and say what to do about it."""
    findings = [asdict(finding) for finding in examine(settings())]
    show(findings, as_json, _findings_text)
    if not all(finding["ok"] for finding in findings):
        raise typer.Exit(exits.INVALID)


def _findings_text(findings: list[dict[str, Any]]) -> str:
    lines = []
    for finding in findings:
        lines.append(f"{'ok ' if finding['ok'] else 'BAD'}  {finding['check']:<9} {finding['detail']}")
        if finding["advice"]:
            lines.append(f"               -> {finding['advice']}")
    return "\n".join(lines)


@guarded
def deploy(as_json: JsonFlag = False) -> None:
    """Deploy the registry contract with the key of SIGNER_KEYSTORE; nothing happens where it already
    stands."""
    show(deploy_contract(settings()), as_json, _deployed)


def _deployed(made: dict[str, Any]) -> str:
    how = "deployed" if made["transaction"] else "already there"
    return f"registry  {made['registry']}  ({how})\nset ROOTMARK_REGISTRY={made['registry']}"


@db_app.command("migrate")
@guarded
def migrate(as_json: JsonFlag = False) -> None:
    """Bring the schema to this version's. Safe to repeat, and from several processes at once."""
    show({"version": migrate_database(settings())}, as_json, lambda made: f"schema {made['version']}")


@db_app.command("copy")
@guarded
def copy(
    target: Annotated[str, typer.Argument(help="URL of the empty database: postgresql://… or sqlite:///…")],
    as_json: JsonFlag = False,
) -> None:
    """Copy everything to another, empty database: from SQLite to PostgreSQL or back. Stop all servers first."""
    with stderr.status("copying") as status:
        counts = copy_to(settings(), target, lambda table, rows: status.update(f"{table}: {rows} rows"))
    show(counts, as_json, lambda made: "\n".join(f"{rows:>10}  {table}" for table, rows in made.items()))


@db_app.command("version")
@guarded
def versions(
    check: Annotated[bool, typer.Option("--check", help="End with 1 when migrations are missing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Which schema the database has, and how many migrations it is behind."""
    found = database_versions(settings())
    show(found, as_json, lambda v: f"schema {v['version'] or 'none'}, {v['behind']} migrations behind")
    if check and found["behind"]:
        stdout.print("run `rootmark db migrate`")
        raise typer.Exit(1)
