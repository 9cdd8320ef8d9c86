"""SIGKILL at every step boundary, a restart: all that was acknowledged is final, nothing is there twice.

The chain outlives the process on anvil and dies with it on the embedded chain, which must then have lost
nothing that it had acknowledged.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from registry.model.batches import BatchState
from registry.model.operations import TransactionState
from registry.store import open_store
from tests.support.anvil import anvil
from tests.support.chains import driven_anvil, embedded_chain
from tests.support.kill_worker import HOOKS, POLICY, Job
from tests.support.pipeline import ADMIN, World, digests, world_on

pytestmark = pytest.mark.slow

BATCHES = ["first", "second", "third"]
SIZE = 3
REPOSITORY = Path(__file__).resolve().parents[2]
LAUNCHER = f"""
import runpy, sys, types
tests = sys.modules["tests"] = types.ModuleType("tests")
tests.__path__ = [{str(REPOSITORY / "tests")!r}]
runpy.run_module("tests.support.kill_worker", run_name="__main__")
"""
"""merkletools brings a package `tests` of its own, which would be found first."""


def run(job: Job) -> tuple[int, list[str]]:
    """Exit status (negative: signal) and the lines printed."""
    command = [sys.executable, "-c", LAUNCHER, json.dumps(asdict(job))]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr[-2000:]
    return done.returncode, done.stdout.splitlines()


@contextmanager
def server(kind: str, directory: Path, *, relayed: bool = False) -> Iterator[tuple[str | None, World]]:
    """The chain's address for the process, and the server's parts for the test.

    A key without ether has its calls relayed.
    """
    policy = replace(POLICY, funding_wei=0) if relayed else POLICY
    if kind == "embedded":
        with (
            embedded_chain(directory / "chain") as driven,
            world_on(driven, directory, policy=policy) as world,
        ):
            yield None, world
    else:
        with (
            anvil() as node,
            driven_anvil(node) as driven,
            world_on(driven, directory, policy=policy) as world,
        ):
            yield node.url, world


def registered(world: World) -> str:
    """The token of a new, active issuer."""
    token = world.issuers.register(ADMIN, "Example College", "https://college.example/").token
    world.settle()
    world.pipeline.close()
    world.indexer.close()
    return token


def check(world: World, acknowledged: list[str]) -> None:
    """What must hold whatever happened."""
    batches = world.issuing.batches(limit=100)
    assert {batch.state for batch in batches} == {BatchState.FINAL}
    assert set(acknowledged) <= {batch.id for batch in batches}
    for digest in (digest for name in BATCHES for digest in digests(SIZE, name)):
        entries = world.issuing.entries_by_digest(digest)
        assert len(entries) == 1
        assert entries[0].batch_state is BatchState.FINAL
    anchored = [event.root for event in world.anchors()]
    assert sorted(anchored) == sorted({batch.root for batch in batches})  # type: ignore[type-var]
    assert not world.transactions(TransactionState.SIGNED, TransactionState.MINED, TransactionState.REPLACED)
    for sender in {one.sender for one in world.transactions()}:
        nonces = [one.nonce for one in world.transactions() if one.sender == sender]
        assert nonces == list(range(nonces[0], nonces[0] + len(nonces)))
        assert world.chain.transaction_count(sender) == nonces[-1] + 1


def story(kind: str, directory: Path, hook: str, times: int, *, relayed: bool = False) -> None:
    with server(kind, directory, relayed=relayed) as (url, world):
        token = registered(world)
        if kind != "embedded":
            kill_and_restart(Job(str(directory), url, token, BATCHES, SIZE, hook, times), world)
            return
    job = Job(str(directory), None, token, BATCHES, SIZE, hook, times)
    acknowledged = killed(job)
    restarted(job, directory, acknowledged)
    with server(kind, directory) as (_, world):
        check(world, acknowledged)


def killed(job: Job) -> list[str]:
    status, lines = run(job)
    assert status == -signal.SIGKILL, "the process never came to that boundary"
    return [line.removeprefix("ACK ") for line in lines if line.startswith("ACK ")]


def restarted(job: Job, directory: Path, acknowledged: list[str]) -> None:
    """Issue what was not acknowledged and is not there either, as a client does that repeats its requests."""
    with world_without_chain(directory) as names:
        left = [name for name in BATCHES if name not in names]
    again = Job(job.directory, job.rpc, job.token, left, SIZE, None, 0)
    status, lines = run(again)
    assert status == 0
    assert lines[-1] == "DONE"
    acknowledged += [line.removeprefix("ACK ") for line in lines if line.startswith("ACK ")]


def kill_and_restart(job: Job, world: World) -> None:
    acknowledged = killed(job)
    restarted(job, Path(job.directory), acknowledged)
    check(world, acknowledged)


@contextmanager
def world_without_chain(directory: Path) -> Iterator[set[str]]:
    """Names of the batches whose digests are stored."""
    store = open_store(f"sqlite:///{directory / 'rootmark.db'}", migrate=False)
    try:
        with store.read() as unit:
            yield {name for name in BATCHES if unit.entries.by_digests(digests(1, name))}
    finally:
        store.close()


@pytest.mark.node
@pytest.mark.parametrize("hook", HOOKS)
def test_killed_server_on_a_node_ends_with_every_batch_final_once(hook: str, tmp_path: Path) -> None:
    story("anvil", tmp_path, hook, 2 if hook in ("after_seal", "before_commit", "after_broadcast") else 1)


@pytest.mark.node
@pytest.mark.parametrize("hook", ["after_commit", "before_receipt"])
def test_killed_relaying_server_ends_with_every_batch_final_once(hook: str, tmp_path: Path) -> None:
    story("anvil", tmp_path, hook, 2, relayed=True)


@pytest.mark.parametrize("hook", ["after_commit", "after_broadcast"])
def test_killed_server_with_its_own_chain_ends_with_every_batch_final_once(hook: str, tmp_path: Path) -> None:
    story("embedded", tmp_path, hook, 1)
