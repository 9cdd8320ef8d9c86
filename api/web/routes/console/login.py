"""Logging in with an API key, and out."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from api.context import Query, app_of, blocking
from api.problems import problem_of, request_id_of
from api.web import csrf
from api.web.forms import read_fields
from api.web.pages import render, web_router
from api.web.routes.console.common import (
    HOME,
    LOGIN,
    Visitor,
    console_router,
    end_session,
    form_of,
    go,
    set_session,
    token_in,
)
from api.web.texts import PARAMETER
from registry.errors import ForbiddenError, UnauthorizedError

# Two routers: the login has no visitor yet.
outside = web_router()
inside = console_router()

_INSIDE = re.compile(r"/console(?:/[A-Za-z0-9:._~-]+)*(?:\?[A-Za-z0-9:._~=&%+@-]*)?")
_KEY_CHARACTERS = 200


def _next(text: str | None) -> str:
    """A page of the console to go to; anything else is the first one."""
    return text if text is not None and _INSIDE.fullmatch(text) and not text.startswith(LOGIN) else HOME


@outside.get(LOGIN)
async def login_form(request: Request) -> Response:
    """Ask for the key."""
    query = Query(request, "next", "ended", PARAMETER)
    ended = query.text("ended") is not None
    return render(request, "console/login.html", following=_next(query.text("next", 2000)), ended=ended)


@outside.post(LOGIN)
async def login(request: Request) -> Response:
    """Begin a session. Whatever session the browser had ends."""
    csrf.refuse_other_sites(request)
    fields = await read_fields(request)
    following = _next(fields.text("next", 2000))
    sessions = app_of(request).console.sessions
    try:
        token = await blocking(sessions.login, fields.text("key", _KEY_CHARACTERS))
    except (UnauthorizedError, ForbiddenError) as error:
        problem, _ = problem_of(error, request_id_of(request))
        return render(
            request,
            "console/login.html",
            status=problem["status"],
            following=following,
            ended=False,
            problem=problem,
        )
    before = token_in(request)
    if before is not None:
        await blocking(sessions.logout, before)
    response = go(following)
    set_session(request, response, token)
    return response


@inside.post("/console/logout")
async def logout(request: Request, visitor: Visitor) -> Response:
    """End the session."""
    await form_of(request, visitor)
    await blocking(app_of(request).console.sessions.logout, visitor.token)
    response = go(LOGIN)
    end_session(request, response)
    return response


router = web_router()
router.routes.extend([*outside.routes, *inside.routes])
