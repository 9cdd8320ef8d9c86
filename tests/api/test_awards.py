"""Awards over HTTP: all rows or none, wrong cells named, repetitions known, nothing shown to strangers."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.conftest import Api
from tests.api.support import pointers, problem
from tests.unit.credentials.awards.samples import FULL, LEVELS, PLAIN

CSV = {"Content-Type": "text/csv"}
LINES = {"Content-Type": "application/x-ndjson"}
WAIT = {"Prefer": "wait=60"}
HEAD = (
    "external_id,recipient_name,recipient_email,achievement_id,issued_on,expires_on,evidence_url,result,level"
)


@pytest.fixture(scope="module")
def welding(api: Api) -> str:
    return str(api.issuer.post("/v1/achievements", json=FULL).json()["id"])


@pytest.fixture(scope="module")
def plain(api: Api) -> str:
    return str(api.issuer.post("/v1/achievements", json=PLAIN).json()["id"])


def award(achievement: str, **more: Any) -> dict[str, Any]:
    return {"recipient": {"email": "ada@college.example"}, "achievement_id": achievement} | more


def post(api: Api, *awards: Any, **options: Any) -> httpx.Response:
    body = {"awards": list(awards)} | ({"options": options} if options else {})
    return api.issuer.post("/v1/awards", json=body)


def post_csv(api: Api, *rows: str, headers: dict[str, str] = CSV, **query: str) -> httpx.Response:
    text = "\r\n".join([HEAD, *rows]) + "\r\n"
    return api.issuer.post("/v1/awards", content=text, headers=CSV | headers, params=query)


def row(achievement: str, external_id: str = "", **cells: str) -> str:
    values = dict.fromkeys(HEAD.split(","), "") | {
        "external_id": external_id,
        "recipient_email": "ada@college.example",
        "achievement_id": achievement,
    }
    return ",".join((values | cells).values())


def counts(api: Api) -> dict[str, int]:
    """Rows of what awarding makes; a profile is set on chain in its own time."""
    path = api.app.settings.data_dir / "rootmark.db"
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in (
                "awards",
                "batches",
                "entries",
                "operations WHERE call_kind NOT IN ('set_profile', 'fund')",
                "status_requests",
            )
        }


def shown(api: Api, award_id: str) -> dict[str, Any]:
    response = api.issuer.get(f"/v1/awards/{award_id}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


# --- refused ------------------------------------------------------------------------------------------------


def test_awarding_needs_an_issuers_key(api: Api, plain: str) -> None:
    body = {"awards": [award(plain)]}
    problem(api.public.post("/v1/awards", json=body), 401, "unauthorized")
    problem(api.admin.post("/v1/awards", json=body), 403, "forbidden")
    problem(api.admin.post("/v1/awards?dry_run=true", json=body), 403, "forbidden")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"recipient": {}}, "/awards/1/recipient"),
        ({"recipient": {"email": "a@b.example", "did": "did:web:x"}}, "/awards/1/recipient"),
        ({"recipient": {"email": "ada"}}, "/awards/1/recipient/email"),
        ({"recipient": {"did": "did:web:x#key"}}, "/awards/1/recipient/did"),
        ({"recipient": {"url": "ftp://x.example"}}, "/awards/1/recipient/url"),
        ({"recipient": {"email": "a@b.example", "name": " "}}, "/awards/1/recipient/name"),
        ({"achievement_id": 7}, "/awards/1/achievement_id"),
        ({"achievement_id": "urn:uuid:unknown"}, "/awards/1/achievement_id"),
        ({"issued_on": "yesterday"}, "/awards/1/issued_on"),
        ({"issued_on": 20261123}, "/awards/1/issued_on"),
        ({"issued_on": "2026-11-23", "expires_on": "2026-11-23"}, "/awards/1/expires_on"),
        ({"results": [{}]}, "/awards/1/results/0"),
        ({"results": [{"value": "Z"}]}, "/awards/1/results/0/value"),
        ({"results": [{"level": "Z"}]}, "/awards/1/results/0/level"),
        ({"evidence": [{"id": "not an iri"}]}, "/awards/1/evidence/0/id"),
        ({"credits_earned": -1}, "/awards/1/credits_earned"),
        ({"external_id": ""}, "/awards/1/external_id"),
        ({"grade": "A"}, "/awards/1/grade"),
    ],
)
def test_wrong_member_is_named_and_nothing_is_awarded(
    api: Api, welding: str, change: dict[str, Any], pointer: str
) -> None:
    before = counts(api)
    found = problem(post(api, award(welding), award(welding, **change)), 422, "validation")
    assert pointers(found) == [pointer]
    assert counts(api) == before


@pytest.mark.parametrize("body", [{}, {"awards": []}, {"awards": {}}, [], {"awards": [1]}, {"award": []}])
def test_body_that_is_none_is_refused(api: Api, body: Any) -> None:
    problem(api.issuer.post("/v1/awards", json=body), 422, "validation")


def test_another_issuers_achievement_is_unknown(api: Api, plain: str) -> None:
    _, stranger = api.register()
    response = stranger.post("/v1/awards", json={"awards": [award(plain)]})
    found = problem(response, 422, "validation")
    assert found["errors"][0]["code"] == "unknown-achievement"


def test_wrong_cells_are_named_by_line_and_column(api: Api, welding: str) -> None:
    before = counts(api)
    response = post_csv(
        api,
        row(welding),
        row(welding, recipient_email="ada"),
        row("urn:uuid:unknown"),
        row(welding, result="Z"),
        row(welding, issued_on="2026-11-23", expires_on="2026-11-22"),
    )
    found = problem(response, 422, "validation")
    assert [(error["line"], error["code"], error["detail"].split(":")[0]) for error in found["errors"]] == [
        (3, "email", "column recipient_email"),
        (4, "unknown-achievement", "column achievement_id"),
        (5, "result-value", "column result"),
        (6, "validity", "column expires_on"),
    ]
    assert counts(api) == before


def test_file_without_header_or_rows_is_refused(api: Api) -> None:
    for text in ("", "\n", "a,b\n", HEAD + "\n"):
        problem(api.issuer.post("/v1/awards", content=text, headers=CSV), 422, "validation")


def test_wrong_lines_are_named(api: Api, plain: str) -> None:
    lines = [json.dumps(award(plain)), "", "{", json.dumps(award(plain, recipient={"email": "x"}))]
    response = api.issuer.post("/v1/awards", content="\n".join(lines), headers=LINES)
    found = problem(response, 422, "validation")
    assert [error["line"] for error in found["errors"]] == [3, 4]
    assert found["errors"][1]["detail"].endswith("at /recipient/email")


def test_more_than_twenty_faults_are_not_told(api: Api) -> None:
    found = problem(post_csv(api, *["x"] * 50), 422, "validation")
    assert len(found["errors"]) == 20


def test_more_rows_than_allowed_are_refused(api: Api, plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.credentials.awarding.MAX_ROWS", 2)
    before = counts(api)
    found = problem(post_csv(api, row(plain), row(plain), row(plain)), 413, "too-large")
    assert found["errors"][0]["line"] == 4
    assert counts(api) == before


def test_other_media_types_and_misplaced_options_are_refused(api: Api, plain: str) -> None:
    problem(
        api.issuer.post("/v1/awards", content="x", headers={"Content-Type": "text/plain"}),
        415,
        "unsupported-media-type",
    )
    body = {"awards": [award(plain)]}
    problem(api.issuer.post("/v1/awards?identity=plain", json=body), 422, "validation")
    problem(post_csv(api, row(plain), identity="secret"), 422, "validation")
    problem(post_csv(api, row(plain), options="x"), 422, "validation")


# --- issued -------------------------------------------------------------------------------------------------


def test_award_becomes_a_badge_that_verifies(api: Api, welding: str) -> None:
    body = award(
        welding,
        issued_on="2026-11-01",
        expires_on="2999-11-23T04:00:00Z",
        results=[{"value": "A", "level": "Mastered"}],
        evidence=[{"narrative": "seen"}],
        credits_earned=2.0,
    )
    response = api.issuer.post("/v1/awards", json={"awards": [body]}, headers=WAIT)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert (answer["created"], answer["replayed"], answer["batch"]["state"]) == (1, 0, "final")
    (listed,) = answer["awards"]
    assert (listed["pointer"], listed["index"], listed["replayed"]) == ("/awards/0", 0, False)
    found = shown(api, listed["id"])
    credential = found["credential"]
    assert credential["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert (credential["validFrom"], found["issued_on"]) == ("2026-11-01T00:00:00Z",) * 2
    subject = credential["credentialSubject"]
    assert subject["achievement"]["id"] == welding
    assert subject["result"][1]["achievedLevel"] == LEVELS[0]["id"]
    assert subject["creditsEarned"] == 2
    assert credential["issuer"]["name"] == "Test College"
    assert (found["state"], found["status"], found["batch"]) == ("final", "active", answer["batch"]["id"])
    assert api.public.post("/v1/verify", json={"credential": credential}).json()["outcome"] == "valid"
    assert api.public.get(f"/v1/verify/{found['digest']}").json()["outcome"] == "valid"


def test_two_achievements_make_one_batch_in_the_order_of_the_rows(api: Api, welding: str, plain: str) -> None:
    response = post_csv(api, row(welding, level="4"), row(plain), row(welding), headers=WAIT)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert (answer["created"], answer["batch"]["size"]) == (3, 3)
    assert [(one["line"], one["index"]) for one in answer["awards"]] == [(2, 0), (3, 1), (4, 2)]
    found = [shown(api, one["id"])["achievement_id"] for one in answer["awards"]]
    assert found == [welding, plain, welding]


def test_email_is_hashed_unless_asked_otherwise_and_the_name_is_left_out(api: Api, plain: str) -> None:
    recipient = {"email": "ada@college.example", "name": "Ada Lovelace"}
    first, second = (
        shown(api, post(api, award(plain, recipient=recipient), **options).json()["awards"][0]["id"])
        for options in ({}, {"identity": "plain", "name": "plain"})
    )
    assert "ada@college.example" not in json.dumps(first["credential"])
    assert "Lovelace" not in json.dumps(first["credential"])
    assert first["recipient"] == second["recipient"] == recipient
    shown_plainly = second["credential"]["credentialSubject"]["identifier"]
    assert [one["identityHash"] for one in shown_plainly] == ["ada@college.example", "Ada Lovelace"]


def test_hashes_of_one_recipient_differ_from_credential_to_credential(api: Api, plain: str) -> None:
    listed = post(api, award(plain), award(plain)).json()["awards"]
    hashes = {
        shown(api, one["id"])["credential"]["credentialSubject"]["identifier"][0]["identityHash"]
        for one in listed
    }
    assert len(hashes) == 2


@pytest.mark.parametrize("recipient", [{"did": "did:key:z6Mkabc"}, {"url": "https://ada.example/me"}])
def test_did_and_url_become_the_subjects_id(api: Api, plain: str, recipient: dict[str, str]) -> None:
    (listed,) = post(api, award(plain, recipient=recipient)).json()["awards"]
    subject = shown(api, listed["id"])["credential"]["credentialSubject"]
    assert subject["id"] == next(iter(recipient.values()))
    assert "identifier" not in subject


def test_award_embeds_the_version_that_was_newest_and_keeps_it(api: Api) -> None:
    achievement = api.issuer.post("/v1/achievements", json=PLAIN).json()["id"]
    (listed,) = post(api, award(achievement)).json()["awards"]
    path = f"/v1/achievements/{achievement}"
    api.issuer.put(path, json=PLAIN | {"name": "Other"}, headers={"If-Match": "*"})
    found = shown(api, listed["id"])
    assert found["achievement_version"] == 1
    assert found["credential"]["credentialSubject"]["achievement"]["version"] == "1"
    (later,) = post(api, award(achievement)).json()["awards"]
    assert shown(api, later["id"])["credential"]["name"] == "Other"


# --- repeated -----------------------------------------------------------------------------------------------


def test_external_id_twice_in_a_request_is_refused(api: Api, plain: str) -> None:
    name = f"e-{uuid4()}"
    found = problem(post_csv(api, row(plain, name), row(plain, name)), 422, "validation")
    assert [(error["line"], error["code"]) for error in found["errors"]] == [(3, "repeated-external-id")]


def test_external_id_of_other_content_is_refused(api: Api, plain: str) -> None:
    name = f"e-{uuid4()}"
    assert post(api, award(plain, external_id=name)).status_code == 202
    before = counts(api)
    for other in (
        award(plain, external_id=name, recipient={"email": "eve@college.example"}),
        award(plain, external_id=name, issued_on="2026-11-23"),
    ):
        found = problem(post(api, award(plain), other), 409, "external-id-conflict")
        assert pointers(found) == ["/awards/1/external_id"]
    found = problem(post(api, award(plain, external_id=name), identity="plain"), 409, "external-id-conflict")
    digest = {"digest": "0x" + "ab" * 32, "external_id": f"d-{name}"}
    assert api.issuer.post("/v1/batches", json={"digests": [digest]}).status_code == 202
    problem(post(api, award(plain, external_id=f"d-{name}")), 409, "external-id-conflict")
    assert counts(api)["awards"] == before["awards"]


def test_same_row_under_its_external_id_gives_its_award_again(api: Api, plain: str) -> None:
    old, new = f"e-{uuid4()}", f"e-{uuid4()}"
    first = post_csv(api, row(plain, old)).json()
    again = post_csv(api, row(plain, old))
    assert again.status_code == 200, again.text
    answer = again.json()
    assert (answer["batch"], answer["created"], answer["replayed"]) == (None, 0, 1)
    assert answer["awards"][0] == first["awards"][0] | {"replayed": True}
    mixed = post_csv(api, row(plain, new), row(plain, old)).json()
    assert (mixed["created"], mixed["replayed"], mixed["batch"]["size"]) == (1, 1, 1)
    assert [one["replayed"] for one in mixed["awards"]] == [False, True]
    assert mixed["awards"][1]["id"] == first["awards"][0]["id"]


def test_fault_after_repeated_rows_names_its_own_line(api: Api, plain: str) -> None:
    name = f"e-{uuid4()}"
    post_csv(api, row(plain, name))
    found = problem(post_csv(api, row(plain, name), row(plain), row("urn:x")), 422, "validation")
    assert [error["line"] for error in found["errors"]] == [4]


def test_same_idempotency_key_awards_once(api: Api, plain: str) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    body = {"awards": [award(plain)]}
    first = api.issuer.post("/v1/awards", json=body, headers=headers)
    again = api.issuer.post("/v1/awards", json=body, headers=headers)
    assert (first.status_code, first.json()) == (202, again.json())
    other = {"awards": [award(plain), award(plain)]}
    problem(api.issuer.post("/v1/awards", json=other, headers=headers), 422, "idempotency-mismatch")


def test_repetition_whose_answer_was_lost_is_answered_from_the_batch(
    api: Api, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    monkeypatch.setattr("api.idempotency._finish", lambda *_: None)
    first = api.issuer.post("/v1/awards", json={"awards": [award(plain)]}, headers=headers).json()
    again = api.issuer.post("/v1/awards", json={"awards": [award(plain)]}, headers=headers).json()
    assert again["batch"]["id"] == first["batch"]["id"]
    assert [one["id"] for one in again["awards"]] == [one["id"] for one in first["awards"]]
    rows = {"awards": [award(plain, external_id=f"e-{uuid4()}")]}
    made = post(api, *rows["awards"]).json()
    headers = {"Idempotency-Key": str(uuid4())}
    for _ in range(2):  # nothing new either time
        found = api.issuer.post("/v1/awards", json=rows, headers=headers).json()
        assert (found["batch"], found["awards"][0]["id"]) == (None, made["awards"][0]["id"])


# --- tried --------------------------------------------------------------------------------------------------


def test_dry_run_changes_nothing_and_tells_each_row_and_the_cost(api: Api, welding: str, plain: str) -> None:
    known, taken = f"e-{uuid4()}", f"e-{uuid4()}"
    post_csv(api, row(plain, known), row(plain, taken))
    before = counts(api)
    response = post_csv(
        api,
        row(welding, result="A"),
        row(plain, recipient_email="nobody", evidence_url="x"),
        row(plain, known),
        row(welding, taken),
        dry_run="true",
    )
    assert response.status_code == 200, response.text
    report = response.json()
    assert counts(api) == before
    assert (report["count"], report["ok"], report["replayed"]) == (4, 2, 1)
    good, bad, replay, conflict = report["rows"]
    assert (good["line"], good["ok"], good["problems"]) == (2, True, [])
    assert good["credential"]["credentialSubject"]["result"][0]["value"] == "A"
    assert (bad["line"], bad["credential"]) == (3, None)
    assert [one["code"] for one in bad["problems"]] == ["email", "url"]
    assert (replay["ok"], replay["credential"]) == (True, None)
    assert replay["replays"] is not None
    assert [one["code"] for one in conflict["problems"]] == ["external-id-taken"]
    cost = report["cost"]
    assert (cost["awards"], cost["transactions"]) == (1, 1)
    assert 21_000 < cost["gas"] < 120_000
    assert int(cost["fee_wei"]) == cost["gas"] * int(cost["fee_per_gas_wei"])
    assert cost["fee_per_credential_wei"] == cost["fee_wei"]


def test_dry_run_of_json_points_at_its_awards(api: Api, plain: str) -> None:
    body = {"awards": [award(plain), award("urn:x")]}
    report = api.issuer.post("/v1/awards?dry_run=true", json=body).json()
    assert [(one["pointer"], one["ok"]) for one in report["rows"]] == [
        ("/awards/0", True),
        ("/awards/1", False),
    ]
    assert report["rows"][1]["problems"][0]["pointer"] == "/awards/1/achievement_id"


def test_dry_run_of_what_is_no_file_is_a_problem(api: Api) -> None:
    problem(post_csv(api, dry_run="true"), 422, "validation")
    response = api.issuer.post("/v1/awards?dry_run=true", content="a,b\n", headers=CSV)
    problem(response, 422, "validation")


# --- shown --------------------------------------------------------------------------------------------------


def test_awards_are_for_their_issuer_alone(api: Api, plain: str) -> None:
    (listed,) = post(api, award(plain)).json()["awards"]
    _, stranger = api.register()
    path = f"/v1/awards/{listed['id']}"
    problem(api.public.get("/v1/awards"), 401, "unauthorized")
    problem(api.public.get(path), 401, "unauthorized")
    problem(stranger.get(path), 404, "not-found")
    assert stranger.get("/v1/awards").json()["items"] == []
    assert api.admin.get(path).status_code == 200
    assert "access-control-allow-origin" not in api.issuer.get(path).headers


def test_awards_are_listed_newest_first_page_by_page_and_filtered(api: Api, plain: str) -> None:
    achievement = api.issuer.post("/v1/achievements", json=PLAIN).json()["id"]
    name = f"e-{uuid4()}"
    first = post(api, *[award(achievement) for _ in range(3)]).json()
    second = post(api, award(achievement, external_id=name)).json()
    expected = [second["awards"][0]["id"], *[one["id"] for one in reversed(first["awards"])]]
    seen: list[str] = []
    url: str | None = f"/v1/awards?achievement_id={achievement}&limit=3"
    while url:
        response = api.issuer.get(url)
        seen += [one["id"] for one in response.json()["items"]]
        url = response.links.get("next", {}).get("url")
    assert seen == expected

    def ids(query: str) -> list[str]:
        return [one["id"] for one in api.issuer.get(f"/v1/awards?{query}").json()["items"]]

    assert ids(f"external_id={name}") == expected[:1]
    assert ids(f"batch={first['batch']['id']}") == expected[1:]
    assert ids(f"external_id={name}&batch={first['batch']['id']}") == []
    problem(api.issuer.get("/v1/awards?batch=nope"), 404, "not-found")
    problem(api.issuer.get("/v1/awards?cursor=x"), 422, "validation")
    problem(api.admin.get("/v1/awards?external_id=x"), 403, "forbidden")


def test_export_makes_formulas_harmless(api: Api, plain: str) -> None:
    formula = '=HYPERLINK("https://evil.example")'
    name = f"=e-{uuid4()}"
    recipient = {"email": "+1@college.example", "name": formula}
    batch = post(api, award(plain, recipient=recipient, external_id=name)).json()["batch"]["id"]
    response = api.issuer.get(f"/v1/awards?batch={batch}", headers={"Accept": "text/csv"})
    assert response.headers["content-type"].startswith("text/csv")
    (found,) = csv.DictReader(io.StringIO(response.text))
    assert (found["recipient_name"], found["recipient"]) == (f"'{formula}", "'+1@college.example")
    assert found["external_id"] == f"'{name}"


# --- superseded ---------------------------------------------------------------------------------------------


def supersede(api: Api, award_id: str, client: httpx.Client | None = None, **change: Any) -> httpx.Response:
    return (client or api.issuer).post(f"/v1/awards/{award_id}/supersede", json={"award": change})


def test_superseding_revokes_the_old_award_and_links_both(api: Api, welding: str) -> None:
    (old,) = post(api, award(welding, results=[{"value": "C"}])).json()["awards"]
    response = supersede(api, old["id"], results=[{"value": "A"}])
    assert response.status_code == 202, response.text
    made = response.json()
    request = api.issuer.get(f"/v1/requests/{made['revocation']}").json()
    assert (request["kind"], request["reason"], request["count"]) == ("revocation", "superseded", 1)
    api.final_request(request)
    before, after = shown(api, old["id"]), shown(api, made["id"])
    assert (before["superseded_by"], after["supersedes"]) == (made["id"], old["id"])
    assert (before["status"], after["status"]) == ("revoked", "active")
    assert after["recipient"] == before["recipient"]
    assert after["credential"]["credentialSubject"]["result"][0]["value"] == "A"
    report = api.public.post("/v1/verify", json={"credential": before["credential"]}).json()
    assert (report["outcome"], report["status"]["reason"]) == ("revoked", "superseded")


def test_superseding_again_gives_the_same_award_and_another_change_is_refused(api: Api, plain: str) -> None:
    (old,) = post(api, award(plain)).json()["awards"]
    first = supersede(api, old["id"], credits_earned=1).json()
    before = counts(api)
    again = supersede(api, old["id"], credits_earned=1.0)
    assert again.status_code == 202
    assert (again.json()["id"], again.json()["revocation"]) == (first["id"], None)
    problem(supersede(api, old["id"], credits_earned=2), 409, "wrong-state")
    assert counts(api) == before
    assert supersede(api, first["id"], credits_earned=2).status_code == 202


def test_superseding_wants_an_award_of_ones_own_and_both_scopes(api: Api, plain: str) -> None:
    (old,) = post(api, award(plain)).json()["awards"]
    _, stranger = api.register()
    problem(supersede(api, old["id"], stranger), 404, "not-found")
    body = {"label": "import", "scopes": ["batch"]}
    key = api.admin.post(f"/v1/issuers/{api.address}/api-keys", json=body).json()["api_key"]
    problem(supersede(api, old["id"], api.client(key)), 403, "forbidden")
    problem(supersede(api, "nothing"), 404, "not-found")
    assert shown(api, old["id"])["superseded_by"] is None


def test_superseding_with_a_wrong_award_leaves_the_old_one(api: Api, plain: str) -> None:
    name = f"e-{uuid4()}"
    (old,) = post(api, award(plain, external_id=name)).json()["awards"]
    found = problem(supersede(api, old["id"], recipient={"email": "x"}), 422, "validation")
    assert pointers(found) == ["/award/recipient/email"]
    found = problem(supersede(api, old["id"], achievement_id="urn:x"), 422, "validation")
    assert pointers(found) == ["/award/achievement_id"]
    problem(supersede(api, old["id"], external_id=name), 409, "external-id-conflict")
    before = shown(api, old["id"])
    assert (before["superseded_by"], before["status"]) == (None, before["status"])
    assert before["status"] != "revoked"


def test_repeated_superseding_under_one_idempotency_key_is_answered_alike(api: Api, plain: str) -> None:
    (old,) = post(api, award(plain)).json()["awards"]
    headers = {"Idempotency-Key": str(uuid4())}
    path, body = f"/v1/awards/{old['id']}/supersede", {"award": {"credits_earned": 3}}
    first = api.issuer.post(path, json=body, headers=headers)
    again = api.issuer.post(path, json=body, headers=headers)
    assert first.json() == again.json()


# --- erased -------------------------------------------------------------------------------------------------


def test_erased_award_keeps_its_links_and_nothing_of_its_recipient(api: Api, plain: str) -> None:
    email, name, external_id = f"{uuid4()}@college.example", f"name {uuid4()}", f"e-{uuid4()}"
    recipient = {"email": email, "name": name}
    headers = {"Idempotency-Key": str(uuid4())} | WAIT
    body = {"awards": [award(plain, recipient=recipient, external_id=external_id)]}
    answer = api.issuer.post("/v1/awards", json=body, headers=headers).json()
    (listed,) = answer["awards"]
    found = shown(api, listed["id"])
    credential = found["credential"]
    assert api.issuer.delete(f"/v1/credentials/{found['digest']}").status_code == 204
    after = shown(api, listed["id"])
    assert (after["recipient"], after["credential"], after["digest"], after["external_id"]) == (None,) * 4
    assert (after["batch"], after["index"]) == (found["batch"], found["index"])
    path = api.app.settings.data_dir / "rootmark.db"
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            pass  # a reader was in the way
    content = b"".join(one.read_bytes() for one in api.app.settings.data_dir.glob("rootmark.db*"))
    signature = credential["proof"]["proofValue"]
    for trace in (email, name, external_id, credential["id"], found["digest"][2:], signature):
        assert trace.encode() not in content
    problem(supersede(api, listed["id"], credits_earned=1), 409, "wrong-state")
