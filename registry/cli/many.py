"""`verify --many`: the lines of a file, sent to a server in parts, a verdict each.

A line is what `verify FILE` takes: a digest, a credential, a proof, or an object with credential and proof.
Two parts are held in memory at most, so a file may be as long as it likes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import typer

from registry.cli import exits
from registry.cli.inputs import opened, size_of
from registry.cli.output import stderr, stdout
from registry.cli.progress import counting
from registry.errors import MalformedInputError, TooLargeError, ValidationError

if TYPE_CHECKING:
    from registry.cli.client import Server

AT_ONCE = 500
MAX_LINE_BYTES = 1024 * 1024
MAX_PART_BYTES = 16 * 1024 * 1024
BodyOf = Callable[[Any], dict[str, Any]]


def verify_lines(target: Server, file: str, asked: Mapping[str, Any], body_of: BodyOf, as_json: bool) -> int:
    """Verify every line; prints a line for each, and how many of what on standard error.

    Args:
        asked: goes into each body: ``issuer``, ``as_of``, ``live``.
        body_of: the body that a line's value means.

    Returns:
        The exit code: that of the worst verdict.

    Raises:
        TooLargeError: a line has more than 1 MiB.
        ValidationError: the file cannot be read, or has no line.
    """
    counts: Counter[str] = Counter()
    with opened(file) as source, counting("verified", size_of(source), in_bytes=True) as counted:
        for part in _parts(source):
            for line in _verified(target, part, asked, body_of):
                counts[line["outcome"]] += 1
                _print(line, as_json)
            counted(sum(len(raw) for _, raw in part))
    if not counts:
        raise ValidationError(f"{file} has no line to verify")
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    stderr.print(f"{counts.total()} verified: {told}", markup=False)
    return exits.worst(exits.OUTCOMES.get(outcome, exits.USAGE) for outcome in counts)


def _parts(source: BinaryIO) -> Iterator[list[tuple[int, bytes]]]:
    """(line number from 1, bytes) of lines that are not blank, in parts that the server takes."""
    part: list[tuple[int, bytes]] = []
    held = number = 0
    while raw := source.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            raise TooLargeError(f"line {number} has more than {MAX_LINE_BYTES} bytes")
        if not raw.strip():
            continue
        if part and (len(part) == AT_ONCE or held + len(raw) > MAX_PART_BYTES):
            yield part
            part, held = [], 0
        part.append((number, raw))
        held += len(raw)
    if part:
        yield part


def _verified(
    target: Server, part: list[tuple[int, bytes]], asked: Mapping[str, Any], body_of: BodyOf
) -> Iterator[dict[str, Any]]:
    """`line`, `outcome` and `report`, or `outcome` "malformed" and `error`, in the order of the lines."""
    bodies: dict[int, dict[str, Any]] = {}
    results: dict[int, dict[str, Any]] = {}
    for number, raw in part:
        try:
            bodies[number] = body_of(_value(raw.strip())) | dict(asked)
        except MalformedInputError as error:
            results[number] = {"line": number, "outcome": "malformed", "error": str(error)}
    if bodies:
        answer = target.post("/v1/verify/bulk", {"items": list(bodies.values())})
        for number, result in zip(bodies, answer["results"], strict=True):
            results[number] = _result(number, result)
    for number, _ in part:
        yield results[number]


def _value(raw: bytes) -> Any:
    from registry.encoding import parse_json

    return raw.decode("ascii", "replace") if raw.startswith(b"0x") else parse_json(raw)


def _result(number: int, result: Mapping[str, Any]) -> dict[str, Any]:
    if "report" in result:
        return {"line": number, "outcome": result["report"]["outcome"], "report": result["report"]}
    problem = result["problem"]
    return {"line": number, "outcome": "malformed", "error": problem.get("detail") or problem.get("title")}


def _print(line: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(line, ensure_ascii=False))
        return
    told = line["error"] if "error" in line else f"{line['report']['digest']}  {line['report']['summary']}"
    stdout.print(f"{line['line']:>7}  {line['outcome']:<13} {told}", markup=False)
