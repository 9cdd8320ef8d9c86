"""Baked SVG: what is refused and by what name, that bytes come back, and images that others baked."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.credentials.carriers.baked import MAX_CREDENTIAL_BYTES, MAX_FILE_BYTES, Baked, Standard
from registry.credentials.carriers.svg import bake_svg, clean_svg, unbake_svg
from registry.credentials.carriers.xml import MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS
from registry.encoding import StrictJsonError
from registry.errors import TooLargeError, ValidationError

VECTORS = Path(__file__).parents[3] / "vectors" / "open-badges-images"
CREDENTIAL = b'{"id": "urn:uuid:1", "name": "caf\xc3\xa9 & <b>"}'
TOKEN = b"eyJhbGciOiJFZERTQSJ9.eyJpZCI6MX0.c2ln"
OB2 = 'xmlns:openbadges="http://openbadges.org"'
OB3 = 'xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"'
LAUGHS = (
    '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    '<svg xmlns="http://www.w3.org/2000/svg"><text>&c;</text></svg>'
)


def svg(inside: str = "", attributes: str = "") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'.encode()


def refusal(image: bytes) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        clean_svg(image)
    return caught.value.faults[0].code, caught.value.faults[0].detail


# --- the document -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (b"", "xml"),
        (b"<svg>", "xml"),
        (b"<svg/>", "svg"),
        (b'<html xmlns="http://www.w3.org/1999/xhtml"/>', "svg"),
        (b'<g xmlns="http://www.w3.org/2000/svg"><svg/></g>', "svg"),
        (LAUGHS.encode(), "xml-dtd"),
        (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd">' + svg(), "xml-dtd"),
        (b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + svg("&x;"), "xml-dtd"),
        (svg("&undefined;"), "xml"),
        (svg(' <a b="1" b="2"/>'), "xml"),
        (svg("\0"), "xml"),
        (svg().decode().encode("utf-16"), "xml"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + svg("caf\xe9"), "xml"),
        (b'<?xml version="1.0" encoding="UTF-7"?>' + svg(), "xml"),
        (svg("caf").replace(b"caf", b"caf\xe9"), "xml"),
    ],
)
def test_reading_refuses_a_document(image: bytes, code: str) -> None:
    for read in (unbake_svg, clean_svg):
        with pytest.raises(ValidationError) as caught:
            read(image)
        assert caught.value.faults[0].code == code


@pytest.mark.parametrize(
    "image",
    [
        svg() + bytes(MAX_FILE_BYTES),
        svg("<g/>" * MAX_ELEMENTS),
        svg("<g>" * MAX_DEPTH + "</g>" * MAX_DEPTH),
        svg("<g>" * 1_000_000),
        svg("<g " + " ".join(f'a{i}=""' for i in range(MAX_ATTRIBUTES + 1)) + "/>"),
        svg(f"<openbadges:credential>{'x' * (MAX_CREDENTIAL_BYTES + 1)}</openbadges:credential>", OB3),
    ],
    ids=["file", "elements", "depth", "unclosed", "attributes", "credential"],
)
def test_reading_refuses_what_passes_a_cap(image: bytes) -> None:
    with pytest.raises(TooLargeError):
        unbake_svg(image)


# --- what a picture may not do ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "named"),
    [
        ("<script>alert(1)</script>", "script"),
        ('<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>', "script"),
        ('<x:SCRIPT xmlns:x="urn:x">alert(1)</x:SCRIPT>', "SCRIPT"),
        ("<g><g><script/></g></g>", "script"),
        ("<foreignObject><p/></foreignObject>", "foreignObject"),
        ('<p xmlns="http://www.w3.org/1999/xhtml"/>', "element p"),
        ('<x:iframe xmlns:x="urn:x"/>', "iframe"),
        ('<a href="#x"><rect/></a>', "element a"),
        ('<animate attributeName="href" to="javascript:alert(1)"/>', "animate"),
        ('<set attributeName="onload" to="alert(1)"/>', "set"),
        ("<feImage/>", "feImage"),
        ("<audio/>", "audio"),
        (f"<{'x' * 100}/>", "strange name"),
        ('<rect onclick="alert(1)"/>', "onclick"),
        ('<rect ONCLICK="alert(1)"/>', "ONCLICK"),
        ('<rect x:onload="alert(1)" xmlns:x="urn:x"/>', "onload"),
        ('<use href="https://example.org/a.svg#x"/>', "href"),
        ('<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="other.svg#x"/>', "href"),
        ('<use xmlns:l="http://www.w3.org/1999/xlink" l:href="//example.org/a.svg#x"/>', "href"),
        ('<image href="file:///etc/passwd"/>', "href"),
        ('<image href="data:image/svg+xml;base64,PHN2Zy8+"/>', "href"),
        ('<image href="data:text/html;base64,AAAA"/>', "href"),
        ('<use href="data:image/png;base64,AAAA"/>', "href"),
        ('<use href="java&#10;script:alert(1)"/>', "href"),
        ('<rect fill="javascript:alert(1)"/>', "fill"),
        ('<rect src="x"/>', "src"),
        ('<g xml:base="https://example.org/"><use href="#x"/></g>', "base"),
        ('<rect fill="url(https://example.org/a.svg#x)"/>', "url"),
        ('<rect fill="URL( &quot;https://example.org/a.svg#x&quot; )"/>', "url"),
        ('<rect fill="url(#a) url(//example.org)"/>', "url"),
        ('<rect fill="u\\72l(https://example.org)"/>', "escape"),
        ('<rect style="fill: url(https://example.org/x)"/>', "url"),
        ('<rect style="background: image-set(&quot;https://example.org/x&quot; 1x)"/>', "function"),
        ('<rect style="b: \\75rl(https://example.org/x)"/>', "escape"),
        ('<style>@import "https://example.org/x.css";</style>', "import"),
        ("<style>@import/**/url(https://example.org/x.css);</style>", "url"),
        ("<style>rect { fill: u/**/rl(x) }</style>", "comment"),
        ("<style>@font-face { src: local(x) }</style>", "import"),
        ("<style>rect { fill: url(https://example.org/x) }</style>", "url"),
        ("<style><g/></style>", "elements inside"),
        ('<g id="a"><use href="#b"/><use href="#b"/></g><use href="#a"/>', "use"),
        ('<g id="a"><use href="#a"/></g>', "use"),
    ],
)
def test_cleaning_refuses_a_picture_and_names_why(inside: str, named: str) -> None:
    code, detail = refusal(svg(inside))
    assert code == "svg-active"
    assert named in detail


def test_baking_refuses_an_active_picture() -> None:
    with pytest.raises(ValidationError):
        bake_svg(svg("<script/>"), CREDENTIAL)


def test_cleaning_keeps_a_drawing() -> None:
    inside = (
        '<title>A &amp; B</title><defs><linearGradient id="a"><stop offset="0"/></linearGradient></defs>'
        '<style>.a { fill: url(#a); stroke: #fff }</style><rect class="a" fill="url(#a)" width="1"/>'
        '<text x="1">caf\u00e9 &lt; <tspan>b</tspan> c</text><use href="#a"/>'
        '<image href="data:image/png;base64,iVBORw0K"/>'
    )
    clean = clean_svg(svg(inside, 'viewBox="0 0 10 10"'))
    before, after = fromstring(svg(inside, 'viewBox="0 0 10 10"')), fromstring(clean)
    assert [(e.tag, e.attrib, e.text, e.tail) for e in before.iter()] == [
        (e.tag, e.attrib, e.text, e.tail) for e in after.iter()
    ]


def test_cleaning_leaves_out_what_only_editors_read() -> None:
    inside = (
        '<?xml-stylesheet href="https://example.org/x.css"?><!-- who drew it -->'
        "<metadata><r:RDF xmlns:r='urn:r'/></metadata>"
        '<e:view xmlns:e="urn:e"><rect/></e:view><text>a<e:b xmlns:e="urn:e"/>b</text>'
        '<rect e:label="x" xmlns:e="urn:e"/>'
    )
    assert clean_svg(svg(inside)) == clean_svg(svg("<text>ab</text><rect/>"))


def test_cleaning_twice_changes_nothing() -> None:
    clean = clean_svg((VECTORS / "unbaked_example.svg").read_bytes())
    assert clean_svg(clean) == clean


def test_cleaning_keeps_a_local_xlink() -> None:
    image = svg('<use xmlns:l="http://www.w3.org/1999/xlink" l:href="#a"/>')
    assert b'xlink:href="#a"' in clean_svg(image)


def test_attributes_cannot_break_out_of_their_quotes() -> None:
    clean = clean_svg(svg("<rect class='\"&gt;&lt;script&gt;&#10;'/>"))
    assert b"<script" not in clean
    assert fromstring(clean)[0].attrib == {"class": '"><script>\n'}


# --- what it carries ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (svg("<openbadges:credential>{}</openbadges:credential>" * 2, OB3), "baked-twice"),
        (
            svg(
                '<openbadges:credential>{}</openbadges:credential><b:assertion verify="https://a.example/"'
                ' xmlns:b="http://openbadges.org"/>',
                OB3,
            ),
            "baked-twice",
        ),
        (
            svg(f'<openbadges:assertion verify="{TOKEN.decode()}">{{}}</openbadges:assertion>', OB2),
            "baked-twice",
        ),
        (svg("<g><openbadges:credential>{}</openbadges:credential></g>", OB3), "baked-element"),
        (svg("<svg><openbadges:credential>{}</openbadges:credential></svg>", OB3), "baked-element"),
        (svg("<openbadges:credential><g/>{}</openbadges:credential>", OB3), "baked-element"),
        (svg("<openbadges:credential/>", OB3), "baked-element"),
        (svg("<openbadges:credential> \n </openbadges:credential>", OB3), "baked-element"),
    ],
)
def test_unbaking_refuses_an_image(image: bytes, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        unbake_svg(image)
    assert caught.value.faults[0].code == code


def test_an_unbaked_image_carries_nothing() -> None:
    assert unbake_svg(svg("<credential>{}</credential>")) is None
    assert unbake_svg(svg("<openbadges:credential>{}</openbadges:credential>", OB2)) is None
    assert unbake_svg((VECTORS / "unbaked_example.svg").read_bytes()) is None


def test_what_the_picture_does_is_not_looked_at_when_reading() -> None:
    image = svg("<openbadges:credential>{}</openbadges:credential><script/>", OB3)
    assert unbake_svg(image) == Baked(Standard.OPEN_BADGES_3, b"{}")


@pytest.mark.parametrize(
    "credential",
    [
        CREDENTIAL,
        TOKEN,
        b"eyJhbGciOiJFZERTQSJ9.eyJpZCI6MX0.c2ln~WyJzYWx0Il0~",
        b'\r\n{"a":\r"b",\t\n"c": "]]> ]] ]]&gt; <![CDATA["}\r\n',
        '{"a": "\U0001f393\x7f\u0085\u2028"}'.encode(),
    ],
)
def test_baked_bytes_come_back(credential: bytes) -> None:
    assert unbake_svg(bake_svg(svg("<rect/>"), credential)) == Baked(Standard.OPEN_BADGES_3, credential)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers(0, 99), max_size=4))
def test_any_json_comes_back_or_is_refused(value: dict[str, object]) -> None:
    credential = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        baked = bake_svg(svg(), credential)
    except (StrictJsonError, ValidationError):
        return
    assert unbake_svg(baked) == Baked(Standard.OPEN_BADGES_3, credential)


@pytest.mark.parametrize("standard", list(Standard))
def test_each_standard_has_its_element(standard: Standard) -> None:
    assert unbake_svg(bake_svg(svg(), TOKEN, standard)) == Baked(standard, TOKEN)


@pytest.mark.parametrize("character", ["\ufffe", "\uffff"])
def test_baking_refuses_a_character_that_xml_has_not(character: str) -> None:
    with pytest.raises(ValidationError) as caught:
        bake_svg(svg(), json.dumps({"a": character}, ensure_ascii=False).encode())
    assert caught.value.faults[0].code == "credential"


def test_baking_has_the_form_of_the_specification() -> None:
    """Open Badges 3.0, section 5.3.2.1: namespace on svg, the element right behind it, CDATA or verify."""
    start = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg"'
        b' xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0" viewBox="0 0 512 512">'
    )
    image = svg("<rect></rect>", 'viewBox="0 0 512 512"')
    json_baked, token_baked = bake_svg(image, b"{}"), bake_svg(image, TOKEN)
    assert json_baked == (
        start + b"<openbadges:credential><![CDATA[{}]]></openbadges:credential><rect></rect></svg>\n"
    )
    assert token_baked == (
        start
        + b'<openbadges:credential verify="'
        + TOKEN
        + b'"></openbadges:credential><rect></rect></svg>\n'
    )


def test_baking_replaces_what_was_baked_before() -> None:
    once = bake_svg(svg("<rect/>"), CREDENTIAL, Standard.OPEN_BADGES_2)
    assert bake_svg(once, TOKEN) == bake_svg(svg("<rect/>"), TOKEN)


def test_an_image_baked_by_others_gives_its_assertion() -> None:
    """tests/vectors/README.md, open-badges-images."""
    baked = unbake_svg((VECTORS / "baked_example.svg").read_bytes())
    assert baked is not None
    assert baked.standard is Standard.OPEN_BADGES_2
    assert json.loads(baked.text)["uid"] == "abcdef12345"


def test_a_legacy_address_is_given() -> None:
    image = svg('<openbadges:assertion verify="https://example.org/1"/>', OB2)
    assert unbake_svg(image) == Baked(Standard.OPEN_BADGES_2, b"https://example.org/1")


def test_a_token_in_both_places_is_one_credential() -> None:
    token = TOKEN.decode()
    image = svg(f'<openbadges:assertion verify="{token}"><![CDATA[{token}]]></openbadges:assertion>', OB2)
    assert unbake_svg(image) == Baked(Standard.OPEN_BADGES_2, TOKEN)
