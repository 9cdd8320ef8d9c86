"""`rootmark demo`: the main job on real input, told step by step, then the server goes on.

Everything goes through the HTTP API of a server in this process, as an issuer's own program would do it; only
the offline verification uses no server. A second run finds what the first one issued and issues nothing
again; a run that was killed is taken up where it stopped.
"""

from __future__ import annotations

import csv
import json
import os
import secrets
import signal
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands import at_port_of, bind_or_fail, serving, url_of
from registry.cli import exits
from registry.cli.options import JsonFlag
from registry.cli.output import fail, guarded, stderr, stdout
from registry.cli.progress import waiting
from registry.cli.startup import heavy_imports
from registry.cli.verifying import headline
from registry.errors import ConfigurationError

if TYPE_CHECKING:
    from registry.bootstrap import App
    from registry.cli.client import Server
    from registry.settings import Settings

STATE_FILE = "demo.json"
ISSUER = {"name": "Riverside Short Courses (demo)", "url": "https://riverside.example"}
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "awards.csv"
AT_ONCE = 100
REVOKED_ROW = 41
TAMPERED_ROW = 7
POLL_SECONDS = 0.2
PATIENCE_SECONDS = 60.0
WIDTH = 80
INTERRUPTED = 130
_SETTLED = frozenset({"final", "failed"})

Credentials = dict[str, dict[str, Any]]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


@guarded
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story instead of serving on.")] = False,
    port: Annotated[int | None, typer.Option(help="Port to serve on; 0 takes a free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where the demo keeps its data.")] = None,
    file: Annotated[Path, typer.Option("--csv", help="The awards.")] = EXAMPLE,
    as_json: JsonFlag = False,
) -> None:
    """Issue 500 awards on an embedded chain, verify, tamper, revoke, audit; then serve.

    Run it again: nothing is issued twice, and the revoked one is still revoked. --json prints the steps as
    JSON, one a line.
    """
    told = Telling(as_json)
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT otherwise
        signal.signal(ending, signal.default_int_handler)
    try:
        with running(port, data_dir, file, told) as (app, url, credentials, stopped):
            tell(told, app, url, credentials)
            if not once:
                stderr.print(f"\nServing {url}  (API: {url}/docs). Ctrl-C ends it.", markup=False)
                _until_interrupted(stopped)
    except KeyboardInterrupt:
        fail("interrupted; run it again to go on where it stopped", INTERRUPTED)


def _until_interrupted(stopped: Any) -> None:
    try:
        stopped.wait()
    except KeyboardInterrupt:
        stderr.print("ended", markup=False)


@contextmanager
def running(
    port: int | None, data_dir: Path | None, file: Path, told: Telling
) -> Iterator[tuple[App, str, Credentials, Any]]:
    """A server over the embedded chain; yields it, its address, the awards, and the event of its end."""
    from registry.logs import configure_logging
    from registry.settings import load_settings

    settings = load_settings(port=port, data_dir=data_dir, log_level="ERROR")
    if not settings.embedded:
        raise ConfigurationError("the demo uses the embedded chain; unset ROOTMARK_RPC_URL")
    often = min(settings.poll_seconds, POLL_SECONDS)
    settings = settings.model_copy(update={"poll_seconds": often, "tls_cert": None, "tls_key": None})
    configure_logging(settings.log_level)
    credentials = read_awards(file)
    bound = bind_or_fail(settings)
    try:
        with waiting("starting chain and server"), heavy_imports():
            from api.app import create_app  # noqa: F401 - `serving` needs it, and it is large
            from registry.bootstrap import build
        told.line(f"Rootmark demo: {len(credentials)} awards, from issue to audit. Data: {settings.data_dir}")
        app = build(at_port_of(bound, settings))
        try:
            app.identity.claim_address(accept_new=True)  # what a demo has signed is nobody's
            with serving(app, bound) as stopped:
                yield app, url_of(bound), credentials, stopped
        finally:
            app.close()
    finally:
        bound.close()


class Telling:
    """How the story is told: numbered steps in 80 columns, or a JSON object each."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._number = 0

    def step(self, title: str, *lines: str, **data: Any) -> None:
        """The next step: a title and lines for a person, ``data`` for a program."""
        self._number += 1
        if self._as_json:
            typer.echo(json.dumps({"step": self._number, "title": title} | data, ensure_ascii=False))
            return
        self.line(f"{self._number}. {title}")
        for line in lines:
            self.line(textwrap.fill(line, WIDTH, initial_indent="   ", subsequent_indent="   "))

    def line(self, text: str) -> None:
        """A line for a person."""
        if not self._as_json:
            stdout.print(text, markup=False)

    def verdict(self, title: str, report: dict[str, Any], wanted: str) -> None:
        """A step that verifies; ends the story when the verdict is another than the one wanted."""
        self.step(title, headline(report), report=report)
        if report["outcome"] != wanted:
            fail(f"expected {wanted}, got {report['outcome']}", exits.INVALID)


# --- the awards ---------------------------------------------------------------------------------------------


def read_awards(path: Path) -> Credentials:
    """Credentials by external id, from the CSV.

    Raises:
        ConfigurationError: the file cannot be read, lacks a column, has a number that is none, or too few
            rows.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            found = {row["external_id"]: _credential(row) for row in csv.DictReader(file)}
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}; name another with --csv"
        ) from error
    except KeyError as error:
        raise ConfigurationError(f"{path} has no column {error}; see examples/README.md") from error
    except (ValueError, TypeError, csv.Error) as error:
        raise ConfigurationError(f"{path} is no CSV of awards; see examples/README.md") from error
    if len(found) <= REVOKED_ROW:
        raise ConfigurationError(f"{path} has {len(found)} awards; the demo needs {REVOKED_ROW + 1} or more")
    return found


def _credential(row: dict[str, str]) -> dict[str, Any]:
    credential: dict[str, Any] = {
        "id": row["id"],
        "type": ["VerifiableCredential", "MicroCredential"],
        "validFrom": row["issued_on"],
        "credentialSubject": {
            "learner": row["learner"],
            "achievement": {
                "code": row["course"],
                "name": row["title"],
                "skillArea": row["skill_area"],
                "hours": int(row["hours"]),
                "level": row["level"],
            },
            "result": int(row["result"]),
        },
    }
    if row["valid_until"]:
        credential["validUntil"] = row["valid_until"]
    return credential


# --- the story ----------------------------------------------------------------------------------------------


def tell(told: Telling, app: App, url: str, credentials: Credentials) -> None:
    """The story, step by step."""
    from registry.cli.client import Server
    from registry.encoding import to_checksum

    info = app.chain.info
    registry = to_checksum(info.address)
    told.step(
        f"A chain of its own, eip155:{info.chain_id}, a test chain",
        f"registry contract  {registry}",
        chain=f"eip155:{info.chain_id}",
        registry=registry,
    )
    issuer, key = issuer_of_demo(url, app.settings)
    told.step(f"Issuer: {ISSUER['name']}", issuer, issuer=issuer)
    with Server(url, key) as server:
        digests = _issue(told, server, credentials)
        names = list(credentials)
        chosen = credentials[names[0]]
        report = server.post("/v1/verify", {"credential": chosen, "issuer": issuer})
        told.verdict("Verified by the API", report, "valid")
        _offline(told, url, app.settings, chosen, _proof(server, digests[names[0]]), issuer)
        _tampered(told, server, credentials[names[TAMPERED_ROW]], digests[names[TAMPERED_ROW]])
        _revoke(told, server, digests[names[REVOKED_ROW]])
        _verify_all(told, server, [digests[name] for name in names])
        _history(told, server.get(f"/v1/audit/issuers/{issuer}"))


def issuer_of_demo(url: str, settings: Settings) -> tuple[str, str]:
    """Address and API key of the demo's issuer: remembered, else found by name, else registered now."""
    from registry.bootstrap import ADMIN_TOKEN_FILE
    from registry.cli.client import Server, path_of

    path = settings.data_dir / STATE_FILE
    token = (
        settings.admin_token.get_secret_value()
        if settings.admin_token
        else (settings.data_dir / ADMIN_TOKEN_FILE).read_text().strip()
    )
    with Server(url, token) as server:
        known = {item["address"]: item for item in server.items("/v1/issuers", limit=500)}
        state = _read_state(path)
        if state.get("issuer") in known and isinstance(state.get("api_key"), str):
            return state["issuer"], state["api_key"]
        mine = [address for address, item in known.items() if ISSUER.items() <= item.items()]
        if mine:
            scopes = {"label": "demo", "scopes": ["batch", "status", "read"]}
            key = server.post(path_of("issuers", mine[0], "api-keys"), scopes)["api_key"]
            made = {"issuer": mine[0], "api_key": key}
        else:
            issuer = server.post("/v1/issuers", ISSUER)
            made = {"issuer": issuer["address"], "api_key": issuer["api_key"]}
    _write_state(path, made)
    return made["issuer"], made["api_key"]


def _read_state(path: Path) -> dict[str, Any]:
    try:
        state = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _write_state(path: Path, state: dict[str, str]) -> None:
    """Written whole or not at all, and readable by this account alone: there is a key in it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(state, file)
    temporary.replace(path)


def _issue(told: Telling, server: Server, credentials: Credentials) -> dict[str, str]:
    """Issue what is not issued yet, and wait until all of it is final; digests by external id."""
    found = _find(server, list(credentials))
    missing = {name: credential for name, credential in credentials.items() if name not in found}
    if missing:
        lines = (
            json.dumps({"credential": credential, "external_id": name}).encode() + b"\n"
            for name, credential in missing.items()
        )
        batch = _final(server, server.post_lines("/v1/batches", lines))
        anchor = batch["anchor"]
        told.step(
            f"Issued {batch['size']} awards as one batch",
            f"root  {batch['root']}",
            f"anchored in block {anchor['block_number']}, {anchor['anchored_at']}, {anchor['gas_used']} gas",
            batch=batch,
        )
        found |= _find(server, list(missing))
    else:
        for batch_id in {item["batch"] for item in found.values() if item["state"] != "final"}:
            _final(server, server.get(f"/v1/batches/{batch_id}"))
        told.step(f"All {len(found)} awards are issued already; nothing is issued again", found=len(found))
    return {name: item["digest"] for name, item in found.items()}


def _final(server: Server, batch: dict[str, Any]) -> dict[str, Any]:
    from registry.cli.batches import follow

    if batch["state"] == "failed":
        batch = server.post(f"/v1/batches/{batch['id']}/retry")
    batch = follow(server, batch)
    if batch["state"] != "final":
        fail(f"the batch is {batch['state']}: {batch['error']}", exits.INVALID)
    return batch


def _find(server: Server, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(names), AT_ONCE):
        page = server.get("/v1/credentials", external_id=list(names[start : start + AT_ONCE]))
        found |= {item["external_id"]: item for item in page["items"]}
    return found


def _proof(server: Server, digest: str) -> dict[str, Any]:
    proof: dict[str, Any] = server.get(f"/v1/credentials/{digest}/proof")
    return proof


def _offline(
    told: Telling,
    url: str,
    settings: Settings,
    credential: dict[str, Any],
    proof: dict[str, Any],
    issuer: str,
) -> None:
    from registry.cli.offline import verify_by_rpc

    node = f"{url}/rpc"
    report = verify_by_rpc([node], {"credential": credential, "proof": proof}, settings, issuer=issuer)
    told.verdict(f"Verified offline, from the chain alone ({node})", report, "valid")


def _tampered(told: Telling, server: Server, credential: dict[str, Any], digest: str) -> None:
    better = json.loads(json.dumps(credential))
    result = credential["credentialSubject"]["result"]
    better["credentialSubject"]["result"] = raised = 100 if result < 100 else 99
    report = server.post("/v1/verify", {"credential": better, "proof": _proof(server, digest)})
    told.verdict(
        f"A copy with {raised} % instead of {result} %, shown with the true proof", report, "invalid"
    )


def _revoke(told: Telling, server: Server, digest: str) -> None:
    report = server.post("/v1/verify", {"digest": digest})
    title = "One was revoked before, and still is"
    if report["outcome"] != "revoked":
        title = "Revoked one, issued in error"
        made = server.post("/v1/revocations", {"digests": [digest], "reason": "issued_in_error"})
        server.wait(f"/v1/requests/{made['id']}", _SETTLED, PATIENCE_SECONDS)
        deadline = time.monotonic() + PATIENCE_SECONDS  # an earlier run's request may still be on its way
        while report["outcome"] != "revoked" and time.monotonic() < deadline:
            report = server.post("/v1/verify", {"digest": digest})
    told.verdict(title, report, "revoked")


def _verify_all(told: Telling, server: Server, digests: Sequence[str]) -> None:
    outcomes: list[str] = []
    for start in range(0, len(digests), 1000):
        items = [{"digest": digest} for digest in digests[start : start + 1000]]
        results = server.post("/v1/verify/bulk", {"items": items})["results"]
        outcomes += [result["report"]["outcome"] for result in results]
    counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    text = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    told.step(f"Verified all {len(digests)}: {text}", outcomes=counts)
    if counts.get("revoked") != 1 or not counts.keys() <= {"valid", "revoked", "expired"}:
        fail("expected one revoked and the rest valid", exits.INVALID)


def _history(told: Telling, history: dict[str, Any]) -> None:
    """The issuer's history as a table, and whether it is complete."""
    head = history["head"]
    rows = [
        f"{event['at']}  block {event['block_number']:<4} {event['kind']:<16} {_about(event)}"
        for event in history["events"]
    ]
    told.step(
        "The issuer's history, replayed from the contract's events",
        *rows,
        f"replayed {head['replayed']}",
        f"on chain {head['on_chain']}",
        "The two heads are equal: the list is complete." if head["match"] else "THE HEADS DIFFER",
        events=len(history["events"]),
        head=head,
    )
    if not head["match"]:
        fail("the replayed history is not what the contract has", exits.INVALID)


def _about(event: dict[str, Any]) -> str:
    if "root" in event:
        count = sum(int(change["mask"], 16).bit_count() for change in event.get("changes", []))
        reason = f" {event['reason']}" if event.get("reason") else ""
        return f"{count}{reason}" if count else f"root {event['root'][:10]}…"
    return f"{event['key'][:10]}…" if event.get("key") else ""
