"""batch, erase: issue batches, follow them, hand out their proofs, and erase what the server knows."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from registry.cli import exits
from registry.cli.inputs import STANDARD_INPUT, opened, size_of
from registry.cli.options import ApiKey, JsonFlag, ServerUrl, Wait, server
from registry.cli.output import guarded, show, stderr
from registry.cli.progress import Counted, counting, waiting
from registry.errors import MalformedJsonError, TooLargeError, ValidationError

if TYPE_CHECKING:
    from registry.cli.client import Server

SETTLED = frozenset({"final", "failed"})
MAX_LINE_BYTES = 1024 * 1024
MAX_DOCUMENT_BYTES = 32 * 1024 * 1024
PART_BYTES = 256 * 1024
HINT_AFTER_SECONDS = 15.0

batch_app = typer.Typer(help="Issue batches, and follow them.", no_args_is_help=True)

BatchId = Annotated[str, typer.Argument(metavar="BATCH", help="The batch's id.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(batch_app, name="batch")
    app.command("erase")(erase)


@batch_app.command("create")
@guarded
def create_batch(
    file: Annotated[
        str, typer.Argument(help="NDJSON, a JSON list, or a JSON batch body; - for standard input.")
    ],
    allow_duplicate: Annotated[bool, typer.Option(help="Anchor digests again that are anchored.")] = False,
    digest_method: Annotated[
        str | None, typer.Option(help="How the digests were made: opaque (default) or jcs-sha256.")
    ] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="Makes repeating this command safe.")] = None,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Issue a batch: one digest or credential a line, or a JSON list of them.

    A line of NDJSON is one of

      "0x5a..."
      {"digest": "0x5a...", "external_id": "award-17"}
      {"credential": {"id": "urn:uuid:...", ...}, "external_id": "award-17"}

    Lines are sent as they are read, so a file or pipe may hold two million. One bad line refuses the whole
    batch, with its number.

    Examples:

      rootmark batch create awards.ndjson

      make-awards | rootmark batch create - --idempotency-key autumn-2026
    """
    duplicates = "true" if allow_duplicate else None
    with server(server_url, key) as target:
        with opened(file) as source:
            batch = _send(target, source, file, idempotency_key, digest_method, duplicates)
        if wait:
            batch = follow(target, batch)
    _finish(batch, as_json)


def _send(
    target: Server,
    source: BinaryIO,
    name: str,
    key: str | None,
    method: str | None,
    duplicates: str | None,
) -> dict[str, Any]:
    """Send a batch in the form that its first line has; ``method`` goes where that form has it."""
    total = size_of(source)
    first = source.readline(MAX_LINE_BYTES + 1)
    while first and not first.strip():
        first = source.readline(MAX_LINE_BYTES + 1)
    if _is_item(first):
        with counting("sending", total, in_bytes=True) as counted:
            parts = _parts(first, source, counted)
            made = target.post_lines(
                "/v1/batches", parts, key=key, digest_method=method, allow_duplicate=duplicates
            )
    else:
        data = first + source.read(MAX_DOCUMENT_BYTES + 1)
        if len(data) > MAX_DOCUMENT_BYTES:
            raise TooLargeError(
                f"{name} is a JSON document of more than {MAX_DOCUMENT_BYTES} bytes; write one item a line "
                "(NDJSON), as `rootmark batch create --help` shows"
            )
        with waiting("sending"):
            made = target.post("/v1/batches", _body(data, method), key=key, allow_duplicate=duplicates)
    return dict(made)


def _parts(first: bytes, source: BinaryIO, counted: Counted) -> Iterator[bytes]:
    """The first line and the rest, in pieces."""
    part = first
    while part:
        yield part
        counted(len(part))
        part = source.read(PART_BYTES)


def _is_item(line: bytes) -> bool:
    """Whether a line is a whole item of NDJSON."""
    from registry.encoding import parse_json

    try:
        value = parse_json(line)
    except MalformedJsonError:
        return False
    return isinstance(value, str) or (
        isinstance(value, dict) and ("digest" in value or "credential" in value)
    )


def _body(data: bytes, method: str | None) -> Any:
    from registry.encoding import parse_json

    value = parse_json(data)
    stated = {} if method is None else {"digest_method": method}
    if isinstance(value, dict) and ("digests" in value or "credentials" in value):
        if stated and value.get("digest_method", method) != method:
            raise ValidationError("--digest-method contradicts the digest_method of the batch body")
        return value | stated
    if not isinstance(value, list):
        raise ValidationError(
            "this is no batch: give one item a line, a JSON list of items, or an object with `digests` or "
            "`credentials`; see `rootmark batch create --help`"
        )
    credentials = bool(value) and isinstance(value[0], dict) and "digest" not in value[0]
    return {"credentials" if credentials else "digests": value} | stated


def follow(target: Server, batch: dict[str, Any]) -> dict[str, Any]:
    """Wait for a batch with its state on the terminal, until it is settled; where nothing happens for long,
    say what it may wait for."""
    from registry.cli.client import path_of

    told_after = time.monotonic() + HINT_AFTER_SECONDS
    with waiting(f"batch {batch['id']}: {batch['state']}") as say:
        while batch["state"] not in SETTLED:
            batch = target.wait(path_of("batches", batch["id"]), SETTLED, timeout_seconds=1)
            say(f"batch {batch['id']}: {batch['state']}")
            if batch["state"] == "sealed" and time.monotonic() > told_after:
                stderr.print(
                    f"still sealed: it waits for a second API key (`rootmark batch approve {batch['id']}`), "
                    "for a worker, or for the chain (`rootmark doctor`); Ctrl-C ends the waiting, not the "
                    "batch",
                    markup=False,
                )
                told_after = float("inf")
    return batch


def _finish(batch: dict[str, Any], as_json: bool) -> None:
    show(batch, as_json, batch_text)
    if batch["state"] == "failed":
        raise typer.Exit(exits.INVALID)


def batch_text(batch: dict[str, Any]) -> str:
    """A batch for a person."""
    lines = [
        f"batch  {batch['id']}",
        f"state  {batch['state']}",
        f"size   {batch['size']}",
        f"root   {batch['root']}",
    ]
    anchor = batch["anchor"]
    if anchor:
        lines += [
            f"block  {anchor['block_number']}  {anchor['anchored_at']}",
            f"tx     {anchor['transaction']}",
        ]
    if batch["error"]:
        lines.append(f"error  {batch['error']}")
        lines.append(f"next   `rootmark batch retry {batch['id']}`, once its cause is gone")
    return "\n".join(lines)


@batch_app.command("show")
@guarded
def show_batch(batch_id: BatchId, server_url: ServerUrl = None, as_json: JsonFlag = False) -> None:
    """One batch."""
    from registry.cli.client import path_of

    with server(server_url, None) as target:
        show(target.get(path_of("batches", batch_id)), as_json, batch_text)


@batch_app.command("list")
@guarded
def list_batches(
    issuer: Annotated[str | None, typer.Option(help="Only this issuer's.")] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state.")] = None,
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """Batches, newest first."""
    with server(server_url, None) as target:
        items = list(target.items("/v1/batches", issuer=issuer, state=state, limit=500))
    text = "\n".join(f"{b['id']}  {b['state']:<9}  {b['size']:>9}  {b['created_at']}" for b in items)
    show(items, as_json, lambda _: text or "no batches")


@batch_app.command("proofs")
@guarded
def proofs(
    batch_id: BatchId,
    output: Annotated[Path, typer.Argument(help="File to write, NDJSON; - for standard output.")],
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Write all proofs of a batch; hand each holder the line of her credential."""
    from registry.cli.client import path_of

    count = 0
    with server(server_url, key) as target:
        total = target.get(path_of("batches", batch_id))["size"]
        lines = target.lines(path_of("batches", batch_id, "proofs"))
        first = next(lines, "")  # what the server refuses leaves no file behind
        try:
            with counting("proofs", total) as counted, _written(output) as write:
                for line in _all(first, lines):
                    write(line + "\n")
                    count += 1
                    counted(1)
        except OSError as error:
            raise ValidationError(f"{output} cannot be written: {error.strerror}") from error
    if str(output) != STANDARD_INPUT:
        made = {"proofs": count, "file": str(output)}
        show(made, as_json, lambda m: f"{m['proofs']} proofs written to {m['file']}")


def _all(first: str, lines: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from lines


@contextmanager
def _written(path: Path) -> Iterator[Callable[[str], object]]:
    """Where proofs go; yields what writes a text."""
    if str(path) == STANDARD_INPUT:
        yield sys.stdout.write
    else:
        with path.open("w", encoding="utf-8") as file:
            yield file.write


# --- next steps of a batch ----------------------------------------------------------------------------------


@batch_app.command("seal")
@guarded
def seal(
    batch_id: BatchId,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Seal the open batch now, instead of when it is full or old enough."""
    _step(batch_id, "seal", wait, server_url, key, as_json)


@batch_app.command("retry")
@guarded
def retry(
    batch_id: BatchId,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Try to anchor a failed batch again."""
    _step(batch_id, "retry", wait, server_url, key, as_json)


@batch_app.command("approve")
@guarded
def approve(
    batch_id: BatchId,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Approve publishing with a second API key, where the server asks for one (REQUIRE_APPROVAL)."""
    _step(batch_id, "approval", wait, server_url, key, as_json)


def _step(
    batch_id: str, step: str, wait: bool, server_url: str | None, key: str | None, as_json: bool
) -> None:
    from registry.cli.client import path_of

    with server(server_url, key) as target:
        batch = target.post(path_of("batches", batch_id, step))
        if wait:
            batch = follow(target, batch)
    _finish(batch, as_json)


@guarded
def erase(
    digest: Annotated[str, typer.Argument(help="The credential's digest.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Erase what the server knows of a credential: digest, salt, document, dates. The root stays on chain.

    Whoever has the credential and its proof can go on verifying it; nobody else can.
    """
    from registry.cli.client import path_of

    if not yes:
        typer.confirm(
            "This cannot be undone, and the credential can then only be verified with its proof. Go on?",
            abort=True,
            err=True,
        )
    with server(server_url, key) as target:
        target.delete(path_of("credentials", digest))
    show({"digest": digest, "state": "erased"}, as_json, lambda _: "erased")
