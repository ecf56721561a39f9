"""What owners of orders are asked for, by the work item of the failed task that waits for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from orderloom.runtime.store.codec import instant, loads
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.rows import Rows

_RETURNED = (
    "UPDATE work SET state = 'returned', claimed_by = '', claimed_at = NULL "
    "WHERE order_id = ? AND task = ? AND state != 'done'"
)
_WANTED = (
    "INSERT OR REPLACE INTO wanted (work, order_id, line, attributes, text, who, at) "
    "SELECT id, order_id, ?1, ?2, ?3, ?4, ?5 FROM work WHERE order_id = ?6 AND task = ?7 AND state = 'returned'"
)
#: a change may have given what was wanted: those who work the queue look again
_TAKEN_BACK = "UPDATE work SET state = 'open' WHERE order_id = ? AND state = 'returned'"


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
    if rows.work_taken_back:
        writer.executemany(_TAKEN_BACK, rows.work_taken_back)
    if rows.work_returned:
        writer.executemany(_RETURNED, [row[-2:] for row in rows.work_returned.values()])
        writer.executemany(_WANTED, list(rows.work_returned.values()))


class SqliteWanted:
    """The part of a store for what waits for owners of orders."""

    _database: Database

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
