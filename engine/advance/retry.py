"""When to try again: a policy, how often it was tried, and the task's key give the pause. No state, no chance."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from orderloom.models.tasks import RetryKind, RetryPolicy

#: no pause is longer, whatever a policy or an external system asks for
LONGEST = timedelta(days=366)


def pause(policy: RetryPolicy | None, retries: int, key: str, retry_after: float = 0) -> timedelta | None:
    """The pause before the next attempt after so many retries, None where there is none.

    `retry_after` is the pause in seconds that the external system asked for; it lengthens, never shortens.
    """
    if policy is None or policy.kind is RetryKind.NONE or (policy.retries is not None and retries >= policy.retries):
        return None
    interval = _interval(policy, retries, key)
    asked = min(retry_after, LONGEST.total_seconds()) if retry_after > 0 else 0
    return min(max(interval, timedelta(seconds=asked)), LONGEST)


def _interval(policy: RetryPolicy, retries: int, key: str) -> timedelta:
    if not policy.intervals:
        return timedelta(0)
    if policy.kind is RetryKind.STAGGERED:
        return policy.intervals[min(retries, len(policy.intervals) - 1)]
    base = policy.intervals[0]
    if policy.kind is not RetryKind.EXPONENTIAL:
        return base
    most = min(policy.cap, LONGEST) if policy.cap is not None else LONGEST
    doublings = 2 ** min(retries, 64)
    doubled = base * doublings if base <= most / doublings else most
    return min(_spread(doubled, policy.jitter, f"{key}/{retries}"), most)


def _spread(interval: timedelta, jitter: int, key: str) -> timedelta:
    """The interval lengthened or shortened by up to `jitter` percent, the same for the same key."""
    if not jitter:
        return interval
    share = int.from_bytes(sha256(key.encode()).digest()[:4]) / 0xFFFFFFFF * 2 - 1
    return interval * (1 + share * jitter / 100)
