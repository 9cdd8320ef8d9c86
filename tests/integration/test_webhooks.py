"""From an event on chain to a receiver: signed, tried again, switched off, replayed; over the whole
application."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_bytes
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from api.webhook_views import delivery_json
from registry.bootstrap import WEBHOOK_KEY_FILE, App, build, webhook_secrets
from registry.encoding import Digest, DigestMethod, to_hex
from registry.errors import (
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ValidationError,
    WrongStateError,
)
from registry.model.batches import BatchState
from registry.model.issuers import Caller, Scope
from registry.model.operations import OperationState, RequestKind
from registry.model.reasons import Reason
from registry.model.webhooks import EVENT_KINDS, DeliveryState
from registry.net.posting import Posting
from registry.ports.webhooks import Posted
from registry.services.chain_feed import CURSOR as INDEXER
from registry.services.chain_feed import KINDS
from registry.services.issuing import NewItem
from registry.services.webhooks.management import MAX_WEBHOOKS, Changes
from registry.settings import load_settings
from tests.api.support import FrontEnd, captured_records
from tests.support.pipeline import ADMIN, ManualClock

UNSETTLED = frozenset({OperationState.QUEUED, OperationState.SUBMITTED, OperationState.MINED})


@dataclass
class Receiver:
    """Keeps what comes and answers with ``status``."""

    status: int = 204
    messages: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/hook"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.messages]


@dataclass
class Desk:
    """A server that is worked by hand, an issuer, and a receiver."""

    app: App
    clock: ManualClock
    receiver: Receiver
    caller: Caller
    token: str
    address: bytes

    def deliver(self, rounds: int = 200) -> None:
        """Until nothing is due."""
        for _ in range(rounds):
            if not self.app.courier.step():
                return
        raise AssertionError("deliveries do not come to rest")

    def work(self) -> None:
        """Until the chain has everything finally, and the feed has told it."""
        for _ in range(600):
            self.app.worker.step()
            latest = self.app.chain.latest().number
            with self.app.store.read() as unit:
                open_ones = unit.outbox.operations(states=UNSETTLED)
                told = unit.feed.cursor(INDEXER)
            if not open_ones and told >= latest:
                return
            time.sleep(0.05)
        raise AssertionError("the chain does not come to rest")

    def batch(self, *external_ids: str) -> list[Digest]:
        digests = [Digest(token_bytes(32)) for _ in external_ids]
        items = [
            NewItem(digest, DigestMethod.OPAQUE, name)
            for digest, name in zip(digests, external_ids, strict=True)
        ]
        made = self.app.issuing.create_batch(self.caller, items)
        self.work()
        with self.app.store.read() as unit:
            batch = unit.batches.by_id(made.id)
        assert batch is not None
        assert batch.state is BatchState.FINAL
        return digests

    def last(self, webhook_id: str) -> dict[str, Any]:
        return delivery_json(self.app.webhooks.deliveries(self.caller, webhook_id, limit=1)[0])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.messages.append((headers, self.rfile.read(length)))
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made
        server.shutdown()


@pytest.fixture
def desk(tmp_path: Path, receiver: Receiver) -> Iterator[Desk]:
    clock = ManualClock()
    settings = load_settings(data_dir=tmp_path, poll_seconds=0.05, webhook_hosts=f"localhost:{receiver.port}")
    app = build(settings, clock=clock)
    try:
        made = app.issuers.register(ADMIN, "Test College", "https://college.example", None)
        caller = app.access.authenticate(made.token)
        desk = Desk(app, clock, receiver, caller, made.token, made.issuer.address)
        desk.work()
        yield desk
    finally:
        app.close()


def test_kinds_are_those_that_the_feed_tells() -> None:
    assert set(EVENT_KINDS) == {*KINDS.values(), "batch.sealed", "batch.final", "batch.failed"}


def test_final_batch_and_revocation_reach_the_receiver_signed_and_name_the_credentials(desk: Desk) -> None:
    webhook, secret = desk.app.webhooks.create(
        desk.caller, desk.receiver.url, ["batch.final", "credential.revoked"]
    )
    digests = desk.batch("a", "b", "c")
    desk.app.status.change(
        desk.caller, RequestKind.REVOCATION, [digests[2], digests[0]], Reason.ISSUED_IN_ERROR
    )
    desk.work()
    desk.deliver()
    revoked, final = sorted(desk.receiver.bodies, key=lambda body: body["type"], reverse=True)
    assert final["type"] == "batch.final"
    assert final["data"]["size"] == 3
    assert revoked["type"] == "credential.revoked"
    assert revoked["data"]["reason"] == "issued_in_error"
    assert revoked["data"]["count"] == 2
    assert [one["digest"] for one in revoked["data"]["credentials"]] == [
        to_hex(digests[0]),
        to_hex(digests[2]),
    ]
    assert [one["external_id"] for one in revoked["data"]["credentials"]] == ["a", "c"]
    assert "changes" not in revoked["data"]
    verifier = Verifier(secret)
    for headers, body in desk.receiver.messages:
        verifier.verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            verifier.verify(body.replace(b"final", b"fines").replace(b"revoked", b"revoken"), headers)
    assert len({headers["webhook-id"] for headers, _ in desk.receiver.messages}) == 2
    counts = desk.app.webhooks.get(desk.caller, webhook.id).counts
    assert counts == {DeliveryState.DELIVERED: 2}


def test_erased_credential_is_not_named_in_a_later_attempt(desk: Desk) -> None:
    desk.app.webhooks.create(desk.caller, desk.receiver.url, ["credential.revoked"])
    digests = desk.batch("a", "b")
    desk.app.status.change(desk.caller, RequestKind.REVOCATION, digests, Reason.UNSPECIFIED)
    desk.work()
    desk.receiver.status = 500
    desk.deliver()
    assert len(desk.receiver.bodies[0]["data"]["credentials"]) == 2
    desk.app.issuing.erase(desk.caller, digests[0])
    desk.clock.advance(6)
    desk.receiver.status = 200
    desk.deliver()
    (left,) = desk.receiver.bodies[1]["data"]["credentials"]
    assert left["digest"] == to_hex(digests[1])
    assert digests[0].hex().encode() not in desk.receiver.messages[1][1]


def test_failing_receiver_is_tried_again_for_days_under_one_id_and_then_given_up(desk: Desk) -> None:
    webhook, _ = desk.app.webhooks.create(desk.caller, desk.receiver.url)
    desk.app.webhooks.test(desk.caller, webhook.id)
    desk.receiver.status = 503
    state = random.getstate()
    began = desk.clock.now()
    for attempt in range(1, 11):
        desk.deliver()
        assert len(desk.receiver.messages) == attempt
        desk.deliver()
        told = desk.last(webhook.id)
        assert (told["attempts"], told["status"]) == (attempt, 503)
        if attempt < 10:
            assert told["state"] == "waiting"
            following = desk.app.webhooks.deliveries(desk.caller, webhook.id)[0].next_at
            assert following is not None
            desk.clock.advance((following - desk.clock.now()).total_seconds())
    assert desk.last(webhook.id)["state"] == "failed"
    assert desk.last(webhook.id)["error"] == "answered with status 503"
    assert random.getstate() == state, "pauses are drawn from the generator that others seed"
    assert desk.clock.now() - began > timedelta(days=2.5)
    assert len({headers["webhook-id"] for headers, _ in desk.receiver.messages}) == 1
    desk.receiver.status = 200
    desk.app.webhooks.replay(desk.caller, webhook.id, desk.last(webhook.id)["id"])
    desk.deliver()
    assert desk.last(webhook.id)["state"] == "delivered"
    assert len({headers["webhook-id"] for headers, _ in desk.receiver.messages}) == 1


def test_receiver_that_is_gone_is_switched_off_and_told_what_it_missed_when_it_comes_back(desk: Desk) -> None:
    began = desk.clock.now()
    webhook, _ = desk.app.webhooks.create(desk.caller, desk.receiver.url, ["batch.final"])
    desk.receiver.status = 410
    desk.batch("a")
    desk.deliver()
    view = desk.app.webhooks.get(desk.caller, webhook.id)
    assert view.webhook.off_reason == "the receiver answered 410 Gone"
    desk.batch("b")
    desk.deliver()
    assert len(desk.receiver.messages) == 1
    for refused in (
        lambda: desk.app.webhooks.test(desk.caller, webhook.id),
        lambda: desk.app.webhooks.replay(desk.caller, webhook.id, 1),
        lambda: desk.app.webhooks.replay_since(desk.caller, webhook.id, began),
    ):
        with pytest.raises(WrongStateError):
            refused()
    desk.receiver.status = 200
    assert desk.app.webhooks.change(desk.caller, webhook.id, Changes(enabled=True)).webhook.off_at is None
    assert desk.app.webhooks.replay_since(desk.caller, webhook.id, began) == 2
    desk.deliver()
    assert [body["data"]["size"] for body in desk.receiver.bodies] == [1, 1, 1]
    assert desk.app.webhooks.replay_since(desk.caller, webhook.id, began) == 0
    with pytest.raises(ValidationError):
        desk.app.webhooks.replay_since(desk.caller, webhook.id, began - timedelta(days=31))


def test_webhook_to_which_nothing_could_be_delivered_for_five_days_is_switched_off(desk: Desk) -> None:
    webhook, _ = desk.app.webhooks.create(desk.caller, desk.receiver.url)
    desk.receiver.status = 500
    for _ in range(3):
        desk.app.webhooks.test(desk.caller, webhook.id)
        desk.deliver()
        desk.clock.advance(2.6 * 86_400)
    view = desk.app.webhooks.get(desk.caller, webhook.id)
    assert view.webhook.off_reason == "nothing could be delivered for 5 days"
    assert DeliveryState.WAITING not in view.counts


def test_process_that_dies_while_sending_leaves_a_message_that_is_sent_again(desk: Desk) -> None:
    webhook, _ = desk.app.webhooks.create(desk.caller, desk.receiver.url)
    desk.app.webhooks.test(desk.caller, webhook.id)
    now = desk.clock.now()
    with desk.app.store.write() as unit:  # as the process that dies had done
        unit.webhooks.claim(now, now + timedelta(minutes=2), each=2, limit=2, without=[])
    desk.deliver()
    assert desk.receiver.messages == []
    desk.clock.advance(121)
    desk.deliver()
    assert len(desk.receiver.messages) == 1


def test_rotated_secret_signs_beside_the_old_one_for_a_day(desk: Desk) -> None:
    webhook, old = desk.app.webhooks.create(desk.caller, desk.receiver.url)
    _, new = desk.app.webhooks.rotate(desk.caller, webhook.id)
    desk.app.webhooks.test(desk.caller, webhook.id)
    desk.deliver()
    headers, body = desk.receiver.messages[-1]
    for secret in (old, new):
        Verifier(secret).verify(body, headers)
    desk.clock.advance(25 * 3600)
    desk.app.webhooks.test(desk.caller, webhook.id)
    desk.deliver()
    headers, body = desk.receiver.messages[-1]
    assert len(headers["webhook-signature"].split()) == 1


def test_secrets_and_addresses_stay_out_of_database_and_log(desk: Desk) -> None:
    with captured_records() as records:
        webhook, secret = desk.app.webhooks.create(desk.caller, desk.receiver.url + "?token=hidden")
        desk.receiver.status = 410
        desk.app.webhooks.test(desk.caller, webhook.id)
        desk.deliver()
    text = "\n".join(record.getMessage() for record in records if record.name.startswith("registry"))
    assert "switched off" in text
    assert "hidden" not in text
    assert secret.removeprefix("whsec_") not in text + repr(webhook)
    with desk.app.store.read() as unit:
        stored = unit.webhooks.get(webhook.id)
    assert stored is not None
    assert secret.encode() not in stored.secret


def test_another_issuer_and_a_key_without_admin_have_no_part_in_it(desk: Desk) -> None:
    webhook, _ = desk.app.webhooks.create(desk.caller, desk.receiver.url)
    other = desk.app.issuers.register(ADMIN, "Other", "https://other.example", None)
    stranger = desk.app.access.authenticate(other.token)
    for refused in (
        lambda: desk.app.webhooks.get(stranger, webhook.id),
        lambda: desk.app.webhooks.change(stranger, webhook.id, Changes(enabled=False)),
        lambda: desk.app.webhooks.remove(stranger, webhook.id),
        lambda: desk.app.webhooks.rotate(stranger, webhook.id),
        lambda: desk.app.webhooks.test(stranger, webhook.id),
        lambda: desk.app.webhooks.deliveries(stranger, webhook.id),
        lambda: desk.app.webhooks.replay(stranger, webhook.id, 1),
    ):
        with pytest.raises(NotFoundError):
            refused()
    assert desk.app.webhooks.list(stranger) == []
    _, token = desk.app.access.create_key(desk.caller, desk.caller.issuer, "lms", [Scope.BATCH])  # type: ignore[arg-type]
    for caller in (desk.app.access.authenticate(token), ADMIN):
        with pytest.raises(ForbiddenError):
            desk.app.webhooks.list(caller)


def test_one_issuer_is_told_nothing_of_another(desk: Desk) -> None:
    other = desk.app.issuers.register(ADMIN, "Other", "https://other.example", None)
    stranger = desk.app.access.authenticate(other.token)
    desk.app.webhooks.create(stranger, desk.receiver.url)
    desk.work()
    desk.deliver()
    before = len(desk.receiver.messages)
    desk.batch("a")
    desk.deliver()
    assert len(desk.receiver.messages) == before


def test_issuer_has_a_bounded_number_of_webhooks(desk: Desk) -> None:
    for _ in range(MAX_WEBHOOKS):
        desk.app.webhooks.create(desk.caller, desk.receiver.url)
    with pytest.raises(ConflictError):
        desk.app.webhooks.create(desk.caller, desk.receiver.url)


def test_whole_path_by_http(desk: Desk) -> None:
    front = FrontEnd(desk.app)

    def send(method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = front.send(method, f"/v1/webhooks{path}", desk.token, json=body, headers=headers)
        return answer.status_code, answer.json() if answer.content else None

    for bad, pointer in (
        ({"url": "http://hooks.example/"}, "/url"),
        ({"url": "https://10.0.0.1/"}, "/url"),
        ({"url": desk.receiver.url, "kinds": ["batch.unknown"]}, "/kinds/0"),
        ({"url": desk.receiver.url, "secret": "mine"}, "/secret"),
        ({}, "/url"),
    ):
        status, problem = send("POST", "", bad)
        assert (status, problem["errors"][0]["pointer"]) == (422, pointer)
    status, made = send("POST", "", {"url": desk.receiver.url}, **{"Idempotency-Key": "k1"})
    assert status == 201
    assert made["secret"].startswith("whsec_")
    status, again = send("POST", "", {"url": desk.receiver.url}, **{"Idempotency-Key": "k1"})
    assert (status, again["id"], "secret" in again) == (201, made["id"], False)
    here = f"/{made['id']}"
    assert send("GET", "")[1]["items"] == [again]
    assert send("POST", f"{here}/test") == (202, {"count": 1})
    desk.deliver()
    status, page = send("GET", f"{here}/deliveries?state=delivered")
    (delivery,) = page["items"]
    assert (delivery["kind"], delivery["status"], delivery["event"]) == ("webhook.test", 204, None)
    assert send("POST", f"{here}/deliveries/{delivery['id']}/replay") == (202, {"count": 1})
    assert send("POST", f"{here}/deliveries/x/replay")[0] == 404
    assert send("POST", f"{here}/deliveries/99/replay")[0] == 404
    status, changed = send("PATCH", here, {"kinds": ["key.added"], "description": "LMS", "enabled": False})
    assert (status, changed["kinds"], changed["enabled"]) == (200, ["key.added"], False)
    assert send("PATCH", here, {})[0] == 422
    assert send("POST", f"{here}/test")[0] == 409
    assert send("PATCH", here, {"enabled": True})[1]["off_reason"] is None
    assert send("POST", f"{here}/secret")[1]["secret"] != made["secret"]
    assert send("POST", f"{here}/replay", {"since": "2020-01-01T00:00:00Z"})[0] == 422
    assert send("DELETE", here) == (204, None)
    assert send("GET", here)[0] == 404
    assert front.send("GET", "/v1/webhooks").status_code == 401


def test_defect_while_sending_one_message_stops_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook, _ = desk.app.webhooks.create(desk.caller, desk.receiver.url)
    real = Posting.post
    broken = iter([True])

    def post(self: Posting, url: str, headers: Any, body: bytes) -> Posted:
        if next(broken, False):
            raise ZeroDivisionError
        return real(self, url, headers, body)

    monkeypatch.setattr(Posting, "post", post)
    for _ in range(2):
        desk.app.webhooks.test(desk.caller, webhook.id)
    desk.deliver()
    counts = desk.app.webhooks.get(desk.caller, webhook.id).counts
    assert counts == {DeliveryState.DELIVERED: 1, DeliveryState.WAITING: 1}


def test_key_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    (tmp_path / WEBHOOK_KEY_FILE).write_text("not a key")
    with pytest.raises(ConfigurationError, match=WEBHOOK_KEY_FILE):
        webhook_secrets(tmp_path)
    (tmp_path / WEBHOOK_KEY_FILE).unlink()
    sealed = webhook_secrets(tmp_path).seal(b"s", "n")
    assert webhook_secrets(tmp_path).open(sealed, "n") == b"s"
