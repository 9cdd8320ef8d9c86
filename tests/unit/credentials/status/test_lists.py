"""Places in lists: drawn once each, uniformly, under addresses that lead back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.credentials.status.bitstring import MIN_ENTRIES
from registry.credentials.status.lists import (
    LIST_ENTRIES,
    USED_AT_MOST,
    Purpose,
    draw,
    list_url,
    public_id,
    read_public_id,
)

LIST = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        LIST,
        f"{LIST}-",
        f"{LIST}-message",
        f"{LIST}-revocation/",
        f"{LIST}-revocation\n",
        f"{LIST.upper()}-revocation",
        f"{LIST[1:]}-revocation",
        f"../{LIST}-revocation",
        "0" * 5_000,
    ],
)
def test_text_names_no_list_when_it_is_not_one_of_ours(text: str) -> None:
    assert read_public_id(text) is None


def test_more_places_than_are_free_are_refused() -> None:
    taken = bytearray(b"\xff\x0f")
    with pytest.raises(ValueError, match="free"):
        draw(taken, 5)
    assert taken == b"\xff\x0f"


@given(st.binary(min_size=16, max_size=16), st.data())
def test_drawn_places_were_free_and_are_taken_afterwards(before: bytes, data: st.DataObject) -> None:
    free = {place for place in range(128) if not before[place >> 3] & 0x80 >> (place & 7)}
    count = data.draw(st.integers(0, len(free)))
    taken = bytearray(before)
    drawn = draw(taken, count)
    assert len(set(drawn)) == count
    assert set(drawn) <= free
    left = {place for place in range(128) if not taken[place >> 3] & 0x80 >> (place & 7)}
    assert left == free - set(drawn)


def test_places_come_from_all_over_the_list() -> None:
    drawn = draw(bytearray(LIST_ENTRIES // 8), 4_096)
    sixteenths = [0] * 16
    for place in drawn:
        sixteenths[place * 16 // LIST_ENTRIES] += 1
    assert min(sixteenths) > 150  # 256 are expected; fewer than 150 would happen once in 10^10 runs
    assert drawn != sorted(drawn)


def test_list_is_as_long_as_the_specification_asks_and_used_up_to_the_half() -> None:
    assert LIST_ENTRIES >= MIN_ENTRIES == 131_072
    assert LIST_ENTRIES & (LIST_ENTRIES - 1) == 0  # drawing takes the lowest bits of a number
    assert USED_AT_MOST * 2 == LIST_ENTRIES


@pytest.mark.parametrize("purpose", Purpose)
def test_address_leads_back_to_list_and_purpose(purpose: Purpose) -> None:
    url = list_url("https://registry.example/path", LIST, purpose)
    assert url == f"https://registry.example/path/status/{public_id(LIST, purpose)}"
    assert read_public_id(url.rpartition("/")[2]) == (LIST, purpose)
