"""What may happen between broadcast and block, on anvil with blocks that come when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.chain.keystore import LocalSigner
from registry.encoding import Address
from registry.model.batches import Batch, BatchState
from registry.model.chain import CallKind, ContractCall, SendMode, UnsignedTransaction
from registry.model.issuers import Caller
from registry.model.operations import OperationState, OutboxTransaction, TransactionState
from registry.model.reasons import Reason
from registry.ports.signer import Signer
from registry.services.policy import Policy
from tests.support.anvil import DEV_KEYS, Anvil, anvil
from tests.support.chains import driven_anvil
from tests.support.pipeline import ADMIN, World, digests, items, world_on

pytestmark = pytest.mark.node

STRANGER = LocalSigner(DEV_KEYS[3])


@dataclass
class Troubled:
    """A server over an anvil that mines only when told to, once the issuer is registered."""

    node: Anvil
    world: World
    caller: Caller
    issuer: Address
    key: Address

    def submitted(self, name: str = "credential") -> Batch:
        """A batch whose anchor waits in the pool."""
        batch = self.world.issuing.create_batch(self.caller, items(digests(2, name)))
        self.world.step()
        assert self.world.batch(batch.id).state is BatchState.SUBMITTED
        return batch

    def waiting(self) -> OutboxTransaction:
        (transaction,) = self.world.transactions(TransactionState.SIGNED)
        return transaction

    def pool(self) -> int:
        return int(self.node.rpc("txpool_status")["pending"], 16)

    def block(self) -> None:
        self.node.mine(1)
        self.world.step()

    def send(self, signer: Signer, nonce: int, to: Address, data: bytes, gwei: int, value: int = 0) -> None:
        signed = signer.sign_transaction(
            UnsignedTransaction(31337, nonce, to, data, 500_000, gwei * 10**9, gwei * 10**9, value)
        )
        self.world.chain.send_raw(signed.raw)


def troubled(tmp_path: Path, url: str, policy: Policy, **options: object) -> Iterator[Troubled]:
    tag = bool(options.pop("finalized_tag", False))
    with (
        anvil(**options) as node,  # type: ignore[arg-type]
        driven_anvil(node, finalized_tag=tag) as driven,
        world_on(driven, tmp_path, url=url, policy=policy) as world,
    ):
        registration = world.issuers.register(ADMIN, "Example College", "https://college.example/")
        for _ in range(20):
            world.settle()
            if not world.operations(OperationState.QUEUED, OperationState.SUBMITTED, OperationState.MINED):
                break
        node.rpc("evm_setAutomine", False)
        caller = world.access.authenticate(registration.token)
        yield Troubled(node, world, caller, registration.issuer.address, registration.issuer.key)


@pytest.fixture
def case(tmp_path: Path, database_url: str) -> Iterator[Troubled]:
    yield from troubled(tmp_path, database_url, Policy(confirmations=2))


@pytest.fixture
def relaying(tmp_path: Path, database_url: str) -> Iterator[Troubled]:
    """The operating key gets no ether, so that the server's relayer sends for it."""
    yield from troubled(tmp_path, database_url, Policy(confirmations=2, funding_wei=0))


# --- stuck and lost -----------------------------------------------------------------------------------------


def test_stuck_transaction_is_replaced_with_higher_fees_and_the_same_nonce_and_data(case: Troubled) -> None:
    batch = case.submitted()
    case.world.clock.advance(case.world.policy.bump_after_seconds)
    assert case.world.step()
    transaction = case.waiting()
    first, second = transaction.attempts
    assert 8 * second.max_fee_per_gas_wei >= 9 * first.max_fee_per_gas_wei
    assert 8 * second.max_priority_fee_per_gas_wei >= 9 * first.max_priority_fee_per_gas_wei
    assert case.pool() == 1
    case.block()
    assert case.world.batch(batch.id).anchor is not None
    assert case.world.batch(batch.id).anchor.transaction == second.hash  # type: ignore[union-attr]


def test_first_attempt_may_win_after_a_replacement_was_signed(case: Troubled) -> None:
    batch = case.submitted()
    first = case.waiting().attempts[0]
    case.node.mine(1)
    case.world.clock.advance(case.world.policy.bump_after_seconds)
    with (
        case.world.store.write() as unit
    ):  # the replacement was committed, and the process died before it was sent
        (transaction,) = unit.outbox.transactions(states={TransactionState.SIGNED})
        unsigned = UnsignedTransaction(
            31337, transaction.nonce, transaction.to, transaction.data, 99_999, 9 * 10**9, 2 * 10**9
        )
        signed = case.world.operating.get(case.key).sign_transaction(unsigned)
        other = type(first)(signed.hash, signed.raw, 9 * 10**9, 2 * 10**9, case.world.clock.now(), None)
        unit.outbox.add_attempt(transaction.id, other)
    case.world.settle()
    final = case.world.batch(batch.id)
    assert final.state is BatchState.FINAL
    assert final.anchor is not None
    assert final.anchor.transaction == first.hash
    assert len(case.world.anchors()) == 1


def test_transaction_dropped_by_the_node_is_sent_again(case: Troubled) -> None:
    batch = case.submitted()
    before = case.waiting()
    case.node.rpc("anvil_dropTransaction", "0x" + before.attempts[0].hash.hex())
    assert case.pool() == 0
    case.world.clock.advance(case.world.policy.resend_after_seconds)
    case.world.step()
    assert case.waiting().attempts[0].raw == before.attempts[0].raw
    assert case.pool() == 1
    case.world.settle()
    assert case.world.batch(batch.id).state is BatchState.FINAL


def test_jump_of_the_base_fee_is_followed(case: Troubled) -> None:
    batch = case.submitted()
    jump = case.waiting().attempts[0].max_fee_per_gas_wei * 3
    case.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(jump))
    case.block()
    assert case.world.batch(batch.id).state is BatchState.SUBMITTED
    case.world.clock.advance(case.world.policy.bump_after_seconds)
    case.world.step()
    case.world.settle()
    assert case.world.batch(batch.id).state is BatchState.FINAL


def test_nothing_is_signed_while_the_base_fee_is_above_the_limit(tmp_path: Path, case: Troubled) -> None:
    case.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(10 * 10**9))
    case.node.mine(1)
    world = case.world.with_policy(max_fee_per_gas_wei=5 * 10**9)
    batch = world.issuing.create_batch(case.caller, items(digests(2)))
    assert not world.step()
    assert world.batch(batch.id).state is BatchState.SEALED
    case.world.settle()
    assert world.batch(batch.id).state is BatchState.FINAL


# --- others on our nonce, or with our signature -------------------------------------------------------------


def test_nonce_taken_by_a_foreign_transaction_is_decided_when_final_and_the_anchor_sent_again(
    case: Troubled,
) -> None:
    batch = case.submitted()
    lost = case.waiting()
    case.node.rpc("anvil_dropTransaction", "0x" + lost.attempts[0].hash.hex())
    key = case.world.operating.get(case.key)
    case.send(key, lost.nonce, STRANGER.address, b"", 20, value=1)
    case.block()
    assert case.world.batch(batch.id).state is BatchState.SUBMITTED
    assert case.waiting().nonce == lost.nonce
    case.world.settle()
    (replaced,) = case.world.transactions(TransactionState.REPLACED)
    assert replaced.nonce == lost.nonce
    final = case.world.batch(batch.id)
    assert final.state is BatchState.FINAL
    assert len(case.world.anchors(final.root)) == 1


def test_foreign_transaction_that_a_reorg_takes_away_leaves_ours_to_be_mined(case: Troubled) -> None:
    batch = case.submitted()
    lost = case.waiting()
    snapshot = case.node.snapshot()
    case.node.rpc("anvil_dropTransaction", "0x" + lost.attempts[0].hash.hex())
    case.send(case.world.operating.get(case.key), lost.nonce, STRANGER.address, b"", 20, value=1)
    case.block()
    case.node.revert(snapshot)
    case.world.clock.advance(case.world.policy.resend_after_seconds)
    case.world.step()
    case.world.settle()
    final = case.world.batch(batch.id)
    assert final.anchor is not None
    assert final.anchor.transaction == lost.attempts[0].hash


def test_relayed_call_landed_by_somebody_else_counts_and_our_nonce_is_filled(relaying: Troubled) -> None:
    batch = relaying.submitted()
    ours = relaying.waiting()
    assert (ours.mode, ours.sender) == (SendMode.RELAYED, relaying.world.relayer.address)
    relaying.send(STRANGER, 0, ours.to, ours.data, 50)
    relaying.block()
    relaying.world.settle()
    final = relaying.world.batch(batch.id)
    assert final.state is BatchState.FINAL
    assert final.anchor is not None
    assert (final.anchor.sender, final.anchor.mode) == (STRANGER.address, SendMode.RELAYED)
    assert len(relaying.world.anchors(final.root)) == 1
    (filled,) = relaying.world.transactions(TransactionState.FINAL)[-1:]
    assert filled.nonce == ours.nonce
    assert not relaying.world.transactions(TransactionState.SIGNED, TransactionState.MINED)


def test_one_relayed_call_of_an_account_is_on_its_way_at_a_time(relaying: Troubled) -> None:
    first = relaying.submitted("first")
    second = relaying.world.issuing.create_batch(relaying.caller, items(digests(2, "second")))
    relaying.world.step()
    assert relaying.world.batch(second.id).state is BatchState.SEALED
    relaying.world.settle()
    assert {relaying.world.batch(batch.id).state for batch in (first, second)} == {BatchState.FINAL}
    assert len(relaying.world.anchors()) == 2


# --- reverts ------------------------------------------------------------------------------------------------


def test_reverted_anchor_is_failed_with_the_contracts_reason_once_the_revert_is_final(case: Troubled) -> None:
    batch = case.submitted()
    retire = ContractCall(CallKind.RETIRE_KEY, case.issuer, account=case.key, valid_until=2**40 - 1)
    encoder = case.world.chain.encoder
    admin = case.world.admins.get(case.issuer)
    deadline = case.world.chain.latest().timestamp + 1000
    typed_data = encoder.typed_data(retire, case.world.chain.call_nonce_of(case.issuer), deadline)
    to, data = encoder.relayed(retire, case.issuer, deadline, admin.sign_typed_data(typed_data))
    case.send(STRANGER, 0, to, data, 50)
    case.block()
    assert case.world.batch(batch.id).state is BatchState.SUBMITTED
    case.world.settle()
    failed = case.world.batch(batch.id)
    assert failed.state is BatchState.FAILED
    assert "KeyNotValid" in (failed.error or "")
    assert case.world.anchors() == []
    assert case.world.feed()[-1] != "batch.final"
    assert "batch.failed" in case.world.feed()


def test_refused_simulation_fails_the_batch_and_spends_no_nonce(case: Troubled) -> None:
    case.world.issuers.retire_key(case.caller, case.issuer, case.key, None, Reason.KEY_COMPROMISE)
    case.world.settle()
    before = len(case.world.transactions())
    batch = case.world.issuing.create_batch(case.caller, items(digests(2)))
    case.world.settle()
    assert case.world.batch(batch.id).state is BatchState.FAILED
    assert len(case.world.transactions()) == before


def test_anchor_waits_while_nobody_can_pay(tmp_path: Path, case: Troubled) -> None:
    for account in (case.key, case.world.relayer.address):
        case.node.rpc("anvil_setBalance", "0x" + account.hex(), "0x0")
    batch = case.world.issuing.create_batch(case.caller, items(digests(2)))
    assert not case.world.step()
    assert case.world.batch(batch.id).state is BatchState.SEALED
    case.node.rpc("anvil_setBalance", "0x" + case.key.hex(), hex(10**18))
    case.world.settle()
    assert case.world.batch(batch.id).state is BatchState.FINAL


# --- finality -----------------------------------------------------------------------------------------------


def test_finalized_tag_decides_where_the_chain_has_one(tmp_path: Path, database_url: str) -> None:
    policy = Policy(confirmations=1)
    for case in troubled(tmp_path, database_url, policy, finalized_tag=True, slots_in_an_epoch=4):
        batch = case.submitted()
        case.block()
        assert case.world.batch(batch.id).state is BatchState.MINED
        case.node.mine(4)
        case.world.step()
        assert case.world.batch(batch.id).state is BatchState.MINED
        case.node.mine(8)
        case.world.step()
        assert case.world.batch(batch.id).state is BatchState.FINAL


def test_reorg_on_a_node_that_forgets_the_transactions_is_repaired(case: Troubled) -> None:
    batch = case.submitted()
    case.block()
    first = case.world.batch(batch.id).anchor
    assert first is not None
    case.node.reorg(1)
    case.world.clock.advance(case.world.policy.resend_after_seconds)
    case.world.settle()
    final = case.world.batch(batch.id)
    assert final.state is BatchState.FINAL
    assert final.anchor is not None
    assert (final.anchor.transaction, final.anchor.block_hash == first.block_hash) == (
        first.transaction,
        False,
    )
    assert len(case.world.anchors(final.root)) == 1


def test_gap_left_by_a_vanished_foreign_transaction_is_filled(case: Troubled) -> None:
    snapshot = case.node.snapshot()
    case.send(case.world.operating.get(case.key), 0, STRANGER.address, b"", 20, value=1)
    case.node.mine(1)
    batch = case.submitted()
    assert case.waiting().nonce == 1
    case.node.revert(snapshot)
    case.node.mine(1)
    case.world.clock.advance(case.world.policy.bump_after_seconds)
    case.world.settle()
    case.world.clock.advance(case.world.policy.resend_after_seconds)
    case.world.settle()
    final = case.world.batch(batch.id)
    assert final.state is BatchState.FINAL
    assert len(case.world.anchors(final.root)) == 1
    own = [one for one in case.world.transactions() if one.sender == case.key]
    assert [(one.nonce, one.state) for one in own] == [
        (0, TransactionState.FINAL),
        (1, TransactionState.FINAL),
    ]
