"""The verify page in a browser: each kind of file, good, tampered, revoked; bad input; no scripts; print."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api.web.texts import LANGUAGES
from tests.web import samples
from tests.web.conftest import ROOT, Api, NewPage, accessible, new_digest, shoot
from tests.web.samples import HOSTILE, Award

VECTORS = ROOT / "tests" / "vectors"
CARRIERS = ("json", "jwt", "png", "svg", "pdf")
DROP = """([target, files]) => {
    const data = new DataTransfer();
    for (const [name, type, bytes] of files)
        data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, {type}));
    target.dispatchEvent(new DragEvent("dragover", {dataTransfer: data, bubbles: true, cancelable: true}));
    target.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
}"""


@pytest.fixture(scope="module")
def good(api: Api) -> Award:
    return samples.award(api, samples.achievement(api))


@pytest.fixture(scope="module")
def revoked(api: Api) -> Award:
    found = samples.award(api, samples.achievement(api))
    samples.change_status(api, "suspensions", found.digest, "administrative_hold")
    samples.change_status(api, "reinstatements", found.digest)
    samples.change_status(api, "revocations", found.digest, "issued_in_error")
    return found


def choose(page: Page, *files: Any) -> None:
    page.locator("#file").set_input_files(list(files))


def outcome(page: Page) -> str:
    """The answer's outcome, once there is one."""
    return page.locator("#result .verdict").get_attribute("data-outcome") or "problem"


def sentence(page: Page) -> str:
    return page.locator("#result .verdict h2, #told .verdict p").first.inner_text()


def file_of(name: str, content: bytes | str, media_type: str = "application/json") -> dict[str, Any]:
    data = content.encode() if isinstance(content, str) else content
    return {"name": name, "buffer": data, "mimeType": media_type}


# --- refused, each with a sentence --------------------------------------------------------------------------


def test_file_of_fifty_megabytes_is_refused_before_it_is_sent(new_page: NewPage, tmp_path: Path) -> None:
    page = new_page(allowed="Failed to load resource")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.goto("/")
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    page.locator("#file").set_input_files(large)
    expect(page.locator("#told")).to_contain_text("larger than 10 MB")
    assert "POST" not in sent
    choose(page, file_of("small.json", '{"id": 1}'))
    expect(page.locator("#result .verdict")).to_be_visible()
    expect(page.locator("#told .verdict")).to_have_count(0)


def test_file_of_fifty_megabytes_is_refused_by_the_server_too(api: Api) -> None:
    answer = api.public.post("/verify", files={"file": ("a.json", b" " * 50 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "too large" in answer.text


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (("picture.png", samples.plain_picture("png")), "the PNG carries no credential"),
        (("broken.json", b'{"a": 1'), "JSON"),
        (("twice.json", b'{"a": 1, "a": 2}'), "two members of the same name"),
        (("notes.docx", b"PK\x03\x04" + bytes(40)), "an archive is not read here"),
        (("nothing.txt", b""), "of a kind that is not read here"),
        (("locked.pdf", samples.encrypted_pdf()), "this PDF is encrypted: save it without a password"),
        (("scan.pdf", b"%PDF-1.7"), "this PDF cannot be read"),
    ],
)
def test_file_that_holds_no_credential_gets_a_clear_sentence(
    new_page: NewPage, file: tuple[str, bytes], told: str
) -> None:
    name, data = file
    page = new_page(allowed="Failed to load resource")
    page.goto("/")
    choose(page, file_of(name, data, "application/octet-stream"))
    expect(page.locator("#result .verdict.unsure")).to_contain_text(told)
    accessible(page)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://elsewhere.example/badge.json", "nothing is fetched from elsewhere"),
        ("just words", "of a kind that is not read here"),
        ("0x12", "of a kind that is not read here"),
        ("   ", "nothing was shown"),
    ],
)
def test_text_that_leads_to_no_credential_gets_a_clear_sentence(
    new_page: NewPage, text: str, told: str
) -> None:
    page = new_page(allowed="Failed to load resource")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    page.locator("#text").fill(text)
    page.locator("#check").click()
    expect(page.locator("#result .verdict.unsure")).to_contain_text(told)
    assert not [url for url in asked if "elsewhere" in url]


def test_three_files_at_once_are_one_credential_too_many(new_page: NewPage, good: Award) -> None:
    page = new_page()
    page.goto("/")
    choose(page, good.file("json"), good.file("proof"), good.file("png"))
    expect(page.locator("#told")).to_contain_text("one credential at a time")


def test_two_credentials_at_once_are_refused(new_page: NewPage, good: Award) -> None:
    page = new_page(allowed="Failed to load resource")
    page.goto("/")
    choose(page, good.file("json"), good.file("png"))
    expect(page.locator("#result")).to_contain_text("several credentials")


def test_other_sites_cannot_send_the_form(api: Api, good: Award) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        answer = api.public.post("/verify", data={"text": good.digest}, headers=headers)
        assert answer.status_code == 403
        assert "another site" in answer.text


@pytest.mark.parametrize("query", ["digest=0x12", "other=1", "as_of=tomorrow", "issuer=0x1"])
def test_address_that_asks_wrongly_is_a_page_that_says_so(api: Api, query: str, good: Award) -> None:
    question = query if query.startswith(("digest", "other")) else f"digest={good.digest}&{query}"
    answer = api.public.get(f"/?{question}")
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "Request " in answer.text


# --- nothing that is shown runs -----------------------------------------------------------------------------


def test_nothing_in_a_credential_runs_or_becomes_part_of_the_page(new_page: NewPage, api: Api) -> None:
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2", HOSTILE],
        "id": HOSTILE,
        "type": ["VerifiableCredential", HOSTILE],
        "issuer": {"id": HOSTILE, "name": HOSTILE},
        "validFrom": HOSTILE,
        "credentialSubject": {"id": HOSTILE, HOSTILE: HOSTILE},
        "credentialStatus": {"id": HOSTILE, "type": HOSTILE},
        "proof": {"type": "DataIntegrityProof", "cryptosuite": HOSTILE, "proofValue": HOSTILE},
        HOSTILE: HOSTILE,
    }
    page = new_page(allowed="Failed to load resource")
    page.goto("/")
    choose(page, file_of(HOSTILE, json.dumps(document)))
    expect(page.locator("#result .verdict")).to_be_visible()
    page.locator("#text").fill(HOSTILE)
    page.locator("summary").click()
    page.locator("#issuer").fill(HOSTILE[:200])
    page.locator("#as_of").fill("<script>1</script>")
    page.locator("#check").click()
    expect(page.locator("#result .verdict.unsure")).to_be_visible()
    assert page.evaluate("window.struck") is None
    assert (
        page.locator("#result script, #result img, #result [onload], #result a[href^=javascript]").count()
        == 0
    )


def test_nothing_that_was_sent_without_scripts_comes_back_as_markup(api: Api) -> None:
    answer = api.public.post("/verify", data={"text": HOSTILE, "issuer": HOSTILE, "as_of": HOSTILE[:60]})
    assert answer.status_code in (413, 415, 422)
    assert "<script>window" not in answer.text
    assert "<img" not in answer.text
    assert "&lt;script&gt;" in answer.text  # what was typed stays in the form


def test_name_of_an_issuer_does_not_run(new_page: NewPage, api: Api) -> None:
    made = api.admin.post("/v1/issuers", json={"name": HOSTILE[:100], "url": "https://a.example"}).json()
    client = api.client(made["api_key"])
    digest = new_digest()
    sent = client.post("/v1/batches", json={"digests": [digest]}, headers={"Prefer": "wait=60"})
    assert sent.json()["state"] == "final"
    page = new_page()
    page.goto(f"/?digest={digest}")
    expect(page.locator("#result")).to_contain_text(HOSTILE[:40])
    assert page.evaluate("window.struck") is None
    assert page.locator("#result img").count() == 0


# --- verdicts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CARRIERS)
def test_good_file_of_each_kind_is_valid(new_page: NewPage, good: Award, kind: str) -> None:
    page = new_page()
    page.goto("/")
    choose(page, good.file(kind))
    assert outcome(page) == "valid"
    assert sentence(page).startswith("Valid: it is unchanged")
    assert "This is a test chain" in sentence(page)
    expect(page.locator("#result")).to_contain_text(good.digest)


@pytest.mark.parametrize("kind", CARRIERS)
def test_revoked_file_of_each_kind_says_when_and_why(new_page: NewPage, revoked: Award, kind: str) -> None:
    page = new_page()
    page.goto("/")
    choose(page, revoked.file(kind))
    assert outcome(page) == "revoked"
    assert " because it was issued in error." in sentence(page)


@pytest.mark.parametrize("kind", CARRIERS)
def test_tampered_file_of_each_kind_is_not_valid(new_page: NewPage, good: Award, kind: str) -> None:
    page = new_page(allowed="Failed to load resource")
    page.goto("/")
    choose(page, samples.tampered(good, kind))
    expect(page.locator("#result .verdict")).to_be_visible()
    assert outcome(page) in ("invalid", "problem")
    assert page.locator("#result .good").count() == 0


def test_opencert_of_another_registry_is_understood_and_left_open(new_page: NewPage) -> None:
    path = next(iter(sorted((VECTORS / "open-attestation" / "v2").glob("*.json"))))
    page = new_page()
    page.goto("/")
    choose(page, file_of("certificate.opencert", path.read_bytes()))
    assert outcome(page) in ("indeterminate", "invalid", "not_found")
    expect(page.locator("#result")).to_contain_text("OpenAttestation")


def test_credential_and_proof_are_dropped_together(new_page: NewPage, good: Award) -> None:
    page = new_page()
    page.goto("/")
    files = [
        [name, media_type, base64.b64encode(data).decode()]
        for name, data, media_type in (good.files["json"], good.files["proof"])
    ]
    page.evaluate(f"(files) => ({DROP})([document.getElementById('drop'), files])", files)
    assert outcome(page) == "valid"


def test_proof_of_another_does_not_help(new_page: NewPage, good: Award, revoked: Award) -> None:
    page = new_page()
    page.goto("/")
    choose(page, good.file("json"), revoked.file("proof"))
    assert outcome(page) == "invalid"


def test_digest_and_own_links_are_understood(new_page: NewPage, api: Api, good: Award) -> None:
    page = new_page()
    page.goto("/")
    texts = (good.digest, good.digest[2:].upper(), f"{api.url}/?digest={good.digest}")
    for text in (*texts, f"{api.url}/v1/credentials/{good.digest}"):
        page.locator("#text").fill(text)
        with page.expect_response("**/verify"):
            page.locator("#check").click()
        assert outcome(page) == "valid"


def test_answer_equals_the_apis(new_page: NewPage, api: Api, good: Award, revoked: Award) -> None:
    page = new_page()
    page.goto("/")
    for one in (good, revoked):
        with page.expect_response("**/verify"):
            choose(page, one.file("json"))
        said = api.public.post("/v1/verify", json={"credential": one.json()}).json()
        expect(page.locator("#result .verdict")).to_have_attribute("data-outcome", said["outcome"])
        shown = page.locator("#result [data-check]")
        found = {
            shown.nth(k).get_attribute("data-check"): shown.nth(k).get_attribute("data-result")
            for k in range(shown.count())
        }
        assert found == {check["name"]: check["result"] for check in said["checks"]}


def test_timeline_tells_all_that_happened_with_block_and_time(
    new_page: NewPage, api: Api, revoked: Award
) -> None:
    page = new_page()
    page.goto(f"/?digest={revoked.digest}")
    lines = page.locator("#result .timeline li").all_inner_texts()
    assert [line.split("\n")[0] for line in lines] == [
        "Anchored",
        "Suspended, because of an administrative hold",
        "Reinstated",
        "Revoked, because it was issued in error",
    ]
    assert all("block" in line and "UTC" in line for line in lines)


def test_as_of_a_block_before_the_revocation_it_was_valid_and_what_came_later_is_told(
    new_page: NewPage, api: Api, revoked: Award
) -> None:
    report = api.public.get(f"/v1/verify/{revoked.digest}").json()
    page = new_page()
    page.goto("/")
    page.locator("summary").click()
    page.locator("#as_of").fill(str(report["anchor"]["block_number"]))
    page.locator("#text").fill(revoked.digest)
    page.locator("#check").click()
    assert outcome(page) == "valid"
    expect(page.locator("#result")).to_contain_text("After the moment that you asked about")
    expect(page.locator("#result .timeline").nth(1)).to_contain_text("Revoked")
    page.get_by_role("link", name="Link to this answer").click()
    assert "as_of=" in page.url
    assert outcome(page) == "valid"


def test_issuer_stands_apart_from_integrity(new_page: NewPage, api: Api, good: Award) -> None:
    page = new_page()
    page.goto("/")
    choose(page, good.file("json"))
    card = page.get_by_role("region", name="Who issued it")
    expect(card).to_contain_text("Test College")
    expect(card).to_contain_text("This issuer is known here")
    expect(card).to_contain_text("localhost")
    stranger, _ = api.register("Stranger")
    page.goto(f"/?digest={good.digest}&issuer={stranger}")
    assert outcome(page) == "not_found"


def test_german_reader_is_refused_in_german(new_page: NewPage) -> None:
    page = new_page(language="de", allowed="Failed to load resource")
    page.goto("/")
    for file, told in (
        (("picture.png", samples.plain_picture("png")), "das PNG enthält keinen Nachweis"),
        (("locked.pdf", samples.encrypted_pdf()), "dieses PDF ist verschlüsselt"),
    ):
        choose(page, file_of(file[0], file[1], "application/octet-stream"))
        expect(page.locator("#result .verdict.unsure")).to_contain_text(told)


def test_german_reader_reads_german(new_page: NewPage, revoked: Award) -> None:
    page = new_page(language="de")
    page.goto("/")
    choose(page, revoked.file("json"))
    assert " weil er irrtümlich ausgestellt wurde." in sentence(page)
    assert sentence(page).startswith("Widerrufen am ")


# --- how it is used -----------------------------------------------------------------------------------------


def test_form_works_without_scripts(new_page: NewPage, good: Award) -> None:
    page = new_page(scripts=False, allowed="Failed to load resource")
    page.goto("/")
    choose(page, good.file("json"), good.file("proof"))
    page.locator("#check").click()
    assert outcome(page) == "valid"
    page.locator("#text").fill("just words")
    page.locator("#check").click()
    expect(page.locator("#result")).to_contain_text("not read here")


def test_keyboard_alone_leads_from_the_text_to_the_answer(new_page: NewPage, good: Award) -> None:
    page = new_page()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.locator("#text").focus()
    page.keyboard.insert_text(good.digest)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#result h2")).to_be_focused()
    assert outcome(page) == "valid"


@pytest.mark.parametrize("width", ["narrow", "wide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_answers_are_accessible_at_both_widths(
    new_page: NewPage, good: Award, revoked: Award, width: str, scheme: str
) -> None:
    for name, shown in (("valid", good), ("revoked", revoked)):
        for language in LANGUAGES:
            page = new_page(width=width, scheme=scheme, language=language)
            page.goto("/")
            choose(page, shown.file("json"), shown.file("proof"))
            assert outcome(page) == name
            accessible(page)
            shoot(page, f"verify-{name}-{width}-{scheme}-{language}")


def test_receipt_prints_the_answer_alone(new_page: NewPage, good: Award) -> None:
    page = new_page()
    page.goto("/")
    choose(page, good.file("json"))
    assert outcome(page) == "valid"
    expect(page.get_by_role("button", name="Print this receipt")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("form")).to_be_hidden()
    expect(page.locator(".bar")).to_be_hidden()
    expect(page.locator("#result .verdict")).to_be_visible()
    expect(page.locator("#result")).to_contain_text("Checked")
    shoot(page, "verify-receipt")
