"""Signs PDF files: PAdES, baseline B-B, with a key that is the server's own.

Key and certificates come as one PEM text, the key's own certificate first. The server makes them for itself,
with a certificate that vouches for nothing but itself; an operator may put those of an authority in their
place. Whoever gets a report compares the certificate's SHA-256.

Source: ETSI EN 319 142-1 (PAdES), section 6; ISO 32000-2, section 12.8; RFC 5280.
"""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from registry.errors import ConfigurationError, UnavailableError

YEARS = 10
FIELD = "RootmarkSignature"
_USES = {
    "digital_signature": True,
    "content_commitment": True,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "key_cert_sign": False,
    "crl_sign": False,
    "encipher_only": False,
    "decipher_only": False,
}
_FILE = "the reports' key file holds"
_MAX_NAME = 64  # RFC 5280, upper bound of a common name


def make_identity(name: str, now: datetime) -> str:
    """A new P-256 key and a certificate of its own, as PEM.

    Args:
        name: whose they are: the server's public host.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:_MAX_NAME])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**_USES), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (private + certificate.public_bytes(Encoding.PEM)).decode()


class PdfSigner:
    """Signs with one key. Thread-safe; the key never reaches a repr, an error or a log."""

    def __init__(self, identity: str) -> None:
        """
        Args:
            identity: PEM of the private key and its certificates, the key's own first.

        Raises:
            ConfigurationError: one is missing, of an unknown kind, or they do not belong together.
        """
        try:
            key = load_pem_private_key(identity.encode(), None)
            chain = x509.load_pem_x509_certificates(identity.encode())
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"{_FILE} no key with its certificate as PEM") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise ConfigurationError("the reports' key is of a kind that signs no PDF: take RSA or P-256")
        if chain[0].public_key() != key.public_key():
            raise ConfigurationError("the first certificate in the reports' key file is not that key's")
        self._private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self._chain = [one.public_bytes(Encoding.DER) for one in chain]
        self.certificate_pem = b"".join(one.public_bytes(Encoding.PEM) for one in chain)
        self.fingerprint = chain[0].fingerprint(hashes.SHA256()).hex()
        self.valid_from = chain[0].not_valid_before_utc
        self.valid_until = chain[0].not_valid_after_utc

    def require_valid(self, now: datetime) -> None:
        """Raises `UnavailableError` outside the certificate's time: readers of the file would refuse it."""
        if not self.valid_from <= now <= self.valid_until:
            raise UnavailableError(
                f"no report is signed: the certificate is for {self.period}, and the server needs another",
                part="reports",
                retry_after_seconds=3600,
            )

    @property
    def period(self) -> str:
        """The days for which the certificate is, as text."""
        return f"{self.valid_from:%Y-%m-%d} to {self.valid_until:%Y-%m-%d}"

    def sign(self, pdf: bytes, *, reason: str) -> bytes:
        """The PDF with a signature over all of it. Not from within an event loop."""
        # Loaded here: it takes half a second, and most processes sign no report.
        from asn1crypto import keys
        from asn1crypto import x509 as asn1_x509
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
        from pyhanko.sign import fields, signers
        from pyhanko_certvalidator.registry import SimpleCertificateStore

        own, *others = (asn1_x509.Certificate.load(one) for one in self._chain)
        store = SimpleCertificateStore.from_certs(others)  # type: ignore[no-untyped-call]
        signer = signers.SimpleSigner(own, keys.PrivateKeyInfo.load(self._private), store)
        how = signers.PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm="sha256",
            reason=reason,
            subfilter=fields.SigSeedSubFilter.PADES,
        )
        made = signers.PdfSigner(how, signer).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)))
        return bytes(made.getvalue())

    def __reduce__(self) -> Any:
        raise TypeError("a key is not copied or pickled")
