"""Contract accounts as keys and admins (ERC-1271)."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils import keccak, to_canonical_address

from registry.chain import typed_data
from registry.encoding import Address, Root
from tests.contract.support import NO_DEADLINE, NOW, Bench, Person

ROOT = b"\x55" * 32
HONEST, REFUSE, REVERT, TOO_SHORT, DIRTY = range(5)


def _digest(data: dict[str, Any]) -> bytes:
    message = encode_typed_data(full_message=data)
    return keccak(b"\x19" + message.version + message.header + message.body)


@pytest.fixture
def wallet_key(bench: Bench, issuer: Person, wallet: Any) -> Any:
    """The wallet as a key of the issuer; it agreed by ERC-1271."""
    consent = typed_data.key_consent(
        bench.domain,
        issuer=issuer.raw,
        key=Address(to_canonical_address(wallet.address)),
        roles=15,
        deadline=NO_DEADLINE,
    )
    call = bench.functions.addKey(issuer.address, wallet.address, 15, NO_DEADLINE, b"any")
    error = bench.refusal(call, issuer)
    assert error is not None
    assert error.name == "InvalidConsent"
    bench.send(wallet.functions.approve(_digest(consent)), issuer)
    bench.send(call, issuer)
    return wallet


def test_a_wallet_anchors_with_what_it_approved_and_nothing_else(
    bench: Bench, issuer: Person, wallet_key: Any, stranger: Person
) -> None:
    data = typed_data.anchor(bench.domain, issuer=issuer.raw, root=Root(ROOT), nonce=0, deadline=NO_DEADLINE)
    call = bench.functions.anchorBySig(wallet_key.address, issuer.address, ROOT, NO_DEADLINE, b"")
    assert bench.refusal(call, stranger) is not None
    bench.send(wallet_key.functions.approve(_digest(data)), stranger)
    for answer in (REFUSE, REVERT, TOO_SHORT, DIRTY):
        bench.send(wallet_key.functions.behave(answer), stranger)
        error = bench.refusal(call, stranger)
        assert error is not None
        assert error.name == "InvalidSignature"
    bench.send(wallet_key.functions.behave(HONEST), stranger)
    bench.send(call, stranger)
    assert bench.functions.batchOf(issuer.address, ROOT).call()[0] == wallet_key.address
    assert bench.functions.nonceOf(wallet_key.address).call() == 1


def test_a_wallet_calls_directly_and_can_be_the_admin(
    bench: Bench, issuer: Person, wallet_key: Any, key: Person, root: bytes
) -> None:
    f = bench.functions
    data = f.withdraw(root, 2)._encode_transaction_data()
    bench.send(wallet_key.functions.execute(bench.contract.address, data), issuer)
    assert f.batchOf(issuer.address, root).call()[3] == 2
    bench.send(f.proposeAdmin(issuer.address, wallet_key.address), issuer)
    for call in (f.acceptAdmin(issuer.address), f.retireKey(issuer.address, key.address, NOW, 6)):
        data = call._encode_transaction_data()
        bench.send(wallet_key.functions.execute(bench.contract.address, data), issuer)
    assert f.adminOf(issuer.address).call() == wallet_key.address
    assert f.keyOf(key.address).call()[1] == bench.time
