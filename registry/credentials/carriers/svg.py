"""Baked SVG: a credential in an element of its own right behind the root's start tag.

Reading takes the credential out of any SVG without a DTD: nothing is drawn here, so what else the picture
does is not looked at. Baking goes through `clean_svg`, which does look. As in a PNG, exactly one element may
carry a credential, and it is a child of the root.

The credential's bytes come back as they were: XML turns CR LF into LF and cannot hold some characters, so CR
is written as a character reference between CDATA sections, and a credential with such characters is refused.

Source: Open Badges 3.0, section 5.3.2; Open Badges 2.0 Baking 1.0; the CLR namespace as 1EdTech's validator
reads it; XML 1.0, sections 2.2, 2.7 and 2.11.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element  # a type; parsing is in `xml`

from registry.credentials.carriers.baked import (
    COMPACT_TOKEN,
    MAX_CREDENTIAL_BYTES,
    Baked,
    Standard,
    is_token,
    refused,
    require_file_size,
)
from registry.credentials.carriers.clean_svg import SVG_NAMESPACE, cleaned, write_svg
from registry.credentials.carriers.xml import parse_xml
from registry.errors import TooLargeError

_NAMESPACES = {
    Standard.OPEN_BADGES_3: "https://purl.imsglobal.org/ob/v3p0",
    Standard.OPEN_BADGES_2: "http://openbadges.org",
    Standard.CLR_2: "https://purl.imsglobal.org/clr/v2p0",
}
_LOCAL_NAMES = {
    Standard.OPEN_BADGES_3: "credential",
    Standard.OPEN_BADGES_2: "assertion",
    Standard.CLR_2: "credential",
}
_ELEMENTS = {f"{{{_NAMESPACES[standard]}}}{_LOCAL_NAMES[standard]}": standard for standard in Standard}
_PREFIX = "openbadges"
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def unbake_svg(image: bytes) -> Baked | None:
    """The credential that an SVG carries, or None when it carries none.

    Raises:
        ValidationError: code ``xml`` or ``xml-dtd``: see `parse_xml`; ``svg``: no SVG; ``baked-twice``:
            several elements carry a credential, or one carries two; ``baked-element``: it is not the root's
            child, is empty, or has elements inside.
        TooLargeError: over a cap.
    """
    root = _svg_root(image)
    found = [element for element in root.iter() if element.tag in _ELEMENTS]
    if not found:
        return None
    if len(found) > 1:
        raise refused("baked-twice", "the image carries more than one credential")
    element = found[0]
    if element not in list(root) or len(element):
        raise refused("baked-element", "the element with the credential does not have its place and form")
    text = _text_of(element)
    if len(text) > MAX_CREDENTIAL_BYTES:
        raise TooLargeError(f"a baked credential has at most {MAX_CREDENTIAL_BYTES} bytes")
    return Baked(_ELEMENTS[element.tag], text)


def bake_svg(image: bytes, credential: bytes, standard: Standard = Standard.OPEN_BADGES_3) -> bytes:
    """The cleaned image with the credential in it, instead of those that it may have carried.

    Args:
        image: an SVG that `clean_svg` takes.
        credential: UTF-8 JSON or a compact token; `unbake_svg` gives the same bytes back.

    Raises:
        ValidationError: see `clean_svg`; neither JSON nor a token; code ``credential``: it holds a character
            that XML has not (U+FFFE, U+FFFF), which JSON can write as an escape.
        TooLargeError: over a cap.
    """
    token = is_token(credential)
    root = cleaned(_svg_root(image))
    name = f"{_PREFIX}:{_LOCAL_NAMES[standard]}"
    if token:
        element = f'<{name} verify="{credential.decode()}"></{name}>'
    else:
        element = f"<{name}>{_cdata(credential.decode())}</{name}>"
    baked = write_svg(root, namespace=(_PREFIX, _NAMESPACES[standard]), first=element)
    require_file_size(baked)
    return baked


def clean_svg(image: bytes) -> bytes:
    """The picture alone, written anew: see `registry.credentials.carriers.clean_svg`.

    Raises:
        ValidationError: code ``svg``, ``xml``, ``xml-dtd`` or ``svg-active``, which names what is not taken.
        TooLargeError: over a cap.
    """
    return write_svg(cleaned(_svg_root(image)))


def _svg_root(image: bytes) -> Element:
    root = parse_xml(image)
    if root.tag != f"{{{SVG_NAMESPACE}}}svg":
        raise refused("svg", "the file is not an SVG")
    return root


def _text_of(element: Element) -> bytes:
    verify = element.get("verify", "").encode()
    body = (element.text or "").encode()
    if not body.strip():
        if not verify:
            raise refused("baked-element", "the element for the credential is empty")
        return verify
    # Some bakers write a token into both places. An address beside an assertion is only where to find it.
    if COMPACT_TOKEN.fullmatch(verify) and verify != body.strip():
        raise refused("baked-twice", "the image carries more than one credential")
    return body


def _cdata(text: str) -> str:
    if _NOT_XML.search(text):
        raise refused(
            "credential", "the credential holds a character that XML has not; write it as an escape"
        )
    inside = text.replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#13;<![CDATA[")
    return f"<![CDATA[{inside}]]>"
