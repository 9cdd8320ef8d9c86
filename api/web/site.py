"""All pages, put into the application."""

from __future__ import annotations

from fastapi import FastAPI

from api.web.pages import web_router
from api.web.routes import audit, console, credential_pages, holder, oembed, shares, verify
from api.web.static_files import PREFIX, static_file

MODULES = (verify, credential_pages, oembed, holder, shares, audit, console)


def add_to(web: FastAPI) -> None:
    """Add the pages and their files, after the API's routes."""
    for module in MODULES:
        web.router.routes.extend(module.router.routes)
    files = web_router()
    files.add_api_route(PREFIX + "/{version}/{path:path}", static_file, methods=["GET"])
    web.router.routes.extend(files.routes)
