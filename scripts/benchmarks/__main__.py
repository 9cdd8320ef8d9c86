"""`scripts/bench`: one benchmark, as a table or as JSON. Exit code 0 when it ran, whatever it found."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from scripts.benchmarks import repository
from scripts.benchmarks.figures import Outcome


def _tree(options: argparse.Namespace) -> Outcome:
    from scripts.benchmarks import tree

    return tree.run(options.leaves)


def _gas(_options: argparse.Namespace) -> Outcome:
    from scripts.benchmarks import gas

    return gas.run()


def _verify(options: argparse.Namespace) -> Outcome:
    from scripts.benchmarks import verify

    return verify.run(options.leaves, options.requests, options.rounds)


def _batch(options: argparse.Namespace) -> Outcome:
    from scripts.benchmarks import batch

    return batch.run(options.leaves)


def _awards(options: argparse.Namespace) -> Outcome:
    from scripts.benchmarks import awards

    return awards.run(options.leaves, options.rounds)


def _documents(options: argparse.Namespace) -> Outcome:
    from scripts.benchmarks import documents

    return documents.run(options.leaves, options.rounds)


def _storage(options: argparse.Namespace) -> Outcome:
    from scripts.benchmarks import storage

    return storage.run(options.leaves)


def _console(options: argparse.Namespace) -> Outcome:
    from scripts.benchmarks import console

    return console.run(options.leaves)


def _pages(options: argparse.Namespace) -> Outcome:
    from scripts.benchmarks import pages

    return pages.run(options.rounds)


def _pdf(options: argparse.Namespace) -> Outcome:
    from scripts.benchmarks import pdf

    return pdf.run(options.leaves, options.rounds)


def _holders(options: argparse.Namespace) -> Outcome:
    from scripts.benchmarks import holders

    return holders.run(options.rounds)


BENCHMARKS: dict[str, Callable[[argparse.Namespace], Outcome]] = {
    "tree": _tree,
    "batch": _batch,
    "verify": _verify,
    "awards": _awards,
    "documents": _documents,
    "pages": _pages,
    "holders": _holders,
    "console": _console,
    "pdf": _pdf,
    "storage": _storage,
    "gas": _gas,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what ``arguments`` ask for and print what it found; the exit code."""
    repository.prefer_own_tests()
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("benchmark", choices=BENCHMARKS)
    parser.add_argument(
        "--leaves", type=_positive, help="credentials in the tree or batch, or verified in a round"
    )
    parser.add_argument("--requests", type=_positive, help="verifications of each measurement (verify)")
    parser.add_argument(
        "--rounds",
        type=_positive,
        help="measurements, of which the median counts (verify, awards, documents, pages, pdf)",
    )
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    options = parser.parse_args(arguments)
    outcome = BENCHMARKS[options.benchmark](options)
    print(json.dumps(outcome.to_json(), indent=2) if options.json else outcome.to_table())
    return 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
