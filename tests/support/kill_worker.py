"""A server process that kills itself at a step boundary; tests/e2e/test_kill.py starts it.

It prints `ACK <batch id>` once a batch is acknowledged, as an HTTP answer would be, and `DONE` when nothing
is left to do. With a hook it dies by SIGKILL the n-th time that boundary is reached, so no handler, flush or
rollback runs.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from registry.chain.embedded.testing import EmbeddedTesting, Snapshot
from registry.chain.factory import open_embedded, open_rpc
from registry.chain.keystore import LocalSigner
from registry.model.operations import OperationState, TransactionState
from registry.services.issuing import IssuingService
from registry.services.policy import Policy
from registry.store import open_store
from tests.support.anvil import DEV_KEYS
from tests.support.chains import DrivenChain
from tests.support.pipeline import World, digests, items

ROUNDS = 40
HOOKS = ("after_seal", "before_commit", "after_commit", "after_broadcast", "before_receipt", "rewind")
POLICY = Policy(confirmations=3, resend_after_seconds=0, lease_ttl_seconds=1)


@dataclass
class Job:
    """What the process shall do; ``rpc`` None means the embedded chain in ``directory``."""

    directory: str
    rpc: str | None
    token: str
    batches: list[str]
    size: int
    hook: str | None
    times: int


def no_backend() -> Any:
    """Nobody stands between this process and its node."""
    raise AssertionError("there is no backend between this process and its node")


def say(line: str) -> None:
    """A line that the parent reads even if the process dies right after."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def deadly(job: Job) -> Callable[[str], None]:
    """The checkpoint that kills."""
    left = job.times

    def checkpoint(name: str) -> None:
        nonlocal left
        if name != job.hook:
            return
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint


@contextmanager
def driven(job: Job) -> Iterator[DrivenChain]:
    """The chain, and the power to mine and to replace blocks."""
    if job.rpc is None:
        gateway: Any = open_embedded(Path(job.directory) / "chain")
        testing = EmbeddedTesting(gateway.chain)

        def replace(depth: int) -> None:
            number = gateway.latest().number - depth
            testing.revert(Snapshot(gateway.header(number).hash, number))
            testing.mine(depth)

        def mine(blocks: int) -> None:
            testing.mine(blocks)

        yield DrivenChain(gateway, gateway.funder, no_backend, mine, replace)
        gateway.close()
        return
    url = job.rpc

    def rpc(method: str, *params: Any) -> None:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        httpx.post(url, json=body, timeout=30, trust_env=False).raise_for_status()

    gateway = open_rpc([url], has_finalized_tag=False)
    signer = LocalSigner(DEV_KEYS[0])

    def mine_there(blocks: int) -> None:
        rpc("anvil_mine", hex(blocks))

    def replace_there(depth: int) -> None:
        rpc("anvil_reorg", depth, [])

    yield DrivenChain(gateway, signer, no_backend, mine_there, replace_there)
    gateway.close()


def unfinished(world: World) -> bool:
    """Whether an operation or a nonce is still on its way."""
    states = (OperationState.QUEUED, OperationState.SUBMITTED, OperationState.MINED)
    return bool(
        world.operations(*states) or world.transactions(TransactionState.SIGNED, TransactionState.MINED)
    )


def main(job: Job) -> None:
    """Issue, work, lose a block once, work until nothing is left."""
    directory = Path(job.directory)
    store = open_store(f"sqlite:///{directory / 'rootmark.db'}", migrate=True)
    with driven(job) as chain:
        world = World(chain, store, POLICY, directory)
        checkpoint = deadly(job)
        pipeline = world.new_pipeline(f"process-{os.getpid()}", checkpoint)
        issuing = IssuingService(store, world.chain, world.clock, POLICY, checkpoint)
        caller = world.access.authenticate(job.token)
        world.clock.advance(
            POLICY.lease_ttl_seconds + 1
        )  # a killed process holds its leases until they run out
        for name in job.batches:
            batch = issuing.create_batch(caller, items(digests(job.size, name)))
            say(f"ACK {batch.id}")
            world.step(pipeline)
        if job.hook == "rewind":
            world.step(pipeline)
            first = min(operation.effect_block or 0 for operation in world.operations(OperationState.MINED))
            chain.replace(world.chain.latest().number - first + 1)
        left = ROUNDS
        while left and unfinished(world):
            left -= 1
            world.step(pipeline)
            chain.mine(1)
        say("DONE" if left else "LEFT")
    store.close()


if __name__ == "__main__":
    main(Job(**json.loads(sys.argv[-1])))
