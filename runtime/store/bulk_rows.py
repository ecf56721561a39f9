"""Rows of bulk interventions, read, ended and told of; inside transactions of others."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Any

from orderloom.runtime.store.bulk_records import BulkAction, BulkState, BulkView
from orderloom.runtime.store.codec import dumps, instant, loads, maybe_instant
from orderloom.runtime.store.errors import NotFound

MICROSECOND = timedelta(microseconds=1)
COLUMNS = (
    "id, action, arguments, chosen, state, who, reason, created_at, start_at, pace, at_once, most_failed, "
    "most_percent, next_at, next, total, under_way, done, failed, refused, message, finished_at"
)


def halt(writer: sqlite3.Connection, bulk: int, message: str, now: int | None) -> None:
    writer.execute("UPDATE bulks SET state = 'stopping', message = ? WHERE id = ?", (message, bulk))
    tell(writer, bulk, "bulk.stopped", now)
    end(writer, bulk, now)


def end(writer: sqlite3.Connection, bulk: int, now: int | None) -> None:
    """The bulk has ended where nothing of it is left to do."""
    found = one(writer, bulk)
    if found.under_way:
        return
    if not found.waiting:
        writer.execute("UPDATE bulks SET state = 'done', finished_at = ? WHERE id = ?", (now, bulk))
        if found.state is not BulkState.DONE:
            tell(writer, bulk, "bulk.done", now)
    elif found.state is BulkState.STOPPING:
        writer.execute("UPDATE bulks SET state = 'stopped', finished_at = ? WHERE id = ?", (now, bulk))


def tell(writer: sqlite3.Connection, bulk: int, kind: str, now: int | None) -> None:
    found = one(writer, bulk)
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


def one(connection: sqlite3.Connection, bulk: int) -> BulkView:
    row = connection.execute(f"SELECT {COLUMNS} FROM bulks WHERE id = ?", (bulk,)).fetchone()
    if row is None:
        raise NotFound(f"there is no bulk {bulk}")
    return bulk_of(row)


def bulk_of(row: Any) -> BulkView:
    found = dict(zip(COLUMNS.split(", "), row, strict=True))
    for name in ("arguments", "chosen"):
        found[name] = loads(found[name])
    for name in ("created_at", "start_at", "next_at"):
        found[name] = instant(found[name])
    return BulkView(
        **found
        | {
            "action": BulkAction(found["action"]),
            "state": BulkState(found["state"]),
            "pace": found["pace"] * MICROSECOND,
            "finished_at": maybe_instant(found["finished_at"]),
        }
    )
