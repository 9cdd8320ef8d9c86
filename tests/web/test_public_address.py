"""A server at an address of which no DID can be made, an IP address: what needs no DID works there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registry.reports.checking import check_report
from tests.api.conftest import Api, new_digest, served


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    accreditor = "0x" + "17" * 20
    directory = tmp_path_factory.mktemp("numbered")
    with served(directory, public_url="http://127.0.0.1:8000", trusted_issuers=[accreditor]) as running:
        yield running


def test_verdict_on_a_digest_is_shown(numbered: Api) -> None:
    digest = new_digest()
    numbered.final_batch([digest])
    answer = numbered.public.get("/", params={"digest": digest})
    assert answer.status_code == 200
    assert 'data-outcome="valid"' in answer.text


def test_audit_is_reported_under_that_address(numbered: Api) -> None:
    answer = numbered.public.get(f"/v1/audit/issuers/{numbered.address}/report")
    assert answer.status_code == 200
    found = check_report(answer.content)
    assert found.problems == ()
    assert found.signer == "Common Name: 127.0.0.1:8000"


@pytest.mark.parametrize("path", ["/", "/me", "/audit", "/audit/events", "/audit/figures", "/console/login"])
def test_pages_are_there(numbered: Api, path: str) -> None:
    assert numbered.public.get(path).status_code == 200
