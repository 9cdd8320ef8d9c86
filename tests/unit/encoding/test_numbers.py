"""Numbers are compared as exact decimals; the comparison agrees with arbitrary-precision arithmetic."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.encoding.numbers import MAX_SAFE_INTEGER, NumberRangeError, checked_float, checked_int


def test_integers_up_to_the_limit_pass() -> None:
    for value in (0, 1, -1, MAX_SAFE_INTEGER, -MAX_SAFE_INTEGER):
        assert checked_int(str(value)) == value


@pytest.mark.parametrize("text", [str(2**53), str(-(2**53)), "1" * 5000, "-" + "9" * 17])
def test_integers_over_the_limit_are_refused_without_being_named(text: str) -> None:
    with pytest.raises(NumberRangeError) as caught:
        checked_int(text)
    assert text not in str(caught.value)


def test_zero_passes_however_it_is_written() -> None:
    for text in ("0.0", "-0.0", "0e5", "0.000e-999999999999", "0e99999999999999999999"):
        assert checked_float(text) == 0


@settings(deadline=None)
@given(
    sign=st.sampled_from(["", "-"]),
    whole=st.one_of(
        st.integers(0, 10**20),
        st.sampled_from([MAX_SAFE_INTEGER, MAX_SAFE_INTEGER + 1, MAX_SAFE_INTEGER - 1]),
    ),
    fraction=st.text("09", max_size=25),
    exponent=st.one_of(st.none(), st.integers(-30, 30)),
)
def test_range_agrees_with_exact_decimals(sign: str, whole: int, fraction: str, exponent: int | None) -> None:
    text = f"{sign}{whole}" + (f".{fraction}" if fraction else "")
    text += "e0" if exponent is None else f"E{exponent:+}"
    with localcontext() as context:
        context.prec = 200
        fits = abs(Decimal(text)) <= MAX_SAFE_INTEGER
    if fits:
        assert checked_float(text) == float(text)
    else:
        with pytest.raises(NumberRangeError):
            checked_float(text)


@settings(deadline=None)
@given(shift=st.integers(-400, 400), digits=st.text("0123456789", min_size=1, max_size=20))
def test_moving_the_point_does_not_change_the_answer(shift: int, digits: str) -> None:
    plain = f"{int(digits)}.0"
    moved = f"{int(digits)}{'0' * max(-shift, 0)}e{min(shift, 0)}"
    outcomes = []
    for text in (plain, moved):
        try:
            checked_float(text)
            outcomes.append(True)
        except NumberRangeError:
            outcomes.append(False)
    assert outcomes[0] == outcomes[1]
