"""anvil, the node of foundry, as a context manager; from the npm package, on a free port of the loopback
interface.

It dies with the block, with the thread that started it (PR_SET_PDEATHSIG), and within seconds of being
asked to.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]
CHAIN_ID = 31337
DEV_KEYS = tuple(
    bytes.fromhex(key)
    for key in (
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    )
)
"""Private keys of the first four accounts, which have 10,000 ether each; known to everybody."""

_PR_SET_PDEATHSIG = 1
_LISTENING = re.compile(rb"Listening on 127\.0\.0\.1:(\d+)")


class AnvilError(RuntimeError):
    """anvil answered with a JSON-RPC error, or did not start."""


@dataclass
class Anvil:
    """A running anvil. ``rpc`` raises AnvilError for error answers."""

    url: str
    process: subprocess.Popen[bytes]
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def rpc(self, method: str, *params: Any) -> Any:
        """The result of one request."""
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}
        answer = httpx.post(self.url, json=body, timeout=30, trust_env=False).json()
        if answer.get("error"):
            raise AnvilError(f"{method}: {answer['error']}")
        return answer["result"]

    def mine(self, blocks: int = 1) -> None:
        """Mine that many blocks now."""
        self.rpc("anvil_mine", hex(blocks))

    def automines(self) -> bool:
        """Whether each transaction gets a block of its own without being asked."""
        return bool(self.rpc("anvil_getAutomine"))

    def reorg(self, depth: int) -> None:
        """Replace the newest ``depth`` blocks by others without transactions."""
        self.rpc("anvil_reorg", depth, [])

    def snapshot(self) -> str:
        """Remember the present state."""
        return str(self.rpc("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Go back to a snapshot; what is mined then has other hashes at the same heights, if times differ."""
        assert self.rpc("evm_revert", snapshot) is True

    def stop(self) -> None:
        """End the process; with ``state``, anvil writes its file first."""
        _end(self.process)


def executable() -> Path:
    """anvil of the npm package for this machine."""
    found = sorted(REPOSITORY.glob("node_modules/@foundry-rs/anvil-*/bin/anvil"))
    if not found:
        raise AnvilError("anvil is not installed: npm ci")
    return found[0]


@contextmanager
def anvil(
    *,
    chain_id: int = CHAIN_ID,
    block_time: float | None = None,
    no_mining: bool = False,
    state: Path | None = None,
    hardfork: str = "prague",
    slots_in_an_epoch: int | None = None,
    timestamp: int | None = None,
    options: tuple[str, ...] = (),
) -> Iterator[Anvil]:
    """Run anvil for the length of the block.

    Args:
        chain_id: EIP-155.
        block_time: seconds between blocks; None mines each transaction at once.
        no_mining: blocks come by `mine` only.
        state: file to start from, if it is there, and to write when it stops.
        hardfork: rules; "osaka" for EIP-7623 and EIP-7825.
        slots_in_an_epoch: `finalized` is two epochs behind the newest block.
        timestamp: of the first block, seconds.
        options: further command-line options.
    """
    command = [str(executable()), "--host", "127.0.0.1", "--port", "0", "--chain-id", str(chain_id)]
    command += ["--hardfork", hardfork, "--accounts", "4", *options]
    if block_time is not None:
        command += ["--block-time", str(block_time)]
    if no_mining:
        command.append("--no-mining")
    if state is not None:
        command += ["--state", str(state)]
    if slots_in_an_epoch is not None:
        command += ["--slots-in-an-epoch", str(slots_in_an_epoch)]
    if timestamp is not None:
        command += ["--timestamp", str(timestamp)]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", "/tmp"),
        "NO_COLOR": "1",
    }
    with tempfile.TemporaryFile() as output:  # a pipe would fill up and stop it
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        try:
            port = _wait_for_port(process, output)
            yield Anvil(f"http://127.0.0.1:{port}", process)
        finally:
            _end(process)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_for_port(process: subprocess.Popen[bytes], output: IO[bytes], seconds: float = 30) -> int:
    """Read what anvil prints until it names its port."""
    deadline = time.monotonic() + seconds
    while True:
        printed = os.pread(output.fileno(), 65_536, 0)
        if found := _LISTENING.search(printed):
            return int(found[1])
        if process.poll() is not None or time.monotonic() > deadline:
            raise AnvilError(f"anvil did not start: {printed[-500:].decode(errors='replace')}")
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
