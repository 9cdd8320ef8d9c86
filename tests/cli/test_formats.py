"""verify: files of every kind that carries a credential, by a server and by nothing at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4
from zlib import crc32

import pytest

from registry.bootstrap import open_canonicalizer
from registry.credentials.carriers.images import default_badge
from registry.credentials.carriers.png import bake_png
from registry.credentials.carriers.svg import bake_svg
from registry.credentials.formats.jwt_credentials import issue_vc_jose
from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType
from registry.credentials.rdf import RdfCanonicalizer
from registry.credentials.status.bitstring import encode, new_bitstring
from registry.credentials.suites.signing import ProofOptions, add_proof
from registry.credentials.verification_methods import did_key
from registry.settings import Settings
from tests.cli.conftest import Running, Shell

V2 = "https://www.w3.org/ns/credentials/v2"
ED = KeyPair.from_private_bytes(KeyType.ED25519, bytes(range(32)))
DID = did_key(ED.public)
METHOD = f"{DID}#{DID.removeprefix('did:key:')}"
LIST = "https://lists.example/1?a=b"
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'
VECTORS = Path(__file__).resolve().parents[1] / "vectors"
WAYS = {"server": (), "alone": ("--offline",)}
KINDS = ("badge.json", "badge.jwt", "badge.png", "badge.svg", "-")


@pytest.fixture(scope="module")
def canonicalizer() -> Iterator[RdfCanonicalizer]:
    made = open_canonicalizer(Settings())
    yield made
    made.close()


def document(**changes: Any) -> dict[str, Any]:
    return {
        "@context": [V2],
        "id": f"urn:uuid:{uuid4()}",
        "type": ["VerifiableCredential"],
        "issuer": DID,
        "credentialSubject": {"id": "urn:uuid:0e5a5a0e-8e0f-4a56-b3b4-5f6a0a0a0a01"},
    } | changes


def signed(canonicalizer: RdfCanonicalizer, issuer: str = DID, **changes: Any) -> dict[str, Any]:
    """Signed by the one key; ``issuer`` is its did:key, or a DID whose document lists it as #key."""
    method = METHOD if issuer == DID else f"{issuer}#key"
    options = ProofOptions("eddsa-rdfc-2022", KeyType.ED25519, method)
    return add_proof(document(issuer=issuer, **changes), options, ED.sign, canonicalizer).document


def carried(kind: str, credential: dict[str, Any]) -> bytes:
    text = json.dumps(credential).encode()
    if kind.endswith(".png"):
        return bake_png(default_badge("Badge").data, text)
    if kind.endswith(".svg"):
        return bake_svg(PICTURE, text)
    if kind.endswith(".jwt"):
        plain = {name: value for name, value in credential.items() if name != "proof"}
        return issue_vc_jose(plain, ED.public, METHOD, ED.sign).encode()
    return text


def given(kind: str, data: bytes) -> bytes | None:
    """What standard input gets; other kinds are written to a file."""
    if kind == "-":
        return data
    Path(kind).write_bytes(data)
    return None


# --- failures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_tampered_one_is_1_whatever_carries_it(
    shell: Shell, canonicalizer: RdfCanonicalizer, kind: str, way: str
) -> None:
    credential = signed(canonicalizer)
    data = carried(kind, credential)
    if kind.endswith(".jwt"):
        head, payload, signature = data.decode().split(".")
        data = f"{head}.{payload}.{'A' * len(signature)}".encode()
    else:
        data = carried(kind, credential | {"validFrom": "2020-01-01T00:00:00Z"})
    ran = shell.run("verify", kind, "--issuer", DID, *WAYS[way], stdin=given(kind, data))
    assert (ran.code, ran.out.split(":")[0]) == (1, "INVALID"), ran.err


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain.png", default_badge("Badge").data),
        ("plain.svg", PICTURE),
        ("evil.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("scan.pdf", b"%PDF-1.7"),
        ("notes.txt", b"hello"),
        ("cut.json", b'{"id": '),
        ("twice.json", b'{"id": "a", "id": "b"}'),
        ("none.jwt", b"a.b"),
        ("large.bin", b"\x00" * (10 * 2**20 + 1)),
    ],
)
def test_file_that_carries_nothing_is_2_with_its_name(shell: Shell, name: str, data: bytes, way: str) -> None:
    Path(name).write_bytes(data)
    ran = shell.run("verify", name, *WAYS[way])
    assert (ran.code, name in ran.err) == (2, True), ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("badge.json", "--offline", "--rpc", "http://127.0.0.1:1"),
        ("badge.json", "--offline", "--bundle"),
        ("badge.json", "--offline", "--live"),
        ("badge.json", "--many", "--offline"),
        ("badge.json", "--many", "--document", "https://a.example=badge.json"),
        ("badge.json", "--offline", "--document", "badge.json"),
        ("badge.json", "--offline", "--document", "https://a.example=nothing.json"),
        ("badge.json", "--offline", "--document", "did:nothing:x=badge.json"),
        ("badge.json", "--offline", "--issuer", "nobody"),
        ("badge.json", "--issuer", "nobody"),
    ],
)
def test_options_that_exclude_each_other_or_are_wrong_are_2(
    shell: Shell, canonicalizer: RdfCanonicalizer, arguments: tuple[str, ...]
) -> None:
    Path("badge.json").write_text(json.dumps(signed(canonicalizer)))
    ran = shell.run("verify", *arguments)
    assert ran.code == 2, ran.out
    assert ran.err.strip()


def test_document_is_not_sent_along_twice(shell: Shell, canonicalizer: RdfCanonicalizer) -> None:
    Path("badge.json").write_text(json.dumps(signed(canonicalizer)))
    one = ("--document", "https://a.example=badge.json")
    assert shell.run("verify", "badge.json", *one, *one).code == 2


def test_document_that_is_too_large_leaves_it_open(shell: Shell, canonicalizer: RdfCanonicalizer) -> None:
    web = "did:web:college.example"
    Path("badge.json").write_text(json.dumps(signed(canonicalizer, issuer=web)))
    Path("did.json").write_bytes(b" " * (2**20 + 1))
    ran = shell.run("verify", "badge.json", "--offline", "--issuer", web, "--document", f"{web}=did.json")
    assert (ran.code, "larger than" in ran.out) == (4, True)


# --- every carrier ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_intact_one_is_0_by_the_issuer_asked_about_and_4_else(
    shell: Shell, canonicalizer: RdfCanonicalizer, kind: str, way: str
) -> None:
    data = carried(kind, signed(canonicalizer))
    ran = shell.run("verify", kind, "--issuer", DID, *WAYS[way], "--json", stdin=given(kind, data))
    assert (ran.code, ran.json["outcome"]) == (0, "valid"), ran.out
    assert ran.json["format"].startswith("Verifiable Credential 2.0")
    stranger = shell.run("verify", kind, *WAYS[way], stdin=given(kind, data))
    assert stranger.code == 4
    assert "kind       Verifiable Credential 2.0" in stranger.out
    other = shell.run(
        "verify", kind, "--issuer", "did:web:other.example", *WAYS[way], stdin=given(kind, data)
    )
    assert other.code == 4


@pytest.mark.parametrize("way", WAYS)
def test_token_is_read_from_standard_input_and_as_a_json_text(shell: Shell, way: str) -> None:
    token = issue_vc_jose(document(), ED.public, METHOD, ED.sign)
    for text in (f"{token}\n", json.dumps(token), json.dumps({"credential": token})):
        assert shell.run("verify", "-", "--issuer", DID, *WAYS[way], stdin=text).code == 0


@pytest.mark.parametrize("way", WAYS)
def test_trust_list_holds_dids_without_a_server(
    shell: Shell, canonicalizer: RdfCanonicalizer, way: str
) -> None:
    Path("badge.json").write_text(json.dumps(signed(canonicalizer)))
    ran = shell.run("verify", "badge.json", *WAYS[way], ROOTMARK_TRUSTED_ISSUERS=DID)
    assert ran.code == (4 if way == "server" else 0)  # a server has a list of its own


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("revoked", "code"), [((), 0), ((94_567,), 3)])
def test_documents_that_are_sent_along_decide(
    shell: Shell, canonicalizer: RdfCanonicalizer, way: str, revoked: tuple[int, ...], code: int
) -> None:
    web = "did:web:college.example"
    entry = {
        "id": "https://lists.example/1#94567",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": LIST,
    }
    subject = {
        "id": f"{LIST}#list",
        "type": "BitstringStatusList",
        "statusPurpose": "revocation",
        "encodedList": encode(new_bitstring(131_072, revoked)),
    }
    kinds = ["VerifiableCredential", "BitstringStatusListCredential"]
    listed = signed(canonicalizer, issuer=web, id=LIST, type=kinds, credentialSubject=subject)
    credential = signed(canonicalizer, issuer=web, credentialStatus=entry)
    did_document = {
        "id": web,
        "verificationMethod": [
            {
                "id": f"{web}#key",
                "type": "Multikey",
                "controller": web,
                "publicKeyMultibase": ED.public.to_multikey(),
            }
        ],
        "assertionMethod": [f"{web}#key"],
    }
    Path("badge.png").write_bytes(carried("badge.png", credential))
    Path("did.json").write_text(json.dumps(did_document))
    Path("list.json").write_text(json.dumps(listed))
    shown = ("verify", "badge.png", "--issuer", web, *WAYS[way])
    open_one = shell.run(*shown, "--document", f"{LIST}=list.json")
    assert (open_one.code, "college.example" in open_one.out) == (4, True)
    ran = shell.run(*shown, "--document", f"{web}=did.json", "--document", f"{LIST}=list.json")
    assert ran.code == code, ran.out


# --- other systems' files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("open-attestation/v2/tamperedDocumentWithCertificateStore.json", 1),
        ("open-attestation/v2/documentRopstenValidWithDocumentStore.json", 4),
        ("open-attestation/v2/documentDidSigned.json", 4),
        ("open-attestation/v3/did-invalid-signed.json", 4),
    ],
)
def test_opencert_of_others_has_one_verdict_by_server_nodes_and_alone(
    shell: Shell, running: Running, path: str, code: int
) -> None:
    Path("degree.opencert").write_bytes((VECTORS / path).read_bytes())
    server = shell.run("verify", "degree.opencert", "--json")
    assert (server.code, "OpenAttestation" in server.json["format"]) == (code, True)
    for way in (("--offline",), ("--rpc", f"{running.url}/rpc")):
        alone = shell.run("verify", "degree.opencert", *way, "--json")
        assert (alone.code, alone.json["format"]) == (code, server.json["format"])


def test_picture_that_names_a_hosted_assertion_takes_it_from_what_is_sent_along(shell: Shell) -> None:
    address = "https://badges.example/assertions/1"
    Path("old.png").write_bytes(bake_old_png(address))
    ran = shell.run("verify", "old.png", "--offline", "--json")
    assert (ran.code, address in ran.out) == (4, True)
    other = {"@context": "https://w3id.org/openbadges/v2", "type": "Assertion", "id": f"{address}2"}
    Path("assertion.json").write_text(json.dumps(other))
    with_it = ("--document", f"{address}=assertion.json")
    ran = shell.run("verify", "old.png", "--offline", *with_it, "--json")
    assert (ran.code, ran.json["format"]) == (1, "Open Badges 2.0")
    refused = shell.run("verify", "old.png", *with_it)
    assert (refused.code, "hosted" in refused.err) == (2, True)
    assert shell.run("verify", "old.png").code == 4


def bake_old_png(address: str) -> bytes:
    """A picture as Open Badges 1 and 2 baked them: the address in a tEXt chunk."""
    data = default_badge("Badge").data
    chunk = b"tEXt" + b"openbadges\x00" + address.encode()
    baked = (len(chunk) - 4).to_bytes(4, "big") + chunk + crc32(chunk).to_bytes(4, "big")
    return data[:33] + baked + data[33:]
