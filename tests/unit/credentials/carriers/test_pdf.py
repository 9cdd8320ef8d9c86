"""Credentials out of PDF files: good, encrypted, damaged, hostile."""

from __future__ import annotations

import io
import zlib
from typing import Any

import pikepdf
import pytest

from registry.credentials.carriers.files import Carrier, read_file
from registry.credentials.carriers.pdf import attached_to, is_pdf
from registry.credentials.certificates.drawing import draw
from registry.errors import ValidationError
from tests.unit.credentials.certificates import CREDENTIAL, PROOF, certificate


def pdf_with(files: dict[str, bytes], **saved: Any) -> bytes:
    """A PDF of one empty page with files attached."""
    made = pikepdf.new()
    made.add_blank_page()
    for name, data in files.items():
        made.attachments[name] = data
    out = io.BytesIO()
    made.save(out, **saved)
    return out.getvalue()


def code_of(data: bytes) -> str:
    with pytest.raises(ValidationError) as caught:
        attached_to(data)
    assert str(caught.value)
    return caught.value.faults[0].code


def test_certificate_gives_its_credential_and_proof() -> None:
    found = attached_to(draw(certificate()))
    assert (found.credential, found.proof) == (CREDENTIAL, PROOF)


@pytest.mark.parametrize(
    "text", [CREDENTIAL, b'  {"credentialSubject": {}}\n', b"eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.c2ln"]
)
def test_any_name_will_do(text: bytes) -> None:
    data = pdf_with({"diploma.xml": text, "notes.txt": b"hello", "picture.png": b"\x89PNG"})
    assert attached_to(data).credential == text


def test_encrypted_one_is_refused_with_a_way_out() -> None:
    owner = pikepdf.Encryption(owner="secret", user="")
    locked = pikepdf.Encryption(owner="secret", user="word")
    for encryption in (owner, locked):
        data = pdf_with({"credential.json": CREDENTIAL}, encryption=encryption)
        with pytest.raises(ValidationError, match="save it without a password"):
            attached_to(data)


def test_one_without_a_credential_is_refused() -> None:
    assert code_of(pdf_with({})) == "pdf-none"
    assert code_of(pdf_with({"a.txt": b"hello", "b.json": b'{"a": 1}', "proof.json": PROOF})) == "pdf-none"


def test_one_with_several_is_refused() -> None:
    assert code_of(pdf_with({"a.json": CREDENTIAL, "b.json": CREDENTIAL + b" "})) == "pdf-several"
    assert code_of(pdf_with({"a.json": CREDENTIAL, "p": PROOF, "q": PROOF + b" "})) == "pdf-several"
    assert code_of(pdf_with({f"{k}.txt": b"x" for k in range(30)})) == "pdf-too-many"


@pytest.mark.parametrize(
    "data",
    [b"%PDF-1.7", b"%PDF-1.7\n%%EOF", b"%PDF-1.7" + bytes(1000), b"%PDF-" + bytes(range(256)) * 20],
)
def test_damaged_one_is_refused(data: bytes) -> None:
    assert is_pdf(data)
    assert code_of(data) == "pdf-broken"


def test_one_that_is_cut_off_is_refused() -> None:
    data = draw(certificate())
    assert code_of(data[: len(data) // 2]) == "pdf-broken"


def bomb(raw: bytes) -> bytes:
    """A PDF whose one attachment is that stream."""
    made = pikepdf.new()
    made.add_blank_page()
    made.attachments["credential.json"] = b"x"
    made.attachments["credential.json"].obj.EF.F.write(raw, filter=pikepdf.Name.FlateDecode)
    out = io.BytesIO()
    made.save(out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return out.getvalue()


def test_attachment_that_unpacks_to_gigabytes_is_refused() -> None:
    packer = zlib.compressobj(9)
    raw = b"".join(packer.compress(bytes(1 << 20)) for _ in range(2048)) + packer.flush()
    assert len(raw) < 4 << 20
    assert code_of(bomb(raw)) == "pdf-too-large"


def test_object_stream_that_unpacks_to_gigabytes_is_refused() -> None:
    packer = zlib.compressobj(9)
    raw = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(4096)) + packer.flush()
    head = b"%PDF-1.5\n"
    objects = b"1 0 obj\n<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n" % len(raw)
    body = objects + raw + b"\nendstream\nendobj\n"
    table = len(head) + len(body)
    entries = b"\x00\x00\x00\xff" + b"\x01" + len(head).to_bytes(2, "big") + b"\x00" + b"\x02\x00\x01\x00"
    entries += b"\x01" + (table & 0xFFFF).to_bytes(2, "big") + b"\x00"
    cross = b"3 0 obj\n<</Type/XRef/Size 4/W[1 2 1]/Root 2 0 R/Length %d>>stream\n" % len(entries)
    data = head + body + cross + entries + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF" % table
    assert len(data) < 10 << 20
    assert code_of(data) in ("pdf-too-large", "pdf-broken")


def test_file_reader_hands_on_credential_and_proof() -> None:
    with pytest.raises(ValidationError):  # its proof is none
        read_file(draw(certificate()))
    contents = read_file(pdf_with({"credential.json": CREDENTIAL}))
    assert (contents.carrier, contents.proof) == (Carrier.PDF, None)
    assert contents.presented is not None
    assert contents.presented.document == {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:1",
    }
