"""The issuers' console: what an issuer does with the registry, in a browser.

A browser logs in with an API key and may do what that key may do. Pages call the services that the API's
routes call; each form carries the session's token, and each form that makes something a key of its own, so
that it is made once however often the form is sent (`api.web.routes.console.common`).
"""

from __future__ import annotations

from api.web.pages import web_router
from api.web.routes.console import (
    achievements,
    awards,
    batches,
    changes,
    drafts,
    keys,
    login,
    overview,
    supersede,
    webhooks,
)

MODULES = (login, overview, achievements, drafts, batches, awards, supersede, changes, keys, webhooks)

router = web_router()
for _module in MODULES:
    router.routes.extend(_module.router.routes)
