"""Certificates over HTTP: exported, verified, revoked; and how an issuer wants them to look."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import pytest

from registry.credentials.carriers.images import default_badge
from tests.api.conftest import Api
from tests.api.support import pointers, problem
from tests.unit.typesetting.samples import DISC, HEAVY, svg
from tests.web import samples

DESIGN = {
    "accent": "#a01020",
    "title": "Diploma",
    "footer": "1 College Road",
    "signatories": ["R. Green, Dean"],
    "language": "de",
}


def pdf_of(api: Api, award: samples.Award) -> bytes:
    answer = api.issuer.get(f"/v1/awards/{award.id}/credential", params={"format": "pdf"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert f"certificate-{award.id}.pdf" in answer.headers["content-disposition"]
    return answer.content


def verified(api: Api, data: bytes, kind: str = "application/pdf") -> dict[str, Any]:
    answer = api.public.post("/v1/verify", content=data, headers={"Content-Type": kind})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
def award(api: Api) -> samples.Award:
    to = {"email": "ada@college.example", "name": "Ada Lovelace"}
    return samples.award(api, samples.achievement(api), recipient=to)


def test_certificate_verifies_as_the_credential_does_before_and_after_revocation(api: Api) -> None:
    award = samples.award(api, samples.achievement(api))
    data = pdf_of(api, award)
    for kind in ("application/pdf", "application/octet-stream"):
        report = verified(api, data, kind)
        assert (report["outcome"], report["digest"]) == ("valid", award.digest)
    assert "pass" in [one["result"] for one in report["checks"] if one["name"] == "inclusion"]
    form = api.public.post("/v1/verify", files={"file": ("diploma.pdf", data)}).json()
    assert form["outcome"] == "valid"
    samples.change_status(api, "revocations", award.digest)
    assert verified(api, data)["outcome"] == "revoked"


def test_tampered_attachment_is_invalid(api: Api, award: samples.Award) -> None:
    with pikepdf.open(io.BytesIO(pdf_of(api, award))) as pdf:
        text = pdf.attachments["credential.json"].get_file().read_bytes()
        pdf.attachments["credential.json"] = text.replace(b"Joins metal", b"Joins steel")
        out = io.BytesIO()
        pdf.save(out)
    assert verified(api, out.getvalue())["outcome"] == "invalid"


def test_same_award_gives_the_same_file(api: Api, award: samples.Award) -> None:
    assert pdf_of(api, award) == pdf_of(api, award)


def test_character_without_a_font_is_a_problem_that_names_it(api: Api) -> None:
    to = {"email": "ada@college.example", "name": "Ada 中"}
    body = {"awards": [{"recipient": to, "achievement_id": samples.achievement(api)}]}
    made = api.issuer.post("/v1/awards", json=body, headers={"Prefer": "wait=60"}).json()
    path = f"/v1/awards/{made['awards'][0]['id']}/credential"
    answer = api.issuer.get(path, params={"format": "pdf"})
    assert "中 (U+4E2D), which stands in: holder" in problem(answer, 422, "validation")["detail"]


def test_bad_pdfs_are_problems(api: Api) -> None:
    answer = api.public.post("/v1/verify", content=b"%PDF-1.7", headers={"Content-Type": "application/pdf"})
    assert "cannot be read" in problem(answer, 422, "validation")["detail"]


def test_issuer_designs_its_certificates(api: Api, award: samples.Award) -> None:
    path = f"/v1/issuers/{api.address}/certificate"
    plain = api.issuer.get(path).json()
    assert (plain["accent"], plain["title"], plain["logo"]) == ("#0b5cad", None, False)
    before = pdf_of(api, award)
    assert api.issuer.put(path, json=DESIGN).json() == DESIGN | {"logo": False}
    designed = pdf_of(api, award)
    assert designed != before
    logo = api.issuer.put(
        f"{path}/logo", content=default_badge("x").data, headers={"Content-Type": "image/png"}
    )
    assert logo.json() == DESIGN | {"logo": True}
    assert pdf_of(api, award) != designed
    assert verified(api, pdf_of(api, award))["outcome"] == "valid"
    assert api.issuer.put(path, json={}).json()["logo"] is True
    drawn = api.issuer.put(f"{path}/logo", content=DISC, headers={"Content-Type": "image/svg+xml"})
    assert drawn.status_code == 200
    assert verified(api, pdf_of(api, award))["outcome"] == "valid"
    assert api.issuer.delete(f"{path}/logo").status_code == 204
    assert pdf_of(api, award) == before


def test_only_the_issuer_designs(api: Api) -> None:
    path = f"/v1/issuers/{api.address}/certificate"
    _, stranger = api.register()
    for method in ("GET", "PUT"):
        body = {"json": DESIGN} if method == "PUT" else {}
        problem(api.public.request(method, path, **body), 401, "unauthorized")
        problem(stranger.request(method, path, **body), 404, "not-found")
        problem(api.admin.request(method, path, **body), 403, "forbidden")
    problem(stranger.delete(f"{path}/logo"), 404, "not-found")
    svg = {"content": HEAVY["masks"], "headers": {"Content-Type": "image/svg+xml"}}
    problem(stranger.put(f"{path}/logo", **svg), 404, "not-found")  # before anything is drawn


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"accent": "red"}, "/accent"),
        ({"accent": "#12345"}, "/accent"),
        ({"language": "nl"}, "/language"),
        ({"signatories": ["a", "b", "c", "d"]}, "/signatories"),
        ({"signatories": ["a" * 101]}, "/signatories/0"),
        ({"title": "a" * 101}, "/title"),
        ({"typst": "#set page()"}, "/typst"),
    ],
)
def test_wrong_design_is_refused_with_its_place(api: Api, body: dict[str, Any], pointer: str) -> None:
    answer = api.issuer.put(f"/v1/issuers/{api.address}/certificate", json=body)
    assert pointers(problem(answer, 422, "validation")) == [pointer]


def test_logo_that_is_no_picture_is_refused(api: Api) -> None:
    path = f"/v1/issuers/{api.address}/certificate/logo"
    answer = api.issuer.put(path, content=b"hello", headers={"Content-Type": "image/png"})
    assert answer.status_code in (415, 422)
    for data, code in ((svg("<script>1</script>"), "svg-active"), (HEAVY["masks"], "svg-heavy")):
        answer = api.issuer.put(path, content=data, headers={"Content-Type": "image/svg+xml"})
        assert problem(answer, 422, "validation")["errors"][0]["code"] == code
