"""The tasks of a plan as a network of activities: what comes before what, and how long each usually takes.

Both passes are linear in tasks and dependencies. A subplan stands in it twice: as its start, which its parts come
after, and as its end, which comes after its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from orderloom.engine.orchestration.definitions import Definitions, definitions
from orderloom.engine.orchestration.feeding import origins
from orderloom.engine.program import Program
from orderloom.engine.scheduling.terms import Terms, terms_of
from orderloom.models.fulfillment import Line
from orderloom.models.plan import OrderState, Task, TaskRole, TaskState
from orderloom.models.tasks import Due, TaskDefinition, TaskKind

#: under way, or to be tried again
STARTED = frozenset(
    (TaskState.RUNNING, TaskState.WAITING, TaskState.HELD, TaskState.FAILED, TaskState.FALLOUT, TaskState.SCHEDULED)
)


@dataclass(frozen=True, slots=True)
class Latest:
    """The last instants at which a task may start and finish so that all that comes after it is in time."""

    start: datetime
    finish: datetime


@dataclass(frozen=True, slots=True)
class Earliest:
    """When a task starts and finishes if all goes as usual; actual instants where they are known."""

    start: datetime
    finish: datetime
    #: the task whose finish decides its start, "" for none
    follows: str = ""


class Network:
    """Made from the rows of an order; holds as long as its plan does."""

    def __init__(self, program: Program, state: OrderState) -> None:
        self._terms: Terms = terms_of(program)
        designed = definitions(program)
        compiled = designed.tasks
        tasks = {task.id: task for task in state.tasks.values() if task.role is not TaskRole.FORMER}
        self._state = state
        self.usual: dict[str, Due | None] = {
            task.id: usual(program, compiled[task.definition].definition) if task.definition in compiled else None
            for task in tasks.values()
        }
        known = [task for task in tasks.values() if task.definition in compiled and task.version == 0]
        self.late = frozenset(task.id for task in known if compiled[task.definition].definition.start_late)
        #: in topological order: (task, whether it is the start of a subplan)
        self.order: list[tuple[str, bool]] = []
        self._before = _before(tasks, _suppliers(designed, state.lines, tasks.values()))
        if not self._sort():
            # attributes may come from any of several tasks, which is no order among them
            self._before = _before(tasks, {})
            self._sort()

    def latest(self, deadline: datetime) -> dict[str, Latest]:
        """Latest times of every task, whatever its state, for everything to be finished by the deadline."""
        finish: dict[tuple[str, bool], datetime] = {}
        found: dict[str, Latest] = {}
        before, usual, terms = self._before, self.usual, self._terms
        for node in reversed(self.order):
            task, opening = node
            end = finish.get(node, deadline)
            term = None if opening else usual[task]
            start = terms.before(end, term) if term is not None else end
            known = found.get(task)
            found[task] = Latest(start, known.finish if known else end)
            for first in before[node]:
                if first not in finish or start < finish[first]:
                    finish[first] = start
        return found

    def earliest(self, at: datetime, held: dict[str, datetime]) -> dict[str, Earliest]:
        """Expected times of every task as of an instant; `held` are tasks that do not start before another."""
        state = self._state
        wanted = state.order.requested_start
        floor = max(at, wanted) if wanted is not None else at
        finish: dict[tuple[str, bool], datetime] = {}
        #: what the start of a subplan follows
        opens: dict[str, str] = {}
        found: dict[str, Earliest] = {}
        for node in self.order:
            id, opening = node
            task = state.tasks[id]
            begin, follows = floor, ""
            for first in self._before[node]:
                ended = finish[first]
                if ended > begin or (not follows and ended == begin and not state.tasks[first[0]].state.final):
                    begin, follows = ended, opens[first[0]] if first[1] else first[0]
            if opening:
                finish[node], opens[id] = task.started_at or begin, follows
                continue
            each = self._expected(task, begin, at, held.get(id), follows)
            if task.kind is TaskKind.SUBPLAN:
                start = finish[id, True]
                each = Earliest(start, max(each.finish if task.state.final else begin, start), follows)
            found[id] = each
            finish[node] = each.finish
        return found

    def _expected(self, task: Task, begin: datetime, at: datetime, held: datetime | None, follows: str) -> Earliest:
        if task.state.final:
            end = task.finished_at or at
            return Earliest(task.started_at or end, end)
        if task.started_at is not None and task.state in STARTED:
            return Earliest(task.started_at, max(at, self.finish(task, task.started_at)))
        if held is not None and held > begin:
            begin, follows = held, ""
        return Earliest(begin, self.finish(task, begin), follows)

    def finish(self, task: Task, start: datetime) -> datetime:
        """When a task that starts then is finished as a rule."""
        if task.due is not None and (task.kind is TaskKind.PAUSE or task.state is TaskState.SCHEDULED):
            start = max(start, task.due)
            if task.kind is TaskKind.PAUSE:
                return start
        term = self.usual[task.id]
        return self._terms.after(start, term) if term is not None else start

    def _sort(self) -> bool:
        """Puts everything after what it comes after (Kahn); False, with nothing changed, where there is a circle."""
        missing = {node: len(first) for node, first in self._before.items()}
        following: dict[tuple[str, bool], list[tuple[str, bool]]] = {}
        for node, first in self._before.items():
            for each in first:
                following.setdefault(each, []).append(node)
        order = [node for node, count in missing.items() if not count]
        for node in order:
            for each in following.get(node, ()):
                missing[each] -= 1
                if not missing[each]:
                    order.append(each)
        if len(order) < len(missing):
            return False
        self.order = order
        return True


def _suppliers(
    known: Definitions, lines: Mapping[str, Line], tasks: Iterable[Task]
) -> dict[tuple[str, str], dict[str, None]]:
    """The tasks that set an attribute which some task needs, or what rules make it of in lines before, by place."""
    tasks = tuple(tasks)
    setting: dict[tuple[str, str], list[str]] = {}
    for task in tasks:
        for each in known.tasks[task.definition].sets if task.definition in known.tasks else ():
            setting.setdefault((task.line, each.attribute), []).append(task.id)
    needed = dict.fromkeys((task.line, name) for task in tasks for name in task.needs)
    return {
        place: dict.fromkeys(task for origin in origins(known.rules, lines, *place) for task in setting.get(origin, ()))
        for place in (needed if setting else ())
    }


def _before(
    tasks: Mapping[str, Task], suppliers: Mapping[tuple[str, str], Iterable[str]]
) -> dict[tuple[str, bool], list[tuple[str, bool]]]:
    """What each node comes directly after, also the tasks that supply an attribute it needs."""
    nodes: dict[tuple[str, bool], list[tuple[str, bool]]] = {}
    for task in tasks.values():
        first: Iterable[str] = dict.fromkeys(
            (*task.after, *(each for name in task.needs for each in suppliers.get((task.line, name), ())))
        )
        before = [(each, False) for each in first if each in tasks and each != task.id]
        if task.within in tasks:
            before.append((task.within, True))
        if task.kind is TaskKind.SUBPLAN:
            nodes[task.id, True] = before
            nodes.setdefault((task.id, False), []).append((task.id, True))
        else:
            nodes[task.id, False] = before
    for task in tasks.values():
        if task.within in tasks:
            nodes[task.within, False].append((task.id, False))
    return nodes


def usual(program: Program, definition: TaskDefinition) -> Due | None:
    """How long a task usually takes: its duration, else until it is due; None for no time at all."""
    if definition.duration is not None:
        return definition.duration
    if definition.kind is TaskKind.MANUAL:
        queue = program.design.queues.get(definition.queue)
        return definition.due or (queue.sla if queue is not None else None)
    if definition.pause is not None:
        return Due(span=definition.pause)
    return None
