"""What templates are given to show one credential to a reader: in words, verified now, with its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.context import app_of, blocking, examining
from api.routes.award_exports import file_response
from api.web.pages import texts_for
from api.web.routes.verify import accreditations_of, domain_of, story_about
from api.web.verdicts import verdict_of
from registry.bootstrap import App
from registry.credentials.carriers.images import Picture
from registry.credentials.exporting import Exported, ExportFormat
from registry.credentials.findings import Presented
from registry.credentials.holding.pages import PageView
from registry.credentials.readable import readable
from registry.credentials.verification import DocumentRequest
from registry.encoding import format_time
from registry.errors import NotFoundError
from registry.verdict.report import Report, report_to_json

DOWNLOADS = (
    ExportFormat.JSON,
    ExportFormat.JWT,
    ExportFormat.PNG,
    ExportFormat.SVG,
    ExportFormat.PDF,
    ExportFormat.PROOF,
    ExportFormat.BUNDLE,
)
UNLISTED = {"X-Robots-Tag": "noindex"}


async def shown(request: Request, view: PageView) -> dict[str, Any]:
    """What a template is given. Raises as `CredentialVerification.verify`."""
    app = app_of(request)
    report = await examining(request, _report, app, view.document)
    story = await blocking(story_about, app, report)
    found = report_to_json(report)
    badge = readable(view.document)
    return {
        "view": view,
        "badge": badge,
        "report": found,
        "verdict": verdict_of(report, texts_for(request), story, issued=badge.issued),
        "domain": domain_of(found["issuer"].get("id")),
        "accreditations": await blocking(accreditations_of, app, report),
        "checked_at": format_time(app.clock.now()),
        "permanent": None,
        "downloads": [one.value for one in _downloads(app)] if view.may_download else [],
    }


def _report(app: App, document: Mapping[str, Any]) -> Report:
    report = app.documents.verify(DocumentRequest(Presented(document=document)))
    app.metrics.count_verdict(report.outcome)
    return report


def _downloads(app: App) -> list[ExportFormat]:
    """A bundle is made of storage proofs, which the embedded chain does not give."""
    return [one for one in DOWNLOADS if one is not ExportFormat.BUNDLE or app.jsonrpc is None]


def format_named(app: App, name: str) -> ExportFormat:
    """The format of a file's address. Raises `NotFoundError`."""
    formats = {one.value: one for one in _downloads(app)}
    if name not in formats:
        raise NotFoundError("there is no such file of this credential")
    return formats[name]


def file_of(file: Exported) -> Response:
    """A file, which no search engine keeps."""
    response = file_response(file)
    response.headers.update(UNLISTED)
    return response


def picture_of(picture: Picture) -> Response:
    """A badge's picture, likewise."""
    return Response(picture.data, media_type=picture.media_type, headers=UNLISTED)
