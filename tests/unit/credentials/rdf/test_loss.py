"""What expansion would lose is an error that names it; nothing that is lost gets through."""

from __future__ import annotations

from typing import Any

import pytest

from registry.credentials.rdf import ContextStore
from registry.credentials.rdf.shape import ShapeReader
from registry.errors import RootmarkError, UndefinedTermError, UnknownContextError, ValidationError
from tests.unit.credentials.rdf.samples import EXAMPLES, OB3, VC2, badge, changed, expander, full_way

DOUBLE = "http://www.w3.org/2001/XMLSchema#double"


def both_ways(document: dict[str, Any]) -> None:
    """What a canonicaliser does with a document of a new shape."""
    ShapeReader(ContextStore()).read(document)
    full_way(document)


def refused(document: dict[str, Any]) -> RootmarkError:
    """The error that ``document`` meets first."""
    with pytest.raises(RootmarkError) as caught:
        both_ways(document)
    return caught.value


@pytest.mark.parametrize(
    ("document", "named", "pointer"),
    [
        (badge(hairColour="red"), "hairColour", "/hairColour"),
        (badge(**{"a/b~c": 1}), "a/b~c", "/a~1b~0c"),
        (badge(**{"@future": "x"}), "@future", "/@future"),
        (badge(**{"": "x"}), "term", "/"),
        (changed(badge(), ["credentialSubject", "result", 0, "mark"], 1), "mark", None),
        (changed(badge(), ["type", 1], "Diploma"), "Diploma", "/type/1"),
        (changed(badge(), ["issuer", "type"], "Nobody"), "Nobody", "/issuer/type"),
        (badge(nullish=None), "nullish", "/nullish"),
        (badge(**{"@context": [VC2]}), "", None),
    ],
)
def test_undefined_term_is_named_with_its_place(
    document: dict[str, Any], named: str, pointer: str | None
) -> None:
    error = refused(document)
    assert isinstance(error, UndefinedTermError)
    assert named in str(error)
    if pointer is not None:
        assert error.faults[0].pointer == pointer


def test_term_that_a_default_vocabulary_cannot_take_is_named() -> None:
    error = refused(badge(**{"@context": [VC2, OB3, EXAMPLES], "white space": "x"}))
    assert isinstance(error, UndefinedTermError)
    assert error.faults[0].pointer == "/white space"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["id"], "badge-1"),
        (["id"], ""),
        (["id"], "../x"),
        (["id"], "//host.example/x"),
        (["id"], "#fragment"),
        (["id"], "@id"),
        (["id"], "@nonsense"),
        (["id"], "https://x.example/a b"),
        (["id"], "https://x.example/\u00a0"),
        (["id"], "x-relative-iri://without-a-base/x"),
        (["issuer", "id"], "school"),
        (["evidence", 0], "evidence"),
        (["evidence", 0, "id"], "1:"),
        (["credentialSubject", "achievement", "id"], "achievement 1"),
    ],
)
def test_relative_or_unusable_iri_is_refused_with_its_place(path: list[str | int], value: str) -> None:
    error = refused(changed(badge(), path, value))
    assert isinstance(error, UndefinedTermError)
    assert error.faults[0].pointer == "/" + "/".join(map(str, path))
    assert value == "" or value not in str(error)


@pytest.mark.parametrize(
    "document",
    [
        badge(**{"_:b0": "x"}),
        badge(proof="urn:only:an:id"),
        badge(proof={"id": "urn:only:an:id"}),
        badge(name={"@language": "en"}),
        badge(name={"@direction": "ltr"}),
        badge(name={"@value": None}),
        badge(name={"@value": None, "@language": "en"}),
        badge(name=[{"@value": "x"}, {"@value": None}]),
        {"@context": [VC2], "id": "urn:says:nothing"},
        {"@context": [VC2]},
        {},
    ],
)
def test_what_vanishes_without_a_term_is_refused(document: dict[str, Any]) -> None:
    assert isinstance(refused(document), UndefinedTermError)


@pytest.mark.parametrize(
    "keyword", ["@graph", "@included", "@index", "@nest", "@reverse", "@base", "@vocab", "@import", "@json"]
)
def test_keywords_that_credentials_do_not_use_are_refused(keyword: str) -> None:
    for document in (badge(**{keyword: {}}), changed(badge(), ["issuer", keyword], "x")):
        error = refused(document)
        assert isinstance(error, ValidationError)
        assert keyword in str(error)


@pytest.mark.parametrize(
    ("context", "pointer"),
    [
        ([VC2, OB3, {"hairColour": "https://x.example/h"}], "/@context/2"),
        ({"@vocab": "https://x.example/"}, "/@context"),
        ([VC2, None], "/@context/1"),
        (None, "/@context"),
        ([VC2, [OB3]], "/@context/1"),
    ],
)
def test_context_written_out_in_the_document_is_refused(context: Any, pointer: str) -> None:
    error = refused(badge(**{"@context": context}))
    assert isinstance(error, UnknownContextError)
    assert error.faults[0].pointer == pointer


def test_context_injected_into_a_nested_object_is_refused() -> None:
    error = refused(changed(badge(), ["issuer", "@context"], {"name": "https://x.example/other"}))
    assert isinstance(error, UnknownContextError)
    error = refused(changed(badge(), ["issuer", "@context"], "https://evil.example/c"))
    assert isinstance(error, UnknownContextError)
    assert error.faults[0].pointer == "/issuer/@context"


@pytest.mark.parametrize(
    "document",
    [
        badge(name={"@value": "x", "@language": "not a tag"}),
        badge(name={"@value": "x", "@language": 1}),
        badge(name={"@value": "x", "@direction": "down"}),
        badge(name={"@value": ["x"]}),
        badge(name={"@value": "x", "@type": "@id"}),
        badge(name={"@value": "x", "@language": "en", "@type": "urn:t"}),
        badge(name={"@value": 1, "@language": "en"}),
        badge(name={"@list": ["a"], "@value": "b"}),
        badge(type=None),
        badge(type=[1]),
        badge(type={"@value": "x"}),
        badge(id=None),
        badge(id=["urn:a"]),
        badge(**{"@id": "urn:a"}),
    ],
)
def test_what_is_not_json_ld_is_refused(document: dict[str, Any]) -> None:
    assert isinstance(refused(document), ValidationError)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), object(), b"x", (1,)])
def test_value_that_is_not_json_is_refused(number: Any) -> None:
    error = refused(changed(badge(), ["credentialSubject", "result", 0, "value"], number))
    assert error.faults[0].pointer == "/credentialSubject/result/0/value"


def test_protected_term_cannot_be_redefined_by_a_second_context() -> None:
    error = refused({**badge(), "@context": [VC2, "https://w3id.org/openbadges/v2"]})
    assert isinstance(error, ValidationError)


def test_nothing_is_lost_of_null_members_and_empty_arrays_which_say_nothing() -> None:
    assert full_way(badge(description=None, evidence=[])) == full_way(
        {name: value for name, value in badge().items() if name != "evidence"}
    )


def test_texts_that_differ_in_direction_only_are_both_kept() -> None:
    texts = [{"@value": "a", "@language": "EN", "@direction": side} for side in ("ltr", "rtl")]
    n_quads = full_way(badge(name=texts)).decode()
    assert '"a"^^<https://www.w3.org/ns/i18n#en_ltr>' in n_quads
    assert '"a"^^<https://www.w3.org/ns/i18n#en_rtl>' in n_quads


def test_json_literals_that_python_calls_equal_are_both_kept() -> None:
    literals = [{"@type": "@json", "@value": value} for value in ([1], [True], None, {"b": 1, "a": "é"})]
    n_quads = full_way(badge(name=literals)).decode()
    for text in ('"[1]"', '"[true]"', '"null"', '"{\\"a\\":\\"é\\",\\"b\\":1}"'):
        assert f"{text}^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>" in n_quads


def test_numbers_get_their_canonical_forms() -> None:
    path = ["credentialSubject", "result", 0, "value"]
    for value, text in ((5, '"5"'), (5.0, '"5"'), (5.5, '"5.5E0"'), (True, '"true"'), (-0.0, '"0"')):
        assert text in full_way(changed(badge(), path, value)).decode()


@pytest.mark.parametrize("text", ["", "text", "NaN", "INF", "Infinity", "1e999", "1_0", " 1", "1\n", "0x1"])
def test_text_typed_as_a_double_that_is_no_plain_number_is_refused(text: str) -> None:
    error = refused(badge(name={"@value": text, "@type": DOUBLE}))
    assert error.faults[0].code == "invalid-double"


def test_text_typed_as_a_double_is_written_as_a_number() -> None:
    assert f'"1.5E1"^^<{DOUBLE}>' in full_way(badge(name={"@value": "+15", "@type": DOUBLE})).decode()


def test_unchecked_expansion_raises_nothing_for_what_is_lost() -> None:
    assert expander().quads(badge(hairColour="red", id="x"), checked=False)
