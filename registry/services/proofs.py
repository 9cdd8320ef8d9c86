"""Inclusion proofs out of the store: one by digest, or all of a batch as a stream.

Nothing is held open while a slow client reads: a page of entries and each tile are read in transactions of
their own, which is sound because entries and tiles of a sealed batch do not change (an erased entry may
vanish between pages).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from registry.encoding import AccountId, Address, ChainId, Digest, Node
from registry.errors import AmbiguousDigestError, NotFoundError, NotSealedError
from registry.merkle import AnchorHint, InclusionProof, TileReader, iter_paths, proof_to_json
from registry.model.batches import Anchor, Batch, BatchState, Entry
from registry.model.chain import RegistryInfo
from registry.ports.store import Store
from registry.services.sealing import inclusion_proof

PAGE = 1_024
_UNSEALED = frozenset({BatchState.OPEN, BatchState.RECEIVING})


class ProofReader:
    """Reads proofs as the JSON objects of docs/proof-format.md, section 4."""

    def __init__(self, store: Store, info: RegistryInfo) -> None:
        self._store = store
        self._registry = AccountId(ChainId(info.chain_id), info.address)

    def one(self, digest: Digest, issuer: Address | None, batch_id: str | None) -> dict[str, Any]:
        """The proof of the one entry that fits.

        Raises:
            NotFoundError: no entry fits; entries of failed batches fit only when the batch is named.
            AmbiguousDigestError: several do.
            NotSealedError: its batch has no root yet.
        """
        with self._store.read() as unit:
            entries = [
                entry
                for entry in unit.entries.by_digests([digest], issuer=issuer)
                if (
                    entry.batch_state is not BatchState.FAILED
                    if batch_id is None
                    else entry.batch_id == batch_id
                )
            ]
            if not entries:
                raise NotFoundError("no such credential here")
            if len(entries) > 1:
                raise AmbiguousDigestError("several entries carry this digest: name issuer or batch")
            entry = entries[0]
            if entry.root is None:
                raise NotSealedError("the batch is not sealed yet, so there is no proof")
            batch = unit.batches.by_seq(entry.batch_seq)
            proof = inclusion_proof(unit, entry)
        return self._to_json(proof, batch.anchor if batch is not None else None)

    def all(self, batch: Batch) -> Iterator[dict[str, Any]]:
        """The proofs of a sealed batch in index order; erased entries are left out.

        Raises:
            NotSealedError: at once, not at the first item.
        """
        if batch.state in _UNSEALED or batch.root is None:
            raise NotSealedError("the batch is not sealed yet, so there are no proofs")
        return self._stream(batch)

    def _stream(self, batch: Batch) -> Iterator[dict[str, Any]]:
        entries = self._entries(batch)
        entry = next(entries, None)
        for index, path in enumerate(iter_paths(batch.size, self._tile_reader(batch))):
            if entry is None:
                return
            if entry.index == index:
                yield self._to_json(_proof(batch, entry, path), batch.anchor)
                entry = next(entries, None)

    def _entries(self, batch: Batch) -> Iterator[Entry]:
        first = 0
        while True:
            with self._store.read() as unit:
                page = unit.entries.of_batch(batch.seq, first, PAGE)
            if not page:
                return
            yield from page
            first = page[-1].index + 1

    def _tile_reader(self, batch: Batch) -> TileReader:
        def read(level: int, index: int, /) -> bytes:
            with self._store.read() as unit:
                return unit.batches.read_tiles(batch.seq, [(level, index)]).get((level, index), b"")

        return read

    def _to_json(self, proof: InclusionProof, anchor: Anchor | None) -> dict[str, Any]:
        hint = None
        if anchor is not None:
            hint = AnchorHint(anchor.transaction, anchor.block_number, anchor.block_hash, anchor.anchored_at)
        return proof_to_json(replace(proof, registry=self._registry, anchor=hint))


def _proof(batch: Batch, entry: Entry, path: list[Node]) -> InclusionProof:
    assert batch.root is not None
    return InclusionProof(
        index=entry.index,
        size=batch.size,
        path=tuple(path),
        method=entry.method,
        digest=entry.digest,
        salt=entry.salt,
        issuer=batch.issuer,
        root=batch.root,
    )
