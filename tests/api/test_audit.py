"""Audit over HTTP: filters, times, exports, the feed, and where credentials are found."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from pyarrow import parquet

from registry.encoding import canonical_json
from registry.reports.checking import check_report, fingerprint_of
from registry.reports.signing import PdfSigner, make_identity
from tests.api.conftest import ON_BOTH, Api, new_digest
from tests.api.support import pointers, problem

pytestmark = ON_BOTH

CSV = {"Accept": "text/csv"}


@pytest.fixture(scope="module")
def story(api: Api) -> dict[str, Any]:
    """An issuer with a revocation, a suspension, its end, and a withdrawal that was annulled."""
    address, client = api.register("Audited College")
    digests = [new_digest() for _ in range(3)]
    headers = {"Prefer": "wait=60"}
    batch = client.post("/v1/batches", json={"digests": digests}, headers=headers).json()
    steps = [
        ("/v1/revocations", {"digests": [digests[0]], "reason": "misconduct"}),
        ("/v1/suspensions", {"digests": [digests[1]]}),
        ("/v1/reinstatements", {"digests": [digests[1]]}),
        (f"/v1/batches/{batch['id']}/withdrawal", {"reason": "issued_in_error"}),
        (f"/v1/batches/{batch['id']}/withdrawal-annulment", {}),
        ("/v1/annulments", {"digests": [digests[0]]}),
    ]
    for path, body in steps:
        api.final_request(client.post(path, json=body).json(), client)
    return {"address": address, "client": client, "digests": digests, "batch": batch}


def _items(api: Api, path: str) -> list[dict[str, Any]]:
    response = api.public.get(path)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


def test_revocations_hold_every_kind_of_change_in_order(api: Api, story: dict[str, Any]) -> None:
    items = _items(api, f"/v1/revocations?issuer={story['address']}")
    assert [item["kind"] for item in items] == [
        "revocation",
        "suspension",
        "reinstatement",
        "withdrawal",
        "annulment",
        "annulment",
    ]
    assert [item["digest"] for item in items[:3]] == [story["digests"][i] for i in (0, 1, 1)]
    assert {item["batch"] for item in items} == {story["batch"]["id"]}
    assert [item["reason"] for item in items[:2]] == ["misconduct", "administrative_hold"]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("kind=suspension", ["suspension"]),
        ("kind=annulment", ["annulment", "annulment"]),
        ("reason=issued_in_error", ["withdrawal"]),
        ("reason=misconduct&kind=suspension", []),
    ],
)
def test_revocations_are_filtered(api: Api, story: dict[str, Any], query: str, kinds: list[str]) -> None:
    items = _items(api, f"/v1/revocations?issuer={story['address']}&{query}")
    assert [item["kind"] for item in items] == kinds


def test_since_is_inclusive_and_until_exclusive(api: Api, story: dict[str, Any]) -> None:
    base = f"/v1/revocations?issuer={story['address']}"
    items = _items(api, base)
    at = items[0]["at"]
    same = [item for item in items if item["at"] == at]
    assert _items(api, f"{base}&since={at}") == items
    assert _items(api, f"{base}&until={at}") == []
    after = (datetime.fromisoformat(at) + timedelta(seconds=1)).isoformat().replace("+", "%2B")
    assert _items(api, f"{base}&until={after}") == same
    between = (datetime.fromisoformat(at) + timedelta(milliseconds=1)).isoformat().replace("+", "%2B")
    assert _items(api, f"{base}&since={between}") == items[len(same) :]


def test_as_of_a_block_shows_what_was_there_then(api: Api, story: dict[str, Any]) -> None:
    base = f"/v1/revocations?issuer={story['address']}"
    items = _items(api, base)
    block = items[2]["block_number"]
    assert _items(api, f"{base}&as_of={block}") == [item for item in items if item["block_number"] <= block]
    assert _items(api, f"{base}&as_of={items[0]['block_number'] - 1}") == []


def test_export_says_block_rows_and_digest(api: Api, story: dict[str, Any]) -> None:
    response = api.public.get(f"/v1/revocations?issuer={story['address']}", headers=CSV)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="revocations.csv"'
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert len(rows) == int(response.headers["x-row-count"]) == 6
    assert response.headers["x-content-sha256"] == sha256(response.content).hexdigest()
    assert response.headers["x-block-hash"].startswith("0x")
    assert int(response.headers["x-block-number"]) >= int(rows[-1]["block_number"])
    assert (rows[0]["kind"], rows[0]["final"], rows[0]["requested_by"]) == ("revocation", "true", "")


def test_export_is_paged_by_its_link(api: Api, story: dict[str, Any]) -> None:
    url: str | None = f"/v1/revocations?issuer={story['address']}&limit=4"
    counts = []
    while url:
        response = api.public.get(url, headers=CSV)
        counts.append(int(response.headers["x-row-count"]))
        url = response.links.get("next", {}).get("url")
    assert counts == [4, 2]


@pytest.mark.parametrize("path", ["/v1/revocations", "/v1/audit/events"])
def test_json_says_block_rows_and_digest_as_csv_does(api: Api, story: dict[str, Any], path: str) -> None:
    response = api.public.get(f"{path}?issuer={story['address']}&limit=2")
    assert response.headers["x-row-count"] == "2"
    assert response.headers["x-content-sha256"] == sha256(response.content).hexdigest()
    as_csv = api.public.get(f"{path}?issuer={story['address']}", headers=CSV)
    assert as_csv.headers["x-block-hash"].startswith("0x")
    assert int(response.headers["x-block-number"]) >= response.json()["items"][-1]["block_number"]
    exposed = response.headers["access-control-expose-headers"].lower().split(", ")
    assert {"x-row-count", "x-content-sha256", "x-block-number", "x-block-hash"} < set(exposed)


def test_events_are_exported_whole_and_by_pages(api: Api, story: dict[str, Any]) -> None:
    path = f"/v1/audit/events?issuer={story['address']}"
    whole = api.public.get(path, headers=CSV)
    assert whole.headers["content-type"] == "text/csv; charset=utf-8"
    assert whole.headers["content-disposition"] == 'attachment; filename="events.csv"'
    rows = list(csv.DictReader(io.StringIO(whole.text)))
    events = _items(api, path)
    assert len(rows) == int(whole.headers["x-row-count"]) == len(events)
    for name in ("kind", "at", "transaction", "head"):
        assert [row[name] for row in rows] == [event[name] for event in events]
    added, revoked = (next(row for row in rows if row["kind"] == kind) for kind in ("KeyAdded", "Revoked"))
    assert added["roles"] == "anchor suspend revoke"
    assert revoked["changes"] == f"0:0x{1:064x}"
    assert (revoked["root"], revoked["reason"]) == (story["batch"]["root"], "misconduct")
    url: str | None = f"{path}&limit=3"
    paged = []
    while url:
        page = api.public.get(url, headers=CSV)
        paged += list(csv.DictReader(io.StringIO(page.text)))
        url = page.links.get("next", {}).get("url")
    assert paged == rows


@pytest.mark.parametrize("path", ["/v1/revocations?", "/v1/audit/issuers/0x" + "11" * 20 + "?"])
def test_as_of_the_future_or_before_the_chain_is_refused(api: Api, path: str) -> None:
    tomorrow = (api.app.clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for as_of in (tomorrow, str(api.app.chain.latest().number + 1000), "1971-01-01T00:00:00Z"):
        found = problem(api.public.get(f"{path}as_of={as_of}"), 422, "validation")
        assert [(error["pointer"], error["code"]) for error in found["errors"]] == [("/as_of", "as-of")]


def test_as_of_a_time_shows_what_was_there_then(api: Api, story: dict[str, Any]) -> None:
    base = f"/v1/revocations?issuer={story['address']}"
    items = _items(api, base)
    for at in {item["at"] for item in items}:
        assert _items(api, f"{base}&as_of={at}") == [item for item in items if item["at"] <= at]


def test_history_as_of_a_block_or_a_time_ends_there(api: Api, story: dict[str, Any]) -> None:
    path = f"/v1/audit/issuers/{story['address']}"
    whole = api.public.get(path).json()
    third = whole["events"][2]
    for as_of in (third["block_number"], third["at"]):
        past = api.public.get(f"{path}?as_of={as_of}").json()
        assert past["head"]["match"] is True
        assert past["events"] == [e for e in whole["events"] if e["block_number"] <= past["block_number"]]
        assert third in past["events"]
        assert past["head"]["on_chain"] == past["events"][-1]["head"]


def test_list_under_another_media_type_is_refused(api: Api) -> None:
    response = api.public.get("/v1/revocations", headers={"Accept": "application/pdf"})
    problem(response, 415, "unsupported-media-type")


def test_who_requested_is_told_to_the_issuer_and_the_auditor_alone(api: Api, story: dict[str, Any]) -> None:
    path = f"/v1/revocations?issuer={story['address']}"
    assert {item["requested_by"] for item in story["client"].get(path).json()["items"]} == {"first key"}
    assert {item["requested_by"] for item in api.admin.get(path).json()["items"]} == {"first key"}
    for client in (api.public, api.issuer):
        assert {item["requested_by"] for item in client.get(path).json()["items"]} == {None}
    wrong = api.client("rmk_" + "A" * 43).get(path)
    problem(wrong, 401, "unauthorized")


def test_history_is_whole_and_leads_to_the_head_on_chain(api: Api, story: dict[str, Any]) -> None:
    history = api.public.get(f"/v1/audit/issuers/{story['address']}").json()
    assert history["head"]["match"] is True
    assert history["head"]["replayed"] == history["head"]["on_chain"]
    assert history["sha256"] == sha256(canonical_json(history["events"])).hexdigest()
    kinds = [event["kind"] for event in history["events"]]
    assert kinds == [event["kind"] for event in _items(api, f"/v1/audit/events?issuer={story['address']}")]
    assert {"KeyAdded", "BatchAnchored", "Revoked", "RevocationAnnulled", "WithdrawalAnnulled"} <= set(kinds)


def test_events_are_filtered_by_kind(api: Api, story: dict[str, Any]) -> None:
    items = _items(api, f"/v1/audit/events?issuer={story['address']}&kind=BatchAnchored")
    assert [item["root"] for item in items] == [story["batch"]["root"]]


def test_server_and_chain_agree_about_the_issuer(api: Api, story: dict[str, Any]) -> None:
    found = api.public.get("/v1/audit/consistency").json()
    assert [d for d in found["differences"] if d["issuer"] == story["address"]] == []


def test_journal_has_every_action_with_keys_and_none_of_their_tokens(api: Api, story: dict[str, Any]) -> None:
    path = f"/v1/issuers/{story['address']}/api-keys"
    made = story["client"].post(path, json={"label": "for a while", "scopes": ["read"]}).json()
    story["client"].delete(f"{path}/{made['id']}")
    items: list[dict[str, Any]] = []
    url: str | None = "/v1/audit/access?limit=500"
    while url:
        page = api.admin.get(url)
        items += page.json()["items"]
        url = page.links.get("next", {}).get("url")
    mine = [item["action"] for item in items if made["id"] in item["subject"]]
    assert mine == ["api-key.created", "api-key.revoked"]
    assert "issuer.registered" in {item["action"] for item in items}
    assert [item["id"] for item in items] == sorted(item["id"] for item in items)


def test_feed_is_in_order_and_continues_after_what_was_read(api: Api, story: dict[str, Any]) -> None:
    items = story["client"].get("/v1/events").json()["items"]
    ids = [item["id"] for item in items]
    assert ids == sorted(set(ids))
    rest = story["client"].get(f"/v1/events?after={ids[1]}").json()["items"]
    assert [item["id"] for item in rest[: len(ids) - 2]] == ids[2:]
    assert story["client"].get(f"/v1/events?after={2**53}").json() == {"items": [], "next_cursor": None}


# --- credentials by digest and external id ------------------------------------------------------------------


def test_digest_in_several_places_needs_a_batch_or_an_issuer(api: Api) -> None:
    digest = new_digest()
    first = api.final_batch([digest])
    second = api.final_batch([digest], allow_duplicate="true")
    entries = api.public.get(f"/v1/credentials/{digest}").json()["entries"]
    assert {entry["batch"] for entry in entries} == {first["id"], second["id"]}
    assert {entry["status"] for entry in entries} == {"active"}
    problem(api.public.get(f"/v1/credentials/{digest}/proof"), 409, "ambiguous-digest")
    proof = api.public.get(f"/v1/credentials/{digest}/proof?batch={second['id']}").json()
    assert proof["root"] == second["root"]
    stranger = api.public.get(f"/v1/credentials/{digest}/proof?issuer={'0x' + '12' * 20}")
    problem(stranger, 404, "not-found")


def test_revocation_hits_every_entry_of_the_digest(api: Api) -> None:
    digest = new_digest()
    api.final_batch([digest])
    api.final_batch([digest], allow_duplicate="true")
    made = api.final_request(api.issuer.post("/v1/revocations", json={"digests": [digest]}).json())
    assert (made["count"], len(made["transactions"])) == (1, 2)
    entries = api.public.get(f"/v1/credentials/{digest}").json()["entries"]
    assert [entry["status"] for entry in entries] == ["revoked", "revoked"]


def test_external_ids_are_found_by_their_issuer_alone(api: Api) -> None:
    digest = new_digest()
    name = f"Müller & Söhne/1 {digest}"
    api.final_batch([{"digest": digest, "external_id": name}])
    found = api.issuer.get("/v1/credentials", params={"external_id": [name, "none"]}).json()["items"]
    assert [(item["digest"], item["external_id"]) for item in found] == [(digest, name)]
    stranger = api.register("Looker")[1]
    assert stranger.get("/v1/credentials", params={"external_id": name}).json()["items"] == []
    assert pointers(problem(api.issuer.get("/v1/credentials"), 422, "validation")) == ["/external_id"]


# --- Parquet ------------------------------------------------------------------------------------------------

PARQUET = {"Accept": "application/vnd.apache.parquet"}


@pytest.mark.parametrize("name", ["revocations", "events"])
def test_parquet_holds_what_json_says_with_types_and_block(
    api: Api, story: dict[str, Any], name: str
) -> None:
    path = {"revocations": "/v1/revocations", "events": "/v1/audit/events"}[name]
    answer = api.public.get(f"{path}?issuer={story['address']}", headers=PARQUET)
    assert answer.headers["content-type"] == PARQUET["Accept"]
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.parquet"'
    assert answer.headers["x-content-sha256"] == sha256(answer.content).hexdigest()
    table = parquet.read_table(io.BytesIO(answer.content))
    assert table.schema.metadata[b"rootmark.block-hash"].decode() == answer.headers["x-block-hash"]
    assert str(table.schema.field("at").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("block_number").type) == "int64"
    rows, items = table.to_pylist(), _items(api, f"{path}?issuer={story['address']}")
    assert len(rows) == len(items) == int(answer.headers["x-row-count"])
    for row, item in zip(rows, items, strict=True):
        assert row["at"] == datetime.fromisoformat(item["at"])
        same = set(item) - {"at", "valid_until", "roles", "changes"}
        assert {member: row[member] for member in same} == {member: item[member] for member in same}


def test_parquet_of_nothing_is_an_empty_table(api: Api) -> None:
    nobody = "0x" + "12" * 20
    answer = api.public.get(f"/v1/audit/events?issuer={nobody}", headers=PARQUET)
    assert parquet.read_table(io.BytesIO(answer.content)).num_rows == 0


@pytest.mark.usefixtures("story")  # the page offers files where there are events
def test_without_the_library_parquet_is_not_found_and_says_why(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.parquet.find_spec", lambda _: None)
    found = problem(api.public.get("/v1/audit/events", headers=PARQUET), 404, "not-found")
    assert "rootmark[parquet]" in found["detail"]
    assert "Parquet" not in api.public.get("/audit/events").text
    assert api.public.get("/audit/events.parquet").status_code == 404
    monkeypatch.undo()
    assert "/audit/events.parquet" in api.public.get("/audit/events").text
    assert api.public.get("/audit/events.parquet").headers["content-type"] == PARQUET["Accept"]


# --- reports ------------------------------------------------------------------------------------------------


def test_report_is_signed_with_the_certificate_that_the_server_shows(api: Api, story: dict[str, Any]) -> None:
    path = f"/v1/audit/issuers/{story['address']}"
    answer = api.public.get(f"{path}/report")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith('attachment; filename="audit-0x')
    found = check_report(answer.content)
    assert found.problems == ()
    certificate = api.public.get("/v1/audit/report-certificate")
    assert certificate.headers["content-type"] == "application/x-pem-file"
    assert fingerprint_of(certificate.content) == found.fingerprint
    assert found.audit is not None
    assert found.audit["name"] == "Audited College"
    assert found.audit["head"]["match"] is True
    now = api.public.get(path, params={"as_of": found.audit["block_number"]}).json()
    assert found.audit | now == found.audit
    assert found.fingerprint in api.public.get("/audit").text


def test_report_as_of_a_block_ends_there(api: Api, story: dict[str, Any]) -> None:
    path = f"/v1/audit/issuers/{story['address']}/report"
    block = story["batch"]["anchor"]["block_number"]
    audit = check_report(api.public.get(path, params={"as_of": block}).content).audit
    assert audit is not None
    assert audit["block_number"] == block
    assert max(event["block_number"] for event in audit["events"]) <= block
    problem(api.public.get(path, params={"as_of": 10**9}), 422, "validation")
    problem(api.public.get("/v1/audit/issuers/0x12/report"), 422, "validation")


def test_certificate_that_has_ended_signs_no_report(
    api: Api, story: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = datetime.now(UTC) - timedelta(days=365 * 20)
    signer = PdfSigner(make_identity("registry.example", ended))
    monkeypatch.setattr(api.app.reports, "_signer", signer)
    found = problem(api.public.get(f"/v1/audit/issuers/{story['address']}/report"), 503, "unavailable")
    assert f"the certificate is for {signer.period}" in found["detail"]
    assert api.public.get(f"/audit/issuers/{story['address']}").status_code == 200


def test_report_on_somebody_who_did_nothing_says_so(api: Api) -> None:
    answer = api.public.get(f"/v1/audit/issuers/0x{'13' * 20}/report")
    audit = check_report(answer.content).audit
    assert audit is not None
    assert (audit["events"], audit["name"]) == ([], None)
