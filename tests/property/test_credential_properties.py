"""Examiners never raise for what a document or token holds, and nothing altered passes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.credentials.findings import Examination, Presented
from registry.credentials.formats.jwt_credentials import VcJoseCredentials, VcJwtCredentials, issue_vc_jwt
from registry.credentials.formats.presentations import examine_presentation
from registry.credentials.formats.sd_jwt_credentials import SdJwtCredentials
from registry.credentials.formats.verifiable_credentials import VerifiableCredentials
from registry.credentials.rdf import ContextStore, RdfCanonicalizer
from registry.credentials.suites.jose import make_token
from registry.credentials.verification_methods import did_key_method
from registry.verdict.report import CheckName, CheckResult
from tests.unit.credentials.suites.parts import ED, badge, did_document, signed, tools

WEB = "did:web:issuer.example"
WEB_URL = "https://issuer.example/.well-known/did.json"

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(-1e15, 1e15, allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.sampled_from(
        ["did:web:a", "https://a.example/", "z6Mk", "2026-01-01T00:00:00Z", [], {}, [{}], [[]], {"id": []}]
    ),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _places(member, (*path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _places(member, (*path, index))


def _altered(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    result = copy.deepcopy(document)
    target = result
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    return result


def _alterations(document: Any) -> st.SearchStrategy[Any]:
    places = [place for place in _places(document) if place]
    return st.builds(lambda place, value: _altered(document, place, value), st.sampled_from(places), odd)


@pytest.fixture(scope="module")
def canonicalizer() -> Iterator[RdfCanonicalizer]:
    with RdfCanonicalizer(ContextStore()) as opened:
        yield opened


def _passes(examination: Examination) -> bool:
    signatures = [item for item in examination.findings if item.check is CheckName.SIGNATURE]
    failing = [item for item in examination.findings if item.result is not CheckResult.PASS]
    return bool(signatures) and not failing


SIGNED = signed(badge(credentialStatus={"type": "A"}, evidence=[{"type": "Evidence", "id": "urn:a:1"}]))


@settings(deadline=None, max_examples=300)
@given(_alterations(SIGNED))
def test_altered_document_never_raises_and_never_passes(document: Any) -> None:
    if document != SIGNED:
        assert not _passes(VerifiableCredentials().examine(Presented(document), tools()))
        VerifiableCredentials().recognises(Presented(document))
        examine_presentation(document, tools(), [VerifiableCredentials()])


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_altered_document_signed_over_rdf_never_raises_and_never_passes(
    data: st.DataObject, canonicalizer: RdfCanonicalizer
) -> None:
    document = signed(badge(), cryptosuite="eddsa-rdfc-2022", canonicalizer=canonicalizer)
    altered = data.draw(_alterations(document))
    if json.dumps(altered) != json.dumps(document):
        examination = VerifiableCredentials().examine(Presented(altered), tools(canonicalizer=canonicalizer))
        # RDF has sets: one value and a list of it are the same; null is nothing.
        same = canonicalizer.n_quads({**document, "proof": None})
        if _passes(examination):
            assert canonicalizer.n_quads({**altered, "proof": None}) == same


@settings(deadline=None, max_examples=200)
@given(_alterations(did_document(WEB, ED)))
def test_altered_did_document_never_raises(document: Any) -> None:
    credential = signed(badge(issuer=WEB), verification_method=f"{WEB}#key-1")
    VerifiableCredentials().examine(Presented(credential), tools({WEB_URL: document}))
    token = issue_vc_jwt(badge(issuer=WEB), ED.public, ED.sign, kid="key-1")
    VcJwtCredentials().examine(Presented(token=token), tools({WEB_URL: document}))


HEADER = {
    "alg": "EdDSA",
    "typ": "vc+jwt",
    "cty": "vc",
    "kid": did_key_method(ED.public),
    "jwk": ED.public.to_jwk(),
}
CLAIMS = badge() | {
    "iss": badge()["issuer"]["id"],
    "jti": badge()["id"],
    "nbf": 1767225600,
    "sub": "did:example:holder",
    "exp": 1800000000,
    "iat": 1767225600,
    "vct": "a",
    "cnf": {"jwk": ED.public.to_jwk()},
    "_sd": ["a"],
}


@settings(deadline=None, max_examples=300)
@given(_alterations(HEADER), _alterations(CLAIMS), st.sampled_from(["", "~", "~e30~", "~~a.b.c"]))
def test_signed_token_of_any_content_never_raises(header: Any, claims: Any, suffix: str) -> None:
    token = make_token(header, claims, ED.sign) + suffix
    for examiner in (VcJoseCredentials(), VcJwtCredentials(), SdJwtCredentials()):
        examiner.recognises(Presented(token=token))
        examiner.examine(Presented(token=token), tools())


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60), st.dictionaries(st.text(max_size=6), odd, max_size=5))
def test_anything_never_raises(text: str, document: dict[str, Any]) -> None:
    for examiner in (VcJoseCredentials(), VcJwtCredentials(), SdJwtCredentials(), VerifiableCredentials()):
        for presented in (Presented(token=text), Presented(document)):
            examiner.recognises(presented)
            examiner.examine(presented, tools())
