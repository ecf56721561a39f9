"""Applies the events of one order, one after the other, to what becomes one commit."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from orderloom.engine.advance import Refused, advance
from orderloom.engine.program import Program
from orderloom.models.inventory import Inventory
from orderloom.models.journal import Event, Submitted
from orderloom.models.plan import OrderState
from orderloom.runtime.store.records import Applied, OrderCommit, Poisoned, Refusal, Stale, Submission
from orderloom.runtime.worker.arrivals import Arrival

#: what an account has, at that instant
ReadInventory = Callable[[str, datetime], Inventory]


@dataclass(slots=True)
class Outcome:
    """What became of the events of one order."""

    #: None where none was applied
    commit: OrderCommit | None = None
    refused: list[Refusal] = field(default_factory=list)
    stale: list[Stale] = field(default_factory=list)
    poisoned: Poisoned | None = None
    #: not looked at, because one before them failed
    left: list[Arrival] = field(default_factory=list)
    #: the state can no longer be trusted
    spoiled: bool = False


def apply_events(
    program: Program,
    state: OrderState,
    arrivals: list[Arrival],
    at: datetime,
    inventory: ReadInventory,
) -> Outcome:
    """Advances `state` in place.

    Where the core fails on an event that others came before, nothing is kept and all are left, since the state is
    spoiled: they are to be applied again one by one, which finds the culprit. Alone, it is poisoned.
    """
    outcome = Outcome()
    sizes, status = (len(state.lines), len(state.tasks)), state.status
    applied: list[Applied] = []
    for arrival in arrivals:
        event: Event | None = None
        try:
            event = _event(state, arrival, at, inventory)
            version = state.version
            step = advance(program, state, event, at)
        except Refused as refusal:
            outcome.refused.append(Refusal(order=arrival.order, origin=arrival.origin, message=str(refusal)))
            continue
        except Exception as error:
            if applied or outcome.refused or outcome.stale:
                return Outcome(left=arrivals, spoiled=True)
            return Outcome(poisoned=_poisoned(arrival, event, at, error), left=arrivals[1:], spoiled=True)
        if state.version == version:
            outcome.stale.append(Stale(order=arrival.order, origin=arrival.origin, at=at))
            continue
        applied.append(Applied(event=event, at=at, step=step, origin=arrival.origin))
    if applied:
        outcome.commit = OrderCommit(state=state, sizes=sizes, status=status, applied=applied)
    return outcome


def _event(state: OrderState, arrival: Arrival, at: datetime, inventory: ReadInventory) -> Event:
    event = arrival.event
    if not isinstance(event, Submission):
        return event
    if state.version:
        raise Refused(f"order `{arrival.order}` was started before")
    return Submitted(inventory=inventory(state.order.account.id, at))


def _poisoned(arrival: Arrival, event: Event | None, at: datetime, error: Exception) -> Poisoned:
    return Poisoned(
        order=arrival.order,
        event=event or arrival.event,
        at=at,
        message=f"{type(error).__name__}: {error}",
        traceback="".join(traceback.format_exception(error)),
        origin=arrival.origin,
    )
