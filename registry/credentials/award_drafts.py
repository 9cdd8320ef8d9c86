"""A CSV file of awards as a draft: looked at, quoted, published.

Looking at it is the dry run of `AwardService.previews`: every row is read and checked as publishing reads and
checks it, and nothing is stored of it but the draft. Publishing checks all again, since achievements and
external_ids may have changed; what is wrong then leaves the draft as it was.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from registry.credentials.award_csv import MAX_ROW_BYTES, awards_of_csv
from registry.credentials.award_quote import Quote
from registry.credentials.award_values import Row
from registry.credentials.awarding import AwardOptions
from registry.credentials.awards import Awarded, AwardService
from registry.credentials.drafts import DraftShelf, fault_json, first_rows
from registry.errors import MAX_FAULTS, Fault, TooLargeError, ValidationError, WrongStateError
from registry.model.console import Draft, DraftKind
from registry.model.issuers import Caller, Scope
from registry.services.access import require_issuer
from registry.services.idempotency import IdempotencyRef

MAX_FILE_BYTES = 10 * 1024 * 1024


class AwardDrafts:
    """Drafts of batches of awards."""

    def __init__(self, shelf: DraftShelf, awards: AwardService) -> None:
        self._shelf = shelf
        self._awards = awards

    def prepare(self, caller: Caller, file_name: str, data: bytes, options: AwardOptions) -> Draft:
        """Look at a file. What is wrong with it stands in the draft's summary.

        Raises:
            ForbiddenError: not an issuer's key with scope `batch`.
            TooLargeError: more than 10 MiB.
        """
        issuer = require_issuer(caller, Scope.BATCH)
        if len(data) > MAX_FILE_BYTES:
            raise TooLargeError("the file is larger than 10 MiB; cut it into several")
        summary = self._summary(caller, data, options)
        kept = b"" if summary["problem_count"] else data
        return self._shelf.keep(caller, issuer, DraftKind.AWARDS, file_name, summary, kept)

    def _summary(self, caller: Caller, data: bytes, options: AwardOptions) -> dict[str, Any]:
        count = wrong = replayed = problem_count = 0
        problems: list[Fault] = []
        example: dict[str, Any] | None = None
        try:
            for preview in self._awards.previews(caller, _rows(data), options):
                count += 1
                wrong += bool(preview.problems)
                replayed += preview.replays is not None
                problem_count += len(preview.problems)
                problems += preview.problems[: MAX_FAULTS - len(problems)]
                if example is None:
                    example = preview.document
        except (ValidationError, TooLargeError) as error:  # the header; too many rows
            faults = list(error.faults) or [Fault("invalid", str(error))]
            problem_count += len(faults)
            problems = faults[:MAX_FAULTS]
        if not count and not problem_count:
            problem_count, problems = 1, [Fault("empty", "there is no row below the header", None, 1)]
        return {
            "rows": count,
            "new": count - wrong - replayed,
            "replayed": replayed,
            "wrong": wrong,
            "problem_count": problem_count,
            "problems": [fault_json(fault) for fault in problems],
            "first": first_rows(data),
            "example": example,
            "options": asdict(options) | {"proofs": list(options.proofs)},
            "bytes": len(data),
        }

    def quote(self, caller: Caller, draft: Draft) -> Quote | None:
        """What anchoring it would cost now; None when it makes nothing new, or the node does not answer."""
        return self._awards.quote(caller, int(str(draft.summary.get("new", 0))))

    def publish(self, caller: Caller, draft_id: str, *, idempotency: IdempotencyRef | None = None) -> Awarded:
        """Issue the awards of a draft as one batch.

        Raises:
            NotFoundError: no such draft of this key.
            WrongStateError: it is wrong, or was carried out already.
            ForbiddenError, ValidationError, ExternalIdConflictError, SignerError: see `AwardService.create`.
        """
        draft = self._shelf.get(caller, draft_id)
        data = self._shelf.data(draft)
        if draft.kind is not DraftKind.AWARDS or draft.made is not None or not data:
            raise WrongStateError("this draft cannot be published")
        options: dict[str, Any] = dict(draft.summary["options"])  # type: ignore[arg-type]
        options["proofs"] = tuple(options["proofs"])
        awarded = self._awards.create(caller, _rows(data), AwardOptions(**options), idempotency=idempotency)
        self._shelf.finish(draft, "rows:" if awarded.batch is None else f"batch:{awarded.batch.id}")
        return awarded


def _rows(data: bytes) -> Iterator[Row]:
    return awards_of_csv(_lines(data))


def _lines(data: bytes) -> Iterator[bytes]:
    """Lines with their ends; of a longer one than a row may be, pieces that are too long too."""
    file = io.BytesIO(data)
    return iter(lambda: file.readline(MAX_ROW_BYTES + 1), b"")
