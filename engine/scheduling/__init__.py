"""When things happen: calendars, durations, earliest and latest times, the critical path, jeopardy."""

from orderloom.engine.scheduling.clocks import Moments, Pause, Promise, left, moments
from orderloom.engine.scheduling.schedule import Schedule, ScheduledLine, ScheduledTask, schedule
from orderloom.engine.scheduling.terms import Terms, terms_of
from orderloom.engine.scheduling.working_time import WorkingTime

__all__ = [
    "Moments",
    "Pause",
    "Promise",
    "Schedule",
    "ScheduledLine",
    "ScheduledTask",
    "Terms",
    "WorkingTime",
    "left",
    "moments",
    "schedule",
    "terms_of",
]
