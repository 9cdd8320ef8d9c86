"""Open Badges 2.0: assertions that lie, keys and documents of somebody else's, and published examples."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from registry.credentials.findings import Examination, Presented
from registry.credentials.formats.open_badges_2 import OpenBadges2, hosted_assertion
from registry.credentials.sources import Tools
from registry.encoding import Address, JsonValue
from registry.errors import UnavailableSourceError
from registry.ports.documents import RdfHash
from registry.verdict.report import CheckName, CheckResult, Outcome

VECTORS = Path(__file__).parents[3] / "vectors" / "open-badges-2"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
HOME = "https://issuer.example"
CONTEXT = "https://w3id.org/openbadges/v2"
Web = dict[str, Any]


class Unused:
    """Open Badges 2.0 needs neither canonical RDF nor a chain."""

    def n_quads(self, document: Mapping[str, JsonValue], rdf_hash: RdfHash = RdfHash.SHA256) -> bytes:
        raise AssertionError

    def n_quads_of_many(self, documents: object, rdf_hash: RdfHash = RdfHash.SHA256) -> list[bytes]:
        raise AssertionError

    def transaction(self, chain_id: int, transaction: bytes) -> None:
        raise AssertionError

    def call(self, chain_id: int, to: Address, data: bytes) -> bytes:
        raise AssertionError


class Served:
    """What the web serves in a test. Texts are served as they are, everything else as JSON."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.asked: list[str] = []

    def get(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.web:
            raise UnavailableSourceError(f"supply {url} or allow its host")
        served = self.web[url]
        return served.encode() if isinstance(served, str) else json.dumps(served).encode()


def examine(shown: Mapping[str, JsonValue] | str, web: Web) -> Examination:
    presented = Presented(token=shown) if isinstance(shown, str) else Presented(document=shown)
    unused = Unused()
    return OpenBadges2().examine(presented, Tools(unused, Served(web), unused, NOW, {}))


def results(examination: Examination) -> dict[CheckName, CheckResult]:
    checks = [finding.check for finding in examination.findings]
    assert len(checks) == len(set(checks))
    return {finding.check: finding.result for finding in examination.findings}


def result(examination: Examination, check: CheckName) -> CheckResult | None:
    return results(examination).get(check)


def detail(examination: Examination, check: CheckName) -> str:
    return next(finding.detail for finding in examination.findings if finding.check is check)


def worst(examination: Examination) -> Outcome:
    order = list(Outcome)
    return min((finding.outcome for finding in examination.findings), key=order.index)


def profile(**changes: Any) -> dict[str, Any]:
    members = {"@context": CONTEXT, "type": "Issuer", "id": f"{HOME}/profile", "name": "An issuer"}
    return {**members, "url": HOME, "email": "a@issuer.example", **changes}


def badge(**changes: Any) -> dict[str, Any]:
    members = {"@context": CONTEXT, "type": "BadgeClass", "id": f"{HOME}/badge", "name": "Teamwork"}
    rest = {"description": "…", "image": f"{HOME}/badge.png", "criteria": f"{HOME}/criteria"}
    return {**members, **rest, "issuer": f"{HOME}/profile", **changes}


def assertion(**changes: Any) -> dict[str, Any]:
    members: dict[str, Any] = {
        "@context": CONTEXT,
        "type": "Assertion",
        "id": f"{HOME}/assertions/1",
        "recipient": {"type": "email", "hashed": False, "identity": "a@holder.example"},
        "issuedOn": "2024-01-01T00:00:00Z",
        "badge": f"{HOME}/badge",
        "verification": {"type": "hosted"},
        **changes,
    }
    return {name: value for name, value in members.items() if value is not ...}


def web(*documents: dict[str, Any]) -> Web:
    """The issuer's documents, each at its id; later ones replace earlier ones."""
    served = {document["id"]: document for document in (assertion(), badge(), profile())}
    return served | {document["id"]: document for document in documents}


# --- the form -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "presented",
    [
        Presented(),
        Presented(document={}),
        Presented(document={"@context": 5, "type": {"a": 1}}),
        Presented(document=assertion(type="BadgeClass")),
        Presented(document={**assertion(), "@context": "https://w3id.org/openbadges/v1"}),
        Presented(document={**assertion(), "@context": [CONTEXT, "https://w3id.org/blockcerts/v2"]}),
        Presented(document={**assertion(), "@context": "https://www.w3.org/ns/credentials/v2"}),
        Presented(token="a.b"),
        Presented(token="a.b.c"),
        Presented(token="e30.e30.e30"),
        Presented(token="e30.e30.e30~"),
        Presented(token="\u00e9.e30.e30"),
    ],
)
def test_other_formats_are_not_recognised(presented: Presented) -> None:
    assert not OpenBadges2().recognises(presented)


@pytest.mark.parametrize("token", ["W10.e30.e30", "e30.W10.e30", "e30.IjEi.e30"])
def test_a_token_of_other_json_is_not_recognised_and_fails(token: str) -> None:
    assert not OpenBadges2().recognises(Presented(token=token))
    assert results(examine(token, {})) == {CheckName.FORMAT: CheckResult.FAIL}


def test_an_issuer_that_cannot_be_looked_up_is_named_as_claimed() -> None:
    embedded = assertion(badge=badge(issuer=profile(id="https://evil.example/1")))
    examination = examine(embedded, {})
    assert (examination.issuer, examination.name) == ("https://evil.example/1", None)


def test_examining_what_is_no_assertion_fails_and_never_raises() -> None:
    for shown in ("a.b.c", "e30.W10.e30", "", {}, {"type": "Assertion"}):
        assert results(examine(shown, {})) == {CheckName.FORMAT: CheckResult.FAIL}


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ...},
        {"id": 5},
        {"id": "1"},
        {"id": "https://a b"},
        {"badge": ...},
        {"badge": 5},
        {"issuedOn": ...},
        {"issuedOn": 1700000000},
        {"verification": ...},
        {"verification": "hosted"},
        {"verification": {"type": "blockchain"}},
        {"recipient": ...},
        {"recipient": "a@holder.example"},
        {"recipient": {"type": "email"}},
        {"recipient": {"identity": "a@holder.example"}},
        {"recipient": {"type": "email", "identity": "a", "hashed": "false"}},
        {"recipient": {"type": "email", "identity": "sha256$00", "hashed": True}},
        {"recipient": {"type": "email", "identity": "a@holder.example", "hashed": True}},
        {"recipient": {"type": "email", "identity": "sha256$" + "0" * 64, "hashed": True, "salt": 5}},
        {"expires": "2023-01-01T00:00:00Z"},
    ],
)
def test_an_assertion_without_its_form_fails(changes: dict[str, Any]) -> None:
    shown = assertion(**changes)
    assert results(examine(shown, web(shown) if isinstance(shown.get("id"), str) else web())) == {
        CheckName.FORMAT: CheckResult.FAIL
    }


@pytest.mark.parametrize("name", ["issuedOn", "expires"])
def test_dates_without_an_offset_are_not_readable(name: str) -> None:
    shown = assertion(**{name: "2024-06-01"})
    assert not examine(shown, web(shown)).validity.readable


# --- hosted -------------------------------------------------------------------------------------------------


def test_nothing_is_known_of_a_hosted_assertion_that_cannot_be_had() -> None:
    examination = examine(assertion(), {})
    checks = (CheckName.INTEGRITY, CheckName.SIGNATURE, CheckName.STATUS)
    assert results(examination) == {CheckName.FORMAT: CheckResult.PASS} | dict.fromkeys(
        checks, CheckResult.UNKNOWN
    )
    assert detail(examination, CheckName.INTEGRITY) == f"supply {HOME}/assertions/1 or allow its host"
    assert worst(examination) is Outcome.INDETERMINATE


@pytest.mark.parametrize("served", ["<html></html>", "[]", "", '{"a": 1, "a": 2}', "[" * 200])
def test_an_address_that_serves_no_json_object_leaves_it_open(served: str) -> None:
    for address in (f"{HOME}/assertions/1", f"{HOME}/badge", f"{HOME}/profile"):
        assert worst(examine(assertion(), web() | {address: served})) is Outcome.INDETERMINATE


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": {"type": "email", "hashed": False, "identity": "b@holder.example"}},
        {"recipient": {"type": "email", "hashed": 0, "identity": "a@holder.example"}},
        {"issuedOn": "2023-01-01T00:00:00Z"},
        {"expires": "2030-01-01T00:00:00Z"},
        {"badge": f"{HOME}/other-badge"},
        {"id": f"{HOME}/assertions/2"},
        {"evidence": None, "narrative": "more"},
    ],
)
def test_integrity_fails_when_the_address_serves_another_assertion(changes: dict[str, Any]) -> None:
    other = badge(id=f"{HOME}/other-badge")
    documents = web(other) | {f"{HOME}/assertions/1": assertion(**changes)}
    examination = examine(assertion(), documents)
    assert result(examination, CheckName.INTEGRITY) is CheckResult.FAIL
    assert worst(examination) is Outcome.INVALID


def test_an_embedded_issuer_is_not_believed() -> None:
    """Somebody hosts an assertion, and embeds a badge class and a profile of the issuer that allow it."""
    evil = "https://evil.example/1"
    allowing = profile(verification={"allowedOrigins": ["evil.example"]})
    shown = assertion(id=evil, badge=badge(issuer=allowing))
    examination = examine(shown, web() | {evil: shown})
    assert result(examination, CheckName.INTEGRITY) is CheckResult.PASS
    assert result(examination, CheckName.SIGNATURE) is CheckResult.FAIL


def test_a_badge_class_of_somebody_else_does_not_lend_its_issuer() -> None:
    evil = "https://evil.example"
    shown = assertion(id=f"{evil}/1", badge=f"{evil}/badge")
    documents = web(shown, badge(id=f"{evil}/badge"))
    assert result(examine(shown, documents), CheckName.SIGNATURE) is CheckResult.FAIL


@pytest.mark.parametrize(
    ("address", "document"),
    [
        (f"{HOME}/badge", badge(id=f"{HOME}/other")),
        (f"{HOME}/badge", badge(type="Assertion")),
        (f"{HOME}/badge", badge(issuer=None)),
        (f"{HOME}/badge", badge(issuer="did:web:issuer.example")),
        (f"{HOME}/badge", badge(issuer=profile(id="urn:uuid:1"))),
        (f"{HOME}/profile", profile(id=f"{HOME}/other")),
        (f"{HOME}/profile", profile(type="BadgeClass")),
    ],
)
def test_signature_fails_when_a_link_leads_elsewhere(address: str, document: dict[str, Any]) -> None:
    examination = examine(assertion(), web() | {address: document})
    assert result(examination, CheckName.SIGNATURE) is CheckResult.FAIL


def test_signature_fails_when_the_badge_class_of_a_hosted_assertion_has_no_address() -> None:
    shown = assertion(badge=badge(id="urn:uuid:1"))
    assert result(examine(shown, web(shown)), CheckName.SIGNATURE) is CheckResult.FAIL


@pytest.mark.parametrize(
    "address",
    [
        "http://issuer.example/1",
        "https://issuer.example:8443/1",
        "https://www.issuer.example/1",
        "https://issuer.example.evil.example/1",
        "https://evil.example/https://issuer.example/1",
        "https://evil.example#issuer.example",
    ],
)
def test_signature_fails_when_the_assertion_is_on_another_origin(address: str) -> None:
    shown = assertion(id=address)
    documents = web() | {address.partition("#")[0]: shown}
    assert result(examine(shown, documents), CheckName.SIGNATURE) is CheckResult.FAIL


@pytest.mark.parametrize(
    "address",
    [
        "https://issuer.example@evil.example/1",
        "https://issuer.example\\@evil.example/1",
        "https://[/1",
        "urn:x:1",
    ],
)
def test_an_address_that_readers_may_read_differently_is_not_asked(address: str) -> None:
    examination = examine(assertion(id=address), {})
    assert result(examination, CheckName.SIGNATURE) is CheckResult.UNKNOWN


@pytest.mark.parametrize(
    ("policy", "address", "expected"),
    [
        ({"allowedOrigins": ["badges.example"]}, "https://badges.example/1", CheckResult.PASS),
        ({"allowedOrigins": "badges.example"}, "http://badges.example/1", CheckResult.PASS),
        ({"allowedOrigins": ["https://badges.example/"]}, "https://badges.example/1", CheckResult.PASS),
        ({"allowedOrigins": ["https://badges.example"]}, "http://badges.example/1", CheckResult.FAIL),
        ({"allowedOrigins": ["badges.example"]}, "https://evil.badges.example/1", CheckResult.FAIL),
        ({"allowedOrigins": ["badges.example"]}, "https://badges.example.evil.example/1", CheckResult.FAIL),
        ({"allowedOrigins": []}, "https://evil.example/1", CheckResult.FAIL),
        ({"allowedOrigins": 5}, "https://evil.example/1", CheckResult.FAIL),
        ({"type": "VerificationObject"}, f"{HOME}/1", CheckResult.PASS),
        ({"startsWith": f"{HOME}/a"}, f"{HOME}/a/1", CheckResult.PASS),
        ({"startsWith": ["https://x.example/", f"{HOME}/a"]}, f"{HOME}/a/1", CheckResult.PASS),
        ({"startsWith": [f"{HOME}/a"]}, f"{HOME}/b/1", CheckResult.FAIL),
        ({"startsWith": HOME}, "https://issuer.example.evil.example/1", CheckResult.FAIL),
        ({"startsWith": ["https://evil.example/"]}, "https://evil.example/1", CheckResult.FAIL),
        ({"startsWith": 5}, f"{HOME}/1", CheckResult.FAIL),
        ({"startsWith": []}, f"{HOME}/1", CheckResult.FAIL),
        ({"verificationProperty": "email"}, f"{HOME}/1", CheckResult.FAIL),
    ],
)
def test_the_issuers_policy_says_where_assertions_may_be(
    policy: dict[str, Any], address: str, expected: CheckResult
) -> None:
    shown = assertion(id=address)
    examination = examine(shown, web(shown, profile(verification=policy)))
    assert result(examination, CheckName.SIGNATURE) is expected


@pytest.mark.parametrize("stripped", [True, False])
def test_an_assertion_that_its_address_calls_revoked_is_revoked(stripped: bool) -> None:
    served = {"id": f"{HOME}/assertions/1", "revoked": True} if stripped else assertion(revoked=True)
    shown = assertion() if stripped else served
    examination = examine(shown, web() | {f"{HOME}/assertions/1": served})
    assert result(examination, CheckName.STATUS) is CheckResult.FAIL
    assert worst(examination) is Outcome.REVOKED


def test_a_revocation_that_is_no_boolean_counts() -> None:
    shown = assertion(revoked="yes")
    assert worst(examine(shown, web(shown))) is Outcome.REVOKED


def test_a_hosted_assertion_passes_where_its_issuer_serves_it() -> None:
    examination = examine(
        assertion(expires="2030-01-01T00:00:00Z"), web(assertion(expires="2030-01-01T00:00:00Z"))
    )
    assert set(results(examination).values()) == {CheckResult.PASS}
    assert results(examination).keys() == {
        CheckName.FORMAT,
        CheckName.INTEGRITY,
        CheckName.SIGNATURE,
        CheckName.STATUS,
    }
    assert (examination.issuer, examination.name) == (f"{HOME}/profile", "An issuer")
    assert examination.validity.valid_from == datetime(2024, 1, 1, tzinfo=UTC)
    assert examination.validity.valid_until == datetime(2030, 1, 1, tzinfo=UTC)


def test_an_embedded_copy_of_a_linked_badge_class_is_replaced_by_what_its_address_serves() -> None:
    shown = assertion(badge=badge(name="Doctor of medicine", issuer=profile(name="A university")))
    examination = examine(shown, web())
    assert set(results(examination).values()) == {CheckResult.PASS}
    assert examination.credential is not None
    assert examination.credential["badge"] == {**badge(), "issuer": profile()}
    assert examination.name == "An issuer"


def test_an_address_alone_gives_its_assertion_or_says_what_to_supply() -> None:
    assert hosted_assertion(f"{HOME}/assertions/1", Served(web())) == Presented(document=assertion())
    for address in (f"{HOME}/none", f"{HOME}/text", "ftp://issuer.example/1"):
        with pytest.raises(UnavailableSourceError):
            hosted_assertion(address, Served({f"{HOME}/text": "<html>"}))


def test_a_revoked_assertion_keeps_nothing_but_what_was_shown() -> None:
    stripped = {"id": f"{HOME}/assertions/1", "revoked": True}
    examination = examine(assertion(), web() | {f"{HOME}/assertions/1": stripped})
    assert result(examination, CheckName.INTEGRITY) is CheckResult.SKIPPED
    assert result(examination, CheckName.SIGNATURE) is CheckResult.PASS


# --- signed -------------------------------------------------------------------------------------------------


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form).decode()


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def signing_input(payload: object, header: Mapping[str, object]) -> str:
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(payload).encode())}"


def signed_by(key: rsa.RSAPrivateKey, payload: object, **header: object) -> str:
    text = signing_input(payload, {"alg": "RS256", **header})
    return f"{text}.{b64(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def key_document(**changes: Any) -> dict[str, Any]:
    members = {"@context": CONTEXT, "type": "CryptographicKey", "id": f"{HOME}/key"}
    return {**members, "owner": f"{HOME}/profile", "publicKeyPem": pem_of(rsa_key()), **changes}


def signed_assertion(**changes: Any) -> dict[str, Any]:
    return assertion(id="urn:uuid:1", verification={"type": "signed", "creator": f"{HOME}/key"}, **changes)


def signed_web(*documents: dict[str, Any]) -> Web:
    return web(profile(publicKey=f"{HOME}/key"), key_document(), *documents)


def test_a_signed_assertion_passes() -> None:
    examination = examine(signed_by(rsa_key(), signed_assertion()), signed_web())
    assert results(examination) == {
        CheckName.FORMAT: CheckResult.PASS,
        CheckName.SIGNATURE: CheckResult.PASS,
        CheckName.STATUS: CheckResult.SKIPPED,
    }
    assert examination.issuer == f"{HOME}/profile"


@pytest.mark.parametrize(
    "alg", ["none", "None", "HS256", "HS512", "RS512", "PS256", "ES256", "", None, ["RS256"]]
)
def test_signature_fails_for_another_algorithm(alg: object) -> None:
    text = signing_input(signed_assertion(), {"alg": alg})
    secret = pem_of(rsa_key()).encode()
    signatures = [
        b"",
        hmac.digest(secret, text.encode(), "sha256"),
        hmac.digest(secret, text.encode(), "sha512"),
    ]
    signatures.append(rsa_key().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))
    for signature in signatures:
        examination = examine(f"{text}.{b64(signature)}", signed_web())
        assert result(examination, CheckName.SIGNATURE) is CheckResult.FAIL


def test_signature_fails_when_the_payload_was_changed() -> None:
    head, _, signature = signed_by(rsa_key(), signed_assertion()).split(".")
    changed = signed_assertion(issuedOn="2020-01-01T00:00:00Z")
    token = f"{head}.{b64(json.dumps(changed).encode())}.{signature}"
    assert result(examine(token, signed_web()), CheckName.SIGNATURE) is CheckResult.FAIL


def test_signature_fails_for_a_key_in_the_header() -> None:
    other = rsa_key(1)
    numbers = other.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": b64(numbers.n.to_bytes(256, "big")), "e": "AQAB"}
    for header in ({"jwk": jwk}, {"jku": f"{HOME}/keys"}, {"kid": f"{HOME}/key", "jwk": jwk}):
        token = signed_by(other, signed_assertion(), **header)
        assert result(examine(token, signed_web()), CheckName.SIGNATURE) is CheckResult.FAIL


def test_signature_fails_when_the_header_demands_an_extension() -> None:
    token = signed_by(rsa_key(), signed_assertion(), crit=["b64"], b64=False)
    assert result(examine(token, signed_web()), CheckName.SIGNATURE) is CheckResult.FAIL


@pytest.mark.parametrize(
    "document",
    [
        profile(),
        profile(publicKey=[]),
        profile(publicKey=[f"{HOME}/another-key"]),
        profile(publicKey=5),
        key_document(owner="https://evil.example/profile"),
        key_document(owner=None),
        key_document(id=f"{HOME}/key", type="Profile"),
        key_document(publicKeyPem=pem_of(rsa_key(1))),
        key_document(publicKeyPem=pem_of(ec.generate_private_key(ec.SECP256R1()))),
    ],
)
def test_signature_fails_when_the_profile_does_not_declare_the_key(document: dict[str, Any]) -> None:
    examination = examine(signed_by(rsa_key(), signed_assertion()), signed_web(document))
    assert result(examination, CheckName.SIGNATURE) is CheckResult.FAIL


def test_signature_fails_for_a_key_whose_address_serves_another() -> None:
    documents = signed_web() | {f"{HOME}/key": key_document(id=f"{HOME}/key2")}
    examination = examine(signed_by(rsa_key(), signed_assertion()), documents)
    assert result(examination, CheckName.SIGNATURE) is CheckResult.FAIL


@pytest.mark.parametrize("pem", ["", 5, "-----BEGIN PUBLIC KEY-----", pem_of(rsa_key(0, 1024))])
def test_signature_is_open_when_the_key_cannot_be_used(pem: object) -> None:
    examination = examine(
        signed_by(rsa_key(), signed_assertion()), signed_web(key_document(publicKeyPem=pem))
    )
    assert result(examination, CheckName.SIGNATURE) is CheckResult.UNKNOWN


@pytest.mark.parametrize("missing", ["badge", "profile", "key"])
def test_signature_is_open_when_a_document_cannot_be_had(missing: str) -> None:
    documents = signed_web()
    del documents[f"{HOME}/{missing}"]
    examination = examine(signed_by(rsa_key(), signed_assertion()), documents)
    assert result(examination, CheckName.SIGNATURE) is CheckResult.UNKNOWN
    assert worst(examination) is Outcome.INDETERMINATE


def test_a_signed_assertion_without_its_token_is_open() -> None:
    examination = examine(signed_assertion(), signed_web())
    assert result(examination, CheckName.SIGNATURE) is CheckResult.UNKNOWN
    assert "token" in detail(examination, CheckName.SIGNATURE)


def test_a_token_that_says_it_is_hosted_fails() -> None:
    token = signed_by(rsa_key(), assertion())
    assert results(examine(token, signed_web())) == {CheckName.FORMAT: CheckResult.FAIL}


def test_without_a_named_key_any_declared_one_may_have_signed() -> None:
    keys = [f"{HOME}/key1", key_document(id=f"{HOME}/key2", publicKeyPem=pem_of(rsa_key(1))), f"{HOME}/key"]
    first = key_document(id=f"{HOME}/key1", owner="https://evil.example/profile")
    payload = assertion(id="urn:uuid:1", verification={"type": "SignedBadge"})
    documents = signed_web(profile(publicKey=keys), first)
    for key in (rsa_key(), rsa_key(1)):
        examination = examine(signed_by(key, payload), documents)
        assert result(examination, CheckName.SIGNATURE) is CheckResult.PASS
    del documents[f"{HOME}/key"]
    open_one = examine(signed_by(rsa_key(2), payload), documents)
    assert result(open_one, CheckName.SIGNATURE) is CheckResult.UNKNOWN


def test_a_profile_with_too_many_keys_is_not_tried_through() -> None:
    payload = assertion(id="urn:uuid:1", verification={"type": "signed"})
    keys = [key_document(id=f"{HOME}/key{number}") for number in range(11)]
    examination = examine(signed_by(rsa_key(), payload), signed_web(profile(publicKey=keys)))
    assert result(examination, CheckName.SIGNATURE) is CheckResult.FAIL


def test_an_elliptic_key_is_taken_with_its_own_algorithm() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    text = signing_input(signed_assertion(), {"alg": "ES256"})
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    token = f"{text}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    examination = examine(token, signed_web(key_document(publicKeyPem=pem_of(key))))
    assert result(examination, CheckName.SIGNATURE) is CheckResult.PASS


def test_a_badge_class_without_an_address_is_taken_where_it_is_signed() -> None:
    token = signed_by(rsa_key(), signed_assertion(badge=badge(id="urn:uuid:2")))
    assert result(examine(token, signed_web()), CheckName.SIGNATURE) is CheckResult.PASS


def test_a_signer_cannot_award_the_badge_class_of_somebody_else() -> None:
    other = "https://university.example"
    theirs = badge(id=f"{other}/badge", issuer=f"{other}/profile")
    claimed = badge(id=f"{other}/badge")
    documents = signed_web(theirs, profile(id=f"{other}/profile"))
    token = signed_by(rsa_key(), signed_assertion(badge=claimed))
    assert result(examine(token, documents), CheckName.SIGNATURE) is CheckResult.FAIL


# --- revocation of signed ones ------------------------------------------------------------------------------


def revocation_list(entries: object, **changes: Any) -> dict[str, Any]:
    members = {"@context": CONTEXT, "type": "RevocationList", "id": f"{HOME}/revoked"}
    return {**members, "revokedAssertions": entries, **changes}


def with_list(listing: dict[str, Any]) -> Web:
    issuer = profile(publicKey=f"{HOME}/key", revocationList=f"{HOME}/revoked")
    return signed_web(issuer) | {f"{HOME}/revoked": listing}


@pytest.mark.parametrize(
    "entry",
    ["urn:uuid:1", {"id": "urn:uuid:1"}, {"id": "urn:uuid:1", "revoked": True}, {"uid": "one"}],
)
def test_an_assertion_on_the_list_is_revoked(entry: object) -> None:
    token = signed_by(rsa_key(), signed_assertion(uid="one"))
    examination = examine(token, with_list(revocation_list(["urn:uuid:0", entry])))
    assert result(examination, CheckName.STATUS) is CheckResult.FAIL
    assert worst(examination) is Outcome.REVOKED


@pytest.mark.parametrize(
    "listing",
    [
        revocation_list("urn:uuid:1"),
        revocation_list([], issuer="https://evil.example/profile"),
        revocation_list([], id=f"{HOME}/other"),
        revocation_list([], type="Assertion"),
        [],
    ],
)
def test_status_is_open_when_the_list_cannot_be_used(listing: Any) -> None:
    examination = examine(signed_by(rsa_key(), signed_assertion()), with_list(listing))
    assert result(examination, CheckName.STATUS) is CheckResult.UNKNOWN


def test_status_is_open_when_list_or_profile_cannot_be_had() -> None:
    documents = with_list(revocation_list([]))
    for missing in ("revoked", "profile"):
        rest = {address: served for address, served in documents.items() if address != f"{HOME}/{missing}"}
        examination = examine(signed_by(rsa_key(), signed_assertion()), rest)
        assert result(examination, CheckName.STATUS) is CheckResult.UNKNOWN


def test_an_assertion_that_calls_itself_revoked_is_revoked() -> None:
    examination = examine(signed_by(rsa_key(), signed_assertion(revoked=True)), signed_web())
    assert worst(examination) is Outcome.REVOKED


@pytest.mark.parametrize(
    "entry", ["urn:uuid:2", {"id": "urn:uuid:1", "revoked": False}, {"uid": "two"}, 5, None]
)
def test_other_entries_do_not_revoke(entry: object) -> None:
    token = signed_by(rsa_key(), signed_assertion())
    examination = examine(token, with_list(revocation_list([entry])))
    assert result(examination, CheckName.STATUS) is CheckResult.PASS


# --- what 1EdTech publishes ---------------------------------------------------------------------------------


def published() -> Web:
    """tests/vectors/README.md, open-badges-2: each document at its id."""
    documents = [json.loads(file.read_text()) for file in VECTORS.glob("*.json")]
    return {document["id"]: document for document in documents}


def test_the_published_hosted_assertion_passes() -> None:
    shown = json.loads((VECTORS / "basic-assertion.json").read_text())
    examination = examine(shown, published())
    assert set(results(examination).values()) == {CheckResult.PASS}
    assert examination.name == "An Example Badge Issuer"


def test_the_published_signed_assertion_passes() -> None:
    token = (VECTORS / "simple-not-revoked.jwt").read_text()
    assert OpenBadges2().recognises(Presented(token=token))
    assert set(results(examine(token, published())).values()) == {CheckResult.PASS}


def test_the_published_revoked_assertion_is_revoked() -> None:
    examination = examine((VECTORS / "simple-revoked.jwt").read_text(), published())
    assert result(examination, CheckName.SIGNATURE) is CheckResult.PASS
    assert worst(examination) is Outcome.REVOKED


def test_the_published_assertion_whose_profile_declares_no_key_fails_until_it_does() -> None:
    token, documents = (VECTORS / "simple.jwt").read_text(), published()
    assert result(examine(token, documents), CheckName.SIGNATURE) is CheckResult.FAIL
    organization = documents["https://example.org/organization.json"]
    organization["publicKey"] = "http://example.org/key1.json"
    assert result(examine(token, documents), CheckName.SIGNATURE) is CheckResult.PASS


@pytest.mark.parametrize("position", range(0, 1000, 37))
def test_a_published_token_with_another_character_never_passes(position: int) -> None:
    token = (VECTORS / "simple-not-revoked.jwt").read_text()
    other = "A" if token[position] != "A" else "B"
    examination = examine(token[:position] + other + token[position + 1 :], published())
    assert worst(examination) is Outcome.INVALID or worst(examination) is Outcome.INDETERMINATE
