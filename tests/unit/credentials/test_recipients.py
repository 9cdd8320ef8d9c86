"""Recipients: how they are read and written, and which claimed address matches which identity."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.credentials.recipients import (
    IdentityMatch,
    Recipient,
    RecipientKind,
    identity_object,
    match_email,
    parse_recipient,
    subject_members,
)
from registry.errors import ValidationError

VECTORS = Path(__file__).parents[2] / "vectors" / "open-badges-2"
EMAIL = "ada@example.org"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "type"),
        (5, "type"),
        ("", "recipient"),
        ("ada", "recipient"),
        ("ada@", "recipient"),
        ("@example.org", "recipient"),
        ("ada@example", "recipient"),
        ("ada@@example.org", "recipient"),
        ("ada@example.org,bob@example.org", "recipient"),
        ("Ada <ada@example.org>", "recipient"),
        ("ada@exa mple.org", "recipient"),
        ("ada\n@example.org", "recipient"),
        ("ada\0@example.org", "recipient"),
        ("a" * 65 + "@example.org", "recipient"),
        ("ada@" + "a." * 200 + "org", "recipient"),
        ("did:", "recipient"),
        ("did:web", "recipient"),
        ("did:web:", "recipient"),
        ("did:WEB:example.org", "recipient"),
        ("did:web:example.org#key", "recipient"),
        ("did:web:exa mple.org", "recipient"),
        ("did:web:example.org:", "recipient"),
        ("did:key:" + "z" * 3000, "recipient"),
        ("ftp://example.org", "recipient"),
        ("https://", "recipient"),
        ("https:///path", "recipient"),
        ("https://user@example.org/", "recipient"),
        ("https://[::1", "recipient"),
        ("https://example.org/a b", "recipient"),
        ("javascript:alert(1)", "recipient"),
    ],
)
def test_what_is_no_recipient_is_refused_without_being_repeated(text: object, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_recipient(text, pointer="/recipient")
    assert caught.value.faults[0].code == code
    assert caught.value.faults[0].pointer == "/recipient"
    assert "example.org" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (" Ada@Example.ORG\n", RecipientKind.EMAIL, "ada@example.org"),
        ("ada+x.y'z@mail.example.org", RecipientKind.EMAIL, "ada+x.y'z@mail.example.org"),
        ("j\u00fcrgen@b\u00fccher.example", RecipientKind.EMAIL, "j\u00fcrgen@b\u00fccher.example"),
        ("did:key:z6MkhaXg", RecipientKind.DID, "did:key:z6MkhaXg"),
        ("did:web:localhost%3A8443:users:Ada", RecipientKind.DID, "did:web:localhost%3A8443:users:Ada"),
        ("https://example.org/~ada?x=1", RecipientKind.URL, "https://example.org/~ada?x=1"),
    ],
)
def test_a_recipient_is_read(text: str, kind: RecipientKind, value: str) -> None:
    assert parse_recipient(text) == Recipient(kind, value)


def test_did_and_url_are_the_subjects_id() -> None:
    for value in ("did:key:z6MkhaXg", "https://example.org/ada"):
        assert subject_members(parse_recipient(value)) == {"id": value}


def test_an_email_is_hashed_with_a_salt_of_its_own() -> None:
    one, other = identity_object(EMAIL), identity_object(EMAIL)
    assert one.keys() == {"type", "hashed", "identityHash", "identityType", "salt"}
    assert one["salt"] != other["salt"]
    assert len(str(one["salt"])) == 32
    assert EMAIL not in json.dumps(one)
    digest = hashlib.sha256((EMAIL + str(one["salt"])).encode()).hexdigest()
    assert one["identityHash"] == f"sha256${digest}"
    assert subject_members(parse_recipient(EMAIL), salt="deadsea") == {
        "identifier": [identity_object(EMAIL, salt="deadsea")]
    }


def test_an_email_is_published_only_when_asked_for() -> None:
    assert subject_members(parse_recipient(EMAIL), hashed=False) == {
        "identifier": [
            {"type": "IdentityObject", "hashed": False, "identityHash": EMAIL, "identityType": "emailAddress"}
        ]
    }


@pytest.mark.parametrize("hashed", [True, False])
def test_only_its_own_address_matches_an_identity(hashed: bool) -> None:
    identity = identity_object(EMAIL, hashed=hashed)
    for typed in (EMAIL, " Ada@Example.org ", "ADA@EXAMPLE.ORG"):
        assert match_email(identity, typed) is IdentityMatch.SAME
    for typed in ("", "bob@example.org", "ada@example.org.evil.example", EMAIL + "\0"):
        assert match_email(identity, typed) is IdentityMatch.DIFFERENT


def test_the_published_identity_matches_its_address() -> None:
    """tests/vectors/README.md, open-badges-2: its authors say that it is nobody@example.org's."""
    recipient = json.loads((VECTORS / "basic-assertion.json").read_text())["recipient"]
    assert match_email(recipient, "nobody@example.org") is IdentityMatch.SAME
    assert match_email(recipient, "somebody@example.org") is IdentityMatch.DIFFERENT
    assert match_email(recipient | {"salt": ""}, "nobody@example.org") is IdentityMatch.DIFFERENT


def test_an_address_that_was_hashed_in_mixed_case_matches_as_it_was_written() -> None:
    identity = identity_object("Ada@Example.org", salt="s")
    assert match_email(identity, "Ada@Example.org") is IdentityMatch.SAME
    assert match_email(identity, "ada@example.org") is IdentityMatch.DIFFERENT


def test_md5_without_salt_and_upper_case_digits_are_read() -> None:
    digest = hashlib.md5(EMAIL.encode()).hexdigest()
    identity: dict[str, Any] = {"type": "email", "hashed": True, "identity": f"md5${digest.upper()}"}
    assert match_email(identity, EMAIL) is IdentityMatch.SAME


@pytest.mark.parametrize(
    "changes",
    [
        {"identityHash": None},
        {"identityHash": 5},
        {"identityHash": ""},
        {"identityHash": EMAIL},
        {"identityHash": "sha256$00"},
        {"identityHash": "sha1$" + "0" * 40},
        {"identityHash": "$" + "0" * 64},
        {"identityType": "systemId"},
        {"identityType": None},
        {"hashed": "true"},
        {"hashed": 1},
        {"salt": 5},
    ],
)
def test_an_identity_that_cannot_be_read_is_undecidable(changes: dict[str, Any]) -> None:
    assert match_email({**identity_object(EMAIL), **changes}, EMAIL) is IdentityMatch.UNDECIDABLE


def test_a_match_has_no_truth_value() -> None:
    with pytest.raises(TypeError):
        bool(IdentityMatch.SAME)


@given(
    st.dictionaries(st.sampled_from(["identityHash", "identityType", "hashed", "salt", "type"]), st.text())
)
def test_matching_never_raises(identity: dict[str, Any]) -> None:
    match_email(identity | {"identityType": "emailAddress", "hashed": True}, EMAIL)
    match_email(identity, "\ud800")
