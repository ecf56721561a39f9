"""Who has which work item. Opening and closing come from the core, with the batch."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from orderloom.models.journal import WorkKind
from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.codec import instant as instant_of
from orderloom.runtime.store.codec import maybe_instant, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.state_codec import form_from
from orderloom.runtime.store.views import WorkItem, WorkState

COLUMNS = (
    "id, order_id, task, kind, queue, title, form, due, priority, state, claimed_by, code, message, opened_at, "
    "claimed_at, closed_at"
)


class SqliteWorkItems:
    """Claiming, the one thing people do to a work item directly; what they do to its task goes through the inbox."""

    _database: Database

    def claim(self, work: int, by: str, at: datetime, deed: Deed | None = None) -> WorkItem:
        with self._database.transaction() as writer:
            item = one(writer, work)
            if item.state is WorkState.DONE:
                raise Conflict(f"work item {work} is done")
            if item.state is WorkState.CLAIMED and item.claimed_by != by:
                raise Conflict(f"work item {work} is with `{item.claimed_by}`; ask them to give it back")
            writer.execute(
                "UPDATE work SET state = 'claimed', claimed_by = ?, claimed_at = ? WHERE id = ?", (by, micros(at), work)
            )
            record(writer, deed)
            return one(writer, work)

    def unclaim(self, work: int, by: str, deed: Deed | None = None) -> WorkItem:
        with self._database.transaction() as writer:
            item = one(writer, work)
            if item.state is not WorkState.CLAIMED or item.claimed_by != by:
                raise Conflict(f"work item {work} is not with `{by}`, it is {item.state}")
            writer.execute("UPDATE work SET state = 'open', claimed_by = '', claimed_at = NULL WHERE id = ?", (work,))
            record(writer, deed)
            return one(writer, work)


#: beyond what SQLite can hold, there is nothing
_NUMBERS = range(-(1 << 63), 1 << 63)


def one(connection: sqlite3.Connection, work: int) -> WorkItem:
    row = None
    if work in _NUMBERS:
        row = connection.execute(f"SELECT {COLUMNS} FROM work WHERE id = ?", (work,)).fetchone()
    if row is None:
        raise NotFound(f"there is no work item {work}")
    return item_of(row)


def item_of(row: Any) -> WorkItem:
    """A work item from a row of `COLUMNS`."""
    id, order, task, kind, queue, title, form, due, priority, state, by, code, message, opened, claimed, closed = row
    return WorkItem(
        id=id,
        order=order,
        task=task,
        kind=WorkKind(kind),
        queue=queue,
        title=title,
        form=form_from(form),
        due=maybe_instant(due),
        priority=priority,
        state=WorkState(state),
        claimed_by=by,
        code=code,
        message=message,
        opened_at=instant_of(opened),
        claimed_at=maybe_instant(claimed),
        closed_at=maybe_instant(closed),
    )
