"""Answers to requests whose work goes on after them: 202 with a place to look, or 200 once it is finished
within the time that the caller prefers to wait (RFC 7240).

`Location` names the object in the first answer and in every repetition of it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from api.context import app_of, blocking, json_response
from api.views import batch_json, request_json, to_sign_json
from registry.model.batches import Batch, BatchState
from registry.model.issuers import Caller
from registry.model.operations import RequestState, StatusRequest
from registry.services.admin_calls import ToSign

T = TypeVar("T")

MAX_WAIT_SECONDS = 60
_PAUSE_SECONDS = 0.1
_WAIT = re.compile(r"(?:^|[,;\s])wait=([0-9]{1,4})(?:$|[,;\s])")
_SETTLED_BATCH = frozenset({BatchState.FINAL, BatchState.FAILED})
_SETTLED_REQUEST = frozenset({RequestState.FINAL, RequestState.FAILED, RequestState.AWAITING_APPROVAL})


def wait_seconds(request: Request) -> int:
    """Seconds of `Prefer: wait=N`, at most 60; 0 when absent."""
    match = _WAIT.search(request.headers.get("prefer", ""))
    return min(int(match[1]), MAX_WAIT_SECONDS) if match else 0


async def _settled(
    request: Request, value: T, is_settled: Callable[[T], bool], again: Callable[[], Awaitable[T]]
) -> tuple[T, bool]:
    """The value as it is after waiting, and whether that was asked for and came to an end."""
    seconds = wait_seconds(request)
    deadline = asyncio.get_running_loop().time() + seconds
    while not is_settled(value) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(_PAUSE_SECONDS)
        value = await again()
    return value, seconds > 0 and is_settled(value)


async def settled_batch(request: Request, batch: Batch) -> tuple[Batch, bool]:
    """The batch as it is after waiting, and whether it was waited for and came to an end."""
    app = app_of(request)

    async def again() -> Batch:
        return await blocking(app.issuing.batch, None, batch.id)

    return await _settled(request, batch, lambda one: one.state in _SETTLED_BATCH, again)


async def batch_answer(request: Request, batch: Batch) -> Response:
    """A batch on its way, or finished."""
    now, done = await settled_batch(request, batch)
    view = await blocking(lambda: app_of(request).audit.batch_views([now], batch_json)[0])
    return json_response(view, 200 if done else 202, {"Location": f"/v1/batches/{now.id}"})


async def request_answer(request: Request, caller: Caller, made: StatusRequest | ToSign) -> Response:
    """A status request on its way, or finished; or what the issuer's admin signs first, with status 200."""
    if isinstance(made, ToSign):
        return json_response(to_sign_json(made), 200)
    app = app_of(request)
    request_id = made.id

    async def again() -> StatusRequest:
        return await blocking(app.status.request, caller, request_id)

    now, done = await _settled(request, made, lambda one: one.state in _SETTLED_REQUEST, again)
    return json_response(request_json(now), 200 if done else 202, {"Location": f"/v1/requests/{now.id}"})


async def request_replayed(request: Request, caller: Caller, request_id: str) -> Response:
    """The same for a request that an earlier one with the same key has made."""
    found = await blocking(app_of(request).status.request, caller, request_id)
    return await request_answer(request, caller, found)
