"""Bundles from a node that gives storage proofs, and from the embedded chain, which gives none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from registry.encoding import parse_json
from registry.errors import NodeMismatchError, UnsupportedByNodeError, ValidationError
from registry.merkle import InclusionProof
from registry.model.chain import CallKind, Change, ContractCall
from registry.services.claims import VerifyRequest
from registry.services.offline import Checkpoints, Trust, make_bundle, verify_bundle, verify_with_rpc
from registry.verdict.report import Outcome, Report, report_to_json
from tests.integration.verification.scenario import credential, single
from tests.integration.verification.twisted import Twisted
from tests.support.chains import DrivenChain, anvil_chain, embedded_chain

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def anvil() -> Iterator[DrivenChain]:
    with anvil_chain() as driven:
        driven.make_issuer()
        yield driven


def trust_on(driven: DrivenChain) -> Trust:
    return Trust(
        issuers={driven.issuer: "College"},
        confirmations=1,
        code_hash=driven.gateway.info.code_hash,
        is_test_chain=lambda _: True,
    )


def anchored(driven: DrivenChain, name: str) -> tuple[dict[str, Any], InclusionProof]:
    document = credential(name)
    proof = single(driven.issuer, document)
    driven.anchor(proof.root)
    return document, proof


def through_json(bundle: dict[str, Any]) -> Any:
    """As another party gets it."""
    import json

    return parse_json(json.dumps(bundle).encode())


def verify(driven: DrivenChain, bundle: dict[str, Any], *, trusted: bool = True) -> Report:
    latest = driven.gateway.latest()
    checkpoints = Checkpoints(by_hand=frozenset({latest.hash}) if trusted else frozenset())
    now = datetime.fromtimestamp(latest.timestamp, UTC)
    return verify_bundle(through_json(bundle), checkpoints, trust_on(driven), now=now)


def call(driven: DrivenChain, kind: CallKind, proof: InclusionProof) -> None:
    bits = (Change(0, 1),) if kind not in (CallKind.WITHDRAW, CallKind.ANNUL_WITHDRAWAL) else ()
    driven.do(ContractCall(kind, driven.issuer, root=proof.root, changes=bits, reason=3))


STEPS: dict[str, tuple[list[CallKind], Outcome]] = {
    "anchored": ([], Outcome.VALID),
    "revoked": ([CallKind.REVOKE], Outcome.REVOKED),
    "suspended": ([CallKind.SUSPEND], Outcome.SUSPENDED),
    "reinstated": ([CallKind.SUSPEND, CallKind.REINSTATE], Outcome.VALID),
    "annulled": ([CallKind.REVOKE, CallKind.ANNUL], Outcome.VALID),
    "withdrawn": ([CallKind.WITHDRAW], Outcome.WITHDRAWN),
    "withdrawal annulled": ([CallKind.WITHDRAW, CallKind.ANNUL_WITHDRAWAL], Outcome.VALID),
}


@pytest.mark.parametrize("name", STEPS)
def test_bundle_gives_the_verdict_that_the_node_gives(anvil: DrivenChain, name: str) -> None:
    kinds, expected = STEPS[name]
    document, proof = anchored(anvil, f"bundle {name}")
    for kind in kinds:
        call(anvil, kind, proof)
    request = VerifyRequest(credential=document, proof=proof)
    bundle = make_bundle(anvil.gateway, request, confirmations=1)
    by_bundle = verify(anvil, bundle)
    assert by_bundle.outcome is expected, by_bundle.summary
    now = datetime.fromtimestamp(anvil.gateway.latest().timestamp, UTC)
    by_node = verify_with_rpc(request, [anvil.gateway], trust_on(anvil), now=now)
    bodies = [report_to_json(report) for report in (by_bundle, by_node)]
    assert [body["as_of"].pop("source") for body in bodies] == ["bundle", "rpc"]
    assert bodies[0] == bodies[1]
    assert verify(anvil, bundle, trusted=False).outcome is Outcome.INDETERMINATE


def test_root_that_nobody_anchored_is_proved_absent(anvil: DrivenChain) -> None:
    document = credential("bundle of nothing")
    request = VerifyRequest(credential=document, proof=single(anvil.issuer, document))
    report = verify(anvil, make_bundle(anvil.gateway, request, confirmations=1))
    assert report.outcome is Outcome.NOT_FOUND


def test_bundle_of_an_earlier_block_knows_nothing_later(anvil: DrivenChain) -> None:
    document, proof = anchored(anvil, "bundle of the past")
    block = anvil.gateway.latest()
    call(anvil, CallKind.REVOKE, proof)
    request = VerifyRequest(credential=document, proof=proof)
    bundle = make_bundle(anvil.gateway, request, confirmations=1, block=block)
    checkpoints = Checkpoints(by_hand=frozenset({block.hash}))
    now = datetime.fromtimestamp(block.timestamp, UTC)
    assert verify_bundle(bundle, checkpoints, trust_on(anvil), now=now).outcome is Outcome.VALID


def test_bundle_is_made_of_the_newest_final_block(anvil: DrivenChain) -> None:
    document, proof = anchored(anvil, "bundle, final")
    anvil.mine(3)
    request = VerifyRequest(credential=document, proof=proof)
    bundle = make_bundle(anvil.gateway, request, confirmations=3)
    block = anvil.gateway.header(anvil.gateway.latest().number - 2)
    finalized = make_bundle(Twisted(anvil.gateway, finalized=lambda: block), request, confirmations=1)
    assert finalized == bundle
    now = datetime.fromtimestamp(block.timestamp, UTC)
    checkpoints = Checkpoints(by_hand=frozenset({block.hash}))
    assert verify_bundle(bundle, checkpoints, trust_on(anvil), now=now).outcome is Outcome.VALID


def test_node_that_hides_an_event_gives_no_bundle(anvil: DrivenChain) -> None:
    document, proof = anchored(anvil, "bundle, hidden")
    chain = anvil.gateway
    hiding = Twisted(chain, events_in_range=lambda *a, **k: chain.events_in_range(*a, **k)[:-1])
    with pytest.raises(NodeMismatchError, match="head"):
        make_bundle(hiding, VerifyRequest(credential=document, proof=proof), confirmations=1)


def test_contradictory_request_gives_no_bundle(anvil: DrivenChain) -> None:
    document, proof = anchored(anvil, "bundle, contradictory")
    with pytest.raises(ValidationError):
        make_bundle(
            anvil.gateway, VerifyRequest(credential=document | {"name": "x"}, proof=proof), confirmations=1
        )
    with pytest.raises(ValidationError):
        make_bundle(anvil.gateway, VerifyRequest(credential=document), confirmations=1)


def test_embedded_chain_has_no_storage_proofs_and_says_so(tmp_path: Path) -> None:
    with embedded_chain(tmp_path) as driven:
        driven.make_issuer()
        document, proof = anchored(driven, "embedded")
        with pytest.raises(UnsupportedByNodeError, match="eth_getProof"):
            make_bundle(driven.gateway, VerifyRequest(credential=document, proof=proof), confirmations=1)
