"""The identity of hosted issuers: the keys that sign their credentials, and what is published about them.

An issuer's key is made when it first signs, or when its administrator asks; another takes its place by
rotation, and the old one stays listed. Public keys stand in the database, secret ones in the keystore.
Invariants: a key is durable in its keystore before anything names it; the first signing pins the server's
address, because every DID is made of it, and under another address nothing is signed until the operator says
so. Documents are made under the pinned address, once there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from registry.credentials.did_documents import (
    AnchoringKey,
    anchoring_method_id,
    issuer_document,
    issuer_profile,
    key_document,
    signing_method_id,
)
from registry.credentials.did_web import (
    DID_DOCUMENT_PATH,
    PROFILE_PATH,
    issuer_did,
    issuer_of_did,
    issuer_of_url,
    public_base,
)
from registry.credentials.keys import PublicKey
from registry.encoding import AccountId, Address, ChainId, JsonValue, canonical_json, to_base64url, to_hex
from registry.errors import ConfigurationError, NotFoundError, ValidationError
from registry.model.chain import KEY_EVENTS, UNBOUNDED_VALID_UNTIL, CallKind, EventKind, RegistryEvent, Role
from registry.model.issuers import Caller, Issuer, Scope
from registry.model.signing_keys import SigningKey, SigningKeyKind
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.signer import CredentialKeystore, CredentialSigner, Keystore
from registry.ports.store import Store, Unit
from registry.services.access import require
from registry.services.idempotency import IdempotencyRef, bind

PINNED = "public_url"
"""Name of the value in the database that holds the pinned address."""

_MAX_KEY_EVENTS = 10_000
_FAR_SECONDS = 253_402_300_799  # 9999-12-31T23:59:59Z, the last second that RFC 3339 can write


@dataclass(frozen=True, slots=True)
class IssuerSigner:
    """All that is needed to sign for an issuer.

    Attributes:
        did: the issuer's.
        method: absolute id of the key's verification method.
    """

    did: str
    method: str
    key: SigningKey
    signer: CredentialSigner


class IdentityService:
    """Signing keys, DID documents and profiles of the issuers hosted here."""

    def __init__(
        self,
        store: Store,
        chain: Chain,
        signing: CredentialKeystore,
        accounts: Sequence[Keystore],
        clock: Clock,
        public_url: str,
    ) -> None:
        """``accounts`` are the keystores in which anchoring keys may lie; ``public_url`` is the server's
        address as the world sees it, checked when it is first used."""
        self._store = store
        self._chain = chain
        self._signing = signing
        self._accounts = accounts
        self._clock = clock
        self._public_url = public_url
        self._public_keys: dict[Address, bytes] = {}

    # --- the server's address -------------------------------------------------------------------------------

    def claim_address(self, *, accept_new: bool = False) -> None:
        """Make sure, when a server starts, that it still has the address that its DIDs are made of.

        Args:
            accept_new: pin the present address instead of the one pinned before.

        Raises:
            ConfigurationError: it has another one, and that is not to be accepted; or no DID can be made of
                the one to accept.
        """
        with self._store.read() as unit:
            pinned = unit.meta.get(PINNED)
        if pinned is None or pinned == self._own_base_or_none():
            return
        if not accept_new:
            raise _changed(pinned)
        base = public_base(self._public_url)
        with self._store.write() as unit:
            unit.meta.set(PINNED, base)
            unit.access.log(self._clock.now(), "server", "public-url.changed", base, f"was {pinned}")

    def _own_base_or_none(self) -> str | None:
        try:
            return public_base(self._public_url)
        except ConfigurationError:
            return None

    def base(self) -> str:
        """The address that DIDs are made of: the pinned one, else the present one.

        Raises:
            ConfigurationError: none is pinned, and no DID can be made of the present one.
        """
        with self._store.read() as unit:
            return self.base_in(unit)

    def base_in(self, unit: Unit) -> str:
        """As `base`, within a unit."""
        return unit.meta.get(PINNED) or public_base(self._public_url)

    def _published_base(self, unit: Unit) -> str:
        """As `base`, for what anybody may ask for. Raises `NotFoundError`."""
        try:
            return self.base_in(unit)
        except ConfigurationError as error:
            raise NotFoundError("this server has no address that a DID can be made of") from error

    def did(self, issuer: Address) -> str:
        """The issuer's DID. Raises `ConfigurationError` as `base`."""
        return issuer_did(self.base(), issuer)

    # --- signing --------------------------------------------------------------------------------------------

    def signer(self, issuer: Address, kind: SigningKeyKind = SigningKeyKind.ED25519) -> IssuerSigner:
        """The issuer's current key of a kind, made now if there is none. The first call for any issuer pins
        the server's address.

        Raises:
            NotFoundError: no such issuer here.
            ConfigurationError: the server has another address than the pinned one, or one that no DID can be
                made of.
            SignerError: the key cannot be read or written.
        """
        with self._store.read() as unit:
            pinned, key = unit.meta.get(PINNED), unit.signing_keys.current(issuer, kind)
        if pinned is not None and pinned != self._own_base_or_none():
            raise _changed(pinned)
        base = public_base(self._public_url)
        if pinned is None or key is None:
            key = self._first_key(issuer, kind, base)
        did = issuer_did(base, issuer)
        return IssuerSigner(did, signing_method_id(did, key), key, self._signing.get(key.public_key))

    def _first_key(self, issuer: Address, kind: SigningKeyKind, base: str) -> SigningKey:
        with self._store.read() as unit:
            _hosted(unit, issuer)
            known = unit.signing_keys.current(issuer, kind)
        made = None if known is not None else self._signing.create(kind)
        now = self._clock.now()
        with self._store.write() as unit:
            unit.issuers.lock(issuer)
            pinned = unit.meta.get(PINNED)
            if pinned is None:
                unit.meta.set(PINNED, base)
                unit.access.log(now, "server", "public-url.pinned", base, "")
            elif pinned != base:
                raise _changed(pinned)
            key = unit.signing_keys.current(issuer, kind)  # another process may have been quicker
            if key is not None:
                return key
            assert made is not None, "a current key ends only when the next one is there"
            key = SigningKey(issuer, made.public_key, kind, now, None)
            _add(unit, key, "server", "made at the first signing")
            return key

    # --- keys -----------------------------------------------------------------------------------------------

    def rotate(
        self,
        caller: Caller,
        issuer: Address,
        kind: SigningKeyKind,
        *,
        idempotency: IdempotencyRef | None = None,
    ) -> SigningKey:
        """Let a new key of a kind sign from now on; the old one stays in the DID document.

        Raises:
            ForbiddenError: not the issuer's or server's administrator.
            NotFoundError: no such issuer here.
            SignerError: the key cannot be written.
        """
        require(caller, Scope.ADMIN, issuer)
        with self._store.read() as unit:
            _hosted(unit, issuer)
        made = self._signing.create(kind)
        now = self._clock.now()
        key = SigningKey(issuer, made.public_key, kind, now, None)
        with self._store.write() as unit:
            unit.issuers.lock(issuer)
            retired = unit.signing_keys.retire(issuer, kind, now)
            _add(unit, key, caller.label, "in place of another" if retired else "the first of its kind")
            bind(unit, idempotency, f"signing-key:{to_base64url(key.public_key)}")
        return key

    def keys(self, issuer: Address) -> Sequence[SigningKey]:
        """The issuer's keys in the order they were added, retired ones too. Any address may be asked for."""
        with self._store.read() as unit:
            return list(unit.signing_keys.of_issuer(issuer))

    def method_of(self, key: SigningKey) -> str | None:
        """The absolute id of the key's verification method; None where the server has no usable address."""
        try:
            return signing_method_id(self.did(key.issuer), key)
        except ConfigurationError:
            return None

    # --- documents ------------------------------------------------------------------------------------------

    def document(self, issuer: Address) -> dict[str, JsonValue]:
        """The issuer's DID document. Raises `NotFoundError`, `SignerError`."""
        with self._store.read() as unit:
            _hosted(unit, issuer)
            base, signing = self._published_base(unit), unit.signing_keys.of_issuer(issuer)
            anchoring = self._anchoring_keys(unit, issuer)
        return issuer_document(base, self._account(issuer), signing, anchoring)

    def profile(self, issuer: Address) -> dict[str, JsonValue]:
        """The issuer's profile for Blockcerts. Raises `NotFoundError`, `SignerError`."""
        with self._store.read() as unit:
            row = _hosted(unit, issuer)
            return issuer_profile(self._published_base(unit), row, self._anchoring_keys(unit, issuer))

    def resolve(self, did: str) -> dict[str, JsonValue]:
        """The document of a did:web of this server, or of any did:key.

        Raises:
            NotFoundError: of every other DID.
        """
        if did.startswith("did:key:"):
            try:
                return key_document(PublicKey.from_multikey(did.removeprefix("did:key:")))
            except ValidationError as error:
                raise NotFoundError("this is no did:key of a kind that is known here") from error
        with self._store.read() as unit:
            issuer = issuer_of_did(self._published_base(unit), did)
        if issuer is None:
            raise NotFoundError("this server resolves the did:web of its issuers, and did:key")
        return self.document(issuer)

    def published(self, url: str) -> bytes:
        """A document of this server by its URL: a DID document or a profile, as JSON. The scheme does not
        count, since a did:web has none.

        Raises:
            NotFoundError: the URL is none of this server's documents.
        """
        with self._store.read() as unit:
            found = issuer_of_url(self._published_base(unit), url)
        if found is None or found[0] not in (DID_DOCUMENT_PATH, PROFILE_PATH):
            raise NotFoundError("this is no document of this server")
        path, issuer = found
        return canonical_json(self.document(issuer) if path == DID_DOCUMENT_PATH else self.profile(issuer))

    def anchoring_methods(self, issuer: Address) -> dict[Address, str | None]:
        """The verification method of each of the issuer's anchoring keys, in the order they were added; None
        for one whose public key the server cannot know. Any address may be asked for."""
        with self._store.read() as unit:
            keys = self._anchoring_keys(unit, issuer)
            try:
                did = issuer_did(self.base_in(unit), issuer)
            except ConfigurationError:
                return {key.account: None for key in keys}
        return {key.account: anchoring_method_id(did, key) for key in keys}

    def _account(self, issuer: Address) -> AccountId:
        return AccountId(ChainId(self._chain.info.chain_id), issuer)

    # --- anchoring keys -------------------------------------------------------------------------------------

    def _anchoring_keys(self, unit: Unit, issuer: Address) -> list[AnchoringKey]:
        """Keys with the role ANCHOR whose addition is final, so that no reorg changes their numbers."""
        position = unit.events.position()
        events = [
            stored.event
            for stored in unit.events.list(issuer=issuer, kinds=KEY_EVENTS, limit=_MAX_KEY_EVENTS)
        ]
        ends = {event.account: event for event in events if event.kind is EventKind.KEY_RETIRED}
        added = [
            event
            for event in events
            if event.kind is EventKind.KEY_ADDED
            and event.roles & Role.ANCHOR
            and position is not None
            and event.block_number <= position.final_block
        ]
        return [
            self._anchoring_key(unit, number, event, ends.get(event.account))
            for number, event in enumerate(added, start=1)
        ]

    def _anchoring_key(
        self, unit: Unit, number: int, added: RegistryEvent, retired: RegistryEvent | None
    ) -> AnchoringKey:
        account = added.account
        assert account is not None, "a key event names its key"
        until = UNBOUNDED_VALID_UNTIL if retired is None else retired.valid_until
        return AnchoringKey(
            number=number,
            account=account,
            public_key=self._public_key(unit, added.issuer, account),
            added_at=_moment(added.at),
            valid_until=None if until == UNBOUNDED_VALID_UNTIL else _moment(until),
        )

    def _public_key(self, unit: Unit, issuer: Address, account: Address) -> bytes | None:
        """From a keystore here, else out of the consent with which the key came to the issuer."""
        known = self._public_keys.get(account) or self._held(account)
        if known is None:
            additions = unit.outbox.operations_of_kind(issuer, CallKind.ADD_KEY)
            calls = [one.call for one in additions if one.call.account == account and one.call.consent]
            shown = (self._chain.encoder.consenting_key(call) for call in calls)
            known = next((key for key in shown if key is not None), None)
        if known is not None:
            self._public_keys[account] = known
        return known

    def _held(self, account: Address) -> bytes | None:
        for keystore in self._accounts:
            if account in keystore.addresses():
                return keystore.get(account).public_key
        return None


def _hosted(unit: Unit, issuer: Address) -> Issuer:
    row = unit.issuers.get(issuer)
    if row is None:
        raise NotFoundError("no such issuer here")
    return row


def _add(unit: Unit, key: SigningKey, actor: str, detail: str) -> None:
    unit.signing_keys.add(key)
    unit.access.log(
        key.created_at, actor, "signing-key.created", to_hex(key.issuer), f"{key.kind.value}, {detail}"
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(min(seconds, _FAR_SECONDS), UTC)


def _changed(pinned: str) -> ConfigurationError:
    return ConfigurationError(
        f"this server's address is no longer {pinned}, of which the DIDs in the credentials it signed are "
        "made: set ROOTMARK_PUBLIC_URL to that again, or start `rootmark serve --accept-new-public-url`, "
        "which makes new DIDs; whoever checks the old credentials then needs the old address still to answer"
    )
