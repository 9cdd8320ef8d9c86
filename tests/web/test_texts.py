"""Every text of the pages is in every language, and the catalogues have no text that no page has."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from api.web.texts import DEFAULT, LANGUAGES, LOCALES, texts_of
from tests.web.conftest import ROOT

WEB = ROOT / "api" / "web"
OTHERS = [language for language in LANGUAGES if language != DEFAULT]
SERVER = "server.po"
"""Sentences of the registry itself, which pages show: they stand in its code, not in pages."""


def wanted() -> set[str]:
    """The texts of templates and modules."""
    methods = [("**.py", "python"), ("**.html", "jinja2")]
    options = {"**.html": {"trimmed": "true", "silent": "false"}}
    found = extract_from_dir(str(WEB), methods, options)
    texts: set[str] = set()
    for _, _, message, _, _ in found:
        texts.add(message if isinstance(message, str) else message[0])
    return texts


def translated(language: str) -> dict[str, list[tuple[str, str]]]:
    """By text, the file and the translation of each place that has it."""
    places: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted((LOCALES / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language, abort_invalid=True):
                if message.id:
                    key = message.id if isinstance(message.id, str) else message.id[0]
                    places[key].append((path.name, str(message.string)))
    return places


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_once_and_none_is_left_over(language: str) -> None:
    there, pages = translated(language), wanted()
    assert sorted(pages - set(there)) == []
    left_over = [
        text
        for text, places in there.items()
        if text not in pages and {name for name, _ in places} != {SERVER}
    ]
    assert left_over == []
    twice = {text: places for text, places in there.items() if len({value for _, value in places}) > 1}
    assert twice == {}


@pytest.mark.parametrize("language", OTHERS)
def test_sentences_of_the_registry_still_stand_in_its_code(language: str) -> None:
    path = LOCALES / language / SERVER
    if not path.exists():
        return
    code = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("registry", "api")
        for file in sorted((ROOT / folder).rglob("*.py"))
    )
    with path.open("rb") as file:
        gone = [message.id for message in read_po(file) if message.id and str(message.id) not in code]
    assert gone == []


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_is_a_place_holder(language: str) -> None:
    for text, places in translated(language).items():
        for _, translation in places:
            assert re.search(r"\w", translation) is not None or re.search(r"\w", text) is None, text


@pytest.mark.parametrize("language", OTHERS)
def test_translations_fill_in_the_same_values(language: str) -> None:
    def values(text: str) -> set[str]:
        return {part.partition(")")[0] for part in text.split("%(")[1:]}

    for text, places in translated(language).items():
        for _, translation in places:
            assert values(translation) == values(text) or values(translation) == set(), text


def test_templates_translate_nothing_as_html_but_what_stands_in_them() -> None:
    """What `_` gives counts as HTML, so a text that came from elsewhere would not be escaped."""
    for path in sorted((WEB / "templates").rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"(?<![\w.])_\((?![\"'])", text) == [], path


def test_dates_and_numbers_are_written_as_the_language_does() -> None:
    english, german = texts_of("en"), texts_of("de")
    assert english.time("2026-11-26T04:05:06Z") == "26 Nov 2026, 04:05:06 UTC"
    assert german.time("2026-11-26T04:05:06Z") == "26 Nov. 2026, 04:05:06 UTC"
    assert english.date("2026-11-26T23:59:59Z") == "November 26, 2026"
    assert german.date("2026-11-26T23:59:59Z") == "26. November 2026"
    assert english.number(12345.5) == "12,345.5"
    assert german.number(12345.5) == "12.345,5"
    assert english.date(None) == ""
    french, spanish = texts_of("fr"), texts_of("es")
    assert french.date("2026-11-26T23:59:59Z") == "26 novembre 2026"
    assert spanish.date("2026-11-26T23:59:59Z") == "26 de noviembre de 2026"
    assert french.number(12345.5) == "12\u202f345,5"
    assert spanish.number(12345.5) == "12.345,5"


def test_plural_is_the_languages_own() -> None:
    forms = ("%(n)s day", "%(n)s days")
    assert [texts_of("en").ngettext(*forms, count)[-1] for count in (0, 1, 2, 1_000_000)] == [
        "s",
        "y",
        "s",
        "s",
    ]
    french = [texts_of("fr").ngettext(*forms, count) for count in (0, 1, 2, 1_000_000)]
    assert french == ["%(n)s jour", "%(n)s jour", "%(n)s jours", "%(n)s jours"]
    assert texts_of("es").ngettext(*forms, 1_000_000) == texts_of("es").ngettext(*forms, 2)
