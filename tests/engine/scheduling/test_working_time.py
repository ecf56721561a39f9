"""Working time against a count minute by minute, over changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.engine.scheduling.working_time import WorkingTime
from orderloom.models.calendar import Calendar, Hours, weekdays

MINUTE = timedelta(minutes=1)
#: zones with a change of half an hour, at midnight, of a whole day, and none
CHANGES = {
    "Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    "America/Santiago": (datetime(2026, 4, 5, 3, tzinfo=UTC), datetime(2026, 9, 6, 4, tzinfo=UTC)),
    "Pacific/Apia": (datetime(2011, 12, 30, 10, tzinfo=UTC),),
    "UTC": (datetime(2026, 3, 29, 1, tzinfo=UTC),),
}


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    """A calendar, and an instant at which its zone changes the clock."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    change = draw(st.sampled_from(CHANGES[zone]))
    week = tuple(tuple(_hours(draw)) for _ in range(7))
    if not any(week):
        week = (*week[:6], (Hours(0, 180),))
    off = draw(st.sets(st.integers(-3, 3), max_size=2))
    day = change.astimezone(ZoneInfo(zone)).date()
    holidays = {day + timedelta(days=n): "closed" for n in off}
    return Calendar(name="c", time_zone=zone, week=week, holidays=holidays), change


def _hours(draw: st.DrawFn) -> list[Hours]:
    bounds = sorted(draw(st.sets(st.integers(0, 24 * 6), max_size=4)))
    return [Hours(opens * 10, closes * 10) for opens, closes in zip(bounds[::2], bounds[1::2], strict=False)]


offsets = st.integers(-2 * 24 * 60, 2 * 24 * 60).map(lambda minutes: minutes * MINUTE)
spans = st.integers(0, 40 * 60).map(lambda minutes: minutes * MINUTE)


def works(calendar: Calendar, at: datetime) -> bool:
    """The definition: a minute is working time if its local time of day is within the hours of its local day."""
    local = at.astimezone(ZoneInfo(calendar.time_zone))
    minute = local.hour * 60 + local.minute
    hours = calendar.week[local.weekday()]
    return local.date() not in calendar.holidays and any(each.opens <= minute < each.closes for each in hours)


def counted(calendar: Calendar, at: datetime, minutes: int) -> datetime:
    while minutes:
        minutes -= works(calendar, at)
        at += MINUTE
    return at


@given(calendars(), offsets, spans)
def test_adding_agrees_with_a_count_minute_by_minute(
    given: tuple[Calendar, datetime], offset: timedelta, span: timedelta
) -> None:
    calendar, change = given
    at = change + offset
    span = min(span, 6 * 60 * MINUTE)
    assert WorkingTime(calendar).is_working(at) is works(calendar, at)
    assert WorkingTime(calendar).add(at, span) == counted(calendar, at, span // MINUTE)


@given(calendars(), offsets, spans)
def test_taking_away_undoes_adding_on_working_instants(
    given: tuple[Calendar, datetime], offset: timedelta, span: timedelta
) -> None:
    calendar, change = given
    working = WorkingTime(calendar)
    at = working.add(change + offset, MINUTE) - MINUTE
    assert working.is_working(at)
    assert working.subtract(working.add(at, span), span) == at
    end = working.subtract(at + MINUTE, MINUTE) + MINUTE
    assert working.add(working.subtract(end, span), span) == end


@given(calendars(), offsets, offsets, spans, st.integers(0, 9))
def test_a_later_start_never_ends_earlier(
    given: tuple[Calendar, datetime], one: timedelta, other: timedelta, span: timedelta, days: int
) -> None:
    calendar, change = given
    working = WorkingTime(calendar)
    first, second = sorted((change + one, change + other))
    for move in (working.add, working.subtract):
        assert move(first, span) <= move(second, span)
    for step in (working.add_days, working.subtract_days):
        assert step(first, days) <= step(second, days)


@given(calendars(), offsets, offsets, st.integers(1, 9))
def test_taking_days_away_gives_the_latest_start_that_ends_in_time(
    given: tuple[Calendar, datetime], one: timedelta, other: timedelta, days: int
) -> None:
    calendar, change = given
    working = WorkingTime(calendar)
    end, start = change + one, change + other
    latest = working.subtract_days(end, days)
    assert working.add_days(latest, days) <= end
    assert (working.add_days(start, days) <= end) == (start <= latest)


def test_a_day_that_closes_at_midnight_ends_with_its_date() -> None:
    sundays = WorkingTime(Calendar(name="c", time_zone="UTC", week=((),) * 6 + ((Hours(120, 1440),),), holidays={}))
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert sundays.subtract_days(midnight, 1) == midnight - timedelta(weeks=1)
    assert sundays.add_days(midnight - timedelta(weeks=1), 1) == midnight


def test_business_days_end_at_the_same_time_of_day() -> None:
    berlin = WorkingTime(weekdays("Europe/Berlin"))
    friday = datetime(2026, 3, 27, 12, tzinfo=UTC)
    assert berlin.add_days(friday, 2) == datetime(2026, 3, 31, 11, tzinfo=UTC)


def test_days_count_from_the_next_opening_and_end_no_later_than_the_closing() -> None:
    week = ((Hours(480, 1020),),) * 4 + ((Hours(480, 780),), (), ())
    office = WorkingTime(
        Calendar(name="office", time_zone="UTC", week=week, holidays={date(2026, 3, 4): "town holiday"})
    )
    sunday = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert office.add_days(sunday, 1) == datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert office.add_days(datetime(2026, 3, 3, 16, tzinfo=UTC), 1) == datetime(2026, 3, 5, 16, tzinfo=UTC)
    assert office.add_days(datetime(2026, 3, 5, 16, tzinfo=UTC), 1) == datetime(2026, 3, 6, 13, tzinfo=UTC)


def test_a_night_shift_is_an_hour_shorter_when_clocks_go_forward() -> None:
    night = WorkingTime(Calendar(name="night", time_zone="Europe/Berlin", week=((Hours(0, 360),),) * 7))
    midnight = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert night.add(midnight, timedelta(hours=5)) == datetime(2026, 3, 29, 4, tzinfo=UTC)
    assert night.add(midnight, timedelta(hours=6)) == datetime(2026, 3, 29, 23, tzinfo=UTC)


def test_a_calendar_without_hours_is_refused() -> None:
    with pytest.raises(ValueError, match="no working hours"):
        WorkingTime(Calendar(name="never", time_zone="UTC", week=((),) * 7))
