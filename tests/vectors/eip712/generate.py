"""Writes rootmark-v1.json: type hashes, a domain separator and digests, made by hand from EIP-712.

    python tests/vectors/eip712/generate.py

Uses Keccak-256 and the ABI encoding only: no EIP-712 library and nothing of Rootmark's own code, which are
both compared with the result. The types can never change, so neither can the file once a contract is
deployed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils import keccak

DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
CHANGE_TYPE = "Change(uint64 word,uint256 mask)"
DOMAIN = {
    "name": "Rootmark",
    "version": "1",
    "chainId": 31337,
    "verifyingContract": "0x5fbdb2315678afecb367f032d93f642f64180aa3",
}
ISSUER = "0x00000000000000000000000000000000000000a1"
KEY = "0x00000000000000000000000000000000000000b2"
ROOT = "0x" + "c3" * 32
CHANGES = [{"word": 0, "mask": 1}, {"word": 2**64 - 1, "mask": 2**256 - 1}]
STATUS = "address issuer,bytes32 root,Change[] changes,uint16 reason,uint256 nonce,uint256 deadline"
WITHDRAWAL = "address issuer,bytes32 root,uint16 reason,uint256 nonce,uint256 deadline"

COMMON: dict[str, Any] = {"issuer": ISSUER, "nonce": 4, "deadline": 1_900_000_000}
ON_ROOT = COMMON | {"root": ROOT}
CASES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "KeyConsent",
        "address issuer,address key,uint16 roles,uint256 deadline",
        {"issuer": ISSUER, "key": KEY, "roles": 7, "deadline": 2**256 - 1},
    ),
    (
        "AddKey",
        "address issuer,address key,uint16 roles,uint256 nonce,uint256 deadline",
        COMMON | {"key": KEY, "roles": 15},
    ),
    (
        "RetireKey",
        "address issuer,address key,uint40 validUntil,uint16 reason,uint256 nonce,uint256 deadline",
        COMMON | {"key": KEY, "validUntil": 2**40 - 1, "reason": 6},
    ),
    ("Anchor", "address issuer,bytes32 root,uint256 nonce,uint256 deadline", ON_ROOT),
    ("Revoke", STATUS, ON_ROOT | {"changes": CHANGES, "reason": 1}),
    ("Suspend", STATUS, ON_ROOT | {"changes": CHANGES[:1], "reason": 7}),
    ("Reinstate", STATUS, ON_ROOT | {"changes": [], "reason": 0}),
    ("Annul", STATUS, ON_ROOT | {"changes": CHANGES, "reason": 65_535}),
    ("Withdraw", WITHDRAWAL, ON_ROOT | {"reason": 2}),
    ("AnnulWithdrawal", WITHDRAWAL, ON_ROOT | {"reason": 0, "nonce": 2**256 - 1}),
]


def word(type_: str, value: Any) -> bytes:
    """One member as EIP-712's encodeData puts it: 32 bytes."""
    if type_ == "Change[]":
        hashes = [
            keccak(keccak(text=CHANGE_TYPE) + encode(["uint64", "uint256"], [change["word"], change["mask"]]))
            for change in value
        ]
        return keccak(b"".join(hashes))
    if type_ == "bytes32":
        return bytes.fromhex(value[2:])
    return encode([type_], [value])


def main() -> None:
    separator = keccak(
        keccak(text=DOMAIN_TYPE)
        + keccak(text=DOMAIN["name"])
        + keccak(text=DOMAIN["version"])
        + encode(["uint256", "address"], [DOMAIN["chainId"], DOMAIN["verifyingContract"]])
    )
    cases = []
    for name, fields, message in CASES:
        encoded_type = f"{name}({fields})" + (CHANGE_TYPE if "Change[]" in fields else "")
        members = [field.split(" ") for field in fields.split(",")]
        words = b"".join(word(type_, message[member]) for type_, member in members)
        struct_hash = keccak(keccak(text=encoded_type) + words)
        cases.append(
            {
                "primaryType": name,
                "encodeType": encoded_type,
                "typeHash": "0x" + keccak(text=encoded_type).hex(),
                "message": {member: _json(message[member]) for _, member in members},
                "structHash": "0x" + struct_hash.hex(),
                "digest": "0x" + keccak(b"\x19\x01" + separator + struct_hash).hex(),
            }
        )
    document = {
        "source": "tests/vectors/eip712/generate.py, by hand from EIP-712",
        "domain": DOMAIN,
        "domainTypeHash": "0x" + keccak(text=DOMAIN_TYPE).hex(),
        "domainSeparator": "0x" + separator.hex(),
        "changeTypeHash": "0x" + keccak(text=CHANGE_TYPE).hex(),
        "cases": cases,
    }
    target = Path(__file__).with_name("rootmark-v1.json")
    target.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _json(value: Any) -> Any:
    """Integers as decimal strings, so that no reader rounds them."""
    if isinstance(value, list):
        return [{name: str(number) for name, number in change.items()} for change in value]
    return str(value) if isinstance(value, int) else value


if __name__ == "__main__":
    main()
