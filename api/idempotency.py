"""Idempotency-Key: the first request does the work, later ones with the same body get the same answer.

The resource that a request made is bound to its key in the same database transaction as the effect, so after
a crash between effect and answer the repetition finds the resource instead of making another.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from api.context import app_of, blocking
from registry.bootstrap import App
from registry.errors import Fault, RootmarkError, ValidationError
from registry.model.issuers import Caller
from registry.ports.store import StoredAnswer
from registry.services.idempotency import IdempotencyRef

HEADER = "idempotency-key"
CLAIM_SECONDS = 30.0
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("location", "content-type")

Work = Callable[[IdempotencyRef | None], Awaitable[Response]]
Replay = Callable[[str], Awaitable[Response]]


async def once(
    request: Request,
    caller: Caller,
    body_sha256: bytes,
    work: Work,
    replay: Replay,
    *,
    keep_answer: bool = True,
) -> Response:
    """Run ``work`` at most once for a key.

    Args:
        work: does it; its argument goes to the service, which binds the resource.
        replay: answers for a bound resource, given its id, when the first answer was lost or not kept.
        keep_answer: False where the answer holds a secret, which is shown once and stored nowhere.

    Raises:
        IdempotencyInFlightError, IdempotencyMismatchError, ValidationError: the key is in use, was used for
        another
            body, or is not 1 to 255 visible ASCII characters.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return await work(None)
    if not _KEY.fullmatch(key):
        fault = Fault("idempotency-key", "1 to 255 visible ASCII characters are expected", "/Idempotency-Key")
        raise ValidationError("the Idempotency-Key has the wrong form", faults=[fault])
    ref = IdempotencyRef(caller.key_id or "admin", key)
    target = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    fingerprint = sha256(target + body_sha256).digest()
    return await once_for(app_of(request), ref, fingerprint, work, replay, keep_answer=keep_answer)


async def once_for(
    app: App,
    ref: IdempotencyRef,
    fingerprint: bytes,
    work: Work,
    replay: Replay,
    *,
    keep_answer: bool = True,
    claim_seconds: float = CLAIM_SECONDS,
) -> Response:
    """`once` for a key that came otherwise than in the header. ``fingerprint`` is of all that the request
    asks for; ``claim_seconds`` is how long nobody else may try while the first one works."""
    stored = await blocking(_begin, app, ref, fingerprint, claim_seconds)
    if stored is not None:
        return await _replayed(stored, replay)
    try:
        response = await work(ref)
    except RootmarkError:
        await blocking(_abandon, app, ref)
        raise
    if keep_answer:
        await blocking(_finish, app, ref, response)
    return response


async def _replayed(stored: StoredAnswer, replay: Replay) -> Response:
    if stored.status is not None:
        return Response(stored.body or b"", status_code=stored.status, headers=dict(stored.headers))
    assert stored.resource is not None
    return await replay(stored.resource.partition(":")[2])


def _begin(app: App, ref: IdempotencyRef, fingerprint: bytes, claim_seconds: float) -> StoredAnswer | None:
    with app.store.write() as unit:
        return unit.idempotency.begin(
            ref.owner, ref.key, fingerprint, app.clock.now(), ttl_seconds=claim_seconds
        )


def _abandon(app: App, ref: IdempotencyRef) -> None:
    with app.store.write() as unit:
        unit.idempotency.abandon(ref.owner, ref.key)


def _finish(app: App, ref: IdempotencyRef, response: Response) -> None:
    headers = {name: value for name, value in response.headers.items() if name in _KEPT_HEADERS}
    with app.store.write() as unit:
        unit.idempotency.finish(ref.owner, ref.key, response.status_code, headers, bytes(response.body))
