"""Achievements and awards at the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer import Typer

from registry.cli.awarding import register
from registry.cli.main import build_app
from tests.cli.conftest import Running, Shell

HEAD = "external_id,recipient_name,recipient_email,achievement_id,result\n"
WELDING = {
    "name": "Welding",
    "description": "Joins metal",
    "criteria": {"narrative": "Weld."},
    "alignment": [{"target_name": "weld metal", "target_url": "https://skills.example/weld"}],
    "result_descriptions": [
        {"name": "Grade", "result_type": "LetterGrade", "allowed_values": ["B", "A"]},
        {
            "name": "Seam",
            "result_type": "RubricCriterionLevel",
            "rubric_criterion_levels": [
                {"id": "urn:uuid:0d4d1c2e-58a4-4a57-9f3b-6e1f2f6a7b10", "name": "Fine"}
            ],
        },
    ],
}


@pytest.fixture(scope="module")
def app() -> Typer:
    made = build_app()
    if not any(group.name == "award" for group in made.registered_groups):
        register(made)  # an installation made before this command existed does not name it
    return made


@pytest.fixture
def desk(app: Typer, running: Running, nowhere: Path) -> Shell:
    return Shell(app, {"ROOTMARK_PUBLIC_URL": running.url, "ROOTMARK_API_KEY": running.api_key})


@pytest.fixture
def welding(desk: Shell) -> dict[str, Any]:
    found: dict[str, Any] = desk.done("achievement", "create", "-", stdin=json.dumps(WELDING))
    return found


def write(path: Path, *rows: str) -> str:
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows))
    return str(path)


def test_file_with_wrong_rows_awards_nothing_and_names_them(
    desk: Shell, welding: dict[str, Any], nowhere: Path
) -> None:
    id_ = welding["id"]
    file = write(
        nowhere / "a.csv", f",Ada,ada@college.example,{id_},A", f",Eve,eve,{id_},A", ",,x@y.example,urn:x,"
    )
    ran = desk.run("award", "create", file)
    assert ran.code == 2
    assert "line 3: column recipient_email" in ran.err
    assert "line 4: column achievement_id" in ran.err
    assert desk.done("award", "list", "--achievement", id_) == []


def test_dry_run_awards_nothing_and_tells_problems_and_cost(
    desk: Shell, welding: dict[str, Any], nowhere: Path
) -> None:
    id_ = welding["id"]
    good = write(nowhere / "good.csv", f",Ada,ada@college.example,{id_},A")
    ran = desk.run("award", "create", good, "--dry-run")
    assert ran.code == 0, ran.err
    assert "1 would be awarded" in ran.out
    assert "wei for each" in ran.out
    bad = write(nowhere / "bad.csv", *[f",Eve,eve,{id_},Z"] * 15)
    ran = desk.run("award", "create", bad, "--dry-run")
    assert ran.code == 1
    assert "line 2: column recipient_email" in ran.out
    assert "none is awarded" in ran.out
    assert desk.done("award", "list", "--achievement", id_) == []


@pytest.mark.parametrize("arguments", [("-",), ("a.txt",), ("a.csv", "--format", "xls"), ("nothing.csv",)])
def test_input_that_is_none_is_a_usage_error(desk: Shell, arguments: tuple[str, ...]) -> None:
    ran = desk.run("award", "create", *arguments, stdin="x")
    assert (ran.code, bool(ran.err)) == (2, True)


def test_file_is_awarded_shown_exported_and_superseded(
    desk: Shell, welding: dict[str, Any], nowhere: Path
) -> None:
    id_, name = welding["id"], f"e-{uuid4()}"
    file = write(nowhere / "a.csv", f"{name},=1+1,ada@college.example,{id_},B")
    made = desk.done("award", "create", file, "--show-name", "--no-status")
    assert (made["created"], made["batch"]["state"]) == (1, "final")
    assert "before   1" in desk.run("award", "create", file, "--show-name", "--no-status").out
    (found,) = desk.done("award", "list", "--external-id", name)
    assert found["recipient"]["name"] == "=1+1"
    (line,) = csv.DictReader(io.StringIO(desk.run("award", "list", "--achievement", id_, "--csv").out))
    assert line["recipient_name"] == "'=1+1"
    assert "=1+1 <ada@college.example>" in desk.run("award", "show", found["id"]).out
    desk.done("award", "show", found["id"], "--credential", "badge.json")
    badge = json.loads((nowhere / "badge.json").read_text())
    assert "OpenBadgeCredential" in badge["type"]
    assert desk.run("verify", "badge.json").code == 0
    change = json.dumps({"results": [{"value": "A", "level": "Fine"}]})
    new = desk.done("award", "supersede", found["id"], "-", "--note", "again", stdin=change)
    assert new["batch"]["state"] == "final"
    assert desk.run("verify", "badge.json").code == 3
    assert f"superseded_by  {new['id']}" in desk.run("award", "show", found["id"]).out
    again = desk.done("award", "supersede", found["id"], "-", stdin=change)
    assert again["id"] == new["id"]


def test_lines_and_json_are_read_too(desk: Shell, welding: dict[str, Any], nowhere: Path) -> None:
    award = {"recipient": {"did": "did:web:ada.example"}, "achievement_id": welding["id"]}
    (nowhere / "a.ndjson").write_text(json.dumps(award) + "\n")
    assert desk.done("award", "create", "a.ndjson")["created"] == 1
    stdin = json.dumps({"awards": [award, award]})
    assert desk.done("award", "create", "-", "--format", "json", "--no-wait", stdin=stdin)["created"] == 2
    assert len(desk.done("award", "list", "--achievement", welding["id"])) == 3


def test_achievements_are_listed_and_shown(desk: Shell, running: Running, welding: dict[str, Any]) -> None:
    found = desk.done("achievement", "list", "--issuer", running.issuer)
    assert welding["id"] in [one["id"] for one in found]
    assert desk.done("achievement", "show", welding["id"], "--version", "1") == welding
    told = desk.run("achievement", "show", welding["id"]).out
    for text in ("Welding", "Grade (LetterGrade)", "Fine", "weld metal"):
        assert text in told
    assert desk.run("achievement", "show", "urn:uuid:nothing").code == 4
    assert desk.run("achievement", "create", "-", stdin='{"name": 1}').code == 2


def test_credential_is_exported_to_a_file_and_verifies(
    desk: Shell, welding: dict[str, Any], nowhere: Path
) -> None:
    file = write(nowhere / "a.csv", f",Ada,ada@college.example,{welding['id']},A")
    made = desk.done("award", "create", file)
    award = made["awards"][0]["id"]
    told = desk.done("award", "export", award, "-o", "badge.json")
    assert told["bytes"] == (nowhere / "badge.json").stat().st_size
    assert desk.run("verify", "badge.json").code == 0
    assert (
        "png written to badge.png"
        in desk.run("award", "export", award, "--format", "png", "-o", "badge.png").out
    )
    assert (nowhere / "badge.png").read_bytes().startswith(b"\x89PNG")
    assert desk.run("award", "export", award, "--format", "jwt", "-o", "-").out.count(".") == 2
    assert desk.run("award", "export", award, "--format", "pdf", "-o", "diploma.pdf").code == 0
    assert desk.run("verify", "diploma.pdf").code == 0
    assert desk.run("award", "export", award, "--format", "docx", "-o", "x").code == 2
    claim = desk.done("award", "claim", award)
    assert "/claim/" in claim["claim"]
    assert "/c/" in desk.run("award", "claim", award).out
    ran = desk.run("award", "export", award, "-o", str(nowhere / "none" / "x"))
    assert (ran.code, "cannot be written" in ran.err) == (2, True)
