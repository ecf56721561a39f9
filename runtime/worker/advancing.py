"""Applies the events of one order, one after the other, to what becomes one commit."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from orderloom.engine.advance import Refused, advance
from orderloom.engine.program import Program
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.journal import (
    AmendmentRequested,
    CancellationRequested,
    Event,
    MigrationRequested,
    OrderDeferred,
    RelatedOrdersWaived,
    Submitted,
)
from orderloom.models.order import ProductOrder
from orderloom.models.plan import OrderState, PlanState
from orderloom.runtime.store.records import IN_THE_WAY, Applied, Gate, OrderCommit, Poisoned, Refusal, Stale, Submission
from orderloom.runtime.worker.arrivals import Arrival

#: what an account has, at that instant
ReadInventory = Callable[[str, datetime], Inventory]
#: what an order has to wait for before it is taken up
ReadGates = Callable[[OrderState], tuple[Gate, ...]]
#: why an order cannot have other content now, given what its account has
ReadConflicts = Callable[[OrderState, ProductOrder, Inventory], tuple[str, ...]]


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
    programs: Callable[[str], Program],
    state: OrderState,
    arrivals: list[Arrival],
    at: datetime,
    inventory: ReadInventory,
    gates: ReadGates,
    conflicts: ReadConflicts,
) -> Outcome:
    """Advances `state` in place.

    Where the core fails on an event that others came before, nothing is kept and all are left, since the state is
    spoiled: they are to be applied again one by one, which finds the culprit. Alone, it is poisoned.
    """
    outcome = Outcome()
    commit = OrderCommit(
        state=state,
        sizes=(len(state.lines), len(state.tasks)),
        lines=state.lines,
        status=state.status,
        revision=state.revision,
        former=len(state.former),
        design=state.design,
    )
    applied = commit.applied
    for arrival in arrivals:
        event: Event | None = None
        try:
            event = _event(commit, arrival, at, inventory, gates)
            _refuse_conflict(state, event, conflicts)
            version = state.version
            step = advance(programs(design_for(state, event)), state, event, at)
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
        outcome.commit = commit
    return outcome


def design_for(state: OrderState, event: Event | Submission) -> str:
    """Digest of the design that an event is applied with."""
    return event.design if isinstance(event, MigrationRequested) else state.design


def _event(commit: OrderCommit, arrival: Arrival, at: datetime, inventory: ReadInventory, gates: ReadGates) -> Event:
    event, state = arrival.event, commit.state
    if isinstance(event, Submission):
        return _taken_up(commit, event, at, inventory, gates)
    if isinstance(event, AmendmentRequested | CancellationRequested | MigrationRequested):
        # what inventory holds is read when the request is taken up
        return replace(event, inventory=inventory(state.order.account.id, at))
    return event


def _refuse_conflict(state: OrderState, event: Event, conflicts: ReadConflicts) -> None:
    """An order that has started does not come to change what others in flight are changing."""
    if not isinstance(event, AmendmentRequested) or event.force or not state.tasks or state.status.final:
        return
    if found := conflicts(state, event.order, event.inventory):
        raise Refused(f"order `{state.order.id}` cannot have this content yet: {'; '.join(found)}")


def _taken_up(
    commit: OrderCommit, event: Submission, at: datetime, inventory: ReadInventory, gates: ReadGates
) -> Event:
    state = commit.state
    if state.plan is not PlanState.NOT_STARTED or state.status.final:
        return RelatedOrdersWaived(by=event.by, reason=event.reason) if event.by else Submitted(inventory=EMPTY)
    found = () if event.force else gates(state)
    if event.by and (in_the_way := [gate.reason for gate in found if gate.kind in IN_THE_WAY]):
        raise Refused(f"order `{state.order.id}` cannot start, others are in its way: {'; '.join(in_the_way)}")
    if found and not event.by:
        commit.gates = found
        return OrderDeferred(reasons=tuple(gate.reason for gate in found))
    if state.version:
        commit.gates = ()
    return Submitted(inventory=inventory(state.order.account.id, at), by=event.by, reason=event.reason)


def _poisoned(arrival: Arrival, event: Event | None, at: datetime, error: Exception) -> Poisoned:
    return Poisoned(
        order=arrival.order,
        event=event or arrival.event,
        at=at,
        message=f"{type(error).__name__}: {error}",
        traceback="".join(traceback.format_exception(error)),
        origin=arrival.origin,
    )
