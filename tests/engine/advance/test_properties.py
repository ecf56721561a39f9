"""Random plans, random things happening in random order: what must hold whatever comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderloom.engine.advance import Refused, advance
from orderloom.engine.advance.index import Index
from orderloom.engine.lifecycle import ORDER_EDGES, TASK_EDGES
from orderloom.engine.program import Program
from orderloom.models.callout import Outcome
from orderloom.models.expression import Root
from orderloom.models.fulfillment import Line
from orderloom.models.journal import (
    AwaitCallback,
    AwaitEvent,
    CallbackReceived,
    CalloutAnswered,
    CalloutHeld,
    CalloutReleased,
    EntryKind,
    Event,
    EventArrived,
    FalloutAction,
    FalloutResolved,
    LineCorrected,
    OpenWork,
    OrderHeld,
    OrderReleased,
    SendCallout,
    StartTimer,
    Step,
    TimerFired,
    WorkCompleted,
    WorkKind,
)
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState, PlanState, TaskState
from orderloom.models.tasks import EventMatch, Reach, Within

#: each line's tasks may come after those of the lines before it, in their own order: no cycles
SPECS = ("S", "T", "U")
KINDS = ("call", "call", "manual", "auto", "wait", "milestone", "pause", "subplan")


@st.composite
def designs(draw: Any, kit: Any) -> tuple[Program, Callable[[], list[Line]]]:
    """A program and lines of up to three specs, each made from the one before."""
    attributes = [kit.attribute(name) for name in ("a", "b", "c")]
    plans: list[Any] = []
    made: list[str] = []
    for spec in SPECS[: draw(st.integers(1, 3))]:
        tasks = []
        for number in range(draw(st.integers(1, 5))):
            name = f"{spec}P.t{number}"
            tasks.append(kit.task(draw(st.sampled_from(KINDS)), name, **draw(_fields(kit, tuple(made)))))
            made.append(name)
        tasks = [_complete(kit, task, draw) for task in tasks]
        plans.append(kit.plan(f"{spec}P", spec, *tasks))
    inner = (kit.task("call", "In.x"), kit.task("auto", "In.y", after=("In.x",), when=kit.present("a")))
    plans.append(kit.plan("In", "S", *inner, actions=()))
    operation = kit.operation("sys.do", kit.attribute("ref"), callback_within=timedelta(hours=4))
    program = kit.program([kit.spec(name, *attributes) for name in SPECS], plans, [operation])
    counts = [draw(st.integers(1, 2)) for _ in plans[:-1]]

    def lines() -> list[Line]:
        found: list[Line] = []
        for spec, count in zip(SPECS, counts, strict=False):
            above = [line.id for line in found if SPECS.index(line.spec) == SPECS.index(spec) - 1]
            found += [
                kit.line(f"{spec}{n}", spec, above, parent=above[0] if above else "", root="S0") for n in range(count)
            ]
        return found

    return program, lines


@st.composite
def _fields(draw: Any, kit: Any, earlier: tuple[str, ...]) -> dict[str, Any]:
    after = draw(st.lists(st.sampled_from(earlier), max_size=3, unique=True)) if earlier else []
    fields: dict[str, Any] = {
        "after": tuple(kit.after(name, reach=draw(st.sampled_from(list(Reach)))) for name in after),
        "once": draw(st.sampled_from((None, None, None, Reach.BUNDLE, Reach.ORDER))),
    }
    if draw(st.integers(0, 5)) == 0:
        fields["when"] = kit.present(draw(st.sampled_from(("a", "b", "c"))))
    if draw(st.integers(0, 5)) == 0:
        fields["after"] += (kit.needs(draw(st.sampled_from(("a", "b", "c")))),)
    return fields


def _complete(kit: Any, task: Any, draw: Any) -> Any:
    """What the kind needs on top."""
    fields = {name: getattr(task, name) for name in ("after", "once", "when")}
    target = draw(st.sampled_from(("a", "b", "c")))
    match task.kind.value:
        case "call":
            fields["sets"] = (kit.sets(target, kit.read("ref", Root.RESPONSE)),)
            fields["retry"] = draw(st.sampled_from((None, kit.retry("fixed", 1, 10), kit.retry("forever", None, 10))))
        case "auto":
            fields["sets"] = (kit.sets(target, kit.constant("auto")),)
        case "wait":
            if draw(st.booleans()):
                fields["event"] = EventMatch(event="e")
            else:
                fields["until"] = kit.present(target)
            otherwise = draw(st.sampled_from(("fallout", "skip", "continue")))
            fields["within"] = Within(limit=timedelta(hours=1), otherwise=otherwise)
        case "pause":
            fields["pause"] = timedelta(hours=1)
        case "subplan":
            fields["plan"] = "In"
    return kit.task(task.kind.value, task.id, **fields)


class Driver:
    """Plays the outside world: what could happen next, from the commands so far."""

    def __init__(self, program: Program, state: OrderState, step: Step, at: datetime) -> None:
        self.program, self.state, self.at = program, state, at
        self.possible: dict[tuple[str, str], Event] = {}
        self.happened: list[tuple[Event, datetime]] = []
        self.take(step)

    def take(self, step: Step) -> None:
        for command in step.commands:
            match command:
                case SendCallout():
                    attempt = command.callout.attempt
                    self.possible[command.task, "answer"] = CalloutAnswered(
                        task=command.task, attempt=attempt, outcome=Outcome.COMPLETED, outputs={"ref": command.task}
                    )
                case AwaitCallback():
                    done = CallbackReceived(task=command.task, outcome=Outcome.COMPLETED, outputs={"ref": command.task})
                    self.possible[command.task, "callback"] = done
                case StartTimer():
                    fired = TimerFired(task=command.task, kind=command.kind, attempt=command.attempt)
                    self.possible[command.task, command.kind.value] = fired
                case AwaitEvent():
                    self.possible[command.task, "event"] = EventArrived(task=command.task, event="e", payload={})
                case OpenWork() if command.kind is WorkKind.MANUAL:
                    self.possible[command.task, "work"] = WorkCompleted(task=command.task, by="ana")
                case OpenWork():
                    resolved = FalloutResolved(task=command.task, action=FalloutAction.RETRY, by="ana")
                    self.possible[command.task, "fallout"] = resolved

    def live(self) -> list[Event]:
        """What would change something: one way on for each open task."""
        states = {
            "answer": (TaskState.RUNNING, TaskState.HELD),
            "fallout": (TaskState.FALLOUT,),
            "retry": (TaskState.SCHEDULED,),
        }
        tasks = self.state.tasks
        return [
            event
            for (task, way), event in self.possible.items()
            if tasks[task].state in states.get(way, (TaskState.WAITING,))
        ]

    def apply(self, event: Event) -> Step | None:
        self.at += timedelta(minutes=1)
        before = repr(self.state)
        starts = {task.id: task.state for task in self.state.tasks.values()}
        rows = self.rows()
        try:
            step = advance(self.program, self.state, event, self.at)
        except Refused:
            assert repr(self.state) == before
            return None
        self.happened.append((event, self.at))
        if not step.entries:
            assert step.commands == ()
        changed = {row for row, text in self.rows().items() if text != rows[row]}
        assert changed <= step.tasks | step.lines
        self.check(step, starts)
        self.take(step)
        return step

    def rows(self) -> dict[str, str]:
        state = self.state
        tasks = {task.id: repr(task) for task in state.tasks.values()}
        return tasks | {line.id: repr(line) for line in state.lines.values()}

    def check(self, step: Step, starts: dict[str, TaskState]) -> None:
        state = self.state
        for entry in step.entries:
            if entry.kind in (EntryKind.TASK_STATE, EntryKind.ORDER_STATE):
                edges: Any = TASK_EDGES if entry.kind is EntryKind.TASK_STATE else ORDER_EDGES
                through: Any = entry.data.get("through", [])
                path = [entry.data["from"], *through, entry.data["to"]]
                for former, wanted in pairwise(path):
                    assert wanted in edges[former], (entry, path)
        for task in state.tasks.values():
            assert task.id in step.tasks or task.state is starts[task.id]
            if starts[task.id] is TaskState.PENDING and task.attempts:
                assert all(state.tasks[first].state.done for first in task.after), task
                attributes = state.lines[task.line].attributes
                assert all(attributes.get(name) is not None for name in task.needs), task
                assert not task.within or state.tasks[task.within].started_at, task
        self.check_index()
        assert (state.status is OrderStatus.COMPLETED) == (state.plan is PlanState.COMPLETED)
        if state.status.final:
            assert all(task.state.final for task in state.tasks.values())
            assert all(line.state.final for line in state.lines.values())

    def check_index(self) -> None:
        """What is kept up to date is what would be made from the rows."""
        kept, fresh = self.state.index, Index(self.program, self.state)
        assert isinstance(kept, Index)
        for name in ("open", "active", "waiting", "lines_open", "line_open", "parts_open"):
            assert getattr(kept, name) == getattr(fresh, name), name
        pending = [task.id for task in self.state.tasks.values() if task.state is TaskState.PENDING]
        assert [kept.remaining[task] for task in pending] == [fresh.remaining[task] for task in pending]


def _twisted(draw: Any, event: Event) -> Event:
    """The event as it is, or gone wrong."""
    match event:
        case CalloutAnswered():
            outcome = draw(st.sampled_from(list(Outcome)))
            attempt = event.attempt - draw(st.sampled_from((0, 0, 0, 1)))
            code = draw(st.sampled_from(("", "E1", "timeout")))
            return CalloutAnswered(task=event.task, attempt=attempt, outcome=outcome, outputs=event.outputs, code=code)
        case CallbackReceived():
            outcome = draw(st.sampled_from(list(Outcome)))
            return CallbackReceived(task=event.task, outcome=outcome, outputs=event.outputs)
        case FalloutResolved():
            return FalloutResolved(task=event.task, action=draw(st.sampled_from(list(FalloutAction))), by="ana")
        case _:
            return event


def _intrusions(state: OrderState) -> list[Event]:
    """What may happen at any time, wanted or not."""
    found: list[Event] = [OrderHeld(by="ana"), OrderReleased(by="ana")]
    found += [LineCorrected(line=line, values={"a": "corrected"}, by="ana") for line in state.lines]
    for task in state.tasks.values():
        found.append(CalloutHeld(task=task.id, attempt=task.attempts, reason="offline"))
        found.append(CalloutReleased(task=task.id, attempt=task.attempts))
        found.append(WorkCompleted(task=task.id, by="ana"))
        found.append(FalloutResolved(task=task.id, action=FalloutAction.SKIP, by="ana"))
    return found


UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(suppress_health_check=UNHURRIED)
@given(data=st.data())
def test_whatever_happens(kit: Any, data: st.DataObject) -> None:
    program, lines = data.draw(designs(kit))
    state, step = kit.begin(program, *lines())
    driver = Driver(program, state, step, kit.at)
    driver.check(step, dict.fromkeys(state.tasks, TaskState.PENDING))
    for _ in range(data.draw(st.integers(0, 25))):
        choice = data.draw(st.integers(0, 5))
        live = driver.live()
        if choice == 0:
            event = data.draw(st.sampled_from(_intrusions(state)))
        elif choice == 1 and driver.happened:
            event = data.draw(st.sampled_from(driver.happened))[0]
        elif live:
            event = _twisted(data.draw, data.draw(st.sampled_from(live)))
        else:
            break
        driver.apply(event)
        if data.draw(st.integers(0, 9)) == 0:
            state.index = None
        assert state.status.final or state.status is OrderStatus.HELD or driver.live(), "nothing can go on"

    if state.status is OrderStatus.HELD:
        driver.apply(OrderReleased(by="ana"))
    for _ in range(1_000):
        live = driver.live()
        if not live:
            break
        event = live[0]
        if isinstance(event, FalloutResolved):
            event = FalloutResolved(task=event.task, action=FalloutAction.SKIP, by="ana")
        driver.apply(event)
    assert state.status is OrderStatus.COMPLETED

    again, _ = kit.begin(program, *lines())
    for event, at in driver.happened:
        advance(program, again, event, at)
    assert repr(again) == repr(state)


@settings(suppress_health_check=UNHURRIED)
@given(data=st.data())
def test_the_order_of_independent_answers_does_not_matter(kit: Any, data: st.DataObject) -> None:
    names = [f"P.t{n}" for n in range(data.draw(st.integers(2, 6)))]
    tasks = [kit.task("call", name, sets=(kit.sets(name[2:], kit.read("ref", Root.RESPONSE)),)) for name in names]
    tasks.append(kit.task("auto", "P.end", after=tuple(names), sets=(kit.sets("all", kit.read("t1")),)))
    spec = kit.spec("S", *(kit.attribute(name[2:]) for name in names), kit.attribute("all"))
    program = kit.program([spec], [kit.plan("P", "S", *tasks)])
    outcomes = []
    for order in (names, data.draw(st.permutations(names))):
        state, _ = kit.begin(program, kit.line("1", "S"))
        for name in order:
            answered = CalloutAnswered(
                task=f"1/{name}", attempt=1, outcome=Outcome.COMPLETED, outputs={"ref": f"from {name}"}
            )
            advance(program, state, answered, kit.at)
        assert state.status is OrderStatus.COMPLETED
        outcomes.append(sorted(state.lines["1"].attributes.items()))
    assert outcomes[0] == outcomes[1]
