"""Search, and one award: what its learner gets, its history, its files."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from api.award_views import AWARD_COLUMNS, award_row, credential_json
from api.context import Query, absolute, app_of, blocking, no_query
from api.exports import csv_text
from api.routes.award_exports import file_response
from api.routes.award_pages import CLAIM_PATH, page_url
from api.web.forms import fault
from api.web.pages import texts_for
from api.web.routes.console.common import Visitor, console_router, form_of, page, problem_values
from api.web.routes.console.filters import FILTERS, Chosen, chosen_of
from api.web.routes.console.words import AWARD_STATES, award_line, award_lines, name_of
from api.web.texts import PARAMETER, Texts
from api.web.verdicts import Happening, happenings_of
from registry.bootstrap import App
from registry.credentials.award_search import AwardState, Found
from registry.credentials.exporting import ExportFormat
from registry.errors import NotFoundError, RootmarkError
from registry.verdict.views import Target

router = console_router()

SHOWN = 50
EXPORTED = 10_000
FORMATS = tuple(one.value for one in ExportFormat)
_ACHIEVEMENTS = 200
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,10})")
_STATES = tuple(state.value for state in AwardState)
_QUERY = ("q", "state", "cursor", *FILTERS)
_MOST_NAMED = 500


class _Asked:
    """A search as it was typed."""

    def __init__(self, request: Request) -> None:
        query = Query(request, *_QUERY, PARAMETER)
        self.text = (query.text("q") or "").strip()
        state = query.choice("state", ("", *_STATES))
        self.state = AwardState(state) if state else None
        self.before = _place(query.text("cursor"))
        self.chosen = Chosen(**{name: (query.text(name) or "").strip() for name in FILTERS})

    def find(self, app: App, visitor: Visitor, limit: int) -> Found:
        """What it finds; what is named stands alone, whatever else was chosen."""
        search = app.console.search
        if self.text:
            named = search.named(visitor.caller, self.text)
            return Found(named[:_MOST_NAMED], None, len(named))
        wanted = chosen_of({name: getattr(self.chosen, name) for name in FILTERS}).filter()
        return search.matching(
            visitor.caller,
            wanted,
            self.state,
            batch_id=self.chosen.batch or None,
            before=self.before,
            limit=limit,
        )

    def query(self, **more: str) -> str:
        """The search as the query of an address, with more in it."""
        given = {"q": self.text, "state": self.state.value if self.state else ""}
        given |= {name: getattr(self.chosen, name) for name in FILTERS} | more
        return urlencode({name: value for name, value in given.items() if value})


def _place(text: str | None) -> tuple[int, int] | None:
    if not text:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise fault("cursor", "cursor", "this is no place in this list")
    return int(found[1]), int(found[2])


@router.get("/console/awards")
async def search(request: Request, visitor: Visitor) -> Response:
    """Awards by what was typed and chosen; without either, all of them, newest first."""
    asked = _Asked(request)
    app = app_of(request)
    shown: dict[str, Any] = {}

    def achievements() -> list[tuple[str, str]]:
        found = app.achievements.page(visitor.issuer.address, None, _ACHIEVEMENTS)
        return [(one.id, name_of(one)) for one in found]

    def find() -> dict[str, Any]:
        found = asked.find(app, visitor, SHOWN)
        names = app.console.overview.names({view.award.achievement_id for view in found.views})
        place = found.following
        return {
            "awards": award_lines(found.views, names),
            "looked_at": found.looked_at,
            "following": None if place is None else asked.query(cursor=f"{place[0]}-{place[1]}"),
        }

    try:
        shown |= await blocking(find)
    except RootmarkError as error:
        shown |= {"awards": [], "looked_at": 0, "following": None, **problem_values(request, error)}
    return page(
        request,
        visitor,
        "awards.html",
        asked=asked,
        achievements=await blocking(achievements),
        states=[(state.value, AWARD_STATES[state].text) for state in AwardState],
        **shown,
    )


@router.get("/console/awards/export.csv")
async def export(request: Request, visitor: Visitor) -> Response:
    """What a search finds, as the API exports awards; at most 10,000 lines."""
    asked = _Asked(request)
    found = await blocking(asked.find, app_of(request), visitor, EXPORTED)
    rows = [award_row(view) for view in found.views]
    headers = {"Content-Disposition": 'attachment; filename="awards.csv"', "X-Row-Count": str(len(rows))}
    return Response(csv_text(AWARD_COLUMNS, rows), media_type="text/csv", headers=headers)


@router.get("/console/awards/{award_id}")
async def show_award(request: Request, visitor: Visitor, award_id: str) -> Response:
    """One award."""
    Query(request, PARAMETER)
    shown = await blocking(read_award, app_of(request), visitor, award_id, texts_for(request))
    return page(request, visitor, "award.html", formats=FORMATS, **shown)


def read_award(app: App, visitor: Visitor, award_id: str, texts: Texts) -> dict[str, Any]:
    """An award with its achievement, its credential and its history."""
    view, document = app.awards.get(visitor.caller, award_id)
    award, entry = view.award, view.entry
    names = app.console.overview.names({award.achievement_id})
    story: tuple[Happening, ...] = ()
    if entry is not None and entry.root is not None:
        facts = app.audit.story(Target(award.issuer, entry.root, entry.index))
        story = happenings_of(facts, texts)
    return {
        "award": award_line(view, names),
        "credential": credential_json(document),
        "story": story,
        "public": _public_page(app, visitor, award_id),
    }


def _public_page(app: App, visitor: Visitor, award_id: str) -> dict[str, Any] | None:
    """The credential's page for others, where its recipient was given a link to it."""
    try:
        found = app.pages.of_award(visitor.caller, award_id)
    except NotFoundError:
        return None
    return {"address": page_url(app, found.id), "claimed": found.holder is not None}


@router.post("/console/awards/{award_id}/claim")
async def make_claim(request: Request, visitor: Visitor, award_id: str) -> Response:
    """A link by which the recipient claims the credential's page; shown in this answer alone."""
    no_query(request)
    await form_of(request, visitor)
    app = app_of(request)
    claim = await blocking(app.pages.make_claim, visitor.caller, award_id)
    shown = await blocking(read_award, app, visitor, award_id, texts_for(request))
    link = absolute(app, CLAIM_PATH + claim.token)
    return page(
        request, visitor, "award.html", formats=FORMATS, claim=link, expires_at=claim.expires_at, **shown
    )


@router.get("/console/awards/{award_id}/files/{kind}")
async def download(request: Request, visitor: Visitor, award_id: str, kind: str) -> Response:
    """The award's credential as a file."""
    no_query(request)
    if kind not in FORMATS:
        raise NotFoundError("there is no such format")
    file = await blocking(app_of(request).exports.export, visitor.caller, award_id, ExportFormat(kind))
    return file_response(file)
