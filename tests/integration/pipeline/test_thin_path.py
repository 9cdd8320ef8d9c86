"""From registration to a final revocation, nothing going wrong."""

from __future__ import annotations

from registry.merkle import InclusionPass, proof_from_json, verify_inclusion
from registry.model.batches import BatchState
from registry.model.chain import ContractStatus, SendMode
from registry.model.issuers import IssuerState
from registry.model.operations import OperationState, RequestKind, RequestState
from registry.model.reasons import Reason
from tests.support.pipeline import ADMIN, World, digests, items


def test_hosted_issuer_becomes_active_and_its_key_has_ether_and_three_roles(world: World) -> None:
    registration, _ = world.hosted()
    issuer = world.issuers.get(registration.issuer.address)
    assert issuer.state is IssuerState.ACTIVE
    assert world.chain.balance_wei(issuer.key) > 0
    (key,) = world.issuers.chain_keys(issuer.address)
    assert (key.key, key.roles, key.held_here) == (issuer.key, 7, True)


def test_batch_posted_before_registration_is_mined_becomes_final(world: World) -> None:
    registration = world.issuers.register(ADMIN, "Example College", "https://college.example/")
    caller = world.access.authenticate(registration.token)
    batch = world.issuing.create_batch(caller, items(digests(3)))
    assert batch.state is BatchState.SEALED
    world.settle()
    final = world.batch(batch.id)
    assert final.state is BatchState.FINAL
    assert final.anchor is not None
    assert final.anchor.mode is SendMode.DIRECT
    assert final.anchor.sender == registration.issuer.key
    assert world.feed().count("batch.final") == 1


def test_final_batch_has_proofs_that_lead_to_the_anchored_root(world: World) -> None:
    _, caller = world.hosted()
    batch = world.final_batch(caller, digests(300))
    proofs = [proof_from_json(proof) for proof in world.issuing.proofs(caller, batch.id)]
    assert [proof.index for proof in proofs] == list(range(300))
    assert all(isinstance(verify_inclusion(proof), InclusionPass) for proof in proofs)
    assert world.chain.batch_of(batch.issuer, proofs[0].root, world.chain.latest().hash).anchored_at > 0


def test_revocation_becomes_final_and_counts_on_chain(world: World) -> None:
    _, caller = world.hosted()
    given = digests(300)
    batch = world.final_batch(caller, given)
    request = world.status.change(
        caller, RequestKind.REVOCATION, [given[5], given[290]], Reason.MISCONDUCT, "seen twice"
    )
    assert request.state is RequestState.SUBMITTED
    world.settle()
    done = world.status.request(caller, request.id)
    assert (done.state, done.count, len(done.transactions)) == (RequestState.FINAL, 2, 1)
    assert batch.root is not None
    latest = world.chain.latest().hash
    statuses = [world.chain.status_of(batch.issuer, batch.root, i, latest)[1] for i in (5, 6, 290)]
    assert statuses == [ContractStatus.REVOKED, ContractStatus.GOOD, ContractStatus.REVOKED]
    assert not world.operations(OperationState.QUEUED, OperationState.SUBMITTED, OperationState.FAILED)
