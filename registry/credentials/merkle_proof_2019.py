"""The ``proofValue`` of Blockcerts' MerkleProof2019, and our own proofs in that form. Pure: no I/O, no chain.

The form: `z` and base58btc of a CBOR list of pairs 0 root, 1 target, 2 anchors, 3 path; a path entry is a
pair of 0 (left) or 1 (right) and its bytes; an anchor is a list of pairs 0 blockchain, 1 network, 2
transaction.
Every hash is a CBOR byte string that wraps another CBOR value: the hash as hexadecimal text (what Blockcerts'
Python tools write) or as bytes (what its JavaScript encoder writes). Both are read, the text is written.

Source: the codecs of the packages @blockcerts/lds-merkle-proof-2019 1.0.2 and lds-merkle-proof-2019 (PyPI);
W3C CCG, "Linked Data Merkle Proof 2019", section "CBOR keymap".

Invariants: a decoded proof has a root and a target of 32 bytes, at most 64 path entries of at most 64 bytes
and 1 to 8 anchors; the CBOR is what encoding it again gives, so there are no tags, no indefinite lengths and
nothing after it. A proof that was decoded proves nothing yet: see `MerkleProof2019.computed_root`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import Any, Final

import base58
import cbor2

from registry.encoding import (
    Address,
    Digest,
    DigestMethod,
    JsonValue,
    Root,
    Salt,
    TxHash,
    format_time,
    invalid,
    to_hex,
)
from registry.errors import MalformedProofError, ValidationError
from registry.merkle import (
    MAX_PATH_ENTRIES,
    MAX_SIZE,
    NODE_BYTES,
    InclusionProof,
    Side,
    chainpoint_path,
    verify_inclusion,
)
from registry.merkle.proof import InclusionFailure

CRYPTOSUITE: Final = "merkle-proof-2019"
MAX_TEXT: Final = 16_384
"""Characters of a proofValue. 64 path entries of 64 bytes as text make about 12,000."""
MAX_ENTRY_BYTES: Final = 64
MAX_ANCHORS: Final = 8
EXPORT_CHAINS: Final = frozenset({1, 11155111})
"""Chain ids on which Blockcerts' verifier looks up transactions: Ethereum and Sepolia."""

_BASE58BTC: Final = re.compile(r"z[1-9A-HJ-NP-Za-km-z]+")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")
_MAX_DEPTH: Final = 5  # the proof, its pair, the anchors, an anchor, its pair
_PREFIX_BYTES: Final = 29  # method, issuer, index
_SIZE_BYTES: Final = 9  # 0xff, size
_CODES: Final = {Side.LEFT: 0, Side.RIGHT: 1}
_SIDES: Final = {code: side for side, code in _CODES.items()}

Step = tuple[Side, bytes]


class Ledger(Enum):
    """The blockchain of an anchor; ``value`` is its number in the keymap."""

    BITCOIN = 0
    ETHEREUM = 1
    POLYGON = 2
    MOCK = -1


@dataclass(frozen=True, slots=True)
class ProofAnchor:
    """Where a root is said to stand.

    Attributes:
        ledger: the kind of chain.
        network: its number in the keymap, which on EVM chains is the chain id; None where there is none.
        transaction: its hash; None on the mock chain, where nothing stands.
    """

    ledger: Ledger
    network: int | None
    transaction: bytes | None

    @property
    def chain_id(self) -> int | None:
        """The EIP-155 id of an EVM chain; None on other ledgers."""
        return self.network if self.ledger in (Ledger.ETHEREUM, Ledger.POLYGON) else None


@dataclass(frozen=True, slots=True)
class MerkleProof2019:
    """What a proofValue says: ``path`` leads from ``target`` (a digest) to ``root``, which stands in one of
    the ``anchors``. Root and target are 32 bytes."""

    root: bytes
    target: bytes
    path: tuple[Step, ...]
    anchors: tuple[ProofAnchor, ...]

    def computed_root(self) -> bytes:
        """The root that the path leads to; the proof holds only if it equals ``root``."""
        node = self.target
        for side, entry in self.path:
            node = sha256(entry + node if side is Side.LEFT else node + entry).digest()
        return node


# --- encoding -----------------------------------------------------------------------------------------------


def encode_proof_value(proof: MerkleProof2019) -> str:
    """The proofValue of a proof; hashes as text, a transaction on an EVM chain with 0x before it."""
    value = [
        [0, _wrap(proof.root.hex())],
        [1, _wrap(proof.target.hex())],
        [2, [_anchor_pairs(anchor) for anchor in proof.anchors]],
        [3, [[_CODES[side], _wrap(entry.hex())] for side, entry in proof.path]],
    ]
    return "z" + base58.b58encode(cbor2.dumps(value)).decode()


def _wrap(text: str) -> bytes:
    return cbor2.dumps(text)


def _anchor_pairs(anchor: ProofAnchor) -> list[list[Any]]:
    pairs: list[list[Any]] = [[0, anchor.ledger.value]]
    if anchor.network is not None:
        pairs.append([1, anchor.network])
    if anchor.transaction is not None:
        text = to_hex(anchor.transaction) if anchor.chain_id is not None else anchor.transaction.hex()
        pairs.append([2, _wrap(text)])
    return pairs


# --- decoding -----------------------------------------------------------------------------------------------


def decode_proof_value(text: object, *, pointer: str = "") -> MerkleProof2019:
    """Read a proofValue strictly.

    Args:
        text: as it came from JSON.
        pointer: RFC 6901 pointer to it, for errors.

    Raises:
        ValidationError: code ``proof-value``, with what is wrong first.
    """
    if not isinstance(text, str):
        raise _wrong("a proofValue is a string", pointer)
    if len(text) > MAX_TEXT:
        raise _wrong(f"a proofValue has at most {MAX_TEXT} characters", pointer)
    if not _BASE58BTC.fullmatch(text):
        raise _wrong("a proofValue is z and base58btc", pointer)
    value = _cbor(base58.b58decode(text[1:]), pointer)
    members = _pairs(value, "the proof", pointer)
    if set(members) != {0, 1, 2, 3}:
        raise _wrong("the proof has a root, a target, anchors and a path, once each", pointer)
    return MerkleProof2019(
        root=_hash(members[0], "the root", NODE_BYTES, pointer),
        target=_hash(members[1], "the target", NODE_BYTES, pointer),
        anchors=_anchors(members[2], pointer),
        path=_path(members[3], pointer),
    )


def _wrong(detail: str, pointer: str) -> ValidationError:
    return invalid("proof-value", detail, pointer)


def _cbor(raw: bytes, pointer: str) -> Any:
    try:
        value = cbor2.loads(raw, max_depth=_MAX_DEPTH, allow_indefinite=False)
        same = cbor2.dumps(value) == raw
    except (cbor2.CBORError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise _wrong("the proofValue does not hold CBOR", pointer) from error
    if not same:
        raise _wrong("the proofValue holds CBOR that is not plain and shortest", pointer)
    return value


def _pairs(value: object, what: str, pointer: str) -> dict[int, Any]:
    """A list of pairs as a mapping; a key that comes twice is refused."""
    members: dict[int, Any] = {}
    for pair in _list(value, what, MAX_PATH_ENTRIES, pointer):
        key, member = _pair(pair, what, pointer)
        if key in members:
            raise _wrong(f"{what} says a thing twice", pointer)
        members[key] = member
    return members


def _list(value: object, what: str, most: int, pointer: str) -> list[Any]:
    if type(value) is not list:
        raise _wrong(f"there is no list for {what}", pointer)
    if len(value) > most:
        raise _wrong(f"there are more than {most} entries in {what}", pointer)
    return value


def _pair(value: object, what: str, pointer: str) -> tuple[int, Any]:
    if type(value) is not list or len(value) != 2 or type(value[0]) is not int:
        raise _wrong(f"{what} is made of pairs of a number and a value", pointer)
    return value[0], value[1]


def _hash(value: object, what: str, length: int | None, pointer: str, *, prefix: str = "") -> bytes:
    """A wrapped hash of ``length`` bytes, or of 1 to 64; its text may begin with ``prefix``."""
    if type(value) is not bytes or len(value) > 2 * MAX_ENTRY_BYTES + 8:
        raise _wrong(f"{what} is a short byte string", pointer)
    inner = _cbor(value, pointer)
    if type(inner) is str:
        digits = inner.removeprefix(prefix)
        if not _HEX.fullmatch(digits):
            raise _wrong(f"{what} is not hexadecimal", pointer)
        inner = bytes.fromhex(digits)
    if type(inner) is not bytes or not 1 <= len(inner) <= MAX_ENTRY_BYTES:
        raise _wrong(f"{what} is not 1 to {MAX_ENTRY_BYTES} bytes", pointer)
    if length is not None and len(inner) != length:
        raise _wrong(f"{what} is not {length} bytes", pointer)
    return inner


def _path(value: object, pointer: str) -> tuple[Step, ...]:
    steps = []
    for pair in _list(value, "the path", MAX_PATH_ENTRIES, pointer):
        code, entry = _pair(pair, "the path", pointer)
        if code not in _SIDES:
            raise _wrong("a path entry stands left (0) or right (1)", pointer)
        steps.append((_SIDES[code], _hash(entry, "a path entry", None, pointer)))
    return tuple(steps)


def _anchors(value: object, pointer: str) -> tuple[ProofAnchor, ...]:
    anchors = tuple(_anchor(item, pointer) for item in _list(value, "the anchors", MAX_ANCHORS, pointer))
    if not anchors:
        raise _wrong("there is no anchor", pointer)
    return anchors


def _anchor(value: object, pointer: str) -> ProofAnchor:
    members = _pairs(value, "an anchor", pointer)
    code = members.get(0)
    if type(code) is not int or code not in {ledger.value for ledger in Ledger}:
        raise _wrong("an anchor names no known blockchain", pointer)
    ledger = Ledger(code)
    if ledger is Ledger.MOCK:  # its encoders put a sentence where the network is
        return ProofAnchor(ledger, None, None)
    network = members.get(1)
    if set(members) != {0, 1, 2} or type(network) is not int or not 0 < network < 2**63:
        raise _wrong("an anchor has a blockchain, a network and a transaction", pointer)
    return ProofAnchor(ledger, network, _hash(members[2], "a transaction", NODE_BYTES, pointer, prefix="0x"))


# --- our own proofs -----------------------------------------------------------------------------------------


def full_path(proof: InclusionProof) -> tuple[Step, ...]:
    """The whole way from digest to root as one path: docs/proof-format.md, section 6. See `chainpoint_path`.

    Raises:
        MalformedProofError: index, size and path do not fit one another.
    """
    return tuple(
        (Side(name), bytes.fromhex(entry)) for step in chainpoint_path(proof) for name, entry in step.items()
    )


def anchor_proof(
    proof: InclusionProof,
    *,
    transaction: TxHash,
    chain_id: int,
    created: datetime,
    verification_method: str,
) -> dict[str, JsonValue]:
    """The proof object that goes into an exported credential.

    Args:
        proof: for the digest ``rdfc-sha256`` of the credential without any proof.
        transaction: whose whole call data is the root.
        chain_id: one of `EXPORT_CHAINS`.
        created: with time zone.
        verification_method: URL of the Multikey of the account that sent the transaction.

    Raises:
        MalformedProofError: the proof does not hold, or is for a digest made by another method.
        ValueError: another chain.
    """
    if chain_id not in EXPORT_CHAINS:
        raise ValueError("no verifier of such proofs looks at this chain")
    if proof.method is not DigestMethod.RDFC_SHA256:
        raise MalformedProofError("an anchor proof is for a digest of the method rdfc-sha256")
    result = verify_inclusion(proof)
    if isinstance(result, InclusionFailure):
        raise MalformedProofError(result.detail)
    anchor = ProofAnchor(Ledger.ETHEREUM, chain_id, transaction)
    value = MerkleProof2019(proof.root, proof.digest, full_path(proof), (anchor,))
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": format_time(created),
        "proofPurpose": "assertionMethod",
        "verificationMethod": verification_method,
        "proofValue": encode_proof_value(value),
    }


def is_merkle_proof_2019(proof: Mapping[str, JsonValue]) -> bool:
    """Whether a proof object is of this kind, under its old or its new name."""
    kind = proof.get("type")
    return kind == "MerkleProof2019" or (
        kind == "DataIntegrityProof" and proof.get("cryptosuite") == CRYPTOSUITE
    )


def inclusion_proof_of(proof: MerkleProof2019) -> InclusionProof | None:
    """The claim about one of our batches that a path of our shape makes; None for a path of another shape.

    The sides are those of the path, for `verify_inclusion` to hold against index and size. An index outside
    the batch is such a claim too, and fails there.
    """
    if len(proof.path) < 3:
        return None
    (salt_side, salt), (prefix_side, prefix), *tree, (size_side, size) = proof.path
    shape = (salt_side, len(salt), prefix_side, len(prefix), size_side, len(size))
    if shape != (Side.RIGHT, NODE_BYTES, Side.LEFT, _PREFIX_BYTES, Side.LEFT, _SIZE_BYTES):
        return None
    if size[0] != 0xFF or not 1 <= int.from_bytes(size[1:], "big") <= MAX_SIZE:
        return None
    if any(len(entry) != NODE_BYTES for _, entry in tree):
        return None
    try:
        method = DigestMethod.from_code(prefix[0])
    except ValueError:
        return None
    return InclusionProof(
        index=int.from_bytes(prefix[21:], "big"),
        size=int.from_bytes(size[1:], "big"),
        path=tuple(entry for _, entry in tree),
        sides=tuple(side for side, _ in tree),
        method=method,
        digest=Digest(proof.target),
        salt=Salt(salt),
        issuer=Address(prefix[1:21]),
        root=Root(proof.root),
    )
