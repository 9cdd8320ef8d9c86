"""Filling a template gives what the full way gives, or is refused."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.credentials.rdf import ContextStore
from registry.credentials.rdf.compiling import Compiler, is_cheap
from registry.credentials.rdf.expansion import Expander
from registry.credentials.rdf.naming import first_degree_hash, names
from registry.credentials.rdf.shape import Shape, ShapeReader
from registry.credentials.rdf.template import NotFillableError, Template
from registry.credentials.rdf.template_cache import MAX_SHAPES, MAX_VARIANTS, TemplateCache
from registry.credentials.rdf.terms import canonical_n_quads, quad
from registry.errors import RootmarkError, TooComplexError, UnknownContextError
from registry.ports.documents import RdfHash
from tests.unit.credentials.rdf.samples import (
    DATA_INTEGRITY,
    EXAMPLES,
    OB3,
    VC1,
    VC2,
    badge,
    changed,
    expander,
    full_way,
    proof_configuration,
)

STORE = ContextStore()
READER = ShapeReader(STORE)
TERMS = STORE.vocabulary.terms

PRESENTATION: dict[str, Any] = {
    "@context": [VC2],
    "id": "urn:uuid:1",
    "type": ["VerifiablePresentation"],
    "holder": "did:example:holder",
    "verifiableCredential": [
        {
            "@context": [VC2, OB3],
            "id": "urn:uuid:4",
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "issuer": "did:example:issuer",
            "credentialSubject": {
                "id": "did:example:subject",
                "type": "EndorsementSubject",
                "endorsementComment": "Good.",
            },
            "proof": {**proof_configuration(), "@context": [VC2, OB3], "proofValue": "z1"},
        },
        {
            "@context": [VC2, OB3],
            "id": "data:application/vc+jwt,e30",
            "type": "EnvelopedVerifiableCredential",
        },
    ],
}
OLD: dict[str, Any] = {
    "@context": [VC1, EXAMPLES, DATA_INTEGRITY],
    "id": "http://school.example/1",
    "type": ["VerifiableCredential"],
    "issuer": "did:example:issuer",
    "issuanceDate": "2020-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:s", "degree": {"type": "BachelorDegree", "name": "B"}},
    "proof": {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "proofPurpose": "assertionMethod",
        "verificationMethod": "did:example:issuer#k",
    },
}
MANY_KINDS: dict[str, Any] = {
    "@context": [VC2, OB3, EXAMPLES],
    "id": "urn:uuid:3",
    "type": ["VerifiableCredential"],
    "issuer": "did:example:issuer",
    "credentialSubject": {
        "json": {"@type": "@json", "@value": {"a": "text", "id": "x"}},
        "double": {"@type": "http://www.w3.org/2001/XMLSchema#double", "@value": "15"},
        "typed": {"@type": "http://www.w3.org/2001/XMLSchema#integer", "@value": "text"},
        "tongue": {"@value": "text", "@language": "EN-gb", "@direction": "rtl"},
        "names": ["one", "two", "one", {"@value": "one"}],
        "listed": {"@list": ["a", "b"]},
        "same": [{"id": "urn:same", "name": "x"}, {"id": "urn:same", "name": "y"}],
        "nested": [[["deep"]]],
        "numbers": [1, 1.0, True, 1.5, None, -0.0],
        "xsd:thing": "urn:a:b",
    },
    "relatedResource": {"id": "https://x.example/r", "digestSRI": "sha256-x", "mediaType": "text/plain"},
    "termsOfUse": {"type": "TrustFrameworkPolicy", "id": "urn:terms"},
}
DOCUMENTS = [badge(), proof_configuration(), PRESENTATION, OLD, MANY_KINDS]

TRICKY = [
    "",
    " ",
    "text",
    "Note: this is",
    "1",
    "1e5",
    "NaN",
    "true",
    "null",
    "@id",
    "@type",
    "@json",
    "@nonsense",
    "_:b0",
    "_:",
    ":",
    "a:",
    "a:b",
    "urn:x",
    "URN:x",
    "did:example:1",
    "xsd:string",
    "xsd://string",
    "schema:name",
    "schema://name",
    "type",
    "id",
    "name",
    "assertionMethod",
    "authentication",
    "https://schema.org/name",
    "https://x.example/a b",
    "https://x.example/\u00a0",
    "https://x.example/{x}",
    "https://x.example/%zz",
    "https://x.example/\n",
    "https://x.example/é",
    "https://x.example/e\u0301",
    "HTTPS://X.example",
    "//x.example",
    "../x",
    "#x",
    "?x",
    "x-relative-iri://without-a-base/x",
    "x-slot://0/1",
    "http://example.org/base/x",
    'quote " and \\ and \n and \t and \x00 \x7f \x80',
    "\ud800",
    "\ufffe\uffff",
    "é",
    "e\u0301",
    "😀",
    "\u202e",
    "https://school.example/achievements/1",
    "urn:same",
    "urn:uuid:5b0b3a1e-8c7f-4f4b-9a35-2f2f6f0f1a2b",
]
STRIDE = 7
"""Each tricky text goes to every seventh place; there are several texts of each kind."""

TEXTS = st.one_of(st.sampled_from(TRICKY), st.text(max_size=20), st.text("abc:/#@_", max_size=8))


def compiled(document: dict[str, Any], **options: Any) -> tuple[Template, tuple[int, ...]]:
    found = Compiler(expander(), READER, TERMS).compile(
        document, full_way(document), RdfHash.SHA256, **options
    )
    assert found is not None
    return Template(found.rows, TERMS), found.fixed


TEMPLATES = [(document, READER.read(document), *compiled(document)) for document in DOCUMENTS]


def with_leaves(document: dict[str, Any], leaves: dict[int, str]) -> dict[str, Any]:
    return READER.replaced(document, leaves.get)


def outcome(document: dict[str, Any], rdf_hash: RdfHash) -> bytes | None:
    """The full way's answer; None where it refuses."""
    try:
        return full_way(document, rdf_hash)
    except (RootmarkError, ValueError):
        return None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_filled_template_equals_the_full_way_or_is_refused(data: st.DataObject) -> None:
    document, shape, template, fixed = data.draw(st.sampled_from(TEMPLATES))
    free = [number for number in range(len(shape.leaves)) if number not in fixed]
    leaves = data.draw(st.dictionaries(st.sampled_from(free), TEXTS, min_size=1, max_size=6))
    rdf_hash = data.draw(st.sampled_from(RdfHash))
    renewed = with_leaves(document, leaves)
    read = READER.read(renewed)
    assert read.key == shape.key
    try:
        filled = template.n_quads(read.leaves, rdf_hash)
    except NotFillableError:
        return
    assert filled == outcome(renewed, rdf_hash)


@pytest.mark.parametrize("number", range(len(TEMPLATES)))
@pytest.mark.parametrize("place", range(len(TRICKY)), ids=[ascii(text) for text in TRICKY])
def test_tricky_text_equals_the_full_way_or_is_refused(place: int, number: int) -> None:
    document, shape, template, fixed = TEMPLATES[number]
    for leaf in range(place % STRIDE, len(shape.leaves), STRIDE):
        if leaf in fixed:
            continue
        renewed = with_leaves(document, {leaf: TRICKY[place]})
        try:
            filled = template.n_quads(READER.read(renewed).leaves, RdfHash.SHA256)
        except NotFillableError:
            continue
        assert filled == outcome(renewed, RdfHash.SHA256), shape.leaves[leaf]


def test_honest_award_of_a_known_shape_is_filled() -> None:
    document, _, template, fixed = TEMPLATES[0]
    assert fixed == ()
    award = changed(document, ["id"], "urn:uuid:9a0d1f5e-0000-4000-8000-000000000000")
    award["credentialSubject"]["identifier"][0]["identityHash"] = "sha256$ff"
    assert template.n_quads(READER.read(award).leaves, RdfHash.SHA256) == full_way(award)


def test_purpose_and_json_literals_and_doubles_are_fixed() -> None:
    for number, texts in ((1, {"assertionMethod"}), (4, {"text", "x", "15"})):
        _, shape, _, fixed = TEMPLATES[number]
        assert {shape.leaves[leaf] for leaf in fixed} == texts


def test_known_purpose_without_a_template_for_it_is_another_variant() -> None:
    cache = TemplateCache()
    document = proof_configuration()
    other = {**document, "proofPurpose": "authentication"}
    keep(cache, document)
    assert cache.find(READER.read(document)) is not None
    assert cache.find(READER.read(other)) is None
    keep(cache, other)
    known = cache.find(READER.read(other))
    assert known is not None
    assert known.template is not None
    assert known.template.n_quads(READER.read(other).leaves, RdfHash.SHA256) == full_way(other)


def keep(cache: TemplateCache, document: dict[str, Any]) -> None:
    shape = READER.read(document)
    found = Compiler(expander(), READER, TERMS).compile(
        document, full_way(document), RdfHash.SHA256, forced=cache.fixed(shape)
    )
    assert found is not None
    cache.keep(shape, {"rows": found.rows, "fixed": found.fixed, "cheap": found.cheap}, TERMS)


def test_blank_nodes_that_become_alike_are_named_by_the_whole_algorithm() -> None:
    document, _, template, _ = TEMPLATES[0]
    path = ["credentialSubject", "result", 0, "value"]
    for value in ("A", "95", "A", "B"):
        renewed = changed(document, path, value)
        for rdf_hash in RdfHash:
            filled = template.n_quads(READER.read(renewed).leaves, rdf_hash)
            assert filled == full_way(renewed, rdf_hash)


def test_blank_nodes_with_one_hash_get_no_names() -> None:
    assert names(["b", "a", "b"]) is None
    assert names(["b", "a", "c"]) == ["_:c14n1", "_:c14n0", "_:c14n2"]
    assert names([]) == []


def test_equal_lines_of_different_quads_are_both_hashed() -> None:
    line = "_:a <urn:p> _:z .\n"
    assert first_degree_hash([line] * 2, RdfHash.SHA256) == hashlib.sha256(line.encode() * 2).hexdigest()
    assert first_degree_hash(["b", "a"], RdfHash.SHA256) == hashlib.sha256(b"ab").hexdigest()


def test_quads_that_become_the_same_are_hashed_once() -> None:
    document = badge()
    document["credentialSubject"]["result"][0]["name"] = ["one", "two"]
    template, _ = compiled(document)
    for pair in (["one", "one"], ["one", "two"], ["two", "two"]):
        document["credentialSubject"]["result"][0]["name"] = pair
        for rdf_hash in RdfHash:
            filled = template.n_quads(READER.read(document).leaves, rdf_hash)
            assert filled == full_way(document, rdf_hash)


def test_percent_signs_in_fixed_and_in_free_texts_stay_as_they_are() -> None:
    document = badge(name="100 %s %% %(x)s")
    document["credentialSubject"]["id"] = "https://learner.example/%20"
    template, _ = compiled(document, forced=[READER.read(document).leaves.index("100 %s %% %(x)s")])
    renewed = changed(document, ["id"], "https://school.example/%25s")
    assert template.n_quads(READER.read(renewed).leaves, RdfHash.SHA256) == full_way(renewed)


def test_forced_leaf_is_no_slot() -> None:
    _, fixed = compiled(badge(), forced=[0, 3])
    assert fixed == (0, 3)


def test_template_that_does_not_give_back_its_own_document_is_not_used() -> None:
    found = Compiler(expander(), READER, TERMS).compile(badge(), b"something else", RdfHash.SHA256)
    assert found is None


def test_document_that_is_refused_gives_no_template() -> None:
    document = badge(hairColour="red")
    assert Compiler(expander(), READER, TERMS).compile(document, b"", RdfHash.SHA256) is None


def test_sha384_after_sha256_of_the_same_document_gives_other_names() -> None:
    _, shape, template, _ = TEMPLATES[0]
    for rdf_hash in (RdfHash.SHA256, RdfHash.SHA384, RdfHash.SHA256):
        assert template.n_quads(shape.leaves, rdf_hash) == full_way(badge(), rdf_hash)


def test_clique_of_blank_nodes_is_not_cheap_and_a_badge_is() -> None:
    link = ("i", "urn:p")
    clique = [
        (("b", str(one)), link, ("b", str(two)), None) for one in range(6) for two in range(6) if one != two
    ]
    assert not is_cheap(clique)
    assert not is_cheap([(("b", str(number)), link, ("i", "urn:o"), None) for number in range(201)])
    assert is_cheap(expander().quads(badge()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (badge(name=1), badge(name=1.0)),
        (badge(name=1), badge(name=True)),
        (badge(name=0.0), badge(name=-0.0)),
        (badge(name=None), badge(name="null")),
        (badge(name=["a"]), badge(name="a")),
        (badge(name=["a", "b"]), badge(name=["a", ["b"]])),
        (badge(type=["VerifiableCredential"]), badge()),
        (badge(**{"@context": [VC2]}), badge(**{"@context": VC2})),
        (badge(name={"@value": "a", "@language": "en"}), badge(name={"@value": "a", "@language": "de"})),
        (badge(**{"x": "", "1:xs": ""}), badge(**{"xs1": "", ":x": ""})),
    ],
)
def test_documents_that_differ_in_more_than_free_texts_have_different_shapes(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert READER.read(one).key != READER.read(other).key


def test_shape_does_not_depend_on_free_texts() -> None:
    assert READER.read(badge(name="a", id="urn:a")).key == READER.read(badge(name="b:c", id="")).key


def test_cache_is_bounded_in_shapes_and_variants() -> None:
    cache = TemplateCache()
    for number in range(MAX_SHAPES + 10):
        cache.keep(Shape(str(number), ()), None, TERMS)
    assert cache.find(Shape("0", ())) is None
    assert cache.find(Shape(str(MAX_SHAPES + 9), ())) is not None


def test_shape_with_many_variants_that_were_of_no_use_is_given_up() -> None:
    cache = TemplateCache()
    for number in range(MAX_VARIANTS):
        shape = Shape("shape", (str(number),))
        assert cache.worth_compiling(shape, expect_more=True)
        cache.keep(shape, {"rows": [], "fixed": [0], "cheap": True}, TERMS)
    assert not cache.worth_compiling(Shape("shape", ("new",)), expect_more=True)


def test_cache_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.credentials.rdf.template_cache.MAX_BYTES", 10_000)
    cache = TemplateCache()
    rows = [(("i", "urn:" + "s" * 3_000), ("i", "urn:p"), ("i", "urn:o"), None)]
    for number in range(5):
        cache.keep(Shape(str(number), ()), {"rows": rows, "fixed": [], "cheap": True}, TERMS)
    assert cache.find(Shape("0", ())) is None
    assert cache.find(Shape("4", ())) is not None


def test_single_document_is_worth_a_template_when_its_shape_comes_back() -> None:
    cache = TemplateCache()
    shape = READER.read(badge())
    assert not cache.worth_compiling(shape, expect_more=False)
    assert cache.worth_compiling(copy.deepcopy(shape), expect_more=False)


def test_iri_that_a_context_maps_to_nothing_is_not_filled_in() -> None:
    url = "https://operator.example/c"
    context = {
        "pick": {"@id": "https://x.example/pick", "@type": "@vocab"},
        "https://x.example/gone": None,
        "x": "https://x.example/",
    }
    store = ContextStore(texts={url: json.dumps({"@context": context})})
    reader, made = ShapeReader(store), Expander(store)
    document = badge(**{"@context": [VC2, OB3, url]}, pick="https://x.example/there")
    n_quads = canonical_n_quads(map(quad, made.quads(document)), RdfHash.SHA256)
    found = Compiler(made, reader, store.vocabulary.terms).compile(document, n_quads, RdfHash.SHA256)
    assert found is not None
    template = Template(found.rows, store.vocabulary.terms)
    for text in ("https://x.example/gone", "x:there", "name"):
        with pytest.raises(NotFillableError):
            template.n_quads(reader.read({**document, "pick": text}).leaves, RdfHash.SHA256)
    other = {**document, "pick": "https://x.example/elsewhere"}
    filled = template.n_quads(reader.read(other).leaves, RdfHash.SHA256)
    assert filled == canonical_n_quads(map(quad, made.quads(other)), RdfHash.SHA256)


def test_shared_objects_are_read_as_if_each_document_had_its_own() -> None:
    shared = badge()["credentialSubject"]["achievement"]
    documents = [badge(id=f"urn:uuid:{number}") for number in range(6)]
    for document in documents[:5]:
        document["credentialSubject"]["achievement"] = shared
    documents[4]["credentialSubject"]["result"] = [shared, [shared], shared]
    documents[5]["issuer"] = documents[4]["termsOfUse"] = {"type": [shared], "id": "urn:terms"}
    assert list(READER.read_many(documents)) == [READER.read(document) for document in documents]


def test_shared_object_with_an_unknown_context_is_refused_in_each_document() -> None:
    shared = {"@context": "https://unknown.example", "id": "urn:x"}
    with pytest.raises(UnknownContextError):
        list(READER.read_many([badge(evidence=[shared])] * 3))


def test_shared_object_is_refused_where_it_is_too_deep() -> None:
    shared = {"id": "urn:x"}
    deep: Any = shared
    for _ in range(64):
        deep = [deep]
    with pytest.raises(TooComplexError):
        list(READER.read_many([*[badge(evidence=[shared])] * 3, badge(evidence=deep)]))
