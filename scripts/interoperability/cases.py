"""The documents, what is wrong with each, and what each judge is expected to make of it.

Expectations are pinned, those about blind spots too: the judges' versions are, so anything else is news.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eth_account import Account
from eth_utils.crypto import keccak

from registry.bootstrap import open_canonicalizer
from registry.credentials.rdf import RdfCanonicalizer
from registry.settings import load_settings
from scripts.interoperability.exports import ANCHOR, SIGNATURE, Export, export_of
from scripts.interoperability.judging import Judge
from scripts.interoperability.stage import Json, Stage

ACHIEVEMENT: Json = {
    "name": "MIG welding, level 2",
    "description": "Joins steel sheets of 2 to 6 mm.",
    "criteria": {"narrative": "Weld three joints that hold."},
}
RECIPIENT: Json = {"email": "ada@college.example"}
ANCHOR_SELECTOR = keccak(text="anchor(bytes32)")[:4]


def core(words: str) -> dict[Judge, str]:
    """verifier-core is expected to refuse, saying this."""
    return {Judge.CORE: words}


def blockcerts(words: str) -> dict[Judge, str]:
    """cert-verifier-js is expected to refuse, saying this."""
    return {Judge.BLOCKCERTS: words}


ACCEPTED: Mapping[Judge, str] = {}
NO_SIGNATURE = core("invalid_signature")
NO_STATUS_LISTS = blockcerts("checkRevokedStatus: Document presented is not a valid Verifiable Credential")


@dataclass(frozen=True, slots=True)
class Case:
    """A document for the judges.

    Attributes:
        name: for the table.
        document: as they get it.
        wrong: what a judge who notices everything would refuse it for; empty where nothing is wrong.
        refused_for: the judges that are expected to refuse it, each with the words, or the name of the check,
            that must be in its reason: a judge that refuses everything would pass otherwise.
        rootmark: the outcome expected from this server.
        withheld: parts of paths of this server at which the judges find nothing.
    """

    name: str
    document: Json
    wrong: str
    refused_for: Mapping[Judge, str]
    rootmark: str
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Awards:
    """What was awarded. ``free`` and ``bearing`` are without and with `credentialStatus`; the first of each
    is revoked later, the second stays, and the third of ``bearing`` is suspended."""

    free: list[Export]
    bearing: list[Export]
    withdrawn: Export
    expired: Export


def issue(stage: Stage) -> Awards:
    """Award everything, in batches that are final when this returns."""
    achievement = stage.call("POST", "/v1/achievements", ACHIEVEMENT)["id"]
    award = {"recipient": RECIPIENT, "achievement_id": achievement}
    past = {"issued_on": "2020-01-01", "expires_on": "2021-01-01"}

    def batch(status: bool, *awards: Json) -> Json:
        return stage.call(
            "POST", "/v1/awards", {"awards": list(awards), "options": {"credential_status": status}}
        )

    made = [
        batch(False, award, award, award | past),
        batch(True, award, award, award),
        batch(False, award),
    ]
    for one in made:
        stage.settled(f"/v1/batches/{one['batch']['id']}", "final")
    free, bearing, withdrawn = ([export_of(stage, award["id"]) for award in one["awards"]] for one in made)
    return Awards(free[:2], bearing, withdrawn[0], free[2])


def end_some(stage: Stage, awards: Awards) -> None:
    """Revoke, suspend and withdraw what `Awards` says; done when this returns."""
    revoked = [awards.free[0].digest, awards.bearing[0].digest]
    made = [
        stage.call("POST", "/v1/revocations", {"digests": revoked, "reason": "issued_in_error"}),
        stage.call("POST", "/v1/suspensions", {"digests": [awards.bearing[2].digest]}),
    ]
    withdrawal = f"/v1/batches/{awards.withdrawn.batch}/withdrawal"
    made.append(stage.call("POST", withdrawal, {"reason": "issued_in_error"}))
    for one in made:
        stage.settled(f"/v1/requests/{one['id']}", "final")


def before(awards: Awards) -> Iterator[Case]:
    """As they were issued."""
    yield Case("without status", awards.free[0].document, "", ACCEPTED, "valid")
    yield Case("with status", awards.bearing[0].document, "", NO_STATUS_LISTS, "valid")


def after(stage: Stage, awards: Awards) -> Iterator[Case]:
    """The same two once they are revoked, and whatever else can be wrong."""
    yield from _ended(awards)
    canonicalizer = open_canonicalizer(load_settings())
    try:
        yield from _tampered(awards.free[1], canonicalizer)
    finally:
        canonicalizer.close()
    yield from _anchored_elsewhere(stage, awards.free[1], awards.bearing[1])


def disown(stage: Stage) -> None:
    """Retire the key that anchored everything, as of long before; done when this returns."""
    path = f"/v1/issuers/{stage.issuer}/keys/{stage.anchoring_key}/retirement"
    body = {"valid_until": "2020-01-01T00:00:00Z", "reason": "key_compromise"}
    stage.settled(f"/v1/requests/{stage.call('POST', path, body)['id']}", "final")


def disowned(awards: Awards) -> Iterator[Case]:
    """A good award, once the key that anchored it is disowned."""
    wrong = "the issuer disowns the key that anchored it"
    expected = blockcerts("checkAuthenticity")
    yield Case("anchored by a disowned key", awards.free[1].document, wrong, expected, "withdrawn")


def _ended(awards: Awards) -> Iterator[Case]:
    free, (bearing, good, suspended) = awards.free[0].document, awards.bearing
    yield Case(
        "without status, revoked",
        free,
        "revoked",
        blockcerts("checkRevokedStatus: This certificate has been revoked"),
        "revoked",
    )
    wrong = "revoked, and the list that says so is out of reach"
    lists = ("/revocation-list.json", "/status/")
    yield Case("without status, revoked, list out of reach", free, wrong, ACCEPTED, "revoked", lists)
    yield Case(
        "with status, revoked",
        bearing.document,
        "revoked",
        core("revocation_status: false") | NO_STATUS_LISTS,
        "revoked",
    )
    wrong = "nobody can tell whether it is revoked"
    yield Case(
        "with status, list out of reach",
        good.document,
        wrong,
        core("revocation_status: NotFoundError") | blockcerts("checkRevokedStatus: No status list"),
        "valid",
        lists,
    )
    yield Case(
        "with status, suspended",
        suspended.document,
        "suspended",
        core("suspension_status: false") | NO_STATUS_LISTS,
        "suspended",
    )
    wrong = "its batch was withdrawn"
    yield Case(
        "without status, batch withdrawn",
        awards.withdrawn.document,
        wrong,
        blockcerts("checkRevokedStatus: This certificate has been revoked"),
        "withdrawn",
    )
    yield Case(
        "expired",
        awards.expired.document,
        "expired",
        core("expiration: false") | blockcerts("checkExpiresDate"),
        "expired",
    )


def _tampered(good: Export, canonicalizer: RdfCanonicalizer) -> Iterator[Case]:
    def rename(document: Json) -> None:
        document["credentialSubject"]["achievement"]["name"] = "TIG welding, level 9"

    wrong = "nobody signed or anchored this"
    yield Case(
        "subject changed", good.edited(rename), wrong, NO_SIGNATURE | blockcerts("compareHashes"), "invalid"
    )
    wrong = "the key is not the issuer's"
    forged = good.signed_by_a_stranger(canonicalizer)
    yield Case(
        "signed by a stranger's key",
        forged,
        wrong,
        NO_SIGNATURE | blockcerts("retrieveVerificationMethodPublicKey"),
        "invalid",
    )
    wrong = "the anchor proof was taken out"
    yield Case("without anchor proof", good.without(ANCHOR), wrong, ACCEPTED, "valid")
    wrong = "the signature was taken out"
    yield Case("without signature", good.without(SIGNATURE), wrong, NO_SIGNATURE, "valid")


def _anchored_elsewhere(stage: Stage, good: Export, other: Export) -> Iterator[Case]:
    """Anchor proofs with a wrong root, or for a transaction that is not the anchor. The transactions in the
    issuer's name are real ones: the node lets anybody send from any account."""
    root, key = good.anchor.root, stage.anchoring_key
    wrong = "the path leads to a root that is not there"
    another = good.with_anchor(root=other.anchor.root, anchors=other.anchor.anchors)
    yield Case("root of another batch", another, wrong, blockcerts("checkReceipt"), "invalid")

    wrong = "the transaction holds another root"
    yield Case(
        "anchor of another batch",
        good.anchored_by(other.transaction),
        wrong,
        blockcerts("checkMerkleRoot"),
        "invalid",
    )

    stranger = Account.create().address
    stage.fund(stranger)
    sent = stage.send(stranger, stranger, root)
    wrong = "the sender is not in the issuer's profile"
    yield Case(
        "root sent by a stranger", good.anchored_by(sent), wrong, blockcerts("checkAuthenticity"), "invalid"
    )

    sent = stage.send(key, stage.registry, ANCHOR_SELECTOR + root)
    wrong = "the call data is not the root alone"
    yield Case(
        "root inside other call data", good.anchored_by(sent), wrong, blockcerts("checkMerkleRoot"), "invalid"
    )

    sent = stage.send(key, key, root)
    wrong = "the transaction that is named never reached the registry"
    yield Case("root sent past the registry", good.anchored_by(sent), wrong, ACCEPTED, "valid")
