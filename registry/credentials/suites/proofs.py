"""The ``proof`` member of a document: which proofs it holds, and what each says. Pure.

Everything in a proof is the signer's claim and part of what was signed, but for the signature itself.
Reading is strict, as a member that two verifiers read differently is a way to cheat one of them.

Source: Verifiable Credential Data Integrity 1.0, sections 2.1 (proofs) and 2.1.1, 2.1.2 (sets, chains).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from registry.credentials.syntax import is_url, parse_stamp
from registry.encoding import JsonValue, invalid, parse_base58btc
from registry.errors import ValidationError

MAX_PROOFS = 16
_MAX_SIGNATURE_CHARACTERS = 140  # 96 bytes of ECDSA with P-384 make at most 133
_MAX_TEXT_CHARACTERS = 2048

DATA_INTEGRITY = "DataIntegrityProof"
ED25519_2020 = "Ed25519Signature2020"

ROOTMARK = "RootmarkProof/v1"
MERKLE_PROOF_2019 = "merkle-proof-2019"
_MERKLE_TYPES = frozenset((ROOTMARK, "MerkleProof2019"))

_NAME = re.compile(r"[A-Za-z0-9._/-]{1,64}")


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that was read, its signature not yet checked.

    Attributes:
        members: as they stand in the document.
        suite: the cryptosuite, or the type where a type is a suite of its own.
        method: the id of the verification method.
        signature: the bytes of ``proofValue``.
        previous: the ids of the proofs that it signs together with the document.
    """

    members: Mapping[str, JsonValue]
    suite: str
    method: str
    purpose: str
    signature: bytes
    expires: datetime | None
    challenge: str | None
    domains: tuple[str, ...]
    previous: tuple[str, ...]

    def options(self) -> dict[str, JsonValue]:
        """The proof without its signature: what was hashed."""
        return {name: value for name, value in self.members.items() if name != "proofValue"}


def proofs_of(document: Mapping[str, JsonValue]) -> tuple[Mapping[str, JsonValue], ...]:
    """The members of each proof of a document, in order; none when there is no ``proof``.

    Raises:
        ValidationError: a proof is not an object, or there are more than 16.
    """
    if "proof" not in document:
        return ()
    member = document["proof"]
    entries = member if isinstance(member, list) else [member]
    if len(entries) > MAX_PROOFS:
        raise invalid("proof", f"a document has at most {MAX_PROOFS} proofs here", "/proof")
    return tuple(_object(entry) for entry in entries)


def _object(entry: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(entry, Mapping):
        raise invalid("proof", "a proof is an object", "/proof")
    return entry


def is_anchor(proof: Mapping[str, JsonValue]) -> bool:
    """Whether this proof ties the document to a ledger; signatures are checked here, anchors elsewhere."""
    kind = proof.get("type")
    if kind == DATA_INTEGRITY:
        return proof.get("cryptosuite") == MERKLE_PROOF_2019
    return isinstance(kind, str) and kind in _MERKLE_TYPES


def carries_anchor(document: Mapping[str, JsonValue]) -> bool:
    """Whether a document has a proof that ties it to a ledger; False for proofs that cannot be read."""
    try:
        return any(map(is_anchor, proofs_of(document)))
    except ValidationError:
        return False


def suite_of(proof: Mapping[str, JsonValue]) -> str:
    """The proof's cryptosuite, or its type where it names none. Raises `ValidationError`, code ``type``."""
    kind = proof.get("type")
    suite = proof.get("cryptosuite") if kind == DATA_INTEGRITY else kind
    if not isinstance(suite, str):
        raise invalid("type", "a proof has a type, and a DataIntegrityProof a cryptosuite", "/proof/type")
    return suite


def shown_name(suite: str) -> str:
    """A suite's name as it may appear in a sentence."""
    return suite if _NAME.fullmatch(suite) else "with an odd name"


def read_proof(members: Mapping[str, JsonValue]) -> Proof:
    """Read a proof of one of the suites of `registry.credentials.suites.cryptosuites`.

    Raises:
        ValidationError: a member is missing, of another type, or not in its one spelling.
    """
    created = members.get("created")
    if created is not None:
        parse_stamp(created, pointer="/proof/created")
    expires = members.get("expires")
    if "nonce" in members:
        _text(members, "nonce")
    if "id" in members and not is_url(members["id"]):
        raise invalid("url", "a proof's id is one URL", "/proof/id")
    return Proof(
        members=members,
        suite=suite_of(members),
        method=_text(members, "verificationMethod"),
        purpose=_text(members, "proofPurpose"),
        signature=parse_base58btc(
            members.get("proofValue"),
            max_characters=_MAX_SIGNATURE_CHARACTERS,
            pointer="/proof/proofValue",
        ),
        expires=None if expires is None else parse_stamp(expires, pointer="/proof/expires"),
        challenge=_text(members, "challenge") if "challenge" in members else None,
        domains=_texts(members, "domain"),
        previous=_texts(members, "previousProof"),
    )


def _text(members: Mapping[str, JsonValue], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT_CHARACTERS:
        raise invalid("proof", f"the proof's {name} is a string", f"/proof/{name}")
    return value


def _texts(members: Mapping[str, JsonValue], name: str) -> tuple[str, ...]:
    if name not in members:
        return ()
    value = members[name]
    entries = value if isinstance(value, list) else [value]
    texts = tuple(entry for entry in entries if isinstance(entry, str))
    if not texts or len(texts) != len(entries) or len(texts) > MAX_PROOFS:
        raise invalid("proof", f"the proof's {name} is a string or a list of strings", f"/proof/{name}")
    return texts
