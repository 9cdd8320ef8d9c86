"""Call data, against web3's own encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from web3 import Web3

from registry.chain.abi import load_artifact
from registry.chain.calls import RegistryCallEncoder
from registry.chain.keystore import LocalSigner
from registry.encoding import Address, Root
from registry.model.chain import CallKind, Change, ContractCall
from registry.ports.chain import CallEncoder

REGISTRY, ISSUER, KEY = (Address(bytes([n]) * 20) for n in (0xAA, 0xBB, 0xCC))
ROOT = Root(b"\xee" * 32)
CHANGES = (Change(0, 1), Change(2**64 - 1, 2**256 - 1))
PAIRS = [(change.word, change.mask) for change in CHANGES]
SIGNATURE, CONSENT = b"\x01" * 65, b"\x02" * 65
ENCODER: CallEncoder = RegistryCallEncoder(31337, REGISTRY)
CONTRACT = Web3().eth.contract(abi=list(load_artifact().abi))

HEX_ISSUER, HEX_KEY = Web3.to_checksum_address(ISSUER), Web3.to_checksum_address(KEY)
STATUS = {"issuer": ISSUER, "root": ROOT, "changes": CHANGES, "reason": 3}
CASES: list[tuple[ContractCall, str, Sequence[Any], Sequence[Any]]] = [
    (ContractCall(CallKind.ANCHOR, ISSUER, root=ROOT), "anchor", [ROOT], [ROOT]),
    (ContractCall(CallKind.REVOKE, **STATUS), "revoke", [ROOT, PAIRS, 3], [ROOT, PAIRS, 3]),
    (ContractCall(CallKind.SUSPEND, **STATUS), "suspend", [ROOT, PAIRS, 3], [ROOT, PAIRS, 3]),
    (ContractCall(CallKind.REINSTATE, **STATUS), "reinstate", [ROOT, PAIRS, 3], [ROOT, PAIRS, 3]),
    (ContractCall(CallKind.ANNUL, **STATUS), "annul", [HEX_ISSUER, ROOT, PAIRS, 3], [ROOT, PAIRS, 3]),
    (ContractCall(CallKind.WITHDRAW, ISSUER, root=ROOT, reason=6), "withdraw", [ROOT, 6], [ROOT, 6]),
    (
        ContractCall(CallKind.ANNUL_WITHDRAWAL, ISSUER, root=ROOT, reason=1),
        "annulWithdrawal",
        [HEX_ISSUER, ROOT, 1],
        [ROOT, 1],
    ),
    (
        ContractCall(CallKind.RETIRE_KEY, ISSUER, account=KEY, valid_until=2**40 - 1, reason=6),
        "retireKey",
        [HEX_ISSUER, HEX_KEY, 2**40 - 1, 6],
        [HEX_KEY, 2**40 - 1, 6],
    ),
]


PROFILE = ContractCall(CallKind.SET_PROFILE, ISSUER, uri="did:web:college.example:å")


def test_profile_is_set_directly_and_cannot_be_relayed() -> None:
    expected = CONTRACT.encode_abi("setProfile", [HEX_ISSUER, "did:web:college.example:å"])
    assert ENCODER.direct(PROFILE) == (REGISTRY, bytes.fromhex(expected[2:]))
    with pytest.raises(ValueError, match="relayed"):
        ENCODER.relayed(PROFILE, KEY, 99, SIGNATURE)
    with pytest.raises(ValueError, match="relayed"):
        ENCODER.typed_data(PROFILE, 0, 99)
    with pytest.raises(ValueError, match="URI"):
        ENCODER.direct(ContractCall(CallKind.SET_PROFILE, ISSUER))


@pytest.mark.parametrize(("call", "function", "direct", "relayed"), CASES, ids=[case[1] for case in CASES])
def test_call_data_is_what_web3_encodes(
    call: ContractCall, function: str, direct: Sequence[Any], relayed: Sequence[Any]
) -> None:
    if call.kind is not CallKind.ANCHOR:
        expected = bytes.fromhex(CONTRACT.encode_abi(function, direct)[2:])
        assert ENCODER.direct(call) == (REGISTRY, expected)
    arguments = [HEX_KEY, HEX_ISSUER, *relayed, 99, SIGNATURE]
    expected = bytes.fromhex(CONTRACT.encode_abi(f"{function}BySig", arguments)[2:])
    assert ENCODER.relayed(call, KEY, 99, SIGNATURE) == (REGISTRY, expected)


def test_adding_a_key_carries_its_consent() -> None:
    call = ContractCall(CallKind.ADD_KEY, ISSUER, account=KEY, roles=15, consent_deadline=77, consent=CONSENT)
    direct = CONTRACT.encode_abi("addKey", [HEX_ISSUER, HEX_KEY, 15, 77, CONSENT])
    relayed = CONTRACT.encode_abi(
        "addKeyBySig", [HEX_ISSUER, HEX_ISSUER, HEX_KEY, 15, 99, 77, CONSENT, SIGNATURE]
    )
    assert ENCODER.direct(call)[1] == bytes.fromhex(direct[2:])
    assert ENCODER.relayed(call, ISSUER, 99, SIGNATURE)[1] == bytes.fromhex(relayed[2:])


def test_a_direct_anchor_is_the_32_bare_bytes() -> None:
    assert ENCODER.direct(ContractCall(CallKind.ANCHOR, ISSUER, root=ROOT)) == (REGISTRY, ROOT)


def test_funding_is_a_bare_transfer_and_cannot_be_relayed() -> None:
    call = ContractCall(CallKind.FUND, ISSUER, account=KEY, value_wei=5)
    assert ENCODER.direct(call) == (KEY, b"")
    with pytest.raises(ValueError):
        ENCODER.relayed(call, KEY, 99, SIGNATURE)
    with pytest.raises(ValueError):
        ENCODER.typed_data(call, 0, 99)


@pytest.mark.parametrize(
    "call",
    [
        ContractCall(CallKind.ANCHOR, ISSUER),
        ContractCall(CallKind.ANCHOR, ISSUER, root=Root(b"\x01" * 31)),
        ContractCall(CallKind.REVOKE, ISSUER, changes=CHANGES),
        ContractCall(CallKind.WITHDRAW, ISSUER, root=ROOT, reason=2**16),
        ContractCall(CallKind.SUSPEND, ISSUER, root=ROOT, changes=(Change(2**64, 1),)),
        ContractCall(CallKind.SUSPEND, ISSUER, root=ROOT, changes=(Change(0, 2**256),)),
        ContractCall(CallKind.ADD_KEY, ISSUER, roles=1),
        ContractCall(CallKind.RETIRE_KEY, ISSUER, account=KEY, valid_until=2**40),
        ContractCall(CallKind.FUND, ISSUER),
    ],
    ids=lambda call: call.kind.value,
)
def test_a_call_that_lacks_a_field_or_has_one_out_of_range_is_a_value_error(call: ContractCall) -> None:
    with pytest.raises(ValueError):
        ENCODER.direct(call)
    with pytest.raises(ValueError):
        ENCODER.relayed(call, KEY, 99, SIGNATURE)
    with pytest.raises(ValueError):
        ENCODER.typed_data(call, 0, 99)


def test_every_selector_is_one_and_a_root_is_none() -> None:
    assert ENCODER.is_selector(bytes.fromhex(CONTRACT.encode_abi("anchor", [ROOT])[2:10]))
    assert not ENCODER.is_selector(ROOT[:4])


# --- whose consent it is ------------------------------------------------------------------------------------

CONSENTING = LocalSigner(b"\x17" * 32)


def addition(signer: LocalSigner, **changes: Any) -> ContractCall:
    """An ADD_KEY with a consent that ``signer`` gave for the account of `CONSENTING`."""
    consent = signer.sign_typed_data(ENCODER.key_consent(ISSUER, CONSENTING.address, 7, 77))
    fields = {"account": CONSENTING.address, "roles": 7, "consent_deadline": 77, "consent": consent}
    return ContractCall(CallKind.ADD_KEY, ISSUER, **(fields | changes))


@pytest.mark.parametrize(
    "call",
    [
        addition(LocalSigner(b"\x18" * 32)),
        addition(CONSENTING, roles=15),
        addition(CONSENTING, consent_deadline=78),
        addition(CONSENTING, consent=b""),
        addition(CONSENTING, consent=b"\xff" * 65),
        addition(CONSENTING, consent=bytes(64) + b"\x1b"),
        addition(CONSENTING, consent=b"\x01" * 64 + b"\x1c"),
    ],
    ids=["another's", "other roles", "another deadline", "none", "no signature", "zero", "arbitrary"],
)
def test_consent_that_the_key_did_not_give_shows_no_public_key(call: ContractCall) -> None:
    assert ENCODER.consenting_key(call) is None


def test_consent_shows_the_public_key_of_the_account() -> None:
    assert ENCODER.consenting_key(addition(CONSENTING)) == CONSENTING.public_key
    assert len(CONSENTING.public_key) == 33
