"""From the server's address to the DIDs of its issuers (did:web), and to what lies beside a document. Pure.

A did:web names a host, perhaps a port, and a path, and resolves to ``did.json`` below it over HTTPS
(resolvers use HTTP for ``localhost``). Invariant: two spellings of one address (case, default port, trailing
slash) give one base and so one DID. Source: did:web Method Specification, sections on the method-specific
identifier and on reading.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from registry.encoding import Address, to_hex
from registry.errors import ConfigurationError

DID_DOCUMENT_PATH = "/issuers/{address}/did.json"
PROFILE_PATH = "/issuers/{address}/profile.json"
REVOCATION_LIST_PATH = "/issuers/{address}/revocation-list.json"
"""Paths below the base, with the address in lower case; the last is Blockcerts' list."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_ACCOUNT_DID = re.compile(r"did:web:[A-Za-z0-9._%-]+(?::[A-Za-z0-9._%-]+)*:issuers:0x([0-9a-f]{40})")


def public_base(url: str) -> str:
    """The one spelling of the server's address, without a slash at its end, such as
    ``https://host.example:8443/path``.

    Raises:
        ConfigurationError: no http or https address, one with user, query or fragment, an IP address (which
            did:web forbids), or a path with unusual characters.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise _unusable("it is no address") from error
    if parts.scheme not in _DEFAULT_PORTS or "@" in parts.netloc or parts.query or parts.fragment:
        raise _unusable("an http or https address without user, query and fragment is expected")
    if _HOST.fullmatch(host) is None:
        raise _unusable("its host is no name in ASCII")
    if host.rpartition(".")[2].isdecimal():
        raise _unusable("its host is an IP address, and did:web wants a name")
    segments = parts.path.rstrip("/").split("/")[1:]
    if not all(_SEGMENT.fullmatch(segment) for segment in segments):
        raise _unusable("its path has characters that a DID cannot have")
    authority = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return "/".join([f"{parts.scheme}://{authority}", *segments])


def issuer_did(base: str, issuer: Address) -> str:
    """The DID of an issuer, such as ``did:web:localhost%3A8000:issuers:0x…``, address in lower case.

    Args:
        base: as `public_base` gives it.
    """
    return _prefix(base) + to_hex(issuer)


def issuer_of_did(base: str, did: str) -> Address | None:
    """The issuer that a DID of this server names; None for every other DID.

    The port's ``%3A`` may have been decoded on the way: a DID in the path of a URL often is.
    """
    prefix = _prefix(base)
    for spelling in (prefix, unquote(prefix)):
        if did.startswith(spelling):
            address = did[len(spelling) :]
            return Address(bytes.fromhex(address[2:])) if _ADDRESS.fullmatch(address) else None
    return None


def issuer_of_url(base: str, url: str) -> tuple[str, Address] | None:
    """Which of the paths above, and whose, a URL of this server is; None for every other URL. The scheme does
    not count."""
    prefix, _, address_and_name = url.partition("://")[2].partition("/issuers/")
    address, _, name = address_and_name.partition("/")
    if prefix != base.partition("://")[2] or _ADDRESS.fullmatch(address) is None:
        return None
    for path in (DID_DOCUMENT_PATH, PROFILE_PATH, REVOCATION_LIST_PATH):
        if path.endswith(f"/{name}"):
            return path, Address(bytes.fromhex(address[2:]))
    return None


def account_in_did(did: str) -> Address | None:
    """The account in a DID of the form that every server of this kind makes, on whatever host; None for every
    other DID. The DID's host chose it, so it proves nothing about the account."""
    found = _ACCOUNT_DID.fullmatch(did)
    return None if found is None else Address(bytes.fromhex(found[1]))


def is_beside(did: str, url: str) -> bool:
    """Whether a URL is one of the server whose DID this is: below the DID's host, port and path. The scheme
    does not count."""
    if _ACCOUNT_DID.fullmatch(did) is None:
        return False
    authority, *segments, _, _ = did.removeprefix("did:web:").split(":")
    here = "/".join([unquote(authority), *segments])
    return url.partition("://")[2].startswith(f"{here}/")


def url_below(base: str, path: str, issuer: Address) -> str:
    """The URL of one of the paths above."""
    return base + path.format(address=to_hex(issuer))


def _prefix(base: str) -> str:
    authority, *segments = base.partition("://")[2].split("/")
    return ":".join(["did:web", authority.replace(":", "%3A"), *segments, "issuers", ""])


def _unusable(why: str) -> ConfigurationError:
    return ConfigurationError(f"ROOTMARK_PUBLIC_URL: no DID can be made of it: {why}")
