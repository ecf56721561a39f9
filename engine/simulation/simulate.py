"""Runs an order on a virtual clock, against a script, offline: days in milliseconds, the same in every run."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orderloom.engine.advance import Refused, advance
from orderloom.engine.change import assess
from orderloom.engine.inventory import apply_change
from orderloom.engine.program import Program
from orderloom.engine.simulation.agenda import Agenda
from orderloom.engine.simulation.coverage import Coverage, used
from orderloom.engine.simulation.script import Script
from orderloom.engine.simulation.world import Made, World
from orderloom.models.change import ChangePlan
from orderloom.models.inventory import EMPTY, Asset, AssetState, Inventory
from orderloom.models.journal import (
    ChangeRequest,
    Command,
    Entry,
    EntryKind,
    Event,
    MigrationRequested,
    Submitted,
    WriteInventory,
)
from orderloom.models.order import ProductOrder
from orderloom.models.plan import OrderState, PlanState

#: a simulation that runs longer has a design or a script that never ends
MOST_EVENTS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One amendment, cancellation or migration that was asked for."""

    at: datetime
    #: what a dry run told right before
    predicted: ChangePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationResult:
    """What became of a simulated order."""

    state: OrderState
    #: with the virtual instant of each entry; what was refused stands as a note
    journal: tuple[tuple[datetime, Entry], ...]
    #: the events in their order, for a replay
    events: tuple[tuple[Event, datetime], ...]
    callouts: tuple[Made, ...]
    #: commands in their order, with the virtual instant of each
    commands: tuple[tuple[datetime, Command], ...]
    inventory: Inventory
    coverage: Coverage
    changes: tuple[Change, ...]
    #: the order as it was when the script wanted it looked at
    looks: tuple[tuple[timedelta, OrderState], ...]
    #: instant of the last event
    ended: datetime


def simulate(
    program: Program,
    order: ProductOrder,
    inventory: Inventory = EMPTY,
    script: Script | None = None,
    *,
    start: datetime | None = None,
    horizon: timedelta = timedelta(days=366),
) -> SimulationResult:
    """Submits the order at `start` (default: its order date); runs to the horizon, or until nothing more happens."""
    at = start or order.order_date
    agenda = Agenda()
    agenda.put(at, Submitted(inventory=inventory))
    return run(program, OrderState(order=order, design=program.design.digest), agenda, inventory, script, at + horizon)


def run(
    program: Program,
    state: OrderState,
    agenda: Agenda,
    inventory: Inventory,
    script: Script | None,
    end: datetime,
) -> SimulationResult:
    """Goes on with an order from the events on the agenda; the first of them is the start of the script's times."""
    script = script or Script()
    world = World(program, state, agenda, script)
    assets = dict(inventory.assets)
    journal: list[tuple[datetime, Entry]] = []
    commands: list[tuple[datetime, Command]] = []
    events: list[tuple[Event, datetime]] = []
    at = agenda.next_at or end
    submitted = at
    changes: list[Change] = []
    looks: list[tuple[timedelta, OrderState]] = []
    wanted = sorted(script.looks, reverse=True)
    world.open(at)
    while agenda.next_at is not None and agenda.next_at <= end and len(events) < MOST_EVENTS:
        due, happening = agenda.take()
        if happening is None:
            continue
        while wanted and submitted + wanted[-1] < due:
            looks.append((wanted.pop(), _copy(state)))
        at = due
        try:
            event = happening(state, Inventory(assets=dict(assets), at=at)) if callable(happening) else happening
            goes_to = script.versions.get(event.design, program) if isinstance(event, MigrationRequested) else program
            predicted = _dry_run(goes_to, state, event)
            step = advance(goes_to, state, event, at)
        except Refused as refusal:
            journal.append((at, Entry(EntryKind.NOTE, "", {"text": f"refused: {refusal}"})))
            continue
        events.append((event, at))
        if predicted is not None:
            changes.append(Change(at=at, predicted=predicted))
        if goes_to is not program and state.design == goes_to.design.digest:
            program = goes_to
            world.go_on_with(program)
        journal.extend((at, entry) for entry in step.entries)
        for command in step.commands:
            commands.append((at, command))
            if isinstance(command, WriteInventory):
                _write(assets, command)
            else:
                world.hear(command, at)
    looks.extend((look, _copy(state)) for look in reversed(wanted))
    return SimulationResult(
        state=state,
        journal=tuple(journal),
        events=tuple(events),
        callouts=tuple(world.made),
        commands=tuple(commands),
        inventory=Inventory(assets=assets, at=at),
        coverage=used(program, state),
        changes=tuple(changes),
        looks=tuple(looks),
        ended=at,
    )


def _dry_run(program: Program, state: OrderState, event: Event) -> ChangePlan | None:
    """What a change would do; None for anything else, and for an order that cannot be changed."""
    if not isinstance(event, ChangeRequest) or state.status.final or state.plan is PlanState.NOT_STARTED:
        return None
    return assess(program, state, event)


def _write(assets: dict[str, Asset], command: WriteInventory) -> None:
    for change in command.changes:
        asset = apply_change(assets.get(change.id), change)
        if asset.state is AssetState.TERMINATED:
            assets.pop(change.id, None)
        else:
            assets[change.id] = asset


def _copy(state: OrderState) -> OrderState:
    return deepcopy(replace(state, index=None))
