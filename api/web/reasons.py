"""The reasons of status changes in words."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalogues."""
    return text


REASONS: Mapping[str, str] = {
    "unspecified": _("no reason"),
    "issued_in_error": _("issued in error"),
    "superseded": _("superseded"),
    "misconduct": _("misconduct"),
    "requirements_not_met": _("requirements not met"),
    "holder_request": _("the holder asked for it"),
    "key_compromise": _("a key was stolen or lost"),
    "administrative_hold": _("administrative hold"),
}
