"""Verification against nodes: the issuer's whole history is fetched, replayed, and held against the contract.

Several nodes of one registry must agree about block, history head and status, or the report is
`indeterminate` and names what they differ in. Nodes of several registries (other chains, or other addresses)
are verified each for themselves; then the worst status wins among those where the batch is anchored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from registry.encoding import invalid
from registry.errors import ConfigurationError
from registry.model.chain import Header
from registry.ports.chain import ChainReader
from registry.services.claims import Claim, VerifyRequest, read_claim
from registry.services.moments import refuse_future
from registry.services.offline.agreement import Disagreement, Nodes, require_order
from registry.services.offline.trust import Trust, candidate_of, evidence_of, required_proof
from registry.verdict.evidence import Candidate, Reading
from registry.verdict.judge import judge
from registry.verdict.report import PRECEDENCE, Outcome, Report, Source
from registry.verdict.views import Target, later_facts, relevant, views_at


def verify_with_rpc(
    request: VerifyRequest, chains: Sequence[ChainReader], trust: Trust, *, now: datetime
) -> Report:
    """Verify a proof, with or without its document, against one or several nodes.

    Args:
        request: with a proof, given or inside the credential; ``live`` makes no difference here.
        chains: at least one; readers of the same chain id and registry count as nodes of one registry.
        now: aware.

    Raises:
        ValidationError: there is no proof, what was sent has the wrong form, or it asks about the future.
        ConfigurationError: no chain is given.
    """
    claim = read_claim(request)
    required_proof(claim)
    refuse_future(request.as_of, now)
    groups: dict[tuple[int, bytes], list[ChainReader]] = {}
    for chain in chains:
        groups.setdefault((chain.info.chain_id, chain.info.address), []).append(chain)
    if not groups:
        raise ConfigurationError("no node is given to read the chain from")
    reports = [_verify_at(claim, request, members, trust, now) for members in groups.values()]
    return _worst(reports)


def _worst(reports: Sequence[Report]) -> Report:
    """The worst among the registries that have the batch; where none has it, the worst of all."""
    found = [report for report in reports if report.outcome is not Outcome.NOT_FOUND] or reports
    return min(found, key=lambda report: PRECEDENCE.index(report.outcome))


def _verify_at(
    claim: Claim, request: VerifyRequest, chains: Sequence[ChainReader], trust: Trust, now: datetime
) -> Report:
    """One registry."""
    info = chains[0].info
    candidate = candidate_of(required_proof(claim), request, trust)
    reading = Reading(
        chain_id=info.chain_id,
        registry=info.address,
        test_chain=info.test_chain,
        source=Source.RPC,
        block=None,
        final_block=None,
        age_seconds=0.0,
        limit_seconds=0.0,
        as_of=request.as_of is not None,
    )
    try:
        nodes = Nodes(chains)
        newest = nodes.common_block()
        reading = replace(
            reading,
            block=_asked_block(request, nodes, newest),
            final_block=nodes.final_number(newest, trust.confirmations),
        )
        if not claim.is_invalid:
            candidate = _with_views(candidate, reading, nodes, newest)
    except Disagreement as disagreement:
        reading = replace(reading, problem=str(disagreement))
    return judge(evidence_of(claim, request, candidate, reading, _instant(request, reading.block, now)))


def _instant(request: VerifyRequest, block: Header | None, now: datetime) -> datetime:
    if isinstance(request.as_of, datetime):
        return request.as_of
    if request.as_of is not None and block is not None:
        return datetime.fromtimestamp(block.timestamp, UTC)
    return now


def _with_views(candidate: Candidate, reading: Reading, nodes: Nodes, newest: Header) -> Candidate:
    """Fill in what the nodes agree on, at the block asked about and at the final one."""
    assert reading.block is not None
    assert reading.final_block is not None
    assert candidate.root is not None
    target = Target(candidate.issuer, candidate.root, candidate.index)
    block = reading.block
    events = nodes.history(target.issuer, newest)
    final = block if block.number <= reading.final_block else nodes.block_at(reading.final_block)
    for header in (block, final):
        require_order(events, header)
    views = views_at(events, [(number, target) for number in {newest.number, block.number, final.number}])
    nodes.require_status(target, newest, views[newest.number, target].status)
    later = later_facts(relevant(events, target), target, block.number) if reading.as_of else ()
    return replace(
        candidate, latest=views[block.number, target], final=views[final.number, target], later=later
    )


def _asked_block(request: VerifyRequest, nodes: Nodes, newest: Header) -> Header:
    if request.as_of is None:
        return newest
    if isinstance(request.as_of, int):
        number = request.as_of
        if number > newest.number:
            raise invalid("as-of", "the block lies after the newest one", "/as_of")
    else:
        number = nodes.number_at_time(request.as_of)
    return newest if number >= newest.number else nodes.block_at(number)
