"""Work items of a batch: closed, opened, and both told in their history."""

from __future__ import annotations

import sqlite3

from orderloom.runtime.store.rows import Rows

_TOLD = (
    "INSERT INTO work_history (work, order_id, at, what, who, holder, queue, reason) "
    "SELECT id, order_id, ?1, ?2, ?3, claimed_by, queue, '' FROM work WHERE order_id = ?4 AND task = ?5 "
    "AND state != 'done'"
)
_CLOSED = (
    "UPDATE work SET state = 'done', closed_at = ?, lease = NULL, seeking = 0 "
    "WHERE order_id = ? AND task = ? AND state != 'done'"
)
_OPENED = (
    "INSERT INTO work (order_id, task, kind, queue, title, form, due, priority, state, claimed_by, code, message, "
    "opened_at, assign, skills, seeking) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
    "?14 != 'pull' OR EXISTS (SELECT 1 FROM queue_rules WHERE queue = ?4 AND assign != 'pull'))"
)


def write_work(writer: sqlite3.Connection, rows: Rows) -> None:
    """Inside the transaction of a batch. Whoever has an item loses it with its task."""
    if not rows.work_closed_at:
        return
    by = rows.work_done_by
    writer.executemany(
        _TOLD,
        [(at, "done" if key in by else "closed", by.get(key, ""), *key) for key, at in rows.work_closed_at.items()],
    )
    writer.executemany(_CLOSED, [(at, *key) for key, at in rows.work_closed_at.items()])
    opened = [row for row in rows.work.values() if row is not None]
    writer.executemany(_OPENED, opened)
    writer.executemany(_TOLD, [(row[12], "opened", "", row[0], row[1]) for row in opened])
