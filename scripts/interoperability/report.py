"""What the judges said: a table, their words, their blind spots, and what came otherwise than expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.interoperability.cases import Case
from scripts.interoperability.judging import Judge, Judgement

_WORDS = 200


@dataclass(frozen=True, slots=True)
class Judged:
    """A case, what each judge made of it, and this server's own report on it."""

    case: Case
    judgements: Mapping[Judge, Judgement]
    own: Mapping[str, Any]

    def is_expected(self, which: Judge) -> bool:
        """Whether that judge did what is expected of it, for the reason that is expected."""
        judgement = self.judgements[which]
        reason = self.case.refused_for.get(which)
        return judgement.accepted if reason is None else not judgement.accepted and reason in judgement.said


def surprises(judged: Sequence[Judged]) -> list[str]:
    """One line for each expectation that was not met."""
    found = []
    for one in judged:
        for which, judgement in one.judgements.items():
            if not one.is_expected(which):
                did = "accepts" if judgement.accepted else "refuses"
                found.append(f"{one.case.name}: {which.value} {did} it ({judgement.said})")
        if one.own["outcome"] != one.case.rootmark:
            found.append(
                f"{one.case.name}: Rootmark says {one.own['outcome']}, not {one.case.rootmark} "
                f"({one.own['summary']})"
            )
    return found


def blind_spots(judged: Sequence[Judged], which: Judge) -> list[str]:
    """What is wrong with documents that a judge accepts."""
    return [
        f"{one.case.name}: {one.case.wrong}"
        for one in judged
        if one.case.wrong and one.judgements[which].accepted
    ]


def wrong_refusals(judged: Sequence[Judged], which: Judge) -> list[str]:
    """Documents with nothing wrong that a judge refuses, and its reason."""
    return [
        f"{one.case.name}: {one.judgements[which].said}"
        for one in judged
        if not one.case.wrong and not one.judgements[which].accepted
    ]


def not_fetched(judged: Sequence[Judged], which: Judge) -> list[str]:
    """Addresses that a judge asked for and that nobody answered."""
    return sorted({url for one in judged for url in one.judgements[which].refused})


def own_words(judged: Sequence[Judged]) -> list[str]:
    """What this server's report says of the anchor of documents that it finds valid, and a judge accepts,
    though something is wrong."""
    return [
        f"{one.case.name}: {check['detail']}"
        for one in judged
        if one.case.wrong and one.own["outcome"] == "valid"
        if any(judgement.accepted for judgement in one.judgements.values())
        for check in one.own["checks"]
        if check["name"] == "anchor"
    ]


def to_json(judged: Sequence[Judged]) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "judges": {which.value: which.version for which in Judge},
        "cases": [
            {
                "name": one.case.name,
                "wrong": one.case.wrong or None,
                "rootmark": {"outcome": one.own["outcome"], "checks": one.own["checks"]},
                **{
                    which.value: {"accepted": judgement.accepted, "said": judgement.said}
                    for which, judgement in one.judgements.items()
                },
            }
            for one in judged
        ],
        "blind_spots": {which.value: blind_spots(judged, which) for which in Judge},
        "wrong_refusals": {which.value: wrong_refusals(judged, which) for which in Judge},
        "not_fetched": {which.value: not_fetched(judged, which) for which in Judge},
        "surprises": surprises(judged),
    }


def to_text(judged: Sequence[Judged]) -> str:
    """Everything, for people. ``!`` marks what a judge accepts and should not, or the other way round."""
    rows = [("document", *(f"{which.value} {which.version}" for which in Judge), "Rootmark")]
    rows += [_row(one) for one in judged]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    for which in Judge:
        lines += _part(f"{which.value} does not notice", blind_spots(judged, which))
        lines += _part(f"{which.value} refuses what is good", wrong_refusals(judged, which))
        lines += _part(f"{which.value} asked for, and was not given", not_fetched(judged, which))
        refusals = [one for one in judged if not one.judgements[which].accepted]
        lines += _part(
            f"{which.value} says", [f"{one.case.name}: {one.judgements[which].said}" for one in refusals]
        )
    lines += _part("Rootmark says of the anchor", own_words(judged))
    unmet = surprises(judged)
    lines += _part("OTHERWISE THAN EXPECTED", unmet)
    return "\n".join([*lines, "", "FAILED" if unmet else "all as expected"])


def _row(one: Judged) -> tuple[str, ...]:
    good = not one.case.wrong
    cells = [
        ("accepts" if judgement.accepted else "refuses") + ("" if judgement.accepted == good else " !")
        for judgement in one.judgements.values()
    ]
    return (one.case.name, *cells, one.own["outcome"])


def _part(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line[:_WORDS]}" for line in lines)] if lines else []
