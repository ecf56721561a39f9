"""The outside world of one order, driven one event at a time in any order.

It keeps what the order has asked for (calls, work, timers, messages) and checks after every step that this is what the
order's tasks stand for, so that nothing is left running, waiting or asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from orderloom.engine.advance import advance
from orderloom.engine.advance.agenda import ATTRIBUTE_ABSENT
from orderloom.engine.advance.index import Index
from orderloom.engine.inventory import apply_change
from orderloom.engine.lifecycle import LINE_EDGES, ORDER_EDGES, PLAN_EDGES, TASK_EDGES
from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.reaches import Reaches
from orderloom.engine.orchestration.remedies import AMEND, base
from orderloom.engine.program import Program
from orderloom.engine.scheduling import schedule
from orderloom.engine.scheduling.timeline import ORDER, Timeline
from orderloom.models.callout import Outcome
from orderloom.models.inventory import Asset, AssetState, Inventory
from orderloom.models.journal import (
    AwaitCallback,
    AwaitEvent,
    CallbackReceived,
    CalloutAnswered,
    CalloutReleased,
    CancelTimer,
    CloseWork,
    Entry,
    EntryKind,
    Event,
    EventArrived,
    FalloutAction,
    FalloutResolved,
    OpenWork,
    OrderReleased,
    RecallCallout,
    SendCallout,
    StartTimer,
    Step,
    StopWaiting,
    Submitted,
    TimerFired,
    TimerKind,
    WorkCompleted,
    WorkKind,
    WriteInventory,
)
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.plan import OrderState, Task, TaskRole, TaskState
from orderloom.models.tasks import TaskKind
from tests.engine.building import DAY

EDGES: dict[EntryKind, Any] = {
    EntryKind.TASK_STATE: TASK_EDGES,
    EntryKind.LINE_STATE: LINE_EDGES,
    EntryKind.ORDER_STATE: ORDER_EDGES,
    EntryKind.PLAN_STATE: PLAN_EDGES,
}
_UNDO = re.compile(r"/undo~\d+$")
_RUN = re.compile(r"~\d+$")
#: in which state a task is for which something of this kind may happen to it
_STATES = {
    "answer": TaskState.RUNNING,
    "release": TaskState.HELD,
    "fallout": TaskState.FALLOUT,
    "retry": TaskState.SCHEDULED,
    "start": TaskState.SCHEDULED,
}


_COUNTS = ("open", "active", "waiting", "calling", "cancelling", "lines_open", "line_open", "parts_open")


class World:
    """One order, what could happen to it next, and what it has left outside."""

    def __init__(self, program: Program, order: ProductOrder, inventory: Inventory) -> None:
        self.program = program
        self.state = OrderState(order=order, design=program.design.digest)
        self.assets = dict(inventory.assets)
        self.at = DAY
        #: what may happen, by task and way
        self.possible: dict[tuple[str, str], Event] = {}
        self.due: dict[tuple[str, str], datetime] = {}
        self.happened: list[tuple[Event, datetime]] = []
        self.calls: list[SendCallout] = []
        self.steps: list[Step] = []
        #: what was done and can be taken back, by task: whether it stands; and how often each was taken back
        self.stands: dict[str, bool] = {}
        self.undone: list[str] = []
        #: how an answer turns out, and what becomes of a task in fallout
        self.outcome: Callable[[], Outcome] = lambda: Outcome.COMPLETED
        self.decide: Callable[[], FalloutAction] = lambda: FalloutAction.RETRY
        #: whether a conflict is decided in favour of the change
        self.takes: Callable[[], bool] = lambda: True
        self.apply(Submitted(inventory=inventory))

    @property
    def inventory(self) -> Inventory:
        return Inventory(assets=dict(self.assets))

    def apply(self, event: Event) -> Step:
        self.at += timedelta(minutes=1)
        if isinstance(event, TimerFired):
            self.at = max(self.at, self.due.pop((event.task, event.kind.value), self.at))
        starts = {id: task.state for id, task in self.state.tasks.items()}
        step = advance(self.program, self.state, event, self.at)
        self.happened.append((event, self.at))
        self.steps.append(step)
        for command in step.commands:
            self._hear(command)
        for entry in step.entries:
            if entry.kind is EntryKind.TASK_STATE:
                self._keep(entry)
        self._check(step, starts)
        return step

    # --- what may happen ------------------------------------------------------------------------------------------

    def _hear(self, command: Any) -> None:
        match command:
            case SendCallout():
                self.calls.append(command)
                self.possible[command.task, "answer"] = self._answer(command)
            case RecallCallout():
                self.possible.pop((command.task, "release"), None)
            case StartTimer():
                fired = TimerFired(task=command.task, kind=command.kind, attempt=command.attempt)
                self.possible[command.task, command.kind.value] = fired
                self.due[command.task, command.kind.value] = command.due
            case CancelTimer():
                self.due.pop((command.task, command.kind.value), None)
            case AwaitCallback():
                done = self._delivered(command.task)
                found = CallbackReceived(
                    task=command.task, outcome=Outcome.COMPLETED, outputs=done, attempt=command.attempt
                )
                self.possible[command.task, "callback"] = found
            case AwaitEvent():
                self.possible[command.task, "event"] = EventArrived(task=command.task, event=command.event, payload={})
            case StopWaiting():
                self.possible.pop((command.task, "callback"), None)
                self.possible.pop((command.task, "event"), None)
            case OpenWork() if command.kind is WorkKind.MANUAL:
                values = {each.name: self.takes() for each in command.form}
                self.possible[command.task, "work"] = WorkCompleted(task=command.task, by="ana", values=values)
            case OpenWork():
                # what takes back is tried until it succeeds: nobody skips it
                action = FalloutAction.RETRY if "/undo~" in command.task else self.decide()
                resolved = FalloutResolved(task=command.task, action=action, by="ana")
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
        outcome = self.outcome()
        slow = command.callout.operation == "sys.slow"
        if outcome is Outcome.COMPLETED and slow:
            outcome = Outcome.ACCEPTED
        elif outcome is Outcome.ACCEPTED and not slow:
            outcome = Outcome.COMPLETED
        return CalloutAnswered(
            task=command.task,
            attempt=command.callout.attempt,
            outcome=outcome,
            outputs=self._delivered(command.task) if outcome is Outcome.COMPLETED else {},
            code="E1" if outcome in (Outcome.FATAL, Outcome.RETRIABLE) else "",
        )

    def _delivered(self, task: str) -> dict[str, Any]:
        """An answer follows from what was asked for, so that two ways to the same content agree."""
        line = next(each for each in reversed(self.calls) if each.task == task).callout.context["line"]
        return {"ref": f"{_at_first(str(line['id']))}: {line.get('a')}, {line.get('b')}"}

    def live(self) -> list[Event]:
        """What would change something, in a stable order."""
        tasks = self.state.tasks
        return [
            event
            for (task, way), event in self.possible.items()
            if (task in tasks and self._applies(tasks[task], way, event))
            or (way == TimerKind.START and not task and (task, way) in self.due)
        ]

    def _applies(self, task: Task, way: str, event: Any) -> bool:
        """Timers have to run; a person cannot retry what comes after something that is to be done again."""
        if task.state is not _STATES.get(way, TaskState.WAITING) or way == TimerKind.JEOPARDY:
            return False
        if way in list(TimerKind):
            return (task.id, way) in self.due
        if way == "fallout":
            firsts = (self.state.tasks.get(each) for each in task.after)
            waits = any(first is not None and not first.state.done for first in firsts)
            lacks = any(self.line(task).attributes.get(name) is None for name in task.needs)
            return event.action is not FalloutAction.RETRY or not (waits or lacks)
        return way not in ("answer", "callback") or (task.kind is TaskKind.CALL and event.attempt == task.attempts)

    def held(self, task: str) -> None:
        """The call is held for its connector, until it is released."""
        event = self.possible[task, "answer"]
        assert isinstance(event, CalloutAnswered)
        self.possible[task, "release"] = CalloutReleased(task=task, attempt=event.attempt)

    def skip(self, task: str) -> None:
        if (task, "fallout") in self.possible:
            self.apply(FalloutResolved(task=task, action=FalloutAction.SKIP, by="ana"))

    def finish(self) -> None:
        """Goes on until nothing more can happen."""
        self.outcome = lambda: Outcome.COMPLETED
        for _ in range(2_000):
            live = self.live()
            if self.state.status is OrderStatus.HELD and not self.state.change:
                self.apply(OrderReleased(by="ana"))
                continue
            if not live:
                self._check_schedule()
                return
            # what is awaited comes in time
            event = next((each for each in live if not isinstance(each, TimerFired)), live[0])
            if isinstance(event, CalloutAnswered) and event.outcome not in (Outcome.COMPLETED, Outcome.ACCEPTED):
                event = self._answer(next(each for each in reversed(self.calls) if each.task == event.task))
            self.apply(event)
        raise AssertionError(f"never ends: {live[:3]}")

    def copy(self) -> OrderState:
        return deepcopy(self.state)

    def line(self, task: Task) -> Any:
        former = self.state.former.get(f"{task.line}~{task.version}") if task.version else None
        return former or self.state.lines[task.line]

    # --- what was done --------------------------------------------------------------------------------------------

    def _keep(self, entry: Entry) -> None:
        """What is done stands until it is taken back, and is taken back only where it stands."""
        through: Any = entry.data.get("through", [])
        path = [entry.data["from"], *through, entry.data["to"]]
        run = _UNDO.sub("", entry.subject)
        if run != entry.subject:
            if path[-1] == TaskState.COMPLETED:
                name = _RUN.sub("", run)
                assert self.stands.get(name), f"{entry.subject} takes back what does not stand"
                self.stands[name] = False
                self.undone.append(entry.subject)
            return
        name = _RUN.sub("", entry.subject)
        row = self.state.tasks.get(name)
        if name != entry.subject or row is None or row.role not in (TaskRole.PLANNED, TaskRole.AMEND):
            return
        for state in path[1:]:
            if state == TaskState.COMPLETED:
                self.stands[name] = True
            elif state == TaskState.WAITING and row.kind is TaskKind.CALL:
                # taken on: it may be done by the time it is given up
                self.stands[name] = True
            elif state in (TaskState.FAILED, TaskState.FROZEN) and path[0] == TaskState.WAITING:
                # it failed, or was cancelled by the operation that the design names
                self.stands[name] = False

    def left_undone(self) -> list[str]:
        """What could be taken back and was not."""
        known = definitions(self.program).tasks
        found = []
        for name in (each for each, stands in self.stands.items() if stands):
            designed = known[base(self.state.tasks[name].definition)].definition
            if designed.undo or designed.undo_plan:
                found.append(name)
        return found

    # --- what must hold after every step --------------------------------------------------------------------------

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
                self._check_start(task)
            assert id in step.tasks or starts[id] is task.state
        kept, fresh = state.index, Index(self.program, state)
        if isinstance(kept, Index):
            for name in _COUNTS:
                assert getattr(kept, name) == getattr(fresh, name), name
            for name in ("dependants", "fed", "parts", "former", "remedies"):
                assert _lists(getattr(kept, name)) == _lists(getattr(fresh, name)), name
            self._check_times(kept)
            pending = {id for id, task in state.tasks.items() if task.state is TaskState.PENDING}
            assert {id: count for id, count in kept.remaining.items() if id in pending} == fresh.remaining
        self._check_asked()
        self._check_once()
        if state.status.final:
            assert all(task.state.final for task in state.tasks.values())
            assert all(line.state.final for line in state.lines.values() if not line.context)
            assert state.change is None
            # what is due already fires in vain
            assert not [each for each, due in self.due.items() if due > self.at], self.due
        elif state.status is not OrderStatus.HELD:
            assert self.live() or self.stuck(), "nothing can go on"
        if state.change is None:
            assert not [task.id for task in state.tasks.values() if task.state is TaskState.FROZEN]

    def _check_once(self) -> None:
        """What runs once per something has one line there at which it runs."""
        state, known = self.state, definitions(self.program)
        gone = {task.of for task in state.tasks.values() if task.role in (TaskRole.UNDO, TaskRole.RESOLVE)}
        back = (OrderStatus.PENDING_CANCELLATION, OrderStatus.CANCELLED)
        homes = Reaches({id: line for id, line in state.lines.items() if line.state not in back})
        found: dict[Any, str] = {}
        for task in state.tasks.values():
            compiled, line = known.tasks.get(base(task.definition)), state.lines[task.line]
            planned = task.role is TaskRole.PLANNED or task.definition.endswith(AMEND)
            over = task.state in (TaskState.CANCELLED, TaskState.DISCARDED) or task.id in gone or line.state in back
            if compiled is None or over or not planned:
                continue
            for name, once in ((task.definition, compiled.definition.once), (compiled.plan.name, compiled.plan.once)):
                if once is not None and (name != compiled.plan.name or not task.within):
                    there = found.setdefault((base(name), once, homes.home(line, once)), line.id)
                    assert there == line.id, f"`{name}` runs at `{there}` and at `{line.id}`, once per {once}"

    def _check_schedule(self) -> None:
        """The schedule has all tasks but earlier runs."""
        tasks = self.state.tasks.values()
        there = {task.id for task in tasks if task.role is not TaskRole.FORMER}
        assert schedule(self.program, self.state, self.at).tasks.keys() == there

    def _check_times(self, kept: Index) -> None:
        """Times that grew with the plan are those that are reckoned anew."""
        times, state = kept.timeline, self.state
        if times is not None:
            fresh = Timeline(self.program, state)
            assert (times.latest, times.calculated) == (fresh.latest, fresh.calculated)
            lines = [*state.lines, ORDER]
            assert [times.colour(each) for each in lines] == [fresh.colour(each) for each in lines]
            assert times.next_at == fresh.next_at

    def _check_start(self, task: Task) -> None:
        tasks = self.state.tasks
        assert all(tasks[first].state.done for first in task.after if first in tasks), task
        assert all(self.line(task).attributes.get(name) is not None for name in task.needs), task
        assert not task.within or tasks[task.within].state is not TaskState.PENDING, task
        earlier = {each.id for each in tasks.values() if each.role is TaskRole.FORMER and each.of == task.id}
        taking = [each.id for each in tasks.values() if each.of in earlier and not each.state.final]
        assert not taking, f"{task.id} is done again before {taking}"

    def _check_asked(self) -> None:
        """Work, messages and timers that are open outside are those of tasks that wait for them, and no others."""
        tasks = self.state.tasks.values()

        def asked(*ways: str) -> set[str]:
            return {task for task, way in self.possible if way in ways}

        manual = {each.id for each in tasks if each.kind is TaskKind.MANUAL and each.state is TaskState.WAITING}
        assert asked("work") & {each.id for each in tasks} == manual
        assert asked("fallout") == {each.id for each in tasks if each.state is TaskState.FALLOUT}
        calls = {each.id for each in tasks if each.kind is TaskKind.CALL and each.state is TaskState.WAITING}
        assert asked("callback") == calls
        retries = {task for task, way in self.due if way == TimerKind.RETRY}
        assert retries == {each.id for each in tasks if each.state is TaskState.SCHEDULED and each.retries}
        waiting = {each.id for each in tasks if each.state is TaskState.WAITING}
        limits = {task for task, way in self.due if way in (TimerKind.LIMIT, TimerKind.PAUSE)}
        assert limits <= waiting
        assert asked("event") <= waiting

    def stuck(self) -> bool:
        """Whether what is open waits for a person to correct data."""
        return any(task.state is TaskState.FALLOUT for task in self.state.tasks.values())

    # --- what is left -----------------------------------------------------------------------------------------------

    def left(self, but: Collection[str] = ()) -> dict[str, Asset]:
        """Inventory, with items that were made a second time under the names they had at first.

        Without what the tasks in `but` deliver, and what rules make of that.
        """
        known = definitions(self.program).tasks
        lacking = {each.attribute for task in but for each in known[task.rpartition("/")[2]].definition.sets}
        lacking |= {"f"} if "d" in lacking else set()
        return {
            _at_first(id): replace(
                asset,
                id=_at_first(id),
                attributes={name: value for name, value in asset.attributes.items() if name not in lacking},
                parent=_at_first(asset.parent),
                users=frozenset(map(_at_first, asset.users)),
                anchor=_at_first(asset.anchor),
            )
            for id, asset in self.assets.items()
        }

    def done(self) -> set[str]:
        """The tasks of the plan that are done; what stands for a task of the design counts as that task."""
        return {
            _at_first(task.id)
            for task in self.state.tasks.values()
            if task.role in (TaskRole.PLANNED, TaskRole.AMEND)
            and task.state is TaskState.COMPLETED
            and not task.definition.startswith(("Alter", "Tell"))
        }

    def passed_over(self) -> set[str]:
        """The tasks whose conditions did not hold."""
        skipped = (task for task in self.state.tasks.values() if task.state is TaskState.SKIPPED and not task.by)
        return {_at_first(task.id) for task in skipped}

    def given_up(self) -> set[str]:
        """The tasks that a person has skipped, all of them because nothing supplies what they need."""
        skipped = [task for task in self.state.tasks.values() if task.state is TaskState.SKIPPED and task.by]
        assert all(task.code == ATTRIBUTE_ABSENT for task in skipped), skipped
        return {_at_first(task.id) for task in skipped}


def _lists(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """What stands under each name, whatever the order in which it came."""
    return {name: sorted(each) for name, each in found.items() if each}


def _at_first(name: str) -> str:
    """What comes to be wanted anew after it was taken back is another line, told apart by a mark."""
    return name.replace("'", "")
