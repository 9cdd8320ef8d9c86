"""A credential's page in a browser: claimed once, shown as its holder says, verified for each reader."""

from __future__ import annotations

import io
import json
import re
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from api.web.texts import LANGUAGES
from tests.api.support import FrontEnd
from tests.unit.typesetting.samples import DISC
from tests.web import samples
from tests.web.conftest import Api, NewPage, accessible, reachable, shoot
from tests.web.samples import HOSTILE, Award

NAME = "Ada Lovelace"


def given(api: Api, **options: Any) -> Award:
    """An award to somebody by name."""
    recipient = {"email": "ada@college.example", "name": NAME}
    return samples.award(api, samples.achievement(api), recipient=recipient, **options)


def links(api: Api, award: Award) -> tuple[str, str]:
    """The paths of page and claim link."""
    made = api.issuer.post(f"/v1/awards/{award.id}/claim").json()
    return "/" + made["page"].split("/", 3)[3], "/" + made["claim"].split("/", 3)[3]


def claimed(page: Page, claim: str) -> str:
    """Claim in this browser; the return link's path."""
    page.goto(claim)
    page.get_by_role("button", name="Claim it").click()
    link = page.locator("#return").input_value()
    page.get_by_role("link", name="To my credential's page").click()
    return "/" + link.split("/", 3)[3]


def decide(page: Page, visibility: str, show_name: bool) -> None:
    page.locator(f"input[value={visibility}]").check()
    page.locator("input[name=show_name]").set_checked(show_name)
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()


# --- refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/c/none", "/c/0x" + "11" * 32, "/claim/none", "/c/none/embed", "/c/none/image"]
)
def test_address_that_nobody_has_is_a_page_that_says_so(api: Api, path: str) -> None:
    answer = api.public.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "noindex" in answer.headers["x-robots-tag"]


def test_digest_is_no_address(api: Api) -> None:
    award = given(api)
    links(api, award)
    assert api.public.get(f"/c/{award.digest}").status_code == 404
    assert api.public.get(f"/c/{award.id}").status_code == 404


def test_looking_at_a_claim_link_uses_nothing_up_and_claiming_does(new_page: NewPage, api: Api) -> None:
    _, claim = links(api, given(api))
    for _ in range(3):
        assert api.public.get(claim).status_code == 200
    page = new_page()
    claimed(page, claim)
    other = new_page(allowed="Failed to load resource")
    other.goto(claim)
    expect(other.locator("main")).to_contain_text("this link was used before, has expired, or is unknown")
    assert api.public.post(claim).status_code == 404


def test_return_link_that_nobody_has_signs_nobody_in(api: Api) -> None:
    answer = api.public.post("/return/none")
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


def test_strangers_and_other_sites_change_nothing(new_page: NewPage, api: Api) -> None:
    path, claim = links(api, given(api))
    holder = new_page(allowed="Failed to load resource")
    claimed(holder, claim)
    form = {"visibility": "public", "show_name": "on"}
    assert api.public.post(f"{path}/settings", data=form).status_code == 403
    (cookie,) = holder.context.cookies()
    assert cookie["name"] == "rootmark-holder"
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    token = holder.locator("input[name=csrf]").first.input_value()

    def sent(page: Page, **changes: Any) -> int:
        (kept,) = page.context.cookies()
        headers = {"Cookie": f"{kept['name']}={kept['value']}"} | changes.pop("headers", {})
        return api.public.post(f"{path}/settings", data=form | changes, headers=headers).status_code

    assert sent(holder) == sent(holder, csrf="0" * 64) == 403
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert sent(holder, csrf=token, headers=foreign) == 403
    assert sent(holder, csrf=token, visibility="all") == 422
    other_path, other_claim = links(api, given(api))
    other = new_page()
    claimed(other, other_claim)
    assert sent(other, csrf=other.locator("input[name=csrf]").first.input_value()) == 403
    assert NAME not in api.public.get(path).text
    assert sent(holder, csrf=token) == 303
    assert NAME in api.public.get(path).text
    assert other_path != path


# --- what is shown ------------------------------------------------------------------------------------------


def test_page_is_unlisted_and_nameless_until_its_holder_says_otherwise(new_page: NewPage, api: Api) -> None:
    path, claim = links(api, given(api))
    before = api.public.get(path)
    assert NAME not in before.text
    assert before.headers["x-robots-tag"] == "noindex"
    holder = new_page()
    claimed(holder, claim)
    expect(holder.locator("main")).to_contain_text(NAME)
    decide(holder, "public", True)
    after = api.public.get(path)
    assert NAME in after.text
    assert "x-robots-tag" not in after.headers
    decide(holder, "off", True)
    gone = api.public.get(path)
    assert gone.status_code == 404
    for more in ("/embed", "/image", "/image.png", "/qr.svg", "/file/json"):
        assert api.public.get(path + more).status_code == 404
    expect(holder.locator("h1")).to_contain_text("Welding")  # its holder still sees it


def test_holder_comes_back_from_another_browser_and_signs_out(new_page: NewPage, api: Api) -> None:
    path, claim = links(api, given(api))
    back = claimed(new_page(), claim)
    other = new_page()
    other.goto(path)
    expect(other.locator("#holder-title")).to_have_count(0)
    other.goto(back)
    other.get_by_role("button", name="Sign in").click()
    other.get_by_role("link", name="Welding").click()
    expect(other.locator("#holder-title")).to_be_visible()
    other.get_by_role("button", name="Sign out").click()
    other.goto(path)
    expect(other.locator("#holder-title")).to_have_count(0)


def test_second_claim_in_the_same_browser_joins_the_first(new_page: NewPage, api: Api) -> None:
    first, claim = links(api, given(api))
    page = new_page()
    back = claimed(page, claim)
    second, another = links(api, given(api))
    page.goto(another)
    with page.expect_navigation():
        page.get_by_role("button", name="Claim it").click()
    expect(page.locator("#holder-title")).to_be_visible()
    assert page.url.endswith(second)
    page.goto(back)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("[data-page]")).to_have_count(2)
    assert first != second


def test_verdict_is_made_anew_for_each_reader(new_page: NewPage, api: Api) -> None:
    award = given(api)
    path, _ = links(api, award)
    page = new_page()
    page.goto(path)
    expect(page.locator(".verdict").first).to_have_attribute("data-outcome", "valid")
    samples.change_status(api, "revocations", award.digest, "requirements_not_met")
    page.reload()
    expect(page.locator(".verdict").first).to_have_attribute("data-outcome", "revoked")
    expect(page.locator(".verdict h2").first).to_contain_text("because its requirements were not met")


def test_files_verify_and_the_code_leads_to_the_page(new_page: NewPage, api: Api) -> None:
    path, _ = links(api, given(api))
    page = new_page()
    page.goto(path)
    for name in ("JSON", "JWT", "PNG", "SVG", "PDF"):
        with page.expect_download() as downloading:
            page.get_by_role("link", name=name, exact=True).click()
        data = downloading.value.path().read_bytes()
        answer = api.public.post("/v1/verify", files={"file": ("file", data)})
        assert answer.json()["outcome"] == "valid", name
    proof = api.public.get(f"{path}/file/proof").json()
    assert proof["type"] == "RootmarkProof/v1"
    assert api.public.get(f"{path}/file/bundle").status_code == 404  # the embedded chain proves no storage
    assert api.public.get(f"{path}/file/vc-jwt").status_code == 404
    code = api.public.get(f"{path}/qr.svg")
    assert code.headers["content-type"] == "image/svg+xml"
    page.set_content(f"<body>{code.text}</body>")
    drawn = Image.open(io.BytesIO(page.locator("svg").screenshot()))
    assert drawn.width > 100


def test_linkedin_gets_name_issuer_date_address_and_id(new_page: NewPage, api: Api) -> None:
    award = given(api)
    path, _ = links(api, award)
    page = new_page()
    page.goto(path)
    href = page.get_by_role("link", name="Add to LinkedIn profile").get_attribute("href") or ""
    parts = urlsplit(href)
    assert (parts.netloc, parts.path) == ("www.linkedin.com", "/profile/add")
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert asked["startTask"] == "CERTIFICATION_NAME"
    assert (asked["name"], asked["organizationName"]) == ("Welding", "Test College")
    assert asked["certUrl"].endswith(path)
    assert asked["certId"] == award.json()["id"]
    issued = award.json()["validFrom"]
    assert (int(asked["issueYear"]), int(asked["issueMonth"])) == (int(issued[:4]), int(issued[5:7]))


def test_preview_of_the_page_is_told_to_other_sites(api: Api) -> None:
    path, _ = links(api, given(api))
    text = api.public.get(path).text
    for name in ("og:title", "og:description", "og:url", "og:image", "twitter:card", "twitter:image"):
        assert re.search(rf'<meta (?:property|name)="{name}" content="[^"]+">', text), name
    image = re.search(r'property="og:image" content="([^"]+)"', text)
    assert image is not None
    answer = api.public.get("/" + image[1].split("/", 3)[3])
    assert answer.headers["content-type"] == "image/png"


def test_drawn_badge_is_shown_as_drawing_and_to_other_sites_in_pixels(api: Api) -> None:
    achievement = samples.achievement(api)
    headers = {"Content-Type": "image/svg+xml"}
    api.issuer.put(f"/v1/achievements/{achievement}/image", content=DISC, headers=headers)
    path, _ = links(api, samples.award(api, achievement))
    assert api.public.get(f"{path}/image").headers["content-type"] == "image/svg+xml"
    answer = api.public.get(f"{path}/image.png")
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).getpixel((200, 200)) == (0, 0, 255, 255)


def test_only_the_verify_page_may_connect_elsewhere(api: Api) -> None:
    path, claim = links(api, given(api))
    for address in (path, f"{path}/embed", claim, "/return/x"):
        policy = api.public.get(address).headers["content-security-policy"]
        assert "connect-src 'self';" in policy
        assert "unsafe" not in policy
    assert "connect-src 'self' https:" in api.public.get("/").headers["content-security-policy"]


def test_only_the_small_page_can_be_framed(new_page: NewPage, api: Api) -> None:
    path, _ = links(api, given(api))

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            frames = "".join(f'<iframe src="{api.url}{path}{more}"></iframe>' for more in ("/embed", ""))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<!doctype html><title>x</title>{frames}".encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            page = new_page(allowed="frame|Failed to load")
            page.goto(f"http://localhost:{server.server_address[1]}/")
            framed = page.frame_locator("iframe").first
            expect(framed.locator(".verdict")).to_have_attribute("data-outcome", "valid")
            assert page.frame_locator("iframe").nth(1).locator(".verdict").count() == 0
        finally:
            server.shutdown()
            thread.join()


# --- names and hostile texts --------------------------------------------------------------------------------


def test_files_that_name_the_holder_are_the_holders_until_the_name_is_shown(
    new_page: NewPage, api: Api
) -> None:
    path, claim = links(api, given(api, name="plain"))
    assert NAME not in api.public.get(path).text
    for kind in ("json", "png", "jwt"):
        assert api.public.get(f"{path}/file/{kind}").status_code == 403
    holder = new_page()
    claimed(holder, claim)
    with holder.expect_download() as downloading:
        holder.get_by_role("link", name="JSON", exact=True).click()
    assert NAME in downloading.value.path().read_text()
    decide(holder, "unlisted", True)
    assert NAME in api.public.get(f"{path}/file/json").text


def test_certificate_bears_the_name_only_where_it_is_shown(new_page: NewPage, api: Api) -> None:
    path, claim = links(api, given(api))
    nameless = api.public.get(f"{path}/file/pdf").content
    holder = new_page()
    claimed(holder, claim)
    with holder.expect_download() as downloading:
        holder.get_by_role("link", name="PDF", exact=True).click()
    mine = downloading.value.path().read_bytes()
    assert mine != nameless
    assert api.public.get(f"{path}/file/pdf").content == nameless
    decide(holder, "unlisted", True)
    assert api.public.get(f"{path}/file/pdf").content == mine


def test_nothing_that_an_issuer_wrote_runs(new_page: NewPage, api: Api) -> None:
    text = HOSTILE
    achievement = samples.achievement(
        api,
        name=text,
        description=text,
        criteria={"narrative": text},
        tags=[text],
        alignment=[{"target_name": text, "target_url": "https://a.example/x", "target_framework": text}],
    )
    award = samples.award(api, achievement, recipient={"email": "a@b.example", "name": text})
    path, claim = links(api, award)
    page = new_page()
    claimed(page, claim)
    decide(page, "public", True)
    for address in (path, f"{path}/embed"):
        page.goto(address)
        expect(page.locator("h1")).to_contain_text("window.struck")
        assert page.evaluate("window.struck") is None
        assert (
            page.locator("main img:not(.badge):not(.code), main [onload], main a[href^=javascript]").count()
            == 0
        )
        assert "49" not in page.locator("h1").inner_text()


@pytest.mark.parametrize("width", ["narrow", "wide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_accessible(new_page: NewPage, api: Api, width: str, scheme: str, language: str) -> None:
    path, claim = links(api, given(api))
    page = new_page(width=width, scheme=scheme, language=language)
    page.goto(claim)
    accessible(page)
    page.locator("main button").click()
    page.locator("#return").wait_for()
    accessible(page)
    shoot(page, f"claimed-{width}-{scheme}-{language}")
    page.locator("main a.first").click()
    page.locator("#holder-title").wait_for()
    accessible(page)
    if (width, scheme, language) == ("wide", "light", "en"):
        reachable(page)
    shoot(page, f"credential-{width}-{scheme}-{language}")
    page.goto(f"{path}/embed")
    accessible(page)
    shoot(page, f"embed-{width}-{scheme}-{language}")


def test_page_and_forms_work_without_scripts(new_page: NewPage, api: Api) -> None:
    path, claim = links(api, given(api))
    page = new_page(scripts=False)
    claimed(page, claim)
    decide(page, "public", True)
    assert NAME in api.public.get(path).text
    assert json.loads(api.public.get(f"{path}/file/json").text)["id"]


def test_cookie_is_for_tls_alone_where_the_public_address_is(api: Api) -> None:
    _, claim = links(api, given(api))
    front = FrontEnd(api.app, settings={"public_url": "https://registry.example"})
    answer = front.send("POST", claim, headers={"Host": "registry.example"})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-rootmark-holder=")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"))
    assert "Domain" not in cookie
