"""Certificates: what is on them and in them, in every script, and what is refused by name."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import typst
from PIL import Image, ImageChops

import registry.typesetting as package
from registry.credentials.carriers.images import default_badge
from registry.credentials.certificates.drawing import Design, data_of, draw, sources_of
from registry.credentials.certificates.words import WORDS
from registry.errors import ValidationError
from registry.typesetting.pdf import fonts
from tests.unit.credentials.certificates import CREDENTIAL, PROOF, certificate

FONTS = Path(package.__path__[0]) / "fonts"
SCRIPTS = {
    "Latin": "Ąžuolė Ñandú Þórr Ğül ß ő",
    "Greek": "Ὀδυσσεύς Ελληνικά",
    "Cyrillic": "Щерба Їжак Ђурић",
    "Arabic": "عائشة بنت أحمد",
    "Hebrew": "שָׁלוֹם עולם",
    "Devanagari": "देवनागरी क्षेत्रज्ञ",
}


def drawn(shown: Any, page: int = 0) -> Image.Image:
    """A page as a picture."""
    files: Any = {**sources_of(shown), "data.json": json.dumps(data_of(shown)).encode()}
    made = typst.compile(files, format="png", ppi=72, font_paths=fonts())
    pages = made if isinstance(made, list) else [made]
    return Image.open(io.BytesIO(pages[page])).convert("L")


def ink(picture: Image.Image) -> int:
    """How many pixels are not white."""
    return sum(picture.point(lambda value: value < 200).histogram()[1:])


def opened(data: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(data))


# --- refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["achievement", "criteria", "issuer", "description", "holder"])
def test_name_or_word_that_is_too_long_for_the_format_is_refused(member: str) -> None:
    with pytest.raises(ValidationError, match=r"32,767 bytes") as caught:
        draw(replace(certificate(), **{member: "a" * 33_000}))
    assert caught.value.faults[0].code == "long"


@pytest.mark.parametrize(
    ("member", "text", "named"),
    [
        ("holder", "Ada \U0001f600", "\U0001f600 (U+1F600), which stands in: holder"),
        ("achievement", "中文", "(U+4E2D)"),
        ("description", "ก", "(U+0E01), which stands in: description"),
        ("issuer", "日本", "which stands in: issuer"),
        ("results", [("Result", "\U0001f389")], "which stands in: results"),
    ],
)
def test_character_without_a_font_is_named_with_its_place(member: str, text: Any, named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        draw(certificate(**{member: text}))
    assert named in str(caught.value)
    assert [fault.code for fault in caught.value.faults] == ["glyph"]


@pytest.mark.parametrize("member", ["holder", "achievement", "description", "criteria", "issuer", "credits"])
def test_markup_in_a_text_stays_a_text(member: str) -> None:
    hostile = (
        '#eval("1") #image("/etc/passwd") $x$ *b* _i_ `c` \\ @ref <label> // /* "]) #set page(width: 1pt)'
    )
    data = draw(certificate(**{member: hostile}))
    with opened(data) as pdf:
        assert len(pdf.pages) == 1
        assert [round(float(side)) for side in pdf.pages[0].mediabox] == [0, 0, 842, 595]


# --- what is in it ------------------------------------------------------------------------------------------


def test_credential_and_proof_are_attached_as_they_are() -> None:
    with opened(draw(certificate())) as pdf:
        found = {name: spec.get_file().read_bytes() for name, spec in pdf.attachments.items()}
        relations = {name: str(spec.obj.AFRelationship) for name, spec in pdf.attachments.items()}
    assert found == {"credential.json": CREDENTIAL, "rootmark-proof.json": PROOF}
    assert relations == {"credential.json": "/Source", "rootmark-proof.json": "/Data"}


def test_it_says_that_it_is_pdf_a_3b() -> None:
    with opened(draw(certificate())) as pdf, pdf.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")
        assert "Medication Records" in str(metadata["dc:title"])
        assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
        fonts_used = [
            font for page in pdf.pages for font in page.Resources.Font.values() if "/DescendantFonts" in font
        ]
        assert fonts_used
        for font in fonts_used:
            descriptor = font.DescendantFonts[0].FontDescriptor
            assert "/FontFile2" in descriptor or "/FontFile3" in descriptor


def test_same_certificate_gives_the_same_bytes_and_another_does_not() -> None:
    first = draw(certificate())
    assert draw(certificate()) == first
    assert draw(certificate(holder="Grace Hopper")) != first


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("language", WORDS)
def test_every_script_is_drawn(script: str, language: str) -> None:
    design = Design(language=language)
    shown = certificate(holder=SCRIPTS[script], achievement=SCRIPTS[script], design=design)
    with opened(draw(shown)) as pdf:
        assert len(pdf.pages) == 1
    without = replace(shown, holder=" ", achievement=" ")
    assert ink(drawn(shown)) > ink(drawn(without)) + 300


def test_name_that_is_not_shown_is_not_there() -> None:
    difference = ImageChops.difference(drawn(certificate()), drawn(certificate(holder=None)))
    assert difference.getbbox() is not None
    data = json.dumps(data_of(certificate(holder=None)))
    assert "Lovelace" not in data


def test_long_texts_go_on_overleaf_and_nothing_is_cut() -> None:
    long = "A course of forty weeks, with a project in every one of them. " * 80
    with opened(draw(certificate(description=long))) as pdf:
        assert len(pdf.pages) > 1
    assert ink(drawn(certificate(description=long), page=1)) > 3000


def test_test_chain_is_said_on_it() -> None:
    real = json.dumps(data_of(certificate(test_chain=False)))
    assert "test chain" not in real
    assert ImageChops.difference(drawn(certificate()), drawn(certificate(test_chain=False))).getbbox()


def test_issuers_design_is_on_it() -> None:
    design = Design("#a01020", "Diploma", "1 College Road", ("R. Green, Dean",), "de", default_badge("x"))
    assert len(draw(certificate(design=design))) > len(draw(certificate()))
    assert "logo.svg" in sources_of(certificate(design=design))
    text = json.dumps(data_of(certificate(design=design)))
    assert all(word in text for word in ("#a01020", "Diploma", "1 College Road", "R. Green, Dean"))
    assert "Ausgestellt am 10. November 2026" in text
    assert "wird" not in json.dumps(data_of(certificate()))


def test_time_of_the_file_is_the_credentials() -> None:
    with opened(draw(certificate(issued=datetime(2020, 2, 3, tzinfo=UTC)))) as pdf:
        assert "2020-02-03" in str(pdf.open_metadata()["xmp:CreateDate"])


def test_fonts_are_those_that_their_list_names() -> None:
    listed = (FONTS / "README.md").read_text(encoding="utf-8")
    files = sorted(FONTS.glob("*.ttf"))
    assert len(files) == 8
    for file in files:
        assert f"| `{file.name}` | `{sha256(file.read_bytes()).hexdigest()}` |" in listed
