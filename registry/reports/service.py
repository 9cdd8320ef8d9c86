"""Audit reports of one server: drawn from the index and the contract, signed with the server's key."""

from __future__ import annotations

from datetime import datetime

from registry.encoding import AccountId, Address, ChainId
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.store import Store
from registry.reports.audit_report import About, draw_report
from registry.reports.signing import PdfSigner
from registry.services.audit import AuditService


class ReportService:
    """Safe to call from several threads, not from within an event loop."""

    def __init__(
        self,
        store: Store,
        chain: Chain,
        clock: Clock,
        audit: AuditService,
        signer: PdfSigner,
        server: str,
    ) -> None:
        """``server`` is the server's public address."""
        self._store = store
        self._chain = chain
        self._clock = clock
        self._audit = audit
        self._signer = signer
        self._server = server

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate that signs, in hex."""
        return self._signer.fingerprint

    @property
    def certificate(self) -> bytes:
        """It, and those behind it, as PEM."""
        return self._signer.certificate_pem

    def issuer(self, issuer: Address, as_of: int | datetime | None = None) -> bytes:
        """An issuer's audit as a signed PDF.

        Raises as `AuditService.issuer`, and `UnavailableError` where the signing certificate is out of date.
        """
        self._signer.require_valid(self._clock.now())
        audit = self._audit.issuer(issuer, as_of)
        with self._store.read() as unit:
            hosted = unit.issuers.get(issuer)
        info = self._chain.info
        about = About(
            name=None if hosted is None else hosted.name,
            registry=str(AccountId(ChainId(info.chain_id), info.address)),
            server=self._server,
            made_at=self._clock.now(),
            fingerprint=self._signer.fingerprint,
            test_chain=info.test_chain,
        )
        return self._signer.sign(draw_report(audit, about), reason="Audit of an issuer by this server")
