"""Errors as problems: none without its row, none that tells more than it should."""

from __future__ import annotations

import importlib
import json
import logging
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import registry
from api import problems
from api.routes.system import PAGES
from registry.errors import RootmarkError, StoreUnavailableError
from registry.logs import JsonFormatter
from tests.api.conftest import Api, new_digest
from tests.api.support import captured_records, problem

ROOT = Path(__file__).resolve().parents[2]


def _all_errors() -> Iterator[type[RootmarkError]]:
    """Every class in the hierarchy that a server can raise; the CLI's own are about the server it calls."""
    for module in pkgutil.walk_packages(registry.__path__, "registry."):
        if "migrations" not in module.name and not module.name.startswith("registry.cli"):
            importlib.import_module(module.name)
    waiting = [RootmarkError]
    while waiting:
        for cls in waiting.pop().__subclasses__():
            waiting.append(cls)
            if not cls.__module__.startswith(("registry.cli", "tests.")):
                yield cls


def test_every_error_has_its_row_in_the_table() -> None:
    gaps = {cls.__name__ for cls in _all_errors() if not any(base in problems.TABLE for base in cls.__mro__)}
    assert gaps == set()


def test_no_row_stands_for_the_whole_hierarchy() -> None:
    assert RootmarkError not in problems.TABLE


def test_pages_in_docs_are_the_generated_ones() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "make_problem_pages"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_kind_has_a_page_that_is_served(api: Api) -> None:
    listed = api.public.get("/problems").json()["items"]
    assert {item["type"] for item in listed} == {f"/problems/{slug}" for slug in PAGES}
    for item in listed:
        page = api.public.get(item["type"])
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert str(item["status"]) in page.text
    problem(api.public.get("/problems/nope"), 404, "not-found")


def test_bug_is_a_bare_500_with_the_request_id_and_the_log_has_its_cause(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("the cause, with " + "ab" * 32)

    monkeypatch.setattr(api.app.issuing, "batch", broken)
    with captured_records() as records:
        response = api.public.get("/v1/batches/b")
    found = problem(response, 500, "internal")
    assert "cause" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["access-control-allow-origin"] == "*"
    (logged,) = [record for record in records if record.levelno == logging.ERROR]
    line = json.loads(JsonFormatter().format(logged))
    assert line["request_id"] == found["request_id"]
    assert "the cause" in line["traceback"]
    assert "ab" * 32 not in line["traceback"]
    (access,) = [record for record in records if record.name == "rootmark.access"]
    assert vars(access)["status"] == 500


def test_error_outside_the_table_is_a_500_that_names_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RootmarkError("the cause")

    monkeypatch.setattr(api.app.issuing, "batch", broken)
    response = api.public.get("/v1/batches/b")
    problem(response, 500, "internal")
    assert "cause" not in response.text


def test_answer_that_fails_midway_is_broken_off_and_not_ended(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def some(*_: Any) -> Iterator[dict[str, Any]]:
        for index in range(1000):
            if index == 700:
                raise StoreUnavailableError("gone")
            yield {"index": index}

    monkeypatch.setattr(api.app.issuing, "proofs", some)
    with pytest.raises(httpx.RemoteProtocolError):
        api.issuer.get("/v1/batches/b/proofs")


def test_unavailable_part_is_a_503_with_retry_after(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise StoreUnavailableError("the database is locked", retry_after_seconds=7)

    monkeypatch.setattr(api.app.issuing, "batch", broken)
    response = api.public.get("/v1/batches/b")
    problem(response, 503, "unavailable")
    assert response.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v2/verify", "/v1/batches/", "/v1/batches/a/b", "/v1//batches"]
)
def test_unknown_path_is_a_problem(api: Api, path: str) -> None:
    problem(api.public.get(path), 404, "not-found")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_wrong_method_is_a_problem_that_names_the_right_ones(api: Api, method: str) -> None:
    response = api.public.request(method, f"/v1/verify/{new_digest()}")
    problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "GET"
