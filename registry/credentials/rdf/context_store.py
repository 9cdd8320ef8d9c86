"""JSON-LD contexts by their address: the bundled ones, and those that the operator supplied. Nothing is
fetched.

Bundled files lie in ``contexts/`` (provenance and licences in its README); the SHA-256 of each stands below
and is checked when it is read. The operator's directory holds JSON files and ``contexts.json``, an object
that maps addresses to file names in that directory. It is read once; a context of it is pinned by its SHA-256
when it is first used, so that a changed file cannot quietly change what older signatures mean.

Invariants: an address has one content as long as the store lives; a bundled address cannot be redefined.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias, cast

from registry.credentials.rdf.keywords import KEYWORDS, shown
from registry.encoding import JsonValue, StrictJsonError, parse_json
from registry.errors import ConfigurationError, DefectError, Fault, TooLargeError, UnknownContextError

Pin: TypeAlias = Callable[[str, str], str]
"""From the address of an operator's context and its SHA-256 in hex to the SHA-256 that was first seen for
it."""

INDEX_FILE = "contexts.json"
MAX_FILE_BYTES = 1 << 20
MAX_OPERATOR_CONTEXTS = 100

_PURL = "https://purl.imsglobal.org/spec/ob/v3p0/"
_BLOCKCERTS = ("https://w3id.org/blockcerts/", "https://www.blockcerts.org/")

_FILES = {
    "bitstring-status-list-v1": "fd08cbf28ddd829ab2f1978c48f43ab07a112c1c90245a0cfac7ba721c65170c",
    "blockcerts-2.0": "9aeb82c65913f2b727170778a81b9f882254b12d4b66c7aca1c8ee4765d4fc57",
    "blockcerts-2.1": "3c0621311db8d15a6aee9921a641d75d3cb72ebc296ff2c6d11597f23e4615b5",
    "blockcerts-3.0": "7b5a4f9771640918b6e3169af29374b38a9f914dcfed77675db7944c8f1a1152",
    "blockcerts-3.1": "2fc073679f0e05bba5984a3110c0bfcfbc9401c2a5874115e9a9bb12204001f3",
    "blockcerts-3.2": "fa5afe993720de6d030dc78cb8d33085e4e8a58704e26c8eefa536f4ab7b9731",
    "chained-2021-v1": "d92de480e9478a76ba64a67209e15b4746758e0f28f074a4b5dc5ac8a684073d",
    "credentials-v1": "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc",
    "credentials-v2": "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
    "data-integrity-v1": "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554",
    "data-integrity-v2": "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
    "did-v1": "4f3eae5568c9c5f036a082088f9e192019ee06faa78973c87ff91d5421b88dad",
    "ed25519-2020-v1": "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588",
    "examples-v2": "57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c",
    "merkle-2019-v1": "953b934ec954fab06c3d48e524ac66f0f66531b86fa91330f66e8fc4ba536ff4",
    "multikey-v1": "c5f3806f8286920573221938917988a18a4cc5a09e968d29649613c7a1c2b1f6",
    "open-badges-2": "ee8c373cb831e92f0033b7f26b61a43b2719932a20da2c396e5dad48ec429b2d",
    "open-badges-3.0.0": "9f1c8f9f361ba2994b9b50701f41149919542c50c7b7455b2846d87959295d72",
    "open-badges-3.0.1": "af095468326d3449160509b26ca71576e6321d13c85b0369cfe3b654c9a48fba",
    "open-badges-3.0.2": "00666ad080ba407687ed1846b7f5e7495f5019042b202a727de47c48a1755c53",
    "open-badges-3.0.3": "ef2fa9c7846dce233cc166b43639027278be4ee44f00bb1d45c75de2dd0cd761",
    "open-badges-extensions": "2d013f981d1f4516081a6a04e55468ba2b071d4153b794f19a79715c45a89a5e",
    "security-v1": "e2d146cd556f6fa5f14996c6f1749667d5a14073fa30f0643990068e2c0b1bac",
    "security-v2": "4cb186bc29c08af6e40c58178c22dd84d542f2871a063afed6e648b47abc3cf6",
    "status-list-2021-v1": "634d71c159289f068c96012e4511c657fdf82ac4231900081bda3ba24e2e1160",
    "undefined-terms-v2": "82dab514ba44eb18f5d1b0f638c5e140c6a556fbfb5089601bdc0fa5eb8b2581",
}

_ADDRESSES = {
    "https://www.w3.org/2018/credentials/v1": "credentials-v1",
    "https://www.w3.org/ns/credentials/v2": "credentials-v2",
    "https://www.w3.org/ns/credentials/undefined-terms/v2": "undefined-terms-v2",
    "https://www.w3.org/ns/credentials/examples/v2": "examples-v2",
    "https://www.w3.org/ns/credentials/status/v1": "bitstring-status-list-v1",
    "https://www.w3.org/ns/did/v1": "did-v1",
    "https://w3id.org/security/v1": "security-v1",
    "https://w3id.org/security/v2": "security-v2",
    "https://w3id.org/security/data-integrity/v1": "data-integrity-v1",
    "https://w3id.org/security/data-integrity/v2": "data-integrity-v2",
    "https://w3id.org/security/multikey/v1": "multikey-v1",
    "https://w3id.org/security/suites/ed25519-2020/v1": "ed25519-2020-v1",
    "https://w3id.org/security/suites/merkle-2019/v1": "merkle-2019-v1",
    "https://w3id.org/security/suites/chained-2021/v1": "chained-2021-v1",
    "https://w3id.org/vc/status-list/2021/v1": "status-list-2021-v1",
    "https://w3id.org/openbadges/v2": "open-badges-2",
    "https://openbadgespec.org/v2/context.json": "open-badges-2",
    _PURL + "context.json": "open-badges-3.0.0",
    **{f"{_PURL}context-3.0.{patch}.json": f"open-badges-3.0.{patch}" for patch in (1, 2, 3)},
    _PURL + "extensions.json": "open-badges-extensions",
    **{f"https://w3id.org/blockcerts/v{v.removesuffix('.0')}": f"blockcerts-{v}" for v in ("2.0", "3.0")},
    **{f"https://w3id.org/blockcerts/v{v}": f"blockcerts-{v}" for v in ("2.1", "3.1", "3.2")},
    **{
        f"{host}schema/{v}/context.json": f"blockcerts-{v}"
        for host in _BLOCKCERTS
        for v in ("2.0", "2.1", "3.0", "3.1", "3.2")
    },
}


@dataclass(frozen=True, slots=True)
class Context:
    """One context document. ``text`` is its JSON exactly as stored; ``sha256`` its digest in hex."""

    url: str
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What all contexts of a store define, taken together.

    Attributes:
        terms: every term, prefix and compact IRI that is a key of some context, nested ones included.
        aliases: terms that stand for a keyword in some context, and for which keywords.
        meanings: what contexts write for each term: an IRI, a compact one, a keyword or another term; an
            empty text where there is nothing of that kind.
    """

    terms: frozenset[str]
    aliases: Mapping[str, frozenset[str]]
    meanings: Mapping[str, frozenset[str]]


class ContextStore:
    """Contexts by address. Safe from several threads."""

    def __init__(
        self,
        operator_directory: Path | None = None,
        pin: Pin | None = None,
        *,
        texts: Mapping[str, str] | None = None,
    ) -> None:
        """Read everything there is.

        Args:
            operator_directory: see the module; None for no further contexts.
            pin: called once for each operator's context, when it is first used; None pins nothing.
            texts: the operator's contexts, instead of a directory; what another store's `operator_texts`
            gave.

        Raises:
            ConfigurationError: the operator's index or a file named there is missing or malformed.
        """
        found = _read_directory(operator_directory) if operator_directory else dict(texts or {})
        self._operators = {url: _context(url, text) for url, text in found.items()}
        self._pin = pin
        self._used: set[str] = set()
        self._lock = threading.Lock()
        self._parsed = {url: _parsed_text(text) for url, text in found.items()}
        self.vocabulary = _vocabulary([*_bundled_documents(), *self._parsed.values()])

    def operator_texts(self) -> dict[str, str]:
        """The operator's contexts as texts, for a store in another process."""
        return {url: context.text for url, context in self._operators.items()}

    def get(self, url: str, pointer: str | None = None) -> Context:
        """The context at ``url``; ``pointer`` says where it is asked for.

        Raises:
            UnknownContextError: not bundled and not the operator's, or the operator's file is another one
                than when it was first used. The error names the address.
        """
        if url in _ADDRESSES:
            return _bundled(url)
        context = self._operators.get(url)
        if context is None:
            detail = f"the context {shown(url)} is neither bundled nor supplied by the operator"
            raise UnknownContextError(detail, faults=[Fault("unknown-context", detail, pointer)])
        if url not in self._used:
            self._first_use(context, pointer)
        return context

    def is_usable(self, url: str) -> bool:
        """Whether `get` is known to succeed for ``url``; quicker than `get`."""
        return url in _ADDRESSES or url in self._used

    def _first_use(self, context: Context, pointer: str | None) -> None:
        with self._lock:
            for url in sorted(self._closure(context.url) - self._used):
                sha256 = self._operators[url].sha256
                if self._pin is not None and self._pin(url, sha256) != sha256:
                    detail = f"the operator's file for the context {shown(url)} is not the one first used"
                    raise UnknownContextError(detail, faults=[Fault("context-changed", detail, pointer)])
                self._used.add(url)

    def _closure(self, url: str) -> set[str]:
        """The operator's contexts that processing ``url`` may load, itself included."""
        found: set[str] = set()
        waiting = [url]
        while waiting:
            current = waiting.pop()
            if current in self._operators and current not in found:
                found.add(current)
                waiting.extend(_references(self._parsed[current]))
        return found

    def document(self, url: str) -> dict[str, JsonValue]:
        """The context document at ``url`` as JSON that the caller may change. Raises as `get`."""
        return cast(dict[str, JsonValue], json.loads(self.get(url).text))


@cache
def _bundled(url: str) -> Context:
    name = _ADDRESSES[url]
    data = files("registry.credentials.rdf").joinpath("contexts", f"{name}.json").read_bytes()
    context = _context(url, data.decode())
    if context.sha256 != _FILES[name]:
        raise DefectError(f"the bundled context {name}.json is not the one that is pinned")
    return context


@cache
def _bundled_documents() -> tuple[JsonValue, ...]:
    return tuple(_parsed_text(_bundled(url).text) for url in _ADDRESSES)


def bundled_addresses() -> tuple[str, ...]:
    """The addresses of all bundled contexts, sorted."""
    return tuple(sorted(_ADDRESSES))


def _context(url: str, text: str) -> Context:
    return Context(url, text, hashlib.sha256(text.encode()).hexdigest())


def _parsed_text(text: str) -> JsonValue:
    return cast(JsonValue, json.loads(text))


def _read_directory(directory: Path) -> dict[str, str]:
    index = _strict(directory / INDEX_FILE)
    if not isinstance(index, dict) or len(index) > MAX_OPERATOR_CONTEXTS:
        raise ConfigurationError(
            f"{INDEX_FILE} must be an object of at most {MAX_OPERATOR_CONTEXTS} addresses and file names"
        )
    contexts: dict[str, str] = {}
    for url, name in index.items():
        if url in _ADDRESSES:
            raise ConfigurationError(f"{INDEX_FILE} redefines the bundled context {shown(url)}")
        if not isinstance(name, str) or Path(name).name != name or name in {"", ".", ".."}:
            raise ConfigurationError(f"{INDEX_FILE} must give a plain file name for {shown(url)}")
        document = _strict(directory / name)
        if not isinstance(document, dict) or "@context" not in document:
            raise ConfigurationError(f"the context file {shown(name)} has no @context")
        contexts[url] = (directory / name).read_bytes().decode()
    return contexts


def _strict(path: Path) -> JsonValue:
    try:
        return parse_json(path.read_bytes(), max_bytes=MAX_FILE_BYTES)
    except OSError as error:
        raise ConfigurationError(f"the context file {path.name} cannot be read") from error
    except (StrictJsonError, TooLargeError) as error:
        raise ConfigurationError(f"the context file {path.name} cannot be used: {error}") from error


# --- what contexts define -----------------------------------------------------------------------------------


def _definitions(value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    """Every term and its definition in a context document, however deep."""
    if isinstance(value, list):
        for entry in value:
            yield from _definitions(entry)
    elif isinstance(value, dict):
        for key, entry in value.items():
            if not key.startswith("@"):
                yield key, entry
            yield from _definitions(entry)


def _references(document: JsonValue) -> Iterator[str]:
    """The addresses of other contexts that a context document names."""
    if isinstance(document, list):
        for entry in document:
            yield from _references(entry)
    elif isinstance(document, dict):
        for key, entry in document.items():
            if key in {"@context", "@import"}:
                named = entry if isinstance(entry, list) else [entry]
                yield from (each for each in named if isinstance(each, str))
            yield from _references(entry)


def _vocabulary(documents: list[JsonValue]) -> Vocabulary:
    """The union of what ``documents`` define.

    A term whose definition names another term that stands for a keyword stands for it too, hence the loop.
    """
    meanings: dict[str, set[str]] = {}
    for document in documents:
        for term, definition in _definitions(document):
            meaning = definition.get("@id") if isinstance(definition, dict) else definition
            meanings.setdefault(term, set()).add(meaning if isinstance(meaning, str) else "")
    aliases: dict[str, set[str]] = {}
    changed = True
    while changed:
        changed = False
        for term, names in meanings.items():
            stands_for = {name for name in names if name in KEYWORDS}
            for name in names:
                stands_for |= aliases.get(name, set())
            if not stands_for <= aliases.get(term, set()):
                aliases.setdefault(term, set()).update(stands_for)
                changed = True
    frozen = {term: frozenset(names) for term, names in aliases.items()}
    return Vocabulary(
        frozenset(meanings), frozen, {term: frozenset(names) for term, names in meanings.items()}
    )
