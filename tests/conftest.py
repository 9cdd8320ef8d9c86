"""What holds for every test: names resolve on loopback only, files with slow tests come first, and skips are
listed, or refused.

Connections beyond loopback are refused by pytest-socket (see pyproject.toml); here the look-up of names,
which would ask a resolver, is refused too. With ROOTMARK_CI set, a run with a skipped test fails. To the file
that ROOTMARK_TEST_SKIPS names, one line is added for each skipped test.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LOOPBACK_NAMES = frozenset({"", "localhost"})
_resolve = socket.getaddrinfo


def _is_loopback(host: object) -> bool:
    """Whether ``host``, as getaddrinfo takes it, stays on this machine or needs no look-up."""
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name.lower().rstrip(".") in LOOPBACK_NAMES:
        return True
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _resolve_loopback_only(host: Any, *arguments: Any, **options: Any) -> Any:
    if not _is_loopback(host):
        raise socket.gaierror(socket.EAI_NONAME, "tests resolve loopback names only")
    return _resolve(host, *arguments, **options)


@pytest.fixture(scope="session", autouse=True)
def _loopback_names_only() -> Iterator[None]:
    """Refuse to look up any other name than the loopback's."""
    socket.getaddrinfo = _resolve_loopback_only
    yield
    socket.getaddrinfo = _resolve


def _skips(config: pytest.Config) -> list[str]:
    """One line for each skipped test or module that this process knows of."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter is not None else []
    lines = set()
    for report in reports:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        lines.add(f"{report.nodeid}: {reason}")
    return sorted(lines)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests: with parallel workers, none is left alone with one at the
    end. The order is otherwise as it was."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """List the skipped tests for the caller, and fail the run for them where it must have none."""
    if hasattr(session.config, "workerinput"):
        return
    skips = _skips(session.config)
    destination = os.environ.get("ROOTMARK_TEST_SKIPS")
    if destination:
        with Path(destination).open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in skips)
    if skips and os.environ.get("ROOTMARK_CI") and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
