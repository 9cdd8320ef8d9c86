"""`scripts/interop`: verifiers that others wrote judge what this server issues. Exit code 0 when they make of
each document what is expected of them.

Needs Node.js, the npm packages of the lock file beside this module (installed when they are missing) and
anvil; no network once those are there. The judgements are real: see stage.py, judging.py and cases.py.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.benchmarks import repository

repository.prefer_own_tests()
sys.path.insert(0, str(repository.ROOT / "scripts" / "lib"))

import node_packages  # noqa: E402

from scripts.interoperability import report  # noqa: E402
from scripts.interoperability.cases import Case, after, before, disown, disowned, end_some, issue  # noqa: E402
from scripts.interoperability.judging import HERE, Judge, judge  # noqa: E402
from scripts.interoperability.report import Judged  # noqa: E402
from scripts.interoperability.stage import Stage, stage  # noqa: E402

AT_ONCE = 2  # on the two cores there usually are


def run(environ: dict[str, str], directory: Path) -> list[Judged]:
    """Set the stage in an empty directory, issue, and let all cases be judged."""
    with stage(directory) as ready:
        awards = issue(ready)
        judged = _judge_all(ready, before(awards), environ)
        end_some(ready, awards)
        judged += _judge_all(ready, after(ready, awards), environ)
        disown(ready)
        return judged + _judge_all(ready, disowned(awards), environ)


def _judge_all(ready: Stage, cases: Iterable[Case], environ: dict[str, str]) -> list[Judged]:
    def one(case: Case) -> Judged:
        judgements = {which: judge(ready, which, case.document, environ, case.withheld) for which in Judge}
        verdict = ready.call("POST", "/v1/verify", {"credential": case.document})
        return Judged(case, judgements, verdict)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, list(cases)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge and print; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/interop", description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    options = parser.parse_args(arguments)
    node_packages.ensure(HERE)
    with tempfile.TemporaryDirectory(prefix="rootmark-interop-") as directory:
        judged = run(node_packages.node_environ(), Path(directory))
    print(json.dumps(report.to_json(judged), indent=2) if options.json else report.to_text(judged))
    return 1 if report.surprises(judged) else 0


if __name__ == "__main__":
    sys.exit(main())
