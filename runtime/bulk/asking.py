"""What a bulk intervention asks for each of its targets."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.engine.orchestration.assigning import rule_elsewhere
from orderloom.engine.orchestration.definitions import definitions
from orderloom.models.conversion import Json
from orderloom.models.journal import (
    Event,
    FalloutAction,
    FalloutResolved,
    LineCorrected,
    OrderHeld,
    OrderReleased,
)
from orderloom.models.tasks import AssignRule
from orderloom.runtime import forms
from orderloom.runtime.deployment import Library
from orderloom.runtime.errors import OrderloomError, ValuesRefused
from orderloom.runtime.store.bulk_records import BulkAction, BulkView, Target
from orderloom.runtime.store.interface import Store


class NotAskable(OrderloomError):
    """{why}"""

    code = "not-askable"


def events_for(store: Store, library: Library, bulk: BulkView, target: Target) -> tuple[Event, ...]:
    """The events that carry the action out on one target; none for a handover. Raises NotAskable."""
    by, reason = bulk.who, bulk.reason
    match bulk.action:
        case BulkAction.RETRY:
            return (FalloutResolved(task=target.task, action=FalloutAction.RETRY, by=by, reason=reason),)
        case BulkAction.SKIP:
            return (FalloutResolved(task=target.task, action=FalloutAction.SKIP, by=by, reason=reason),)
        case BulkAction.COMPLETE:
            return (_completed(store, library, bulk, target),)
        case BulkAction.CORRECT:
            return (
                _corrected(store, library, bulk, target),
                FalloutResolved(task=target.task, action=FalloutAction.RETRY, by=by, reason=reason),
            )
        case BulkAction.HOLD:
            return (OrderHeld(by=by, reason=reason),)
        case BulkAction.RESUME:
            return (OrderReleased(by=by, reason=reason),)
        case BulkAction.HAND_OVER:
            return ()


def rule_for(store: Store, library: Library, bulk: BulkView, target: Target) -> AssignRule:
    """How the target's item finds a person in the queue that it goes to. Raises NotAskable."""
    state, queue = store.state(target.order), str(bulk.arguments["queue"])
    found = library.design(state.design).queues.get(queue)
    if found is None or not found.fallout:
        raise NotAskable(why=f"its design has no queue `{queue}` for failed tasks")
    return rule_elsewhere(library.program(state.design), state, target.task, queue)


def _completed(store: Store, library: Library, bulk: BulkView, target: Target) -> Event:
    state = store.state(target.order)
    task = state.tasks.get(target.task)
    if task is None:
        raise NotAskable(why="its task is gone")
    program = library.program(state.design)
    outputs = definitions(program).tasks[task.definition].results().values()
    try:
        read = forms.read_form(outputs, _values(bulk.arguments, "outputs"), program.design.enums)
    except ValuesRefused as refused:
        raise NotAskable(why=refused) from None
    return FalloutResolved(
        task=target.task, action=FalloutAction.COMPLETE, by=bulk.who, reason=bulk.reason, outputs=read
    )


def _corrected(store: Store, library: Library, bulk: BulkView, target: Target) -> Event:
    state = store.state(target.order)
    task = state.tasks.get(target.task)
    line = None if task is None else state.lines.get(task.line)
    if line is None:
        raise NotAskable(why="its task is gone")
    design = library.design(state.design)
    try:
        read = forms.read_values(design.specs[line.spec].attributes, _values(bulk.arguments, "values"), design.enums)
    except ValuesRefused as refused:
        raise NotAskable(why=refused) from None
    return LineCorrected(line=line.id, values=read, by=bulk.who, reason=bulk.reason)


def _values(arguments: Mapping[str, Json], name: str) -> Mapping[str, object]:
    found = arguments.get(name)
    return found if isinstance(found, dict) else {}
