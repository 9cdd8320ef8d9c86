"""Whatever stands in the place of any member: an examiner never raises, and nothing becomes valid."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.credentials.findings import Examiner, Presented
from registry.credentials.formats.blockcerts import Blockcerts
from registry.credentials.formats.blockcerts_2 import Blockcerts2
from registry.credentials.formats.open_attestation import OpenAttestationExaminer
from registry.credentials.rdf import RdfCanonicalizer
from registry.encoding import parse_json
from registry.verdict.report import CheckResult, Outcome
from tests.support.anchored import outcome, tools

VECTORS = Path(__file__).resolve().parents[3] / "vectors"
JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**53 - 1,
    1.5,
    "",
    "x",
    "0x",
    "z",
    [],
    ["x"],
    [[]],
    {},
    {"": {}},
    [{}] * 30,
)
DOCUMENTS = [
    ("blockcerts/sepolia", Blockcerts()),
    ("blockcerts/mocknet-data-integrity", Blockcerts()),
    ("open-attestation/v2/documentMainnetValidWithCertificateStore", OpenAttestationExaminer()),
    ("open-attestation/v2/documentDnsDidSigned", OpenAttestationExaminer()),
    ("open-attestation/v3/did-revocation-store-signed-revoked", OpenAttestationExaminer()),
    ("open-attestation/v3/documentStore-issued", OpenAttestationExaminer()),
]
SIGNATURE = {
    "type": ["MerkleProof2017", "Extension"],
    "merkleRoot": "00" * 32,
    "targetHash": "00" * 32,
    "proof": [{"left": "00" * 32}],
    "anchors": [{"sourceId": "00" * 32, "type": "ETHData", "chain": "ethereumSepolia"}],
}


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every member and entry; of long lists, to the first three."""
    if isinstance(value, dict):
        steps: list[Any] = list(value)
    elif isinstance(value, list):
        steps = list(range(min(len(value), 3)))
    else:
        return
    for step in steps:
        yield (*way, step)
        yield from places(value[step], (*way, step))


def replaced(document: dict[str, Any], way: tuple[Any, ...], junk: Any) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    holder: Any = changed
    for step in way[:-1]:
        holder = holder[step]
    holder[way[-1]] = junk
    return changed


def load(name: str) -> dict[str, Any]:
    document = parse_json((VECTORS / f"{name}.json").read_bytes())
    assert isinstance(document, dict)
    return document


def never_raises(document: dict[str, Any], examiner: Examiner, canonicalizer: RdfCanonicalizer) -> None:
    box = tools(canonicalizer=canonicalizer)
    for way in places(document):
        for junk in JUNK:
            presented = Presented(document=replaced(document, way, junk))
            examiner.recognises(presented)
            examination = examiner.examine(presented, box)
            assert examination.findings, way
            assert outcome(examination) is not Outcome.VALID, (way, junk)


@pytest.mark.parametrize(("name", "examiner"), DOCUMENTS, ids=[name for name, _ in DOCUMENTS])
def test_junk_in_any_place_is_examined_and_never_valid(
    name: str, examiner: Examiner, canonicalizer: RdfCanonicalizer
) -> None:
    never_raises(load(name), examiner, canonicalizer)


def test_junk_in_any_place_of_an_assertion_is_examined_and_never_valid(
    canonicalizer: RdfCanonicalizer,
) -> None:
    document = load("blockcerts/assertion-2.0")["document"] | {"signature": SIGNATURE}
    never_raises(document, Blockcerts2(), canonicalizer)


@pytest.mark.parametrize(
    "name",
    ["v2/documentMainnetValidWithCertificateStore", "v2/documentDnsDidSigned", "v3/documentStore-issued"],
)
def test_junk_in_any_field_of_an_open_attestation_is_a_failure(name: str) -> None:
    document = load(f"open-attestation/{name}")
    covered = ("data",) if "data" in document else tuple(set(document) - {"proof"})
    for way in places(document):
        if way[0] not in covered or way == ("data",):
            continue
        for junk in JUNK:
            found = OpenAttestationExaminer().examine(
                Presented(document=replaced(document, way, junk)), tools()
            )
            assert CheckResult.FAIL in {finding.result for finding in found.findings}, (way, junk)


def test_deeply_nested_document_is_examined(canonicalizer: RdfCanonicalizer) -> None:
    nested: Any = "x"
    for _ in range(28):
        nested = {"a": [nested]} if isinstance(nested, str) else [nested]
    for name, examiner in DOCUMENTS:
        document = load(name)
        holder = document.get("data", document)
        holder["nested"] = nested
        examination = examiner.examine(Presented(document=document), tools(canonicalizer=canonicalizer))
        assert outcome(examination) is Outcome.INVALID
