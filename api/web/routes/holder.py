"""A holder's own pages: the collection, shares, the record, and deleting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.context import Query, absolute, app_of, blocking, examining
from api.web import csrf, holders
from api.web.credentials import file_of
from api.web.forms import Fields, fault, read_fields
from api.web.pages import render, texts_for, web_router
from api.web.routes.credential_pages import return_url
from api.web.texts import PARAMETER, Texts
from api.web.verdicts import Verdict, verdict_of
from registry.bootstrap import App
from registry.credentials.holding.collection import Collection
from registry.credentials.holding.held import Held
from registry.credentials.holding.sharing import DAYS, MAX_TITLE
from registry.encoding import format_time
from registry.model.shares import SHARE_PATH, Share

router = web_router()


@router.get("/me")
async def collection(request: Request) -> Response:
    """The collection; for whoever is not signed in, how to become so."""
    query = Query(request, "after", PARAMETER)
    session = holders.session_of(request)
    found = await blocking(app_of(request).collection.of, session, query.text("after"))
    if session is None or found is None:
        return render(request, "holder/signed_out.html")
    return _collection_page(request, session, found)


def _collection_page(request: Request, session: str, found: Collection) -> Response:
    held = [held_line(one, texts_for(request)) for one in found.held]
    return render(
        request,
        "holder/collection.html",
        held=held,
        counts=counts_of(one["verdict"] for one in held),
        test_chain=any(one["verdict"].test_chain for one in held),
        total=found.total,
        following=found.following,
        shares=[_share_line(app_of(request), share) for share in found.shares],
        choices=DAYS,
        max_title=MAX_TITLE,
        **_secret(session),
    )


def held_line(one: Held, texts: Texts) -> dict[str, Any]:
    """A credential on a list."""
    verdict = verdict_of(one.report, texts)
    return {
        "id": one.view.page.id,
        "badge": one.badge,
        "verdict": verdict,
        "superseded": one.view.superseded,
        "name": one.view.name,
    }


def counts_of(verdicts: Iterable[Verdict]) -> list[tuple[Verdict, int]]:
    """How many there are of each outcome, the good ones first; each with one verdict of its kind."""
    kinds: dict[str, Verdict] = {}
    numbers: Counter[str] = Counter()
    for verdict in verdicts:
        kinds.setdefault(verdict.outcome, verdict)
        numbers[verdict.outcome] += 1
    order = sorted(kinds, key=lambda outcome: (kinds[outcome].tone != "good", outcome))
    return [(kinds[outcome], numbers[outcome]) for outcome in order]


def _share_line(app: App, share: Share) -> dict[str, Any]:
    return {
        "id": share.id,
        "title": share.title,
        "show_name": share.show_name,
        "count": len(share.pages),
        "expires_at": format_time(share.expires_at),
        "address": absolute(app, SHARE_PATH + share.id),
    }


def _secret(session: str) -> dict[str, Any]:
    return {"csrf_field": csrf.FIELD, "csrf_token": csrf.token_of(session)}


async def _form(request: Request) -> tuple[str, Fields]:
    fields = await read_fields(request)
    return holders.require_form(request, fields), fields


# --- with the chosen ones -----------------------------------------------------------------------------------


@router.post("/me/share")
async def share(request: Request) -> Response:
    """Make a share."""
    session, fields = await _form(request)
    days = fields.text("days", 4)
    if not days.isdecimal():
        raise fault("days", "choice", "choose how long it lasts")
    await blocking(
        app_of(request).shares.create,
        session,
        fields.all("page"),
        title=fields.text("title", MAX_TITLE),
        days=int(days),
        show_name=fields.checked("show_name"),
    )
    return RedirectResponse("/me#shares", status_code=303)


@router.post("/me/shares/{share_id}/end")
async def end_share(request: Request, share_id: str) -> Response:
    """End a share."""
    session, _ = await _form(request)
    await blocking(app_of(request).shares.end, session, share_id)
    return RedirectResponse("/me#shares", status_code=303)


@router.post("/me/record")
async def record(request: Request) -> Response:
    """The chosen ones as one file."""
    session, fields = await _form(request)
    chosen, named = fields.all("page"), fields.checked("name_record")
    make = app_of(request).collection.record
    return file_of(await examining(request, make, session, chosen, show_name=named))


@router.post("/me/delete")
async def confirm_deletion(request: Request) -> Response:
    """What deleting means, and for how many; the button deletes."""
    session, fields = await _form(request)
    app, everything = app_of(request), fields.checked("everything")
    if everything:
        found = await blocking(app.collection.of, session)
        held: Sequence[Held] = () if found is None else found.held
        total = 0 if found is None else found.total
    else:
        held = await blocking(app.collection.chosen, session, fields.all("page"))
        total = len(held)
    texts = texts_for(request)
    return render(
        request,
        "holder/delete.html",
        held=[held_line(one, texts) for one in held],
        total=total,
        everything=everything,
        **_secret(session),
    )


@router.post("/me/deletion")
async def delete(request: Request) -> Response:
    """Delete."""
    session, fields = await _form(request)
    collection, everything = app_of(request).collection, fields.checked("everything")
    if everything:
        count = await blocking(collection.delete_all, session)
    else:
        count = await blocking(collection.delete, session, fields.all("page"))
    response = render(request, "holder/deleted.html", count=count, everything=everything)
    if everything:
        holders.forget(request, response)
    return response


@router.post("/me/return-link")
async def new_return_link(request: Request) -> Response:
    """A new return link, shown once."""
    session, _ = await _form(request)
    app = app_of(request)
    token = await blocking(app.collection.new_return_link, session)
    return render(request, "holder/return_link.html", link=return_url(app, token))
