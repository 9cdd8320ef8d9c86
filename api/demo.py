"""`rootmark demo`: the main job on real input, told step by step, then the server goes on.

Everything goes through the HTTP API of a server in this process, as an issuer's own program would do it; only
the offline verification uses no server. A second run finds what the first one issued and issues nothing
again.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from api.commands import bind_or_fail, serving
from registry.bootstrap import ADMIN_TOKEN_FILE, App, build
from registry.cli import exits
from registry.cli.auditing import history_text
from registry.cli.client import Server
from registry.cli.issuing import follow
from registry.cli.output import fail, guarded, stdout
from registry.cli.verifying import verify_by_rpc
from registry.encoding import to_checksum
from registry.errors import ConfigurationError
from registry.logs import configure_logging
from registry.settings import Settings, load_settings

STATE_FILE = "demo.json"
ISSUER = {"name": "Riverside Short Courses (demo)", "url": "https://riverside.example"}
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "awards.csv"
AT_ONCE = 100
REVOKED_ROW = 41
TAMPERED_ROW = 7


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


@guarded
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story instead of serving on.")] = False,
    port: Annotated[int | None, typer.Option(help="Port to serve on.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where the demo keeps its data.")] = None,
    file: Annotated[Path, typer.Option("--csv", help="The awards.")] = EXAMPLE,
) -> None:
    """Issue 500 awards on an embedded chain, verify, tamper, revoke, audit; then serve."""
    settings = load_settings(port=port, data_dir=data_dir, log_level="ERROR")
    if not settings.embedded:
        raise ConfigurationError("the demo uses the embedded chain; unset ROOTMARK_RPC_URL")
    configure_logging(settings.log_level)
    credentials = read_awards(file)
    bound = bind_or_fail(settings)
    url = f"http://{settings.host}:{bound.getsockname()[1]}"
    app = build(settings)
    try:
        with serving(app, bound) as stopped:
            tell(app, url, settings, credentials)
            if not once:
                stdout.print(f"\nServing {url}  (API: {url}/docs). Ctrl-C ends it.", markup=False)
                stopped.wait()
    except KeyboardInterrupt:
        pass
    finally:
        app.close()


def read_awards(path: Path) -> dict[str, dict[str, Any]]:
    """Credentials by external id, from the CSV.

    Raises:
        ConfigurationError: the file cannot be read, or lacks a column.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {row["external_id"]: _credential(row) for row in csv.DictReader(file)}
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except KeyError as error:
        raise ConfigurationError(f"{path} has no column {error}") from error


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


def tell(app: App, url: str, settings: Settings, credentials: dict[str, dict[str, Any]]) -> None:
    """The story."""
    info = app.chain.info
    say(f"1. A chain of its own in {settings.data_dir / 'chain'}: eip155:{info.chain_id}, a test chain")
    say(f"   the registry contract is at {to_checksum(info.address)}")
    issuer, key = _issuer(url, settings)
    server = Server(url, key)
    say(f"2. Issuer {issuer}: {ISSUER['name']}")
    digests = _issue(server, credentials)
    names = list(credentials)
    chosen = credentials[names[0]]
    report = server.post("/v1/verify", {"credential": chosen, "issuer": issuer})
    say(f"4. Verified by the API: {_told(report)}")
    _require(report, "valid")
    _offline(url, chosen, server.get(f"/v1/credentials/{digests[names[0]]}/proof"), issuer)
    _tampered(server, credentials[names[TAMPERED_ROW]], digests[names[TAMPERED_ROW]])
    _revoke(server, digests[names[REVOKED_ROW]])
    _verify_all(server, [digests[name] for name in names])
    say("9. The issuer's history, replayed:")
    history = server.get(f"/v1/audit/issuers/{issuer}")
    stdout.print(history_text(history), markup=False)
    if not history["head"]["match"]:
        fail("the replayed history is not what the contract has", exits.INVALID)


def say(text: str) -> None:
    """A line of the story."""
    stdout.print(text, markup=False)


def _told(report: dict[str, Any]) -> str:
    return f"{report['outcome'].upper()}: {report['summary']}"


def _require(report: dict[str, Any], outcome: str) -> None:
    if report["outcome"] != outcome:
        fail(f"expected {outcome}, got {_told(report)}", exits.INVALID)


def _issuer(url: str, settings: Settings) -> tuple[str, str]:
    """Address and API key of the demo's issuer, registered at the first run."""
    path = settings.data_dir / STATE_FILE
    if path.exists():
        state = json.loads(path.read_text())
        return state["issuer"], state["api_key"]
    token = (
        settings.admin_token.get_secret_value()
        if settings.admin_token
        else (settings.data_dir / ADMIN_TOKEN_FILE).read_text().strip()
    )
    made = Server(url, token).post("/v1/issuers", ISSUER)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"issuer": made["address"], "api_key": made["api_key"]}, file)
    return made["address"], made["api_key"]


def _issue(server: Server, credentials: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Issue what is not issued yet; digests by external id."""
    found = _find(server, list(credentials))
    missing = {name: credential for name, credential in credentials.items() if name not in found}
    if not missing:
        say(f"3. All {len(found)} awards are issued already; nothing is issued again")
        return found
    lines = (
        json.dumps({"credential": credential, "external_id": name}).encode() + b"\n"
        for name, credential in missing.items()
    )
    batch = follow(server, server.post_lines("/v1/batches", lines))
    if batch["state"] != "final":
        fail(f"the batch is {batch['state']}: {batch['error']}", exits.INVALID)
    anchor = batch["anchor"]
    say(
        f"3. Issued {batch['size']} awards as one batch: root {batch['root']}\n"
        f"   anchored in block {anchor['block_number']} at {anchor['anchored_at']} for {anchor['gas_used']} gas"
    )
    return found | _find(server, list(missing))


def _find(server: Server, names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(names), AT_ONCE):
        page = server.get("/v1/credentials", external_id=list(names[start : start + AT_ONCE]))
        found |= {item["external_id"]: item["digest"] for item in page["items"]}
    return found


def _offline(url: str, credential: dict[str, Any], proof: dict[str, Any], issuer: str) -> None:
    report = verify_by_rpc([f"{url}/rpc"], credential, proof, issuer)
    say(f"5. Verified offline, from the chain alone ({url}/rpc): {_told(report)}")
    _require(report, "valid")


def _tampered(server: Server, credential: dict[str, Any], digest: str) -> None:
    better = json.loads(json.dumps(credential))
    better["credentialSubject"]["result"] = 100 if credential["credentialSubject"]["result"] < 100 else 99
    proof = server.get(f"/v1/credentials/{digest}/proof")
    report = server.post("/v1/verify", {"credential": better, "proof": proof})
    say(f"6. A copy with another result, shown with the true proof: {_told(report)}")
    _require(report, "invalid")


def _revoke(server: Server, digest: str) -> None:
    report = server.post("/v1/verify", {"digest": digest})
    if report["outcome"] != "revoked":
        made = server.post("/v1/revocations", {"digests": [digest], "reason": "issued_in_error"})
        server.wait(f"/v1/requests/{made['id']}", frozenset({"final", "failed"}))
        report = server.post("/v1/verify", {"digest": digest})
    say(f"7. Revoked one, issued in error: {_told(report)}")
    _require(report, "revoked")


def _verify_all(server: Server, digests: Sequence[str]) -> None:
    results = server.post("/v1/verify/bulk", {"items": [{"digest": digest} for digest in digests]})["results"]
    outcomes = [result["report"]["outcome"] for result in results]
    counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    say(f"8. Verified all {len(digests)}: {told}")
    if counts != {"revoked": 1, "valid": len(digests) - 1}:
        fail("expected one revoked and the rest valid", exits.INVALID)
