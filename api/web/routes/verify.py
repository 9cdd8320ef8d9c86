"""The first page: show a credential, read one sentence. Nothing that is shown is kept."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from api.context import Query, app_of, blocking, examining
from api.problems import problem_of, request_id_of
from api.web import csrf
from api.web.credentials import described
from api.web.forms import read_files
from api.web.pages import Policy, is_fragment, render, texts_for, web_router
from api.web.shown import MAX_FILES, PageLink, Question, question_of
from api.web.texts import PARAMETER, Texts
from api.web.transport import own_hosts
from api.web.verdicts import texts_for_scripts
from registry.bootstrap import App
from registry.credentials.verification import DocumentRequest
from registry.encoding import format_time, to_hex
from registry.errors import RootmarkError
from registry.services.verification import VerifyRequest
from registry.verdict.report import Report

router = web_router()

POLICY = Policy(connect_anywhere=True, camera=True, indexed=True)
_DAY_AND_MINUTE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?")
MAX_TEXT_BYTES = 1024 * 1024


@router.get("/")
async def first_page(request: Request) -> Response:
    """The form; with `digest` in the query, the answer about it too: its permanent address."""
    query = Query(request, "digest", "issuer", "as_of", PARAMETER)
    digest = query.digest("digest")
    asked: dict[str, Any] = {"issuer": query.text("issuer") or "", "as_of": query.text("as_of") or ""}
    asked |= _beside(request)
    if digest is None:
        return render(request, "verify.html", policy=POLICY, text="", **asked)
    wanted = VerifyRequest(digest, None, None, query.address(), query.as_of(), False)
    answer = await _answer(request, Question(wanted))
    return render(request, "verify.html", policy=POLICY, text=to_hex(digest), **asked, **answer)


@router.get("/verify")
async def form_alone(_request: Request) -> Response:
    """Where a reader lands who reloads an answer without scripts."""
    return RedirectResponse("/", status_code=303)


@router.post("/verify")
async def answer(request: Request) -> Response:
    """The answer about what a form showed: the whole page, or for a script the part with the answer."""
    csrf.refuse_other_sites(request)
    template = "parts/report.html" if is_fragment(request) else "verify.html"
    asked: dict[str, Any] = {"text": "", "issuer": "", "as_of": ""} | _beside(request)
    try:
        fields, files = await read_files(request, max_files=MAX_FILES, max_field_bytes=MAX_TEXT_BYTES)
        asked["text"] = fields.text("text", MAX_TEXT_BYTES)
        asked["issuer"] = fields.text("issuer", 2000)
        asked["as_of"] = fields.text("as_of", 64)
        question = await examining(
            request,
            question_of,
            files,
            asked["text"],
            issuer=asked["issuer"],
            as_of=_moment(asked["as_of"], app_of(request).clock.now()),
            own_hosts=own_hosts(request),
        )
        if isinstance(question, PageLink):
            return _go_to(request, question.path)
        found = await _answer(request, question)
    except RootmarkError as error:
        problem, headers = problem_of(error, request_id_of(request))
        template = "parts/problem.html" if is_fragment(request) else "verify.html"
        return render(
            request,
            template,
            status=problem["status"],
            policy=POLICY,
            headers=headers,
            problem=problem,
            **asked,
        )
    return render(request, template, policy=POLICY, **asked, **found)


def _beside(request: Request) -> dict[str, Any]:
    """What the page has for those who check for themselves: a node to ask, where this server is one, and the
    words for what their browser finds."""
    embedded = app_of(request).jsonrpc is not None
    own = f"{request.url.scheme}://{request.headers.get('host', '')}/rpc"
    return {"rpc": own if embedded else "", "verdict_texts": texts_for_scripts(texts_for(request))}


async def _answer(request: Request, question: Question) -> dict[str, Any]:
    """What the template of a report is given."""
    run = examining if isinstance(question.request, DocumentRequest) else _quickly
    found: dict[str, Any] = await run(request, _verified, app_of(request), question, texts_for(request))
    return found


async def _quickly(_request: Request, function: Any, *arguments: Any) -> Any:
    return await blocking(function, *arguments)


def _verified(app: App, question: Question, texts: Texts) -> dict[str, Any]:
    request = question.request
    if isinstance(request, VerifyRequest):
        report = app.verification.verify(request)
    else:
        report = app.documents.verify(request)
    app.metrics.count_verdict(report.outcome)
    return described(
        app,
        texts,
        report,
        issued=question.issued,
        as_of=request.as_of,
        permanent=_permanent(request, report),
    )


def _permanent(request: VerifyRequest | DocumentRequest, report: Report) -> str:
    asked = {"digest": to_hex(report.digest)}
    if isinstance(request.issuer, bytes):
        asked["issuer"] = to_hex(request.issuer)
    if request.as_of is not None:
        asked["as_of"] = str(request.as_of) if isinstance(request.as_of, int) else format_time(request.as_of)
    return f"/?{urlencode(asked)}"


def _moment(text: str, now: datetime) -> str:
    """A minute or a day, as a reader may write it, as the time that it means in UTC: a day is over when it
    ends, today's is not over yet."""
    found = _DAY_AND_MINUTE.fullmatch(text)
    if found is None:
        return text
    if found[1]:
        return f"{text}:00Z"
    return format_time(now) if text == now.date().isoformat() else f"{text}T23:59:59Z"


def _go_to(request: Request, path: str) -> Response:
    if is_fragment(request):
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, status_code=303)
