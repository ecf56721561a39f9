"""Hours, days, weeks and months of a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Period(StrEnum):
    HOUR = "hour"
    DAY = "day"
    #: from Monday
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Span:
    """One period: from `start` up to `end`, and its name."""

    name: str
    start: datetime
    end: datetime


def periods(period: Period, last: int, until: datetime, zone: ZoneInfo) -> list[Span]:
    """The last so many, the one that holds `until` included; instants are in UTC.

    Facts are kept by hours of UTC: where the zone is half an hour off, a period begins at the next full hour of UTC.
    """
    starts = [_start(period, until.astimezone(zone).replace(tzinfo=None))]
    for _ in range(last - 1):
        starts.append(_start(period, starts[-1] - _A_BIT))
    starts.reverse()
    end = _start(period, starts[-1] + _ENOUGH[period])
    edges = [_instant(each, zone) for each in (*starts, end)]
    return [
        Span(_name(period, start), first, after) for start, first, after in zip(starts, edges, edges[1:], strict=False)
    ]


#: leads from the start of a period into the former one, and into the next one
_A_BIT = timedelta(minutes=1)
_ENOUGH = {
    Period.HOUR: timedelta(minutes=60),
    Period.DAY: timedelta(hours=24),
    Period.WEEK: timedelta(days=7),
    Period.MONTH: timedelta(days=31),
}


def _start(period: Period, local: datetime) -> datetime:
    hour = local.replace(minute=0, second=0, microsecond=0)
    if period is Period.HOUR:
        return hour
    day = hour.replace(hour=0)
    if period is Period.DAY:
        return day
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1)


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    over = instant.replace(minute=0, second=0, microsecond=0)
    return instant if over == instant else over + timedelta(hours=1)


def _name(period: Period, local: datetime) -> str:
    match period:
        case Period.HOUR:
            return local.strftime("%Y-%m-%d %H:00")
        case Period.DAY:
            return local.strftime("%Y-%m-%d")
        case Period.WEEK:
            return local.strftime("%G-W%V")
    return local.strftime("%Y-%m")
