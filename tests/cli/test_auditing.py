"""Audits at the command line: a server's records against the chain, exports to their last row, refusals."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyarrow import parquet

from api.routes import audit as routes
from registry.cli.client import Export, Server
from registry.reports.signing import PdfSigner, make_identity
from tests.cli.conftest import Running, Shell, new_digest
from tests.cli.test_status import issued

Change = Callable[[str, Any], Any]


@pytest.fixture(scope="module")
def audited(cli: Any, running: Running) -> tuple[Shell, str, dict[str, Any]]:
    """An issuer with a batch, a revocation and a suspension; a shell with its key."""
    admin = Shell(cli, {"ROOTMARK_DATA_DIR": str(running.data_dir), "ROOTMARK_PUBLIC_URL": running.url})
    made = admin.done("issuer", "create", "Audited College", "https://college.example")
    shell = Shell(cli, {"ROOTMARK_PUBLIC_URL": running.url, "ROOTMARK_API_KEY": made["api_key"]})
    batch, digests = issued(shell, 3)
    shell.done("revoke", *digests[:2], "--reason", "misconduct")
    shell.done("suspend", digests[2])
    return shell, made["address"], {"id": batch, "digests": digests}


def compared(shell: Shell, running: Running, issuer: str, *options: str) -> tuple[int, dict[str, Any]]:
    ran = shell.run(
        "audit", "issuer", issuer, "--rpc", f"{running.url}/rpc", "--server", running.url, "--json", *options
    )
    assert ran.out, ran.err
    return ran.code, ran.json["comparison"]


@pytest.fixture
def lie(monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], None]:
    """Change what the server seems to say; the function is given each path and answer."""

    def install(change: Change) -> None:
        get, exported = Server.get, Server.exported

        def changed_get(self: Server, path: str, **query: Any) -> Any:
            return change(path, get(self, path, **query))

        def changed_export(self: Server, path: str, accept: str, **query: Any) -> Iterator[Export]:
            for page in exported(self, path, accept, **query):
                yield replace(page, content=change(path, page.content.decode()).encode())

        monkeypatch.setattr(Server, "get", changed_get)
        monkeypatch.setattr(Server, "exported", changed_export)

    return install


def test_server_that_says_what_the_chain_says_is_consistent(
    nowhere: object, audited: tuple[Shell, str, dict[str, Any]], running: Running
) -> None:
    shell, issuer, _ = audited
    code, found = compared(shell, running, issuer)
    assert (code, found["differences"], found["consistent"]) == (0, [], True)
    assert found["requesters_shown"] is True
    arguments = ["audit", "issuer", issuer, "--rpc", f"{running.url}/rpc", "--server", running.url]
    told = shell.run(*arguments, ROOTMARK_API_KEY="")
    assert told.code == 0
    assert "server and chain agree" in told.out
    assert "who requested changes of status was not shown" in told.out


def without_batches(path: str, answer: Any) -> Any:
    return answer | {"items": []} if path == "/v1/batches" else answer


def with_an_invented_batch(path: str, answer: Any) -> Any:
    if path == "/v1/batches" and answer["items"]:
        return answer | {"items": [*answer["items"], answer["items"][0] | {"root": "0x" + "ab" * 32}]}
    return answer


def in_another_block(path: str, answer: Any) -> Any:
    if path == "/v1/batches":
        for item in answer["items"]:
            item["anchor"]["block_hash"] = "0x" + "ab" * 32
    return answer


def without_the_suspension(path: str, answer: Any) -> Any:
    if path == "/v1/revocations":
        return "".join(line for line in answer.splitlines(True) if not line.startswith("suspension"))
    return answer


def with_an_invented_revocation(path: str, answer: Any) -> Any:
    if path == "/v1/revocations":
        row = next(line for line in answer.splitlines(True) if line.startswith("revocation"))
        fields = row.split(",")
        fields[12] = "0x" + "ab" * 32
        return answer + ",".join(fields)
    return answer


def without_the_last_event(path: str, answer: Any) -> Any:
    if path.startswith("/v1/audit/issuers"):
        return answer | {"events": answer["events"][:-1]}
    return answer


def with_another_head(path: str, answer: Any) -> Any:
    if path.startswith("/v1/audit/issuers"):
        return answer | {"head": answer["head"] | {"replayed": "0x" + "ab" * 32}}
    return answer


def without_a_requester(path: str, answer: Any) -> Any:
    if path == "/v1/revocations":
        lines = answer.splitlines(True)
        return "".join(
            line.replace("first key", "") if line.startswith("suspension") else line for line in lines
        )
    return answer


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (without_batches, {"anchor_not_made_here"}),
        (with_an_invented_batch, {"anchor_missing"}),
        (in_another_block, {"anchor_differs"}),
        (without_the_suspension, {"status_not_requested"}),
        (without_a_requester, {"status_not_requested"}),
        (with_an_invented_revocation, {"request_missing"}),
        (without_the_last_event, {"history_mismatch"}),
        (with_another_head, {"history_mismatch"}),
    ],
)
def test_each_difference_has_the_name_that_consistency_gives_it(
    nowhere: object,
    audited: tuple[Shell, str, dict[str, Any]],
    running: Running,
    lie: Callable[[Change], None],
    change: Change,
    kinds: set[str],
) -> None:
    shell, issuer, _ = audited
    lie(change)
    code, found = compared(shell, running, issuer)
    assert code == 1
    assert {difference["kind"] for difference in found["differences"]} == kinds


@pytest.mark.parametrize(
    "change",
    [
        lambda path, answer: {} if path == "/v1/registry" else answer,
        lambda path, answer: answer | {"indexed_block": "7"} if path == "/v1/registry" else answer,
        lambda path, answer: {"head": 1, "events": [{}]} if "audit/issuers" in path else answer,
        lambda path, answer: {"head": {"replayed": "0x1"}, "events": []} if "audit" in path else answer,
        lambda path, answer: (
            {"items": [{"root": "0x12"}], "next_cursor": None} if path == "/v1/batches" else answer
        ),
        lambda path, answer: "a,b\r\n1,2\r\n" if path == "/v1/revocations" else answer,
        lambda path, answer: answer + '"' + "x" * 200_000 if path == "/v1/revocations" else answer,
    ],
)
def test_records_of_another_form_are_no_records(
    nowhere: object,
    audited: tuple[Shell, str, dict[str, Any]],
    running: Running,
    lie: Callable[[Change], None],
    change: Change,
) -> None:
    shell, issuer, _ = audited
    lie(change)
    ran = shell.run("audit", "issuer", issuer, "--rpc", f"{running.url}/rpc", "--server", running.url)
    assert ran.code == 5, ran.out
    assert "form" in ran.err


def test_server_of_another_registry_is_refused(
    nowhere: object,
    audited: tuple[Shell, str, dict[str, Any]],
    running: Running,
    lie: Callable[[Change], None],
) -> None:
    shell, issuer, _ = audited
    lie(lambda path, answer: answer | {"chain": "eip155:1"} if path == "/v1/registry" else answer)
    ran = shell.run("audit", "issuer", issuer, "--rpc", f"{running.url}/rpc", "--server", running.url)
    assert ran.code == 2
    assert "eip155:1," in ran.err


def test_what_a_retirement_voids_is_named(nowhere: object, cli: Any, running: Running) -> None:
    admin = Shell(cli, {"ROOTMARK_DATA_DIR": str(running.data_dir), "ROOTMARK_PUBLIC_URL": running.url})
    made = admin.done("issuer", "create", "Robbed College", "https://college.example")
    issuer = made["address"]
    shell = Shell(cli, {"ROOTMARK_PUBLIC_URL": running.url, "ROOTMARK_API_KEY": made["api_key"]})
    batch, _ = issued(shell)
    scoped = admin.done("keys", "create", issuer, "admin", "--scope", "admin")["api_key"]
    (key,) = shell.done("keys", "list", issuer)["chain"]
    anchored = shell.done("batch", "show", batch)["anchor"]["anchored_at"]
    shell.done("keys", "retire", issuer, key["key"], anchored, ROOTMARK_API_KEY=scoped)
    code, found = compared(shell, running, issuer)
    assert code == 1
    assert [(one["kind"], one["batch"]) for one in found["differences"]] == [("anchor_voided", batch)]


def test_history_as_of_a_block_or_a_time_is_the_same_from_server_and_chain(
    nowhere: object, audited: tuple[Shell, str, dict[str, Any]], running: Running
) -> None:
    shell, issuer, _ = audited
    third = shell.done("audit", "issuer", issuer)["events"][2]
    for option, value in (("--block", str(third["block_number"])), ("--as-of", third["at"])):
        by_server = shell.done("audit", "issuer", issuer, option, value)
        by_chain = shell.done("audit", "issuer", issuer, option, value, "--rpc", f"{running.url}/rpc")
        assert by_server == by_chain
        assert third in by_server["events"]
        assert len(by_server["sha256"]) == 64
        code, found = compared(shell, running, issuer, option, value)
        assert (code, found["block_number"]) == (0, by_server["block_number"])


def test_what_would_be_ignored_is_a_usage_error(
    nowhere: object, audited: tuple[Shell, str, dict[str, Any]], running: Running
) -> None:
    shell, issuer, _ = audited
    rpc = ["--rpc", f"{running.url}/rpc"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for options in (
        ["--chain-id", "31337"],
        ["--registry", "0x" + "11" * 20],
        ["--block", "1", "--as-of", "1"],
        ["--block", "-1"],
        ["--as-of", "soon"],
        ["--as-of", "9" * 40],
        ["--as-of", tomorrow],
        ["--block", "1000000000"],
        [*rpc, "--as-of", tomorrow],
        [*rpc, "--block", "1000000000"],
        [*rpc, "--as-of", "1971-01-01T00:00:00Z"],
    ):
        ran = shell.run("audit", "issuer", issuer, *options)
        assert (ran.code, bool(ran.err)) == (2, True), options


@pytest.mark.parametrize("command", ["revocations", "events"])
def test_export_goes_on_to_the_last_row_and_says_what_it_is_of(
    nowhere: object,
    audited: tuple[Shell, str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    shell, issuer, _ = audited
    whole = shell.run("audit", command, "--issuer", issuer, "--csv")
    items = shell.done("audit", command, "--issuer", issuer)
    rows = list(csv.DictReader(io.StringIO(whole.out, newline="")))
    assert [row["transaction"] for row in rows] == [item["transaction"] for item in items]
    monkeypatch.setattr(routes, "REVOCATION_ROWS", 2)
    monkeypatch.setattr(routes, "EVENT_ROWS", 2)
    paged = shell.run("audit", command, "--issuer", issuer, "--csv")
    assert paged.out == whole.out
    for ran in (whole, paged):
        digest = sha256(ran.out.replace("\n", "\r\n").encode()).hexdigest()  # the runner drops CR
        assert f", {len(rows)} rows, SHA-256 {digest}" in ran.err
        assert ran.err.startswith("block ")


@pytest.mark.parametrize("command", ["revocations", "events"])
def test_parquet_is_a_file_for_each_page_and_together_one_table(
    nowhere: Path,
    audited: tuple[Shell, str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    shell, issuer, _ = audited
    monkeypatch.setattr(routes, "REVOCATION_ROWS", 2)
    monkeypatch.setattr(routes, "EVENT_ROWS", 2)
    items = shell.done("audit", command, "--issuer", issuer)
    ran = shell.run("audit", command, "--issuer", issuer, "--parquet", "out/here")
    assert ran.code == 0, ran.err
    files = sorted(path.name for path in Path("out/here").iterdir())
    assert files[:2] == [f"{command}-0001.parquet", f"{command}-0002.parquet"]
    assert f"{len(items)} rows in {len(files)} files" in ran.err
    rows = parquet.read_table("out/here").to_pylist()
    assert [row["transaction"] for row in rows] == [item["transaction"] for item in items]
    again = shell.run("audit", command, "--issuer", issuer, "--parquet", "out/here")
    assert again.code == 2
    assert "is not empty" in again.err


def test_parquet_that_cannot_be_written_says_why(
    nowhere: Path, audited: tuple[Shell, str, dict[str, Any]]
) -> None:
    shell, _, _ = audited
    Path("file").write_text("")
    ran = shell.run("audit", "events", "--parquet", "file/here")
    assert ran.code == 1
    assert "cannot be written" in ran.err


def test_events_are_listed_for_a_person(nowhere: object, audited: tuple[Shell, str, dict[str, Any]]) -> None:
    shell, issuer, _ = audited
    lines = shell.run("audit", "events", "--issuer", issuer, "--kind", "BatchAnchored").out.splitlines()
    assert len(lines) == 1
    assert "BatchAnchored" in lines[0]
    assert shell.run("audit", "events", "--issuer", "0x" + "12" * 20).out == "none\n"
    assert shell.run("audit", "events", "--kind", "Nothing").code == 2


def test_page_that_is_not_what_its_digest_says_is_refused(
    nowhere: object, audited: tuple[Shell, str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, issuer, _ = audited
    monkeypatch.setattr("api.exports.sha256", lambda _: sha256(b"something else"))
    ran = shell.run("audit", "revocations", "--issuer", issuer, "--csv")
    assert (ran.code, ran.out) == (1, "")
    assert "not what the server says it sent" in ran.err


def test_list_without_an_end_is_refused(
    nowhere: object, audited: tuple[Shell, str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, issuer, _ = audited
    monkeypatch.setattr(
        "api.exports.next_page", lambda *_: {"Link": '<https://elsewhere.example/?cursor=1.0>; rel="next"'}
    )
    ran = shell.run("audit", "revocations", "--issuer", issuer, "--csv")
    assert ran.code == 1
    assert "does not come to an end" in ran.err


def test_errors_under_json_are_problem_objects(shell: Shell, bare: Shell) -> None:
    for arguments, code, slug, pointer in (
        (["verify", "0x12"], 2, "/problems/validation", "/digest"),
        (["credential", "show", new_digest()], 4, "/problems/not-found", None),
        (["batch", "create", "-"], 2, "about:blank", None),
        (
            ["audit", "issuer", "0x" + "11" * 20, "--as-of", "soon", "--rpc", "http://127.0.0.1:1"],
            2,
            "",
            "/as_of",
        ),
    ):
        ran = shell.run(*arguments, "--json", stdin="nonsense")
        problem = json.loads(ran.err)
        assert (ran.code, ran.out) == (code, "")
        assert slug in problem["type"]
        assert {"type", "title", "detail", "errors"} <= set(problem)
        if pointer is not None:
            assert [error["pointer"] for error in problem["errors"]] == [pointer]
    ran = bare.run("issuer", "list", "--json", ROOTMARK_PORT="1")
    assert ran.code == 5
    assert "does not answer" in json.loads(ran.err)["detail"]


# --- reports ------------------------------------------------------------------------------------------------


@pytest.fixture
def reported(nowhere: Path, audited: tuple[Shell, str, dict[str, Any]], running: Running) -> Shell:
    """With `audit.pdf` and `registry.pem` in the directory."""
    shell, issuer, _ = audited
    told = shell.done("audit", "report", issuer, "-o", "audit.pdf")
    assert told["bytes"] == Path("audit.pdf").stat().st_size
    pem = httpx.get(f"{running.url}/v1/audit/report-certificate")
    Path("registry.pem").write_bytes(pem.content)
    return shell


def test_report_checks_against_the_servers_certificate(
    reported: Shell, audited: tuple[Shell, str, dict[str, Any]]
) -> None:
    ran = reported.run("audit", "check-report", "audit.pdf", "--certificate", "registry.pem", "--json")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert (told["intact"], told["signer"], told["match"]) == (True, "known", True)
    assert told["issuer"] == audited[1]
    shown = reported.run("audit", "check-report", "audit.pdf", "--certificate", "registry.pem")
    assert "history and contract fit" in shown.out
    assert "the one that was given" in shown.out


def test_report_whose_signer_nobody_named_is_undecided(reported: Shell) -> None:
    ran = reported.run("audit", "check-report", "audit.pdf")
    assert ran.code == 4
    assert "compare it with the server's at /audit" in ran.out


def test_report_of_another_or_changed_is_not_relied_on(reported: Shell) -> None:
    other = PdfSigner(make_identity("thief.example", datetime.now(UTC)))
    Path("other.pem").write_bytes(other.certificate_pem)
    ran = reported.run("audit", "check-report", "audit.pdf", "--certificate", "other.pem")
    assert ran.code == 1
    assert "signed with another certificate" in ran.out
    changed = bytearray(Path("audit.pdf").read_bytes())
    changed[2000] ^= 1
    Path("changed.pdf").write_bytes(changed)
    ran = reported.run("audit", "check-report", "changed.pdf", "--certificate", "registry.pem")
    assert ran.code in (1, 2)
    assert "changed after it was signed" in ran.out + ran.err or "no PDF" in ran.err
    Path("x.pdf").write_text("no report")
    assert reported.run("audit", "check-report", "x.pdf").code == 2
