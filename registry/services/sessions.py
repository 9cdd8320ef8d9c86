"""Sessions of the issuers' console: a browser that logged in with an API key.

A session's token is 256 random bits, made here at each login and stored as SHA-256; nothing that a browser
brings along becomes one. A session ends 12 hours after it began, 2 hours after it was last used, when it is
logged out, and at once when its key is revoked or expires: the key is looked at for each request. What a
session may do is what its key may do now. The server's admin token belongs to no issuer and opens none.

Use is noted every few minutes and not within a request, so that reading a page never waits for a writer.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from registry.encoding import to_hex
from registry.errors import ForbiddenError, UnauthorizedError
from registry.model.console import ConsoleSession
from registry.model.issuers import Caller, Issuer
from registry.ports.clock import Clock
from registry.ports.store import Store
from registry.services.access import AccessService, bearer_of, is_in_force, token_sha256

LONGEST = timedelta(hours=12)
LONGEST_UNUSED = timedelta(hours=2)
NOTED_EVERY = timedelta(minutes=5)
SESSIONS_OF_A_KEY = 20
"""An older one ends when another begins."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """A session that is in force, with its key's caller and issuer. ``stale``: its use should be noted."""

    session: ConsoleSession = field(repr=False)
    caller: Caller
    issuer: Issuer
    stale: bool


class SessionService:
    """Sessions of the issuers hosted here."""

    def __init__(self, store: Store, clock: Clock, access: AccessService) -> None:
        self._store = store
        self._clock = clock
        self._access = access

    def login(self, api_key: str) -> str:
        """Begin a session; its token, which is not kept.

        Raises:
            UnauthorizedError: no API key in force.
            ForbiddenError: the server's admin token.
        """
        caller = self._access.authenticate(api_key)
        if caller.issuer is None or caller.key_id is None:
            raise ForbiddenError(
                "the console is for an issuer's API key; the server's admin token belongs to no issuer"
            )
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        session = ConsoleSession(token_sha256(token), caller.key_id, now, now)
        with self._store.write() as unit:
            unit.console.add_session(session, keep=SESSIONS_OF_A_KEY)
            subject = f"{to_hex(caller.issuer)}/{caller.key_id}"
            unit.access.log(now, caller.label, "console.login", subject, "")
        return token

    def resume(self, token: str) -> Resumed:
        """The session of a token. Raises `UnauthorizedError` when there is none, or it is over."""
        refused = UnauthorizedError("the session has ended; log in again")
        now = self._clock.now()
        with self._store.read() as unit:
            session = unit.console.session(token_sha256(token))
            if session is None or _is_over(session, now):
                raise refused
            key = unit.access.key(session.key_id)
            issuer = None if key is None else unit.issuers.get(key.issuer)
        if key is None or issuer is None or not is_in_force(key, now):
            raise refused
        return Resumed(session, bearer_of(key), issuer, now - session.seen_at >= NOTED_EVERY)

    def note_use(self, session: ConsoleSession) -> None:
        """Remember that the session was used now."""
        with self._store.write() as unit:
            unit.console.touch_session(session.token_sha256, self._clock.now())

    def logout(self, token: str) -> None:
        """End a session; nothing happens when there is none."""
        digest = token_sha256(token)
        with self._store.read() as unit:
            there = unit.console.session(digest) is not None
        if there:
            with self._store.write() as unit:
                unit.console.end_session(digest)


def _is_over(session: ConsoleSession, now: datetime) -> bool:
    return now - session.created_at >= LONGEST or now - session.seen_at >= LONGEST_UNUSED
