"""The server itself: which chain, health, metrics, problem pages, and the embedded chain's JSON-RPC."""

from __future__ import annotations

from html import escape
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from api import shapes
from api.body import SMALL_BODY_BYTES, read_bytes
from api.context import app_of, blocking, json_response, no_query
from api.docs_page import docs_page
from api.problems import PAGES
from registry.bootstrap import App
from registry.encoding import parse_json, to_checksum, to_hex
from registry.errors import ForbiddenError, MalformedJsonError, NotFoundError, RootmarkError
from registry.model.batches import BatchState
from registry.services.metrics import Figures
from registry.verdict.report import Outcome

router = APIRouter(tags=["server"])


@router.get("/v1/registry", responses=shapes.REGISTRY)
async def registry(request: Request) -> Response:
    """Which chain and contract this server works with, and how far it has read."""
    no_query(request)
    return json_response(await blocking(_registry, app_of(request)))


def _registry(app: App) -> dict[str, Any]:
    info = app.chain.info
    position = app.audit.position()
    return {
        "chain": f"eip155:{info.chain_id}",
        "registry": to_checksum(info.address),
        "code_hash": to_hex(info.code_hash),
        "deployed_block": info.deployed_block,
        "confirmations": app.settings.effective_confirmations,
        "latest_block": app.chain.latest().number,
        "indexed_block": None if position is None else position.block.number,
        "test_chain": info.test_chain,
    }


@router.get("/health/live", responses=shapes.LIVE)
async def live() -> Response:
    """The process answers."""
    return json_response({"status": "ok"})


@router.get("/health/ready", responses=shapes.READY)
async def ready(request: Request) -> Response:
    """Database, node and index work; 503 names the part that does not."""
    parts = await blocking(_parts, app_of(request))
    ok = all(state == "ok" for state in parts.values())
    return json_response({"status": "ok" if ok else "unavailable", "parts": parts}, 200 if ok else 503)


def _parts(app: App) -> dict[str, str]:
    return {name: _state(check) for name, check in app.readiness_checks().items()}


def _state(check: Any) -> str:
    try:
        check()
    except RootmarkError as error:
        return str(error)
    return "ok"


@router.get("/metrics", response_class=PlainTextResponse, responses=shapes.FIGURES)
async def metrics(request: Request) -> Response:
    """The operator's figures in Prometheus' text format, version 0.0.4."""
    figures = await blocking(app_of(request).metrics.read)
    return PlainTextResponse(metrics_text(figures), media_type="text/plain; version=0.0.4; charset=utf-8")


def metrics_text(figures: Figures) -> str:
    """Prometheus' text format."""
    lines = [
        "# HELP rootmark_anchor_lag_seconds Age of the oldest sealed batch that is not yet on chain.",
        "# TYPE rootmark_anchor_lag_seconds gauge",
        f"rootmark_anchor_lag_seconds {figures.anchor_lag_seconds}",
        "# HELP rootmark_batches Batches by state.",
        "# TYPE rootmark_batches gauge",
    ]
    lines += [
        f'rootmark_batches{{state="{state.value}"}} {figures.batches.get(state, 0)}'
        for state in BatchState
        if state is not BatchState.RECEIVING
    ]
    lines += [
        "# HELP rootmark_gas_used_total Gas used by transactions of this server that are final.",
        "# TYPE rootmark_gas_used_total counter",
        f"rootmark_gas_used_total {figures.gas_used_total}",
        "# HELP rootmark_verdicts_total Verdicts given by this process.",
        "# TYPE rootmark_verdicts_total counter",
    ]
    lines += [
        f'rootmark_verdicts_total{{outcome="{outcome.value}"}} {figures.verdicts.get(outcome, 0)}'
        for outcome in Outcome
    ]
    if figures.index_lag_blocks is not None:
        lines += [
            "# HELP rootmark_index_lag_blocks Blocks that the index is behind the node.",
            "# TYPE rootmark_index_lag_blocks gauge",
            f"rootmark_index_lag_blocks {figures.index_lag_blocks}",
        ]
    return "\n".join(lines) + "\n"


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}</style>
<p><code>{slug}</code> &middot; HTTP {status}</p><h1>{title}</h1><p>{advice}</p></html>
"""


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
async def docs_of_the_api(request: Request) -> Response:
    """What the API takes and answers, for people."""
    return HTMLResponse(docs_page(request.app.openapi()))


@router.get("/problems", responses=shapes.PROBLEM_KINDS)
async def problems() -> Response:
    """All kinds of problems."""
    return json_response(
        {
            "items": [
                {"type": f"/problems/{kind.slug}", "status": kind.status, "title": kind.title}
                for kind in PAGES.values()
            ]
        }
    )


@router.get("/problems/{slug}", response_class=HTMLResponse, responses=shapes.PROBLEM_PAGE)
async def problem_page(slug: str) -> Response:
    """What a kind of problem means, and what to do."""
    kind = PAGES.get(slug)
    if kind is None:
        raise NotFoundError("there is no such kind of problem")
    page = _PAGE.format(
        title=escape(kind.title), slug=kind.slug, status=kind.status, advice=escape(kind.advice)
    )
    return HTMLResponse(page)


_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def _is_loopback_name(host: str) -> bool:
    """`localhost`, 127.0.0.0/8 or ::1; without port and brackets."""
    try:
        return host.lower().rstrip(".") == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _hostname(address: str) -> str:
    """The host of `scheme://host:port`; empty where there is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _refuse_beyond_this_machine(request: Request) -> None:
    """A connection from this machine may still speak for somebody else: a proxy's says so, a page whose name
    was rebound to 127.0.0.1 shows it in Host, a page from elsewhere in Origin.

    Raises:
        ForbiddenError: not from this machine, or not for this machine's own use.
    """
    headers = request.headers
    client = request.client.host if request.client is not None else ""
    hosts = [client, *(_hostname(f"//{value}") for value in headers.getlist("host"))]
    hosts += [_hostname(value) for value in headers.getlist("origin")]
    forwarded = any(name in headers for name in _FORWARDED)
    if forwarded or "host" not in headers or not all(_is_loopback_name(host) for host in hosts):
        raise ForbiddenError("the embedded chain's JSON-RPC is for this machine alone")


async def rpc(request: Request) -> Response:
    """The embedded chain's JSON-RPC: reads, and eth_sendRawTransaction. Loopback only."""
    _refuse_beyond_this_machine(request)
    body = await read_bytes(request, SMALL_BODY_BYTES)
    app = app_of(request)
    assert app.jsonrpc is not None
    try:
        value: Any = parse_json(body)
    except MalformedJsonError as error:
        problem = {
            "jsonrpc": "2.0",
            "id": None,
            "error": {"code": -32700, "message": f"parse error: {error}"},
        }
        return json_response(problem)
    answer = await blocking(app.jsonrpc, value)
    return Response(
        b"" if answer is None else orjson.dumps(answer),
        status_code=204 if answer is None else 200,
        media_type="application/json",
    )
