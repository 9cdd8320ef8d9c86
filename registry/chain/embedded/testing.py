"""What tests may do to an embedded chain and nobody else: mine at will, move its clock, rewind it.

Nothing here is reachable by JSON-RPC. Blocks mined faster than one a second would run ahead of the clock, so
the chain's clock is moved with them; it is a matter of the open object, so a test that reopens the directory
brings its own clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.chain.embedded.chain import EmbeddedChain


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A block to come back to."""

    block_hash: bytes
    number: int


class EmbeddedTesting:
    """Power over one chain."""

    def __init__(self, chain: EmbeddedChain) -> None:
        self._chain = chain

    def mine(self, blocks: int = 1) -> list[str]:
        """Seal that many blocks now, the first with all that waits, empty ones too.

        Returns:
            their hashes, 0x hex.
        """
        hashes = []
        with self._chain.exclusively() as engine:
            for _ in range(blocks):
                timestamp = max(engine.now(), engine.head.timestamp + 1)
                header = engine.seal(timestamp, empty=True)
                assert header is not None
                engine.clock_offset_seconds += max(0, timestamp - engine.now())
                hashes.append("0x" + header.hash.hex())
        return hashes

    def advance_clock(self, seconds: int) -> None:
        """Move the chain's clock ahead."""
        with self._chain.exclusively() as engine:
            engine.clock_offset_seconds += seconds

    def snapshot(self) -> Snapshot:
        """The present head."""
        with self._chain.exclusively() as engine:
            return Snapshot(engine.head.hash, engine.head.block_number)

    def revert(self, snapshot: Snapshot) -> list[str]:
        """Take every block after the snapshot off the chain. What is mined next has other hashes at the same
        heights.

        Returns:
            the raw transactions that were in those blocks, 0x hex, oldest first. They are forgotten, and may
            be sent again with eth_sendRawTransaction. Transactions that were waiting still wait.

        Raises:
            RpcError: "unknown block": the snapshot's block is no longer on the chain.
        """
        with self._chain.exclusively() as engine:
            return ["0x" + raw.hex() for raw in engine.rewind(snapshot.block_hash)]
