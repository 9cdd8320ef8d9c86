"""Files that are their owner's alone: secrets of mode 600, directories of mode 700."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from registry.errors import ConfigurationError


def secret_file(path: Path, make: Callable[[], str]) -> str:
    """Read a secret, or make it; several processes starting at once agree on one.

    Raises:
        ConfigurationError: the file cannot be read or made, or is empty.
    """
    try:
        if not path.exists():
            temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(make() + "\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(temporary, path)
            except FileExistsError:
                pass
            finally:
                temporary.unlink()
        secret = path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(f"{path.name} in DATA_DIR: {error.strerror}") from error
    if not secret:
        raise ConfigurationError(f"{path.name} in DATA_DIR is empty; remove it to have it made anew")
    return secret


def private_directory(path: Path) -> Path:
    """Make a directory where there is none. Raises `ConfigurationError`."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"DATA_DIR: {path.name} cannot be made: {error.strerror}") from error
    return path
