"""The state of an order as a whole, from its rows and as bytes."""

from __future__ import annotations

from typing import Any, cast

from orderloom.models.fulfillment import Line
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.journal import ChangeRequest
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.plan import OrderState, PlanState, Task, WaitingChange
from orderloom.runtime.store.codec import dumps, instant, loads, maybe_instant, micros
from orderloom.runtime.store.event_codec import event_of, packed_event
from orderloom.runtime.store.state_codec import line_bytes, order_bytes, task_bytes

Found = dict[str, Any]

_STATUSES = {str(status): status for status in OrderStatus}
_NOTHING = dumps({})


def state_from(
    header: tuple[str, int, str, str, int | None, int | None, bytes],
    order: ProductOrder,
    outline: bytes,
    lines: dict[str, Line],
    tasks: dict[str, Task],
    former: dict[str, Line],
) -> OrderState:
    """An order's state from its rows; the header is (design, version, status, plan, started, completed, rest)."""
    design, version, status, plan, started, completed, rest = header
    found = loads(rest)
    line_ids, task_ids, *more = loads(outline)
    return OrderState(
        order=order,
        design=design,
        version=version,
        status=_STATUSES[status],
        plan=PlanState(plan),
        lines={id: lines[id] for id in line_ids},
        tasks={id: tasks[id] for id in task_ids},
        reasons=tuple(found.get("reasons", ())),
        held_from=_STATUSES[found["held_from"]] if "held_from" in found else None,
        jeopardy=Jeopardy(found.get("jeopardy", "green")),
        jeopardy_at=maybe_instant(found.get("jeopardy_at")),
        expected=maybe_instant(found.get("expected")),
        started_at=maybe_instant(started),
        completed_at=maybe_instant(completed),
        revision=found.get("revision", 0),
        former={id: former[id] for id in (more[0] if more else ())},
        change=_change(found["change"]) if "change" in found else None,
    )


def rest_bytes(state: OrderState) -> bytes:
    """What no column of the header holds."""
    if not (state.reasons or state.held_from or state.revision or state.change or _is_timed(state)):
        return _NOTHING
    found: Found = {"reasons": state.reasons}
    if state.held_from is not None:
        found["held_from"] = state.held_from._value_
    if state.revision:
        found["revision"] = state.revision
    if state.change is not None:
        change = state.change
        found["change"] = {
            "request": packed_event(change.request),
            "at": micros(change.at),
            "status": change.status._value_,
        }
    if state.jeopardy is not Jeopardy.GREEN:
        found["jeopardy"] = state.jeopardy._value_
    if state.jeopardy_at is not None:
        found["jeopardy_at"] = micros(state.jeopardy_at)
    if state.expected is not None:
        found["expected"] = micros(state.expected)
    return dumps(found)


def _is_timed(state: OrderState) -> bool:
    return state.jeopardy_at is not None or state.expected is not None or state.jeopardy is not Jeopardy.GREEN


def _change(found: Found) -> WaitingChange:
    request = cast("ChangeRequest", event_of(found["request"]))
    return WaitingChange(request=request, at=instant(found["at"]), status=_STATUSES[found["status"]])


def outline_bytes(state: OrderState) -> bytes:
    """The order of lines and tasks."""
    outline = [list(state.lines), list(state.tasks)]
    return dumps([*outline, list(state.former)] if state.former else outline)


def state_bytes(state: OrderState) -> bytes:
    """All of a state, byte for byte the same for the same state."""
    return dumps(
        {
            "order": order_bytes(state.order).decode(),
            "design": state.design,
            "version": state.version,
            "status": state.status._value_,
            "plan": state.plan._value_,
            "started": micros(state.started_at),
            "completed": micros(state.completed_at),
            "rest": rest_bytes(state).decode(),
            "lines": [(id, line_bytes(line).decode()) for id, line in state.lines.items()],
            "tasks": [(id, task_bytes(task).decode()) for id, task in state.tasks.items()],
            "former": [(id, line_bytes(line).decode()) for id, line in state.former.items()],
        }
    )
