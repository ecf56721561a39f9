"""Why tasks fell out: like errors are one cause, and a failed task's work item names its cause.

Causes are looked up after the item was opened, by whoever looks at them first (the worker does so all the time), so
that nothing of it is done while orders move.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orderloom.runtime.store.codec import instant, loads, maybe_instant, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import NotFound
from orderloom.runtime.store.views import WorkItem, WorkState
from orderloom.runtime.store.work import COLUMNS, item_of

#: items looked at in one transaction
_CHUNK = 500
#: characters of a pattern and of a sample
_LONGEST = 300
#: outcomes of attempts that did not fail: what failed came later, as a callback or its absence
_TAKEN_ON = ("accepted", "completed")
_NO_STATUS = 0

#: what differs from case to case: quoted names, and words with a digit in them
_QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")
_NUMBERED = re.compile(r"[\w.:/@#+-]*\d[\w.:/@#+-]*(?<![.:])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What errors that are alike have in common."""

    id: int
    #: both "" for a task that called nothing
    connector: str
    operation: str
    #: of the protocol, 0 where there was none
    status: int
    code: str
    #: the message, with … for what differs from case to case
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseGroup:
    """The failed tasks that wait for people, of one cause."""

    cause: Cause
    count: int
    first_seen: datetime
    last_seen: datetime
    #: one message as it came
    sample: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FalloutItem:
    """A failed task's work item with its cause."""

    item: WorkItem
    cause: Cause
    #: when it is to be tried again by itself, None for never
    retry_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FalloutFilter:
    """Conditions that hold together; empty ones are left out. Items that are done never match."""

    #: number of a cause
    group: int = 0
    queue: str = ""
    #: of one of these; None for all
    queues: frozenset[str] | None = None
    #: of orders of one of these accounts; None for all
    accounts: frozenset[str] | None = None
    connector: str = ""
    operation: str = ""
    status: int = 0
    code: str = ""
    order: str = ""
    #: id of the task's definition
    task: str = ""
    #: spec of a line of the order
    product: str = ""
    account: str = ""
    bundle: str = ""
    #: opened before, and not before
    before: datetime | None = None
    since: datetime | None = None
    #: empty for all but those that are done
    states: tuple[WorkState, ...] = ()


def pattern_of(message: str) -> str:
    """The message with … for quoted names and for words that hold a digit."""
    text = " ".join(_QUOTED.sub("…", message[: 4 * _LONGEST]).split())
    return _NUMBERED.sub("…", text)[:_LONGEST]


_ITEMS = (
    "SELECT (SELECT min(b.start_at) FROM bulk_items i JOIN bulks b ON b.id = i.bulk WHERE i.work = w.id AND "
    "i.state = 'waiting' AND b.state = 'running' AND b.action IN ('retry', 'correct')), "
    "c.id, c.connector, c.operation, c.status, c.code, c.pattern, "
    f"{', '.join(f'w.{each}' for each in COLUMNS.split(', '))} "
    "FROM work w JOIN causes c ON c.id = w.cause"
)


class SqliteCauses:
    """Failed tasks by their causes."""

    _database: Database

    def classify(self, limit: int = _CHUNK) -> int:
        """Looks up the causes of failed tasks that have none yet, oldest first; returns how many there were."""
        with self._database.snapshot() as reader:
            if not reader.execute("SELECT 1 FROM work WHERE kind = 'fallout' AND cause IS NULL LIMIT 1").fetchall():
                return 0
        with self._database.transaction() as writer:
            rows = writer.execute(
                "SELECT id, order_id, task, code, message, opened_at FROM work "
                "WHERE kind = 'fallout' AND cause IS NULL ORDER BY id LIMIT ?",
                (limit,),
            ).fetchall()
            known: dict[tuple[object, ...], int] = {}
            found = [(_cause(writer, known, *row[1:]), row[0]) for row in rows]
            writer.executemany("UPDATE work SET cause = ? WHERE id = ?", found)
        return len(rows)

    def cause_groups(self, where: FalloutFilter, limit: int = 100) -> list[CauseGroup]:
        """Most items first."""
        self._classify_all()
        condition, values = condition_of(where)
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT c.id, c.connector, c.operation, c.status, c.code, c.pattern, g.n, g.first, g.last, c.sample "
                "FROM (SELECT w.cause AS cause, count(*) AS n, min(w.opened_at) AS first, max(w.opened_at) AS last "
                f"FROM work w WHERE {condition} GROUP BY w.cause) g JOIN causes c ON c.id = g.cause "
                "ORDER BY g.n DESC, c.id LIMIT ?",
                (*values, limit),
            ).fetchall()
        return [
            CauseGroup(
                cause=_cause_of(row[:6]), count=row[6], first_seen=instant(row[7]), last_seen=instant(row[8]),
                sample=row[9],
            )
            for row in rows
        ]  # fmt: skip

    def fallout(self, where: FalloutFilter, limit: int = 100, after: int = 0) -> list[FalloutItem]:
        """By the items' numbers; `after` is that of the last one seen."""
        self._classify_all()
        condition, values = condition_of(where)
        with self._database.snapshot() as reader:
            rows = reader.execute(
                f"{_ITEMS} WHERE {condition} AND w.id > ? ORDER BY w.id LIMIT ?", (*values, after, limit)
            ).fetchall()
        return [_item(row) for row in rows]

    def fallout_item(self, work: int) -> FalloutItem:
        """One of them, also one that is done. Raises NotFound."""
        self._classify_all()
        with self._database.snapshot() as reader:
            row = reader.execute(f"{_ITEMS} WHERE w.id = ?", (work,)).fetchone()
        if row is None:
            raise NotFound(f"there is no failed task of number {work}")
        return _item(row)

    def _classify_all(self) -> None:
        while self.classify():
            pass


def condition_of(where: FalloutFilter) -> tuple[str, list[object]]:
    """Of items `w` that have a cause and are not done."""
    tests = ["w.state != 'done'", "w.cause IS NOT NULL"]
    values: list[object] = []

    def test(text: str, *found: object) -> None:
        tests.append(text)
        values.extend(found)

    if where.group:
        test("w.cause = ?", where.group)
    of_cause = [
        (column, value)
        for column, value in (
            ("connector", where.connector),
            ("operation", where.operation),
            ("status", where.status),
            ("code", where.code),
        )
        if value
    ]
    if of_cause:
        same = " AND ".join(f"{column} = ?" for column, _value in of_cause)
        test(f"w.cause IN (SELECT id FROM causes WHERE {same})", *(value for _column, value in of_cause))
    if where.queue:
        test("+w.queue = ?", where.queue)
    if where.queues is not None:
        # the plus keeps SQLite on the index of causes, which has the queue too
        test(f"+w.queue IN ({_marks(where.queues)})", *where.queues)
    if where.order:
        test("w.order_id = ?", where.order)
    if where.task:
        test("substr(w.task, -length(?) - 1) = '/' || ?", where.task, where.task)
    if where.product:
        test("EXISTS (SELECT 1 FROM lines WHERE order_id = w.order_id AND spec = ?)", where.product)
    if where.account:
        test("(SELECT account FROM orders WHERE id = w.order_id) = ?", where.account)
    if where.accounts is not None:
        test(f"(SELECT account FROM orders WHERE id = w.order_id) IN ({_marks(where.accounts)})", *where.accounts)
    if where.bundle:
        test("(SELECT name FROM orders JOIN bundles ON digest = design WHERE orders.id = w.order_id) = ?", where.bundle)
    if where.before is not None:
        test("w.opened_at < ?", micros(where.before))
    if where.since is not None:
        test("w.opened_at >= ?", micros(where.since))
    if where.states:
        test(f"w.state IN ({_marks(where.states)})", *(state.value for state in where.states))
    return " AND ".join(tests), values


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def _cause(
    writer: sqlite3.Connection,
    known: dict[tuple[object, ...], int],
    order: str,
    task: str,
    code: str,
    message: str,
    opened_at: int,
) -> int:
    row = writer.execute(
        "SELECT connector, operation, outcome, exchange FROM attempts WHERE order_id = ? AND task = ? AND at <= ? "
        "ORDER BY id DESC LIMIT 1",
        (order, task, opened_at),
    ).fetchone()
    connector, operation, status = "", "", _NO_STATUS
    if row is not None:
        connector, operation = row[0], row[1]
        if row[3] is not None and row[2] not in _TAKEN_ON:
            status = loads(row[3])["status"] or _NO_STATUS
    key = (connector, operation, status, code, pattern_of(message))
    id = known.get(key)
    if id is None:
        writer.execute(
            "INSERT OR IGNORE INTO causes (connector, operation, status, code, pattern, sample) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (*key, message[:_LONGEST]),
        )
        id = known[key] = writer.execute(
            "SELECT id FROM causes WHERE connector = ? AND operation = ? AND status = ? AND code = ? AND pattern = ?",
            key,
        ).fetchone()[0]
    return id


def _item(row: Any) -> FalloutItem:
    return FalloutItem(item=item_of(row[7:]), cause=_cause_of(row[1:7]), retry_at=maybe_instant(row[0]))


def _cause_of(row: tuple[int, str, str, int, str, str]) -> Cause:
    id, connector, operation, status, code, pattern = row
    return Cause(id=id, connector=connector, operation=operation, status=status, code=code, pattern=pattern)
