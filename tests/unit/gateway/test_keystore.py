"""Signers and the encrypted keystore."""

from __future__ import annotations

import json
import pickle
import shutil
import stat
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak
from eth_keyfile import create_keyfile_json
from eth_keys.datatypes import Signature

from registry.chain.calls import RegistryCallEncoder
from registry.chain.keystore import SECP256K1_ORDER, EncryptedKeystore, LocalSigner
from registry.encoding import Address
from registry.errors import SignerError
from registry.model.chain import UnsignedTransaction

PASSWORD = b"correct horse battery staple"
KEY = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
OTHER = Address(b"\x12" * 20)
ENCODER = RegistryCallEncoder(31337, OTHER)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "inner"


@pytest.fixture
def keystore(directory: Path) -> EncryptedKeystore:
    return EncryptedKeystore(directory, PASSWORD, strong_kdf=False)


def transaction(**changes: int) -> UnsignedTransaction:
    fields = {"nonce": 3, "gas_limit": 21_000, "max_fee_per_gas_wei": 9, "max_priority_fee_per_gas_wei": 1}
    return UnsignedTransaction(chain_id=31337, to=OTHER, data=b"\x01\x02", **(fields | changes))


# --- signing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", [b"", bytes(32), b"\x01" * 31, SECP256K1_ORDER.to_bytes(32, "big"), b"\xff" * 32]
)
def test_what_is_no_private_key_is_refused(key: bytes) -> None:
    with pytest.raises(SignerError):
        LocalSigner(key)


def test_a_transaction_is_signed_by_the_account_and_named_by_its_hash() -> None:
    signer = LocalSigner(KEY)
    signed = signer.sign_transaction(transaction())
    assert Account.recover_transaction(signed.raw).lower() == "0x" + signer.address.hex()
    assert signed.hash == keccak(signed.raw)
    assert signed.raw[0] == 2
    assert signer.sign_transaction(transaction()) == signed


@pytest.mark.parametrize(
    "wrong", [{"nonce": -1}, {"gas_limit": -1}, {"max_fee_per_gas_wei": -5}, {"value_wei": -1}]
)
def test_a_transaction_with_a_field_out_of_range_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SignerError):
        LocalSigner(KEY).sign_transaction(transaction(**wrong))


def test_typed_data_signatures_have_65_bytes_low_s_and_v_27_or_28() -> None:
    signer = LocalSigner(KEY)
    seen = set()
    for deadline in range(40):
        typed = ENCODER.key_consent(OTHER, signer.address, 1, deadline)
        signature = signer.sign_typed_data(typed)
        assert len(signature) == 65
        assert int.from_bytes(signature[32:64], "big") <= SECP256K1_ORDER // 2
        assert signature[64] in (27, 28)
        seen.add(signature[64])
        recovered = Account.recover_message(encode_typed_data(full_message=dict(typed)), signature=signature)
        assert recovered.lower() == "0x" + signer.address.hex()
    assert seen == {27, 28}


@pytest.mark.parametrize(
    "typed", [{}, {"types": {}}, {"types": {"A": []}, "primaryType": "B", "domain": {}, "message": {}}]
)
def test_what_is_no_typed_data_is_refused(typed: dict[str, object]) -> None:
    with pytest.raises(SignerError):
        LocalSigner(KEY).sign_typed_data(typed)


def test_a_high_s_is_never_let_out(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = LocalSigner(KEY)
    typed = ENCODER.key_consent(OTHER, signer.address, 1, 1)
    real = Signature(signer.sign_typed_data(typed)[:64] + b"\0")

    class HighS:
        s = SECP256K1_ORDER - real.s
        signature = b""

    class Account:
        def sign_message(self, _: object) -> HighS:
            return HighS()

    monkeypatch.setattr(signer, "_account", Account())
    with pytest.raises(SignerError, match="high s"):
        signer.sign_typed_data(typed)


def test_a_signer_shows_its_account_and_not_its_key() -> None:
    signer = LocalSigner(KEY)
    shown = f"{signer!r} {signer!s} {vars(signer)}"
    assert KEY.hex() not in shown
    assert str(int.from_bytes(KEY, "big")) not in shown
    assert "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23" in repr(signer)
    with pytest.raises(TypeError):
        pickle.dumps(signer)


# --- the keystore -------------------------------------------------------------------------------------------


def test_a_created_key_is_there_after_a_restart(keystore: EncryptedKeystore, directory: Path) -> None:
    made = keystore.create()
    again = EncryptedKeystore(directory, PASSWORD)
    assert again.addresses() == {made.address} == keystore.addresses()
    assert again.get(made.address).sign_transaction(transaction()) == made.sign_transaction(transaction())


def test_files_and_directory_are_the_owners_alone(keystore: EncryptedKeystore, directory: Path) -> None:
    keystore.create()
    (file,) = directory.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_the_file_is_web3_secret_storage_that_other_tools_open(
    keystore: EncryptedKeystore, directory: Path
) -> None:
    made = keystore.create()
    content = json.loads(next(directory.iterdir()).read_text())
    assert content["version"] == 3
    assert Account.from_key(Account.decrypt(content, PASSWORD)).address.lower() == "0x" + made.address.hex()


@pytest.mark.parametrize("kdf", ["pbkdf2", "scrypt"])
def test_files_of_other_tools_are_read(directory: Path, kdf: str) -> None:
    directory.mkdir(parents=True)
    content = create_keyfile_json(KEY, PASSWORD, kdf=kdf, iterations=16)  # type: ignore[arg-type]
    address = LocalSigner(KEY).address
    name = f"UTC--2026-11-23T04-00-00.000000000Z--{address.hex()}"
    (directory / name).write_text(json.dumps(content))
    (directory / "README").write_text("no key")
    keystore = EncryptedKeystore(directory, PASSWORD)
    assert keystore.addresses() == {address}
    assert keystore.get(address).address == address


def test_adding_a_key_twice_writes_one_file(keystore: EncryptedKeystore, directory: Path) -> None:
    assert keystore.add(KEY).address == keystore.add(KEY).address
    assert len(list(directory.iterdir())) == 1


def test_two_keystores_on_one_directory_see_each_others_keys(
    keystore: EncryptedKeystore, directory: Path
) -> None:
    other = EncryptedKeystore(directory, PASSWORD)
    made = keystore.create()
    assert other.get(made.address).address == made.address


def test_a_key_that_is_not_there_is_an_error(keystore: EncryptedKeystore) -> None:
    assert keystore.addresses() == frozenset()
    with pytest.raises(SignerError, match="no key for"):
        keystore.get(OTHER)


def test_another_password_is_an_error_that_names_the_file_only(
    keystore: EncryptedKeystore, directory: Path
) -> None:
    made = keystore.create()
    with pytest.raises(SignerError) as caught:
        EncryptedKeystore(directory, b"wrong password").get(made.address)
    text = str(caught.value)
    assert f"{made.address.hex()}.json" in text
    assert "wrong password" not in text
    assert str(directory) not in text


def test_any_damage_to_a_file_is_an_error(keystore: EncryptedKeystore, directory: Path) -> None:
    made = keystore.create()
    (file,) = directory.iterdir()
    good = file.read_text()
    content = json.loads(good)
    content["crypto"]["ciphertext"] = "00" * 32
    without = json.loads(good)
    del without["crypto"]["kdfparams"]
    damages = [
        "",
        "{",
        "[]",
        "null",
        good[: len(good) // 2],
        good.replace('"version": 3', '"version": 9'),
        json.dumps(content),
        json.dumps(without),
        good.replace('"c": 4096', '"c": "many"'),
        "[" * 16_000,
        " " * 20_000,
    ]
    for damage in damages:
        assert damage != good
        file.write_text(damage)
        with pytest.raises(SignerError, match=file.name):
            EncryptedKeystore(directory, PASSWORD).get(made.address)


def test_a_file_that_was_renamed_to_another_account_is_an_error(
    keystore: EncryptedKeystore, directory: Path
) -> None:
    made = keystore.create()
    shutil.move(directory / f"{made.address.hex()}.json", directory / f"{OTHER.hex()}.json")
    with pytest.raises(SignerError, match="another account's"):
        EncryptedKeystore(directory, PASSWORD).get(OTHER)


def test_a_directory_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    keystore = EncryptedKeystore(tmp_path / "file", PASSWORD, strong_kdf=False)
    with pytest.raises(SignerError):
        keystore.create()
    with pytest.raises(SignerError):
        keystore.addresses()


def test_a_failed_write_leaves_nothing_behind(
    keystore: EncryptedKeystore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("registry.files.os.fsync", full)
    with pytest.raises(SignerError):
        keystore.create()
    assert list(directory.iterdir()) == []
    assert keystore.addresses() == frozenset()


def test_neither_password_nor_path_is_shown(keystore: EncryptedKeystore, directory: Path) -> None:
    assert repr(keystore) == "EncryptedKeystore(inner)"
