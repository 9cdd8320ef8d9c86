"""achievement, award: describe what can be earned, and award it from files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from registry.cli import exits
from registry.cli.batches import PART_BYTES, batch_text, follow
from registry.cli.exporting import write_csv
from registry.cli.inputs import STANDARD_INPUT, opened, read_json_input, size_of, write_output
from registry.cli.options import ApiKey, JsonFlag, Note, ServerUrl, Wait, server
from registry.cli.output import guarded, show
from registry.cli.progress import Counted, counting
from registry.errors import ValidationError

if TYPE_CHECKING:
    from registry.cli.client import Server

MEDIA = {"csv": "text/csv", "ndjson": "application/x-ndjson", "json": "application/json"}
MAX_SHOWN_PROBLEMS = 20

achievement_app = typer.Typer(help="What can be earned.", no_args_is_help=True)
award_app = typer.Typer(help="Award achievements, and follow the awards.", no_args_is_help=True)

AchievementId = Annotated[str, typer.Argument(metavar="ACHIEVEMENT", help="The achievement's id.")]
AwardId = Annotated[str, typer.Argument(metavar="AWARD", help="The award's id.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(achievement_app, name="achievement")
    app.add_typer(award_app, name="award")


# --- achievements -------------------------------------------------------------------------------------------


@achievement_app.command("create")
@guarded
def create_achievement(
    file: Annotated[str, typer.Argument(help="The achievement as JSON; - for standard input.")],
    idempotency_key: Annotated[str | None, typer.Option(help="Makes repeating this command safe.")] = None,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Describe something that can be earned.

      {"name": "MIG welding", "description": "Joins steel sheets.",
       "criteria": {"narrative": "Weld three joints that hold."}}

    Example: rootmark achievement create welding.json
    """
    body = read_json_input(file)
    with server(server_url, key) as target:
        show(target.post("/v1/achievements", body, key=idempotency_key), as_json, achievement_text)


@achievement_app.command("list")
@guarded
def list_achievements(
    issuer: Annotated[str | None, typer.Option(help="Only this issuer's.")] = None,
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """Achievements, by name."""
    with server(server_url, None) as target:
        found = sorted(
            target.items("/v1/achievements", issuer=issuer, limit=500), key=lambda one: str(one["name"])
        )
    text = "\n".join(f"{one['id']}  v{one['version']:<3}  {one['name']}" for one in found)
    show(found, as_json, lambda _: text or "no achievements")


@achievement_app.command("show")
@guarded
def show_achievement(
    achievement: AchievementId,
    version: Annotated[int | None, typer.Option(help="This version instead of the newest.")] = None,
    server_url: ServerUrl = None,
    as_json: JsonFlag = False,
) -> None:
    """One achievement."""
    from registry.cli.client import path_of

    wanted = None if version is None else str(version)
    with server(server_url, None) as target:
        show(target.get(path_of("achievements", achievement), version=wanted), as_json, achievement_text)


def achievement_text(achievement: dict[str, Any]) -> str:
    """An achievement for a person."""
    lines = [
        f"achievement  {achievement['id']}",
        f"version      {achievement['version']}  {achievement['created_at']}",
        f"name         {achievement['name']}",
        f"description  {achievement['description']}",
    ]
    lines += [f"{name:<11}  {text}" for name, text in achievement["criteria"].items()]
    for one in achievement.get("result_descriptions", ()):
        lines.append(f"result       {one['name']} ({one['result_type']})")
        levels = one.get("rubric_criterion_levels", ())
        lines += [f"  level      {level['name']}" for level in levels]
    lines += [f"skill        {one['target_name']}" for one in achievement.get("alignment", ())]
    return "\n".join(lines)


# --- awards -------------------------------------------------------------------------------------------------


@award_app.command("create")
@guarded
def create_awards(
    file: Annotated[str, typer.Argument(help="CSV, NDJSON or a JSON body; - for standard input.")],
    file_format: Annotated[
        str | None, typer.Option("--format", help="csv, ndjson or json; else as the file's name ends.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would become of each row, and what it costs.")
    ] = False,
    plain_email: Annotated[
        bool, typer.Option("--plain-email", help="Show e-mail addresses instead of hashes of them.")
    ] = False,
    show_name: Annotated[bool, typer.Option("--show-name", help="Show the recipients' names.")] = False,
    status: Annotated[
        bool, typer.Option("--status/--no-status", help="Name places in status lists, if the server has any.")
    ] = True,
    idempotency_key: Annotated[str | None, typer.Option(help="Makes repeating this command safe.")] = None,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Award achievements: every row of a file, or none of them.

    The first line of a CSV file names its columns; recipient_email and achievement_id have to be there:

      external_id,recipient_name,recipient_email,achievement_id,issued_on,expires_on,evidence_url,result,level

    A row that was awarded before under its external_id is not awarded again.

    Examples:

      rootmark award create autumn.csv --dry-run

      rootmark award create autumn.csv
    """
    media = _media(file, file_format)
    query = {
        "dry_run": "true" if dry_run else None,
        "identity": "plain" if plain_email else None,
        "name": "plain" if show_name else None,
        "credential_status": None if status else "false",
    }
    with server(server_url, key) as target:
        with opened(file) as source, counting("sending", size_of(source), in_bytes=True) as counted:
            made = target.post_stream(
                "/v1/awards", _parts(source, counted), media, key=idempotency_key, **query
            )
        if not dry_run and wait and made["batch"] is not None:
            made["batch"] = follow(target, made["batch"])
    if dry_run:
        show(made, as_json, report_text)
        bad = made["ok"] < made["count"]
    else:
        show(made, as_json, awarded_text)
        bad = made["batch"] is not None and made["batch"]["state"] == "failed"
    if bad:
        raise typer.Exit(exits.INVALID)


def _media(file: str, given: str | None) -> str:
    if given is None and file == STANDARD_INPUT:
        raise ValidationError("say what standard input holds: --format csv, ndjson or json")
    name = given or PurePath(file).suffix.removeprefix(".").lower()
    if name not in MEDIA:
        raise ValidationError("awards are read from .csv, .ndjson and .json files; see --format")
    return MEDIA[name]


def _parts(source: BinaryIO, counted: Counted) -> Iterator[bytes]:
    while part := source.read(PART_BYTES):
        yield part
        counted(len(part))


def report_text(report: dict[str, Any]) -> str:
    """A dry run for a person: what is wrong, and what the rest would cost."""
    problems = [
        f"{_place(problem)}: {problem['detail']}" for row in report["rows"] for problem in row["problems"]
    ]
    lines = problems[:MAX_SHOWN_PROBLEMS]
    if len(problems) > MAX_SHOWN_PROBLEMS:
        lines.append(f"and {len(problems) - MAX_SHOWN_PROBLEMS} more; --json has them all")
    new = report["ok"] - report["replayed"]
    lines.append(
        f"{report['count']} rows: {new} would be awarded, {report['replayed']} were awarded before, "
        f"{report['count'] - report['ok']} are wrong"
    )
    if report["ok"] < report["count"]:
        lines.append("with a row that is wrong, none is awarded")
    cost = report["cost"]
    if cost is not None:
        each = int(cost["fee_per_credential_wei"])
        lines.append(f"cost  {cost['gas']} gas, {cost['fee_wei']} wei; {each} wei for each")
    return "\n".join(lines)


def _place(problem: dict[str, Any]) -> str:
    return f"line {problem['line']}" if "line" in problem else str(problem.get("pointer") or "the whole")


def awarded_text(made: dict[str, Any]) -> str:
    """What a file has become, for a person."""
    lines = [f"awarded  {made['created']}"]
    if made["replayed"]:
        lines.append(f"before   {made['replayed']}")
    return "\n".join(lines + ([] if made["batch"] is None else [batch_text(made["batch"])]))


@award_app.command("list")
@guarded
def list_awards(
    achievement: Annotated[str | None, typer.Option(help="Only of this achievement.")] = None,
    batch: Annotated[str | None, typer.Option(help="Only of this batch.")] = None,
    external_id: Annotated[str | None, typer.Option(help="Only the one under this name.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")] = False,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """The issuer's awards, newest first."""
    query = {"achievement_id": achievement, "batch": batch, "external_id": external_id}
    with server(server_url, key) as target:
        if csv:
            write_csv(target.exported("/v1/awards", "text/csv", **query))
            return
        found = list(target.items("/v1/awards", limit=500, **query))
    text = "\n".join(
        f"{one['id']}  {one['status'] or one['state']:<9}  {one['external_id'] or '-'}  {_recipient(one)}"
        for one in found
    )
    show(found, as_json, lambda _: text or "no awards")


def _recipient(award: dict[str, Any]) -> str:
    given = award["recipient"] or {}
    address = next((given[name] for name in ("email", "did", "url") if name in given), "erased")
    return f"{given['name']} <{address}>" if "name" in given else str(address)


@award_app.command("show")
@guarded
def show_award(
    award: AwardId,
    credential: Annotated[
        Path | None, typer.Option(help="Write the credential to this file; - is standard output.")
    ] = None,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """One award, and its credential.

    Example: rootmark award show 5b1f... --credential badge.json
    """
    import json

    from registry.cli.client import path_of

    with server(server_url, key) as target:
        found = target.get(path_of("awards", award))
    if credential is not None:
        document = found["credential"]
        if document is None:
            raise ValidationError("the award is erased: there is no credential any more")
        text = document if isinstance(document, str) else json.dumps(document, indent=2, ensure_ascii=False)
        write_output(credential, text + "\n")
        if str(credential) == STANDARD_INPUT:
            return
    show(found, as_json, award_text)


@award_app.command("export")
@guarded
def export_award(
    award: AwardId,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; - is standard output.")],
    wanted: Annotated[
        str, typer.Option("--format", help="json, jwt, vc-jwt, png, svg, pdf, proof or bundle.")
    ] = "json",
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Write an award's credential to a file: what its holder gets.

    Examples:

      rootmark award export 5b1f... -o badge.json

      rootmark award export 5b1f... --format png -o badge.png
    """
    from registry.cli.client import path_of

    with server(server_url, key) as target:
        data = target.file(path_of("awards", award, "credential"), format=wanted)
    write_output(output, data)
    if str(output) != STANDARD_INPUT:
        told = {"award": award, "format": wanted, "file": str(output), "bytes": len(data)}
        show(told, as_json, lambda one: f"{one['format']} written to {one['file']}, {one['bytes']} bytes")


def award_text(award: dict[str, Any]) -> str:
    """An award for a person."""
    lines = [
        f"award        {award['id']}",
        f"recipient    {_recipient(award)}",
        f"achievement  {award['achievement_id']}  v{award['achievement_version']}",
        f"state        {award['state']}{', ' + award['status'] if award['status'] else ''}",
        f"batch        {award['batch']}  {award['index']}",
    ]
    optional = ("external_id", "issued_on", "expires_on", "digest", "supersedes", "superseded_by")
    return "\n".join(lines + [f"{name:<11}  {award[name]}" for name in optional if award[name]])


@award_app.command("claim")
@guarded
def claim_award(
    award: AwardId, server_url: ServerUrl = None, key: ApiKey = None, as_json: JsonFlag = False
) -> None:
    """Make the link by which a recipient claims the page of an award; send it to them alone.

    It works once, within 90 days. A new link takes the place of one that was not used.

    Example: rootmark award claim 5b1f...
    """
    from registry.cli.client import path_of

    with server(server_url, key) as target:
        made = target.post(path_of("awards", award, "claim"))
    show(
        made, as_json, lambda one: f"page   {one['page']}\nclaim  {one['claim']}\nuntil  {one['expires_at']}"
    )


@award_app.command("supersede")
@guarded
def supersede(
    award: AwardId,
    file: Annotated[str, typer.Argument(help="The new award as JSON; - for standard input.")],
    plain_email: Annotated[
        bool, typer.Option("--plain-email", help="Show the e-mail address instead of a hash of it.")
    ] = False,
    show_name: Annotated[bool, typer.Option("--show-name", help="Show the recipient's name.")] = False,
    note: Note = None,
    wait: Wait = True,
    server_url: ServerUrl = None,
    key: ApiKey = None,
    as_json: JsonFlag = False,
) -> None:
    """Issue an award in the place of another, which is revoked as superseded.

    Recipient and achievement are the old award's where the file does not name others; repeating the command
    gives the same award. The API key needs the scopes batch and status.

    Example: echo '{"results": [{"value": "A"}]}' | rootmark award supersede 5b1f... -
    """
    from registry.cli.client import path_of

    options = {"identity": "plain"} if plain_email else {}
    options |= {"name": "plain"} if show_name else {}
    body = {"award": read_json_input(file), "options": options} | ({"note": note} if note else {})
    with server(server_url, key) as target:
        made = target.post(path_of("awards", award, "supersede"), body)
        if wait:
            _settle(target, made)
    show(made, as_json, lambda one: f"award  {one['id']}\n{batch_text(one['batch'])}")
    if made["batch"]["state"] == "failed":
        raise typer.Exit(exits.INVALID)


def _settle(target: Server, made: dict[str, Any]) -> None:
    from registry.cli.client import path_of
    from registry.cli.requests import SETTLED

    made["batch"] = follow(target, made["batch"])
    if made["revocation"] is not None:
        target.wait(path_of("requests", made["revocation"]), SETTLED)
