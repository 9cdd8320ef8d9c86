"""What an issuer hands in, before it is an entry: a digest, or a credential to take the digest of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, Protocol, TypeVar

from registry.encoding import (
    Digest,
    DigestMethod,
    JsonValue,
    canonical_json,
    credential_digest,
    parse_time,
    require_unguessable_id,
)
from registry.errors import Fault
from registry.model.batches import Batch, NewEntry
from registry.ports.store import Unit
from registry.services.sealing import new_salts

MAX_EXTERNAL_ID_CHARACTERS = 200

T = TypeVar("T")

Position = Callable[[int], Mapping[str, Any]]
"""Where item number i stands in the request: ``{"pointer": "/digests/17"}`` or ``{"line": 18}``."""


class NewItem(NamedTuple):
    """One credential of a request; its salt is drawn when it becomes an entry. ``attached`` is what a
    `Companion` stores with it."""

    digest: Digest
    method: DigestMethod
    external_id: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    document: bytes | None = None
    attached: Any = None


class Companion(Protocol):
    """Stores something beside the entries of a batch in the very transactions that store and seal them, so
    that a crash leaves both or neither.

    Attributes:
        chunk_size: entries in one transaction, where documents are too large for the usual number.
    """

    @property
    def chunk_size(self) -> int: ...

    def store(self, unit: Unit, batch: Batch, first_index: int, items: Sequence[NewItem]) -> None:
        """``items`` were stored in ``unit`` as the entries from ``first_index`` on. What is stored here under
        the batch's number must be removed by `BatchRepository.discard` too."""
        ...

    def sealed(self, unit: Unit, batch: Batch) -> None:
        """``batch`` was sealed in ``unit``, which holds the issuer's row. Whatever is raised undoes it, and
        the batch is discarded."""
        ...


def pointer_into_digests(index: int) -> Mapping[str, Any]:
    """The place of an item in a body `{"digests": […]}`."""
    return {"pointer": f"/digests/{index}"}


def entries_of(items: Sequence[NewItem]) -> list[NewEntry]:
    """The entries to store, each with a fresh salt."""
    return [
        NewEntry(
            item.digest,
            item.method,
            salt,
            item.external_id,
            item.valid_from,
            item.valid_until,
            item.document,
        )
        for item, salt in zip(items, new_salts(len(items)), strict=True)
    ]


def fault_of(item: NewItem, index: int, position: Position) -> Fault | None:
    """What is wrong with item number ``index`` beyond its digest, or None. Finding a place may mean reading
    the request again, so only faulty items are looked for."""
    if item.external_id is not None and not 1 <= len(item.external_id) <= MAX_EXTERNAL_ID_CHARACTERS:
        detail = f"an external_id has 1 to {MAX_EXTERNAL_ID_CHARACTERS} characters"
        return Fault("external-id", detail, **position(index))
    if item.valid_from and item.valid_until and item.valid_until <= item.valid_from:
        return Fault("validity", "the validity ends before it begins", **position(index))
    return None


def item_from_credential(
    credential: Mapping[str, JsonValue],
    method: DigestMethod = DigestMethod.JCS_SHA256,
    external_id: str | None = None,
    *,
    keep_document: bool = False,
    pointer: str = "",
) -> NewItem:
    """Take digest and validity dates from a credential.

    Args:
        credential: as `parse_json` returned it.
        keep_document: whether the whole credential is stored too.
        pointer: of the credential in the request, put before the places in errors.

    Raises:
        ValidationError: its id can be guessed, or a date has the wrong form.
        UnsupportedDigestMethodError: the digest cannot be computed here by ``method``.
        MalformedJsonError: the credential has no canonical form.
    """
    require_unguessable_id(credential, pointer=pointer)
    return NewItem(
        digest=credential_digest(credential, method),
        method=method,
        external_id=external_id,
        valid_from=_date(credential, ("validFrom", "issuanceDate"), pointer),
        valid_until=_date(credential, ("validUntil", "expirationDate"), pointer),
        document=canonical_json(credential) if keep_document else None,
    )


def _date(credential: Mapping[str, JsonValue], names: Sequence[str], pointer: str) -> datetime | None:
    """The first of the members that is there: data model 2.0 names it differently from 1.1."""
    for name in names:
        if credential.get(name) is not None:
            return parse_time(credential[name], pointer=f"{pointer}/{name}")
    return None


def chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    """Lists of at most ``size`` items."""
    while chunk := list(islice(items, size)):
        yield chunk
