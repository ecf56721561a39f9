"""Orders that wait for other orders. A gate opens in the transaction in which the other order becomes final: the order
that waits is put into the inbox again, and the worker looks anew at what it has to wait for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.event_codec import event_bytes
from orderloom.runtime.store.loading import load_states
from orderloom.runtime.store.records import Gate, GateKind, Submission
from orderloom.runtime.store.rows import Rows

_OPEN = "status NOT IN ('rejected', 'cancelled', 'completed', 'failed', 'partial')"
_OTHER_OPEN = _OPEN.replace("status", "other.status", 1)
_GATE = "INSERT INTO gates (order_id, waits_for, kind, reason) VALUES (?, ?, ?, ?)"
_INBOX = "INSERT INTO inbox (order_id, event, received_at, priority) SELECT id, ?, ?, priority FROM orders WHERE id = ?"


def write_gates(writer: sqlite3.Connection, rows: Rows) -> int:
    """Inside a transaction, after the states of orders. Returns how many orders it put into the inbox."""
    if rows.gated:
        writer.executemany("DELETE FROM gates WHERE order_id = ?", rows.gated)
        writer.executemany(_GATE, rows.gates)
    woken: dict[str, int] = {}
    for order, waits_for, kind, _reason in rows.gates:
        # the other one may have ended after this one looked at it
        if (
            kind != GateKind.ENDED
            and not writer.execute(f"SELECT 1 FROM orders WHERE id = ? AND {_OPEN}", (waits_for,)).fetchone()
        ):
            woken[order] = _now(rows, order)
    woken.update(rows.reordered)
    for begun, at in rows.started:
        for (order,) in writer.execute(
            "SELECT order_id FROM gates WHERE waits_for = ? AND kind = 'shared'", (begun,)
        ).fetchall():
            woken[order] = at
    for ended, at in rows.ended:
        writer.execute("DELETE FROM gates WHERE order_id = ?", (ended,))
        for (order,) in writer.execute(
            "SELECT order_id FROM gates WHERE waits_for = ? AND kind != 'ended'", (ended,)
        ).fetchall():
            woken[order] = at
    submission = event_bytes(Submission())
    writer.executemany(_INBOX, [(submission, at, order) for order, at in woken.items()])
    return len(woken)


def _now(rows: Rows, order: str) -> int:
    return max(int(row[2]) for row in rows.journal if row[0] == order)


class SqliteGates:
    """What the worker asks of other orders before it takes one up."""

    _database: Database

    def statuses(self, orders: Sequence[str]) -> dict[str, OrderStatus]:
        marks = ", ".join("?" * len(orders))
        with self._database.snapshot() as reader:
            rows = reader.execute(f"SELECT id, status FROM orders WHERE id IN ({marks})", tuple(orders)).fetchall()
        return {id: OrderStatus(status) for id, status in rows}

    def earlier_open(self, order: str) -> list[str]:
        with self._database.snapshot() as reader:
            return _earlier(reader, order)

    def earlier_states(self, order: str) -> list[OrderState]:
        with self._database.snapshot() as reader:
            return load_states(reader, _earlier(reader, order))

    def others_open(self, order: str) -> bool:
        with self._database.snapshot() as reader:
            row = reader.execute(
                "SELECT 1 FROM orders AS own JOIN orders AS other "
                "ON other.account = own.account AND other.id != own.id "
                f"WHERE own.id = ? AND {_OTHER_OPEN} LIMIT 1",
                (order,),
            ).fetchone()
        return row is not None

    def later_started(self, order: str) -> list[OrderState]:
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT other.id FROM orders AS own JOIN orders AS other "
                "ON other.account = own.account AND other.sequence > own.sequence "
                f"WHERE own.id = ? AND {_OTHER_OPEN} AND other.plan != 'notStarted' ORDER BY other.sequence",
                (order,),
            ).fetchall()
            return load_states(reader, [id for (id,) in rows])

    def account_open(self, account: str) -> list[OrderState]:
        with self._database.snapshot() as reader:
            rows = reader.execute(
                f"SELECT id FROM orders WHERE account = ? AND {_OPEN} ORDER BY sequence", (account,)
            ).fetchall()
            return load_states(reader, [id for (id,) in rows])

    def gates(self, order: str) -> list[Gate]:
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT waits_for, kind, reason FROM gates WHERE order_id = ? ORDER BY waits_for", (order,)
            ).fetchall()
        return [Gate(waits_for=other, kind=GateKind(kind), reason=reason) for other, kind, reason in rows]


def _earlier(reader: sqlite3.Connection, order: str) -> list[str]:
    rows = reader.execute(
        "SELECT other.id FROM orders AS own JOIN orders AS other "
        "ON other.account = own.account AND other.sequence < own.sequence "
        f"WHERE own.id = ? AND {_OTHER_OPEN} ORDER BY other.sequence",
        (order,),
    )
    return [id for (id,) in rows]
