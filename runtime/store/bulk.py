"""Interventions on many failed tasks or orders: started with their targets frozen, looked at, stopped and resumed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.bulk_records import BulkState, BulkView, NewBulk, Target, TargetState
from orderloom.runtime.store.bulk_rows import COLUMNS, MICROSECOND, bulk_of, halt, one, tell
from orderloom.runtime.store.causes import condition_of
from orderloom.runtime.store.codec import dumps, maybe_instant, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import Conflict
from orderloom.runtime.store.views import OrderFilter


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
                    new.pace // MICROSECOND,
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
            tell(writer, bulk, "bulk.started", now)
            record(writer, deed)
            return one(writer, bulk)

    def bulks(self, limit: int = 100, *, who: str = "", open_only: bool = False) -> list[BulkView]:
        """Newest first; only those that `who` has started, "" for all."""
        test = "AND state IN ('running', 'stopping') " if open_only else ""
        with self._database.snapshot() as reader:
            rows = reader.execute(
                f"SELECT {COLUMNS} FROM bulks WHERE ?1 IN ('', who) {test}ORDER BY id DESC LIMIT ?2", (who, limit)
            ).fetchall()
        return [bulk_of(row) for row in rows]

    def bulk(self, bulk: int) -> BulkView:
        """Raises NotFound."""
        with self._database.snapshot() as reader:
            return one(reader, bulk)

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
            found = one(writer, bulk)
            if found.state is not BulkState.RUNNING:
                raise Conflict(f"bulk {bulk} is {found.state}")
            halt(writer, bulk, message, micros(at))
            record(writer, deed)
            return one(writer, bulk)

    def resume_bulk(self, bulk: int, at: datetime, deed: Deed | None = None) -> BulkView:
        """Goes on where it stopped; failures so far count no more. Raises NotFound, Conflict where it did not stop."""
        with self._database.transaction() as writer:
            found = one(writer, bulk)
            if found.state not in (BulkState.STOPPING, BulkState.STOPPED):
                raise Conflict(f"bulk {bulk} is {found.state}, only one that was stopped can go on")
            writer.execute(
                "UPDATE bulks SET state = 'running', message = '', finished_at = NULL, done_before = done, "
                "failed_before = failed, next_at = max(next_at, ?) WHERE id = ?",
                (micros(at), bulk),
            )
            record(writer, deed)
            return one(writer, bulk)

    def has_open_bulks(self) -> bool:
        """Whether any is running or stopping; cheap."""
        with self._database.snapshot() as reader:
            return (
                reader.execute("SELECT 1 FROM bulks WHERE state IN ('running', 'stopping') LIMIT 1").fetchone()
                is not None
            )


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
