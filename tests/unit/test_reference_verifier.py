"""The verifier written from the specification, the package and the contract agree with every vector."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from eth_tester import EthereumTester, PyEVMBackend
from web3 import EthereumTesterProvider, Web3

from registry.chain.abi import load_artifact
from registry.encoding import DigestMethod, credential_digest, parse_json, to_checksum
from registry.errors import MalformedProofError
from registry.merkle import InclusionPass, proof_from_json, salted_digest, verify_inclusion

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "vectors" / "reference_verifier.py"
FILES = sorted((ROOT / "tests" / "vectors" / "proofs").glob("*.json"))
BAD_PROOF, NOT_ANCHORED = 1, 2  # the contract's enum Status


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_verifier", REFERENCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _package(vector: dict[str, Any]) -> tuple[str, str]:
    try:
        proof = proof_from_json(vector["proof"])
    except MalformedProofError:
        return "malformed", "skipped"
    inclusion = "pass" if isinstance(verify_inclusion(proof), InclusionPass) else "fail"
    if "credential" not in vector:
        return inclusion, "skipped"
    if proof.method is not DigestMethod.JCS_SHA256:
        return inclusion, "unknown"
    return inclusion, "pass" if credential_digest(
        vector["credential"], proof.method
    ) == proof.digest else "fail"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_both_verifiers_answer_as_the_vector_says(path: Path, reference: ModuleType) -> None:
    vector: Any = parse_json(path.read_bytes())
    expected = (vector["expect"]["inclusion"], vector["expect"]["integrity"])
    assert reference.verify(json.loads(path.read_text("utf-8"))) == expected
    assert _package(vector) == expected


@pytest.fixture(scope="module")
def contract() -> Any:
    """The registry on a fresh chain where nothing is anchored."""
    w3 = Web3(EthereumTesterProvider(EthereumTester(PyEVMBackend())))
    artifact = load_artifact()
    factory = w3.eth.contract(abi=list(artifact.abi), bytecode=artifact.bytecode)
    receipt = w3.eth.wait_for_transaction_receipt(factory.constructor().transact({"gas": 16_000_000}))
    return w3.eth.contract(address=receipt["contractAddress"], abi=list(artifact.abi))


@pytest.mark.parametrize(
    "path", [path for path in FILES if not path.stem.startswith("malformed")], ids=lambda p: p.stem
)
def test_contract_answers_as_the_vector_says(path: Path, contract: Any) -> None:
    vector = json.loads(path.read_text("utf-8"))
    proof = proof_from_json(vector["proof"])
    salted = salted_digest(proof.digest, proof.salt)
    entries = list(proof.path)
    arguments = (proof.root, proof.method.code, proof.index, proof.size, salted, entries)
    _, status = contract.functions.verify(to_checksum(proof.issuer), *arguments).call()
    # The contract takes entries without sides, so it cannot see that a claimed side is wrong.
    holds = vector["expect"]["inclusion"] == "pass" or path.stem == "fail-path-side-changed"
    assert status == (NOT_ANCHORED if holds else BAD_PROOF)


def test_vectors_of_each_kind_exist() -> None:
    kinds = [path.name.split("-")[0] for path in FILES]
    assert {kind: kinds.count(kind) >= 15 for kind in kinds} == {
        "good": True,
        "fail": True,
        "malformed": True,
    }


def test_reference_verifier_is_short_and_imports_the_standard_library_only() -> None:
    text = REFERENCE.read_text("utf-8")
    assert len(text.splitlines()) < 150
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert all(name.split(".")[0] in sys.stdlib_module_names for name in names)


def test_reference_verifier_runs_without_the_package() -> None:
    chosen = [path for path in FILES if path.stem in ("good-credential-by-jcs", "fail-digest-changed")]
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(REFERENCE), *map(str, chosen)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.split()[:2] for line in ran.stdout.splitlines()] == [["fail", "skipped"], ["pass", "pass"]]


def test_vectors_are_those_that_the_generator_writes() -> None:
    script = ROOT / "scripts" / "make_vectors"
    ran = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
