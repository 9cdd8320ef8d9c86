"""A credential's page: what people see of an award at an address of its own, and its holder's say over that.

The issuer makes a claim link and sends it to the recipient, once. Whoever opens it and presses the button is
the page's holder from then on: a link that was used is worth nothing, so whoever forwards it gives nothing
away. Nobody is identified otherwise; a holder is the tokens that they keep. Pages of several issuers come
together in one holder's hands only by that holder's own claims, never by equal e-mail addresses: an issuer
could otherwise make a link to see what others issued.

Invariants: a page's id has 128 random bits and is made from nothing; what names the recipient is shown, or
handed out in a file, only when the holder says so, or to the holder; an erased award has no page.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from registry.credentials.carriers.images import Picture
from registry.credentials.exporting import AwardExports, Exported, ExportFormat
from registry.credentials.holding.sessions import holder_of, new_return_link, new_session, new_token
from registry.encoding import Address
from registry.errors import ForbiddenError, NotFoundError
from registry.model.awards import Award
from registry.model.issuers import Caller, Scope
from registry.model.pages import CredentialPage, TokenKind, Visibility
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.access import may_see_private, require_issuer, token_sha256

CLAIM_DAYS = 90
ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim link, told once. ``token`` opens it."""

    page: CredentialPage
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim gave: the page, a session, and for a new holder the token to come back with."""

    page: CredentialPage
    session: str
    return_token: str | None


@dataclass(frozen=True, slots=True)
class PageView:
    """A page as one reader may see it.

    Attributes:
        document: the credential as it was issued.
        name: the recipient's, where it may be shown.
        show_name: whether the recipient's name may be shown.
        is_holder: whether the reader is the page's holder, who sees all of it and may change it.
        may_download: whether the files may be had: they may name the recipient.
    """

    page: CredentialPage
    issuer: Address
    document: Mapping[str, Any]
    name: str | None
    show_name: bool
    is_holder: bool
    may_download: bool
    superseded: bool


class PageService:
    """Pages of the awards issued here. ``session`` is a holder's token, or None for everybody."""

    def __init__(self, store: Store, clock: Clock, exports: AwardExports) -> None:
        self._store = store
        self._clock = clock
        self._exports = exports

    # --- the issuer -----------------------------------------------------------------------------------------

    def make_claim(self, caller: Caller, award_id: str) -> Claim:
        """A claim link for an award of the caller's issuer, and its page where there is none yet. The page's
        earlier link, if it was not used, works no longer.

        Raises:
            ForbiddenError: not an issuer's key with scope `batch`.
            NotFoundError: the issuer has no such award, or it is erased.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        now = self._clock.now()
        token = new_token()
        expires_at = now + timedelta(days=CLAIM_DAYS)
        with self._store.write() as unit:
            award = _award(unit, award_id)
            if award.issuer != issuer or award.is_erased:
                raise NotFoundError("no such award of this issuer")
            page = unit.pages.of_award(award_id)
            if page is None:
                identifier = secrets.token_urlsafe(ID_BYTES)
                page = CredentialPage(identifier, award_id, Visibility.UNLISTED, False, None, now)
                unit.pages.add(page)
            unit.pages.add_link(token_sha256(token), page.id, now, expires_at)
            unit.access.log(now, caller.label, "claim-link.created", award_id, "")
        return Claim(page, token, expires_at)

    def of_award(self, caller: Caller, award_id: str) -> CredentialPage:
        """An award's page, for its issuer's keys and the administrator.

        Raises:
            NotFoundError: no such award of the caller's issuer, or it has no page.
        """
        with self._store.read() as unit:
            award = _award(unit, award_id)
            page = unit.pages.of_award(award_id)
        if not may_see_private(caller, award.issuer) or page is None:
            raise NotFoundError("no such award of this issuer, or it has no page")
        return page

    # --- the holder -----------------------------------------------------------------------------------------

    def claimable(self, token: str) -> CredentialPage:
        """The page that a claim link is for; looking uses nothing up.

        Raises:
            NotFoundError: the link is unknown, used or expired.
        """
        with self._store.read() as unit:
            page = unit.pages.linked(token_sha256(token), self._clock.now())
        if page is None:
            raise _dead_link()
        return page

    def claim(self, token: str, session: str | None) -> Claimed:
        """Use a claim link up: its page goes to the holder of ``session``, else to a new one.

        Raises:
            NotFoundError: as in `claimable`; also for the second of two who claim at once.
        """
        now = self._clock.now()
        with self._store.write() as unit:
            holder = holder_of(unit, session, now)
            return_token = None
            if holder is None:
                holder = secrets.token_urlsafe(ID_BYTES)
                unit.pages.add_holder(holder, now)
                return_token = new_return_link(unit, holder, now)
            page = unit.pages.claim(token_sha256(token), now, holder)
            if page is None:
                raise _dead_link()
            unit.access.log(now, "holder", "page.claimed", page.award_id, "")
            return Claimed(page, new_session(unit, holder, now), return_token)

    def come_back(self, return_token: str) -> str:
        """A new session for the holder of a return link.

        Raises:
            NotFoundError: the link is unknown, or another has taken its place.
        """
        now = self._clock.now()
        with self._store.write() as unit:
            holder = unit.pages.holder_of(token_sha256(return_token), TokenKind.RETURN, now)
            if holder is None:
                raise _dead_link()
            return new_session(unit, holder, now)

    def sign_out(self, session: str) -> None:
        """End a session."""
        with self._store.write() as unit:
            unit.pages.remove_token(token_sha256(session))

    def change(self, session: str | None, page_id: str, visibility: Visibility, show_name: bool) -> None:
        """What the holder decides about a page.

        Raises:
            NotFoundError: no such page.
            ForbiddenError: it is not this session's holder's.
        """
        with self._store.write() as unit:
            page = unit.pages.get(page_id)
            if page is None:
                raise _no_page()
            holder = holder_of(unit, session, self._clock.now())
            if holder is None or page.holder != holder:
                raise ForbiddenError("only the page's holder may change it")
            unit.pages.change(page_id, visibility, show_name)

    # --- whoever looks --------------------------------------------------------------------------------------

    def view(self, page_id: str, session: str | None) -> PageView:
        """A page for a reader.

        Raises:
            NotFoundError: there is none, its holder has switched it off, or its award is erased.
        """
        with self._store.read() as unit:
            page, is_holder = self._seen(unit, page_id, session)
            award = _award(unit, page.award_id)
            document = unit.entries.document(award.batch_seq, award.index)
        if document is None or award.recipient is None:
            raise _no_page()
        shown = page.show_name or is_holder
        return view_of(page, award, orjson.loads(document), show_name=shown, is_holder=is_holder)

    def export(self, page_id: str, session: str | None, wanted: ExportFormat) -> Exported:
        """A file of the page's credential.

        Raises:
            NotFoundError: as in `view`.
            ForbiddenError: the file names the recipient, and the holder shows no name.
            WrongStateError, ChainUnavailableError, SignerError: as in `AwardExports.export`.
        """
        return exported(self._exports, self.view(page_id, session), wanted)

    def picture(self, page_id: str, session: str | None) -> Picture:
        """The badge's picture. Raises as `view`, and as `AwardExports.export`."""
        return pictured(self._exports, self.view(page_id, session))

    def card_picture(self, page_id: str, session: str | None) -> Picture:
        """The same as a PNG, for the many who show a card of a page and draw no SVG. Raises as `picture`."""
        view = self.view(page_id, session)
        return self._exports.pixels(issuer_itself(view.issuer), view.page.award_id)

    # --- parts ----------------------------------------------------------------------------------------------

    def _seen(self, unit: Unit, page_id: str, session: str | None) -> tuple[CredentialPage, bool]:
        page = unit.pages.get(page_id)
        if page is None:
            raise _no_page()
        holder = holder_of(unit, session, self._clock.now())
        is_holder = holder is not None and page.holder == holder
        if page.visibility is Visibility.OFF and not is_holder:
            raise _no_page()
        return page, is_holder


def view_of(
    page: CredentialPage,
    award: Award,
    document: Mapping[str, Any],
    *,
    show_name: bool,
    is_holder: bool = False,
) -> PageView:
    """What a reader sees who may see the recipient's name, or may not."""
    return PageView(
        page=page,
        issuer=award.issuer,
        document=document,
        name=award.recipient_name if show_name else None,
        show_name=show_name,
        is_holder=is_holder,
        may_download=show_name or not names_somebody(document),
        superseded=award.superseded_by is not None,
    )


def exported(
    exports: AwardExports, view: PageView, wanted: ExportFormat, *, show_page: bool = True
) -> Exported:
    """A file of what a reader sees; ``show_page`` says whether it may name the credential's page.

    Raises:
        ForbiddenError: the file names the recipient, whose name is not to be shown.
        WrongStateError, ChainUnavailableError, SignerError: as in `AwardExports.export`.
    """
    if not view.may_download:
        raise ForbiddenError("the file names its holder, who does not show a name; ask them for it")
    caller, award_id = issuer_itself(view.issuer), view.page.award_id
    return exports.export(caller, award_id, wanted, show_name=view.show_name, show_page=show_page)


def pictured(exports: AwardExports, view: PageView) -> Picture:
    """The badge's picture of what a reader sees. Raises as `AwardExports.export`."""
    return exports.picture(issuer_itself(view.issuer), view.page.award_id)


def names_somebody(document: Mapping[str, Any]) -> bool:
    """Whether a badge says in plain text who earned it: an identity that is not hashed, or a subject that is
    addressed by e-mail, DID or URL."""
    subject = document.get("credentialSubject")
    if not isinstance(subject, Mapping):
        return True
    identities = subject.get("identifier", [])
    plain = [one for one in identities if not (isinstance(one, Mapping) and one.get("hashed") is True)]
    identifier = subject.get("id")
    return bool(plain) or not (isinstance(identifier, str) and identifier.startswith("urn:uuid:"))


def issuer_itself(issuer: Address) -> Caller:
    """For reading what the issuer may read, once it is decided that the reader may have it."""
    return Caller(label="page", key_id=None, issuer=issuer, scopes=frozenset())


def _award(unit: Unit, award_id: str) -> Award:
    award = unit.awards.get(award_id)
    if award is None:
        raise NotFoundError("no such award of this issuer, or it has no page")
    return award


def _no_page() -> NotFoundError:
    return NotFoundError("there is no such page: the address is wrong, or its holder has switched it off")


def _dead_link() -> NotFoundError:
    return NotFoundError(
        "this link was used before, has expired, or is unknown; ask the issuer for a new one"
    )
