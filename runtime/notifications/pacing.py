"""When a delivery that failed is tried again, and when it is given up. The same failures give the same times."""

from __future__ import annotations

from datetime import datetime, timedelta

from orderloom.runtime.store.deliveries import Delivery

#: the pause after the first failure; it doubles with each one, up to the longest
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
#: settings that channels of all kinds have, with what counts where they are not given
MOST_TRIES, MOST_HOURS = 15, 24


def next_try(delivery: Delivery, now: datetime, most_tries: int, most_hours: float) -> datetime | None:
    """When to try again after one more failure; None to give up."""
    if delivery.tries + 1 >= most_tries:
        return None
    pause = min(FIRST_PAUSE * 2 ** min(delivery.tries, 20), LONGEST_PAUSE)
    again = now + pause
    return again if again <= delivery.since + timedelta(hours=most_hours) else None
