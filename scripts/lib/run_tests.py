"""Runs the checks and the tests in the test environment, each step named; says at the end what was skipped.

    python run_tests.py               every step
    python run_tests.py ARGUMENT...   pytest alone, with these arguments

Every step runs, also after one that failed; coverage is judged only when all tests passed. Exit
code 0 when all passed; with ROOTMARK_CI set, a skipped test is a failure.

Only the tests in ``MEASURED`` run under coverage, which nearly doubles what the others cost, above all those
that drive a chain. A floor that a part of the tests reaches is one that all of them reach.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import node_packages

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
WORKERS = 3  # on the two cores there usually are: many tests wait, for a block or for another process

# The second are the verifiers of scripts/interop, which fetches them itself where they are missing.
NODE_PACKAGES = (
    ("npm packages", ROOT),
    ("npm packages of other verifiers", ROOT / "scripts" / "interoperability"),
)

# Directories whose tests run in this process for the most part and come by every part of the product.
MEASURED = ("tests/unit", "tests/api", "tests/cli")

# What must be covered, in percent of lines and branches: every module that a pattern names.
FLOORS = (
    (("registry/merkle/*", "registry/merkle.py"), 100),
    (("registry/encoding/*", "registry/encoding.py"), 100),
    (("registry/verdict/*", "registry/verdict.py"), 100),
    (("registry/*", "api/*"), 80),
)


@dataclass(frozen=True)
class Step:
    """One named command; a ``shown`` one writes to the terminal, another's output is kept for a failure."""

    name: str
    command: tuple[str, ...]
    shown: bool = False


def tool(name: str) -> str:
    """The path of a program of the test environment."""
    return str(BIN / name)


def static_steps() -> Iterator[Step]:
    """The steps that only read the sources."""
    yield Step("format", (tool("ruff"), "format", "--check", "."))
    yield Step("lint", (tool("ruff"), "check", "."))
    yield Step("types", (tool("mypy"), "--strict", "registry", "api"))
    yield Step("types of scripts", (tool("mypy"), "--strict", *python_scripts()))
    yield Step("imports", (tool("lint-imports"), "--no-logo"))


def python_scripts() -> list[str]:
    """The bootstrap's own modules, relative to the root."""
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / "scripts" / "lib").glob("*.py"))


def test_steps(arguments: list[str]) -> list[Step]:
    """The tests: all of them, in parallel, the measured ones first; or pytest as the caller wants it."""
    pytest = (sys.executable, "-m", "pytest")
    if arguments:
        return [Step("tests", (*pytest, *arguments), shown=True)]
    # Files in the order of collection, in which those that take long come first (tests/conftest.py).
    spread = ("-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder")
    whole = (*pytest, *spread, "-q", "--durations=15")
    others = tuple(f"--ignore={directory}" for directory in MEASURED)
    return [
        Step("measured tests", (*whole, "--cov", "--cov-report=", *MEASURED), shown=True),
        Step("other tests", (*whole, *others), shown=True),
    ]


def coverage_steps() -> Iterator[Step]:
    """One step for each floor whose modules exist."""
    for patterns, floor in FLOORS:
        if any(any(ROOT.glob(pattern)) for pattern in patterns):
            name = f"coverage of {patterns[0]} is at least {floor} %"
            options = (f"--include={','.join(patterns)}", f"--fail-under={floor}")
            yield Step(name, (tool("coverage"), "report", "--precision=2", *options))


def run(step: Step, environ: dict[str, str]) -> bool:
    """Run one step, say how it went and how long it took, and return whether it passed."""
    begin = time.monotonic()
    print(f"== {step.name}", flush=True)
    pipe = None if step.shown else subprocess.PIPE
    error = None if step.shown else subprocess.STDOUT
    result = subprocess.run(step.command, cwd=ROOT, env=environ, stdout=pipe, stderr=error, check=False)
    passed = result.returncode == 0
    if not passed and result.stdout:
        sys.stdout.write(result.stdout.decode(errors="replace"))
    print(f"== {step.name}: {'ok' if passed else 'FAILED'} ({time.monotonic() - begin:.1f} s)", flush=True)
    return passed


def install_node_packages(name: str, directory: Path) -> bool:
    """The npm packages of a lock file as a step. Whether they are there."""
    begin = time.monotonic()
    print(f"== {name}", flush=True)
    try:
        node_packages.ensure(directory)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"== {name}: FAILED ({error})", flush=True)
        return False
    print(f"== {name}: ok ({time.monotonic() - begin:.1f} s)", flush=True)
    return True


def main(arguments: list[str]) -> int:
    """Run the steps and print the summary; the exit code."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rootmark-test-") as scratch:
        skips = Path(scratch) / "skips"
        needed = NODE_PACKAGES[:1] if arguments else NODE_PACKAGES
        failed = [name for name, directory in needed if not install_node_packages(name, directory)]
        environ = node_packages.node_environ()
        environ |= {"ROOTMARK_TEST_SKIPS": str(skips), "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true"}
        environ["PATH"] = os.pathsep.join([str(BIN), environ["PATH"]])
        # The tests start many processes: where the caller wants no bytecode beside the sources, each of them
        # would compile all that it imports.
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        environ["PYTHONPYCACHEPREFIX"] = str(BIN.parent / "bytecode")
        steps = [] if arguments else list(static_steps())
        failed += [step.name for step in steps if not run(step, environ)]
        failed_tests = [step.name for step in test_steps(arguments) if not run(step, environ)]
        failed += failed_tests
        if not failed_tests and not arguments:
            failed += [step.name for step in coverage_steps() if not run(step, environ)]
        skipped = skips.read_text(encoding="utf-8").splitlines() if skips.exists() else []
    print(f"\nskipped: {len(skipped)}")
    for line in skipped:
        print(f"  {line}")
    verdict = f"FAILED: {', '.join(failed)}" if failed else "all passed"
    print(f"{verdict} ({time.monotonic() - begin:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
