"""Exports from a server, all of their pages: CSV as one file on standard output, Parquet as files in a
directory, which readers of Parquet take as one table."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from registry.cli import exits
from registry.cli.output import CommandError, stderr

if TYPE_CHECKING:
    from registry.cli.client import Export


CSV_TYPE = "text/csv"
PARQUET_TYPE = "application/vnd.apache.parquet"


def write_parquet(pages: Iterator[Export], directory: Path, name: str) -> None:
    """Write each page into the directory, which is made and must be empty: `<name>-0001.parquet` and so on.

    Raises:
        CommandError: there is something in the directory, or it cannot be written.
    """
    rows, last, count = 0, None, 0
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise CommandError(f"{directory} is not empty; name another directory", exits.USAGE)
        for count, page in enumerate(pages, 1):
            (directory / f"{name}-{count:04}.parquet").write_bytes(page.content)
            rows += page.rows or 0
            last = page
    except OSError as error:
        raise CommandError(f"{directory} cannot be written: {error.strerror}", exits.INVALID) from error
    told = [f"block {last.block_number} {last.block_hash}"] if last is not None and last.block_hash else []
    stderr.print(", ".join([*told, f"{rows} rows in {count} files in {directory}"]), markup=False)


def write_csv(pages: Iterator[Export]) -> None:
    """Print one file of all pages, byte for byte; what it is of goes to standard error, as far as the server
    says: the block, the rows, and the SHA-256 of what was printed."""
    digest, rows, last = sha256(), 0, None
    for page in pages:
        # Every page begins with the header line, whose names have no line break.
        content = page.content if last is None else page.content.partition(b"\r\n")[2]
        typer.echo(content, nl=False)
        digest.update(content)
        rows += page.rows or 0
        last = page
    if last is None:
        return
    told = [f"block {last.block_number} {last.block_hash}"] if last.block_hash else []
    told += [f"{rows} rows"] if last.rows is not None else []
    stderr.print(", ".join([*told, f"SHA-256 {digest.hexdigest()}"]), markup=False)
