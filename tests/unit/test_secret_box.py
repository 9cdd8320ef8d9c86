"""Sealed secrets."""

from __future__ import annotations

import pickle

import pytest

from registry.errors import SignerError
from registry.secret_box import SealedWithKey


def test_secret_opens_under_its_name_and_key_alone() -> None:
    box = SealedWithKey(b"k" * 32)
    sealed = box.seal(b"secret", "webhook:1")
    assert box.open(sealed, "webhook:1") == b"secret"
    assert b"secret" not in sealed
    assert box.seal(b"secret", "webhook:1") != sealed
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for other, bytes_, name in (
        (box, sealed, "webhook:2"),
        (SealedWithKey(b"x" * 32), sealed, "webhook:1"),
        (box, changed, "webhook:1"),
        (box, b"", "webhook:1"),
    ):
        with pytest.raises(SignerError):
            other.open(bytes_, name)


def test_key_leaves_no_trace() -> None:
    box = SealedWithKey(b"k" * 32)
    assert "kkk" not in repr(box)
    with pytest.raises(TypeError):
        pickle.dumps(box)
