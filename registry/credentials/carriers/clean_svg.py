"""An SVG that can be shown to anybody: refused where it does or loads anything, and written anew.

Refused by name, so that whoever made the picture can mend it: elements that are not in the list below
(script, foreignObject, a, and whatever SVG gains), event attributes, references to other documents in
whatever way (href, url(), @import, xml:base), escapes in styles that could hide them, and ``use`` of a group
that itself uses another (which multiplies). Pictures inside, PNG and JPEG, are taken as ``data:`` addresses.

Left out without a word: comments, processing instructions, and what is not in the namespace of SVG, such as
the data that editors keep; HTML is refused. The result is written from the parsed tree, with SVG as the only
namespace, so that no reader finds something in it that this one did not see.

Source: SVG 2, appendix C; SVG 1.1 for the names; CSS Syntax 3, section 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element  # a type; parsing is in `xml`

from registry.credentials.carriers.baked import refused
from registry.credentials.carriers.xml import split_name
from registry.errors import ValidationError

SVG_NAMESPACE = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_XML = "http://www.w3.org/XML/1998/namespace"

_SHAPES = "circle ellipse image line path polygon polyline rect text textPath tspan use"
_GROUPS = "clipPath defs desc g marker mask metadata pattern style svg switch symbol title"
_PAINT = "linearGradient radialGradient stop"
_FILTERS = (
    "filter feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting "
    "feDisplacementMap feDistantLight feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur "
    "feMerge feMergeNode feMorphology feOffset fePointLight feSpecularLighting feSpotLight feTile "
    "feTurbulence"
)
_ALLOWED = frozenset(f"{_SHAPES} {_GROUPS} {_PAINT} {_FILTERS}".split())
_DANGEROUS = "script foreignobject iframe object embed html body handler listener"
_DANGEROUS_ANYWHERE = frozenset(_DANGEROUS.split())

_LOCAL_REFERENCE = re.compile(r"\s*#[^\s\"'<>()\\]+\s*")
_RASTER = re.compile(r"\s*data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]+")
_URL = re.compile(r"url\s*\(", re.IGNORECASE)
_LOCAL_URL = re.compile(r"""url\(\s*(["']?)#[^\s"'<>()\\]+\1\s*\)""", re.IGNORECASE)
_STYLE_TRICKS = re.compile(r"@|\\|/\*|expression|image(?:-set)?\s*\(|src\s*\(", re.IGNORECASE)
_SCRIPT_ADDRESS = re.compile(r"(?:java|vb|live)script:", re.IGNORECASE)
_IGNORABLE = re.compile(r"[\x00-\x20\x7f]+")


def cleaned(root: Element) -> Element:
    """A copy of the tree with what a picture needs.

    Args:
        root: the svg element of a document that `parse_xml` read.

    Raises:
        ValidationError: code ``svg-active``, naming the element or attribute that is not taken.
    """
    clean = _clean(root)
    assert clean is not None
    _refuse_nested_uses(clean)
    return clean


def write_svg(root: Element, *, namespace: tuple[str, str] | None = None, first: str = "") -> bytes:
    """A cleaned tree as a UTF-8 document.

    Args:
        namespace: a prefix and its namespace to declare on the root.
        first: markup to put right behind the root's start tag.
    """
    declared = [f' xmlns="{SVG_NAMESPACE}"']
    if any(_is_xlink(name) for element in root.iter() for name in element.attrib):
        declared.append(f' xmlns:xlink="{_XLINK}"')
    if namespace is not None:
        declared.append(f' xmlns:{namespace[0]}="{namespace[1]}"')
    pieces = ['<?xml version="1.0" encoding="UTF-8"?>\n', *_written(root, "".join(declared), first), "\n"]
    return "".join(pieces).encode()


def _clean(element: Element) -> Element | None:
    """Recursion is bounded by the depth that the parser allows."""
    namespace, local = split_name(element.tag)
    if local.lower() in _DANGEROUS_ANYWHERE or namespace == "http://www.w3.org/1999/xhtml":
        raise _active(f"the element {_shown(local)}")
    if namespace != SVG_NAMESPACE or local == "metadata":
        return None
    if local not in _ALLOWED:
        raise _active(f"the element {_shown(local)}")
    clean = Element(local, _attributes(element, local))
    clean.text = element.text
    if local == "style":
        _refuse_style(element.text or "", "the element style")
        if len(element):
            raise _active("the element style with elements inside")
    for child in element:
        kept = _clean(child)
        if kept is not None:
            kept.tail = child.tail
            clean.append(kept)
        elif len(clean):
            clean[-1].tail = (clean[-1].tail or "") + (child.tail or "")
        else:
            clean.text = (clean.text or "") + (child.tail or "")
    return clean


def _attributes(element: Element, local: str) -> dict[str, str]:
    kept = {}
    for name, value in element.attrib.items():
        namespace, attribute = split_name(name)
        lower = attribute.lower()
        if lower.startswith("on"):
            raise _active(f"the attribute {_shown(attribute)}")
        if lower in ("base", "src", "attributename") or _SCRIPT_ADDRESS.search(_IGNORABLE.sub("", value)):
            raise _active(f"the attribute {_shown(attribute)}")
        if lower == "href":
            _refuse_reference(value, local)
        else:
            _refuse_style(value, f"the attribute {_shown(attribute)}", strict=lower == "style")
        if namespace == "":
            kept[attribute] = value
        elif namespace == _XLINK and attribute == "href":
            kept["xlink:href"] = value
        elif namespace == _XML and attribute in ("space", "lang"):
            kept[f"xml:{attribute}"] = value
    return kept


def _refuse_reference(value: str, local: str) -> None:
    if _LOCAL_REFERENCE.fullmatch(value):
        return
    if local == "image" and _RASTER.fullmatch(value):
        return
    raise _active("a reference (href) to another document")


def _refuse_style(value: str, where: str, *, strict: bool = True) -> None:
    """Every ``url(…)`` leads into the document itself. ``strict``: the value is CSS, and nothing in it may
    hide another way of loading something."""
    if _URL.search(_LOCAL_URL.sub("", value)):
        raise _active(f"a reference (url) to another document in {where}")
    if strict and _STYLE_TRICKS.search(value):
        raise _active(f"an import, escape, comment or function in {where}")
    if not strict and "\\" in value and "(" in value:
        raise _active(f"an escape in {where}")


def _refuse_nested_uses(root: Element) -> None:
    """Each ``use`` of a group with two uses in it doubles the work of whoever draws it."""
    holders: set[str] = set()

    def holds_use(element: Element) -> bool:
        holds = element.tag == "use"
        for child in element:
            holds = holds_use(child) or holds
        if holds and (identifier := element.get("id")):
            holders.add(identifier)
        return holds

    holds_use(root)
    for element in root.iter("use"):
        target = (element.get("href") or element.get("xlink:href") or "").strip().removeprefix("#")
        if target in holders:
            raise _active("a use of what itself uses something")


def _written(element: Element, declared: str = "", first: str = "") -> Iterator[str]:
    yield f"<{element.tag}{declared}"
    for name, value in element.attrib.items():
        yield f' {name}="{_escaped(value, attribute=True)}"'
    yield ">"
    yield first
    yield _escaped(element.text or "")
    for child in element:
        yield from _written(child)
        yield _escaped(child.tail or "")
    yield f"</{element.tag}>"


def _escaped(text: str, *, attribute: bool = False) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    if attribute:
        text = text.replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return text


def _is_xlink(name: str) -> bool:
    return name.startswith("xlink:")


def _shown(name: str) -> str:
    """A name for an error: names of terms may be told, but not a text of any length."""
    return name if len(name) <= 40 and name.isascii() and name.isprintable() else "with a strange name"


def _active(what: str) -> ValidationError:
    return refused("svg-active", f"the SVG has {what}, which is not taken")
