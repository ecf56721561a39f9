"""Writes the rows of a batch: one statement a table, one transaction a batch."""

from __future__ import annotations

import sqlite3

from orderloom.engine.inventory import apply_change
from orderloom.models.inventory import Asset
from orderloom.models.journal import AwaitCallback
from orderloom.runtime.store.codec import dumps, loads
from orderloom.runtime.store.errors import VersionConflict
from orderloom.runtime.store.gates import write_gates
from orderloom.runtime.store.histories import change_bytes
from orderloom.runtime.store.related import write_related
from orderloom.runtime.store.routing import meet_early_callback, meet_early_event
from orderloom.runtime.store.rows import Row, Rows
from orderloom.runtime.store.state_codec import asset_of, packed_asset
from orderloom.runtime.store.wanted import write_wanted
from orderloom.runtime.store.work_rows import write_work

_HEADER = (
    "UPDATE orders SET version = ?, plan = ?, updated_at = ?, started_at = ?, completed_at = ?, rest = ? "
    "WHERE id = ? AND version = ?"
)
#: apart, since an update of a column writes its index anew, whether the value changes or not
_STATUS = "UPDATE orders SET status = ? WHERE id = ?"
_OUTLINE = "UPDATE contents SET outline = ? WHERE order_id = ?"
_AMENDED = "UPDATE contents SET amended = ? WHERE order_id = ?"
_CHANGED = "UPDATE orders SET design = ?, external_id = ? WHERE id = ?"
_RAISED = (
    "UPDATE orders SET priority = ? WHERE id = ?",
    "UPDATE outbox SET priority = ? WHERE order_id = ?",
    "UPDATE work SET priority = ? WHERE order_id = ? AND state != 'done'",
)
_FORMER = "INSERT OR REPLACE INTO former (order_id, id, line, data) VALUES (?, ?, ?, ?)"
_LINE = (
    "INSERT INTO lines (order_id, id, spec, state, data) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (order_id, id) DO UPDATE SET state = excluded.state, data = excluded.data"
)
_TASK = (
    "INSERT INTO tasks (order_id, id, state, data) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (order_id, id) DO UPDATE SET state = excluded.state, data = excluded.data"
)
_JOURNAL = "INSERT INTO journal (order_id, version, at, event, entries) VALUES (?, ?, ?, ?, ?)"
_CALL = (
    "INSERT OR REPLACE INTO outbox (order_id, task, attempt, key, connector, operation, priority, design, since, "
    "context, held) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_CALL_DONE = "DELETE FROM outbox WHERE order_id = ? AND task = ? AND attempt = ?"
_CALL_HELD = "UPDATE outbox SET held = ? WHERE order_id = ? AND task = ? AND attempt = ?"
_TIMER = "INSERT OR REPLACE INTO timers (order_id, task, kind, attempt, due) VALUES (?, ?, ?, ?, ?)"
_TIMER_DONE = "DELETE FROM timers WHERE order_id = ? AND task = ? AND kind = ? AND attempt = ?"
_TIMER_GONE = "DELETE FROM timers WHERE order_id = ? AND task = ? AND kind = ?"
_SUBSCRIPTION = (
    "INSERT OR REPLACE INTO subscriptions (order_id, task, kind, name, field, key) VALUES (?, ?, ?, ?, ?, ?)"
)
_SUBSCRIPTION_GONE = "DELETE FROM subscriptions WHERE order_id = ? AND task = ?"
_ATTEMPT = (
    "INSERT INTO attempts (order_id, task, attempt, key, connector, operation, outcome, code, message, at, exchange) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ASSET = (
    "INSERT INTO inventory (id, account, spec, state, data, updated_at) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET account = excluded.account, spec = excluded.spec, state = excluded.state, "
    "data = excluded.data, updated_at = excluded.updated_at"
)
_ASSET_VERSION = "INSERT INTO asset_history (asset, order_id, at, change, data) VALUES (?, ?, ?, ?, ?)"
_PUBLISHED = "INSERT INTO published (order_id, at, kind, data) VALUES (?, ?, ?, ?)"
_POISONED = "INSERT INTO poisoned (order_id, event, at, message, traceback) VALUES (?, ?, ?, ?, ?)"
_TAKEN = "DELETE FROM inbox WHERE id = ?"
_REFUSED = "UPDATE inbox SET refused = ? WHERE id = ?"


def write_rows(writer: sqlite3.Connection, rows: Rows) -> int:
    """Inside a transaction. Returns how many early messages found their task. Raises VersionConflict."""
    _headers(writer, rows)
    _many(writer, _JOURNAL, rows.journal)
    _many(writer, _OUTLINE, rows.outlines)
    _many(writer, _AMENDED, rows.amended)
    _many(writer, _CHANGED, rows.changed)
    _many(writer, _FORMER, rows.former)
    _many(writer, _LINE, [row for row in rows.lines.values() if row is not None])
    _many(writer, "DELETE FROM lines WHERE order_id = ? AND id = ?", _gone(rows.lines))
    _many(writer, _TASK, [row for row in rows.tasks.values() if row is not None])
    _many(writer, "DELETE FROM tasks WHERE order_id = ? AND id = ?", _gone(rows.tasks))
    _many(writer, _TAKEN, rows.taken)
    _many(writer, _REFUSED, rows.refused)
    # what a new one replaces goes first
    _many(writer, _CALL_DONE, rows.calls_done)
    _many(writer, _CALL, list(rows.calls.values()))
    _many(writer, _CALL_HELD, rows.calls_held)
    _many(writer, _TIMER_DONE, rows.timers_done)
    _many(writer, _TIMER_GONE, _gone(rows.timers))
    _many(writer, _TIMER, [row for row in rows.timers.values() if row is not None])
    write_work(writer, rows)
    write_wanted(writer, rows)
    _many(writer, _ATTEMPT, rows.attempts)
    _many(writer, _PUBLISHED, rows.published)
    _many(writer, _POISONED, rows.poisoned)
    for statement in _RAISED:
        _many(writer, statement, rows.raised)
    _assets(writer, rows)
    return write_gates(writer, rows) + write_related(writer, rows) + _subscriptions(writer, rows)


def _many(writer: sqlite3.Connection, statement: str, rows: list[Row] | list[tuple[int]]) -> None:
    if rows:
        writer.executemany(statement, rows)


def _gone(rows: dict[tuple[str, str], Row | None] | dict[tuple[str, str, str], Row | None]) -> list[Row]:
    return [key for key, row in rows.items() if row is None]


def _headers(writer: sqlite3.Connection, rows: Rows) -> None:
    if not rows.headers:
        return
    changed = writer.executemany(_HEADER, rows.headers).rowcount
    if changed != len(rows.headers):
        raise VersionConflict(
            f"{len(rows.headers) - changed} of {len(rows.headers)} orders were changed by another worker; "
            "nothing was kept"
        )
    _many(writer, _STATUS, rows.statuses)


def _assets(writer: sqlite3.Connection, rows: Rows) -> None:
    if not rows.changes:
        return
    assets: dict[str, Asset | None] = {}
    written: dict[str, Row] = {}
    versions: list[Row] = []
    for change, at in rows.changes:
        if change.id not in assets:
            found = writer.execute("SELECT data FROM inventory WHERE id = ?", (change.id,)).fetchone()
            assets[change.id] = None if found is None else asset_of(loads(found[0]))
        asset = assets[change.id] = apply_change(assets[change.id], change)
        data = dumps(packed_asset(asset))
        written[asset.id] = (asset.id, asset.account, asset.spec, asset.state.value, data, at)
        versions.append((asset.id, change.order, at, change_bytes(change), data))
    writer.executemany(_ASSET_VERSION, versions)
    writer.executemany(_ASSET, list(written.values()))


def _subscriptions(writer: sqlite3.Connection, rows: Rows) -> int:
    _many(writer, _SUBSCRIPTION_GONE, _gone(rows.subscriptions))
    _many(writer, _SUBSCRIPTION, [row for row in rows.subscriptions.values() if row is not None])
    met = 0
    for (order, _task), wait in rows.waits.items():
        if isinstance(wait, AwaitCallback):
            met += meet_early_callback(writer, order, wait)
        else:
            met += meet_early_event(writer, order, wait)
    return met
