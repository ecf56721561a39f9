"""The worker's side of bulk interventions: sends their targets, and sees what becomes of them.

A target is sent in the transaction that puts its request into the inbox, so that none is sent twice and none is lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from orderloom.runtime.store.auditing import record
from orderloom.runtime.store.bulk_records import TRYING, BulkAction, BulkState, BulkView, Sending
from orderloom.runtime.store.bulk_rows import end, halt, one
from orderloom.runtime.store.codec import micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.desk import pass_on
from orderloom.runtime.store.errors import Conflict
from orderloom.runtime.store.event_codec import event_bytes
from orderloom.runtime.store.views import WorkState
from orderloom.runtime.store.work import WorkEvent, current, pending

_INBOX = (
    "INSERT INTO inbox (order_id, event, received_at, priority) "
    "VALUES (?1, ?2, ?3, coalesce((SELECT priority FROM orders WHERE id = ?1), 4))"
)
#: so many must be decided before a share of them says anything
_ENOUGH = 10
#: targets that await a message, looked at in one go
_AWAITING = 200


class SqliteBulkSending:
    """Bulk interventions in the store, for the worker."""

    _database: Database

    def send_bulk(self, bulk: int, sendings: Sequence[Sending], next_at: datetime, at: datetime) -> int:
        """Sends what comes next, in one transaction, unless the bulk was stopped; returns how many were sent."""
        with self._database.transaction() as writer:
            found = one(writer, bulk)
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
            end(writer, bulk, now)
            return len(sendings)

    def settle_bulk(self, bulk: int, after: int, at: datetime) -> tuple[int, int, int]:
        """Looks at what became of those under way, and at some of those that await a message, from a place on.

        Returns how many were settled, how many are still under way without awaiting a message, and where to go on.
        """
        with self._database.snapshot() as reader:
            action = one(reader, bulk).action
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
            end(writer, bulk, now)


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
        halt(writer, bulk, f"{failed} of {decided} fell out again, more than {most}", now)
    elif percent is not None and decided >= _ENOUGH and failed * 100 > percent * decided:
        halt(writer, bulk, f"{failed} of {decided} fell out again, more than {percent}%", now)
