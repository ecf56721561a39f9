"""Reads the states of orders, many at a time."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence

from orderloom.models.fulfillment import Line
from orderloom.models.inventory import Inventory
from orderloom.models.plan import OrderState, Task
from orderloom.runtime.store.codec import instant, loads
from orderloom.runtime.store.order_codec import state_from
from orderloom.runtime.store.state_codec import asset_of, line_from, order_from, task_from

#: orders by statement; SQLite allows 32,766 parameters
_AT_ONCE = 200


def load_states(reader: sqlite3.Connection, orders: Sequence[str]) -> list[OrderState]:
    """The states of these orders; the ones that do not exist are left out."""
    states: list[OrderState] = []
    for start in range(0, len(orders), _AT_ONCE):
        states += _some(reader, orders[start : start + _AT_ONCE])
    return states


def _some(reader: sqlite3.Connection, orders: Sequence[str]) -> Iterator[OrderState]:
    marks = ", ".join("?" * len(orders))
    headers = reader.execute(
        "SELECT id, coalesce(amended, content), outline, orders.design, version, status, plan, started_at, "
        "completed_at, rest "
        f"FROM orders JOIN contents ON order_id = id WHERE id IN ({marks})",
        orders,
    ).fetchall()
    begun = [row[0] for row in headers if row[4]]
    marks = ", ".join("?" * len(begun))
    lines: dict[str, dict[str, Line]] = defaultdict(dict)
    tasks: dict[str, dict[str, Task]] = defaultdict(dict)
    former: dict[str, dict[str, Line]] = defaultdict(dict)
    if begun:
        for order, id, data in reader.execute(
            f"SELECT order_id, id, data FROM lines WHERE order_id IN ({marks})", begun
        ):
            lines[order][id] = line_from(id, data)
        for order, id, data in reader.execute(
            f"SELECT order_id, id, data FROM tasks WHERE order_id IN ({marks})", begun
        ):
            tasks[order][id] = task_from(id, data)
        for order, id, line, data in reader.execute(
            f"SELECT order_id, id, line, data FROM former WHERE order_id IN ({marks})", begun
        ):
            former[order][id] = line_from(line, data)
    for order, content, outline, *header in headers:
        yield state_from(tuple(header), order_from(content), outline, lines[order], tasks[order], former[order])


def load_inventory(reader: sqlite3.Connection, account: str, last: int) -> Inventory:
    """What the account has, at the instant `last` (microseconds)."""
    rows = reader.execute(
        "SELECT data FROM inventory WHERE account = ? AND state IN ('reserved', 'active', 'suspended') ORDER BY id",
        (account,),
    )
    assets = (asset_of(loads(data)) for (data,) in rows)
    return Inventory(assets={asset.id: asset for asset in assets}, at=instant(last))
