"""Gas of every operation, from the receipts of whole transactions on a chain in memory.

The operations are those whose cost tests/contract/test_gas.py pins to docs/contract.md, and the rest by
signature. Where there is something to compare with, the peer is what OpenAttestation's document store
publishes for the same work: 48,168 to issue a batch, 24,300 for each revocation.
"""

from __future__ import annotations

from collections.abc import Callable

from eth_tester import EthereumTester, PyEVMBackend
from web3 import EthereumTesterProvider, Web3

from registry.chain import typed_data
from registry.chain.abi import load_artifact
from registry.encoding import Root
from scripts.benchmarks.figures import Figure, Outcome, Target
from tests.contract.support import GAS, NO_DEADLINE, Bench
from tests.contract.test_gas import OPERATIONS, Costs

PEER = "openattestation"
PEER_ISSUE = 48_168
PEER_REVOCATION = 24_300
ROOT = b"\x11" * 32

PEERS = {
    "anchor": PEER_ISSUE,
    "anchor, the bare root": PEER_ISSUE,
    "anchorBySig": PEER_ISSUE,
    "revoke 1, in a new word": PEER_REVOCATION,
    "revoke 1, in a used word": PEER_REVOCATION,
    "revokeBySig 1, in a used word, the signer's first": PEER_REVOCATION,
    "revoke 256, in a new word": 256 * PEER_REVOCATION,
    "revoke 256 times 650 words": 650 * 256 * PEER_REVOCATION,
    "revokeBySig, 256 times 650 words": 650 * 256 * PEER_REVOCATION,
}
TARGETS = {
    "anchor": Target(55_500),
    "anchor, the bare root": Target(55_500),
    "revoke 256, in a new word": Target(62_000),
    "revoke 256 times 650 words": Target(GAS),
    "revokeBySig, 256 times 650 words": Target(GAS),
}


def first_anchor(costs: Costs) -> int:
    """The anchor that is its key's first transaction, by an issuer whose only event is that key."""
    issuer, key = costs.bench.people[6], costs.bench.people[7]
    costs.bench.add_key(issuer, key)
    return int(costs.bench.send_data(b"\x67" * 32, key)["gasUsed"])


def _status_by_signature(kind: typed_data.StatusType, *, admin: bool = False) -> Callable[[Costs], int]:
    """A change of one bit, sent by somebody else; where it clears the bit, the bit is set first."""

    def measure(costs: Costs) -> int:
        bench, f = costs.bench, costs.f
        signer = costs.issuer if admin else costs.key
        changes = [(0, 2)]
        if kind == "Reinstate":
            costs.as_key(f.suspend(costs.root, changes, 7))
        if kind == "Annul":
            costs.as_key(f.revoke(costs.root, changes, 1))
        signature = bench.sign_status(kind, signer, costs.issuer, costs.root, changes, 1)
        function = getattr(f, f"{kind.lower()}BySig")
        call = function(signer.address, costs.issuer.address, costs.root, changes, 1, NO_DEADLINE, signature)
        return costs.send(call, costs.stranger)

    return measure


def _withdrawal_by_signature(costs: Costs) -> int:
    data = typed_data.withdrawal(
        costs.bench.domain,
        "Withdraw",
        issuer=costs.issuer.raw,
        root=Root(costs.root),
        reason=1,
        nonce=costs.bench.nonce(costs.key),
        deadline=NO_DEADLINE,
    )
    call = costs.f.withdrawBySig(
        costs.key.address, costs.issuer.address, costs.root, 1, NO_DEADLINE, costs.key.sign(data)
    )
    return costs.send(call, costs.stranger)


FURTHER: dict[str, Callable[[Costs], int]] = {
    "anchor, the bare root, an issuer's first": first_anchor,
    "revokeBySig 1, in a used word, the signer's first": _status_by_signature("Revoke"),
    "suspendBySig 1, in a new word, the signer's first": _status_by_signature("Suspend"),
    "reinstateBySig 1, the word's last, the signer's first": _status_by_signature("Reinstate"),
    "annulBySig 1, in a used word, the signer's first": _status_by_signature("Annul", admin=True),
    "withdrawBySig, the signer's first": _withdrawal_by_signature,
}


def run() -> Outcome:
    """Measure each operation on the same state; what it does is undone."""
    costs = _costs()
    outcome = Outcome("gas")
    for name, measure in {**OPERATIONS, **FURTHER}.items():
        snapshot = costs.bench.tester.take_snapshot()
        gas = measure(costs)
        costs.bench.tester.revert_to_snapshot(snapshot)
        peer = PEERS.get(name)
        outcome.figures.append(Figure(name, "gas", gas, peer, PEER if peer else None, TARGETS.get(name)))
    outcome.notes.append(
        "OpenAttestation's figures are published ones; its entries hold neither time, key, reason nor history"
    )
    return outcome


def _costs() -> Costs:
    """A registry with an issuer, its key, an anchored root and one revocation."""
    tester = EthereumTester(PyEVMBackend())
    w3 = Web3(EthereumTesterProvider(tester))
    artifact = load_artifact()
    factory = w3.eth.contract(abi=list(artifact.abi), bytecode=artifact.bytecode)
    receipt = w3.eth.wait_for_transaction_receipt(factory.constructor().transact({"gas": GAS}))
    bench = Bench(tester, w3, w3.eth.contract(address=receipt["contractAddress"], abi=list(artifact.abi)))
    issuer, key, stranger = bench.people[1], bench.people[2], bench.people[9]
    bench.add_key(issuer, key)
    bench.anchor(key, ROOT)
    return Costs(bench, issuer, key, ROOT, stranger)
