"""Blockcerts 2.0: Open Badges 2.0 assertions that are anchored by a MerkleProof2017.

The proof stands in ``signature`` as JSON: target, root and path in hexadecimal, and an anchor that names the
chain in a word of its own. The target is the SHA-256 of the canonical N-Quads of the document without
``signature``. The rest is as in version 3: `registry.credentials.formats.blockcerts_anchor`. The issuer is
the one that the badge names; there are no verification methods, so `signature` rests on the profile's keys
alone.

Blockcerts' verifier adds a default vocabulary to the contexts before it canonicalises, and refuses what comes
out under it: terms that no context defines. Here the canonicaliser refuses those by itself, and `integrity`
fails. Contexts that are written out in the document, and those of 2.0-alpha, leave it ``unknown``.

Source: npm @blockcerts/cert-verifier-js 6.35.0 (suites/MerkleProof2017, inspectors/computeLocalHash), npm
@blockcerts/schemas 3.10.0 (2.0/merkleProof2017Schema).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

from registry.credentials.findings import Examination, Finding, Presented
from registry.credentials.formats.blockcerts_anchor import (
    Profile,
    get_profile,
    revocation_finding,
    sender_finding,
    signature,
    transaction_finding,
)
from registry.credentials.merkle_proof_2019 import Ledger, MerkleProof2019, ProofAnchor, Step
from registry.credentials.sources import LedgerTransaction, Tools
from registry.encoding import JsonValue, invalid, parse_hex, parse_time
from registry.errors import (
    MalformedInputError,
    TooComplexError,
    UnavailableSourceError,
    UnknownContextError,
    ValidationError,
)
from registry.merkle import MAX_PATH_ENTRIES, NODE_BYTES, Side
from registry.verdict.evidence import Validity
from registry.verdict.report import CheckName, CheckResult

FORMAT: Final = "Blockcerts 2.0"
MAX_ANCHORS: Final = 8

_PROOF_TYPE: Final = "MerkleProof2017"
_CHAINS: Final = {
    "bitcoinMainnet": (Ledger.BITCOIN, 1),
    "bitcoinRegtest": (Ledger.BITCOIN, 2),
    "bitcoinTestnet": (Ledger.BITCOIN, 3),
    "ethereumMainnet": (Ledger.ETHEREUM, 1),
    "ethereumRopsten": (Ledger.ETHEREUM, 3),
    "ethereumRinkeby": (Ledger.ETHEREUM, 4),
    "ethereumGoerli": (Ledger.ETHEREUM, 5),
    "ethereumSepolia": (Ledger.ETHEREUM, 11155111),
}
_MOCK: Final = "mockchain"

Json = Mapping[str, JsonValue]


class Blockcerts2:
    """The examiner of assertions with a MerkleProof2017."""

    def recognises(self, presented: Presented) -> bool:
        """By the type of the signature."""
        document = presented.document
        return document is not None and _PROOF_TYPE in _types(_object(document.get("signature")))

    def examine(self, presented: Presented, tools: Tools) -> Examination:
        """See the module."""
        document = presented.document or {}
        try:
            value = _proof(_object(document.get("signature")))
        except ValidationError as error:
            return Examination(FORMAT, (Finding(CheckName.FORMAT, CheckResult.FAIL, str(error)),))
        issuer = _issuer(document)
        return Examination(
            format=FORMAT,
            findings=tuple(_findings(document, value, issuer, tools)),
            issuer=issuer,
            name=_name(document),
            credential=document,
            validity=_validity(document),
        )


# --- reading ------------------------------------------------------------------------------------------------


def _object(value: JsonValue) -> Json:
    return value if isinstance(value, Mapping) else {}


def _types(members: Json) -> list[JsonValue]:
    value = members.get("type")
    return value if isinstance(value, list) else [value]


def _proof(members: Json) -> MerkleProof2019:
    """The proof as what it is of the newer version. Raises ValidationError."""
    return MerkleProof2019(
        root=_hash(members, "merkleRoot", "/signature"),
        target=_hash(members, "targetHash", "/signature"),
        path=_path(members.get("proof")),
        anchors=_anchors(members.get("anchors")),
    )


def _hash(members: Json, name: str, pointer: str) -> bytes:
    """A hash of 32 bytes, with or without 0x."""
    value = members.get(name)
    text = f"0x{value.removeprefix('0x')}" if isinstance(value, str) else value
    return parse_hex(text, NODE_BYTES, pointer=f"{pointer}/{name}")


def _path(value: JsonValue) -> tuple[Step, ...]:
    pointer = "/signature/proof"
    listed = [] if value is None else value
    if not isinstance(listed, list) or len(listed) > MAX_PATH_ENTRIES:
        raise invalid("path", f"a path is a list of at most {MAX_PATH_ENTRIES} entries", pointer)
    steps = []
    for position, entry in enumerate(listed):
        members = _object(entry)
        if len(members) != 1 or not set(members) <= {"left", "right"}:
            raise invalid("path", "a path entry has one member, left or right", f"{pointer}/{position}")
        (name,) = members
        steps.append((Side(name), _hash(members, name, f"{pointer}/{position}")))
    return tuple(steps)


def _anchors(value: JsonValue) -> tuple[ProofAnchor, ...]:
    pointer = "/signature/anchors"
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_ANCHORS:
        raise invalid("anchors", f"there are 1 to {MAX_ANCHORS} anchors", pointer)
    return tuple(_anchor(_object(entry), f"{pointer}/{n}") for n, entry in enumerate(value))


def _anchor(members: Json, pointer: str) -> ProofAnchor:
    chain = members.get("chain")
    if chain == _MOCK:
        return ProofAnchor(Ledger.MOCK, None, None)
    # Documents of before there was a choice name none, and are on Bitcoin.
    ledger, network = (Ledger.BITCOIN, 1) if chain is None else _CHAINS.get(str(chain), (None, 0))
    if ledger is None:
        raise invalid("chain", "an anchor names no known chain", f"{pointer}/chain")
    return ProofAnchor(ledger, network, _hash(members, "sourceId", pointer))


def _issuer(document: Json) -> str | None:
    """The id of the badge's issuer, which is the address of its profile."""
    issuer = _object(document.get("badge")).get("issuer")
    value = issuer.get("id") if isinstance(issuer, Mapping) else issuer
    return value if isinstance(value, str) else None


def _name(document: Json) -> str | None:
    value = _object(_object(document.get("badge")).get("issuer")).get("name")
    return value if isinstance(value, str) else None


def _validity(document: Json) -> Validity:
    """Open Badges 2.0: ``issuedOn`` and ``expires``."""
    found = {}
    for name in ("issuedOn", "expires"):
        if document.get(name) is not None:
            try:
                found[name] = parse_time(document[name])
            except ValidationError:
                return Validity(readable=False)
    return Validity(found.get("issuedOn"), found.get("expires"))


# --- judging ------------------------------------------------------------------------------------------------


def _findings(document: Json, value: MerkleProof2019, issuer: str | None, tools: Tools) -> Iterator[Finding]:
    yield Finding(CheckName.FORMAT, CheckResult.PASS, "it is an assertion with a Merkle proof")
    integrity = _integrity(document, value, tools)
    holds = value.computed_root() == value.root
    yield integrity
    detail = "its path leads to its root" if holds else "its path leads to another root"
    yield Finding(CheckName.INCLUSION, CheckResult.PASS if holds else CheckResult.FAIL, detail)
    if integrity.result is CheckResult.FAIL or not holds:
        return  # what was anchored is something else: nothing is asked for it
    anchor, found = transaction_finding(tools, value.root, value.anchors)
    yield anchor
    yield from _identity(document, issuer, tools, found)


def _integrity(document: Json, value: MerkleProof2019, tools: Tools) -> Finding:
    unsigned = {name: member for name, member in document.items() if name != "signature"}
    try:
        digest = sha256(tools.canonicalizer.n_quads(unsigned)).digest()
    except (UnknownContextError, TooComplexError) as error:
        detail = f"the document was not compared with what was anchored: {_clause(error)}"
        return Finding(CheckName.INTEGRITY, CheckResult.UNKNOWN, detail)
    except MalformedInputError as error:
        return Finding(CheckName.INTEGRITY, CheckResult.FAIL, _clause(error))
    if digest != value.target:
        return Finding(CheckName.INTEGRITY, CheckResult.FAIL, "the document is not what was anchored")
    return Finding(CheckName.INTEGRITY, CheckResult.PASS, "the document is what was anchored")


def _identity(
    document: Json, issuer: str | None, tools: Tools, found: LedgerTransaction | None
) -> Iterator[Finding]:
    """The findings that rest on the issuer's profile."""
    try:
        profile = _profile(issuer, tools)
    except UnavailableSourceError as error:
        yield signature(CheckResult.UNKNOWN, f"whose anchor it is is not known: {_clause(error)}")
        detail = "the issuer's profile, which names its revocation list, could not be looked at"
        yield Finding(CheckName.STATUS, CheckResult.UNKNOWN, detail)
        return
    except MalformedInputError as error:
        yield signature(CheckResult.FAIL, _clause(error))
        return
    if found is None:
        yield signature(CheckResult.UNKNOWN, "who anchored it is not known without its transaction")
    else:
        yield sender_finding(profile, found)
    yield revocation_finding(tools, profile, document.get("id"))


def _profile(issuer: str | None, tools: Tools) -> Profile:
    if issuer is None:
        raise ValidationError("the badge names no issuer")
    return get_profile(tools, issuer)


def _clause(error: Exception) -> str:
    return str(error).rstrip(".")
