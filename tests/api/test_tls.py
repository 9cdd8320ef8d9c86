"""`rootmark serve` over TLS, with certificates made here; and certificates that cannot serve."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from api.commands import at_port_of, check_tls, listening_socket, serving, url_of
from registry.bootstrap import build
from registry.cli.exits import USAGE
from registry.cli.main import build_app
from registry.errors import ConfigurationError
from registry.settings import Settings, load_settings


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _pair(directory: Path, name: str, password: bytes | None = None) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    return (
        _write(directory / f"{name}.crt", certificate.public_bytes(pem)),
        _write(
            directory / f"{name}.key", key.private_bytes(pem, serialization.PrivateFormat.PKCS8, encryption)
        ),
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with pairs, and with files that are none."""
    directory = tmp_path_factory.mktemp("tls")
    _pair(directory, "own")
    _pair(directory, "other")
    _pair(directory, "locked", b"secret")
    _write(directory / "empty", b"")
    return directory


# certificate, key, what the message says
WRONG = [
    ("own.crt", "other.key", "belongs to another certificate"),
    ("missing.crt", "own.key", "certificate .* cannot be read: No such file"),
    ("own.crt", "missing.key", "key .* cannot be read: No such file"),
    ("empty", "own.key", "not PEM"),
    ("own.crt", "empty", "not PEM"),
    ("own.key", "own.crt", "not PEM"),
    ("locked.crt", "locked.key", "not encrypted"),
]


@pytest.mark.parametrize(("certificate", "key", "message"), WRONG)
def test_pair_that_cannot_serve_is_refused_before_anything_starts(
    files: Path, certificate: str, key: str, message: str
) -> None:
    settings = load_settings(tls_cert=files / certificate, tls_key=files / key)
    with pytest.raises(ConfigurationError, match=message):
        check_tls(settings)


@pytest.fixture
def own_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    """`serve` sends this process's log to a stream that ends with the command; other tests need it."""
    monkeypatch.setattr("registry.logs.configure_logging", lambda level: None)


@pytest.mark.usefixtures("own_logging")
@pytest.mark.parametrize("given", ["--tls-cert", "--tls-key"])
def test_one_without_the_other_is_a_usage_error(files: Path, tmp_path: Path, given: str) -> None:
    arguments = ["serve", "--data-dir", str(tmp_path / "data"), "--port", "0", given, str(files / "own.crt")]
    result = CliRunner().invoke(build_app(), arguments)
    assert result.exit_code == USAGE
    assert "HTTPS wants both, or neither" in result.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("own_logging")
def test_mismatch_is_a_usage_error_of_the_command(files: Path, tmp_path: Path) -> None:
    arguments = ["serve", "--data-dir", str(tmp_path / "data"), "--port", "0"]
    arguments += ["--tls-cert", str(files / "own.crt"), "--tls-key", str(files / "other.key")]
    result = CliRunner().invoke(build_app(), arguments)
    assert result.exit_code == USAGE
    assert "belongs to another certificate" in result.stderr
    assert not (tmp_path / "data").exists()


@pytest.fixture(scope="module")
def secure(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Settings]]:
    """The address of a server that speaks HTTPS, and its settings."""
    settings = load_settings(
        data_dir=tmp_path_factory.mktemp("https"), tls_cert=files / "own.crt", tls_key=files / "own.key"
    )
    check_tls(settings)
    with ExitStack() as stack:
        bound = listening_socket("127.0.0.1", 0)
        stack.callback(bound.close)
        app = build(at_port_of(bound, settings))
        stack.callback(app.close)
        stack.enter_context(serving(app, bound))
        yield url_of(bound, settings.scheme), app.settings


def test_credential_is_issued_and_verified_over_https(files: Path, secure: tuple[str, Settings]) -> None:
    url, settings = secure
    assert url.startswith("https://127.0.0.1:")
    assert settings.effective_public_url == f"https://localhost:{settings.port}"
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:issuer",
        "credentialSubject": {"id": "did:example:subject"},
    }
    trusting = ssl.create_default_context(cafile=str(files / "own.crt"))
    with httpx.Client(base_url=url, verify=trusting, timeout=60, trust_env=False) as client:
        made = client.post("/vc/eddsa-rdfc-2022/Ed25519/credentials/issue", json={"credential": document})
        assert made.status_code == 201
        assert client.post("/vc/credentials/verify", json=made.json()).json()["verified"] is True


def test_plain_http_is_not_answered_there(secure: tuple[str, Settings]) -> None:
    url = secure[0].replace("https://", "http://")
    with httpx.Client(trust_env=False, timeout=60) as client, pytest.raises(httpx.TransportError):
        client.get(f"{url}/health/live")
