"""`call`: an external system does it, and answers at once or later."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.engine.advance.outcomes import callout_key, fall_out
from orderloom.engine.advance.turn import Turn
from orderloom.models.callout import Callout
from orderloom.models.fulfillment import Line
from orderloom.models.journal import SendCallout
from orderloom.models.plan import Task, TaskRole, TaskState
from orderloom.models.values import Value

_NO_LINE: Mapping[str, Value] = {"id": None, "action": None, "spec": None, "quantity": None}


def start_call(turn: Turn, task: Task) -> None:
    """Sends the callout; `CalloutAnswered` goes on from there."""
    operation = turn.compiled(task).operation
    if operation is None:
        task.code, task.message = "unknown_operation", "the design has no such operation"
        fall_out(turn, task, TaskState.FAILED, why=task.message)
        return
    key = callout_key(turn, task)
    callout = Callout(key=key, operation=operation.name, attempt=task.attempts, context=context(turn, task, key))
    turn.tell(
        SendCallout(
            task=task.id,
            connector=operation.connector,
            callout=callout,
            priority=turn.state.order.priority,
        )
    )


def context(turn: Turn, task: Task, key: str) -> Mapping[str, Mapping[str, Value]]:
    """What the request template may use, see `Callout`. A line that is not there has only absent values."""
    line = turn.line(task)
    scopes = turn.index.scopes
    name = turn.compiled(task).definition.name
    found: dict[str, Mapping[str, Value]] = {
        "line": _values(turn, line),
        "parent": _values(turn, turn.beside(task, line.parent)),
        "root": _values(turn, turn.beside(task, line.root)),
        "order": scopes.order,
        "account": scopes.account,
        "task": {"id": task.id, "name": name, "attempt": task.attempts, "key": key},
    }
    if task.role is TaskRole.CANCEL:
        found["cancelled"] = _cancelled(turn, turn.state.tasks[task.of])
    return found


def _cancelled(turn: Turn, task: Task) -> Mapping[str, Value]:
    """The call that is to be cancelled, with what its system has said so far; what it has not is absent."""
    compiled = turn.compiled(task)
    outputs = dict.fromkeys(compiled.operation.outputs) if compiled.operation else {}
    name, key = compiled.definition.name, callout_key(turn, task)
    return {**outputs, **task.outputs, "id": task.id, "name": name, "attempt": task.attempts, "key": key}


def _values(turn: Turn, line: Line | None) -> Mapping[str, Value]:
    if line is None:
        return _NO_LINE
    known = turn.index.values.get(line.id) if turn.state.lines.get(line.id) is line else None
    if known is None:
        spec = turn.program.specs.get(line.spec)
        values: dict[str, Value] = dict.fromkeys(spec.attributes) if spec else {}
        values.update(line.attributes)
        values.update(id=line.id, action=line.action.value, spec=line.spec, quantity=line.quantity)
        known = values
        if turn.state.lines.get(line.id) is line:
            turn.index.values[line.id] = values
    return known
