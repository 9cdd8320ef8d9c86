"""Whose key signed a token: from ``kid`` and ``jwk`` in its header to a key, and from the key to the issuer.

A token can carry any key, so a key counts as the issuer's only when the issuer says so: it is the
issuer's did:key or did:jwk; the issuer's document lists it for assertions; or it was read from an address
beneath the issuer's own URL. Merely the same host is not enough, as many issuers share one. A key that
fits and is not tied to the issuer leaves the question open.

Source: Open Badges 3.0, sections 8.2.3 and 8.4 (a ``kid`` may be the URL of a JWK or of a JWK set); Securing
Verifiable Credentials using JOSE and COSE, sections 3.1.2, 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from registry.credentials.controllers import MAX_DOCUMENT_BYTES, VerificationMethod
from registry.credentials.keys import PublicKey
from registry.credentials.sources import Documents, Tools
from registry.credentials.suites.jose import Token, verify_token
from registry.credentials.verification_methods import document_url, resolve_controller, resolve_method
from registry.encoding import JsonValue, invalid, parse_json
from registry.errors import UnavailableSourceError, ValidationError

_ASSERTIONS = "assertionMethod"
_MAX_KEYS = 1000


@dataclass(frozen=True, slots=True)
class _Named:
    """The key that a header names. ``is_issuers`` when the way to it ties it to the issuer."""

    key: PublicKey
    is_issuers: bool


def require_issuers_signature(token: Token, issuer: str, tools: Tools) -> None:
    """Return when the token was signed with a key of its issuer.

    Raises:
        BadSignatureError: the signature does not fit.
        UnavailableSourceError: a document that would tell is not at hand; or the signature fits, and nothing
            ties the key to the issuer.
        UnsupportedKeyError: a kind of key, of algorithm or of DID that is not known here.
        MalformedInputError: the header names no key, two different ones, or one that is not the issuer's.
    """
    named = _named_key(token, issuer, tools)
    verify_token(token, named.key)
    if not named.is_issuers:
        _require_listed(named.key, issuer, tools)


def require_metadata_signature(token: Token, issuer: str, documents: Documents) -> None:
    """The same for an https issuer that publishes its keys as SD-JWT VC asks for: the JWT VC issuer metadata
    (draft-ietf-oauth-sd-jwt-vc, section 5). Raises as `require_issuers_signature`."""
    address = urlsplit(document_url(issuer))
    path = address.path.rstrip("/")
    url = f"{address.scheme}://{address.netloc}/.well-known/jwt-vc-issuer{path}"
    metadata = parse_json(documents.get(url), max_bytes=MAX_DOCUMENT_BYTES)
    if not isinstance(metadata, Mapping) or metadata.get("issuer") != issuer:
        raise invalid("issuer", "the issuer's metadata is another's", "")
    keys, place = metadata.get("jwks"), metadata.get("jwks_uri")
    if (keys is None) == (place is None):
        raise invalid("issuer", "the issuer's metadata has either keys or the address of keys", "")
    if isinstance(place, str):
        keys = parse_json(documents.get(document_url(place)), max_bytes=MAX_DOCUMENT_BYTES)
    if not isinstance(keys, Mapping) or "keys" not in keys:
        raise invalid("issuer", "the issuer's metadata has no set of keys", "")
    kid = token.header.get("kid")
    verify_token(token, _of_set(keys, kid, kid) if isinstance(kid, str) else _of_set(keys, "", ""))


def _named_key(token: Token, issuer: str, tools: Tools) -> _Named:
    shown = token.header.get("jwk")
    key = None if shown is None else PublicKey.from_jwk(shown, pointer="/jwk")
    kid = token.header.get("kid")
    if not isinstance(kid, str):
        return _Named(key, is_issuers=False) if key is not None else _only_key(issuer, tools)
    if key is not None and not _is_address(kid):
        return _Named(key, is_issuers=False)  # a label for the key that stands beside it
    named = _by_kid(kid, issuer, tools)
    if key is not None and key != named.key:
        raise invalid("jwk", "the token's header names one key and shows another", "")
    return named


def _is_address(kid: str) -> bool:
    return kid.startswith(("did:", "https://", "http://", "#"))


def _by_kid(kid: str, issuer: str, tools: Tools) -> _Named:
    if not _is_address(kid):
        return _Named(_labelled(kid, issuer, tools), is_issuers=True)
    name = issuer + kid if kid.startswith("#") else kid
    if name.startswith("did:"):
        return _Named(_issuers_method(_with_fragment(name), issuer, tools).key, is_issuers=True)
    base, _, fragment = name.partition("#")
    document = parse_json(tools.documents.get(document_url(base)), max_bytes=MAX_DOCUMENT_BYTES)
    if not isinstance(document, Mapping):
        raise invalid("kid", "the document of the token's key is not an object", "")
    if "kty" in document:
        return _Named(PublicKey.from_jwk(document), _is_beneath(base, issuer))
    if "keys" in document:
        return _Named(_of_set(document, name, fragment), _is_beneath(base, issuer))
    return _Named(_issuers_method(name, issuer, tools).key, is_issuers=True)


def _issuers_method(name: str, issuer: str, tools: Tools) -> VerificationMethod:
    """The verification method, if it is the issuer's and in force."""
    if "#" in name and name.partition("#")[0] != issuer:
        raise invalid("kid", "the token was signed with a key that is not the issuer's", "")
    method = resolve_method(name, tools.documents)
    if method.controller != issuer:
        raise invalid("kid", "the token was signed with a key that is not the issuer's", "")
    if _ASSERTIONS not in method.purposes:
        raise invalid("kid", "the issuer does not list the token's key for assertions", "")
    if not _in_force(method, tools):
        raise invalid("kid", "the token's key has been revoked or has expired", "")
    return method


def _in_force(method: VerificationMethod, tools: Tools) -> bool:
    return all(end is None or end > tools.now for end in (method.revoked, method.expires))


def _with_fragment(did: str) -> str:
    """did:key and did:jwk have one method each, so that their name alone names it."""
    if "#" not in did and did.startswith("did:key:"):
        return f"{did}#{did.removeprefix('did:key:')}"
    return f"{did}#0" if "#" not in did and did.startswith("did:jwk:") else did


def _of_set(document: Mapping[str, JsonValue], name: str, fragment: str) -> PublicKey:
    """The key of a JWK set (RFC 7517, section 5) whose ``kid`` is the whole name or its fragment."""
    keys = document["keys"]
    if not isinstance(keys, list) or len(keys) > _MAX_KEYS:
        raise invalid("kid", "the document of the token's key is not a set of keys", "")
    found = [entry for entry in keys if isinstance(entry, Mapping) and entry.get("kid") in (name, fragment)]
    if not fragment and len(keys) == 1:
        found = keys
    if len(found) != 1:
        raise invalid("kid", "the set of keys does not hold exactly one of the token's name", "")
    return PublicKey.from_jwk(found[0])


def _is_beneath(url: str, issuer: str) -> bool:
    """Whether an address is the issuer's own URL or beneath it."""
    if not issuer.startswith(("https://", "http://")):
        return False
    return url == issuer or url.startswith(issuer if issuer.endswith("/") else f"{issuer}/")


def _issuers_keys(issuer: str, documents: Documents, tools: Tools) -> list[VerificationMethod]:
    """The keys that the issuer lists for assertions and that are in force."""
    if issuer.startswith(("did:key:", "did:jwk:")):
        methods = [resolve_method(_with_fragment(issuer), documents)]
    else:
        methods = list(resolve_controller(issuer, documents).readable_methods())
    return [method for method in methods if _ASSERTIONS in method.purposes and _in_force(method, tools)]


def _only_key(issuer: str, tools: Tools) -> _Named:
    """The issuer's key when the header names none."""
    methods = _issuers_keys(issuer, tools.documents, tools)
    if len(methods) != 1:
        raise invalid("kid", "the token does not say which of its issuer's keys signed it", "")
    return _Named(methods[0].key, is_issuers=True)


def _labelled(kid: str, issuer: str, tools: Tools) -> PublicKey:
    """The issuer's key whose fragment or thumbprint is ``kid``."""
    methods = _issuers_keys(issuer, tools.documents, tools)
    for method in methods:
        if kid in (method.id.partition("#")[2], method.key.thumbprint()):
            return method.key
    raise invalid("kid", "the issuer does not list a key of the token's name", "")


def _require_listed(key: PublicKey, issuer: str, tools: Tools) -> None:
    """Return when the issuer lists ``key``; the signature has been checked with it already."""
    try:
        methods = _issuers_keys(issuer, tools.documents, tools)
    except UnavailableSourceError as error:
        detail = f"the signature fits the key in the token, but whose key that is remains open: {error}"
        raise UnavailableSourceError(detail) from error
    except ValidationError as error:
        raise UnavailableSourceError(_OPEN) from error
    if key in [method.key for method in methods]:
        return
    if methods:
        raise invalid("jwk", "the token was signed with a key that its issuer does not list", "")
    raise UnavailableSourceError(_OPEN)


_OPEN = (
    "the signature fits the key in the token, but nothing ties that key to the issuer; a document at the "
    "issuer's address that lists it for assertions would"
)
