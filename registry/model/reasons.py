"""Reasons of a status change: numbered 0 to 7 on chain, named at the edges."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why a credential, batch or key changed its status. The number is what the contract stores."""

    UNSPECIFIED = 0
    ISSUED_IN_ERROR = 1
    SUPERSEDED = 2
    MISCONDUCT = 3
    REQUIREMENTS_NOT_MET = 4
    HOLDER_REQUEST = 5
    KEY_COMPROMISE = 6
    ADMINISTRATIVE_HOLD = 7

    @property
    def label(self) -> str:
        """The name used in JSON, CSV and on the command line."""
        return self.name.lower()


REASON_LABELS: tuple[str, ...] = tuple(reason.label for reason in Reason)


def reason_from_code(code: int) -> Reason:
    """Read a number from the chain; the contract accepts any uint16, and unknown ones mean
    ``UNSPECIFIED``."""
    return Reason(code) if 0 <= code <= max(Reason) else Reason.UNSPECIFIED
