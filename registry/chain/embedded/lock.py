"""The lock on a data directory: one holder at a time, over processes and within one.

The lock is the kernel's (flock), so it dies with its process and can never be stale; the file's content only
tells a person who holds it.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from registry.chain.embedded.errors import DataDirectoryLockedError


class DirectoryLock:
    """Holds a file in the directory from construction to `release`."""

    def __init__(
        self, directory: Path, *, name: str = "chain.lock", what: str = "the embedded chain"
    ) -> None:
        """Take the lock.

        Args:
            name: the file's.
            what: of the directory is locked, for the message.

        Raises:
            DataDirectoryLockedError: somebody else holds it; the message names their process.
        """
        self._path = directory / name
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise DataDirectoryLockedError(
                f"{what} in {directory} is in use by process {holder}; "
                "stop it, or choose another data directory"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Give the lock back; a second call does nothing. The file stays, so that two openers never lock two
        files."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)  # a number left inside tells that its process was killed
            os.close(self._descriptor)
            self._descriptor = None
