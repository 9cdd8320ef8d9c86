"""Rootmark as its operator runs it: processes of the command line over one PostgreSQL and one node, and a
client that repeats its requests as a real one does."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from eth_keyfile.keyfile import create_keyfile_json

from registry.chain.keystore import LocalSigner
from tests.support.anvil import CHAIN_ID

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-c", "from registry.cli.main import main; main()")
STARTED_IN_SECONDS = 60.0
BUSY = frozenset({409, 429, 503})
"""Statuses after which the same request is sent again; of 409 only `idempotency-in-flight`."""

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """For a child: SIGKILL when the process that started it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_keystore(directory: Path, private_key: bytes) -> tuple[Path, Path]:
    """A keystore with one key; its directory and the file with its password."""
    keystore, password_file = directory / "relayer", directory / "relayer-password"
    keystore.mkdir(mode=0o700)
    password = "relayer's password"
    address = LocalSigner(private_key).address.hex()
    keyfile = create_keyfile_json(private_key, password.encode(), kdf="pbkdf2", iterations=1000)
    file = keystore / f"{address}.json"
    file.write_text(json.dumps(keyfile))
    file.chmod(0o600)
    password_file.write_text(password)
    return keystore, password_file


@dataclass
class Process:
    """A process of the command line that can be killed and started again."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log_file: Path
    url: str | None = None
    times_killed: int = 0
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; not waiting until it is ready."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, *self.arguments],
                cwd=REPOSITORY,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )

    def kill(self) -> None:
        """SIGKILL: no handler, flush or rollback runs."""
        assert self._process is not None
        assert self._process.poll() is None, f"{self.name} had ended by itself:\n{self.tail()}"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.times_killed += 1

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for one that does not hear it."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        assert self.url is not None
        deadline = time.monotonic() + STARTED_IN_SECONDS
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health/live", timeout=5, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"{self.name} does not answer:\n{self.tail()}")

    def tail(self) -> str:
        """The end of what it wrote."""
        return self.log_file.read_bytes()[-4000:].decode(errors="replace") if self.log_file.exists() else ""


@dataclass
class Cluster:
    """Processes that share a database, a node and a data directory."""

    directory: Path
    environment: dict[str, str]
    servers: list[Process] = field(default_factory=list)
    workers: list[Process] = field(default_factory=list)

    @property
    def processes(self) -> list[Process]:
        """All of them."""
        return [*self.servers, *self.workers]

    def add_server(self, name: str, *options: str) -> Process:
        """`rootmark serve` on a port of its own."""
        port = free_port()
        arguments = ["serve", "--host", "127.0.0.1", "--port", str(port), *options]
        process = self._process(name, arguments, f"http://127.0.0.1:{port}")
        self.servers.append(process)
        return process

    def add_worker(self, name: str) -> Process:
        """`rootmark worker`."""
        process = self._process(name, ["worker"], None)
        self.workers.append(process)
        return process

    def _process(self, name: str, arguments: Sequence[str], url: str | None) -> Process:
        return Process(name, arguments, self.environment, self.directory / f"{name}.log", url)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self) -> None:
        """Start all and wait until the servers answer."""
        for process in self.processes:
            process.start()
        for server in self.servers:
            server.wait_until_ready()

    def stop(self) -> None:
        """End all."""
        for process in self.processes:
            process.stop()

    @property
    def admin_token(self) -> str:
        """The token that the first start made."""
        return (self.directory / "data" / "admin-token").read_text().strip()


def cluster_on(directory: Path, database_url: str, node_url: str, relayer_key: bytes) -> Cluster:
    """A cluster without processes yet."""
    keystore, password_file = write_keystore(directory, relayer_key)
    passed_on = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPYCACHEPREFIX")
    given = {name: os.environ[name] for name in passed_on if name in os.environ}
    settings = {
        "DATA_DIR": str(directory / "data"),
        "DATABASE_URL": database_url,
        "RPC_URL": node_url,
        "CHAIN_ID": str(CHAIN_ID),
        "SIGNER_KEYSTORE": str(keystore),
        "SIGNER_PASSWORD_FILE": str(password_file),
        "CONFIRMATIONS": "3",
        "POLL_SECONDS": "0.2",
        "RATE_LIMIT_PER_MINUTE": "1000000",
        "RATE_LIMIT_PER_MINUTE_KEY": "1000000",
    }
    environment = given | {f"ROOTMARK_{name}": value for name, value in settings.items()}
    return Cluster(directory, environment)


class Client:
    """An issuer's client: tries one server after the other with one Idempotency-Key, until one answers."""

    def __init__(self, urls: Sequence[str], token: str, *, patience_seconds: float = 150) -> None:
        self._urls = list(urls)
        self._patience_seconds = patience_seconds
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )
        self.repeated = 0
        self._guard = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def post(self, path: str, body: Mapping[str, Any], key: str, *, first: int = 0) -> dict[str, Any]:
        """The answer of the first server that gives one, from server number ``first`` on."""
        deadline = time.monotonic() + self._patience_seconds
        turn = first
        while True:
            url = self._urls[turn % len(self._urls)]
            turn += 1
            try:
                response = self._http.post(url + path, json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError as error:
                said = repr(error)
            else:
                if response.is_success:
                    answer: dict[str, Any] = response.json()
                    return answer
                said = response.text
                assert response.status_code in BUSY, said
                assert response.status_code != 409 or "idempotency-in-flight" in said, said
            assert time.monotonic() < deadline, said
            with self._guard:
                self.repeated += 1
            time.sleep(0.3)


def wait_until(condition: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> None:
    """Wait until something is so; ``otherwise`` says what is the case when it does not come to be."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.2)
