"""Awards of a whole server on a chain with Sepolia's id: their anchor goes along inside the credential."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from registry.bootstrap import App, build
from registry.chain.factory import deploy_by_rpc
from registry.chain.keystore import EncryptedKeystore, LocalSigner
from registry.credentials.award_values import AwardRequest, Place, Recipient
from registry.credentials.awarding import AwardOptions
from registry.credentials.exporting import ExportFormat
from registry.credentials.findings import Presented
from registry.credentials.formats.blockcerts import Blockcerts
from registry.credentials.merkle_proof_2019 import decode_proof_value, inclusion_proof_of
from registry.credentials.sources import Tools
from registry.credentials.verification import DocumentRequest
from registry.encoding import DigestMethod, parse_time, to_hex
from registry.errors import ChainUnavailableError, UnavailableSourceError, WrongStateError
from registry.model.batches import Batch, BatchState
from registry.model.issuers import Caller
from registry.model.operations import RequestKind
from registry.model.reasons import Reason
from registry.settings import load_settings
from registry.verdict.report import CheckName, CheckResult, Outcome, Report
from tests.support.anchored import outcome
from tests.support.anvil import Anvil, anvil
from tests.support.pipeline import ADMIN
from tests.unit.credentials.awards.samples import PLAIN

pytestmark = pytest.mark.node

SEPOLIA = 11155111
RELAYER = b"\x17" * 32
MISSING = "it carries no anchor proof of its own"


@dataclass
class Desk:
    """A server that works when it is told to, and one of its issuers."""

    app: App
    node: Anvil
    caller: Caller
    achievement: str

    def work(self) -> None:
        """A round of everything, and blocks enough to make it final."""
        self.app.pipeline.step()
        self.node.mine(4)
        self.app.indexer.step()
        self.app.pipeline.step()

    def award(self, *, settle: bool = True, **options: Any) -> str:
        recipient = Recipient(email="ada@college.example")
        row = AwardRequest(Place(pointer="/0"), recipient, self.achievement)
        made = self.app.awards.create(self.caller, [row], AwardOptions(**options))
        assert made.batch is not None
        while settle and self.batch(made.batch.id).state is not BatchState.FINAL:
            self.work()
        return made.listed[0].award_id

    def batch(self, batch_id: str) -> Batch:
        batch: Batch = self.app.issuing.batch(None, batch_id)
        return batch

    def exported(self, award: str, wanted: ExportFormat = ExportFormat.JSON) -> Any:
        file = self.app.exports.export(self.caller, award, wanted)
        return json.loads(file.data)

    def verdict(self, document: dict[str, Any]) -> Report:
        return self.app.documents.verify(DocumentRequest(Presented(document=document)))

    def judged_by_blockcerts(self, document: dict[str, Any]) -> Outcome:
        """By chain, DID document and profile alone."""
        ledgers = self.app.chain.ledgers(confirmations=1)
        documents = self.app.publication.documents({})
        tools = Tools(self.app.canonicalizer, documents, ledgers, self.app.clock.now(), {})
        return outcome(Blockcerts().examine(Presented(document=document), tools))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    directory = tmp_path_factory.mktemp("sepolia")
    with ExitStack() as stack:
        node = stack.enter_context(anvil(chain_id=SEPOLIA, slots_in_an_epoch=1))
        signer = LocalSigner(RELAYER)  # known development keys are refused on this chain id
        node.rpc("anvil_setBalance", to_hex(signer.address), hex(10**22))
        deploy_by_rpc([node.url], signer)
        app = build(_settings(directory, node.url))
        stack.callback(app.close)
        registration = app.issuers.register(ADMIN, "College", "https://college.example")
        caller = app.access.authenticate(registration.token)
        made = app.achievements.create(caller, PLAIN)
        yield Desk(app, node, caller, made.id)


def _settings(directory: Path, url: str) -> Any:
    EncryptedKeystore(directory / "relayer", b"a password", strong_kdf=False).add(RELAYER)
    (directory / "password").write_text("a password\n")
    return load_settings(
        data_dir=directory / "data",
        rpc_url=url,
        chain_id=SEPOLIA,
        confirmations=1,
        public_url="https://registry.example",
        signer_keystore=directory / "relayer",
        signer_password_file=directory / "password",
    )


def anchor_detail(report: Report) -> str:
    return report.check(CheckName.ANCHOR).detail


def without(document: dict[str, Any], number: int) -> dict[str, Any]:
    proofs = [proof for index, proof in enumerate(document["proof"]) if index != number]
    return {**document, "proof": proofs[0] if len(proofs) == 1 else proofs}


@pytest.mark.parametrize("status", [True, False])
def test_exported_credential_has_its_anchor_first_and_both_verifiers_accept_it(
    desk: Desk, status: bool
) -> None:
    document = desk.exported(desk.award(credential_status=status))
    assert [proof["cryptosuite"] for proof in document["proof"]] == ["merkle-proof-2019", "eddsa-rdfc-2022"]
    assert document["proof"][0]["verificationMethod"] == document["issuer"]["id"] + "#chain-1"
    assert ("credentialStatus" in document) == status
    report = desk.verdict(document)
    assert report.outcome is Outcome.VALID, report
    assert report.anchor is not None
    assert MISSING not in anchor_detail(report)
    assert desk.judged_by_blockcerts(document) is Outcome.VALID


def test_key_counts_for_blockcerts_in_the_block_that_adds_it(desk: Desk) -> None:
    assert desk.caller.issuer is not None
    desk.award()
    (key,) = desk.app.identity.profile(desk.caller.issuer)["publicKey"]  # type: ignore[misc]
    (added,) = desk.app.issuers.chain_keys(desk.caller.issuer)
    created = parse_time(key["created"]).timestamp()  # type: ignore[index, call-overload]
    assert created < added.added_at


def test_anchor_proof_names_the_batchs_transaction_and_time(desk: Desk) -> None:
    award = desk.award()
    view, _ = desk.app.awards.get(desk.caller, award)
    anchor = desk.batch(view.award.batch_id).anchor
    assert anchor is not None
    document = desk.exported(award)
    value = decode_proof_value(document["proof"][0]["proofValue"])
    assert value.anchors[0].transaction == anchor.transaction
    assert (value.anchors[0].chain_id, value.computed_root()) == (SEPOLIA, value.root)
    found = inclusion_proof_of(value)
    assert found is not None
    assert (found.method, found.issuer) == (DigestMethod.RDFC_SHA256, desk.caller.issuer)
    assert document["proof"][0]["created"] == anchor.anchored_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_stripped_anchor_proof_is_said_and_decides_nothing(desk: Desk) -> None:
    document = desk.exported(desk.award())
    report = desk.verdict(without(document, 0))
    assert (report.outcome, report.check(CheckName.ANCHOR).result) == (Outcome.VALID, CheckResult.PASS)
    assert MISSING in anchor_detail(report)


def test_stripped_signature_leaves_what_the_anchor_vouches_for(desk: Desk) -> None:
    document = desk.exported(desk.award())
    assert desk.verdict(without(document, 1)).outcome is Outcome.VALID


def test_tampered_document_or_anchor_proof_is_invalid_for_both(desk: Desk) -> None:
    document, other = desk.exported(desk.award()), desk.exported(desk.award())
    tampered = {**document, "name": "Another"}
    swapped = {**document, "proof": [other["proof"][0], document["proof"][1]]}
    for wrong in (tampered, swapped):
        assert desk.verdict(wrong).outcome is Outcome.INVALID
        assert desk.judged_by_blockcerts(wrong) is Outcome.INVALID


def test_revoked_one_is_revoked_for_both_with_and_without_a_status_entry(desk: Desk) -> None:
    for status in (True, False):
        award = desk.award(credential_status=status)
        document = desk.exported(award)
        view, _ = desk.app.awards.get(desk.caller, award)
        assert view.entry is not None
        desk.app.status.change(
            desk.caller, RequestKind.REVOCATION, [view.entry.digest], Reason.ISSUED_IN_ERROR, None
        )
        while desk.app.awards.get(desk.caller, award)[0].status != "revoked":
            desk.work()
        desk.work()
        assert desk.verdict(document).outcome is Outcome.REVOKED
        assert desk.judged_by_blockcerts(document) is Outcome.REVOKED
        # what is handed out afterwards is the same credential, and as revoked
        assert desk.exported(award) == document


def test_credential_of_a_batch_that_is_not_final_has_no_anchor_proof(desk: Desk) -> None:
    award = desk.award(settle=False)
    assert desk.exported(award)["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
    with pytest.raises(WrongStateError, match="not final"):
        desk.app.exports.export(desk.caller, award, ExportFormat.BUNDLE)
    view, _ = desk.app.awards.get(desk.caller, award)
    while desk.batch(view.award.batch_id).state is not BatchState.FINAL:
        desk.work()


def test_pictures_carry_the_anchor_too(desk: Desk) -> None:
    award = desk.award()
    value = desk.exported(award)["proof"][0]["proofValue"].encode()
    for wanted in (ExportFormat.PNG, ExportFormat.SVG):
        assert value in desk.app.exports.export(desk.caller, award, wanted).data


def test_bundle_holds_the_credential_and_what_proves_it(desk: Desk) -> None:
    award = desk.award()
    bundle = desk.exported(award, ExportFormat.BUNDLE)
    assert (bundle["type"], bundle["credential"]) == ("RootmarkBundle/v1", desk.exported(award))
    assert bundle["proof"] == desk.exported(award, ExportFormat.PROOF)


def test_root_inside_other_call_data_or_by_another_sender_is_not_handed_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    award = desk.award()
    anchors = desk.app.exports._anchors
    ledgers = anchors._ledgers
    view, _ = desk.app.awards.get(desk.caller, award)
    anchor = desk.batch(view.award.batch_id).anchor
    assert anchor is not None
    found = ledgers.transaction(SEPOLIA, anchor.transaction)
    assert found is not None
    for changes in ({"input": b"\x01" + found.input}, {"sender": RELAYER[:20]}, {"to": RELAYER[:20]}, None):
        other = None if changes is None else type(found)(**{**_members(found), **changes})
        anchors._bare.clear()
        monkeypatch.setattr(anchors, "_ledgers", _Answering(other))
        document = desk.exported(award)
        assert document["proof"]["cryptosuite"] == "eddsa-rdfc-2022"
        assert MISSING not in anchor_detail(desk.verdict(document))
    anchors._bare.clear()


def test_silent_node_hands_out_nothing_incomplete_and_verdicts_go_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    award = desk.award()
    document = desk.exported(award)
    anchors = desk.app.exports._anchors
    anchors._bare.clear()
    monkeypatch.setattr(anchors, "_ledgers", _Silent())
    with pytest.raises(ChainUnavailableError):
        desk.exported(award)
    report = desk.verdict(without(document, 0))
    assert (report.outcome, MISSING in anchor_detail(report)) == (Outcome.VALID, False)


class _Silent:
    def transaction(self, chain_id: int, transaction: bytes) -> None:
        raise UnavailableSourceError("the node does not answer")


class _Answering:
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def transaction(self, chain_id: int, transaction: bytes) -> Any:
        return self._answer


def _members(found: Any) -> dict[str, Any]:
    return {name: getattr(found, name) for name in type(found).__dataclass_fields__}
