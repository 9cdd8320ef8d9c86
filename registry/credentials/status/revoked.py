"""The list of an issuer's revoked awards, as verifiers of Blockcerts and Open Badges 2.0 read it.

It names every award that counts as revoked (`registry.credentials.status.standing`), with status entries or
without. Nothing of it is signed: it counts because the issuer's profile names its address. It is written in
pieces, each of one void batch or of 3,000 revoked entries at most.

Source: Open Badges 2.0, "Hosted Revocation List".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from registry.credentials.did_web import PROFILE_PATH, REVOCATION_LIST_PATH, url_below
from registry.credentials.identity import IdentityService
from registry.credentials.status.standing import (
    Place,
    Standing,
    read_heads,
    read_standing,
    require_index,
)
from registry.encoding import Address, JsonValue, Root, canonical_json
from registry.errors import ConfigurationError, NotFoundError
from registry.model.reasons import reason_from_code
from registry.ports.clock import Clock
from registry.ports.store import Store

CONTEXT = "https://w3id.org/openbadges/v2"
_PLACES_AT_ONCE = 3_000


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list that is not written yet. ``etag`` changes whenever the list may have."""

    etag: str
    base: str
    issuer: Address


class RevocationLists:
    """Safe to call from several threads."""

    def __init__(
        self, store: Store, identity: IdentityService, clock: Clock, max_index_age_seconds: float
    ) -> None:
        self._store = store
        self._identity = identity
        self._clock = clock
        self._max_index_age_seconds = max_index_age_seconds

    def current(self, issuer: Address) -> RevocationList:
        """The list as it would be written now.

        Raises:
            NotFoundError: no such issuer here, or the server has no address that lasts.
            IndexStaleError, UnavailableError: the index may say nothing about the issuer now.
        """
        with self._store.read() as unit:
            if unit.issuers.get(issuer) is None:
                raise NotFoundError("no such issuer here")
            try:
                base = self._identity.base_in(unit)
            except ConfigurationError as error:
                raise NotFoundError("this server has no address that lasts") from error
            position = require_index(unit, issuer, self._clock, self._max_index_age_seconds)
            heads = read_heads(unit, issuer, position)
        made_of = b"\n".join((heads.latest, heads.final, base.encode()))
        return RevocationList(sha256(made_of).hexdigest()[:32], base, issuer)

    def written(self, wanted: RevocationList) -> Iterator[bytes]:
        """The list's JSON in pieces, as it is when the first one is asked for. Raises as `current`, then."""
        issuer = wanted.issuer
        with self._store.read() as unit:
            position = require_index(unit, issuer, self._clock, self._max_index_age_seconds)
            standing = read_standing(unit, issuer, position)
            places = standing.places(unit, standing.revoked)
            batches = standing.void_batches(unit)
        head: dict[str, JsonValue] = {
            "@context": CONTEXT,
            "type": "RevocationList",
            "id": url_below(wanted.base, REVOCATION_LIST_PATH, issuer),
            "issuer": url_below(wanted.base, PROFILE_PATH, issuer),
        }
        yield canonical_json(head)[:-1] + b',"revokedAssertions":['
        separator = b""
        named: set[str] = set()
        for piece in self._pieces(standing, places, batches):
            for credential_id, reason in piece:
                if credential_id in named:
                    continue
                named.add(credential_id)
                yield separator + canonical_json({"id": credential_id, "revocationReason": reason})
                separator = b","
        yield b"]}"

    def _pieces(
        self, standing: Standing, places: dict[Place, Root], batches: dict[int, Root]
    ) -> Iterator[list[tuple[str, str]]]:
        for seq, root in batches.items():
            yield self._revoked(standing, {}, {seq: root})
        rest = iter(places.items())
        while piece := dict(islice(rest, _PLACES_AT_ONCE)):
            yield self._revoked(standing, piece, {})

    def _revoked(
        self, standing: Standing, places: dict[Place, Root], batches: dict[int, Root]
    ) -> list[tuple[str, str]]:
        with self._store.read() as unit:
            marks = unit.awards.marked(standing.issuer, places, batches)
        roots = batches | {seq: root for (seq, _), root in places.items()}
        return [
            (mark.credential_id, _words(standing.reason(roots[mark.batch_seq], mark.entry_index)))
            for mark in marks
            if mark.credential_id is not None
        ]


def _words(reason: int) -> str:
    return reason_from_code(reason).label.replace("_", " ")
