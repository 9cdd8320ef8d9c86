"""CSV from a server, all of its pages as one file on standard output."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

import typer

from registry.cli.output import stderr

if TYPE_CHECKING:
    from registry.cli.client import Export


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
