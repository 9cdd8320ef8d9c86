"""Names that JSON-LD 1.1 reserves (JSON-LD 1.1, section 1.7), and which of them a document may use here."""

from __future__ import annotations

import re

KEYWORDS = frozenset(
    [
        "@base",
        "@container",
        "@context",
        "@default",
        "@direction",
        "@graph",
        "@id",
        "@import",
        "@included",
        "@index",
        "@json",
        "@language",
        "@list",
        "@nest",
        "@none",
        "@prefix",
        "@preserve",
        "@propagate",
        "@protected",
        "@reverse",
        "@set",
        "@type",
        "@value",
        "@version",
        "@vocab",
    ]
)

TAKEN_AS_KEYS = frozenset(
    ["@context", "@direction", "@id", "@language", "@list", "@none", "@set", "@type", "@value"]
)
"""Keywords that may be keys of a document. Credentials use no others; explicit graphs, reversed and included
nodes, nesting and indexes could hide statements from a reader who does not process JSON-LD, and are
refused."""

LOOKS_LIKE_KEYWORD = re.compile(r"@[a-zA-Z]+\Z")

_LONGEST_NAME = 200


def shown(name: str) -> str:
    """``name`` for a message: cut after 200 characters, and in ASCII where something in it does not print."""
    cut = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
    return cut if cut.isprintable() else ascii(cut)
