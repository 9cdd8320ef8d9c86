"""How browsers reach this server: by which names, and whether encrypted, which decides about cookies."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from api.context import app_of


def is_encrypted(request: Request) -> bool:
    """Whether the browser speaks TLS with us, or with a proxy before us that has our public address."""
    if request.url.scheme == "https":
        return True
    public = urlsplit(app_of(request).settings.effective_public_url)
    return public.scheme == "https" and public.netloc.lower() == request.headers.get("host", "").lower()


def own_hosts(request: Request) -> frozenset[str]:
    """Hosts and ports that are this server's: the operator's word, and how it was called. In lower case."""
    public = urlsplit(app_of(request).settings.effective_public_url).netloc
    return frozenset({public.lower(), request.headers.get("host", "").lower()} - {""})
