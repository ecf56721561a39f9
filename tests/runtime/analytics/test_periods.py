"""Hours, days, weeks and months of a time zone, over changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.runtime.analytics.periods import Period, periods

VIENNA = ZoneInfo("Europe/Vienna")


def test_days_are_those_of_the_zone_also_when_clocks_change() -> None:
    found = periods(Period.DAY, 3, datetime(2026, 3, 30, 10, tzinfo=UTC), VIENNA)
    assert [each.name for each in found] == ["2026-03-28", "2026-03-29", "2026-03-30"]
    assert found[0].start == datetime(2026, 3, 27, 23, tzinfo=UTC)
    assert [each.end - each.start for each in found] == [timedelta(hours=hours) for hours in (24, 23, 24)]
    autumn = periods(Period.DAY, 1, datetime(2026, 10, 25, 10, tzinfo=UTC), VIENNA)
    assert autumn[0].end - autumn[0].start == timedelta(hours=25)


def test_weeks_begin_on_monday_and_months_on_their_first() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert [each.name for each in periods(Period.WEEK, 2, now, VIENNA)] == ["2025-W52", "2026-W01"]
    months = periods(Period.MONTH, 3, now, VIENNA)
    assert [each.name for each in months] == ["2025-11", "2025-12", "2026-01"]
    assert months[-1].end == datetime(2026, 1, 31, 23, tzinfo=UTC)
    assert [each.name for each in periods(Period.HOUR, 2, now, VIENNA)] == ["2026-01-01 12:00", "2026-01-01 13:00"]


def test_a_zone_half_an_hour_off_begins_at_the_next_hour() -> None:
    (day,) = periods(Period.DAY, 1, datetime(2026, 1, 1, 12, tzinfo=UTC), ZoneInfo("Asia/Kolkata"))
    assert (day.start, day.end) == (datetime(2025, 12, 31, 19, tzinfo=UTC), datetime(2026, 1, 1, 19, tzinfo=UTC))


@given(
    period=st.sampled_from(Period),
    last=st.integers(1, 40),
    until=st.datetimes(datetime(2020, 1, 2), datetime(2040, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(("UTC", "Europe/Vienna", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu")),
)
def test_periods_follow_each_other_and_the_last_holds_the_instant(
    period: Period, last: int, until: datetime, zone: str
) -> None:
    found = periods(period, last, until, ZoneInfo(zone))
    assert len(found) == last
    assert all(one.end == other.start for one, other in pairwise(found))
    assert all(each.start <= each.end for each in found)
    assert all(each.start.minute == 0 for each in found)
    # but for what is left of an hour of UTC where the zone is not whole hours off
    assert found[-1].start - timedelta(hours=1) < until < found[-1].end


@pytest.mark.parametrize("period", Period)
def test_twice_as_many_hold_the_window_before(period: Period) -> None:
    now = datetime(2026, 5, 4, 3, tzinfo=UTC)
    assert periods(period, 8, now, VIENNA)[4:] == periods(period, 4, now, VIENNA)
