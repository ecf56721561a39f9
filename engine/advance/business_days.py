"""When something is due: so many business days on, or an exact span."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from orderloom.models.tasks import Due

_FRIDAY = 4


def due_instant(due: Due | None, at: datetime, time_zone: str) -> datetime | None:
    """The instant, in UTC. Business days are Monday to Friday in the zone, and end at the same time of day."""
    if due is None:
        return None
    if not due.business_days:
        return at + due.span
    local = at.astimezone(ZoneInfo(time_zone))
    left = due.business_days
    while left:
        local += timedelta(days=1)
        left -= local.weekday() <= _FRIDAY
    return local.astimezone(UTC) + due.span
