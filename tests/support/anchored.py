"""What examiners of anchored credentials ask for, from dictionaries: other ledgers, other documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from eth_hash.auto import keccak

from registry.credentials.findings import Examination, Finding
from registry.credentials.sources import Tools
from registry.encoding import Address, JsonValue
from registry.errors import UnavailableSourceError
from registry.ports.documents import Canonicalizer, RdfHash
from registry.ports.ledgers import LedgerTransaction
from registry.verdict.report import CheckName, CheckResult, Outcome

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@dataclass
class FakeLedgers:
    """One chain: its transactions by hash, and what contracts answer by (contract, call data); anything else
    is empty. ``asked`` lists the calls."""

    chain_id: int = 1
    transactions: dict[bytes, LedgerTransaction] = field(default_factory=dict)
    answers: dict[tuple[Address, bytes], bytes] = field(default_factory=dict)
    asked: list[tuple[Address, bytes]] = field(default_factory=list)

    def transaction(self, chain_id: int, transaction: bytes) -> LedgerTransaction | None:
        self._require(chain_id)
        return self.transactions.get(transaction)

    def call(self, chain_id: int, to: Address, data: bytes) -> bytes:
        self._require(chain_id)
        self.asked.append((to, data))
        return self.answers.get((to, data), b"")

    def set(self, contract: Address, signature: str, word: bytes, answer: bytes | bool) -> None:
        """What the contract answers to a function of one word."""
        value = answer if isinstance(answer, bytes) else bytes(31) + bytes([answer])
        self.answers[contract, keccak(signature.encode())[:4] + word] = value

    def _require(self, chain_id: int) -> None:
        if chain_id != self.chain_id:
            raise UnavailableSourceError(f"no node of the chain eip155:{chain_id} is configured")


@dataclass
class FakeDocuments:
    """Documents by address."""

    known: dict[str, bytes] = field(default_factory=dict)

    def get(self, url: str) -> bytes:
        if url not in self.known:
            raise UnavailableSourceError(f"supply {url} or allow its host")
        return self.known[url]


class NoCanonicalizer:
    """For formats that have no JSON-LD."""

    def n_quads(self, document: Mapping[str, JsonValue], rdf_hash: RdfHash = RdfHash.SHA256) -> bytes:
        raise AssertionError("this format has no JSON-LD")


def tools(
    *,
    ledgers: FakeLedgers | None = None,
    documents: FakeDocuments | None = None,
    canonicalizer: Canonicalizer | None = None,
    supplied: Mapping[str, bytes] | None = None,
) -> Tools:
    """Tools with nothing in them but what is given; no chain is configured unless ledgers are."""
    return Tools(
        canonicalizer=canonicalizer or cast(Canonicalizer, NoCanonicalizer()),
        documents=documents or FakeDocuments(),
        ledgers=ledgers or FakeLedgers(chain_id=0),
        now=NOW,
        supplied=supplied or {},
    )


def only(examination: Examination, check: CheckName) -> Finding:
    """The one finding of a check."""
    (finding,) = (found for found in examination.findings if found.check is check)
    return finding


def outcome(examination: Examination) -> Outcome:
    """The worst outcome that a finding leads to."""
    return min((finding.outcome for finding in examination.findings), key=list(Outcome).index)


def results(examination: Examination) -> dict[str, str]:
    """The worst result of each check by name."""
    order = (CheckResult.PASS, CheckResult.SKIPPED, CheckResult.UNKNOWN, CheckResult.FAIL)
    worst: dict[str, CheckResult] = {}
    for finding in examination.findings:
        known = worst.get(finding.check.value, CheckResult.PASS)
        worst[finding.check.value] = max(known, finding.result, key=order.index)
    return {name: result.value for name, result in worst.items()}
