"""Refusals and failures that no page's route made, as pages for those who came with a browser.

A browser's navigation accepts HTML by name, and a part of a page is asked for with htmx's header; everybody
else is answered as the API answers.
"""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from api import problems
from api.web.pages import problem_page
from registry.errors import RootmarkError

_NOT_PAGES = ("/v1/", "/vc/", "/health/", "/rpc", "/oembed")


def wants_page(scope: Scope) -> bool:
    """Whether a request comes from a browser that shows what it gets."""
    headers = Headers(scope=scope)
    by_name = "text/html" in headers.get("accept", "") or headers.get("hx-request") == "true"
    return by_name and not scope["path"].startswith(_NOT_PAGES)


def page_for(web: ASGIApp, scope: Scope, problem: dict[str, Any], headers: dict[str, str]) -> Response | None:
    """The page of a problem that came up before the application was reached; None for who wants none."""
    if not wants_page(scope):
        return None
    try:
        return problem_page(Request({**scope, "app": web}), problem, headers)
    except RootmarkError:  # such as a query that cannot be read: then it is said without a page
        return None


async def handle_http_exception(request: Request, error: Exception) -> Response:
    """The framework's own refusals: no such page, wrong method."""
    assert isinstance(error, HTTPException)
    if not wants_page(request.scope):
        return await problems.handle_http_exception(request, error)
    problem, headers = problems.problem_of_http(request, error)
    made = page_for(request.app, request.scope, problem, headers)
    return made or await problems.handle_http_exception(request, error)
