"""`advance`: one event applied to one order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from orderloom.engine.advance.agenda import settle
from orderloom.engine.advance.answers import callback_received, callout_answered, callout_held, callout_released
from orderloom.engine.advance.changing import change_requested
from orderloom.engine.advance.index import index_of
from orderloom.engine.advance.people import (
    fallout_resolved,
    information_required,
    line_corrected,
    order_held,
    order_released,
    priority_raised,
    work_completed,
)
from orderloom.engine.advance.related import related_orders_waived, related_task_ended
from orderloom.engine.advance.submission import order_deferred, submitted
from orderloom.engine.advance.turn import Turn
from orderloom.engine.advance.waits import event_arrived, timer_fired
from orderloom.engine.program import Program
from orderloom.models.journal import (
    AmendmentRequested,
    CallbackReceived,
    CalloutAnswered,
    CalloutHeld,
    CalloutReleased,
    CancellationRequested,
    Event,
    EventArrived,
    FalloutResolved,
    InformationRequired,
    LineCorrected,
    MigrationRequested,
    OrderDeferred,
    OrderHeld,
    OrderReleased,
    PriorityRaised,
    RelatedOrdersWaived,
    RelatedTaskEnded,
    Step,
    Submitted,
    TimerFired,
    WorkCompleted,
)
from orderloom.models.plan import OrderState

_HANDLERS: Mapping[type[Event], Callable[[Turn, Any], None]] = {
    Submitted: submitted,
    OrderDeferred: order_deferred,
    RelatedTaskEnded: related_task_ended,
    RelatedOrdersWaived: related_orders_waived,
    TimerFired: timer_fired,
    CalloutAnswered: callout_answered,
    CalloutHeld: callout_held,
    CalloutReleased: callout_released,
    CallbackReceived: callback_received,
    EventArrived: event_arrived,
    WorkCompleted: work_completed,
    FalloutResolved: fallout_resolved,
    InformationRequired: information_required,
    LineCorrected: line_corrected,
    OrderHeld: order_held,
    OrderReleased: order_released,
    PriorityRaised: priority_raised,
    AmendmentRequested: change_requested,
    CancellationRequested: change_requested,
    MigrationRequested: change_requested,
}


def advance(program: Program, state: OrderState, event: Event, at: datetime) -> Step:
    """Applies an event that happened at this instant (UTC): changes `state` in place, returns what is to be told.

    An event that is stale or a duplicate changes nothing and gives an empty step, with the version as it was; any
    other raises the version by one. Raises Refused where a person asks for what is not possible, with nothing changed.
    """
    turn = Turn(program, state, index_of(program, state), at)
    _HANDLERS[type(event)](turn, event)
    if turn.agenda or turn.entries:
        settle(turn)
    step = turn.step()
    if step.entries or step.commands or step.tasks or step.lines:
        state.version += 1
    return step
