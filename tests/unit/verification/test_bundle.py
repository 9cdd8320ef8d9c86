"""Bundles: what a trusted block makes of them, and that nothing makes a fabricated one valid."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from registry.encoding import AccountId, Address, BlockHash, ChainId, Digest, DigestMethod, to_hex
from registry.errors import MalformedEvidenceError, RootmarkError, ValidationError
from registry.merkle import proof_to_json
from registry.model.chain import BitKind, EventKind
from registry.services.claims import VerifyRequest
from registry.services.offline import Checkpoints, verify_bundle
from registry.verdict.report import CheckName, CheckResult, Outcome, Report
from registry.verdict.storage_layout import slot_of_bits, slot_of_head
from tests.unit.verdict.samples import BASE, ISSUER, KEY_2, REGISTRY, ROOT_2, History
from tests.unit.verification.forging import (
    CREDENTIAL,
    NOW,
    PROOF,
    Forgery,
    history,
    proof_of,
    trust,
    trusting,
)


def verify(bundle: dict[str, Any], checkpoints: Checkpoints | None = None, **options: Any) -> Report:
    given = {"now": NOW} | options
    rules = given.pop("trust", trust())
    return verify_bundle(bundle, trusting(bundle) if checkpoints is None else checkpoints, rules, **given)


HISTORIES: dict[str, tuple[History, Outcome]] = {
    "good": (history(), Outcome.VALID),
    "revoked": (history().revoke(0, root=PROOF.root), Outcome.REVOKED),
    "revoked and annulled": (
        history().revoke(0, root=PROOF.root).annul(0, root=PROOF.root),
        Outcome.VALID,
    ),
    "another one revoked": (history().revoke(1, 300, root=PROOF.root), Outcome.VALID),
    "suspended": (history().suspend(0, root=PROOF.root), Outcome.SUSPENDED),
    "withdrawn": (history().withdraw(PROOF.root), Outcome.WITHDRAWN),
    "key retired before": (history().retire_key(valid_until=BASE + 5), Outcome.WITHDRAWN),
    "taken over": (
        history().add_key(KEY_2).retire_key(valid_until=BASE + 5).anchor(PROOF.root, KEY_2),
        Outcome.VALID,
    ),
    "not anchored": (History().add_key().anchor(ROOT_2), Outcome.NOT_FOUND),
    "issuer that never wrote": (History(), Outcome.NOT_FOUND),
    "with a profile and admins": (
        history()
        .add(EventKind.PROFILE_SET, uri="https://university.example/é")
        .add(EventKind.PROFILE_SET, uri=b"\xff\xfe\x00".decode("utf-8", "surrogateescape"))
        .add(EventKind.ADMIN_PROPOSED, account=KEY_2)
        .add(EventKind.ADMIN_CHANGED, account=KEY_2)
        .revoke(0, root=PROOF.root)
        .annul(0, root=PROOF.root, actor=KEY_2),
        Outcome.VALID,
    ),
    "far words": (history().revoke(2**64 - 1, root=PROOF.root), Outcome.VALID),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_trusted_block_gives_the_outcome_of_its_history(name: str) -> None:
    events, expected = HISTORIES[name]
    report = verify(Forgery(events).bundle())
    assert report.outcome is expected, report.summary
    assert report.as_of.source == "bundle"
    assert not report.as_of.test_chain


@pytest.mark.parametrize("name", HISTORIES)
def test_wholly_fabricated_bundle_is_indeterminate_whatever_it_says(name: str) -> None:
    events, _ = HISTORIES[name]
    report = verify(Forgery(events).bundle(), Checkpoints())
    assert report.outcome is Outcome.INDETERMINATE
    assert "anyone can invent one" in report.summary
    assert report.anchor is None
    assert report.check(CheckName.ANCHOR).result is CheckResult.UNKNOWN


def test_checkpoint_of_another_block_does_not_help() -> None:
    checkpoints = Checkpoints(by_hand=frozenset({BlockHash(b"\1" * 32)}))
    assert verify(Forgery(history()).bundle(), checkpoints).outcome is Outcome.INDETERMINATE


def test_signed_checkpoint_counts_for_its_own_chain_only() -> None:
    bundle = Forgery(history()).bundle()
    (block_hash,) = trusting(bundle).by_hand
    here = Checkpoints(signed=frozenset({(1, block_hash)}))
    elsewhere = Checkpoints(signed=frozenset({(5, block_hash)}))
    assert verify(bundle, here).outcome is Outcome.VALID
    assert verify(bundle, elsewhere).outcome is Outcome.INDETERMINATE
    assert verify(bundle, elsewhere | here).outcome is Outcome.VALID


def test_bundle_older_than_its_limit_is_indeterminate() -> None:
    bundle = Forgery(history()).bundle()
    limit = timedelta(days=7)
    assert verify(bundle, now=NOW + limit).outcome is Outcome.INDETERMINATE
    assert verify(bundle, now=NOW + limit - timedelta(hours=1)).outcome is Outcome.VALID
    assert verify(bundle, max_age=timedelta(minutes=5)).outcome is Outcome.INDETERMINATE


def test_revocation_in_an_old_trusted_bundle_stays_a_revocation() -> None:
    bundle = Forgery(history().revoke(0, root=PROOF.root)).bundle()
    assert verify(bundle, now=NOW + timedelta(days=90)).outcome is Outcome.REVOKED


def test_other_code_at_the_address_is_indeterminate() -> None:
    report = verify(Forgery(history(), code_hash=b"\1" * 32).bundle())
    assert report.outcome is Outcome.INDETERMINATE
    assert "not the registry" in report.summary


def test_registry_that_the_verifier_does_not_use_is_indeterminate() -> None:
    mine = AccountId(ChainId(1), REGISTRY)
    other = AccountId(ChainId(5), REGISTRY)
    bundle = Forgery(history()).bundle()
    assert verify(bundle, trust=trust(registries=frozenset({mine}))).outcome is Outcome.VALID
    assert verify(bundle, trust=trust(registries=frozenset({other}))).outcome is Outcome.INDETERMINATE


def test_test_chain_is_named() -> None:
    report = verify(Forgery(history()).bundle(), trust=trust(is_test_chain=lambda chain: chain == 1))
    assert "test chain" in report.summary


def test_unknown_issuer_is_intact_and_no_more() -> None:
    bundle = Forgery(history()).bundle()
    report = verify(bundle, trust=trust(issuers={}))
    assert "Intact, but by an issuer not known here" in report.summary
    assert (
        verify(bundle, trust=trust(issuers={}), request=VerifyRequest(issuer=ISSUER)).outcome is Outcome.VALID
    )


def test_own_document_is_held_against_the_bundles_proof() -> None:
    bundle = Forgery(history()).bundle()
    mine = VerifyRequest(credential=CREDENTIAL)
    changed = VerifyRequest(credential=CREDENTIAL | {"name": "Surgery"})
    assert verify(bundle, request=mine).outcome is Outcome.VALID
    assert verify(bundle, request=changed).outcome is Outcome.INVALID
    assert verify(bundle, request=VerifyRequest(digest=PROOF.digest)).outcome is Outcome.VALID
    assert verify(bundle, request=VerifyRequest(digest=Digest(bytes(32)))).outcome is Outcome.INVALID


def test_bundle_with_a_changed_document_is_invalid() -> None:
    bundle = Forgery(history(), credential=CREDENTIAL | {"name": "Surgery"}).bundle()
    assert verify(bundle).outcome is Outcome.INVALID
    assert verify(bundle, Checkpoints()).outcome is Outcome.INVALID


def test_bundle_without_a_document_proves_the_digest() -> None:
    assert verify(Forgery(history(), credential=None).bundle()).outcome is Outcome.VALID


def test_document_beside_an_opaque_leaf_is_indeterminate() -> None:
    proof = proof_of(method=DigestMethod.OPAQUE)
    events = History().add_key().anchor(proof.root)
    assert verify(Forgery(events, proof=proof).bundle()).outcome is Outcome.INDETERMINATE


# --- broken bundles are errors, and nothing missing reads as absent ---


def removed(name: str) -> Any:
    def remove(bundle: dict[str, Any]) -> None:
        del bundle[name]

    return remove


def cut_storage(name: str) -> Any:
    def cut(bundle: dict[str, Any]) -> None:
        bundle["storageProofs"][name].pop()

    return cut


def empty_storage(name: str) -> Any:
    def empty(bundle: dict[str, Any]) -> None:
        bundle["storageProofs"][name] = []

    return empty


def at(*path: str | int, value: Any) -> Any:
    def put(bundle: dict[str, Any]) -> None:
        place: Any = bundle
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return put


BREAKS: dict[str, Any] = {
    **{
        f"without {name}": removed(name)
        for name in ("type", "registry", "digest", "proof", "header", "events")
    },
    "without accountProof": removed("accountProof"),
    "without storageProofs": removed("storageProofs"),
    **{f"{name} proof cut": cut_storage(name) for name in ("key", "batch", "head", "revoked", "suspended")},
    **{
        f"{name} proof empty": empty_storage(name)
        for name in ("key", "batch", "head", "revoked", "suspended")
    },
    "account proof cut": lambda bundle: bundle["accountProof"].pop(),
    "account proof empty": at("accountProof", value=[]),
    "storage proof missing": lambda bundle: bundle["storageProofs"].pop("revoked"),
    "storage proof too many": at("storageProofs", "admin", value=[]),
    "storage proofs swapped": lambda bundle: bundle["storageProofs"].update(
        revoked=bundle["storageProofs"]["head"]
    ),
    "header cut": lambda bundle: bundle.update(header=bundle["header"][:-2]),
    "header not hex": at("header", value="0xzz"),
    "header not text": at("header", value=7),
    "header odd": at("header", value="0x123"),
    "event hidden": lambda bundle: bundle["events"].pop(),
    "event hidden in the middle": lambda bundle: bundle["events"].pop(2),
    "event repeated": lambda bundle: bundle["events"].append(bundle["events"][-1]),
    "event changed": at("events", 2, "reason", value=4),
    "event of no kind": at("events", 0, "kind", value="KeyStolen"),
    "event no object": at("events", 0, value=[]),
    "event without its root": lambda bundle: bundle["events"][1].pop("root"),
    "event without a time": lambda bundle: bundle["events"][1].pop("at"),
    "event time a truth value": at("events", 1, "at", value=True),
    "event time too large": at("events", 1, "at", value=2**40),
    "event head short": at("events", 1, "head", value="0x12"),
    "event uri a number": at("events", 1, "uri", value=7),
    "changes no list": at("events", 2, "changes", value={}),
    "change without mask": at("events", 2, "changes", value=[{"word": "0"}]),
    "change with a number": at("events", 2, "changes", value=[{"word": 0, "mask": "0x" + "00" * 32}]),
    "change no object": at("events", 2, "changes", value=["0"]),
    "word too large": at("events", 2, "changes", 0, "word", value="9" * 80),
    "word beyond its type": at("events", 2, "changes", 0, "word", value="99999999999999999999"),
    "events no list": at("events", value={}),
    "account proof no list": at("accountProof", value="0x"),
    "credential no object": at("credential", value="x"),
    "proof malformed": at("proof", "salt", value="0x12"),
    "registry malformed": at("registry", value="eip155:1"),
    "digest malformed": at("digest", value="12"),
    "other type": at("type", value="RootmarkBundle/v2"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_broken_bundle_is_an_error(name: str) -> None:
    events = history().revoke(0, root=PROOF.root).suspend(0, root=PROOF.root)
    bundle = Forgery(events).bundle()
    broken = copy.deepcopy(bundle)
    BREAKS[name](broken)
    with pytest.raises(MalformedEvidenceError):
        verify(broken, trusting(bundle))


@pytest.mark.parametrize("value", [None, [], "x", 7])
def test_what_is_no_object_is_an_error(value: Any) -> None:
    with pytest.raises(MalformedEvidenceError):
        verify_bundle(value, Checkpoints(), trust(), now=NOW)


@pytest.mark.parametrize("kind", BitKind)
def test_storage_that_contradicts_the_events_is_an_error(kind: BitKind) -> None:
    """Possible only with a forged storage root: the head commits to every event."""
    slot = slot_of_bits(kind, ISSUER, PROOF.root, 0)
    with pytest.raises(MalformedEvidenceError, match="contradict"):
        verify(Forgery(history(), storage={slot: 1}).bundle())


@pytest.mark.parametrize("name", ["batch", "key"])
def test_batch_or_key_that_contradicts_the_events_is_an_error(name: str) -> None:
    forgery = Forgery(history())
    slot = forgery.slots()[name]
    with pytest.raises(MalformedEvidenceError):
        verify(replace(forgery, storage={slot: forgery.words()[slot] + (1 << 200)}).bundle())


def test_batch_in_storage_without_its_event_is_an_error() -> None:
    forgery = Forgery(History())
    full = Forgery(history())
    slot = full.slots()["batch"]
    with pytest.raises(MalformedEvidenceError, match="contradict"):
        verify(replace(forgery, storage={slot: full.words()[slot]}).bundle())


def test_head_of_another_history_is_an_error() -> None:
    with pytest.raises(MalformedEvidenceError, match="head"):
        verify(Forgery(history(), storage={slot_of_head(ISSUER): 7}).bundle())


def test_history_that_breaks_the_contracts_rules_is_an_error() -> None:
    stranger = History().anchor(PROOF.root)
    with pytest.raises(MalformedEvidenceError):
        verify(Forgery(stranger).bundle())


def test_every_truncation_of_the_bundles_proofs_is_an_error_or_indeterminate() -> None:
    bundle = Forgery(history()).bundle()
    for name, nodes in bundle["storageProofs"].items():
        for length in range(len(nodes)):
            broken = copy.deepcopy(bundle)
            broken["storageProofs"][name] = nodes[:length]
            with pytest.raises(RootmarkError):
                verify(broken, trusting(bundle))


def test_proof_of_another_issuer_is_not_covered_by_the_bundle() -> None:
    other = replace(PROOF, issuer=Address(b"\3" * 20))
    bundle = Forgery(history()).bundle() | {"proof": proof_to_json(other)}
    with pytest.raises(MalformedEvidenceError):
        verify(bundle)


def test_moved_proof_is_an_error_or_invalid_and_never_valid() -> None:
    bundle = Forgery(history().revoke(0, root=PROOF.root)).bundle()
    bundle["proof"]["index"] = 1
    bundle["proof"]["size"] = 2
    report = verify(bundle)
    assert report.outcome is Outcome.INVALID


def test_own_credential_with_a_guessable_id_is_fine_beside_a_proof() -> None:
    report = verify(Forgery(history()).bundle(), request=VerifyRequest(credential={"id": "1"}))
    assert report.outcome is Outcome.INVALID


def test_digest_that_is_not_the_proofs_is_invalid() -> None:
    bundle = Forgery(history(), credential=None).bundle() | {"digest": to_hex(bytes(32))}
    assert verify(bundle).outcome is Outcome.INVALID
    assert issubclass(MalformedEvidenceError, RootmarkError)
    assert not issubclass(MalformedEvidenceError, ValidationError)
