"""What every page of the console needs: who looks at it, its frame, its forms.

Invariants: no page but the login is made without a session in force, which is looked up for each request; no
form is taken without the session's token; a form that makes something makes it once.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.context import app_of, blocking
from api.idempotency import CLAIM_SECONDS, Replay, Work, once_for
from api.problems import problem_of, request_id_of
from api.uploads import Upload
from api.web import csrf
from api.web.forms import Fields, read_fields, read_files
from api.web.pages import is_fragment, render
from api.web.transport import is_encrypted
from registry.errors import (
    IdempotencyInFlightError,
    RootmarkError,
    StoreUnavailableError,
    UnauthorizedError,
    ValidationError,
)
from registry.model.issuers import Caller, Issuer
from registry.services.idempotency import IdempotencyRef
from registry.services.sessions import LONGEST, Resumed

log = logging.getLogger(__name__)

HOME = "/console"
LOGIN = "/console/login"
ONCE = "once"
_COOKIE = "rootmark-session"
_WAIT_SECONDS = 60.0
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at the console: a session in force. ``token`` is the session's secret."""

    token: str = field(repr=False)
    resumed: Resumed = field(repr=False)

    @property
    def caller(self) -> Caller:
        """The API key, with what it may do."""
        return self.resumed.caller

    @property
    def issuer(self) -> Issuer:
        """Whose key it is."""
        return self.resumed.issuer


# --- sessions in cookies ------------------------------------------------------------------------------------


def cookie_name(request: Request) -> str:
    """With TLS, one that no other host and no unencrypted page can set (RFC 6265bis, section 4.1.3.2)."""
    return f"__Host-{_COOKIE}" if is_encrypted(request) else _COOKIE


def set_session(request: Request, response: Response, token: str) -> None:
    """Give a session's token to the browser."""
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=is_encrypted(request),
    )


def end_session(request: Request, response: Response) -> None:
    """Take it away again."""
    response.delete_cookie(
        cookie_name(request), path="/", httponly=True, samesite="strict", secure=is_encrypted(request)
    )


def token_in(request: Request) -> str | None:
    """The token that the browser brings along."""
    return request.cookies.get(cookie_name(request)) or None


async def visitor_of(request: Request) -> Visitor:
    """Who looks. Raises `UnauthorizedError` when nobody is logged in."""
    token = token_in(request)
    if token is None:
        raise UnauthorizedError("log in first")
    return Visitor(token, await blocking(app_of(request).console.sessions.resume, token))


def to_login(request: Request) -> Response:
    """To the login, and back afterwards to a page that can be asked for again."""
    asked: dict[str, str] = {}
    if token_in(request) is not None:
        asked["ended"] = "1"
    if request.method == "GET" and not is_fragment(request):
        query = request.scope["query_string"].decode("latin-1")
        asked["next"] = request.scope["path"] + (f"?{query}" if query else "")
    target = f"{LOGIN}?{urlencode(asked)}" if asked else LOGIN
    if is_fragment(request):
        return Response(status_code=204, headers={"HX-Redirect": target, "Cache-Control": "no-store"})
    response = RedirectResponse(target, status_code=303, headers={"Cache-Control": "no-store"})
    end_session(request, response)
    return response


# --- routes -------------------------------------------------------------------------------------------------


class ConsoleRoute(APIRoute):
    """A route whose endpoint takes the request, the visitor and the texts in its path; its errors become
    pages of the console."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            try:
                visitor = await visitor_of(request)
            except UnauthorizedError:
                return to_login(request)
            try:
                response: Response = await endpoint(request, visitor, **request.path_params)
            except RootmarkError as error:
                response = error_page(request, visitor, error)
            if visitor.resumed.stale and response.background is None:
                response.background = BackgroundTask(_note_use, request, visitor)
            return response

        return handle


def _note_use(request: Request, visitor: Visitor) -> None:
    """After the answer: a page waits for no writer. What cannot be noted now is noted with a later one."""
    try:
        app_of(request).console.sessions.note_use(visitor.resumed.session)
    except StoreUnavailableError:
        log.info("the use of a session could not be noted")


def console_router() -> APIRouter:
    """A router for pages of the console."""
    return APIRouter(route_class=ConsoleRoute, include_in_schema=False)


# --- pages --------------------------------------------------------------------------------------------------


def page(request: Request, visitor: Visitor, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page of the console.

    Args:
        template: below `templates/console/`. It is given ``values``, `visitor`, `csrf`, `once` (a new key for
            a form that makes something) and `may`, the names of what the key may do.
    """
    return render(
        request,
        f"console/{template}",
        status=status,
        visitor=visitor,
        csrf=csrf.token_of(visitor.token),
        once=secrets.token_urlsafe(16),
        may=frozenset(scope.value for scope in visitor.caller.scopes),
        **values,
    )


def error_page(request: Request, visitor: Visitor, error: RootmarkError) -> Response:
    """What went wrong, in the console's frame, or as the part of a page."""
    problem, headers = problem_of(error, request_id_of(request))
    if problem["status"] >= 500:
        log.error(
            "request failed",
            extra={"request_id": problem["request_id"], "error": type(error).__name__, "cause": str(error)},
        )
    if is_fragment(request):
        return render(
            request, "parts/problem.html", status=problem["status"], headers=headers, problem=problem
        )
    return page(request, visitor, "error.html", status=problem["status"], problem=problem)


def problem_values(request: Request, error: RootmarkError) -> dict[str, Any]:
    """What a form is given that is shown again with what is wrong in it."""
    problem, _ = problem_of(error, request_id_of(request))
    if any(one.get("pointer") and one["detail"] == problem["detail"] for one in problem["errors"]):
        problem["detail"] = ""  # it is said at its place
    return {"problem": problem, "status": problem["status"]}


def go(path: str) -> Response:
    """To another page, by GET."""
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})


def untouched(request: Request, version: str) -> Response | None:
    """Nothing to change on a page that shows ``version`` already; it asks again."""
    if is_fragment(request) and request.query_params.get("seen") == version:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    return None


# --- forms --------------------------------------------------------------------------------------------------


async def form_of(request: Request, visitor: Visitor) -> Fields:
    """The fields of a form of this session's.

    Raises:
        ForbiddenError: another site's form, or another session's.
    """
    csrf.refuse_other_sites(request)
    fields = await read_fields(request)
    csrf.require_token(request, visitor.token, fields.text(csrf.FIELD))
    return fields


async def upload_of(request: Request, visitor: Visitor) -> tuple[Fields, Upload | None]:
    """The fields and the one file of a form of this session's. Raises as `form_of`."""
    csrf.refuse_other_sites(request)
    fields, files = await read_files(request, max_files=1)
    csrf.require_token(request, visitor.token, fields.text(csrf.FIELD))
    return fields, files[0] if files else None


async def once(
    request: Request,
    visitor: Visitor,
    key: str,
    work: Work,
    replay: Replay,
    *,
    said: str = "",
    keep_answer: bool = True,
    claim_seconds: float = CLAIM_SECONDS,
) -> Response:
    """Run ``work`` once for a form's key; who sends it again gets the first answer, and waits for it.

    Args:
        key: the form's `once`, or a draft's id.
        said: what the form says beside it; the same key with other words is refused.

    Raises:
        ValidationError: the form has no key.
        IdempotencyInFlightError: the first one takes longer than a minute.
    """
    if not key:
        raise ValidationError("the form is not whole; reload the page and try again")
    ref = IdempotencyRef(visitor.caller.key_id or "", f"console:{key}")
    fingerprint = sha256(f"{request.method} {request.url.path}\n{said}".encode()).digest()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _WAIT_SECONDS
    while True:
        try:
            return await once_for(
                app_of(request),
                ref,
                fingerprint,
                work,
                replay,
                keep_answer=keep_answer,
                claim_seconds=claim_seconds,
            )
        except IdempotencyInFlightError:
            if loop.time() > deadline:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
