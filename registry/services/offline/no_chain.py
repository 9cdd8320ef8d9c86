"""Verification of a proof when no chain is asked: document, digest and place are held against each other, and
whatever only the chain can tell stays open.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from registry.encoding import AccountId, Address, ChainId
from registry.services.claims import VerifyRequest, read_claim
from registry.services.offline.trust import Trust, candidate_of, evidence_of, required_proof
from registry.verdict.evidence import Reading
from registry.verdict.judge import judge
from registry.verdict.report import Report, ShownReading, Source

_NOWHERE = AccountId(ChainId(0), Address(bytes(20)))
"""Of a proof that names no registry."""


def verify_without_chain(request: VerifyRequest, trust: Trust, *, now: datetime) -> Report:
    """A report that is `invalid` or `indeterminate`, about the registry that the proof names.

    Args:
        request: with a proof; its ``as_of`` and ``live`` do not apply.
        now: aware.

    Raises:
        ValidationError: there is no proof, or what was sent has the wrong form.
    """
    claim = read_claim(request)
    proof = required_proof(claim)
    hint = proof.registry or _NOWHERE
    reading = Reading(
        chain_id=hint.chain.number,
        registry=hint.address,
        test_chain=trust.is_test_chain(hint.chain.number),
        source=Source.NONE,
        block=None,
        final_block=None,
        age_seconds=None,
        limit_seconds=0.0,
        problem="no chain was asked; give a node of it with --rpc",
    )
    report = judge(evidence_of(claim, request, candidate_of(proof, request, trust), reading, now))
    unread = ShownReading(None, reading.test_chain, None, None, None, Source.NONE)
    return replace(report, as_of=unread)
