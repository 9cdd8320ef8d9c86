"""Conversions between the domain and columns lose nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.model.chain import Change
from registry.store.values import (
    chunks,
    instant,
    maybe_instant,
    maybe_micros,
    micros,
    pack_changes,
    stranger_bytes,
    stranger_text,
    unique_chunks,
    unpack_changes,
    word_bytes,
)

UINT64 = st.integers(0, 2**64 - 1)
UINT256 = st.integers(0, 2**256 - 1)


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_instant_survives(value: datetime) -> None:
    assert instant(micros(value)) == value
    assert maybe_instant(maybe_micros(value)) == value


def test_instant_in_another_zone_is_the_same_instant() -> None:
    value = datetime(2026, 11, 23, 5, 0, 0, 1, tzinfo=timezone(timedelta(hours=1)))
    assert micros(value) == micros(datetime(2026, 11, 23, 4, 0, 0, 1, tzinfo=UTC))
    assert instant(micros(value)).tzinfo is UTC


def test_instant_without_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        micros(datetime(2026, 11, 23))  # noqa: DTZ001


def test_no_instant_stays_none() -> None:
    assert maybe_micros(None) is None
    assert maybe_instant(None) is None


@given(st.lists(st.builds(Change, word=UINT64, mask=UINT256), max_size=5))
def test_changes_survive_in_their_order(changes: list[Change]) -> None:
    assert unpack_changes(pack_changes(changes)) == tuple(changes)


@given(UINT64, UINT64)
def test_words_sort_as_numbers(one: int, other: int) -> None:
    assert (word_bytes(one) < word_bytes(other)) == (one < other)


@given(st.text(st.characters(codec=None)))
def test_any_string_of_a_stranger_survives(text: str) -> None:
    assert stranger_text(stranger_bytes(text)) == text


def test_lone_surrogates_and_zero_characters_survive() -> None:
    for text in ("\ud800", "\udcff\ud800\udc00", "\0", "\U0010ffff"):
        assert stranger_text(stranger_bytes(text)) == text


def test_chunks_cut_and_forget_repetitions() -> None:
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([], 2)) == []
    assert list(unique_chunks([3, 1, 3, 2, 1], 2)) == [[3, 1], [2]]
