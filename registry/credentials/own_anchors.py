"""Which of this server's anchors can stand inside the documents that they vouch for, and as which proof.

Blockcerts' verifier compares a transaction's whole call data with the root and its sender with the issuer's
keys, on Ethereum and Sepolia alone. So a batch's anchor can be shown that way when the issuer's own key sent
the bare root to the registry's fallback, when that is final, and when the key's method is published.
Elsewhere a document has its signatures alone, and the RootmarkProof travels beside it.

Invariant: the transaction is looked at on the chain before a proof names it, since somebody else than this
server may have anchored the root, by a call of another form.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

from registry.credentials.identity import IdentityService
from registry.credentials.merkle_proof_2019 import EXPORT_CHAINS, anchor_proof
from registry.encoding import BlockHash, DigestMethod, TxHash
from registry.errors import ChainUnavailableError, UnavailableSourceError
from registry.merkle import InclusionProof
from registry.model.batches import Anchor, Batch, BatchState
from registry.model.chain import SendMode
from registry.ports.chain import Chain

MAX_REMEMBERED = 10_000


class OwnAnchors:
    """Safe to call from several threads."""

    def __init__(self, chain: Chain, identity: IdentityService, *, confirmations: int) -> None:
        self._chain_id = chain.info.chain_id
        self._registry = chain.info.address
        self._ledgers = chain.ledgers(confirmations=confirmations)
        self._identity = identity
        self._bare: OrderedDict[tuple[TxHash, BlockHash], bool] = OrderedDict()
        self._lock = Lock()

    def proof(self, batch: Batch, inclusion: InclusionProof, issuer: str) -> dict[str, Any] | None:
        """The proof to put into a document of the batch; None where there can be none.

        Args:
            issuer: the document's: the DID whose method is named, as it was when the document was signed.

        Raises:
            ChainUnavailableError: the transaction cannot be looked at now.
        """
        if inclusion.method is not DigestMethod.RDFC_SHA256:
            return None
        fragment = self.method_fragment(batch)
        if fragment is None:
            return None
        assert batch.anchor is not None
        return anchor_proof(
            inclusion,
            transaction=batch.anchor.transaction,
            chain_id=self._chain_id,
            created=batch.anchor.anchored_at,
            verification_method=f"{issuer}#{fragment}",
        )

    def method_fragment(self, batch: Batch) -> str | None:
        """The name, within the issuer's DID document, of the key that sent the batch's root; None where its
        documents can carry no anchor proof. Raises `ChainUnavailableError`."""
        anchor = batch.anchor
        if self._chain_id not in EXPORT_CHAINS or batch.state is not BatchState.FINAL or anchor is None:
            return None
        if anchor.mode is not SendMode.DIRECT:
            return None
        method = self._identity.anchoring_methods(batch.issuer).get(anchor.sender)
        if method is None or not self._is_bare(batch, anchor):
            return None
        return method.rpartition("#")[2]

    def _is_bare(self, batch: Batch, anchor: Anchor) -> bool:
        """Whether the root is the whole call data of the transaction; remembered, for that cannot change."""
        key = (anchor.transaction, anchor.block_hash)
        with self._lock:
            known = self._bare.get(key)
        if known is not None:
            return known
        try:
            found = self._ledgers.transaction(self._chain_id, anchor.transaction)
        except UnavailableSourceError as error:
            raise ChainUnavailableError(str(error)) from error
        if found is None:
            return False
        bare = found.input == batch.root and found.sender == anchor.sender and found.to == self._registry
        with self._lock:
            self._bare[key] = bare
            if len(self._bare) > MAX_REMEMBERED:
                self._bare.popitem(last=False)
        return bare
