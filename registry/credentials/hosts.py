"""The issuers of this server by the names in documents, and what ties a name to an account on chain."""

from __future__ import annotations

from registry.credentials.agreement import AgreementState, agreement
from registry.credentials.did_web import account_in_did, issuer_of_did
from registry.credentials.findings import Finding
from registry.credentials.identity import IdentityService
from registry.credentials.own_anchors import OwnAnchors
from registry.encoding import AccountId, Address, ChainId, to_hex
from registry.errors import ConfigurationError, RootmarkError
from registry.model.chain import EventKind
from registry.ports.chain import ChainReader
from registry.ports.store import Store
from registry.verdict.report import CheckName, CheckResult, ShownAnchor

_MAX_PROFILES = 1_000
_RESULTS = {
    AgreementState.BOTH: CheckResult.PASS,
    AgreementState.CHAIN_SILENT: CheckResult.SKIPPED,
    AgreementState.CHAIN_DIFFERS: CheckResult.SKIPPED,
    AgreementState.DOCUMENT_SILENT: CheckResult.SKIPPED,
    AgreementState.DOCUMENT_DIFFERS: CheckResult.FAIL,
}
"""One direction that is silent, or whose profile on chain is older than the DID, is said and decides nothing:
the account's own key anchored the document that carries the DID."""


def named_account(issuer: str, anchoring: Address) -> Finding | None:
    """A finding for a DID that ends in the account which anchored the document: it names it, and nothing more
    is known. None for every other name."""
    if not (issuer.startswith("did:") and issuer.lower().endswith(":" + to_hex(anchoring))):
        return None
    detail = "its DID names the account that anchored it; whether the DID's host agrees was not looked at"
    return Finding(CheckName.ISSUER, CheckResult.SKIPPED, detail)


class NoHosts:
    """For a verifier without a server: nobody is hosted."""

    def address_of(self, issuer: str) -> Address | None:
        """None."""
        del issuer
        return None

    def named_by_caller(self, issuer: str) -> Address | None:
        """The account that stands in the DID. The caller trusts whoever made that DID, so nobody who is not
        trusted chose the account."""
        return account_in_did(issuer)

    def agreement(self, issuer: str, anchoring: Address) -> Finding | None:
        """What the name itself says."""
        return named_account(issuer, anchoring)

    def anchor_travels(self, anchor: ShownAnchor) -> bool:
        """False: nothing was handed out here."""
        del anchor
        return False


class HostedIssuers:
    """`registry.credentials.verification.Hosts` of this server."""

    def __init__(
        self, store: Store, chain: ChainReader, identity: IdentityService, anchors: OwnAnchors
    ) -> None:
        self._store = store
        self._chain = chain
        self._identity = identity
        self._anchors = anchors

    def address_of(self, issuer: str) -> Address | None:
        """The account behind a did:web of this server, if it hosts that issuer."""
        if not issuer.startswith("did:web:"):
            return None
        try:
            address = issuer_of_did(self._identity.base(), issuer)
        except ConfigurationError:
            return None
        if address is None:
            return None
        with self._store.read() as unit:
            return None if unit.issuers.get(address) is None else address

    def named_by_caller(self, issuer: str) -> Address | None:
        """The same: the server answers for its own issuers alone."""
        return self.address_of(issuer)

    def agreement(self, issuer: str, anchoring: Address) -> Finding | None:
        """Whether the account's profile on chain and the DID's document name each other. An account that
        anchors under the DID of another one fails."""
        address = self.address_of(issuer)
        if address is None:
            if issuer.startswith("did:web:") and not self._named_on_chain(issuer, anchoring):
                return None  # a did:web speaks for its host, and this server is another one
            return named_account(issuer, anchoring)
        if address != anchoring:
            return Finding(CheckName.ISSUER, CheckResult.FAIL, "its DID is that of another account")
        try:
            document = self._identity.document(address)
        except RootmarkError as error:
            detail = f"the issuer's DID document cannot be made now ({error})"
            return Finding(CheckName.ISSUER, CheckResult.SKIPPED, detail)
        with self._store.read() as unit:
            events = unit.events.list(issuer=anchoring, kinds={EventKind.PROFILE_SET}, limit=_MAX_PROFILES)
        uri = events[-1].event.uri if events else None
        account = AccountId(ChainId(self._chain.info.chain_id), anchoring)
        found = agreement(account, uri, document)
        return Finding(CheckName.ISSUER, _RESULTS[found.state], found.detail)

    def _named_on_chain(self, issuer: str, anchoring: Address) -> bool:
        """Whether an account whose admin key is here has had this DID as its profile on chain: then this
        server gave it the name, under an address that it had before."""
        with self._store.read() as unit:
            row = unit.issuers.get(anchoring)
            if row is None or not row.hosted_admin:
                return False
            events = unit.events.list(issuer=anchoring, kinds={EventKind.PROFILE_SET}, limit=_MAX_PROFILES)
        return any(stored.event.uri == issuer for stored in events)

    def anchor_travels(self, anchor: ShownAnchor) -> bool:
        """Whether `OwnAnchors` has a proof for the batch's documents; not said while the node is silent."""
        if anchor.batch is None:
            return False
        with self._store.read() as unit:
            batch = unit.batches.by_id(anchor.batch)
        try:
            return batch is not None and self._anchors.method_fragment(batch) is not None
        except RootmarkError:
            return False
