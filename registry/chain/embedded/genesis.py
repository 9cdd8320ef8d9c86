"""The first block of an embedded chain: fixed time, Prague rules, one funded account, the CREATE2 factory.

The funded account ("faucet") has a key made for this data directory and kept beside the chain with mode 600.
A well-known development key would let any process that reaches the loopback RPC spend as the server does, and
would sooner or later be used on a public chain; the price is that the genesis block's hash differs from one
data directory to the next, which also keeps two embedded chains from being taken for one another.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_tester.backends.pyevm.main import PyEVMBackend  # type: ignore[import-untyped, unused-ignore]
from eth_typing import Address

from registry.chain.embedded.errors import EmbeddedChainMismatchError

GENESIS_TIME_SECONDS: Final = 1_735_689_600
"""2025-01-01T00:00:00Z, for every embedded chain."""

FAUCET_BALANCE_WEI: Final = 10**9 * 10**18

CREATE2_FACTORY_ADDRESS: Final = Address(bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c"))
CREATE2_FACTORY_CODE: Final = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "e03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
)
"""Runtime code of the deterministic deployment proxy (github.com/Arachnid/deterministic-deployment-proxy), as
it stands at that address on public chains; with it a contract gets the same address here as there."""

_KEY_FILE: Final = "faucet.key"


def load_or_make_faucet(directory: Path, *, make: bool) -> LocalAccount:
    """The faucet's account of this data directory.

    Args:
        directory: where ``faucet.key`` lies (64 hex digits, mode 600).
        make: a missing file is written, not an error; for a directory without a chain.

    Raises:
        EmbeddedChainMismatchError: the file is missing or holds no key.
        OSError: it cannot be read or written.
    """
    path = directory / _KEY_FILE
    if make and not path.exists():
        _write_secret(path, secrets.token_bytes(32).hex())
    try:
        account: LocalAccount = Account.from_key(bytes.fromhex(path.read_text("ascii").strip()))
    except FileNotFoundError:
        raise EmbeddedChainMismatchError(
            f"{path} is missing; restore it from the backup of this data directory"
        ) from None
    except ValueError as error:
        raise EmbeddedChainMismatchError(f"{path} cannot be read as a key") from error
    return account


def genesis_state(faucet: Address) -> dict[Address, Any]:
    """Accounts of the first block, keyed by 20-byte address."""
    return {
        faucet: {"balance": FAUCET_BALANCE_WEI, "nonce": 0, "code": b"", "storage": {}},
        CREATE2_FACTORY_ADDRESS: {"balance": 0, "nonce": 1, "code": CREATE2_FACTORY_CODE, "storage": {}},
    }


def genesis_parameters() -> dict[str, Any]:
    """Header fields of the first block: eth-tester's, with the fixed time."""
    parameters: dict[str, Any] = PyEVMBackend.generate_genesis_params({"timestamp": GENESIS_TIME_SECONDS})
    return parameters


def _write_secret(path: Path, text: str) -> None:
    draft = path.with_suffix(".tmp")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
