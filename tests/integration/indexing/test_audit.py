"""What an auditor is told: the same from the server and from the chain alone, and each difference by its
name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from registry.chain.calls import encode_call
from registry.cli import exits
from registry.cli.auditing import audit_app
from registry.encoding import Root, parse_time, to_checksum
from registry.model.chain import CallKind, Change, ContractCall
from registry.model.issuers import Caller
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.services.auditing.consistency import Difference
from registry.services.auditing.views import audit_json
from tests.integration.indexing.conftest import Watched
from tests.support import hostile_node as hostile
from tests.support.chains import root_of
from tests.support.hostile_node import hostile_node
from tests.support.pipeline import ADMIN


@pytest.fixture
def caller(watched: Watched) -> Caller:
    return watched.world.hosted()[1]


def story(watched: Watched, caller: Caller) -> list[Root]:
    """Everything a hosted issuer can do, and a key retired as of a time between its two batches."""
    world = watched.world
    first = watched.issue(caller, "first")
    for kind in (RequestKind.REVOCATION, RequestKind.SUSPENSION, RequestKind.ANNULMENT):
        world.status.change(caller, kind, first[:2], Reason.MISCONDUCT)
        world.settle()
    batch = world.issuing.entries_by_digest(first[0])[0]
    world.status.withdraw(caller, batch.batch_id, Reason.ISSUED_IN_ERROR)
    world.settle()
    world.driven.mine(2)
    retired = datetime.fromtimestamp(world.chain.latest().timestamp, UTC)
    second = watched.issue(caller, "second")
    world.clock.advance(60)
    assert caller.issuer is not None
    key = world.issuers.get(caller.issuer).key
    world.issuers.retire_key(caller, caller.issuer, key, retired, Reason.KEY_COMPROMISE)
    world.settle()
    return [root for d in (first, second) if (root := world.issuing.entries_by_digest(d[0])[0].root)]


def audit_by_rpc(watched: Watched, caller: Caller, *options: str) -> tuple[int, Any]:
    assert caller.issuer is not None
    arguments = ["issuer", to_checksum(caller.issuer), "--rpc", watched.node.url, "--json", *options]
    result = CliRunner().invoke(audit_app, arguments)
    return result.exit_code, json.loads(result.stdout) if result.stdout else None


def differences(watched: Watched) -> dict[str, list[Difference]]:
    found: dict[str, list[Difference]] = {}
    for difference in watched.audit.consistency().differences:
        found.setdefault(difference.kind, []).append(difference)
    return found


def test_history_from_the_chain_alone_is_the_servers(
    watched: Watched, caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    roots = story(watched, caller)
    code, found = audit_by_rpc(watched, caller)
    assert caller.issuer is not None
    assert code == exits.DONE
    assert found == json.loads(json.dumps(audit_json(watched.audit.issuer(caller.issuer))))
    assert found["head"]["match"]
    assert found["totals"]["revoked"] == 0
    assert found["totals"]["suspended"] == 2
    assert found["totals"]["batches_withdrawn"] == 1
    assert [voided["root"] for voided in found["voided"]] == ["0x" + roots[1].hex()]


def test_history_as_of_a_block_ends_there(
    watched: Watched, caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    story(watched, caller)
    assert caller.issuer is not None
    events = watched.world.events(caller.issuer)
    code, found = audit_by_rpc(watched, caller, "--block", str(events[1].block_number))
    assert code == exits.DONE
    assert len(found["events"]) == 2
    assert found["head"]["match"]


def test_node_that_hides_an_event_is_named_by_the_exit_code(
    watched: Watched, caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    story(watched, caller)
    logs = watched.node
    logs.add(hostile.changed_logs(lambda found: found[:-1]))
    code, found = audit_by_rpc(watched, caller)
    assert code == exits.INVALID
    assert not found["head"]["match"]


def test_two_nodes_that_differ_give_no_history(
    watched: Watched, caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    story(watched, caller)
    watched.node.add(hostile.changed_logs(lambda found: found[:-1]))
    with hostile_node(watched.world.driven.backend()) as honest:
        arguments = ["issuer", to_checksum(caller.issuer or b"")]
        result = CliRunner().invoke(audit_app, [*arguments, "--rpc", f"{watched.node.url},{honest.url}"])
    assert result.exit_code == exits.UNDECIDED


def test_story_of_the_server_itself_differs_in_nothing_but_what_the_retirement_voids(
    watched: Watched, caller: Caller
) -> None:
    roots = story(watched, caller)
    found = differences(watched)
    assert set(found) == {"anchor_voided"}
    assert [difference.root for difference in found["anchor_voided"]] == [roots[1]]
    assert found["anchor_voided"][0].batch_id is not None


def test_feed_tells_of_admins_and_profiles_and_writes_times_as_the_api_does(watched: Watched) -> None:
    world = watched.world
    driven = world.driven
    own = driven.issuer
    world.issuers.register(ADMIN, "Another College", "https://college.example/", own)
    short, long = b"https://college.example/profile", b"https://college.example/" + b"x" * 3000
    for data in (
        encode_call("setProfile", ("address", own), ("bytes", long)),
        encode_call("setProfile", ("address", own), ("bytes", short)),
        encode_call("proposeAdmin", ("address", own), ("address", own)),
        encode_call("acceptAdmin", ("address", own)),
    ):
        assert driven.mined(driven.sign(world.chain.info.address, data)).status == 1
    world.indexer.catch_up()
    with world.store.read() as unit:
        items = unit.feed.after(0, 100, issuer=own)
    assert [item.kind for item in items] == ["profile.set", "profile.set", "admin.proposed", "admin.changed"]
    assert [item.payload.get("uri") for item in items] == [None, short.decode(), None, None]
    assert [item.payload.get("admin") for item in items] == [None, None, *[to_checksum(own)] * 2]
    for item in items:
        block = world.chain.header(item.payload["block_number"])
        assert parse_time(item.payload["at"]).timestamp() == block.timestamp
        assert "reason" not in item.payload


def test_anchor_by_the_operating_key_outside_the_server_is_named(watched: Watched, caller: Caller) -> None:
    watched.anchor_outside(caller, root_of(7))
    found = differences(watched)
    assert set(found) == {"anchor_not_made_here"}
    assert [difference.root for difference in found["anchor_not_made_here"]] == [root_of(7)]


def test_revocation_outside_the_server_counts_and_is_named(watched: Watched, caller: Caller) -> None:
    given = watched.issue(caller, "robbed")
    entry = watched.world.issuing.entries_by_digest(given[1])[0]
    call = ContractCall(
        CallKind.REVOKE,
        entry.issuer,
        root=entry.root,
        changes=(Change(0, 1 << entry.index),),
        reason=int(Reason.MISCONDUCT),
    )
    watched.outside(caller, call)
    assert watched.outcome(given[1]) == "revoked"
    assert set(differences(watched)) == {"status_not_requested"}
    watched.world.status.change(caller, RequestKind.ANNULMENT, [given[1]], Reason.KEY_COMPROMISE)
    watched.world.settle()
    assert watched.outcome(given[1]) == "valid"
    assert set(differences(watched)) == {"status_not_requested"}


def test_server_goes_on_after_its_key_was_used_outside(watched: Watched, caller: Caller) -> None:
    watched.anchor_outside(caller, root_of(7))
    given = watched.issue(caller, "afterwards")
    assert watched.outcome(given[0]) == "valid"
    assert set(differences(watched)) == {"anchor_not_made_here"}


def test_record_that_the_chain_does_not_have_is_named(watched: Watched, caller: Caller) -> None:
    watched.issue(caller, "taken away")
    world = watched.world
    depth = world.chain.latest().number - world.anchors()[0].block_number + 1
    world.driven.replace(depth)
    world.indexer.catch_up()
    assert "anchor_missing" in differences(watched)
