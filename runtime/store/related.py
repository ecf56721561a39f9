"""Tasks that wait for tasks of related orders. What they await are subscriptions of a kind of their own: `name` is the
other order, by id or external id, `field` the task definition. They are looked up in the transaction that makes another
order go on; so an order is told with the commit that it waits for or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from orderloom.engine.advance import awaited_by, related_verdict, waits_only_for
from orderloom.models.journal import RelatedTaskEnded
from orderloom.models.plan import OrderState, PlanState
from orderloom.runtime.store.event_codec import event_bytes
from orderloom.runtime.store.loading import load_states
from orderloom.runtime.store.records import GateKind
from orderloom.runtime.store.routing import NO_KEY
from orderloom.runtime.store.rows import Rows

_AWAIT = "INSERT INTO subscriptions (order_id, task, kind, name, field, key) VALUES (?, ?, 'related', ?, ?, ?)"
_ANY = "SELECT 1 FROM subscriptions WHERE kind = 'related' LIMIT 1"
_OF = "SELECT order_id, field FROM subscriptions WHERE kind = 'related' AND name = ?"
_TOLD = "DELETE FROM subscriptions WHERE order_id = ? AND task = ?"
_GATES = "SELECT waits_for FROM gates WHERE order_id = ? AND kind != 'ended'"
_LIVE = "SELECT name, field FROM subscriptions WHERE order_id = ? AND kind = 'related'"
_ALL_OF = "DELETE FROM subscriptions WHERE order_id = ? AND kind = 'related'"
_SENT = "SELECT 1 FROM inbox WHERE order_id = ? AND refused IS NULL LIMIT 1"
_INBOX = "INSERT INTO inbox (order_id, event, received_at, priority) SELECT id, ?, ?, priority FROM orders WHERE id = ?"
_NAMED = "SELECT id FROM orders WHERE external_id = ? AND external_id != '' ORDER BY sequence DESC LIMIT 1"


def write_related(writer: sqlite3.Connection, rows: Rows) -> int:
    """Inside a transaction, after the states of orders. Returns how many events it put into the inbox."""
    told = 0
    for order, (tasks, at) in rows.awaited.items():
        writer.execute(_ALL_OF, (order,))
        writer.executemany(_AWAIT, [(order, _key(*each), *each, NO_KEY) for each in tasks])
        # what is awaited may be over already
        for other in sorted({name for name, _task in tasks}):
            state = _found(writer, other)
            if state is not None:
                told += _tell(writer, other, state, at, [(order, task) for name, task in tasks if name == other])
                told += _tell_of_circles(writer, state, at, only=order)
    for order, _at in rows.ended:
        writer.execute(_ALL_OF, (order,))
    if writer.execute(_ANY).fetchone():
        now = max((at for _state, at in rows.moved), default=0)
        for (gated,) in set(rows.gated):
            state = _found(writer, gated)
            if state is not None and state.plan is PlanState.NOT_STARTED:
                told += _tell_of_circles(writer, state, now)
        for state, at in rows.moved:
            for name in _names(state):
                waiting = writer.execute(_OF, (name,)).fetchall()
                told += _tell(writer, name, state, at, waiting) if waiting else 0
        # last, since who has been told something goes on
        for state, at in rows.moved:
            told += _tell_of_standstill(writer, state, at)
        for (gated,) in set(rows.gated):
            for state in _waiting_for(writer, gated):
                told += _tell_of_standstill(writer, state, now)
    return told


def _tell(writer: sqlite3.Connection, name: str, state: OrderState, at: int, waiting: list[tuple[str, str]]) -> int:
    """Tells those who wait, and forgets that they do. Returns how many events that makes."""
    verdicts = {task: related_verdict(state, task) for task in {task for _order, task in waiting}}
    told = 0
    for order, task in waiting:
        problem = verdicts[task]
        if problem is not None:
            told += _post(writer, order, RelatedTaskEnded(order=name, task=task, problem=problem), at)
    return told


def _post(writer: sqlite3.Connection, order: str, event: RelatedTaskEnded, at: int) -> int:
    writer.execute(_TOLD, (order, _key(event.order, event.task)))
    return writer.execute(_INBOX, (event_bytes(event), at, order)).rowcount


def _tell_of_circles(writer: sqlite3.Connection, state: OrderState, at: int, only: str = "") -> int:
    """Tells those who wait for tasks of an order which wait for them in turn: they would wait for ever."""
    told = 0
    for name in _names(state):
        for order, task in writer.execute(_OF, (name,)).fetchall():
            if only in ("", order) and _is_circle(writer, state.order.id, task):
                problem = f"order `{state.order.id}` waits for this one in turn"
                told += _post(writer, order, RelatedTaskEnded(order=name, task=task, problem=problem), at)
    return told


def _tell_of_standstill(writer: sqlite3.Connection, state: OrderState, at: int) -> int:
    """Tells an order which waits for nothing but others that none of them will ever go on.

    A circle may close where no task is put after another, through an attribute that a task is to supply; it shows once
    all orders in it wait for each other and for nothing else.
    """
    awaited = waits_only_for(state)
    if not awaited or not _stand_still(writer, state):
        return 0
    problem = "order `{}` waits for this one in turn"
    return sum(
        _post(writer, state.order.id, RelatedTaskEnded(order=name, task=task, problem=problem.format(name)), at)
        for name, task in sorted(awaited)
    )


def _stand_still(writer: sqlite3.Connection, state: OrderState) -> bool:
    """Whether an order and all that it waits for, through whatever orders, wait for each other and for nothing else."""
    todo, seen = [state], {state.order.id}
    while todo:
        awaited = _waits_only_for(writer, todo.pop())
        others = [_found(writer, name) for name in awaited]
        if not others:
            return False
        for other in others:
            if other is None:
                # it may still come
                return False
            if other.order.id not in seen:
                seen.add(other.order.id)
                todo.append(other)
    return True


def _waits_only_for(writer: sqlite3.Connection, state: OrderState) -> list[str]:
    """The orders that an order waits for, where it waits for nothing else and nothing has been sent to it."""
    order = state.order.id
    if state.status.final or writer.execute(_SENT, (order,)).fetchone():
        return []
    if state.plan is PlanState.NOT_STARTED:
        gates = writer.execute("SELECT waits_for, kind FROM gates WHERE order_id = ?", (order,)).fetchall()
        return [] if any(kind == GateKind.ENDED for _name, kind in gates) else sorted({name for name, _kind in gates})
    awaited = waits_only_for(state)
    live = set(writer.execute(_LIVE, (order,)).fetchall())
    return sorted({name for name, _task in awaited}) if awaited <= live else []


def _waiting_for(writer: sqlite3.Connection, order: str) -> list[OrderState]:
    """The orders whose tasks wait for tasks of an order."""
    state = _found(writer, order)
    named = {row[0] for name in (_names(state) if state else ()) for row in writer.execute(_OF, (name,)).fetchall()}
    return load_states(writer, tuple(sorted(named))) if named else []


def _is_circle(writer: sqlite3.Connection, order: str, task: str) -> bool:
    """Whether what tasks of an order wait for leads, through whatever orders, back to them. An order that waits as a
    whole waits for all tasks of the others."""
    start = (order, task)
    todo, seen = [start], {start}
    while todo:
        for each in _before(writer, *todo.pop()):
            if each == start:
                return True
            if each not in seen:
                seen.add(each)
                todo.append(each)
    return False


def _before(writer: sqlite3.Connection, order: str, task: str) -> Iterator[tuple[str, str]]:
    state = _found(writer, order)
    if state is None:
        return
    if state.plan is PlanState.NOT_STARTED:
        for (other,) in writer.execute(_GATES, (order,)).fetchall():
            yield other, ""
        return
    live = set(writer.execute(_LIVE, (order,)).fetchall())
    for name, awaited in sorted(awaited_by(state, task) & live):
        other_state = _found(writer, name)
        if other_state is not None:
            yield other_state.order.id, awaited


def _found(writer: sqlite3.Connection, name: str) -> OrderState | None:
    if not writer.execute("SELECT 1 FROM orders WHERE id = ?", (name,)).fetchone():
        row = writer.execute(_NAMED, (name,)).fetchone()
        name = row[0] if row else ""
    return next(iter(load_states(writer, (name,))), None)


def _names(state: OrderState) -> Iterator[str]:
    yield state.order.id
    if state.order.external_id and state.order.external_id != state.order.id:
        yield state.order.external_id


def _key(order: str, task: str) -> str:
    """Stands where other subscriptions have a task of the order; no task is called so."""
    return f"{order} {task}"
