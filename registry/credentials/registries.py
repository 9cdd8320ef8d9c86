"""What the chain says, as `registry.credentials.verification.Registry`: by the server's index, or by nodes
alone."""

from __future__ import annotations

from collections.abc import Sequence

from registry.errors import RootmarkError
from registry.ports.chain import ChainReader
from registry.ports.clock import Clock
from registry.services.offline import Trust, VerifyRequest, verify_with_rpc
from registry.services.verification import VerificationService
from registry.verdict.report import Report, ShownReading, Source


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
        return [self._verify(request) for request in requests]

    def _verify(self, request: VerifyRequest) -> Report | RootmarkError:
        try:
            return verify_with_rpc(request, self._chains, self._trust, now=self._clock.now())
        except RootmarkError as error:
            return error

    def reading(self) -> ShownReading:
        """The first node's chain."""
        return _unread(self._chains[0], Source.RPC)


def _unread(chain: ChainReader, source: Source) -> ShownReading:
    info = chain.info
    return ShownReading(info.chain_id, info.test_chain, None, None, None, source)
