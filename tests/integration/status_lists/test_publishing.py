"""Published lists: they say what the chain says or nothing at all, are signed once, and verify here."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.formats.verifiable_credentials import VerifiableCredentials
from registry.credentials.sources import Tools
from registry.credentials.status.bitstring import MIN_ENTRIES
from registry.credentials.status.checking import check_status
from registry.credentials.status.lists import Purpose, public_id
from registry.credentials.status.publishing import VALID_SECONDS
from registry.encoding import DigestMethod
from registry.errors import (
    IndexStaleError,
    NotFoundError,
    UnavailableError,
    UnavailableSourceError,
)
from registry.model.awards import Award
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.model.signing_keys import SigningKeyKind
from registry.services.items import NewItem
from registry.verdict.report import CheckResult, Outcome
from tests.integration.status_lists.conftest import BASE, MAX_INDEX_AGE_SECONDS, Desk, Keys
from tests.support.pipeline import ADMIN
from tests.unit.credentials.suites.parts import NoLedgers

REVOCATION, SUSPENSION = Purpose


def tools(desk: Desk) -> Tools:
    return Tools(
        canonicalizer=desk.canonicalizer,
        documents=desk.publication.documents({}),
        ledgers=NoLedgers(),
        now=desk.world.clock.now(),
        supplied={},
    )


def document(desk: Desk, award: Award) -> dict[str, object]:
    with desk.world.store.read() as unit:
        stored = unit.entries.document(award.batch_seq, award.index)
    assert stored is not None
    found: dict[str, object] = json.loads(stored)
    return found


def checked(desk: Desk, award: Award) -> list[Finding]:
    means = tools(desk)

    def examine(presented: Presented) -> Examination:
        return VerifiableCredentials().examine(presented, means)

    return list(check_status(document(desk, award), means, examine))  # type: ignore[arg-type]


# --- nothing rather than something wrong --------------------------------------------------------------------


def test_list_that_does_not_exist_is_not_found(desk: Desk) -> None:
    for name in ("", "x", public_id("0" * 32, REVOCATION), f"{'0' * 32}-message"):
        with pytest.raises(NotFoundError):
            desk.publication.status_lists.published(name)


def test_nothing_is_published_when_the_index_contradicts_the_chain(desk: Desk) -> None:
    (award,) = desk.award()
    assert desk.bit(award) == 0
    with desk.world.store.write() as unit:
        unit.events.set_mismatch(desk.issuer, 1, "another head")
    with pytest.raises(UnavailableError, match="contradicts"):
        desk.bit(award)
    with pytest.raises(UnavailableError, match="contradicts"):
        desk.revoked()
    assert [finding.result for finding in checked(desk, award)] == [CheckResult.UNKNOWN] * 2


def test_nothing_is_published_when_the_index_is_older_than_its_limit(desk: Desk) -> None:
    (award,) = desk.award()
    assert desk.bit(award) == 0
    desk.world.clock.advance(MAX_INDEX_AGE_SECONDS + 1)
    with pytest.raises(IndexStaleError):
        desk.bit(award)
    with pytest.raises(IndexStaleError):
        desk.revoked()


def test_nothing_is_signed_when_the_server_has_another_address_than_its_lists(desk: Desk) -> None:
    (award,) = desk.award()
    desk.bit(award)
    elsewhere = desk.published("https://other.example")
    with pytest.raises(UnavailableError, match="address"):
        elsewhere.status_lists.published(public_id(str(award.status_list), REVOCATION))


# --- what is published --------------------------------------------------------------------------------------


def test_list_is_a_credential_of_the_issuer_for_one_purpose(desk: Desk) -> None:
    first, second = desk.award(2)
    assert first.status_list == second.status_list is not None
    for purpose in Purpose:
        url = f"{BASE}/status/{first.status_list}-{purpose}"
        found = desk.list(first.status_list, purpose)
        assert found["id"] == url
        assert found["issuer"] == f"did:web:registry.example:issuers:0x{desk.issuer.hex()}"
        assert found["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
        assert found["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
        assert (
            found["credentialSubject"].items()
            >= {
                "id": f"{url}#list",
                "type": "BitstringStatusList",
                "statusPurpose": purpose.value,
                "ttl": 5000,
            }.items()
        )
        assert len(desk.bits(first.status_list, purpose)) * 8 >= MIN_ENTRIES
        means = tools(desk)
        examination = VerifiableCredentials().examine(Presented(document=found), means)
        assert all(finding.result is CheckResult.PASS for finding in examination.findings)


def test_credential_says_where_its_bits_are(desk: Desk) -> None:
    award, other = desk.award(2)
    assert award.status_index != other.status_index
    assert document(desk, award)["credentialStatus"] == [
        {
            "id": f"{BASE}/status/{award.status_list}-{purpose}#{award.status_index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose.value,
            "statusListIndex": str(award.status_index),
            "statusListCredential": f"{BASE}/status/{award.status_list}-{purpose}",
        }
        for purpose in Purpose
    ]


def test_revoked_and_suspended_credentials_are_so_by_their_own_lists(desk: Desk) -> None:
    revoked, suspended, neither = desk.award(3)
    desk.change(RequestKind.REVOCATION, [revoked])
    desk.change(RequestKind.SUSPENSION, [suspended])
    assert [finding.outcome for finding in checked(desk, revoked)] == [Outcome.REVOKED, Outcome.VALID]
    assert [finding.outcome for finding in checked(desk, suspended)] == [Outcome.VALID, Outcome.SUSPENDED]
    assert [finding.outcome for finding in checked(desk, neither)] == [Outcome.VALID] * 2
    desk.change(RequestKind.REINSTATEMENT, [suspended])
    assert [finding.outcome for finding in checked(desk, suspended)] == [Outcome.VALID] * 2


def test_bit_is_set_as_soon_as_the_change_is_mined_and_cleared_when_that_is_final(desk: Desk) -> None:
    (award,) = desk.award()
    desk.change(RequestKind.SUSPENSION, [award], settle=False)
    assert desk.bit(award, SUSPENSION) == 0
    desk.world.step()
    desk.world.driven.mine(1)
    desk.world.indexer.catch_up()
    assert desk.bit(award, SUSPENSION) == 1
    desk.world.settle()
    desk.change(RequestKind.REINSTATEMENT, [award], settle=False)
    desk.world.step()
    desk.world.driven.mine(1)
    desk.world.indexer.catch_up()
    assert desk.bit(award, SUSPENSION) == 1
    desk.world.settle()
    assert desk.bit(award, SUSPENSION) == 0


def test_credential_stays_revoked_when_it_is_erased(desk: Desk) -> None:
    award, other = desk.award(2)
    desk.change(RequestKind.REVOCATION, [award])
    credential = document(desk, award)["id"]
    assert desk.world.issuing.erase(desk.caller, desk.digests([award])[0]) == 1
    desk.publication = desk.published()
    assert (desk.bit(award), desk.bit(other)) == (1, 0)
    assert desk.revoked() == {credential: "misconduct"}


def test_credential_that_is_erased_while_its_revocation_is_on_its_way_is_named(desk: Desk) -> None:
    award, other = desk.award(2)
    credential = document(desk, award)["id"]
    digest, another = desk.digests([award, other])
    desk.change(RequestKind.REVOCATION, [award], settle=False)
    desk.world.issuing.erase(desk.caller, digest)
    desk.world.issuing.erase(desk.caller, another)
    desk.world.settle()
    assert (desk.bit(award), desk.bit(other)) == (1, 0)
    assert desk.revoked() == {credential: "misconduct"}


def test_id_of_a_credential_is_forgotten_when_that_is_erased_unrevoked(desk: Desk) -> None:
    (award,) = desk.award()
    desk.world.issuing.erase(desk.caller, desk.digests([award])[0])
    desk.world.status.withdraw(desk.caller, award.batch_id, Reason.ISSUED_IN_ERROR)
    desk.world.settle()
    assert desk.bit(award) == 1
    assert desk.revoked() == {}


def test_copy_of_a_credential_in_a_withdrawn_batch_revokes_it_as_verdicts_say(desk: Desk) -> None:
    award, other = desk.award(2)
    (digest, _) = desk.digests([award, other])
    world = desk.world
    copies = world.issuing.create_batch(
        desk.caller, [NewItem(digest, DigestMethod.JCS_SHA256)], allow_duplicate=True
    )
    world.settle()
    assert desk.bit(award) == 0
    world.status.withdraw(desk.caller, copies.id, Reason.ISSUED_IN_ERROR)
    world.settle()
    assert (desk.bit(award), desk.bit(other)) == (1, 0)
    assert list(desk.revoked().values()) == ["issued in error"]


def test_places_in_another_issuers_lists_are_never_marked(desk: Desk) -> None:
    (award,) = desk.award()
    registration = desk.world.issuers.register(ADMIN, "Another", "https://other.example/")
    desk.world.settle()
    stranger = desk.world.access.authenticate(registration.token)
    digest = desk.digests([award])[0]
    desk.world.issuing.create_batch(stranger, [NewItem(digest, DigestMethod.JCS_SHA256)])
    desk.world.settle()
    desk.world.status.change(stranger, RequestKind.REVOCATION, [digest], Reason.MISCONDUCT)
    desk.world.settle()
    assert desk.bit(award) == 0
    assert desk.revoked() == {}


# --- signing ------------------------------------------------------------------------------------------------


def test_list_is_signed_anew_only_when_bits_or_validity_change(desk: Desk) -> None:
    award, other = desk.award(2)
    name = public_id(str(award.status_list), REVOCATION)
    lists = desk.publication.status_lists
    first = lists.published(name)
    before = Keys.signed
    desk.award()  # moves the issuer's head
    desk.change(RequestKind.SUSPENSION, [other])  # changes the other list alone
    assert lists.published(name) == first
    assert Keys.signed == before
    desk.change(RequestKind.REVOCATION, [other])
    changed = lists.published(name)
    assert changed.etag != first.etag
    assert Keys.signed == before + 1
    desk.world.clock.advance(VALID_SECONDS / 2)
    desk.world.indexer.catch_up()
    renewed = lists.published(name)
    assert Keys.signed == before + 2
    assert json.loads(renewed.body)["validUntil"] > json.loads(changed.body)["validUntil"]
    assert lists.published(name) == renewed


def test_list_is_signed_once_when_many_ask_at_once(desk: Desk) -> None:
    (award,) = desk.award()
    name = public_id(str(award.status_list), REVOCATION)
    desk.publication.status_lists.published(name)  # makes the key
    process = desk.published()
    before = Keys.signed
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(process.status_lists.published, [name] * 24))
    assert len({one.etag for one in found}) == 1
    assert Keys.signed == before + 1


def test_list_that_an_earlier_key_signed_still_verifies_after_a_rotation(desk: Desk) -> None:
    (award,) = desk.award()
    desk.bit(award)
    desk.publication.identity.rotate(ADMIN, desk.issuer, SigningKeyKind.ED25519)
    assert [finding.outcome for finding in checked(desk, award)] == [Outcome.VALID] * 2


# --- own documents ------------------------------------------------------------------------------------------


def test_own_documents_come_without_network_and_from_nobody_else(desk: Desk) -> None:
    (award,) = desk.award()
    name = public_id(str(award.status_list), REVOCATION)
    forged = {f"{BASE}/status/{name}": b"forged", "https://other.example/doc": b"supplied"}
    documents = desk.publication.documents(forged)
    issuer = f"{BASE}/issuers/0x{desk.issuer.hex()}"
    assert json.loads(documents.get(f"{BASE}/status/{name}"))["id"] == f"{BASE}/status/{name}"
    assert json.loads(documents.get(f"{issuer}/did.json"))["id"].startswith("did:web:")
    assert json.loads(documents.get(f"{issuer}/profile.json"))["id"] == f"{issuer}/profile.json"
    listing = json.loads(documents.get(f"{issuer}/revocation-list.json"))
    assert listing == {
        "@context": "https://w3id.org/openbadges/v2",
        "type": "RevocationList",
        "id": f"{issuer}/revocation-list.json",
        "issuer": f"{issuer}/profile.json",
        "revokedAssertions": [],
    }
    assert documents.get("https://other.example/doc") == b"supplied"


def test_document_that_this_server_does_not_have_is_unavailable(desk: Desk) -> None:
    nobody = f"{BASE}/issuers/0x{'11' * 20}"
    expected = {
        f"{BASE}/status/nothing": "has no document",
        f"{BASE}/status/..%2F": "has no document",
        f"{nobody}/did.json": "has no document",
        f"{nobody}/profile.json": "has no document",
        f"{nobody}/revocation-list.json": "has no document",
        f"{BASE}/v1/issuers": "supply",
        f"{BASE}.evil.example/status/x": "supply",
        BASE: "supply",
        "ftp://registry.example/status/x": "supply",
        "https://other.example/é": "the document that it names",
    }
    for url, says in expected.items():
        with pytest.raises(UnavailableSourceError, match=says):
            desk.publication.documents({}).get(url)


def test_supplied_document_that_is_too_large_is_unavailable(desk: Desk) -> None:
    documents = desk.publication.documents({"https://other.example/doc": bytes((1 << 20) + 1)})
    with pytest.raises(UnavailableSourceError, match="larger"):
        documents.get("https://other.example/doc")
