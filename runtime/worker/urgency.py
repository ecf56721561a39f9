"""Who goes first: the more urgent, but nobody waits for ever.

A step of priority is worth half an hour of waiting. So what has waited four times as long goes before everything that
comes in later, whatever its priority: with any pattern of arrivals, only what came within two hours after it can go
first, and that is a bounded number.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

AGEING = timedelta(minutes=30)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STEP = AGEING // _MICROSECOND


def rank(since: datetime, priority: int) -> int:
    """The lowest goes first: the instant of arrival in microseconds, later by half an hour for each step of priority
    (0 highest … 4)."""
    return (since - _EPOCH) // _MICROSECOND + priority * _STEP
