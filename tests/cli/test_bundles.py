"""Bundles and checkpoints at the command line, on a node that gives storage proofs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_keyfile.keyfile import create_keyfile_json
from typer import Typer

from registry.chain.keystore import LocalSigner
from registry.encoding import to_checksum, to_hex
from registry.merkle import proof_to_json
from registry.model.chain import CallKind, ContractCall
from tests.cli.conftest import Shell, credential
from tests.integration.verification.scenario import single
from tests.support.anvil import Anvil, anvil
from tests.support.chains import DrivenChain, driven_anvil

pytestmark = pytest.mark.node
KEY = b"\x22" * 32


@dataclass
class Place:
    """A node with the registry, and a credential anchored there."""

    node: Anvil
    driven: DrivenChain
    shell: Shell
    issuer: str

    def verify(self, *arguments: str, **environment: str) -> int:
        ran = self.shell.run(
            "verify", "bundle.json", "--bundle", "--issuer", self.issuer, *arguments, **environment
        )
        assert ran.out, ran.err
        return ran.code


@pytest.fixture(scope="module")
def chain() -> Iterator[tuple[Anvil, DrivenChain]]:
    with anvil() as node, driven_anvil(node) as driven:
        driven.make_issuer()
        yield node, driven


@pytest.fixture
def place(chain: tuple[Anvil, DrivenChain], cli: Typer, nowhere: Path) -> Place:
    node, driven = chain
    document = credential()
    proof = single(driven.issuer, document)
    driven.anchor(proof.root)
    (nowhere / "credential.json").write_text(json.dumps(document))
    (nowhere / "proof.json").write_text(json.dumps(proof_to_json(proof)))
    made = Place(node, driven, Shell(cli), to_checksum(driven.issuer))
    ran = made.shell.run(
        "bundle", "credential.json", "bundle.json", "--proof", "proof.json", "--rpc", node.url, "--json"
    )
    assert ran.code == 0, ran.err
    assert ran.json == {"file": "bundle.json"}
    return made


def relayer(directory: Path) -> dict[str, str]:
    """A keystore whose key signs checkpoints."""
    (directory / "relayer").mkdir()
    file = create_keyfile_json(KEY, b"word", kdf="pbkdf2", iterations=1000)
    (directory / "relayer" / f"{LocalSigner(KEY).address.hex()}.json").write_text(json.dumps(file))
    (directory / "password").write_bytes(b"word")
    return {
        "ROOTMARK_SIGNER_KEYSTORE": str(directory / "relayer"),
        "ROOTMARK_SIGNER_PASSWORD_FILE": str(directory / "password"),
    }


def test_bundle_is_valid_with_a_trusted_block_only(place: Place) -> None:
    latest = place.driven.gateway.latest()
    assert place.verify("--trusted-block", to_hex(latest.hash)) == 0
    assert place.verify() == 4
    assert place.verify("--trusted-block", "0x" + "11" * 32) == 4


def test_bundle_of_a_withdrawn_batch_is_3(place: Place) -> None:
    proof = json.loads(Path("proof.json").read_text())
    root = bytes.fromhex(proof["root"][2:])
    place.driven.do(ContractCall(CallKind.WITHDRAW, place.driven.issuer, root=root, reason=1))  # type: ignore[arg-type]
    bundle = ("bundle", "credential.json", "bundle.json", "--proof", "proof.json", "--rpc", place.node.url)
    assert place.shell.run(*bundle).code == 0
    assert place.verify("--trusted-block", to_hex(place.driven.gateway.latest().hash)) == 3


def test_bundle_that_is_too_old_is_4(place: Place) -> None:
    latest = place.driven.gateway.latest()
    assert place.verify("--trusted-block", to_hex(latest.hash), "--max-age", "0") == 4


def test_signed_checkpoints_make_a_bundle_valid(place: Place, nowhere: Path) -> None:
    node = {"ROOTMARK_RPC_URL": place.node.url, "ROOTMARK_CHAIN_ID": "31337", "ROOTMARK_CONFIRMATIONS": "1"}
    made = place.shell.done("checkpoint", "checkpoints.json", **node, **relayer(nowhere))
    signer = to_hex(LocalSigner(KEY).address)
    assert made == {"file": "checkpoints.json", "signer": signer, "blocks": 1}
    trusting = {"ROOTMARK_CHECKPOINT_FILE": "checkpoints.json", "ROOTMARK_CHECKPOINT_KEY": signer}
    assert place.verify(**trusting) == 0
    other = place.shell.run(
        "verify", "bundle.json", "--bundle", **(trusting | {"ROOTMARK_CHECKPOINT_KEY": "0x" + "11" * 20})
    )
    assert (other.code, "not signed by" in other.err) == (2, True)


def test_block_that_is_not_final_is_not_signed(place: Place, nowhere: Path) -> None:
    node = {"ROOTMARK_RPC_URL": place.node.url, "ROOTMARK_CHAIN_ID": "31337", "ROOTMARK_CONFIRMATIONS": "3"}
    number = str(place.driven.gateway.latest().number)
    ran = place.shell.run("checkpoint", "x.json", "--block", number, **node, **relayer(nowhere))
    assert (ran.code, "are final" in ran.err) == (2, True)
    assert not Path("x.json").exists()


def test_truncated_bundle_is_an_error(place: Place) -> None:
    bundle = Path("bundle.json")
    bundle.write_text(bundle.read_text()[:-200])
    ran = place.shell.run("verify", "bundle.json", "--bundle")
    assert ran.code == 2
    assert "bundle.json" in ran.err


def test_node_of_another_chain_is_refused(place: Place) -> None:
    ran = place.shell.run(
        "verify", "credential.json", "--proof", "proof.json", "--rpc", place.node.url, "--chain-id", "1"
    )
    assert ran.code == 2
    assert "chain id" in ran.err


def test_contract_is_deployed_once(cli: Typer, nowhere: Path) -> None:
    with anvil() as node:
        settings = {"ROOTMARK_RPC_URL": node.url, "ROOTMARK_CHAIN_ID": "31337"} | relayer(nowhere)
        shell = Shell(cli, settings)
        payer = to_checksum(LocalSigner(KEY).address)
        node.rpc("anvil_setBalance", payer, hex(10**18))
        assert shell.run("deploy", ROOTMARK_CHAIN_ID="1").code == 2
        first = shell.done("deploy")
        assert first["transaction"] is not None
        assert shell.done("deploy") == first | {"transaction": None}
        assert shell.run("doctor").code == 0
