"""From an issuer's audit to a report on paper. Pure.

On the pages stands what a reader takes in; attached is `audit.json`, the whole audit with every event, as the
server's API gives it. Texts that strangers put on the chain are set in ASCII with escapes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from registry.encoding import format_time, to_hex
from registry.errors import ValidationError
from registry.model.chain import EventKind, RegistryEvent
from registry.model.reasons import reason_from_code
from registry.services.auditing.history import IssuerAudit
from registry.services.auditing.views import audit_json, chain_time, event_json, far_time
from registry.typesetting.pdf import set_pdf

HERE = Path(__file__).parent
EVENTS_SHOWN = 400
"""The newest ones; all of them are attached."""
ROWS_SHOWN = 100
"""Of every other list; likewise."""
_TOTALS = {
    "batches": "Batches",
    "batches_withdrawn": "Withdrawn batches",
    "batches_voided": "Void batches",
    "revoked": "Revoked credentials",
    "suspended": "Suspended credentials",
    "keys": "Keys",
    "keys_retired": "Retired keys",
}


@dataclass(frozen=True, slots=True)
class About:
    """What stands on a report beside the audit.

    Attributes:
        name: the issuer's, where it is hosted here.
        registry: chain and contract (CAIP-10).
        server: the address of who made the report.
        fingerprint: SHA-256 of the certificate that signs it, in hex.
    """

    name: str | None
    registry: str
    server: str
    made_at: datetime
    fingerprint: str
    test_chain: bool


@lru_cache(maxsize=1)
def _template() -> bytes:
    return (HERE / "audit_report.typ").read_bytes()


def draw_report(audit: IssuerAudit, about: About) -> bytes:
    """The report as PDF/A-3b, unsigned. A name that no font here has is left to the attachment, and the page
    says so."""
    attached = orjson.dumps(audit_json(audit) | {"name": about.name, "registry": about.registry})
    files = {"main.typ": _template(), "audit.json": attached}
    digest = sha256(attached).hexdigest()
    try:
        return set_pdf(files, _data(audit, about, digest, about.name or "not hosted here"), about.made_at)
    except ValidationError:
        unset = "has characters that no font here has; it stands in the attachment"
        return set_pdf(files, _data(audit, about, digest, unset), about.made_at)


_WHOLE = (
    "The history is whole.",
    "All events, replayed, lead to the number that the contract holds at this block.",
)
_CONTRADICTS = (
    "The history contradicts the contract.",
    "Events are missing here, or were changed: do not rely on what this server says of the issuer.",
)
_TEST_CHAIN = "This is a test chain: what stands there proves nothing elsewhere."
_CHECKING = (
    """The file is signed (PAdES). SHA-256 of the signer's certificate: {fingerprint}. Compare it with the one
    that {server} shows at /audit.""",
    """rootmark audit check-report FILE checks signature and attachment.""",
    """audit.json is attached; its SHA-256 is {digest}. Its member sha256 is that of the events, written by
    RFC 8785.""",
    """Each event's head is made of the head before it and of the event; the contract keeps the last one.
    Whoever trusts no server asks a node: rootmark audit issuer {issuer} --rpc NODE.""",
)


def _data(audit: IssuerAudit, about: About, digest: str, name: str) -> dict[str, Any]:
    """What the template sets. ``digest`` is the attachment's."""
    made_at = format_time(about.made_at.replace(microsecond=0))
    shown = audit.events[-EVENTS_SHOWN:]
    left_out = len(audit.events) - len(shown)
    verdict, reason = _WHOLE if audit.match else _CONTRADICTS
    known = {
        "fingerprint": about.fingerprint,
        "server": about.server,
        "digest": digest,
        "issuer": to_hex(audit.issuer),
    }
    return {
        "title": "Audit of an issuer",
        "author": about.server,
        "footer": f"{about.server}, {made_at}",
        "about": [
            ["Issuer", name],
            ["Address", to_hex(audit.issuer)],
            ["Registry", about.registry],
            ["As of block", f"{audit.block.number}, {chain_time(audit.block.timestamp)}"],
            ["Block's hash", to_hex(audit.block.hash)],
            ["Made by", about.server],
            ["Made at", made_at],
        ],
        "whole": audit.match,
        "verdict": verdict,
        "verdict_reason": reason,
        "warning": _TEST_CHAIN if about.test_chain else None,
        "heads": [
            ["From the events", to_hex(audit.head_replayed)],
            ["In the contract", to_hex(audit.head_on_chain)],
        ],
        "totals": [[title, str(audit.totals.get(name, 0))] for name, title in _TOTALS.items()],
        "kinds": _kinds(audit.events),
        "reasons": _reasons(audit.events),
        "keys": _capped(list(_keys(audit))),
        "odd": _capped(
            [[f"{one.block_number} / {one.log_index}", _plain(one.detail)] for one in audit.history.problems]
        ),
        "voided": _capped([[to_hex(one.root), chain_time(one.anchored_at)] for one in audit.voided]),
        "left_out": left_out,
        "left_out_text": f"The newest {len(shown)}; {left_out} older ones are in the attachment.",
        "events": [_line(event) for event in shown],
        "checking": [" ".join(line.format_map(known).split()) for line in _CHECKING],
    }


def _capped(rows: list[list[str]]) -> list[list[str]]:
    """The first rows, and how many follow."""
    more = len(rows) - ROWS_SHOWN
    if more <= 0:
        return rows
    return [*rows[:ROWS_SHOWN], [f"and {more} more", *[""] * (len(rows[0]) - 1)]]


def _kinds(events: Sequence[RegistryEvent]) -> list[list[str]]:
    counted = Counter(event.kind for event in events)
    return [[kind.value, str(counted[kind])] for kind in EventKind if counted[kind]]


def _reasons(events: Sequence[RegistryEvent]) -> list[list[str]]:
    """Revocations: events, and the credentials that they name; one that was named before counts again."""
    counted: Counter[int] = Counter()
    named: Counter[int] = Counter()
    for event in events:
        if event.kind is EventKind.REVOKED:
            counted[event.reason] += 1
            named[event.reason] += sum(change.mask.bit_count() for change in event.changes)
    return [[_reason(code), str(count), str(named[code])] for code, count in sorted(counted.items())]


def _reason(code: int) -> str:
    return reason_from_code(code).label.replace("_", " ")


def _keys(audit: IssuerAudit) -> Iterator[list[str]]:
    """From the events: added, and from when on it is trusted no more."""
    retired = [event for event in audit.events if event.kind is EventKind.KEY_RETIRED]
    ends = {event.account: event for event in retired}
    for event in audit.events:
        if event.kind is EventKind.KEY_ADDED and event.account is not None:
            end = ends.get(event.account)
            ended = ("", "") if end is None else (far_time(end.valid_until) or "", _reason(end.reason))
            yield [to_hex(event.account), chain_time(event.at), *ended]


def _line(event: RegistryEvent) -> list[str]:
    shown = event_json(event)
    detail = []
    if event.changes:
        count = sum(change.mask.bit_count() for change in event.changes)
        detail.append(f"{count} credential{'' if count == 1 else 's'}")
    if "reason" in shown:
        detail.append(_reason(event.reason))
    if "roles" in shown:
        detail.append(" ".join(shown["roles"]))
    if "uri" in shown:
        detail.append(_plain(shown["uri"])[:60])
    what = event.root if event.root is not None else event.account
    where = "" if what is None else to_hex(what)
    return [
        shown["at"],
        f"{event.block_number} / {event.log_index}",
        event.kind.value,
        f"{where[:12]}…{where[-6:]}" if where else "",
        ", ".join(detail),
    ]


def _plain(text: str) -> str:
    """A stranger's text in ASCII, with escapes."""
    return text.encode("ascii", "backslashreplace").decode()
