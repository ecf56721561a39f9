"""Terms as designs state them, `2 business days in office` or `4h`, reckoned on the calendars of a program."""

from __future__ import annotations

from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from orderloom.engine.program import Program
from orderloom.engine.scheduling.working_time import EARLIEST, FARTHEST, WorkingTime
from orderloom.models.calendar import weekdays
from orderloom.models.tasks import Due

_ZERO = timedelta(0)


class Terms:
    """The calendars of one program, ready to count with."""

    def __init__(self, program: Program) -> None:
        design = program.design
        self._calendars = {name: WorkingTime(calendar) for name, calendar in design.calendars.items()}
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
        known = _KNOWN[program] = Terms(program)
    return known
