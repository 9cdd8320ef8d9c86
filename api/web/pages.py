"""From a template to an answer: language, headers, and the page that says what went wrong.

Security headers come from here, one policy for all pages: scripts and styles only from this server, no
frames around it, nothing sent elsewhere. `connect_anywhere` is for the one page that may ask a node which its
visitor chose; `framed` for the one page that is made to stand in others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.context import app_of, query_pairs
from api.problems import problem_of, request_id_of
from api.web.static_files import address_of
from api.web.texts import COOKIE, LANGUAGES, PARAMETER, Texts, language_of, texts_of
from api.web.transport import is_encrypted
from registry.errors import RootmarkError

TEMPLATES = Path(__file__).parent / "templates"
_YEAR_SECONDS = 31_536_000
_WORDS = re.compile(r"[_-]")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a page may do beyond the common; see the module's text."""

    connect_anywhere: bool = False
    camera: bool = False
    framed: bool = False
    indexed: bool = False

    def headers(self) -> dict[str, str]:
        """The headers that say so."""
        # Loopback by name and by number: a node of one's own is asked without TLS.
        connect = "'self' https: http://localhost:* http://127.0.0.1:*" if self.connect_anywhere else "'self'"
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
            f"connect-src {connect}; worker-src 'self'; form-action 'self'; base-uri 'none'; "
            f"frame-ancestors {'*' if self.framed else chr(39) + 'none' + chr(39)}"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Permissions-Policy": f"camera=({'self' if self.camera else ''}), geolocation=(), microphone=()",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "same-origin",  # "no-referrer" would take the Origin from forms too
            "Cache-Control": "no-store",
            "Vary": "Accept-Language, Cookie, HX-Request",
        }
        if not self.framed:
            headers["X-Frame-Options"] = "DENY"  # for browsers that do not know frame-ancestors
        if not self.indexed:
            headers["X-Robots-Tag"] = "noindex"
        return headers


@lru_cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    texts = texts_of(language)
    # `_` takes what stands in a template: its result counts as HTML. A text that came from elsewhere goes
    # through the filter `translated`, and is escaped.
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        texts.gettext, texts.ngettext, newstyle=True
    )
    environment.filters.update(
        date=texts.date,
        time=texts.time,
        number=texts.number,
        amount=texts.amount,
        translated=texts.gettext,
        words=_words,
    )
    environment.globals.update(static=address_of, languages=LANGUAGES, icon=_icon)
    environment.policies["ext.i18n.trimmed"] = True
    return environment


def _words(name: str) -> str:
    """A name of the API as words: `issued_in_error` is "issued in error"."""
    return _WORDS.sub(" ", name)


def _icon(name: str) -> Markup:
    """A drawing of `static/icons.svg`, which stands beside a text that says the same."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
        address_of("icons.svg"), name
    )


def texts_for(request: Request) -> Texts:
    """The texts in the reader's language."""
    return texts_of(language_of(request))


def is_fragment(request: Request) -> bool:
    """Whether a script asks for the part of a page that changed."""
    return request.headers.get("hx-request") == "true"


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    policy: Policy | None = None,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """The page of a template.

    Args:
        template: below `templates/`. It is given ``values``, `language`, `path`, `here` (a function from a
            language to this page's address in it), `version` and `request_id` too.
    """
    language = language_of(request)

    def here(other: str) -> str:
        kept = [(name, value) for name, value in query_pairs(request) if name != PARAMETER]
        return f"{request.scope['path']}?{urlencode([*kept, (PARAMETER, other)])}"

    text = (
        _environment(language)
        .get_template(template)
        .render(
            values,
            language=language,
            path=request.scope["path"],
            here=here,
            version=app_of(request).version,
            request_id=request_id_of(request),
        )
    )
    answer = HTMLResponse(
        text,
        status_code=status,
        headers=(policy or Policy()).headers() | {"Content-Language": language} | (headers or {}),
    )
    if request.query_params.get(PARAMETER) in LANGUAGES:
        answer.set_cookie(
            COOKIE,
            language,
            max_age=_YEAR_SECONDS,
            samesite="lax",
            httponly=True,
            secure=is_encrypted(request),
        )
    return answer


def error_page(request: Request, error: RootmarkError) -> Response:
    """What went wrong, as a page, or as the part of one; with the status that the API would give."""
    return problem_page(request, *problem_of(error, request_id_of(request)))


def problem_page(request: Request, problem: dict[str, Any], headers: dict[str, str]) -> Response:
    """A problem as a page, or as the part of one."""
    template = "parts/problem.html" if is_fragment(request) else "error.html"
    return render(request, template, status=problem["status"], headers=headers, problem=problem)


class WebRoute(APIRoute):
    """A route whose endpoint takes the request and the texts in its path; its errors become pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            try:
                response: Response = await endpoint(request, **request.path_params)
            except RootmarkError as error:
                return error_page(request, error)
            return response

        return handle


def web_router() -> APIRouter:
    """A router for pages, which are not part of the API's description."""
    return APIRouter(route_class=WebRoute, include_in_schema=False)
