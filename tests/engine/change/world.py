"""The outside world of one order, driven one event at a time in any order."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from orderloom.engine.advance import advance
from orderloom.engine.advance.index import Index
from orderloom.engine.inventory import apply_change
from orderloom.engine.lifecycle import LINE_EDGES, ORDER_EDGES, PLAN_EDGES, TASK_EDGES
from orderloom.engine.program import Program
from orderloom.models.callout import Outcome
from orderloom.models.inventory import Asset, AssetState, Inventory
from orderloom.models.journal import (
    CalloutAnswered,
    CancelTimer,
    CloseWork,
    EntryKind,
    Event,
    FalloutAction,
    FalloutResolved,
    OpenWork,
    SendCallout,
    StartTimer,
    Step,
    Submitted,
    TimerFired,
    WorkCompleted,
    WorkKind,
    WriteInventory,
)
from orderloom.models.order import ProductOrder
from orderloom.models.plan import OrderState, TaskRole, TaskState
from orderloom.models.tasks import TaskKind
from tests.engine.building import DAY

EDGES: dict[EntryKind, Any] = {
    EntryKind.TASK_STATE: TASK_EDGES,
    EntryKind.LINE_STATE: LINE_EDGES,
    EntryKind.ORDER_STATE: ORDER_EDGES,
    EntryKind.PLAN_STATE: PLAN_EDGES,
}


class World:
    """One order, what could happen to it next, and what it has left outside."""

    def __init__(self, program: Program, order: ProductOrder, inventory: Inventory) -> None:
        self.program = program
        self.state = OrderState(order=order, design=program.design.digest)
        self.assets = dict(inventory.assets)
        self.at = DAY
        #: what may happen, by task and way
        self.possible: dict[tuple[str, str], Event] = {}
        self.happened: list[tuple[Event, datetime]] = []
        #: calls in their order: task, operation, and whether they were answered well
        self.calls: list[SendCallout] = []
        self.answered: list[SendCallout] = []
        self.steps: list[Step] = []
        #: how an answer turns out
        self.outcome: Callable[[], Outcome] = lambda: Outcome.COMPLETED
        self.apply(Submitted(inventory=inventory))

    @property
    def inventory(self) -> Inventory:
        return Inventory(assets=dict(self.assets))

    def apply(self, event: Event) -> Step:
        self.at += timedelta(minutes=1)
        starts = {id: task.state for id, task in self.state.tasks.items()}
        if isinstance(event, CalloutAnswered) and event.outcome is Outcome.COMPLETED:
            self.answered.extend(each for each in self.calls if _key(each) == (event.task, event.attempt))
        step = advance(self.program, self.state, event, self.at)
        self.happened.append((event, self.at))
        self.steps.append(step)
        for command in step.commands:
            self._hear(command)
        self._check(step, starts)
        return step

    def _hear(self, command: Any) -> None:
        match command:
            case SendCallout():
                self.calls.append(command)
                self.possible[command.task, "answer"] = self._answer(command)
            case StartTimer():
                fired = TimerFired(task=command.task, kind=command.kind, attempt=command.attempt)
                self.possible[command.task, command.kind.value] = fired
            case CancelTimer():
                self.possible.pop((command.task, command.kind.value), None)
            case OpenWork() if command.kind is WorkKind.MANUAL:
                values = {each.name: True for each in command.form}
                self.possible[command.task, "work"] = WorkCompleted(task=command.task, by="ana", values=values)
            case OpenWork():
                resolved = FalloutResolved(task=command.task, action=FalloutAction.RETRY, by="ana")
                self.possible[command.task, "fallout"] = resolved
            case CloseWork():
                self.possible.pop((command.task, "work"), None)
                self.possible.pop((command.task, "fallout"), None)
            case WriteInventory():
                for change in command.changes:
                    asset = apply_change(self.assets.get(change.id), change)
                    if asset.state is AssetState.TERMINATED:
                        self.assets.pop(change.id, None)
                    else:
                        self.assets[change.id] = asset
            case _:
                pass

    def _answer(self, command: SendCallout) -> CalloutAnswered:
        line = command.callout.context["line"]
        # an answer follows from what was asked for, so that two ways to the same content agree
        ref = f"{line['id']}: {line.get('a')}, {line.get('b')}"
        outcome = self.outcome()
        return CalloutAnswered(
            task=command.task,
            attempt=command.callout.attempt,
            outcome=outcome,
            outputs={"ref": ref} if outcome is Outcome.COMPLETED else {},
            code="" if outcome is Outcome.COMPLETED else "E1",
        )

    def live(self) -> list[Event]:
        """What would change something, in a stable order."""
        states = {"answer": TaskState.RUNNING, "fallout": TaskState.FALLOUT, "retry": TaskState.SCHEDULED}
        tasks = self.state.tasks
        return [
            event
            for (task, way), event in self.possible.items()
            if task in tasks and tasks[task].state is states.get(way, TaskState.WAITING) and self._applies(task, way)
        ]

    def _applies(self, task: str, way: str) -> bool:
        """A person cannot retry what comes after something that is to be done again; only calls are answered."""
        row = self.state.tasks[task]
        firsts = (self.state.tasks.get(each) for each in row.after)
        waits = any(first is not None and not first.state.done for first in firsts)
        return not (way == "fallout" and waits) and (way != "answer" or row.kind is TaskKind.CALL)

    def finish(self) -> None:
        """Goes on until nothing more can happen."""
        self.outcome = lambda: Outcome.COMPLETED
        for _ in range(2_000):
            live = self.live()
            if not live:
                return
            self.apply(live[0])
        raise AssertionError(f"never ends: {live[:3]}")

    def copy(self) -> OrderState:
        return deepcopy(self.state)

    def _check(self, step: Step, starts: dict[str, TaskState]) -> None:
        state = self.state
        for entry in step.entries:
            edges = EDGES.get(entry.kind)
            if edges:
                through: Any = entry.data.get("through", [])
                for former, wanted in pairwise([entry.data["from"], *through, entry.data["to"]]):
                    assert wanted in edges[former], entry
        for id, task in state.tasks.items():
            if starts.get(id, TaskState.PENDING) is TaskState.PENDING and task.state is TaskState.RUNNING:
                firsts = (state.tasks[first] for first in task.after if first in state.tasks)
                assert all(first.state.done for first in firsts), task
            assert id in step.tasks or starts[id] is task.state
        kept, fresh = state.index, Index(self.program, state)
        if isinstance(kept, Index):
            for name in ("open", "active", "waiting", "calling", "lines_open", "line_open", "parts_open"):
                assert getattr(kept, name) == getattr(fresh, name), name
        if state.status.final:
            assert all(task.state.final for task in state.tasks.values())
            assert all(line.state.final for line in state.lines.values() if not line.context)
            assert state.change is None
        else:
            assert self.possible, "nothing can go on"

    # --- what is left -----------------------------------------------------------------------------------------------

    def left(self) -> dict[str, Asset]:
        return dict(self.assets)

    def done(self) -> set[str]:
        """The tasks of the plan that are done; what stands for a task of the design counts as that task."""
        return {
            task.id
            for task in self.state.tasks.values()
            if task.role in (TaskRole.PLANNED, TaskRole.AMEND)
            and task.state is TaskState.COMPLETED
            and not task.definition.startswith("Alter")
        }


def _key(call: SendCallout) -> tuple[str, int]:
    return call.task, call.callout.attempt
