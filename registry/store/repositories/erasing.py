"""Erasure of one credential: whatever could still tell its digest or salt.

Answers and payloads are bytes that others wrote; the digest's 64 hexadecimal digits in them become zeros, so
that they keep their shape and length.
"""

from __future__ import annotations

from sqlalchemy import delete, func, or_, select, update

from registry.encoding import Address, Digest
from registry.errors import NotSealedError
from registry.model.batches import BatchState
from registry.store.database import Database
from registry.store.repositories.batches import AWARDS, BATCHES, DETAILS, ENTRIES, RECEIVING
from registry.store.rows import (
    ApiKeyRow,
    ClaimLinkRow,
    CredentialPageRow,
    EndorsementRow,
    FeedRow,
    IdempotencyRow,
    SharedPageRow,
    SkippedDigestRow,
    StatusRequestRow,
    table,
)

FEED = table(FeedRow)
ANSWERS = table(IdempotencyRow)
KEYS = table(ApiKeyRow)
SKIPPED = table(SkippedDigestRow)
REQUESTS = table(StatusRequestRow)
PAGES = table(CredentialPageRow)
LINKS = table(ClaimLinkRow)
SHARED = table(SharedPageRow)
ENDORSEMENTS = table(EndorsementRow)

SERVER_ADMIN = "admin"
"""Owner of the server administrator's idempotency keys; the others are owned by API keys."""


def erase_entries(database: Database, issuer: Address, digest: Digest, keep_credential_ids: bool) -> int:
    """See `registry.store.repositories.entries.Entries.erase`."""
    query = (
        select(ENTRIES.c.batch_seq, ENTRIES.c.entry_index, BATCHES.c.state)
        .join_from(ENTRIES, BATCHES, BATCHES.c.seq == ENTRIES.c.batch_seq)
        .where(ENTRIES.c.digest == digest, BATCHES.c.issuer == issuer, BATCHES.c.state != RECEIVING)
    )
    rows = database.rows(query)
    if any(row.state == BatchState.OPEN.value for row in rows):
        raise NotSealedError("the credential stands in an open batch; it can be erased once that is sealed")
    for row in rows:  # as many as batches of this issuer have the digest: mostly one
        entry, detail, award, endorsement = (
            (at.c.batch_seq == row.batch_seq, at.c.entry_index == row.entry_index)
            for at in (ENTRIES, DETAILS, AWARDS, ENDORSEMENTS)
        )
        database.run(update(ENTRIES).where(*entry).values(digest=None, salt=None))
        database.run(delete(DETAILS).where(*detail))
        database.run(delete(ENDORSEMENTS).where(*endorsement))
        pages = select(PAGES.c.id).where(PAGES.c.award_id.in_(select(AWARDS.c.id).where(*award)))
        database.run(delete(LINKS).where(LINKS.c.page_id.in_(pages)))
        database.run(delete(SHARED).where(SHARED.c.page_id.in_(pages)))
        database.run(delete(PAGES).where(PAGES.c.award_id.in_(select(AWARDS.c.id).where(*award))))
        forgotten = {"recipient": None, "fingerprint": None}
        if not keep_credential_ids:
            forgotten["credential_id"] = None
        database.run(update(AWARDS).where(*award).values(forgotten))
    requests = select(REQUESTS.c.id).where(REQUESTS.c.issuer == issuer)
    database.run(delete(SKIPPED).where(SKIPPED.c.digest == digest, SKIPPED.c.request_id.in_(requests)))
    _scrub_feed(database, issuer, digest.hex())
    _scrub_answers(database, issuer, digest.hex())
    return len(rows)


def _scrub_feed(database: Database, issuer: Address, digits: str) -> None:
    statement = (
        update(FEED)
        .where(FEED.c.issuer == issuer, FEED.c.payload.contains(digits))
        .values(payload=func.replace(FEED.c.payload, digits, "0" * len(digits)))
    )
    database.run(statement)


def _scrub_answers(database: Database, issuer: Address, digits: str) -> None:
    needle = digits.encode()
    found = (
        func.strpos(func.encode(ANSWERS.c.answer_body, "escape"), digits)  # keeps ASCII as it is
        if database.is_postgres
        else func.instr(ANSWERS.c.answer_body, needle)
    )
    owners = select(KEYS.c.id).where(KEYS.c.issuer == issuer)
    query = select(ANSWERS.c.owner, ANSWERS.c.key, ANSWERS.c.answer_body).where(
        or_(ANSWERS.c.owner == SERVER_ADMIN, ANSWERS.c.owner.in_(owners)), found > 0
    )
    for owner, key, body in database.rows(query):
        database.run(
            update(ANSWERS)
            .where(ANSWERS.c.owner == owner, ANSWERS.c.key == key)
            .values(answer_body=body.replace(needle, b"0" * len(needle)))
        )
