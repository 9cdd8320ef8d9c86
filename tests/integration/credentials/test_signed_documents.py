"""Endorsements and learners' records of a whole server on its own chain: anchored, verified, revoked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from registry.bootstrap import App, build
from registry.credentials.award_values import AwardRequest, Place, Recipient
from registry.credentials.awarding import AwardOptions
from registry.credentials.clr import CLR_CONTEXT
from registry.credentials.findings import Presented
from registry.credentials.key_pairs import KeyPair
from registry.credentials.keys import KeyType
from registry.credentials.signed_documents import Endorsement, Issued, LearnerRecord
from registry.credentials.suites.signing import ProofOptions, add_proof
from registry.credentials.verification import DocumentRequest
from registry.credentials.verification_methods import did_key
from registry.errors import ForbiddenError, NotFoundError, TooComplexError, ValidationError, WrongStateError
from registry.model.batches import BatchState
from registry.model.issuers import Caller
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.settings import load_settings
from registry.verdict.report import CheckName, Outcome, Report
from tests.support.pipeline import ADMIN
from tests.unit.credentials.awards.samples import PLAIN

STRANGER = KeyPair.from_private_bytes(KeyType.ED25519, bytes(range(32)))
STRANGERS_DID = did_key(STRANGER.public)
# Of our own making: enough of CLR 2.0's terms for a record.
CONTEXT = {
    "@context": {
        "@protected": True,
        "id": "@id",
        "type": "@type",
        "ClrCredential": "https://purl.imsglobal.org/spec/clr/vocab.html#ClrCredential",
        "ClrSubject": {
            "@id": "https://purl.imsglobal.org/spec/clr/vocab.html#ClrSubject",
            "@context": {
                "verifiableCredential": {
                    "@id": "https://purl.imsglobal.org/spec/clr/vocab.html#verifiableCredential",
                    "@type": "@id",
                    "@container": "@graph",
                    "@context": None,
                },
                "identifier": {
                    "@id": "https://purl.imsglobal.org/spec/vc/ob/vocab.html#identifier",
                    "@type": "@id",
                    "@container": "@set",
                },
            },
        },
    }
}


@dataclass
class Desk:
    """A server that works when it is told to, and one of its issuers."""

    app: App
    caller: Caller
    achievement: str

    def settle(self) -> None:
        """Everything that is open is sealed, anchored and final."""
        assert self.caller.issuer is not None
        with self.app.store.read() as unit:
            batch = unit.batches.open_batch(self.caller.issuer)
        if batch is not None:
            self.app.issuing.seal(self.caller, batch.id)
        while self.app.worker.step() or self._waiting():
            pass

    def _waiting(self) -> bool:
        found = self.app.issuing.batches(self.caller.issuer, None, None, 50)
        return any(batch.state is not BatchState.FINAL for batch in found)

    def award(self, email: str = "ada@college.example", **more: Any) -> str:
        recipient = more.pop("recipient", Recipient(email=email, name='Ada "email":"eve@college.example"'))
        row = AwardRequest(Place(pointer="/0"), recipient, self.achievement, **more)
        listed = self.app.awards.create(self.caller, [row], AwardOptions()).listed
        self.settle()
        return listed[0].award_id

    def record(self, email: str) -> Issued:
        return self.app.signed.record(self.caller, LearnerRecord(Recipient(email=email), "Learner record"))

    def change(self, kind: RequestKind, award: str) -> None:
        view, _ = self.app.awards.get(self.caller, award)
        assert view.entry is not None
        self.app.status.change(self.caller, kind, [view.entry.digest], Reason.UNSPECIFIED)
        while self.app.awards.get(self.caller, award)[0].status == "active":
            self.app.worker.step()
        self.settle()

    def verdict(self, document: dict[str, Any]) -> Report:
        return self.app.documents.verify(DocumentRequest(Presented(document=document)))


def held(issued: Issued) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(issued.document)
    return found


def inside(issued: Issued) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = held(issued)["credentialSubject"]["verifiableCredential"]
    return found


def settings_in(directory: Path, **more: Any) -> Any:
    return load_settings(data_dir=directory / "data", public_url="https://registry.example", **more)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    directory = tmp_path_factory.mktemp("records")
    (directory / "clr.json").write_text(json.dumps(CONTEXT))
    (directory / "contexts.json").write_text(json.dumps({CLR_CONTEXT: "clr.json"}))
    with closing(build(settings_in(directory, context_dir=directory))) as app:
        registration = app.issuers.register(ADMIN, "College", "https://college.example")
        caller = app.access.authenticate(registration.token)
        yield Desk(app, caller, app.achievements.create(caller, PLAIN).id)


# --- refused ------------------------------------------------------------------------------------------------


def test_record_is_refused_without_the_context_of_clr(tmp_path: Path) -> None:
    with closing(build(settings_in(tmp_path))) as app:
        registration = app.issuers.register(ADMIN, "College", "https://college.example")
        caller = app.access.authenticate(registration.token)
        without = Desk(app, caller, app.achievements.create(caller, PLAIN).id)
        without.award()
        with pytest.raises(WrongStateError, match="CONTEXT_DIR"):
            without.record("ada@college.example")


def test_record_of_somebody_without_credentials_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        desk.record("nobody@college.example")


def test_name_that_looks_like_an_address_makes_nobody_a_recipient(desk: Desk) -> None:
    desk.award("quoted@college.example")
    with pytest.raises(NotFoundError):
        desk.record("eve@college.example")


@pytest.mark.parametrize("email", ["a%@college.example", "_da@college.example", "da@college.example"])
def test_patterns_and_parts_of_an_address_find_nobody(desk: Desk, email: str) -> None:
    desk.award("ada@college.example")
    with pytest.raises(NotFoundError):
        desk.record(email)


def test_administrator_signs_nothing(desk: Desk) -> None:
    with pytest.raises(ForbiddenError):
        desk.app.signed.record(ADMIN, LearnerRecord(Recipient(email="ada@college.example"), "Record"))
    with pytest.raises(ForbiddenError):
        desk.app.signed.endorse(ADMIN, Endorsement("https://college.example", "Good.", "Endorsement"))


def test_more_credentials_than_a_record_holds_are_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.credentials.signed_documents.MAX_CREDENTIALS", 1)
    for _ in range(2):
        desk.award("many@college.example")
    with pytest.raises(ValidationError, match="more than the 1"):
        desk.record("many@college.example")


def test_endorsement_that_ends_before_it_begins_is_refused(desk: Desk) -> None:
    end = datetime(2020, 1, 1, tzinfo=UTC)
    with pytest.raises(ValidationError, match="ends before"):
        desk.app.signed.endorse(
            desk.caller, Endorsement("https://x.example", "Good.", "Endorsement", valid_until=end)
        )


def test_another_issuers_document_is_not_given_again(desk: Desk) -> None:
    issued = desk.app.signed.endorse(desk.caller, Endorsement("https://x.example", "Good.", "Endorsement"))
    other = desk.app.issuers.register(ADMIN, "Other", "https://other.example")
    stranger = desk.app.access.authenticate(other.token)
    with pytest.raises(NotFoundError):
        desk.app.signed.again(stranger, issued.entry.batch_id, issued.entry.index)
    assert desk.app.signed.again(desk.caller, issued.entry.batch_id, issued.entry.index) == issued


# --- endorsements -------------------------------------------------------------------------------------------


def test_endorsement_is_pending_then_valid_then_revoked(desk: Desk) -> None:
    wanted = Endorsement("https://college.example", "Their courses are good.", "Endorsement")
    issued = desk.app.signed.endorse(desk.caller, wanted)
    document = held(issued)
    assert document["credentialSubject"]["endorsementComment"] == wanted.comment
    assert desk.verdict(document).outcome is Outcome.PENDING
    desk.settle()
    report = desk.verdict(document)
    assert (report.outcome, report.format) == (Outcome.VALID, "Open Badges 3.0 endorsement")
    desk.app.status.change(desk.caller, RequestKind.REVOCATION, [issued.entry.digest], Reason.ISSUED_IN_ERROR)
    while desk.verdict(document).outcome is Outcome.VALID:
        desk.app.worker.step()
    assert desk.verdict(document).outcome is Outcome.REVOKED


# --- records ------------------------------------------------------------------------------------------------


def test_record_holds_what_is_in_force_and_is_valid_until_something_in_it_is_revoked(desk: Desk) -> None:
    email = "grace@college.example"
    kept, dropped, over = (
        desk.award(email),
        desk.award(email),
        desk.award(
            email, issued_on=datetime(2020, 1, 1, tzinfo=UTC), expires_on=datetime(2021, 1, 1, tzinfo=UTC)
        ),
    )
    desk.change(RequestKind.REVOCATION, dropped)
    desk.award("another@college.example")
    issued = desk.record("Grace@College.example")
    assert inside(issued) == [desk.app.exports.document(desk.caller, kept)]
    assert over not in issued.document.decode()
    assert email.encode() not in issued.document
    desk.settle()
    report = desk.verdict(held(issued))
    assert (report.outcome, report.format) == (Outcome.VALID, "Comprehensive Learner Record 2.0"), report
    desk.change(RequestKind.REVOCATION, kept)
    report = desk.verdict(held(issued))
    assert report.outcome is Outcome.REVOKED
    assert "credential 1 of 1" in report.check(CheckName.STATUS).detail


def test_record_of_tokens_is_valid_until_something_in_it_is_revoked(desk: Desk) -> None:
    awards = [desk.award("tokens@college.example") for _ in range(2)]
    wanted = LearnerRecord(Recipient(email="tokens@college.example"), "Record", tokens=True)
    issued = desk.app.signed.record(desk.caller, wanted)
    assert [one["type"] for one in inside(issued)] == ["EnvelopedVerifiableCredential"] * 2
    desk.settle()
    assert desk.verdict(held(issued)).outcome is Outcome.VALID
    desk.change(RequestKind.REVOCATION, awards[1])
    report = desk.verdict(held(issued))
    assert report.outcome is Outcome.REVOKED
    assert "credential 2 of 2" in report.check(CheckName.STATUS).detail


def test_record_that_says_too_much_names_the_way_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise TooComplexError("it takes too long")

    desk.award("much@college.example")
    monkeypatch.setattr("registry.credentials.signed_documents.build_clr", refuse)
    with pytest.raises(ValidationError, match="ask for format jwt"):
        desk.record("much@college.example")


def test_record_of_a_did_is_about_that_did(desk: Desk) -> None:
    recipient = Recipient(did="did:web:ada.example")
    desk.award(recipient=recipient)
    issued = desk.app.signed.record(desk.caller, LearnerRecord(recipient, "Record", "All of it."))
    assert held(issued)["credentialSubject"]["id"] == "did:web:ada.example"
    assert held(issued)["description"] == "All of it."


def forged(desk: Desk, issued: Issued, *credentials: dict[str, Any]) -> dict[str, Any]:
    """A record of the issuer's, signed and anchored, around other credentials."""
    document = held(issued)
    document.pop("proof")
    document["id"] = "urn:uuid:6d1b9f5e-6a56-4a3f-9a3c-0d5c9d1f7e21"[:-4] + f"{len(credentials):04x}"
    document["credentialSubject"]["verifiableCredential"] = list(credentials)
    assert desk.caller.issuer is not None
    signer = desk.app.identity.signer(desk.caller.issuer)
    options = ProofOptions("eddsa-rdfc-2022", KeyType.ED25519, signer.method)
    return add_proof(document, options, signer.signer.sign, desk.app.canonicalizer).document


def test_record_around_a_tampered_credential_is_invalid(desk: Desk) -> None:
    desk.award("tamper@college.example")
    issued = desk.record("tamper@college.example")
    tampered = inside(issued)[0] | {"name": "Another"}
    report = desk.verdict(forged(desk, issued, tampered))
    assert report.outcome is Outcome.INVALID
    assert "credential 1 of 1" in report.check(CheckName.SIGNATURE).detail


def test_record_around_a_strangers_credential_is_not_valid(desk: Desk) -> None:
    desk.award("stranger@college.example")
    issued = desk.record("stranger@college.example")
    claim = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:0f2d5a0e-6d3f-4f57-8f6c-6a1f3a0f5b11",
        "type": ["VerifiableCredential"],
        "issuer": STRANGERS_DID,
        "credentialSubject": {"id": "did:example:ada"},
    }
    method = f"{STRANGERS_DID}#{STRANGERS_DID.removeprefix('did:key:')}"
    options = ProofOptions("eddsa-rdfc-2022", KeyType.ED25519, method)
    theirs = add_proof(claim, options, STRANGER.sign, desk.app.canonicalizer).document
    report = desk.verdict(forged(desk, issued, inside(issued)[0], theirs))
    assert report.outcome is not Outcome.VALID
    assert "credential 2 of 2 is by did:key:" in report.check(CheckName.ISSUER).detail


def test_record_around_what_its_issuer_never_anchored_is_not_valid(desk: Desk) -> None:
    desk.award("loose@college.example")
    issued = desk.record("loose@college.example")
    loose = forged(desk, issued, inside(issued)[0])
    report = desk.verdict(forged(desk, issued, inside(issued)[0], loose))
    assert report.outcome is not Outcome.VALID
    assert "which is not looked into" in report.check(CheckName.FORMAT).detail
    assert "does not know it" in report.check(CheckName.ANCHOR).detail
