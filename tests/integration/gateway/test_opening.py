"""Opening a gateway: what settings claim is held against what nodes serve."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_abi.abi import encode
from web3.exceptions import OffchainLookup

from registry.chain.abi import load_artifact
from registry.chain.factory import open_embedded, open_rpc
from registry.chain.rpc import hexed
from registry.encoding import Address, to_checksum
from registry.errors import ChainUnavailableError, ConfigurationError
from tests.support import hostile_node as hostile
from tests.support.chains import DrivenChain, embedded_chain
from tests.support.hostile_node import hostile_node

ELSEWHERE = Address(b"\x12" * 20)


def test_the_deployment_is_described_as_it_was_found(embedded: DrivenChain) -> None:
    embedded.mine(5)
    with hostile_node(embedded.backend()) as node:
        gateway = open_rpc([node.url], chain_id=31337)
        assert gateway.info == embedded.gateway.info
        assert gateway.info.address == load_artifact().create2_address
        assert gateway.info.code_hash == load_artifact().code_hash
        assert gateway.info.deployed_block == 1
        gateway.close()


def test_another_chain_id_refuses_to_open_and_names_both(embedded: DrivenChain) -> None:
    raised = pytest.raises(ConfigurationError, match="expected chain id 1, found 31337")
    with hostile_node(embedded.backend()) as node, raised:
        open_rpc([node.url], chain_id=1)


def test_no_code_at_the_address_refuses_to_open_and_names_it(embedded: DrivenChain) -> None:
    raised = pytest.raises(ConfigurationError, match=f"no contract at {to_checksum(ELSEWHERE)}")
    with hostile_node(embedded.backend()) as node, raised:
        open_rpc([node.url], registry=ELSEWHERE)


def test_other_code_at_the_address_refuses_to_open_and_names_both_hashes(embedded: DrivenChain) -> None:
    with hostile_node(embedded.backend()) as node:
        with pytest.raises(ConfigurationError) as caught:
            open_rpc([node.url], registry=load_artifact().create2_factory)
        assert hexed(load_artifact().code_hash) in str(caught.value)
        assert "found 0x2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989" in str(caught.value)


def test_a_second_node_with_another_first_block_refuses_to_open(
    embedded: DrivenChain, tmp_path: Path
) -> None:
    with (
        embedded_chain(tmp_path / "other") as other,
        hostile_node(embedded.backend()) as here,
        hostile_node(other.backend()) as there,
        pytest.raises(ConfigurationError, match="another chain of the same id"),
    ):
        open_rpc([here.url, there.url])


def test_a_second_node_that_lies_about_the_code_refuses_to_open(embedded: DrivenChain) -> None:
    with (
        hostile_node(embedded.backend()) as honest,
        hostile_node(embedded.backend(), hostile.returns("eth_getCode", "0x6000")) as liar,
        pytest.raises(ConfigurationError, match=liar.url.removeprefix("http://")),
    ):
        open_rpc([honest.url, liar.url])


def test_no_node_that_answers_is_unavailable_not_misconfigured(embedded: DrivenChain) -> None:
    with hostile_node(embedded.backend(), hostile.drops()) as node, pytest.raises(ChainUnavailableError):
        open_rpc([node.url])
    with pytest.raises(ChainUnavailableError):
        open_rpc([node.url])  # nobody listens there any more


def test_too_few_nodes_for_the_quorum_are_unavailable(embedded: DrivenChain) -> None:
    with (
        hostile_node(embedded.backend()) as honest,
        hostile_node(embedded.backend(), hostile.drops()) as dead,
        pytest.raises(ChainUnavailableError),
    ):
        open_rpc([honest.url, dead.url], quorum=2)


@pytest.mark.parametrize("urls", [[], ["ftp://127.0.0.1/"], ["127.0.0.1:1"], ["http://"], ["http://h:x/"]])
def test_what_is_no_node_address_is_a_configuration_error(urls: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        open_rpc(urls)


def test_a_node_without_old_state_gives_the_first_block_as_deployed(embedded: DrivenChain) -> None:
    def pruned(method, params, rest):  # type: ignore[no-untyped-def]
        if isinstance(params[1], str) and params[1].startswith("0x"):
            return hostile.error(-32000, "missing trie node 1f2e (path ) state is not available")
        return rest(method, params)

    embedded.mine(3)
    with hostile_node(embedded.backend(), hostile.only("eth_getCode", pruned)) as node:
        gateway = open_rpc([node.url])
        assert gateway.info.deployed_block == 0
        gateway.close()
        gateway = open_rpc([node.url], deployed_block=1)
        assert gateway.info.deployed_block == 1
        gateway.close()


def test_the_embedded_chain_is_the_same_after_a_restart(tmp_path: Path) -> None:
    with embedded_chain(tmp_path) as before:
        before.make_issuer()
        info, latest, funder = before.gateway.info, before.gateway.latest(), before.signer.address
    with embedded_chain(tmp_path) as after:
        assert (after.gateway.info, after.gateway.latest(), after.signer.address) == (info, latest, funder)


def test_the_embedded_chain_cannot_be_opened_twice(embedded: DrivenChain, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        open_embedded(tmp_path / "chain")


def test_the_embedded_chain_answers_json_rpc(tmp_path: Path) -> None:
    gateway = open_embedded(tmp_path / "chain")
    try:
        answer = gateway.jsonrpc({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
        assert answer == {"jsonrpc": "2.0", "id": 1, "result": hex(31337)}
    finally:
        gateway.close()


# --- EIP-3668 -----------------------------------------------------------------------------------------------


def test_ccip_read_is_off_and_a_contract_cannot_make_us_fetch_a_url(embedded: DrivenChain) -> None:
    """A contract asks for a lookup at a server of the test; nobody comes."""
    with hostile_node(embedded.backend()) as node, hostile_node(embedded.backend()) as lure:
        lookup = bytes.fromhex("556f1830") + encode(
            ["address", "string[]", "bytes", "bytes4", "bytes"],
            [ELSEWHERE, [f"{lure.url}/{{sender}}/{{data}}"], b"", b"\0" * 4, b""],
        )
        gateway = open_rpc([node.url])
        node.add(hostile.refuses("eth_call", 3, "execution reverted", hexed(lookup)))
        try:
            for of_gateway in (gateway.nodes, embedded.gateway.nodes):
                assert [n.web3.provider.global_ccip_read_enabled for n in of_gateway] == [False]
            with pytest.raises(OffchainLookup):
                gateway.nodes[0].web3.eth.call({"to": to_checksum(ELSEWHERE), "data": "0x"})
            with pytest.raises(Exception, match="revert"):
                gateway.head_of(embedded.issuer, gateway.latest().hash)
            assert lure.asked == []
        finally:
            gateway.close()
