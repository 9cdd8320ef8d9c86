"""Operations, nonces, signed bytes and status requests."""

from __future__ import annotations

import pytest

from registry.encoding import Digest
from registry.errors import ConflictError, NotFoundError, StoreUnavailableError, ValidationError
from registry.model.chain import CallKind, Change, ContractCall, SendMode
from registry.model.operations import (
    Attempt,
    Operation,
    OperationState,
    OutboxTransaction,
    RequestKind,
    RequestState,
    TransactionState,
)
from registry.ports.store import Unit
from registry.store import SqlStore, StoreDefectError
from tests.integration.store.makers import T0, address, attempt, block_hash, digest, later, root, tx_hash


def call(kind: CallKind = CallKind.ANCHOR, name: object = "r", **fields: object) -> ContractCall:
    return ContractCall(kind=kind, issuer=address("issuer"), root=root(name), **fields)  # type: ignore[arg-type]


def operation(
    unit: Unit,
    state: OperationState = OperationState.QUEUED,
    made: ContractCall | None = None,
    **more: object,
) -> Operation:
    return unit.outbox.add_operation(
        address("issuer"),
        address("actor"),
        made or call(),
        state,
        T0,
        **more,  # type: ignore[arg-type]
    )


def transaction(
    unit: Unit, operation_id: int, nonce: int, sender: object = "sender", first: Attempt | None = None
) -> OutboxTransaction:
    return unit.outbox.add_transaction(
        operation_id,
        address(sender),
        nonce,
        SendMode.RELAYED,
        address("registry"),
        b"\0data",
        21_000,
        2**90,
        first or attempt((sender, nonce)),
    )


def request(unit: Unit, name: str, skipped: list[Digest] | None = None, **more: bool) -> None:
    unit.outbox.add_request(
        name,
        RequestKind.REVOCATION,
        address("issuer"),
        3,
        "a private note",
        "registrar",
        "key 1",
        7,
        skipped or [],
        T0,
        **more,
    )


def test_operation_comes_back_as_it_was_added(store: SqlStore) -> None:
    made = ContractCall(
        kind=CallKind.REVOKE,
        issuer=address("issuer"),
        root=root("r"),
        changes=(Change(2**64 - 1, 2**256 - 1), Change(0, 1), Change(0, 0)),
        reason=65_535,
        account=address("account"),
        roles=15,
        valid_until=2**40 - 1,
        consent_deadline=2**256 - 1,
        consent=b"\0" * 65,
        value_wei=2**256 - 1,
        signature=b"\1" * 65,
        deadline=2**256 - 1,
    )
    with store.write() as unit:
        added = operation(unit, OperationState.HELD, made, batch_seq=4, request_id="r1")
        plain = operation(unit, made=ContractCall(CallKind.FUND, address("issuer")))
    with store.read() as unit:
        assert unit.outbox.operation(added.id) == added
        assert unit.outbox.operation(plain.id) == plain
        assert unit.outbox.operation(999) is None
        assert unit.outbox.operations_of_batch(4) == [added]
        assert unit.outbox.operations_of_request("r1") == [added]
        assert unit.outbox.operations_of_request("r2") == []
    assert added.call == made


def test_operations_are_listed_by_state_and_issuer_oldest_first(store: SqlStore) -> None:
    with store.write() as unit:
        first, second = operation(unit), operation(unit, OperationState.HELD)
        third = operation(unit)
        operation(unit, OperationState.FINAL)
        queued = {OperationState.QUEUED}
        assert unit.outbox.operations(states=queued) == [first, third]
        assert unit.outbox.operations(states={*queued, OperationState.HELD}, limit=2) == [first, second]
        assert unit.outbox.operations(states=queued, issuer=address("issuer")) == [first, third]
        assert unit.outbox.operations(states=queued, issuer=address("other")) == []
        assert unit.outbox.operations(states=set()) == []


def test_setting_an_operation_replaces_error_and_effect(store: SqlStore) -> None:
    with store.write() as unit:
        added = operation(unit)
        effect = (9, block_hash(9), tx_hash("t"))
        unit.outbox.set_operation(added.id, OperationState.MINED, effect=effect)
        mined = unit.outbox.operation(added.id)
        unit.outbox.set_operation(added.id, OperationState.FAILED, error="reverted")
        failed = unit.outbox.operation(added.id)
        unit.outbox.set_operation(added.id, OperationState.MINED, effect=(8, block_hash(8), None))
        unknown = unit.outbox.operation(added.id)
    assert mined is not None
    assert failed is not None
    assert unknown is not None
    assert (mined.effect_block, mined.effect_hash, mined.effect_transaction) == effect
    assert (failed.state, failed.error, failed.effect_block) == (OperationState.FAILED, "reverted", None)
    assert (unknown.error, unknown.effect_block, unknown.effect_transaction) == (None, 8, None)
    with pytest.raises(NotFoundError), store.write() as unit:
        unit.outbox.set_operation(999, OperationState.FINAL)


def test_pending_are_unmined_status_operations_on_just_those_batches(store: SqlStore) -> None:
    with store.write() as unit:
        held = operation(unit, OperationState.HELD, call(CallKind.REVOKE, "a"))
        operation(unit, OperationState.MINED, call(CallKind.REVOKE, "a"))
        operation(unit, OperationState.FAILED, call(CallKind.REVOKE, "a"))
        operation(unit, OperationState.QUEUED, call(CallKind.ANCHOR, "a"))
        operation(unit, OperationState.QUEUED, call(CallKind.SUSPEND, "b"))
        sent = operation(unit, OperationState.SUBMITTED, call(CallKind.WITHDRAW, "c"))
        wanted = [(address("issuer"), root("a")), (address("issuer"), root("c")), (address("x"), root("b"))]
        assert unit.outbox.pending_for_roots(wanted) == [held, sent]
        assert unit.outbox.pending_for_roots([]) == []


def test_taken_nonce_is_a_conflict_and_its_bytes_are_not_stored(store: SqlStore) -> None:
    with store.write() as unit:
        wanted = operation(unit)
        made = transaction(unit, wanted.id, 5)
    with pytest.raises(ConflictError), store.write() as unit:
        transaction(unit, wanted.id, 5, first=attempt("another"))
    with store.write() as unit:
        transaction(unit, wanted.id, 5, sender="another sender")
        kept = unit.outbox.transactions(states={TransactionState.SIGNED}, sender=address("sender"))
    assert kept == [made]


def test_next_nonce_is_above_all_given_out_and_not_below_the_floor(store: SqlStore) -> None:
    with store.write() as unit:
        wanted = operation(unit)
        assert unit.outbox.next_nonce(address("sender"), 0) == 0
        assert unit.outbox.next_nonce(address("sender"), 7) == 7
        for nonce in (3, 9, 4):
            transaction(unit, wanted.id, nonce)
        assert unit.outbox.next_nonce(address("sender"), 0) == 10
        assert unit.outbox.next_nonce(address("sender"), 12) == 12
        assert unit.outbox.next_nonce(address("other"), 2) == 2


def test_nonce_beyond_64_bits_is_refused_not_wrapped(store: SqlStore) -> None:
    with store.write() as unit:
        wanted = operation(unit)
    with pytest.raises(ValidationError), store.write() as unit:
        transaction(unit, wanted.id, 2**63)


def test_attempts_come_oldest_first_and_keep_when_they_were_sent(store: SqlStore) -> None:
    with store.write() as unit:
        wanted = operation(unit)
        made = transaction(unit, wanted.id, 1, first=attempt("one"))
        unit.outbox.add_attempt(made.id, attempt("two", signed_at=later(30), sent_at=later(31)))
        unit.outbox.mark_sent(tx_hash("one"), later(2))
        unit.outbox.mark_sent(tx_hash("one"), later(40))
        (found,) = unit.outbox.transactions_of([wanted.id, wanted.id, 999])
    assert found.attempts == (
        attempt("one", sent_at=later(40)),
        attempt("two", signed_at=later(30), sent_at=later(31)),
    )
    assert found.data == b"\0data"
    assert found.value_wei == 2**90
    with pytest.raises(NotFoundError), store.write() as unit:
        unit.outbox.mark_sent(tx_hash("unknown"), T0)


def test_transactions_are_listed_in_order_of_nonce(store: SqlStore) -> None:
    with store.write() as unit:
        wanted = operation(unit)
        made = {nonce: transaction(unit, wanted.id, nonce) for nonce in (2, 0, 1)}
        unit.outbox.set_transaction(made[1].id, TransactionState.MINED)
        signed = unit.outbox.transactions(states={TransactionState.SIGNED})
        both = unit.outbox.transactions(states={TransactionState.SIGNED, TransactionState.MINED}, limit=2)
        assert unit.outbox.transactions_of([]) == []
    assert [each.nonce for each in signed] == [0, 2]
    assert [each.nonce for each in both] == [0, 1]
    with pytest.raises(NotFoundError), store.write() as unit:
        unit.outbox.set_transaction(999, TransactionState.FINAL)


def test_gas_is_counted_once_and_only_when_final(store: SqlStore) -> None:
    with store.write() as unit:
        assert unit.outbox.gas_used_total() == 0
        wanted = operation(unit)
        first, second = (transaction(unit, wanted.id, nonce) for nonce in (0, 1))
        for state in (TransactionState.MINED, TransactionState.SIGNED, TransactionState.MINED):
            unit.outbox.set_transaction(first.id, state, gas_used=21_000)
        assert unit.outbox.gas_used_total() == 0
        for _ in range(2):
            unit.outbox.set_transaction(first.id, TransactionState.FINAL, gas_used=22_000)
        assert unit.outbox.gas_used_total() == 22_000
        unit.outbox.set_transaction(second.id, TransactionState.REPLACED)
        assert unit.outbox.gas_used_total() == 22_000
    with pytest.raises(NotFoundError), store.write() as unit:
        unit.outbox.set_transaction(999, TransactionState.FINAL, gas_used=1)


def test_attempt_of_an_unknown_transaction_is_a_defect_and_not_stored(store: SqlStore) -> None:
    with pytest.raises(StoreDefectError), store.write() as unit:
        unit.outbox.add_attempt(999, attempt("one"))


def test_request_follows_its_operations(store: SqlStore) -> None:
    with store.write() as unit:
        request(unit, "r1", [digest("s2"), digest("s1")])
        nothing = unit.outbox.request("r1")
        one = operation(unit, request_id="r1")
        two = operation(unit, request_id="r1")
        operation(unit, OperationState.FAILED, request_id="r2")
        transaction(unit, one.id, 0, first=attempt("a"))
        waiting = unit.outbox.request("r1")
        unit.outbox.set_operation(one.id, OperationState.MINED, effect=(5, block_hash(5), tx_hash("foreign")))
        unit.outbox.set_operation(two.id, OperationState.MINED, effect=(5, block_hash(5), tx_hash("b")))
        mined = unit.outbox.request("r1")
        unit.outbox.set_operation(two.id, OperationState.FAILED, error="no funds")
        failed = unit.outbox.request("r1")
        assert unit.outbox.request("r9") is None
    assert nothing is not None
    assert waiting is not None
    assert mined is not None
    assert failed is not None
    assert (nothing.state, nothing.transactions) == (RequestState.FINAL, ())
    assert (nothing.count, nothing.skipped) == (7, (digest("s2"), digest("s1")))
    assert (nothing.note, nothing.requested_by, nothing.requested_by_key) == (
        "a private note",
        "registrar",
        "key 1",
    )
    assert (waiting.state, waiting.transactions) == (RequestState.SUBMITTED, (tx_hash("a"),))
    assert (mined.state, mined.transactions) == (RequestState.MINED, (tx_hash("foreign"), tx_hash("b")))
    assert (failed.state, failed.error) == (RequestState.FAILED, "no funds")


def test_approval_queues_what_was_held(store: SqlStore) -> None:
    with store.write() as unit:
        request(unit, "r1", awaiting_approval=True)
        held = operation(unit, OperationState.HELD, request_id="r1")
        other = operation(unit, OperationState.HELD, request_id="r2")
        before = unit.outbox.request("r1")
        unit.outbox.approve_request("r1")
        after = unit.outbox.request("r1")
        queued = unit.outbox.operations(states={OperationState.QUEUED})
        still = unit.outbox.operations(states={OperationState.HELD})
    assert before is not None
    assert after is not None
    assert before.state is RequestState.AWAITING_APPROVAL
    assert after.state is RequestState.SUBMITTED
    assert [each.id for each in queued] == [held.id]
    assert [each.id for each in still] == [other.id]
    with pytest.raises(NotFoundError), store.write() as unit:
        unit.outbox.approve_request("r9")


def test_request_is_attributed_only_to_transactions_that_were_signed_here(store: SqlStore) -> None:
    with store.write() as unit:
        request(unit, "r1")
        mine = operation(unit, request_id="r1")
        made = transaction(unit, mine.id, 0, first=attempt("old"))
        unit.outbox.add_attempt(made.id, attempt("bumped"))
        unit.outbox.set_operation(mine.id, OperationState.MINED, effect=(5, block_hash(5), tx_hash("thief")))
        anchor = operation(unit)
        transaction(unit, anchor.id, 1, first=attempt("anchor"))
        names = [tx_hash(name) for name in ("old", "bumped", "thief", "anchor")]
        found = unit.outbox.requests_by_transactions(names)
        assert unit.outbox.requests_by_transactions([]) == {}
    assert {key: value.id for key, value in found.items()} == {tx_hash("old"): "r1", tx_hash("bumped"): "r1"}


def test_note_with_a_zero_character_is_an_error_of_our_own_or_kept(store: SqlStore) -> None:
    """PostgreSQL's text cannot hold it and SQLite's can: never a driver's error."""
    try:
        with store.write() as unit:
            unit.outbox.add_request(
                "r", RequestKind.REVOCATION, address("i"), 0, "a\0b", "l", None, 1, [], T0
            )
    except StoreUnavailableError as error:
        raise AssertionError("a bad value is not an outage") from error
    except ValidationError:
        return
    with store.read() as unit:
        found = unit.outbox.request("r")
    assert found is not None
    assert found.note == "a\0b"
