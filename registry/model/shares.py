"""A share: some of a holder's credentials under one address, for a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

SHARE_PATH = "/s/"
"""Where shares lie below the server's address, each by its id."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a holder shows to whoever has the address.

    Attributes:
        id: 128 random bits in base64url.
        title: the holder's words above it; may be empty.
        show_name: whether the recipient's name stands on it, whatever the credentials' own pages show.
        pages: ids of the pages whose credentials it shows, in order, each at its number from 1. Numbers of
            those that were erased, or that somebody else claimed, are left out and not given again.
    """

    id: str
    holder: str
    title: str
    show_name: bool
    created_at: datetime
    expires_at: datetime
    pages: Mapping[int, str]
