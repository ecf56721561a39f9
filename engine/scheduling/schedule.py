"""`schedule`: when everything of an order happens, by what has happened, durations, calendars and requested dates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.feeding import made_from
from orderloom.engine.program import Program
from orderloom.engine.scheduling.network import Earliest, Latest, Network
from orderloom.engine.scheduling.terms import earlier
from orderloom.engine.scheduling.turnings import OPEN, colour, margin, turnings
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.plan import OrderState, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledTask:
    """When one task happens. All instants in UTC."""

    task: str
    line: str
    #: actual instants of what has happened; expected ones of the rest
    earliest_start: datetime
    earliest_finish: datetime
    #: for the target of the schedule to be kept
    latest_start: datetime
    latest_finish: datetime
    #: how much later it may finish, negative if it is late; None for a task that is over
    slack: timedelta | None
    #: instant before which it is not started, None for a task that starts as soon as it can
    calculated_start: datetime | None
    critical: bool
    jeopardy: Jeopardy


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledLine:
    """A line is finished with its tasks and the lines made from it; `expected` is None where there are none."""

    line: str
    expected: datetime | None
    jeopardy: Jeopardy


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is to be expected of an order as of an instant."""

    order: str
    at: datetime
    #: expected completion; None where the order has no tasks
    expected: datetime | None
    #: what latest times are counted back from: the requested completion, else the expected one
    target: datetime | None
    #: whether the order has a requested completion
    requested: bool
    #: the last instant to start what has not started, for the target to be kept; None where nothing is left to start
    calculated_start: datetime | None
    tasks: Mapping[str, ScheduledTask]
    lines: Mapping[str, ScheduledLine]
    #: tasks that decide when the order is completed, in their order
    critical: tuple[str, ...]
    jeopardy: Jeopardy


def schedule(program: Program, state: OrderState, at: datetime) -> Schedule:
    """The schedule of an order that was started; linear in its tasks and dependencies."""
    network = Network(program, state)
    wanted = state.order.requested_completion
    share = program.design.jeopardy.slack
    latest = network.latest(wanted) if wanted is not None else {}
    held = calculated_starts(network, latest, wanted, share) if wanted is not None else {}
    earliest = network.earliest(at, held)
    expected = max((each.finish for each in earliest.values()), default=None)
    target = wanted or expected
    if target is not None and wanted is None:
        latest = network.latest(target)
    critical = _critical(state, earliest, expected)
    tasks: dict[str, ScheduledTask] = {}
    compiled = definitions(program).tasks
    for id, times in earliest.items():
        task, bounds = state.tasks[id], latest[id]
        spare = margin(bounds, target, share) if target is not None else timedelta(0)
        if task.state in OPEN:
            bound = bounds if wanted is not None else None
            found, _ = colour(turnings(program, compiled[task.definition], task, bound, spare), at)
        else:
            found = _outlook(task, times, bounds, spare) if wanted is not None else Jeopardy.GREEN
        tasks[id] = ScheduledTask(
            task=id,
            line=task.line,
            earliest_start=times.start,
            earliest_finish=times.finish,
            latest_start=bounds.start,
            latest_finish=bounds.finish,
            slack=None if task.state.final else bounds.finish - times.finish,
            calculated_start=held.get(id),
            critical=id in critical,
            jeopardy=found,
        )
    starts = [each.latest_start for each in tasks.values() if not _begun(state.tasks[each.task])]
    return Schedule(
        order=state.order.id,
        at=at,
        expected=expected,
        target=target,
        requested=wanted is not None,
        calculated_start=min(starts, default=None),
        tasks=tasks,
        lines=_lines(state, tasks),
        critical=tuple(critical),
        jeopardy=worst(each.jeopardy for each in tasks.values()),
    )


def calculated_starts(
    network: Network, latest: Mapping[str, Latest], deadline: datetime, share: int, some: Collection[str] | None = None
) -> dict[str, datetime]:
    """When tasks start that are to start as late as possible: as late as leaves them their margin. Of all tasks, or
    of some."""
    late = network.late if some is None else network.late & set(some)
    return {id: earlier(latest[id].start, margin(latest[id], deadline, share)) for id in sorted(late)}


def worst(colours: Iterable[Jeopardy]) -> Jeopardy:
    """The worst of several colours; green of none."""
    found = Jeopardy.GREEN
    for each in colours:
        if each.rank > found.rank:
            found = each
    return found


def _begun(task: Task) -> bool:
    return task.state.final or task.started_at is not None


def _outlook(task: Task, times: Earliest, bounds: Latest, spare: timedelta) -> Jeopardy:
    """The colour of a task that cannot start yet, by when it is expected to."""
    if task.state.final:
        return Jeopardy.GREEN
    if times.finish > bounds.finish:
        return Jeopardy.RED
    return Jeopardy.YELLOW if bounds.finish - times.finish < spare else Jeopardy.GREEN


def _critical(state: OrderState, earliest: Mapping[str, Earliest], expected: datetime | None) -> dict[str, None]:
    """From the task that ends last back to one that waits for no other."""
    path: list[str] = []
    last = [id for id, each in earliest.items() if each.finish == expected and not state.tasks[id].state.final]
    task = last[-1] if last else ""
    while task and not state.tasks[task].state.final:
        path.append(task)
        task = earliest[task].follows
    return dict.fromkeys(reversed(path))


def _lines(state: OrderState, tasks: Mapping[str, ScheduledTask]) -> dict[str, ScheduledLine]:
    ends: dict[str, datetime] = {}
    colours: dict[str, Jeopardy] = {}
    for each in tasks.values():
        ends[each.line] = max(ends.get(each.line, each.earliest_finish), each.earliest_finish)
        colours[each.line] = worst((colours.get(each.line, Jeopardy.GREEN), each.jeopardy))
    for id in reversed(state.lines):
        for source in made_from(state.lines[id]):
            if id in ends:
                ends[source] = max(ends.get(source, ends[id]), ends[id])
                colours[source] = worst((colours.get(source, Jeopardy.GREEN), colours[id]))
    return {
        id: ScheduledLine(line=id, expected=ends.get(id), jeopardy=colours.get(id, Jeopardy.GREEN))
        for id, line in state.lines.items()
        if not line.context
    }
