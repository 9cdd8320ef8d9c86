"""Credentials' pages, claim links and holders."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row as ResultRow
from sqlalchemy import and_, delete, func, or_, select, tuple_, update

from registry.model.pages import CredentialPage, TokenKind, Visibility
from registry.store.database import Database
from registry.store.repositories.shares import SHARED, SHARES
from registry.store.rows import ClaimLinkRow, CredentialPageRow, HolderRow, HolderTokenRow, table
from registry.store.values import instant, micros, unique_chunks

PAGES = table(CredentialPageRow)
LINKS = table(ClaimLinkRow)
HOLDERS = table(HolderRow)
TOKENS = table(HolderTokenRow)


def _page(row: ResultRow[Any]) -> CredentialPage:
    return CredentialPage(
        id=row.id,
        award_id=row.award_id,
        visibility=Visibility(row.visibility),
        show_name=row.show_name,
        holder=row.holder,
        created_at=instant(row.created_at),
    )


class Pages:
    """`registry.ports.page_store.PageRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, page: CredentialPage) -> None:
        """Store a page."""
        statement = self._db.insert(PAGES).values(
            id=page.id,
            award_id=page.award_id,
            visibility=page.visibility.value,
            show_name=page.show_name,
            holder=page.holder,
            created_at=micros(page.created_at),
        )
        self._db.run(statement)

    def get(self, page_id: str) -> CredentialPage | None:
        """The page, or None."""
        row = self._db.first(select(PAGES).where(PAGES.c.id == page_id))
        return None if row is None else _page(row)

    def of_award(self, award_id: str) -> CredentialPage | None:
        """The award's page, or None."""
        row = self._db.first(select(PAGES).where(PAGES.c.award_id == award_id))
        return None if row is None else _page(row)

    def by_ids(self, page_ids: Collection[str]) -> Sequence[CredentialPage]:
        """Those that exist, in no order."""
        found: list[CredentialPage] = []
        for chunk in unique_chunks(page_ids):
            found += [_page(row) for row in self._db.rows(select(PAGES).where(PAGES.c.id.in_(chunk)))]
        return found

    def of_holder(
        self, holder: str, *, before: tuple[datetime, str] | None = None, limit: int | None = None
    ) -> Sequence[CredentialPage]:
        """Newest first, less than ``before``."""
        query = select(PAGES).where(PAGES.c.holder == holder)
        if before is not None:
            query = query.where(tuple_(PAGES.c.created_at, PAGES.c.id) < (micros(before[0]), before[1]))
        query = query.order_by(PAGES.c.created_at.desc(), PAGES.c.id.desc()).limit(limit)
        return [_page(row) for row in self._db.rows(query)]

    def count_of_holder(self, holder: str) -> int:
        """How many pages are the holder's."""
        count: int = self._db.scalar(select(func.count()).select_from(PAGES).where(PAGES.c.holder == holder))
        return count

    def change(self, page_id: str, visibility: Visibility, show_name: bool) -> None:
        """What the holder decided."""
        values = {"visibility": visibility.value, "show_name": show_name}
        self._db.run(update(PAGES).where(PAGES.c.id == page_id).values(values))

    # --- claim links ----------------------------------------------------------------------------------------

    def add_link(self, token_sha256: bytes, page_id: str, created_at: datetime, expires_at: datetime) -> None:
        """A link in the place of the page's unused ones."""
        self._db.run(delete(LINKS).where(LINKS.c.page_id == page_id, LINKS.c.used_at.is_(None)))
        statement = self._db.insert(LINKS).values(
            token_sha256=token_sha256,
            page_id=page_id,
            created_at=micros(created_at),
            expires_at=micros(expires_at),
        )
        self._db.run(statement)

    def linked(self, token_sha256: bytes, now: datetime) -> CredentialPage | None:
        """The page of an unused link in force."""
        query = (
            select(PAGES)
            .join(LINKS, LINKS.c.page_id == PAGES.c.id)
            .where(
                LINKS.c.token_sha256 == token_sha256,
                LINKS.c.used_at.is_(None),
                LINKS.c.expires_at > micros(now),
            )
        )
        row = self._db.first(query)
        return None if row is None else _page(row)

    def claim(self, token_sha256: bytes, now: datetime, holder: str) -> CredentialPage | None:
        """Use a link up; the update itself decides between two at once."""
        page = self.linked(token_sha256, now)
        if page is None:
            return None
        used = (
            update(LINKS)
            .where(LINKS.c.token_sha256 == token_sha256, LINKS.c.used_at.is_(None))
            .values(used_at=micros(now))
        )
        if self._db.run(used) == 0:
            return None
        self._db.run(update(PAGES).where(PAGES.c.id == page.id).values(holder=holder))
        return self.get(page.id)

    # --- holders --------------------------------------------------------------------------------------------

    def add_holder(self, holder: str, created_at: datetime) -> None:
        """Store a holder."""
        self._db.run(self._db.insert(HOLDERS).values(id=holder, created_at=micros(created_at)))

    def add_token(
        self,
        token_sha256: bytes,
        holder: str,
        kind: TokenKind,
        created_at: datetime,
        expires_at: datetime | None,
    ) -> None:
        """Store a token."""
        if kind is TokenKind.RETURN:
            self._db.run(delete(TOKENS).where(TOKENS.c.holder == holder, TOKENS.c.kind == kind.value))
        statement = self._db.insert(TOKENS).values(
            token_sha256=token_sha256,
            holder=holder,
            kind=kind.value,
            created_at=micros(created_at),
            expires_at=None if expires_at is None else micros(expires_at),
        )
        self._db.run(statement)

    def holder_of(self, token_sha256: bytes, kind: TokenKind, now: datetime) -> str | None:
        """The holder of a token in force."""
        query = select(TOKENS.c.holder).where(
            TOKENS.c.token_sha256 == token_sha256,
            TOKENS.c.kind == kind.value,
            or_(TOKENS.c.expires_at.is_(None), TOKENS.c.expires_at > micros(now)),
        )
        holder: str | None = self._db.scalar(query)
        return holder

    def remove_token(self, token_sha256: bytes) -> None:
        """Forget a token."""
        self._db.run(delete(TOKENS).where(TOKENS.c.token_sha256 == token_sha256))

    def remove_sessions(self, holder: str, *, keep: bytes) -> None:
        """Forget the holder's sessions but one."""
        sessions = and_(TOKENS.c.holder == holder, TOKENS.c.kind == TokenKind.SESSION.value)
        self._db.run(delete(TOKENS).where(sessions, TOKENS.c.token_sha256 != keep))

    def remove_holder(self, holder: str) -> None:
        """Forget a holder with all tokens and shares."""
        mine = select(SHARES.c.id).where(SHARES.c.holder == holder)
        self._db.run(delete(SHARED).where(SHARED.c.share_id.in_(mine)))
        self._db.run(delete(SHARES).where(SHARES.c.holder == holder))
        self._db.run(delete(TOKENS).where(TOKENS.c.holder == holder))
        self._db.run(update(PAGES).where(PAGES.c.holder == holder).values(holder=None))
        self._db.run(delete(HOLDERS).where(HOLDERS.c.id == holder))

    def purge(self, now: datetime) -> None:
        """Forget what has expired."""
        self._db.run(delete(LINKS).where(LINKS.c.expires_at <= micros(now)))
        self._db.run(delete(TOKENS).where(TOKENS.c.expires_at <= micros(now)))
