"""How an issuer wants its certificates to look: colour, words, signatories, language and logo."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from registry.credentials.carriers.images import Picture, clean_picture
from registry.credentials.certificates.drawing import Design
from registry.encoding import Address, to_hex
from registry.errors import NotFoundError
from registry.model.issuers import Caller, Scope
from registry.ports.clock import Clock
from registry.ports.store import Store, Unit
from registry.services.access import require, require_issuer

_MEMBERS = ("accent", "title", "footer", "signatories", "language")


def design_of(unit: Unit, issuer: Address) -> Design:
    """The issuer's design; the plain one where it has none."""
    found = unit.designs.get(issuer)
    if found is None:
        return Design()
    members: dict[str, Any] = json.loads(found.document)
    design = Design(**{**members, "signatories": tuple(members["signatories"])})
    if found.logo is None or found.logo_type is None:
        return design
    return replace(design, logo=Picture(found.logo_type, found.logo))


class DesignService:
    """For the issuer's keys with scope `batch`, which is what makes certificates."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, caller: Caller, issuer: Address) -> Design:
        """The design, plain where the issuer has set none. Raises as `put`."""
        self._require(caller, issuer)
        with self._store.read() as unit:
            return design_of(unit, issuer)

    def put(self, caller: Caller, issuer: Address, design: Design) -> None:
        """Set all but the logo, which stays.

        Raises:
            ForbiddenError: another issuer's key, or without the scope.
            NotFoundError: no such issuer here.
        """
        self._require(caller, issuer)
        document = json.dumps({name: getattr(design, name) for name in _MEMBERS})
        with self._store.write() as unit:
            unit.designs.put(issuer, document)
            unit.access.log(self._clock.now(), caller.label, "certificate.designed", to_hex(issuer), "")

    def put_logo(self, caller: Caller, issuer: Address, data: bytes | None) -> None:
        """Set the logo, a picture's file; None removes it. Raises as `put`, and as `clean_picture`."""
        self._require(caller, issuer)
        logo = None if data is None else clean_picture(data)
        plain = json.dumps({name: getattr(Design(), name) for name in _MEMBERS})
        with self._store.write() as unit:
            if unit.designs.get(issuer) is None:
                unit.designs.put(issuer, plain)
            unit.designs.put_logo(
                issuer, None if logo is None else logo.media_type, None if logo is None else logo.data
            )
            unit.access.log(self._clock.now(), caller.label, "certificate.logo", to_hex(issuer), "")

    def _require(self, caller: Caller, issuer: Address) -> None:
        require(caller, Scope.BATCH)
        if require_issuer(caller, Scope.BATCH) != issuer:
            raise NotFoundError("no such issuer of this key")
