"""Clocks of work with pauses against a count minute by minute, over changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.engine.scheduling import Pause, Promise, Terms, left, moments
from orderloom.models.calendar import Calendar, weekdays
from orderloom.models.design import Design
from orderloom.models.tasks import Due, Escalation
from tests.engine.scheduling.test_working_time import MINUTE, calendars, offsets, works

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 6, 1, 8, tzinfo=UTC)


def terms(*calendars: Calendar) -> Terms:
    return Terms(
        Design(
            name="d",
            version="1.0.0",
            digest="",
            enums={},
            specs={},
            rules=(),
            tables={},
            rejections=(),
            plans={},
            queues={},
            connectors={},
            operations={},
            settings={},
            calendars={each.name: each for each in calendars},
        )
    )


@st.composite
def pauses(draw: st.DrawFn, start: datetime) -> list[Pause]:
    bounds = sorted(draw(st.lists(st.integers(0, 60 * 24 * 3), max_size=4)))
    return [
        Pause(begins=start + begins * MINUTE, ends=start + ends * MINUTE)
        for begins, ends in zip(bounds[::2], bounds[1::2], strict=False)
    ]


@given(calendars(), offsets, st.integers(1, 600), st.integers(1, 99), st.data())
def test_as_much_time_passes_as_was_given_whatever_the_pauses(
    found: tuple[Calendar, datetime], offset: timedelta, minutes: int, share: int, data: st.DataObject
) -> None:
    calendar, change = found
    start = change + offset
    stops = data.draw(pauses(start))
    promise = Promise(term=Due(business_time=minutes * MINUTE, calendar="c"), warn_at=share)
    when = moments(terms(calendar), promise, start, stops)
    assert when.due is not None and when.warned is not None

    def counted(until: datetime) -> int:
        at, total = start, 0
        while at < until:
            stopped = any(pause.begins <= at < (pause.ends or until) for pause in stops if pause.begins < until)
            total += works(calendar, at) and not stopped
            at += MINUTE
        return total

    assert counted(when.due) == minutes
    assert counted(when.warned) in (minutes * share // 100, minutes * share // 100 + 1)
    assert start <= when.warned <= when.due
    between = max(stops[0].begins, start) if stops else start
    if between < when.due:
        assert left(terms(calendar), promise, start, stops[1:], between) >= timedelta(0)


@given(st.integers(0, 600), st.integers(0, 600), st.integers(1, 300))
def test_an_exact_term_is_put_off_by_all_of_a_pause(begins: int, length: int, minutes: int) -> None:
    promise = Promise(term=Due(span=minutes * MINUTE))
    pause = Pause(begins=MONDAY + begins * MINUTE, ends=MONDAY + (begins + length) * MINUTE)
    when = moments(terms(), promise, MONDAY, [pause])
    assert when.due == MONDAY + (minutes + (length if begins < minutes else 0)) * MINUTE


def test_while_a_pause_lasts_there_is_no_due_time_and_what_is_left_stays() -> None:
    promise = Promise(term=Due(span=4 * HOUR), warn_at=75)
    stops = [Pause(begins=MONDAY + HOUR)]
    when = moments(terms(), promise, MONDAY, stops)
    assert (when.warned, when.due, when.steps) == (None, None, ())
    assert left(terms(), promise, MONDAY, stops, MONDAY + 9 * HOUR) == 3 * HOUR


def test_what_was_late_before_a_pause_stays_late() -> None:
    promise = Promise(term=Due(span=HOUR), escalations=(Escalation(queue="leads", after=Due(span=2 * HOUR)),))
    stops = [Pause(begins=MONDAY + 2 * HOUR, ends=MONDAY + 5 * HOUR)]
    when = moments(terms(), promise, MONDAY, stops)
    assert when.due == MONDAY + HOUR
    assert when.steps == ((MONDAY + 6 * HOUR, "leads"),)
    assert left(terms(), promise, MONDAY, stops, MONDAY + 3 * HOUR) == -2 * HOUR


def test_steps_come_in_the_order_of_their_instants_from_when_it_was_late() -> None:
    late = MONDAY + 5 * HOUR
    promise = Promise(
        term=Due(span=HOUR),
        escalations=(
            Escalation(queue="chief", after=Due(business_time=2 * HOUR, calendar="")),
            Escalation(queue="leads", after=Due(span=timedelta(0))),
        ),
    )
    when = moments(terms(weekdays("UTC")), promise, MONDAY, [], breached=late)
    assert when.steps == ((late, "leads"), (late + 2 * HOUR, "chief"))


def test_a_pause_over_no_working_time_moves_nothing() -> None:
    # given until the opening of Monday, stopped for an hour on Sunday
    office = weekdays("UTC")
    promise = Promise(term=Due(business_days=1))
    sunday = datetime(2026, 6, 7, 10, tzinfo=UTC)
    given_until = terms(office).after(datetime(2026, 5, 31, tzinfo=UTC), promise.term)
    assert moments(terms(office), promise, datetime(2026, 5, 31, tzinfo=UTC), []).due == given_until
    promise = Promise(term=Due(business_days=5))
    stops = [Pause(begins=sunday, ends=sunday + HOUR)]
    assert moments(terms(office), promise, MONDAY, stops).due == datetime(2026, 6, 8, 8, tzinfo=UTC)


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25), (6, 14, 24)])
def test_a_day_that_changes_the_clock_gives_the_hours_it_has(month: int, day: int, hours: int) -> None:
    always = Calendar(name="", time_zone="Europe/Berlin", week=weekdays("UTC").week[:5] + weekdays("UTC").week[:2])
    start = datetime(2026, month, day, tzinfo=UTC) - timedelta(hours=1 if 3 < month < 11 else 0)
    when = moments(terms(always), Promise(term=Due(business_days=1), warn_at=50), start, [])
    assert when.due == start + hours * HOUR
    assert when.warned == start + hours * HOUR / 2
