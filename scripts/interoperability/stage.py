"""The stage: a chain that calls itself Sepolia, `rootmark serve` with TLS, and an issuer whose key anchors by
itself. All of it on the loopback interface, for the length of a block.

The chain is anvil with chain id 11155111: of all test chains, Blockcerts' verifier knows Sepolia alone. It
and resolvers of did:web speak HTTPS alone, so the server gets a certificate, which nobody else trusts.
Invariant: every batch is anchored by its issuer's key itself, through the contract's fallback.
"""

from __future__ import annotations

import os
import secrets
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from registry.chain.factory import deploy_by_rpc
from registry.chain.keystore import EncryptedKeystore, LocalSigner
from registry.encoding import to_hex
from scripts.benchmarks.repository import ROOT
from scripts.interoperability.certificate import Certificate, make_certificate
from tests.e2e.support import COMMAND, die_with_parent, free_port
from tests.support.anvil import Anvil, anvil

CHAIN_ID = 11155111
PATIENCE_SECONDS = 120.0
_ETHER_WEI = 10**18
_PASSWORD = "of a chain that is gone in a moment"

Json = dict[str, Any]


class StageError(RuntimeError):
    """Something did not come to be that everything else rests on."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A server with an issuer.

    Attributes:
        origin: the server's address, https.
        node: the chain.
        client: carries the issuer's API key.
        issuer: account, lower case.
        anchoring_key: account of the issuer's key that anchors.
        certificate: to be trusted by whoever speaks to the server.
    """

    origin: str
    node: Anvil
    client: httpx.Client
    issuer: str
    anchoring_key: str
    certificate: Certificate

    @property
    def did(self) -> str:
        """The issuer's DID."""
        return f"did:web:localhost%3A{self.origin.rpartition(':')[2]}:issuers:{self.issuer}"

    @property
    def registry(self) -> str:
        """The contract's address."""
        return str(self.call("GET", "/v1/registry")["registry"])

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """The answer to a request. Raises `StageError` for one that is no success."""
        response = self.client.request(method, path, json=body)
        if not response.is_success:
            raise StageError(f"{method} {path}: {response.status_code} {response.text[:500]}")
        found: Json = response.json() if response.content else {}
        return found

    def until(self, what: str, found: Callable[[], Any]) -> Any:
        """What ``found`` returns, once it is not None. Raises `StageError` when it takes too long."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (value := found()) is None:
            if time.monotonic() > deadline:
                raise StageError(f"{what} within {PATIENCE_SECONDS:.0f} s")
            time.sleep(0.1)
        return value

    def settled(self, path: str, state: str) -> Json:
        """What is at ``path``, once it is in that state.

        Raises:
            StageError: it failed, or takes too long.
        """

        def found() -> Json | None:
            now = self.call("GET", path)
            if now["state"] == "failed":
                raise StageError(f"{path} failed: {now}")
            return now if now["state"] == state else None

        settled: Json = self.until(f"{path} is not {state}", found)
        return settled

    def send(self, sender: str, to: str, data: bytes) -> str:
        """Send a transaction in the name of any account, and its hash once it is mined.

        Raises:
            StageError: it reverted.
        """
        self.node.rpc("anvil_impersonateAccount", sender)
        fields = {"from": sender, "to": to, "data": to_hex(data), "gas": hex(500_000)}
        sent: str = self.node.rpc("eth_sendTransaction", fields)
        receipt = self.until("no receipt", lambda: self.node.rpc("eth_getTransactionReceipt", sent))
        if receipt["status"] != "0x1":
            raise StageError(f"the transaction from {sender} to {to} reverted")
        return sent

    def fund(self, account: str) -> None:
        """Give an account ether."""
        _fund(self.node, account)


def _fund(node: Anvil, account: str) -> None:
    node.rpc("anvil_setBalance", account, hex(100 * _ETHER_WEI))


@contextmanager
def stage(directory: Path) -> Iterator[Stage]:
    """Set it up in an empty ``directory``.

    Raises:
        StageError, AnvilError: the node, the server or the issuer's registration did not come to be.
    """
    certificate = make_certificate(directory)
    keys, password = directory / "relayer", directory / "relayer-password"
    password.write_text(_PASSWORD, encoding="utf-8")
    relayer = EncryptedKeystore(keys, _PASSWORD.encode(), strong_kdf=False).add(secrets.token_bytes(32))
    deployer = LocalSigner(secrets.token_bytes(32))
    with anvil(chain_id=CHAIN_ID, block_time=1, slots_in_an_epoch=1) as node:
        for account in (relayer.address, deployer.address):
            _fund(node, to_hex(account))
        deploy_by_rpc([node.url], deployer)
        settings = {
            "DATA_DIR": str(directory / "data"),
            "HOST": "127.0.0.1",
            "PORT": str(free_port()),
            "RPC_URL": node.url,
            "CHAIN_ID": str(CHAIN_ID),
            "CONFIRMATIONS": "1",
            "SIGNER_KEYSTORE": str(keys),
            "SIGNER_PASSWORD_FILE": str(password),
            "TLS_CERT": str(certificate.certificate),
            "TLS_KEY": str(certificate.key),
            "POLL_SECONDS": "0.2",
        }
        origin = f"https://localhost:{settings['PORT']}"
        with _client(origin, certificate) as client, _serving(settings, directory, client):
            token = (directory / "data" / "admin-token").read_text(encoding="utf-8").strip()
            yield _with_issuer(origin, node, client, token, certificate)


@contextmanager
def _serving(settings: Mapping[str, str], directory: Path, client: httpx.Client) -> Iterator[None]:
    """`rootmark serve`, from when it answers ``client`` until the block ends."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ROOTMARK_")}
    environ = own | {f"ROOTMARK_{name}": value for name, value in settings.items()}
    log = directory / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, "serve"],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread is running yet
        )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _answers(client):
            if process.poll() is not None or time.monotonic() > deadline:
                raise StageError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health/live").status_code == 200
    except httpx.TransportError:
        return False


def _client(origin: str, certificate: Certificate) -> httpx.Client:
    context = ssl.create_default_context(cafile=str(certificate.certificate))
    return httpx.Client(base_url=origin, verify=context, timeout=60, trust_env=False)


def _with_issuer(
    origin: str, node: Anvil, client: httpx.Client, token: str, certificate: Certificate
) -> Stage:
    """Register an issuer, give its accounts ether, and wait until its DID document names the key that
    anchors: what was anchored before would be a stranger's to a verifier that reads that document."""
    made = client.post(
        "/v1/issuers",
        json={"name": "Example College", "url": "https://college.example"},
        headers={"Authorization": f"Bearer {token}"},
    )
    if made.status_code != 201:
        raise StageError(f"no issuer: {made.text[:500]}")
    issuer = str(made.json()["address"]).lower()
    client.headers["Authorization"] = f"Bearer {made.json()['api_key']}"

    def anchoring_key() -> str | None:
        listed = client.get(f"/v1/issuers/{issuer}/keys").json().get("items", [])
        named = [one for one in listed if one.get("verification_method")]
        return str(named[0]["key"]) if named else None

    waiting = Stage(origin, node, client, issuer, "", certificate)
    key = waiting.until("no anchoring key has a verification method", anchoring_key)
    ready = Stage(origin, node, client, issuer, key, certificate)
    for account in (issuer, key):
        ready.fund(account)
    return ready
