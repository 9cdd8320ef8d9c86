"""From a JSON-LD document to the quads of its RDF dataset, without losing anything on the way.

PyLD does expansion and the conversion to RDF (JSON-LD 1.1 Processing Algorithms and API, sections 5 and 8).
Both drop silently what no context defines, what is a relative IRI, and more; `registry.credentials.rdf.loss`
turns each of these into an error. Directions of text become datatypes (``rdfDirection: i18n-datatype``), as
the eddsa-rdfc-2022 implementations that verifiers use do it. Language tags become lower case.

What PyLD gets wrong is done here: values that differ only in direction, and JSON literals that Python calls
equal (``1`` and ``true``), would be taken for duplicates, so both become typed literals before PyLD compares.

Not safe from several threads, and slow on hostile documents: only `worker` runs it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pyld.jsonld import ContextResolver, JsonLdError, JsonLdProcessor

from registry.credentials.rdf.context_store import ContextStore
from registry.credentials.rdf.keywords import RELATIVE_BASE
from registry.credentials.rdf.loss import dropped_property, refuse_loss
from registry.credentials.rdf.terms import RDF_JSON, XSD_DOUBLE, QuadRow, Term
from registry.encoding import JsonValue, canonical_json
from registry.errors import Fault, MalformedJsonError, RootmarkError, TooComplexError, ValidationError

MAX_QUADS = 20_000
MAX_BLANK_NODES = 2_000

_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?\Z")
_I18N = "https://www.w3.org/ns/i18n#"


class _Processor(JsonLdProcessor):  # type: ignore[misc]  # PyLD has no types
    """PyLD, with what its expansion loses as errors."""

    def __init__(self, store: ContextStore, document: Mapping[str, JsonValue], checked: bool) -> None:
        self._store = store
        self._document = document
        self._checked = checked
        super().__init__(on_property_dropped=self._dropped)

    def _dropped(self, name: str | None) -> None:
        if self._checked:
            raise dropped_property(self._document, name)

    def expand(self, input_: Any, options: dict[str, Any]) -> list[Any]:
        expanded = cast(list[Any], super().expand(input_, options))
        if self._checked:
            refuse_loss(self._document, expanded, self._store.vocabulary)
            _refuse_odd_doubles(expanded)
        _rewrite_values(expanded)
        return expanded


class Expander:
    """Turns documents into quads; keeps processed contexts from one document to the next."""

    def __init__(self, store: ContextStore) -> None:
        self._store = store
        self._resolved: dict[str, Any] = {}  # only contexts of the store get into it

    def quads(self, document: Mapping[str, JsonValue], *, checked: bool = True) -> list[QuadRow]:
        """The quads of ``document``, in no particular order.

        Args:
            checked: False to let pass what is lost; only for finding out what a document's places do.

        Raises:
            UnknownContextError, UndefinedTermError, TooComplexError, ValidationError: as
                `registry.ports.documents.Canonicalizer.n_quads` says.
        """
        options = {
            "base": RELATIVE_BASE,
            "contextResolver": ContextResolver(self._resolved, self._load),
            "documentLoader": self._load,
            "keepFreeFloatingNodes": True,
            "processingMode": "json-ld-1.1",
        }
        processor = _Processor(self._store, document, checked)
        try:
            dataset = processor.to_rdf(dict(document), options)
        except RootmarkError:
            raise
        except JsonLdError as error:
            raise _own_error(error) from error
        except RecursionError as error:
            raise TooComplexError("the document is nested too deep") from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # What PyLD's code does with input of types that it does not expect.
            detail = "the document is not JSON-LD"
            raise ValidationError(detail, faults=[Fault("not-json-ld", detail, "")]) from error
        return _rows(dataset)

    def _load(self, url: str, _options: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "document": self._store.document(url),
            "documentUrl": url,
            "tag": "static",
        }


def _own_error(error: JsonLdError) -> RootmarkError:
    """The error that says what went wrong: one of ours that PyLD wrapped, or its innermost code."""
    code = "not JSON-LD"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, RootmarkError):
            return cause
        if isinstance(cause, RecursionError):
            return TooComplexError("the document is nested too deep")
        if isinstance(cause, JsonLdError) and cause.code:
            code = str(cause.code)
        cause = cause.__cause__
    detail = f"the document is not JSON-LD: {code}"
    return ValidationError(detail, faults=[Fault(code.lower().replace(" ", "-"), detail, "")])


def _value_objects(expanded: Any) -> Iterator[dict[str, Any]]:
    waiting = [expanded]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict) and "@value" in value:
            yield value
        elif isinstance(value, dict):
            waiting.extend(value.values())


def _refuse_odd_doubles(expanded: Any) -> None:
    """Text typed as a double is written as a number by PyLD and jsonld.js, each in its own way where it is no
    plain number."""
    for value in _value_objects(expanded):
        text = value["@value"]
        if value.get("@type") != XSD_DOUBLE or not isinstance(text, str):
            continue
        if _PLAIN_NUMBER.match(text) is None or not math.isfinite(float(text)):
            detail = "a text that is typed as a double is no number"
            raise ValidationError(detail, faults=[Fault("invalid-double", detail, "")])


def _rewrite_values(expanded: Any) -> None:
    """Make typed literals of JSON literals and of text with a direction, in place."""
    for value in _value_objects(expanded):
        if value.get("@type") == "@json":
            value["@type"] = RDF_JSON
            value["@value"] = _json_literal(value["@value"])
        elif "@direction" in value and isinstance(value["@value"], str):
            value["@type"] = f"{_I18N}{value.pop('@language', '')}_{value.pop('@direction')}"


def _json_literal(value: Any) -> str:
    try:
        return canonical_json(value).decode()
    except MalformedJsonError as error:
        raise ValidationError("a JSON literal has no canonical form", faults=error.faults) from error


def _rows(dataset: Mapping[str, list[dict[str, Any]]]) -> list[QuadRow]:
    rows: list[QuadRow] = []
    blank: set[str] = set()
    for name, triples in dataset.items():
        graph = None if name == "@default" else _named(name)
        if len(rows) + len(triples) > MAX_QUADS:
            raise TooComplexError(f"the document says more than {MAX_QUADS} things (quads)")
        for triple in triples:
            row = (_term(triple["subject"]), _term(triple["predicate"]), _term(triple["object"]), graph)
            rows.append(row)
            blank.update(_blank_labels(row))
    if len(blank) > MAX_BLANK_NODES:
        raise TooComplexError(f"the document has more than {MAX_BLANK_NODES} nodes without an id")
    return rows


def _blank_labels(row: QuadRow) -> Iterator[str]:
    return (term[1] for term in row if term is not None and term[0] == "b")


def _named(name: str) -> Term:
    return ("b", name[2:]) if name.startswith("_:") else ("i", name)


def _term(term: Mapping[str, str]) -> Term:
    if term["type"] == "literal":
        return ("l", term["value"], term["datatype"], term.get("language", ""))
    return _named(term["value"])
