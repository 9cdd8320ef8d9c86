"""Verification: a finished one is a report with status 200, whatever the outcome."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import docs
from api.body import JSON_TYPES, LARGE_BODY_BYTES, media_type, read_json
from api.context import PlainRoute, Query, app_of, blocking, examining, json_response, no_query
from api.problems import problem_of, request_id_of
from api.schemas.verification import VerifyBody, bulk_items, file_request, verify_request
from api.uploads import read_upload
from registry.bootstrap import App
from registry.credentials.verification import DocumentRequest
from registry.encoding import JsonValue, parse_digest
from registry.errors import RootmarkError
from registry.services.verification import VerifyRequest
from registry.verdict.report import Report, report_to_json

router = APIRouter(prefix="/v1", tags=["verification"], route_class=PlainRoute)

_EXAMPLE = {"digest": "0x" + "5a" * 32}


async def _report(request: Request, wanted: VerifyRequest | DocumentRequest) -> dict[str, Any]:
    """The report's JSON. What needs neither node nor much computing, and only a few reads of a local file, is
    answered on the event loop: a change of threads would cost as much again."""
    app = app_of(request)
    if isinstance(wanted, DocumentRequest):
        return await examining(request, _verified, app, wanted)
    asks_node = wanted.live or wanted.as_of is not None
    if app.reads_are_quick and not asks_node:
        return _verified(app, wanted)
    return await blocking(_verified, app, wanted)


def _verified(app: App, request: VerifyRequest | DocumentRequest) -> dict[str, Any]:
    if isinstance(request, VerifyRequest):
        report = app.verification.verify(request)
    else:
        report = app.documents.verify(request)
    app.metrics.count_verdict(report.outcome)
    return report_to_json(report)


@router.get(
    "/verify/{digest}", openapi_extra=docs.parameters("issuer", "as_of", "live"), responses=docs.REPORT
)
async def verify_digest(request: Request, digest: str) -> Response:
    """Verify by digest."""
    query = Query(request, "issuer", "as_of", "live")
    wanted = VerifyRequest(
        digest=parse_digest(digest, pointer="/digest"),
        issuer=query.address(),
        as_of=query.as_of(),
        live=query.flag("live"),
    )
    return json_response(await _report(request, wanted))


@router.post("/verify", openapi_extra=docs.verify_body(VerifyBody, _EXAMPLE), responses=docs.REPORT)
async def verify(request: Request) -> Response:
    """Verify a digest or a credential, with or without its proof. A credential may also be sent as what it
    is: a JWT, a baked PNG or SVG, or a form with one file."""
    no_query(request)
    if media_type(request) in JSON_TYPES:
        _, value = await read_json(request)
        return json_response(await _report(request, verify_request(value)))
    upload = await read_upload(request)
    return json_response(await _report(request, await examining(request, file_request, upload)))


@router.post(
    "/verify/bulk",
    responses=docs.BULK_REPORT,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["items"],
                        "additionalProperties": False,
                        "properties": {
                            "items": {"type": "array", "minItems": 1, "maxItems": 1000, "items": docs.OBJECT}
                        },
                    },
                    "example": {"items": [_EXAMPLE]},
                }
            },
        }
    },
)
async def verify_bulk(request: Request) -> Response:
    """Verify up to 1,000 at once; a bad item fails only itself."""
    no_query(request)
    _, value = await read_json(request, LARGE_BODY_BYTES)
    items, request_id = bulk_items(value), request_id_of(request)
    results = await examining(request, _bulk, app_of(request), items, request_id)
    return json_response({"results": results})


def _bulk(app: App, items: list[JsonValue], request_id: str) -> list[dict[str, Any]]:
    results: dict[int, Report | RootmarkError] = {}
    digests: dict[int, VerifyRequest] = {}
    documents: dict[int, DocumentRequest] = {}
    for index, item in enumerate(items):
        try:
            wanted = verify_request(item)
        except RootmarkError as error:
            results[index] = error
        else:
            if isinstance(wanted, VerifyRequest):
                digests[index] = wanted
            else:
                documents[index] = wanted
    results |= zip(digests, app.verification.verify_many(list(digests.values())), strict=True)
    results |= zip(documents, app.documents.verify_many(list(documents.values())), strict=True)
    return [_result(app, index, results[index], request_id) for index in range(len(items))]


def _result(app: App, index: int, result: Report | RootmarkError, request_id: str) -> dict[str, Any]:
    if isinstance(result, RootmarkError):
        return {"index": index, "problem": problem_of(result, request_id)[0]}
    app.metrics.count_verdict(result.outcome)
    return {"index": index, "report": report_to_json(result)}
