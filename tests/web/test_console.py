"""The console's whole path in a browser: from a login to a thousand credentials, some revoked."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import LOOKS, Api, NewPage, accessible, reachable, shoot
from tests.web.console import csv_of, given_up_webhook, log_in, log_in_with
from tests.web.samples import HOSTILE, achievement, award

ROWS = 1_000


def choose(page: Page, text: str, name: str = "awards.csv") -> None:
    """Choose a file of awards, and look at it."""
    page.goto("/console/issue")
    file = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_label("A CSV file, one credential a line").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    page.wait_for_url("**/console/drafts/*")


@pytest.mark.slow
def test_thousand_credentials_from_login_to_final_then_revoked_and_corrected(
    api: Api, new_page: NewPage
) -> None:
    page = new_page()
    log_in_with(page, api)

    # An achievement.
    page.get_by_role("link", name="New achievement").click()
    page.get_by_label("Name").fill("Welding in groups")
    page.get_by_label("What it is").fill("Joins metal with others.")
    page.get_by_label("What has to be done for it").fill("Weld *three* joints.")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile("/console/achievements/urn"))
    achievement_id = page.locator("dl code").inner_text()
    accessible(page)

    # A file with a mistake, then the corrected one.
    bad = {"line17": f"whole-15,Nobody,no address,{achievement_id},2026-11-23"}
    choose(page, csv_of(achievement_id, ROWS, "whole", **bad))
    assert page.locator("#problems tbody tr").all_inner_texts() == [
        "17\trecipient_email\tan e-mail address of at most 254 characters is expected"
    ]
    assert page.get_by_role("button", name=re.compile("Publish")).count() == 0
    accessible(page)
    shoot(page, "console-draft-wrong")
    choose(page, csv_of(achievement_id, ROWS, "whole"))
    assert page.locator(".verdict h2").inner_text() == "1,000 credentials would be issued."
    assert int(page.locator("[data-gas]").get_attribute("data-gas") or 0) > 50_000
    assert int(page.locator("[data-fee]").get_attribute("data-fee") or 0) > 0
    assert page.locator("#first tbody tr").count() == 10
    accessible(page)
    shoot(page, "console-draft")

    # Published, and followed to its end without a reload.
    page.get_by_role("button", name="Publish 1,000 credentials").click()
    page.wait_for_url("**/console/batches/*", timeout=60_000)
    expect(page.locator("#progress")).to_have_attribute("data-state", "final", timeout=60_000)
    assert page.locator("#progress").get_attribute("hx-get") is None
    accessible(page)
    shoot(page, "console-batch")
    batch = page.url.rpartition("/")[2]

    # Found, chosen, counted, confirmed.
    page.goto("/console/awards?q=whole-7")
    found = page.locator("tbody tr")
    assert found.count() == 1
    page.goto(f"/console/awards?batch={batch}")
    rows = page.locator("tbody tr")
    assert rows.count() == 50
    for number in (0, 3):
        rows.nth(number).locator("input").check()
    assert page.locator("#chosen").inner_text() == "chosen: 2"
    accessible(page)
    shoot(page, "console-search")
    page.get_by_role("button", name="Revoke…").click()
    page.wait_for_url("**/console/drafts/*")
    assert "2 credentials will be revoked." in page.locator("#how-many").inner_text()
    page.get_by_label("Reason").select_option("issued_in_error")
    page.get_by_label("Note").fill("typed twice")
    accessible(page)
    shoot(page, "console-confirm")
    page.get_by_role("button", name="Revoke 2 credentials").click()
    page.wait_for_url("**/console/requests/*")
    expect(page.locator("#progress")).to_have_attribute("data-state", "final", timeout=60_000)
    assert page.locator("#progress").get_attribute("hx-get") is None
    accessible(page)
    shoot(page, "console-request")
    page.goto(f"/console/awards?batch={batch}&state=revoked")
    assert page.locator("tbody tr").count() == 2

    # Another one is corrected.
    page.goto("/console/awards?q=whole-7")
    page.locator("tbody a").click()
    accessible(page)
    shoot(page, "console-award")
    page.get_by_role("link", name="Correct it…").click()
    page.get_by_label("Name", exact=True).fill("Learner Seven")
    page.get_by_label("New external id").fill("whole-7-corrected")
    accessible(page)
    page.get_by_role("button", name="Issue the corrected one and revoke this one").click()
    page.wait_for_url(re.compile("/console/awards/[0-9a-f]{32}$"))
    assert page.locator("dl").get_by_text("Learner Seven").count() == 1
    page.get_by_text("Replaces").locator("xpath=following-sibling::dd/a").click()
    page.wait_for_url(re.compile("/console/awards/[0-9a-f]{32}$"))
    assert page.get_by_text("Replaced by").count() == 1
    old = page.url
    while page.locator(".lead .tag").inner_text() != "revoked":
        page.goto(old)
    assert "a newer credential replaces it" in page.locator(".timeline").inner_text()


@pytest.mark.parametrize("width", ["narrow", "wide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits_at_both_widths(
    api: Api, new_page: NewPage, width: str, scheme: str
) -> None:
    one = achievement(api)
    made = award(api, one)
    language = LOOKS[width, scheme]
    page = new_page(width=width, scheme=scheme, language=language, allowed="404")
    page.goto("/console")
    accessible(page)
    shoot(page, f"console-login-{width}-{scheme}")
    log_in_with(page, api)
    batch = api.issuer.get(f"/v1/awards/{made.id}").json()["batch"]
    key = api.issuer.get(f"/v1/issuers/{api.address}/api-keys").json()["items"][0]["id"]
    webhook = given_up_webhook(api)
    paths = {
        "overview": "/console",
        "achievements": "/console/achievements",
        "new-achievement": "/console/achievements/new",
        "achievement": f"/console/achievements/{one}",
        "issue": "/console/issue",
        "batches": "/console/batches",
        "batch": f"/console/batches/{batch}",
        "credentials": "/console/awards?state=active",
        "credential": f"/console/awards/{made.id}",
        "supersede": f"/console/awards/{made.id}/supersede",
        "changes": "/console/changes",
        "keys": "/console/keys",
        "key": f"/console/keys/api/{key}",
        "webhooks": "/console/webhooks",
        "webhook": f"/console/webhooks/{webhook}",
        "error": "/console/batches/nothing",
    }
    for name, path in paths.items():
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == (404 if name == "error" else 200)
        accessible(page)
        if (width, scheme) == ("wide", "light"):
            reachable(page)
        shoot(page, f"console-{name}-{width}-{scheme}")


def test_path_works_without_scripts(api: Api, new_page: NewPage) -> None:
    one = achievement(api)
    page = new_page(scripts=False)
    log_in_with(page, api)
    choose(page, csv_of(one, 3, "plain"))
    page.get_by_role("button", name="Publish 3 credentials").click()
    page.wait_for_url("**/console/batches/*")
    # The page asks again by itself, and by a link.
    expect(page.locator("#progress")).to_have_attribute("data-state", "final", timeout=30_000)
    assert page.locator('meta[http-equiv="refresh"]').count() == 0
    page.goto("/console/awards?q=plain-1")
    page.locator("tbody input").check()
    page.get_by_role("button", name="Suspend…").click()
    assert "1 credential will be suspended." in page.locator("#how-many").inner_text()
    page.get_by_role("button", name="Suspend 1 credential").click()
    expect(page.locator("#progress")).to_have_attribute("data-state", "final", timeout=30_000)


def test_double_click_publishes_once(api: Api, new_page: NewPage) -> None:
    one = achievement(api)
    page = new_page()
    log_in_with(page, api)
    choose(page, csv_of(one, 2, "twice"))
    before = len(log_in(api).page("/console/batches").split("data-batch="))
    page.get_by_role("button", name="Publish 2 credentials").dblclick(no_wait_after=True)
    page.wait_for_url("**/console/batches/*")
    assert len(log_in(api).page("/console/batches").split("data-batch=")) == before + 1


def test_hostile_texts_are_shown_as_text_on_every_page(api: Api, new_page: NewPage) -> None:
    page = new_page()
    log_in_with(page, api)
    page.goto("/console/achievements/new")
    for name in ("name", "description", "narrative"):
        page.locator(f"#{name}").fill(HOSTILE)
    page.get_by_text("More", exact=True).click()
    for name in ("field_of_study", "specialization"):
        page.locator(f"#{name}").fill(HOSTILE)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile("/console/achievements/urn"))
    assert page.locator("h1").inner_text() == HOSTILE
    one = page.locator("dl code").inner_text()
    quoted = HOSTILE.replace('"', '""')
    line = f'"x{quoted}","{quoted}",ada@college.example,{one},2026-11-23,=cmd()'
    text = f"external_id,recipient_name,recipient_email,achievement_id,issued_on,result\r\n{line}\r\n"
    choose(page, text.replace(",=cmd()", ",").replace(",result", ",level"), f"{HOSTILE[:60]}.csv")
    assert page.locator("#first td").nth(2).inner_text() == HOSTILE[:100]
    page.get_by_role("button", name="Publish 1 credential").click()
    page.wait_for_url("**/console/batches/*")
    expect(page.locator("#progress")).to_have_attribute("data-state", "final", timeout=30_000)
    page.locator("tbody a").click()
    made = page.url
    for path in ("/console", "/console/achievements", "/console/issue", "/console/awards", made):
        page.goto(path)
        assert page.evaluate("window.struck") is None
        assert "{{7*7}}" in page.locator("main").inner_text() or path == "/console/issue"
    page.goto(made)
    page.get_by_role("button", name="Revoke…").click()
    page.get_by_label("Note").fill(HOSTILE)
    page.get_by_role("button", name="Revoke 1 credential").click()
    page.wait_for_url("**/console/requests/*")
    assert page.locator("dl").get_by_text(HOSTILE).count() == 1
    assert page.evaluate("window.struck") is None


def test_hostile_file_name_and_cells_of_a_wrong_file_are_shown_as_text(api: Api, new_page: NewPage) -> None:
    page = new_page()
    log_in_with(page, api)
    cells = ("<script>window.struck=1</script>", '"><img src=x onerror=window.struck=1>', "{{7*7}}", "=cmd()")
    lines = ["recipient_email,achievement_id"] + ['"{}",x'.format(cell.replace('"', '""')) for cell in cells]
    choose(page, "\n".join(lines) + "\n", "<img src=x onerror=window.struck=1>.csv")
    assert page.locator("#first tbody td:nth-child(2)").all_inner_texts() == list(cells)
    assert page.locator("h1").inner_text() == "Draft: <img src=x onerror=window.struck=1>.csv"
    assert page.evaluate("window.struck") is None
