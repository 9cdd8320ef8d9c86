"""The console's first page."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.context import Query, app_of, blocking
from api.web.routes.console.common import HOME, Visitor, console_router, page
from api.web.routes.console.words import award_lines, batch_lines, request_line
from api.web.texts import PARAMETER
from registry.bootstrap import App
from registry.model.batches import BatchState

router = console_router()

_MOVING = frozenset({BatchState.SEALED, BatchState.SUBMITTED, BatchState.MINED})


@router.get(HOME)
async def overview(request: Request, visitor: Visitor) -> Response:
    """How much there is, what is on its way, what came last."""
    Query(request, PARAMETER)
    found = await blocking(_read, app_of(request), visitor)
    return page(request, visitor, "overview.html", **found)


def _read(app: App, visitor: Visitor) -> dict[str, Any]:
    found = app.console.overview.read(visitor.caller)
    names = app.console.overview.names({view.award.achievement_id for view in found.awards})
    moving = [found.totals.get(state, (0, 0)) for state in _MOVING]
    return {
        "final": found.totals.get(BatchState.FINAL, (0, 0)),
        "moving": (sum(one[0] for one in moving), sum(one[1] for one in moving)),
        "failed": found.totals.get(BatchState.FAILED, (0, 0)),
        "batches": batch_lines(app, found.batches),
        "awards": award_lines(found.awards, names),
        "requests": [request_line(one) for one in found.open_requests],
        "drafts": app.console.shelf.waiting(visitor.caller),
        "chain": app.chain.info,
    }
