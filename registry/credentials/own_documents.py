"""Documents that need no network: this server's own, and those that a caller sent along.

Both stand before another source, which is asked for everything else. Invariant: an address of this server's
own documents is never asked for elsewhere, so that no request of this server waits for another of its own,
and nobody can send along a document in the place of one of the server's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from registry.credentials.identity import IdentityService
from registry.credentials.sources import Documents
from registry.credentials.status.publishing import StatusListPublisher
from registry.credentials.status.revoked import RevocationLists
from registry.encoding import Address, canonical_json
from registry.errors import (
    ConfigurationError,
    NotFoundError,
    SignerError,
    UnavailableError,
    UnavailableSourceError,
)

MAX_DOCUMENT_BYTES = 1 << 20
_SHOWN_CHARACTERS = 200
_OF_ISSUER = re.compile(r"/issuers/(0x[0-9a-f]{40})/(did|profile|revocation-list)\.json")
_STATUS_LIST = re.compile(r"/status/([^/?#]+)")


class NoDocuments:
    """The end of a chain of sources: it has nothing."""

    def get(self, url: str) -> bytes:
        """Raises `UnavailableSourceError`."""
        raise UnavailableSourceError(f"supply {shown_url(url)}, or allow its host")


class SuppliedDocuments:
    """Documents by their exact address, before another source."""

    def __init__(self, documents: Mapping[str, bytes], then: Documents) -> None:
        self._documents = documents
        self._then = then

    def get(self, url: str) -> bytes:
        """Raises `UnavailableSourceError`: too large, or not here and not there."""
        found = self._documents.get(url)
        return self._then.get(url) if found is None else _bounded(found, url)


class OwnDocuments:
    """DID documents, profiles, status lists and lists of revoked awards of this server, before another
    source."""

    def __init__(
        self,
        identity: IdentityService,
        lists: StatusListPublisher,
        revoked: RevocationLists,
        then: Documents,
    ) -> None:
        self._identity = identity
        self._lists = lists
        self._revoked = revoked
        self._then = then

    def get(self, url: str) -> bytes:
        """Raises `UnavailableSourceError`: the document does not exist or cannot be made now, or the other
        source does not have it."""
        make = self._own(url)
        if make is None:
            return self._then.get(url)
        try:
            return _bounded(make(), url)
        except NotFoundError as error:
            raise UnavailableSourceError(f"this server has no document at {shown_url(url)}") from error
        except (UnavailableError, SignerError, ConfigurationError) as error:
            raise UnavailableSourceError(
                f"this server cannot show {shown_url(url)} now ({str(error).rstrip('.')})"
            ) from error

    def _own(self, url: str) -> Callable[[], bytes] | None:
        """How the document is made; None where the address is not one of this server's documents."""
        path = self._path(url)
        if path is None:
            return None
        if (match := _STATUS_LIST.fullmatch(path)) is not None:
            list_id = match[1]
            return lambda: self._lists.published(list_id).body
        if (match := _OF_ISSUER.fullmatch(path)) is None:
            return None
        issuer, name = Address(bytes.fromhex(match[1][2:])), match[2]
        if name == "did":
            return lambda: canonical_json(self._identity.document(issuer))
        if name == "profile":
            return lambda: canonical_json(self._identity.profile(issuer))
        return lambda: self._revocation_list(issuer)

    def _path(self, url: str) -> str | None:
        """What follows the server's address. A did:web says nothing of the scheme, so either will do."""
        try:
            base = self._identity.base()
        except ConfigurationError:
            return None
        scheme, _, rest = url.partition("://")
        _, _, here = base.partition("://")
        if scheme not in ("https", "http") or not rest.startswith(f"{here}/"):
            return None
        return rest.removeprefix(here)

    def _revocation_list(self, issuer: Address) -> bytes:
        pieces: list[bytes] = []
        length = 0
        for piece in self._revoked.written(self._revoked.current(issuer)):
            pieces.append(piece)
            length += len(piece)
            if length > MAX_DOCUMENT_BYTES:
                break
        return b"".join(pieces)


def shown_url(url: str) -> str:
    """An address for a sentence: what stands in a document may be anything."""
    text = url[:_SHOWN_CHARACTERS]
    return text if text.isascii() and text.isprintable() else "the document that it names"


def _bounded(document: bytes, url: str) -> bytes:
    if len(document) > MAX_DOCUMENT_BYTES:
        raise UnavailableSourceError(f"{shown_url(url)} is larger than {MAX_DOCUMENT_BYTES} bytes")
    return document
