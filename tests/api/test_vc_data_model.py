"""The VC API, held against the cases of the W3C's test suite for the data model 2.0.

Each case bears the name of the suite's input file, whose ending says what is expected of the issuer (`ok`,
`fail`, or `fail-or-inject`); the documents are written here from what file and test say. Two wishes of the
suite are not met. Nothing is fetched here, so the digest of a related resource is not compared with what is
on the web (`relatedResource-digest-sri-fail`, `-multibase-fail`); and a context that is written out in the
document is refused, because whoever holds the document could change what its terms mean.

Source: `w3c/vc-data-model-2.0-test-suite` (tests/4.03-contexts.js, 4.07-issuer.js and 4.09-validity-period.js
at 3e85854, 4.04-identifiers.js at 026e2bc, 4.05-types.js at bb60768, 5-advanced-concepts.js at 1b02509,
412-securing-mechanisms.js at 32aaeff, assertions.js at 05f9ae3, the names in tests/input). W3C 3-clause BSD
or test suite licence; no code of theirs is here.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Api
from tests.api.support import problem
from tests.api.vc_parts import (
    ABSENT,
    EXAMPLES,
    V1,
    V2,
    accepted,
    credential,
    forged,
    issue,
    refused,
    verify,
)

VC = "VerifiableCredential"
SUBJECT = "did:example:subject"
STATUS = {"id": "https://license.example/status/84", "type": "ExampleStatus"}
TYPED = {"type": "ExampleTestType"}
RESOURCE = {
    "id": "https://w3c.github.io/vc-data-model/related-resource.json",
    "digestSRI": "sha256-yj0WO6sFU4GCciYUBWjzvvY0rBh8tvzvgnjgtj6eRCM=",
}
OTHER_RESOURCE = {
    "id": "https://a.example/1",
    "digestMultibase": "uEiAjCHMnK5-ayOIZLWo_TBoKYVvSAprlkYEjRlm19Cj0uw",
}


def _with_examples(**changes: Any) -> dict[str, Any]:
    return credential(**{"@context": [V2, EXAMPLES]}, **changes)


CASES: list[tuple[str, dict[str, Any]]] = [
    # 4.3 contexts
    ("credential-ok", credential()),
    ("credential-no-context-fail-or-inject", credential(**{"@context": ABSENT})),
    ("credential-missing-base-context-fail-or-inject", credential(**{"@context": [EXAMPLES]})),
    ("credential-context-order-fail", credential(**{"@context": [EXAMPLES, V2]})),
    ("credential-context-combo1-ok", credential(**{"@context": [V2, EXAMPLES]})),
    (
        "credential-context-combo3-fail",
        credential(**{"@context": [V2, "https ://not-a-url/contexts/example/v1"]}),
    ),
    ("credential-context-combo4-fail", credential(**{"@context": [V2, 123192875]})),
    # 4.4 identifiers
    ("credential-id-other-ok", credential(id="did:example:credential")),
    ("credential-id-single-ok", credential(id="https://a.example/credentials/1")),
    ("credential-id-nonidentifier-fail", credential(id=None)),
    ("credential-id-multi-fail", credential(id=["https://a.example/1", "https://a.example/2"])),
    ("credential-id-not-url-fail", credential(id="not a url")),
    ("credential-id-subject-single-ok", credential(credentialSubject={"id": SUBJECT})),
    ("credential-id-subject-multi-fail", credential(credentialSubject={"id": [SUBJECT, "did:example:b"]})),
    # 4.5 types
    ("credential-no-type-fail", credential(type=ABSENT)),
    ("credential-type-url-ok", credential(type=[VC, "https://a.example/#Type"])),
    (
        "credential-type-mapped-nonurl-fail",
        credential(
            **{"@context": [V2, {"ExampleTestCredential": "not a url"}]}, type=[VC, "ExampleTestCredential"]
        ),
    ),
    (
        "credential-type-unmapped-fail",
        credential(**{"@context": [V2, {"@vocab": None}]}, type=[VC, "ExampleTestCredential"]),
    ),
    (
        "credential-type-urls-order-1-ok",
        credential(type=["https://a.example/#A", "https://a.example/#B", VC]),
    ),
    (
        "credential-type-urls-order-2-ok",
        credential(type=["https://a.example/#A", VC, "https://a.example/#B"]),
    ),
    ("credential-optional-type-ok", _with_examples(type=[VC, "ExampleTestCredential"])),
    ("credential-missing-required-type-fail", _with_examples(type=["ExampleTestCredential"])),
    ("credential-status-ok", _with_examples(credentialStatus=STATUS)),
    ("credential-status-missing-type-fail", _with_examples(credentialStatus={"id": STATUS["id"]})),
    ("credential-termsofuse-ok", _with_examples(termsOfUse=TYPED)),
    ("credential-termsofuse-missing-type-fail", _with_examples(termsOfUse={"id": STATUS["id"]})),
    ("credential-evidence-ok", _with_examples(evidence=TYPED)),
    ("credential-evidence-missing-type-fail", _with_examples(evidence={"id": STATUS["id"]})),
    ("credential-refresh-type-ok", _with_examples(refreshService=STATUS)),
    ("credential-refresh-no-type-fail", _with_examples(refreshService={"id": STATUS["id"]})),
    ("credential-schema-type-ok", _with_examples(credentialSchema=STATUS)),
    ("credential-schema-no-type-fail", _with_examples(credentialSchema={"id": STATUS["id"]})),
    # 4.6 names and descriptions
    ("credential-issuer-name-ok", credential(issuer={"id": "did:example:i", "name": "College"})),
    (
        "credential-issuer-name-language-en-ok",
        credential(issuer={"id": "did:example:i", "name": {"@value": "College", "@language": "en"}}),
    ),
    (
        "credential-issuer-description-ok",
        credential(issuer={"id": "did:example:i", "description": "A college"}),
    ),
    (
        "credential-issuer-description-extra-prop-en-fail",
        credential(
            issuer={
                "id": "did:example:i",
                "description": {"@value": "A", "@language": "en", "url": "did:a:b"},
            }
        ),
    ),
    # 4.7 issuer
    ("credential-issuer-object-ok", credential(issuer={"id": "did:example:issuer"})),
    ("credential-issuer-url-ok", credential(issuer="https://a.example/issuer")),
    ("credential-no-issuer-fail", credential(issuer=ABSENT)),
    ("credential-issuer-no-url-fail", credential(issuer="not a url")),
    ("credential-issuer-null-fail", credential(issuer=None)),
    ("credential-issuer-object-no-id-fail", credential(issuer={"name": "College"})),
    ("credential-issuer-object-id-null-fail", credential(issuer={"id": None})),
    ("credential-issuer-object-id-no-url-fail", credential(issuer={"id": "not a url"})),
    # 4.8 subject
    ("credential-no-subject-fail", credential(credentialSubject=ABSENT)),
    ("credential-subject-no-claims-fail", credential(credentialSubject={})),
    (
        "credential-subject-multiple-ok",
        credential(credentialSubject=[{"id": SUBJECT}, {"id": "did:example:b"}]),
    ),
    ("credential-subject-multiple-empty-fail", credential(credentialSubject=[{"id": SUBJECT}, {}])),
    # 4.9 validity period
    ("credential-validfrom-ms-ok", credential(validFrom="2023-03-07T14:51:48.123Z")),
    ("credential-validfrom-tz-ok", credential(validFrom="2023-03-07T14:51:48-05:00")),
    ("credential-validfrom-invalid-fail", credential(validFrom="2023-03-07")),
    ("credential-validuntil-ok", credential(validUntil="2999-03-07T14:51:48Z")),
    ("credential-validuntil-ms-ok", credential(validUntil="2999-03-07T14:51:48.123Z")),
    ("credential-validuntil-tz-ok", credential(validUntil="2999-03-07T14:51:48-05:00")),
    ("credential-validuntil-invalid-fail", credential(validUntil="tomorrow")),
    (
        "credential-validUntil-validFrom-ok",
        credential(validFrom="2023-01-01T00:00:00Z", validUntil="2999-01-01T00:00:00Z"),
    ),
    (
        "credential-validUntil-validFrom-fail",
        credential(validFrom="2999-01-01T00:00:00Z", validUntil="2023-01-01T00:00:00Z"),
    ),
    # 4.10 status, 4.11 schemas
    ("credential-status-missing-id-ok", _with_examples(credentialStatus=TYPED)),
    ("credential-status-nonurl-id-fail", _with_examples(credentialStatus={**STATUS, "id": "not a url"})),
    ("credential-schema-no-id-fail", _with_examples(credentialSchema=TYPED)),
    ("credential-schema-non-url-id-fail", _with_examples(credentialSchema={**STATUS, "id": "not a url"})),
    (
        "credential-schemas-ok",
        _with_examples(credentialSchema=[STATUS, {**STATUS, "id": "https://a.example/2"}]),
    ),
    # 5 advanced concepts
    (
        "credential-redef-type-fail",
        credential(**{"@context": [V2, {"VerifiableCredential": "https://a.example/#Other"}]}),
    ),
    (
        "credential-redef-type2-fail",
        credential(**{"@context": [V2, {"validFrom": "https://a.example/#from"}]}),
    ),
    ("relatedResource-digest-sri-ok", credential(relatedResource=[RESOURCE])),
    ("relatedResource-digest-multibase-ok", credential(relatedResource=[OTHER_RESOURCE])),
    (
        "relatedResource-with-mediaType-ok",
        credential(relatedResource={**RESOURCE, "mediaType": "application/json"}),
    ),
    ("relatedResource-list-of-strings-fail", credential(relatedResource=[RESOURCE["id"]])),
    ("relatedResource-missing-id-fail", credential(relatedResource={"digestSRI": RESOURCE["digestSRI"]})),
    ("relatedResource-duplicate-id-fail", credential(relatedResource=[RESOURCE, RESOURCE])),
    ("relatedResource-no-digest-fail", credential(relatedResource={"id": RESOURCE["id"]})),
    (
        "credential-refreshs-ok",
        _with_examples(refreshService=[STATUS, {**STATUS, "id": "https://a.example/2"}]),
    ),
    ("credential-termsofuses-ok", _with_examples(termsOfUse=[TYPED, STATUS])),
    ("credential-evidences-ok", _with_examples(evidence=[TYPED, STATUS])),
    # what the suite does not ask, beside it
    ("contexts of both data models fail", credential(**{"@context": [V2, V1]})),
    ("context nobody here has fail", credential(**{"@context": [V2, "https://a.example/v1"]})),
    ("subject with an undefined term fail", credential(credentialSubject={"id": SUBJECT, "undefined": 1})),
]


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022", "jose"])
@pytest.mark.parametrize(("case", "document"), CASES, ids=[case for case, _ in CASES])
def test_issuer_refuses_and_accepts_as_the_suite_wants(
    api: Api, suite: str, case: str, document: dict[str, Any]
) -> None:
    response = issue(api, document, suite)
    if case.endswith("-ok"):
        assert response.status_code == 201, response.text
        accepted(verify(api, response.json()["verifiableCredential"]))
    else:
        found = problem(response, 422, "validation")
        assert all(error["pointer"].startswith("/credential") for error in found["errors"])


@pytest.mark.parametrize(
    ("case", "document"),
    [
        (case, one)
        for case, one in CASES
        if not case.endswith("-ok") and "@context" in one and one.get("issuer") == credential()["issuer"]
    ],
)
def test_verifier_refuses_what_the_issuer_does_however_it_was_signed(
    api: Api, case: str, document: dict[str, Any]
) -> None:
    del case
    refused(verify(api, forged(api, document)))


@pytest.mark.parametrize(
    "document",
    [
        credential(**{"@context": [V2, {"@vocab": "https://a.example/#"}]}),
        credential(
            **{"@context": [V2, {"ExampleTestCredential": "https://a.example/#Test"}]},
            type=[VC, "ExampleTestCredential"],
        ),
    ],
    ids=["credential-context-combo2-ok", "credential-type-mapped-url-ok"],
)
def test_context_written_out_in_the_credential_is_refused_where_the_suite_would_have_it_accepted(
    api: Api, document: dict[str, Any]
) -> None:
    for suite in ("eddsa-rdfc-2022", "eddsa-jcs-2022", "jose"):
        found = problem(issue(api, document, suite), 422, "validation")
        assert [(error["code"], error["pointer"]) for error in found["errors"]] == [
            ("inline-context", "/credential/@context/1")
        ]
