"""Templates by shape and fixed texts, bounded in number and size. Safe from several threads."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.credentials.rdf.shape import Shape
from registry.credentials.rdf.template import Template

MAX_SHAPES = 500
MAX_SEEN = 5_000
MAX_BYTES = 64 << 20
MAX_VARIANTS = 32


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out about a shape with certain fixed texts. ``template`` is None where there is none to
    be had; ``cheap`` says whether it may be filled without a guard."""

    template: Template | None
    cheap: bool


@dataclass(slots=True)
class _Entry:
    """A shape: which leaves are fixed, and what is known for each choice of their texts."""

    fixed: tuple[int, ...] = ()
    variants: OrderedDict[tuple[str, ...], Known] = field(default_factory=OrderedDict)
    size_bytes: int = 0
    compiled: int = 0
    used: int = 0


class TemplateCache:
    """The least recently used shapes go first."""

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._size_bytes = 0
        self._lock = threading.Lock()

    def find(self, shape: Shape) -> Known | None:
        """What is known about ``shape`` with its fixed texts; None if nothing is."""
        key = _key(shape)
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            known = entry.variants.get(_chosen(entry.fixed, shape))
            if known is not None:
                entry.used += 1
            return known

    def fixed(self, shape: Shape) -> tuple[int, ...]:
        """The leaves that are known to be fixed."""
        with self._lock:
            entry = self._entries.get(_key(shape))
            return entry.fixed if entry else ()

    def worth_compiling(self, shape: Shape, *, expect_more: bool) -> bool:
        """Whether a template is likely to be of use: further documents of the shape are expected, or one came
        before; and where there are many variants already, they were of use."""
        key = _key(shape)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.compiled >= MAX_VARIANTS and entry.used <= entry.compiled:
                return False
            if expect_more or entry is not None or key in self._seen:
                return True
            self._seen[key] = None
            if len(self._seen) > MAX_SEEN:
                self._seen.popitem(last=False)
            return False

    def keep(self, shape: Shape, message: Mapping[str, Any] | None, terms: frozenset[str]) -> None:
        """Keep what a worker found out about ``shape``; None for nothing that helps."""
        key = _key(shape)
        known = Known(None, False)
        if message is not None:
            known = Known(Template(message["rows"], terms), bool(message["cheap"]))
        with self._lock:
            entry = self._entries.pop(key, None) or _Entry()
            self._size_bytes -= entry.size_bytes
            if message is not None and tuple(message["fixed"]) != entry.fixed:
                entry.fixed = tuple(message["fixed"])
                entry.variants.clear()
            entry.variants[_chosen(entry.fixed, shape)] = known
            entry.compiled += 1
            while len(entry.variants) > MAX_VARIANTS:
                entry.variants.popitem(last=False)
            entry.size_bytes = sum(_size(each) for each in entry.variants.values())
            self._entries[key] = entry
            self._size_bytes += entry.size_bytes
            while len(self._entries) > MAX_SHAPES or self._size_bytes > MAX_BYTES:
                _, oldest = self._entries.popitem(last=False)
                self._size_bytes -= oldest.size_bytes

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._size_bytes = 0


def _key(shape: Shape) -> bytes:
    return hashlib.blake2b(shape.key.encode("utf-8", "surrogatepass"), digest_size=32).digest()


def _chosen(fixed: tuple[int, ...], shape: Shape) -> tuple[str, ...]:
    leaves = shape.leaves
    return tuple([leaves[number] for number in fixed])


def _size(known: Known) -> int:
    return 200 + (known.template.size_bytes if known.template else 0)
