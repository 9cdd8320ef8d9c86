"""What the port promises, over the embedded chain and over anvil alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from registry.chain.blocks import storage_at
from registry.chain.calls import encode_call
from registry.chain.keystore import LocalSigner
from registry.encoding import BlockHash, TxHash
from registry.errors import (
    ContractRevertedError,
    TransactionRejectedError,
    UnknownBlockError,
)
from registry.model.chain import (
    UNBOUNDED_VALID_UNTIL,
    BitKind,
    CallKind,
    Change,
    ContractCall,
    ContractStatus,
    EventKind,
)
from registry.verdict import storage_layout as layout
from registry.verdict.heads import EMPTY_HEAD, fold
from tests.support.chains import ALL_ROLES, NOBODY, DrivenChain, root_of

NOWHERE = BlockHash(b"\x11" * 32)
NOTHING = TxHash(b"\x22" * 32)


# --- blocks -------------------------------------------------------------------------------------------------


def test_latest_is_the_last_of_the_headers_and_each_links_to_its_parent(chain: DrivenChain) -> None:
    chain.mine(5)
    latest = chain.gateway.latest()
    headers = chain.gateway.headers(0, latest.number)
    assert [header.number for header in headers] == list(range(latest.number + 1))
    assert headers[-1] == latest == chain.gateway.header(latest.number)
    assert all(b.parent_hash == a.hash for a, b in pairwise(headers))
    assert headers[0].hash == chain.gateway.info.genesis_hash


def test_headers_of_an_empty_range_are_none(chain: DrivenChain) -> None:
    assert list(chain.gateway.headers(3, 2)) == []


def test_a_block_beyond_the_head_is_unknown(chain: DrivenChain) -> None:
    beyond = chain.gateway.latest().number + 1
    with pytest.raises(UnknownBlockError):
        chain.gateway.header(beyond)
    with pytest.raises(UnknownBlockError):
        chain.gateway.headers(0, beyond)
    with pytest.raises(UnknownBlockError):
        chain.gateway.events_in_range(0, beyond)
    with pytest.raises(UnknownBlockError):
        chain.gateway.transaction_count(chain.issuer, at_block=beyond)


def test_header_by_hash_is_the_header_at_its_height(chain: DrivenChain) -> None:
    latest = chain.gateway.latest()
    assert chain.gateway.header_by_hash(latest.hash) == latest


def test_block_at_time_is_the_last_block_not_later(chain: DrivenChain) -> None:
    chain.mine(4)
    headers = chain.gateway.headers(0, chain.gateway.latest().number)
    for time in {header.timestamp + step for header in headers for step in (0, 1)}:
        assert chain.gateway.block_at_time(time) == [h for h in headers if h.timestamp <= time][-1]
    with pytest.raises(UnknownBlockError):
        chain.gateway.block_at_time(headers[0].timestamp - 1)


def test_a_chain_without_finality_has_no_finalized_block(chain: DrivenChain) -> None:
    assert chain.gateway.info.has_finalized_tag is False
    assert chain.gateway.finalized() is None


def test_the_chain_is_named_a_test_chain(chain: DrivenChain) -> None:
    assert chain.gateway.info.chain_id == 31337
    assert chain.gateway.info.test_chain is True


# --- events and state ---------------------------------------------------------------------------------------


def test_what_is_sent_is_read_back_as_events_and_state(chain: DrivenChain) -> None:
    gateway, issuer, root = chain.gateway, chain.issuer, root_of(1)
    added = chain.make_issuer()
    anchored = chain.anchor(root)
    revoked = chain.revoke(root, 0b101, word=2, reason=3)
    latest = gateway.latest()

    assert [r.events[0].kind for r in (added, anchored, revoked)] == [
        EventKind.KEY_ADDED,
        EventKind.BATCH_ANCHORED,
        EventKind.REVOKED,
    ]
    assert anchored.status == 1
    assert anchored.sender == issuer
    assert anchored.gas_used > 21_000
    assert anchored.effective_gas_price_wei > 0
    anchor_event = anchored.events[0]
    block = gateway.header_by_hash(anchored.block_hash)
    assert (anchor_event.root, anchor_event.account, anchor_event.at) == (root, issuer, block.timestamp)
    assert revoked.events[0].changes == (Change(2, 0b101),)
    assert revoked.events[0].reason == 3

    assert gateway.batch_of(issuer, root, latest.hash).anchored_at == block.timestamp
    key = gateway.key_of(issuer, latest.hash)
    assert (key.issuer, key.valid_until, key.retired_at, key.roles) == (
        issuer,
        UNBOUNDED_VALID_UNTIL,
        0,
        ALL_ROLES,
    )
    assert gateway.admin_of(issuer, latest.hash) == issuer
    assert gateway.status_of(issuer, root, 512, latest.hash) == (block.timestamp, ContractStatus.REVOKED)
    assert gateway.status_of(issuer, root, 513, latest.hash) == (block.timestamp, ContractStatus.GOOD)
    assert gateway.status_of(issuer, root_of(2), 0, latest.hash) == (0, ContractStatus.NOT_ANCHORED)
    assert gateway.bits_of(BitKind.REVOKED, issuer, root, [0, 2], latest.hash) == {0: 0, 2: 0b101}
    assert gateway.bits_of(BitKind.SUSPENDED, issuer, root, [2], latest.hash) == {2: 0}
    assert gateway.bits_of(BitKind.REVOKED, issuer, root, [], latest.hash) == {}


def test_events_by_block_are_the_events_of_the_range_and_fold_to_the_head(chain: DrivenChain) -> None:
    chain.make_issuer()
    for number in range(3):
        chain.anchor(root_of(number))
    latest = chain.gateway.latest()
    by_range = list(chain.gateway.events_in_range(0, latest.number))
    headers = chain.gateway.headers(0, latest.number)
    assert [event for header in headers for event in chain.gateway.events(header)] == by_range
    assert len(by_range) == 4
    head = EMPTY_HEAD
    for event in by_range:
        head = fold(head, event)
        assert head == event.head == chain.gateway.head_of(chain.issuer, event.block_hash)


def test_events_of_a_range_can_be_one_issuers(chain: DrivenChain) -> None:
    chain.make_issuer()
    latest = chain.gateway.latest().number
    assert len(chain.gateway.events_in_range(0, latest, issuer=chain.issuer)) == 1
    assert chain.gateway.events_in_range(0, latest, issuer=NOBODY) == ()


def test_state_is_read_at_the_block_that_was_named(chain: DrivenChain) -> None:
    chain.make_issuer()
    before = chain.gateway.latest()
    chain.anchor(root_of(1))
    after = chain.gateway.latest()
    assert chain.gateway.status_of(chain.issuer, root_of(1), 0, before.hash)[1] is ContractStatus.NOT_ANCHORED
    assert chain.gateway.status_of(chain.issuer, root_of(1), 0, after.hash)[1] is ContractStatus.GOOD


def test_the_pinned_slots_hold_what_the_contract_returns(chain: DrivenChain) -> None:
    gateway, issuer, root = chain.gateway, chain.issuer, root_of(1)
    chain.make_issuer()
    chain.anchor(root)
    chain.revoke(root, 2**200, word=5)
    chain.do(ContractCall(CallKind.WITHDRAW, issuer, root=root, reason=513))
    chain.do(ContractCall(CallKind.RETIRE_KEY, issuer, account=issuer, valid_until=77, reason=1))
    latest = gateway.latest().hash
    slots = [
        layout.slot_of_key(issuer),
        layout.slot_of_batch(issuer, root),
        layout.slot_of_head(issuer),
        layout.slot_of_admin(issuer),
        layout.slot_of_bits(BitKind.REVOKED, issuer, root, 5),
    ]
    key, batch, head, admin, bits = storage_at(gateway.nodes[0], latest, gateway.info.address, slots)
    assert layout.unpack_key(key) == gateway.key_of(issuer, latest)
    assert layout.unpack_batch(batch) == gateway.batch_of(issuer, root, latest)
    assert (layout.unpack_key(key).valid_until, layout.unpack_key(key).roles) == (77, ALL_ROLES)
    assert layout.unpack_batch(batch).reason == 513
    assert head.to_bytes(32, "big") == gateway.head_of(issuer, latest)
    assert (admin, bits) == (0, 2**200)


def test_an_unknown_block_is_unknown_to_every_reading(chain: DrivenChain) -> None:
    gateway, issuer = chain.gateway, chain.issuer
    unreal = type(gateway.latest())(gateway.latest().number, NOWHERE, NOWHERE, 0)
    readings = [
        lambda: gateway.header_by_hash(NOWHERE),
        lambda: gateway.events(unreal),
        lambda: gateway.head_of(issuer, NOWHERE),
        lambda: gateway.batch_of(issuer, root_of(1), NOWHERE),
        lambda: gateway.key_of(issuer, NOWHERE),
        lambda: gateway.admin_of(issuer, NOWHERE),
        lambda: gateway.status_of(issuer, root_of(1), 0, NOWHERE),
        lambda: gateway.bits_of(BitKind.REVOKED, issuer, root_of(1), [0], NOWHERE),
    ]
    for reading in readings:
        with pytest.raises(UnknownBlockError):
            reading()


def test_a_block_that_a_reorg_took_away_is_unknown_to_every_reading(chain: DrivenChain) -> None:
    gateway, issuer = chain.gateway, chain.issuer
    chain.make_issuer()
    receipt = chain.anchor(root_of(1))
    orphan = gateway.latest()
    assert orphan.hash == receipt.block_hash
    chain.replace(1)
    assert gateway.latest().number == orphan.number
    assert gateway.latest().hash != orphan.hash
    for reading in (
        lambda: gateway.header_by_hash(orphan.hash),
        lambda: gateway.events(orphan),
        lambda: gateway.head_of(issuer, orphan.hash),
        lambda: gateway.bits_of(BitKind.REVOKED, issuer, root_of(1), [0], orphan.hash),
    ):
        with pytest.raises(UnknownBlockError):
            reading()
    now = gateway.latest()
    assert gateway.events(now) == ()
    assert gateway.status_of(issuer, root_of(1), 0, now.hash)[1] is ContractStatus.NOT_ANCHORED


def test_a_profile_that_is_not_utf_8_is_read_byte_for_byte(chain: DrivenChain) -> None:
    raw = b"\xff\x00\xed\xa0\x80 https://example.org"
    payload = encode_call("setProfile", ("address", chain.issuer), ("bytes", raw))
    receipt = chain.mined(chain.sign(chain.gateway.info.address, payload))
    (event,) = receipt.events
    assert event.uri.encode("utf-8", "surrogateescape") == raw
    assert chain.gateway.events_in_range(0, chain.gateway.latest().number) == (event,)


def test_many_threads_read_and_send_at_once(chain: DrivenChain) -> None:
    chain.make_issuer()
    latest = chain.gateway.latest()
    start = chain.gateway.transaction_count(chain.issuer)
    calls = [ContractCall(CallKind.ANCHOR, chain.issuer, root=root_of(number)) for number in range(16)]
    signed = [chain.sign_call(call, nonce=start + number) for number, call in enumerate(calls)]

    def work(number: int) -> bytes:
        chain.gateway.send_raw(signed[number].raw)
        chain.gateway.headers(0, latest.number)
        return chain.gateway.head_of(chain.issuer, latest.hash)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(work, range(16)))) == 1
    chain.mine(1)
    assert all(chain.gateway.receipt(one.hash) is not None for one in signed)
    events = chain.gateway.events_in_range(latest.number + 1, chain.gateway.latest().number)
    assert {event.root for event in events} == {call.root for call in calls}


# --- sending ------------------------------------------------------------------------------------------------


def test_sending_the_same_bytes_again_is_success_waiting_or_mined(chain: DrivenChain) -> None:
    signed = chain.sign_call(ContractCall(CallKind.ADD_KEY, chain.issuer, account=chain.issuer, roles=1))
    for _ in range(3):
        chain.gateway.send_raw(signed.raw)
        assert chain.gateway.is_known(signed.hash)
    chain.mine(1)
    assert chain.gateway.receipt(signed.hash) is not None
    chain.gateway.send_raw(signed.raw)
    assert chain.gateway.is_known(signed.hash)


def test_a_nonce_that_is_used_is_rejected(chain: DrivenChain) -> None:
    chain.make_issuer()
    used = chain.gateway.transaction_count(chain.issuer) - 1
    other = chain.sign_call(ContractCall(CallKind.ANCHOR, chain.issuer, root=root_of(1)), nonce=used)
    with pytest.raises(TransactionRejectedError):
        chain.gateway.send_raw(other.raw)
    assert not chain.gateway.is_known(other.hash)
    assert chain.gateway.receipt(other.hash) is None


def test_a_transaction_that_nobody_can_pay_is_rejected(chain: DrivenChain) -> None:
    call = ContractCall(CallKind.FUND, chain.issuer, account=NOBODY, value_wei=10**40)
    with pytest.raises(TransactionRejectedError):
        chain.gateway.send_raw(chain.sign_call(call).raw)


def test_bytes_that_are_no_transaction_are_rejected(chain: DrivenChain) -> None:
    with pytest.raises(TransactionRejectedError):
        chain.gateway.send_raw(b"\x02\xc0")


def test_a_transaction_that_was_never_sent_is_unknown_and_has_no_receipt(chain: DrivenChain) -> None:
    assert chain.gateway.is_known(NOTHING) is False
    assert chain.gateway.receipt(NOTHING) is None


def test_a_receipt_disappears_with_its_block(chain: DrivenChain) -> None:
    chain.make_issuer()
    receipt = chain.anchor(root_of(1))
    assert chain.gateway.receipt(receipt.transaction) == receipt
    chain.replace(1)
    assert chain.gateway.receipt(receipt.transaction) is None


def test_transaction_counts_follow_what_is_mined(chain: DrivenChain) -> None:
    start = chain.gateway.transaction_count(chain.issuer)
    before = chain.gateway.latest()
    chain.make_issuer()
    assert chain.gateway.transaction_count(chain.issuer) == start + 1
    assert chain.gateway.transaction_count(chain.issuer, pending=True) == start + 1
    assert chain.gateway.transaction_count(chain.issuer, at_block=before.number) == start
    assert chain.gateway.transaction_count(chain.issuer, at_block=chain.gateway.latest().number) == start + 1
    assert chain.gateway.transaction_count(NOBODY) == 0


def test_funding_moves_ether(chain: DrivenChain) -> None:
    chain.do(ContractCall(CallKind.FUND, chain.issuer, account=NOBODY, value_wei=10**18))
    assert chain.gateway.balance_wei(NOBODY) == 10**18


def test_an_estimate_of_a_call_that_reverts_names_the_error(chain: DrivenChain) -> None:
    to, data = chain.gateway.encoder.direct(ContractCall(CallKind.ANCHOR, chain.issuer, root=root_of(1)))
    with pytest.raises(ContractRevertedError) as caught:
        chain.gateway.estimate_gas(chain.issuer, to, data)
    assert caught.value.name == "NotKeyOf"


def test_an_estimate_is_enough_gas(chain: DrivenChain) -> None:
    chain.make_issuer()
    to, data = chain.gateway.encoder.direct(ContractCall(CallKind.ANCHOR, chain.issuer, root=root_of(1)))
    estimate = chain.gateway.estimate_gas(chain.issuer, to, data)
    assert chain.anchor(root_of(1)).gas_used <= estimate <= 100_000


def test_a_fee_quote_has_a_tip(chain: DrivenChain) -> None:
    quote = chain.gateway.fee_quote()
    assert quote.base_fee_wei > 0
    assert quote.priority_fee_wei >= 1_000_000


# --- by signature -------------------------------------------------------------------------------------------


def test_every_relayed_form_does_what_the_direct_form_does(chain: DrivenChain) -> None:
    """The account signs every kind of call for itself and sends the signature; nonces count on."""
    encoder, issuer, root = chain.gateway.encoder, chain.issuer, root_of(1)
    changes = (Change(0, 1), Change(7, 2**255))
    calls = [
        ContractCall(CallKind.ADD_KEY, issuer, account=issuer, roles=ALL_ROLES),
        ContractCall(CallKind.ANCHOR, issuer, root=root),
        ContractCall(CallKind.SUSPEND, issuer, root=root, changes=changes, reason=7),
        ContractCall(CallKind.REINSTATE, issuer, root=root, changes=changes),
        ContractCall(CallKind.REVOKE, issuer, root=root, changes=changes, reason=2),
        ContractCall(CallKind.ANNUL, issuer, root=root, changes=changes, reason=1),
        ContractCall(CallKind.WITHDRAW, issuer, root=root, reason=6),
        ContractCall(CallKind.ANNUL_WITHDRAWAL, issuer, root=root),
        ContractCall(CallKind.RETIRE_KEY, issuer, account=issuer, valid_until=1, reason=6),
    ]
    kinds = []
    for nonce, call in enumerate(calls):
        assert chain.gateway.call_nonce_of(issuer) == nonce
        deadline = chain.gateway.latest().timestamp + 600
        signature = chain.signer.sign_typed_data(encoder.typed_data(call, nonce, deadline))
        to, data = encoder.relayed(call, issuer, deadline, signature)
        receipt = chain.mined(chain.sign(to, data))
        assert receipt.status == 1, call.kind
        kinds += [event.kind for event in receipt.events]
    assert kinds == [
        EventKind.KEY_ADDED,
        EventKind.BATCH_ANCHORED,
        EventKind.SUSPENDED,
        EventKind.REINSTATED,
        EventKind.REVOKED,
        EventKind.REVOCATION_ANNULLED,
        EventKind.BATCH_WITHDRAWN,
        EventKind.WITHDRAWAL_ANNULLED,
        EventKind.KEY_RETIRED,
    ]
    latest = chain.gateway.latest()
    assert chain.gateway.status_of(issuer, root, 0, latest.hash)[1] is ContractStatus.DISTRUSTED


def test_a_key_consents_to_its_issuer(chain: DrivenChain) -> None:
    key = LocalSigner(b"\x07" * 32)
    deadline = chain.gateway.latest().timestamp + 600
    consent = key.sign_typed_data(chain.gateway.encoder.key_consent(chain.issuer, key.address, 1, deadline))
    call = ContractCall(
        CallKind.ADD_KEY,
        chain.issuer,
        account=key.address,
        roles=1,
        consent_deadline=deadline,
        consent=consent,
    )
    assert chain.do(call).events[0].account == key.address
    assert chain.gateway.key_of(key.address, chain.gateway.latest().hash).issuer == chain.issuer
