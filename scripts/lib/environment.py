"""Makes a virtual environment from lock files, once; standard library only.

    python environment.py runtime|test --python COMMAND

``runtime`` fills ``.venv`` with what the registry needs, from wheels alone; ``test`` fills ``.venv-test``
with that and the test tools. They are apart so that an import which only the test tools satisfy cannot hide
from scripts/start.

Invariants:
- Every package comes by version and hash from requirements/*.txt; the project itself is linked in, without
  an index.
- The stamp is written last. It holds a digest of the lock files, of the interpreter and of this program, one
  of the project's own metadata, and the names installed. An environment whose first digest does not fit, or
  with a file missing or of another length, is made anew; where only the second differs, the project is
  linked again.
- Where the stamp fits, nothing is run but the check: no socket is opened.
- A failure leaves no environment behind. Exit code 2 when Python cannot make one, 1 when an installation
  fails.
"""

from __future__ import annotations

import argparse
import csv
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STAMP_NAME = "rootmark-stamp.json"
NODE_NEEDED = (22, 13)
# Settings of pip that would install elsewhere, or something else than what is locked.
CHANGING_SETTINGS = frozenset(
    {
        "PIP_BUILD_CONSTRAINT",
        "PIP_CONSTRAINT",
        "PIP_DRY_RUN",
        "PIP_IGNORE_INSTALLED",
        "PIP_NO_BINARY",
        "PIP_NO_BUILD_ISOLATION",
        "PIP_ONLY_BINARY",
        "PIP_PREFIX",
        "PIP_PYTHON",
        "PIP_REQUIREMENT",
        "PIP_ROOT",
        "PIP_TARGET",
        "PIP_UPGRADE",
        "PYTHONHOME",
        "PYTHONPATH",
    }
)


@dataclass(frozen=True)
class Environment:
    """What goes where: ``locks`` are installed in order, each from wheels unless named in ``from_source``."""

    directory: str
    locks: tuple[str, ...]
    from_source: tuple[str, ...] = ()


ENVIRONMENTS = {
    "runtime": Environment(".venv", ("runtime",)),
    "test": Environment(".venv-test", ("test", "merkletools"), from_source=("merkletools",)),
}


@dataclass(frozen=True)
class Stamp:
    """What a finished environment was made for: two digests, and the ``*.dist-info`` names in it."""

    locks: str
    project: str
    names: tuple[str, ...]


class BootstrapError(Exception):
    """The environment cannot be made; ``code`` is the process's exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def lock_path(root: Path, name: str) -> Path:
    """The lock file called ``name``."""
    return root / "requirements" / f"{name}.txt"


def locks_digest(root: Path, environment: Environment, python: str) -> str:
    """SHA-256 (hex) over all that decides which packages the environment holds and where it lies."""
    parts = [str(root).encode(), interpreter_identity(python).encode(), Path(__file__).read_bytes()]
    parts += [lock_path(root, name).read_bytes() for name in environment.locks]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def project_digest(root: Path) -> str:
    """SHA-256 (hex) over the project's metadata, its commands among them."""
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    tables = {name: pyproject.get(name) for name in ("build-system", "project")}
    tables["hatch"] = pyproject.get("tool", {}).get("hatch")
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()


def interpreter_identity(python: str) -> str:
    """Version and real path of the interpreter behind the command ``python``."""
    code = "import os, sys; print(sys.version, os.path.realpath(sys.executable), sys.base_prefix)"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout


def site_packages(directory: Path) -> Path | None:
    """The environment's package directory, or None where there is not exactly one."""
    found = list((directory / "lib").glob("python3.*/site-packages"))
    return found[0] if len(found) == 1 else None


def installed_names(directory: Path) -> tuple[str, ...]:
    """The ``*.dist-info`` names in the environment, sorted."""
    packages = site_packages(directory)
    return tuple(sorted(entry.name for entry in packages.glob("*.dist-info"))) if packages else ()


def is_whole(directory: Path, names: tuple[str, ...]) -> bool:
    """Whether every file that the installed packages record is there with a recorded length.

    Some packages bring a file of the same name (their documentation): any length they record will do.
    """
    packages = site_packages(directory)
    if packages is None or not names or not os.access(directory / "bin" / "python", os.X_OK):
        return False
    lengths: dict[str, set[int]] = {}
    for name in names:
        try:
            rows = (packages / name / "RECORD").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        for row in csv.reader(rows):
            # Rows without a length are compiled files and the record itself.
            if len(row) == 3 and row[2].isdigit():
                lengths.setdefault(row[0], set()).add(int(row[2]))
    return all(length_of(packages / path) in allowed for path, allowed in lengths.items())


def length_of(path: Path) -> int | None:
    """The length of a file in bytes, or None where there is none."""
    try:
        return os.stat(path).st_size  # noqa: PTH116  (thousands of files: the plain call)
    except OSError:
        return None


def read_stamp(directory: Path) -> Stamp | None:
    """The environment's stamp, or None where there is none that can be read."""
    try:
        fields = json.loads((directory / STAMP_NAME).read_bytes())
        return Stamp(str(fields["locks"]), str(fields["project"]), tuple(map(str, fields["names"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_stamp(directory: Path, stamp: Stamp) -> None:
    """Declare the environment finished."""
    (directory / STAMP_NAME).write_text(json.dumps(asdict(stamp), indent=1) + "\n", encoding="utf-8")


def run_quietly(command: list[str]) -> bool:
    """Run ``command``; its output is dropped. Whether it succeeded."""
    result = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return result.returncode == 0


def find_pip(python: str, directory: Path) -> list[str] | None:
    """The command that runs pip in the environment: its own, else the host's, told where to work."""
    inside = str(directory / "bin" / "python")
    commands = [[inside, "-m", "pip"], [python, "-m", "pip", "--python", inside]]
    commands += [[name, "--python", inside] for name in ("pip3", "pip") if shutil.which(name)]
    return next((command for command in commands if run_quietly([*command, "--version"])), None)


def make_venv(python: str, directory: Path) -> list[str]:
    """Make an empty environment and return the command that runs pip in it.

    First as Python ships it (ensurepip); where that is missing, without pip, driven by the host's.

    Raises:
        BootstrapError: code 2, with the line that mends it; nothing is left behind.
    """
    for options in ((), ("--without-pip",)):
        shutil.rmtree(directory, ignore_errors=True)
        if run_quietly([python, "-m", "venv", *options, str(directory)]):
            pip = find_pip(python, directory)
            if pip is not None:
                return pip
    shutil.rmtree(directory, ignore_errors=True)
    raise BootstrapError(
        f"{python} can make no virtual environment: there is neither ensurepip nor a pip (22.3 or later).\n"
        "On Debian or Ubuntu:\n    apt-get install python3-venv",
        2,
    )


def pip_install(pip: list[str], root: Path, what: str, *options: str) -> None:
    """Run ``pip install`` with ``options``, apart from settings of the host that would change what it does.

    Where packages come from (index, mirror, proxy, certificates) stays as the host has it.

    Raises:
        BootstrapError: code 1, when pip fails; pip has said why on standard error.
    """
    env = {name: value for name, value in os.environ.items() if name not in CHANGING_SETTINGS}
    env |= {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    quiet = ("-qq", "--no-input", "--disable-pip-version-check", "--no-deps", "--no-compile")
    result = subprocess.run([*pip, "install", *quiet, *options], check=False, env=env, cwd=root)
    if result.returncode != 0:
        raise BootstrapError(f"pip could not install {what}", 1)


def install_locked(pip: list[str], root: Path, environment: Environment) -> None:
    """Install the lock files in order. Raises BootstrapError, code 1."""
    for name in environment.locks:
        say(f"installing requirements/{name}.txt")
        built = name in environment.from_source
        how = ("--no-build-isolation", "--no-binary", ":all:") if built else ("--only-binary", ":all:")
        lock = str(lock_path(root, name))
        pip_install(pip, root, f"requirements/{name}.txt", "--require-hashes", *how, "-r", lock)


def link_project(pip: list[str], root: Path) -> None:
    """Link the project into the environment, with its commands; no index is asked. As ``pip_install``."""
    pip_install(pip, root, "the project", "--no-index", "--no-build-isolation", "--editable", str(root))


def ensure(root: Path, environment: Environment, python: str) -> bool:
    """Make the environment unless it is there already. Whether anything was done.

    Two callers at once wait for one another on the first lock file, which is only read.
    """
    directory = root / environment.directory
    with lock_path(root, environment.locks[0]).open("rb") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        locks, project = locks_digest(root, environment, python), project_digest(root)
        stamp = read_stamp(directory)
        whole = stamp is not None and stamp.locks == locks and is_whole(directory, stamp.names)
        if stamp is not None and whole and stamp.project == project:
            return False
        try:
            pip = find_pip(python, directory) if whole else None
            if pip is None:
                say(f"making {environment.directory} with {python}")
                pip = make_venv(python, directory)
                install_locked(pip, root, environment)
            (directory / STAMP_NAME).unlink(missing_ok=True)
            link_project(pip, root)
            write_stamp(directory, Stamp(locks, project, installed_names(directory)))
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise
    return True


def has_node() -> bool:
    """Whether PATH has npm and a Node.js that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return False
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)\.", shown)
    return found is not None and (int(found[1]), int(found[2])) >= NODE_NEEDED


def chosen(name: str) -> Environment:
    """The environment called ``name``; the tests' one has Node.js too where the machine lacks it."""
    environment = ENVIRONMENTS[name]
    if name == "test" and not has_node():
        return replace(environment, locks=(*environment.locks, "node"))
    return environment


def say(message: str) -> None:
    """One line of progress, on standard error."""
    print(f"rootmark: {message}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Parse ``arguments``, make the environment, and return the exit code."""
    parser = argparse.ArgumentParser(description="Make an environment from a lock file.")
    parser.add_argument("environment", choices=sorted(ENVIRONMENTS))
    parser.add_argument("--python", required=True, help="the command that makes it")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        ensure(options.root, chosen(options.environment), options.python)
    except BootstrapError as error:
        print(error, file=sys.stderr)
        return error.code
    except OSError as error:
        print(f"The environment cannot be made: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
