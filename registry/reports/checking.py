"""Checks a signed report: that the file is as it was signed, by whom, and that what is attached is whole.

Whose certificate counts is the caller's word: a report that is intact says no more than that whoever has that
key signed it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
import pikepdf
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from registry.encoding import canonical_json, parse_json
from registry.errors import RootmarkError, ValidationError

ATTACHMENT = "audit.json"
MAX_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CheckedReport:
    """What a report is.

    Attributes:
        problems: why it must not be relied upon; empty when it is as it was signed.
        fingerprint: SHA-256 of the signer's certificate, in hex.
        signer: the name in it, which proves nothing by itself.
        signed_at: by the signer's own clock.
        audit: what is attached; None where that cannot be read.
    """

    problems: tuple[str, ...]
    fingerprint: str
    signer: str
    signed_at: datetime | None
    audit: dict[str, Any] | None


def fingerprint_of(certificate: bytes) -> str:
    """SHA-256 of the first certificate of a PEM text, in hex. Raises `ValidationError`: there is none."""
    try:
        first = x509.load_pem_x509_certificates(certificate)[0]
    except ValueError as error:
        raise ValidationError("this holds no certificate as PEM") from error
    return first.fingerprint(hashes.SHA256()).hex()


def check_report(data: bytes) -> CheckedReport:
    """Check a report by itself; whether ``fingerprint`` is the right one is left to the caller.

    Raises:
        ValidationError: this is no PDF with one signature.
    """
    # Loaded here: it takes half a second, and few commands need it.
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.diff_analysis import ModificationLevel
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    damages = (PdfError, ValueError, LookupError, TypeError, AttributeError)  # a damaged file shows as any
    if len(data) > MAX_BYTES:
        raise ValidationError(f"a report has at most {MAX_BYTES} bytes")
    try:
        signatures = PdfFileReader(io.BytesIO(data)).embedded_regular_signatures
        if len(signatures) != 1:
            raise ValidationError(f"a report has one signature; this file has {len(signatures)}")
        (signature,) = signatures
        certificate = signature.signer_cert
        trusted = ValidationContext(trust_roots=[certificate], allow_fetching=False)
        status = validate_pdf_signature(signature, trusted)
    except damages as error:
        raise ValidationError(f"this is no PDF with a signature that can be read ({error})") from error
    problems = []
    if not status.valid:
        problems.append("the signature does not fit its certificate")
    if not status.intact:
        problems.append("the file was changed after it was signed")
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE or (
        status.modification_level not in (None, ModificationLevel.NONE)
    ):
        problems.append("something was added to the file after it was signed")
    signed_at = status.signer_reported_dt
    if signed_at is None or not certificate.not_valid_before <= signed_at <= certificate.not_valid_after:
        problems.append("it does not say that it was signed while its certificate was valid")
    audit, problem = _attached(data)
    if problem is not None:
        problems.append(problem)
    return CheckedReport(
        tuple(problems),
        certificate.sha256.hex(),
        str(certificate.subject.human_friendly),
        signed_at,
        audit,
    )


def _attached(data: bytes) -> tuple[dict[str, Any] | None, str | None]:
    """The attached audit, and what is wrong with it."""
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            raw = pdf.attachments[ATTACHMENT].get_file().read_bytes()
        audit = parse_json(raw)
    except (pikepdf.PdfError, KeyError, RootmarkError) as error:
        return None, f"{ATTACHMENT} cannot be read ({error})"
    if not isinstance(audit, dict) or not isinstance(audit.get("events"), list):
        return None, f"{ATTACHMENT} holds no audit"
    if sha256(canonical_json(audit["events"])).hexdigest() != audit.get("sha256"):
        return audit, f"the events in {ATTACHMENT} are not those of its own sha256"
    return orjson.loads(raw), None
