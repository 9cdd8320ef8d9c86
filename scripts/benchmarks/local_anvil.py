"""A server's settings for a fresh anvil with the registry on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.chain.factory import deploy_by_rpc
from registry.chain.keystore import EncryptedKeystore, LocalSigner
from tests.support.anvil import CHAIN_ID, DEV_KEYS, anvil

_PASSWORD = "of a chain that is gone in a moment"


@contextmanager
def anvil_settings(directory: Path) -> Iterator[dict[str, str]]:
    """Run anvil for the length of the block; it mines each transaction at once, and one block is final."""
    keys, password = directory / "relayer", directory / "relayer-password"
    password.write_text(_PASSWORD, encoding="utf-8")
    EncryptedKeystore(keys, _PASSWORD.encode(), strong_kdf=False).add(DEV_KEYS[0])
    with anvil() as node:
        deploy_by_rpc([node.url], LocalSigner(DEV_KEYS[1]))
        yield {
            "RPC_URL": node.url,
            "CHAIN_ID": str(CHAIN_ID),
            "CONFIRMATIONS": "1",
            "SIGNER_KEYSTORE": str(keys),
            "SIGNER_PASSWORD_FILE": str(password),
        }
