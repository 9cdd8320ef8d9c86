"""Each benchmark runs, tiny, and prints what its readers rely on. Nothing timed is asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.__main__ import main
from scripts.benchmarks.figures import Figure, Target
from scripts.benchmarks.server import registry

ROOT = Path(__file__).parents[2]


def benchmark(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, Any]]:
    """The figures by name, after checking what all benchmarks have in common."""
    assert main([*arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {"benchmark", "machine", "figures", "notes"}
    assert printed["benchmark"] == arguments[0]
    assert set(printed["machine"]) == {"system", "architecture", "python", "cores"}
    for figure in printed["figures"]:
        assert figure["figure"] >= 0
        assert isinstance(figure["unit"], str)
        if "peer" in figure:
            # Processor time is counted in ticks of 10 ms; in a tiny run a peer may use none.
            assert figure["peer_figure"] > 0 or figure["unit"] == "µs"
            assert (figure[f"ratio_to_{figure['peer']}"] is None) == (figure["peer_figure"] == 0)
        if "target" in figure:
            assert figure["met"] in (True, False)
    return {figure["name"]: figure for figure in printed["figures"]}


def test_tree_is_compared_with_merkletools_in_time_and_memory(capsys: pytest.CaptureFixture[str]) -> None:
    figures = benchmark(capsys, "tree", "--leaves", "300")
    assert figures["300 leaves: tree and all paths"]["peer"] == "merkletools"
    assert "ratio_to_merkletools" in figures["300 leaves: peak memory"]


def test_gas_of_every_operation_is_measured_and_within_its_target(capsys: pytest.CaptureFixture[str]) -> None:
    figures = benchmark(capsys, "gas")
    assert figures["anchor"]["ratio_to_openattestation"] > 1
    assert figures["revoke 256, in a new word"]["ratio_to_openattestation"] < 0.02
    assert all(figure.get("met", True) for figure in figures.values())
    assert len(figures) > 25


def test_script_prints_a_table_from_any_directory(tmp_path: Path) -> None:
    environ = {**os.environ, "VIRTUAL_ENV": sys.prefix}
    done = subprocess.run(
        [ROOT / "scripts" / "bench", "tree", "--leaves", "5"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "5 leaves: tree and all paths" in done.stdout


def test_unknown_benchmark_and_empty_tree_are_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["nothing"], ["tree", "--leaves", "0"]):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
    assert "at least 1" in capsys.readouterr().err


def test_target_is_met_on_its_side_of_the_bound() -> None:
    slower = Figure("x", "s", 3.0, 4.0, "peer", Target(0.5, "ratio"))
    faster = Figure("x", "per second", 3.0, 4.0, "peer", Target(0.5, "ratio", at_least=True))
    assert (slower.met, faster.met, Figure("x", "s", 1.0).met) == (False, True, None)


@pytest.mark.slow
def test_bytes_per_credential_are_counted_for_each_database(capsys: pytest.CaptureFixture[str]) -> None:
    figures = benchmark(capsys, "storage", "--leaves", "500")
    assert figures["SQLite, per credential"]["target"] == "figure at most 220"


@pytest.mark.node
def test_batch_is_followed_from_request_to_final_on_anvil(capsys: pytest.CaptureFixture[str]) -> None:
    figures = benchmark(capsys, "batch", "--leaves", "20")
    for form in ("NDJSON", "JSON"):
        assert {f"20 digests as {form}, to sealed", f"20 digests as {form}, to final"} <= set(figures)


@pytest.mark.slow
def test_verification_is_compared_with_a_bare_route(capsys: pytest.CaptureFixture[str]) -> None:
    figures = benchmark(capsys, "verify", "--leaves", "40", "--requests", "20", "--rounds", "1")
    for method in ("GET", "POST"):
        assert figures[f"{method} /v1/verify"]["peer"] == "bare_route"
        assert {f"{method}, p50 at 16 clients", f"{method}, p99 at 16 clients"} <= set(figures)


@pytest.mark.slow
def test_console_is_timed_while_digests_are_sealed(capsys: pytest.CaptureFixture[str]) -> None:
    figures = benchmark(capsys, "console", "--leaves", "2000")
    for page in ("overview", "batches", "credentials", "search", "one credential", "issue"):
        assert figures[f"{page}, worst while 2,000 digests are sealed"]["unit"] == "ms"
        assert figures[f"{page}, median with nothing else to do"]["figure"] > 0
    assert figures["every page, worst while 2,000 digests are sealed"]["target"] == "figure at most 500"


@pytest.mark.slow
def test_pages_are_timed_to_the_verdict_and_weighed(capsys: pytest.CaptureFixture[str]) -> None:
    figures = benchmark(capsys, "pages", "--rounds", "2")
    assert figures["verify page, file to verdict, median"]["target"] == "figure at most 300"
    assert figures["verify page, weight"]["target"] == "figure at most 150"
    assert figures["verify page, checking alone, weight"]["figure"] > figures["verify page, weight"]["figure"]


def test_certificates_are_drawn_and_read_again(capsys: pytest.CaptureFixture[str]) -> None:
    figures = benchmark(capsys, "pdf", "--leaves", "3", "--rounds", "1")
    assert figures["3 certificates drawn"]["target"] == "figure at least 30"
    assert figures["a certificate read"]["figure"] > 0


@pytest.mark.slow
def test_awards_are_measured_to_final_and_in_parts(capsys: pytest.CaptureFixture[str]) -> None:
    figures = benchmark(capsys, "awards", "--leaves", "20", "--rounds", "1")
    assert figures["20 awards as CSV, to final"]["target"] == "figure at least 3000"
    parts = {"signatures", "canonicalising", "proofs", "reading, storing, sealing"}
    assert {f"{part}, alone" for part in parts} <= set(figures)


@pytest.mark.slow
def test_documents_are_measured_without_the_peer_where_it_cannot_be_had(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.benchmarks.documents.REFERENCE", ROOT / "nowhere")
    figures = benchmark(capsys, "documents", "--leaves", "3", "--rounds", "1")
    assert figures["eddsa-rdfc-2022, of a known shape"]["target"] == "figure at least 900"
    assert figures["eddsa-jcs-2022"]["target"] == "figure at least 5000"
    assert not any("peer" in figure for figure in figures.values())


@pytest.mark.slow
def test_documents_are_compared_with_what_the_peer_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.benchmarks.documents._reference", lambda *_: nullcontext(lambda: 0.01))
    figures = benchmark(capsys, "documents", "--leaves", "3", "--rounds", "1")
    for name in ("of a known shape", "proof alone", "the first of its shape"):
        compared = figures[f"eddsa-rdfc-2022, {name}"]
        assert (compared["peer"], compared["peer_figure"]) == ("javascript_reference_library", 300)


def test_reference_library_is_locked_without_addresses_of_a_registry() -> None:
    packages = json.loads((ROOT / "scripts/benchmarks/reference/package-lock.json").read_text())["packages"]
    assert all(package.get("integrity") for name, package in packages.items() if name)
    assert not any("resolved" in package for package in packages.values())


def test_terminated_server_leaves_a_database_without_a_journal(tmp_path: Path) -> None:
    with registry(tmp_path) as server:
        assert server.client.get("/v1/registry").status_code == 200
    left = {path.name for path in server.data_dir.glob("rootmark.db*")}
    assert left == {"rootmark.db"}


@pytest.mark.slow
def test_holders_pages_are_timed_beside_one_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    figures = benchmark(capsys, "holders", "--rounds", "1")
    for step in ("collection", "share", "record", "signed audit report"):
        assert figures[f"{step}, 100 credentials"]["figure"] > 0
        assert figures[f"{step}, 100 credentials"]["peer"] == "one_credential"
    assert figures["deleting 100 credentials"]["unit"] == "ms"
