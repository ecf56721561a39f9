"""Brings callbacks and events to the tasks that wait for them, whichever comes first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from orderloom.models.callout import Outcome
from orderloom.models.conversion import Json
from orderloom.models.journal import AwaitCallback, AwaitEvent, CallbackReceived, EventArrived
from orderloom.runtime.store.codec import dumps, loads, unpack_values
from orderloom.runtime.store.event_codec import event_bytes

_INBOX = (
    "INSERT INTO inbox (order_id, event, received_at, priority) "
    "VALUES (?1, ?2, ?3, coalesce((SELECT priority FROM orders WHERE id = ?1), 4))"
)
_EARLY = "INSERT INTO early (kind, name, key, message, received_at) VALUES (?, ?, ?, ?, ?)"

_MEMBER = "INSERT OR IGNORE INTO early_members (name, field, key, early) VALUES (?, ?, ?, ?)"

#: members of an early event by which waits find it, how deep they lie, and bytes of their keys that are compared
MEMBERS, DEPTH, KEY_BYTES = 1_000, 8, 200

#: what stands in the key of a subscription or of an early message that has none
NO_KEY = b""


def key_bytes(key: Json) -> bytes:
    """The same bytes for all spellings of a value; the core decides whether it really matches.

    A number and its text are one, since orders and messages carry numbers either way.
    """
    if isinstance(key, (bool, list, dict)) or key is None:
        return dumps(key)
    try:
        number = Decimal(str(key))
    except InvalidOperation:
        return dumps(key)
    return f"#{number.normalize():f}".encode() if number.is_finite() and abs(number.adjusted()) < 100 else dumps(key)


def callback_message(callback: CallbackReceived) -> bytes:
    return dumps(
        {
            "outcome": callback.outcome.value,
            "outputs": callback.outputs,
            "code": callback.code,
            "message": callback.message,
        }
    )


def route_callback(
    writer: sqlite3.Connection, operation: str, correlation: str, message: bytes, received_at: int
) -> int:
    """Puts it into the inboxes of those who await it, else keeps it; returns how many there were."""
    key = key_bytes(correlation)
    waiting = writer.execute(
        "SELECT order_id, task, data FROM subscriptions JOIN tasks USING (order_id) "
        "WHERE tasks.id = task AND kind = 'callback' AND name = ? AND field = '' AND key = ?",
        (operation, key),
    ).fetchall()
    if not waiting:
        writer.execute(_EARLY, ("callback", operation, key, message, received_at))
    writer.executemany(
        _INBOX,
        [
            (order, event_bytes(_callback(task, loads(data).get("attempts", 0), loads(message))), received_at)
            for order, task, data in waiting
        ],
    )
    return len(waiting)


def route_event(writer: sqlite3.Connection, name: str, payload: Mapping[str, Json], received_at: int) -> int:
    """Puts it into the inboxes of those who listen for it, else keeps it; returns how many there were."""
    waiting: list[tuple[str, str]] = []
    for field in _fields(writer, name):
        key = key_bytes(member(payload, field)) if field else NO_KEY
        waiting += writer.execute(
            "SELECT order_id, task FROM subscriptions WHERE kind = 'event' AND name = ? AND field = ? AND key = ?",
            (name, field, key),
        ).fetchall()
    if not waiting:
        id = writer.execute(_EARLY, ("event", name, NO_KEY, dumps(dict(payload)), received_at)).lastrowid or 0
        writer.executemany(_MEMBER, member_rows(id, name, payload))
    writer.executemany(
        _INBOX,
        [
            (order, event_bytes(EventArrived(task=task, event=name, payload=payload)), received_at)
            for order, task in waiting
        ],
    )
    return len(waiting)


def member(payload: Mapping[str, Json], field: str) -> Json:
    """The member of that name, or at that dotted path; None where there is none."""
    if field in payload:
        return payload[field]
    found: Json = dict(payload)
    for part in field.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def member_rows(early: int, name: str, payload: Mapping[str, Json]) -> list[tuple[str, str, bytes, int]]:
    """Rows of `early_members` for an event."""
    return [(name, field, key_bytes(found)[:KEY_BYTES], early) for field, found in islice(_members(payload), MEMBERS)]


def _members(payload: Mapping[str, Json], path: str = "", depth: int = 1) -> Iterator[tuple[str, Json]]:
    """Values by name or dotted path; those of the outer levels first."""
    yield from ((f"{path}{name}", found) for name, found in payload.items() if not isinstance(found, dict))
    if depth < DEPTH:
        for name, found in payload.items():
            if isinstance(found, dict):
                yield from _members(found, f"{path}{name}.", depth + 1)


def meet_early_callback(writer: sqlite3.Connection, order: str, wait: AwaitCallback) -> int:
    """Puts a message that came before its wait into the inbox; returns how many there were."""
    row = writer.execute(
        "SELECT id, message, received_at FROM early WHERE kind = 'callback' AND name = ? AND key = ? ORDER BY id",
        (wait.operation, key_bytes(wait.correlation)),
    ).fetchone()
    if row is None:
        return 0
    _deliver(writer, row[0], order, event_bytes(_callback(wait.task, wait.attempt, loads(row[1]))), row[2])
    return 1


def meet_early_event(writer: sqlite3.Connection, order: str, wait: AwaitEvent) -> int:
    """Puts the events that came before their wait into the inbox; returns how many there were.

    All that fit are delivered, in the order they came: the core may find that the first is not the one.
    """
    if wait.field:
        rows = writer.execute(
            "SELECT id, message, received_at FROM early_members JOIN early ON id = early "
            "WHERE early_members.name = ? AND field = ? AND early_members.key = ? ORDER BY id",
            (wait.event, wait.field, key_bytes(wait.key)[:KEY_BYTES]),
        ).fetchall()
    else:
        rows = writer.execute(
            "SELECT id, message, received_at FROM early WHERE kind = 'event' AND name = ? ORDER BY id", (wait.event,)
        ).fetchall()
    met = 0
    for id, message, received_at in rows:
        payload = loads(message)
        if wait.field and key_bytes(member(payload, wait.field)) != key_bytes(wait.key):
            continue
        event = EventArrived(task=wait.task, event=wait.event, payload=payload)
        _deliver(writer, id, order, event_bytes(event), received_at)
        met += 1
    return met


def _deliver(writer: sqlite3.Connection, early: int, order: str, event: bytes, received_at: int) -> None:
    writer.execute(_INBOX, (order, event, received_at))
    writer.execute("DELETE FROM early WHERE id = ?", (early,))
    writer.execute("DELETE FROM early_members WHERE early = ?", (early,))


def _fields(writer: sqlite3.Connection, name: str) -> list[str]:
    """The members by which tasks listen for an event, found by skipping through the index."""
    fields: list[str] = []
    row = writer.execute("SELECT min(field) FROM subscriptions WHERE kind = 'event' AND name = ?", (name,)).fetchone()
    while row[0] is not None:
        fields.append(row[0])
        row = writer.execute(
            "SELECT min(field) FROM subscriptions WHERE kind = 'event' AND name = ? AND field > ?", (name, row[0])
        ).fetchone()
    return fields


def _callback(task: str, attempt: int, found: dict[str, Any]) -> CallbackReceived:
    return CallbackReceived(
        task=task,
        outcome=Outcome(found["outcome"]),
        outputs=unpack_values(found["outputs"]),
        code=found["code"],
        message=found["message"],
        attempt=attempt,
    )
