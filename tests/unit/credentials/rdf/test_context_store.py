"""Contexts: what is bundled is what is pinned, what the operator adds is pinned when first used, no more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.credentials.rdf import ContextStore, RdfCanonicalizer, bundled_addresses
from registry.credentials.rdf import context_store as module
from registry.errors import ConfigurationError, DefectError, UnknownContextError
from tests.unit.credentials.rdf.samples import OB3, VC1, VC2, badge

URL = "https://operator.example/context.json"
OTHER = "https://operator.example/other.json"


def directory(tmp_path: Path, index: object, **files: object) -> Path:
    (tmp_path / "contexts.json").write_text(json.dumps(index))
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_unknown_context_is_named() -> None:
    with pytest.raises(UnknownContextError, match=r"https://unknown\.example/v1") as caught:
        ContextStore().get("https://unknown.example/v1", "/@context/1")
    assert caught.value.faults[0].pointer == "/@context/1"


def test_long_and_unprintable_addresses_are_shown_cut_and_in_ascii() -> None:
    with pytest.raises(UnknownContextError) as caught:
        ContextStore().get("https://x.example/\u202e" + "a" * 1000)
    assert "\u202e" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_damaged_bundled_file_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    module._bundled.cache_clear()
    monkeypatch.setitem(module._FILES, "credentials-v2", "00" * 32)
    try:
        with pytest.raises(DefectError, match=r"credentials-v2\.json"):
            ContextStore().get(VC2)
    finally:
        module._bundled.cache_clear()


def test_every_bundled_address_gives_a_context() -> None:
    store = ContextStore()
    for url in bundled_addresses():
        assert "@context" in store.document(url)


def test_every_bundled_file_is_pinned_and_every_pin_has_its_file() -> None:
    folder = Path(module.__file__).with_name("contexts")
    assert {path.stem for path in folder.glob("*.json")} == set(module._FILES)
    assert set(module._FILES) == set(module._ADDRESSES.values())


def test_data_model_contexts_are_the_bytes_that_the_recommendations_name() -> None:
    store = ContextStore()
    assert store.get(VC1).sha256 == "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc"
    assert store.get(VC2).sha256 == "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"


def test_changing_a_document_leaves_the_store_as_it_is() -> None:
    store = ContextStore()
    store.document(VC2).clear()
    assert "@context" in store.document(VC2)


@pytest.mark.parametrize(
    ("index", "files"),
    [
        ([], {}),
        ({VC2: "a.json"}, {"a": {"@context": {}}}),
        ({URL: "missing.json"}, {}),
        ({URL: "../a.json"}, {}),
        ({URL: ".."}, {}),
        ({URL: 1}, {}),
        ({URL: "a.json"}, {"a": {"no": "context"}}),
        ({URL: "a.json"}, {"a": []}),
        ({f"{URL}?{number}": "a.json" for number in range(101)}, {"a": {"@context": {}}}),
    ],
)
def test_malformed_operator_directory_is_refused(
    tmp_path: Path, index: object, files: dict[str, object]
) -> None:
    with pytest.raises(ConfigurationError):
        ContextStore(directory(tmp_path, index, **files))


def test_directory_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"contexts\.json"):
        ContextStore(tmp_path)


def test_operator_file_with_duplicate_keys_or_too_large_is_refused(tmp_path: Path) -> None:
    path = directory(tmp_path, {URL: "a.json"}) / "a.json"
    path.write_text('{"@context": {}, "@context": {"a": "urn:a"}}')
    with pytest.raises(ConfigurationError):
        ContextStore(tmp_path)
    path.write_text('{"@context": {}, "x": "' + "a" * (1 << 20) + '"}')
    with pytest.raises(ConfigurationError):
        ContextStore(tmp_path)


def test_operator_context_whose_pin_differs_is_refused_and_named(tmp_path: Path) -> None:
    store = ContextStore(directory(tmp_path, {URL: "a.json"}, a={"@context": {}}), lambda url, sha256: "00")
    for _ in range(2):
        with pytest.raises(UnknownContextError, match=URL):
            store.get(URL)


def test_operator_contexts_are_pinned_when_first_used_with_what_they_name(tmp_path: Path) -> None:
    pinned: dict[str, str] = {}
    files = {"a": {"@context": [OTHER, {"a": "urn:a"}]}, "b": {"@context": {"b": "urn:b"}}}
    store = ContextStore(directory(tmp_path, {URL: "a.json", OTHER: "b.json"}, **files), pinned.setdefault)
    assert pinned == {}
    store.get(URL)
    store.get(URL)
    assert set(pinned) == {URL, OTHER}
    assert pinned[URL] == store.get(URL).sha256


def test_document_with_an_operator_context_is_canonicalised(tmp_path: Path) -> None:
    store = ContextStore(
        directory(tmp_path, {URL: "a.json"}, a={"@context": {"weldingMachine": "https://x.example/m"}})
    )
    document = badge(**{"@context": [VC2, OB3, URL]}, weldingMachine="MIG 200")
    with RdfCanonicalizer(store) as canonicalizer:
        assert b'<https://x.example/m> "MIG 200"' in canonicalizer.n_quads(document)


def test_operator_context_that_names_an_unknown_one_is_refused(tmp_path: Path) -> None:
    store = ContextStore(directory(tmp_path, {URL: "a.json"}, a={"@context": ["https://gone.example/c"]}))
    document = badge(**{"@context": [VC2, OB3, URL]})
    with (
        RdfCanonicalizer(store) as canonicalizer,
        pytest.raises(UnknownContextError, match=r"https://gone\.example/c"),
    ):
        canonicalizer.n_quads(document)


def test_alias_of_an_alias_stands_for_the_keyword(tmp_path: Path) -> None:
    context = {"@context": {"art": "sort", "sort": "@type", "zahl": {"@id": "urn:z"}}}
    store = ContextStore(directory(tmp_path, {URL: "a.json"}, a=context))
    assert store.vocabulary.aliases["art"] == {"@type"}
    assert "zahl" not in store.vocabulary.aliases
    assert "zahl" in store.vocabulary.terms
