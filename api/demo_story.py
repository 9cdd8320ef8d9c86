"""The demo's story: who issues, what is awarded, and what verifiers and auditors see of it.

Every step goes through the HTTP API, but for the offline verification, which reads the chain alone. Nothing
is written to disk but the issuer's API key, unless an export is asked for.
"""

from __future__ import annotations

import json
import os
import secrets
import textwrap
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from api.demo_awards import Awards
from registry.cli import exits
from registry.cli.output import fail, stdout
from registry.cli.verifying import headline

if TYPE_CHECKING:
    from registry.bootstrap import App
    from registry.cli.client import Server
    from registry.settings import Settings

STATE_FILE = "demo.json"
ISSUER = {"name": "Riverside Short Courses (demo)", "url": "https://riverside.example"}
AT_ONCE = 100
REVOKED_ROW = 41
TAMPERED_ROW = 7
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.1
UNAVAILABLE = 503
WIDTH = 80
SHOWN_CHARACTERS = 20
_SETTLED = frozenset({"final", "failed"})
_KNOWN = frozenset({"valid", "invalid", "revoked", "withdrawn", "suspended", "expired", "not_yet_valid"})


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


# --- the story ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Award:
    """One of the awards: the badge, and the RootmarkProof that travels beside it."""

    badge: dict[str, Any]
    proof: dict[str, Any]


def tell(told: Telling, app: App, url: str, awards: Awards, export: Path | None) -> None:
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
    with Server(url, key) as server:
        did = server.get(f"/issuers/{issuer.lower()}/did.json")["id"]
        told.step(f"Issuer: {ISSUER['name']}", issuer, did, issuer=issuer, did=did)
        ids = _achievements(told, server, issuer, awards)
        digests = _issue(told, server, awards, ids)
        # Before anything is said of them: what a killed run has signed must not depend on its port.
        _settled_history(server, issuer, did)
        names = list(awards.rows)
        first = _award(server, names[0], digests)
        report = _asked(server, {"credential": first.badge}, until=_KNOWN)
        told.verdict("Verified by the API", report, "valid")
        _offline(told, url, app.settings, first, issuer)
        changed = _tampered(told, server, _award(server, _marked(awards), digests))
        _revoke(told, server, digests[names[REVOKED_ROW]])
        _verify_all(told, server, [digests[name] for name in names])
        _history(told, _settled_history(server, issuer, did))
    if export is not None:
        _export(told, export, first, changed, f"{url}/rpc", did)


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


def _achievements(told: Telling, server: Server, issuer: str, awards: Awards) -> dict[str, str]:
    """Describe what is not described yet; achievements' ids by course code."""
    known = {item["name"]: item["id"] for item in server.items("/v1/achievements", issuer=issuer, limit=500)}
    ids = {}
    made = 0
    for code, body in awards.catalogue.items():
        found = known.get(body["name"])
        if found is None:
            found = server.post("/v1/achievements", body)["id"]
            made += 1
        ids[code] = found
    what = f"{made} described" if made else "described already"
    told.step(f"The catalogue: {len(ids)} achievements, {what}", achievements=len(ids), made=made)
    return ids


def _issue(told: Telling, server: Server, awards: Awards, ids: Mapping[str, str]) -> dict[str, str]:
    """Award what is not awarded yet, and wait until all of it is final; digests by external id."""
    found = _find(server, list(awards.rows))
    missing = [name for name in awards.rows if name not in found]
    if missing:
        made = server.post_stream("/v1/awards", [awards.csv_of(missing, ids)], "text/csv")
        batch = _final(server, made["batch"])
        anchor = batch["anchor"]
        told.step(
            f"Awarded {batch['size']} Open Badges as one batch, each signed",
            f"root  {batch['root']}",
            f"anchored in block {anchor['block_number']}, {anchor['anchored_at']}, {anchor['gas_used']} gas",
            batch=batch,
        )
        found |= _find(server, missing)
    else:
        for batch_id in {item["batch"] for item in found.values() if item["state"] != "final"}:
            _final(server, server.get(f"/v1/batches/{batch_id}"))
        told.step(f"All {len(found)} are awarded already; nothing is awarded again", found=len(found))
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


def _award(server: Server, name: str, digests: Mapping[str, str]) -> _Award:
    """An award by its external id."""
    found = server.get("/v1/awards", external_id=name)["items"]
    if not found:
        fail(
            f"{name} is no award: this directory is an older demo's; name another with --data-dir",
            exits.USAGE,
        )
    badge = server.get(f"/v1/awards/{found[0]['id']}")["credential"]
    return _Award(badge, server.get(f"/v1/credentials/{digests[name]}/proof"))


def _marked(awards: Awards) -> str:
    """An award with a mark that can be raised; another where none has any."""
    names = list(awards.rows)
    later = names[TAMPERED_ROW:] + names[:TAMPERED_ROW]
    return next((name for name in later if awards.rows[name]["result"]), names[TAMPERED_ROW])


def _offline(told: Telling, url: str, settings: Settings, award: _Award, issuer: str) -> None:
    from registry.cli.offline import verify_offline

    node = f"{url}/rpc"
    report = verify_offline(
        [node], {"credential": award.badge, "proof": award.proof}, settings, issuer=issuer
    )
    told.verdict(f"Verified offline, from the chain alone ({node})", report, "valid")


def _tampered(told: Telling, server: Server, award: _Award) -> _Award:
    """Show a badge that its holder has improved."""
    badge = deepcopy(award.badge)
    subject = badge["credentialSubject"]
    results = [result for result in subject.get("result", ()) if "value" in result]
    if results:
        before, raised = results[0]["value"], "99" if results[0]["value"] == "100" else "100"
        results[0]["value"] = raised
        what = f"A copy with {raised} % instead of {before} %"
    else:
        subject["achievement"]["name"] += ", advanced"
        what = "A copy with another course"
    report = server.post("/v1/verify", {"credential": badge, "proof": award.proof})
    told.verdict(f"{what}, shown with the true proof", report, "invalid")
    return _Award(badge, award.proof)


def _revoke(told: Telling, server: Server, digest: str) -> None:
    report = _asked(server, {"digest": digest}, until=_KNOWN)
    title = "One was revoked before, and still is"
    if report["outcome"] != "revoked":
        title = "Revoked one, issued in error"
        made = server.post("/v1/revocations", {"digests": [digest], "reason": "issued_in_error"})
        server.wait(f"/v1/requests/{made['id']}", _SETTLED, PATIENCE_SECONDS)
        report = _asked(server, {"digest": digest}, until=frozenset({"revoked"}))
    told.verdict(title, report, "revoked")


def _asked(server: Server, question: dict[str, Any], *, until: frozenset[str]) -> dict[str, Any]:
    """The verdict once it is one of ``until``, else the last one within the demo's patience.

    The server's index follows the chain, and a server that has just started has not read it yet.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        report: dict[str, Any] = server.post("/v1/verify", question)
        if report["outcome"] in until or time.monotonic() > deadline:
            return report
        time.sleep(POLL_SECONDS)


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


def _settled_history(server: Server, issuer: str, did: str) -> dict[str, Any]:
    """The issuer's history, once the chain names its DID: the server sees to that after the first signing.
    A server that has just started has read nothing yet, and says 503."""
    from registry.cli.client import ServerProblemError

    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        is_late = time.monotonic() > deadline
        try:
            history: dict[str, Any] = server.get(f"/v1/audit/issuers/{issuer}")
        except ServerProblemError as error:
            if is_late or error.problem.get("status") != UNAVAILABLE:
                raise
        else:
            if is_late or any(event.get("uri") == did for event in history["events"]):
                return history
        time.sleep(POLL_SECONDS)


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
    if "uri" in event:
        return f"{event['uri'][:SHOWN_CHARACTERS]}…"
    return f"{event['key'][:10]}…" if event.get("key") else ""


def _export(told: Telling, directory: Path, first: _Award, changed: _Award, node: str, did: str) -> None:
    """Write what can be tried out by hand."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, document in (("badge", first.badge), ("proof", first.proof), ("tampered", changed.badge)):
        text = json.dumps(document, indent=2, ensure_ascii=False)
        (directory / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    shown = f"rootmark verify {directory}/badge.json --proof {directory}/proof.json"
    told.step(
        f"Written to {directory}: badge.json, proof.json, tampered.json",
        f"{shown} --issuer {did} --rpc {node}",
        directory=str(directory),
    )
