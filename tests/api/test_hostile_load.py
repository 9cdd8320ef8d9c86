"""Many hostile documents at once: the server goes on answering, and nothing is left of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.credentials import patience
from tests.api.conftest import Api, new_digest
from tests.api.signed_documents import METHOD, RDFC, V2, credential, outcome, signed
from tests.unit.credentials.rdf.samples import EXAMPLES, clique

AT_ONCE = 50


def poison(number: int) -> dict[str, Any]:
    document = credential(**{"@context": [V2, EXAMPLES]})
    nodes = clique(9 + number % 2)["credentialSubject"]
    document["credentialSubject"] = {"id": "did:example:holder", "https://x.example/p": nodes}
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": RDFC,
        "created": "2026-01-01T00:00:00Z",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
        "proofValue": "z" + "2" * 87,
    }
    return document | {"proof": [proof] * 4}


def costly(number: int) -> dict[str, Any]:
    """Something hostile; every tenth is poison."""
    if number % 10 == 0:
        return poison(number)
    return poison(number) | {
        "credentialSubject": {
            "id": "did:example:holder",
            "https://x.example/p": [{"https://x.example/q": str(n)} for n in range(number * 8)],
        }
    }


def children() -> dict[int, str]:
    """This process's children and their states."""
    found: dict[int, str] = {}
    for task in Path("/proc/self/task").iterdir():
        try:
            for number in (task / "children").read_text().split():
                found[int(number)] = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
    return found


@pytest.fixture
def flood(api: Api) -> Iterator[list[Any]]:
    """Costly documents on their way to the server in fifty requests; their answers are futures."""
    limits = httpx.Limits(max_connections=AT_ONCE)
    with (
        httpx.Client(base_url=api.url, timeout=300, limits=limits) as client,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        yield [
            pool.submit(client.post, "/v1/verify", json={"credential": costly(number)})
            for number in range(AT_ONCE)
        ]


def test_server_answers_others_while_it_is_flooded_and_recovers(api: Api, flood: list[Any]) -> None:
    began = time.monotonic()
    answered = 0
    while not all(one.done() for one in flood):
        started = time.monotonic()
        assert api.public.get("/health/live").status_code == 200
        assert api.public.post("/v1/verify", json={"digest": new_digest()}).status_code == 200
        assert api.issuer.get("/v1/batches").status_code == 200
        assert api.public.get("/health/ready").status_code in (200, 503)
        assert time.monotonic() - started < 10
        answered += 1
        assert time.monotonic() - began < 240
        threading.Event().wait(0.2)
    assert answered > 0
    for one in flood:
        response = one.result()
        assert response.status_code == 200, response.text
        assert response.json()["outcome"] in ("invalid", "indeterminate")
    assert outcome(api, signed(api, credential(), RDFC)) == "valid"
    assert [state for state in children().values() if state == "Z"] == []


def test_bulk_of_poison_ends_and_leaves_what_was_not_looked_at_open(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "SECONDS_OF_A_REQUEST", 6.0)
    items = [{"credential": poison(number)} for number in range(30)]
    started = time.monotonic()
    response = api.public.post("/v1/verify/bulk", json={"items": items}, timeout=300)
    assert time.monotonic() - started < 60
    outcomes = {one["report"]["outcome"] for one in response.json()["results"]}
    assert outcomes == {"indeterminate"}
