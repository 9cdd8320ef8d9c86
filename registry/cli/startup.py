"""Quick starts: what is large is imported when a command needs it, and without the collector looking on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def heavy_imports() -> Iterator[None]:
    """Around imports of hundreds of modules (web3, py-evm, SQLAlchemy).

    What they make lives as long as the process; the garbage collector would go through it again and again
    while it grows, and once more at the end. Off meanwhile, and told to leave it alone afterwards, a start
    takes a third less.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
