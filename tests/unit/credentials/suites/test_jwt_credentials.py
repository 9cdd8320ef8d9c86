"""Credentials in tokens: hostile headers, claims and keys first; then what joserfc makes and reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import import_key

from registry.credentials.findings import Examination, Presented
from registry.credentials.formats.data_model import V1
from registry.credentials.formats.jwt_credentials import (
    VcJoseCredentials,
    VcJwtCredentials,
    issue_vc_jose,
    issue_vc_jwt,
)
from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType
from registry.credentials.suites.jose import MAX_TOKEN_CHARACTERS, make_token, read_token
from registry.credentials.verification_methods import did_key, did_key_method
from registry.encoding import to_base64url
from registry.errors import MalformedInputError, ValidationError
from registry.verdict.report import CheckName, CheckResult
from tests.unit.credentials.suites.parts import (
    ED,
    ISSUER,
    P256,
    P384,
    STRANGER,
    FakeDocuments,
    badge,
    did_document,
    results,
    signed,
    tools,
)

RSA = KeyPair.generate(KeyType.RSA)
FAIL, PASS, UNKNOWN = CheckResult.FAIL, CheckResult.PASS, CheckResult.UNKNOWN
KID = did_key_method(ED.public)
WEB = "did:web:issuer.example"
WEB_URL = "https://issuer.example/.well-known/did.json"
PAIRS = [ED, P256, P384, RSA]


def _header(**changes: Any) -> dict[str, Any]:
    header = {"alg": "EdDSA", "typ": "vc+jwt", "cty": "vc", "kid": KID} | changes
    return {name: value for name, value in header.items() if value is not None}


def _jose(payload: Any = None, pair: KeyPair = ED, **header: Any) -> str:
    return make_token(_header(**header), badge() if payload is None else payload, pair.sign)


def _claims(**changes: Any) -> dict[str, Any]:
    claims = badge() | {
        "iss": ISSUER,
        "jti": badge()["id"],
        "nbf": 1767225600,
        "sub": "did:example:holder",
    }
    claims |= changes
    return {name: value for name, value in claims.items() if value is not None}


def _jwt(payload: Any = None, pair: KeyPair = ED, **header: Any) -> str:
    changed = {"typ": "JWT", "cty": None} | header
    return make_token(_header(**changed), _claims() if payload is None else payload, pair.sign)


def _examine(token: str, documents: Mapping[str, Any] | FakeDocuments | None = None) -> Examination:
    presented = Presented(token=token)
    examiners = [VcJoseCredentials(), VcJwtCredentials()]
    found = [examiner for examiner in examiners if examiner.recognises(presented)]
    examiner = found[0] if found else VcJoseCredentials()
    return examiner.examine(presented, tools(documents))


def _worst(examination: Examination) -> CheckResult:
    found = {finding.result for finding in examination.findings}
    return next(result for result in (FAIL, UNKNOWN, PASS) if result in found)


def _part(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


# --- tokens without form ------------------------------------------------------------------------------------

GOOD = _jose()
HEADER, PAYLOAD, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        f"{HEADER}.{PAYLOAD}",
        f"{GOOD}.{SIGNATURE}",
        f"{GOOD} ",
        f"\n{GOOD}",
        f"{GOOD}=",
        f"{HEADER}=.{PAYLOAD}.{SIGNATURE}",
        f"{HEADER}.{PAYLOAD}.{SIGNATURE[:-1]}+",
        "a" * (MAX_TOKEN_CHARACTERS + 1),
        f"{_part(b'[]')}.{PAYLOAD}.{SIGNATURE}",
        f"{_part(b'{')}.{PAYLOAD}.{SIGNATURE}",
        f"{_part(b'{}')}.{PAYLOAD}.{SIGNATURE}",
        f"{_part(b'{' + b' ' * 20_000 + b'}')}.{PAYLOAD}.{SIGNATURE}",
        _part(b'{"alg":"EdDSA","alg":"none"}') + f".{PAYLOAD}.{SIGNATURE}",
        _part(b'{"alg":["EdDSA"]}') + f".{PAYLOAD}.{SIGNATURE}",
        _part(b'{"alg":"EdDSA","crit":["exp"],"exp":1}') + f".{PAYLOAD}.{SIGNATURE}",
        _part(b'{"alg":"EdDSA","crit":[]}') + f".{PAYLOAD}.{SIGNATURE}",
        _part(b'{"alg":"EdDSA","b64":false}') + f".{PAYLOAD}.{SIGNATURE}",
        _part(b'{"alg":"EdDSA","typ":5}') + f".{PAYLOAD}.{SIGNATURE}",
        _part(b'{"alg":"EdDSA","kid":{}}') + f".{PAYLOAD}.{SIGNATURE}",
    ],
)
def test_token_is_refused_when_it_has_no_form(text: str) -> None:
    with pytest.raises(MalformedInputError):
        read_token(text)
    for examiner in (VcJoseCredentials(), VcJwtCredentials()):
        assert not examiner.recognises(Presented(token=text))
        assert _worst(examiner.examine(Presented(token=text), tools())) is FAIL


@pytest.mark.parametrize("payload", [b"", b"[]", b"5", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff"])
def test_token_fails_when_its_payload_is_no_strict_object(payload: bytes) -> None:
    signing_input = f"{HEADER}.{_part(payload)}"
    token = f"{signing_input}.{to_base64url(ED.sign(signing_input.encode()))}"
    assert _worst(_examine(token)) is FAIL
    assert not VcJwtCredentials().recognises(
        Presented(token=token.replace(HEADER, _part(b'{"alg":"EdDSA"}')))
    )


def test_neither_examiner_takes_documents_or_tokens_of_others() -> None:
    for examiner in (VcJoseCredentials(), VcJwtCredentials()):
        assert not examiner.recognises(Presented(badge()))
        assert not examiner.recognises(Presented(token=_jwt({"badge": "https://a.example", "uid": "1"})))
        assert _worst(examiner.examine(Presented(badge()), tools())) is FAIL


# --- algorithms ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "hs256", "HS512"])
def test_signature_fails_when_the_algorithm_has_no_public_key(algorithm: str) -> None:
    for token in (_jose(alg=algorithm), _jwt(alg=algorithm)):
        unsigned = token.rpartition(".")[0] + "."
        for text in (token, unsigned):
            assert results(_examine(text).findings) == [FAIL]


def test_signature_fails_when_a_public_key_is_used_as_a_secret() -> None:
    import hashlib
    import hmac

    for secret in (ED.public.raw, RSA.public.raw, json.dumps(ED.public.to_jwk()).encode()):
        header = _part(json.dumps(_header(alg="HS256")).encode())
        mac = hmac.new(secret, f"{header}.{PAYLOAD}".encode(), hashlib.sha256).digest()
        assert results(_examine(f"{header}.{PAYLOAD}.{_part(mac)}").findings) == [FAIL]


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES256K", "RS256"])
def test_signature_fails_when_the_algorithm_is_not_the_keys(algorithm: str) -> None:
    assert results(_examine(_jose(alg=algorithm)).findings) == [FAIL]


@pytest.mark.parametrize("algorithm", ["PS256", "ES512", "Ed448", "XX"])
def test_signature_is_unknown_when_the_algorithm_is_not_verified_here(algorithm: str) -> None:
    assert results(_examine(_jose(alg=algorithm)).findings) == [UNKNOWN]


def test_signature_fails_when_header_payload_or_signature_are_altered() -> None:
    other = _jose(badge(name="Astronautics"))
    for token in (
        f"{HEADER}.{other.split('.')[1]}.{SIGNATURE}",
        f"{other.split('.')[0]}.{PAYLOAD}.{other.split('.')[2]}",
        f"{_part(json.dumps(_header(extra=1)).encode())}.{PAYLOAD}.{SIGNATURE}",
        f"{HEADER}.{PAYLOAD}.",
    ):
        assert results(_examine(token).findings) == [FAIL]


# --- whose key ----------------------------------------------------------------------------------------------


def test_signature_fails_when_the_key_is_anothers() -> None:
    for token in (
        _jose(pair=STRANGER),
        _jose(pair=STRANGER, kid=did_key_method(STRANGER.public)),
        _jose(pair=STRANGER, kid=None, jwk=STRANGER.public.to_jwk()),
        _jose(pair=STRANGER, kid="label", jwk=STRANGER.public.to_jwk()),
        _jose(pair=STRANGER, jwk=STRANGER.public.to_jwk()),
        _jwt(pair=STRANGER, kid=None, jwk=STRANGER.public.to_jwk()),
    ):
        assert results(_examine(token).findings) == [FAIL]


def test_signature_fails_when_the_header_shows_a_private_or_foreign_key() -> None:
    for jwk in (ED.private_jwk(), {"kty": "oct", "k": "AAAA"}, [], "key", P256.public.to_jwk()):
        assert results(_examine(_jose(kid=None, jwk=jwk)).findings) in ([FAIL], [UNKNOWN])
    assert results(_examine(_jose(kid=None, jwk=ED.private_jwk())).findings) == [FAIL]


def test_key_in_the_header_counts_when_it_is_the_issuers() -> None:
    jwk = ED.public.to_jwk()
    for header in ({"kid": None}, {"kid": "label"}, {"kid": ISSUER}, {"kid": KID}):
        assert _worst(_examine(_jose(jwk=jwk, **header))) is PASS


def test_signature_is_unknown_when_nothing_ties_the_key_to_the_issuer() -> None:
    issuer = "https://issuer.example/issuers/1"
    payload = _claims(issuer={"id": issuer}, iss=issuer)
    token = _jwt(payload, STRANGER, kid=None, jwk=STRANGER.public.to_jwk())
    for documents in (
        {},
        {issuer: {"id": issuer, "type": "Profile"}},
        {issuer: {"id": "https://other.example"}},
    ):
        examination = _examine(token, documents)
        (finding,) = [item for item in examination.findings if item.check is CheckName.SIGNATURE]
        assert finding.result is UNKNOWN
        assert "the signature fits the key in the token" in finding.detail
    listed = did_document(issuer, STRANGER)
    named = _jwt(payload, STRANGER, kid=f"{issuer}#key-1")
    assert _worst(_examine(named, {issuer: listed})) is PASS
    assert _worst(_examine(named, {issuer: [listed]})) is FAIL
    assert _worst(_examine(token, {issuer: listed})) is PASS
    assert results(_examine(token, {issuer: did_document(issuer, ED)}).findings) == [FAIL]
    broken = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
    assert results(_examine(broken, {issuer: listed}).findings) == [FAIL]


def test_key_at_an_address_counts_beneath_the_issuers_only() -> None:
    issuer = "https://issuer.example/issuers/1"
    payload = _claims(issuer=issuer, iss=issuer)
    for kid, expected in [
        ("https://issuer.example/issuers/1/keys/a", PASS),
        ("https://issuer.example/issuers/12/keys/a", UNKNOWN),
        ("https://issuer.example/keys/a", UNKNOWN),
        ("https://evil.example/issuers/1/keys/a", UNKNOWN),
    ]:
        token = _jwt(payload, STRANGER, kid=kid)
        assert results(_examine(token, {kid: STRANGER.public.to_jwk()}).findings) == [expected]
        assert results(_examine(token, {kid: ED.public.to_jwk()}).findings) == [FAIL]
        assert results(_examine(token).findings) == [UNKNOWN]


def test_key_is_taken_from_a_set_by_its_name() -> None:
    issuer = "https://issuer.example"
    base = "https://issuer.example/keys"
    payload = _claims(issuer=issuer, iss=issuer)
    token = _jwt(payload, RSA, alg="RS256", kid=f"{base}#key-1")
    first, second = dict(RSA.public.to_jwk()), dict(P256.public.to_jwk())
    for keys, expected in [
        ([{**first, "kid": "key-1"}, {**second, "kid": "key-2"}], PASS),
        ([{**first, "kid": f"{base}#key-1"}], PASS),
        ([{**first, "kid": "key-2"}], FAIL),
        ([{**first, "kid": "key-1"}, {**second, "kid": "key-1"}], FAIL),
        ([{**second, "kid": "key-1"}], FAIL),
        ([first], FAIL),
        ([], FAIL),
        ({}, FAIL),
        ([5], FAIL),
        ([{**first, "kid": "key-1"}] * 1001, FAIL),
    ]:
        assert results(_examine(token, {base: {"keys": keys}}).findings) == [expected]
    alone = _jwt(payload, RSA, alg="RS256", kid=base)
    assert results(_examine(alone, {base: {"keys": [first]}}).findings) == [PASS]
    assert results(_examine(alone, {base: [first]}).findings) == [FAIL]


@pytest.mark.parametrize(
    ("kid", "expected"),
    [
        (f"{WEB}#key-1", PASS),
        ("#key-1", PASS),
        ("key-1", PASS),
        (ED.public.thumbprint(), PASS),
        (None, PASS),
        (f"{WEB}#key-2", FAIL),
        ("key-2", FAIL),
        (WEB, FAIL),
        ("did:web:evil.example#key-1", FAIL),
        (did_key_method(ED.public), FAIL),
        ("https://issuer.example/keys/1", PASS),
        ("https://issuer.example/keys/2", FAIL),
    ],
)
def test_key_is_found_in_the_issuers_did_document(kid: str | None, expected: CheckResult) -> None:
    documents = {
        WEB_URL: did_document(WEB, ED),
        "https://evil.example/.well-known/did.json": did_document(WEB, ED),
        "https://issuer.example/keys/1": ED.public.to_jwk(),
        "https://issuer.example/keys/2": STRANGER.public.to_jwk(),
    }
    assert results(_examine(_jose(badge(issuer=WEB), kid=kid), documents).findings) == [expected]


def test_signature_fails_when_the_issuer_lists_the_key_for_something_else_or_has_ended_it() -> None:
    listed = did_document(WEB, ED)
    elsewhere = {**listed, "authentication": listed["assertionMethod"], "assertionMethod": []}
    ended = {
        **listed,
        "verificationMethod": [{**listed["verificationMethod"][0], "revoked": "2026-01-01T00:00:00Z"}],
    }
    for document in (elsewhere, ended):
        for kid in (f"{WEB}#key-1", "key-1"):
            assert results(_examine(_jose(badge(issuer=WEB), kid=kid), {WEB_URL: document}).findings) == [
                FAIL
            ]


def test_signature_fails_when_no_key_is_named_and_the_issuer_has_several() -> None:
    document = did_document(WEB, ED)
    second = {**document["verificationMethod"][0], "id": f"{WEB}#key-2"}
    document["verificationMethod"].append(second)
    document["assertionMethod"].append(second["id"])
    assert results(_examine(_jose(badge(issuer=WEB), kid=None), {WEB_URL: document}).findings) == [FAIL]


def test_signature_is_unknown_and_names_the_document_that_is_not_at_hand() -> None:
    examination = _examine(_jose(badge(issuer=WEB), kid=f"{WEB}#key-1"))
    (finding,) = [item for item in examination.findings if item.check is CheckName.SIGNATURE]
    assert finding.result is UNKNOWN
    assert WEB_URL in finding.detail


def test_signature_fails_when_the_credential_names_no_issuer() -> None:
    assert results(_examine(_jose(badge(issuer=None))).findings) == [FAIL]


# --- types and claims ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["at+jwt", "vp+jwt", "dc+sd-jwt", "logout+jwt", "vc+ld+json"])
def test_token_of_another_type_fails(kind: str) -> None:
    assert _worst(_examine(_jwt(typ=kind))) is FAIL


def test_vc_jose_fails_when_it_wraps_or_holds_something_else() -> None:
    for token in (
        _jose(badge() | {"vc": badge()}),
        _jose({"vc": badge(), "iss": ISSUER}),
        _jose(badge() | {"vp": {}}),
        _jose(cty="vp"),
        _jose(badge() | {"iss": "did:web:other.example"}),
        _jose(badge() | {"jti": "urn:uuid:other"}),
        _jose(badge() | {"sub": "did:example:other"}),
        _jose(badge() | {"exp": "soon"}),
        _jose(badge() | {"iat": True}),
        _jose(badge() | {"nbf": -1}),
        _jose(badge() | {"exp": 9e15}),
        _jose(badge(type=["Other"])),
    ):
        assert _worst(_examine(token)) is FAIL


@pytest.mark.parametrize(
    "change",
    [
        {"iss": None},
        {"iss": "did:web:other.example"},
        {"iss": [ISSUER]},
        {"jti": None},
        {"jti": "urn:uuid:other"},
        {"sub": None},
        {"sub": "did:example:other"},
        {"nbf": None},
        {"nbf": 1767225601},
        {"nbf": "1767225600"},
        {"exp": 1},
        {"validUntil": "2027-01-01T00:00:00Z"},
        {"validUntil": "2027-01-01T00:00:00Z", "exp": 1},
        {"vc": badge()},
        {"vc": []},
        {"id": None},
    ],
    ids=str,
)
def test_vc_jwt_fails_when_a_claim_is_missing_or_contradicts_the_credential(change: dict[str, Any]) -> None:
    expected = CheckResult.PASS if change == {"exp": 1} else FAIL
    assert _worst(_examine(_jwt(_claims(**change)))) is expected


def test_validity_is_the_time_in_which_both_are_valid() -> None:
    examination = _examine(_jwt(_claims(exp=1800000000)))
    assert examination.validity.valid_until is not None
    assert int(examination.validity.valid_until.timestamp()) == 1800000000
    dated = badge(validUntil="2027-01-01T00:00:00Z") | {"exp": 1, "nbf": 1800000000}
    narrowed = _examine(_jose(dated)).validity
    assert narrowed.valid_from is not None
    assert narrowed.valid_until is not None
    assert int(narrowed.valid_from.timestamp()) == 1800000000
    assert int(narrowed.valid_until.timestamp()) == 1


def _wrapped(**changes: Any) -> dict[str, Any]:
    """A token of data model 1.1, which leaves to the claims what they can say."""
    credential = {
        "@context": [V1],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"degree": "Robotics"},
    }
    return {
        "iss": ISSUER,
        "jti": "urn:uuid:1",
        "nbf": 1767225600,
        "exp": 1800000000,
        "sub": "did:example:holder",
        "vc": credential | changes,
    }


def test_wrapped_credential_is_completed_from_the_claims() -> None:
    examination = _examine(_jwt(_wrapped()))
    assert _worst(examination) is PASS
    assert examination.format == "Verifiable Credential 1.1 (VC-JWT)"
    assert examination.credential is not None
    assert examination.credential["issuer"] == ISSUER
    assert examination.credential["id"] == "urn:uuid:1"
    assert examination.credential["issuanceDate"] == "2026-01-01T00:00:00Z"
    assert examination.credential["credentialSubject"] == {"degree": "Robotics", "id": "did:example:holder"}
    named = _examine(_jwt(_wrapped(issuer={"name": "Example University"})))
    assert named.issuer == ISSUER
    assert named.name == "Example University"


@pytest.mark.parametrize(
    "change",
    [
        {"id": "urn:uuid:2"},
        {"issuer": "did:web:other.example"},
        {"issuer": {"id": "did:web:other.example"}},
        {"credentialSubject": {"id": "did:example:other"}},
        {"issuanceDate": "2025-01-01T00:00:00Z"},
        {"expirationDate": "2099-01-01T00:00:00Z"},
    ],
)
def test_wrapped_credential_fails_when_the_claims_contradict_it(change: dict[str, Any]) -> None:
    assert _worst(_examine(_jwt(_wrapped(**change)))) is FAIL


def test_subject_may_stand_in_a_list_of_one_and_dates_be_unreadable() -> None:
    listed = _claims(credentialSubject=[badge()["credentialSubject"]])
    assert _worst(_examine(_jwt(listed))) is PASS
    assert _worst(_examine(_jwt(listed | {"sub": "did:example:other"}))) is FAIL
    assert _worst(_examine(_jwt(_claims(validFrom="soon")))) is FAIL


def test_key_with_a_document_of_its_own_counts_for_its_controller_only() -> None:
    issuer, key = "https://issuer.example/issuers/1", "https://keys.example/1"
    method = {
        "id": key,
        "type": "Multikey",
        "controller": issuer,
        "publicKeyMultibase": ED.public.to_multikey(),
    }
    documents = {key: method, issuer: {"id": issuer, "assertionMethod": [key]}}
    assert results(_examine(_jose(badge(issuer=issuer), kid=key), documents).findings) == [PASS]
    assert results(_examine(_jose(badge(issuer=WEB), kid=key), documents).findings) == [FAIL]


def test_embedded_proofs_are_checked_too() -> None:
    document = signed()
    assert results(_examine(_jose(document)).findings) == [PASS, PASS]
    altered = {**document, "name": "Astronautics"}
    assert results(_examine(_jose(altered)).findings) == [PASS, FAIL]


# --- made here, read elsewhere, and the other way round -----------------------------------------------------


class _Registry(jws.JWSRegistry):
    """joserfc's own limit leaves no room for an RSA key in the header."""

    max_header_length = 4096


# joserfc says that RFC 9864 prefers "Ed25519" to "EdDSA"; VC-JOSE and Open Badges know the latter only.
ignore_name_of_eddsa = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")


def _joserfc_key(pair: KeyPair) -> Any:
    if pair.public.kind is KeyType.RSA:
        from cryptography.hazmat.primitives import serialization

        private = serialization.load_der_private_key(pair.private_bytes(), None)
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return import_key(pem, "RSA")
    return import_key(dict(pair.private_jwk()))


@ignore_name_of_eddsa
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.public.kind.value)
def test_tokens_made_here_are_accepted_here_and_by_joserfc(pair: KeyPair) -> None:
    if pair is RSA:
        issuer, documents = WEB, {WEB_URL: _rsa_document()}
        kid = f"{WEB}#key-1"
    else:
        issuer, documents = did_key(pair.public), {}
        kid = did_key_method(pair.public)
    credential = badge(issuer=issuer, validUntil="2027-01-01T00:00:00Z")
    for token in (
        issue_vc_jose(credential, pair.public, kid, pair.sign),
        issue_vc_jwt(credential, pair.public, pair.sign, kid=kid),
        issue_vc_jwt(credential, pair.public, pair.sign),
    ):
        assert _worst(_examine(token, documents)) is PASS
        assert _examine(token, documents).credential == credential
        algorithm = pair.public.kind.jose_algorithm
        read = jws.deserialize_compact(token, _joserfc_key(pair), registry=_Registry(algorithms=[algorithm]))
        assert json.loads(read.payload)["id"] == credential["id"]


def _rsa_document() -> dict[str, Any]:
    document = did_document(WEB, ED)
    method = document["verificationMethod"][0]
    del method["publicKeyMultibase"]
    method |= {"type": "JsonWebKey", "publicKeyJwk": RSA.public.to_jwk()}
    return document


@ignore_name_of_eddsa
@pytest.mark.parametrize("pair", [ED, P256, P384], ids=lambda pair: pair.public.kind.value)
def test_tokens_made_by_joserfc_are_accepted_here(pair: KeyPair) -> None:
    issuer = did_key(pair.public)
    algorithm = pair.public.kind.jose_algorithm
    header = {"alg": algorithm, "typ": "vc+jwt", "kid": did_key_method(pair.public)}
    payload = json.dumps(badge(issuer=issuer))
    token = jws.serialize_compact(
        header, payload, _joserfc_key(pair), registry=_Registry(algorithms=[algorithm])
    )
    assert _worst(_examine(token)) is PASS


def test_formats_are_named_for_people() -> None:
    assert _examine(_jose()).format == "Open Badges 3.0 (VC-JOSE)"
    assert _examine(_jwt()).format == "Open Badges 3.0 (VC-JWT)"
    assert _examine(_jwt(typ=None)).format == "Open Badges 3.0 (VC-JWT)"


@pytest.mark.parametrize("name", ["id", "issuer", "validFrom", "credentialSubject"])
def test_vc_jwt_is_not_made_without_what_its_claims_repeat(name: str) -> None:
    with pytest.raises(ValidationError):
        issue_vc_jwt(badge(**{name: None}), ED.public, ED.sign)
