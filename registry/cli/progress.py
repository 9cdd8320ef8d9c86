"""Progress of long work, on standard error, and only where that is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from registry.cli.output import stderr

Told = Callable[[str], None]
Counted = Callable[[int], None]


@contextmanager
def waiting(text: str) -> Iterator[Told]:
    """A spinner with the time that has passed; yields a function that changes its text."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task(text)
        yield lambda changed: progress.update(task, description=changed)


@contextmanager
def counting(text: str, total: int | None, *, in_bytes: bool = False) -> Iterator[Counted]:
    """A bar; yields a function that is told how much more was done. Without a total it only counts."""
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn

    amount = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), amount)
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task(text, total=total)
        yield lambda more: progress.advance(task, more)
