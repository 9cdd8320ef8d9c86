"""Fetching: from allowed hosts alone, at checked addresses, within bounds. Served on loopback."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from registry.credentials.fetching import KEPT_FAILURES_SECONDS, KEPT_SECONDS, AllowedHosts
from registry.credentials.own_documents import MAX_DOCUMENT_BYTES
from registry.errors import UnavailableSourceError

Answer = Callable[[socket.socket, str], None]


@dataclass
class Server:
    """Answers one request a connection; ``requests`` are the heads that came, and ``port`` is its own."""

    port: int
    answer: Answer
    requests: list[str] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/doc.json", host: str = "localhost") -> str:
        return f"http://{host}:{self.port}{path}"


def response(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def sending(data: bytes) -> Answer:
    return lambda connection, _: connection.sendall(data)


def _serve(server: Server, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
    try:
        with connection if tls is None else tls.wrap_socket(connection, server_side=True) as talking:
            head = b""
            while b"\r\n\r\n" not in head and (part := talking.recv(4096)):
                head += part
            server.requests.append(head.decode("latin-1"))
            server.answer(talking, head.split(b" ")[1].decode() if b" " in head else "")
    except OSError:
        pass  # the client has gone, or does not trust the certificate


@contextmanager
def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(listening.getsockname()[1], answer)

        def run() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                server.connections += 1
                with connection:
                    _serve(server, connection, tls)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    assert not thread.is_alive()


def certificate(name: str, directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For a server of that name, and for a client that trusts its certificate alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = directory / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))


class Names:
    """A resolver with given answers; counts what it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def refused(source: AllowedHosts, url: str) -> str:
    with pytest.raises(UnavailableSourceError) as caught:
        source.get(url)
    return str(caught.value)


# --- what is not even looked up -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/doc",
        "https://allowed.example.evil.example/doc",
        "https://sub.allowed.example/doc",
        "https://allowed.example:8443/doc",
        "http://allowed.example/doc",
        "http://allowed.example:443/doc",
        "https://user@allowed.example/doc",
        "https://allowed.example@evil.example/doc",
        "https://allowed.example\\@evil.example/doc",
        "https://allowed.example#@evil.example/doc",
        "https://allowed.example/doc#part",
        "https://allowed.example /doc",
        "https://allowed.example/do\nc",
        "https://allowed.ex\u0430mple/doc",
        "https://[::1]/doc",
        "https://127.0.0.1/doc",
        "https://2130706433/doc",
        "https://allowed.example:port/doc",
        "ftp://allowed.example/doc",
        "file:///etc/passwd",
        "data:application/json,{}",
        "//allowed.example/doc",
        "allowed.example",
        "did:web:allowed.example",
        "",
        "https://allowed.example/" + "x" * 3_000,
    ],
)
def test_nothing_is_looked_up_when_the_address_is_not_allowed(url: str) -> None:
    names = Names(["93.184.215.14"])
    says = refused(AllowedHosts(["allowed.example"], resolve=names), url)
    assert names.asked == []
    assert says.startswith("supply ")
    assert len(says) < 300


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.7",
        "198.18.0.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "nonsense",
    ],
)
def test_host_is_not_connected_to_when_it_has_an_address_that_is_not_public(address: str) -> None:
    source = AllowedHosts(["allowed.example"], resolve=Names(["93.184.215.14", address]))
    assert "not public" in refused(source, "https://allowed.example/doc")


def test_host_without_address_is_unavailable() -> None:
    source = AllowedHosts(["allowed.example"], resolve=Names([]))
    assert "no address" in refused(source, "https://allowed.example/doc")


def test_host_that_cannot_be_looked_up_is_unavailable() -> None:
    def fails(_host: str, _port: int) -> list[str]:
        raise socket.gaierror("no such name")

    source = AllowedHosts(["allowed.example"], resolve=fails)
    assert "cannot be looked up" in refused(source, "https://allowed.example/doc")


def test_look_up_that_does_not_end_is_given_up() -> None:
    hold = threading.Event()

    def waits(_host: str, _port: int) -> list[str]:
        hold.wait(60)
        return []

    source = AllowedHosts(["allowed.example"], resolve=waits, seconds=0.05)
    try:
        assert "took too long" in refused(source, "https://allowed.example/doc")
    finally:
        hold.set()


def test_listed_loopback_host_is_not_connected_to_anywhere_else() -> None:
    source = AllowedHosts(["localhost:8000"], resolve=Names(["93.184.215.14"]))
    assert "not public" in refused(source, "http://localhost:8000/doc")


def test_loopback_is_refused_unless_it_is_listed_with_its_port() -> None:
    with serving(sending(response())) as server:
        refused(AllowedHosts(["allowed.example"]), server.url())
        refused(AllowedHosts(["localhost"]), server.url())
        refused(AllowedHosts([f"localhost:{server.port}"]), server.url(host="127.0.0.1"))
        assert server.connections == 0


# --- answers that are not taken -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (response(b"{}", "404 Not Found"), "status 404"),
        (response(b"{}", "500 Oops"), "status 500"),
        (response(b"", "204 No Content"), "status 204"),
        (response(gzip.compress(b"{}"), "200 OK", "Content-Encoding: gzip"), "content coding"),
        (response(bytes(MAX_DOCUMENT_BYTES + 1)), "larger than"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MAX_DOCUMENT_BYTES + 1), "larger than"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "could not be fetched"),
        (b"", "could not be fetched"),
        (b"SSH-2.0-OpenSSH\r\n", "could not be fetched"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, "could not be fetched"),
    ],
)
def test_answer_is_not_taken_when_it_is_no_document_of_bounded_size(data: bytes, says: str) -> None:
    with serving(sending(data)) as server:
        assert says in refused(AllowedHosts([f"localhost:{server.port}"]), server.url())


@pytest.mark.parametrize(
    "location",
    [
        "https://other.example/doc",
        "http://169.254.169.254/latest",
        "http://127.0.0.1:{port}/doc",
        "http://localhost:1/doc",
        "//other.example/doc",
        "file:///etc/passwd",
    ],
)
def test_redirect_to_elsewhere_is_not_followed(location: str) -> None:
    def answer(connection: socket.socket, _path: str) -> None:
        there = location.format(port=server.port)
        connection.sendall(response(b"", "302 Found", f"Location: {there}"))

    with serving(answer) as server:
        source = AllowedHosts([f"localhost:{server.port}", f"127.0.0.1:{server.port}"])
        assert "redirects to another host" in refused(source, server.url())
        assert server.connections == 1


def test_redirects_without_end_are_given_up() -> None:
    with serving(sending(response(b"", "302 Found", "Location: /again"))) as server:
        source = AllowedHosts([f"localhost:{server.port}"])
        assert "redirects too often" in refused(source, server.url())
        assert server.connections == 4


def test_server_that_sends_a_little_at_a_time_is_given_up() -> None:
    ended = threading.Event()

    def drips(connection: socket.socket, _path: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not ended.wait(0.02):
            connection.sendall(b" ")

    with serving(drips) as server:
        source = AllowedHosts([f"localhost:{server.port}"], seconds=0.3)
        assert "took too long" in refused(source, server.url())
        ended.set()


def test_server_that_says_nothing_is_given_up() -> None:
    ended = threading.Event()
    with serving(lambda _connection, _path: bool(ended.wait(30)) and None) as server:
        source = AllowedHosts([f"localhost:{server.port}"], seconds=0.1)
        assert "took too long" in refused(source, server.url())
        ended.set()


def test_document_is_not_taken_when_the_certificate_is_for_another_name(tmp_path: Path) -> None:
    tls, trusting = certificate("other.example", tmp_path)
    with serving(sending(response()), tls) as server:
        source = AllowedHosts([f"localhost:{server.port}"], ssl_context=trusting)
        assert "could not be fetched" in refused(source, f"https://localhost:{server.port}/doc")
        assert server.requests == []


def test_document_is_not_taken_when_nobody_vouches_for_the_certificate(tmp_path: Path) -> None:
    tls, _ = certificate("localhost", tmp_path)
    with serving(sending(response()), tls) as server:
        source = AllowedHosts([f"localhost:{server.port}"])
        assert "could not be fetched" in refused(source, f"https://localhost:{server.port}/doc")
        assert server.requests == []


def test_nobody_listening_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    source = AllowedHosts([f"localhost:{port}"])
    assert "could not be fetched" in refused(source, f"http://localhost:{port}/doc")


# --- answers that are taken ---------------------------------------------------------------------------------


def test_document_of_a_listed_host_is_fetched_without_anything_that_identifies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(sending(response(b'{"a": 1}'))) as server:
        source = AllowedHosts([f"LOCALHOST:{server.port}"])
        assert source.get(server.url("/status/3?x=1")) == b'{"a": 1}'
        (head,) = server.requests
    assert head.startswith("GET /status/3?x=1 HTTP/1.1\r\n")
    names = {line.partition(":")[0].lower() for line in head.split("\r\n")[1:] if line}
    assert names == {"host", "accept", "accept-encoding", "user-agent"}
    assert f"Host: localhost:{server.port}\r\n" in head


def test_document_is_fetched_over_tls_by_the_hosts_name(tmp_path: Path) -> None:
    tls, trusting = certificate("localhost", tmp_path)
    with serving(sending(response(b"here")), tls) as server:
        source = AllowedHosts(
            [f"localhost:{server.port}"], ssl_context=trusting, resolve=Names(["127.0.0.1"])
        )
        assert source.get(f"https://localhost:{server.port}/doc") == b"here"


def test_redirect_within_the_origin_is_followed() -> None:
    def answer(connection: socket.socket, path: str) -> None:
        moved = response(b"", "301 Moved", "Location: /new")
        connection.sendall(moved if path == "/doc.json" else response(b"here"))

    with serving(answer) as server:
        assert AllowedHosts([f"localhost:{server.port}"]).get(server.url()) == b"here"


def test_connection_goes_to_the_address_that_was_checked() -> None:
    names = Names(["127.0.0.1"], ["93.184.215.14"])
    with serving(sending(response(b"", "302 Found", "Location: /again"))) as server:
        source = AllowedHosts([f"localhost:{server.port}"], resolve=names)
        assert "redirects too often" in refused(source, server.url())
        assert names.asked == [("localhost", server.port)]
        assert server.connections == 4


def test_second_address_is_tried_when_the_first_takes_no_connection() -> None:
    with serving(sending(response(b"here"))) as server:
        source = AllowedHosts([f"localhost:{server.port}"], resolve=Names(["::1", "127.0.0.1"]))
        assert source.get(server.url()) == b"here"


def test_what_was_fetched_or_refused_is_remembered_for_a_while_only() -> None:
    now = [0.0]
    answers = [response(b"one"), response(b"two"), response(b"", "404 Not Found"), response(b"three")]

    def answer(connection: socket.socket, _path: str) -> None:
        connection.sendall(answers[server.connections - 1])

    with serving(answer) as server:
        source = AllowedHosts([f"localhost:{server.port}"], now=lambda: now[0])
        assert [source.get(server.url()), source.get(server.url())] == [b"one", b"one"]
        now[0] += KEPT_SECONDS
        assert source.get(server.url()) == b"two"
        now[0] += KEPT_SECONDS
        assert refused(source, server.url()) == refused(source, server.url())
        now[0] += KEPT_FAILURES_SECONDS
        assert source.get(server.url()) == b"three"
        assert server.connections == 4


def test_only_so_many_documents_are_remembered() -> None:
    with serving(sending(response(b"here"))) as server:
        source = AllowedHosts([f"localhost:{server.port}"], now=lambda: 0.0)
        for number in range(65):
            source.get(server.url(f"/{number}"))
        source.get(server.url("/64"))
        assert server.connections == 65
        source.get(server.url("/0"))
        assert server.connections == 66
