"""The doctor's look at nodes: each fault is found and named."""

from __future__ import annotations

import pytest

from registry.chain.abi import load_artifact
from registry.chain.doctor import NodeFault, examine_nodes
from registry.encoding import Address
from registry.errors import ConfigurationError
from tests.support import hostile_node as hostile
from tests.support.chains import DrivenChain
from tests.support.hostile_node import hostile_node


def test_every_fault_is_found_beside_a_good_node(embedded: DrivenChain) -> None:
    with (
        hostile_node(embedded.backend()) as good,
        hostile_node(embedded.backend(), hostile.html()) as down,
        hostile_node(embedded.backend(), hostile.returns("eth_chainId", "0x1")) as elsewhere,
        hostile_node(embedded.backend(), hostile.returns("eth_getCode", "0x")) as empty,
        hostile_node(embedded.backend(), hostile.returns("eth_getCode", "0x6000")) as other,
    ):
        urls = [node.url for node in (good, down, elsewhere, empty, other)]
        findings = examine_nodes(urls, chain_id=31337)
    assert [finding.fault for finding in findings] == [
        None,
        NodeFault.UNREACHABLE,
        NodeFault.WRONG_CHAIN_ID,
        NodeFault.NO_CODE,
        NodeFault.OTHER_CODE,
    ]
    assert [finding.node for finding in findings] == [url.removeprefix("http://") for url in urls]
    assert findings[0].latest == embedded.gateway.latest()
    assert "expected chain id 31337, found 1" in findings[2].detail
    assert load_artifact().code_hash.hex() in findings[4].detail


def test_another_address_than_the_registrys_has_other_code_or_none(embedded: DrivenChain) -> None:
    with hostile_node(embedded.backend()) as node:
        (none,) = examine_nodes([node.url], registry=Address(b"\x12" * 20))
        (other,) = examine_nodes([node.url], registry=load_artifact().create2_factory)
    assert (none.fault, other.fault) == (NodeFault.NO_CODE, NodeFault.OTHER_CODE)


def test_a_node_that_is_not_there_is_unreachable(embedded: DrivenChain) -> None:
    with hostile_node(embedded.backend()) as node:
        url = node.url
    (finding,) = examine_nodes([url])
    assert finding.fault is NodeFault.UNREACHABLE
    assert finding.latest is None


def test_no_url_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError):
        examine_nodes([])
