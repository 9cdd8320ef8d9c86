"""The browser's verifier reads JSON, canonical forms and proofs as the vectors say."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from registry.chain.abi import load_artifact
from registry.chain.chains import LOCAL_CHAINS, PUBLIC_TEST_CHAINS
from registry.encoding import canonical_json, parse_json, to_hex
from registry.errors import MalformedJsonError
from tests.verifier_js.conftest import JavaScript

pytestmark = pytest.mark.node

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
PROOFS = sorted((VECTORS / "proofs").glob("*.json"))


def rows(name: str) -> list[Any]:
    found: list[Any] = json.loads((VECTORS / "json" / name).read_text(encoding="utf-8"))
    return found


def hexed(row: dict[str, Any]) -> str:
    return str(row["hex"]) if "hex" in row else row["text"].encode("utf-8", "surrogatepass").hex()


@pytest.mark.parametrize("row", rows("rejected.json"), ids=lambda row: row["name"])
def test_json_that_readers_could_read_differently_is_refused(
    javascript: JavaScript, row: dict[str, Any]
) -> None:
    assert javascript.ask("parse", hex=hexed(row)).get("error") == "malformed"


@pytest.mark.parametrize("row", rows("accepted.json"), ids=lambda row: row["name"])
def test_accepted_json_has_the_canonical_form_that_the_package_gives(
    javascript: JavaScript, row: dict[str, Any]
) -> None:
    found = javascript.ask("parse", hex=hexed(row))
    assert found["result"] == canonical_json(parse_json(bytes.fromhex(hexed(row)))).decode()


def test_canonical_forms_are_those_of_rfc_8785(javascript: JavaScript) -> None:
    for row in rows("rfc8785-values.json"):
        found = javascript.ask("parse", hex=row["input"].encode().hex())
        try:
            parse_json(row["input"].encode())
        except MalformedJsonError:  # its numbers are beyond what is read here
            assert found["error"] == "malformed"
        else:
            assert found["result"] == row["canonical"], row["section"]
    for bits, text in rows("rfc8785-numbers.json"):
        (value,) = struct.unpack(">d", bytes.fromhex(bits))
        if abs(value) <= 2**53 - 1:
            assert javascript.ask("parse", hex=repr(value).encode().hex())["result"] == text


@pytest.mark.parametrize("path", PROOFS, ids=lambda path: path.stem)
def test_proof_leads_to_the_root_or_not_as_the_vector_says(javascript: JavaScript, path: Path) -> None:
    vector = json.loads(path.read_text(encoding="utf-8"))
    text = json.dumps(vector["proof"])
    found = javascript.ask("inclusion", text=text)
    said = found["error"] if "error" in found else "pass" if found["result"] is None else "fail"
    assert said == vector["expect"]["inclusion"]


def test_constants_are_the_compiled_contracts() -> None:
    text = (ROOT / "verifier-js" / "constants.js").read_text(encoding="utf-8")
    artifact = load_artifact()
    raw = json.loads((ROOT / "registry/chain/artifacts/CredentialRegistry.json").read_text(encoding="utf-8"))
    assert f'REGISTRY = "{raw["create2"]["address"].lower()}"' in text
    assert f'CODE_HASH = "{to_hex(artifact.code_hash)}"' in text
    tests = text.partition("TEST_CHAINS = new Set([")[2].partition("]")[0]
    assert {int(one) for one in tests.split(",") if one.strip()} == LOCAL_CHAINS | PUBLIC_TEST_CHAINS
    local = text.partition("LOCAL_CHAINS = new Set([")[2].partition("]")[0]
    assert {int(one) for one in local.split(",")} == LOCAL_CHAINS


def test_vendored_files_are_what_the_packages_have() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "vendor", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
