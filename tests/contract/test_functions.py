"""Every function of the contract: what it does, directly and by signature, and when it does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from registry.chain import typed_data
from registry.chain.abi import load_artifact
from tests.contract.operations import OPERATIONS, OTHER, Operation, Scene
from tests.contract.support import ALL_BITS, ALL_ROLES, NO_DEADLINE, NOW, Bench, Person, Status, heads_of


@pytest.fixture
def scene(bench: Bench, issuer: Person, key: Person, root: bytes) -> Scene:
    return Scene(bench, issuer, key, bench.people[3], root)


def _sign(scene: Scene, operation: Operation) -> bytes:
    actor = operation.actor(scene)
    return actor.sign(operation.typed(scene, scene.bench.nonce(actor)))


def _relay(scene: Scene, operation: Operation, sender: Person) -> Any:
    call = operation.relayed(scene, operation.actor(scene).address, _sign(scene, operation))
    return scene.bench.send(call, sender)


def _facts(scene: Scene, receipt: Any) -> list[tuple[str, dict[str, Any]]]:
    """What the events say, but for when and after what."""
    events = [scene.bench.decode(log) for log in receipt["logs"]]
    return [
        (e["event"], {name: value for name, value in e["args"].items() if name not in ("at", "head")})
        for e in events
    ]


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_signature_does_what_the_direct_call_does(name: str, scene: Scene, stranger: Person) -> None:
    operation, bench = OPERATIONS[name], scene.bench
    operation.prepare(scene)
    snapshot = bench.tester.take_snapshot()
    directly = _facts(scene, bench.send(operation.direct(scene), operation.actor(scene)))
    assert bench.nonce(operation.actor(scene)) == 0
    bench.tester.revert_to_snapshot(snapshot)
    relayed = _facts(scene, _relay(scene, operation, stranger))
    assert [event for event, _ in directly] == [operation.event]
    assert relayed == directly
    assert bench.nonce(operation.actor(scene)) == 1
    heads = heads_of(bench.events())
    assert bench.functions.headOf(scene.issuer.address).call() == heads[scene.issuer.address]


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "addKey"])
def test_a_repetition_is_silent_and_still_consumes_the_nonce(
    name: str, scene: Scene, stranger: Person
) -> None:
    operation, bench = OPERATIONS[name], scene.bench
    operation.prepare(scene)
    actor = operation.actor(scene)
    _relay(scene, operation, stranger)
    head = bench.functions.headOf(scene.issuer.address).call()
    assert bench.send(operation.direct(scene), actor)["logs"] == []
    assert _relay(scene, operation, stranger)["logs"] == []
    assert bench.nonce(actor) == 2
    assert bench.functions.headOf(scene.issuer.address).call() == head


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_used_signature_is_refused(name: str, scene: Scene, stranger: Person) -> None:
    operation, bench = OPERATIONS[name], scene.bench
    operation.prepare(scene)
    actor = operation.actor(scene)
    call = operation.relayed(scene, actor.address, _sign(scene, operation))
    bench.send(call, stranger)
    error = bench.refusal(call, stranger)
    assert error is not None
    assert (error.name, error.arguments["nonce"]) == ("InvalidSignature", 1)


@pytest.mark.parametrize("name", OPERATIONS)
def test_strangers_cannot_do_it_directly_nor_sign_for_it(name: str, scene: Scene, stranger: Person) -> None:
    operation, bench = OPERATIONS[name], scene.bench
    operation.prepare(scene)
    expected = "NotAdmin" if operation.by_admin else "NotKeyOf"
    direct = bench.refusal(operation.direct(scene), stranger)
    signature = stranger.sign(operation.typed(scene, 0))
    relayed = bench.refusal(operation.relayed(scene, stranger.address, signature), scene.issuer)
    assert direct is not None
    assert relayed is not None
    assert (direct.name, relayed.name) == (expected, expected)
    forged = bench.refusal(operation.relayed(scene, operation.actor(scene).address, signature), stranger)
    assert forged is not None
    assert forged.name == "InvalidSignature"


@pytest.mark.parametrize(
    ("name", "role"), [("anchor", 1), ("suspend", 2), ("reinstate", 2), ("revoke", 4), ("withdraw", 8)]
)
def test_every_role_but_the_one_needed_does_not_suffice(
    name: str, role: int, scene: Scene, stranger: Person
) -> None:
    operation, bench = OPERATIONS[name], scene.bench
    weak = bench.people[6]
    bench.add_key(scene.issuer, weak, ALL_ROLES - role)
    direct = bench.refusal(operation.direct(scene), weak)
    signature = weak.sign(operation.typed(scene, 0))
    relayed = bench.refusal(operation.relayed(scene, weak.address, signature), stranger)
    for error in (direct, relayed):
        assert error is not None
        assert (error.name, error.arguments["role"]) == ("RoleMissing", role)


def test_a_relayed_addition_wants_the_keys_consent_too(scene: Scene, stranger: Person) -> None:
    bench, operation = scene.bench, OPERATIONS["addKey"]
    signature = _sign(scene, operation)
    for consent, deadline, expected in (
        (b"", NO_DEADLINE, "InvalidConsent"),
        (scene.consent(1), NO_DEADLINE, "InvalidConsent"),
        (scene.consent(3), 7, "SignatureExpired"),
    ):
        call = bench.functions.addKeyBySig(
            scene.issuer.address,
            scene.issuer.address,
            scene.newcomer.address,
            3,
            NO_DEADLINE,
            deadline,
            consent,
            signature,
        )
        error = bench.refusal(call, stranger)
        assert error is not None
        assert error.name == expected


def test_every_function_has_a_by_signature_twin_but_profile_and_handover() -> None:
    names = {entry["name"] for entry in load_artifact().abi if entry["type"] == "function"}
    assert {name.removesuffix("BySig") for name in names if name.endswith("BySig")} == set(OPERATIONS)
    writing = {
        entry["name"]
        for entry in load_artifact().abi
        if entry["type"] == "function" and entry["stateMutability"] == "nonpayable"
    }
    assert {name for name in writing if not name.endswith("BySig")} - set(OPERATIONS) == {
        "setProfile",
        "proposeAdmin",
        "acceptAdmin",
    }


def test_every_function_takes_an_argument_and_none_takes_ether() -> None:
    for entry in load_artifact().abi:
        if entry["type"] == "function":
            assert entry["inputs"], entry["name"]
            assert entry["stateMutability"] in ("view", "nonpayable"), entry["name"]


def test_a_key_that_adds_itself_needs_no_consent(bench: Bench, issuer: Person, stranger: Person) -> None:
    bench.send(bench.functions.addKey(issuer.address, issuer.address, 1, 0, b""), issuer)
    assert bench.functions.keyOf(issuer.address).call() == (issuer.address, NOW, 0, 1)
    signature = stranger.sign(
        typed_data.add_key(
            bench.domain, issuer=stranger.raw, key=stranger.raw, roles=2, nonce=0, deadline=NO_DEADLINE
        )
    )
    call = bench.functions.addKeyBySig(
        stranger.address, stranger.address, stranger.address, 2, NO_DEADLINE, 0, b"", signature
    )
    bench.send(call, issuer)
    assert bench.functions.keyOf(stranger.address).call() == (stranger.address, NOW, 0, 2)


def test_a_profile_is_emitted_every_time(bench: Bench, issuer: Person) -> None:
    for _ in range(2):
        receipt = bench.send(bench.functions.setProfile(issuer.address, "https://example.org/å"), issuer)
        assert bench.decode(receipt["logs"][0])["args"]["uri"] == "https://example.org/å"
    assert bench.functions.headOf(issuer.address).call() == heads_of(bench.events())[issuer.address]


def test_the_admin_hands_over_in_two_steps(bench: Bench, issuer: Person, stranger: Person) -> None:
    f = bench.functions
    assert f.adminOf(issuer.address).call() == issuer.address
    assert len(bench.send(f.proposeAdmin(issuer.address, stranger.address), issuer)["logs"]) == 1
    assert bench.send(f.proposeAdmin(issuer.address, stranger.address), issuer)["logs"] == []
    assert f.adminOf(issuer.address).call() == issuer.address
    assert f.pendingAdminOf(issuer.address).call() == stranger.address
    bench.send(f.acceptAdmin(issuer.address), stranger)
    assert f.adminOf(issuer.address).call() == stranger.address
    assert int(f.pendingAdminOf(issuer.address).call(), 16) == 0
    error = bench.refusal(f.setProfile(issuer.address, "x"), issuer)
    assert error is not None
    assert error.name == "NotAdmin"
    bench.send(f.setProfile(issuer.address, "x"), stranger)
    assert f.headOf(issuer.address).call() == heads_of(bench.events())[issuer.address]


def test_a_proposal_can_be_taken_back(bench: Bench, issuer: Person, stranger: Person) -> None:
    nobody = "0x" + "00" * 20
    bench.send(bench.functions.proposeAdmin(issuer.address, stranger.address), issuer)
    bench.send(bench.functions.proposeAdmin(issuer.address, nobody), issuer)
    error = bench.refusal(bench.functions.acceptAdmin(issuer.address), stranger)
    assert error is not None
    assert error.name == "NotPendingAdmin"


def test_retiring_now_is_stored_as_block_time_and_repeating_it_is_silent(
    bench: Bench, issuer: Person, key: Person
) -> None:
    retire = bench.functions.retireKey(issuer.address, key.address, NOW, 0)
    bench.send(retire, issuer)
    at = bench.time
    assert bench.functions.keyOf(key.address).call() == (issuer.address, at, at, ALL_ROLES)
    bench.wait()
    assert bench.send(retire, issuer)["logs"] == []
    exactly = bench.functions.retireKey(issuer.address, key.address, at, 0)
    assert bench.send(exactly, issuer)["logs"] == []


def test_a_back_dated_retirement_shows_when_it_was_said(bench: Bench, issuer: Person, key: Person) -> None:
    valid_until = bench.wait()
    receipt = bench.send(bench.functions.retireKey(issuer.address, key.address, valid_until, 6), issuer)
    assert bench.functions.keyOf(key.address).call() == (issuer.address, valid_until, bench.time, ALL_ROLES)
    event = bench.decode(receipt["logs"][0])
    assert (event["args"]["validUntil"], event["args"]["at"]) == (valid_until, bench.time)


def test_what_a_thief_revoked_and_withdrew_can_be_annulled(
    bench: Bench, issuer: Person, key: Person, root: bytes
) -> None:
    f = bench.functions
    bench.send(f.revoke(root, [(0, ALL_BITS)], 3), key)
    bench.send(f.withdraw(root, 1), key)
    assert bench.status(issuer, root, 255) == Status.WITHDRAWN
    bench.send(f.annul(issuer.address, root, [(0, 1 << 255)], 1), issuer)
    bench.send(f.annulWithdrawal(issuer.address, root, 1), issuer)
    assert f.batchOf(issuer.address, root).call()[2:] == (0, 0)
    assert bench.status(issuer, root, 255) == Status.GOOD
    assert bench.status(issuer, root, 254) == Status.REVOKED


def test_changes_are_in_the_event_as_given(bench: Bench, key: Person, root: bytes) -> None:
    given = [(3, 1), (0, 0), (3, 1), (2**64 - 1, 1)]
    receipt = bench.send(bench.functions.revoke(root, given, 65_535), key)
    args = bench.decode(receipt["logs"][0])["args"]
    assert [(c["word"], c["mask"]) for c in args["changes"]] == given
    assert args["reason"] == 65_535


@pytest.mark.parametrize("changes", [[], [(0, 0)], [(5, 0), (6, 0)]])
def test_changes_that_change_nothing_leave_no_event(
    changes: list[tuple[int, int]], bench: Bench, issuer: Person, key: Person, root: bytes
) -> None:
    for call in (bench.functions.revoke, bench.functions.suspend, bench.functions.reinstate):
        assert bench.send(call(root, changes, 0), key)["logs"] == []
    assert bench.send(bench.functions.annul(issuer.address, root, changes, 0), issuer)["logs"] == []


def test_status_is_the_first_that_applies(bench: Bench, issuer: Person, key: Person) -> None:
    f, root = bench.functions, OTHER
    found = [bench.status(issuer, root, 300)]
    steps = [
        (f.anchor(root), key),
        (f.suspend(root, [(1, 1 << 44)], 7), key),
        (f.revoke(root, [(1, 1 << 44)], 1), key),
        (f.withdraw(root, 2), key),
        (f.retireKey(issuer.address, key.address, 1, 6), issuer),
    ]
    for call, sender in steps:
        bench.send(call, sender)
        found.append(bench.status(issuer, root, 300))
    assert found == [
        Status.NOT_ANCHORED,
        Status.GOOD,
        Status.SUSPENDED,
        Status.REVOKED,
        Status.WITHDRAWN,
        Status.DISTRUSTED,
    ]


def test_reinstating_leaves_a_revocation(bench: Bench, issuer: Person, key: Person, root: bytes) -> None:
    f = bench.functions
    bench.send(f.suspend(root, [(0, 1)], 7), key)
    bench.send(f.revoke(root, [(0, 1)], 1), key)
    bench.send(f.reinstate(root, [(0, 1)], 0), key)
    assert bench.status(issuer, root, 0) == Status.REVOKED


def test_an_untrusted_anchor_is_taken_over_and_a_trusted_one_is_not(
    bench: Bench, issuer: Person, key: Person, root: bytes
) -> None:
    fresh = bench.people[4]
    bench.add_key(issuer, fresh)
    before = bench.time
    assert bench.anchor(fresh, root)["logs"] == []
    bench.send(bench.functions.retireKey(issuer.address, key.address, before, 6), issuer)
    assert bench.anchor(fresh, root)["logs"] == []  # anchored before `before`: still trusted
    bench.send(bench.functions.retireKey(issuer.address, key.address, 1, 6), issuer)
    assert bench.status(issuer, root, 0) == Status.DISTRUSTED
    assert len(bench.anchor(fresh, root)["logs"]) == 1
    assert bench.functions.batchOf(issuer.address, root).call() == (fresh.address, bench.time, 0, 0)
