"""A report in a reader's words: one sentence first, then what was looked at, then what happened when.

The outcome decides the sentence, its picture and its tone, never the other way round: an outcome that is not
`valid` has no tone, picture or word in common with `valid`. Details of the report are the registry's English
sentences; a catalogue may have them too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.web.texts import Texts
from registry.model.reasons import reason_from_code
from registry.verdict.report import CheckName, CheckResult, Outcome, Report, State, time_text
from registry.verdict.views import LaterFact


def _(text: str) -> str:
    """Marks a text for the catalogues."""
    return text


GOOD, BAD, UNSURE = "good", "bad", "unsure"
TEST_CHAIN = _("This is a test chain: what stands there proves nothing elsewhere.")


@dataclass(frozen=True, slots=True)
class _Look:
    tone: str
    icon: str
    word: str


_LOOKS: Mapping[Outcome, _Look] = {
    Outcome.VALID: _Look(GOOD, "check", _("Valid")),
    Outcome.INVALID: _Look(BAD, "cross", _("Not valid")),
    Outcome.REVOKED: _Look(BAD, "ban", _("Revoked")),
    Outcome.WITHDRAWN: _Look(BAD, "ban", _("Withdrawn")),
    Outcome.SUSPENDED: _Look(BAD, "pause", _("Suspended")),
    Outcome.EXPIRED: _Look(BAD, "clock", _("Expired")),
    Outcome.NOT_YET_VALID: _Look(UNSURE, "clock", _("Not valid yet")),
    Outcome.PENDING: _Look(UNSURE, "clock", _("Not final yet")),
    Outcome.NOT_FOUND: _Look(UNSURE, "question", _("Not found")),
    Outcome.INDETERMINATE: _Look(UNSURE, "question", _("Cannot tell")),
}

REASONS: Mapping[str, str] = {
    "unspecified": _("no reason was given"),
    "issued_in_error": _("it was issued in error"),
    "superseded": _("a newer credential replaces it"),
    "misconduct": _("of misconduct"),
    "requirements_not_met": _("its requirements were not met"),
    "holder_request": _("its holder asked for it"),
    "key_compromise": _("a key was stolen or lost"),
    "administrative_hold": _("of an administrative hold"),
}
"""Each completes "because …"."""

_EXPLAINED: Mapping[tuple[CheckName, CheckResult], str] = {
    (CheckName.FORMAT, CheckResult.PASS): _("It is a credential of a known kind."),
    (CheckName.FORMAT, CheckResult.FAIL): _("It does not keep to the rules of its kind."),
    (CheckName.FORMAT, CheckResult.UNKNOWN): _("Its kind could not be told."),
    (CheckName.FORMAT, CheckResult.SKIPPED): _("No document was shown."),
    (CheckName.INTEGRITY, CheckResult.PASS): _("Nothing in it was changed."),
    (CheckName.INTEGRITY, CheckResult.FAIL): _("It was changed, or is shown with another's proof."),
    (CheckName.INTEGRITY, CheckResult.UNKNOWN): _("Whether it was changed could not be told."),
    (CheckName.INTEGRITY, CheckResult.SKIPPED): _("There was no document to compare."),
    (CheckName.SIGNATURE, CheckResult.PASS): _("The issuer's signature fits."),
    (CheckName.SIGNATURE, CheckResult.FAIL): _("The signature does not fit."),
    (CheckName.SIGNATURE, CheckResult.UNKNOWN): _("The signature could not be checked."),
    (CheckName.SIGNATURE, CheckResult.SKIPPED): _(
        "It has no signature of its own; the anchor vouches for it."
    ),
    (CheckName.INCLUSION, CheckResult.PASS): _("It belongs to the batch that was anchored."),
    (CheckName.INCLUSION, CheckResult.FAIL): _("It does not belong to the batch that it names."),
    (CheckName.INCLUSION, CheckResult.UNKNOWN): _("Whether it belongs to a batch could not be told."),
    (CheckName.INCLUSION, CheckResult.SKIPPED): _("There was no batch to look in."),
    (CheckName.ANCHOR, CheckResult.PASS): _("The batch stands on the blockchain."),
    (CheckName.ANCHOR, CheckResult.FAIL): _("The batch does not stand on the blockchain."),
    (CheckName.ANCHOR, CheckResult.UNKNOWN): _(
        "Whether the batch stands on the blockchain could not be told."
    ),
    (CheckName.ANCHOR, CheckResult.SKIPPED): _("No blockchain was asked."),
    (CheckName.ISSUER, CheckResult.PASS): _("The issuer is known here."),
    (CheckName.ISSUER, CheckResult.FAIL): _(
        "It is not this issuer's, or the issuer disowned the key that made it."
    ),
    (CheckName.ISSUER, CheckResult.UNKNOWN): _("The issuer is not known here."),
    (CheckName.ISSUER, CheckResult.SKIPPED): _("There was no issuer to look at."),
    (CheckName.STATUS, CheckResult.PASS): _("Nobody has taken it back."),
    (CheckName.STATUS, CheckResult.FAIL): _("It was taken back, or is on hold."),
    (CheckName.STATUS, CheckResult.UNKNOWN): _("Whether it was taken back could not be told."),
    (CheckName.STATUS, CheckResult.SKIPPED): _("It has no status to look up."),
    (CheckName.VALIDITY, CheckResult.PASS): _("Its dates allow it."),
    (CheckName.VALIDITY, CheckResult.FAIL): _("Its dates do not allow it."),
    (CheckName.VALIDITY, CheckResult.UNKNOWN): _("Its dates could not be told."),
    (CheckName.VALIDITY, CheckResult.SKIPPED): _("It says nothing about dates."),
}

CHECKS: Mapping[CheckName, str] = {
    CheckName.FORMAT: _("Form"),
    CheckName.INTEGRITY: _("Unchanged"),
    CheckName.SIGNATURE: _("Signature"),
    CheckName.INCLUSION: _("Part of a batch"),
    CheckName.ANCHOR: _("On the blockchain"),
    CheckName.ISSUER: _("Issuer"),
    CheckName.STATUS: _("Status"),
    CheckName.VALIDITY: _("Dates"),
}

RESULTS: Mapping[CheckResult, tuple[str, str]] = {
    CheckResult.PASS: (_("passed"), "check"),
    CheckResult.FAIL: (_("failed"), "cross"),
    CheckResult.UNKNOWN: (_("not known"), "question"),
    CheckResult.SKIPPED: (_("nothing to check"), "dash"),
}

HAPPENED: Mapping[str, str] = {
    "anchor": _("Anchored"),
    "key_retirement": _("The issuer retired the key that anchored it"),
    "withdrawal": _("Its batch was withdrawn"),
    "withdrawal_annulment": _("The withdrawal was annulled"),
    "revocation": _("Revoked"),
    "suspension": _("Suspended"),
    "reinstatement": _("Reinstated"),
    "annulment": _("The revocation was annulled"),
}
_HAS_REASON = frozenset({"withdrawal", "revocation", "suspension", "key_retirement"})


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """One check in words. ``detail`` is the report's own sentence."""

    name: str
    title: str
    result: str
    result_title: str
    icon: str
    text: str
    detail: str


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the timeline; times in RFC 3339, hex in lower case."""

    title: str
    reason: str
    at: str
    block: int | None
    transaction: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A report in words. ``sentence`` is the one to read first and says when the chain is a test chain, which
    ``alone`` leaves to who shows several; ``later`` is what happened after the moment that was asked about.
    """

    outcome: str
    tone: str
    icon: str
    word: str
    alone: str
    sentence: str
    test_chain: bool
    checks: tuple[ShownCheck, ...]
    timeline: tuple[Happening, ...]
    later: tuple[Happening, ...]


def verdict_of(
    report: Report,
    texts: Texts,
    story: Sequence[LaterFact] = (),
    *,
    issued: str | None = None,
) -> Verdict:
    """Put a report into words.

    Args:
        story: what happened to the credential, oldest first (`AuditService.story`).
        issued: when the document says it was issued, in RFC 3339.
    """
    look = _LOOKS[report.outcome]
    alone = _sentence(report, texts)
    warned = f"{alone} {texts.gettext(TEST_CHAIN)}"
    return Verdict(
        outcome=report.outcome.value,
        tone=look.tone,
        icon=look.icon,
        word=texts.gettext(look.word),
        alone=alone,
        sentence=warned if report.as_of.test_chain else alone,
        test_chain=report.as_of.test_chain,
        checks=tuple(_check(check.name, check.result, check.detail, texts) for check in report.checks),
        timeline=_timeline(story, issued, texts),
        later=_timeline(report.later, None, texts),
    )


_SENTENCES: Mapping[tuple[Outcome, bool], str] = {
    (Outcome.REVOKED, True): _("Revoked on %(date)s because %(reason)s."),
    (Outcome.REVOKED, False): _("Revoked: the issuer has taken it back."),
    (Outcome.SUSPENDED, True): _("Suspended since %(date)s because %(reason)s."),
    (Outcome.SUSPENDED, False): _("Suspended: it does not count for now."),
    (Outcome.WITHDRAWN, True): _("Withdrawn on %(date)s with its whole batch because %(reason)s."),
    (Outcome.WITHDRAWN, False): _("Withdrawn: the issuer no longer stands by the key that made it."),
    (Outcome.VALID, False): _(
        "Valid: it is unchanged, its issuer is known here, and nobody has taken it back."
    ),
    (Outcome.EXPIRED, False): _("Expired: it was valid until the date that it names."),
    (Outcome.NOT_YET_VALID, False): _("Not valid yet: it begins at a later date."),
    (Outcome.PENDING, False): _(
        "Not final yet: it is on its way to the blockchain. Ask again in a few minutes."
    ),
    (Outcome.NOT_FOUND, False): _("Not found: no such credential was anchored in this registry."),
    (Outcome.INVALID, False): _("Not valid."),
    (Outcome.INDETERMINATE, False): _("Cannot tell."),
}
"""By outcome, and whether the chain says when and why that state came about."""

_STATE_OF = {
    Outcome.REVOKED: State.REVOKED,
    Outcome.SUSPENDED: State.SUSPENDED,
    Outcome.WITHDRAWN: State.WITHDRAWN,
}
_CAUSED_BY = {Outcome.INVALID: CheckResult.FAIL, Outcome.INDETERMINATE: CheckResult.UNKNOWN}


def texts_for_scripts(texts: Texts) -> dict[str, dict[str, str]]:
    """What a script needs to put a report into the same words: sentences, pictures and tones by outcome,
    sentences with ``%(date)s`` and ``%(reason)s``, names of checks, words of results, and the text of each
    check by `<name>.<result>`."""
    return {
        "sentences": {one.value: texts.gettext(_SENTENCES[one, False]) for one in Outcome},
        "dated": {one.value: texts.gettext(_SENTENCES[one, True]) for one in _STATE_OF},
        "reasons": {label: texts.gettext(text) for label, text in REASONS.items()},
        "tones": {one.value: look.tone for one, look in _LOOKS.items()},
        "icons": {one.value: look.icon for one, look in _LOOKS.items()},
        "checks": {name.value: texts.gettext(text) for name, text in CHECKS.items()},
        "results": {one.value: texts.gettext(text) for one, (text, _icon) in RESULTS.items()},
        "resultIcons": {one.value: icon for one, (_text, icon) in RESULTS.items()},
        "explained": {
            f"{name.value}.{result.value}": texts.gettext(text) for (name, result), text in _EXPLAINED.items()
        },
        "other": {"testChain": texts.gettext(TEST_CHAIN)},
    }


def _sentence(report: Report, texts: Texts) -> str:
    status = report.status
    dated = status.at is not None and status.state is _STATE_OF.get(report.outcome)
    text = texts.gettext(_SENTENCES[report.outcome, dated])
    if dated and status.at is not None:
        text %= {"date": texts.date(time_text(status.at)), "reason": _reason(status.reason, texts)}
    cause = _CAUSED_BY.get(report.outcome)
    return text if cause is None else f"{text} {_cause(report, cause, texts)}"


def _cause(report: Report, result: CheckResult, texts: Texts) -> str:
    """What the first check with that result says."""
    for check in report.checks:
        if check.result is result:
            return texts.gettext(_EXPLAINED[check.name, result])
    return texts.gettext(_("The checks below say why."))


def _reason(code: int | None, texts: Texts) -> str:
    return texts.gettext(REASONS[reason_from_code(code or 0).label])


def _check(name: CheckName, result: CheckResult, detail: str, texts: Texts) -> ShownCheck:
    title, icon = RESULTS[result]
    return ShownCheck(
        name=name.value,
        title=texts.gettext(CHECKS[name]),
        result=result.value,
        result_title=texts.gettext(title),
        icon=icon,
        text=texts.gettext(_EXPLAINED[name, result]),
        detail=texts.gettext(detail),
    )


def happenings_of(story: Sequence[LaterFact], texts: Texts) -> tuple[Happening, ...]:
    """What happened to a credential, in words, oldest first."""
    return _timeline(story, None, texts)


def _timeline(story: Sequence[LaterFact], issued: str | None, texts: Texts) -> tuple[Happening, ...]:
    lines = [] if issued is None else [Happening(texts.gettext(_("Issued")), "", issued, None, None)]
    for later in story:
        fact = later.fact
        reason = _reason(fact.reason, texts) if later.kind in _HAS_REASON else ""
        lines.append(
            Happening(
                title=texts.gettext(HAPPENED[later.kind]),
                reason=reason,
                at=time_text(fact.at),
                block=fact.block_number,
                transaction="0x" + fact.transaction.hex(),
            )
        )
    return tuple(lines)
