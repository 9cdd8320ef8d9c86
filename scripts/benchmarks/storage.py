"""Bytes per credential on disk after one large batch of bare digests, everything counted: entries, their
index, the tree's tiles, and the tables that would be there without any batch.

SQLite: all files of the database once the server has ended, which puts the WAL back into the file.
PostgreSQL: `pg_total_relation_size` of all tables, where the test environment has a PostgreSQL.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

from scripts.benchmarks.figures import Figure, Outcome, Target
from scripts.benchmarks.repository import ROOT
from scripts.benchmarks.server import digests, ndjson, registry

LEAVES = 200_000
_TABLES = """
SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'r'
"""


def run(leaves: int | None) -> Outcome:
    """Measure a batch of ``leaves``."""
    count = leaves or LEAVES
    outcome = Outcome("storage")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        _issue(directory, count)
        total = sum(path.stat().st_size for path in (directory / "data").glob("rootmark.db*"))
        target = Target(220)
        outcome.figures.append(Figure("SQLite, per credential", "bytes", total / count, target=target))
        outcome.figures.append(Figure("SQLite, in all", "bytes", total))
    if find_spec("pgserver") is None:
        outcome.notes.append("no PostgreSQL here: the package pgserver is missing")
        return outcome
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        with postgres(directory) as url:
            _issue(directory, count, DATABASE_URL=url)
            total = table_bytes(url)
        outcome.figures.append(Figure("PostgreSQL, per credential", "bytes", total / count))
        outcome.figures.append(Figure("PostgreSQL, in all", "bytes", total))
    outcome.notes.append(f"after one batch of {count:,} bare digests")
    return outcome


def _issue(directory: Path, count: int, **settings: str) -> None:
    with registry(directory, **settings) as server:
        sent = server.client.post(
            "/v1/batches", content=ndjson(digests(count)), headers={"Content-Type": "application/x-ndjson"}
        )
        server.final(sent.raise_for_status().json())


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """A PostgreSQL with an empty, migrated database; its URL."""
    # pgserver asks for this one while it is imported, and is warned where it is missing.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(directory))
    import pgserver

    server = pgserver.get_server(directory / "postgres", cleanup_mode="stop")
    try:
        url = server.get_uri()
        migrate = "import sys; from registry.store import migrate; migrate(sys.argv[1])"
        subprocess.run([sys.executable, "-c", migrate, url], cwd=ROOT, check=True, capture_output=True)
        yield url
    finally:
        server.cleanup()


def table_bytes(url: str) -> int:
    """All tables with their indexes, after a checkpoint."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute(_TABLES).fetchone()
    assert row is not None
    return int(row[0])
