"""Verification from the index: collect the evidence for many claims in a handful of queries, and have it
judged.

What is said about the chain comes from indexed events, never from what this server intended; only
`status.pending` shows what was asked for. ``live`` brings the index to the node's newest block first, and
then holds head and status against the contract by direct calls at that block's hash. Nothing a request
contains makes this service fetch anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from registry.encoding import Address
from registry.errors import (
    ChainError,
    ChainUnavailableError,
    RootmarkError,
    StoreUnavailableError,
    UnknownBlockError,
)
from registry.model.chain import ContractStatus, IndexPosition, RegistryEvent
from registry.ports.chain import ChainReader
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.claims import Claim, VerifyRequest, read_claim
from registry.services.index_memory import IndexMemory
from registry.services.lookup import Lookup
from registry.services.moments import Moment, resolve
from registry.verdict.evidence import Candidate, Evidence, Inclusion, Known, Reading
from registry.verdict.judge import judge
from registry.verdict.report import Report, Source
from registry.verdict.views import Target, later_facts, relevant, views_at, word_of

__all__ = ["CatchesUp", "VerificationPolicy", "VerificationService", "VerifyRequest"]

MAX_BLOCKS_AHEAD = 1_000
"""A block asked about that lies this little after the index may have been mined meanwhile; more is the
future."""


class CatchesUp(Protocol):
    """The part of the indexer that `live` needs."""

    def catch_up(self) -> IndexPosition:
        """Index up to the node's newest block."""
        ...


@dataclass(frozen=True, slots=True)
class VerificationPolicy:
    """The operator's choices.

    Attributes:
        trusted_issuers: the trust list.
        max_index_age_seconds: an index whose node was last read longer ago gives no `valid` and no
        `not_found`.
    """

    trusted_issuers: frozenset[Address] = frozenset()
    max_index_age_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class _Item:
    """One request on its way: what it claims, and the block it is about."""

    request: VerifyRequest
    claim: Claim
    moment: Moment


class VerificationService:
    """Safe to call from several threads."""

    def __init__(
        self, store: Store, chain: ChainReader, indexer: CatchesUp, clock: Clock, policy: VerificationPolicy
    ) -> None:
        self._store = store
        self._chain = chain
        self._indexer = indexer
        self._clock = clock
        self._policy = policy
        self._memory = IndexMemory()
        self._lookup = Lookup(policy.trusted_issuers)

    def verify(self, request: VerifyRequest) -> Report:
        """Verify one.

        Raises:
            ValidationError, MalformedJsonError: what was sent has the wrong form, or asks about the future.
            StoreUnavailableError: the database cannot be read.
        """
        (result,) = self.verify_many([request])
        if isinstance(result, RootmarkError):
            raise result
        return result

    def verify_many(self, requests: Sequence[VerifyRequest]) -> list[Report | RootmarkError]:
        """Verify many with a handful of queries; a bad request fails only itself.

        Raises:
            StoreUnavailableError: the database cannot be read.
        """
        results: dict[int, Report | RootmarkError] = {}
        claims: dict[int, Claim] = {}
        for number, request in enumerate(requests):
            try:
                claims[number] = read_claim(request)
            except RootmarkError as error:
                results[number] = error
        live_problem = self._prepare([requests[number] for number in claims])
        with self._store.read() as unit:
            position = unit.events.position()
            items: dict[int, _Item] = {}
            moments: dict[int | datetime | None, Moment] = {}  # many ask about the same one
            for number, claim in claims.items():
                as_of = requests[number].as_of
                try:
                    if as_of not in moments:
                        moments[as_of] = resolve(as_of, position, unit, self._chain, self._clock.now())
                except RootmarkError as error:
                    results[number] = error
                else:
                    items[number] = _Item(requests[number], claim, moments[as_of])
            results |= zip(
                items, self._judge(unit, position, list(items.values()), live_problem), strict=True
            )
        return [results[number] for number in range(len(requests))]

    def _prepare(self, requests: Sequence[VerifyRequest]) -> str | None:
        """Bring the index up to date where a request needs it. Returns why that did not work."""
        if not any(request.live or isinstance(request.as_of, int) for request in requests):
            return None
        if not any(request.live for request in requests):
            with self._store.read() as unit:
                position = unit.events.position()
            newest = position.block.number if position else -1
            ahead = range(newest + 1, newest + 1 + MAX_BLOCKS_AHEAD)
            if not any(isinstance(request.as_of, int) and request.as_of in ahead for request in requests):
                return None
        try:
            self._indexer.catch_up()
        except StoreUnavailableError:
            raise
        except RootmarkError as error:
            return f"the node's newest block could not be indexed ({error})"
        return None

    # --- evidence ---

    def _judge(
        self, unit: Unit, position: IndexPosition | None, items: Sequence[_Item], live_problem: str | None
    ) -> list[Report]:
        mismatches = self._memory.mismatches(unit, position) if position else {}
        claims = [(item.claim, item.request.as_of is None) for item in items]
        found = self._lookup.find(unit, claims, mismatches)
        if position is not None:
            found = self._with_views(unit, position, items, found)
        reports: list[Report] = []
        agreeing: dict[tuple[Address, int], bool] = {}
        for item, mine in zip(items, found, strict=True):
            reading = self._reading(position, item, live_problem)
            if item.request.live and reading.problem is None and reading.block is not None:
                reports.append(judge(_evidence(item, *self._cross_check(unit, reading, mine, agreeing))))
            else:
                reports.append(judge(_evidence(item, reading, mine)))
        return reports

    def _with_views(
        self, unit: Unit, position: IndexPosition, items: Sequence[_Item], found: list[list[Candidate]]
    ) -> list[list[Candidate]]:
        """Fill in what the indexed events say: now, or at the block that was asked about."""
        present: set[Target] = set()
        past: set[Target] = set()
        for item, mine in zip(items, found, strict=True):
            (present if item.request.as_of is None else past).update(filter(None, map(_target, mine)))
        views = self._memory.views(unit, position, present) if present else {}
        words = {(target.issuer, target.root, word_of(target.index)) for target in past}
        events = unit.events.touching(words) if words else ()

        def filled(item: _Item, candidate: Candidate) -> Candidate:
            target = _target(candidate)
            if target is None:
                return candidate
            if item.request.as_of is None:
                return replace(candidate, latest=views[target].latest, final=views[target].final)
            return _in_the_past(candidate, target, item.moment, relevant(events, target))

        return [
            [filled(item, candidate) for candidate in mine] for item, mine in zip(items, found, strict=True)
        ]

    def _reading(self, position: IndexPosition | None, item: _Item, live_problem: str | None) -> Reading:
        info = self._chain.info
        age = None if position is None else (self._clock.now() - position.read_at).total_seconds()
        return Reading(
            chain_id=info.chain_id,
            registry=info.address,
            test_chain=info.test_chain,
            source=Source.INDEX,
            block=item.moment.block,
            final_block=None if position is None else position.final_block,
            age_seconds=age,
            limit_seconds=self._policy.max_index_age_seconds,
            problem=(live_problem if item.request.live else None) or item.moment.problem,
            as_of=item.request.as_of is not None,
        )

    # --- live ---

    def _cross_check(
        self,
        unit: Unit,
        reading: Reading,
        candidates: Sequence[Candidate],
        agreeing: dict[tuple[Address, int], bool],
    ) -> tuple[Reading, list[Candidate]]:
        """Hold the index against the contract itself, at the block's hash. ``agreeing`` remembers which
        issuers' heads were the same at which height."""
        assert reading.block is not None
        block = reading.block
        try:
            for issuer in {candidate.issuer for candidate in candidates}:
                if (issuer, block.number) not in agreeing:
                    head = self._chain.head_of(issuer, block.hash)
                    agreeing[issuer, block.number] = head == unit.events.head_of(issuer, block.number)
            checked = [
                self._contest(candidate, reading, agrees=agreeing[candidate.issuer, block.number])
                for candidate in candidates
            ]
        except UnknownBlockError:
            problem = f"the node no longer has block {block.number} as it was indexed; ask again"
            return replace(reading, problem=problem), list(candidates)
        except (ChainError, ChainUnavailableError) as error:
            problem = f"the node could not be read directly ({error})"
            return replace(reading, problem=problem), list(candidates)
        return replace(reading, source=Source.RPC), checked

    def _contest(self, candidate: Candidate, reading: Reading, *, agrees: bool) -> Candidate:
        assert reading.block is not None
        if candidate.contested is not None:
            return candidate
        where = f"at block {reading.block.number}"
        if not agrees:
            return replace(
                candidate, contested=f"the index and the contract have different history heads {where}"
            )
        if candidate.root is None:
            return candidate
        _, status = self._chain.status_of(
            candidate.issuer, candidate.root, candidate.index, reading.block.hash
        )
        mine: ContractStatus = candidate.latest.status
        if status is mine:
            return candidate
        return replace(
            candidate, contested=f"the index says {mine.value} and the contract {status.value} {where}"
        )


def _in_the_past(
    candidate: Candidate, target: Target, moment: Moment, events: Sequence[RegistryEvent]
) -> Candidate:
    views = views_at(events, {(moment.number, target), (moment.final_number, target)})
    return replace(
        candidate,
        latest=views[moment.number, target],
        final=views[moment.final_number, target],
        later=later_facts(events, target, moment.number),
    )


def _target(candidate: Candidate) -> Target | None:
    return None if candidate.root is None else Target(candidate.issuer, candidate.root, candidate.index)


def _evidence(item: _Item, reading: Reading, candidates: Sequence[Candidate]) -> Evidence:
    claim, request = item.claim, item.request
    inclusion = claim.inclusion
    if inclusion is Inclusion.NOT_CLAIMED and candidates:
        inclusion = Inclusion.RECORDED
    return Evidence(
        digest=claim.digest,
        document=claim.document_given(candidate.method for candidate in candidates),
        method=claim.method,
        inclusion=inclusion,
        inclusion_detail=claim.inclusion_detail,
        candidates=tuple(
            replace(candidate, known=Known.CALLER)
            if candidate.known is None and candidate.issuer == request.issuer
            else candidate
            for candidate in candidates
        ),
        named_issuer=request.issuer,
        reading=reading,
        instant=item.moment.instant,
        document_validity=claim.document_validity,
        hint=claim.hint,
    )
