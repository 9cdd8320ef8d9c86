"""For auditors: who issues here and whether the history is whole, every event at an address of its own, and
figures. Public; nothing here needs a key, and nothing names a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from api.context import Query, app_of, blocking, next_page, query_pairs
from api.exports import ExportForm
from api.parquet import is_installed
from api.routes.audit import EVENT_KINDS, EVENT_PARAMETERS, events_wanted, export_events
from api.web import plots
from api.web.pages import Policy, render, texts_for, web_router
from api.web.reasons import REASONS
from api.web.texts import PARAMETER, Texts
from registry.bootstrap import App
from registry.encoding import Address, parse_address, to_checksum, to_hex
from registry.errors import NotFoundError
from registry.model.chain import Header
from registry.services.auditing.figures import Bar, Figures, Span
from registry.services.auditing.views import audit_json, chain_time, event_json

router = web_router()

_POLICY = Policy(indexed=True)
_ISSUERS = 20
_EVENTS = 50
_WORDS_SHOWN = 200
_FILTERS = tuple(name for name in EVENT_PARAMETERS if name not in ("limit", "cursor"))


def _(text: str) -> str:
    """Marks a text for the catalogues."""
    return text


KINDS = {
    "KeyAdded": _("key added"),
    "KeyRetired": _("key retired"),
    "ProfileSet": _("profile set"),
    "AdminProposed": _("admin proposed"),
    "AdminChanged": _("admin changed"),
    "BatchAnchored": _("batch anchored"),
    "BatchWithdrawn": _("batch withdrawn"),
    "WithdrawalAnnulled": _("withdrawal annulled"),
    "Revoked": _("revoked"),
    "Suspended": _("suspended"),
    "Reinstated": _("reinstated"),
    "RevocationAnnulled": _("revocation annulled"),
}
_LAGS = (
    _("under 5 seconds"),
    _("5 to 15 seconds"),
    _("15 to 60 seconds"),
    _("1 to 5 minutes"),
    _("5 to 60 minutes"),
    _("1 to 24 hours"),
    _("a day and more"),
)


def _said(request: Request, *allowed: str) -> Query | Response:
    """The query; a form sends its empty fields too, and is led to the address without them."""
    pairs = query_pairs(request)
    kept = [(name, value) for name, value in pairs if value]
    if len(kept) == len(pairs):
        return Query(request, *allowed)
    target = request.scope["path"] + (f"?{urlencode(kept)}" if kept else "")
    return RedirectResponse(target, status_code=303)


@router.get("/audit")
async def overview(request: Request) -> Response:
    """The issuers hosted here, each with its head check."""
    query = Query(request, "cursor", PARAMETER)
    after = query.address("cursor")
    return render(
        request, "audit/issuers.html", policy=_POLICY, **await blocking(_issuers, app_of(request), after)
    )


def _issuers(app: App, after: Address | None) -> dict[str, Any]:
    found = app.issuers.page(after, _ISSUERS + 1)
    shown = found[:_ISSUERS]
    heads = app.audit.heads([issuer.address for issuer in shown])
    return {
        "block": _block(heads.block),
        "issuers": [
            {
                "address": to_checksum(issuer.address),
                "name": issuer.name,
                "url": issuer.url,
                "match": heads.match[issuer.address],
            }
            for issuer in shown
        ],
        "following": to_checksum(shown[-1].address) if len(found) > _ISSUERS else None,
        "test_chain": app.chain.info.test_chain,
        "fingerprint": app.reports.fingerprint,
    }


def _block(block: Header) -> dict[str, Any]:
    return {"number": block.number, "hash": to_hex(block.hash), "at": chain_time(block.timestamp)}


@router.get("/audit/issuers/{address}")
async def issuer(request: Request, address: str) -> Response:
    """An issuer's history, replayed and held against the contract's head."""
    query = _said(request, "as_of", PARAMETER)
    if isinstance(query, Response):
        return query
    wanted = parse_address(address, pointer="/address")
    as_of = query.as_of()
    app = app_of(request)
    audit = await blocking(app.audit.issuer, wanted, as_of)
    try:
        name = (await blocking(app.issuers.get, wanted)).name
    except NotFoundError:
        name = None
    shown = audit_json(audit)
    del shown["events"]
    counts = [
        (title, shown["totals"].get(f"event_{kind}", 0))
        for kind, title in KINDS.items()
        if shown["totals"].get(f"event_{kind}", 0)
    ]
    return render(
        request,
        "audit/issuer.html",
        policy=_POLICY,
        audit=shown,
        block=_block(audit.block),
        name=name,
        counts=counts,
        as_of=query.text("as_of") or "",
    )


@router.get("/audit/events")
async def events(request: Request) -> Response:
    """The contract's events, by filter."""
    query = _said(request, *_FILTERS, "cursor", PARAMETER)
    if isinstance(query, Response):
        return query
    given = {name: query.text(name) or "" for name in _FILTERS}
    found = await blocking(lambda: app_of(request).audit.events(**events_wanted(query, _EVENTS)))
    kept = {name: value for name, value in given.items() if value}
    items = [_shown(event_json(event)) for event in found.items]
    following = None
    if found.next_cursor is not None:
        following = "/audit/events?" + urlencode(kept | {"cursor": found.next_cursor})
    position = found.position
    return render(
        request,
        "audit/events.html",
        policy=_POLICY,
        headers=next_page(request, found.next_cursor),
        events=items,
        given=given,
        kinds={kind: KINDS[kind] for kind in EVENT_KINDS},
        reasons=REASONS,
        following=following,
        query=f"?{urlencode(kept)}" if kept else "",
        parquet=is_installed(),
        block=None if position is None else _block(position.block),
        final_block=-1 if position is None else position.final_block,
    )


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    """An event with its name, its page, and how many credentials it names."""
    changes = event.get("changes", [])
    return event | {
        "title": KINDS[event["kind"]],
        "page": f"/audit/events/{event['block_number']}/{event['log_index']}",
        "count": sum(int(change["mask"], 16).bit_count() for change in changes),
    }


@router.get("/audit/events.csv")
async def events_csv(request: Request) -> Response:
    """The same events as CSV."""
    return await blocking(export_events, request, _export_query(request), ExportForm.CSV)


@router.get("/audit/events.parquet")
async def events_parquet(request: Request) -> Response:
    """The same events as Parquet, where that is installed."""
    return await blocking(export_events, request, _export_query(request), ExportForm.PARQUET)


@router.get("/audit/events.json")
async def events_json(request: Request) -> Response:
    """The same events as JSON."""
    return await blocking(export_events, request, _export_query(request), ExportForm.JSON)


def _export_query(request: Request) -> Query:
    return Query(request, *EVENT_PARAMETERS)


@router.get("/audit/events/{block_number}/{log_index}")
async def event(request: Request, block_number: str, log_index: str) -> Response:
    """One event, at its lasting address."""
    Query(request, PARAMETER)
    place = (_number(block_number), _number(log_index))
    found, final = await blocking(app_of(request).audit.event, *place)
    shown = _shown(event_json(found))
    changes = shown.get("changes", [])
    return render(
        request,
        "audit/event.html",
        policy=_POLICY,
        event=shown,
        changes=changes[:_WORDS_SHOWN],
        reasons=REASONS,
        more=max(len(changes) - _WORDS_SHOWN, 0),
        final=final,
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotFoundError("an event's address has its block's number and its place in there")
    return int(text)


# --- figures ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing and its table: ``lines`` of a label and what is written of it."""

    id: str
    title: str
    drawing: Markup
    heads: Sequence[str]
    lines: Sequence[Sequence[str]]


@router.get("/audit/figures")
async def figures(request: Request) -> Response:
    """Plots, of all issuers or of one, as of a block."""
    query = _said(request, "issuer", "as_of", PARAMETER)
    if isinstance(query, Response):
        return query
    wanted = query.address()
    found = await blocking(app_of(request).audit.figures, wanted, query.as_of())
    texts = texts_for(request)
    return render(
        request,
        "audit/figures.html",
        policy=_POLICY,
        plots=[plot for plot in _plots(found, texts) if plot.lines],
        block=_block(found.block),
        given={"issuer": query.text("issuer") or "", "as_of": query.text("as_of") or ""},
        more_changes=found.more_changes,
        more_batches=found.more_batches,
    )


def _plots(found: Figures, texts: Texts) -> list[Plot]:
    tell, number = texts.gettext, texts.number
    credentials, batches = tell(_("Credentials")), tell(_("Batches"))
    timed = [(_span(span), span.count) for span in found.revocations]
    most = max((span.count for span in found.revocations), default=0)
    over_time = tell(_("Revocations over time"))
    by_reason = [(tell(REASONS[label]), count, number(count)) for label, count in found.reasons]
    by_kind = [(tell(KINDS[kind.value]), count, number(count)) for kind, count in found.changes]
    lags = [(tell(label), bar.value, number(bar.value)) for label, bar in zip(_LAGS, found.lags, strict=True)]
    sizes = [(_sizes(bar, texts), bar.value, number(bar.value)) for bar in found.sizes]
    gas = [(_sizes(bar, texts), bar.value, number(round(bar.value, 1))) for bar in found.gas]
    return [
        Plot(
            "revocations",
            over_time,
            plots.columns(timed, over_time, number(most)),
            (tell(_("When")), credentials),
            [(span, number(count)) for span, count in timed if count],
        ),
        _lying("reasons", tell(_("Revocations by reason")), tell(_("Reason")), credentials, by_reason),
        _lying("changes", tell(_("Credentials named by events")), tell(_("Event")), credentials, by_kind),
        _lying(
            "lag",
            tell(_("From sealing to the block")),
            tell(_("Time")),
            batches,
            lags if any(bar.count for bar in found.lags) else [],
        ),
        _lying(
            "sizes",
            tell(_("Credentials in a batch")),
            credentials,
            batches,
            sizes if any(bar.count for bar in found.sizes) else [],
        ),
        _lying(
            "gas", tell(_("Gas for a credential")), tell(_("Credentials in a batch")), tell(_("Gas")), gas
        ),
    ]


def _lying(name: str, title: str, label: str, value: str, bars: Sequence[tuple[str, float, str]]) -> Plot:
    lines = [(text, written) for text, _value, written in bars]
    return Plot(name, title, plots.rows(bars, title), (label, value), lines)


def _span(span: Span) -> str:
    """A day, a month or a year (ISO 8601)."""
    since, until = span.since, span.until
    if until - since <= timedelta(days=1):
        return since.isoformat()
    return since.isoformat()[:7] if until - since <= timedelta(days=31) else str(since.year)


def _sizes(bar: Bar, texts: Texts) -> str:
    since, until = bar.since, bar.until
    if until is None:
        return f"≥ {texts.number(since)}"
    return texts.number(since) if until == since + 1 else f"{texts.number(since)} … {texts.number(until - 1)}"
