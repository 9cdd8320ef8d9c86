"""From a credential to its digest: docs/proof-format.md, section 2.

The digest method is part of the leaf, so its codes can never change and never be used again for something
else.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from hashlib import sha256

from registry.encoding.bytetypes import Digest
from registry.encoding.canonical import JsonValue, canonical_json
from registry.errors import Fault, UnsupportedDigestMethodError


class DigestMethod(Enum):
    """How a digest was made. ``value`` is its name in JSON, ``code`` the byte inside the leaf."""

    OPAQUE = "opaque"
    JCS_SHA256 = "jcs-sha256"
    RDFC_SHA256 = "rdfc-sha256"

    @property
    def code(self) -> int:
        """The byte that goes into the leaf."""
        return _CODES[self]

    @classmethod
    def from_code(cls, code: int) -> DigestMethod:
        """The method with this code. Raises ValueError when there is none."""
        for method, known in _CODES.items():
            if known == code:
                return method
        raise ValueError("no digest method has this code")


_CODES = {DigestMethod.OPAQUE: 0x00, DigestMethod.JCS_SHA256: 0x01, DigestMethod.RDFC_SHA256: 0x02}


def _unsupported(code: str, detail: str, pointer: str) -> UnsupportedDigestMethodError:
    return UnsupportedDigestMethodError(detail, faults=[Fault(code=code, detail=detail, pointer=pointer)])


def parse_digest_method(name: object, *, pointer: str = "") -> DigestMethod:
    """Look a method up by its name in JSON.

    Raises:
        UnsupportedDigestMethodError: code ``digest-method``: no method has this name.
    """
    for method in DigestMethod:
        if method.value == name:
            return method
    known = ", ".join(method.value for method in DigestMethod)
    raise _unsupported("digest-method", f"the digest method is none of {known}", pointer)


def credential_digest(credential: Mapping[str, JsonValue], method: DigestMethod) -> Digest:
    """Compute the digest of a credential, leaving out its top-level ``proof`` member only.

    Args:
        credential: as `parse_json` returned it.
        method: only ``jcs-sha256`` can be computed here.

    Raises:
        UnsupportedDigestMethodError: code ``rdfc-sha256`` (not available here), or ``opaque`` (given by the
            issuer, computable by nobody).
        MalformedJsonError: the credential has no canonical form.
    """
    if method is DigestMethod.RDFC_SHA256:
        raise _unsupported("rdfc-sha256", "the digest method rdfc-sha256 is not available here", "")
    if method is DigestMethod.OPAQUE:
        raise _unsupported("opaque", "an opaque digest cannot be computed from a credential", "")
    unsigned = {name: value for name, value in credential.items() if name != "proof"}
    return Digest(sha256(canonical_json(unsigned)).digest())
