"""Fixtures for tests of the contract: one deployment a session, one snapshot a test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_tester import EthereumTester, PyEVMBackend
from web3 import EthereumTesterProvider, Web3

from registry.chain.abi import load_artifact
from tests.contract.support import GAS, Bench, Person

ROOT = b"\x11" * 32


@pytest.fixture(scope="session")
def deployment() -> Bench:
    """The registry on a fresh chain, as it is before anybody has called it."""
    tester = EthereumTester(PyEVMBackend())
    w3 = Web3(EthereumTesterProvider(tester))
    artifact = load_artifact()
    factory = w3.eth.contract(abi=list(artifact.abi), bytecode=artifact.bytecode)
    receipt = w3.eth.wait_for_transaction_receipt(factory.constructor().transact({"gas": GAS}))
    assert bytes(w3.eth.get_code(receipt["contractAddress"])) == artifact.deployed_code
    return Bench(tester, w3, w3.eth.contract(address=receipt["contractAddress"], abi=list(artifact.abi)))


@pytest.fixture
def bench(deployment: Bench) -> Iterator[Bench]:
    """The same; whatever a test does to it is undone."""
    snapshot = deployment.tester.take_snapshot()
    yield deployment
    deployment.tester.revert_to_snapshot(snapshot)


@pytest.fixture
def issuer(bench: Bench) -> Person:
    """Somebody who is about to be an issuer, and its own admin."""
    return bench.people[1]


@pytest.fixture
def key(bench: Bench, issuer: Person) -> Person:
    """A key of the issuer with all roles."""
    person = bench.people[2]
    bench.add_key(issuer, person)
    return person


@pytest.fixture
def stranger(bench: Bench) -> Person:
    """Somebody who has no part in the issuer."""
    return bench.people[9]


@pytest.fixture
def root(bench: Bench, key: Person) -> bytes:
    """A root that the key has anchored."""
    bench.anchor(key, ROOT)
    return ROOT


@pytest.fixture
def wallet(bench: Bench) -> Any:
    """A contract account that signs by ERC-1271 what was approved beforehand."""
    path = Path(__file__).parent / "artifacts" / "SmartWallet.json"
    artifact = json.loads(path.read_text(encoding="utf-8"))
    factory = bench.w3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
    receipt = bench.send(factory.constructor(), bench.people[0])
    return bench.w3.eth.contract(address=receipt["contractAddress"], abi=artifact["abi"])
