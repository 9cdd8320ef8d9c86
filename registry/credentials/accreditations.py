"""Who vouches for an issuer: endorsements of it by issuers that this server's operator trusts.

Anybody hosted here can endorse anybody, with any words; so only those count whom the operator put on the
trust list, which is where accreditors belong. Shown are endorsements that are in force: anchored, within
their dates, and not taken back.

Source: Open Badges 3.0, section 8 (EndorsementCredential).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import orjson

from registry.encoding import Address
from registry.model.batches import Entry
from registry.ports.store import Store
from registry.services.verification import VerificationService, VerifyRequest
from registry.verdict.report import Outcome, Report

LOOKED_AT = 50
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Accreditation:
    """An endorsement in force. ``by`` is who gives it; ``comment`` and ``name`` are their words."""

    by: str
    account: Address
    name: str
    comment: str
    since: datetime | None
    until: datetime | None


class AccreditationService:
    """Read-only."""

    def __init__(self, store: Store, verification: VerificationService, trusted: Collection[Address]) -> None:
        """``trusted`` are the accounts of the operator's trust list."""
        self._store = store
        self._verification = verification
        self._trusted = frozenset(trusted)

    def of(
        self, identifiers: Collection[str], *, account: Address | None, as_of: int | None = None
    ) -> list[Accreditation]:
        """Those of one issuer, newest first, `SHOWN` at most.

        Args:
            identifiers: the ids by which endorsements may name it: DIDs, web addresses.
            account: its own, whose word about itself does not count.
            as_of: a block; None for now.

        Raises:
            StoreUnavailableError: the registry cannot be read.
        """
        others = self._trusted - {account}
        if not identifiers or not others:
            return []
        with self._store.read() as unit:
            places = unit.endorsements.about(identifiers, others, LOOKED_AT)
            entries = {(one.batch_seq, one.index): one for one in unit.entries.by_indices(places)}
            documents = unit.entries.documents(places)
            names = unit.issuers.by_addresses({entry.issuer for entry in entries.values()})
        known = [entries[place] for place in places if place in entries and place in documents]
        asked = [VerifyRequest(entry.digest, issuer=entry.issuer, as_of=as_of) for entry in known]
        reports = self._verification.verify_many(asked) if asked else []
        good = [
            entry
            for entry, report in zip(known, reports, strict=True)
            if isinstance(report, Report) and report.outcome is Outcome.VALID
        ]
        return [
            _accreditation(entry, names[entry.issuer].name, documents[entry.batch_seq, entry.index])
            for entry in good[:SHOWN]
        ]


def _accreditation(entry: Entry, by: str, document: bytes) -> Accreditation:
    """Out of a document that this server made itself."""
    members = orjson.loads(document)
    return Accreditation(
        by=by,
        account=entry.issuer,
        name=str(members["name"]),
        comment=str(members["credentialSubject"]["endorsementComment"]),
        since=entry.valid_from,
        until=entry.valid_until,
    )
