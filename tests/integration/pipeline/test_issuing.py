"""Issuing: what is refused, what is replayed, what is left behind by an error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from registry.encoding import DigestMethod, Node
from registry.errors import (
    AmbiguousDigestError,
    ConflictError,
    DuplicateDigestError,
    ExternalIdConflictError,
    Fault,
    ForbiddenError,
    NotFoundError,
    NotSealedError,
    ValidationError,
    WrongStateError,
)
from registry.merkle import (
    CorruptTileError,
    InclusionPass,
    TileReader,
    path_from_tiles,
    proof_from_json,
    verify_inclusion,
)
from registry.model.batches import BatchState
from registry.model.issuers import Caller, Scope
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.services.idempotency import IdempotencyRef
from registry.services.issuing import IssuingService, NewItem
from registry.services.sealing import find_damage
from tests.support.pipeline import ADMIN, World, digests, items


@pytest.fixture
def caller(world: World) -> Caller:
    """A new issuer's first key; nothing is on chain yet."""
    registration = world.issuers.register(ADMIN, "Example College", "https://college.example/")
    return world.access.authenticate(registration.token)


def other_key(world: World, caller: Caller, *scopes: Scope) -> Caller:
    assert caller.issuer is not None
    _, token = world.access.create_key(caller, caller.issuer, "second key", scopes or tuple(Scope))
    return world.access.authenticate(token)


def item(name: str, external_id: str | None = None, **rest: datetime) -> NewItem:
    return NewItem(digests(1, name)[0], DigestMethod.OPAQUE, external_id, **rest)


def nothing_left(world: World) -> bool:
    with world.store.read() as unit:
        return not any(unit.batches.count_by_state().values())


# --- batches ------------------------------------------------------------------------------------------------


def test_empty_batch_is_refused(world: World, caller: Caller) -> None:
    with pytest.raises(ValidationError):
        world.issuing.create_batch(caller, [])
    assert nothing_left(world)


def test_fault_in_the_stream_seals_nothing_and_is_named(world: World, caller: Caller) -> None:
    def stream() -> Iterator[NewItem | Fault]:
        yield from items(digests(7))
        yield Fault("hex-length", "32 bytes are expected", line=8)
        yield item("more")
        yield Fault("type", "a string is expected")

    with pytest.raises(ValidationError) as caught:
        world.issuing.create_batch(caller, stream(), position=lambda i: {"line": i + 1})
    assert [(fault.code, fault.line) for fault in caught.value.faults] == [("hex-length", 8), ("type", 10)]
    assert nothing_left(world)


def test_at_most_twenty_faults_are_named_and_the_rest_is_not_read(world: World, caller: Caller) -> None:
    read = []

    def stream() -> Iterator[Fault]:
        for i in range(1000):
            read.append(i)
            yield Fault("type", "a string is expected", line=i + 1)

    with pytest.raises(ValidationError) as caught:
        world.issuing.create_batch(caller, stream())
    assert (len(caught.value.faults), len(read)) == (20, 20)


def test_digest_twice_in_a_batch_is_refused_with_its_places(world: World, caller: Caller) -> None:
    given = digests(5)
    with pytest.raises(ValidationError) as caught:
        world.issuing.create_batch(caller, items([*given, given[2]]))
    (fault,) = caught.value.faults
    assert (fault.code, fault.pointer) == ("repeated-digest", "/digests/5")
    assert "2" in fault.detail
    assert nothing_left(world)


def test_digest_twice_is_refused_across_chunks(world: World, caller: Caller) -> None:
    small = world.with_policy(chunk_size=3)
    given = digests(8)
    with pytest.raises(ValidationError):
        small.issuing.create_batch(caller, items([*given, given[0]]))
    assert nothing_left(world)


def test_digest_of_another_batch_is_refused_with_its_batch(world: World, caller: Caller) -> None:
    first = world.issuing.create_batch(caller, items(digests(3)))
    with pytest.raises(DuplicateDigestError) as caught:
        world.issuing.create_batch(caller, items([*digests(2, "new"), digests(3)[1]]))
    (fault,) = caught.value.faults
    assert (fault.pointer, first.id in fault.detail) == ("/digests/2", True)


def test_allowed_duplicate_is_issued_and_its_digest_is_ambiguous(world: World, caller: Caller) -> None:
    first = world.issuing.create_batch(caller, items(digests(3)))
    second = world.issuing.create_batch(caller, items(digests(3)), allow_duplicate=True)
    digest = digests(3)[0]
    assert {entry.batch_id for entry in world.issuing.entries_by_digest(digest)} == {first.id, second.id}
    with pytest.raises(AmbiguousDigestError):
        world.issuing.proof(digest)
    assert world.issuing.proof(digest, batch_id=second.id)["root"] == "0x" + (second.root or b"").hex()


def test_two_issuers_may_issue_the_same_digest(world: World, caller: Caller) -> None:
    token = world.issuers.register(ADMIN, "Another College", "https://another.example/").token
    world.issuing.create_batch(caller, items(digests(2)))
    world.issuing.create_batch(world.access.authenticate(token), items(digests(2)))


def test_revoked_digest_is_refused_even_as_an_allowed_duplicate(world: World, caller: Caller) -> None:
    given = digests(3)
    world.final_batch(caller, given)
    request = world.status.change(caller, RequestKind.REVOCATION, given[1:2], Reason.MISCONDUCT)
    for settled in (False, True):
        if settled:
            world.settle()
            assert world.status.request(caller, request.id).state.value == "final"
        with pytest.raises(DuplicateDigestError) as caught:
            world.issuing.create_batch(caller, items(given), allow_duplicate=True)
        assert [fault.pointer for fault in caught.value.faults] == ["/digests/1"]


def test_writer_that_raises_leaves_nothing(world: World, caller: Caller) -> None:
    def stream() -> Iterator[NewItem]:
        yield from items(digests(4))
        raise ConnectionResetError("the client went away")

    with pytest.raises(ConnectionResetError):
        world.with_policy(chunk_size=2).issuing.create_batch(caller, stream())
    assert nothing_left(world)
    assert world.issuing.create_batch(caller, items(digests(4))).size == 4


def test_batch_whose_writer_died_is_discarded_by_the_worker(world: World, caller: Caller) -> None:
    assert caller.issuer is not None
    with world.store.write() as unit:
        unit.batches.create(caller.issuer, BatchState.RECEIVING, world.clock.now(), allow_duplicate=False)
    world.issuing.seal_due()
    assert not nothing_left(world)
    world.clock.advance(world.policy.abandoned_after_seconds + 1)
    world.issuing.seal_due()
    assert nothing_left(world)


@pytest.mark.parametrize("allow_duplicate", [False, True])
def test_external_id_twice_in_a_batch_is_refused(world: World, caller: Caller, allow_duplicate: bool) -> None:
    with pytest.raises(ValidationError) as caught:
        world.issuing.create_batch(caller, [item("a", "x"), item("b", "x")], allow_duplicate=allow_duplicate)
    assert not isinstance(caught.value, ConflictError)
    assert nothing_left(world)


def test_external_id_of_other_content_is_refused(world: World, caller: Caller) -> None:
    world.issuing.create_batch(caller, [item("a", "x")])
    with pytest.raises(ExternalIdConflictError) as caught:
        world.issuing.create_batch(caller, [item("c"), item("b", "x")])
    assert caught.value.faults[0].pointer == "/digests/1"


def test_external_id_of_the_same_content_is_a_duplicate(world: World, caller: Caller) -> None:
    world.issuing.create_batch(caller, [item("a", "x")])
    with pytest.raises(DuplicateDigestError):
        world.issuing.create_batch(caller, [item("a", "x")])


def test_validity_that_ends_before_it_begins_is_refused(world: World, caller: Caller) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    wrong = item("a", valid_from=start, valid_until=start - timedelta(days=1))
    with pytest.raises(ValidationError) as caught:
        world.issuing.create_batch(caller, [wrong])
    assert caught.value.faults[0].code == "validity"


def test_root_that_starts_with_a_selector_gets_another_salt(
    world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = type(world.chain.encoder)
    seen: list[bytes] = []

    def is_selector(self: object, first_four: bytes) -> bool:
        seen.append(first_four)
        return len(seen) == 1

    monkeypatch.setattr(encoder, "is_selector", is_selector)
    batch = world.issuing.create_batch(caller, items(digests(5)))
    assert len(seen) == 2
    assert (batch.root or b"")[:4] == seen[1] != seen[0]
    with world.store.read() as unit:
        assert find_damage(unit, batch, 8) is None


def test_idempotency_key_is_bound_with_the_batch(world: World, caller: Caller) -> None:
    with world.store.write() as unit:
        assert unit.idempotency.begin("key", "1", b"f", world.clock.now(), ttl_seconds=60) is None
    batch = world.issuing.create_batch(caller, items(digests(2)), idempotency=IdempotencyRef("key", "1"))
    with world.store.write() as unit:
        answer = unit.idempotency.begin("key", "1", b"f", world.clock.now(), ttl_seconds=60)
    assert answer is not None
    assert answer.resource == f"batch:{batch.id}"


def test_key_without_scope_batch_issues_nothing(world: World, caller: Caller) -> None:
    for refused in (other_key(world, caller, Scope.STATUS, Scope.READ), ADMIN):
        with pytest.raises(ForbiddenError):
            world.issuing.create_batch(refused, items(digests(1)))


# --- what was tampered with ---------------------------------------------------------------------------------


def test_batch_whose_rows_were_changed_is_failed_before_anything_is_signed(world: World) -> None:
    _, caller = world.hosted()
    before = len(world.transactions())
    batch = world.issuing.create_batch(caller, items(digests(4)))
    with world.store.write() as unit:
        unit.entries.set_salt(batch.seq, 2, digests(1, "another salt")[0])  # type: ignore[arg-type]
    world.settle()
    failed = world.batch(batch.id)
    assert failed.state is BatchState.FAILED
    assert "stored entries" in (failed.error or "")
    assert len(world.transactions()) == before
    assert "batch.failed" in world.feed()


def test_batch_with_a_damaged_tile_is_failed_and_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, caller = world.hosted()
    damaged = world.issuing.create_batch(caller, items(digests(4, "damaged")))
    sound = world.issuing.create_batch(caller, items(digests(4, "sound")))

    def read(index: int, size: int, read_tile: TileReader) -> list[Node]:
        nodes = path_from_tiles(index, size, read_tile)
        if read_tile(0, 0) == tile:
            raise CorruptTileError("tile 0 of level 0 has the wrong length")
        return nodes

    with world.store.read() as unit:
        tile = unit.batches.read_tiles(damaged.seq, [(0, 0)])[0, 0]
    monkeypatch.setattr("registry.services.sealing.path_from_tiles", read)
    world.settle()
    assert world.batch(damaged.id).state is BatchState.FAILED
    assert world.batch(sound.id).state is BatchState.FINAL


def test_failed_batch_can_be_tried_again(world: World) -> None:
    _, caller = world.hosted()
    batch = world.issuing.create_batch(caller, items(digests(4)))
    with world.store.write() as unit:
        (salt,) = [row[2] for i, row in enumerate(unit.entries.leaf_inputs(batch.seq)) if i == 2]
        unit.entries.set_salt(batch.seq, 2, digests(1, "another salt")[0])  # type: ignore[arg-type]
    world.settle()
    with world.store.write() as unit:
        unit.entries.set_salt(batch.seq, 2, salt)
    assert world.issuing.retry(caller, batch.id).state is BatchState.SEALED
    world.settle()
    assert world.batch(batch.id).state is BatchState.FINAL
    with pytest.raises(WrongStateError):
        world.issuing.retry(caller, batch.id)


def test_failed_batch_is_not_tried_again_when_its_digests_were_issued_since(world: World) -> None:
    _, caller = world.hosted()
    batch = world.issuing.create_batch(caller, items(digests(4)))
    with world.store.write() as unit:
        unit.entries.set_salt(batch.seq, 2, digests(1, "another salt")[0])  # type: ignore[arg-type]
    world.settle()
    world.issuing.create_batch(caller, items(digests(4)))
    with pytest.raises(DuplicateDigestError):
        world.issuing.retry(caller, batch.id)


# --- the open batch -----------------------------------------------------------------------------------------


def test_credentials_gather_in_one_open_batch_until_it_is_sealed(world: World, caller: Caller) -> None:
    first = world.issuing.add_credential(caller, item("a"))
    second = world.issuing.add_credential(caller, item("b"))
    assert (first.batch_id, first.index, second.index) == (second.batch_id, 0, 1)
    with pytest.raises(NotSealedError):
        world.issuing.proof(first.digest)
    sealed = world.issuing.seal(caller, first.batch_id)
    assert (sealed.state, sealed.size) == (BatchState.SEALED, 2)
    assert world.issuing.seal(caller, first.batch_id) == sealed
    assert world.issuing.add_credential(caller, item("c")).batch_id != first.batch_id
    proof = proof_from_json(world.issuing.proof(second.digest))
    assert isinstance(verify_inclusion(proof), InclusionPass)


def test_open_batch_is_sealed_by_age(world: World, caller: Caller) -> None:
    entry = world.issuing.add_credential(caller, item("a"))
    world.work()
    assert world.batch(entry.batch_id).state is BatchState.OPEN
    world.clock.advance(world.policy.batch_max_age_seconds + 1)
    world.settle()
    assert world.batch(entry.batch_id).state is BatchState.FINAL


def test_open_batch_is_sealed_by_size(world: World, caller: Caller) -> None:
    small = world.with_policy(batch_max_size=2)
    entries = [small.issuing.add_credential(caller, item(name)) for name in "abcde"]
    assert [entry.index for entry in entries] == [0, 1, 0, 1, 0]
    small.settle()
    states = [world.batch(entry.batch_id).state for entry in entries]
    assert states == [BatchState.FINAL] * 4 + [BatchState.OPEN]


def test_same_content_under_its_external_id_is_replayed(world: World, caller: Caller) -> None:
    first = world.issuing.add_credential(caller, item("a", "x"))
    assert world.issuing.add_credential(caller, item("a", "x")) == first
    with pytest.raises(ExternalIdConflictError):
        world.issuing.add_credential(caller, item("b", "x"))
    with pytest.raises(DuplicateDigestError):
        world.issuing.add_credential(caller, item("a", "y"))
    assert world.issuing.entries_by_external_ids(caller, ["x"]) == [first]


def test_another_issuers_batch_is_unknown(world: World, caller: Caller) -> None:
    entry = world.issuing.add_credential(caller, item("a"))
    token = world.issuers.register(ADMIN, "Another College", "https://another.example/").token
    stranger = world.access.authenticate(token)
    with pytest.raises(NotFoundError):
        world.issuing.seal(stranger, entry.batch_id)
    world.issuing.seal(caller, entry.batch_id)
    with pytest.raises(ForbiddenError):
        world.issuing.proofs(stranger, entry.batch_id)


# --- approval -----------------------------------------------------------------------------------------------


def test_batch_waits_for_another_key_where_approval_is_required(world: World) -> None:
    _, caller = world.hosted()
    strict = world.with_policy(require_approval=True)
    batch = strict.issuing.create_batch(caller, items(digests(2)))
    strict.settle()
    assert world.batch(batch.id).state is BatchState.SEALED
    with pytest.raises(ForbiddenError):
        strict.issuing.approve(caller, batch.id)
    second = other_key(world, caller, Scope.BATCH)
    assert strict.issuing.approve(second, batch.id).awaiting_approval_of is None
    with pytest.raises(WrongStateError):
        strict.issuing.approve(second, batch.id)
    strict.settle()
    assert world.batch(batch.id).state is BatchState.FINAL


def test_open_batch_waits_for_a_key_that_put_nothing_in(world: World, caller: Caller) -> None:
    strict = world.with_policy(require_approval=True)
    second, third = other_key(world, caller, Scope.BATCH), other_key(world, caller, Scope.BATCH)
    entry = strict.issuing.add_credential(caller, item("a"))
    strict.issuing.add_credential(second, item("b"))
    strict.clock.advance(strict.policy.batch_max_age_seconds + 1)
    assert strict.issuing.seal_due() == 1
    for publisher in (caller, second):
        with pytest.raises(ForbiddenError):
            strict.issuing.approve(publisher, entry.batch_id)
    strict.issuing.approve(third, entry.batch_id)


# --- erasure ------------------------------------------------------------------------------------------------


def test_erased_credential_is_gone_and_the_rest_still_proves(world: World) -> None:
    _, caller = world.hosted()
    given = digests(5)
    batch = world.final_batch(caller, given)
    assert world.issuing.erase(caller, given[2]) == 1
    assert world.issuing.entries_by_digest(given[2]) == []
    with pytest.raises(NotFoundError):
        world.issuing.proof(given[2])
    with pytest.raises(NotFoundError):
        world.issuing.erase(caller, given[2])
    proofs = [proof_from_json(proof) for proof in world.issuing.proofs(caller, batch.id)]
    assert [proof.index for proof in proofs] == [0, 1, 3, 4]
    assert all(isinstance(verify_inclusion(proof), InclusionPass) for proof in proofs)
    assert all(given[2].hex() not in record.detail for record in world.access.records(ADMIN))


def test_batch_is_anchored_though_an_entry_was_erased_before(world: World) -> None:
    _, caller = world.hosted()
    given = digests(5)
    batch = world.issuing.create_batch(caller, items(given))
    world.issuing.erase(caller, given[0])
    world.settle()
    assert world.batch(batch.id).state is BatchState.FINAL


def test_erasing_from_the_open_batch_seals_it_first(world: World, caller: Caller) -> None:
    entry = world.issuing.add_credential(caller, item("a"))
    world.issuing.add_credential(caller, item("b"))
    assert world.issuing.erase(caller, entry.digest) == 1
    assert world.batch(entry.batch_id).state is BatchState.SEALED
    world.settle()
    assert world.batch(entry.batch_id).state is BatchState.FINAL


# --- credentials --------------------------------------------------------------------------------------------


def test_item_from_credential_takes_digest_and_dates(world: World) -> None:
    credential = {
        "id": "urn:uuid:0e2d6a4c-5b1f-4c39-9a57-3f8b1d2c6e70",
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2027-01-01T00:00:00Z",
    }
    found = world.issuing.item_from_credential(credential)
    assert (found.method, found.document) == (DigestMethod.JCS_SHA256, None)
    assert (found.valid_from, found.valid_until) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    )
    keeping: IssuingService = world.with_policy(store_documents=True).issuing
    assert keeping.item_from_credential(credential).document is not None
    with pytest.raises(ValidationError) as caught:
        world.issuing.item_from_credential({**credential, "validFrom": "soon"}, pointer="/credentials/3")
    assert caught.value.faults[0].pointer == "/credentials/3/validFrom"
