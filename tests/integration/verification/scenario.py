"""One server whose credentials are in every state that one can be in, on the embedded chain."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from registry.encoding import (
    Address,
    Digest,
    DigestMethod,
    Root,
    Salt,
    credential_digest,
    format_time,
)
from registry.merkle import InclusionProof, leaf_hash, proof_from_json, root_of, salted_digest
from registry.model.issuers import Caller
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.services.claims import VerifyRequest
from registry.services.items import NewItem, item_from_credential
from registry.services.verification import VerificationPolicy, VerificationService
from registry.verdict.report import Outcome
from tests.support.pipeline import World

CONFIRMATIONS = 8
"""More than the blocks that `_not_final` makes, also where every transaction gets a block of its own."""


def credential(name: str, **members: Any) -> dict[str, Any]:
    """A credential whose id is random enough, the same for the same name."""
    identifier = uuid.UUID(bytes=sha256(name.encode()).digest()[:16], version=4)
    return {"id": f"urn:uuid:{identifier}", "name": name, **members}


def item(document: dict[str, Any], method: DigestMethod = DigestMethod.JCS_SHA256, **dates: Any) -> NewItem:
    """What an issuer hands in; an opaque digest is the document's too."""
    return item_from_credential(document)._replace(method=method, **dates)


def service_of(world: World, **policy: Any) -> VerificationService:
    return VerificationService(
        world.store, world.chain, world.indexer, world.clock, VerificationPolicy(**policy)
    )


def catch_clock_up(world: World) -> None:
    """The chain's clock runs ahead when a test mines; the server's follows."""
    ahead = world.chain.latest().timestamp - world.clock.now().timestamp()
    world.clock.advance(max(ahead, 0) + 1)


def issue(world: World, caller: Caller, items: Sequence[NewItem], **options: Any) -> list[InclusionProof]:
    """One batch, final; its proofs in order."""
    batch = world.issuing.create_batch(caller, list(items), **options)
    world.settle()
    catch_clock_up(world)
    return [proof_from_json(proof) for proof in world.issuing.proofs(caller, batch.id)]


def single(issuer: Address, document: dict[str, Any]) -> InclusionProof:
    """The proof of a batch of one that no server made."""
    digest = credential_digest(document, DigestMethod.JCS_SHA256)
    salt = Salt(bytes(31) + b"\7")
    root = root_of(1, leaf_hash(DigestMethod.JCS_SHA256, issuer, 0, salted_digest(digest, salt)))
    return InclusionProof(0, 1, (), DigestMethod.JCS_SHA256, digest, salt, issuer, root)


@dataclass
class Scenario:
    """``cases``: by name, what is shown, and the outcome that it must have; all with a proof."""

    world: World
    callers: dict[str, Caller] = field(default_factory=dict)
    cases: dict[str, tuple[VerifyRequest, Outcome]] = field(default_factory=dict)

    def case(
        self, name: str, outcome: Outcome, document: dict[str, Any] | None, proof: InclusionProof
    ) -> None:
        self.cases[name] = (VerifyRequest(credential=document, proof=proof), outcome)

    @property
    def issuers(self) -> dict[Address, str]:
        """Those hosted, with their names."""
        return {
            caller.issuer: self.world.issuers.get(caller.issuer).name
            for caller in self.callers.values()
            if caller.issuer is not None
        }


def build(world: World) -> Scenario:
    """Every state at once. The last blocks are not final."""
    scenario = Scenario(world)
    _, own = world.hosted()
    _, stranger = world.hosted()
    scenario.callers = {"own": own, "stranger": stranger}
    _statuses(scenario, own)
    _withdrawals(scenario, own)
    _distrust(scenario, stranger)
    _others(scenario)
    _not_final(scenario, own)
    _contradictions(scenario)
    world.indexer.catch_up()
    return scenario


def change(world: World, caller: Caller, kind: RequestKind, *documents: dict[str, Any]) -> None:
    digests = [credential_digest(document, DigestMethod.JCS_SHA256) for document in documents]
    world.status.change(caller, kind, digests, Reason.MISCONDUCT)


def _statuses(scenario: Scenario, caller: Caller) -> None:
    world = scenario.world
    now = world.clock.now()
    past, future = format_time(now - timedelta(days=9)), format_time(now + timedelta(days=900))
    documents = {
        "valid": credential("valid", validFrom=past, validUntil=future),
        "revoked": credential("revoked"),
        "suspended": credential("suspended"),
        "reinstated": credential("reinstated"),
        "annulled": credential("annulled"),
        "expired": credential("expired", validUntil=past),
        "not yet valid": credential("not yet valid", validFrom=future),
        "revoked, not final": credential("revoked, not final"),
        "reinstated, not final": credential("reinstated, not final"),
        "opaque": credential("opaque"),
    }
    outcomes = {
        "revoked": Outcome.REVOKED,
        "suspended": Outcome.SUSPENDED,
        "expired": Outcome.EXPIRED,
        "not yet valid": Outcome.NOT_YET_VALID,
        "revoked, not final": Outcome.REVOKED,
        "reinstated, not final": Outcome.SUSPENDED,
        "opaque": Outcome.INDETERMINATE,
    }
    items = [
        item(document, DigestMethod.OPAQUE if name == "opaque" else DigestMethod.JCS_SHA256)
        for name, document in documents.items()
    ]
    for (name, document), proof in zip(documents.items(), issue(world, caller, items), strict=True):
        scenario.case(name, outcomes.get(name, Outcome.VALID), document, proof)
    opaque = scenario.cases["opaque"][0]
    scenario.case("opaque, digest alone", Outcome.VALID, None, opaque.proof)
    change(world, caller, RequestKind.REVOCATION, documents["revoked"], documents["annulled"])
    suspended = [documents[name] for name in ("suspended", "reinstated", "reinstated, not final")]
    change(world, caller, RequestKind.SUSPENSION, *suspended)
    world.settle()
    change(world, caller, RequestKind.REINSTATEMENT, documents["reinstated"])
    change(world, caller, RequestKind.ANNULMENT, documents["annulled"])
    world.settle()


def _withdrawals(scenario: Scenario, caller: Caller) -> None:
    world = scenario.world
    for name, outcome in (("withdrawn", Outcome.WITHDRAWN), ("withdrawal annulled", Outcome.VALID)):
        document = credential(name)
        (proof,) = issue(world, caller, [item(document)])
        scenario.case(name, outcome, document, proof)
        batch = world.issuing.entries_by_digest(proof.digest)[0].batch_id
        world.status.withdraw(caller, batch, Reason.ISSUED_IN_ERROR)
        world.settle()
        if outcome is Outcome.VALID:
            world.status.annul_withdrawal(caller, batch, Reason.UNSPECIFIED)
            world.settle()


def _distrust(scenario: Scenario, caller: Caller) -> None:
    """The key is retired as of a time between two of its batches."""
    world = scenario.world
    before, after = credential("before the theft"), credential("after the theft")
    (first,) = issue(world, caller, [item(before)])
    world.driven.mine(2)
    catch_clock_up(world)
    retired = datetime.fromtimestamp(world.chain.latest().timestamp, UTC)
    (second,) = issue(world, caller, [item(after)])
    scenario.case("before the theft", Outcome.VALID, before, first)
    scenario.case("after the theft", Outcome.WITHDRAWN, after, second)
    assert caller.issuer is not None
    key = world.issuers.get(caller.issuer).key
    world.issuers.retire_key(caller, caller.issuer, key, retired, Reason.KEY_COMPROMISE)
    world.settle()


def _others(scenario: Scenario) -> None:
    """An issuer that nobody here knows, and a root that nobody anchored."""
    world = scenario.world
    stranger = world.driven.issuer
    world.driven.make_issuer()
    document = credential("of a stranger")
    proof = single(stranger, document)
    world.driven.anchor(proof.root)
    world.driven.mine(CONFIRMATIONS)
    scenario.case("of a stranger", Outcome.INDETERMINATE, document, proof)
    request = VerifyRequest(credential=document, proof=proof, issuer=stranger)
    scenario.cases["of a stranger, named"] = (request, Outcome.VALID)
    unknown = credential("never anchored")
    scenario.case("never anchored", Outcome.NOT_FOUND, unknown, single(stranger, unknown))


def _not_final(scenario: Scenario, caller: Caller) -> None:
    """What is in the newest blocks only."""
    world = scenario.world
    document = credential("pending")
    batch = world.issuing.create_batch(caller, [item(document)])
    for name, kind in (
        ("revoked, not final", RequestKind.REVOCATION),
        ("reinstated, not final", RequestKind.REINSTATEMENT),
    ):
        shown = scenario.cases[name][0].credential
        assert shown is not None
        change(world, caller, kind, dict(shown))
    for _ in range(3):
        world.pipeline.step()
        world.driven.mine(1)
        world.indexer.catch_up()
    (proof,) = (proof_from_json(proof) for proof in world.issuing.proofs(caller, batch.id))
    scenario.case("pending", Outcome.PENDING, document, proof)


def _contradictions(scenario: Scenario) -> None:
    request = scenario.cases["valid"][0]
    proof = request.proof
    assert proof is not None
    assert request.credential is not None
    tampered = {**request.credential, "name": "better"}
    scenario.case("tampered", Outcome.INVALID, tampered, proof)
    moved = replace(proof, index=proof.index ^ 1, sides=None)
    scenario.case("moved proof", Outcome.INVALID, dict(request.credential), moved)
    scenario.cases["another digest"] = (
        VerifyRequest(digest=Digest(bytes(32)), proof=proof),
        Outcome.INVALID,
    )
    foreign = replace(proof, root=Root(bytes(32)))
    scenario.case("another root", Outcome.INVALID, dict(request.credential), foreign)
