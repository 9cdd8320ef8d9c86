"""Tokens before the browser's verifier and the package's: the same outcome, the same checks."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from registry.cli.offline import verify_offline
from registry.credentials.formats.jwt_credentials import issue_vc_jose, issue_vc_jwt
from registry.credentials.key_pairs import KeyPair
from registry.credentials.suites.jose import make_token
from registry.credentials.verification_methods import did_key_method
from registry.settings import Settings
from tests.unit.credentials.suites.parts import ED, ISSUER, P256, STRANGER, badge
from tests.verifier_js.conftest import JavaScript
from tests.verifier_js.test_differential import Ground, compare, ground, results

pytestmark = pytest.mark.node
__all__ = ["ground"]

KID = did_key_method(ED.public)
Make = Callable[[dict[str, Any]], str]


def jose(pair: KeyPair = ED, claims: dict[str, Any] | None = None, **header: Any) -> Make:
    """A maker of VC-JOSE tokens; None leaves a member of the header out."""

    def make(credential: dict[str, Any]) -> str:
        members = {"alg": "EdDSA", "typ": "vc+jwt", "cty": "vc", "kid": KID} | header
        kept = {name: value for name, value in members.items() if value is not None}
        return make_token(kept, credential | (claims or {}), pair.sign)

    return make


def jwt(**changes: Any) -> Make:
    """A maker of VC-JWT tokens with other claims; None leaves one out."""

    def make(credential: dict[str, Any]) -> str:
        claims = {"iss": ISSUER, "jti": credential["id"], "nbf": 1767225600, "sub": "did:example:holder"}
        kept = {name: value for name, value in (claims | changes).items() if value is not None}
        return make_token({"alg": "EdDSA", "typ": "JWT", "kid": KID}, credential | kept, ED.sign)

    return make


def altered(make: Make, part: int) -> Make:
    """The same with one part of it changed in its middle, in valid base64url."""

    def alter(credential: dict[str, Any]) -> str:
        parts = make(credential).split(".")
        middle = len(parts[part]) // 2
        other = "A" if parts[part][middle] != "A" else "B"
        parts[part] = parts[part][:middle] + other + parts[part][middle + 1 :]
        return ".".join(parts)

    return alter


def verdict(
    javascript: JavaScript, ground: Ground, make: Make, **members: Any
) -> tuple[str, str | None, dict[str, Any]]:
    """The outcome on which both agree, what came of the signature, and the whole report."""
    shown = ground.anchored(badge(**members))
    credential = dict(shown["credential"])
    report = compare(javascript, ground.node.url, shown | {"credential": make(credential)}, ground.issuer)
    return report["outcome"], results(report).get("signature"), report


@pytest.mark.parametrize(
    "make",
    [
        lambda credential: issue_vc_jose(credential, ED.public, KID, ED.sign),
        lambda credential: issue_vc_jwt(credential, ED.public, ED.sign, kid=KID),
        lambda credential: issue_vc_jwt(credential, ED.public, ED.sign),
        jose(kid=ISSUER),
        jose(kid=None, jwk=ED.public.to_jwk()),
        jose(kid="label", jwk=ED.public.to_jwk()),
        jose(kid=None),
        jose(typ="application/VC+JWT", cty="application/vc"),
        jose(alg="Ed25519"),
    ],
)
def test_token_of_what_was_anchored_is_valid(javascript: JavaScript, ground: Ground, make: Make) -> None:
    assert verdict(javascript, ground, make)[:2] == ("valid", "pass")


@pytest.mark.parametrize(
    "make",
    [
        altered(jose(), 2),
        jose(pair=STRANGER),
        jose(pair=STRANGER, kid=did_key_method(STRANGER.public)),
        jose(pair=STRANGER, kid=None, jwk=STRANGER.public.to_jwk()),
        jose(jwk=STRANGER.public.to_jwk()),
        jose(alg="none"),
        jose(alg="HS256"),
        jose(alg="ES256"),
        jose(kid=None, jwk=ED.private_jwk()),
        lambda credential: jose()(credential).rpartition(".")[0] + ".",
    ],
)
def test_signature_that_is_not_the_issuers_is_invalid(
    javascript: JavaScript, ground: Ground, make: Make
) -> None:
    assert verdict(javascript, ground, make)[:2] == ("invalid", "fail")


@pytest.mark.parametrize("header", [{"alg": "PS256"}, {"kid": "https://issuer.example/keys/1"}])
def test_signature_that_cannot_be_looked_at_leaves_the_anchors_word(
    javascript: JavaScript, ground: Ground, header: dict[str, str]
) -> None:
    """The document is what was anchored; that the issuer's name is the account's is what it leaves open."""
    assert verdict(javascript, ground, jose(**header))[:2] == ("indeterminate", "skipped")
    own = f"did:web:issuer.example:issuers:{ground.issuer}"
    make = jose(**{"kid": f"{own}#key-1"} | header)
    assert verdict(javascript, ground, make, issuer={"id": own})[:2] == ("valid", "skipped")


def test_changed_credential_is_invalid_although_its_token_is_signed(
    javascript: JavaScript, ground: Ground
) -> None:
    def make(credential: dict[str, Any]) -> str:
        return jose()(credential | {"name": "Astronautics"})

    outcome, _, report = verdict(javascript, ground, make)
    assert (outcome, results(report)["integrity"]) == ("invalid", "fail")


@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        (jose(claims={"exp": 1767225601}), "expired"),
        (jose(claims={"exp": 1767225601.5}), "expired"),
        (jose(claims={"nbf": 4102444800}), "not_yet_valid"),
        (jose(claims={"nbf": 1, "exp": 4102444800, "iat": 1767225600}), "valid"),
        (jwt(), "valid"),
        (jwt(exp=4102444800), "valid"),
        (jwt(exp=1767225601), "expired"),
    ],
)
def test_dates_of_the_token_count_too(
    javascript: JavaScript, ground: Ground, make: Make, outcome: str
) -> None:
    assert verdict(javascript, ground, make)[0] == outcome


@pytest.mark.parametrize(
    "make",
    [
        jwt(iss="did:example:another"),
        jwt(jti="urn:uuid:another"),
        jwt(sub="did:example:another"),
        jwt(nbf=1767225601),
        jwt(nbf="1767225600"),
        jwt(exp=-1),
        jwt(iss=None),
        jwt(jti=None),
        jwt(nbf=None),
        jwt(sub=None),
        jose(claims={"iss": "did:example:another"}),
        jose(claims={"exp": True}),
        jose(claims={"vp": {}}),
        jose(cty="jwt"),
        jose(typ="other+jwt"),
    ],
)
def test_token_that_contradicts_its_credential_is_invalid(
    javascript: JavaScript, ground: Ground, make: Make
) -> None:
    shown = ground.anchored(badge())
    token = make(dict(shown["credential"]))
    report = javascript.verify(shown | {"credential": token}, rpc=ground.node.url, issuer=ground.issuer)
    assert (report["outcome"], results(report)["format"]) == ("invalid", "fail")
    said = compare_outcome(ground, shown | {"credential": token})
    assert said == "invalid"


def compare_outcome(ground: Ground, shown: dict[str, Any]) -> str:
    """The package's word; a token that it does not take apart has no digest to compare."""
    report = verify_offline([ground.node.url], shown, Settings(), issuer=ground.issuer)
    return str(report["outcome"])


def test_end_of_the_credential_must_be_in_the_token(javascript: JavaScript, ground: Ground) -> None:
    until = {"validUntil": "2090-01-01T00:00:00Z"}
    shown = ground.anchored(badge(**until))
    for make, outcome in (
        (jwt(), "invalid"),
        (jwt(exp=3786912000), "valid"),
        (jwt(exp=3786912001), "invalid"),
    ):
        token = make(dict(shown["credential"]))
        report = javascript.verify(shown | {"credential": token}, rpc=ground.node.url, issuer=ground.issuer)
        assert report["outcome"] == outcome
        assert compare_outcome(ground, shown | {"credential": token}) == outcome


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


TWICE = b'{"alg":"EdDSA","alg":"none"}'
HEADER, PAYLOAD, SIGNATURE = jose()(badge()).split(".")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        f"{HEADER}.{PAYLOAD}",
        f"{HEADER}.{PAYLOAD}.{SIGNATURE}.{SIGNATURE}",
        f"{HEADER}.{PAYLOAD}.{SIGNATURE}=",
        f"{HEADER}.{PAYLOAD}.{SIGNATURE[:-1]}B",  # bits that say nothing, and are not zero
        f"{HEADER}.{PAYLOAD}.{SIGNATURE}AAA",
        f"{part([])}.{PAYLOAD}.{SIGNATURE}",
        f"{part({})}.{PAYLOAD}.{SIGNATURE}",
        f"{part({'alg': 5})}.{PAYLOAD}.{SIGNATURE}",
        f"{part({'alg': 'EdDSA', 'crit': []})}.{PAYLOAD}.{SIGNATURE}",
        f"{part({'alg': 'EdDSA', 'b64': False})}.{PAYLOAD}.{SIGNATURE}",
        f"{part({'alg': 'EdDSA', 'kid': {}})}.{PAYLOAD}.{SIGNATURE}",
        f"{part(TWICE)}.{PAYLOAD}.{SIGNATURE}",
        f"{HEADER}.{part(TWICE)}.{SIGNATURE}",
        f"{HEADER}.{part([])}.{SIGNATURE}",
        f"{HEADER}.{part({'vc': badge()})}.{SIGNATURE}",
    ],
)
def test_what_is_no_token_is_never_judged(javascript: JavaScript, ground: Ground, text: str) -> None:
    proof = ground.issue()["proof"]
    report = javascript.verify({"credential": text, "proof": proof}, rpc=ground.node.url)
    assert report["outcome"] == "malformed"
    assert report["summary"]


def test_key_is_the_issuers_when_its_document_lists_it_and_it_is_in_force(
    javascript: JavaScript, ground: Ground
) -> None:
    did = "did:web:issuer.example"
    method = {
        "id": "#key-1",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": ED.public.to_multikey(),
    }
    listed = {"id": did, "verificationMethod": [method], "assertionMethod": ["#key-1"]}
    other = {"publicKeyMultibase": None, "publicKeyJwk": P256.public.to_jwk()}
    shown = ground.anchored(badge(issuer={"id": did}))
    kinds: list[tuple[Make, dict[str, Any] | None, tuple[str, str]]] = [
        (jose(kid=f"{did}#key-1"), listed, ("valid", "pass")),
        (jose(kid="#key-1"), listed, ("valid", "pass")),
        (jose(kid="key-1"), listed, ("valid", "pass")),
        (jose(kid=None), listed, ("valid", "pass")),
        (jose(kid=f"{did}#key-1"), None, ("indeterminate", "skipped")),
        (jose(kid=None, jwk=ED.public.to_jwk()), None, ("indeterminate", "skipped")),
        (jose(kid=None, jwk=ED.public.to_jwk()), listed, ("valid", "pass")),
        (jose(kid=None, jwk=STRANGER.public.to_jwk(), pair=STRANGER), listed, ("invalid", "fail")),
        (jose(kid=None, jwk=STRANGER.public.to_jwk()), None, ("invalid", "fail")),
        (jose(kid=f"{did}#key-2"), listed, ("invalid", "fail")),
        (jose(kid=f"{did}#key-1"), listed | {"assertionMethod": []}, ("invalid", "fail")),
        (jose(kid=f"{did}#key-1"), listed | {"id": "did:web:another.example"}, ("invalid", "fail")),
        (jose(kid=f"{did}#key-1"), ended(listed, revoked="2026-01-01T00:00:00Z"), ("invalid", "fail")),
        (jose(kid=f"{did}#key-1"), ended(listed, expires="2026-01-01T00:00:00Z"), ("invalid", "fail")),
        (jose(kid=f"{did}#key-1"), ended(listed, expires="2090-01-01T00:00:00Z"), ("valid", "pass")),
        (jose(kid=f"{did}#key-1"), ended(listed, **other), ("invalid", "fail")),
    ]
    for make, document, expected in kinds:
        documents = {} if document is None else {did: document}
        token = make(dict(shown["credential"]))
        report = javascript.verify(
            shown | {"credential": token}, rpc=ground.node.url, issuer=ground.issuer, documents=documents
        )
        assert (report["outcome"], results(report)["signature"]) == expected, report["checks"]


def ended(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A DID document whose one method is changed; None leaves a member out."""
    method = document["verificationMethod"][0] | changes
    kept = {name: value for name, value in method.items() if value is not None}
    return document | {"verificationMethod": [kept]}
