"""What owners of orders are asked for, by the work item of the failed task that waits for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.codec import instant, loads
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import Conflict
from orderloom.runtime.store.rows import Rows
from orderloom.runtime.store.views import WorkState
from orderloom.runtime.store.work import WorkEvent, free, one, tell

_RETURNED = (
    "UPDATE work SET state = 'returned', claimed_by = '', claimed_at = NULL, lease = NULL, request = NULL WHERE id = ?"
)
_WANTED = (
    "INSERT OR REPLACE INTO wanted (work, order_id, line, attributes, text, who, at) "
    "SELECT id, order_id, ?1, ?2, ?3, ?4, ?5 FROM work WHERE order_id = ?6 AND task = ?7 AND state = 'returned'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the owner of an order is asked for."""

    #: number of the work item
    item: int
    order: str
    account: str
    task: str
    line: str
    title: str
    #: attributes of the line
    attributes: tuple[str, ...]
    text: str
    by: str
    at: datetime


def write_wanted(writer: sqlite3.Connection, rows: Rows) -> None:
    """Inside the transaction of a batch, after its work items."""
    for (order,) in rows.work_taken_back:
        # a change may have given what was wanted: those who work the queue look again
        for work, at in writer.execute(
            "SELECT w.id, o.updated_at FROM work w JOIN orders o ON o.id = w.order_id "
            "WHERE w.order_id = ? AND w.state = 'returned'",
            (order,),
        ).fetchall():
            free(writer, work)
            tell(writer, work, instant(at), WorkEvent.RELEASED, reason="the order was changed")
    for row in rows.work_returned.values():
        _line, _attributes, text, by, at, order, task = row
        for (work,) in writer.execute(
            "SELECT id FROM work WHERE order_id = ? AND task = ? AND state != 'done'", (order, task)
        ).fetchall():
            writer.execute(_RETURNED, (work,))
            tell(writer, work, instant(at), WorkEvent.RETURNED, by, text)
            writer.execute(_WANTED, row)


class SqliteWanted:
    """The part of a store for what waits for owners of orders."""

    _database: Database

    def take_back(self, work: int, at: datetime, deed: Deed | None = None) -> None:
        """Waits no more for the owner of the order. Raises NotFound, Conflict where it does not wait for them."""
        with self._database.transaction() as writer:
            if one(writer, work).state is not WorkState.RETURNED:
                raise Conflict(f"work item {work} does not wait for the owner of the order")
            free(writer, work)
            tell(writer, work, at, WorkEvent.RELEASED, deed.who if deed else "", deed.reason if deed else "")
            record(writer, deed)

    def wanted(self, order: str = "", accounts: Collection[str] | None = None, limit: int = 100) -> list[Wanted]:
        """Oldest first; of one order, or of orders of these accounts, None for all."""
        tests, values = ["w.state = 'returned'"], list[object]()
        if order:
            tests.append("w.order_id = ?")
            values.append(order)
        if accounts is not None:
            tests.append(f"o.account IN ({', '.join('?' * len(accounts))})")
            values.extend(accounts)
        with self._database.snapshot() as reader:
            found = reader.execute(
                "SELECT w.id, w.order_id, o.account, w.task, n.line, w.title, n.attributes, n.text, n.who, n.at "
                "FROM wanted n JOIN work w ON w.id = n.work JOIN orders o ON o.id = w.order_id "
                f"WHERE {' AND '.join(tests)} ORDER BY n.at, w.id LIMIT ?",
                (*values, limit),
            ).fetchall()
        return [
            Wanted(
                item=item,
                order=order,
                account=account,
                task=task,
                line=line,
                title=title,
                attributes=tuple(loads(attributes)),
                text=text,
                by=by,
                at=instant(at),
            )
            for item, order, account, task, line, title, attributes, text, by, at in found
        ]
