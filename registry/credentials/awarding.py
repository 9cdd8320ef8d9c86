"""From rows of a request to secured credentials, chunk by chunk: the way that every award takes.

How is decided elsewhere: a `Securer` adds proofs and says the digest that is anchored, a `StatusAssigner`
gives out bits of status lists. Invariants: memory is bounded by a chunk; documents of a chunk that are of one
achievement share its object and their shape; once a row is found wrong nothing more is secured; an
external_id that stands for the same content already gives the award that it stands for.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol
from uuid import uuid4

import orjson

from registry.credentials.award_results import matched_results
from registry.credentials.award_values import AwardRequest, BadRow, Place, Row
from registry.credentials.badges import (
    EMAIL,
    NAME,
    Badge,
    Identity,
    Profile,
    Subject,
    achievement_object,
    open_badge_credential,
)
from registry.credentials.status.lists import StatusPlace
from registry.encoding import Address, Digest, DigestMethod
from registry.errors import (
    ExternalIdConflictError,
    Fault,
    MalformedInputError,
    RootmarkError,
    TooLargeError,
)
from registry.model.awards import Achievement, Award, NewAward
from registry.ports.store import Store, Unit
from registry.services.items import NewItem, chunks

FURTHER_SUITES = ("ecdsa-rdfc-2019", "eddsa-jcs-2022", "ecdsa-jcs-2019")
"""What may be asked for beside the proof that every award has."""

SECURED_AT_ONCE = 500
MAX_ROWS = 100_000
LISTED_ROWS = 500
"""So many rows of a request are named one by one in its answer."""


@dataclass(frozen=True, slots=True)
class Secured:
    """A credential with its proofs, as it will be handed out, and what is anchored of it."""

    document: dict[str, Any] | bytes
    digest: Digest
    method: DigestMethod


class Securer(Protocol):
    """Adds proofs."""

    def secure_many(
        self, issuer: Address, documents: Sequence[dict[str, Any]], further: Sequence[str] = ()
    ) -> list[Secured]:
        """Secure documents of few shapes, in order. They share inner objects and are not changed.

        Args:
            further: names of cryptosuites whose proofs are added to the one that is always there.

        Raises:
            MalformedInputError: one of them cannot be secured; the fault's pointer begins with its position,
                ``/17``.
            SignerError: the issuer's key is missing or refuses.
        """
        ...


class StatusAssigner(Protocol):
    """Gives out places in the issuer's status lists."""

    def assign(self, unit: Unit, issuer: Address, count: int) -> list[StatusPlace]:
        """``count`` places, taken for good in ``unit``."""
        ...


@dataclass(frozen=True, slots=True)
class AwardOptions:
    """What one request says for all its awards.

    Attributes:
        credential_status: whether credentials name their bits in status lists.
        hashed: whether an e-mail address is shown as a salted hash instead of plainly.
        named: whether the recipient's name is shown, plainly.
        proofs: cryptosuites of `FURTHER_SUITES`, each at most once, whose proofs are added, in this order.
    """

    credential_status: bool = True
    hashed: bool = True
    named: bool = False
    proofs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A row, looked at. ``badge`` and ``achievement`` are there when nothing is wrong; ``conflicts`` are
    contradictions to what is stored already."""

    place: Place
    request: AwardRequest | None = None
    faults: tuple[Fault, ...] = ()
    conflicts: tuple[Fault, ...] = ()
    replays: Award | None = None
    badge: Badge | None = None
    achievement: Achievement | None = None
    fingerprint: bytes = b""

    @property
    def problems(self) -> tuple[Fault, ...]:
        """All that is wrong."""
        return self.faults + self.conflicts


@dataclass(frozen=True, slots=True)
class Listed:
    """What became of a row: a new award (``index`` within the new batch), or one that was there."""

    place: Place
    award_id: str
    index: int
    batch_id: str | None = None


@dataclass(slots=True)
class AwardMaker:
    """Makes the awards of one request; used once.

    Attributes:
        now: when awards are issued that do not say it.
        supersedes: id of the award that the one row replaces.
        listed: what became of the first rows, in their order.
    """

    store: Store
    securer: Securer
    assigner: StatusAssigner | None
    issuer: Address
    profile: Profile
    options: AwardOptions
    now: datetime
    supersedes: str | None = None
    listed: list[Listed] = field(default_factory=list)
    made: int = 0
    replayed: int = 0
    _places: list[Place] = field(default_factory=list)
    _achievements: dict[str, Achievement | None] = field(default_factory=dict)
    _objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    _external_ids: set[str] = field(default_factory=set)
    _rows: int = 0

    def position(self, index: int) -> Mapping[str, Any]:
        """Where the row of item ``index`` stands."""
        place = self._places[index]
        return {"pointer": place.pointer} if place.line is None else {"line": place.line}

    def items(self, rows: Iterable[Row]) -> Iterator[NewItem | Fault]:
        """Secured credentials in the order of the rows, each with its `NewAward` attached; faults in the
        place of rows that are wrong.

        Raises:
            ExternalIdConflictError: an external_id is taken by other content.
            TooLargeError: more than 100,000 rows.
            MalformedInputError, SignerError: see `Securer`.
        """
        failed = False
        for drafts in self.drafts(rows):
            conflicts = [fault for draft in drafts for fault in draft.conflicts]
            if conflicts:
                raise ExternalIdConflictError("an external_id is taken by other content", faults=conflicts)
            faults = [fault for draft in drafts for fault in draft.faults]
            failed = failed or bool(faults)
            if failed:
                yield from faults
            else:
                yield from self._secured(drafts)

    def drafts(self, rows: Iterable[Row]) -> Iterator[list[Draft]]:
        """The rows in chunks, looked at and not secured."""
        for chunk in chunks(iter(rows), SECURED_AT_ONCE):
            self._rows += len(chunk)
            if self._rows > MAX_ROWS:
                place = chunk[MAX_ROWS - self._rows].place
                detail = f"there are more than {MAX_ROWS} awards"
                raise TooLargeError(detail, faults=[place.fault("too-large", detail)])
            taken = self._look_up(chunk)
            yield [self._draft(row, taken) for row in chunk]

    def document(self, draft: Draft, status: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The credential of a draft without problems, before it is secured."""
        assert draft.badge is not None
        assert draft.achievement is not None
        shared = self._objects.get(draft.achievement.id)
        if shared is None:
            shared = self._objects[draft.achievement.id] = achievement_object(draft.achievement)
        return open_badge_credential(draft.badge, shared, status)

    # --- looking --------------------------------------------------------------------------------------------

    def _look_up(self, rows: Sequence[Row]) -> dict[str, Award | None]:
        """Awards by the external ids of these rows; None where another entry has the name. Achievements not
        met before are remembered, so that one request sees one version of each."""
        requests = [row for row in rows if isinstance(row, AwardRequest)]
        wanted = {one.achievement_id for one in requests if one.achievement_id is not None}
        unknown = wanted - self._achievements.keys()
        names = {one.external_id for one in requests if one.external_id is not None}
        if not unknown and not names:
            return {}
        with self.store.read() as unit:
            newest = unit.achievements.newest(unknown)
            entries = unit.entries.by_external_ids(self.issuer, names)
            places = {(entry.batch_seq, entry.index): entry.external_id for entry in entries}
            awards = unit.awards.by_places(places)
        for id_ in unknown:
            found = newest.get(id_)
            self._achievements[id_] = found if found is not None and found.issuer == self.issuer else None
        taken: dict[str, Award | None] = {name: None for name in places.values() if name is not None}
        for award in awards:
            name = places[award.batch_seq, award.index]
            assert name is not None
            taken[name] = award
        return taken

    def _draft(self, row: Row, taken: Mapping[str, Award | None]) -> Draft:
        if isinstance(row, BadRow):
            return Draft(row.place, faults=row.faults)
        name = row.external_id
        if name is not None:
            if name in self._external_ids:
                detail = "the external_id stands twice in this request"
                fault = row.place.fault("repeated-external-id", detail, "external_id")
                return Draft(row.place, row, faults=(fault,))
            self._external_ids.add(name)
        fingerprint = self.fingerprint(row)
        if name is not None and name in taken:
            award = taken[name]
            if award is not None and award.fingerprint == fingerprint:
                return Draft(row.place, row, replays=award)
            detail = "the external_id is taken by other content"
            return Draft(
                row.place, row, conflicts=(row.place.fault("external-id-taken", detail, "external_id"),)
            )
        return self._complete(row, fingerprint)

    def fingerprint(self, request: AwardRequest) -> bytes:
        """SHA-256 of all that decides what the credential says: the same for a repetition alone."""
        options: list[Any] = [self.options.credential_status, self.options.hashed, self.options.named]
        options += self.options.proofs
        content = {"award": request.to_json(), "options": options, "supersedes": self.supersedes}
        return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()

    def _complete(self, request: AwardRequest, fingerprint: bytes) -> Draft:
        assert request.recipient is not None
        place = request.place
        achievement = self._achievements.get(request.achievement_id or "")
        issued = request.issued_on or self.now
        faults: list[Fault] = []
        results: tuple[Any, ...] = ()
        if achievement is None:
            faults.append(
                place.fault("unknown-achievement", "this issuer has no such achievement", "achievement_id")
            )
        else:
            results, wrong = matched_results(request, achievement.document)
            faults += wrong
        if request.expires_on is not None and request.expires_on <= issued:
            faults.append(place.fault("validity", "the validity ends before it begins", "expires_on"))
        if faults:
            return Draft(place, request, faults=tuple(faults))
        badge = Badge(
            uuid=uuid4(),
            issuer=self.profile,
            subject=self._subject(request),
            valid_from=issued,
            valid_until=request.expires_on,
            results=results,
            evidence=request.evidence,
            credits_earned=request.credits_earned,
        )
        return Draft(place, request, badge=badge, achievement=achievement, fingerprint=fingerprint)

    def _subject(self, request: AwardRequest) -> Subject:
        recipient = request.recipient
        assert recipient is not None
        identities: list[Identity] = []
        if recipient.email is not None:
            salt = secrets.token_hex(16) if self.options.hashed else None
            identities.append(Identity(EMAIL, recipient.email, salt))
        if recipient.name is not None and self.options.named:
            identities.append(Identity(NAME, recipient.name, None))
        return Subject(recipient.did or recipient.url, tuple(identities))

    # --- making ---------------------------------------------------------------------------------------------

    def _secured(self, drafts: Sequence[Draft]) -> Iterator[NewItem]:
        new = [draft for draft in drafts if draft.replays is None]
        statuses = self._places_in_lists(len(new))
        documents = [
            self.document(draft, place.entries if place else ())
            for draft, place in zip(new, statuses, strict=True)
        ]
        made = iter(zip(self._secure(new, documents), new, statuses, strict=True))
        for draft in drafts:
            if draft.replays is None:
                yield self._item(*next(made))
            else:
                self.replayed += 1
                old = draft.replays
                self._list(Listed(draft.place, old.id, old.index, old.batch_id))

    def _places_in_lists(self, count: int) -> Sequence[StatusPlace | None]:
        """In a transaction of their own: places that come to nothing afterwards are never used."""
        if not count or self.assigner is None or not self.options.credential_status:
            return [None] * count
        with self.store.write() as unit:
            return self.assigner.assign(unit, self.issuer, count)

    def _secure(self, drafts: Sequence[Draft], documents: Sequence[dict[str, Any]]) -> list[Secured]:
        if not documents:
            return []
        try:
            secured = self.securer.secure_many(self.issuer, documents, self.options.proofs)
        except MalformedInputError as error:
            faults = [_of_row(fault, drafts) for fault in error.faults]
            raise type(error)(str(error), faults=faults) from error
        if len(secured) != len(documents):
            raise RootmarkError("not every credential was secured")
        return secured

    def _item(self, secured: Secured, draft: Draft, place: StatusPlace | None) -> NewItem:
        assert draft.badge is not None
        assert draft.achievement is not None
        assert draft.request is not None
        assert draft.request.recipient is not None
        award = NewAward(
            id=secrets.token_hex(16),
            achievement_id=draft.achievement.id,
            achievement_version=draft.achievement.version,
            recipient=draft.request.recipient.to_json(),
            fingerprint=draft.fingerprint,
            created_at=self.now,
            status_list=place.list_id if place else None,
            status_index=place.index if place else None,
            supersedes=self.supersedes,
            credential_id=draft.badge.uuid.urn,
        )
        self._list(Listed(draft.place, award.id, self.made))
        self.made += 1
        self._places.append(draft.place)
        document = secured.document
        return NewItem(
            digest=secured.digest,
            method=secured.method,
            external_id=draft.request.external_id,
            valid_from=draft.badge.valid_from,
            valid_until=draft.badge.valid_until,
            document=document if isinstance(document, bytes) else orjson.dumps(document),
            attached=award,
        )

    def _list(self, listed: Listed) -> None:
        if len(self.listed) < LISTED_ROWS:
            self.listed.append(listed)


def _of_row(fault: Fault, drafts: Sequence[Draft]) -> Fault:
    """A securer's fault, at the row that its document came from."""
    number, _, rest = (fault.pointer or "").removeprefix("/").partition("/")
    if not (number.isascii() and number.isdecimal() and int(number) < len(drafts)):
        return fault
    detail = f"{fault.detail} (in the credential, at /{rest})" if rest else fault.detail
    return drafts[int(number)].place.fault(fault.code, detail)
