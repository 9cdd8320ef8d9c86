"""Conditional requests: whether the caller has what it would get."""

from __future__ import annotations

from starlette.requests import Request


def is_known(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names this tag (RFC 9110, section 13.1.2). ``etag`` has its quotes."""
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return etag in known or "*" in known
