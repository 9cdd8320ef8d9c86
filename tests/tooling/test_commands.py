"""scripts/start and scripts/test: which Python they take, and what they say where there is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IGNORED = shutil.ignore_patterns("__pycache__", "node_modules")
PROGRAMS = ("bash", "sh", "dirname", "mkdir", "env")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A directory to be PATH, with the few programs that the commands need and no Python."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found is not None
        (directory / name).symlink_to(found)
    return directory


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A clone's tooling."""
    directory = tmp_path / "tree"
    directory.mkdir()
    shutil.copytree(ROOT / "scripts", directory / "scripts", ignore=IGNORED)
    shutil.copytree(ROOT / "requirements", directory / "requirements")
    shutil.copy(ROOT / "pyproject.toml", directory)
    return directory


def _program(path: Path, name: str, text: str) -> None:
    (path / name).write_text(f"#!/bin/sh\n{text}\n")
    (path / name).chmod(0o755)


def _python(path: Path, name: str, version: tuple[int, int]) -> None:
    """A Python that answers the question for its version, and nothing else."""
    code = f"import sys; sys.version_info = {(*version, 0)!r}; exec(sys.argv[1])"
    _program(path, name, f'[ "$1" = -c ] || exit 70\nexec "{sys.executable}" -c "{code}" "$2"')


def _find(path: Path, *candidates: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [
        "bash",
        "-c",
        '. "$0"; find_python "$@"',
        str(ROOT / "scripts" / "lib" / "python.sh"),
        *candidates,
    ]
    return subprocess.run(
        command, env={"PATH": str(path), **environ}, capture_output=True, text=True, check=False
    )


def _files(directory: Path) -> set[str]:
    return {str(found.relative_to(directory)) for found in directory.rglob("*")}


def test_a_command_that_exists_but_does_not_run_is_passed_over(path: Path) -> None:
    _program(path, "python3", "exit 127")
    _python(path, "python3.12", (3, 12))
    assert _find(path, "python3", "python3.12").stdout == f"{path}/python3.12\n"


def test_an_older_python_is_passed_over(path: Path) -> None:
    _python(path, "python3", (3, 10))
    _python(path, "python3.13", (3, 13))
    assert _find(path, "python3", "python3.13").stdout == f"{path}/python3.13\n"


def test_a_python_that_the_locks_do_not_know_is_the_last_choice(path: Path) -> None:
    _python(path, "python3", (3, 15))
    assert _find(path, "python3", "python3.11").stdout == f"{path}/python3\n"
    _python(path, "python3.11", (3, 11))
    assert _find(path, "python3", "python3.11").stdout == f"{path}/python3.11\n"


def test_a_python_named_by_the_environment_is_the_only_candidate(path: Path) -> None:
    _python(path, "python3", (3, 11))
    _python(path, "mine", (3, 12))
    assert _find(path, "python3", ROOTMARK_PYTHON="mine").stdout == f"{path}/mine\n"
    assert _find(path, "python3", ROOTMARK_PYTHON="missing").returncode == 2


@pytest.mark.parametrize("command", ["start", "test"])
def test_without_any_python_the_command_exits_2_with_the_line_that_mends_it(
    path: Path, tree: Path, command: str
) -> None:
    before = _files(tree)
    script = str(tree / "scripts" / command)
    result = subprocess.run(
        [script], env={"PATH": str(path)}, capture_output=True, text=True, cwd="/", check=False
    )
    assert result.returncode == 2
    assert "    apt-get install python3 python3-venv\n" in result.stderr
    assert _files(tree) == before


@pytest.mark.parametrize("command", ["start", "test"])
def test_without_ensurepip_and_pip_the_command_exits_2_and_leaves_nothing(
    path: Path, tree: Path, command: str
) -> None:
    refuse = 'case "$*" in\n*--without-pip*) ;;\n*"-m venv"*) mkdir -p "$3"; exit 1 ;;\n'
    refuse += '*"-m pip"*) exit 1 ;;\nesac'
    for name in ("python3", "python3.11"):
        _program(path, name, f'{refuse}\nexec "{sys.executable}" "$@"')
    before = _files(tree)
    script = str(tree / "scripts" / command)
    result = subprocess.run(
        [script], env={"PATH": str(path)}, capture_output=True, text=True, cwd="/", check=False
    )
    assert result.returncode == 2, result.stderr
    assert "    apt-get install python3-venv\n" in result.stderr
    assert _files(tree) == before
