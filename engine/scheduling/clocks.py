"""The clock of a piece of work: when people are warned, when it is late, where it goes then; pauses stop it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orderloom.engine.scheduling.terms import Terms
from orderloom.models.tasks import Due, Escalation


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """From one instant to another the clock stood still."""

    begins: datetime
    #: None: it still does
    ends: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """In what time work is to be done, and what happens if it is not."""

    term: Due
    #: in percent of that time; 0 for no warning
    warn_at: int = 0
    escalations: tuple[Escalation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """When it is what, if nothing happens; None for not while the clock stands."""

    warned: datetime | None
    due: datetime | None
    #: in the order of their instants
    steps: tuple[tuple[datetime, str], ...]


def moments(
    terms: Terms, promise: Promise, start: datetime, pauses: Sequence[Pause], breached: datetime | None = None
) -> Moments:
    """The moments of work whose time began at `start`; `pauses` in their order, without overlap.

    `breached` is when it was late, if it has been: that stays, whatever becomes of calendars and pauses.
    """
    term = promise.term
    given = terms.after(start, term)
    share = terms.elapsed(start, given, term) * promise.warn_at / 100
    warned = moved(terms, term, terms.onward(start, share, term), pauses) if promise.warn_at else None
    due = moved(terms, term, given, pauses)
    late = breached or due
    steps: list[tuple[datetime, str]] = []
    if late is not None:
        since = [pause for pause in pauses if pause.begins >= late]
        for each in promise.escalations:
            instant = moved(terms, each.after, terms.after(late, each.after), since)
            if instant is not None:
                steps.append((instant, each.queue))
    return Moments(warned=warned, due=due, steps=tuple(sorted(steps, key=lambda step: step[0])))


def moved(terms: Terms, term: Due, at: datetime, pauses: Sequence[Pause]) -> datetime | None:
    """An instant put off by the pauses that begin before it; None where one of them has not ended.

    After a pause as much time is left as was left before it, counted as the term is.
    """
    for pause in pauses:
        if pause.begins >= at:
            break
        if pause.ends is None:
            return None
        if pause.ends > pause.begins:
            left = terms.elapsed(pause.begins, at, term)
            # what falls on an opening is not to come before it
            at = max(at, terms.onward(pause.ends, left, term))
    return at


def left(terms: Terms, promise: Promise, start: datetime, pauses: Sequence[Pause], at: datetime) -> timedelta:
    """How much time there is still, counted as the term is; negative once it is late."""
    stopped = next((pause.begins for pause in pauses if pause.ends is None), at)
    ended = [pause for pause in pauses if pause.ends is not None]
    at = min(at, stopped)
    due = moved(terms, promise.term, terms.after(start, promise.term), ended) or at
    if due < at:
        return -terms.elapsed(due, at, promise.term)
    return terms.elapsed(at, due, promise.term)
