"""A signed credential that was changed in one place, whatever the place and the change, is never valid."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from registry.credentials.assembly import NoLedgers, SuppliedOnly, examining
from registry.credentials.findings import Presented
from registry.credentials.formats.jwt_credentials import issue_vc_jose, issue_vc_jwt
from registry.credentials.hosts import NoHosts
from registry.credentials.rdf import ContextStore, RdfCanonicalizer
from registry.credentials.rdf.disguises import GUARDED
from registry.credentials.verification import CredentialVerification, DocumentRequest
from registry.encoding import canonical_json
from registry.errors import MalformedInputError
from registry.verdict.report import Outcome
from tests.unit.credentials.facade import Clock, Registry
from tests.unit.credentials.suites.parts import ED, ISSUER, badge, options_of, signed

JCS, RDFC = "eddsa-jcs-2022", "eddsa-rdfc-2022"
METHOD = options_of(ED, JCS).verification_method
IRI = "https://www.w3.org/2018/credentials#"
EXTRA = {
    "validUntil": "2999-01-01T00:00:00Z",
    "evidence": [{"id": "https://school.example/1", "type": ["Evidence"], "name": "Seam"}],
}
CHANGES = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def canonicalizer() -> Iterator[RdfCanonicalizer]:
    with RdfCanonicalizer(ContextStore()) as made:
        yield made


@pytest.fixture(scope="module")
def verification(canonicalizer: RdfCanonicalizer) -> CredentialVerification:
    parts = examining(canonicalizer, SuppliedOnly, NoLedgers())
    return CredentialVerification(Registry(), parts, NoHosts(), Clock(), frozenset([ISSUER]))


def outcome(verification: CredentialVerification, presented: Presented) -> Outcome | None:
    """None for what is refused as no document at all."""
    try:
        return verification.verify(DocumentRequest(presented)).outcome
    except MalformedInputError:
        return None


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every member and entry, the value itself included."""
    yield path
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, entry in members:
        yield from places(entry, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


TEXTS = st.sampled_from(
    [
        "",
        "x",
        ISSUER,
        "did:web:mit.example",
        "2020-01-01T00:00:00Z",
        "VerifiableCredential",
        "assertionMethod",
        "https://school.example/1",
    ]
) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "type", "name"]), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = st.sampled_from(
    [
        *sorted(GUARDED),
        *(IRI + name for name in sorted(GUARDED)),
        "id",
        "@id",
        "@type",
        "name",
        "proof",
        "evidence",
        "expiration",
        "@context",
        "previousProof",
        "domain",
        "x:y",
    ]
) | st.text(max_size=6)


@st.composite
def changes(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    """The document with one member or entry taken out, put in, renamed, or replaced."""
    made = copy.deepcopy(document)
    path = draw(st.sampled_from([path for path in places(made) if path]))
    above, key = at(made, path[:-1]), path[-1]
    kind = draw(st.sampled_from(["remove", "replace", "rename", "add"]))
    if kind == "add":
        target = at(made, path)
        if isinstance(target, list):
            target.insert(draw(st.integers(0, len(target))), draw(VALUES))
        elif isinstance(target, dict):
            target[draw(NAMES)] = draw(VALUES)
        else:
            above[key] = [target, draw(VALUES)]
    elif kind == "rename" and isinstance(above, dict):
        above[draw(NAMES)] = above.pop(key)
    elif kind == "replace":
        above[key] = draw(VALUES)
    else:
        del above[key]
    return made


def same(one: Any, other: Any) -> bool:
    """By canonical JSON: in Python, 1 and true are equal."""
    return canonical_json(one) == canonical_json(other)


def plainly(value: Any) -> Any:
    """What JSON-LD takes for the same: null and an empty list say nothing, a list of one is that one."""
    if isinstance(value, dict):
        members = {name: plainly(entry) for name, entry in value.items()}
        return {name: entry for name, entry in members.items() if entry is not None}
    if isinstance(value, list):
        entries = [entry for entry in map(plainly, value) if entry is not None]
        return entries[0] if len(entries) == 1 else entries or None
    return value


def hidden(made: dict[str, Any], document: dict[str, Any]) -> bool:
    """Whether a member by which the document is judged is no longer what it was."""
    return any(
        not same(plainly(made.get(name)), plainly(document.get(name))) for name in (*sorted(GUARDED), "id")
    )


JCS_SIGNED = signed(badge(**EXTRA))


@CHANGES
@given(changes(JCS_SIGNED))
def test_json_that_was_signed_and_changed_is_never_valid(
    verification: CredentialVerification, made: dict[str, Any]
) -> None:
    assume(not same(made, JCS_SIGNED))
    assert outcome(verification, Presented(document=made)) is not Outcome.VALID


@pytest.fixture(scope="module")
def rdf_signed(canonicalizer: RdfCanonicalizer) -> dict[str, Any]:
    return signed(badge(**EXTRA), ED, RDFC, canonicalizer)


@CHANGES
@given(data=st.data())
def test_statements_that_were_signed_and_changed_are_never_valid(
    verification: CredentialVerification,
    canonicalizer: RdfCanonicalizer,
    rdf_signed: dict[str, Any],
    data: st.DataObject,
) -> None:
    made = data.draw(changes(rdf_signed))
    if outcome(verification, Presented(document=made)) is not Outcome.VALID:
        return
    # Only what says the very same may pass, such as a list of one instead of the one.
    for part in (
        {n: v for n, v in made.items() if n != "proof"},
        {**made["proof"], "@context": made["@context"]},
    ):
        was = {n: v for n, v in rdf_signed.items() if n != "proof"}
        was = was if "issuer" in part else {**rdf_signed["proof"], "@context": rdf_signed["@context"]}
        keep = {n: v for n, v in part.items() if n != "proofValue"}
        before = {n: v for n, v in was.items() if n != "proofValue"}
        assert canonicalizer.n_quads(keep) == canonicalizer.n_quads(before)
    assert not hidden(made, rdf_signed)


@CHANGES
@given(st.data())
@example(None)
def test_proof_with_one_character_changed_is_never_valid(
    verification: CredentialVerification, rdf_signed: dict[str, Any], data: Any
) -> None:
    for document in (JCS_SIGNED, rdf_signed):
        assert outcome(verification, Presented(document=document)) is Outcome.VALID
        if data is None:
            continue
        value = document["proof"]["proofValue"]
        place = data.draw(st.integers(0, len(value) - 1))
        other = data.draw(st.characters(codec="ascii"))
        assume(other != value[place])
        proof = {**document["proof"], "proofValue": value[:place] + other + value[place + 1 :]}
        assert outcome(verification, Presented(document={**document, "proof": proof})) is not Outcome.VALID


TOKENS = (
    issue_vc_jose(badge(**EXTRA), ED.public, METHOD, ED.sign),
    issue_vc_jwt(badge(**EXTRA), ED.public, ED.sign, kid=METHOD),
)


@CHANGES
@given(st.sampled_from(TOKENS), st.data())
@example(TOKENS[0], None)
@example(TOKENS[1], None)
def test_token_with_one_character_changed_is_never_valid(
    verification: CredentialVerification, token: str, data: Any
) -> None:
    if data is None:
        assert outcome(verification, Presented(token=token)) is Outcome.VALID
        return
    place = data.draw(st.integers(0, len(token)))
    other = data.draw(st.characters(codec="utf-8"))
    length = data.draw(st.sampled_from([0, 1]))
    made = token[:place] + other + token[place + length :]
    assume(made != token)
    assert outcome(verification, Presented(token=made)) is not Outcome.VALID
