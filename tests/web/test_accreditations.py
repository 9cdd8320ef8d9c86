"""Who vouches for an issuer, beside the verdict: only whom the operator trusts, only what is in force."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from registry.encoding import Address, parse_address
from registry.services.verification import VerificationPolicy
from tests.web import samples
from tests.web.conftest import Api, NewPage, accessible, shoot
from tests.web.samples import HOSTILE, Award
from tests.web.test_credential_pages import links

COMMENT = "Audited in 2026 by the rules for vocational schools."


@pytest.fixture
def award(api: Api) -> Award:
    return samples.award(api, samples.achievement(api))


def did(api: Api) -> str:
    return api.app.identity.did(parse_address(api.address))


def accreditor(api: Api, name: str = "Accreditation Board") -> tuple[Address, httpx.Client]:
    address, client = api.register(name)
    return parse_address(address), client


def trust(monkeypatch: pytest.MonkeyPatch, api: Api, *addresses: Address) -> None:
    monkeypatch.setattr(api.app.accreditations, "_trusted", frozenset(addresses))


def endorse(client: httpx.Client, subject: str, **more: Any) -> dict[str, Any]:
    body = {"subject": subject, "comment": COMMENT, "name": "Accreditation"} | more
    made = client.post("/v1/endorsements", json=body)
    assert made.status_code == 202, made.text
    sealed = client.post(f"/v1/batches/{made.json()['batch']}/seal", headers={"Prefer": "wait=60"})
    assert sealed.json()["state"] == "final", sealed.text
    found: dict[str, Any] = made.json()
    return found


def shown(api: Api, award: Award, **query: Any) -> str:
    page = api.public.get("/", params={"digest": award.digest} | query).text
    return page.partition('id="accreditations"')[2].partition("</ul>")[0]


def test_nobody_vouches_whom_the_operator_does_not_trust(
    api: Api, award: Award, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger, client = accreditor(api)
    endorse(client, did(api))
    assert shown(api, award) == ""
    trust(monkeypatch, api, parse_address("0x" + "17" * 20))
    assert shown(api, award) == ""
    trust(monkeypatch, api, stranger)
    assert COMMENT in shown(api, award)


def test_own_word_does_not_count(api: Api, award: Award, monkeypatch: pytest.MonkeyPatch) -> None:
    endorse(api.issuer, did(api))
    trust(monkeypatch, api, parse_address(api.address))
    assert shown(api, award) == ""


def test_word_about_another_does_not_count(api: Api, award: Award, monkeypatch: pytest.MonkeyPatch) -> None:
    board, client = accreditor(api)
    endorse(client, did(api) + "x")
    endorse(client, award.json()["id"])
    trust(monkeypatch, api, board)
    assert shown(api, award) == ""


def test_accreditation_that_was_taken_back_or_erased_is_gone(
    api: Api, award: Award, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, client = accreditor(api)
    trust(monkeypatch, api, board)
    first = endorse(client, did(api), name="First")
    second = endorse(client, did(api), name="Second")
    before = api.public.get("/v1/registry").json()["indexed_block"]
    assert shown(api, award).index("Second") < shown(api, award).index("First")
    request = client.post("/v1/revocations", json={"digests": [first["digest"]], "reason": "misconduct"})
    api.final_request(request.json(), client)
    assert "First" not in shown(api, award)
    assert "First" in shown(api, award, as_of=before)
    assert client.delete(f"/v1/credentials/{second['digest']}").status_code == 204
    assert shown(api, award) == ""


def test_accreditation_counts_from_its_anchor_to_its_end(
    api: Api, award: Award, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, client = accreditor(api)
    trust(monkeypatch, api, board)
    before = api.public.get("/v1/registry").json()["indexed_block"]
    endorse(client, did(api), name="Over", issued_on="2020-01-01", expires_on="2021-01-01")
    endorse(client, did(api), name="Now", issued_on="2020-01-01", expires_on="2099-01-01")
    assert "Over" not in shown(api, award)
    assert "Now" in shown(api, award)
    assert "January 1, 2099" in shown(api, award)
    assert shown(api, award, as_of=before) == ""


def test_accreditation_stands_on_the_credentials_page_and_nothing_in_it_runs(
    api: Api, award: Award, monkeypatch: pytest.MonkeyPatch, new_page: NewPage
) -> None:
    board, client = accreditor(api, name="Board <b>")
    trust(monkeypatch, api, board)
    endorse(client, did(api), comment=HOSTILE, name=HOSTILE)
    path, _ = links(api, award)
    page = new_page(width="narrow")
    page.goto(path)
    page.locator("summary", has_text="How this was checked").click()
    assert "Board <b>" in page.locator("#accreditations").inner_text()
    assert page.evaluate("window.struck") is None
    assert page.locator("#accreditations img, #accreditations script, #accreditations svg").count() == 0
    accessible(page)
    shoot(page, "accreditations-narrow-light-en")


def test_accreditation_that_ended_since_the_last_block_is_gone(
    api: Api, award: Award, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, client = accreditor(api)
    trust(monkeypatch, api, board)
    tomorrow = (api.app.clock.now() + timedelta(days=1)).date().isoformat()
    endorse(client, did(api), expires_on=tomorrow)
    assert COMMENT in shown(api, award)
    later = api.app.clock.now() + timedelta(days=2)
    monkeypatch.setattr(type(api.app.clock), "now", lambda _self: later)
    monkeypatch.setattr(api.app.verification, "_policy", VerificationPolicy(max_index_age_seconds=1e9))
    assert shown(api, award) == ""
