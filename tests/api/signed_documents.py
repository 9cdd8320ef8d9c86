"""Signed credentials, tokens and lists for the tests that try to break their verification."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import httpx

from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType
from registry.credentials.status.bitstring import encode, new_bitstring
from registry.credentials.suites.signing import ProofOptions, add_proof
from registry.credentials.verification_methods import did_key, did_key_method
from registry.encoding import to_base64url
from tests.api.conftest import Api

V2 = "https://www.w3.org/ns/credentials/v2"
CREDENTIALS = "https://www.w3.org/2018/credentials#"
ED = KeyPair.from_private_bytes(KeyType.ED25519, bytes(range(32)))
THIEF = KeyPair.from_private_bytes(KeyType.ED25519, bytes(range(1, 33)))
DID, THIEVES_DID = did_key(ED.public), did_key(THIEF.public)
METHOD, THIEVES_METHOD = did_key_method(ED.public), did_key_method(THIEF.public)
LIST = "https://lists.example/1"
JCS, RDFC = "eddsa-jcs-2022", "eddsa-rdfc-2022"
BAD = frozenset(("invalid", "indeterminate", "not_found"))

Change = Callable[[dict[str, Any]], Any]


def credential(**changes: Any) -> dict[str, Any]:
    document = {
        "@context": [V2],
        "id": f"urn:uuid:{uuid4()}",
        "type": ["VerifiableCredential"],
        "issuer": DID,
        "validFrom": "2020-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:holder"},
        **changes,
    }
    return {name: value for name, value in document.items() if value is not None}


def signed(
    api: Api,
    document: Mapping[str, Any],
    suite: str = JCS,
    pair: KeyPair = ED,
    method: str | None = None,
    **options: Any,
) -> dict[str, Any]:
    """The document with one more proof, by a did:key unless a method is named."""
    wanted = ProofOptions(suite, KeyType.ED25519, method or did_key_method(pair.public), **options)
    return add_proof(document, wanted, pair.sign, api.app.canonicalizer).document


def changed(document: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """A changed copy."""
    copied = copy.deepcopy(dict(document))
    change(copied)
    return copied


def send(api: Api, document: Any, **beside: Any) -> httpx.Response:
    return api.public.post("/v1/verify", json={"credential": document, "issuer": DID, **beside})


def outcome(api: Api, document: Any, **beside: Any) -> str:
    """The outcome of a finished verification."""
    return str(report(api, document, **beside)["outcome"])


def report(api: Api, document: Any, **beside: Any) -> dict[str, Any]:
    response = send(api, document, **beside)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def refused_or_bad(api: Api, document: Any, **beside: Any) -> str:
    """``refused`` for what is no request, else the outcome; asserts that it is neither valid nor a fault of
    the server."""
    response = send(api, document, **beside)
    assert response.status_code in (200, 400, 413, 415, 422), response.text
    if response.status_code != 200:
        return "refused"
    found = str(response.json()["outcome"])
    assert found in BAD, response.text
    return found


def check(found: Mapping[str, Any], name: str) -> str:
    return str(next(one["result"] for one in found["checks"] if one["name"] == name))


def compact(header: Any, payload: Any, sign: Callable[[bytes], bytes] = ED.sign) -> str:
    """A compact JWS of JSON values or raw bytes."""
    parts = [
        to_base64url(part if isinstance(part, bytes) else json.dumps(part).encode())
        for part in (header, payload)
    ]
    text = ".".join(parts)
    return f"{text}.{to_base64url(sign(text.encode()))}"


def status_list(api: Api, *indices: int, pair: KeyPair = ED, **changes: Any) -> dict[str, Any]:
    """A signed status list credential; changes to its subject begin with ``subject_``."""
    subject = {
        "id": f"{LIST}#list",
        "type": "BitstringStatusList",
        "statusPurpose": "revocation",
        "encodedList": encode(new_bitstring(131_072, indices)),
    }
    subject |= {
        name.removeprefix("subject_"): v for name, v in changes.items() if name.startswith("subject_")
    }
    members = {name: value for name, value in changes.items() if not name.startswith("subject_")}
    kinds = ["VerifiableCredential", "BitstringStatusListCredential"]
    document = credential(**{"id": LIST, "type": kinds, "credentialSubject": subject} | members)
    return signed(api, document, pair=pair)


def entry(index: int = 7, **changes: Any) -> dict[str, Any]:
    made = {
        "id": f"{LIST}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": str(index),
        "statusListCredential": LIST,
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}
