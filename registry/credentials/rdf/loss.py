"""What a JSON-LD processor would drop or change without a word, as errors that name it.

RDF has no place for terms that no context defines, for relative IRIs, for blank nodes as predicates, for
values that hang on nothing, and for ``@index``; processors leave these out, so a signature over the RDF would
not cover them. The list follows what jsonld.js calls safe mode, and adds nodes and values that would vanish
inside graph containers. A member that is null, or an empty array, says nothing and is no loss.

Messages name terms, never values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyld import iri_resolver

from registry.credentials.rdf.context_store import Vocabulary
from registry.credentials.rdf.keywords import LOOKS_LIKE_KEYWORD, RELATIVE_BASE, is_absolute_iri, shown
from registry.encoding import JsonValue
from registry.errors import Fault, RootmarkError, UndefinedTermError, ValidationError

_LANGUAGE = re.compile(r"[a-z]{1,8}(-[a-z0-9]{1,8})*\Z")

Place = tuple[str, str | None, JsonValue]
"""A pointer, the key that it ends in (None for an array's entry), and the value there."""


def dropped_property(document: Mapping[str, JsonValue], name: str | None) -> UndefinedTermError:
    """The error for a member that expansion drops. ``name`` is what its key expands to, which is the key
    itself unless a context has a default vocabulary, and None for a key that looks like a keyword or that a
    context maps to null."""

    def is_it(key: str) -> bool:
        return key == name if name is not None else LOOKS_LIKE_KEYWORD.match(key) is not None

    def ends_it(key: str) -> bool:
        return name is not None and key != "" and name.endswith(key)

    for test in (is_it, ends_it):
        for pointer, key, _ in _members(document):
            if key is not None and test(key):
                return _undefined(f"no context defines the term {shown(key)}", pointer)
    return _undefined("a context maps a term of the document to nothing", "")


def refuse_loss(document: Mapping[str, JsonValue], expanded: list[Any], vocabulary: Vocabulary) -> None:
    """Compare a document with what expansion made of it.

    Raises:
        UndefinedTermError: something is lost, or an IRI is relative.
        ValidationError: a language tag is not one.
    """
    _refuse_empty_text(document, vocabulary)
    if not expanded:
        raise _undefined("the document says nothing", "")
    for item in expanded:
        _check_free(document, item)
    waiting: list[Any] = list(expanded)
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(_checked_members(document, item))


def _checked_members(document: Mapping[str, JsonValue], item: dict[str, Any]) -> Iterator[Any]:
    if "@index" in item:
        raise _undefined("@index is not signed, and is not taken", "")
    if "@value" in item:
        _check_value(document, item)
        return
    for key, value in item.items():
        if key == "@id":
            _require_iri(document, value, blank=True)
        elif key == "@type":
            for each in value:
                _require_iri(document, each, blank=True)
        elif key == "@graph":
            for each in value:
                _check_free(document, each)
            yield value
        else:
            if not key.startswith("@"):
                _require_iri(document, key, blank=False)
            yield value


def _check_value(document: Mapping[str, JsonValue], item: dict[str, Any]) -> None:
    kind = item.get("@type")
    if kind is not None and kind != "@json":
        _require_iri(document, kind, blank=False)
    language = item.get("@language")
    if language is not None and not (isinstance(language, str) and _LANGUAGE.match(language)):
        detail = "a language tag is malformed"
        raise ValidationError(detail, faults=[Fault("invalid-language", detail, "")])


def _check_free(document: Mapping[str, JsonValue], item: Any) -> None:
    """A node of the default graph, or of a graph container, must say something by itself."""
    if not isinstance(item, dict) or "@value" in item or "@list" in item:
        raise _undefined("a value that belongs to no node is not signed", "")
    if not item:
        raise _undefined("a node says nothing", "")
    if set(item) == {"@id"}:
        pointer = _place(document, lambda text: _resolved(text) == item["@id"])
        raise _undefined("a node that has only an id is not signed", pointer)


def _refuse_empty_text(document: Mapping[str, JsonValue], vocabulary: Vocabulary) -> None:
    """Objects with a language or direction, or a null, where there should be a value: dropped whole."""
    stand_for = vocabulary.aliases
    for pointer, _, value in [("", None, document), *_members(document)]:
        if not isinstance(value, dict):
            continue
        names: dict[str, JsonValue] = {}
        for key, entry in value.items():
            names.update(dict.fromkeys(stand_for.get(key, ()), entry))
            names[key] = entry
        if ("@language" in names or "@direction" in names) and "@value" not in names:
            raise _undefined("@language or @direction stands without @value", pointer)
        if "@value" in names and names["@value"] is None and names.get("@type") != "@json":
            raise _undefined("@value is null", pointer)


def _require_iri(document: Mapping[str, JsonValue], value: Any, *, blank: bool) -> None:
    if isinstance(value, str):
        if value.startswith("_:"):
            if blank:
                return
            raise _undefined("a blank node cannot be a property or a datatype", _key_place(document, value))
        if is_absolute_iri(value):
            return
    raise _relative(document, value)


def _relative(document: Mapping[str, JsonValue], value: Any) -> RootmarkError:
    for pointer, name, entry in _members(document):
        if isinstance(entry, str) and (
            entry == value or _resolved(entry) == value or _unusable(entry, value)
        ):
            if name in {"type", "@type"} or _parent(pointer) in {"type", "@type"}:
                return _undefined(f"no context defines the type {shown(entry)}", pointer)
            return _undefined("an IRI is relative, or not an IRI", pointer)
    return _undefined("an IRI is relative, or not an IRI", "")


def _unusable(entry: str, value: Any) -> bool:
    """Whether ``value`` can have come from ``entry``: expansion makes None of what looks like a keyword."""
    return value is None and LOOKS_LIKE_KEYWORD.match(entry) is not None


def _resolved(text: str) -> str:
    try:
        return str(iri_resolver.resolve(text, RELATIVE_BASE))
    except ValueError:
        return text


def _place(document: Mapping[str, JsonValue], test: Callable[[str], bool]) -> str:
    for pointer, _, value in _members(document):
        if isinstance(value, str) and test(value):
            return pointer
    return ""


def _key_place(document: Mapping[str, JsonValue], name: str) -> str:
    return next((pointer for pointer, key, _ in _members(document) if key == name), "")


def _parent(pointer: str) -> str:
    return pointer.rsplit("/", 2)[-2] if pointer.count("/") > 1 else ""


def _members(value: JsonValue, pointer: str = "") -> Iterator[Place]:
    """Every member and entry below ``value``, contexts left out."""
    if isinstance(value, dict):
        for key, entry in value.items():
            if key != "@context":
                below = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
                yield below, key, entry
                yield from _members(entry, below)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield f"{pointer}/{index}", None, entry
            yield from _members(entry, f"{pointer}/{index}")


def _undefined(detail: str, pointer: str) -> UndefinedTermError:
    return UndefinedTermError(detail, faults=[Fault("undefined-term", detail, pointer)])
