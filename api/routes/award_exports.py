"""The credential of an award as a file: JSON, a token, a baked picture, or what proves it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import award_shapes, docs
from api.context import Query, app_of, blocking, require_caller
from registry.credentials.exporting import Exported, ExportFormat

router = APIRouter(prefix="/v1/awards", tags=["awards"])

_FORMATS = tuple(one.value for one in ExportFormat)


def file_response(file: Exported) -> Response:
    """A file of somebody's, to be saved, under a name that says what it is of."""
    headers = {"Content-Disposition": f'attachment; filename="{file.file_name}"'}
    return Response(file.data, headers=headers, media_type=file.media_type)


@router.get(
    "/{award_id}/credential",
    openapi_extra=docs.parameters("format"),
    responses=award_shapes.EXPORTED,
)
async def export_credential(request: Request, award_id: str) -> Response:
    """The award's credential as a file: `json` (with the anchor inside where verifiers of such proofs look),
    `jwt` (VC-JOSE), `vc-jwt` (Open Badges), `png` and `svg` (baked), `proof` (RootmarkProof), `bundle`."""
    caller = await require_caller(request)
    wanted = ExportFormat(Query(request, "format").choice("format", _FORMATS) or ExportFormat.JSON)
    return file_response(await blocking(app_of(request).exports.export, caller, award_id, wanted))
