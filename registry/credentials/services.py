"""The services of this package, put together over the parts that they are given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from registry.credentials.accreditations import AccreditationService
from registry.credentials.achievement_images import AchievementImageService
from registry.credentials.achievements import AchievementService
from registry.credentials.assembly import examining
from registry.credentials.awards import AwardService
from registry.credentials.certificates.designs import DesignService
from registry.credentials.exporting import AwardExports
from registry.credentials.holding.collection import CollectionService
from registry.credentials.holding.pages import PageService
from registry.credentials.holding.sharing import ShareService
from registry.credentials.hosts import HostedIssuers
from registry.credentials.identity import IdentityService
from registry.credentials.own_anchors import OwnAnchors
from registry.credentials.publication import Publication, publication
from registry.credentials.rdf import RdfCanonicalizer
from registry.credentials.registries import IndexedRegistry
from registry.credentials.securing import SignedAwards
from registry.credentials.signed_documents import SignedDocuments
from registry.credentials.vc_api.issuing import VcIssuing
from registry.credentials.vc_api.presenting import PresentationVerification
from registry.credentials.verification import CredentialVerification
from registry.encoding import Address
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.signer import CredentialKeystore
from registry.ports.store import Store
from registry.services.issuing import IssuingService
from registry.services.policy import Policy
from registry.services.status import StatusService
from registry.services.verification import VerificationService


@dataclass(frozen=True, slots=True)
class CredentialServices:
    """Everything about credentials, beside what the registry does with digests.

    Attributes:
        documents: verifies documents of any known format.
        presentations, vc_issuing: what the VC API does beyond that.
        exports: hands out awards' credentials.
        signed: makes credentials that are no awards.
        pages: shows awards to people.
        collection: all credentials of one holder.
        shares: what holders show of theirs.
        designs: how certificates look.
        accreditations: who vouches for issuers.
    """

    identity: IdentityService
    canonicalizer: RdfCanonicalizer
    publication: Publication
    documents: CredentialVerification
    achievements: AchievementService
    achievement_images: AchievementImageService
    awards: AwardService
    presentations: PresentationVerification
    vc_issuing: VcIssuing
    exports: AwardExports
    signed: SignedDocuments
    pages: PageService
    collection: CollectionService
    shares: ShareService
    designs: DesignService
    accreditations: AccreditationService


def credential_services(
    store: Store,
    chain: Chain,
    clock: Clock,
    policy: Policy,
    identity: IdentityService,
    keystore: CredentialKeystore,
    canonicalizer: RdfCanonicalizer,
    issuing: IssuingService,
    status: StatusService,
    verification: VerificationService,
    *,
    max_index_age_seconds: float,
    fetch_hosts: Collection[str],
    trusted: frozenset[str],
    accreditors: frozenset[Address],
) -> CredentialServices:
    """Put the services together.

    Args:
        fetch_hosts: where issuers' documents may be fetched from.
        trusted: DIDs and web addresses of the trust list.
        accreditors: its accounts.
    """
    published = publication(
        store,
        identity,
        canonicalizer,
        clock,
        max_index_age_seconds=max_index_age_seconds,
        fetch_hosts=fetch_hosts,
    )
    formats = examining(canonicalizer, published.documents, chain.ledgers(confirmations=policy.confirmations))
    anchors = OwnAnchors(chain, identity, confirmations=policy.confirmations)
    documents = CredentialVerification(
        IndexedRegistry(verification, chain),
        formats,
        HostedIssuers(store, chain, identity, anchors),
        clock,
        trusted,
    )
    securer = SignedAwards(identity, canonicalizer, clock)
    exports = AwardExports(store, chain, identity, anchors, confirmations=policy.confirmations)
    return CredentialServices(
        identity=identity,
        canonicalizer=canonicalizer,
        publication=published,
        documents=documents,
        achievements=AchievementService(store, clock),
        achievement_images=AchievementImageService(store, clock, identity.base),
        awards=AwardService(
            store, chain, clock, policy, issuing, status, securer, identity.did, published.assigner
        ),
        presentations=PresentationVerification(documents, formats, clock),
        vc_issuing=VcIssuing(store, keystore, canonicalizer, clock),
        exports=exports,
        signed=SignedDocuments(store, clock, issuing, securer, exports, canonicalizer, identity.did),
        pages=PageService(store, clock, exports),
        collection=CollectionService(store, clock, verification, exports, issuing, canonicalizer),
        shares=ShareService(store, clock, verification, exports),
        designs=DesignService(store, clock),
        accreditations=AccreditationService(store, verification, accreditors, identity.did),
    )
