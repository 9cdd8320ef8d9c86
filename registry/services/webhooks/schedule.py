"""When a message is tried again. Pure.

Source: Standard Webhooks, "Deliverability and reliability": exponential backoff with jitter, for days.
"""

from __future__ import annotations

from datetime import timedelta

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After each failed attempt; after the last there is none. Together a little more than three days."""

MAX_ATTEMPTS = len(PAUSES) + 1
JITTER = 0.1
LONGEST_FAILING = timedelta(days=5)
"""A webhook to which nothing was delivered for so long is switched off."""

_LONGEST_ASKED = timedelta(hours=24)


def pause_after(attempts: int, retry_after_seconds: int | None, luck: float) -> timedelta | None:
    """How long to wait after ``attempts`` failed ones, None when that was the last.

    Args:
        retry_after_seconds: what the receiver asked for; it prolongs a pause, up to a day.
        luck: from 0 to 1, spreads the pauses of many messages by a tenth either way.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    pause = PAUSES[attempts - 1] * (1 + JITTER * (2 * luck - 1))
    asked = timedelta(seconds=retry_after_seconds or 0)
    return max(pause, min(asked, _LONGEST_ASKED))
