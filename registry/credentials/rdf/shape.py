"""What documents of one batch have in common: their shape. Pure, and linear in the document.

The shape is the whole JSON structure except for its free texts: keys in their order, lengths of arrays,
numbers with their type, booleans, nulls, contexts, types, and everything under a key that is or stands for
another keyword than ``@id`` and ``@value``. The free texts, in the order of the document, are its leaves. Two
documents have equal keys exactly if they differ in nothing but their leaves.

Reading the shape also refuses what no honest credential has, before anything expensive looks at it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple, TypeAlias, cast

from registry.credentials.rdf.context_store import ContextStore, Vocabulary
from registry.credentials.rdf.disguises import Disguises
from registry.credentials.rdf.keywords import KEYWORDS, TAKEN_AS_KEYS, shown
from registry.encoding import JsonValue
from registry.errors import Fault, RootmarkError, TooComplexError, UnknownContextError, ValidationError

MAX_DEPTH = 64
MAX_PARTS = 100_000
MAX_TEXT_CHARACTERS = 4 << 20
MAX_CONTEXTS = 100
"""Of a document and its nodes, repeated ones included: each costs time anew."""

_FREE = frozenset(["@id", "@value"])


@dataclass(frozen=True, slots=True)
class Shape:
    """``key`` is equal for documents that differ in ``leaves`` alone."""

    key: str
    leaves: tuple[str, ...]


_Path: TypeAlias = "tuple[_Path, str | int] | None"
"""Where a value is: the path of what holds it, and its name there. Cheap to extend, unlike a pointer."""


class _Stretch(NamedTuple):
    """What an object gave, and where it was."""

    value: dict[str, Any]
    depth: int
    fixed: bool
    parts: list[str]
    leaves: list[str]


@dataclass(slots=True)
class _Sharing:
    """Inner objects by their identity: those of the document before, and of this one; and what those gave
    that two documents in a row had. They are held, so that nothing else gets their identity."""

    before: dict[int, dict[str, Any]] = field(default_factory=dict)
    here: dict[int, dict[str, Any]] = field(default_factory=dict)
    kept: dict[int, _Stretch] = field(default_factory=dict)


@dataclass(slots=True)
class _Reading:
    """What was found so far in one document; ``sharing`` is None where no others follow."""

    parts: list[str] = field(default_factory=list)
    leaves: list[str] = field(default_factory=list)
    contexts: list[tuple[str, _Path]] = field(default_factory=list)
    sharing: _Sharing | None = None


class ShapeReader:
    """Reads shapes; keeps nothing between documents, so it is safe from several threads."""

    def __init__(self, store: ContextStore) -> None:
        self._store = store
        self._disguises = Disguises(store.vocabulary)
        self._kinds = _kinds(store.vocabulary, self._disguises)
        self._tokens = {key: (_token(key), self._kinds.get(key)) for key in store.vocabulary.terms}
        self._tokens.update({key: (_token(key), kind) for key, kind in self._kinds.items()})

    def read(self, document: Mapping[str, JsonValue]) -> Shape:
        """The shape of ``document``, whose contexts are all known afterwards.

        Raises:
            UnknownContextError: a context that the store does not have, or one that is written out.
            TooComplexError: deeper, or larger, than the caps above.
            ValidationError: a keyword that is not taken here, a member in disguise (see `Disguises`), a
                number that is not finite, a value that is not JSON.
        """
        return self._read(document, _Reading())

    def read_many(self, documents: Iterable[Mapping[str, JsonValue]]) -> Iterator[Shape]:
        """The shapes of documents, in order. An inner object that several documents in a row share, the very
        same in memory, is not read for each; none may change meanwhile. Raises as `read`."""
        sharing = _Sharing()
        for document in documents:
            yield self._read(document, _Reading(sharing=sharing))
            sharing.before, sharing.here = sharing.here, {}

    def _read(self, document: Mapping[str, JsonValue], reading: _Reading) -> Shape:
        for keyword in ("@id", "@type"):
            if keyword in document:  # a document's id and types are looked for under their names
                raise _disguised(keyword, None)
        self._object(reading, dict(document), None, 0, False)
        if len(reading.parts) > MAX_PARTS or sum(map(len, reading.leaves)) > MAX_TEXT_CHARACTERS:
            raise TooComplexError("the document is larger than any credential")
        if len(reading.contexts) > MAX_CONTEXTS:
            raise TooComplexError(f"the document has more than {MAX_CONTEXTS} contexts")
        for url, path in reading.contexts:
            if not self._store.is_usable(url):
                self._store.get(url, _pointer(path))
        return Shape("".join(reading.parts), tuple(reading.leaves))

    def _object(self, reading: _Reading, value: dict[str, Any], path: _Path, depth: int, fixed: bool) -> None:
        if depth > MAX_DEPTH:
            raise TooComplexError(f"the document is nested more than {MAX_DEPTH} deep")
        tokens = self._tokens
        append = reading.parts.append
        append("{")
        for key, entry in value.items():
            known = tokens.get(key)
            if known is None and self._disguises.is_one(key):
                raise _disguised(key, path)
            token, kind = known or (_token(key), None)
            append(token)
            if kind is None and key[:1] != "@":
                if type(entry) is str and not fixed:
                    append("s")
                    reading.leaves.append(entry)
                else:
                    self._value(reading, entry, (path, key), depth, fixed)
            elif key == "@context":
                self._context(reading, entry, (path, key))
            elif kind == "refused":
                detail = f"the keyword {shown(key)} is not taken"
                raise _invalid("unsupported-keyword", detail, (path, key))
            elif kind == "disguise":
                raise _disguised(key, path)
            else:
                # A key like @foo is no keyword, but reserved; expansion drops it, which is an error.
                self._value(reading, entry, (path, key), depth, fixed or kind != "free")
        append("}")

    def _value(self, reading: _Reading, value: Any, path: _Path, depth: int, fixed: bool) -> None:
        kind = type(value)
        if kind is str:
            if fixed:
                reading.parts.append(f"t{len(value)}:{value}")
            else:
                reading.parts.append("s")
                reading.leaves.append(value)
        elif kind is dict:
            if reading.sharing is None:
                self._object(reading, value, path, depth + 1, fixed)
            else:
                self._shared(reading, value, path, depth + 1, fixed, reading.sharing)
        elif kind is list:
            if depth > MAX_DEPTH:
                raise TooComplexError(f"the document is nested more than {MAX_DEPTH} deep")
            reading.parts.append("[")
            for index, entry in enumerate(value):
                self._value(reading, entry, (path, index), depth + 1, fixed)
            reading.parts.append("]")
        elif value is None or kind is bool or kind is int or (kind is float and math.isfinite(value)):
            reading.parts.append(f"#{value!r};")
        else:
            raise _invalid("not-json", "a value is not JSON", path)

    def _shared(
        self,
        reading: _Reading,
        value: dict[str, Any],
        path: _Path,
        depth: int,
        fixed: bool,
        sharing: _Sharing,
    ) -> None:
        """An object that other documents may share; its contexts were looked at when it was read."""
        known = sharing.kept.get(id(value))
        if known is not None and known.depth == depth and known.fixed == fixed:
            reading.parts += known.parts
            reading.leaves += known.leaves
            return
        parts, leaves = len(reading.parts), len(reading.leaves)
        self._object(reading, value, path, depth, fixed)
        sharing.here[id(value)] = value
        if id(value) in sharing.before:
            stretch = reading.parts[parts:], reading.leaves[leaves:]
            sharing.kept[id(value)] = _Stretch(value, depth, fixed, *stretch)

    def _context(self, reading: _Reading, value: Any, path: _Path) -> None:
        several = isinstance(value, list)
        reading.parts.append("[" if several else "")
        for index, entry in enumerate(value if several else [value]):
            place = (path, index) if several else path
            if not isinstance(entry, str):
                detail = "a context is written out in the document; only contexts by their address are taken"
                raise UnknownContextError(detail, faults=[Fault("inline-context", detail, _pointer(place))])
            reading.contexts.append((entry, place))
            reading.parts.append(f"t{len(entry)}:{entry}")
        reading.parts.append("]" if several else ";")

    def replaced(
        self, document: Mapping[str, JsonValue], replace: Callable[[int, str], str]
    ) -> dict[str, JsonValue]:
        """A copy of ``document``, which `read` took, with ``replace(number, text)`` for each of its
        leaves."""
        numbers = count()

        def copied(value: Any, fixed: bool) -> Any:
            if isinstance(value, str):
                return value if fixed else replace(next(numbers), value)
            if isinstance(value, list):
                return [copied(entry, fixed) for entry in value]
            if isinstance(value, dict):
                return {
                    key: entry if key == "@context" else copied(entry, fixed or self._is_fixed(key))
                    for key, entry in value.items()
                }
            return value

        return cast(dict[str, JsonValue], copied(dict(document), False))

    def _is_fixed(self, key: str) -> bool:
        kind = self._kinds.get(key)
        return kind == "fixed" or (kind is None and key[:1] == "@")


def _kinds(vocabulary: Vocabulary, disguises: Disguises) -> dict[str, str]:
    """How to take a key: ``free`` (an id or a value), ``fixed`` (another keyword), ``refused``, ``disguise``.
    A key that is absent is an ordinary term."""
    kinds = {keyword: "fixed" if keyword in TAKEN_AS_KEYS else "refused" for keyword in KEYWORDS}
    kinds.update(dict.fromkeys(_FREE, "free"))
    for alias, keywords in vocabulary.aliases.items():
        if not keywords <= TAKEN_AS_KEYS:
            kinds[alias] = "refused"
        elif not keywords <= _FREE:
            kinds[alias] = "fixed"
    kinds.update(dict.fromkeys(disguises.terms, "disguise"))
    return kinds


def _token(key: str) -> str:
    return f"{len(key)}:{key}"


def _pointer(path: _Path) -> str:
    names = []
    while path is not None:
        path, name = path
        names.append(str(name).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{name}" for name in reversed(names))


def _disguised(key: str, path: _Path) -> RootmarkError:
    detail = f"{shown(key)} stands for a member that is taken under its own name alone"
    return _invalid("disguised-member", detail, (path, key))


def _invalid(code: str, detail: str, path: _Path) -> RootmarkError:
    return ValidationError(detail, faults=[Fault(code, detail, _pointer(path))])
