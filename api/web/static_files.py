"""Styles, modules and pictures of the pages, from memory, under an address that changes with their content.

The address is `/static/<digest of all files>/<path>`, so that a browser may keep a file for ever, and modules
find one another by relative paths. Files are read and compressed once, when they are first asked for; only
what is in the two directories at that time can be asked for, so no path leads elsewhere.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from registry.errors import NotFoundError

HERE = Path(__file__).parent
PREFIX = "/static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_DIGITS = 12
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    compressed: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class _Files:
    version: str
    by_path: dict[str, _File]


def _verifier() -> Path:
    """Where the verifier that runs in a browser is: in the package, in a checkout beside it."""
    installed = HERE / "verifier"
    return installed if installed.is_dir() else HERE.parents[1] / "verifier-js"


@lru_cache(maxsize=1)
def _files() -> _Files:
    digest = sha256()
    by_path = {}
    for prefix, directory in (("", HERE / "static"), ("verifier/", _verifier())):
        for path in sorted(directory.rglob("*")):
            media_type = TYPES.get(path.suffix)
            if media_type is None or not path.is_file():
                continue
            name, data = prefix + path.relative_to(directory).as_posix(), path.read_bytes()
            digest.update(len(name).to_bytes(4, "big") + name.encode())
            digest.update(len(data).to_bytes(8, "big") + data)
            by_path[name] = _File(data, gzip.compress(data, 9, mtime=0), media_type)
    return _Files(digest.hexdigest()[:_DIGITS], by_path)


def address_of(path: str) -> str:
    """The address of a file.

    Raises:
        NotFoundError: there is none; a template names a file that is missing.
    """
    files = _files()
    if path not in files.by_path:
        raise NotFoundError(f"there is no static file {path}")
    return f"{PREFIX}/{files.version}/{path}"


async def static_file(request: Request, version: str, path: str) -> Response:
    """A file; of another version than the one that was asked for, it is not kept."""
    files = _files()
    file = files.by_path.get(path)
    if file is None:
        raise NotFoundError("there is no such file here")
    current = version == files.version
    headers = {"Cache-Control": _FOR_EVER if current else "no-store", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.compressed, media_type=file.media_type, headers=headers)
    return Response(file.data, media_type=file.media_type, headers=headers)
