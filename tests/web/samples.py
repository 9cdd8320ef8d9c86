"""What the pages' tests show: badges in every carrier, and texts that would run if a page let them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

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
