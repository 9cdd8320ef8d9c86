"""What only a full node has: storage proofs, a finalized block, a mempool that waits, plain creation."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.chain.deploy import deploy_registry
from registry.chain.factory import deploy_by_rpc, http_nodes, open_rpc
from registry.chain.keystore import LocalSigner
from registry.encoding import Root
from registry.errors import (
    ConfigurationError,
    MalformedEvidenceError,
    NodeMismatchError,
    TransactionRejectedError,
    UnknownBlockError,
    UnsupportedByNodeError,
)
from registry.model.chain import AccountProof, BitKind, CallKind, Change, ContractCall
from registry.verdict.storage_layout import (
    slot_of_admin,
    slot_of_batch,
    slot_of_bits,
    slot_of_head,
    slot_of_key,
    unpack_batch,
    unpack_key,
)
from registry.verdict.storage_proofs import verify_account, verify_header, verify_slot
from tests.support import hostile_node as hostile
from tests.support.anvil import DEV_KEYS, anvil
from tests.support.chains import DrivenChain, anvil_chain, driven_anvil, root_of
from tests.support.hostile_node import hostile_node

pytestmark = pytest.mark.node


# --- proofs -------------------------------------------------------------------------------------------------


def proven(proof: AccountProof, chain: DrivenChain) -> dict[int, int]:
    """The words that a proof proves, from nothing but the block's hash."""
    info = chain.gateway.info
    header = verify_header(proof.header_rlp)
    assert chain.gateway.header_by_hash(header.header.hash) == header.header
    account = verify_account(header.state_root, info.address, proof.account_proof)
    assert account.code_hash == info.code_hash
    return {slot: verify_slot(account.storage_root, slot, nodes) for slot, nodes in proof.storage_proofs}


def test_a_proof_shows_what_the_contract_says(anvil_node: DrivenChain) -> None:
    chain, issuer, root = anvil_node, anvil_node.issuer, root_of(1)
    chain.make_issuer()
    chain.anchor(root)
    chain.revoke(root, 2**255 + 1, word=3)
    chain.do(ContractCall(CallKind.SUSPEND, issuer, root=root, changes=(Change(0, 6),)))
    chain.do(ContractCall(CallKind.WITHDRAW, issuer, root=root, reason=6))
    chain.do(ContractCall(CallKind.RETIRE_KEY, issuer, account=issuer, valid_until=77, reason=1))
    latest = chain.gateway.latest()
    slots = {
        "key": slot_of_key(issuer),
        "batch": slot_of_batch(issuer, root),
        "head": slot_of_head(issuer),
        "admin": slot_of_admin(issuer),
        "revoked": slot_of_bits(BitKind.REVOKED, issuer, root, 3),
        "suspended": slot_of_bits(BitKind.SUSPENDED, issuer, root, 0),
        "clear": slot_of_bits(BitKind.REVOKED, issuer, root, 0),
        "never": slot_of_batch(issuer, root_of(2)),
    }
    words = proven(chain.gateway.proof(list(slots.values()), latest.hash), chain)
    value = {name: words[slot] for name, slot in slots.items()}
    assert unpack_key(value["key"]) == chain.gateway.key_of(issuer, latest.hash)
    assert unpack_batch(value["batch"]) == chain.gateway.batch_of(issuer, root, latest.hash)
    assert unpack_batch(value["batch"]).reason == 6
    assert unpack_key(value["key"]).valid_until == 77
    assert value["head"].to_bytes(32, "big") == chain.gateway.head_of(issuer, latest.hash)
    assert (value["revoked"], value["suspended"]) == (2**255 + 1, 6)
    assert (value["admin"], value["clear"], value["never"]) == (0, 0, 0)


def test_a_proof_of_a_registry_without_storage_proves_zeros(anvil_node: DrivenChain) -> None:
    latest = anvil_node.gateway.latest()
    proof = anvil_node.gateway.proof([0, slot_of_head(anvil_node.issuer)], latest.hash)
    assert set(proven(proof, anvil_node).values()) == {0}


def test_a_proof_is_of_the_block_that_was_named(anvil_node: DrivenChain) -> None:
    anvil_node.make_issuer()
    before = anvil_node.gateway.latest()
    anvil_node.anchor(root_of(1))
    slot = slot_of_batch(anvil_node.issuer, root_of(1))
    old = anvil_node.gateway.proof([slot], before.hash)
    new = anvil_node.gateway.proof([slot], anvil_node.gateway.latest().hash)
    assert proven(old, anvil_node) == {slot: 0}
    assert proven(new, anvil_node)[slot] != 0


def test_cut_and_swapped_proofs_prove_nothing(anvil_node: DrivenChain) -> None:
    anvil_node.make_issuer()
    for number in range(12):
        anvil_node.anchor(root_of(number))
    there, absent = (
        slot_of_batch(anvil_node.issuer, root_of(1)),
        slot_of_batch(anvil_node.issuer, root_of(99)),
    )
    proof = anvil_node.gateway.proof([there, absent], anvil_node.gateway.latest().hash)
    state_root = verify_header(proof.header_rlp).state_root
    account = verify_account(state_root, anvil_node.gateway.info.address, proof.account_proof)
    nodes = dict(proof.storage_proofs)
    assert len(nodes[there]) > 1
    for cut in range(len(nodes[there])):
        with pytest.raises(MalformedEvidenceError):
            verify_slot(account.storage_root, there, nodes[there][:cut])
    for cut in range(len(nodes[absent])):
        with pytest.raises(MalformedEvidenceError):
            verify_slot(account.storage_root, absent, nodes[absent][:cut])
    for cut in range(len(proof.account_proof)):
        with pytest.raises(MalformedEvidenceError):
            verify_account(state_root, anvil_node.gateway.info.address, proof.account_proof[:cut])
    with pytest.raises(MalformedEvidenceError):
        verify_slot(account.storage_root, there, nodes[absent])
    with pytest.raises(MalformedEvidenceError):
        verify_slot(account.storage_root, absent, nodes[there])
    with pytest.raises(MalformedEvidenceError):
        verify_slot(state_root, there, nodes[there])


def test_a_proof_of_a_block_that_a_reorg_took_away_is_unknown(anvil_node: DrivenChain) -> None:
    anvil_node.make_issuer()
    orphan = anvil_node.gateway.latest()
    anvil_node.replace(1)
    with pytest.raises(UnknownBlockError):
        anvil_node.gateway.proof([0], orphan.hash)


def test_a_node_that_proves_another_account_or_block_is_a_mismatch(anvil_node: DrivenChain) -> None:
    anvil_node.make_issuer()
    old = anvil_node.gateway.latest()
    anvil_node.anchor(root_of(1))
    backend = anvil_node.backend()
    registry = "0x" + anvil_node.gateway.info.address.hex()
    slot = slot_of_head(anvil_node.issuer)
    lies = {
        "another block": backend("eth_getProof", [registry, [f"0x{slot:064x}"], hex(old.number)])["result"],
        "another account": backend("eth_getProof", ["0x" + "12" * 20, [f"0x{slot:064x}"], "latest"])[
            "result"
        ],
    }
    cut = backend("eth_getProof", [registry, [f"0x{slot:064x}"], "latest"])["result"]
    cut["storageProof"][0]["proof"].pop()
    for lie in [*lies.values(), cut]:
        with hostile_node(anvil_node.backend(), hostile.returns("eth_getProof", lie)) as node:
            gateway = open_rpc([node.url])
            with pytest.raises(NodeMismatchError):
                gateway.proof([slot], gateway.latest().hash)
            gateway.close()
    backend.close()  # type: ignore[attr-defined]


def test_one_node_with_proofs_among_several_is_enough(anvil_node: DrivenChain) -> None:
    with (
        hostile_node(anvil_node.backend(), hostile.without("eth_getProof")) as first,
        hostile_node(anvil_node.backend()) as second,
    ):
        gateway = open_rpc([first.url, second.url])
        assert gateway.proof([0], gateway.latest().hash) == anvil_node.gateway.proof(
            [0], gateway.latest().hash
        )
        gateway.close()


def test_a_header_with_unknown_fields_is_taken_raw_or_not_at_all(anvil_node: DrivenChain) -> None:
    """A chain whose header has a further field: the block object alone does not give the hash."""
    raw = anvil_node.gateway.proof([0], anvil_node.gateway.latest().hash).header_rlp

    def hide_a_field(method, params, rest):  # type: ignore[no-untyped-def]
        answer = rest(method, params)
        return {"result": {k: v for k, v in answer["result"].items() if k != "requestsHash"}}

    rules = [hostile.only(f"eth_getBlockBy{by}", hide_a_field) for by in ("Hash", "Number")]
    with hostile_node(anvil_node.backend(), *rules) as node:
        gateway = open_rpc([node.url])
        latest = gateway.latest()
        with pytest.raises(UnsupportedByNodeError):
            gateway.proof([0], latest.hash)
        node.add(hostile.returns("debug_getRawHeader", "0x" + raw.hex()))
        assert gateway.proof([0], latest.hash).header_rlp == raw
        node.add(hostile.returns("debug_getRawHeader", "0x" + raw[:-1].hex() + "00"))
        with pytest.raises(NodeMismatchError):
            gateway.proof([0], latest.hash)
        gateway.close()


# --- finality and the mempool -------------------------------------------------------------------------------


def test_the_finalized_block_follows_the_tag() -> None:
    with anvil(slots_in_an_epoch=2) as node, driven_anvil(node, finalized_tag=True) as chain:
        chain.mine(20)
        finalized = chain.gateway.finalized()
        assert finalized is not None
        assert finalized == chain.gateway.header(chain.gateway.latest().number - 4)


def test_the_finalized_block_of_two_nodes_is_the_older_one() -> None:
    with anvil(slots_in_an_epoch=2) as node, driven_anvil(node) as chain:
        chain.mine(20)
        older = node.rpc("eth_getBlockByNumber", "0x3", False)

        def behind(method, params, rest):  # type: ignore[no-untyped-def]
            return {"result": older} if params[0] == "finalized" else rest(method, params)

        with (
            hostile_node(chain.backend()) as here,
            hostile_node(chain.backend(), hostile.only("eth_getBlockByNumber", behind)) as there,
        ):
            gateway = open_rpc([here.url, there.url], has_finalized_tag=True)
            assert gateway.finalized() == chain.gateway.header(3)
            gateway.close()


def test_a_waiting_transaction_is_known_and_counts_as_pending() -> None:
    with anvil(no_mining=True) as node:
        node.rpc("evm_setAutomine", True)
        with driven_anvil(node) as chain:
            node.rpc("evm_setAutomine", False)
            mined = chain.gateway.transaction_count(chain.issuer)
            signed = chain.sign_call(
                ContractCall(CallKind.ADD_KEY, chain.issuer, account=chain.issuer, roles=1)
            )
            chain.gateway.send_raw(signed.raw)
            chain.gateway.send_raw(signed.raw)
            assert chain.gateway.is_known(signed.hash)
            assert chain.gateway.receipt(signed.hash) is None
            assert chain.gateway.transaction_count(chain.issuer) == mined
            assert chain.gateway.transaction_count(chain.issuer, pending=True) == mined + 1
            cheaper = chain.sign(*chain.gateway.encoder.direct(_anchor(chain)), nonce=mined, tip_wei=1)
            with pytest.raises(TransactionRejectedError):
                chain.gateway.send_raw(cheaper.raw)
            chain.mine(1)
            assert chain.gateway.receipt(signed.hash) is not None


def _anchor(chain: DrivenChain) -> ContractCall:
    return ContractCall(CallKind.ANCHOR, chain.issuer, root=Root(b"\xee" * 32))


def test_the_first_mined_of_two_bids_for_a_nonce_leaves_the_other_unknown() -> None:
    with anvil(no_mining=True) as node:
        node.rpc("evm_setAutomine", True)
        with driven_anvil(node) as chain:
            node.rpc("evm_setAutomine", False)
            nonce = chain.gateway.transaction_count(chain.issuer)
            call = ContractCall(CallKind.ADD_KEY, chain.issuer, account=chain.issuer, roles=1)
            to, data = chain.gateway.encoder.direct(call)
            low = chain.sign(to, data, nonce=nonce, tip_wei=10**9)
            high = chain.sign(to, data, nonce=nonce, tip_wei=2 * 10**9)
            chain.gateway.send_raw(low.raw)
            chain.gateway.send_raw(high.raw)
            chain.mine(1)
            assert chain.gateway.receipt(high.hash) is not None
            assert chain.gateway.receipt(low.hash) is None
            with pytest.raises(TransactionRejectedError):
                chain.gateway.send_raw(low.raw)


# --- deployment ---------------------------------------------------------------------------------------------


def test_deploying_twice_is_deploying_once() -> None:
    with anvil() as node:
        first = deploy_by_rpc([node.url], LocalSigner(DEV_KEYS[0]))
        second = deploy_by_rpc([node.url], LocalSigner(DEV_KEYS[1]))
        assert first.transaction is not None
        assert (second.address, second.transaction) == (first.address, None)


def test_another_chain_than_the_configured_one_is_not_deployed_to() -> None:
    with anvil() as node:
        with pytest.raises(ConfigurationError, match="expected chain id 1, found 31337"):
            deploy_by_rpc([node.url], LocalSigner(DEV_KEYS[0]), expected_chain_id=1)
        assert node.rpc("eth_blockNumber") == "0x0"


def test_without_the_factory_the_registry_is_created_plainly_and_opened_by_its_address() -> None:
    with anvil() as node:
        node.rpc("anvil_setCode", "0x4e59b44847b379578588920ca78fbf26c0b4956c", "0x")
        deployed = deploy_by_rpc([node.url], LocalSigner(DEV_KEYS[0]))
        with pytest.raises(ConfigurationError, match="no contract"):
            open_rpc([node.url])
        gateway = open_rpc([node.url], registry=deployed.address)
        assert gateway.info.address == deployed.address
        assert gateway.info.deployed_block == deployed.block_number
        gateway.close()


def test_other_code_where_the_registry_belongs_is_not_deployed_over() -> None:
    with anvil() as node:
        address = "0x" + deploy_by_rpc([node.url], LocalSigner(DEV_KEYS[0])).address.hex()
        node.rpc("anvil_setCode", address, "0x6000")
        with pytest.raises(ConfigurationError, match="not this registry"):
            deploy_by_rpc([node.url], LocalSigner(DEV_KEYS[0]))


def test_a_development_key_deploys_on_a_local_chain_only() -> None:
    with anvil(chain_id=11155111) as node:
        (opened,) = http_nodes([node.url])
        with pytest.raises(ConfigurationError, match="development account"):
            deploy_registry(opened, LocalSigner(DEV_KEYS[0]))
        opened.close()


def test_a_chain_survives_the_restart_of_its_node(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with anvil_chain(state=state) as before:
        before.make_issuer()
        info, latest = before.gateway.info, before.gateway.latest()
    with anvil_chain(state=state) as after:
        assert after.gateway.info.address == info.address
        assert after.gateway.latest() == latest
