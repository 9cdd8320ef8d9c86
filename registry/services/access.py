"""Who asks, and what they may do: bearer tokens, scopes, API keys, the access log.

A token is `rmk_` and 43 base64url characters, 256 random bits; only its SHA-256 is stored, which is enough
for a value nobody can guess. The server's administrator has a token of its own, given by its SHA-256.
Invariants: the answer to a bad token never says whether it is unknown, expired or revoked; tokens never reach
the log.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from hashlib import sha256

from registry.encoding import Address, to_hex
from registry.errors import Fault, ForbiddenError, NotFoundError, UnauthorizedError, ValidationError
from registry.model.issuers import AccessRecord, ApiKey, Caller, Scope
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.idempotency import IdempotencyRef, bind

TOKEN_PREFIX = "rmk_"
MAX_LABEL_CHARACTERS = 100
_TOKEN = re.compile(TOKEN_PREFIX + r"[A-Za-z0-9_-]{43}")

KEY_ACTIONS = (
    "api-key.created",
    "api-key.revoked",
    "console.login",
    "issuer.registered",
    "key.added",
    "key.retired",
    "signing-key.created",
)
"""What the access log says about keys."""

FIRST_KEY_SCOPES = frozenset(Scope) - {Scope.VC}
"""Of an issuer's first key: all that the registry's own work needs."""
_SERVER_ADMIN = Caller(
    label="admin", key_id=None, issuer=None, scopes=frozenset({Scope.ADMIN, Scope.AUDIT, Scope.READ})
)


def new_token() -> str:
    """`rmk_` and 32 random bytes in base64url without padding."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_sha256(token: str) -> bytes:
    """What is stored of a token."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def require(caller: Caller, scope: Scope, issuer: Address | None = None) -> None:
    """Let ``caller`` pass if it has ``scope`` and, where ``issuer`` is given, may act for that issuer.

    The server's administrator may read, audit and administer for any issuer, and never issue or change a
    status.

    Raises:
        ForbiddenError: the scope is missing, or the key belongs to another issuer.
    """
    if scope not in caller.scopes:
        raise ForbiddenError(f"this needs the scope {scope.value}")
    if issuer is not None and caller.issuer != issuer and not caller.is_server_admin:
        raise ForbiddenError("this key belongs to another issuer")


def require_issuer(caller: Caller, scope: Scope) -> Address:
    """The issuer that ``caller`` acts for with ``scope``. Raises `ForbiddenError`, also for the
    administrator."""
    require(caller, scope)
    if caller.issuer is None:
        raise ForbiddenError("this needs an issuer's API key")
    return caller.issuer


def may_see_private(caller: Caller | None, issuer: Address) -> bool:
    """Whether ``caller`` may see what is the issuer's alone (salts, notes): one of its keys, or the
    administrator."""
    return caller is not None and (caller.issuer == issuer or caller.is_server_admin)


def is_in_force(key: ApiKey, now: datetime) -> bool:
    """Whether a key counts: neither revoked nor expired."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def bearer_of(key: ApiKey) -> Caller:
    """Who holds a key that is in force."""
    return Caller(label=key.label, key_id=key.id, issuer=key.issuer, scopes=key.scopes)


def check_label(label: str) -> str:
    """``label`` without surrounding space. Raises `ValidationError` when nothing or too much remains."""
    label = label.strip()
    if not 1 <= len(label) <= MAX_LABEL_CHARACTERS:
        detail = f"a label has 1 to {MAX_LABEL_CHARACTERS} characters"
        raise ValidationError(detail, faults=[Fault("label", detail, pointer="/label")])
    return label


def issue_key(
    unit: Unit,
    now: datetime,
    issuer: Address,
    label: str,
    scopes: Collection[Scope],
    expires_at: datetime | None,
    actor: str,
) -> tuple[ApiKey, str]:
    """Make a key inside ``unit``, log it, and return it with its token, which is not kept."""
    token = new_token()
    key = ApiKey(
        id=secrets.token_hex(8),
        issuer=issuer,
        label=label,
        scopes=frozenset(scopes),
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
    )
    unit.access.add_key(key, token_sha256(token))
    detail = f"{label}: {' '.join(sorted(scope.value for scope in key.scopes))}"
    unit.access.log(now, actor, "api-key.created", f"{to_hex(issuer)}/{key.id}", detail)
    return key, token


class AccessService:
    """Authentication and API keys."""

    def __init__(self, store: Store, clock: Clock, admin_token_sha256: bytes) -> None:
        self._store = store
        self._clock = clock
        self._admin_token_sha256 = admin_token_sha256

    def authenticate(self, token: str) -> Caller:
        """The bearer of ``token``. Raises `UnauthorizedError`."""
        digest = token_sha256(token)
        if hmac.compare_digest(digest, self._admin_token_sha256):
            return _SERVER_ADMIN
        refused = UnauthorizedError("the API key is not valid")
        if _TOKEN.fullmatch(token) is None:
            raise refused
        with self._store.read() as unit:
            key = unit.access.key_by_token(digest)
        if key is None or not is_in_force(key, self._clock.now()):
            raise refused
        return bearer_of(key)

    def require(self, caller: Caller, scope: Scope, issuer: Address | None = None) -> None:
        """See `require`."""
        require(caller, scope, issuer)

    def create_key(
        self,
        caller: Caller,
        issuer: Address,
        label: str,
        scopes: Collection[Scope],
        expires_at: datetime | None = None,
        *,
        idempotency: IdempotencyRef | None = None,
    ) -> tuple[ApiKey, str]:
        """Make an API key; the token is returned once and never again.

        Raises:
            ForbiddenError: not the issuer's or server's administrator.
            ValidationError: no scope, a bad label, or an expiry that is over.
            NotFoundError: no such issuer here.
        """
        require(caller, Scope.ADMIN, issuer)
        now = self._clock.now()
        label = check_label(label)
        faults = []
        if not scopes:
            faults.append(Fault("scopes", "a key needs at least one scope", pointer="/scopes"))
        if expires_at is not None and expires_at <= now:
            faults.append(Fault("expires-at", "the expiry lies in the past", pointer="/expires_at"))
        if faults:
            raise ValidationError(faults[0].detail, faults=faults)
        with self._store.write() as unit:
            if unit.issuers.get(issuer) is None:
                raise NotFoundError("no such issuer here")
            key, token = issue_key(unit, now, issuer, label, scopes, expires_at, caller.label)
            bind(unit, idempotency, f"api-key:{key.id}")
            return key, token

    def keys(self, caller: Caller, issuer: Address) -> Sequence[ApiKey]:
        """The issuer's keys, oldest first, revoked ones too. Raises `ForbiddenError`."""
        require(caller, Scope.ADMIN, issuer)
        with self._store.read() as unit:
            return list(unit.access.keys_of(issuer))

    def revoke_key(self, caller: Caller, issuer: Address, key_id: str) -> None:
        """End a key at once. Raises `ForbiddenError`, `NotFoundError`."""
        require(caller, Scope.ADMIN, issuer)
        now = self._clock.now()
        with self._store.write() as unit:
            if not unit.access.revoke_key(issuer, key_id, now):
                raise NotFoundError("no such API key")
            unit.access.log(now, caller.label, "api-key.revoked", f"{to_hex(issuer)}/{key_id}", "")

    def history(self, caller: Caller, issuer: Address, limit: int = 100) -> Sequence[AccessRecord]:
        """What happened to the issuer's keys, newest first. Raises `ForbiddenError`."""
        require(caller, Scope.ADMIN, issuer)
        with self._store.read() as unit:
            return list(unit.access.records_about(to_hex(issuer), KEY_ACTIONS, limit))

    def records(self, caller: Caller, after: int = 0, limit: int = 50) -> Sequence[AccessRecord]:
        """The access log, oldest first; the server's administrator alone. Raises `ForbiddenError`."""
        if not caller.is_server_admin:
            raise ForbiddenError("this needs the server's admin token")
        with self._store.read() as unit:
            return list(unit.access.records(after, limit))
