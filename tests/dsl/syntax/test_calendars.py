"""Calendars and thresholds in `bundle.yaml`."""

from datetime import date

import pytest

from orderloom.dsl.bundle import Sources, read_files
from orderloom.dsl.calendars import calendars
from orderloom.dsl.compiler import compile_bundle
from orderloom.models.calendar import Hours
from orderloom.models.jeopardy import Thresholds

MANIFEST = "name: a\nversion: 1.0.0\ntime_zone: Europe/Berlin\n"


def read(text: str) -> Sources:
    found = read_files({"bundle.yaml": MANIFEST + text, "a.loom": "enum A { x }"})
    assert found.sources is not None, found.diagnostics
    return found.sources


def test_a_calendar_becomes_hours_of_the_week_and_dates() -> None:
    sources = read(
        'calendars:\n  office: {hours: {mon-thu: "08:00-12:00, 13:00-17:00", fri: "08:00-13:00"},'
        " holidays: {country: DE, region: BY, dates: [2026-12-24]}}\n"
        '  night: {time_zone: UTC, hours: {sun: "00:00-24:00"}}\ncalendar: office\njeopardy: {slack: 10}\n'
    )
    design = compile_bundle(sources).design
    assert design is not None
    office, night = design.calendars["office"], design.calendars["night"]
    assert office.week[:5] == ((Hours(480, 720), Hours(780, 1020)),) * 4 + ((Hours(480, 780),),)
    assert office.week[5:] == ((), ())
    assert (office.time_zone, night.time_zone, design.calendar) == ("Europe/Berlin", "UTC", "office")
    assert night.week[6] == (Hours(0, 1440),)
    assert design.jeopardy == Thresholds(slack=10, due=25)
    assert {date(2026, 12, 24), date(2026, 12, 25), date(2027, 5, 27)} <= set(office.holidays)
    assert date(2026, 3, 3) not in office.holidays


def test_a_region_has_its_own_holidays() -> None:
    days = {}
    for region in ("BY", "BE"):
        text = f'calendars: {{c: {{hours: {{mon: "08:00-17:00"}}, holidays: {{country: DE, region: {region}}}}}}}\n'
        days[region] = calendars(read(text).calendars, "UTC")["c"].holidays
    assert date(2026, 1, 6) in days["BY"]
    assert date(2026, 1, 6) not in days["BE"]


MISTAKES = [
    # text, line, column, message, help
    ('calendars: {c: {hours: {mon: "8-17"}}}\n', 4, 30, "`calendars.c.hours.mon`: hours are expected", ""),
    ('calendars: {c: {hours: {mon: "17:00-08:00"}}}\n', 4, 30, "hours end after they begin", ""),
    ('calendars: {c: {hours: {mon: "08:00-12:00, 11:00-13:00"}}}\n', 4, 30, "do not overlap", ""),
    ('calendars: {c: {hours: {mon: "08:00-25:00"}}}\n', 4, 30, "by 24:00", ""),
    ('calendars: {c: {hours: {monday: "08:00-17:00"}}}\n', 4, 25, "a day of the week is expected", ""),
    ('calendars: {c: {hours: {fri-mon: "08:00-17:00"}}}\n', 4, 25, "a day of the week is expected", ""),
    ('calendars: {c: {hours: {mon-fri: "08:00-17:00", fri: "08:00-12:00"}}}\n', 4, 16, "`fri` has hours twice", ""),
    ("calendars: {c: {hours: {}}}\n", 4, 24, "`calendars.c.hours`", ""),
    ("calendars: {c: {}}\n", 4, 16, "`calendars.c.hours` is missing", "add `hours: …`"),
    ('calendars: {c: {hours: {mon: "08:00-17:00"}, zone: UTC}}\n', 4, 46, "no field `calendars.c.zone`", "`time_zone`"),
    (
        'calendars: {c: {hours: {mon: "08:00-17:00"}, holidays: {country: XX}}}\n',
        4,
        56,
        "no holidays are known of `XX`",
        "",
    ),
    (
        'calendars: {c: {hours: {mon: "08:00-17:00"}, holidays: {country: DE, region: XX}}}\n',
        4,
        56,
        "`DE` has no region `XX`",
        "",
    ),
    (
        'calendars: {c: {hours: {mon: "08:00-17:00"}, holidays: {dates: [2026-02-30]}}}\n',
        4,
        64,
        "calendars.c.holidays.dates",
        "",
    ),
    ('calendars: {office: {hours: {mon: "08:00-17:00"}}}\ncalendar: ofice\n', 5, 11, "did you mean `office`?", ""),
    ("jeopardy: {slack: 101}\n", 4, 19, "`jeopardy.slack`", ""),
    ("jeopardy: {slak: 1}\n", 4, 12, "there is no field `jeopardy.slak`", "did you mean `slack`?"),
]


@pytest.mark.parametrize(("text", "line", "column", "message", "help"), MISTAKES, ids=[each[3] for each in MISTAKES])
def test_mistakes_name_their_place(text: str, line: int, column: int, message: str, help: str) -> None:
    (found,) = read_files({"bundle.yaml": MANIFEST + text, "a.loom": "enum A { x }"}).diagnostics
    assert (found.code, found.span.line, found.span.column) == ("LM0103", line, column)
    assert message in found.message
    assert help in found.help
