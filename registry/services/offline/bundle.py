"""Making a bundle: everything that is needed to verify one credential at one block, in one JSON file.

docs/bundle-format.md is the specification; `bundle_check` verifies. A bundle proves nothing by itself: it is
as good as the verifier's trust in its block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from registry.encoding import AccountId, ChainId, invalid, to_hex
from registry.errors import NodeMismatchError
from registry.merkle import proof_to_json
from registry.model.chain import BitKind, Header
from registry.ports.chain import ChainReader
from registry.services.claims import VerifyRequest, read_claim
from registry.services.offline.bundle_json import BUNDLE_TYPE, event_to_json
from registry.services.offline.trust import required_proof
from registry.verdict.heads import EMPTY_HEAD
from registry.verdict.history import replay
from registry.verdict.storage_layout import slot_of_batch, slot_of_bits, slot_of_head, slot_of_key
from registry.verdict.views import word_of


def make_bundle(
    chain: ChainReader, request: VerifyRequest, *, confirmations: int, block: Header | None = None
) -> dict[str, Any]:
    """Collect a bundle from a node.

    Args:
        request: a proof, with the credential or the digest that it is for; ``issuer``, ``as_of`` and
        ``live`` are not
            part of a bundle.
        confirmations: which block is taken where ``block`` is not given: the newest final one.
        block: the block to prove; verifiers have to trust it. An old one needs a node with old state.

    Returns:
        The bundle's JSON object.

    Raises:
        ValidationError: there is no proof, or document, digest and proof contradict each other.
        UnsupportedByNodeError: the node has no `eth_getProof`. The embedded chain has none.
        UnknownBlockError, ChainUnavailableError: the block, or the node, cannot be read.
        NodeMismatchError: the node's events do not lead to the history head that the contract holds.
    """
    claim = read_claim(request)
    proof = required_proof(claim)
    if claim.is_invalid:
        raise invalid("contradiction", "document, digest and proof do not belong together", "")
    header = block if block is not None else _final_block(chain, confirmations)
    batch = chain.batch_of(proof.issuer, proof.root, header.hash)
    word = word_of(proof.index)
    slots = {
        "key": slot_of_key(batch.key),
        "batch": slot_of_batch(proof.issuer, proof.root),
        "head": slot_of_head(proof.issuer),
        "revoked": slot_of_bits(BitKind.REVOKED, proof.issuer, proof.root, word),
        "suspended": slot_of_bits(BitKind.SUSPENDED, proof.issuer, proof.root, word),
    }
    proven = chain.proof(tuple(slots.values()), header.hash)
    events = chain.events_in_range(chain.info.deployed_block, header.number, issuer=proof.issuer)
    head = replay(events).head if events else EMPTY_HEAD
    if head != chain.head_of(proof.issuer, header.hash):
        raise NodeMismatchError("the node's events do not lead to the history head that the contract holds")
    nodes = dict(proven.storage_proofs)
    bundle = {
        "type": BUNDLE_TYPE,
        "registry": str(AccountId(ChainId(chain.info.chain_id), chain.info.address)),
        "credential": request.credential,
        "digest": to_hex(claim.digest),
        "proof": proof_to_json(proof),
        "header": to_hex(proven.header_rlp),
        "accountProof": _nodes(proven.account_proof),
        "storageProofs": {name: _nodes(nodes[slot]) for name, slot in slots.items()},
        "events": [event_to_json(event) for event in events],
    }
    return {name: value for name, value in bundle.items() if value is not None}


def _final_block(chain: ChainReader, confirmations: int) -> Header:
    finalized = chain.finalized()
    if finalized is not None:
        return finalized
    newest = chain.latest()
    return newest if confirmations <= 1 else chain.header(max(newest.number - confirmations + 1, 0))


def _nodes(proof: Sequence[bytes]) -> list[str]:
    return [to_hex(node) for node in proof]
