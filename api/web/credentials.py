"""What templates are given to show a verdict, or a credential: in words, verified now, with its files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.context import app_of, examining
from api.routes.award_exports import file_response
from api.web.pages import texts_for
from api.web.texts import Texts
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
from registry.verdict.views import LaterFact, Target

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


def described(
    app: App,
    texts: Texts,
    report: Report,
    *,
    issued: str | None,
    as_of: int | datetime | None = None,
    permanent: str | None = None,
) -> dict[str, Any]:
    """What `parts/report.html` and `parts/verdict.html` are given. Reads the index; not for the event loop.

    Args:
        issued: when the document says that it was issued, in RFC 3339.
        as_of: the moment that was asked about; None for now.
        permanent: the address of this very answer; None where there is none.
    """
    found = report_to_json(report)
    return {
        "report": found,
        "verdict": verdict_of(report, texts, _story(app, report), issued=issued),
        "domain": domain_of(found["issuer"].get("id")),
        "accreditations": app.accreditations.of(report.issuer, as_of=as_of),
        "checked_at": format_time(app.clock.now()),
        "permanent": permanent,
    }


def _story(app: App, report: Report) -> tuple[LaterFact, ...]:
    """What happened to the credential of a report, as far as the report looks."""
    if report.anchor is None or report.issuer.address is None:
        return ()
    target = Target(report.issuer.address, report.anchor.root, report.anchor.index)
    return app.audit.story(target, report.as_of.block_number)


def domain_of(identifier: str | None) -> str | None:
    """The domain that a `did:web` or a web address stands under; None for other identifiers."""
    if identifier is None:
        return None
    if identifier.startswith("did:web:"):
        return identifier.removeprefix("did:web:").partition(":")[0].replace("%3A", ":")
    found = re.match(r"https?://([^/?#]+)", identifier)
    return found[1] if found else None


async def shown(request: Request, view: PageView) -> dict[str, Any]:
    """What a template is given to show a credential. Raises as `CredentialVerification.verify`."""
    app = app_of(request)
    badge = readable(view.document)
    found = await examining(request, _verified, app, view.document, texts_for(request), badge.issued)
    return found | {
        "view": view,
        "badge": badge,
        "downloads": [one.value for one in _downloads(app)] if view.may_download else [],
    }


def _verified(app: App, document: Mapping[str, Any], texts: Texts, issued: str | None) -> dict[str, Any]:
    report = app.documents.verify(DocumentRequest(Presented(document=document)))
    app.metrics.count_verdict(report.outcome)
    return described(app, texts, report, issued=issued)


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
