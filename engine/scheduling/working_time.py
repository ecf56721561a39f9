"""Working time of a calendar, counted in elapsed time: what a change of the clock takes from a night shift is missing.

All instants are in UTC. An instant outside working time stands for the next opening where time is added, and for the
last closing where it is taken away.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from orderloom.models.calendar import Calendar, Hours

#: nothing is scheduled later or earlier, so that no sum leaves what dates can hold
FARTHEST = datetime(9000, 1, 1, tzinfo=UTC)
EARLIEST = datetime(1000, 1, 1, tzinfo=UTC)

_SECOND = timedelta(seconds=1)
_ONE_DAY = timedelta(days=1)

#: working time from one instant to another, the end not part of it
Shift = tuple[datetime, datetime]


class WorkingTime:
    """A calendar ready to count with."""

    def __init__(self, calendar: Calendar) -> None:
        self._zone = ZoneInfo(calendar.time_zone)
        self._week = calendar.week
        self._holidays = calendar.holidays
        self._days: dict[date, tuple[Shift, ...]] = {}
        if not any(calendar.week):
            raise ValueError(f"calendar `{calendar.name}` has no working hours")

    def shifts(self, day: date) -> tuple[Shift, ...]:
        """Working time of a local day, in its order; empty on a day off."""
        found = self._days.get(day)
        if found is None:
            hours = () if day in self._holidays else self._week[day.weekday()]
            found = self._days[day] = tuple(_shifts(day, hours, self._zone)) if hours else ()
        return found

    def is_working(self, at: datetime) -> bool:
        return any(opens <= at < closes for opens, closes in self.shifts(self._day(at)))

    def add(self, at: datetime, span: timedelta) -> datetime:
        """The instant when so much working time has passed; for no time at all `at` itself."""
        if span <= timedelta(0):
            return at
        for opens, closes in self._from(at):
            begins = max(opens, at)
            if closes - begins >= span:
                return begins + span
            span -= closes - begins
        return FARTHEST

    def subtract(self, at: datetime, span: timedelta) -> datetime:
        """The latest instant from which so much working time passes until `at`; for no time at all `at` itself."""
        if span <= timedelta(0):
            return at
        for opens, closes in self._back_from(at):
            ends = min(closes, at)
            if ends - opens >= span:
                return ends - span
            span -= ends - opens
        return EARLIEST

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much working time passes from one instant to a later one; none to an earlier one."""
        found = timedelta(0)
        for opens, closes in self._from(start):
            if opens >= end:
                break
            found += min(closes, end) - max(opens, start)
        return found

    def add_days(self, at: datetime, days: int) -> datetime:
        """So many working days on, as long after that day's opening, and no later than its closing."""
        if days <= 0:
            return at
        day, into = self._place(at)
        for _ in range(days):
            following = self._next(day + _ONE_DAY)
            if following is None:
                return FARTHEST
            day = following
        opens, closes = self._span(day)
        return min(opens + into, closes)

    def subtract_days(self, at: datetime, days: int) -> datetime:
        """The latest instant from which so many working days lead no further than `at`."""
        if days <= 0:
            return at
        day: date | None = self._previous(self._day(at))
        if day is not None and self._span(day)[0] > at:
            day = self._previous(day - _ONE_DAY)
        if day is None:
            return EARLIEST
        opens, closes = self._span(day)
        whole, into = at >= closes, at - opens
        for _ in range(days):
            day = self._previous(day - _ONE_DAY)
            if day is None:
                return EARLIEST
        opens, closes = self._span(day)
        return closes if whole else min(opens + into, closes)

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()

    def _place(self, at: datetime) -> tuple[date, timedelta]:
        """The working day of an instant and the time since its opening; for one in free time, the next opening."""
        # the day before too: one that closes at midnight ends where the next date begins
        day = self._next(self._day(at) - _ONE_DAY)
        while day is not None and self._span(day)[1] < at:
            day = self._next(day + _ONE_DAY)
        if day is None:
            return FARTHEST.date(), timedelta(0)
        return day, max(at - self._span(day)[0], timedelta(0))

    def _span(self, day: date) -> Shift:
        """From the opening of a working day to its closing, breaks among it."""
        shifts = self.shifts(day)
        return shifts[0][0], shifts[-1][1]

    def _next(self, day: date) -> date | None:
        """The day or the first working day after it."""
        while not self.shifts(day):
            day += _ONE_DAY
            if day >= FARTHEST.date():
                return None
        return day if day < FARTHEST.date() else None

    def _previous(self, day: date) -> date | None:
        """The day or the last working day before it."""
        while not self.shifts(day):
            day -= _ONE_DAY
            if day <= EARLIEST.date():
                return None
        return day if day > EARLIEST.date() else None

    def _from(self, at: datetime) -> Iterator[Shift]:
        """Working time that is not over at an instant, in its order."""
        day = self._next(self._day(at))
        while day is not None:
            yield from (shift for shift in self.shifts(day) if shift[1] > at)
            day = self._next(day + _ONE_DAY)

    def _back_from(self, at: datetime) -> Iterator[Shift]:
        day = self._previous(self._day(at))
        while day is not None:
            yield from (shift for shift in reversed(self.shifts(day)) if shift[0] < at)
            day = self._previous(day - _ONE_DAY)


def _shifts(day: date, hours: tuple[Hours, ...], zone: ZoneInfo) -> Iterator[Shift]:
    """Each stretch of time whose local time of day is within the hours."""
    midnight = datetime.combine(day, time())
    before = _offset(midnight, zone, 0)
    after = _offset(midnight + _ONE_DAY, zone, 1)
    if before == after:
        spans = [_at(midnight, each, before) for each in hours]
    else:
        change = _change(midnight, before, after, zone)
        earlier = [(opens, min(closes, change)) for opens, closes in (_at(midnight, each, before) for each in hours)]
        later = [(max(opens, change), closes) for opens, closes in (_at(midnight, each, after) for each in hours)]
        spans = [span for span in earlier + later if span[0] < span[1]]
    merged: Shift | None = None
    for opens, closes in sorted(spans):
        if merged is not None and opens <= merged[1]:
            merged = (merged[0], max(merged[1], closes))
            continue
        if merged is not None:
            yield merged
        merged = (opens, closes)
    if merged is not None:
        yield merged


def _at(midnight: datetime, hours: Hours, offset: timedelta) -> Shift:
    start = midnight.replace(tzinfo=UTC) - offset
    return start + timedelta(minutes=hours.opens), start + timedelta(minutes=hours.closes)


def _offset(local: datetime, zone: ZoneInfo, fold: int) -> timedelta:
    return local.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta(0)


def _change(midnight: datetime, before: timedelta, after: timedelta, zone: ZoneInfo) -> datetime:
    """When the zone's clock is changed on a day that begins and ends with different offsets, to the second."""
    start = midnight.replace(tzinfo=UTC) - max(before, after) - _SECOND
    seconds = range(int((_ONE_DAY + abs(after - before) + 2 * _SECOND) / _SECOND))

    def has_changed(second: int) -> bool:
        return (start + second * _SECOND).astimezone(zone).utcoffset() != before

    return start + bisect_right(seconds, False, key=has_changed) * _SECOND
