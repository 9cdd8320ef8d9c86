"""Hostile input over HTTP: each is refused with a place, none is a 500, none changes what was meant."""

from __future__ import annotations

import errno
import gzip
import json
import logging
import socket
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from api import body as body_module
from api.exports import csv_cell, csv_text
from tests.api.conftest import Api, new_digest
from tests.api.support import JSON, NDJSON, captured_records, pointers, problem, raw_request

DIGEST = "0x" + "6b" * 32
MIB = 1024 * 1024


def _doc(member: str) -> bytes:
    return f'{{"digest": "{DIGEST}", {member}}}'.encode()


MALFORMED = {
    "duplicate-key": _doc('"live": true, "live": false'),
    "duplicate-key-escaped": _doc('"live": true, "l\\u0069ve": false'),
    "duplicate-key-deep": _doc('"credential": {"a": {"b": 1, "b": 2}}'),
    "not-a-number-nan": _doc('"as_of": NaN'),
    "not-a-number-infinity": _doc('"as_of": Infinity'),
    "not-a-number-minus-infinity": _doc('"as_of": -Infinity'),
    "number-range-1e400": _doc('"as_of": 1e400'),
    "number-range-2-53": _doc('"as_of": 9007199254740992'),
    "number-range-2-53-float": _doc('"as_of": 9007199254740992.0'),
    "number-range-2-53-exponent": _doc('"as_of": 9007199254740992e0'),
    "number-range-2-53-fraction": _doc('"as_of": 0.9007199254740992e16'),
    "number-range-2-53-and-a-bit": _doc('"as_of": 9007199254740991.5'),
    "number-range-negative": _doc('"as_of": -9007199254740992'),
    "number-range-many-digits": _doc('"as_of": ' + "9" * 5000),
    "number-range-denormal": _doc('"as_of": 1e-400'),
    "surrogate-high": _doc('"credential": {"a": "\\ud800"}'),
    "surrogate-low": _doc('"credential": {"a": "\\udc00 "}'),
    "surrogate-swapped": _doc('"credential": {"a": "\\udc00\\ud800"}'),
    "surrogate-in-key": _doc('"credential": {"\\ud800": 1}'),
    "encoding-surrogate-raw": _doc('"credential": {"a": "X"}').replace(b"X", b"\xed\xa0\x80"),
    "encoding-latin-1": _doc('"credential": {"a": "X"}').replace(b"X", b"\xe9"),
    "encoding-overlong": _doc('"credential": {"a": "X"}').replace(b"X", b"\xc0\x80"),
    "encoding-utf-16": _doc('"live": true').decode().encode("utf-16"),
    "encoding-utf-16-le": _doc('"live": true').decode().encode("utf-16-le"),
    "encoding-utf-32": _doc('"live": true').decode().encode("utf-32"),
    "encoding-bom": b"\xef\xbb\xbf" + _doc('"live": true'),
    "nul-escaped": _doc('"credential": {"a": "\\u0000"}'),
    "nul-raw": _doc('"credential": {"a": "X"}').replace(b"X", b"\x00"),
    "depth-33": _doc('"credential": {"a": ' + "[" * 31 + "]" * 31 + "}"),
    "depth-900": _doc('"credential": {"a": ' + "[" * 900 + "]" * 900 + "}"),
    "depth-100000": b"[" * 100_000,
    "trailing": _doc('"live": true') + b"{}",
    "truncated": _doc('"live": true')[:-1],
    "empty": b"",
    "comment": b"{/**/}",
    "single-quotes": b"{'digest': 1}",
    "control-character": _doc('"credential": {"a": "X"}').replace(b"X", b"\x01"),
    "leading-zero": _doc('"as_of": 01'),
    "plus-sign": _doc('"as_of": +1'),
    "hex-number": _doc('"as_of": 0x10'),
}
JSON_ROUTES = ("/v1/verify", "/v1/verify/bulk", "/v1/batches", "/v1/credentials", "/v1/revocations")


@pytest.mark.parametrize("case", MALFORMED)
def test_body_that_is_not_strict_json_is_a_400_that_says_where(api: Api, case: str) -> None:
    for path in JSON_ROUTES:
        response = api.issuer.post(path, content=MALFORMED[case], headers=JSON)
        found = problem(response, 400, "malformed-json")
        assert len(found["errors"]) == 1


def test_depth_32_is_taken(api: Api) -> None:
    deep = {"id": "urn:uuid:3f2b7cbd-ff87-4b3c-a1a4-7ea1e8c0a1b2", "a": json.loads("[" * 30 + "]" * 30)}
    assert api.public.post("/v1/verify", json={"credential": deep}).status_code == 200


@pytest.mark.parametrize("case", MALFORMED)
def test_bad_line_is_named_whatever_is_wrong_with_it(api: Api, case: str) -> None:
    if b"\n" in MALFORMED[case] or not MALFORMED[case]:
        return
    body = f'"{new_digest()}"\n'.encode() + MALFORMED[case] + b"\n"
    response = api.issuer.post("/v1/batches", content=body, headers=NDJSON)
    found = problem(response, 422, "validation")
    assert found["errors"][0]["line"] == 2


NUL = "a\u0000b"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/v1/batches", {"digests": [{"digest": DIGEST, "external_id": NUL}]}),
        ("/v1/credentials", {"digest": DIGEST, "external_id": NUL}),
        ("/v1/revocations", {"digests": [DIGEST], "note": NUL}),
        ("/v1/issuers", {"name": NUL, "url": "https://x.example"}),
        ("/v1/issuers/{issuer}/api-keys", {"label": NUL, "scopes": ["read"]}),
    ],
)
def test_nul_in_any_text_is_refused(api: Api, path: str, value: Any) -> None:
    client = api.admin if path == "/v1/issuers" else api.issuer
    response = client.post(path.format(issuer=api.address), json=value)
    problem(response, 400, "malformed-json")


@pytest.mark.parametrize(
    "name", ["two\nlines", " padded ", "\u2028", "bell\u0007", "\u0085", "", "x" * 201, 7, None]
)
def test_name_that_would_not_be_kept_as_it_is_is_refused(api: Api, name: Any) -> None:
    response = api.admin.post("/v1/issuers", json={"name": name, "url": "https://x.example"})
    assert pointers(problem(response, 422, "validation")) == ["/name"]
    label = {"label": name, "scopes": ["read"]}
    response = api.issuer.post(f"/v1/issuers/{api.address}/api-keys", json=label)
    assert pointers(problem(response, 422, "validation")) == ["/label"]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "//x",
        "https://",
        "https://u:p@x.example",
        "https://x.example/\r\nA: b",
        "x" * 3000,
        5,
        "http://[::1",
        "https://x.example:99999/",
        "file:///etc/passwd",
    ],
)
def test_url_of_another_kind_is_refused(api: Api, url: Any) -> None:
    response = api.admin.post("/v1/issuers", json={"name": "X", "url": url})
    assert pointers(problem(response, 422, "validation")) == ["/url"]


def test_wrong_checksum_of_an_address_is_refused_everywhere(api: Api) -> None:
    wrong = api.address.swapcase().replace("0X", "0x")
    assert wrong.lower() == api.address.lower()
    for response in (
        api.public.get(f"/v1/issuers/{wrong}"),
        api.public.get(f"/v1/issuers/{wrong}/keys"),
        api.public.get(f"/v1/batches?issuer={wrong}"),
        api.public.get(f"/v1/verify/{DIGEST}?issuer={wrong}"),
        api.public.post("/v1/verify", json={"digest": DIGEST, "issuer": wrong}),
        api.public.get(f"/v1/audit/issuers/{wrong}"),
        api.issuer.get(f"/v1/issuers/{wrong}/api-keys"),
        api.admin.post("/v1/issuers", json={"name": "X", "url": "https://x.example", "admin": wrong}),
    ):
        problem(response, 422, "validation")
    for right in (api.address, api.address.lower(), "0x" + api.address[2:].upper()):
        assert api.public.get(f"/v1/issuers/{right}").status_code == 200


def test_digest_of_any_case_is_the_same_and_comes_out_in_lower_case(api: Api) -> None:
    digest = "0x" + "aB" * 32
    report = api.public.post("/v1/verify", json={"digest": digest}).json()
    assert report["digest"] == digest.lower()


BAD_DIGESTS = ["", "0x", "0X" + "ab" * 32, "ab" * 32, "0x" + "ab" * 31, "0x" + "ab" * 33, "0x" + "zz" * 32]
BAD_DIGESTS += ["0x" + " ab" * 21 + "a", "0x" + "ab" * 31 + "a\n", "0x" + "\uff11" * 64]


@pytest.mark.parametrize("digest", [*BAD_DIGESTS, 7, None, True, [], {}, 1.5])
def test_digest_of_wrong_form_is_refused_with_its_pointer(api: Api, digest: Any) -> None:
    response = api.public.post("/v1/verify", json={"digest": digest, "credential": None})
    assert response.status_code == 422
    if digest is not None:
        assert pointers(problem(response, 422, "validation")) == ["/digest"]
    for path in ("/v1/revocations", "/v1/batches"):
        response = api.issuer.post(path, json={"digests": [DIGEST, digest]})
        assert "/digests/1" in pointers(problem(response, 422, "validation"))[0]


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/batches?limit={'9' * 5000}",
        "/v1/batches?limit=-1",
        "/v1/batches?limit=0",
        "/v1/batches?limit=501",
        "/v1/batches?limit=1e2",
        "/v1/batches?limit=%D9%A1",
        "/v1/batches?limit=",
        "/v1/batches?limit=5&limit=5",
        "/v1/batches?cursor=x",
        f"/v1/batches?cursor={2**64}",
        "/v1/batches?state=receiving",
        "/v1/batches?state=nope",
        "/v1/batches?issuer=0x12",
        "/v1/batches?unknown=1",
        "/v1/batches?state=%00",
        "/v1/batches?%00=1",
        "/v1/batches?state=%ff",
        "/v1/batches?" + "&".join(f"a{i}=1" for i in range(1000)),
        "/v1/issuers?cursor=zz",
        "/v1/revocations?cursor=zz",
        "/v1/revocations?cursor=" + "9" * 30,
        "/v1/revocations?as_of=-1",
        "/v1/revocations?as_of=99999999999",
        "/v1/revocations?as_of=" + "9" * 40,
        "/v1/revocations?as_of=9999-12-31T23:59:59-23:59",
        "/v1/revocations?since=2026",
        "/v1/revocations?since=0001-01-01T00:00:00%2B23:59",
        "/v1/revocations?reason=nope",
        "/v1/revocations?kind=nope",
        "/v1/audit/events?kind=nope",
        f"/v1/verify/{DIGEST}?as_of=",
        f"/v1/verify/{DIGEST}?live=1",
        f"/v1/verify/{DIGEST}?as_of=999999999999999999",
        f"/v1/verify/{DIGEST}?as_of=9999-12-31T23:59:59Z",
        f"/v1/verify/{DIGEST}?as_of=0001-01-01T00:00:00Z",
        f"/v1/verify/{DIGEST}?as_of=1970-01-01T00:00:00Z",
        "/v1/revocations?as_of=0001-01-01T00:00:00Z",
        f"/v1/credentials/{DIGEST}/proof?issuer=x",
        f"/v1/credentials/{DIGEST}?issuer=x",
        "/v1/registry?x=1",
        "/v1/audit/consistency?x=1",
        "/v1/verify/0x12",
        f"/v1/verify/{DIGEST}%00",
        f"/v1/verify/{DIGEST}%0a",
        "/v1/verify/%ff",
        "/v1/verify/" + "a" * 20_000,
        "/v1/issuers/%00",
        "/v1/audit/issuers/0x",
    ],
)
def test_query_or_path_of_wrong_form_is_refused(api: Api, path: str) -> None:
    found = problem(api.public.get(path), 422, "validation")
    assert found["errors"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/revocations?since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z",
        "/v1/revocations?since=0001-01-01T00:00:00.1Z&until=9999-12-31T23:59:59.999999Z",
        "/v1/revocations?as_of=0",
        f"/v1/verify/{DIGEST}?as_of=0",
        "/v1/audit/events?since=0001-01-01T00:00:00Z",
    ],
)
def test_extreme_times_are_answered(api: Api, path: str) -> None:
    assert api.public.get(path).status_code == 200, api.public.get(path).text


@pytest.mark.parametrize(
    "path", ["/v1/batches/%00", "/v1/batches/%ff", "/v1/batches/" + "a" * 20_000, "/%00", "/v1/../x"]
)
def test_odd_names_are_not_found(api: Api, path: str) -> None:
    parts = urlsplit(api.url)
    text = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
    status, _ = raw_request(api.url, text)
    assert status in (404, 422)


@pytest.mark.parametrize(
    "host", ["[::1", "x y", 'a">', "a\tb", "x" * 5000, "exa\xe9mple", ":", "", "a:99999999"]
)
def test_odd_host_reaches_no_link(api: Api, host: str) -> None:
    api.register("One more")
    text = f"GET /v1/issuers?limit=1 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    status, answer = raw_request(api.url, text.encode("latin-1"))
    assert status in (200, 400), answer
    if status == 200:
        links = [line for line in answer.split(b"\r\n") if line.lower().startswith(b"link:")]
        assert len(links) == 1
        assert b"</v1/issuers?" in links[0] or len(host) == 5000


def test_header_cannot_be_injected_through_a_cursor(api: Api) -> None:
    response = api.public.get("/v1/batches?limit=1&state=final%0d%0aX-Evil:%201")
    problem(response, 422, "validation")
    assert "x-evil" not in response.headers


# --- sizes --------------------------------------------------------------------------------------------------


def _chunked(size: int, part: bytes = b" " * 65536) -> Iterator[bytes]:
    for _ in range(size // len(part)):
        yield part


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/v1/verify", MIB), ("/v1/credentials", MIB), ("/v1/verify/bulk", 32 * MIB), ("/v1/batches", 32 * MIB)],
)
def test_body_over_the_limit_is_refused_declared_or_chunked(api: Api, path: str, limit: int) -> None:
    parts = urlsplit(api.url)
    head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
    head += f"Authorization: {api.issuer.headers['authorization']}\r\nConnection: close\r\n"
    status, answer = raw_request(api.url, f"{head}Content-Length: {limit + 1}\r\n\r\n".encode())
    assert (status, b"/problems/too-large" in answer) == (413, True)
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    body = chunk * (limit // 65536 + 1) + b"0\r\n\r\n"
    status, answer = raw_request(api.url, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + body)
    assert status in (0, 413)  # 0: the connection was ended before all of it was sent


def test_large_body_within_the_limit_is_read(api: Api) -> None:
    body = json.dumps({"digests": ["0x12"] * 20}).encode() + b" " * (5 * MIB)
    found = problem(api.issuer.post("/v1/batches", content=body, headers=JSON), 422, "validation")
    assert len(found["errors"]) == 20


def test_line_over_its_limit_is_named(api: Api) -> None:
    lines = [f'"{new_digest()}"'.encode(), b'"' + b"a" * MIB + b'"', b""]
    response = api.issuer.post("/v1/batches", content=b"\n".join(lines), headers=NDJSON)
    assert problem(response, 413, "too-large")["errors"][0]["line"] == 2


def test_too_many_lines_are_refused_and_nothing_is_sealed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "NDJSON_LINES", 3)
    digests = [new_digest() for _ in range(4)]
    response = api.issuer.post(
        "/v1/batches", content="\n".join(f'"{digest}"' for digest in digests), headers=NDJSON
    )
    assert problem(response, 413, "too-large")["errors"][0]["line"] == 4
    problem(api.public.get(f"/v1/credentials/{digests[0]}"), 404, "not-found")


def test_stream_over_its_limit_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "NDJSON_BODY_BYTES", 1000)
    response = api.issuer.post("/v1/batches", content="\n" * 1001, headers=NDJSON)
    problem(response, 413, "too-large")


def test_lists_over_their_limits_are_refused(api: Api) -> None:
    items = [{"digest": DIGEST}] * 1001
    problem(api.public.post("/v1/verify/bulk", json={"items": items}), 422, "validation")
    problem(api.public.post("/v1/verify/bulk", json={"items": []}), 422, "validation")
    problem(api.issuer.post("/v1/revocations", json={"digests": []}), 422, "validation")
    many = "&".join(f"external_id=e{i}" for i in range(101))
    problem(api.issuer.get(f"/v1/credentials?{many}"), 422, "validation")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 40_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 8 * MIB,
    ],
    ids=["path", "header", "headers", "unfinished"],
)
def test_endless_head_is_refused_before_it_ends(api: Api, head: bytes) -> None:
    status, _ = raw_request(api.url, head)
    assert status in (0, 400)  # 0: the connection was ended while it was still being sent
    assert api.public.get("/health/live").status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        b"GET /v1/registry HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"GET /v1/r\xe9gistry HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /v1/registry\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_what_is_no_http_is_a_400(api: Api, text: bytes) -> None:
    status, _ = raw_request(api.url, text + b"\r\n\r\n")
    assert status == 400


# --- media types --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-8; charset=utf-16",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json, text/plain",
    ],
)
def test_other_media_types_are_refused(api: Api, kind: str) -> None:
    for path in JSON_ROUTES:
        response = api.issuer.post(path, content=b"{}", headers={"Content-Type": kind})
        problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON", 'application/json; charset="UTF-8"']
)
def test_json_under_any_of_its_names_is_read(api: Api, kind: str) -> None:
    body = json.dumps({"digest": DIGEST}).encode()
    assert api.public.post("/v1/verify", content=body, headers={"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
def test_compressed_body_is_refused_unread(api: Api, encoding: str) -> None:
    body = gzip.compress(json.dumps({"digest": DIGEST}).encode())
    for media in (JSON, NDJSON):
        response = api.issuer.post(
            "/v1/batches", content=body, headers={**media, "Content-Encoding": encoding}
        )
        problem(response, 415, "unsupported-media-type")


# --- what errors say ----------------------------------------------------------------------------------------


def test_at_most_20_errors_and_none_echoes_what_was_sent(api: Api) -> None:
    secret = "S3cr3tValue"
    body = {"digests": [f"0x{secret}{i}" for i in range(100)]}
    for path in ("/v1/batches", "/v1/revocations"):
        response = api.issuer.post(path, json=body)
        assert len(problem(response, 422, "validation")["errors"]) == 20
        assert secret not in response.text
    for send in (
        lambda: api.public.post("/v1/verify", json={"digest": secret}),
        lambda: api.public.post("/v1/verify", json={"digest": DIGEST, "as_of": secret}),
        lambda: api.public.post("/v1/verify", content=secret, headers=JSON),
        lambda: api.public.post("/v1/verify", json={"digest": DIGEST, "proof": {"type": secret}}),
        lambda: api.public.get(f"/v1/verify/{secret}"),
        lambda: api.public.get(f"/v1/batches?state={secret}"),
        lambda: api.public.get(f"/v1/batches/{secret}"),
        lambda: api.issuer.post("/v1/credentials", json={"digest": DIGEST, "digest_method": secret}),
        lambda: api.issuer.post("/v1/revocations", json={"digests": [DIGEST], "reason": secret}),
        lambda: api.admin.post("/v1/issuers", json={"name": "X", "url": secret}),
    ):
        response = send()
        assert 400 <= response.status_code < 500
        assert secret not in response.text


@pytest.mark.parametrize("method", ["sha256", "rdfc", "", 7, None, "Opaque"])
def test_unknown_digest_method_is_refused(api: Api, method: Any) -> None:
    body = {"digests": [new_digest()], "digest_method": method}
    assert pointers(problem(api.issuer.post("/v1/batches", json=body), 422, "validation")) == [
        "/digest_method"
    ]


def test_what_belongs_to_a_digest_is_refused_beside_a_credential(api: Api) -> None:
    credential = {"id": "urn:uuid:0e2b7cbd-ff87-4b3c-a1a4-7ea1e8c0a1b2"}
    body = {"credential": credential, "valid_until": "2030-01-01T00:00:00Z", "digest_method": "opaque"}
    found = problem(api.issuer.post("/v1/credentials", json=body), 422, "validation")
    assert pointers(found) == ["/digest_method", "/valid_until"]


@pytest.mark.parametrize("body", [[], 7, "x", None, True, {}, {"digest": DIGEST, "extra": 1}, {"proof": {}}])
def test_body_of_another_shape_is_refused(api: Api, body: Any) -> None:
    for path in ("/v1/verify", "/v1/credentials"):
        response = api.issuer.post(path, content=json.dumps(body), headers=JSON)
        problem(response, 422, "validation")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", '=HYPERLINK("x")']
)
def test_csv_cell_that_starts_a_formula_is_quoted(text: str) -> None:
    assert csv_cell(text) == "'" + text
    assert csv_text(("a",), [{"a": text}]).startswith(b"a\r\n")


def test_label_that_is_a_formula_is_quoted_in_the_export(api: Api) -> None:
    made = api.issuer.post(
        f"/v1/issuers/{api.address}/api-keys", json={"label": '=cmd|"/C calc"!A1', "scopes": ["status"]}
    ).json()
    digest = new_digest()
    api.final_batch([digest])
    api.final_request(api.client(made["api_key"]).post("/v1/revocations", json={"digests": [digest]}).json())
    text = api.issuer.get(f"/v1/revocations?issuer={api.address}", headers={"Accept": "text/csv"}).text
    assert '"\'=cmd|""/C calc""!A1"' in text
    assert ",=cmd" not in text
    assert ',"=cmd' not in text


# --- nothing acknowledged that is not kept ------------------------------------------------------------------


def test_full_disk_while_a_stream_arrives_is_a_503_and_nothing_is_issued(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    digest = new_digest()
    monkeypatch.setattr(body_module.SpooledTemporaryFile, "writelines", full)
    response = api.issuer.post("/v1/batches", content=f'"{digest}"', headers=NDJSON)
    assert "retry-after" in response.headers
    problem(response, 503, "unavailable")
    problem(api.public.get(f"/v1/credentials/{digest}"), 404, "not-found")


def test_full_database_is_a_503_and_nothing_is_issued(api: Api) -> None:
    digests = [new_digest() for _ in range(2000)]
    engine = api.app.store._engines.write  # type: ignore[attr-defined]

    def limit(pages: int) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    limit(1)  # as many as there are now
    try:
        response = api.issuer.post(
            "/v1/batches", json={"digests": digests}, headers={"Idempotency-Key": digests[0]}
        )
        problem(response, 503, "unavailable")
    finally:
        limit(2**31)
    problem(api.public.get(f"/v1/credentials/{digests[0]}"), 404, "not-found")
    again = api.issuer.post("/v1/batches", json={"digests": digests}, headers={"Idempotency-Key": digests[0]})
    assert again.status_code == 202, again.text


@pytest.mark.slow
def test_locked_database_is_a_503_and_nothing_is_issued(api: Api) -> None:
    digest = new_digest()
    locked = threading.Event()
    connection = sqlite3.connect(api.app.settings.data_dir / "rootmark.db", check_same_thread=False)
    try:
        connection.execute("BEGIN IMMEDIATE")
        locked.set()
        response = api.issuer.post("/v1/batches", json={"digests": [digest]})
        problem(response, 503, "unavailable")
        problem(api.public.get(f"/v1/credentials/{digest}"), 404, "not-found")
        assert api.public.get("/health/live").status_code == 200
    finally:
        connection.rollback()
        connection.close()
    assert api.issuer.post("/v1/batches", json={"digests": [digest]}).status_code == 202


def test_client_that_goes_away_midway_issues_nothing(api: Api) -> None:
    digest = new_digest()
    parts = urlsplit(api.url)
    head = f"POST /v1/batches HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/x-ndjson\r\n"
    head += f"Authorization: {api.issuer.headers['authorization']}\r\nContent-Length: 100000\r\n\r\n"
    with captured_records() as records:
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
            connection.sendall(head.encode() + f'"{digest}"\n'.encode())
        while not [record for record in records if getattr(record, "status", 0) == 499]:
            pass
    assert not [record for record in records if record.levelno >= logging.ERROR]
    problem(api.public.get(f"/v1/credentials/{digest}"), 404, "not-found")
