"""Sessions of the console for tests: with Chromium, and without a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Page

from registry.model.webhooks import TEST_KIND
from tests.api.conftest import Api

HIDDEN = re.compile(r'<input type="hidden" name="(csrf|once)" value="([^"]+)">')


def key_of(client: httpx.Client) -> str:
    """The API key that a client carries."""
    return client.headers["Authorization"].removeprefix("Bearer ")


@dataclass
class Session:
    """A browser's session without the browser: it keeps cookies, and sends what forms send."""

    http: httpx.Client

    def page(self, path: str, status: int = 200) -> str:
        """A page's text."""
        answer = self.http.get(path)
        assert answer.status_code == status, (answer.status_code, answer.text[:2000])
        return answer.text

    def hidden(self, path: str) -> dict[str, str]:
        """The session's token, and a new form's key where there is one."""
        return dict(HIDDEN.findall(self.page(path)))

    def post(self, path: str, data: dict[str, Any], *, of: str = "/console", **more: Any) -> httpx.Response:
        """Send a form that stands on the page ``of``."""
        return self.http.post(path, data=self.hidden(of) | data, **more)


def log_in(api: Api, key: str | None = None) -> Session:
    """A session with the issuer's key, or another."""
    http = api.open_clients.enter_context(httpx.Client(base_url=api.url, timeout=60))
    answer = http.post("/console/login", data={"key": key or key_of(api.issuer)})
    assert answer.status_code == 303, answer.text
    return Session(http)


def log_in_with(page: Page, api: Api, key: str | None = None) -> None:
    """The same in a browser."""
    page.goto("/console")
    page.get_by_label("API").fill(key or key_of(api.issuer))
    page.locator("main button").click()
    page.wait_for_url("**/console")


def csv_of(achievement: str, count: int, name: str, **changes: str) -> str:
    """A file of awards; ``changes`` are lines by their number that stand in the place of others."""
    lines = ["external_id,recipient_name,recipient_email,achievement_id,issued_on"]
    lines += [
        f"{name}-{number},Learner {number},learner{number}@college.example,{achievement},2026-11-23"
        for number in range(count)
    ]
    for number, line in changes.items():
        lines[int(number.removeprefix("line")) - 1] = line
    return "\r\n".join(lines) + "\r\n"


def given_up_webhook(api: Api) -> str:
    """Id of a webhook of the issuer's to which a message could not be delivered."""
    webhook = str(api.issuer.post("/v1/webhooks", json={"url": "https://hooks.invalid/"}).json()["id"])
    with api.app.store.write() as unit:  # given up at once, so that nothing is sent
        unit.webhooks.add_deliveries([(webhook, None, TEST_KIND)], api.app.clock.now())
        unit.webhooks.give_up(webhook, "answered with status 500")
    return webhook
