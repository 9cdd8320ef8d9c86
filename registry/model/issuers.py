"""Issuers, and the API keys that act for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from registry.encoding import Address


class IssuerState(StrEnum):
    """`registering`: the key's registration is not final; `awaiting_admin`: the issuer's own admin must sign
    it."""

    REGISTERING = "registering"
    AWAITING_ADMIN = "awaiting_admin"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer that this server hosts. ``key`` is the operating key the server holds; ``hosted_admin`` says
    whether the server holds the admin key too (in its separate keystore). ``email`` is for the public."""

    address: Address
    name: str
    url: str
    state: IssuerState
    key: Address
    hosted_admin: bool
    created_at: datetime
    email: str | None = None


class Scope(StrEnum):
    """What an API key may do. ``vc``: sign any credential with a did:key of the VC API, which anchors
    nothing."""

    BATCH = "batch"
    STATUS = "status"
    READ = "read"
    AUDIT = "audit"
    ADMIN = "admin"
    VC = "vc"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A bearer token of an issuer; the token itself is stored only as SHA-256."""

    id: str
    issuer: Address
    label: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, once authenticated: the server's administrator, or an issuer's API key."""

    label: str
    key_id: str | None
    issuer: Address | None
    scopes: frozenset[Scope]

    @property
    def is_server_admin(self) -> bool:
        """True for the bearer of the server's admin token, who belongs to no issuer."""
        return self.issuer is None and Scope.ADMIN in self.scopes


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """A line of the append-only log of key and admin actions."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str
