"""The rules under which tests run: loopback only, skips listed or refused, failed steps named."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import node_packages
import pytest
import run_tests
from pytest_socket import SocketConnectBlockedError
from run_tests import Step

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.filterwarnings("ignore:A test tried to use")
def test_a_connection_beyond_loopback_is_refused() -> None:
    with socket.socket() as connection, pytest.raises(SocketConnectBlockedError):
        connection.connect(("192.0.2.1", 80))  # RFC 5737: an address for documentation


@pytest.mark.parametrize("host", ["rootmark.invalid", b"rootmark.invalid"])
def test_a_name_beyond_loopback_is_not_looked_up(host: str | bytes) -> None:
    with pytest.raises(socket.gaierror, match="loopback"):
        socket.getaddrinfo(host, 80)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", None])
def test_loopback_resolves(host: str | None) -> None:
    assert socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)


def _pytest_with_a_skip(directory: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "tests" / "conftest.py", directory)
    (directory / "test_sample.py").write_text(  # a skip to be counted, in a project made for it
        "import pytest\n\ndef test_passes():\n    pass\n\ndef test_skips():\n    pytest.skip('no reason')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(directory)]
    clean = {"PATH": "/usr/bin:/bin", **environ}
    return subprocess.run(command, cwd=directory, env=clean, capture_output=True, text=True, check=False)


def test_a_skip_is_listed_and_passes_on_a_machine_of_ones_own(tmp_path: Path) -> None:
    listed = tmp_path / "skips"
    result = _pytest_with_a_skip(tmp_path, ROOTMARK_TEST_SKIPS=str(listed))
    assert result.returncode == 0, result.stdout + result.stderr
    assert listed.read_text() == "test_sample.py::test_skips: Skipped: no reason\n"


def test_a_skip_fails_in_continuous_integration(tmp_path: Path) -> None:
    result = _pytest_with_a_skip(tmp_path, ROOTMARK_CI="1")
    assert result.returncode == 1, result.stdout + result.stderr


def test_a_failed_step_is_named_and_the_later_ones_still_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(node_packages, "ensure", lambda _: False)
    monkeypatch.setattr(node_packages, "node_environ", lambda: {"PATH": ""})
    monkeypatch.setattr(
        run_tests, "static_steps", lambda: [Step("first", (sys.executable, "-c", "exit('why')"))]
    )
    monkeypatch.setattr(run_tests, "test_steps", lambda _: [Step("second", (sys.executable, "-c", "pass"))])
    monkeypatch.setattr(run_tests, "coverage_steps", list)
    assert run_tests.main([]) == 1
    shown = capsys.readouterr().out
    assert "why" in shown
    assert "== first: FAILED" in shown
    assert "== second: ok" in shown
    assert "FAILED: first (" in shown


def test_every_test_runs_in_one_of_the_two_steps() -> None:
    measured, others = (step.command for step in run_tests.test_steps([]))
    directories = {directory for directory in measured if directory.startswith("tests/")}
    assert directories
    assert all((ROOT / directory).is_dir() for directory in directories)
    assert {word.removeprefix("--ignore=") for word in others if "--ignore" in word} == directories
    assert not [word for word in others if word.startswith("tests")]


def test_arguments_go_to_pytest_and_nothing_else_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(node_packages, "ensure", lambda _: False)
    ran: list[Step] = []
    monkeypatch.setattr(run_tests, "run", lambda step, _: not ran.append(step))
    assert run_tests.main(["-k", "merkle"]) == 0
    assert [step.command for step in ran] == [(sys.executable, "-m", "pytest", "-k", "merkle")]
    assert "all passed" in capsys.readouterr().out


@pytest.fixture
def npm_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree whose npm makes one package of two files."""
    script = "import pathlib as p; d = p.Path('node_modules/one'); d.mkdir(parents=True, exist_ok=True)\n"
    script += "for name in 'ab': (d / name).write_text(name)"
    monkeypatch.setattr(node_packages, "npm_command", lambda: [sys.executable, "-c", script])
    monkeypatch.setattr(node_packages, "wanted_digest", lambda *_: "digest")
    assert node_packages.ensure(tmp_path)
    return tmp_path


def test_npm_packages_that_are_there_are_left_alone(npm_tree: Path) -> None:
    (npm_tree / "node_modules" / ".cache").mkdir()
    (npm_tree / "node_modules" / ".cache" / "compiled").write_text("of a tool")
    assert not node_packages.ensure(npm_tree)


@pytest.mark.parametrize("damage", ["lost", "cut", "stamp"])
def test_broken_npm_packages_are_installed_again(npm_tree: Path, damage: str) -> None:
    modules = npm_tree / "node_modules"
    if damage == "lost":
        (modules / "one" / "a").unlink()
    elif damage == "cut":
        (modules / "one" / "a").write_text("")
    else:
        (modules / node_packages.STAMP_NAME).write_text("{")
    assert node_packages.ensure(npm_tree)
    assert not node_packages.ensure(npm_tree)


def test_npm_packages_that_could_not_be_installed_have_no_stamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_packages, "npm_command", lambda: ["false"])
    monkeypatch.setattr(node_packages, "wanted_digest", lambda *_: "digest")
    with pytest.raises(subprocess.CalledProcessError):
        node_packages.ensure(tmp_path)
    assert not (tmp_path / "node_modules").exists()
