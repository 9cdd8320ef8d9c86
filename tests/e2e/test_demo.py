"""The demo as a person runs it: twice, from anywhere, interrupted, killed and taken up again."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.support import die_with_parent, free_port

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-c", "from registry.cli.main import main; main()")
TIMEOUT_SECONDS = 120

pytestmark = pytest.mark.slow


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOTMARK_")}
    return kept | {"PYTHONPATH": str(REPOSITORY)}


@contextmanager
def started(directory: Path, *arguments: str, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """A command, killed at the end of the block if it still runs."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=directory,
        env=environment(),
        text=True,
        preexec_fn=die_with_parent,
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def told(directory: Path, *arguments: str, code: int = 0) -> tuple[str, str]:
    """What a command prints until it ends with this code."""
    with started(directory, *arguments) as process:
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == code, out + err
    assert "Traceback" not in err
    return out, err


def steps(directory: Path, *arguments: str, port: int = 0, last: int = 10) -> dict[int, dict[str, Any]]:
    """The steps of a whole story. The issuer's DID follows the port."""
    out, _ = told(directory, "demo", "--once", "--port", str(port), "--json", *arguments)
    found = [json.loads(line) for line in out.splitlines()]
    assert [step["step"] for step in found] == list(range(1, last + 1))
    return {step["step"]: step for step in found}


def anchors(directory: Path) -> int:
    """How often something was anchored."""
    with sqlite3.connect(directory / "rootmark.db") as database:
        count: int = database.execute("SELECT count(*) FROM batches").fetchone()[0]
    database.close()
    return count


def wait_for_line(process: subprocess.Popen[str], start: str) -> str:
    """Read standard output until a line starts so."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line
    raise AssertionError(f"no line starts with {start}")


def test_second_run_awards_nothing_and_finds_the_revoked_one_still_revoked(tmp_path: Path) -> None:
    port = free_port()
    first = steps(tmp_path, port=port)
    assert (first[3]["achievements"], first[3]["made"]) == (16, 16)
    assert first[4]["batch"]["size"] == 500
    reports = {number: first[number]["report"] for number in (5, 6, 7, 8)}
    assert [report["outcome"] for report in reports.values()] == ["valid", "valid", "invalid", "revoked"]
    assert {reports[number]["format"] for number in (5, 6, 7)} == {"Open Badges 3.0"}
    assert reports[6]["as_of"]["source"] == "rpc"
    assert reports[8]["status"]["reason"] == "issued_in_error"
    assert first[9]["outcomes"] == {"revoked": 1, "valid": 499}
    assert first[10]["head"]["match"]
    assert [path.name for path in tmp_path.iterdir()] == ["rootmark-data"]

    second = steps(tmp_path, port=port)
    assert second[2] == first[2]
    assert (second[3]["made"], second[4]["found"]) == (0, 500)
    assert second[8]["report"]["status"] == first[8]["report"]["status"]
    assert second[9]["outcomes"] == first[9]["outcomes"]
    assert second[10]["head"] == first[10]["head"]
    assert anchors(tmp_path / "rootmark-data") == 1

    # Without its memory, or with a broken one, it finds its issuer by name; at another port the badges hold.
    (tmp_path / "rootmark-data" / "demo.json").write_text("{")
    third = steps(tmp_path, "--export", "out", last=11)
    assert third[2]["issuer"] == first[2]["issuer"]
    assert third[2]["did"] != first[2]["did"]
    assert (third[3]["made"], third[4]["found"]) == (0, 500)
    assert (tmp_path / "rootmark-data" / "demo.json").stat().st_mode & 0o777 == 0o600
    written = {path.name: json.loads(path.read_text()) for path in (tmp_path / "out").iterdir()}
    assert set(written) == {"badge.json", "proof.json", "tampered.json"}
    assert written["badge.json"]["issuer"]["id"] == first[2]["did"]


@pytest.mark.parametrize("step", ["1.", "2.", "3.", "7."])
def test_killed_run_is_taken_up_again(tmp_path: Path, step: str) -> None:
    with started(tmp_path, "demo", "--once", "--port", "0") as process:
        wait_for_line(process, step)
        process.send_signal(signal.SIGKILL)
        process.wait()
    again = steps(tmp_path)
    assert again[9]["outcomes"] == {"revoked": 1, "valid": 499}
    assert again[10]["head"]["match"]
    assert anchors(tmp_path / "rootmark-data") == 1


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_on_until_interrupted_and_ends_well(tmp_path: Path, ending: signal.Signals) -> None:
    data = tmp_path / "elsewhere" / "data"
    elsewhere = tmp_path / "cwd"
    elsewhere.mkdir()
    with started(
        elsewhere, "demo", "--port", "0", "--data-dir", str(data), stderr=subprocess.STDOUT
    ) as process:
        serving = wait_for_line(process, "Serving http")
        url = re.search(r"http://[0-9.:]+", serving)
        assert url is not None
        assert httpx.get(f"{url[0]}/health/ready", trust_env=False).status_code == 200
        process.send_signal(ending)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert "Traceback" not in out
    assert not list(elsewhere.iterdir())
    assert (data / "chain" / "chain.lock").read_bytes() == b""  # closed, not killed


def test_interrupted_in_the_middle_it_ends_without_traceback(tmp_path: Path) -> None:
    with started(tmp_path, "demo", "--once", "--port", "0") as process:
        wait_for_line(process, "1.")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err


def test_taken_port_names_the_option(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for command in ("demo", "serve"):
            out, err = told(tmp_path, command, "--port", port, code=2)
            assert out == ""
            assert "--port" in err
    assert not (tmp_path / "rootmark-data" / "rootmark.db").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ("id,other\n1,2\n", "external_id"),
        ("\x00\n", ""),
        ("external_id\n1\n", "column"),
        ("external_id,recipient_email,achievement_id,result\na,b,c,d,e\n", "cells"),
        ("external_id,recipient_email,achievement_id,result\na,b,c,d\n", "needs"),
    ],
)
def test_awards_that_cannot_be_read_are_a_clear_error(tmp_path: Path, text: str | None, said: str) -> None:
    (tmp_path / "achievements.json").write_text('{"c": {}}')
    if text is not None:
        (tmp_path / "mine.csv").write_text(text)
    _, err = told(tmp_path, "demo", "--once", "--port", "0", "--csv", "mine.csv", code=2)
    assert said in err
    assert "mine.csv" in err


@pytest.mark.parametrize("catalogue", [None, "{", "[]", '{"c": 1}', "{}"])
def test_catalogue_that_cannot_be_used_is_a_clear_error(tmp_path: Path, catalogue: str | None) -> None:
    rows = "".join(f"a{number},a@b.example,c,1\n" for number in range(50))
    (tmp_path / "mine.csv").write_text("external_id,recipient_email,achievement_id,result\n" + rows)
    if catalogue is not None:
        (tmp_path / "achievements.json").write_text(catalogue)
    _, err = told(tmp_path, "demo", "--once", "--port", "0", "--csv", "mine.csv", code=2)
    assert "achievements.json" in err


def test_another_chain_than_its_own_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rootmark.toml").write_text('rpc_url = "http://127.0.0.1:1"\nchain_id = 1\n')
    _, err = told(tmp_path, "demo", "--once", code=2)
    assert "ROOTMARK_RPC_URL" in err


def test_story_fits_a_terminal_of_80_columns(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with started(tmp_path, "demo", "--once", "--port", "0", stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            written += part
        assert process.wait(TIMEOUT_SECONDS) == 0
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode()).replace("\r", "\n")
    lines = [line for line in text.split("\n") if re.match(r"[0-9]+\. |   ", line)]
    assert len(lines) > 20
    assert max(map(len, lines)) <= 80


def test_server_is_terminated_cleanly_and_says_where_it_is(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--port", "0", "--no-workers", "--json") as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        deadline = time.monotonic() + 60
        while True:
            try:
                assert httpx.get(f"{where['url']}/health/live", trust_env=False).status_code == 200
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert (tmp_path / where["admin_token_file"]).stat().st_mode & 0o777 == 0o600
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert (tmp_path / "rootmark-data" / "chain" / "chain.lock").read_bytes() == b""
