"""Files, forms and bodies that are broken, or made to cost more than they are worth."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from typing import Any

import pytest

from registry.credentials.carriers.images import default_badge
from registry.credentials.carriers.png import bake_png, chunk_bytes
from registry.credentials.carriers.svg import bake_svg
from tests.api.conftest import Api
from tests.api.signed_documents import DID, ED, credential, outcome, refused_or_bad, signed
from tests.api.support import problem

BINARY = {"Content-Type": "application/octet-stream"}
JSON = {"Content-Type": "application/json"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'
BADGE_NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
PNG = default_badge("Badge").data


def upload(api: Api, data: bytes) -> str:
    """``refused``, or the outcome, by file and by form alike."""
    by_form = api.public.post("/v1/verify", files={"file": ("badge", data)}, data={"issuer": DID})
    raw = api.public.post("/v1/verify", content=data, headers=BINARY)
    for response in (raw, by_form):
        assert response.status_code in (200, 400, 413, 415, 422), response.text
    assert (raw.status_code == 200) == (by_form.status_code == 200)
    return "refused" if by_form.status_code != 200 else str(by_form.json()["outcome"])


@pytest.fixture(scope="module")
def text(api: Api) -> bytes:
    return json.dumps(signed(api, credential())).encode()


def test_whole_file_is_valid_so_that_the_rest_means_something(api: Api, text: bytes) -> None:
    assert [upload(api, one) for one in (text, bake_png(PNG, text), bake_svg(SVG, text))] == ["valid"] * 3


# --- JSON ---------------------------------------------------------------------------------------------------


def twice(text: bytes) -> bytes:
    return text.replace(b'"issuer"', b'"issuer": "did:web:mit.example", "issuer"', 1)


def broken(text: bytes) -> dict[str, bytes]:
    open_end = text[:-1]
    return {
        "a name twice": twice(text),
        "a name twice, once escaped": text.replace(b'"issuer"', b'"\\u0069ssuer": "x", "issuer"', 1),
        "a nested name twice": text.replace(
            b'"credentialSubject": {', b'"credentialSubject": {"id": "x", ', 1
        ),
        "a lone surrogate": open_end + b', "name": "\\ud800"}',
        "a number too large": open_end + b', "name": 9007199254740993}',
        "a number too large, with an exponent": open_end + b', "name": 1e400}',
        "NaN": open_end + b', "name": NaN}',
        "infinity": open_end + b', "name": -Infinity}',
        "U+0000": open_end + b', "name": "\\u0000"}',
        "not UTF-8": open_end + b', "name": "\xff"}',
        "deep": open_end + b', "name": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        "something behind": text + b"{}",
        "UTF-16": text.decode().encode("utf-16"),
        "cut off": open_end,
    }


@pytest.mark.parametrize("name", broken(b'{"issuer": {}, "credentialSubject": {}}'))
def test_json_that_two_readers_could_read_differently_is_refused_in_every_carrier(
    api: Api, text: bytes, name: str
) -> None:
    bad = broken(text)[name]
    assert upload(api, bad) == "refused"
    body = b'{"issuer": "' + DID.encode() + b'", "credential": ' + bad + b"}"
    response = api.public.post("/v1/verify", content=body, headers=JSON)
    assert 400 <= response.status_code < 500, response.text
    baked = chunk_bytes(b"iTXt", b"openbadgecredential\0\0\0\0\0" + bad)
    assert upload(api, PNG[:33] + baked + PNG[33:]) in ("refused", "invalid")
    inside = bad.decode("utf-8", "replace").replace("]]>", "")
    if "\x00" not in inside:
        element = f'<b:credential xmlns:b="{BADGE_NAMESPACE}"><![CDATA[{inside}]]></b:credential>'
        svg = f'<svg xmlns="http://www.w3.org/2000/svg">{element}</svg>'.encode()
        assert upload(api, svg) in ("refused", "invalid")


def test_documents_that_were_sent_along_are_read_as_strictly(api: Api) -> None:
    did = "did:web:mit.example"
    place = "https://mit.example/.well-known/did.json"
    method = {
        "id": f"{did}#key-1",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": ED.public.to_multikey(),
    }
    found = {"id": did, "verificationMethod": [method], "assertionMethod": [method["id"]]}
    document = signed(api, credential(issuer=did), method=f"{did}#key-1")
    right = json.dumps(found)
    assert outcome(api, document, issuer=did, documents={place: right}) == "valid"
    for wrong in (
        right.replace('"id"', '"id": "x", "id"', 1),
        right[:-1] + ', "x": NaN}',
        right[:-1] + ', "x": ' + "[" * 99 + "]" * 99 + "}",
        "\ufeff" + right,
    ):
        assert refused_or_bad(api, document, issuer=did, documents={place: wrong}) == "invalid"


@pytest.mark.parametrize(
    "documents",
    [
        {f"https://x.example/{number}": {} for number in range(1_000)},
        {"": {}},
        {"https://x.example/1": 7},
        {"https://x.example/1": []},
        ["https://x.example/1"],
        {"x" * 100_000: {}},
    ],
)
def test_documents_of_a_wrong_form_are_refused_or_of_no_use(api: Api, documents: Any) -> None:
    document = signed(api, credential(issuer="did:web:mit.example"), method="did:web:mit.example#key-1")
    assert refused_or_bad(api, document, issuer="did:web:mit.example", documents=documents) != "valid"


# --- sizes --------------------------------------------------------------------------------------------------


def test_bodies_over_their_limits_are_refused(api: Api, text: bytes) -> None:
    padded = text + b" " * (1 << 20)
    body = b'{"credential": ' + padded + b"}"
    problem(api.public.post("/v1/verify", content=body, headers=JSON), 413, "too-large")
    assert upload(api, padded) == "refused"
    assert upload(api, bake_png(PNG, text)[:-12] + b"\0" * (11 << 20)) == "refused"
    assert upload(api, SVG[:-2] + b" " * (11 << 20) + b"/>") == "refused"


@pytest.mark.parametrize("path", ["/v1/awards", "/v1/achievements"])
def test_hostile_json_is_refused_where_awards_are_made(api: Api, path: str) -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    for body in (b'{"a": 1, "a": 1}', deep, b'{"a": NaN}', b'{"a": "\\ud800"}', b"", b"\xff", b"{}" * 2):
        response = api.issuer.post(path, content=body, headers=JSON)
        assert response.status_code in (400, 422), response.text
    large = api.issuer.post(path, content=b" " * (33 << 20), headers=JSON)
    assert large.status_code == 413, large.text


@pytest.mark.parametrize(
    "image",
    [
        "data:image/svg+xml;base64,PHN2Zz48c2NyaXB0Lz48L3N2Zz4=",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,<script>",
        "//x.example/a.png",
        "https://x.example/\n",
    ],
)
def test_achievement_with_a_hostile_image_is_refused(api: Api, image: str) -> None:
    body = {"name": "A", "description": "B", "criteria": {"narrative": "C"}, "image": image}
    problem(api.issuer.post("/v1/achievements", json=body), 422, "validation")


# --- pictures -----------------------------------------------------------------------------------------------


def itxt(text: bytes, keyword: bytes = b"openbadgecredential", flags: bytes = b"\0\0") -> bytes:
    return chunk_bytes(b"iTXt", keyword + b"\0" + flags + b"\0\0" + text)


def pngs(text: bytes) -> dict[str, bytes]:
    head, rest = PNG[:33], PNG[33:]
    bomb = zlib.compress(bytes(1 << 26), 9)
    wrong = bytearray(bake_png(PNG, text))
    wrong[60] ^= 1
    huge = struct.pack(">I", 0x7FFFFFFF) + b"iTXt"
    return {
        "two credentials": head + itxt(text) + itxt(text) + rest,
        "two standards": head + itxt(text) + itxt(text, b"openbadges") + rest,
        "compressed": head + itxt(zlib.compress(text), flags=b"\1\0") + rest,
        "compressed bomb": head + itxt(bomb, flags=b"\1\0") + rest,
        "zTXt bomb": head + chunk_bytes(b"zTXt", b"openbadgecredential\0\0" + bomb) + rest,
        "tEXt": head + chunk_bytes(b"tEXt", b"openbadgecredential\0" + text) + rest,
        "wrong check sum": bytes(wrong),
        "a length that is a lie": head + huge + rest,
        "behind the end": PNG + itxt(text),
        "before the header": PNG[:8] + itxt(text) + PNG[8:],
        "30,000 chunks": head + chunk_bytes(b"tEXt", b"a\0b") * 30_000 + rest,
        "cut off": bake_png(PNG, text)[:-20],
        "only a signature": PNG[:8],
        "nothing inside": PNG,
        "an address inside": head + itxt(b"http://169.254.169.254/", b"openbadges") + rest,
        "nonsense inside": head + itxt(b"nonsense") + rest,
        "an image inside": head + itxt(PNG) + rest,
        "empty inside": head + itxt(b"") + rest,
    }


@pytest.mark.parametrize("name", pngs(b"{}"))
def test_png_that_is_not_as_it_should_be_is_not_valid(api: Api, text: bytes, name: str) -> None:
    assert upload(api, pngs(text)[name]) in ("refused", "invalid", "indeterminate")


def svgs(text: str) -> dict[str, str]:
    root = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:b="https://purl.imsglobal.org/ob/v3p0">'
    inside = f"<b:credential><![CDATA[{text}]]></b:credential>"
    lols = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return {
        "two credentials": f"{root}{inside}{inside}</svg>",
        "one further down": f"{root}<g>{inside}</g></svg>",
        "external entity": f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>{root}{inside}&x;</svg>',
        "external DTD": f'<!DOCTYPE svg SYSTEM "http://127.0.0.1/x.dtd">{root}{inside}</svg>',
        "a billion laughs": f'<!DOCTYPE svg [<!ENTITY l0 "lol">{lols}]>{root}&l9;{inside}</svg>',
        "elements inside": f"{root}<b:credential><g/>{text.replace('<', '')}</b:credential></svg>",
        "empty": f"{root}<b:credential/></svg>",
        "not closed": f"{root}{inside}",
        "another root": f"<html>{inside}</html>",
        "deep": root + "<g>" * 50_000 + "</g>" * 50_000 + "</svg>",
        "many attributes": root[:-1] + "".join(f' a{n}=""' for n in range(100_000)) + "/>",
        "other encoding": f'<?xml version="1.0" encoding="utf-16"?>{root}{inside}</svg>',
        "an address": f'{root}<b:credential verify="http://169.254.169.254/"/></svg>',
        "inclusion": f'{root}<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/passwd"/></svg>',
    }


@pytest.mark.parametrize("name", svgs("{}"))
def test_svg_that_is_not_as_it_should_be_is_not_valid(api: Api, text: bytes, name: str) -> None:
    assert upload(api, svgs(text.decode())[name].encode()) in ("refused", "invalid", "indeterminate")


def test_script_in_an_svg_is_not_run_and_never_comes_back(api: Api, text: bytes) -> None:
    baked = bake_svg(SVG, text).replace(b"</svg>", b"<script>alert(1)</script></svg>")
    response = api.public.post("/v1/verify", files={"file": ("a.svg", baked)}, data={"issuer": DID})
    assert response.status_code in (200, 422)
    assert b"alert" not in response.content


def archive(text: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("../badge.json", text)
    return file.getvalue()


def test_files_of_other_kinds_are_refused(api: Api, text: bytes) -> None:
    for data in (
        b"",
        b" ",
        b"%PDF-1.7\n" + text,
        archive(text),
        gzip.compress(text),
        b"GIF89a" + text,
        b"\xff\xd8\xff" + text,
        b"\x7fELF",
        b"[" + text + b"]",
        b"nonsense",
        b"7",
        b"\0" * 1000,
        bytes(range(256)),
    ):
        assert upload(api, data) == "refused", data[:20]


def test_address_alone_is_not_fetched(api: Api) -> None:
    assert upload(api, b"http://169.254.169.254/latest/meta-data/") == "indeterminate"


# --- forms --------------------------------------------------------------------------------------------------


def form(*parts: bytes, boundary: str = "x") -> tuple[bytes, dict[str, str]]:
    ends = b"--" + boundary.encode()
    body = b"".join(ends + b"\r\n" + part + b"\r\n" for part in parts) + ends + b"--\r\n"
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def part(name: str, data: bytes, more: str = '; filename="a.json"') -> bytes:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + data


def forms(text: bytes) -> dict[str, tuple[bytes, dict[str, str]]]:
    body, head = form(part("file", text))
    nested = b'Content-Disposition: form-data; name="file"; filename="a"\r\n'
    nested += b"Content-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\n" + text + b"\r\n--y--"
    return {
        "no boundary": (body, {"Content-Type": "multipart/form-data"}),
        "empty boundary": (body, {"Content-Type": "multipart/form-data; boundary="}),
        "another boundary": (body, {"Content-Type": "multipart/form-data; boundary=y"}),
        "a huge boundary": (body, {"Content-Type": "multipart/form-data; boundary=" + "y" * 5_000}),
        "no parts": form(),
        "no files": form(part("issuer", b"x", "")),
        "two files": form(part("file", text), part("file", text)),
        "thousands of fields": form(*[part(f"f{n}", b"x", "") for n in range(5_000)]),
        "thousands of files": form(*[part(f"f{n}", b"x") for n in range(5_000)]),
        "a large field": form(part("issuer", b"x" * 100_000, ""), part("file", text)),
        "a field twice": form(part("issuer", b"a", ""), part("issuer", b"b", ""), part("file", text)),
        "a field of another name": form(part("documents", b"{}", ""), part("file", text)),
        "a part without a name": form(b"Content-Disposition: form-data\r\n\r\nx", part("file", text)),
        "a part without a head": form(b"\r\nx", part("file", text)),
        "a part with a large head": form(b"X: " + b"y" * 100_000 + b"\r\n\r\nx", part("file", text)),
        "nested": form(nested),
        "cut off": (body[:-20], head),
        "not UTF-8": form(b'Content-Disposition: form-data; name="\xff"\r\n\r\n\xff', part("file", text)),
        "empty": (b"", head),
        "empty file": form(part("file", b"")),
    }


@pytest.mark.parametrize("name", forms(b"{}"))
def test_form_that_is_not_as_it_should_be_is_refused(api: Api, text: bytes, name: str) -> None:
    body, head = forms(text)[name]
    response = api.public.post("/v1/verify", content=body, headers=head)
    assert response.status_code in (400, 413, 415, 422), response.text
    assert "issuer" not in response.json()


def test_form_with_a_path_for_a_file_name_is_only_read(api: Api, text: bytes) -> None:
    body, head = form(part("file", text, '; filename="../../../etc/passwd"'))
    assert api.public.post("/v1/verify", content=body, headers=head).json()["outcome"] == "indeterminate"
