"""The OpenAPI text, and requests made from it: right ones and wrong ones, none of which may be a 5xx."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS as _ALL
from schemathesis.checks import load_all_checks

from api.app import create_app
from registry.bootstrap import App
from registry.settings import Settings
from tests.api.conftest import Api

load_all_checks()
CHECKS = [
    _ALL.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
]
EXAMPLES = {GenerationMode.POSITIVE: 8, GenerationMode.NEGATIVE: 8}


def _openapi() -> dict[str, Any]:
    """The text of a server that is not running: it depends on the routes alone."""
    parts = SimpleNamespace(
        version="0", jsonrpc=None, settings=Settings(), access=SimpleNamespace(authenticate=None)
    )
    return create_app(cast(App, parts)).openapi()


OPENAPI = _openapi()
SCHEMA = schemathesis.openapi.from_dict(OPENAPI)
OPERATIONS = {
    operation.label: operation for operation in (found.ok() for found in SCHEMA.get_all_operations())
}


def _token(api: Api, operation: Any) -> str:
    admin = operation.label in ("POST /v1/issuers", "GET /v1/audit/access")
    return str((api.admin if admin else api.issuer).headers["authorization"])


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(EXAMPLES), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize("label", OPERATIONS)
def test_answer_is_as_the_text_says(api: Api, label: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[label]
    headers = {"Authorization": _token(api, operation)}

    @hypothesis.settings(
        max_examples=EXAMPLES[mode],
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def requests(case: schemathesis.Case) -> None:
        parameters = case.path_parameters
        if "/api-keys" in case.path or case.path.endswith(("/keys", "/retirement")):
            parameters["address"] = api.address  # another issuer's are refused before anything is read
        response = case.call(base_url=api.url, headers=headers)
        case.validate_response(response, checks=CHECKS)

    try:
        requests()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # an operation that takes nothing cannot be asked wrongly
