"""scripts/lib/environment.py: when an environment is made, made anew, linked, left alone, or removed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import environment
import pytest
from environment import BootstrapError, Environment

PIP = ["pip of the test"]
TARGET = Environment(".venv", ("runtime",))
PACKAGE = "lib/python3.11/site-packages"


class Workshop:
    """A tree with a lock file, in which environments are made without Python or pip; counts what was done."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.done: list[str] = []
        self.fails_at: str | None = None
        (root / "requirements").mkdir()
        (root / "requirements" / "runtime.txt").write_text("one==1\n")
        (root / "pyproject.toml").write_text('[project]\nname = "sample"\n')

    @property
    def directory(self) -> Path:
        return self.root / TARGET.directory

    def _do(self, what: str) -> None:
        self.done.append(what)
        if self.fails_at == what:
            raise BootstrapError(f"{what} fails", 1)

    def make_venv(self, python: str, directory: Path) -> list[str]:
        shutil.rmtree(directory, ignore_errors=True)
        (directory / "bin").mkdir(parents=True)
        (directory / "bin" / "python").symlink_to(sys.executable)
        (directory / PACKAGE).mkdir(parents=True)
        self._do("venv")
        return PIP

    def install_locked(self, pip: list[str], root: Path, what: Environment) -> None:
        packages = root / what.directory / PACKAGE
        for name, readme in (("one", "1234"), ("two", "12345678")):
            (packages / f"{name}-1.dist-info").mkdir()
            record = f"{name}.py,sha256=x,3\nREADME,sha256=x,{len(readme)}\n__pycache__/{name}.pyc,,\n"
            (packages / f"{name}-1.dist-info" / "RECORD").write_text(record)
            (packages / f"{name}.py").write_text("abc")
            (packages / "README").write_text(readme)
        self._do("packages")

    def link_project(self, pip: list[str], root: Path) -> None:
        self._do("link")

    def ensure(self) -> list[str]:
        """What one call did, in order."""
        self.done = []
        changed = environment.ensure(self.root, TARGET, sys.executable)
        assert changed == bool(self.done)
        return self.done


ALL = ["venv", "packages", "link"]


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A tree in which nothing has been made."""
    made = Workshop(tmp_path)
    for name in ("make_venv", "install_locked", "link_project"):
        monkeypatch.setattr(environment, name, getattr(made, name))
    monkeypatch.setattr(environment, "find_pip", lambda *_: PIP)
    return made


@pytest.fixture
def finished(workshop: Workshop) -> Workshop:
    """The same with a finished environment."""
    assert workshop.ensure() == ALL
    return workshop


@pytest.mark.parametrize("step", ALL)
def test_a_failed_step_leaves_no_environment_behind(workshop: Workshop, step: str) -> None:
    workshop.fails_at = step
    with pytest.raises(BootstrapError, match=f"{step} fails"):
        workshop.ensure()
    assert not workshop.directory.exists()
    workshop.fails_at = None
    assert workshop.ensure() == ALL


@pytest.mark.parametrize("stamp", ["", "{", "[]", "{}", '{"locks": "x", "project": "x", "names": []}'])
def test_an_environment_with_a_broken_stamp_is_made_anew(finished: Workshop, stamp: str) -> None:
    (finished.directory / environment.STAMP_NAME).write_text(stamp)
    assert finished.ensure() == ALL
    assert finished.ensure() == []


def test_an_environment_whose_stamp_names_nothing_is_made_anew(finished: Workshop) -> None:
    path = finished.directory / environment.STAMP_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), "names": []}))
    assert finished.ensure() == ALL


def test_an_environment_without_stamp_is_made_anew(finished: Workshop) -> None:
    (finished.directory / environment.STAMP_NAME).unlink()
    assert finished.ensure() == ALL


@pytest.mark.parametrize("lost", ["one.py", "two-1.dist-info/RECORD", "README", "../../../bin/python"])
def test_an_environment_that_lost_a_file_is_made_anew(finished: Workshop, lost: str) -> None:
    (finished.directory / PACKAGE / lost).unlink()
    assert finished.ensure() == ALL


def test_an_environment_with_a_cut_file_is_made_anew(finished: Workshop) -> None:
    (finished.directory / PACKAGE / "two.py").write_text("ab")
    assert finished.ensure() == ALL


def test_another_lock_makes_the_environment_anew(finished: Workshop) -> None:
    (finished.root / "requirements" / "runtime.txt").write_text("one==2\n")
    assert finished.ensure() == ALL


def test_other_metadata_link_the_project_again_without_installing(finished: Workshop) -> None:
    (finished.root / "pyproject.toml").write_text('[project]\nname = "sample"\nversion = "2"\n')
    assert finished.ensure() == ["link"]
    assert finished.ensure() == []


def test_other_lint_rules_change_nothing(finished: Workshop) -> None:
    with (finished.root / "pyproject.toml").open("a") as file:
        file.write("[tool.ruff]\nline-length = 90\n")
    assert finished.ensure() == []


def test_a_finished_environment_is_left_alone(finished: Workshop) -> None:
    # README belongs to both packages and has the length that only the second one records.
    (finished.directory / PACKAGE / "extra.py").write_text("of the user")
    assert finished.ensure() == []


def _without_ensurepip(directory: Path) -> str:
    """A command that is Python without ensurepip and without pip."""
    command = directory / "python3"
    command.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        "    *--without-pip*) ;;\n"
        '    *"-m venv"*) mkdir -p "$3/half"; exit 1 ;;\n'
        '    *"-m pip"*) exit 1 ;;\n'
        "esac\n"
        f'exec "{sys.executable}" "$@"\n'
    )
    command.chmod(0o755)
    return str(command)


def test_without_ensurepip_the_hosts_pip_is_told_where_to_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = _without_ensurepip(tmp_path)
    calls = tmp_path / "calls"
    (tmp_path / "pip3").write_text(f'#!/bin/sh\necho "$*" >> "{calls}"\n')
    (tmp_path / "pip3").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    directory = tmp_path / "venv"
    pip = environment.make_venv(python, directory)
    inside = str(directory / "bin" / "python")
    assert pip == ["pip3", "--python", inside]
    assert calls.read_text() == f"--python {inside} --version\n"
    subprocess.run([inside, "-c", "import sys; assert sys.prefix != sys.base_prefix"], check=True)
    assert not (directory / "half").exists()


def test_without_ensurepip_and_pip_making_one_fails_with_the_line_that_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = _without_ensurepip(tmp_path)
    monkeypatch.setattr(environment.shutil, "which", lambda _: None)
    with pytest.raises(BootstrapError, match="apt-get install python3-venv") as caught:
        environment.make_venv(python, tmp_path / "venv")
    assert caught.value.code == 2
    assert not (tmp_path / "venv").exists()


def test_pip_does_not_see_settings_that_would_install_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    pip = tmp_path / "pip"
    pip.write_text(f'#!/bin/sh\nenv > "{seen}"\nexit 0\n')
    pip.chmod(0o755)
    for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_NO_BINARY", "PYTHONPATH", "PIP_USER", "PIP_PROXY"):
        monkeypatch.setenv(name, "kept")
    environment.pip_install([str(pip)], tmp_path, "nothing")
    kept = {line.partition("=")[0] for line in seen.read_text().splitlines() if line.endswith("=kept")}
    assert kept & {"PIP_TARGET", "PIP_PREFIX", "PIP_NO_BINARY", "PYTHONPATH", "PIP_USER"} == set()
    assert "PIP_PROXY" in kept


def test_a_failing_pip_is_an_error_that_names_what_was_installed(tmp_path: Path) -> None:
    with pytest.raises(BootstrapError, match="pip could not install the moon") as caught:
        environment.pip_install(["false"], tmp_path, "the moon")
    assert caught.value.code == 1


@pytest.mark.parametrize(
    ("shown", "enough"),
    [("v22.13.0", True), ("v24.1.0", True), ("v22.12.9", False), ("v20.20.2", False), ("nonsense", False)],
)
def test_node_on_path_counts_from_22_13_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str, enough: bool
) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {shown}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert environment.has_node() is enough
    assert ("node" in environment.chosen("test").locks) is not enough
    assert environment.chosen("runtime").locks == ("runtime",)


def test_node_without_npm_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\necho v24.0.0\n")
    (tmp_path / "node").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not environment.has_node()
