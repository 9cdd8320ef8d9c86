"""What the console's forms do, and what they say about input that is wrong. Without a browser."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from registry.model.batches import Batch, BatchState
from registry.model.webhooks import TEST_KIND
from tests.api.conftest import Api, new_digest
from tests.api.support import FrontEnd
from tests.unit.credentials.awards.samples import FULL
from tests.web.console import Session, csv_of, log_in
from tests.web.samples import achievement, award

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000"
    "050001a5f645400000000049454e44ae426082"
)


def upload(session: Session, text: str | bytes, name: str = "awards.csv", **fields: str) -> httpx.Response:
    """Send a file of awards."""
    file = {"file": (name, text if isinstance(text, bytes) else text.encode(), "text/csv")}
    return session.http.post("/console/issue", data=session.hidden("/console/issue") | fields, files=file)


def drafted(session: Session, text: str | bytes, **fields: str) -> str:
    """The page of the draft that a file made."""
    answer = upload(session, text, **fields)
    assert answer.status_code == 303, answer.text[:2000]
    return session.page(answer.headers["location"])


def problems(page: str) -> list[tuple[str, ...]]:
    """Line, column and sentence of a file's problems."""
    table = page.partition('id="problems"')[2].partition("</table>")[0].partition("<tbody>")[2]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [
        tuple(re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL))
        for row in rows
    ]


def publish(api: Api, session: Session, text: str, **fields: str) -> dict[str, Any]:
    """The final batch of a file."""
    draft = upload(session, text, **fields).headers["location"]
    place = session.post(f"{draft}/publish", {}, of=draft).headers["location"]
    while True:
        batch: dict[str, Any] = api.issuer.get(f"/v1/batches/{place.rpartition('/')[2]}").json()
        if batch["state"] == "final":
            return batch
        assert batch["state"] != "failed", batch


def choose(session: Session, file: str | None = None, **fields: Any) -> str:
    """The page that a choice of credentials leads to."""
    data = session.hidden("/console/changes") | fields
    files = None if file is None else {"file": ("chosen.csv", file.encode(), "text/csv")}
    answer = session.http.post("/console/changes", data=data, files=files)
    if answer.status_code != 303:
        return answer.text
    session.http.headers["x-last"] = answer.headers["location"]
    return session.page(answer.headers["location"])


def carry_out(api: Api, session: Session, reason: str = "misconduct", note: str = "") -> dict[str, Any]:
    """Confirm the last choice; the final request."""
    place = session.http.headers["x-last"]
    answer = session.post(f"{place}/carry-out", {"reason": reason, "note": note}, of=place)
    assert answer.status_code == 303, answer.text[:2000]
    request_id = answer.headers["location"].rpartition("/")[2]
    return api.final_request(api.issuer.get(f"/v1/requests/{request_id}").json())


# --- files of awards ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "choose a CSV file first"),
        ("nothing\r\n", "column 1 has no name known here"),
        ("recipient_email\r\nada@college.example\r\n", "column achievement_id is missing"),
        ("recipient_email,achievement_id,recipient_email\r\n", "column recipient_email stands twice"),
        ("recipient_email,achievement_id\r\n", "there is no row below the header"),
        (b"\xff\xfe\x00", "this is not UTF-8"),
        ('recipient_email,achievement_id\r\n"open,x\r\n', "quotation marks"),
        (b"\x00", "column 1 has no name known here"),
    ],
)
def test_file_that_is_none_is_told_what_is_wrong_with_it(api: Api, text: str | bytes, said: str) -> None:
    session = log_in(api)
    answer = upload(session, text)
    page = answer.text if answer.status_code == 422 else session.page(answer.headers["location"])
    assert said in page
    assert "/publish" not in page


def test_all_mistakes_are_counted_and_twenty_shown_by_line_and_column(api: Api) -> None:
    one = achievement(api)
    wrong = {f"line{number}": f"bad-{number},x,nobody,{one},2026-02-30" for number in range(2, 32)}
    page = drafted(log_in(api), csv_of(one, 40, "bad", **wrong))
    shown = problems(page)
    assert len(shown) == 20
    assert shown[:3] == [
        ("2", "recipient_email", "an e-mail address of at most 254 characters is expected"),
        ("2", "issued_on", shown[1][2]),
        ("3", "recipient_email", "an e-mail address of at most 254 characters is expected"),
    ]
    assert "60 places are wrong" in page
    assert "30 of 40 lines are wrong" in page
    assert "/publish" not in page


def test_draft_with_mistakes_keeps_no_data_and_cannot_be_published(api: Api) -> None:
    session = log_in(api)
    draft = upload(session, csv_of("urn:uuid:nothing", 2, "unknown")).headers["location"]
    name = draft.rpartition("/")[2]
    with api.app.store.read() as unit:
        assert unit.console.draft_data(name) == b""
    answer = session.post(f"{draft}/publish", {}, of=draft)
    assert answer.status_code == 409
    assert "cannot be published" in answer.text


def test_file_of_more_than_ten_megabytes_is_refused_with_a_sentence(api: Api) -> None:
    session = log_in(api)
    for size in (10 * 1024 * 1024 + 1, 12 * 1024 * 1024):
        answer = upload(session, b"x" * size)
        assert answer.status_code == 413
        assert answer.headers["x-request-id"] in answer.text


def test_dry_run_stores_nothing_and_quotes_what_the_api_quotes(api: Api) -> None:
    one = achievement(api)
    text = csv_of(one, 3, "dry")
    page = drafted(log_in(api), text)
    quoted = api.issuer.post(
        "/v1/awards", params={"dry_run": "true"}, content=text, headers={"Content-Type": "text/csv"}
    ).json()
    gas = re.search(r'data-gas="(\d+)"', page)
    assert gas is not None
    assert abs(int(gas[1]) - quoted["cost"]["gas"]) < 500  # of another random root
    assert re.search(r'data-fee="[1-9][0-9]+"', page)
    assert "3 credentials would be issued." in page
    assert api.issuer.get("/v1/awards", params={"external_id": "dry-0"}).json()["items"] == []


def test_lines_that_were_issued_before_are_left_as_they_are(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    publish(api, session, csv_of(one, 2, "again"))
    page = drafted(session, csv_of(one, 3, "again"))
    assert "1 credential would be issued." in page
    assert "2 lines were issued before and are left as they are." in page
    nothing = upload(session, csv_of(one, 2, "again")).headers["location"]
    assert "every line was issued before" in session.page(nothing)
    assert session.post(f"{nothing}/publish", {}, of=nothing).headers["location"] == "/console/awards"


def test_published_draft_leads_to_its_batch_and_holds_nothing_any_more(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    draft = upload(session, csv_of(one, 1, "kept")).headers["location"]
    assert draft in session.page("/console")
    place = session.post(f"{draft}/publish", {}, of=draft).headers["location"]
    assert session.http.get(draft).headers["location"] == place
    assert draft not in session.page("/console")
    name = draft.rpartition("/")[2]
    with api.app.store.read() as unit:
        found = unit.console.draft(name)
        assert found is not None
        assert (unit.console.draft_data(name), found.title, found.summary) == (b"", "", {})


def test_discarded_draft_is_gone(api: Api) -> None:
    session = log_in(api)
    draft = upload(session, csv_of(achievement(api), 1, "gone")).headers["location"]
    session.post(f"{draft}/discard", {}, of=draft)
    session.page(draft, 404)


def test_what_became_wrong_since_the_draft_is_told_and_the_draft_stays(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    draft = upload(session, csv_of(one, 1, "raced")).headers["location"]
    row = {"recipient": {"email": "x@college.example"}, "achievement_id": one, "external_id": "raced-0"}
    assert api.issuer.post("/v1/awards", json={"awards": [row]}).status_code == 202
    answer = session.post(f"{draft}/publish", {}, of=draft)
    assert answer.status_code == 409
    assert "Line 2:" in answer.text
    assert "taken by other content" in answer.text
    assert session.page(draft)


def test_recipients_are_shown_in_credentials_only_where_that_was_ticked(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    for fields, seen in (({}, False), ({"named": "1", "plain": "1"}, True)):
        publish(api, session, csv_of(one, 1, f"named-{seen}"), **fields)
        (found,) = api.issuer.get("/v1/awards", params={"external_id": f"named-{seen}-0"}).json()["items"]
        text = session.page(f"/console/awards/{found['id']}/files/json")
        assert ("Learner 0" in text, "learner0@college.example" in text) == (seen, seen)


def test_file_to_begin_with_is_taken_as_it_is(api: Api) -> None:
    achievement(api)
    session = log_in(api)
    text = session.page("/console/issue/example.csv")
    assert "1 credential would be issued." in drafted(session, text)


# --- search -------------------------------------------------------------------------------------------------


def test_awards_are_found_by_every_name_they_have(api: Api) -> None:
    one = achievement(api, name="Searching")
    session = log_in(api)
    batch = publish(api, session, csv_of(one, 3, "found"))
    (made,) = api.issuer.get("/v1/awards", params={"external_id": "found-1"}).json()["items"]
    for text in (made["id"], made["digest"], made["digest"][2:].upper(), "found-1", " found-1 "):
        page = session.page(f"/console/awards?q={text}")
        assert re.findall(r'data-award="(\w+)"', page) == [made["id"]], text
    page = session.page("/console/awards?q=LEARNER1@college.example")
    assert made["id"] in re.findall(r'data-award="(\w+)"', page)
    for query in (f"achievement={one}", f"batch={batch['id']}", f"achievement={one}&state=active"):
        assert session.page(f"/console/awards?{query}").count("data-award=") == 3
    days = {"since=2026-11-23&until=2026-11-23": 3, "since=2026-11-24": 0, "until=2026-11-22": 0}
    for query, count in days.items():
        page = session.page(f"/console/awards?achievement={one}&{query}")
        assert page.count("data-award=") == count, query
        assert ("Nothing found." in page) is (count == 0)
    assert "Nothing found." in session.page("/console/awards?q=nobody@college.example")


def test_search_that_cannot_be_is_told_so(api: Api) -> None:
    session = log_in(api)
    for query in ("since=yesterday", "since=2026-02-02&until=2026-02-01", "cursor=x", "state=x", "x=y"):
        page = session.page(f"/console/awards?{query}", 422)
        assert "Request " in page


def test_long_lists_go_on_where_they_ended(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    publish(api, session, csv_of(one, 120, "long"))
    seen: list[str] = []
    path = f"/console/awards?achievement={one}"
    while path:
        page = session.page(path)
        seen += re.findall(r'data-award="(\w+)"', page)
        following = re.search(r'href="(/console/awards\?[^"]*cursor=[^"]*)">Older<', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == len(set(seen)) == 120


def test_export_quotes_what_a_spreadsheet_would_take_for_a_formula(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    line = f"=cmd(),=1+1,ada@college.example,{one},2026-11-23"
    publish(api, session, csv_of(one, 1, "formula", line2=line))
    rows = list(csv.DictReader(io.StringIO(session.page(f"/console/awards/export.csv?achievement={one}"))))
    assert [(row["external_id"], row["recipient_name"]) for row in rows] == [("'=cmd()", "'=1+1")]


# --- changes ------------------------------------------------------------------------------------------------


def test_filter_says_how_many_and_revokes_them_all(api: Api) -> None:
    one = achievement(api, name="Filtered")
    session = log_in(api)
    batch = publish(api, session, csv_of(one, 30, "filtered"))
    page = choose(session, by="filter", batch=batch["id"], since="2026-11-23", until="2026-11-23")
    assert "30 credentials will be revoked." in page
    made = carry_out(api, session, "issued_in_error", "all of them")
    assert (made["count"], made["reason"], made["note"]) == (30, "issued_in_error", "all of them")
    assert session.page(f"/console/awards?achievement={one}&state=revoked").count("data-award=") == 30
    page = choose(session, by="filter", achievement=one)
    assert "Nothing to change." in page
    assert "30 are in that state already." in page
    assert "/carry-out" not in page


def test_some_that_are_revoked_already_are_counted_apart(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    publish(api, session, csv_of(one, 3, "apart"))
    (made,) = api.issuer.get("/v1/awards", params={"external_id": "apart-0"}).json()["items"]
    choose(session, by="selected", award=made["id"])
    carry_out(api, session)
    page = choose(session, by="filter", achievement=one)
    assert "2 credentials will be revoked." in page
    assert "1 is in that state already." in page


def test_filter_without_a_condition_and_one_that_finds_nothing_change_nothing(api: Api) -> None:
    session = log_in(api)
    assert "say at least one of" in choose(session, by="filter")
    page = choose(session, by="filter", since="1999-01-01", until="1999-01-02")
    assert "Nothing found." in page
    assert "/carry-out" not in page
    assert "tick at least one credential" in choose(session, by="selected")
    assert "one of revocation" in choose(session, by="filter", kind="annulment", since="1999-01-01")


def test_file_names_credentials_by_digest_external_id_or_award(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    publish(api, session, csv_of(one, 3, "by-file"))
    exported = session.page(f"/console/awards/export.csv?achievement={one}")
    assert "3 credentials will be revoked." in choose(session, exported, by="csv")
    rows = list(csv.DictReader(io.StringIO(exported)))
    digest = new_digest()
    api.final_batch([digest])
    for text, count in (
        ("external_id\r\nby-file-0\r\nby-file-1\r\n", 2),
        (f"id\n{rows[0]['id']}\n", 1),
        (f"digest\n{rows[0]['digest'][2:].upper()}\n\n{digest}\n{digest}\n", 2),
        (f"\ufeffdigest,external_id\n,by-file-0\n{rows[0]['digest']},\n", 2),
    ):
        assert f"{count} credential" in choose(session, text, by="csv").partition("how-many")[2], text
    made = carry_out(api, session)
    assert made["count"] == 2


def test_file_that_names_something_unknown_changes_nothing_and_says_where(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    publish(api, session, csv_of(one, 1, "partly"))
    text = "external_id,digest\npartly-0,\nnobody,\n,0x12\n,\nx\n,0x" + "5a" * 32 + "\n"
    page = choose(session, text, by="csv")
    assert problems(page) == [
        ("3", "external_id", "this issuer has no such credential"),
        ("4", "digest", "64 hexadecimal digits are expected"),
        ("5", "", "the row names no credential"),
        ("6", "", "2 cells are expected, 1 are there"),
        ("7", "digest", "this issuer has no such credential"),
    ]
    assert "/carry-out" not in page
    for bad, said in (("x\ny\n", "names at least one of"), ("id\n", "no row below"), ('id\n"x', "quotation")):
        assert said in choose(session, bad, by="csv")


def test_suspension_is_the_default_hold_and_ends_by_reinstating(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    made = award(api, one)
    page = choose(session, by="selected", award=made.id, kind="suspension")
    assert '<option value="administrative_hold" selected>' in page
    assert carry_out(api, session, "administrative_hold")["kind"] == "suspension"
    assert 'value="reinstatement"' in session.page(f"/console/awards/{made.id}")
    choose(session, by="selected", award=made.id, kind="reinstatement")
    assert carry_out(api, session, "unspecified")["kind"] == "reinstatement"
    assert 'value="suspension"' in session.page(f"/console/awards/{made.id}")


def test_change_is_carried_out_once_and_wants_a_reason_of_the_list(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    made = award(api, one)
    choose(session, by="selected", award=made.id)
    place = session.http.headers["x-last"]
    for data in ({}, {"reason": "because"}, {"reason": "misconduct", "note": "x" * 2001}):
        answer = session.post(f"{place}/carry-out", data, of=place)
        assert answer.status_code == 422
    data = session.hidden(place) | {"reason": "misconduct"}
    places = [session.http.post(f"{place}/carry-out", data=data).headers["location"] for _ in range(2)]
    assert places[0] == places[1]
    assert session.http.get(place).headers["location"] == places[0]


def test_draft_of_a_change_goes_when_its_credential_is_erased(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    made = award(api, one)
    choose(session, by="selected", award=made.id)
    assert api.issuer.delete(f"/v1/credentials/{made.digest}").status_code == 204
    session.page(session.http.headers["x-last"], 404)
    shown = session.page(f"/console/awards/{made.id}")
    assert "erased" in shown
    assert "ada@college.example" not in shown
    assert "1 is erased and is left out." in choose(session, by="selected", award=made.id)


def test_link_for_the_recipient_is_shown_once_and_leads_to_the_page(api: Api) -> None:
    made = award(api, achievement(api))
    session = log_in(api)
    path = f"/console/awards/{made.id}"
    answer = session.post(f"{path}/claim", {}, of=path)
    link = re.search(r'id="claim">[^<]*(/claim/[^<]+)<', answer.text)
    assert link is not None
    assert api.public.get(link[1]).status_code == 200
    shown = session.page(path)
    assert link[1] not in shown
    assert "not claimed yet" in shown


# --- correcting ---------------------------------------------------------------------------------------------


def test_correction_that_cannot_be_shows_what_was_typed_and_why(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    made = award(api, one)
    path = f"/console/awards/{made.id}/supersede"
    given = {"kind": "email", "recipient": "no address", "recipient_name": "New Name", "achievement_id": one}
    answer = session.post(path, given, of=path)
    assert answer.status_code == 422
    assert "/award/recipient/email" in answer.text
    assert 'value="New Name"' in answer.text
    answer = session.post(
        path, given | {"recipient": "a@college.example", "expires_on": "2020-01-01"}, of=path
    )
    assert "the validity ends before it begins" in answer.text
    assert session.post(path, given | {"recipient": "a@college.example"}, of=path).status_code == 303
    again = session.post(path, given | {"recipient": "b@college.example"}, of=path)
    assert again.status_code == 409
    assert "another award supersedes this one" in again.text


# --- achievements -------------------------------------------------------------------------------------------


def fields_of(page: str) -> dict[str, str]:
    """What a form holds."""
    found = dict(re.findall(r'<input id="(\w+)" name="\w+" type="\w+" value="([^"]*)"', page))
    found |= dict(re.findall(r'<textarea id="(\w+)" name="\w+"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL))
    selected = re.search(r'name="achievement_type".*?<option selected>(\w+)<', page, re.DOTALL)
    found["achievement_type"] = selected[1] if selected else ""
    found |= dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return {
        name: value.replace("&#34;", '"').replace("&#39;", "'").replace("&amp;", "&")
        for name, value in found.items()
    }


def test_change_in_the_form_loses_nothing_that_it_has_no_field_for(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    path = f"/console/achievements/{one}"
    data = fields_of(session.page(path)) | {"name": "Renamed"}
    assert session.http.post(path, data=data).status_code == 303
    now = api.issuer.get(f"/v1/achievements/{one}").json()
    before = api.issuer.get(f"/v1/achievements/{one}", params={"version": 1}).json()
    differing = {name for name in before if before[name] != now.get(name)}
    assert differing == {"name", "version", "created_at"}
    assert now["result_descriptions"] == FULL["result_descriptions"]


def test_somebody_elses_change_is_shown_beside_ones_own(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    path = f"/console/achievements/{one}"
    mine = fields_of(session.page(path)) | {"description": "My words"}
    other = FULL | {"description": "Their <b>words</b>"}
    api.issuer.put(f"/v1/achievements/{one}", json=other, headers={"If-Match": '"1"'}).raise_for_status()
    answer = session.http.post(path, data=mine)
    assert answer.status_code == 412
    assert "My words" in answer.text
    assert re.findall(r'data-stored="(\w+)">([^<]*)<', answer.text) == [
        ("description", "Their &lt;b&gt;words&lt;/b&gt;")
    ]
    assert api.issuer.get(f"/v1/achievements/{one}").json()["description"] == "Their <b>words</b>"
    # Saving once more is a decision.
    assert (
        session.http.post(path, data=mine | {"version": fields_of(answer.text)["version"]}).status_code == 303
    )
    assert api.issuer.get(f"/v1/achievements/{one}").json()["description"] == "My words"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"narrative": "", "criteria_url": ""}, "/criteria"),
        ({"criteria_url": "javascript:alert(1)"}, "/criteria/id"),
        ({"credits_available": "many"}, "/credits_available"),
        ({"credits_available": "nan"}, "/credits_available"),
        ({"credits_available": "-1"}, "/credits_available"),
        ({"more": "{"}, "/more"),
        ({"more": '{"name": "x"}'}, "/more"),
        ({"more": '{"alignment": [{"target_name": "x"}]}'}, "/alignment/0/target_url"),
        ({"tags": ", ".join(["x"] * 51)}, "/tags"),
        ({"version": "x"}, "/version"),
    ],
)
def test_wrong_field_is_named_and_nothing_typed_is_lost(api: Api, change: dict[str, str], said: str) -> None:
    one = achievement(api)
    session = log_in(api)
    path = f"/console/achievements/{one}"
    data = fields_of(session.page(path)) | {"specialization": "typed by me"} | change
    answer = session.http.post(path, data=data)
    assert answer.status_code == 422
    assert said in answer.text
    assert "typed by me" in answer.text
    assert api.issuer.get(f"/v1/achievements/{one}").json()["version"] == 1


def test_picture_is_taken_shown_and_refused_with_a_reason(api: Api) -> None:
    one = achievement(api)
    session = log_in(api)
    path = f"/console/achievements/{one}"
    session.page(f"{path}/image", 404)
    hostile = b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'
    for data, status in ((b"", 422), (b"no picture", 415), (hostile, 422), (PNG[:40], 422)):
        file = {"file": ("x.png", data, "image/png")}
        answer = session.http.post(f"{path}/image", data=session.hidden(path), files=file)
        assert answer.status_code == status, answer.text
        assert answer.headers["x-request-id"] in answer.text
    file = {"file": ("x.png", PNG, "image/png")}
    assert session.http.post(f"{path}/image", data=session.hidden(path), files=file).status_code == 303
    assert f'src="{path}/image"' in session.page(path)
    shown = session.http.get(f"{path}/image")
    assert shown.headers["content-type"] == "image/png"
    assert "sandbox" in shown.headers["content-security-policy"]


# --- batches ------------------------------------------------------------------------------------------------


class Failing:
    """Issuing, but for one batch that has failed; ``retried`` are those that were tried again."""

    def __init__(self, api: Api) -> None:
        self._issuing = api.app.issuing
        self.retried: list[str] = []

    def batch(self, caller: Any, batch_id: str) -> Batch:
        found = self._issuing.batch(caller, batch_id)
        return replace(found, state=BatchState.FAILED, error="the node <refused> it")

    def retry(self, caller: Any, batch_id: str) -> Batch:
        self.retried.append(batch_id)
        return self.batch(caller, batch_id)


def test_failed_batch_says_why_and_is_tried_again_once_for_a_click(api: Api) -> None:
    batch = api.final_batch([new_digest()])["id"]
    failing = Failing(api)
    front = FrontEnd(api.app, issuing=failing)
    session = log_in(api)
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in session.http.cookies.items())}
    page = front.send("GET", f"/console/batches/{batch}", headers=cookies).text
    assert "The batch failed" in page
    assert "the node &lt;refused&gt; it" in page
    assert "hx-get" not in page
    hidden = dict(re.findall(r'<input type="hidden" name="(csrf|once)" value="([^"]+)">', page))
    for _ in range(2):
        answer = front.send("POST", f"/console/batches/{batch}/retry", headers=cookies, data=hidden)
        assert answer.headers["location"] == f"/console/batches/{batch}"
    assert failing.retried == [batch]


def test_progress_answers_nothing_until_something_changed(api: Api) -> None:
    batch = api.final_batch([new_digest()])["id"]
    session = log_in(api)
    path = f"/console/batches/{batch}/progress"
    script = {"HX-Request": "true"}
    shown = session.http.get(path, params={"seen": "sealed--"}, headers=script)
    assert shown.status_code == 200
    assert 'data-state="final"' in shown.text
    assert "<html" not in shown.text
    anchor = api.issuer.get(f"/v1/batches/{batch}").json()["anchor"]
    seen = f"final-{anchor['confirmations']}-{anchor['block_number']}"
    assert session.http.get(path, params={"seen": seen}, headers=script).status_code == 204


def test_retry_of_a_batch_that_did_not_fail_says_so(api: Api) -> None:
    batch = api.final_batch([new_digest()])["id"]
    session = log_in(api)
    answer = session.post(f"/console/batches/{batch}/retry", {"once": "some-key"}, of="/console")
    assert answer.status_code == 409
    assert answer.headers["x-request-id"] in answer.text
    session.post(f"/console/batches/{batch}/nothing", {"once": "x"}, of="/console")
    assert session.post(f"/console/batches/{batch}/nothing", {}, of="/console").status_code == 404


# --- keys ---------------------------------------------------------------------------------------------------


def test_keys_are_shown_with_their_history(api: Api) -> None:
    session = log_in(api)
    answer = session.post(
        "/console/keys/api",
        {"label": "<b>LMS</b>", "scope": ["batch", "read"], "expires_on": "2027-01-31", "once": "one-key"},
        of="/console",
    )
    token = re.search(r'id="token">(rmk_[\w-]{43})<', answer.text)
    assert token is not None
    made = api.client(token[1])
    assert made.get("/v1/awards").status_code == 200
    (key,) = [
        one
        for one in api.issuer.get(f"/v1/issuers/{api.address}/api-keys").json()["items"]
        if one["label"] == "<b>LMS</b>"
    ]
    assert key["expires_at"] == "2027-02-01T00:00:00Z"
    page = session.page("/console/keys")
    assert "&lt;b&gt;LMS&lt;/b&gt;" in page
    assert "<b>LMS" not in page
    assert "Key added" in page
    history = page.partition('id="history"')[2]
    assert "API key made" in history
    assert "Login to the console" in history
    assert "sessions that were opened with it end" in session.page(f"/console/keys/api/{key['id']}")
    session.post(f"/console/keys/api/{key['id']}/delete", {}, of="/console")
    assert made.get("/v1/awards").status_code == 401
    assert "API key deleted" in session.page("/console/keys").partition('id="history"')[2]


@pytest.mark.parametrize(
    "data",
    [
        {"label": "", "scope": "read"},
        {"label": "x"},
        {"label": "x", "scope": "read", "expires_on": "2020-01-01"},
        {"label": "x", "scope": "read", "expires_on": "soon"},
        {"label": "x" * 101, "scope": "read"},
    ],
)
def test_key_that_cannot_be_made_is_told_why(api: Api, data: dict[str, str]) -> None:
    session = log_in(api)
    before = len(api.issuer.get(f"/v1/issuers/{api.address}/api-keys").json()["items"])
    answer = session.post("/console/keys/api", data, of="/console/keys")
    assert answer.status_code == 422
    assert answer.headers["x-request-id"] in answer.text
    assert len(api.issuer.get(f"/v1/issuers/{api.address}/api-keys").json()["items"]) == before


# --- webhooks -----------------------------------------------------------------------------------------------


def test_webhook_is_made_looked_at_replayed_and_removed(api: Api) -> None:
    session = log_in(api)
    data = {"url": "https://hooks.invalid/?<b>", "description": "<b>LMS</b>", "kind": "batch.failed"}
    refused = session.post("/console/webhooks", data | {"url": "http://10.0.0.1/"}, of="/console/webhooks")
    assert refused.status_code == 422
    assert "an address begins with https://" in refused.text
    assert "&lt;b&gt;LMS&lt;/b&gt;" in refused.text
    data["url"] = "https://hooks.invalid/hook"
    form = session.hidden("/console/webhooks")
    shown, again = (session.http.post("/console/webhooks", data=form | data) for _ in range(2))
    assert re.search(r'id="secret">whsec_[A-Za-z0-9+/=]{44}<', shown.text)
    assert "whsec_" not in again.text
    webhook = next(one for one in api.issuer.get("/v1/webhooks").json()["items"] if one["description"])
    here = f"/console/webhooks/{webhook['id']}"
    session.post(f"{here}/switch", {"to": "off"}, of=here)
    page = session.page(here)
    assert "switched off by its issuer" in page
    assert "<b>LMS" not in page
    assert "Send again" not in page
    assert "switched off" in session.page("/console/webhooks")
    assert session.post(f"{here}/test", {}, of=here).status_code == 409
    session.post(f"{here}/switch", {"to": "on"}, of=here)
    with api.app.store.write() as unit:
        unit.webhooks.add_deliveries([(webhook["id"], None, TEST_KIND)], api.app.clock.now())
        unit.webhooks.give_up(webhook["id"], "answered with status 500")
    page = session.page(here)
    assert "answered with status 500" in page
    delivery = re.search(r'data-delivery="(\d+)" data-state="failed"', page)
    assert delivery is not None
    session.post(f"{here}/replay", {"delivery": delivery[1]}, of=here)
    (replayed,) = api.issuer.get(f"/v1/webhooks/{webhook['id']}/deliveries").json()["items"]
    assert replayed["state"] == "waiting"
    assert session.post(f"{here}/replay", {"delivery": "x"}, of=here).status_code == 404
    assert session.post(f"{here}/replay", {"since": "soon"}, of=here).status_code == 422
    today = api.app.clock.now().date().isoformat()
    session.post(f"{here}/replay", {"since": today}, of=here)
    assert "whsec_" in session.post(f"{here}/secret", {}, of=here).text
    session.post(f"{here}/remove", {}, of=here)
    session.page(here, 404)
