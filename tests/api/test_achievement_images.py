"""Pictures of achievements over HTTP: cleaned or refused, seen by anybody, and in what is handed out."""

from __future__ import annotations

from io import BytesIO

import httpx
import pytest
from PIL import Image, PngImagePlugin

from registry.credentials.carriers.png import SIGNATURE
from tests.api.conftest import Api
from tests.api.support import problem
from tests.unit.credentials.awards.samples import PLAIN
from tests.unit.typesetting.samples import HEAVY, svg

SVG = svg('<title>Seam</title><rect width="100" height="100" fill="#00f"/>')


@pytest.fixture
def welding(api: Api) -> str:
    return str(api.issuer.post("/v1/achievements", json=PLAIN).json()["id"])


def picture(kind: str, text: str = "") -> bytes:
    out, info = BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Comment", text)
    more = {"pnginfo": info} if kind == "PNG" else {}
    Image.new("RGB", (30, 20), (200, 30, 30)).save(out, kind, **more)
    return out.getvalue()


def upload(
    api: Api, achievement: str, data: bytes, media: str = "image/png", client: httpx.Client | None = None
) -> httpx.Response:
    path = f"/v1/achievements/{achievement}/image"
    return (client or api.issuer).put(path, content=data, headers={"Content-Type": media})


def shown(api: Api, achievement: str, ending: str = "png", **headers: str) -> httpx.Response:
    return api.public.get(f"/achievements/{achievement}/image.{ending}", headers=headers)


def exported(api: Api, achievement: str, wanted: str) -> bytes:
    award = {"recipient": {"email": "ada@college.example"}, "achievement_id": achievement}
    made = api.issuer.post("/v1/awards", json={"awards": [award]}).json()["awards"][0]["id"]
    response = api.issuer.get(f"/v1/awards/{made}/credential", params={"format": wanted})
    assert response.status_code == 200, response.text
    return response.content


# --- refused ------------------------------------------------------------------------------------------------


def test_only_the_achievements_issuer_uploads(api: Api, welding: str) -> None:
    problem(upload(api, welding, picture("PNG"), client=api.public), 401, "unauthorized")
    problem(upload(api, welding, picture("PNG"), client=api.admin), 403, "forbidden")
    _, stranger = api.register()
    problem(upload(api, welding, picture("PNG"), client=stranger), 404, "not-found")
    problem(upload(api, "urn:uuid:none", picture("PNG")), 404, "not-found")
    problem(shown(api, welding), 404, "not-found")


@pytest.mark.parametrize(
    ("data", "media", "status"),
    [
        (b"", "image/png", 415),
        (b"GIF89a", "image/gif", 415),
        (b"{}", "application/json", 415),
        (SIGNATURE + b"\0" * 40, "image/png", 422),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "image/svg+xml", 422),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="x"/>', "image/svg+xml", 422),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml", 422),
        (
            b'<svg xmlns="http://www.w3.org/2000/svg"><image href="https://x.example/a.png"/></svg>',
            "image/svg+xml",
            422,
        ),
        (HEAVY["blurs"], "image/svg+xml", 422),
        (b" " * (10 * 2**20 + 1), "image/png", 413),
    ],
)
def test_picture_that_is_none_or_could_do_more_is_refused(
    api: Api, welding: str, data: bytes, media: str, status: int
) -> None:
    assert upload(api, welding, data, media).status_code == status
    assert shown(api, welding).status_code == 404
    assert "image" not in api.public.get(f"/v1/achievements/{welding}").json()


# --- taken --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "media"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_picture_is_written_anew_named_by_a_new_version_and_seen_by_anybody(
    api: Api, welding: str, kind: str, media: str
) -> None:
    made = upload(api, welding, picture(kind, "a secret"), media)
    assert (made.status_code, made.headers["etag"], made.json()["version"]) == (200, '"2"', 2)
    assert made.json()["image"].endswith(f"/achievements/{welding}/image.png")
    found = shown(api, welding)
    assert found.headers["content-type"] == "image/png"
    assert b"secret" not in found.content
    assert Image.open(BytesIO(found.content)).size == (30, 20)
    assert found.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in found.headers["content-security-policy"]
    assert found.headers["access-control-allow-origin"] == "*"
    assert shown(api, welding, **{"If-None-Match": found.headers["etag"]}).status_code == 304
    problem(shown(api, welding, "svg"), 404, "not-found")
    problem(shown(api, welding, "gif"), 404, "not-found")


def test_another_picture_of_the_kind_takes_its_place_without_a_new_version(api: Api, welding: str) -> None:
    upload(api, welding, picture("PNG"))
    before = shown(api, welding)
    again = upload(api, welding, exported(api, welding, "png"))
    assert again.json()["version"] == 2
    assert shown(api, welding).headers["etag"] == before.headers["etag"]  # the same pixels
    drawn = upload(api, welding, SVG, "image/svg+xml")
    assert (drawn.json()["version"], drawn.json()["image"][-4:]) == (3, ".svg")
    assert shown(api, welding, "svg").headers["content-type"] == "image/svg+xml"
    problem(shown(api, welding), 404, "not-found")


def test_badge_names_the_picture_and_is_baked_into_it(api: Api, welding: str) -> None:
    upload(api, welding, picture("PNG"))
    address = api.public.get(f"/v1/achievements/{welding}").json()["image"]
    assert address.encode() in exported(api, welding, "json")
    assert Image.open(BytesIO(exported(api, welding, "png"))).size == (30, 20)
    assert b'width="30"' in exported(api, welding, "svg")
    upload(api, welding, SVG, "image/svg+xml")
    assert b"<title>Seam</title>" in exported(api, welding, "svg")
    drawn = Image.open(BytesIO(exported(api, welding, "png")))
    assert (drawn.size, drawn.getpixel((200, 200))) == ((400, 400), (0, 0, 255, 255))


def test_picture_elsewhere_is_named_and_not_fetched(api: Api, welding: str) -> None:
    upload(api, welding, picture("PNG"))
    elsewhere = PLAIN | {"image": "https://127.0.0.1:1/welding.png"}
    path = f"/v1/achievements/{welding}"
    assert api.issuer.put(path, json=elsewhere, headers={"If-Match": "*"}).status_code == 200
    assert Image.open(BytesIO(exported(api, welding, "png"))).size == (400, 400)
