"""The demo's input: awards in the CSV that `rootmark award create` takes, and the catalogue that they are of.

In ``achievement_id`` the awards have the course's code; the ids that a server gives are put in its place. The
catalogue, achievements.json beside the CSV, has the achievements by code.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.errors import ConfigurationError

CATALOGUE = "achievements.json"
MIN_AWARDS = 50
_NEEDED = ("external_id", "recipient_email", "achievement_id", "result")


@dataclass(frozen=True, slots=True)
class Awards:
    """What is to be awarded.

    Attributes:
        rows: by external id, in the file's order.
        catalogue: bodies of achievements by course code; every code in ``rows`` is there.
    """

    rows: Mapping[str, dict[str, str]]
    catalogue: Mapping[str, dict[str, Any]]

    def csv_of(self, names: Iterable[str], ids: Mapping[str, str]) -> bytes:
        """A CSV file of some of the awards, with achievements' ids for codes."""
        rows = [self.rows[name] for name in names]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, fieldnames=list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow(row | {"achievement_id": ids[row["achievement_id"]]})
        return text.getvalue().encode()


def read_awards(path: Path) -> Awards:
    """The awards of a CSV file, and the catalogue beside it.

    Raises:
        ConfigurationError: a file cannot be read, a column or a course is missing, or there are too few rows.
    """
    rows = _rows(path)
    catalogue = _catalogue(path.with_name(CATALOGUE))
    if len(rows) < MIN_AWARDS:
        raise ConfigurationError(f"{path} has {len(rows)} awards; the demo needs {MIN_AWARDS} or more")
    for name, row in rows.items():
        if row["achievement_id"] not in catalogue:
            raise ConfigurationError(
                f"{path}: the course of {name} is not in {CATALOGUE}; see examples/README.md"
            )
    return Awards(rows, catalogue)


def _rows(path: Path) -> dict[str, dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            found = list(csv.DictReader(file, strict=True))
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}; name another with --csv"
        ) from error
    except (ValueError, csv.Error) as error:
        raise ConfigurationError(f"{path} is no CSV of awards; see examples/README.md") from error
    for row in found:
        missing = [name for name in _NEEDED if row.get(name) is None]
        if missing or None in row:
            what = f"no column {missing[0]}" if missing else "a row with too many cells"
            raise ConfigurationError(f"{path} has {what}; see examples/README.md")
    return {row["external_id"]: row for row in found}


def _catalogue(path: Path) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is no JSON") from error
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise ConfigurationError(f"{path} is no object of achievements by their codes")
    return found
