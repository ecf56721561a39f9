"""Interventions on many failed tasks or orders: their targets, frozen when they are chosen, and how far they came.

A target is sent in the transaction that puts its request into the inbox, so that none is sent twice and none is lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from orderloom.models.conversion import Json
from orderloom.models.journal import Event
from orderloom.models.tasks import AssignRule
from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.causes import FalloutFilter, condition_of
from orderloom.runtime.store.codec import dumps, instant, loads, maybe_instant, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.desk import pass_on
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.event_codec import event_bytes
from orderloom.runtime.store.views import OrderFilter, WorkState
from orderloom.runtime.store.work import WorkEvent, current, pending

_INBOX = (
    "INSERT INTO inbox (order_id, event, received_at, priority) "
    "VALUES (?1, ?2, ?3, coalesce((SELECT priority FROM orders WHERE id = ?1), 4))"
)
_MICROSECOND = timedelta(microseconds=1)
#: so many must be decided before a share of them says anything
_ENOUGH = 10
#: targets that await a message, looked at in one go
_AWAITING = 200


class BulkAction(StrEnum):
    RETRY = "retry"
    SKIP = "skip"
    COMPLETE = "complete"
    HAND_OVER = "handOver"
    #: correct attributes of the line, then retry
    CORRECT = "correct"
    #: of orders
    HOLD = "hold"
    RESUME = "resume"


#: those that try something again, which may fail again
TRYING = frozenset((BulkAction.RETRY, BulkAction.CORRECT))


class BulkState(StrEnum):
    RUNNING = "running"
    #: nothing more is sent, some are under way
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"


class TargetState(StrEnum):
    WAITING = "waiting"
    UNDER_WAY = "underWay"
    #: its task waits for a message of an external system
    AWAITING = "awaiting"
    DONE = "done"
    #: its task fell out again
    FAILED = "failed"
    #: it could not be done
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBulk:
    """What is to be done, to what, and how fast."""

    action: BulkAction
    #: what the action needs: `values`, `outputs`, `queue`
    arguments: Mapping[str, Json] = field(default_factory=dict)
    #: numbers of work items, or ids of orders; None for those that the filter finds
    targets: Sequence[int | str] | None = None
    where: FalloutFilter | OrderFilter
    #: the same in words, for those who look at it
    chosen: Mapping[str, Json] = field(default_factory=dict)
    who: str
    reason: str = ""
    start_at: datetime
    #: between two; none for as fast as it goes
    pace: timedelta = timedelta(0)
    at_once: int
    #: it stops when more than so many, or so many in a hundred, fail
    most_failed: int | None = None
    most_percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkView:
    """A bulk intervention, and how far it came."""

    id: int
    action: BulkAction
    arguments: Mapping[str, Json]
    chosen: Mapping[str, Json]
    state: BulkState
    who: str
    reason: str
    created_at: datetime
    start_at: datetime
    #: between two; none for as fast as it goes
    pace: timedelta
    at_once: int
    most_failed: int | None
    most_percent: int | None
    next_at: datetime
    #: place of the next one, from 1
    next: int
    total: int
    #: those awaiting a message included
    under_way: int
    done: int
    failed: int
    refused: int
    #: why it stopped
    message: str
    finished_at: datetime | None

    @property
    def waiting(self) -> int:
        """How many are still to be sent."""
        return self.total - self.next + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One of the things it is about."""

    place: int
    #: work item, 0 for an order as a whole
    work: int
    order: str
    task: str
    state: TargetState
    message: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is asked for one target: events, or another queue; or why nothing is."""

    place: int
    work: int
    order: str
    events: tuple[Event, ...] = ()
    #: and how the item finds a person there
    queue: str = ""
    rule: AssignRule | None = None
    refused: str = ""
    deed: Deed


_COLUMNS = (
    "id, action, arguments, chosen, state, who, reason, created_at, start_at, pace, at_once, most_failed, "
    "most_percent, next_at, next, total, under_way, done, failed, refused, message, finished_at"
)


class SqliteBulk:
    """Bulk interventions in the store."""

    _database: Database

    def start_bulk(self, new: NewBulk, at: datetime, deed: Deed | None = None) -> BulkView:
        """Freezes its targets. Raises Conflict where there are none."""
        with self._database.transaction() as writer:
            now, start = micros(at), micros(new.start_at)
            cursor = writer.execute(
                "INSERT INTO bulks (action, arguments, chosen, who, reason, created_at, start_at, pace, at_once, "
                "most_failed, most_percent, next_at, state, next, total, under_way, done, failed, refused, "
                "done_before, failed_before, message) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', 1, 0, 0, 0, 0, 0, 0, 0, '')",
                (
                    new.action.value,
                    dumps(dict(new.arguments)),
                    dumps(dict(new.chosen)),
                    new.who,
                    new.reason,
                    now,
                    start,
                    new.pace // _MICROSECOND,
                    new.at_once,
                    new.most_failed,
                    new.most_percent,
                    start,
                ),
            )
            bulk = int(cursor.lastrowid or 0)
            _freeze(writer, bulk, new)
            total = writer.execute("SELECT count(*) FROM bulk_items WHERE bulk = ?", (bulk,)).fetchone()[0]
            if not total:
                raise Conflict("nothing matches")
            writer.execute("UPDATE bulks SET total = ? WHERE id = ?", (total, bulk))
            _tell(writer, bulk, "bulk.started", now)
            record(writer, deed)
            return _one(writer, bulk)

    def bulks(self, limit: int = 100, *, open_only: bool = False) -> list[BulkView]:
        """Newest first."""
        test = "WHERE state IN ('running', 'stopping') " if open_only else ""
        with self._database.snapshot() as reader:
            rows = reader.execute(f"SELECT {_COLUMNS} FROM bulks {test}ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
        return [_bulk(row) for row in rows]

    def bulk(self, bulk: int) -> BulkView:
        """Raises NotFound."""
        with self._database.snapshot() as reader:
            return _one(reader, bulk)

    def bulk_targets(
        self, bulk: int, state: TargetState | None = None, limit: int = 100, after: int = 0
    ) -> list[Target]:
        """In the order in which they are sent, from the place after `after`."""
        test = "AND state = ? " if state else ""
        values = (bulk, after, state.value, limit) if state else (bulk, after, limit)
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT place, work, order_id, task, state, message, at FROM bulk_items WHERE bulk = ? AND place > ? "
                f"{test}ORDER BY place LIMIT ?",
                values,
            ).fetchall()
        return [
            Target(
                place=place, work=work, order=order, task=task, state=TargetState(state), message=message,
                at=maybe_instant(at),
            )
            for place, work, order, task, state, message, at in rows
        ]  # fmt: skip

    def stop_bulk(self, bulk: int, message: str, at: datetime, deed: Deed | None = None) -> BulkView:
        """Nothing more is sent. Raises NotFound, Conflict where it is not running."""
        with self._database.transaction() as writer:
            found = _one(writer, bulk)
            if found.state is not BulkState.RUNNING:
                raise Conflict(f"bulk {bulk} is {found.state}")
            _stop(writer, bulk, message, micros(at))
            record(writer, deed)
            return _one(writer, bulk)

    def resume_bulk(self, bulk: int, at: datetime, deed: Deed | None = None) -> BulkView:
        """Goes on where it stopped; failures so far count no more. Raises NotFound, Conflict where it did not stop."""
        with self._database.transaction() as writer:
            found = _one(writer, bulk)
            if found.state not in (BulkState.STOPPING, BulkState.STOPPED):
                raise Conflict(f"bulk {bulk} is {found.state}, only one that was stopped can go on")
            writer.execute(
                "UPDATE bulks SET state = 'running', message = '', finished_at = NULL, done_before = done, "
                "failed_before = failed, next_at = max(next_at, ?) WHERE id = ?",
                (micros(at), bulk),
            )
            record(writer, deed)
            return _one(writer, bulk)

    def has_open_bulks(self) -> bool:
        """Whether any is running or stopping; cheap."""
        with self._database.snapshot() as reader:
            return (
                reader.execute("SELECT 1 FROM bulks WHERE state IN ('running', 'stopping') LIMIT 1").fetchone()
                is not None
            )

    # --- for the worker

    def send_bulk(self, bulk: int, sendings: Sequence[Sending], next_at: datetime, at: datetime) -> int:
        """Sends what comes next, in one transaction, unless the bulk was stopped; returns how many were sent."""
        with self._database.transaction() as writer:
            found = _one(writer, bulk)
            if found.state is not BulkState.RUNNING or not sendings or found.next != sendings[0].place:
                return 0
            now = micros(at)
            rows = [(*_sent(writer, found, sending, now), now, bulk, sending.place) for sending in sendings]
            writer.executemany(
                "UPDATE bulk_items SET state = ?, request = ?, message = ?, at = ? WHERE bulk = ? AND place = ?", rows
            )
            states = [row[0] for row in rows]
            writer.execute(
                "UPDATE bulks SET next = ?, next_at = ?, under_way = under_way + ?, done = done + ?, "
                "refused = refused + ? WHERE id = ?",
                (
                    sendings[-1].place + 1,
                    micros(next_at),
                    states.count("underWay"),
                    states.count("done"),
                    states.count("refused"),
                    bulk,
                ),
            )
            _end(writer, bulk, now)
            return len(sendings)

    def settle_bulk(self, bulk: int, after: int, at: datetime) -> tuple[int, int, int]:
        """Looks at what became of those under way, and at some of those that await a message, from a place on.

        Returns how many were settled, how many are still under way without awaiting a message, and where to go on.
        """
        with self._database.snapshot() as reader:
            action = _one(reader, bulk).action
            rows = reader.execute(f"{_UNDER_WAY} AND i.state = 'underWay' ORDER BY i.place", (bulk,)).fetchall()
            awaiting = reader.execute(
                f"{_UNDER_WAY} AND i.state = 'awaiting' AND i.place > ? ORDER BY i.place LIMIT ?",
                (bulk, after, _AWAITING),
            ).fetchall()
        verdicts = [(row[0], row[1], *_verdict(action, row)) for row in (*rows, *awaiting)]
        moved = [(place, state, said) for place, former, state, said in verdicts if state != former]
        active = sum(1 for _place, _former, state, _said in verdicts if state == "underWay")
        if moved:
            self._settle(bulk, moved, at)
        goes_on = awaiting[-1][0] if len(awaiting) == _AWAITING else 0
        return len(moved), active, goes_on

    def _settle(self, bulk: int, moved: list[tuple[int, str, str]], at: datetime) -> None:
        with self._database.transaction() as writer:
            now = micros(at)
            counted = {"done": 0, "failed": 0, "refused": 0}
            for place, state, said in moved:
                changed = writer.execute(
                    "UPDATE bulk_items SET state = ?, message = ?, at = ? WHERE bulk = ? AND place = ? "
                    "AND state IN ('underWay', 'awaiting')",
                    (state, said, now, bulk, place),
                ).rowcount
                if state in counted:
                    counted[state] += changed
            writer.execute(
                "UPDATE bulks SET under_way = under_way - ?, done = done + ?, failed = failed + ?, "
                "refused = refused + ? WHERE id = ?",
                (sum(counted.values()), counted["done"], counted["failed"], counted["refused"], bulk),
            )
            _heed_threshold(writer, bulk, now)
            _end(writer, bulk, now)


_UNDER_WAY = (
    "SELECT i.place, i.state, x.id, x.refused, t.state, "
    "(SELECT w.id FROM work w WHERE w.order_id = i.order_id AND w.task = i.task AND w.kind = 'fallout' "
    "AND w.id > i.work LIMIT 1), w0.state "
    "FROM bulk_items i LEFT JOIN inbox x ON x.id = i.request "
    "LEFT JOIN tasks t ON t.order_id = i.order_id AND t.id = i.task LEFT JOIN work w0 ON w0.id = i.work "
    "WHERE i.bulk = ? AND i.state IN ('underWay', 'awaiting')"
)


def _verdict(action: BulkAction, row: Any) -> tuple[str, str]:
    """What became of a target, by what became of its task."""
    _place, _former, request, refused, task, fell_out_again, item = row
    if refused is not None:
        return "refused", refused
    if request is not None:
        return "underWay", ""
    if action not in TRYING:
        return "done", ""
    if fell_out_again is not None:
        return "failed", f"in fallout again, as item {fell_out_again}"
    if task == "fallout":
        return "failed", "nothing became of it" if item == "done" else "still in fallout"
    if task == "waiting":
        return "awaiting", ""
    return ("underWay", "") if task in _GOING_ON else ("done", "")


_GOING_ON = frozenset(("pending", "ready", "scheduled", "running", "failed", "held", "frozen"))


def _freeze(writer: sqlite3.Connection, bulk: int, new: NewBulk) -> None:
    insert = "INSERT INTO bulk_items (bulk, place, work, order_id, task, state, message) "
    if isinstance(new.where, OrderFilter):
        condition, values = _orders(new.where, new.targets)
        writer.execute(
            f"{insert}SELECT ?, row_number() OVER (ORDER BY sequence), 0, id, '', 'waiting', '' FROM orders "
            f"WHERE {condition}",
            (bulk, *values),
        )
        return
    if new.targets is not None:
        found = [
            row
            for work in dict.fromkeys(new.targets)
            for row in writer.execute(
                "SELECT id, order_id, task FROM work WHERE id = ? AND kind = 'fallout'", (work,)
            ).fetchall()
        ]
        writer.executemany(
            f"{insert}VALUES (?, ?, ?, ?, ?, 'waiting', '')",
            [(bulk, place, *row) for place, row in enumerate(found, 1)],
        )
        return
    condition, values = condition_of(new.where)
    writer.execute(
        f"{insert}SELECT ?, row_number() OVER (ORDER BY w.id), w.id, w.order_id, w.task, 'waiting', '' FROM work w "
        f"WHERE {condition}",
        (bulk, *values),
    )


def _orders(where: OrderFilter, ids: Sequence[int | str] | None) -> tuple[str, list[object]]:
    tests, values = ["1 = 1"], list[object]()
    for column, among in (
        ("id", ids),
        ("status", [status.value for status in where.statuses] or None),
        ("account", where.accounts),
    ):
        if among is not None:
            tests.append(f"{column} IN ({', '.join('?' * len(among))})")
            values.extend(among)
    for column, value in (("account", where.account), ("external_id", where.external_id), ("design", where.design)):
        if value:
            tests.append(f"{column} = ?")
            values.append(value)
    return " AND ".join(tests), values


def _sent(writer: sqlite3.Connection, bulk: BulkView, sending: Sending, now: int | None) -> tuple[str, int | None, str]:
    """Its state, the number of its request, and what is to be said of it."""
    if sending.refused:
        return "refused", None, sending.refused
    at = sending.deed.at
    if sending.work:
        item = current(writer, sending.work, at)
        if item.state is WorkState.DONE:
            return "refused", None, "it is done already"
        if item.claimed_by not in ("", bulk.who) or pending(writer, sending.work):
            return "refused", None, f"{item.claimed_by} has it"
    if sending.rule is not None:
        try:
            pass_on(
                writer, sending.work, sending.queue, sending.rule, WorkEvent.HANDED_OVER, at, sending.deed, bulk.who
            )
        except Conflict as conflict:
            return "refused", None, str(conflict)
        return "done", None, ""
    number: int | None = None
    for event in sending.events:
        number = writer.execute(_INBOX, (sending.order, event_bytes(event), now)).lastrowid
    if sending.work:
        writer.execute("UPDATE work SET request = ? WHERE id = ?", (number, sending.work))
    record(writer, sending.deed, number)
    return "underWay", number, ""


def _heed_threshold(writer: sqlite3.Connection, bulk: int, now: int | None) -> None:
    state, most, percent, done, failed = writer.execute(
        "SELECT state, most_failed, most_percent, done - done_before, failed - failed_before FROM bulks WHERE id = ?",
        (bulk,),
    ).fetchone()
    if state != "running":
        return
    decided = done + failed
    if most is not None and failed > most:
        _stop(writer, bulk, f"{failed} of {decided} fell out again, more than {most}", now)
    elif percent is not None and decided >= _ENOUGH and failed * 100 > percent * decided:
        _stop(writer, bulk, f"{failed} of {decided} fell out again, more than {percent}%", now)


def _stop(writer: sqlite3.Connection, bulk: int, message: str, now: int | None) -> None:
    writer.execute("UPDATE bulks SET state = 'stopping', message = ? WHERE id = ?", (message, bulk))
    _tell(writer, bulk, "bulk.stopped", now)
    _end(writer, bulk, now)


def _end(writer: sqlite3.Connection, bulk: int, now: int | None) -> None:
    """The bulk has ended where nothing of it is left to do."""
    found = _one(writer, bulk)
    if found.under_way:
        return
    if not found.waiting:
        writer.execute("UPDATE bulks SET state = 'done', finished_at = ? WHERE id = ?", (now, bulk))
        if found.state is not BulkState.DONE:
            _tell(writer, bulk, "bulk.done", now)
    elif found.state is BulkState.STOPPING:
        writer.execute("UPDATE bulks SET state = 'stopped', finished_at = ? WHERE id = ?", (now, bulk))


def _tell(writer: sqlite3.Connection, bulk: int, kind: str, now: int | None) -> None:
    found = _one(writer, bulk)
    data = {
        "bulk": bulk,
        "action": found.action.value,
        "by": found.who,
        "total": found.total,
        "done": found.done,
        "failed": found.failed,
        "refused": found.refused,
        "message": found.message,
    }
    writer.execute("INSERT INTO published (order_id, at, kind, data) VALUES ('', ?, ?, ?)", (now, kind, dumps(data)))


def _one(connection: sqlite3.Connection, bulk: int) -> BulkView:
    row = connection.execute(f"SELECT {_COLUMNS} FROM bulks WHERE id = ?", (bulk,)).fetchone()
    if row is None:
        raise NotFound(f"there is no bulk {bulk}")
    return _bulk(row)


def _bulk(row: Any) -> BulkView:
    found = dict(zip(_COLUMNS.split(", "), row, strict=True))
    for name in ("arguments", "chosen"):
        found[name] = loads(found[name])
    for name in ("created_at", "start_at", "next_at"):
        found[name] = instant(found[name])
    return BulkView(
        **found
        | {
            "action": BulkAction(found["action"]),
            "state": BulkState(found["state"]),
            "pace": found["pace"] * _MICROSECOND,
            "finished_at": maybe_instant(found["finished_at"]),
        }
    )
