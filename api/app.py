"""The HTTP application: routes, problems, middleware. Knows nothing of how its parts are wired."""

from __future__ import annotations

from functools import partial

from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from api import docs, problems
from api.limits import Admission, RateLimiter
from api.middleware import Surround
from api.routes import (
    achievement_images,
    achievements,
    audit,
    award_exports,
    award_pages,
    awards,
    batches,
    certificates,
    credentials,
    identity,
    issuers,
    records,
    status,
    status_lists,
    system,
    vc,
    verify,
    webhooks,
)
from api.web import refusals, site
from registry.bootstrap import App
from registry.errors import RootmarkError

DESCRIPTION = """Issue, anchor, verify, revoke and audit micro-credentials.

Digests of credentials go into Merkle trees whose roots are anchored on an EVM chain. Verification is public;
issuing and status changes need an API key. Errors are problems (RFC 9457): see /problems."""

EXAMINED_AT_ONCE = 6
"""Requests whose documents are looked at; further ones wait, and take no thread. A document that keeps a
canonicaliser busy until it is killed costs some seconds of one of its two workers, so that nobody in here
waits longer for a worker than the pool allows."""


def create_app(app: App) -> FastAPI:
    """Make the ASGI application over a wired `App`."""
    web = FastAPI(
        title="Rootmark",
        version=app.version,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    web.state.rootmark = app
    web.state.examining = CapacityLimiter(EXAMINED_AT_ONCE)
    # Routes are tried in this order, so what is asked most often comes first; an included router would be
    # searched twice for each request.
    modules = (
        verify,
        credentials,
        batches,
        awards,
        award_exports,
        award_pages,
        certificates,
        records,
        achievements,
        achievement_images,
        identity,
        issuers,
        status,
        status_lists,
        vc,
        webhooks,
        audit,
        system,
    )
    for module in modules:
        web.router.routes.extend(module.router.routes)
    site.add_to(web)
    if app.jsonrpc is not None:
        web.add_api_route("/rpc", system.rpc, methods=["POST"], include_in_schema=False)
    text = docs.complete(web.openapi())
    web.openapi = lambda: text  # type: ignore[method-assign]
    web.add_exception_handler(RootmarkError, problems.handle_rootmark_error)
    web.add_exception_handler(HTTPException, refusals.handle_http_exception)
    limiter = RateLimiter(app.settings.rate_limit_per_minute, app.settings.rate_limit_per_minute_key)
    admission = Admission(limiter, app.access.authenticate)
    web.add_middleware(Surround, admission=admission, page=partial(refusals.page_for, web))
    return web
