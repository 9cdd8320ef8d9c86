"""Properties of strict and canonical JSON and of base58: one value, one text; nothing changes silently;
nothing crashes."""

from __future__ import annotations

import json
from typing import Any

import base58
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.encoding import (
    MAX_SAFE_INTEGER,
    DigestMethod,
    StrictJsonError,
    canonical_json,
    credential_digest,
    parse_base58btc,
    parse_json,
    to_base58btc,
)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
numbers = st.one_of(
    st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER),
    st.floats(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER, allow_nan=False, allow_subnormal=True),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(texts, inner, max_size=5)),
    max_leaves=25,
)
objects = st.dictionaries(texts, values, max_size=6)


@settings(deadline=None)
@given(values)
def test_canonical_form_is_a_fixed_point(value: Any) -> None:
    once = canonical_json(value)
    assert canonical_json(parse_json(once)) == once


@settings(deadline=None)
@given(values)
def test_canonical_form_keeps_the_value(value: Any) -> None:
    assert parse_json(canonical_json(value)) == value


@settings(deadline=None)
@given(values, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_canonical_form_does_not_depend_on_spelling(value: Any, ascii_only: bool, indent: Any) -> None:
    spelled = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert canonical_json(parse_json(spelled)) == canonical_json(value)


# Names around the surrogates, where code points and UTF-16 code units sort differently; every control.
edge_texts = st.text(
    st.sampled_from(
        'aZ\x00\x01\x08\t\n\x0b\x0c\r\x1f"\\/\x7f\x80\u2028\ud7ff\ue000\uffff\U00010000\U0010ffff'
    ),
    max_size=4,
)
edge_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER), edge_texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(edge_texts, inner, max_size=4)),
    max_leaves=15,
)


@settings(deadline=None, max_examples=300)
@given(st.one_of(edge_values, values))
def test_canonical_form_is_that_of_the_reference_implementation(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@settings(deadline=None)
@given(objects, values)
def test_digest_ignores_the_top_level_proof_only(credential: dict[str, Any], proof: Any) -> None:
    without = {name: value for name, value in credential.items() if name != "proof"}
    method = DigestMethod.JCS_SHA256
    assert credential_digest({**credential, "proof": proof}, method) == credential_digest(without, method)
    nested = {**without, "nested": {"proof": proof}}
    assert credential_digest(nested, method) != credential_digest({**without, "nested": {}}, method)


def _accepts(data: bytes) -> bool:
    try:
        parse_json(data)
    except StrictJsonError:
        return False
    return True


@settings(deadline=None)
@given(
    st.one_of(st.binary(max_size=40), st.text(max_size=40).map(lambda text: text.encode(errors="replace")))
)
def test_any_bytes_are_parsed_or_refused_and_never_crash(data: bytes) -> None:
    if _accepts(data):
        json.loads(data.decode())


json_noise = st.lists(
    st.sampled_from(
        [
            *'[]{},:" ',
            '\\"',
            "\\\\",
            "\\u0061",
            "\\ud83d",
            "\\ude00",
            "1",
            "-",
            "0.5",
            "e9",
            "NaN",
            "null",
            "a",
            "\n",
        ]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=500, deadline=None)
@given(json_noise)
def test_what_is_accepted_is_what_the_standard_parser_reads(text: str) -> None:
    try:
        value = parse_json(text.encode())
    except StrictJsonError:
        return
    assert json.loads(text, parse_constant=lambda name: None) == value


@settings(max_examples=300, deadline=None)
@given(json_noise, st.integers(0, 40))
def test_deep_nesting_behind_noise_never_reaches_the_recursion_limit(noise: str, shift: int) -> None:
    parse_or_refuse = noise[:shift] + "[" * 3000 + noise[shift:]
    assert not _accepts(parse_or_refuse.encode()) or '"' in noise


@settings(deadline=None)
@given(objects, texts, values)
def test_repeated_name_is_refused_wherever_it_stands(members: dict[str, Any], name: str, value: Any) -> None:
    pairs = [*members.items(), (name, value), (name, value)]
    inner = ",".join(f"{json.dumps(key)}:{json.dumps(item)}" for key, item in pairs)
    for text in (f"{{{inner}}}", f'[0,{{"x":[{{{inner}}}]}}]'):
        assert not _accepts(text.encode())


@settings(deadline=None)
@given(
    st.integers(MAX_SAFE_INTEGER + 1, 10**400),
    st.sampled_from(["{}", "-{}", "{}.0", "{}e0", "{}0E-1", "{}e3"]),
)
def test_number_over_the_limit_is_refused_however_it_is_written(number: int, shape: str) -> None:
    assert not _accepts(shape.format(number).encode())
    assert not _accepts(f'{{"a":[true,{shape.format(number)}]}}'.encode())


@settings(deadline=None)
@given(st.text(st.characters(categories=["Cs"]), min_size=1, max_size=1), texts)
def test_lone_surrogate_is_refused_escaped_and_raw(surrogate: str, around: str) -> None:
    escaped = json.dumps(around)[:-1] + json.dumps(surrogate)[1:]
    assert not _accepts(escaped.encode())
    raw = f'"{surrogate}"'.encode("utf-8", "surrogatepass")
    assert not _accepts(raw)


@settings(deadline=None)
@given(st.builds(lambda zeros, rest: bytes(zeros) + rest, st.integers(0, 40), st.binary(max_size=200)))
def test_base58_is_what_the_library_writes_and_is_read_back(value: bytes) -> None:
    text = to_base58btc(value)
    assert text == "z" + base58.b58encode(value).decode()
    if value:
        assert parse_base58btc(text, max_characters=400) == value
