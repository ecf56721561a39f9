"""Calendars in `bundle.yaml`: hours of the week and holidays, resolved into plain dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

import holidays
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, model_validator

from orderloom.dsl.suggestions import nearest
from orderloom.models.calendar import DAY, HOLIDAY_YEARS, Calendar, Hours
from orderloom.models.jeopardy import Thresholds

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)")
_DAYS = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("the name of a time zone is expected, like `Europe/Vienna`") from error
    return name


def _hours(text: str) -> str:
    spans = list(_parsed(text))
    if any(not opens < closes <= DAY for opens, closes in spans):
        raise ValueError("hours end after they begin, and by 24:00")
    if any(first[1] > second[0] for first, second in pairwise(spans)):
        raise ValueError("hours of a day stand in their order and do not overlap")
    return text


def _parsed(text: str) -> list[tuple[int, int]]:
    found = [_HOURS.fullmatch(part.strip()) for part in text.split(",")]
    spans = [tuple(map(int, each.groups())) for each in found if each]
    if len(spans) < len(found) or any(minute > 59 for span in spans for minute in span[1::2]):
        raise ValueError('hours are expected, like `"08:00-17:00"` or `"08:00-12:00, 13:00-17:00"`')
    return [(span[0] * 60 + span[1], span[2] * 60 + span[3]) for span in spans]


def _days(text: str) -> str:
    found = _DAYS.fullmatch(text)
    named = [day for day in (found.groups() if found else ("",)) if day is not None]
    if any(day not in WEEK for day in named) or WEEK.index(named[0]) > WEEK.index(named[-1]):
        raise ValueError("a day of the week is expected, like `mon`, or several, like `mon-fri`")
    return text


def _date(text: object) -> object:
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        raise ValueError("a date is expected, like `2026-12-24`")
    return text


class Holidays(BaseModel):
    """`{country: DE, region: BY, dates: [2026-12-24]}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: ISO 3166-1 alpha-2
    country: StrictStr = ""
    #: ISO 3166-2 without the country
    region: StrictStr = ""
    #: days off beside those of the country
    dates: tuple[Annotated[date, BeforeValidator(_date)], ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Holidays:
        if self.region and not self.country:
            raise ValueError("a region needs its `country`")
        if not self.country:
            return self
        countries = holidays.list_supported_countries(include_aliases=False)
        if self.country not in countries:
            near = nearest(self.country, countries)
            raise ValueError(
                f"no holidays are known of `{self.country}`" + (f"; did you mean `{near}`?" if near else "")
            )
        regions = countries[self.country]
        if self.region and self.region not in regions:
            known = ", ".join(f"`{region}`" for region in regions) or "none"
            raise ValueError(f"`{self.country}` has no region `{self.region}`, only {known}")
        return self


class CalendarDeclaration(BaseModel):
    """One calendar."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: that of the bundle, where it names none
    time_zone: Annotated[StrictStr, AfterValidator(zone)] | None = None
    #: days of the week → hours; days that are not named are free
    hours: Annotated[
        dict[Annotated[StrictStr, AfterValidator(_days)], Annotated[StrictStr, AfterValidator(_hours)]],
        Field(min_length=1),
    ]
    holidays: Holidays = Holidays()

    @model_validator(mode="after")
    def _each_day_once(self) -> CalendarDeclaration:
        days = [day for days in self.hours for day in _expanded(days)]
        twice = next((WEEK[day] for day in days if days.count(day) > 1), None)
        if twice:
            raise ValueError(f"`{twice}` has hours twice")
        return self


class JeopardyDeclaration(BaseModel):
    """When tasks, lines and orders turn yellow, in percent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: of the time from the start of a task to the end of its order
    slack: Annotated[int, Field(strict=True, ge=0, le=100)] = Thresholds().slack
    #: of the time that there was for a piece of work
    due: Annotated[int, Field(strict=True, ge=0, le=100)] = Thresholds().due

    def thresholds(self) -> Thresholds:
        return Thresholds(slack=self.slack, due=self.due)


def calendars(declared: Mapping[str, CalendarDeclaration], time_zone: str) -> dict[str, Calendar]:
    """The calendars with their holidays as dates; the same declaration gives the same dates."""
    return {name: _calendar(name, each, time_zone) for name, each in declared.items()}


def _calendar(name: str, declared: CalendarDeclaration, time_zone: str) -> Calendar:
    week: list[tuple[Hours, ...]] = [()] * len(WEEK)
    for days, hours in declared.hours.items():
        for day in _expanded(days):
            week[day] = tuple(Hours(opens, closes) for opens, closes in _parsed(hours))
    off = dict.fromkeys(declared.holidays.dates, "named in the calendar")
    country = declared.holidays.country
    if country:
        first, last = HOLIDAY_YEARS
        subdivision = declared.holidays.region or None
        found = holidays.country_holidays(country, subdiv=subdivision, years=range(first, last + 1), language=None)
        off = {**found, **off}
    return Calendar(
        name=name,
        time_zone=declared.time_zone or time_zone,
        week=tuple(week),
        holidays=dict(sorted(off.items())),
    )


def _expanded(days: str) -> range:
    first, _, last = days.partition("-")
    return range(WEEK.index(first), WEEK.index(last or first) + 1)
