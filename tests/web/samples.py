"""What the pages' tests show: badges in every carrier, and texts that would run if a page let them."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from typing import Any

import pikepdf

from registry.credentials.carriers.images import default_badge
from registry.credentials.carriers.png import bake_png, unbake_png
from registry.credentials.carriers.svg import bake_svg, unbake_svg
from tests.api.conftest import Api
from tests.unit.credentials.awards.samples import FULL

HOSTILE = (
    '"><script>window.struck = 1</script><img src=x onerror="window.struck = 1">'
    "<svg onload='window.struck = 1'>{{7*7}}${7*7}<a href=\"javascript:window.struck=1\">x</a>"
)
"""Strikes in text, attributes and templates; short enough for every field."""


@dataclass(frozen=True)
class Award:
    """An award whose batch is final. ``files`` are its carriers by format."""

    id: str
    digest: str
    files: dict[str, tuple[str, bytes, str]]

    def file(self, kind: str) -> dict[str, Any]:
        """As Playwright takes a file."""
        name, data, media_type = self.files[kind]
        return {"name": name, "buffer": data, "mimeType": media_type}

    def json(self) -> dict[str, Any]:
        """The credential."""
        found: dict[str, Any] = json.loads(self.files["json"][1])
        return found


NAMES = {
    "json": "badge.json",
    "jwt": "badge.jwt",
    "png": "badge.png",
    "svg": "badge.svg",
    "pdf": "certificate.pdf",
    "proof": "proof.json",
}


def achievement(api: Api, **changes: Any) -> str:
    """The id of a new achievement."""
    made = api.issuer.post("/v1/achievements", json=FULL | changes)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def award(api: Api, achievement_id: str, recipient: dict[str, str] | None = None, **options: Any) -> Award:
    """A new award in each carrier."""
    to = recipient or {"email": "ada@college.example"}
    body = {"awards": [{"recipient": to, "achievement_id": achievement_id}], "options": options}
    made = api.issuer.post("/v1/awards", json=body, headers={"Prefer": "wait=60"})
    assert made.json()["batch"]["state"] == "final", made.text
    identifier = str(made.json()["awards"][0]["id"])
    files = {}
    for kind, name in NAMES.items():
        answer = api.issuer.get(f"/v1/awards/{identifier}/credential", params={"format": kind})
        assert answer.status_code == 200, answer.text
        files[kind] = (name, answer.content, answer.headers["content-type"].partition(";")[0])
    digest = str(api.issuer.get(f"/v1/awards/{identifier}").json()["digest"])
    return Award(identifier, digest, files)


def change_status(api: Api, kind: str, digest: str, reason: str = "unspecified") -> None:
    """Revoke, suspend or reinstate, and wait until it is final. ``kind`` is the API's plural."""
    made = api.issuer.post(f"/v1/{kind}", json={"digests": [digest], "reason": reason})
    assert made.status_code in (200, 202), made.text
    api.final_request(made.json())


def tampered(award: Award, kind: str) -> dict[str, Any]:
    """The award's file with one word of the credential changed, as Playwright takes a file."""
    return award.file(kind) | {"buffer": _TAMPERING[kind](award.files[kind][1])}


def _changed(text: bytes) -> bytes:
    assert b"Joins metal" in text
    return text.replace(b"Joins metal", b"Joins steel")


def _tampered_token(data: bytes) -> bytes:
    head, body, signature = data.split(b".")
    payload = _changed(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    return b".".join((head, base64.urlsafe_b64encode(payload).rstrip(b"="), signature))


def _tampered_png(data: bytes) -> bytes:
    baked = unbake_png(data)
    assert baked is not None
    return bake_png(plain_picture("png"), _changed(baked.text))


def _tampered_svg(data: bytes) -> bytes:
    baked = unbake_svg(data)
    assert baked is not None
    return bake_svg(plain_picture("svg"), _changed(baked.text))


def _tampered_pdf(data: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        text = pdf.attachments["credential.json"].get_file().read_bytes()
        pdf.attachments["credential.json"] = _changed(text)
        pdf.save(out)
    return out.getvalue()


_TAMPERING = {
    "json": _changed,
    "jwt": _tampered_token,
    "png": _tampered_png,
    "svg": _tampered_svg,
    "pdf": _tampered_pdf,
}


def plain_picture(kind: str) -> bytes:
    """A picture without a credential."""
    if kind == "png":
        return default_badge("Plain").data
    return b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'


def encrypted_pdf() -> bytes:
    """A PDF that opens with a password alone."""
    made = pikepdf.new()
    made.add_blank_page()
    out = io.BytesIO()
    made.save(out, encryption=pikepdf.Encryption(owner="owner", user="word"))
    return out.getvalue()
