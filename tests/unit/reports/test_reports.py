"""Audit reports: what stands on them, what is in them, and that a changed one is found out."""

from __future__ import annotations

import io
import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from registry.encoding import Address, BlockHash, Root, TxHash
from registry.errors import ConfigurationError, UnavailableError, ValidationError
from registry.model.chain import Change, EventKind, Header, RegistryEvent
from registry.reports.audit_report import EVENTS_SHOWN, About, draw_report
from registry.reports.checking import check_report, fingerprint_of
from registry.reports.signing import PdfSigner, make_identity
from registry.services.auditing.history import IssuerAudit, audit_events
from registry.services.auditing.views import audit_json

NOW = datetime(2026, 11, 27, 12, 30, 15, 123456, tzinfo=UTC)
ISSUER, KEY = Address(b"\x12" * 20), Address(b"\x34" * 20)
BLOCK = Header(900, BlockHash(b"\x01" * 32), BlockHash(b"\x00" * 32), 1_790_000_000)
SIGNER = PdfSigner(make_identity("registry.example", datetime.now(UTC)))
ABOUT = About("Test College", "eip155:1:0x12", "https://registry.example", NOW, SIGNER.fingerprint, True)


def event(number: int, kind: EventKind, **more: Any) -> RegistryEvent:
    return RegistryEvent(
        kind=kind,
        issuer=ISSUER,
        at=1_700_000_000 + number,
        head=bytes(32),
        block_number=number,
        block_hash=BlockHash(b"\x02" * 32),
        transaction=TxHash(b"\x03" * 32),
        log_index=0,
        **more,
    )


def audit(*events: RegistryEvent) -> IssuerAudit:
    """With the head that the events lead to, whatever that is."""
    made = audit_events(ISSUER, events, BLOCK, bytes(32))
    return replace(made, head_on_chain=made.head_replayed)


EVENTS = (
    event(1, EventKind.KEY_ADDED, account=KEY, roles=7, valid_until=2**63),
    event(2, EventKind.BATCH_ANCHORED, account=KEY, root=Root(b"\x05" * 32)),
    event(3, EventKind.REVOKED, account=KEY, root=Root(b"\x05" * 32), reason=3, changes=(Change(0, 0b111),)),
    event(4, EventKind.PROFILE_SET, uri="https://ünïcode.example/\udc80大"),
)


def attached(data: bytes) -> Any:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return orjson.loads(pdf.attachments["audit.json"].get_file().read_bytes())


@pytest.fixture(scope="module")
def signed() -> bytes:
    return SIGNER.sign(draw_report(audit(*EVENTS), ABOUT), reason="Audit")


# --- refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"no pdf", b"%PDF-1.7\n" + b"0" * 5000])
def test_what_is_no_report_is_refused(data: bytes) -> None:
    with pytest.raises(ValidationError, match="no PDF with a signature"):
        check_report(data)


def test_unsigned_report_is_refused() -> None:
    with pytest.raises(ValidationError, match="one signature; this file has 0"):
        check_report(draw_report(audit(), ABOUT))


def test_report_that_was_signed_again_is_refused(signed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.reports.signing.FIELD", "Another")
    with pytest.raises(ValidationError, match="one signature; this file has 2"):
        check_report(PdfSigner(make_identity("thief.example", NOW)).sign(signed, reason="mine"))


@pytest.mark.parametrize("years", [-20, 1])
def test_certificate_that_is_not_in_force_signs_nothing_that_counts(years: int) -> None:
    now = datetime.now(UTC)
    signer = PdfSigner(make_identity("registry.example", now + timedelta(days=365 * years)))
    with pytest.raises(UnavailableError, match=f"the certificate is for {signer.valid_from:%Y-%m-%d} to "):
        signer.require_valid(now)
    SIGNER.require_valid(now)
    found = check_report(signer.sign(draw_report(audit(), ABOUT), reason="Audit"))
    assert found.problems == ("it does not say that it was signed while its certificate was valid",)


def test_every_changed_byte_is_found_out(signed: bytes) -> None:
    """One in each fifty-first part of the file, so that every object is hit sooner or later."""
    for place in range(7, len(signed), len(signed) // 51):
        changed = bytearray(signed)
        changed[place] ^= 0x11
        try:
            assert check_report(bytes(changed)).problems, place
        except ValidationError:
            pass


def test_what_was_added_afterwards_is_found_out(signed: bytes) -> None:
    with pikepdf.open(io.BytesIO(signed)) as pdf:
        out = io.BytesIO()
        pdf.docinfo["/Title"] = "Something else"
        pdf.save(out)
    try:
        assert check_report(out.getvalue()).problems
    except ValidationError:
        pass
    try:
        assert check_report(signed + b"\n% more\n").problems
    except ValidationError:
        pass


def test_attachment_that_contradicts_itself_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    forged = audit_json(audit(*EVENTS))
    forged["events"] = forged["events"][:1]
    monkeypatch.setattr("registry.reports.audit_report.audit_json", lambda _: forged)
    report = check_report(SIGNER.sign(draw_report(audit(*EVENTS), ABOUT), reason="Audit"))
    assert report.problems == ("the events in audit.json are not those of its own sha256",)


def _pem(key: Any) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


@pytest.mark.parametrize(
    ("identity", "says"),
    [
        ("", "no key with its certificate"),
        ("text", "no key with its certificate"),
        (_pem(ec.generate_private_key(ec.SECP256R1())), "no key with its certificate"),
        (make_identity("a", NOW).partition("-----BEGIN CERT")[0] + "-----BEGIN CERT", "no key"),
        (
            _pem(ec.generate_private_key(ec.SECP256R1()))
            + "-----BEGIN CERT"
            + make_identity("a", NOW).partition("-----BEGIN CERT")[2],
            "is not that key's",
        ),
        (
            _pem(ed25519.Ed25519PrivateKey.generate())
            + "-----BEGIN CERT"
            + make_identity("a", NOW).partition("-----BEGIN CERT")[2],
            "signs no PDF",
        ),
    ],
)
def test_wrong_key_file_says_what_is_wrong(identity: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        PdfSigner(identity)


def test_key_does_not_leak() -> None:
    assert "BEGIN" not in repr(SIGNER)
    with pytest.raises(TypeError):
        pickle.dumps(SIGNER)


def test_certificate_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="no certificate"):
        fingerprint_of(b"x")


# --- good ones ----------------------------------------------------------------------------------------------


def test_report_is_as_it_was_signed_and_names_its_certificate(signed: bytes) -> None:
    found = check_report(signed)
    assert found.problems == ()
    assert found.fingerprint == SIGNER.fingerprint == fingerprint_of(SIGNER.certificate_pem)
    assert found.signer == "Common Name: registry.example"
    assert found.audit == attached(signed)
    (certificate,) = x509.load_pem_x509_certificates(SIGNER.certificate_pem)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


def test_report_is_an_archive_file_with_the_whole_audit_attached(signed: bytes) -> None:
    whole = audit(*EVENTS)
    found = attached(signed)
    assert found | audit_json(whole) == found
    assert (found["name"], found["registry"]) == ("Test College", "eip155:1:0x12")
    with pikepdf.open(io.BytesIO(signed)) as pdf:
        metadata = pdf.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")
        assert pdf.docinfo["/Title"] == "Audit of an issuer"


def test_same_audit_gives_the_same_pages() -> None:
    first, second = (draw_report(audit(*EVENTS), ABOUT) for _ in range(2))
    assert sha256(first).digest() == sha256(second).digest()
    other = draw_report(replace(audit(*EVENTS), head_on_chain=b"\x01" * 32), ABOUT)
    assert other != first


def test_long_history_is_drawn_in_part_and_attached_whole() -> None:
    roots = [Root(number.to_bytes(32)) for number in range(1, EVENTS_SHOWN + 51)]
    events = [
        event(number, EventKind.BATCH_ANCHORED, account=KEY, root=root) for number, root in enumerate(roots)
    ]
    made = draw_report(audit(*events), ABOUT)
    assert len(attached(made)["events"]) == EVENTS_SHOWN + 50
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert 5 < len(pdf.pages) < 20


def test_name_that_no_font_has_does_not_stop_the_report() -> None:
    made = draw_report(audit(), replace(ABOUT, name="北京大学"))
    assert attached(made)["name"] == "北京大学"


def test_name_of_a_key_is_cut_where_certificates_end() -> None:
    signer = PdfSigner(make_identity("a" * 200 + ".example", NOW))
    assert check_report(signer.sign(draw_report(audit(), ABOUT), reason="Audit")).signer.endswith("a" * 64)
