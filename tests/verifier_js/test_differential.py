"""The browser's verifier and the package's, over the same chain: the same outcome and the same checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from registry.cli.offline import verify_offline
from registry.encoding import Address, Digest, DigestMethod, Root, Salt, credential_digest, to_hex
from registry.errors import RootmarkError
from registry.merkle import InclusionProof, leaf_hash, proof_to_json, root_of, salted_digest
from registry.model.chain import CallKind, Change, ContractCall
from registry.settings import Settings
from tests.api.conftest import Api
from tests.support.anvil import Anvil, anvil
from tests.support.chains import DrivenChain, driven_anvil, wait_for
from tests.verifier_js.conftest import JavaScript
from tests.web import samples

pytestmark = pytest.mark.node


def results(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["result"] for check in report["checks"]}


def compare(
    javascript: JavaScript,
    url: str,
    shown: dict[str, Any],
    issuer: str | None = None,
    as_of: int | None = None,
) -> dict[str, Any]:
    """The report of the browser's verifier, after holding it against the package's."""
    options: dict[str, Any] = {"rpc": url}
    if issuer is not None:
        options["issuer"] = issuer
    if as_of is not None:
        options["asOf"] = as_of
    mine = javascript.verify(shown, **options)
    try:
        said = verify_offline(
            [url], shown, Settings(), issuer=issuer, as_of=None if as_of is None else str(as_of)
        )
    except RootmarkError:
        assert mine["outcome"] == "malformed"
        return mine
    assert mine["outcome"] == said["outcome"], (mine["checks"], said["checks"])
    assert results(mine) == results(said), (mine["checks"], said["checks"])
    assert mine["digest"] == said["digest"]
    if mine["status"]["state"] in ("revoked", "suspended", "not_anchored"):
        assert mine["status"] == said["status"]
    assert mine["issuer"]["known"] == said["issuer"]["known"]
    for name in ("chain", "test_chain", "block_number", "block_hash"):
        assert mine["as_of"][name] == said["as_of"][name]
    return mine


# --- a chain that proves its storage ------------------------------------------------------------------------


@dataclass
class Ground:
    """A node with the registry and an issuer. ``issue`` anchors one credential in a batch of its own."""

    node: Anvil
    driven: DrivenChain
    number: int = 0

    @property
    def issuer(self) -> str:
        return to_hex(self.driven.issuer)

    def issue(
        self, method: DigestMethod = DigestMethod.JCS_SHA256, index: int = 0, **members: Any
    ) -> dict[str, Any]:
        credential = {"id": f"urn:uuid:{uuid4()}", "name": "Welding", "ä😀": [1.5, -0.0, None]}
        return self.anchored(credential | members, method, index)

    def anchored(
        self,
        credential: dict[str, Any],
        method: DigestMethod = DigestMethod.JCS_SHA256,
        index: int = 0,
    ) -> dict[str, Any]:
        self.number += 1
        digest = credential_digest(credential, DigestMethod.JCS_SHA256)
        salt = Salt(self.number.to_bytes(32, "big"))
        leaf = leaf_hash(method, self.driven.issuer, index, salted_digest(digest, salt))
        proof = InclusionProof(index, 1, (), method, digest, salt, self.driven.issuer, root_of(1, leaf))
        self.driven.anchor(proof.root)
        return {"credential": credential, "proof": proof_to_json(proof)}

    def change(self, kind: CallKind, shown: dict[str, Any], **more: Any) -> None:
        root = Root(bytes.fromhex(shown["proof"]["root"][2:]))
        self.driven.do(ContractCall(kind, self.driven.issuer, root=root, **more))


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with anvil() as node, driven_anvil(node) as driven:
        driven.make_issuer()
        yield Ground(node, driven)


def test_good_one_is_valid_and_proven_by_the_state_root(javascript: JavaScript, ground: Ground) -> None:
    report = compare(javascript, ground.node.url, ground.issue(), ground.issuer)
    assert report["outcome"] == "valid"
    assert report["as_of"]["proven"] is True


def test_unknown_issuer_is_not_valid(javascript: JavaScript, ground: Ground) -> None:
    assert compare(javascript, ground.node.url, ground.issue())["outcome"] == "indeterminate"


def test_other_issuer_is_not_found(javascript: JavaScript, ground: Ground) -> None:
    report = compare(javascript, ground.node.url, ground.issue(), "0x" + "11" * 20)
    assert report["outcome"] == "not_found"


BIT = (Change(0, 1),)


@pytest.mark.parametrize(
    ("kind", "more", "outcome"),
    [
        (CallKind.REVOKE, {"changes": BIT, "reason": 1}, "revoked"),
        (CallKind.SUSPEND, {"changes": BIT}, "suspended"),
        (CallKind.WITHDRAW, {"reason": 3}, "withdrawn"),
    ],
)
def test_what_was_taken_back_is_said_to_be(
    javascript: JavaScript, ground: Ground, kind: CallKind, more: dict[str, Any], outcome: str
) -> None:
    shown = ground.issue()
    before = ground.driven.gateway.latest().number
    ground.change(kind, shown, **more)
    assert compare(javascript, ground.node.url, shown, ground.issuer)["outcome"] == outcome
    assert compare(javascript, ground.node.url, shown)["outcome"] in (outcome, "indeterminate")
    assert compare(javascript, ground.node.url, shown, ground.issuer, as_of=before)["outcome"] == "valid"


def test_bit_of_another_leaf_means_nothing(javascript: JavaScript, ground: Ground) -> None:
    shown = ground.issue()
    ground.change(CallKind.REVOKE, shown, changes=(Change(0, 1 << 255 | 2), Change(1, 1)), reason=1)
    assert compare(javascript, ground.node.url, shown, ground.issuer)["outcome"] == "valid"


def test_changed_document_is_invalid(javascript: JavaScript, ground: Ground) -> None:
    shown = ground.issue()
    shown["credential"]["name"] = "Welding, advanced"
    assert compare(javascript, ground.node.url, shown, ground.issuer)["outcome"] == "invalid"


def test_name_that_nothing_ties_to_the_account_is_left_open(javascript: JavaScript, ground: Ground) -> None:
    own = f"did:web:issuer.example:issuers:{ground.issuer}"
    for issuer, outcome in (
        (own, "valid"),
        ({"id": own}, "valid"),
        ("did:web:university.example", "indeterminate"),
        (f"https://university.example/:{ground.issuer}", "indeterminate"),
        (own.replace("0x", "0xf"), "indeterminate"),
        ({"name": "University"}, "valid"),
    ):
        members = {"type": ["VerifiableCredential"], "issuer": issuer}
        shown = ground.issue(**members)
        assert compare(javascript, ground.node.url, shown, ground.issuer)["outcome"] == outcome
        changed = shown | {"credential": shown["credential"] | {"name": "Another"}}
        assert compare(javascript, ground.node.url, changed, ground.issuer)["outcome"] == "invalid"
        assert compare(javascript, ground.node.url, shown, "0x" + "11" * 20)["outcome"] == "not_found"


@pytest.mark.parametrize("member", ["salt", "root", "issuer", "digest"])
def test_changed_proof_is_invalid_or_leads_nowhere(
    javascript: JavaScript, ground: Ground, member: str
) -> None:
    shown = ground.issue()
    shown["proof"][member] = "0x" + "ab" * (len(shown["proof"][member]) // 2 - 1)
    assert compare(javascript, ground.node.url, shown, ground.issuer)["outcome"] == "invalid"


def test_root_that_nobody_anchored_is_not_found(javascript: JavaScript, ground: Ground) -> None:
    shown = ground.issue()
    other = Salt(b"\x09" * 32)
    digest = Digest(bytes.fromhex(shown["proof"]["digest"][2:]))
    leaf = leaf_hash(DigestMethod.JCS_SHA256, ground.driven.issuer, 0, salted_digest(digest, other))
    proof = InclusionProof(
        0, 1, (), DigestMethod.JCS_SHA256, digest, other, ground.driven.issuer, root_of(1, leaf)
    )
    shown["proof"] = proof_to_json(proof)
    assert compare(javascript, ground.node.url, shown, ground.issuer)["outcome"] == "not_found"


def test_document_beside_an_opaque_digest_is_left_open(javascript: JavaScript, ground: Ground) -> None:
    shown = ground.issue(DigestMethod.OPAQUE)
    assert compare(javascript, ground.node.url, shown, ground.issuer)["outcome"] == "indeterminate"
    alone = {"digest": shown["proof"]["digest"], "proof": shown["proof"]}
    assert compare(javascript, ground.node.url, alone, ground.issuer)["outcome"] == "valid"


@pytest.mark.parametrize(
    ("dates", "outcome"),
    [
        ({"validUntil": "2020-01-01T00:00:00Z"}, "expired"),
        ({"validFrom": "2090-01-01T00:00:00Z"}, "not_yet_valid"),
        ({"validFrom": "2020-01-01T00:00:00Z", "validUntil": "2090-01-01T00:00:00+02:00"}, "valid"),
        ({"validFrom": "yesterday"}, "indeterminate"),
        ({"issuanceDate": "2020-01-01T00:00:00Z", "expirationDate": "2021-01-01T00:00:00Z"}, "expired"),
    ],
)
def test_dates_count(javascript: JavaScript, ground: Ground, dates: dict[str, str], outcome: str) -> None:
    assert compare(javascript, ground.node.url, ground.issue(**dates), ground.issuer)["outcome"] == outcome


def test_anchor_by_a_key_that_was_disowned_is_withdrawn(javascript: JavaScript) -> None:
    with anvil() as node, driven_anvil(node) as driven:
        driven.make_issuer()
        other = Ground(node, driven)
        shown = other.issue()
        key = Address(
            driven.gateway.batch_of(
                driven.issuer, Root(bytes.fromhex(shown["proof"]["root"][2:])), driven.gateway.latest().hash
            ).key
        )
        driven.do(ContractCall(CallKind.RETIRE_KEY, driven.issuer, account=key, valid_until=1, reason=6))
        assert compare(javascript, node.url, shown, other.issuer)["outcome"] == "withdrawn"


def test_proof_is_needed_and_has_its_form(javascript: JavaScript, ground: Ground) -> None:
    shown = ground.issue()
    without = javascript.verify({"credential": shown["credential"]}, rpc=ground.node.url)
    assert without["outcome"] == "malformed"
    assert "RootmarkProof" in without["summary"]
    broken = deepcopy(shown)
    broken["proof"]["index"] = "0"
    assert compare(javascript, ground.node.url, broken)["outcome"] == "malformed"
    inside = {"credential": shown["credential"] | {"proof": shown["proof"]}}
    assert compare(javascript, ground.node.url, inside, ground.issuer)["outcome"] == "valid"


# --- badges, on the embedded chain, which proves no storage -------------------------------------------------


def settled(api: Api) -> None:
    """Wait until the chain names the issuer's DID, which the server sees to after the first signing."""
    wait_for(
        lambda: any(
            event["kind"] == "ProfileSet"
            for event in api.public.get(f"/v1/audit/issuers/{api.address}").json()["events"]
        )
    )


def test_badge_is_judged_alike_before_and_after_revocation(javascript: JavaScript, api: Api) -> None:
    award = samples.award(api, samples.achievement(api), proofs=["eddsa-jcs-2022"])
    shown = {"credential": award.json(), "proof": json.loads(award.files["proof"][1])}
    node = f"{api.url}/rpc"
    settled(api)
    report = compare(javascript, node, shown, api.address)
    assert (report["outcome"], report["as_of"]["proven"]) == ("valid", False)
    did = str(award.json()["issuer"]["id"])
    assert compare(javascript, node, shown, did)["outcome"] == "valid"
    assert compare(javascript, node, shown, did.replace("issuers:0x", "issuers:0xf"))["outcome"] != "valid"
    changed = deepcopy(shown)
    changed["credential"]["credentialSubject"]["achievement"]["name"] = "Welding, advanced"
    assert compare(javascript, node, changed, api.address)["outcome"] == "invalid"
    samples.change_status(api, "revocations", award.digest, "misconduct")
    assert compare(javascript, node, shown, api.address)["outcome"] == "revoked"


def test_signatures_are_checked_where_the_did_document_is_given(javascript: JavaScript, api: Api) -> None:
    award = samples.award(api, samples.achievement(api), proofs=["eddsa-jcs-2022"])
    shown = {"credential": award.json(), "proof": json.loads(award.files["proof"][1])}
    document = api.public.get(f"/issuers/{api.address.lower()}/did.json").json()
    options = {"rpc": f"{api.url}/rpc", "issuer": api.address, "documents": {document["id"]: document}}
    report = javascript.verify(shown, **options)
    assert (report["outcome"], results(report)["signature"]) == ("valid", "pass")
    first, second = shown["credential"]["proof"]
    for broken in (first, second):
        others = [one for one in (first, second) if one is not broken]
        forged = broken | {"proofValue": others[0]["proofValue"]}
        changed = shown | {"credential": shown["credential"] | {"proof": [forged, *others]}}
        report = javascript.verify(changed, **options)
        assert (report["outcome"], results(report)["signature"]) == ("invalid", "fail")
    stranger = document | {"verificationMethod": [], "assertionMethod": []}
    report = javascript.verify(shown, **(options | {"documents": {document["id"]: stranger}}))
    assert (report["outcome"], results(report)["signature"]) == ("invalid", "fail")


def test_words_that_no_context_knows_are_not_passed_over(javascript: JavaScript, api: Api) -> None:
    award = samples.award(api, samples.achievement(api))
    proof = json.loads(award.files["proof"][1])
    added = award.json() | {"honours": "summa cum laude"}
    report = javascript.verify(
        {"credential": added, "proof": proof}, rpc=f"{api.url}/rpc", issuer=api.address
    )
    assert report["outcome"] in ("invalid", "malformed", "indeterminate")
    strange = award.json() | {"@context": [*award.json()["@context"], "https://elsewhere.example/context"]}
    report = javascript.verify(
        {"credential": strange, "proof": proof}, rpc=f"{api.url}/rpc", issuer=api.address
    )
    assert report["outcome"] == "indeterminate"
    assert "is not bundled" in json.dumps(report["checks"])
    inline = award.json() | {
        "@context": [*award.json()["@context"], {"name": "https://schema.org/alternateName"}]
    }
    report = javascript.verify(
        {"credential": inline, "proof": proof}, rpc=f"{api.url}/rpc", issuer=api.address
    )
    assert report["outcome"] == "indeterminate"


def test_now_is_the_readers_clock(javascript: JavaScript, ground: Ground) -> None:
    shown = ground.issue(validUntil="2090-01-01T00:00:00Z")
    late = datetime(2091, 1, 1, tzinfo=UTC).isoformat()
    report = javascript.verify(shown, rpc=ground.node.url, issuer=ground.issuer, now=late)
    assert report["outcome"] == "expired"
