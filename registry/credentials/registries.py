"""What the chain says, as `registry.credentials.verification.Registry`: by the server's index, by nodes
alone, by a bundle, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from registry.encoding import Address, JsonValue
from registry.errors import RootmarkError, UnavailableSourceError
from registry.ports.chain import Chain, ChainReader
from registry.ports.clock import Clock
from registry.ports.ledgers import Ledgers, LedgerTransaction
from registry.services.offline import (
    Checkpoints,
    Trust,
    VerifyRequest,
    bundle_from_json,
    verify_bundle,
    verify_with_rpc,
    verify_without_chain,
)
from registry.services.verification import VerificationService
from registry.verdict.report import Report, ShownReading, Source

T = TypeVar("T")


class IndexedRegistry:
    """The server's index, and its node where a request wants it live."""

    finds_by_digest = True

    def __init__(self, verification: VerificationService, chain: ChainReader) -> None:
        self._verification = verification
        self._chain = chain

    def verify_many(self, requests: Sequence[VerifyRequest]) -> Sequence[Report | RootmarkError]:
        """See `VerificationService.verify_many`."""
        return self._verification.verify_many(requests)

    def reading(self) -> ShownReading:
        """The server's chain; no block, since none was needed."""
        return _unread(self._chain, Source.INDEX)


class NodesAlone:
    """Nodes, each read for itself. They find nothing by digest: a proof is needed."""

    finds_by_digest = False

    def __init__(self, chains: Sequence[ChainReader], trust: Trust, clock: Clock) -> None:
        self._chains = chains
        self._trust = trust
        self._clock = clock

    def verify_many(self, requests: Sequence[VerifyRequest]) -> Sequence[Report | RootmarkError]:
        """See `registry.services.offline.verify_with_rpc`."""
        return [_caught(self._verify, request) for request in requests]

    def _verify(self, request: VerifyRequest) -> Report:
        return verify_with_rpc(request, self._chains, self._trust, now=self._clock.now())

    def reading(self) -> ShownReading:
        """The first node's chain."""
        return _unread(self._chains[0], Source.RPC)


class FromBundle:
    """What a bundle proves at a block that the verifier trusts. Nothing is asked of anybody."""

    finds_by_digest = False

    def __init__(
        self, bundle: JsonValue, checkpoints: Checkpoints, trust: Trust, clock: Clock, max_age: timedelta
    ) -> None:
        """Raises `MalformedEvidenceError`: it is no bundle."""
        self._bundle = bundle
        self._checkpoints = checkpoints
        self._trust = trust
        self._clock = clock
        self._max_age = max_age
        self._chain_id = bundle_from_json(bundle).registry.chain.number

    def verify_many(self, requests: Sequence[VerifyRequest]) -> Sequence[Report | RootmarkError]:
        """See `registry.services.offline.verify_bundle`; the place is the bundle's, whatever is asked."""
        return [_caught(self._verify, request) for request in requests]

    def _verify(self, request: VerifyRequest) -> Report:
        return verify_bundle(
            self._bundle,
            self._checkpoints,
            self._trust,
            now=self._clock.now(),
            max_age=self._max_age,
            request=request,
        )

    def reading(self) -> ShownReading:
        """The bundle's chain."""
        test_chain = self._trust.is_test_chain(self._chain_id)
        return ShownReading(self._chain_id, test_chain, None, None, None, Source.BUNDLE)


class NoChain:
    """For a verifier that has nothing but documents: what is said about a chain stays open."""

    finds_by_digest = False

    def __init__(self, trust: Trust, clock: Clock) -> None:
        self._trust = trust
        self._clock = clock

    def verify_many(self, requests: Sequence[VerifyRequest]) -> Sequence[Report | RootmarkError]:
        """See `registry.services.offline.verify_without_chain`."""
        return [_caught(self._verify, request) for request in requests]

    def _verify(self, request: VerifyRequest) -> Report:
        return verify_without_chain(request, self._trust, now=self._clock.now())

    def reading(self) -> ShownReading:
        """None."""
        return ShownReading(None, False, None, None, None, Source.NONE)


class LedgersOfNodes:
    """Other systems' anchors, from the nodes that the verifier gave: those of a chain must agree."""

    def __init__(self, chains: Sequence[Chain], confirmations: int) -> None:
        self._ledgers = [
            (chain.info.chain_id, chain.ledgers(confirmations=confirmations)) for chain in chains
        ]

    def transaction(self, chain_id: int, transaction: bytes) -> LedgerTransaction | None:
        """See `registry.ports.ledgers.Ledgers`."""
        return self._agreed(chain_id, lambda ledger: ledger.transaction(chain_id, transaction))

    def call(self, chain_id: int, to: Address, data: bytes) -> bytes:
        """See `registry.ports.ledgers.Ledgers`."""
        return self._agreed(chain_id, lambda ledger: ledger.call(chain_id, to, data))

    def _agreed(self, chain_id: int, question: Callable[[Ledgers], T]) -> T:
        answers = [question(ledger) for number, ledger in self._ledgers if number == chain_id]
        if not answers:
            raise UnavailableSourceError(f"give a node of eip155:{chain_id} with --rpc to look there")
        if any(answer != answers[0] for answer in answers):
            raise UnavailableSourceError(f"the nodes of eip155:{chain_id} disagree")
        return answers[0]


def _caught(verify: Callable[[VerifyRequest], Report], request: VerifyRequest) -> Report | RootmarkError:
    try:
        return verify(request)
    except RootmarkError as error:
        return error


def _unread(chain: ChainReader, source: Source) -> ShownReading:
    info = chain.info
    return ShownReading(info.chain_id, info.test_chain, None, None, None, source)
