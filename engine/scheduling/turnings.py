"""When a task turns yellow and red if nothing happens: a plain function of its row and of its latest times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from orderloom.engine.orchestration.definitions import CompiledTask
from orderloom.engine.program import Program
from orderloom.engine.scheduling.network import STARTED, Latest, usual
from orderloom.engine.scheduling.terms import earlier, terms_of
from orderloom.engine.scheduling.working_time import EARLIEST
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.plan import Task, TaskState
from orderloom.models.tasks import Due, TaskKind

#: could be under way: their colours are kept with the order
OPEN = STARTED | {TaskState.READY}


@dataclass(frozen=True, slots=True)
class Turning:
    """From this instant on the task has at least this colour."""

    at: datetime
    to: Jeopardy
    why: str


def margin(latest: Latest, deadline: datetime, share: int) -> timedelta:
    """The slack that a task should have: a share, in percent, of the time from its latest start to the deadline."""
    return max(deadline - latest.start, timedelta(0)) * share / 100


def turnings(
    program: Program, compiled: CompiledTask, task: Task, latest: Latest | None, spare: timedelta
) -> list[Turning]:
    """In the order of their instants; none for a task that is over or cannot start yet. `spare` is its margin."""
    if task.state not in OPEN:
        return []
    found: list[Turning] = []
    started = task.started_at if task.state in STARTED else None
    if latest is not None and started is None:
        if not is_held(task):
            found.append(Turning(earlier(latest.start, spare), Jeopardy.YELLOW, "it should start soon"))
        elif task.due is not None and task.due > latest.start:
            found.append(Turning(EARLIEST, Jeopardy.RED, "it is to start too late to finish in time"))
        found.append(Turning(latest.start, Jeopardy.RED, "its latest start has passed"))
    elif latest is not None and started is not None:
        finish = _finish(program, compiled, task, started)
        if finish > latest.finish:
            found.append(Turning(EARLIEST, Jeopardy.RED, "it started too late to finish in time"))
        else:
            bound = earlier(latest.finish, spare)
            found.append(Turning(EARLIEST if finish > bound else bound, Jeopardy.YELLOW, "little slack is left"))
            found.append(Turning(latest.finish, Jeopardy.RED, "its latest finish has passed"))
    elif started is not None and compiled.definition.duration is not None:
        finish = _finish(program, compiled, task, started)
        found.append(Turning(finish, Jeopardy.YELLOW, "it takes longer than usual"))
    found.extend(_due(program, compiled, task))
    return sorted(found, key=lambda each: (each.at, -each.to.rank))


def is_held(task: Task) -> bool:
    """Whether it waits for a start of its own, and not for another attempt."""
    return task.state is TaskState.SCHEDULED and not task.retries


def _finish(program: Program, compiled: CompiledTask, task: Task, started: datetime) -> datetime:
    if task.kind is TaskKind.PAUSE and task.due is not None:
        return task.due
    term = usual(program, compiled.definition)
    return terms_of(program).after(started, term) if term is not None else started


def _due(program: Program, compiled: CompiledTask, task: Task) -> list[Turning]:
    """Work that lies in a queue is to be done by its due time."""
    manual = task.kind is TaskKind.MANUAL and task.state is TaskState.WAITING
    if task.due is None or not (manual or task.state is TaskState.FALLOUT):
        return []
    queue = program.design.queues.get(task.queue)
    term: Due | None = (compiled.definition.due if manual else None) or (queue.sla if queue is not None else None)
    red = Turning(task.due, Jeopardy.RED, "it is overdue")
    if term is None:
        return [red]
    given = task.due - terms_of(program).before(task.due, term)
    near = task.due - given * program.design.jeopardy.due / 100
    return [Turning(near, Jeopardy.YELLOW, "it is due soon"), red]


def colour(found: list[Turning], at: datetime) -> tuple[Jeopardy, str]:
    """What a task with these turnings has become by an instant, and why."""
    worst, why = Jeopardy.GREEN, ""
    for each in found:
        if each.at <= at and each.to.rank > worst.rank:
            worst, why = each.to, each.why
    return worst, why
