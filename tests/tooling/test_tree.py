"""What the tree must and must not contain: complete locks; no address of a registry, no local path."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("runtime", "test", "node", "merkletools")
MADE = {"node_modules", ".git", ".venv", ".venv-test", "__pycache__", "rootmark-data"}
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;]+)", re.MULTILINE)

HOSTS = [
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("yarnpkg", "com"))
]
OPTIONS = re.compile(
    r"(?<![\w-])--(?:extra-)?index-url|(?<![\w-])-{2}find-links|index[-_]url *=|^registry *="
)
HOME_PATHS = re.compile(r"(?<![\w.}/-])/(?:home|Users)/\w+/|(?<![\w.}/-])/roo[t]/")


def _lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def _pins(name: str) -> dict[str, str]:
    return dict(PIN.findall(_lock(name)))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _names(requirements: list[str]) -> set[str]:
    """The distributions that requirement lines name, normalised as in PEP 503."""
    matches = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    return {_normal(match[0]) for match in matches if match}


def _tracked() -> list[Path]:
    """The files of the tree: git's, or all that no tool has made where there is no git."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
        files = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        files = [found for found in ROOT.rglob("*") if not MADE & set(found.relative_to(ROOT).parts)]
    return [file for file in files if file.is_file() and not file.is_symlink()]


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_version_carries_a_hash(name: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", _lock(name), flags=re.MULTILINE))
    assert entries
    for entry in entries:
        assert PIN.match(entry), entry.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address(name: str) -> None:
    assert "://" not in _lock(name)


def test_the_runtime_lock_holds_what_the_project_declares() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = _names(pyproject["project"]["dependencies"] + pyproject["build-system"]["requires"])
    assert declared <= set(_pins("runtime"))


def test_the_test_lock_holds_the_runtime_versions_and_the_test_tools() -> None:
    runtime, tests = _pins("runtime"), _pins("test")
    assert {name: tests.get(name) for name in runtime} == runtime
    wanted = [
        line for line in (ROOT / "requirements" / "test.in").read_text().splitlines() if line[:1] not in "#"
    ]
    assert _names(wanted) <= set(tests)


@pytest.mark.parametrize("directory", [".", "scripts/interoperability"])
def test_npm_packages_are_locked_with_integrity_and_without_address(directory: str) -> None:
    packages = json.loads((ROOT / directory / "package-lock.json").read_text())["packages"]
    for path, package in packages.items():
        assert "resolved" not in package, path
        assert not path or package.get("link") or package["integrity"].startswith("sha512-"), path


def test_no_file_names_a_package_registry_or_a_path_of_somebodys_machine() -> None:
    places = [str(ROOT)] if len(ROOT.parts) > 3 else []
    found = []
    for file in _tracked():
        text = file.read_bytes().decode("utf-8", errors="ignore")
        hits = [needle for needle in (*HOSTS, *places) if needle in text]
        hits += [match[0] for pattern in (OPTIONS, HOME_PATHS) for match in pattern.finditer(text)]
        found += [f"{file.relative_to(ROOT)}: {hit}" for hit in hits]
    assert found == []
