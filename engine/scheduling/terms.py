"""Terms as designs state them, `2 business days in office` or `4h`, reckoned on the calendars of a program."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from orderloom.engine.program import Program
from orderloom.engine.scheduling.working_time import EARLIEST, FARTHEST, WorkingTime
from orderloom.models.calendar import Calendar, weekdays
from orderloom.models.design import Design
from orderloom.models.tasks import Due

_ZERO = timedelta(0)


class Terms:
    """The calendars of one design, ready to count with."""

    def __init__(self, design: Design, instead: Mapping[str, Calendar] | None = None) -> None:
        """`instead`: calendars that count in place of the design's own of the same name."""
        calendars = {**design.calendars, **(instead or {})}
        self._calendars = {name: WorkingTime(calendar) for name, calendar in calendars.items()}
        if design.calendar not in self._calendars:
            self._calendars[design.calendar] = WorkingTime(weekdays(design.time_zone))
        self._default = design.calendar

    def calendar(self, name: str = "") -> WorkingTime:
        """A calendar of the design; the default for "" """
        return self._calendars[name or self._default]

    def after(self, start: datetime, term: Due) -> datetime:
        """When a term that starts at this instant has passed."""
        if term.business_days:
            return self.calendar(term.calendar).add_days(start, term.business_days)
        if term.business_time:
            return self.calendar(term.calendar).add(start, term.business_time)
        return later(start, term.span)

    def before(self, end: datetime, term: Due) -> datetime:
        """The latest instant from which the term has passed by `end`."""
        if term.business_days:
            return self.calendar(term.calendar).subtract_days(end, term.business_days)
        if term.business_time:
            return self.calendar(term.calendar).subtract(end, term.business_time)
        return earlier(end, term.span)

    def elapsed(self, start: datetime, end: datetime, term: Due) -> timedelta:
        """How much time passes between two instants, counted as the term is: working time, or all time."""
        if term.business_days or term.business_time:
            return self.calendar(term.calendar).between(start, end)
        return max(end - start, timedelta(0))

    def onward(self, start: datetime, span: timedelta, term: Due) -> datetime:
        """When so much time, counted as the term is, has passed."""
        if term.business_days or term.business_time:
            return self.calendar(term.calendar).add(start, span)
        return later(start, span)


def later(at: datetime, span: timedelta) -> datetime:
    """`at + span`, but never past what can be scheduled."""
    return at + span if span < FARTHEST - at else max(FARTHEST, at)


def earlier(at: datetime, span: timedelta) -> datetime:
    """`at - span`, but never before what can be scheduled."""
    return at - span if span < at - EARLIEST else min(EARLIEST, at)


_KNOWN: WeakKeyDictionary[Program, Terms] = WeakKeyDictionary()


def terms_of(program: Program) -> Terms:
    """The terms of the program, made when first asked for."""
    known = _KNOWN.get(program)
    if known is None:
        known = _KNOWN[program] = Terms(program.design)
    return known
