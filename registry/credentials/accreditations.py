"""Who vouches for an issuer: endorsements of it by issuers that this server's operator trusts.

Anybody hosted here can endorse anybody, with any words; so only those count whom the operator put on the
trust list, which is where accreditors belong. Shown are endorsements that are in force: anchored, within
their dates, and not taken back.

Source: Open Badges 3.0, section 8 (EndorsementCredential).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

import orjson

from registry.encoding import Address
from registry.errors import ConfigurationError
from registry.model.batches import Entry
from registry.ports.store import Store
from registry.services.verification import VerificationService, VerifyRequest
from registry.verdict.report import Outcome, Report, ShownIssuer

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

    def __init__(
        self,
        store: Store,
        verification: VerificationService,
        trusted: Collection[Address],
        identify: Callable[[Address], str],
    ) -> None:
        """
        Args:
            trusted: the accounts of the operator's trust list.
            identify: gives an issuer's DID; raises `ConfigurationError` where none can be made here.
        """
        self._store = store
        self._verification = verification
        self._trusted = frozenset(trusted)
        self._identify = identify

    def of(self, issuer: ShownIssuer, *, as_of: int | datetime | None = None) -> list[Accreditation]:
        """Those of one issuer, newest first, `SHOWN` at most: none of an issuer who is not known, since what
        is said of a name is not said of whoever uses it, and never its own.

        Args:
            as_of: a block or a time; None for now.

        Raises:
            StoreUnavailableError: the registry cannot be read.
        """
        others = self._trusted - {issuer.address}
        if not issuer.known or not others:
            return []
        identifiers = self._identifiers(issuer)
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

    def _identifiers(self, issuer: ShownIssuer) -> list[str]:
        """The ids by which an endorsement may name it."""
        known = [] if issuer.id is None else [issuer.id]
        if issuer.address is None:
            return known
        try:
            return [*known, self._identify(issuer.address)]
        except ConfigurationError:  # then nobody here has a DID that could have been named
            return known


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
