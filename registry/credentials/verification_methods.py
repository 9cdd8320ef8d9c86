"""From the name of a verification method to its key and controller: did:key, did:jwk, did:web and https URLs.

did:key and did:jwk hold their key and ask nobody. For the others the controller's document is asked for
through `Documents`, which fetches nothing unless the operator or the caller allowed it. The text of a
method's name is input: it is bounded, and everything that would make the fetched address another than the
named one (user names, dots, escapes of separators) is refused.

Source: Controlled Identifiers 1.0, section 3.3; the methods' own specifications: did:key 0.9, did:jwk,
did:web. A did:web of localhost or 127.0.0.1 is read over http, as development servers have no certificates;
every other host over https.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from registry.credentials.controllers import (
    MAX_DOCUMENT_BYTES,
    PURPOSES,
    ControllerDocument,
    VerificationMethod,
    method_of,
    read_controller,
)
from registry.credentials.keys import PublicKey
from registry.credentials.sources import Documents
from registry.encoding import invalid, parse_base64url, parse_json
from registry.errors import Fault, UnsupportedKeyError

MAX_ID_CHARACTERS = 2048
_METHODS_AT_HAND = 4096
_LOOPBACK = frozenset(("localhost", "127.0.0.1"))
_SIGNING_PURPOSES = frozenset(PURPOSES) - {"keyAgreement"}

_HOST = re.compile(r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?:%3[Aa](?P<port>[0-9]{1,5}))?")
# idchar of DID Core, without dot segments and without escapes of controls, dots and separators.
_SEGMENT = re.compile(r"(?!\.{1,2}\Z)(?:[A-Za-z0-9._-]|%(?!2[EFef]|5[Cc]|[01]|7[Ff])[0-9A-Fa-f]{2})+")
_DID = re.compile(r"did:[a-z0-9]+:[!-~]+\Z")
_URL_TEXT = re.compile(r"[!-~]+")


def resolve_method(method_id: str, documents: Documents) -> VerificationMethod:
    """The verification method that a proof names.

    Args:
        method_id: an absolute DID URL, or an http(s) URL.

    Raises:
        UnavailableSourceError: its controller's document could not be looked at.
        UnsupportedKeyError: another DID method, or a type or kind of key that is not known here.
        MalformedInputError: it names nothing, or its document is wrong or does not hold it.
    """
    if len(method_id) > MAX_ID_CHARACTERS:
        raise invalid("method", f"a verification method's id has at most {MAX_ID_CHARACTERS} characters", "")
    if method_id.startswith(("did:key:", "did:jwk:")):
        return _self_contained(method_id)
    controller, separator, fragment = method_id.partition("#")
    if separator and not fragment:
        raise invalid("method", "the verification method's fragment is empty", "")
    if separator:
        return resolve_controller(controller, documents).method(method_id)
    return _standing_alone(method_id, documents)


def resolve_controller(identifier: str, documents: Documents) -> ControllerDocument:
    """The document of a did:web or of an http(s) URL. Raises as `resolve_method`."""
    return read_controller(documents.get(document_url(identifier)), identifier)


def document_url(identifier: str) -> str:
    """Where the document of a DID or URL is found.

    Raises:
        UnsupportedKeyError: another DID method. ValidationError: a malformed identifier.
    """
    if len(identifier) > MAX_ID_CHARACTERS:
        raise invalid("identifier", f"an identifier has at most {MAX_ID_CHARACTERS} characters", "")
    if identifier.startswith("did:web:"):
        return _did_web_url(identifier.removeprefix("did:web:"))
    if identifier.startswith(("https://", "http://")):
        return _checked_url(identifier)
    if _DID.match(identifier) is None:
        raise invalid("identifier", "this is neither a DID nor an https URL", "")
    detail = "only did:key, did:jwk, did:web and https identifiers can be looked up"
    raise UnsupportedKeyError(detail, faults=[Fault("method", detail, "")])


def did_key(key: PublicKey) -> str:
    """The did:key of a key. Raises `ValidationError` for RSA."""
    return f"did:key:{key.to_multikey()}"


def did_key_method(key: PublicKey) -> str:
    """The id of a did:key's one verification method, ``did:key:X#X``. Raises as `did_key`."""
    multikey = key.to_multikey()
    return f"did:key:{multikey}#{multikey}"


def _did_web_url(rest: str) -> str:
    host, *path = rest.split(":")
    match = _HOST.fullmatch(host)
    if match is None or ".." in host or any(_SEGMENT.fullmatch(segment) is None for segment in path):
        raise invalid("did-web", "this is not a did:web of a host and path segments", "")
    scheme = "http" if match["name"].lower() in _LOOPBACK else "https"
    authority = match["name"] if match["port"] is None else f"{match['name']}:{match['port']}"
    return f"{scheme}://{authority}/{'/'.join(path) if path else '.well-known'}/did.json"


def _checked_url(url: str) -> str:
    """An http(s) URL without fragment, user name or odd characters; http for loopback alone."""
    if _URL_TEXT.fullmatch(url) is None or "\\" in url or "#" in url:
        raise invalid("url", "this is not a plain https URL", "")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise invalid("url", "this is not a plain https URL", "") from error
    if not host or "@" in parts.netloc or (parts.scheme == "http" and host not in _LOOPBACK):
        raise invalid("url", "this is not a plain https URL", "")
    return url


@lru_cache(maxsize=_METHODS_AT_HAND)
def _self_contained(method_id: str) -> VerificationMethod:
    """The one method of a did:key or did:jwk."""
    did, _, fragment = method_id.partition("#")
    if did.startswith("did:key:"):
        multikey = did.removeprefix("did:key:")
        if fragment != multikey:
            raise invalid("method", "a did:key has one verification method, did:key:X#X", "")
        return VerificationMethod(method_id, did, PublicKey.from_multikey(multikey), _SIGNING_PURPOSES)
    if fragment != "0":
        raise invalid("method", "a did:jwk has one verification method, #0", "")
    jwk = parse_json(parse_base64url(did.removeprefix("did:jwk:")))
    return VerificationMethod(method_id, did, PublicKey.from_jwk(jwk), _SIGNING_PURPOSES)


def _standing_alone(url: str, documents: Documents) -> VerificationMethod:
    """A method with a document of its own, which counts when its controller's document lists it."""
    members = parse_json(documents.get(document_url(url)), max_bytes=MAX_DOCUMENT_BYTES)
    if not isinstance(members, dict) or members.get("id") != url:
        raise invalid("id", "the document is not the verification method that was asked for", "/id")
    controller = members.get("controller")
    if not isinstance(controller, str):
        raise invalid("controller", "a verification method names its controller", "/controller")
    if controller.startswith(("did:key:", "did:jwk:")):
        raise invalid(
            "controller", "a did:key or did:jwk lists no further verification methods", "/controller"
        )
    document = resolve_controller(controller, documents)
    purposes = document.listed.get(url)
    if purposes is None:
        raise invalid("method", "the controller's document does not list this verification method", "")
    return method_of(members, url, controller, purposes)
