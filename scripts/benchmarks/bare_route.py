"""The peer of /verify: FastAPI routes as people write them, which answer with what they are given.

    python -m scripts.benchmarks.bare_route ANSWER.json

`/dict` is `async def` returning a dict, the peer of the ratios; `/sync` is `def` returning a dict; `/raw` is
`async def` returning a Response. The server has the settings of `rootmark serve`.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel


class Question(BaseModel):
    """The body of a POST."""

    digest: str


def create(answer: dict[str, Any]) -> FastAPI:
    """The application; every route gives ``answer``."""
    web = FastAPI()

    @web.get("/health/live")
    async def live() -> None:
        return None

    @web.get("/dict/{digest}")
    async def get_dict(digest: str):  # type: ignore[no-untyped-def]
        return {**answer, "digest": digest}

    @web.post("/dict")
    async def post_dict(question: Question):  # type: ignore[no-untyped-def]
        return {**answer, "digest": question.digest}

    @web.get("/sync/{digest}")
    def get_sync(digest: str):  # type: ignore[no-untyped-def]
        return {**answer, "digest": digest}

    @web.post("/sync")
    def post_sync(question: Question):  # type: ignore[no-untyped-def]
        return {**answer, "digest": question.digest}

    @web.get("/raw/{digest}")
    async def get_raw(digest: str) -> Response:
        return Response(orjson.dumps({**answer, "digest": digest}), media_type="application/json")

    @web.post("/raw")
    async def post_raw(question: Question) -> Response:
        return Response(orjson.dumps({**answer, "digest": question.digest}), media_type="application/json")

    return web


def main(path: str) -> None:
    """Serve on a free port of the loopback interface, and print it."""
    answer = json.loads(Path(path).read_text(encoding="utf-8"))
    bound = socket.create_server(("127.0.0.1", 0))
    print(f"bare routes on {bound.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        create(answer), log_config=None, access_log=False, server_header=False, proxy_headers=False
    )
    uvicorn.Server(config).run(sockets=[bound])


if __name__ == "__main__":
    main(sys.argv[1])
