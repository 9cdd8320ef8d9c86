"""Posting: where nothing is ever sent, and what of an answer is told. Served on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from registry.errors import ValidationError
from registry.net.addresses import is_loopback, is_public, is_single
from registry.net.posting import Posting

BODY = b'{"type":"webhook.test"}'


@contextmanager
def receiver(answer: bytes, pause: threading.Event | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """Answers each connection with bytes; its port, and what came."""
    came: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    got = b""
                    while BODY not in got and (part := connection.recv(4096)):
                        got += part
                    came.append(got)
                    if pause is not None:
                        pause.wait(10)
                    connection.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
        yield listening.getsockname()[1], came
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "https://localhost/",
        "https://here.localhost/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fe80::1]/",
        "https://2130706433/",
        "https://user:pass@hooks.example/",
        "https://hooks.example/#part",
        "https://hooks.example/a b",
        "https://",
        "https://hooks.example:99999/",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "https://hooks.example/" + "x" * 2_048,
        "https://höoks.example/",
    ],
)
def test_address_that_nothing_is_sent_to_is_refused_when_it_is_given_and_when_it_is_used(url: str) -> None:
    posting = Posting([], resolve=lambda *_: pytest.fail("looked up"))
    with pytest.raises(ValidationError) as caught:
        posting.check(url)
    assert caught.value.faults[0].pointer == "/url"
    posted = posting.post(url, {}, BODY)
    assert posted.status is None
    assert posted.trouble


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "::1", "fd00::1", "64:ff9b::a00:1"]
)
def test_name_that_leads_to_a_private_address_is_not_connected_to(address: str) -> None:
    posting = Posting([], resolve=lambda *_: ["8.8.8.8", address])
    posting.check("https://hooks.example/")
    posted = posting.post("https://hooks.example/", {}, BODY)
    assert posted.status is None
    assert "not public" in posted.trouble


def test_name_without_address_is_told_as_such() -> None:
    def nobody(*_: object) -> list[str]:
        raise OSError("unknown")

    posted = Posting([], resolve=nobody).post("https://hooks.example/", {}, BODY)
    assert "cannot be looked up" in posted.trouble


def test_listed_host_gets_the_body_and_headers_once() -> None:
    with receiver(b"HTTP/1.1 204 No Content\r\n\r\n") as (port, came):
        posted = Posting([f"localhost:{port}"]).post(
            f"http://localhost:{port}/hook?token=x", {"webhook-id": "msg_1"}, BODY
        )
    assert posted.status == 204
    assert len(came) == 1
    head, _, body = came[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?token=x HTTP/1.1")
    assert b"webhook-id: msg_1" in head
    assert body == BODY


def test_listed_port_opens_no_other_port() -> None:
    with pytest.raises(ValidationError):
        Posting(["localhost:8443"]).check("http://localhost:8444/")


def test_redirect_is_an_answer_and_is_not_followed() -> None:
    with receiver(b"HTTP/1.1 302 Found\r\nLocation: http://localhost:1/\r\n\r\n") as (port, came):
        posted = Posting([f"localhost:{port}"]).post(f"http://localhost:{port}/", {}, BODY)
    assert posted.status == 302
    assert len(came) == 1


@pytest.mark.parametrize(
    ("value", "seconds"), [("120", 120), ("Fri, 27 Nov 2026 00:00:00 GMT", None), ("-1", None)]
)
def test_retry_after_is_read_in_seconds_alone(value: str, seconds: int | None) -> None:
    answer = f"HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n".encode()
    with receiver(answer) as (port, _):
        posted = Posting([f"localhost:{port}"]).post(f"http://localhost:{port}/", {}, BODY)
    assert (posted.status, posted.retry_after_seconds) == (503, seconds)


def test_receiver_that_does_not_answer_costs_no_more_than_the_bound() -> None:
    pause = threading.Event()
    with receiver(b"", pause) as (port, _):
        posted = Posting([f"localhost:{port}"], seconds=0.3).post(f"http://localhost:{port}/", {}, BODY)
        pause.set()
    assert posted.trouble == "the address took too long"


def test_what_speaks_no_http_is_told_as_such() -> None:
    with receiver(b"SSH-2.0-OpenSSH\r\n") as (port, _):
        posted = Posting([f"localhost:{port}"]).post(f"http://localhost:{port}/", {}, BODY)
    assert "does not speak HTTP" in posted.trouble


@pytest.mark.parametrize(
    ("test", "yes", "no"),
    [
        (is_public, ["8.8.8.8", "2001:4860:4860::8888"], ["10.0.0.1", "224.0.0.1", "fe80::1%eth0", "x"]),
        (is_loopback, ["127.0.0.9", "::1"], ["8.8.8.8"]),
        (is_single, ["10.0.0.1"], ["224.0.0.1", "0.0.0.0"]),
    ],
)
def test_addresses_are_told_apart(test: Callable[[str], bool], yes: list[str], no: list[str]) -> None:
    assert all(test(address) for address in yes)
    assert not any(test(address) for address in no)
