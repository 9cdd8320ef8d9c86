"""The page about the API: made here from the OpenAPI text, without scripts or anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import orjson

_STYLE = """body{font:1rem/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;text-transform:capitalize}h3{font-size:1rem;margin:0}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}pre{background:#f4f4f2;padding:.6rem;overflow-x:auto}
details{border:1px solid #ccc;border-radius:4px;margin:.5rem 0;padding:.5rem .8rem}summary{cursor:pointer}
summary h3{display:inline}.method{display:inline-block;min-width:4.5rem;font-weight:700}
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2rem .6rem;text-align:left}
@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}pre{background:#262626}a{color:#9cf}}"""


def docs_page(openapi: Mapping[str, Any]) -> str:
    """HTML for an OpenAPI 3.1 text, whose operations have tags, summaries and examples."""
    info = openapi["info"]
    tags: dict[str, list[str]] = {}
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            tags.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    sections = "".join(
        f'<h2 id="{escape(tag)}">{escape(tag)}</h2>{"".join(parts)}' for tag, parts in sorted(tags.items())
    )
    contents = " &middot; ".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag in sorted(tags))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style>"
        f"<h1>{escape(info['title'])} API <small>{escape(info['version'])}</small></h1>"
        f"<p>{escape(info['description'])}</p>"
        f'<p>As data: <a href="/openapi.json">/openapi.json</a> (OpenAPI {escape(openapi["openapi"])}). '
        f'What errors mean: <a href="/problems">/problems</a>.</p><p>{contents}</p>{sections}</html>'
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    return (
        f'<details><summary><h3><span class="method">{escape(method.upper())}</span>'
        f"<code>{escape(path)}</code></h3></summary>"
        f"<p>{escape(operation.get('description', ''))}</p>{_parameters(operation)}{_body(operation)}"
        f"{_answers(operation)}</details>"
    )


def _parameters(operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
        f"<td><code>{escape(_json(one.get('schema', {})))}</code></td></tr>"
        for one in operation.get("parameters", ())
    )
    return f"<table><tr><th>parameter</th><th>in</th><th>form</th></tr>{rows}</table>" if rows else ""


def _body(operation: Mapping[str, Any]) -> str:
    return "".join(
        f"<p>Body, <code>{escape(media)}</code>:</p>{''.join(_shown(content))}"
        for media, content in operation.get("requestBody", {}).get("content", {}).items()
    )


def _shown(content: Mapping[str, Any]) -> Iterator[str]:
    if "example" in content:
        example = content["example"]
        yield f"<pre>{escape(example if isinstance(example, str) else _json(example, indented=True))}</pre>"
    if "schema" in content:
        schema = escape(_json(content["schema"], indented=True))
        yield f"<details><summary>form</summary><pre>{schema}</pre></details>"


def _answers(operation: Mapping[str, Any]) -> str:
    parts = []
    for status, answer in operation.get("responses", {}).items():
        media = escape(", ".join(answer.get("content", {})))
        shown = "".join(
            part
            for kind, content in answer.get("content", {}).items()
            if kind != "application/problem+json"
            for part in _shown(content)
        )
        parts.append(
            f"<p><b>{escape(status)}</b> {escape(answer['description'])} <code>{escape(media)}</code></p>"
            + shown
        )
    return "".join(parts)


def _json(value: Any, *, indented: bool = False) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indented else None).decode()
