"""Who may do what: keys, scopes, expiry, rotation; and that a key's token is nowhere but in its answer."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest

from registry.bootstrap import App
from registry.logs import JsonFormatter
from tests.api.conftest import Api, new_digest
from tests.api.support import FrontEnd, captured_records, problem

SCOPES = ("batch", "status", "read", "audit", "admin")
EVERY_KEY = frozenset(SCOPES)
SERVER = "server"  # the admin token
UNKNOWN_KEY = "0x" + "11" * 20


def _with_digest() -> dict[str, Any]:
    return {"digests": [new_digest()]}


# method, path, body, who may: scopes of the issuer's keys, and the server's admin
ROUTES: list[tuple[str, str, Any, frozenset[str]]] = [
    ("POST", "/v1/batches", _with_digest, frozenset({"batch"})),
    ("POST", "/v1/credentials", lambda: {"digest": new_digest()}, frozenset({"batch"})),
    ("POST", "/v1/batches/nope/seal", None, frozenset({"batch"})),
    ("POST", "/v1/batches/nope/retry", None, frozenset({"batch"})),
    ("POST", "/v1/batches/nope/approval", None, frozenset({"batch"})),
    ("DELETE", f"/v1/credentials/{'0x' + '6c' * 32}", None, frozenset({"batch"})),
    ("POST", "/v1/revocations", _with_digest, frozenset({"status"})),
    ("POST", "/v1/suspensions", _with_digest, frozenset({"status"})),
    ("POST", "/v1/reinstatements", _with_digest, frozenset({"status"})),
    ("POST", "/v1/batches/nope/withdrawal", dict, frozenset({"status"})),
    ("POST", "/v1/requests/nope/approval", None, frozenset({"status"})),
    ("POST", "/v1/annulments", _with_digest, frozenset({"admin"})),
    ("POST", "/v1/batches/nope/withdrawal-annulment", dict, frozenset({"admin"})),
    ("GET", "/v1/issuers/{issuer}/api-keys", None, frozenset({"admin", SERVER})),
    (
        "POST",
        "/v1/issuers/{issuer}/api-keys",
        lambda: {"label": "made", "scopes": ["read"]},
        frozenset({"admin", SERVER}),
    ),
    ("DELETE", "/v1/issuers/{issuer}/api-keys/nope", None, frozenset({"admin", SERVER})),
    (
        "POST",
        "/v1/issuers/{issuer}/keys",
        lambda: {"key": UNKNOWN_KEY, "roles": ["anchor"]},
        frozenset({"admin", SERVER}),
    ),
    (
        "POST",
        f"/v1/issuers/{{issuer}}/keys/{UNKNOWN_KEY}/retirement",
        lambda: {"valid_until": "2026-01-01T00:00:00Z"},
        frozenset({"admin", SERVER}),
    ),
    ("POST", "/v1/issuers", lambda: {"name": "X", "url": "https://x.example"}, frozenset({SERVER})),
    ("GET", "/v1/audit/access", None, frozenset({SERVER})),
    ("GET", "/v1/batches/{batch}/proofs", None, EVERY_KEY | {SERVER}),
    ("GET", "/v1/credentials?external_id=x", None, EVERY_KEY),
    ("GET", "/v1/requests/nope", None, EVERY_KEY | {SERVER}),
    ("GET", "/v1/events", None, EVERY_KEY | {SERVER}),
]
PUBLIC = (
    "/v1/issuers",
    "/v1/issuers/{issuer}",
    "/v1/issuers/{issuer}/keys",
    "/v1/batches",
    "/v1/batches/{batch}",
    "/v1/credentials/{digest}",
    "/v1/credentials/{digest}/proof",
    "/v1/verify/{digest}",
    "/v1/revocations",
    "/v1/audit/events",
    "/v1/audit/issuers/{issuer}",
    "/v1/audit/consistency",
    "/v1/registry",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/problems",
)


@pytest.fixture(scope="module")
def keys(api: Api) -> dict[str, httpx.Client]:
    """A key with each single scope, the server's admin, another issuer's first key, nobody."""
    clients = {scope: api.client(_key(api, [scope])["api_key"]) for scope in SCOPES}
    _, stranger = api.register("Stranger")
    return clients | {SERVER: api.admin, "stranger": stranger, "nobody": api.public}


@pytest.fixture(scope="module")
def batch(api: Api) -> dict[str, Any]:
    digest = new_digest()
    return api.final_batch([digest]) | {"digest": digest}


def _key(api: Api, scopes: list[str], **more: Any) -> dict[str, Any]:
    body = {"label": f"only {scopes[0]}", "scopes": scopes, **more}
    response = api.issuer.post(f"/v1/issuers/{api.address}/api-keys", json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


@pytest.mark.parametrize(
    ("method", "path", "body", "allowed"), ROUTES, ids=[f"{route[0]} {route[1]}" for route in ROUTES]
)
def test_each_scope_may_do_exactly_its_things(
    api: Api,
    keys: dict[str, httpx.Client],
    batch: dict[str, Any],
    method: str,
    path: str,
    body: Any,
    allowed: frozenset[str],
) -> None:
    path = path.format(issuer=api.address, batch=batch["id"])
    for who in (*SCOPES, SERVER):
        response = keys[who].request(method, path, json=body() if body else None)
        if who in allowed:
            assert response.status_code not in (401, 403, 500), (who, response.text)
        else:
            problem(response, 403, "forbidden")
    refused = keys["nobody"].request(method, path, json=body() if body else None)
    problem(refused, 401, "unauthorized")
    assert refused.headers["www-authenticate"] == "Bearer"
    if "{issuer}" in path or "{batch}" in path or api.address in path:
        problem(keys["stranger"].request(method, path, json=body() if body else None), 403, "forbidden")


@pytest.mark.parametrize("path", PUBLIC)
def test_public_reads_need_no_key(api: Api, batch: dict[str, Any], path: str) -> None:
    path = path.format(issuer=api.address, batch=batch["id"], digest=batch["digest"])
    assert api.public.get(path).status_code == 200


def test_stranger_cannot_touch_a_batch_or_request_of_another_issuer(
    api: Api, keys: dict[str, httpx.Client], batch: dict[str, Any]
) -> None:
    stranger = keys["stranger"]
    for step in ("seal", "retry", "approval"):
        problem(stranger.post(f"/v1/batches/{batch['id']}/{step}"), 404, "not-found")
    problem(stranger.post(f"/v1/batches/{batch['id']}/withdrawal", json={}), 404, "not-found")
    problem(stranger.delete(f"/v1/credentials/{batch['digest']}"), 404, "not-found")
    assert api.public.get(f"/v1/verify/{batch['digest']}").json()["outcome"] == "valid"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic abc", "rmk_abc", "Bearer rmk_" + "A" * 43, "Bearer \xff", "Bearer a b"],
)
def test_wrong_key_is_unauthorized_and_never_said_why(api: Api, header: str) -> None:
    response = api.public.get("/v1/events", headers={"Authorization": header.encode("latin-1")})
    found = problem(response, 401, "unauthorized")
    assert found["errors"] == []


def test_scheme_of_the_key_may_be_written_in_any_case(api: Api) -> None:
    token = _key(api, ["read"])["api_key"]
    assert api.public.get("/v1/events", headers={"Authorization": f"bEARER {token}"}).status_code == 200


def test_expired_key_is_refused(api: Api) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    made = _key(api, ["read"], expires_at=until.isoformat())
    assert api.client(made["api_key"]).get("/v1/events").status_code == 200

    class Later:
        def now(self) -> datetime:
            return until

    access = type(api.app.access)(api.app.store, Later(), b"")
    front = FrontEnd(api.app, access=access)
    problem(front.send("GET", "/v1/events", made["api_key"]), 401, "unauthorized")


def test_expiry_in_the_past_is_refused(api: Api) -> None:
    body = {"label": "late", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}
    response = api.issuer.post(f"/v1/issuers/{api.address}/api-keys", json=body)
    assert problem(response, 422, "validation")["errors"][0]["pointer"] == "/expires_at"


def test_rotated_keys_overlap_until_the_old_one_is_deleted(api: Api) -> None:
    old, new = _key(api, ["read"]), _key(api, ["read"])
    first, second = api.client(old["api_key"]), api.client(new["api_key"])
    assert (first.get("/v1/events").status_code, second.get("/v1/events").status_code) == (200, 200)
    assert api.issuer.delete(f"/v1/issuers/{api.address}/api-keys/{old['id']}").status_code == 204
    problem(first.get("/v1/events"), 401, "unauthorized")
    assert second.get("/v1/events").status_code == 200
    listed = api.issuer.get(f"/v1/issuers/{api.address}/api-keys").json()["items"]
    assert [key["revoked_at"] is not None for key in listed if key["id"] == old["id"]] == [True]


def test_another_issuers_key_cannot_be_deleted_by_its_id(api: Api, keys: dict[str, httpx.Client]) -> None:
    victim = _key(api, ["read"])
    address, other = api.register("Deleter")
    problem(other.delete(f"/v1/issuers/{address}/api-keys/{victim['id']}"), 404, "not-found")
    assert api.client(victim["api_key"]).get("/v1/events").status_code == 200


def _database_bytes(app: App) -> bytes:
    return b"".join(
        path.read_bytes()
        for path in app.settings.data_dir.rglob("*")
        if path.is_file() and "token" not in path.name
    )


def test_token_is_shown_once_and_neither_stored_nor_logged(api: Api) -> None:
    with captured_records() as records:
        made = _key(api, ["read", "batch"])
        token = made["api_key"]
        client = api.client(token)
        assert client.get("/v1/events").status_code == 200
        problem(client.get(f"/v1/issuers/{api.address}/api-keys"), 403, "forbidden")
        listed = api.issuer.get(f"/v1/issuers/{api.address}/api-keys").text
        journal = api.admin.get("/v1/audit/access?limit=500").text
    assert made["id"] in listed
    assert token not in listed
    assert token not in journal
    assert made["id"] in journal
    stored = _database_bytes(api.app)
    assert sha256(token.encode()).digest() in stored
    assert token.encode() not in stored
    formatter = JsonFormatter()
    assert not [record for record in records if token in formatter.format(record)]
    assert [
        record for record in records if record.name == "rootmark.access" and record.levelno == logging.INFO
    ]


# --- limits -------------------------------------------------------------------------------------------------

LIMITS = {"rate_limit_per_minute": 4, "rate_limit_per_minute_key": 9}


def _statuses(front: FrontEnd, count: int, headers: list[dict[str, str]]) -> list[int]:
    async def talk(client: httpx.AsyncClient) -> list[int]:
        return [
            (await client.get("/v1/batches/nope", headers=headers[i % len(headers)])).status_code
            for i in range(count)
        ]

    statuses: list[int] = front.run(talk)
    return statuses


def test_address_is_limited_and_told_when_to_come_again(api: Api) -> None:
    front = FrontEnd(api.app, "192.0.2.1", settings=LIMITS)
    assert _statuses(front, 4, [{}]) == [404] * 4
    response = front.send("GET", "/v1/batches/nope")
    problem(response, 429, "rate-limited")
    assert 1 <= int(response.headers["retry-after"]) <= 15
    assert front.send("GET", "/health/live").status_code == 200


def test_key_in_force_may_do_more(api: Api) -> None:
    front = FrontEnd(api.app, "192.0.2.2", settings=LIMITS)
    key = {"Authorization": str(api.issuer.headers["authorization"])}
    statuses = _statuses(front, 15, [key])
    assert statuses.count(404) == 10  # the first one is the address's, until the key is known
    assert statuses[-5:] == [429] * 5


def test_wrong_keys_get_no_more_than_the_addresses_share(api: Api) -> None:
    front = FrontEnd(api.app, "192.0.2.3", settings=LIMITS)
    wrong = [{"Authorization": f"Bearer rmk_{i:043}"} for i in range(20)]
    assert _statuses(front, 20, wrong) == [404] * 4 + [429] * 16


def test_addresses_of_one_ipv6_site_share(api: Api) -> None:
    front = FrontEnd(api.app, "2001:db8::1", settings=LIMITS)
    assert _statuses(front, 5, [{}])[-1] == 429
    front.address = "2001:db8::ffff:2"
    assert front.send("GET", "/v1/batches/nope").status_code == 429
    front.address = "2001:db8:0:1::1"
    assert front.send("GET", "/v1/batches/nope").status_code == 404
