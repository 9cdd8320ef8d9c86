"""Names that JSON-LD 1.1 reserves (JSON-LD 1.1, section 1.7), which of them a document may use here, and what
an absolute IRI is."""

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

RELATIVE_BASE = "x-relative-iri://without-a-base/"
"""What relative IRIs are resolved against; PyLD would otherwise take an example's address for the base. An
IRI of this scheme in the result was relative, and a document that uses the scheme itself is refused alike."""

_RELATIVE_SCHEME = RELATIVE_BASE.partition(":")[0] + ":"
_ABSOLUTE_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]*\Z")
_LONGEST_NAME = 200


def is_absolute_iri(text: str) -> bool:
    """Whether ``text`` has the outline of an absolute IRI; whether it is one is for pyoxigraph to say."""
    return _ABSOLUTE_IRI.match(text) is not None and not text.startswith(_RELATIVE_SCHEME)


def shown(name: str) -> str:
    """``name`` for a message: cut after 200 characters, and in ASCII where something in it does not print."""
    cut = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
    return cut if cut.isprintable() else ascii(cut)
