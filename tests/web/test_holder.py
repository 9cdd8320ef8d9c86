"""A holder's own pages in a browser: the collection, shares, the record, deleting; and who must not."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api.web.texts import LANGUAGES
from tests.web import samples
from tests.web.conftest import Api, NewPage, accessible, reachable, runs_nothing, shoot
from tests.web.samples import HOSTILE, Award
from tests.web.test_credential_pages import NAME, claimed, given, links

OTHER = {"email": "bob@college.example", "name": "Bob"}


@dataclass
class Mine:
    """A holder's browser, with the awards that they claimed, oldest first."""

    page: Page
    awards: list[Award]
    paths: list[str]
    back: str

    @property
    def ids(self) -> list[str]:
        return [path.removeprefix("/c/") for path in self.paths]

    def choose(self, *numbers: int) -> None:
        self.page.goto("/me")
        for number in numbers:
            self.page.locator(f"#page-{self.ids[number]}").check()

    def shared(self, *numbers: int, title: str = "", name: bool = False, days: str = "30") -> str:
        """The path of a new share."""
        self.choose(*numbers)
        self.page.locator("#title").fill(title)
        self.page.locator("#days").select_option(days)
        self.page.locator("input[name=show_name]").set_checked(name)
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="Make the link").click()
        link = self.page.locator("[data-share] input[readonly]").first.input_value()
        return "/" + link.split("/", 3)[3]


def holder(new_page: NewPage, api: Api, count: int = 2, **options: Any) -> Mine:
    page = new_page(**options)
    awards, paths, back = [], [], ""
    for _ in range(count):
        award = given(api)
        path, claim = links(api, award)
        if back:
            page.goto(claim)
            with page.expect_navigation():
                page.get_by_role("button", name="Claim it").click()
        else:
            back = claimed(page, claim)
        awards.append(award)
        paths.append(path)
    return Mine(page, awards, paths, back)


def cookies(page: Page) -> str:
    return "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())


# --- refused ------------------------------------------------------------------------------------------------

FORMS = ("/me/share", "/me/record", "/me/delete", "/me/deletion", "/me/return-link", "/me/shares/x/end")


def test_stranger_is_told_how_to_become_known(api: Api) -> None:
    answer = api.public.get("/me")
    assert answer.status_code == 200
    assert "open the return link" in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"
    forged = api.public.get("/me", headers={"Cookie": "rootmark-holder=guessed"})
    assert "open the return link" in forged.text


@pytest.mark.parametrize("path", FORMS)
def test_strangers_and_other_sites_reach_nothing(new_page: NewPage, api: Api, path: str) -> None:
    mine = holder(new_page, api, 1)
    mine.page.goto("/me")
    token = mine.page.locator("input[name=csrf]").first.input_value()
    form = {"page": mine.ids[0], "days": "30"}
    known = {"Cookie": cookies(mine.page)}
    assert api.public.post(path, data=form).status_code == 403
    assert api.public.post(path, data=form | {"csrf": token}).status_code == 403
    assert api.public.post(path, data=form, headers=known).status_code == 403
    foreign = known | {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert api.public.post(path, data=form | {"csrf": token}, headers=foreign).status_code == 403
    assert api.public.get(mine.paths[0]).status_code == 200
    assert api.issuer.get(f"/v1/awards/{mine.awards[0].id}").json()["state"] != "erased"


@pytest.mark.parametrize("path", ["/me/share", "/me/record", "/me/delete", "/me/deletion"])
def test_nobody_reaches_what_is_anothers(new_page: NewPage, api: Api, path: str) -> None:
    mine, theirs = holder(new_page, api, 1), holder(new_page, api, 1)
    mine.page.goto("/me")
    form = {"csrf": mine.page.locator("input[name=csrf]").first.input_value(), "days": "30"}
    known = {"Cookie": cookies(mine.page)}
    for pages in ([theirs.ids[0]], [mine.ids[0], theirs.ids[0]], ["none"]):
        answer = api.public.post(path, data=form | {"page": pages}, headers=known)
        assert answer.status_code == 404
        assert "not in your collection" in answer.text
    for pages in ([], [f"page-{number}" for number in range(101)]):
        answer = api.public.post(path, data=form | {"page": pages}, headers=known)
        assert answer.status_code == 422
        assert "choose 1 to 100 credentials" in answer.text
    assert api.public.get(f"/me?after={theirs.ids[0]}", headers=known).status_code == 404
    assert api.public.get(theirs.paths[0]).status_code == 200


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"days": "2"}, "one of 1, 7, 30, 90, 365"),
        ({"days": ""}, "choose how long it lasts"),
        ({"days": "-1"}, "choose how long it lasts"),
        ({"title": "x" * 101}, "at most 100 characters"),
    ],
)
def test_wrong_share_is_refused_with_the_reason(
    new_page: NewPage, api: Api, change: dict[str, str], says: str
) -> None:
    mine = holder(new_page, api, 1)
    mine.page.goto("/me")
    form = {"csrf": mine.page.locator("input[name=csrf]").first.input_value(), "days": "30"}
    known = {"Cookie": cookies(mine.page)}
    answer = api.public.post("/me/share", data=form | {"page": mine.ids[0]} | change, headers=known)
    assert answer.status_code == 422
    assert says in answer.text


@pytest.mark.parametrize("path", ["/s/none", "/s/none/1", "/s/none/1/image", "/s/none/1/file/json"])
def test_share_that_is_not_there_is_a_page_that_says_so(api: Api, path: str) -> None:
    answer = api.public.get(path)
    assert answer.status_code == 404
    assert "it has expired or was ended" in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"


# --- the collection -----------------------------------------------------------------------------------------


def test_collection_says_of_each_whether_it_is_still_valid(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 3)
    samples.change_status(api, "revocations", mine.awards[1].digest, "issued_in_error")
    samples.change_status(api, "suspensions", mine.awards[2].digest)
    mine.page.goto("/me")
    outcomes = {path: f"[data-page='{one}']" for path, one in zip(mine.paths, mine.ids, strict=True)}
    for path, expected in zip(mine.paths, ("valid", "revoked", "suspended"), strict=True):
        expect(mine.page.locator(outcomes[path])).to_have_attribute("data-outcome", expected)
    expect(mine.page.locator(outcomes[mine.paths[1]])).to_contain_text("because it was issued in error")
    expect(mine.page.locator(".lead")).to_contain_text("3 credentials. ")
    expect(mine.page.locator(".lead")).to_contain_text("Valid: 1")
    assert mine.page.locator("[data-page]").first.get_attribute("data-page") == mine.ids[2]


def test_page_that_is_off_stays_in_the_collection(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 1)
    mine.page.goto(mine.paths[0])
    mine.page.locator("input[value=off]").check()
    with mine.page.expect_navigation():
        mine.page.get_by_role("button", name="Save").click()
    mine.page.get_by_role("link", name="To all my credentials").click()
    expect(mine.page.locator("[data-page]")).to_have_count(1)
    shared = mine.shared(0)
    assert api.public.get(mine.paths[0]).status_code == 404
    assert api.public.get(shared).status_code == 200


def test_new_return_link_takes_the_place_of_the_old_one(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 1)
    elsewhere = new_page()
    elsewhere.goto(mine.back)
    elsewhere.get_by_role("button", name="Sign in").click()
    expect(elsewhere.locator("[data-page]")).to_have_count(1)
    mine.page.goto("/me")
    mine.page.get_by_role("button", name="Make a new return link").click()
    link = "/" + mine.page.locator("#return").input_value().split("/", 3)[3]
    assert api.public.post(mine.back).status_code == 404
    elsewhere.goto("/me")
    expect(elsewhere.locator("[data-page]")).to_have_count(0)
    mine.page.goto("/me")
    expect(mine.page.locator("[data-page]")).to_have_count(1)
    other = new_page()
    other.goto(link)
    other.get_by_role("button", name="Sign in").click()
    expect(other.locator("[data-page]")).to_have_count(1)


def test_choosing_all_ticks_all(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 2)
    mine.page.goto("/me")
    mine.page.locator("input[data-all]").check()
    expect(mine.page.locator("#chosen")).to_have_text("Chosen: 2")
    assert mine.page.locator("input[name=page]:checked").count() == 2


# --- shares -------------------------------------------------------------------------------------------------


def test_share_shows_what_was_chosen_and_no_more(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 3)
    samples.change_status(api, "revocations", mine.awards[0].digest, "misconduct")
    path = mine.shared(0, 2, title="For the job")
    other = new_page()
    other.goto(path)
    expect(other.locator("h1")).to_have_text("For the job")
    expect(other.locator("[data-number]")).to_have_count(2)
    outcomes = [one.get_attribute("data-outcome") for one in other.locator("[data-number]").all()]
    assert sorted(str(one) for one in outcomes) == ["revoked", "valid"]
    assert NAME not in other.content()
    for secret in mine.ids:
        assert secret not in other.content()
    other.get_by_role("link", name="Welding").last.click()
    expect(other.locator(".verdict").first).to_have_attribute("data-outcome", re.compile("valid|revoked"))
    for secret in mine.ids:
        assert secret not in other.content()
    assert api.public.get(f"{path}/3").status_code == 404
    assert api.public.get(f"{path}/0").status_code == api.public.get(f"{path}/x").status_code == 404


def test_name_is_shown_in_a_share_that_says_so_alone(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 1)
    named, nameless = mine.shared(0, title="a", name=True), mine.shared(0, title="b")
    links_by_title = {
        one.locator("h3").inner_text(): "/" + one.locator("input[readonly]").input_value().split("/", 3)[3]
        for one in mine.page.locator("[data-share]").all()
    }
    named, nameless = links_by_title["a"], links_by_title["b"]
    assert NAME in api.public.get(named).text
    assert NAME in api.public.get(f"{named}/1").text
    assert NAME not in api.public.get(nameless).text
    assert NAME not in api.public.get(f"{nameless}/1").text
    assert NAME not in api.public.get(mine.paths[0]).text
    pdf = {path: api.public.get(f"{path}/1/file/pdf").content for path in (named, nameless)}
    assert pdf[named] != pdf[nameless]


def test_files_of_a_share_verify_and_do_not_lead_to_the_page(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 1)
    path = mine.shared(0)
    for kind in ("json", "jwt", "png", "svg", "pdf"):
        answer = api.public.get(f"{path}/1/file/{kind}")
        assert answer.headers["x-robots-tag"] == "noindex"
        report = api.public.post("/v1/verify", files={"file": ("file", answer.content)}).json()
        assert report["outcome"] == "valid", kind
        assert mine.ids[0].encode() not in answer.content
    of_the_page = api.public.get(f"{mine.paths[0]}/file/pdf").content
    assert of_the_page != api.public.get(f"{path}/1/file/pdf").content
    assert api.public.get(f"{path}/1/image").headers["content-type"] == "image/png"
    assert api.public.get(f"{path}/1/file/vc-jwt").status_code == 404


def test_files_that_name_the_holder_stay_out_of_a_share_without_names(new_page: NewPage, api: Api) -> None:
    path, claim = links(api, given(api, name="plain"))
    page = new_page()
    mine = Mine(page, [], [path], claimed(page, claim))
    shared = mine.shared(0)
    assert api.public.get(f"{shared}/1/file/json").status_code == 403
    assert api.public.get(f"{shared}/1/file/pdf").status_code == 403
    named = mine.shared(0, name=True)
    assert NAME in api.public.get(f"{named}/1/file/json").text


def test_share_ends_when_its_holder_says_so(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 1)
    path = mine.shared(0)
    other = holder(new_page, api, 1)
    other.page.goto("/me")
    token = other.page.locator("input[name=csrf]").first.input_value()
    share_id = path.removeprefix("/s/")
    end = f"/me/shares/{share_id}/end"
    stranger = {"Cookie": cookies(other.page)}
    assert api.public.post(end, data={"csrf": token}, headers=stranger).status_code == 404
    assert api.public.get(path).status_code == 200
    mine.page.get_by_role("button", name="End it now").click()
    expect(mine.page.locator("[data-share]")).to_have_count(0)
    for more in ("", "/1", "/1/image", "/1/file/json"):
        assert api.public.get(path + more).status_code == 404


def test_share_expires(new_page: NewPage, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = holder(new_page, api, 1)
    path = mine.shared(0, days="1")
    now = api.app.clock.now()
    monkeypatch.setattr(type(api.app.clock), "now", lambda _self: now + timedelta(hours=23))
    assert api.public.get(path).status_code == 200
    monkeypatch.setattr(type(api.app.clock), "now", lambda _self: now + timedelta(hours=25))
    assert api.public.get(path).status_code == 404
    assert api.public.get(f"{path}/1/file/json").status_code == 404


def test_credential_that_another_claims_leaves_the_share(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 2)
    path = mine.shared(0, 1)
    _, claim = links(api, mine.awards[0])
    claimed(new_page(), claim)
    text = api.public.get(path).text
    assert text.count("data-number") == 1
    mine.page.goto("/me")
    expect(mine.page.locator("[data-page]")).to_have_count(1)


# --- the record ---------------------------------------------------------------------------------------------


def test_record_holds_the_valid_ones_with_their_proofs(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 3)
    samples.change_status(api, "revocations", mine.awards[1].digest)
    mine.choose(0, 1)
    with mine.page.expect_download() as downloading:
        mine.page.get_by_role("button", name="Download the record").click()
    record = json.loads(downloading.value.path().read_text())
    assert downloading.value.suggested_filename == "learner-record.json"
    assert record["type"] == ["VerifiableCredential", "ClrCredential"]
    assert record["issuer"]["id"] == record["credentialSubject"]["id"]
    assert record["partial"] is True
    assert NAME not in json.dumps(record)
    (inside,) = record["credentialSubject"]["verifiableCredential"]
    assert inside["id"] == mine.awards[0].json()["id"]
    assert api.public.post("/v1/verify", json={"credential": inside}).json()["outcome"] == "valid"
    report = api.public.post("/v1/verify", json={"credential": record}).json()
    assert report["outcome"] == "indeterminate"  # nobody vouches for who put it together
    found = {one["name"]: one["result"] for one in report["checks"]}
    assert (found["signature"], found["issuer"]) == ("pass", "unknown")
    record["name"] = "Another"
    assert api.public.post("/v1/verify", json={"credential": record}).json()["outcome"] == "invalid"


def test_name_stands_on_the_record_when_asked_for(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 1)
    mine.choose(0)
    mine.page.locator("input[name=name_record]").check()
    with mine.page.expect_download() as downloading:
        mine.page.get_by_role("button", name="Download the record").click()
    record = json.loads(downloading.value.path().read_text())
    assert record["issuer"]["name"] == NAME
    assert record["partial"] is False


def test_record_of_nothing_valid_says_so(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 1, allowed="Failed to load resource")
    samples.change_status(api, "revocations", mine.awards[0].digest)
    mine.choose(0)
    mine.page.get_by_role("button", name="Download the record").click()
    expect(mine.page.locator("main")).to_contain_text("none of the chosen credentials is in force")


# --- deleting -----------------------------------------------------------------------------------------------


def test_deleting_asks_first_and_then_nobody_finds_it(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 2)
    gone, kept = mine.awards
    proof = api.public.get(f"{mine.paths[0]}/file/proof").json()
    path = mine.shared(0, 1)
    mine.choose(0)
    mine.page.get_by_role("button", name="Delete the chosen ones…").click()
    expect(mine.page.locator(".verdict")).to_contain_text("1 credential")
    expect(mine.page.locator("main")).to_contain_text("download both first")
    assert api.public.get(mine.paths[0]).status_code == 200
    mine.page.get_by_role("button", name="Delete 1 credential").click()
    expect(mine.page.get_by_role("status")).to_contain_text("1 credential was deleted.")
    mine.page.get_by_role("link", name="To all my credentials").click()
    expect(mine.page.locator("[data-page]")).to_have_count(1)
    assert api.public.get(mine.paths[0]).status_code == 404
    assert api.public.get(f"/v1/verify/{gone.digest}").json()["outcome"] == "not_found"
    with_proof = api.public.post("/v1/verify", json={"credential": gone.json(), "proof": proof}).json()
    assert with_proof["outcome"] == "valid"
    assert api.public.get(f"/v1/verify/{kept.digest}").json()["outcome"] == "valid"
    assert api.public.get(path).text.count("data-number") == 1
    assert api.public.get(f"{path}/1").status_code == 200  # the newest comes first
    assert api.public.get(f"{path}/2").status_code == 404
    assert api.issuer.get(f"/v1/awards/{gone.id}").json()["recipient"] is None
    with api.app.store.read() as unit:
        last = [one for one in unit.access.records(0, 10_000) if one.action == "credential.erased"][-1]
    assert last.actor == "holder"


def test_deleting_all_leaves_nothing_of_the_holder(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 2)
    path = mine.shared(0)
    known = {"Cookie": cookies(mine.page)}
    mine.page.goto("/me")
    mine.page.get_by_role("button", name="Delete all my data…").click()
    expect(mine.page.locator(".verdict")).to_contain_text("2 credentials, and all that is here about you")
    mine.page.get_by_role("button", name="Delete all my data").click()
    expect(mine.page.get_by_role("status")).to_contain_text("2 credentials were deleted.")
    assert mine.page.context.cookies() == []
    assert api.public.get(path).status_code == 404
    assert api.public.post(mine.back).status_code == 404
    assert "open the return link" in api.public.get("/me", headers=known).text
    for award in mine.awards:
        assert api.public.get(f"/v1/verify/{award.digest}").json()["outcome"] == "not_found"


# --- for everybody ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", ["narrow", "wide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_accessible(new_page: NewPage, api: Api, width: str, scheme: str, language: str) -> None:
    page = new_page(width=width, scheme=scheme, language=language)

    def look(name: str, shown: str) -> None:
        """Once the page has come that has this on it."""
        page.locator(shown).first.wait_for()
        accessible(page)
        if (width, scheme, language) == ("wide", "light", "en"):
            reachable(page)
        shoot(page, f"{name}-{width}-{scheme}-{language}")

    awards = [given(api), given(api)]
    for award in awards:
        _, claim = links(api, award)
        page.goto(claim)
        with page.expect_navigation():
            page.locator("main button").click()
    samples.change_status(api, "revocations", awards[1].digest, "requirements_not_met")
    page.goto("/me")
    page.locator("input[name=page]").first.check()
    page.locator("input[name=page]").last.check()
    page.locator("#title").fill("Apply & more")
    page.locator("#chosen-form .first").click()
    look("collection", "[data-share]")
    link = page.locator("[data-share] input[readonly]").input_value()
    page.locator("input[name=page]").first.check()
    page.locator("[formaction='/me/delete']").click()
    look("deleting", "form[action='/me/deletion']")
    page.goto("/" + link.split("/", 3)[3])
    look("share", "[data-number='1']")
    page.locator("[data-number='1'] a").click()
    look("shared-credential", "#what-title")
    page.goto("/me")
    page.locator("form[action='/me/return-link'] button").click()
    look("return-link", "#return")
    page.goto("/me")
    with page.expect_navigation():
        page.locator("form[action='/sign-out'] button").click()
    page.goto("/me")
    look("signed-out", "main ul")


def test_keyboard_alone_leads_from_the_collection_to_a_share(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 1)
    mine.page.goto("/me")
    mine.page.locator(f"#page-{mine.ids[0]}").focus()
    mine.page.keyboard.press("Space")
    while mine.page.evaluate("document.activeElement.id") != "title":
        mine.page.keyboard.press("Tab")
    mine.page.keyboard.type("By keyboard")
    with mine.page.expect_navigation():
        mine.page.keyboard.press("Enter")
    expect(mine.page.locator("[data-share] h3")).to_have_text("By keyboard")


def test_everything_works_without_scripts(new_page: NewPage, api: Api) -> None:
    mine = holder(new_page, api, 2, scripts=False)
    path = mine.shared(0, 1, title="x")
    assert api.public.get(path).text.count("data-number") == 2
    mine.choose(0)
    mine.page.get_by_role("button", name="Delete the chosen ones…").click()
    mine.page.get_by_role("button", name="Delete 1 credential").click()
    mine.page.get_by_role("link", name="To all my credentials").click()
    expect(mine.page.locator("[data-page]")).to_have_count(1)


def test_nothing_that_anybody_wrote_runs(new_page: NewPage, api: Api) -> None:
    achievement = samples.achievement(api, name=HOSTILE, description=HOSTILE)
    award = samples.award(api, achievement, recipient={"email": "a@b.example", "name": HOSTILE})
    path, claim = links(api, award)
    page = new_page()
    mine = Mine(page, [award], [path], claimed(page, claim))
    shared = mine.shared(0, title='"><script>window.struck = 1</script>{{7*7}}', name=True)
    for address in ("/me", shared, f"{shared}/1"):
        page.goto(address)
        expect(page.locator("main")).to_contain_text("window.struck")
        assert page.evaluate("window.struck") is None
        assert runs_nothing(page.content()) or address != shared
        assert page.locator("main [onload], main a[href^=javascript]").count() == 0
    mine.choose(0)
    page.get_by_role("button", name="Delete the chosen ones…").click()
    assert page.evaluate("window.struck") is None


def test_long_collection_comes_in_pages(new_page: NewPage, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.credentials.holding.collection.MAX_CHOSEN", 1)
    mine = holder(new_page, api, 2)
    mine.page.goto("/me")
    expect(mine.page.locator("[data-page]")).to_have_attribute("data-page", mine.ids[1])
    mine.page.get_by_role("link", name="Older ones").click()
    expect(mine.page.locator("[data-page]")).to_have_attribute("data-page", mine.ids[0])
    expect(mine.page.get_by_role("link", name="Older ones")).to_have_count(0)
