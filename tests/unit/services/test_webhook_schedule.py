"""When a message is tried again."""

from __future__ import annotations

from datetime import timedelta

from registry.services.webhooks.schedule import MAX_ATTEMPTS, PAUSES, pause_after


def test_pauses_grow_for_days_and_end() -> None:
    pauses = [pause_after(attempts, None, 0.5) for attempts in range(1, MAX_ATTEMPTS)]
    assert pauses == list(PAUSES)
    assert sum(PAUSES, timedelta()) > timedelta(days=3)
    assert pause_after(MAX_ATTEMPTS, None, 0.5) is None
    assert pause_after(MAX_ATTEMPTS, 60, 0.5) is None


def test_luck_spreads_a_pause_by_a_tenth() -> None:
    assert pause_after(2, None, 0) == timedelta(minutes=4.5)
    assert pause_after(2, None, 1) == timedelta(minutes=5.5)


def test_receiver_may_ask_for_longer_up_to_a_day_and_never_for_less() -> None:
    assert pause_after(1, 3_600, 0.5) == timedelta(hours=1)
    assert pause_after(1, 10**6, 0.5) == timedelta(hours=24)
    assert pause_after(4, 1, 0.5) == timedelta(hours=2)
