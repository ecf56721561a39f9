"""A batch as rows: every table's rows together, each row once, ready for one `executemany` a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orderloom.models.inventory import AssetChange
from orderloom.models.journal import (
    AwaitCallback,
    AwaitEvent,
    AwaitRelated,
    CalloutHeld,
    CalloutReleased,
    CancelTimer,
    CloseWork,
    Command,
    EntryKind,
    FalloutResolved,
    OpenWork,
    PriorityRaised,
    Publish,
    RecallCallout,
    ReturnWork,
    SendCallout,
    StartTimer,
    StopWaiting,
    Submitted,
    WorkCompleted,
    WriteInventory,
)
from orderloom.models.plan import OrderState, PlanState
from orderloom.runtime.store.codec import dumps, micros
from orderloom.runtime.store.event_codec import context_bytes, entries_bytes, event_bytes, exchange_bytes
from orderloom.runtime.store.order_codec import outline_bytes, rest_bytes
from orderloom.runtime.store.records import (
    AnsweredCall,
    Applied,
    Batch,
    InboxEvent,
    OrderCommit,
    Origin,
    Poisoned,
    Refusal,
    Timer,
)
from orderloom.runtime.store.routing import NO_KEY, key_bytes
from orderloom.runtime.store.state_codec import form_bytes, line_bytes, order_bytes, task_bytes

Row = tuple[Any, ...]
_MADE = (EntryKind.LINE_MADE, EntryKind.TASK_MADE)


@dataclass(slots=True)
class Rows:
    """Rows by table. A dictionary holds the last word on a key; None says that the row goes."""

    headers: list[Row] = field(default_factory=list)
    statuses: list[Row] = field(default_factory=list)
    outlines: list[Row] = field(default_factory=list)
    #: what a change left of orders: their content and what of it stands in columns
    amended: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)
    former: list[Row] = field(default_factory=list)
    #: orders whose gates are written anew, and their gates
    gated: list[tuple[str]] = field(default_factory=list)
    gates: list[Row] = field(default_factory=list)
    #: orders whose content has changed while they wait: they look anew at what they wait for
    reordered: list[tuple[str, int]] = field(default_factory=list)
    #: orders that have started: what they have to do with is known now
    started: list[Row] = field(default_factory=list)
    #: orders that are final, for those that wait for them
    ended: list[Row] = field(default_factory=list)
    #: what orders await of related orders, as (order, task definition), and since when
    awaited: dict[str, tuple[tuple[tuple[str, str], ...], int]] = field(default_factory=dict)
    #: orders that have gone on, and when, for those whose tasks wait for theirs
    moved: list[tuple[OrderState, int]] = field(default_factory=list)
    lines: dict[tuple[str, str], Row | None] = field(default_factory=dict)
    tasks: dict[tuple[str, str], Row | None] = field(default_factory=dict)
    journal: list[Row] = field(default_factory=list)
    taken: list[tuple[int]] = field(default_factory=list)
    refused: list[Row] = field(default_factory=list)
    calls_done: list[Row] = field(default_factory=list)
    calls: dict[tuple[str, str], Row] = field(default_factory=dict)
    calls_held: list[Row] = field(default_factory=list)
    timers_done: list[Row] = field(default_factory=list)
    timers: dict[tuple[str, str, str], Row | None] = field(default_factory=dict)
    subscriptions: dict[tuple[str, str], Row | None] = field(default_factory=dict)
    waits: dict[tuple[str, str], AwaitCallback | AwaitEvent] = field(default_factory=dict)
    work: dict[tuple[str, str], Row | None] = field(default_factory=dict)
    work_closed_at: dict[tuple[str, str], int | None] = field(default_factory=dict)
    #: who did the work that is closed
    work_done_by: dict[tuple[str, str], str] = field(default_factory=dict)
    #: items that wait for owners of orders, and orders whose items do so no more since they were changed
    work_returned: dict[tuple[str, str], Row] = field(default_factory=dict)
    work_taken_back: list[tuple[str]] = field(default_factory=list)
    attempts: list[Row] = field(default_factory=list)
    changes: list[tuple[AssetChange, int | None]] = field(default_factory=list)
    published: list[Row] = field(default_factory=list)
    poisoned: list[Row] = field(default_factory=list)
    #: (priority, order) of orders that go before others now
    raised: list[Row] = field(default_factory=list)


def rows_of(batch: Batch) -> Rows:
    """Encodes a batch; nothing is written yet."""
    rows = Rows()
    for commit in batch.commits:
        _commit(rows, commit)
    for refusal in batch.refused:
        _refuse(rows, refusal)
    for stale in batch.stale:
        _settle(rows, stale.order, stale.origin, micros(stale.at))
    for poisoned in batch.poisoned:
        _poison(rows, poisoned)
    return rows


def _commit(rows: Rows, commit: OrderCommit) -> None:
    state = commit.state
    order = state.order.id
    version = expected = state.version - len(commit.applied)
    lines: set[str] = set()
    tasks: set[str] = set()
    made = commit.sizes != (len(state.lines), len(state.tasks))
    made = made or (commit.lines is not None and commit.lines is not state.lines)
    raised = False
    for applied in commit.applied:
        version += 1
        raised = raised or isinstance(applied.event, PriorityRaised)
        step = applied.step
        at = micros(applied.at)
        rows.journal.append((order, version, at, event_bytes(applied.event), entries_bytes(step.entries)))
        lines.update(step.lines)
        tasks.update(step.tasks)
        made = made or any(entry.kind in _MADE for entry in step.entries)
        _settle(rows, order, applied.origin, at)
        _holding(rows, order, applied)
        for command in step.commands:
            _COMMANDS[type(command)](rows, state, command, applied.at)
    for id in lines:
        line = state.lines.get(id)
        rows.lines[order, id] = None if line is None else (order, id, line.spec, line.state._value_, line_bytes(line))
    for id in tasks:
        task = state.tasks.get(id)
        rows.tasks[order, id] = None if task is None else (order, id, task.state._value_, task_bytes(task))
    if commit.revision != state.revision or commit.former != len(state.former):
        made = True
        _change(rows, commit)
    if raised:
        rows.amended.append((order_bytes(state.order), order))
        rows.raised.append((state.order.priority, order))
    if commit.gates is not None:
        rows.gated.append((order,))
        rows.gates += [(order, gate.waits_for, gate.kind._value_, gate.reason) for gate in commit.gates]
    at = micros(commit.applied[-1].at)
    rows.moved.append((state, at or 0))
    if any(isinstance(applied.event, Submitted) for applied in commit.applied):
        rows.started.append((order, at))
    if state.status.final:
        rows.ended.append((order, at))
    elif state.plan is PlanState.NOT_STARTED and commit.revision != state.revision:
        rows.reordered.append((order, at or 0))
    if made:
        rows.outlines.append((outline_bytes(state), order))
    rows.headers.append(
        (
            state.version,
            state.plan._value_,
            micros(commit.applied[-1].at),
            micros(state.started_at),
            micros(state.completed_at),
            rest_bytes(state),
            order,
            expected,
        )
    )
    if state.status is not commit.status:
        rows.statuses.append((state.status._value_, order))


def _change(rows: Rows, commit: OrderCommit) -> None:
    """What a change has superseded, and the content and the design that the order has now."""
    state = commit.state
    order = state.order.id
    rows.amended.append((order_bytes(state.order), order))
    rows.work_taken_back.append((order,))
    rows.changed.append((state.design, state.order.external_id, order))
    rows.raised.append((state.order.priority, order))
    fresh = list(state.former.items())[commit.former :]
    rows.former += [(order, id, line.id, line_bytes(line)) for id, line in fresh]


def _settle(rows: Rows, order: str, origin: Origin, at: int | None) -> None:
    """What was durable of an event goes with its effect."""
    if origin is None:
        return
    if isinstance(origin, AnsweredCall):
        rows.calls_done.append((order, origin.task, origin.attempt))
        exchange = None if origin.exchange is None else exchange_bytes(origin.exchange)
        rows.attempts.append(
            (
                order,
                origin.task,
                origin.attempt,
                origin.key,
                origin.connector,
                origin.operation,
                origin.outcome,
                origin.code,
                origin.message,
                at,
                exchange,
            )
        )
    elif isinstance(origin, Timer):
        rows.timers_done.append((order, origin.task, origin.kind._value_, origin.attempt))
    else:
        rows.taken.append((origin.id,))


def _holding(rows: Rows, order: str, applied: Applied) -> None:
    event = applied.event
    if isinstance(event, CalloutHeld):
        rows.calls_held.append((event.reason, order, event.task, event.attempt))
    elif isinstance(event, CalloutReleased):
        rows.calls_held.append(("", order, event.task, event.attempt))
    elif isinstance(event, (WorkCompleted, FalloutResolved)):
        rows.work_done_by[order, event.task] = event.by


def _refuse(rows: Rows, refusal: Refusal) -> None:
    origin = refusal.origin
    if isinstance(origin, InboxEvent):
        rows.refused.append((refusal.message, origin.id))
    else:
        _settle(rows, refusal.order, origin, 0)


def _poison(rows: Rows, poisoned: Poisoned) -> None:
    at = micros(poisoned.at)
    _settle(rows, poisoned.order, poisoned.origin, at)
    rows.poisoned.append((poisoned.order, event_bytes(poisoned.event), at, poisoned.message, poisoned.traceback))
    rows.published.append((poisoned.order, at, "event.poisoned", dumps({"message": poisoned.message})))


# --- commands --------------------------------------------------------------------------------------------------------


def _send(rows: Rows, state: OrderState, command: SendCallout, at: datetime) -> None:
    callout = command.callout
    order = state.order.id
    rows.calls[order, command.task] = (
        order,
        command.task,
        callout.attempt,
        callout.key,
        command.connector,
        callout.operation,
        command.priority,
        state.design,
        micros(at),
        context_bytes(callout.context),
        "",
    )


def _recall(rows: Rows, state: OrderState, command: RecallCallout, _at: datetime) -> None:
    key = (state.order.id, command.task)
    call = rows.calls.get(key)
    if call is not None and call[2] == command.attempt:
        del rows.calls[key]
    rows.calls_done.append((*key, command.attempt))


def _start_timer(rows: Rows, state: OrderState, command: StartTimer, _at: datetime) -> None:
    key = (state.order.id, command.task, command.kind._value_)
    rows.timers[key] = (*key, command.attempt, micros(command.due))


def _cancel_timer(rows: Rows, state: OrderState, command: CancelTimer, _at: datetime) -> None:
    rows.timers[state.order.id, command.task, command.kind._value_] = None


def _await_callback(rows: Rows, state: OrderState, command: AwaitCallback, _at: datetime) -> None:
    key = (state.order.id, command.task)
    rows.subscriptions[key] = (*key, "callback", command.operation, "", key_bytes(command.correlation))
    rows.waits[key] = command


def _await_event(rows: Rows, state: OrderState, command: AwaitEvent, _at: datetime) -> None:
    key = (state.order.id, command.task)
    sought = key_bytes(command.key) if command.field else NO_KEY
    rows.subscriptions[key] = (*key, "event", command.event, command.field, sought)
    rows.waits[key] = command


def _await_related(rows: Rows, state: OrderState, command: AwaitRelated, at: datetime) -> None:
    rows.awaited[state.order.id] = (command.tasks, micros(at) or 0)


def _stop_waiting(rows: Rows, state: OrderState, command: StopWaiting, _at: datetime) -> None:
    key = (state.order.id, command.task)
    rows.subscriptions[key] = None
    rows.waits.pop(key, None)


def _open_work(rows: Rows, state: OrderState, command: OpenWork, at: datetime) -> None:
    key = (state.order.id, command.task)
    now = micros(at)
    rows.work_closed_at[key] = now
    rows.work[key] = (
        *key,
        command.kind._value_,
        command.queue,
        command.title,
        form_bytes(command.form),
        micros(command.due),
        command.priority,
        "open",
        "",
        command.code,
        command.message,
        now,
        command.assign._value_,
        dumps(command.skills),
    )


def _close_work(rows: Rows, state: OrderState, command: CloseWork, at: datetime) -> None:
    key = (state.order.id, command.task)
    rows.work_closed_at[key] = micros(at)
    rows.work_returned.pop(key, None)
    rows.work[key] = None


def _return_work(rows: Rows, state: OrderState, command: ReturnWork, at: datetime) -> None:
    asked = (command.line, dumps(command.attributes), command.text, command.by, micros(at))
    rows.work_returned[state.order.id, command.task] = (*asked, state.order.id, command.task)


def _write_inventory(rows: Rows, _state: OrderState, command: WriteInventory, at: datetime) -> None:
    now = micros(at)
    rows.changes += [(change, now) for change in command.changes]


def _publish(rows: Rows, state: OrderState, command: Publish, at: datetime) -> None:
    rows.published.append((state.order.id, micros(at), command.kind, dumps(dict(command.data))))


_COMMANDS: dict[type[Command], Any] = {
    SendCallout: _send,
    RecallCallout: _recall,
    StartTimer: _start_timer,
    CancelTimer: _cancel_timer,
    AwaitCallback: _await_callback,
    AwaitEvent: _await_event,
    AwaitRelated: _await_related,
    StopWaiting: _stop_waiting,
    OpenWork: _open_work,
    CloseWork: _close_work,
    ReturnWork: _return_work,
    WriteInventory: _write_inventory,
    Publish: _publish,
}
