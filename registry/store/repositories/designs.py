"""How each issuer's certificates look."""

from __future__ import annotations

from sqlalchemy import select, update

from registry.encoding import Address
from registry.model.designs import StoredDesign
from registry.store.database import Database
from registry.store.rows import CertificateDesignRow, table

DESIGNS = table(CertificateDesignRow)


class Designs:
    """`registry.ports.page_store.DesignRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, issuer: Address) -> StoredDesign | None:
        """The design, or None."""
        row = self._db.first(select(DESIGNS).where(DESIGNS.c.issuer == issuer))
        if row is None:
            return None
        return StoredDesign(row.document, row.logo_type, None if row.logo is None else bytes(row.logo))

    def put(self, issuer: Address, document: str) -> None:
        """Set all but the logo."""
        changed = self._db.run(update(DESIGNS).where(DESIGNS.c.issuer == issuer).values(document=document))
        if not changed:
            self._db.run(self._db.insert(DESIGNS).values(issuer=issuer, document=document))

    def put_logo(self, issuer: Address, logo_type: str | None, logo: bytes | None) -> None:
        """Set or remove the logo of a design that is there."""
        values = {"logo_type": logo_type, "logo": logo}
        self._db.run(update(DESIGNS).where(DESIGNS.c.issuer == issuer).values(values))
