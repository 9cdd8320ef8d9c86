"""Awards, batches and requests as the console's templates show them, and the words for their states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from api.award_views import award_json
from api.views import batch_json, request_json
from registry.bootstrap import App
from registry.credentials.award_quote import Quote
from registry.credentials.award_search import AwardState, state_of
from registry.credentials.awards import AwardView
from registry.encoding import to_hex
from registry.model.awards import Achievement
from registry.model.batches import Batch, BatchState
from registry.model.operations import RequestState, StatusRequest

GWEI = 10**9
ETHER = 10**18


def _(text: str) -> str:
    """Marks a text for the catalogues."""
    return text


@dataclass(frozen=True, slots=True)
class Word:
    """A state in a word, with its tone and picture."""

    text: str
    tone: str
    icon: str


AWARD_STATES: Mapping[AwardState, Word] = {
    AwardState.PENDING: Word(_("on its way"), "unsure", "clock"),
    AwardState.ACTIVE: Word(_("active"), "good", "check"),
    AwardState.SUSPENDED: Word(_("suspended"), "bad", "pause"),
    AwardState.REVOKED: Word(_("revoked"), "bad", "ban"),
    AwardState.WITHDRAWN: Word(_("withdrawn"), "bad", "ban"),
    AwardState.FAILED: Word(_("failed"), "bad", "cross"),
    AwardState.ERASED: Word(_("erased"), "unsure", "dash"),
    AwardState.UNKNOWN: Word(_("unknown"), "unsure", "question"),
}

BATCH_STATES: Mapping[BatchState, Word] = {
    BatchState.RECEIVING: Word(_("arriving"), "unsure", "clock"),
    BatchState.OPEN: Word(_("open"), "unsure", "clock"),
    BatchState.SEALED: Word(_("sealed"), "unsure", "clock"),
    BatchState.SUBMITTED: Word(_("submitted"), "unsure", "clock"),
    BatchState.MINED: Word(_("mined"), "unsure", "clock"),
    BatchState.FINAL: Word(_("final"), "good", "check"),
    BatchState.FAILED: Word(_("failed"), "bad", "cross"),
}

REQUEST_STATES: Mapping[RequestState, Word] = {
    RequestState.AWAITING_APPROVAL: Word(_("waits for an approval"), "unsure", "pause"),
    RequestState.SUBMITTED: Word(_("submitted"), "unsure", "clock"),
    RequestState.MINED: Word(_("mined"), "unsure", "clock"),
    RequestState.FINAL: Word(_("final"), "good", "check"),
    RequestState.FAILED: Word(_("failed"), "bad", "cross"),
}

REQUEST_KINDS: Mapping[str, str] = {
    "revocation": _("Revocation"),
    "suspension": _("Suspension"),
    "reinstatement": _("Reinstatement"),
    "annulment": _("Annulment"),
    "withdrawal": _("Withdrawal of a batch"),
    "withdrawal_annulment": _("Annulment of a withdrawal"),
    "key_retirement": _("Retirement of a key"),
    "key_addition": _("Addition of a key"),
}

BATCH_STEPS = (
    (BatchState.SEALED, _("Sealed"), _("The tree is built and stored; its root waits to be sent.")),
    (BatchState.SUBMITTED, _("Submitted"), _("The transaction is signed and on its way to the chain.")),
    (BatchState.MINED, _("Mined"), _("The root stands in a block; further blocks confirm it.")),
    (BatchState.FINAL, _("Final"), _("The batch is anchored for good.")),
)
"""From sealed to final."""

_BEFORE_SEALING = frozenset({BatchState.OPEN, BatchState.RECEIVING})


def name_of(achievement: Achievement | None) -> str:
    """What an achievement is called."""
    return "" if achievement is None else str(achievement.document.get("name", ""))


def award_lines(views: Sequence[AwardView], names: Mapping[str, Achievement]) -> list[dict[str, Any]]:
    """Awards as lines of a table."""
    return [award_line(view, names) for view in views]


def award_line(view: AwardView, names: Mapping[str, Achievement]) -> dict[str, Any]:
    """An award in the API's members, with its achievement's name and its state in a word."""
    shown = award_json(view)
    recipient = shown["recipient"] or {}
    state = state_of(view)
    return shown | {
        "name": recipient.get("name"),
        "address": next((recipient[one] for one in ("email", "did", "url") if one in recipient), None),
        "achievement": name_of(names.get(view.award.achievement_id)),
        "state": state.value,
        "word": AWARD_STATES[state],
    }


def batch_lines(app: App, batches: Sequence[Batch]) -> list[dict[str, Any]]:
    """Batches in the API's members, with their states in words."""
    shown = app.audit.batch_views(batches, batch_json)
    return [
        line
        | {
            "word": BATCH_STATES[batch.state],
            "awaits_approval_of": (batch.awaiting_approval_of or "").split(),
            "step": _step(batch.state),
            "over": batch.state in (BatchState.FINAL, BatchState.FAILED),
        }
        for line, batch in zip(shown, batches, strict=True)
    ]


def _step(state: BatchState) -> int:
    """How many of `BATCH_STEPS` are reached."""
    if state in _BEFORE_SEALING or state is BatchState.FAILED:
        return 0
    return next(number for number, (step, _, _) in enumerate(BATCH_STEPS, 1) if step is state)


def batch_version(line: Mapping[str, Any]) -> str:
    """Changes whenever what the progress shows changes."""
    anchor = line["anchor"] or {}
    waits = "w" if line["awaits_approval_of"] else ""
    return f"{line['state']}-{anchor.get('confirmations', '')}-{anchor.get('block_number', '')}{waits}"


def request_line(request: StatusRequest) -> dict[str, Any]:
    """A status request in the API's members, with its state in a word."""
    return request_json(request) | {
        "word": REQUEST_STATES[request.state],
        "title": REQUEST_KINDS[request.kind.value],
        "requested_by_key": request.requested_by_key,
        "over": request.state in (RequestState.FINAL, RequestState.FAILED),
        "version": f"{request.state.value}-{len(request.transactions)}",
        "transactions": [to_hex(transaction) for transaction in request.transactions],
    }


def quote_values(quote: Quote | None) -> dict[str, Any] | None:
    """A quote in the chain's coin and in gwei, exactly."""
    if quote is None:
        return None
    return {
        "awards": quote.awards,
        "gas": quote.gas,
        "estimated": quote.estimated,
        "gwei_per_gas": Decimal(quote.fee_per_gas_wei) / GWEI,
        "fee": Decimal(quote.fee_wei) / ETHER,
        "fee_wei": quote.fee_wei,
        "each": Decimal(quote.fee_per_credential_wei) / ETHER,
        "gas_each": Decimal(-(-quote.gas * 100 // quote.awards)) / 100,
    }
