"""Credentials that are no awards: endorsements, and records of all that a learner earned from an issuer.

They are signed as awards are and go, one by one, into the issuer's open batch, which anchors them; so they
are verified, revoked and erased by their digest like any other credential. They have no place in status
lists: those follow awards. Their document is stored, for a repetition of the request to give the same one.

Invariants: a record holds only credentials of its own issuer, to one recipient, that are final and in force
when it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson

from registry.credentials.award_values import Recipient
from registry.credentials.awarding import Securer
from registry.credentials.badges import Profile, endorsement_credential, profile_object
from registry.credentials.clr import CLR_CONTEXT, MAX_CREDENTIALS, Record, build_clr
from registry.credentials.exporting import AwardExports
from registry.credentials.findings import Presented
from registry.credentials.recipients import identity_object
from registry.encoding import Address, invalid
from registry.errors import NotFoundError, TooComplexError, UnknownContextError, WrongStateError
from registry.model.awards import Award
from registry.model.batches import Batch, BatchState, Entry
from registry.model.issuers import Caller, Scope
from registry.ports.clock import Clock
from registry.ports.documents import Canonicalizer
from registry.ports.store import Store, Unit
from registry.services.access import require_issuer
from registry.services.auditing.states import entry_states
from registry.services.idempotency import IdempotencyRef
from registry.services.issuing import IssuingService
from registry.services.items import NewItem


@dataclass(frozen=True, slots=True)
class Endorsement:
    """What is said about whom: ``subject`` is the id of a profile, an achievement or a credential."""

    subject: str
    comment: str
    name: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LearnerRecord:
    """Whose record is wanted.

    Attributes:
        hashed: whether an e-mail address is shown as a salted hash.
        tokens: whether the credentials stand in it as VC-JOSE, which the issuer signs now, instead of JSON
            with the proofs that they have. What many say alike takes a canonicaliser long in JSON.
    """

    recipient: Recipient
    name: str
    description: str | None = None
    hashed: bool = True
    tokens: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    """A signed document, and its place in a batch."""

    entry: Entry
    document: bytes


class SignedDocuments:
    """Endorsements and records of the issuers hosted here."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        issuing: IssuingService,
        securer: Securer,
        exports: AwardExports,
        canonicalizer: Canonicalizer,
        identify: Callable[[Address], str],
    ) -> None:
        """``identify`` gives an issuer's DID."""
        self._store = store
        self._clock = clock
        self._issuing = issuing
        self._securer = securer
        self._exports = exports
        self._canonicalizer = canonicalizer
        self._identify = identify

    def endorse(
        self, caller: Caller, wanted: Endorsement, *, idempotency: IdempotencyRef | None = None
    ) -> Issued:
        """Sign an EndorsementCredential and put it into the open batch.

        Raises:
            ForbiddenError: not an issuer's key with scope `batch`.
            ValidationError: it ends before it begins.
            SignerError: it cannot be signed.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        start = wanted.valid_from or self._now()
        if wanted.valid_until is not None and wanted.valid_until <= start:
            raise invalid("validity", "the validity ends before it begins", "/expires_on")
        document = endorsement_credential(
            uuid4(),
            self._profile(issuer),
            wanted.subject,
            wanted.comment,
            wanted.name,
            start,
            wanted.valid_until,
        )

        def note(unit: Unit, batch: Batch, index: int) -> None:
            unit.endorsements.add(batch, index, wanted.subject)

        return self._issue(caller, issuer, document, start, wanted.valid_until, idempotency, note)

    def record(
        self, caller: Caller, wanted: LearnerRecord, *, idempotency: IdempotencyRef | None = None
    ) -> Issued:
        """Sign a ClrCredential of all credentials in force that the recipient has from the issuer, and put it
        into the open batch.

        Raises:
            ForbiddenError: not an issuer's key with scope `batch`.
            NotFoundError: the recipient has none.
            ValidationError: more than 200; or together they say too much for one document.
            WrongStateError: the operator did not supply the context of CLR 2.0.
            SignerError, ChainUnavailableError: as for awards and their export.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        now = self._now()
        awards = self._in_force(issuer, wanted.recipient, now)
        held = [self._presented(caller, award, wanted) for award in awards]
        record = Record(
            id=uuid4().urn,
            issuer=profile_object(self._profile(issuer)),
            subject=_subject(wanted),
            name=wanted.name,
            description=wanted.description,
            valid_from=now,
            credentials=held,
        )
        try:
            document = build_clr(record, self._canonicalizer)
        except UnknownContextError as error:
            detail = (
                f"this server has no context of CLR 2.0: its operator supplies {CLR_CONTEXT} in CONTEXT_DIR"
            )
            raise WrongStateError(detail) from error
        except TooComplexError as error:
            detail = f"together the credentials say too much for one record ({error})"
            detail += "" if wanted.tokens else ": ask for format jwt"
            raise invalid("too-complex", detail, "/format") from error
        return self._issue(caller, issuer, document, now, None, idempotency)

    def _presented(self, caller: Caller, award: Award, wanted: LearnerRecord) -> Presented:
        if wanted.tokens:
            return Presented(token=self._exports.token(caller, award.id))
        return Presented(document=self._exports.document(caller, award.id))

    def again(self, caller: Caller, batch_id: str, index: int) -> Issued:
        """What was issued at that place.

        Raises:
            NotFoundError: nothing of the caller's issuer.
            WrongStateError: it is erased.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        with self._store.read() as unit:
            batch = unit.batches.by_id(batch_id)
            if batch is None or batch.issuer != issuer:
                raise NotFoundError("no such credential of this issuer")
            entries = unit.entries.by_indices([(batch.seq, index)])
            document = unit.entries.document(batch.seq, index)
        if not entries or document is None:
            raise WrongStateError("the credential is erased")
        return Issued(entries[0], document)

    def _issue(
        self,
        caller: Caller,
        issuer: Address,
        document: dict[str, Any],
        valid_from: datetime,
        valid_until: datetime | None,
        idempotency: IdempotencyRef | None,
        beside: Callable[[Unit, Batch, int], None] | None = None,
    ) -> Issued:
        (secured,) = self._securer.secure_many(issuer, [document])
        made = secured.document if isinstance(secured.document, bytes) else orjson.dumps(secured.document)
        item = NewItem(
            secured.digest,
            secured.method,
            None,
            valid_from=valid_from,
            valid_until=valid_until,
            document=made,
        )
        entry = self._issuing.add_credential(caller, item, beside=beside, idempotency=idempotency)
        return Issued(entry, made)

    def _profile(self, issuer: Address) -> Profile:
        with self._store.read() as unit:
            found = unit.issuers.get(issuer)
        if found is None:
            raise NotFoundError("no such issuer here")
        return Profile(self._identify(issuer), found.name, found.url)

    def _in_force(self, issuer: Address, recipient: Recipient, now: datetime) -> list[Award]:
        with self._store.read() as unit:
            found = unit.awards.to_recipient(issuer, *_address_of(recipient))
            good = _active(unit, found, now)
        if not good:
            raise NotFoundError("the recipient has no final credential in force from this issuer")
        if len(good) > MAX_CREDENTIALS:
            detail = f"the recipient has more than the {MAX_CREDENTIALS} credentials that a record holds"
            raise invalid("credentials", detail, "/recipient")
        return good

    def _now(self) -> datetime:
        return self._clock.now().replace(microsecond=0)


def _address_of(recipient: Recipient) -> tuple[str, str]:
    """The member by which the recipient is known, and its value."""
    for name, value in (("email", recipient.email), ("did", recipient.did), ("url", recipient.url)):
        if value is not None:
            return name, value
    raise invalid("recipient", "exactly one of email, did and url is expected", "/recipient")


def _subject(wanted: LearnerRecord) -> dict[str, Any]:
    """The learner as the record names them. Addresses are written as the issuer has them."""
    name, value = _address_of(wanted.recipient)
    if name == "email":
        return {"identifier": [identity_object(value, hashed=wanted.hashed)]}
    return {"id": value}


def _active(unit: Unit, awards: Sequence[Award], now: datetime) -> list[Award]:
    """Those that are final, not erased, superseded, revoked or suspended, and within their dates."""
    entries = unit.entries.by_indices([(award.batch_seq, award.index) for award in awards])
    states = zip(entries, entry_states(unit, entries), strict=True)
    good = {
        (entry.batch_seq, entry.index)
        for entry, (status, _) in states
        if status == "active" and entry.batch_state is BatchState.FINAL and _within(entry, now)
    }
    return [
        award for award in awards if (award.batch_seq, award.index) in good and award.superseded_by is None
    ]


def _within(entry: Entry, now: datetime) -> bool:
    begun = entry.valid_from is None or entry.valid_from <= now
    return begun and (entry.valid_until is None or now < entry.valid_until)
