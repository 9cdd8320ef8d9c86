"""Three servers and a worker on one PostgreSQL and one node, killed and started again while 300 batches are
posted at once: nothing is lost, nothing is there twice, no nonce is missing."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.chain.factory import deploy_by_rpc, open_rpc
from registry.chain.keystore import LocalSigner
from registry.encoding import Digest, to_hex
from registry.model.batches import Batch, BatchState
from registry.model.chain import EventKind
from registry.model.operations import OperationState, OutboxTransaction, TransactionState
from registry.ports.store import Store
from registry.store import open_store
from tests.e2e.support import Client, Cluster, Process, cluster_on, wait_until
from tests.support.anvil import DEV_KEYS, anvil

pytestmark = [pytest.mark.slow, pytest.mark.node, pytest.mark.postgres]

ISSUERS = 5
BATCHES = 300
SIZE = 3
PATIENCE_SECONDS = 240.0


@pytest.fixture
def node_url() -> Iterator[str]:
    """A node that makes a block each second, with the registry on it."""
    with anvil(block_time=1) as node:
        deploy_by_rpc([node.url], LocalSigner(DEV_KEYS[0]))
        yield node.url


@pytest.fixture
def cluster(tmp_path: Path, postgres_url: str, node_url: str) -> Iterator[Cluster]:
    """Two servers without background work, one with it, and a worker."""
    made = cluster_on(tmp_path, postgres_url, node_url, DEV_KEYS[0])
    made.add_server("one", "--no-workers")
    made.add_server("two", "--no-workers")
    made.add_server("three")
    made.add_worker("worker")
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    """The cluster's database, for counting."""
    opened = open_store(postgres_url, migrate=False)
    yield opened
    opened.close()


def digests_of(number: int) -> list[Digest]:
    return [Digest(sha256(f"batch {number}, {i}".encode()).digest()) for i in range(SIZE)]


def body_of(number: int) -> dict[str, Any]:
    return {"digests": [to_hex(digest) for digest in digests_of(number)]}


def register(cluster: Cluster) -> list[Client]:
    """Hosted issuers, whose registration is not waited for."""
    urls = [server.url for server in cluster.servers if server.url]
    clients = []
    for number in range(ISSUERS):
        response = httpx.post(
            f"{urls[number % len(urls)]}/v1/issuers",
            json={"name": f"College {number}", "url": "https://college.example"},
            headers={"Authorization": f"Bearer {cluster.admin_token}"},
            trust_env=False,
            timeout=30,
        )
        assert response.status_code == 201, response.text
        clients.append(Client(urls, response.json()["api_key"]))
    return clients


def restart(process: Process) -> None:
    """Kill and start, not waiting until it answers: the clients turn to another server meanwhile."""
    process.kill()
    process.start()


class Progress:
    """Batches acknowledged, by number."""

    def __init__(self) -> None:
        self.acknowledged: dict[int, str] = {}
        self._guard = threading.Lock()

    def acknowledge(self, number: int, batch_id: str) -> None:
        with self._guard:
            self.acknowledged[number] = batch_id

    def __len__(self) -> int:
        return len(self.acknowledged)


def post_all(clients: Sequence[Client], progress: Progress) -> list[str]:
    """Post all batches at once. Returns what went wrong."""

    def post(number: int) -> None:
        client = clients[number % ISSUERS]
        answer = client.post("/v1/batches", body_of(number), f"batch-{number}", first=number)
        progress.acknowledge(number, answer["id"])

    with ThreadPoolExecutor(BATCHES) as pool:
        outcomes = [pool.submit(post, number) for number in range(BATCHES)]
    return [str(outcome.exception()) for outcome in outcomes if outcome.exception() is not None]


def finals(store: Store) -> int:
    with store.read() as unit:
        return sum(
            count for state, count in unit.batches.count_by_state().items() if state is BatchState.FINAL
        )


def all_batches(store: Store) -> list[Batch]:
    found: list[Batch] = []
    with store.read() as unit:
        while page := unit.batches.page(None, None, found[-1].seq if found else None, 500):
            found += page
    return found


def transactions(store: Store) -> Sequence[OutboxTransaction]:
    with store.read() as unit:
        return unit.outbox.transactions(states=tuple(TransactionState), limit=100_000)


def test_nothing_is_lost_or_doubled_while_processes_are_killed(
    cluster: Cluster, store: Store, node_url: str
) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(closing(client)) for client in register(cluster)]
        run(cluster, store, node_url, clients)


def run(cluster: Cluster, store: Store, node_url: str, clients: Sequence[Client]) -> None:
    one, two, three = cluster.servers
    (worker,) = cluster.workers
    progress = Progress()
    problems: list[str] = []
    posting = threading.Thread(target=lambda: problems.extend(post_all(clients, progress)), daemon=True)
    posting.start()

    def when_acknowledged(count: int) -> None:
        wait_until(
            lambda: len(progress) >= count or not posting.is_alive(),
            PATIENCE_SECONDS,
            lambda: f"{len(progress)} of {count} are acknowledged",
        )
        assert not problems, problems[:3]

    def when_final(count: int) -> None:
        wait_until(
            lambda: finals(store) >= count,
            PATIENCE_SECONDS,
            lambda: (
                f"{finals(store)} of {count} are final\n" + "\n".join(p.tail() for p in cluster.processes)
            ),
        )

    for count, victim in ((10, one), (40, three), (80, two), (150, worker)):
        when_acknowledged(count)
        restart(victim)
    for count, victim in ((20, three), (90, worker)):
        when_final(count)
        restart(victim)
    when_acknowledged(BATCHES)
    posting.join(PATIENCE_SECONDS)
    assert not problems, problems[:3]
    when_final(BATCHES)
    wait_until(lambda: not unfinished(store), 60, lambda: f"unfinished: {unfinished(store)[:3]}")

    for server in cluster.servers:
        server.wait_until_ready()
    assert sum(client.repeated for client in clients) > 0
    assert_replayed(clients, progress)
    assert_once(store, node_url, progress)
    assert_no_gap(store, node_url)
    audit = cluster.command("audit", "consistency", "--server", str(two.url), "--json")
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert json.loads(audit.stdout)["differences"] == []


def unfinished(store: Store) -> list[OutboxTransaction]:
    """Nonces that are not final."""
    return [one for one in transactions(store) if one.state is not TransactionState.FINAL]


def assert_replayed(clients: Sequence[Client], progress: Progress) -> None:
    """The same request once more gets the first one's batch."""
    for number in range(0, BATCHES, 7):
        again = clients[number % ISSUERS].post("/v1/batches", body_of(number), f"batch-{number}")
        assert again["id"] == progress.acknowledged[number]


def assert_once(store: Store, node_url: str, progress: Progress) -> None:
    """Every acknowledged batch is final once, by the chain's own logs; every digest stands in one entry."""
    batches = all_batches(store)
    assert Counter(batch.state for batch in batches) == {BatchState.FINAL: BATCHES}
    assert {batch.id for batch in batches} == set(progress.acknowledged.values())
    assert len(progress) == BATCHES
    chain = open_rpc([node_url], has_finalized_tag=False)
    try:
        events = chain.events_in_range(0, chain.latest().number)
    finally:
        chain.close()
    anchored = [(event.issuer, event.root) for event in events if event.kind is EventKind.BATCH_ANCHORED]
    assert sorted(anchored) == sorted((batch.issuer, batch.root) for batch in batches)  # type: ignore[type-var]
    with store.read() as unit:
        operations = unit.outbox.operations(states=tuple(OperationState), limit=100_000)
        for number, batch_id in progress.acknowledged.items():
            entries = unit.entries.by_digests(set(digests_of(number)))
            assert [entry.batch_id for entry in entries] == [batch_id] * SIZE
    assert {operation.state for operation in operations} == {OperationState.FINAL}


def assert_no_gap(store: Store, node_url: str) -> None:
    """Each sender's nonces follow each other, and the chain has mined them all and no other."""
    by_sender: dict[Any, list[int]] = {}
    for one in transactions(store):
        by_sender.setdefault(one.sender, []).append(one.nonce)
    assert len(by_sender) >= ISSUERS
    chain = open_rpc([node_url], has_finalized_tag=False)
    try:
        for sender, nonces in by_sender.items():
            assert sorted(nonces) == list(range(min(nonces), max(nonces) + 1))
            assert chain.transaction_count(sender) == max(nonces) + 1
    finally:
        chain.close()
