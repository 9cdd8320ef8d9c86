"""Verifying a bundle without any network.

From the raw header follow its hash and the state root; from the state root, by Merkle-Patricia proofs, the
registry's code hash and storage; from storage the key, the batch, both words of bits and the history head;
and the events must lead to that head and to that same storage. Whether the block itself is real cannot be
seen from a bundle: only a checkpoint of the verifier says so, and without one everything in it may be
invented, so that nothing in it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from registry.encoding import JsonValue, Root
from registry.errors import MalformedEvidenceError
from registry.model.chain import BatchOnChain, BitKind, Header, KeyOnChain
from registry.services.claims import VerifyRequest, read_claim
from registry.services.offline.bundle_json import Bundle, bundle_from_json
from registry.services.offline.checkpoints import Checkpoints
from registry.services.offline.trust import Trust, candidate_of, evidence_of
from registry.verdict.evidence import Reading
from registry.verdict.history import RegistryState, replay
from registry.verdict.judge import judge
from registry.verdict.report import Report, Source
from registry.verdict.storage_layout import (
    slot_of_batch,
    slot_of_bits,
    slot_of_head,
    slot_of_key,
    unpack_batch,
    unpack_key,
)
from registry.verdict.storage_proofs import verify_account, verify_header, verify_slot
from registry.verdict.views import Target, view_of, word_of

MAX_AGE = timedelta(days=7)
"""A bundle whose block is older gives no `valid`: much can have been revoked since."""


def verify_bundle(
    bundle: JsonValue,
    checkpoints: Checkpoints,
    trust: Trust,
    *,
    now: datetime,
    max_age: timedelta = MAX_AGE,
    request: VerifyRequest | None = None,
) -> Report:
    """Verify a bundle.

    Args:
        bundle: as `parse_json` returned it.
        request: what the verifier holds besides the bundle: a credential or digest (then they are verified,
        with the bundle's proof), and the issuer that is expected. Its ``as_of`` and ``live`` do not apply. An
        rdfc-sha256 digest has to be computed already.

    Raises:
        MalformedEvidenceError: a part is missing, truncated, or contradicts another.
        ValidationError, MalformedJsonError: the credential has no digest.
    """
    read = bundle_from_json(bundle)
    asked = _asked(read, request)
    claim = read_claim(asked)
    header = verify_header(read.header)
    state = _proven_state(read, header.state_root, trust)
    candidate = candidate_of(read.proof, asked, trust)
    distrust = _distrust(read, header.header, checkpoints, trust, known_code=state is not None)
    if distrust is not None or state is None:
        candidate = replace(candidate, contested=distrust)
    else:
        view = view_of(state, Target(read.proof.issuer, read.proof.root, read.proof.index))
        candidate = replace(candidate, latest=view, final=view)
    reading = replace(_reading(read, header.header, trust, now, max_age), problem=distrust)
    return judge(evidence_of(claim, asked, candidate, reading, now))


def _asked(bundle: Bundle, request: VerifyRequest | None) -> VerifyRequest:
    """The verifier's own document and digest come before those in the bundle."""
    if request is None or (request.credential is None and request.digest is None):
        issuer = request.issuer if request else None
        return VerifyRequest(bundle.digest, bundle.credential, bundle.proof, issuer)
    return VerifyRequest(
        request.digest, request.credential, bundle.proof, request.issuer, computed=request.computed
    )


def _reading(bundle: Bundle, header: Header, trust: Trust, now: datetime, max_age: timedelta) -> Reading:
    """A trusted block counts as final; who gave the checkpoint answers for that."""
    chain_id = bundle.registry.chain.number
    return Reading(
        chain_id=chain_id,
        registry=bundle.registry.address,
        test_chain=trust.is_test_chain(chain_id),
        source=Source.BUNDLE,
        block=header,
        final_block=header.number,
        age_seconds=now.timestamp() - header.timestamp,
        limit_seconds=max_age.total_seconds(),
    )


def _distrust(
    bundle: Bundle, header: Header, checkpoints: Checkpoints, trust: Trust, *, known_code: bool
) -> str | None:
    """Why nothing in the bundle may be used; None when it may."""
    if trust.registries and bundle.registry not in trust.registries:
        return f"the bundle is for the registry {bundle.registry}, which this verifier does not use"
    if not checkpoints.trusts(bundle.registry.chain.number, header.hash):
        return (
            f"block {header.number} (0x{header.hash.hex()}) is none of the verifier's trusted checkpoints, "
            "and anyone can invent one"
        )
    if not known_code:
        return "the contract at that address, in that block, is not the registry"
    return None


def _proven_state(bundle: Bundle, state_root: bytes, trust: Trust) -> RegistryState | None:
    """The issuer's replayed history, held against the proven storage; None when the account has other code,
    whose storage means nothing here.

    Raises:
        MalformedEvidenceError: a proof does not hold, or events and storage contradict each other.
    """
    account = verify_account(state_root, bundle.registry.address, bundle.account_proof)
    proof = bundle.proof
    word = word_of(proof.index)

    def stored(name: str, slot: int) -> int:
        return verify_slot(account.storage_root, slot, bundle.storage_proofs[name])

    batch = unpack_batch(stored("batch", slot_of_batch(proof.issuer, proof.root)))
    key = unpack_key(stored("key", slot_of_key(batch.key)))
    head = stored("head", slot_of_head(proof.issuer)).to_bytes(32, "big")
    words = {kind: stored(kind.value, slot_of_bits(kind, proof.issuer, proof.root, word)) for kind in BitKind}
    if account.code_hash != trust.code_hash:
        return None
    try:
        history = replay(bundle.events)
    except ValueError as error:
        raise MalformedEvidenceError("an event in the bundle lacks a parameter of its kind") from error
    if history.problems or history.head != head:
        raise MalformedEvidenceError("the events in the bundle do not lead to the history head in storage")
    _require_equal(history.state, bundle, batch, key, words)
    return history.state


def _require_equal(
    state: RegistryState,
    bundle: Bundle,
    batch: BatchOnChain,
    key: KeyOnChain,
    words: Mapping[BitKind, int],
) -> None:
    """Heads commit to every event, so proven storage and replayed events can differ only in a broken
    bundle."""
    issuer, root = bundle.proof.issuer, Root(bundle.proof.root)
    word = word_of(bundle.proof.index)
    replayed = state.batch(issuer, root)
    withdrawal = replayed.withdrawal if replayed else None
    batch_facts = (
        (
            replayed.key,
            replayed.anchored_at,
            withdrawal.at if withdrawal else 0,
            withdrawal.reason if withdrawal else 0,
        )
        if replayed
        else (bytes(20), 0, 0, 0)
    )
    known = state.key(batch.key)
    key_facts = (
        (known.issuer, known.valid_until, known.retired_at, known.roles) if known else (bytes(20), 0, 0, 0)
    )
    same = (
        batch_facts == (batch.key, batch.anchored_at, batch.withdrawn_at, batch.reason)
        and key_facts == (key.issuer, key.valid_until, key.retired_at, key.roles)
        and all(state.word(kind, issuer, root, word) == value for kind, value in words.items())
    )
    if not same:
        raise MalformedEvidenceError("the events in the bundle contradict the storage that it proves")
