"""What a server publishes about its issuers, put together, and the documents that it can look at."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from registry.credentials.fetching import AllowedHosts
from registry.credentials.identity import IdentityService
from registry.credentials.own_documents import NoDocuments, OwnDocuments, SuppliedDocuments
from registry.credentials.sources import Documents
from registry.credentials.status.lists import StatusLists
from registry.credentials.status.publishing import StatusListPublisher
from registry.credentials.status.revoked import RevocationLists
from registry.ports.clock import Clock
from registry.ports.documents import Canonicalizer
from registry.ports.store import Store


@dataclass(frozen=True, slots=True)
class Publication:
    """The parts.

    Attributes:
        assigner: gives out places in the lists.
        status_lists: the lists, signed.
        revocations: the revoked awards for verifiers that know no status lists.
    """

    identity: IdentityService
    assigner: StatusLists
    status_lists: StatusListPublisher
    revocations: RevocationLists
    _elsewhere: Documents = field(repr=False)

    def documents(self, supplied: Mapping[str, bytes]) -> Documents:
        """This server's own documents, then those that a caller sent along, then what may be fetched."""
        then = SuppliedDocuments(supplied, self._elsewhere)
        return OwnDocuments(self.identity, self.status_lists, self.revocations, then)


def publication(
    store: Store,
    identity: IdentityService,
    canonicalizer: Canonicalizer,
    clock: Clock,
    *,
    max_index_age_seconds: float,
    fetch_hosts: Collection[str] = (),
) -> Publication:
    """Put the parts together. ``fetch_hosts`` as `AllowedHosts` takes them; none: nothing is fetched."""
    return Publication(
        identity=identity,
        assigner=StatusLists(identity.base_in, clock),
        status_lists=StatusListPublisher(store, identity, canonicalizer, clock, max_index_age_seconds),
        revocations=RevocationLists(store, identity, clock, max_index_age_seconds),
        _elsewhere=AllowedHosts(fetch_hosts) if fetch_hosts else NoDocuments(),
    )
