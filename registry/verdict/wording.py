"""What a report says to people: one sentence for the outcome, with its date and reason. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from registry.encoding import format_time, to_hex
from registry.model.chain import UNBOUNDED_VALID_UNTIL
from registry.model.reasons import reason_from_code
from registry.verdict.evidence import Candidate, DocumentCheck, Evidence
from registry.verdict.report import Outcome, time_text
from registry.verdict.ruling import UNKNOWN_ISSUER, Ruling


def reason_text(code: int) -> str:
    """A reason in words; the contract's numbers above 7 read as unspecified."""
    return reason_from_code(code).label.replace("_", " ")


def day(seconds: int) -> str:
    """The day of a chain time, UTC."""
    return time_text(seconds)[:10]


def issuer_text(candidate: Candidate) -> str:
    """The issuer by name and address as far as it is known."""
    address = to_hex(candidate.issuer)
    return f"{candidate.name} ({address})" if candidate.known and candidate.name else f"issuer {address}"


def distrust_text(ruling: Ruling) -> str:
    """Why an anchor is not trusted, with validUntil, retiredAt and reason."""
    key = ruling.view.key if ruling.view else None
    if key is None or key.retirement is None:
        return "the key that anchored it was not valid then"
    return (
        f"the key that anchored it was valid until {time_text(key.valid_until)} (validUntil), as said at "
        f"{time_text(key.retired_at)} (retiredAt), reason: {reason_text(key.retirement.reason)}"
    )


def summary_of(evidence: Evidence, ruling: Ruling) -> str:
    """The outcome for a person."""
    reading = evidence.reading
    sentence = _sentence(evidence, ruling)
    if reading.as_of and reading.block is not None:
        sentence = f"As of block {reading.block.number} ({time_text(reading.block.timestamp)}): {sentence}"
    if reading.test_chain:
        sentence += f" The chain, eip155:{reading.chain_id}, is a test chain."
    return sentence


def _sentence(evidence: Evidence, ruling: Ruling) -> str:
    match ruling.outcome:
        case Outcome.INVALID:
            if evidence.document is DocumentCheck.MISMATCH:
                return f"Invalid: {MISMATCH}."
            return f"Invalid: the proof does not hold; {evidence.inclusion_detail}."
        case Outcome.NOT_FOUND:
            who = "the issuer asked about" if evidence.named_issuer else "any issuer"
            return f"Not found: nothing with this digest is anchored by {who}."
        case Outcome.WITHDRAWN | Outcome.REVOKED | Outcome.SUSPENDED:
            return _status_sentence(ruling)
        case Outcome.INDETERMINATE:
            return _doubt_sentence(ruling)
        case _:
            return _intact_sentence(ruling)


MISMATCH = (
    "the document, or the proof shown with it, does not have this digest; it is another one, or was changed"
)


def _status_sentence(ruling: Ruling) -> str:
    assert ruling.fact is not None
    if ruling.view is not None and ruling.view.distrusted:
        return f"Withdrawn: {distrust_text(ruling)}."
    word = ruling.outcome.value.capitalize()
    what = "The whole batch was withdrawn" if ruling.outcome is Outcome.WITHDRAWN else word
    return f"{what} on {day(ruling.fact.at)}, reason: {reason_text(ruling.fact.reason)}."


def _doubt_sentence(ruling: Ruling) -> str:
    doubt = ruling.doubts[0]
    if doubt == UNKNOWN_ISSUER:
        return f"{doubt[0].upper()}{doubt[1:]}."
    return f"Cannot be decided: {doubt}."


def _intact_sentence(ruling: Ruling) -> str:
    assert ruling.basis is not None
    anchor = ruling.basis.latest.anchor
    who = issuer_text(ruling.basis)
    if anchor is None:
        return f"Pending: accepted for {who}, and not anchored yet."
    anchored = f"anchored by {who} on {day(anchor.at)}"
    match ruling.outcome:
        case Outcome.PENDING:
            return f"Pending: {anchored}, and that is not final yet."
        case Outcome.EXPIRED:
            return f"Expired since {_date(ruling.dates.valid_until)}; {anchored}, and not revoked."
        case Outcome.NOT_YET_VALID:
            return f"Not valid before {_date(ruling.dates.valid_from)}; {anchored}, and not revoked."
        case _:
            return f"Valid: {anchored}, neither revoked nor suspended."


def _date(instant: datetime | None) -> str:
    return format_time((instant or datetime.fromtimestamp(0, UTC)).astimezone(UTC).replace(microsecond=0))


def validity_text(ruling: Ruling) -> str:
    """The dates that were looked at."""
    since, until = ruling.dates.valid_from, ruling.dates.valid_until
    parts = [f"from {_date(since)}"] if since else []
    parts += [f"until {_date(until)}"] if until else []
    return "valid " + " ".join(parts)


def key_text(candidate: Candidate) -> str:
    """Whether the anchoring key is still in use."""
    key = candidate.latest.key
    if key is None or key.valid_until == UNBOUNDED_VALID_UNTIL:
        return "its key was valid"
    return f"its key was valid then, and was retired as of {time_text(key.valid_until)}"
