"""One clock as a row, its moments by its pauses, and what it has told."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Protocol

from orderloom.engine.scheduling import Moments, Pause, Promise, Terms, moments
from orderloom.models.plan import OrderState
from orderloom.models.tasks import AssignRule, Due
from orderloom.runtime.store.calendars import Standing
from orderloom.runtime.store.codec import dumps, instant, loads, maybe_instant, micros

_FIELDS = (
    "work, order_id, bundle, design, queue, place, term, started_at, warn_at, due, next_at, stage, step, breached_at, "
    "paused_at, outdated, ended_at"
)
#: of the table `clocks c`, and how many there are
CLOCK_COLUMNS = ", ".join(f"c.{name}" for name in _FIELDS.split(", "))
CLOCK_FIELDS = len(_FIELDS.split(", "))
#: place of `started_at` among them
STARTED = 7
SELECT = f"SELECT {_FIELDS} FROM clocks"
_PUT = f"INSERT OR REPLACE INTO clocks ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Stage(IntEnum):
    """What people know of it."""

    RUNNING = 0
    WARNED = 1
    BREACHED = 2


class Reckoning(Protocol):
    """What clocks are reckoned with, see `runtime.sla.reckoning`. Designs go by digest."""

    def task_term(self, design: str, definition: str) -> Due | None: ...

    def queue_term(self, design: str, queue: str) -> Due | None: ...

    def promise(self, design: str, queue: str, term: Due) -> Promise: ...

    def terms(self, design: str, standing: Standing) -> Terms: ...

    def rule(self, design: str, state: OrderState | None, task: str, queue: str) -> AssignRule: ...


@dataclass(slots=True, kw_only=True)
class Clock:
    """The clock of one work item; changed in place and then written whole."""

    work: int
    order: str
    bundle: str
    design: str
    #: whose `warn at` and `escalate to` count
    queue: str
    #: in which the item was last seen
    place: str
    term: Due
    #: since when it is in that queue, or open
    started_at: datetime
    #: None while it stands, or for no warning
    warn_at: datetime | None = None
    #: None while it stands
    due: datetime | None = None
    #: when there is something to tell; None for nothing
    next_at: datetime | None = None
    stage: Stage = Stage.RUNNING
    #: how many queues it has gone to since the breach
    step: int = 0
    breached_at: datetime | None = None
    paused_at: datetime | None = None
    outdated: bool = False
    ended_at: datetime | None = None


def bundle_of(task: str) -> str:
    """Whose rule has opened an item of no order; its task is `watch:BUNDLE.RULE`."""
    return task.removeprefix("watch:").partition(".")[0]


def find(connection: sqlite3.Connection, work: int) -> Clock | None:
    row = connection.execute(f"{SELECT} WHERE work = ?", (work,)).fetchone()
    return None if row is None else clock_of(row)


def put(writer: sqlite3.Connection, clock: Clock) -> None:
    writer.execute(
        _PUT,
        (
            clock.work,
            clock.order,
            clock.bundle,
            clock.design,
            clock.queue,
            clock.place,
            term_bytes(clock.term),
            micros(clock.started_at),
            micros(clock.warn_at),
            micros(clock.due),
            micros(clock.next_at),
            int(clock.stage),
            clock.step,
            micros(clock.breached_at),
            micros(clock.paused_at),
            int(clock.outdated),
            micros(clock.ended_at),
        ),
    )


def clock_of(row: Any) -> Clock:
    """A clock from a row of `SELECT`."""
    return Clock(
        work=row[0],
        order=row[1],
        bundle=row[2],
        design=row[3],
        queue=row[4],
        place=row[5],
        term=term_from(row[6]),
        started_at=instant(row[7]),
        warn_at=maybe_instant(row[8]),
        due=maybe_instant(row[9]),
        next_at=maybe_instant(row[10]),
        stage=Stage(row[11]),
        step=row[12],
        breached_at=maybe_instant(row[13]),
        paused_at=maybe_instant(row[14]),
        outdated=bool(row[15]),
        ended_at=maybe_instant(row[16]),
    )


def term_bytes(term: Due) -> bytes:
    return dumps([term.business_days, term.business_time, term.span, term.calendar])


def term_from(data: bytes) -> Due:
    days, time, span, calendar = loads(data)
    return Due(business_days=days, business_time=_span(time), span=_span(span), calendar=calendar)


def _span(packed: dict[str, list[int]]) -> timedelta:
    return timedelta(*packed["s"])


def pauses_of(connection: sqlite3.Connection, work: int, since: datetime) -> list[Pause]:
    """In their order; what was before that instant is left out."""
    rows = connection.execute(
        "SELECT began_at, ended_at FROM clock_pauses WHERE work = ? AND (ended_at IS NULL OR ended_at > ?) ORDER BY id",
        (work, micros(since)),
    ).fetchall()
    return [Pause(begins=max(instant(begins), since), ends=maybe_instant(ends)) for begins, ends in rows]


def reckon(connection: sqlite3.Connection, clock: Clock, reckoning: Reckoning, standing: Standing) -> Moments:
    """Sets its moments anew; whether it was warned about or late already stays."""
    promise = reckoning.promise(clock.design, clock.queue, clock.term)
    terms = reckoning.terms(clock.design, standing)
    pauses = pauses_of(connection, clock.work, clock.started_at)
    found = moments(terms, promise, clock.started_at, pauses, clock.breached_at)
    clock.warn_at, clock.due = found.warned, found.due
    clock.paused_at = pauses[-1].begins if pauses and pauses[-1].ends is None else None
    clock.outdated = False
    clock.next_at = None if clock.ended_at is not None else next_moment(clock, found)
    return found


def next_moment(clock: Clock, found: Moments) -> datetime | None:
    """When there is something to tell."""
    if clock.stage is Stage.BREACHED:
        return found.steps[clock.step][0] if clock.step < len(found.steps) else None
    if clock.stage is Stage.RUNNING and found.warned is not None and (found.due is None or found.warned < found.due):
        return found.warned
    return found.due
