"""Issuers: registration, the keys that act for them on chain, retiring a key.

A hosted issuer's identity is its admin key, made here and kept in a keystore of its own; the operating key
gets the roles ANCHOR, SUSPEND and REVOKE, never WITHDRAW. An issuer with an admin of its own keeps that key
and signs the registration itself. Invariant: a key is stored durably in its keystore before anything names
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from registry.encoding import Address, to_hex
from registry.errors import Fault, ForbiddenError, NotFoundError, ValidationError
from registry.model.chain import (
    KEY_EVENTS,
    UNBOUNDED_VALID_UNTIL,
    CallKind,
    ContractCall,
    EventKind,
    RegistryEvent,
    Role,
)
from registry.model.issuers import ApiKey, Caller, Issuer, IssuerState, Scope
from registry.model.operations import OperationState, RequestKind, StatusRequest
from registry.model.reasons import Reason
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.signer import Keystore, Signer
from registry.ports.store import Store, Unit
from registry.services.access import FIRST_KEY_SCOPES, issue_key, may_see_private, require
from registry.services.admin_calls import (
    AdminCalls,
    Signatures,
    ToSign,
    current_admin,
    is_held_here,
    with_signatures,
)
from registry.services.idempotency import IdempotencyRef, bind
from registry.services.policy import Policy
from registry.services.receiving import locked_issuer
from registry.services.requests import RequestBuilder

HOSTED_ROLES = Role.ANCHOR | Role.SUSPEND | Role.REVOKE
MAX_NAME_CHARACTERS = 200
MAX_URL_CHARACTERS = 2_000
_ALL_ROLES = 15
_MAX_KEYS = 10_000
_CLOCK_SKEW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Registration:
    """What a new issuer gets. ``token`` is shown once; ``to_sign`` is the `AddKey` of the operating key,
    which an admin whose key is not here signs (or sends as `addKey` itself, with the consent in it)."""

    issuer: Issuer
    api_key: ApiKey
    token: str
    to_sign: ToSign | None


@dataclass(frozen=True, slots=True)
class ChainKey:
    """A key of an issuer as the index knows it; times in seconds. ``retired_at`` is 0 for a key never
    retired."""

    key: Address
    roles: int
    valid_until: int
    retired_at: int
    added_at: int
    reason: int
    held_here: bool


class IssuerService:
    """Issuers hosted here."""

    def __init__(
        self,
        store: Store,
        chain: Chain,
        operating: Keystore,
        admins: Keystore,
        relayer: Signer | None,
        clock: Clock,
        policy: Policy,
    ) -> None:
        """``relayer`` funds operating keys on a test chain."""
        self._store = store
        self._chain = chain
        self._operating = operating
        self._admins = admins
        self._clock = clock
        self._policy = policy
        self._admin_calls = AdminCalls(chain, clock, policy)
        self._funder = None if relayer is None else relayer.address

    # --- registration ---------------------------------------------------------------------------------------

    def register(
        self,
        caller: Caller,
        name: str,
        url: str,
        admin: Address | None = None,
        *,
        email: str | None = None,
        idempotency: IdempotencyRef | None = None,
    ) -> Registration:
        """Take an issuer on, hosted unless ``admin`` names its own admin account.

        Raises:
            ForbiddenError: not the server's administrator.
            ValidationError: name or URL.
            ConflictError: an issuer with this address is registered.
            ChainUnavailableError: the signer's nonce cannot be read (own admin only).
        """
        if not caller.is_server_admin:
            raise ForbiddenError("this needs the server's admin token")
        name, url = _checked_name(name), _checked_url(url)
        key = self._operating.create()
        address = admin if admin is not None else self._admins.create().address
        call = self._addition(address, key, int(HOSTED_ROLES))
        to_sign = None if admin is None else self._admin_calls.to_sign(admin, [call])
        now = self._clock.now()
        issuer = Issuer(
            address=address,
            name=name,
            url=url,
            state=IssuerState.REGISTERING if admin is None else IssuerState.AWAITING_ADMIN,
            key=key.address,
            hosted_admin=admin is None,
            created_at=now,
            email=email,
        )
        with self._store.write() as unit:
            unit.issuers.add(issuer)
            api_key, token = issue_key(unit, now, address, "first key", FIRST_KEY_SCOPES, None, caller.label)
            self._fund(unit, issuer, now)
            if admin is None:
                unit.outbox.add_operation(address, address, call, OperationState.QUEUED, now)
            unit.access.log(now, caller.label, "issuer.registered", to_hex(address), name)
            bind(unit, idempotency, f"issuer:{to_hex(address)}")
        return Registration(issuer, api_key, token, to_sign)

    def _addition(self, issuer: Address, key: Signer, roles: int) -> ContractCall:
        """The call that adds a key held here, with its consent."""
        deadline = int(self._clock.now().timestamp()) + self._policy.consent_deadline_seconds
        typed_data = self._chain.encoder.key_consent(issuer, key.address, roles, deadline)
        return ContractCall(
            CallKind.ADD_KEY,
            issuer,
            account=key.address,
            roles=roles,
            consent_deadline=deadline,
            consent=key.sign_typed_data(typed_data),
        )

    def _fund(self, unit: Unit, issuer: Issuer, now: datetime) -> None:
        """On a test chain the operating key gets ether, so that it sends for itself."""
        if not self._chain.info.test_chain or self._funder is None:
            return
        call = ContractCall(
            CallKind.FUND, issuer.address, account=issuer.key, value_wei=self._policy.funding_wei
        )
        unit.outbox.add_operation(issuer.address, self._funder, call, OperationState.QUEUED, now)

    # --- reading --------------------------------------------------------------------------------------------

    def get(self, address: Address) -> Issuer:
        """The issuer; becomes active here when the index shows that its own admin has registered the key.

        Raises:
            NotFoundError: no such issuer here.
        """
        with self._store.read() as unit:
            issuer = unit.issuers.get(address)
            registered = issuer is not None and self._is_registered(unit, issuer)
        if issuer is None:
            raise NotFoundError("no such issuer here")
        if not registered:
            return issuer
        with self._store.write() as unit:
            unit.issuers.set_state(address, IssuerState.ACTIVE)
            return unit.issuers.get(address) or issuer

    def _is_registered(self, unit: Unit, issuer: Issuer) -> bool:
        if issuer.state is IssuerState.ACTIVE:
            return False
        position, block = unit.events.position(), key_added_at(unit, issuer)
        return position is not None and block is not None and block <= position.final_block

    def to_register(self, caller: Caller | None, issuer: Issuer) -> ToSign | None:
        """What the admin of an issuer that awaits it signs, made anew: nonces are used up, and signatures
        run out. None for any other issuer, and for a caller who is neither the issuer's nor the server's.

        Raises:
            ChainUnavailableError: the nonce cannot be read.
        """
        if issuer.state is not IssuerState.AWAITING_ADMIN or not may_see_private(caller, issuer.address):
            return None
        with self._store.read() as unit:
            admin = current_admin(unit, issuer.address)
        call = self._addition(issuer.address, self._operating.get(issuer.key), int(HOSTED_ROLES))
        return self._admin_calls.to_sign(admin, [call])

    def page(self, after: Address | None = None, limit: int = 50) -> Sequence[Issuer]:
        """In order of address."""
        with self._store.read() as unit:
            return list(unit.issuers.page(after, limit))

    def chain_keys(self, address: Address) -> Sequence[ChainKey]:
        """The issuer's keys from the index, in the order they were added. Any address may be asked for."""
        held = self._operating.addresses() | self._admins.addresses()
        with self._store.read() as unit:
            events = _key_events(unit, address)
        keys: dict[Address, ChainKey] = {}
        for event in events:
            if event.account is None:
                continue
            if event.kind is EventKind.KEY_ADDED:
                keys[event.account] = ChainKey(
                    key=event.account,
                    roles=event.roles,
                    valid_until=UNBOUNDED_VALID_UNTIL,
                    retired_at=0,
                    added_at=event.at,
                    reason=0,
                    held_here=event.account in held,
                )
            elif event.account in keys:
                old = keys[event.account]
                keys[event.account] = ChainKey(
                    old.key, old.roles, event.valid_until, event.at, old.added_at, event.reason, old.held_here
                )
        return list(keys.values())

    # --- keys -----------------------------------------------------------------------------------------------

    def add_key(
        self,
        caller: Caller,
        issuer: Address,
        key: Address | None,
        roles: int,
        consent: bytes = b"",
        consent_deadline: int = 0,
        *,
        signed: Signatures | None = None,
        idempotency: IdempotencyRef | None = None,
    ) -> StatusRequest | ToSign:
        """Give a key to the issuer. A hosted admin signs here; for another, what it has to sign is returned
        and nothing is stored until its signature comes with the repeated request.

        Args:
            key: None makes a new operating key here. A key in this server's keystore with the roles of an
                operating key signs for the issuer from now on.
            consent: the key's `KeyConsent`; a key held here gives it itself.
            signed: the admin's `AddKey`, by an admin whose key is not here; with ``key`` named.

        Raises:
            ForbiddenError: not the issuer's or server's administrator.
            ValidationError: roles, or a consent is missing, or a signature without the key that it is about.
        """
        require(caller, Scope.ADMIN, issuer)
        if not 1 <= roles <= _ALL_ROLES:
            raise _invalid("roles", "roles are a sum of 1, 2, 4 and 8, and not empty", "/roles")
        if key is None and not _signs_for_all(roles):
            detail = "a new operating key needs at least the roles anchor, suspend and revoke"
            raise _invalid("roles", detail, "/roles")
        if signed is not None and key is None:
            raise _invalid("key", "name the key that the signature is about", "/key")
        with self._store.read() as unit:
            row = unit.issuers.get(issuer)
            admin = current_admin(unit, issuer)
        if row is None:
            raise NotFoundError("no such issuer here")
        call = self._key_call(row, key, roles, consent, consent_deadline)
        if not is_held_here(row, admin):
            if signed is None:
                return self._admin_calls.to_sign(admin, [call])
            (call,) = with_signatures([call], signed)
        assert call.account is not None
        now = self._clock.now()
        with self._store.write() as unit:
            row = locked_issuer(unit, issuer)
            builder = RequestBuilder(unit, caller, issuer, RequestKind.KEY_ADDITION, now)
            builder.open(0, None, 1)
            operating = call.account in self._operating.addresses() and _signs_for_all(roles)
            if operating and call.account != row.key:
                unit.issuers.set_key(issuer, call.account)
                self._fund(unit, locked_issuer(unit, issuer), now)
            builder.operation(admin, call)
            unit.access.log(now, caller.label, "key.added", to_hex(issuer), to_hex(call.account))
            return builder.close(idempotency)

    def _key_call(
        self, issuer: Issuer, key: Address | None, roles: int, consent: bytes, consent_deadline: int
    ) -> ContractCall:
        if key is None:
            return self._addition(issuer.address, self._operating.create(), roles)
        if not consent and key in self._operating.addresses():
            return self._addition(issuer.address, self._operating.get(key), roles)
        if not consent and key != issuer.address:
            raise _invalid("consent", "the key's consent is needed", "/consent")
        return ContractCall(
            CallKind.ADD_KEY,
            issuer.address,
            account=key,
            roles=roles,
            consent_deadline=consent_deadline,
            consent=consent,
        )

    def retire_key(
        self,
        caller: Caller,
        issuer: Address,
        key: Address,
        valid_until: datetime | None,
        reason: Reason,
        *,
        note: str | None = None,
        signed: Signatures | None = None,
        idempotency: IdempotencyRef | None = None,
    ) -> StatusRequest | ToSign:
        """End a key's validity at a time, which may lie in the past; None means now.

        Args:
            signed: the `RetireKey` of an admin whose key is not here; without it, what to sign is returned.

        Raises:
            ForbiddenError: not the issuer's or server's administrator.
            NotFoundError: the index knows no such key of the issuer.
            ValidationError: the time lies before 1970, or in the future: a retirement counts at once.
        """
        require(caller, Scope.ADMIN, issuer)
        now = self._clock.now()
        if valid_until is not None and valid_until.timestamp() < 0:
            raise _invalid("valid-until", "the time lies before 1970", "/valid_until")
        if valid_until is not None and valid_until > now + _CLOCK_SKEW:
            raise _invalid(
                "valid-until", "a retirement counts at once: no later time than now", "/valid_until"
            )
        with self._store.write() as unit:
            row = locked_issuer(unit, issuer)
            until = _valid_until(unit, valid_until, now)
            if key != row.key and not any(e.account == key for e in _key_events(unit, issuer)):
                raise NotFoundError("no such key of this issuer")
            admin = current_admin(unit, issuer)
            call = ContractCall(
                CallKind.RETIRE_KEY, issuer, account=key, valid_until=until, reason=int(reason)
            )
            held_here = is_held_here(row, admin)
            if not held_here and signed is not None:
                (call,) = with_signatures([call], signed)
            if held_here or signed is not None:
                builder = RequestBuilder(unit, caller, issuer, RequestKind.KEY_RETIREMENT, now)
                builder.open(int(reason), note, 1)
                builder.operation(admin, call)
                unit.access.log(now, caller.label, "key.retired", to_hex(issuer), to_hex(key))
                return builder.close(idempotency)
        return self._admin_calls.to_sign(admin, [call])


def _signs_for_all(roles: int) -> bool:
    """Whether a key with these roles can do all that an operating key does."""
    return roles & HOSTED_ROLES == HOSTED_ROLES


def _valid_until(unit: Unit, wanted: datetime | None, now: datetime) -> int:
    """Seconds for the contract: a past time as it is, and "now" for one that neither this clock nor the
    indexed chain has passed (the contract stores the block's time for it)."""
    position = unit.events.position()
    present = max(now.timestamp(), position.block.timestamp if position is not None else 0)
    if wanted is None or wanted.timestamp() >= present:
        return UNBOUNDED_VALID_UNTIL
    return int(wanted.timestamp())


def key_added_at(unit: Unit, issuer: Issuer) -> int | None:
    """The block in which the issuer's operating key was registered, by the index; None when it was not."""
    for event in _key_events(unit, issuer.address):
        if event.kind is EventKind.KEY_ADDED and event.account == issuer.key:
            return event.block_number
    return None


def _key_events(unit: Unit, issuer: Address) -> list[RegistryEvent]:
    return [stored.event for stored in unit.events.list(issuer=issuer, kinds=KEY_EVENTS, limit=_MAX_KEYS)]


def _invalid(code: str, detail: str, pointer: str) -> ValidationError:
    return ValidationError(detail, faults=[Fault(code, detail, pointer)])


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS:
        raise _invalid("name", f"a name has 1 to {MAX_NAME_CHARACTERS} characters", "/name")
    return name


def _checked_url(url: str) -> str:
    """An absolute https or http URL with a host and no credentials in it."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        good = False
    if not good or len(url) > MAX_URL_CHARACTERS or any(c.isspace() or ord(c) < 0x20 for c in url):
        raise _invalid("url", "an absolute https URL is expected", "/url")
    return url
