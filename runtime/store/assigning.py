"""How items of queues find people: rules set at run time, whose turn it is, and the items that wait for somebody."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from orderloom.models.tasks import AssignMode
from orderloom.runtime.desk.choosing import choose
from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.codec import dumps, instant, loads, maybe_instant, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.desk import HELD, assign_by_rule
from orderloom.runtime.store.errors import NotFound
from orderloom.runtime.store.identity import members
from orderloom.runtime.store.views import WorkState
from orderloom.runtime.store.work import COLUMNS, WorkEvent, free, item_of, publish, tell

#: items assigned, or looked at, in one transaction
_CHUNK = 100
#: kinds of deeds after which somebody else may work a queue
_OF_PEOPLE = frozenset(("user", "team", "role"))
#: whose rule, the run-time one first, gives items to people
_RULED = (
    "coalesce((SELECT CASE r.paused WHEN 1 THEN 'pull' ELSE r.assign END FROM queue_rules r "
    "WHERE r.queue = work.queue), assign) != 'pull'"
)
_RULE = "queue, assign, skills, lease, paused, at, who, reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRule:
    """What stands over the rules of a queue's design until it is taken back."""

    queue: str
    #: for all of its items, also those that are open; None for as designed
    assign: AssignMode | None = None
    #: for BY_SKILL
    skills: tuple[str, ...] = ()
    #: how long a claimed item stays with the one who has it; None for as usual
    lease: timedelta | None = None
    #: nothing is assigned for the time being, people pull
    paused: bool = False
    at: datetime
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCount:
    """The items of a queue that are not done."""

    queue: str
    open: int
    assigned: int
    claimed: int
    #: held, or returned to owners of orders
    waiting: int
    #: past their due time
    late: int
    #: when the oldest one was opened
    oldest: datetime | None


class SqliteAssigning:
    """The part of a store that brings items and people together."""

    _database: Database

    def queue_rules(self) -> dict[str, QueueRule]:
        with self._database.snapshot() as reader:
            rows = reader.execute(f"SELECT {_RULE} FROM queue_rules ORDER BY queue").fetchall()
        return {row[0]: _rule(row) for row in rows}

    def put_queue_rule(self, rule: QueueRule, deed: Deed) -> None:
        with self._database.transaction() as writer:
            writer.execute(
                f"INSERT OR REPLACE INTO queue_rules ({_RULE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    rule.queue,
                    rule.assign,
                    dumps(rule.skills),
                    None if rule.lease is None else rule.lease // timedelta(microseconds=1),
                    int(rule.paused),
                    micros(rule.at),
                    rule.by,
                    rule.reason,
                ),
            )
            _seek(writer, "queue = ?", rule.queue)
            record(writer, deed)

    def drop_queue_rule(self, queue: str, deed: Deed) -> None:
        with self._database.transaction() as writer:
            if not writer.execute("DELETE FROM queue_rules WHERE queue = ?", (queue,)).rowcount:
                raise NotFound(f"queue `{queue}` is as designed")
            _seek(writer, "queue = ?", queue)
            record(writer, deed)

    def queue_counts(self, at: datetime) -> dict[str, QueueCount]:
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT queue, sum(state = 'open'), sum(state = 'assigned'), sum(state = 'claimed'), "
                "sum(state IN ('held', 'returned')), sum(coalesce(due <= ?, 0)), min(opened_at) FROM work "
                "WHERE state != 'done' GROUP BY queue",
                (micros(at),),
            ).fetchall()
        return {
            queue: QueueCount(
                queue=queue,
                open=open,
                assigned=assigned,
                claimed=claimed,
                waiting=waiting,
                late=late,
                oldest=maybe_instant(oldest),
            )
            for queue, open, assigned, claimed, waiting, late, oldest in rows
        }

    def loads(self) -> dict[str, int]:
        with self._database.snapshot() as reader:
            return _loads(reader)

    def changed_by_anybody(self) -> int:
        return self._database.data_version()

    def last_deed(self) -> int:
        with self._database.snapshot() as reader:
            return int(reader.execute("SELECT coalesce(max(id), 0) FROM audit").fetchone()[0])

    def people_changed(self, after: int) -> bool:
        with self._database.snapshot() as reader:
            kinds = reader.execute("SELECT DISTINCT kind FROM audit WHERE id > ?", (after,))
            return any(kind in _OF_PEOPLE for (kind,) in kinds)

    def seek_again(self, works: Callable[[str, str], bool], at: datetime) -> int:
        with self._database.transaction() as writer:
            gone = [
                item
                for item in map(item_of, writer.execute(f"SELECT {COLUMNS} FROM work WHERE {HELD}"))
                if item.state is WorkState.ASSIGNED and not works(item.claimed_by, item.queue)
            ]
            for item in gone:
                free(writer, item.id)
                tell(writer, item.id, at, WorkEvent.RELEASED, reason=item.claimed_by)
                publish(writer, item, at, "work.unassigned", {"from": item.claimed_by})
            _seek(writer, "1")
        return len(gone)

    def assign_open(self, at: datetime) -> int:
        query = "SELECT DISTINCT queue FROM work WHERE seeking = 1 AND state = 'open'"
        with self._database.snapshot() as reader:
            queues = [queue for (queue,) in reader.execute(query)]
        looked = 0
        for queue in queues:
            with self._database.transaction() as writer:
                looked += _assign_some(writer, queue, at)
        return looked


def _assign_some(writer: sqlite3.Connection, queue: str, at: datetime) -> int:
    """The most urgent items; returns how many were looked at."""
    rows = writer.execute(
        f"SELECT former, {COLUMNS} FROM work WHERE seeking = 1 AND state = 'open' AND queue = ? "
        "ORDER BY priority, due IS NULL, due, id LIMIT ?",
        (queue, _CHUNK),
    ).fetchall()
    row = writer.execute(f"SELECT {_RULE} FROM queue_rules WHERE queue = ?", (queue,)).fetchone()
    rule = None if row is None else _rule(row)
    known, load = members(writer, queue), _loads(writer)
    row = writer.execute("SELECT last FROM queue_turns WHERE queue = ?", (queue,)).fetchone()
    last = "" if row is None else row[0]
    for former, *columns in rows:
        item = item_of(columns)
        mode, skills = item.assign, item.skills
        if rule is not None and rule.assign is not None:
            mode, skills = rule.assign, rule.skills
        if rule is not None and rule.paused:
            mode = AssignMode.PULL
        to = choose(mode, skills, known, load, last, former)
        if to:
            assign_by_rule(writer, item, to, at)
            load[to] = load.get(to, 0) + 1
            last = to
        else:
            # until people or rules change
            writer.execute("UPDATE work SET seeking = 0 WHERE id = ?", (item.id,))
    writer.execute("INSERT OR REPLACE INTO queue_turns (queue, last) VALUES (?, ?)", (queue, last))
    return len(rows)


def _seek(writer: sqlite3.Connection, condition: str, *values: object) -> None:
    """Open items for which there is a rule are looked at again."""
    writer.execute(
        f"UPDATE work SET seeking = 1 WHERE state != 'done' AND state = 'open' AND seeking = 0 AND {_RULED} "
        f"AND {condition}",
        values,
    )


def _loads(connection: sqlite3.Connection) -> dict[str, int]:
    """How many items each person has."""
    return dict(
        connection.execute(f"SELECT claimed_by, count(*) FROM work WHERE {HELD} GROUP BY claimed_by").fetchall()
    )


def _rule(row: tuple[str, str | None, bytes, int | None, int, int, str, str]) -> QueueRule:
    queue, assign, skills, lease, paused, at, by, reason = row
    return QueueRule(
        queue=queue,
        assign=None if assign is None else AssignMode(assign),
        skills=tuple(loads(skills)),
        lease=None if lease is None else timedelta(microseconds=lease),
        paused=bool(paused),
        at=instant(at),
        by=by,
        reason=reason,
    )
