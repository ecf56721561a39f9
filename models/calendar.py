"""Business calendars: when people work, by time zone, hours of the week and holidays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

#: years for which holidays are resolved when a design is compiled, first and last; later years have none
HOLIDAY_YEARS = (2020, 2060)

#: minutes of a day
DAY = 24 * 60


@dataclass(frozen=True, slots=True, order=True)
class Hours:
    """From one local time of the day to another, in minutes since midnight; the end is not part of it."""

    opens: int
    closes: int


#: around the clock
WHOLE_DAY = (Hours(0, DAY),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Working time: local hours of each weekday, but for holidays."""

    name: str
    #: IANA name
    time_zone: str
    #: seven days from Monday on, each with its hours in order and without overlap; a day without any is free
    week: tuple[tuple[Hours, ...], ...]
    #: days off by their date, with their names
    holidays: Mapping[date, str] = field(default_factory=dict)


def weekdays(time_zone: str) -> Calendar:
    """Monday to Friday around the clock: the calendar of a design that names none."""
    return Calendar(name="", time_zone=time_zone, week=(WHOLE_DAY,) * 5 + ((),) * 2)
