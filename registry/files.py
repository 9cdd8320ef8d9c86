"""A file that is there whole and for good, or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_durably(directory: Path, name: str, content: bytes) -> None:
    """Make a file of mode 600 durable under its name: written to a draft, synced, renamed, directory synced.

    The directory is made where there is none, of mode 700. A file of that name is replaced. Raises OSError;
    then no draft stays behind.
    """
    draft = directory / f".{name}.{secrets.token_hex(4)}.tmp"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(directory / name)
        folder = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
