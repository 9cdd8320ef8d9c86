"""XML of images, read into a tree under caps: no DTD, no entities, nothing external, UTF-8 only.

What a document without a DTD can still do to its reader is be large, deep or wide; each has a cap, enforced
while it is parsed.

Source: XML 1.0 (Fifth Edition); the parser is expat behind defusedxml.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError, TreeBuilder  # types and the builder; expat is defused

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]  # has no types
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]  # has no types

from registry.credentials.carriers.baked import refused, require_file_size
from registry.errors import TooLargeError

MAX_ELEMENTS = 50_000
MAX_DEPTH = 64
MAX_ATTRIBUTES = 200
"""Of one element."""

_DECLARATION = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS = (b"utf-8", b"utf8", b"us-ascii")


class _CappedBuilder(TreeBuilder):
    """Builds the tree, and gives up where it passes a cap."""

    def __init__(self) -> None:
        super().__init__()
        self._elements = self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._elements += 1
        self._depth += 1
        if self._elements > MAX_ELEMENTS:
            raise TooLargeError(f"an SVG has at most {MAX_ELEMENTS} elements")
        if self._depth > MAX_DEPTH:
            raise TooLargeError(f"the elements of an SVG are nested at most {MAX_DEPTH} deep")
        if len(attrs) > MAX_ATTRIBUTES:
            raise TooLargeError(f"an element of an SVG has at most {MAX_ATTRIBUTES} attributes")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse_xml(data: bytes) -> Element:
    """The document's root element; comments and processing instructions are left out.

    Raises:
        ValidationError: code ``xml``: not well-formed, or not UTF-8; ``xml-dtd``: it has a document type
            declaration, which could define entities.
        TooLargeError: over a cap.
    """
    require_file_size(data)
    declared = _DECLARATION.match(data.removeprefix(b"\xef\xbb\xbf")[:200])
    if declared and declared[1].lower() not in _ENCODINGS:
        raise refused("xml", "the SVG is not in UTF-8")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise refused("xml", "the SVG is not in UTF-8") from error
    parser = DefusedXMLParser(
        target=_CappedBuilder(), forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise refused("xml-dtd", "the SVG has a document type declaration") from error
    except (ParseError, ValueError) as error:
        raise refused("xml", "the SVG is not well-formed XML") from error
    return root


def split_name(name: str) -> tuple[str, str]:
    """Namespace and local name of ``{namespace}local``; the namespace may be empty."""
    if name.startswith("{"):
        namespace, _, local = name[1:].partition("}")
        return namespace, local
    return "", name
