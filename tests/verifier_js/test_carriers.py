"""What the browser's verifier finds in PDF files: the same as the server, or a clear sentence."""

from __future__ import annotations

import io
import json
import random
import zlib
from typing import Any

import pikepdf
import pytest

from registry.credentials.carriers.pdf import attached_to
from registry.credentials.certificates.drawing import draw
from registry.errors import ValidationError
from tests.unit.credentials.carriers.test_pdf import pdf_with
from tests.unit.credentials.certificates import CREDENTIAL, PROOF, certificate
from tests.verifier_js.conftest import JavaScript

pytestmark = pytest.mark.node

TOKEN = b"eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.c2ln"


def contents(javascript: JavaScript, data: bytes) -> dict[str, Any]:
    return javascript.ask("contents", hex=data.hex())


def refused(javascript: JavaScript, data: bytes) -> str:
    answer = contents(javascript, data)
    assert answer.get("error") == "malformed", answer
    return str(answer["message"])


def test_certificate_gives_its_credential_and_proof(javascript: JavaScript) -> None:
    found = contents(javascript, draw(certificate()))
    assert found["result"] == {"credential": json.loads(CREDENTIAL), "proof": json.loads(PROOF)}


@pytest.mark.parametrize("mode", list(pikepdf.ObjectStreamMode.__members__.values()))
@pytest.mark.parametrize("linearize", [False, True])
def test_certificate_that_another_program_saved_gives_the_same(
    javascript: JavaScript, mode: pikepdf.ObjectStreamMode, linearize: bool
) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(draw(certificate()))) as pdf:
        pdf.save(out, object_stream_mode=mode, linearize=linearize, compress_streams=True)
    found = contents(javascript, out.getvalue())
    assert found["result"] == {"credential": json.loads(CREDENTIAL), "proof": json.loads(PROOF)}


@pytest.mark.parametrize("text", [CREDENTIAL, b'  {"credentialSubject": {}}\n', TOKEN])
def test_any_name_will_do_and_other_attachments_mean_nothing(javascript: JavaScript, text: bytes) -> None:
    others = {
        "notes.txt": b"hello",
        "picture.png": b"\x89PNG",
        "b.json": b'{"a": 1}',
        "(a) >> \\": b"endstream",
    }
    for options in ({}, {"compress_streams": False}):
        found = contents(javascript, pdf_with(others | {"diploma.xml": text}, **options))["result"]
        assert found["credential"] == (TOKEN.decode() if text == TOKEN else json.loads(text))


def test_part_that_was_replaced_later_counts(javascript: JavaScript) -> None:
    data = pdf_with({"credential.json": CREDENTIAL}, compress_streams=False)
    at = data.index(CREDENTIAL)
    number = data[:at].rpartition(b" 0 obj")[0].rpartition(b"\n")[2].decode()
    newer = b'{"id":"urn:uuid:2"}'
    body = f"{number} 0 obj\n<</Type/EmbeddedFile/Length {len(newer)}>>stream\n".encode()
    appended = data + body + newer + b"\nendstream\nendobj\n%%EOF\n"
    assert contents(javascript, appended)["result"] == {"credential": {"id": "urn:uuid:2"}}
    length = f"/Length {len(newer)}".encode()
    wrong = appended.replace(length, b"/Length 5")  # the word that ends it tells where it ends
    assert contents(javascript, wrong)["result"] == {"credential": {"id": "urn:uuid:2"}}
    elsewhere = appended.replace(length, b"/Length 99 0 R")
    assert contents(javascript, elsewhere)["result"] == {"credential": {"id": "urn:uuid:2"}}


def test_one_that_cannot_be_read_gets_a_sentence(javascript: JavaScript) -> None:
    owner, locked = (pikepdf.Encryption(owner="secret", user=user) for user in ("", "word"))
    for encryption in (owner, locked):
        for mode in (pikepdf.ObjectStreamMode.disable, pikepdf.ObjectStreamMode.generate):
            data = pdf_with({"a.json": CREDENTIAL}, encryption=encryption, object_stream_mode=mode)
            assert "without a password" in refused(javascript, data)
    assert "carries no credential" in refused(javascript, pdf_with({}))
    assert "carries no credential" in refused(javascript, pdf_with({"proof.json": PROOF}))
    nothing = b'{"credential": null, "proof": {}}'
    assert "carries no credential" in refused(javascript, pdf_with({"a.json": nothing}))
    several = pdf_with({"a.json": CREDENTIAL, "b.json": CREDENTIAL + b" "})
    assert "several credentials" in refused(javascript, several)
    assert "more than 20" in refused(javascript, pdf_with({f"{k}.txt": b"x" for k in range(30)}))
    assert "cut off" in refused(javascript, draw(certificate())[:-2000])
    for data in (b"%PDF-1.7", b"%PDF-1.7" + bytes(1000), b"%PDF-" + bytes(range(256)) * 20):
        assert refused(javascript, data)


def attached(raw: bytes, **entries: Any) -> bytes:
    """A PDF whose one attachment is that stream, its dictionary changed."""
    made = pikepdf.new()
    made.add_blank_page()
    made.attachments["credential.json"] = b"x"
    stream = made.attachments["credential.json"].obj.EF.F
    stream.write(raw, filter=pikepdf.Name.FlateDecode)
    for name, value in entries.items():
        stream[f"/{name}"] = value
    out = io.BytesIO()
    made.save(out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return out.getvalue()


def test_attachment_that_unpacks_to_much_or_not_at_all_is_refused(javascript: JavaScript) -> None:
    assert "unpacks to more" in refused(javascript, attached(zlib.compress(bytes(200 << 20), 9)))
    assert "cannot be unpacked" in refused(javascript, attached(b"no zlib"))
    assert "cannot be unpacked" in refused(javascript, attached(zlib.compress(CREDENTIAL)[:-6]))
    packed = attached(zlib.compress(CREDENTIAL), DecodeParms=pikepdf.Dictionary(Predictor=12))
    assert "carries no credential" in refused(javascript, packed)


@pytest.mark.parametrize(
    "deep",
    [b"[" * 100_000, b"<<" * 100_000, b"<</A" * 100_000, b"(" * 100_000, b"9" * 1_000_000, b" " * 5_000_000],
)
def test_hostile_objects_end_in_a_sentence(javascript: JavaScript, deep: bytes) -> None:
    assert refused(javascript, b"%PDF-1.7\n1 0 obj\n<</A " + deep + b"\n%%EOF")


def test_whatever_happens_to_a_certificate_the_server_would_see_the_same_credential(
    javascript: JavaScript,
) -> None:
    good = draw(certificate())
    chance = random.Random(4)
    agreed = 0
    for _ in range(150):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 8)] = chance.randbytes(chance.randint(0, 8))
        mine = contents(javascript, bytes(data))
        if "error" in mine:
            continue
        try:
            theirs = attached_to(bytes(data))
        except ValidationError:
            continue  # it is stricter about what does not concern the attachments
        assert mine["result"]["credential"] == json.loads(theirs.credential)
        agreed += 1
    assert agreed > 0
