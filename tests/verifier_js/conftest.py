"""Node.js running the browser's verifier, asked line by line."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import node_packages
import pytest

from tests.api.conftest import Api, api
from tests.cli.conftest import cli, nowhere
from tests.support.databases import postgres_server

__all__ = ["Api", "JavaScript", "api", "cli", "javascript", "nowhere", "postgres_server"]

RUNNER = Path(__file__).with_name("runner.mjs")


class JavaScript:
    """The verifier's modules in a process of their own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, action: str, **given: Any) -> dict[str, Any]:
        """`result`, or `error` and `message`; any error but a malformed input fails the test."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"action": action} | given) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert answer.get("error") in (None, "malformed"), answer["error"]
        return answer

    def verify(self, shown: dict[str, Any], **options: Any) -> dict[str, Any]:
        """The report; an error of the input as ``{"outcome": "malformed"}``."""
        texts = {name: json.dumps(value) for name, value in shown.items()}
        answer = self.ask("verify", shown=texts, options=options)
        if "error" in answer:
            return {"outcome": "malformed", "summary": answer["message"], "checks": []}
        report: dict[str, Any] = answer["result"]
        return report


@pytest.fixture(scope="module")
def javascript() -> Iterator[JavaScript]:
    """Node.js as the npm packages are run with, or the machine's."""
    path = shutil.which("node", path=node_packages.node_environ()["PATH"])
    assert path is not None, "Node.js is needed: scripts/test brings one"
    with subprocess.Popen(
        [path, str(RUNNER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield JavaScript(process)
        assert process.stdin is not None
        process.stdin.close()
