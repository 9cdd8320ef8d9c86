"""Credentials with selective disclosure: hostile disclosures and bindings first, then RFC 9901's example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from registry.credentials.findings import Examination, Presented
from registry.credentials.formats.sd_jwt_credentials import SdJwtCredentials
from registry.credentials.key_pairs import KeyPair
from registry.credentials.suites.jose import make_token
from registry.credentials.suites.sd_jwt import MAX_DISCLOSURES, disclosed_claims, read_sd_jwt
from registry.credentials.verification_methods import did_key_method
from registry.encoding import to_base64url
from registry.errors import MalformedInputError
from registry.verdict.report import CheckName, CheckResult
from tests.unit.credentials.suites.parts import ED, ISSUER, P256, STRANGER, badge, results, tools

FAIL, PASS, UNKNOWN = CheckResult.FAIL, CheckResult.PASS, CheckResult.UNKNOWN
EXAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "sd_jwt" / "rfc9901-a3.json").read_text("utf-8")
)
METADATA = f"{EXAMPLE['issuer']}/.well-known/jwt-vc-issuer"
DOCUMENTS = {METADATA: {"issuer": EXAMPLE["issuer"], "jwks": {"keys": [EXAMPLE["jwk"]]}}}
ASKED = {"challenge": EXAMPLE["nonce"], "domain": EXAMPLE["audience"]}


def _examine(text: str, documents: Mapping[str, Any] | None = None, **changes: Any) -> Examination:
    return SdJwtCredentials().examine(Presented(token=text), tools(documents, **changes))


def _worst(examination: Examination) -> CheckResult:
    found = {finding.result for finding in examination.findings}
    return next(result for result in (FAIL, UNKNOWN, PASS) if result in found)


def _disclosure(*content: Any) -> str:
    return to_base64url(json.dumps(list(content)).encode())


def _digest(disclosure: str) -> str:
    return to_base64url(sha256(disclosure.encode()).digest())


def _token(claims: Mapping[str, Any], pair: KeyPair = ED, **header: Any) -> str:
    members = {"alg": pair.public.kind.jose_algorithm, "typ": "dc+sd-jwt", "kid": did_key_method(ED.public)}
    merged = {name: value for name, value in (members | header).items() if value is not None}
    return make_token(merged, claims, pair.sign)


def _claims(**changes: Any) -> dict[str, Any]:
    claims = {"iss": ISSUER, "vct": "https://vct.example/degree", "sub": "did:example:holder"} | changes
    return {name: value for name, value in claims.items() if value is not None}


def _sd_jwt(claims: Mapping[str, Any], *disclosures: str, **header: Any) -> str:
    return "~".join([_token(claims, **header), *disclosures, ""])


NAME = _disclosure("salt", "given_name", "Erika")
OTHER_NAME = _disclosure("pepper", "given_name", "Max")
ELEMENT = _disclosure("salt", "DE")
GOOD = _sd_jwt(_claims(_sd=[_digest(NAME)], nationalities=[{"...": _digest(ELEMENT)}]), NAME, ELEMENT)

# --- disclosures --------------------------------------------------------------------------------------------


def _hostile() -> list[tuple[str, str]]:
    nested = _disclosure("salt", "address", {"_sd": [_digest(NAME)]})
    reserved, element = _disclosure("salt", "_sd", []), _disclosure("salt", "...", 1)
    deep: Any = "x"
    for _ in range(30):
        deep = {"a": deep}
    chain = [_disclosure("salt", "leaf", deep)]
    for number in range(40):
        chain.append(_disclosure("salt", f"a{number}", {"_sd": [_digest(chain[-1])]}))
    issuer = _disclosure("salt", "iss", ISSUER)
    return [
        ("disclosure of no digest", _sd_jwt(_claims(), NAME)),
        (
            "disclosure altered",
            _sd_jwt(_claims(_sd=[_digest(NAME)]), _disclosure("salt", "given_name", "Max")),
        ),
        ("disclosure twice", _sd_jwt(_claims(_sd=[_digest(NAME)]), NAME, NAME)),
        ("digest twice", _sd_jwt(_claims(_sd=[_digest(NAME), _digest(NAME)]), NAME)),
        ("digest twice, undisclosed", _sd_jwt(_claims(_sd=["a", "a"]))),
        ("digest at two levels", _sd_jwt(_claims(_sd=[_digest(NAME)], a={"_sd": [_digest(NAME)]}), NAME)),
        ("digest again within", _sd_jwt(_claims(_sd=[_digest(NAME), _digest(nested)]), NAME, nested)),
        ("claim replaced", _sd_jwt(_claims(_sd=[_digest(NAME)], given_name="Max"), NAME)),
        (
            "claim disclosed twice",
            _sd_jwt(_claims(_sd=[_digest(NAME), _digest(OTHER_NAME)]), NAME, OTHER_NAME),
        ),
        ("element in an object", _sd_jwt(_claims(_sd=[_digest(ELEMENT)]), ELEMENT)),
        ("claim in a list", _sd_jwt(_claims(a=[{"...": _digest(NAME)}]), NAME)),
        ("element with more members", _sd_jwt(_claims(a=[{"...": _digest(ELEMENT), "b": 1}]), ELEMENT)),
        ("element outside a list", _sd_jwt(_claims(a={"...": _digest(ELEMENT)}), ELEMENT)),
        ("reserved name", _sd_jwt(_claims(_sd=[_digest(reserved)]), reserved)),
        ("reserved name of elements", _sd_jwt(_claims(_sd=[_digest(element)]), element)),
        ("digests no list", _sd_jwt(_claims(_sd="a"))),
        ("digest a number", _sd_jwt(_claims(_sd=[5]))),
        ("unknown hash", _sd_jwt(_claims(_sd_alg="md5"))),
        ("hash a list", _sd_jwt(_claims(_sd_alg=["sha-256"]))),
        ("hash within", _sd_jwt(_claims(a={"_sd_alg": "sha-256"}))),
        ("disclosure not base64url", _sd_jwt(_claims(), "!")),
        ("disclosure empty", _sd_jwt(_claims(), "")),
        ("disclosure no json", _sd_jwt(_claims(), to_base64url(b"{"))),
        ("disclosure an object", _sd_jwt(_claims(), to_base64url(b"{}"))),
        ("disclosure of one", _sd_jwt(_claims(), _disclosure("salt"))),
        ("disclosure of four", _sd_jwt(_claims(), _disclosure("salt", "a", 1, 2))),
        ("salt a number", _sd_jwt(_claims(), _disclosure(1, "a", 1))),
        ("name a number", _sd_jwt(_claims(_sd=[_digest(_disclosure("s", 1, 1))]), _disclosure("s", 1, 1))),
        ("nested too deep", _sd_jwt(_claims(_sd=[_digest(chain[-1])]), *chain)),
        ("issuer left to the holder", _sd_jwt(_claims(iss=None, _sd=[_digest(issuer)]), issuer)),
        ("another type", _sd_jwt(_claims(), typ="JWT")),
        ("no type", _sd_jwt(_claims(), typ=None)),
        ("neither vct nor credential", _sd_jwt(_claims(vct=None))),
        ("vct empty", _sd_jwt(_claims(vct=""))),
        ("no issuer", _sd_jwt(_claims(iss=None))),
        ("issuer a list", _sd_jwt(_claims(iss=[ISSUER]))),
        ("exp no time", _sd_jwt(_claims(exp="soon"))),
    ]


@pytest.mark.parametrize(("name", "text"), _hostile(), ids=[row[0] for row in _hostile()])
def test_token_fails(name: str, text: str) -> None:
    assert SdJwtCredentials().recognises(Presented(token=text))
    assert _worst(_examine(text)) is FAIL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~",
        "a.b~",
        "~~",
        _token(_claims()),
        GOOD + "a.b",
        f"{_token(_claims())}{'~' * (MAX_DISCLOSURES + 2)}",
        "a" * 2**21,
    ],
)
def test_token_has_no_form(text: str) -> None:
    assert not SdJwtCredentials().recognises(Presented(token=text))
    assert _worst(_examine(text)) is FAIL
    with pytest.raises(MalformedInputError):
        read_sd_jwt(text)


def test_documents_are_not_recognised() -> None:
    assert not SdJwtCredentials().recognises(Presented(badge()))


def test_disclosed_claims_are_in_their_places_and_the_others_absent() -> None:
    examination = _examine(GOOD)
    assert _worst(examination) is PASS
    assert examination.credential == _claims(given_name="Erika", nationalities=["DE"])
    kept = GOOD.replace(f"~{ELEMENT}", "")
    assert disclosed_claims(read_sd_jwt(kept)) == _claims(given_name="Erika", nationalities=[])


# --- signature, key binding, status -------------------------------------------------------------------------


def test_signature_fails_when_the_key_is_anothers_or_the_payload_is_altered() -> None:
    assert _worst(_examine(_sd_jwt(_claims(), pair=STRANGER))) is FAIL
    header, payload, signature = _token(_claims()).split(".")
    other = _token(_claims(sub="did:example:thief")).split(".")[1]
    assert _worst(_examine(f"{header}.{other}.{signature}~")) is FAIL
    assert _worst(_examine(f"{header}.{payload}.~")) is FAIL
    assert _worst(_examine(_sd_jwt(_claims(), alg="none"))) is FAIL


def _bound(claims: Mapping[str, Any], pair: KeyPair, header: Mapping[str, Any] = {}, **changes: Any) -> str:
    bare = _sd_jwt(claims)
    payload = {"nonce": "n", "aud": "https://a.example", "iat": 1, "sd_hash": _digest(bare)} | changes
    members = {"alg": pair.public.kind.jose_algorithm, "typ": "kb+jwt"} | header
    return bare + make_token(members, payload, pair.sign)


def test_key_binding_fails_when_it_is_not_the_holders_for_this_token() -> None:
    held = _claims(cnf={"jwk": P256.public.to_jwk()})
    asked = {"challenge": "n", "domain": "https://a.example"}
    assert _worst(_examine(_bound(held, P256), **asked)) is PASS
    assert _worst(_examine(_bound(held, P256))) is PASS
    for text in (
        _bound(held, STRANGER),
        _bound(held, P256, {"typ": "JWT"}),
        _bound(held, P256, {"alg": "none"}),
        _bound(held, P256, nonce="m"),
        _bound(held, P256, aud="https://b.example"),
        _bound(held, P256, sd_hash=_digest("other")),
        _bound(_claims(), P256),
        _bound(_claims(cnf={"kid": "a"}), P256),
        _bound(_claims(cnf={"jwk": P256.private_jwk()}), P256),
        _sd_jwt(held),
    ):
        assert _worst(_examine(text, **asked)) is FAIL
    unknown = _bound(_claims(cnf={"jwk": {"kty": "OKP", "crv": "Ed448", "x": "AA"}}), P256)
    assert results(_examine(unknown, **asked).findings) == [PASS, UNKNOWN]


def test_status_is_unknown_when_the_token_names_a_status_list() -> None:
    status = {"status_list": {"idx": 0, "uri": "https://issuer.example/statuslists/1"}}
    examination = _examine(_sd_jwt(_claims(status=status)))
    assert results(examination.findings, CheckName.STATUS) == [UNKNOWN]


def test_signature_is_unknown_when_only_a_certificate_tells_the_issuer() -> None:
    assert results(_examine(_sd_jwt(_claims(iss=None), x5c=["AAAA"])).findings) == [UNKNOWN]


def test_dates_are_those_of_the_token() -> None:
    validity = _examine(_sd_jwt(_claims(nbf=1, exp=2))).validity
    assert validity.valid_from is not None
    assert validity.valid_until is not None
    assert (validity.valid_from.timestamp(), validity.valid_until.timestamp()) == (1, 2)


# --- issuers by address -------------------------------------------------------------------------------------


def _keys(**changes: Any) -> dict[str, Any]:
    document = {"issuer": EXAMPLE["issuer"], "jwks": {"keys": [EXAMPLE["jwk"]]}} | changes
    return {METADATA: {name: value for name, value in document.items() if value is not None}}


@pytest.mark.parametrize(
    "documents",
    [
        _keys(issuer="https://other.example"),
        _keys(jwks=None),
        _keys(jwks_uri="https://a.example/keys"),
        _keys(jwks=[]),
        _keys(jwks={}),
        _keys(jwks={"keys": []}),
        _keys(jwks={"keys": [EXAMPLE["jwk"], EXAMPLE["jwk"]]}),
        _keys(jwks={"keys": [P256.public.to_jwk()]}),
        _keys(jwks=None, jwks_uri=5),
        {METADATA: []},
        {METADATA: b"{"},
    ],
)
def test_example_fails_when_its_issuers_metadata_is_wrong(documents: dict[str, Any]) -> None:
    assert results(_examine(EXAMPLE["presentation"], documents).findings) == [FAIL]


def test_example_is_unknown_when_its_issuers_metadata_is_not_at_hand() -> None:
    (finding,) = [
        item for item in _examine(EXAMPLE["presentation"]).findings if item.check is CheckName.SIGNATURE
    ]
    assert finding.result is UNKNOWN
    assert METADATA in finding.detail


def test_published_example_is_accepted_with_its_key_binding() -> None:
    examination = _examine(EXAMPLE["presentation"], DOCUMENTS, **ASKED)
    assert _worst(examination) is PASS
    assert examination.format == "SD-JWT VC"
    assert examination.issuer == EXAMPLE["issuer"]
    assert examination.credential is not None
    assert examination.credential["age_equal_or_over"] == {"18": True}
    assert examination.credential["nationalities"] == ["DE"]
    assert "given_name" not in examination.credential
    elsewhere = _keys(jwks=None, jwks_uri="https://keys.example/jwks") | {
        "https://keys.example/jwks": {"keys": [EXAMPLE["jwk"]]}
    }
    assert _worst(_examine(EXAMPLE["presentation"], elsewhere, **ASKED)) is PASS


def test_published_example_is_refused_when_altered() -> None:
    text: str = EXAMPLE["presentation"]
    parts = text.split("~")
    without_one = "~".join([parts[0], *parts[1:3], parts[4]])
    for altered in (without_one, text[:-2], text.replace("~eyJ", "~eyK")):
        assert _worst(_examine(altered, DOCUMENTS, **ASKED)) is FAIL
    assert _worst(_examine(text, DOCUMENTS, **(ASKED | {"challenge": "another"}))) is FAIL


def test_key_is_named_in_a_set_of_several() -> None:
    issuer = "https://issuer.example/tenants/1"
    url = "https://issuer.example/.well-known/jwt-vc-issuer/tenants/1"
    keys = [{**ED.public.to_jwk(), "kid": "a"}, {**P256.public.to_jwk(), "kid": "b"}]
    documents = {url: {"issuer": issuer, "jwks": {"keys": keys}}}
    for kid, expected in (("a", PASS), ("b", FAIL), ("c", FAIL), (None, FAIL)):
        assert _worst(_examine(_sd_jwt(_claims(iss=issuer), kid=kid), documents)) is expected


# --- credentials of the data model 2.0 ----------------------------------------------------------------------


def test_credential_with_undisclosed_parts_is_examined_like_any_other() -> None:
    hidden = _disclosure("salt", "name", "Robotics")
    claims = badge(name=None) | {
        "_sd": [_digest(hidden)],
        "iss": ISSUER,
        "cnf": {"jwk": P256.public.to_jwk()},
    }
    examination = _examine(_sd_jwt(claims, hidden, typ="vc+sd-jwt"))
    assert _worst(examination) is PASS
    assert examination.format == "Open Badges 3.0 (VC-JOSE, SD-JWT)"
    assert examination.credential == badge()
    assert (
        _worst(_examine(_sd_jwt(claims | {"iss": "did:web:other.example"}, hidden, typ="vc+sd-jwt"))) is FAIL
    )
    assert _worst(_examine(_sd_jwt(badge() | {"vc": {}}, typ="vc+sd-jwt"))) is FAIL
    assert _worst(_examine(_sd_jwt(badge(issuer=None), typ="vc+sd-jwt"))) is FAIL
