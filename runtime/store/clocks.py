"""The clocks of work items: made and moved on by what the items' history tells, and by the time.

Each method is one transaction: what a clock tells and that it was told are durable together, so it is told once.
Nothing looks at all items: new ones come from the history behind a cursor, due ones by index.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from orderloom.engine.scheduling import Pause, left
from orderloom.models.conversion import Json
from orderloom.models.journal import WorkKind
from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.calendars import Standing, standing
from orderloom.runtime.store.clock_rows import (
    CLOCK_COLUMNS,
    CLOCK_FIELDS,
    SELECT,
    STARTED,
    Clock,
    Reckoning,
    Stage,
    bundle_of,
    clock_of,
    find,
    next_moment,
    pauses_of,
    put,
    reckon,
)
from orderloom.runtime.store.codec import dumps, instant, maybe_instant, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.loading import load_states
from orderloom.runtime.store.timing import ClockFilter, ClockView, PauseView, marks
from orderloom.runtime.store.views import WorkState

#: rows of the history, clocks or moments in one transaction
_CHUNK = 500
#: why a clock stands while the owner of the order is asked for something
WITH_OWNER = "with_owner"
_STANDS = "SELECT 1 FROM clock_pauses WHERE work = ? AND ended_at IS NULL AND reason = ?"
#: the cursor over the history
_CURSOR = "clocks"
_HISTORY = "SELECT id, work, at, what, queue, who FROM work_history WHERE id > ? ORDER BY id LIMIT ?"
_FACTS = (
    "SELECT w.order_id, w.task, w.kind, o.design, "
    "(SELECT json_extract(CAST(t.data AS TEXT), '$.def') FROM tasks t WHERE t.order_id = w.order_id AND t.id = w.task) "
    "FROM work w LEFT JOIN orders o ON o.id = w.order_id WHERE w.id = ?"
)
_LISTED = (
    f"SELECT {CLOCK_COLUMNS}, w.task, w.title, w.kind, w.queue, w.priority, w.state, w.claimed_by, "
    "(SELECT p.reason FROM clock_pauses p WHERE p.work = c.work AND p.ended_at IS NULL) "
    "FROM clocks c JOIN work w ON w.id = c.work"
)
_ITEM = "SELECT task, kind, queue, title, state, due FROM work WHERE id = ?"
#: as people pass an item on: nobody has it at first, unless it is about to be done
_PASSED = (
    "UPDATE work SET queue = ?2, assign = ?3, skills = ?4, state = CASE WHEN state IN ('claimed', 'assigned') "
    "THEN 'open' ELSE state END, claimed_by = '', claimed_at = NULL, lease = NULL, request = NULL, former = '', "
    "seeking = ?3 != 'pull' OR EXISTS (SELECT 1 FROM queue_rules r WHERE r.queue = ?2 AND r.assign IS NOT NULL) "
    "WHERE id = ?1"
)
_MOVED = "UPDATE work SET queue = ?2 WHERE id = ?1"
_ABOUT_TO_BE_DONE = (
    "SELECT request IS NOT NULL AND EXISTS (SELECT 1 FROM inbox i WHERE i.id = request AND i.refused IS NULL) "
    "FROM work WHERE id = ?"
)
_TOLD = (
    "INSERT INTO work_history (work, order_id, at, what, who, holder, queue, reason) "
    "SELECT id, order_id, ?, 'escalated', '', claimed_by, queue, 'it was not done in time' FROM work WHERE id = ?"
)
#: events of the history with which an item comes into a queue
_COMES = ("opened", "escalated", "handedOver")
#: with which it goes to the owner of its order, and is back
_RETURNED, _RELEASED = "returned", "released"
#: and after which it is over
_OVER = ("done", "closed")


class SqliteClocks:
    """The part of a store for clocks."""

    _database: Database

    def tend_clocks(self, reckoning: Reckoning, now: datetime) -> int:
        with self._database.snapshot() as reader:
            if not _anything(reader, now):
                return 0
        done = 0
        with self._database.transaction() as writer:
            tending = _Tending(writer, reckoning, standing(writer), now)
            done += tending.take_up(_CHUNK)
            if done < _CHUNK:
                done += tending.renew(_CHUNK)
                done += tending.tell(_CHUNK)
        return done

    def next_clock(self) -> datetime | None:
        with self._database.snapshot() as reader:
            return maybe_instant(reader.execute("SELECT min(next_at) FROM clocks").fetchone()[0])

    def clocks(self, where: ClockFilter, limit: int, at: datetime, reckoning: Reckoning) -> list[ClockView]:
        tests, values = _tests(where)
        with self._database.snapshot() as reader:
            now = standing(reader)
            rows: list[Sequence[Any]] = []
            # as the index has them, so that nothing is sorted
            for due, order in (("c.due IS NOT NULL", "c.due"), ("c.due IS NULL", "c.work")):
                query = f"{_LISTED} WHERE c.ended_at IS NULL AND {due} AND {tests} ORDER BY {order} LIMIT ?"
                rows += reader.execute(query, (*values, limit - len(rows))).fetchall()
            found = [(row, pauses_of(reader, row[0], instant(row[STARTED]))) for row in rows]
        # a design that is not at hand is read by a snapshot of its own
        return [_view(row, stops, at, reckoning, now) for row, stops in found]

    def pause_clock(self, work: int, reason: str, at: datetime, reckoning: Reckoning, deed: Deed) -> None:
        with self._database.transaction() as writer:
            tending = _Tending(writer, reckoning, standing(writer), at)
            clock = tending.running(work)
            if clock.paused_at is not None:
                raise Conflict(f"the clock of work item {work} stands already, since {clock.paused_at.isoformat()}")
            tending.stop(clock, reason, at, deed.who)
            record(writer, deed)

    def resume_clock(self, work: int, at: datetime, reckoning: Reckoning, deed: Deed) -> None:
        with self._database.transaction() as writer:
            tending = _Tending(writer, reckoning, standing(writer), at)
            clock = tending.running(work)
            if clock.paused_at is None:
                raise Conflict(f"the clock of work item {work} goes on already")
            tending.resume(clock, at, deed.who)
            record(writer, deed)

    def clock_pauses(self, work: int) -> list[PauseView]:
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT work, order_id, reason, began_at, paused_by, ended_at, ended_by FROM clock_pauses "
                "WHERE work = ? ORDER BY id",
                (work,),
            ).fetchall()
        return [
            PauseView(
                work=row[0],
                order=row[1],
                reason=row[2],
                began_at=instant(row[3]),
                by=row[4],
                ended_at=maybe_instant(row[5]),
                ended_by=row[6],
            )
            for row in rows
        ]


def _tests(where: ClockFilter) -> tuple[str, list[object]]:
    tests, values = ["w.state != 'done'"], list[object]()
    if where.kinds:
        tests.append(f"w.kind IN ({marks(where.kinds)})")
        values += where.kinds
    if where.queue:
        tests.append("w.queue = ?")
        values.append(where.queue)
    if where.queues is not None:
        tests.append(f"w.queue IN ({marks(where.queues)})")
        values += sorted(where.queues)
    if where.accounts is not None:
        tests.append(f"(SELECT account FROM orders o WHERE o.id = w.order_id) IN ({marks(where.accounts)})")
        values += sorted(where.accounts)
    return " AND ".join(tests), values


def _view(
    row: Sequence[Any], stops: Sequence[Pause], at: datetime, reckoning: Reckoning, standing: Standing
) -> ClockView:
    clock = clock_of(row[:CLOCK_FIELDS])
    task, title, kind, queue, priority, state, claimed_by, reason = row[CLOCK_FIELDS:]
    promise = reckoning.promise(clock.design, clock.queue, clock.term)
    return ClockView(
        item=clock.work,
        order=clock.order,
        task=task,
        title=title,
        kind=WorkKind(kind),
        queue=queue,
        priority=priority,
        state=WorkState(state),
        claimed_by=claimed_by,
        started_at=clock.started_at,
        warn_at=clock.warn_at,
        due=clock.due,
        left=left(reckoning.terms(clock.design, standing), promise, clock.started_at, stops, at),
        stage=clock.stage.name.lower(),
        breached_at=clock.breached_at,
        paused_at=clock.paused_at,
        reason=reason or "",
    )


def _anything(reader: sqlite3.Connection, now: datetime) -> bool:
    row = reader.execute(
        "SELECT coalesce((SELECT max(id) FROM work_history), 0) > "
        "coalesce((SELECT position FROM cursors WHERE name = ?), -1) "
        "OR EXISTS (SELECT 1 FROM clocks WHERE next_at <= ?) OR EXISTS (SELECT 1 FROM clocks WHERE outdated = 1)",
        (_CURSOR, micros(now)),
    ).fetchone()
    return bool(row[0])


class _Tending:
    """One transaction over clocks."""

    def __init__(self, writer: sqlite3.Connection, reckoning: Reckoning, standing: Standing, now: datetime) -> None:
        self._writer = writer
        self._reckoning = reckoning
        self._standing = standing
        self._now = now

    # --- what has become of items

    def take_up(self, limit: int) -> int:
        """What the history tells since the last time."""
        row = self._writer.execute("SELECT position FROM cursors WHERE name = ?", (_CURSOR,)).fetchone()
        if row is None:
            self._begin_all()
            self._note(0)
        rows = self._writer.execute(_HISTORY, (row[0] if row else 0, limit)).fetchall()
        for _, work, at, what, queue, who in rows:
            # where clocks have sent an item they know
            if what != "escalated" or who:
                self._take(work, instant(at), what, queue, who)
        if rows:
            self._note(rows[-1][0])
        return len(rows)

    def _note(self, position: int) -> None:
        self._writer.execute("INSERT OR REPLACE INTO cursors (name, position) VALUES (?, ?)", (_CURSOR, position))

    def _begin_all(self) -> None:
        """Items that are older than the history of items."""
        rows = self._writer.execute("SELECT id, opened_at, queue FROM work WHERE state != 'done'").fetchall()
        for work, at, queue in rows:
            self._begin(work, instant(at), queue)

    def _take(self, work: int, at: datetime, what: str, queue: str, who: str) -> None:
        clock = find(self._writer, work)
        if clock is None:
            if what in _COMES:
                self._begin(work, at, queue)
        elif clock.ended_at is not None:
            return
        elif what in _OVER:
            self._end(clock, at)
        elif what == _RETURNED:
            self._return(clock, at, who)
        elif what == _RELEASED:
            self._take_back(clock, at, who)
        elif clock.place != queue:
            self._pass(clock, at, queue)

    def _begin(self, work: int, at: datetime, queue: str) -> None:
        """Where the item has a time in which it is to be done."""
        order, task, kind, design, definition = self._writer.execute(_FACTS, (work,)).fetchone()
        design = design or self._design_of(task)
        if not design:
            return
        term = self._reckoning.task_term(design, definition) if kind == "manual" and definition else None
        term = term or self._reckoning.queue_term(design, queue)
        if term is None:
            return
        bundle = self._writer.execute("SELECT name FROM bundles WHERE digest = ?", (design,)).fetchone()[0]
        clock = Clock(
            work=work,
            order=order,
            bundle=bundle,
            design=design,
            queue=queue,
            place=queue,
            term=term,
            started_at=at,
        )
        self.reckon(clock)

    def _design_of(self, task: str) -> str:
        """Of an item of no order: what is active of its rule's bundle."""
        return self._standing.active.get(bundle_of(task), "")

    def _end(self, clock: Clock, at: datetime) -> None:
        self._catch_up(clock, at)
        if clock.paused_at is not None:
            self._end_pause(clock, at, "")
        clock.ended_at, clock.next_at, clock.outdated = at, None, False
        put(self._writer, clock)

    def _pass(self, clock: Clock, at: datetime, queue: str) -> None:
        """A person has put the item into another queue."""
        self._catch_up(clock, at)
        before = clock.due
        self._enter(clock, at, queue)
        self.reckon(clock)
        if clock.due != before:
            self._rescheduled(clock, before, "it is in another queue")

    def _return(self, clock: Clock, at: datetime, who: str) -> None:
        """The item is with the owner of its order: that is not the queue's time."""
        self._catch_up(clock, at)
        if clock.paused_at is None:
            self.stop(clock, WITH_OWNER, at, who)

    def _take_back(self, clock: Clock, at: datetime, who: str) -> None:
        if self._writer.execute(_STANDS, (clock.work, WITH_OWNER)).fetchone() is not None:
            self.resume(clock, at, who)

    def _enter(self, clock: Clock, at: datetime, queue: str) -> None:
        """A queue with a time of its own gives it a new one."""
        clock.place = queue
        term = self._reckoning.queue_term(clock.design, queue)
        if term is not None:
            clock.queue, clock.term, clock.started_at = queue, term, at
            clock.stage, clock.step, clock.breached_at = Stage.RUNNING, 0, None

    def _catch_up(self, clock: Clock, at: datetime) -> None:
        """Tells what came before something that happened at that instant, though nobody had looked."""
        while clock.next_at is not None and clock.next_at < at and clock.stage is not Stage.BREACHED:
            self._tell_next(clock)

    # --- calendars

    def renew(self, limit: int) -> int:
        """Reckons anew what may stand on other calendars now."""
        rows = self._writer.execute(f"{SELECT} WHERE outdated = 1 ORDER BY work LIMIT ?", (limit,)).fetchall()
        for clock in map(clock_of, rows):
            before = clock.due, clock.warn_at
            self.reckon(clock)
            if (clock.due, clock.warn_at) != before and clock.stage is not Stage.BREACHED:
                self._rescheduled(clock, before[0], "calendars have changed")
        return len(rows)

    # --- the time

    def tell(self, limit: int) -> int:
        """What is due by now, in the order of its instants, whatever item it is of."""
        rows = self._writer.execute(
            f"{SELECT} WHERE next_at <= ? ORDER BY next_at, work LIMIT ?", (micros(self._now), limit)
        ).fetchall()
        clocks = [clock_of(row) for row in rows]
        bound = self._now
        if len(clocks) == limit and clocks[-1].next_at is not None:
            bound = clocks[-1].next_at
        waiting = [(clock.next_at, clock.work, clock) for clock in clocks if clock.next_at is not None]
        told = 0
        while waiting:
            _, work, clock = heapq.heappop(waiting)
            self._tell_next(clock)
            told += 1
            if clock.next_at is not None and clock.next_at <= bound:
                heapq.heappush(waiting, (clock.next_at, work, clock))
        return told

    def _tell_next(self, clock: Clock) -> None:
        at = clock.next_at
        if at is None:
            return
        if clock.stage is Stage.BREACHED:
            self._escalate(clock, at)
        elif clock.stage is Stage.RUNNING and at != clock.due:
            clock.stage = Stage.WARNED
            self.reckon(clock)
            self.publish(clock, "work.warned", {"at": at.isoformat()})
        else:
            clock.stage, clock.breached_at = Stage.BREACHED, at
            self.reckon(clock)
            self.publish(clock, "work.breached", {"at": at.isoformat()})

    def _escalate(self, clock: Clock, at: datetime) -> None:
        steps = reckon(self._writer, clock, self._reckoning, self._standing).steps
        queue = steps[clock.step][1]
        source = clock.place
        clock.step += 1
        if queue != source:
            self._move(clock, queue)
            self._enter(clock, at, queue)
        self.reckon(clock)
        if queue != source:
            late = {"from": source, "by": "", "reason": "it was not done in time", "at": at.isoformat()}
            self.publish(clock, "work.escalated", late)

    def _move(self, clock: Clock, queue: str) -> None:
        if self._writer.execute(_ABOUT_TO_BE_DONE, (clock.work,)).fetchone()[0]:
            self._writer.execute(_MOVED, (clock.work, queue))
        else:
            task = self._writer.execute(_ITEM, (clock.work,)).fetchone()[0]
            states = load_states(self._writer, [clock.order])
            rule = self._reckoning.rule(clock.design, states[0] if states else None, task, queue)
            self._writer.execute(_PASSED, (clock.work, queue, rule.mode, dumps(rule.skills)))
        self._writer.execute(_TOLD, (micros(self._now), clock.work))

    # --- people

    def running(self, work: int) -> Clock:
        """The clock as it is now. Raises NotFound, Conflict."""
        while self.take_up(_CHUNK) == _CHUNK:
            pass
        row = self._writer.execute(_ITEM, (work,)).fetchone()
        if row is None:
            raise NotFound(f"there is no work item {work}")
        clock = find(self._writer, work)
        if row[4] == "done":
            raise Conflict(f"work item {work} is done")
        if clock is None:
            raise Conflict(f"work item {work} has no time in which it is to be done")
        if clock.outdated:
            self.reckon(clock)
        while clock.next_at is not None and clock.next_at <= self._now:
            self._tell_next(clock)
        return clock

    def stop(self, clock: Clock, reason: str, at: datetime, by: str) -> None:
        self._writer.execute(
            "INSERT INTO clock_pauses (work, order_id, reason, began_at, paused_by, ended_by) "
            "VALUES (?, ?, ?, ?, ?, '')",
            (clock.work, clock.order, reason, micros(at), by),
        )
        self.reckon(clock)
        self.publish(clock, "work.paused", {"reason": reason, "by": by})

    def resume(self, clock: Clock, at: datetime, by: str) -> None:
        self._end_pause(clock, at, by)
        self.reckon(clock)
        self.publish(clock, "work.resumed", {"by": by})

    def _end_pause(self, clock: Clock, at: datetime, by: str) -> None:
        self._writer.execute(
            "UPDATE clock_pauses SET ended_at = max(began_at, ?), ended_by = ? WHERE work = ? AND ended_at IS NULL",
            (micros(at), by, clock.work),
        )
        clock.paused_at = None

    # --- inside

    def reckon(self, clock: Clock) -> None:
        """Sets its moments anew and writes it; the item shows when it is due, as long as that is known."""
        found = reckon(self._writer, clock, self._reckoning, self._standing)
        clock.next_at = None if clock.ended_at is not None else next_moment(clock, found)
        put(self._writer, clock)
        if clock.due is not None:
            due = micros(clock.due)
            self._writer.execute("UPDATE work SET due = ? WHERE id = ? AND due IS NOT ?", (due, clock.work, due))

    def _rescheduled(self, clock: Clock, before: datetime | None, why: str) -> None:
        former = None if before is None else before.isoformat()
        self.publish(clock, "work.rescheduled", {"before": former, "why": why})

    def publish(self, clock: Clock, kind: str, more: Mapping[str, Json]) -> None:
        task, sort, queue, title, _state, _due = self._writer.execute(_ITEM, (clock.work,)).fetchone()
        due = None if clock.due is None else clock.due.isoformat()
        data = {"item": clock.work, "task": task, "kind": sort, "queue": queue, "title": title, "due": due, **more}
        self._writer.execute(
            "INSERT INTO published (order_id, at, kind, data) VALUES (?, ?, ?, ?)",
            (clock.order, micros(self._now), kind, dumps(data)),
        )
