"""Ids of credentials: what random generators write passes, what people and counters write does not."""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Callable

import pytest

from registry.encoding import require_unguessable_id
from registry.errors import ValidationError

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"

GENERATORS: dict[str, Callable[[random.Random], str]] = {
    "uuid4": lambda r: str(uuid.UUID(bytes=r.randbytes(16), version=4)),
    "uuid4-upper": lambda r: str(uuid.UUID(bytes=r.randbytes(16), version=4)).upper(),
    "hex-16-bytes": lambda r: r.randbytes(16).hex(),
    "hex-32-bytes-0x": lambda r: "0x" + r.randbytes(32).hex(),
    "base64url-16-bytes": lambda r: base64.urlsafe_b64encode(r.randbytes(16)).decode().rstrip("="),
    "base64url-32-bytes": lambda r: base64.urlsafe_b64encode(r.randbytes(32)).decode().rstrip("="),
    "base58-22-characters": lambda r: "".join(r.choices(BASE58, k=22)),
    "base36-25-characters": lambda r: "".join(r.choices(BASE36, k=25)),
    "base32-26-characters": lambda r: base64.b32encode(r.randbytes(16)).decode().rstrip("="),
}


@pytest.mark.parametrize("name", GENERATORS)
def test_what_a_generator_writes_passes(name: str) -> None:
    source = random.Random(f"ids {name}")
    for _ in range(3000):
        identifier = f"urn:example:{GENERATORS[name](source)}"
        assert require_unguessable_id({"id": identifier}) == identifier


@pytest.mark.parametrize(
    "shape",
    [
        "urn:uuid:{}",
        "{}",
        "https://badges.example/c/{}",
        "https://badges.example/c/{}/",
        "https://badges.example/c/{}.json",
        "https://badges.example/c?id={}",
        "did:web:example.org:credentials:{}",
        "https://badges.example/list#{}",
    ],
)
def test_random_last_segment_passes_in_any_place(shape: str) -> None:
    identifier = shape.format("7f9c2ba4-e88f-427d-a15e-c0d1f2a3b4c5")
    assert require_unguessable_id({"id": identifier}) == identifier


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "///",
        "urn:example:17",
        "https://academy.example/credentials/2026/0042",
        "https://academy.example/7f9c2ba4-e88f-427d-a15e-c0d1f2a3b4c5/17",
        "urn:uuid:00000000-0000-0000-0000-000000000000",
        "urn:uuid:00000000-0000-4000-8000-000000123456",
        "urn:uuid:11111111-1111-4111-8111-111111111111",
        "urn:uuid:12345678-1234-4234-8234-123456789abc",
        "urn:uuid:e6ee61e6-e73e-11f1-9603-02fc00000001",  # version 1: time and network address
        "urn:uuid:886313e1-3b8a-5372-9b90-0c9aee199e5d",  # version 5: a hash of a name
        "urn:uuid:0198f8a1-7b7c-7c3e-9d5a-3f2b1c4d5e6f",  # version 7: 74 random bits
        "urn:uuid:7f9c2ba4-e88f-427d-c15e-c0d1f2a3b4c5",  # another variant
        "urn:x:0123456789abcdef0123456789abcdef",
        "urn:x:000102030405060708090a0b0c0d0e0f",
        "urn:x:fedcba9876543210fedcba9876543210",
        "urn:x:deadbeefdeadbeefdeadbeefdeadbeef",
        "urn:x:" + "0" * 20 + "8f3a61c5e7d2",
        "urn:x:507f1f77bcf86cd799439011",  # 96 bits, most of them a time and a counter
        "urn:x:20261123040000000000000017",
        "urn:x:7f9c2ba4e88f427da15ec0d1f2a3b4c",  # 31 digits
        "urn:x:abcdefghijklmnopqrstuvwxyz",
        "urn:x:ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "urn:x:" + "aB3" * 10,
        "urn:x:" + "abcdefgh1" * 3,
        "urn:x:introduction-to-data-analysis-2024-0017",
        "urn:x:course-0017-student-00042",
        "urn:x:CERTIFICATE_OF_COMPLETION_JANE_DOE",
        "urn:x:introductiontodataanalysis",
        "urn:x:IntroductionToDataAnalysis2024",
        "urn:x:Zm9v+YmFy/a8sDk2LmQpWv",
        "urn:x:" + "Zk3" * 50,
    ],
)
def test_guessable_id_is_refused(identifier: str) -> None:
    with pytest.raises(ValidationError) as caught:
        require_unguessable_id({"id": identifier}, pointer="/credentials/4")
    fault = caught.value.faults[0]
    assert (fault.code, fault.pointer) == ("id-guessable", "/credentials/4/id")
    assert not identifier or identifier not in str(caught.value)


@pytest.mark.parametrize("credential", [{}, {"id": None}, {"id": 17}, {"id": ["urn:x"]}])
def test_missing_id_is_refused(credential: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        require_unguessable_id(credential)  # type: ignore[arg-type]
    assert (caught.value.faults[0].code, caught.value.faults[0].pointer) == ("id-missing", "/id")
