"""Digest methods, and digests of credentials."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from registry.encoding import DigestMethod, canonical_json, credential_digest, parse_digest_method
from registry.errors import MalformedJsonError, UnsupportedDigestMethodError

CREDENTIAL: dict[str, Any] = {"id": "urn:x", "proof": {"a": 1}, "nested": {"proof": 2}}


def test_codes_and_names_are_those_of_the_format() -> None:
    assert {method.value: method.code for method in DigestMethod} == {
        "opaque": 0,
        "jcs-sha256": 1,
        "rdfc-sha256": 2,
    }
    for method in DigestMethod:
        assert parse_digest_method(method.value) is method
        assert DigestMethod.from_code(method.code) is method


def test_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="no digest method"):
        DigestMethod.from_code(3)


@pytest.mark.parametrize("name", ["", "JCS-SHA256", "sha256", None, 1, ["opaque"], {}])
def test_unknown_method_is_refused_with_its_pointer(name: object) -> None:
    with pytest.raises(UnsupportedDigestMethodError) as caught:
        parse_digest_method(name, pointer="/digest_method")
    assert (caught.value.faults[0].code, caught.value.faults[0].pointer) == (
        "digest-method",
        "/digest_method",
    )


def test_only_the_top_level_proof_is_left_out() -> None:
    expected = sha256(b'{"id":"urn:x","nested":{"proof":2}}').digest()
    assert credential_digest(CREDENTIAL, DigestMethod.JCS_SHA256) == expected
    assert "proof" in CREDENTIAL


def test_digest_does_not_depend_on_the_order_of_members() -> None:
    backwards = dict(reversed(CREDENTIAL.items()))
    assert credential_digest(backwards, DigestMethod.JCS_SHA256) == credential_digest(
        CREDENTIAL, DigestMethod.JCS_SHA256
    )
    assert credential_digest({}, DigestMethod.JCS_SHA256) == sha256(canonical_json({})).digest()


@pytest.mark.parametrize("method", [DigestMethod.OPAQUE, DigestMethod.RDFC_SHA256])
def test_method_that_cannot_be_computed_is_refused_by_name(method: DigestMethod) -> None:
    with pytest.raises(UnsupportedDigestMethodError) as caught:
        credential_digest(CREDENTIAL, method)
    assert caught.value.faults[0].code == method.value


def test_credential_without_canonical_form_has_no_digest() -> None:
    with pytest.raises(MalformedJsonError):
        credential_digest({"n": 2**60}, DigestMethod.JCS_SHA256)
