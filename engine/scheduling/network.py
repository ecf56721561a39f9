"""The tasks of a plan as a network of activities: what comes before what, and how long each usually takes.

Both passes are linear in tasks and dependencies. A subplan stands in it twice: as its start, which its parts come
after, and as its end, which comes after its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.feeding import origins
from orderloom.engine.program import Program
from orderloom.engine.scheduling.terms import Terms, terms_of
from orderloom.models.plan import OrderState, Task, TaskRole, TaskState
from orderloom.models.tasks import Due, TaskDefinition, TaskKind

#: a task; of a subplan its start, which is True, and its end
Node = tuple[str, bool]
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
    """Made from the rows of an order; holds as long as its plan does, and grows with it."""

    def __init__(self, program: Program, state: OrderState) -> None:
        self._program = program
        self._terms: Terms = terms_of(program)
        self._known = definitions(program)
        self._state = state
        tasks = {task.id: task for task in state.tasks.values() if task.role is not TaskRole.FORMER}
        self.usual: dict[str, Due | None] = {}
        #: tasks that start as late as possible
        self.late: set[str] = set()
        #: lines with tasks that need attributes
        self.needing: set[str] = set()
        #: the tasks that set an attribute, by line and attribute
        self._setting: dict[tuple[str, str], list[str]] = {}
        #: what each node comes directly after
        self._before: dict[Node, list[Node]] = {}
        #: whether tasks come after those that supply what they need
        self._by_attributes = True
        self._read(tasks)
        order = _sorted(self._before)
        if len(order) < len(self._before):
            # attributes may come from any of several tasks, which is no order among them
            self._by_attributes = False
            self._before.clear()
            self._put(tasks)
            order = _sorted(self._before)
        self._order: list[Node] | None = order if len(order) == len(self._before) else []

    @property
    def order(self) -> list[Node]:
        """All nodes, each after what it comes after."""
        if self._order is None:
            self._order = _sorted(self._before)
        return self._order

    def grow(self, tasks: Mapping[str, Task], waiting: Mapping[str, Iterable[str]]) -> list[Node] | None:
        """Takes in new tasks, and what tasks that are there come after from now on beside what they came after.

        The nodes that are new or that others come after now, and all that comes before these, each after what it comes
        after; None where attributes would be supplied in a circle, so that the network is to be made anew.
        """
        self._read(tasks)
        above = dict.fromkeys(node for id in tasks for node in ((id, True), (id, False)) if node in self._before)
        for id, firsts in waiting.items():
            nodes = [(first, False) for first in firsts]
            self._before[self.opening(id)] += nodes
            above.update(dict.fromkeys(nodes))
        self._order = None
        todo = list(above)
        while todo:
            for first in self._before[todo.pop()]:
                if first not in above:
                    above[first] = None
                    todo.append(first)
        order = _sorted({node: self._before[node] for node in above})
        return order if len(order) == len(above) else None

    def opening(self, task: str) -> Node:
        """The node that comes after what the task comes after."""
        return task, self._state.tasks[task].kind is TaskKind.SUBPLAN

    def _read(self, tasks: Mapping[str, Task]) -> None:
        for task in tasks.values():
            compiled = self._known.tasks.get(task.definition)
            self.usual[task.id] = usual(self._program, compiled.definition) if compiled else None
            if compiled and compiled.definition.start_late and task.version == 0:
                self.late.add(task.id)
            if task.needs:
                self.needing.add(task.line)
            for each in compiled.sets if compiled else ():
                self._setting.setdefault((task.line, each.attribute), []).append(task.id)
        self._put(tasks)

    def _put(self, tasks: Mapping[str, Task]) -> None:
        """Adds the nodes of tasks, with what they come after."""
        nodes, there = self._before, self._state.tasks
        for task in tasks.values():
            firsts = dict.fromkeys((*task.after, *self._suppliers(task)))
            before = [(each, False) for each in firsts if each in self.usual and each != task.id]
            # what was part of a plan that amended a task may be left when the task is none of that any more
            inside = task.within in self.usual and there[task.within].kind is TaskKind.SUBPLAN
            if inside:
                before.append((task.within, True))
            if task.kind is TaskKind.SUBPLAN:
                nodes[task.id, True] = before
                nodes.setdefault((task.id, False), []).append((task.id, True))
            else:
                nodes[task.id, False] = before
            if inside:
                nodes.setdefault((task.within, False), []).append((task.id, False))

    def _suppliers(self, task: Task) -> Iterator[str]:
        """The tasks that set what the task needs, or what rules make that of in lines before."""
        for name in task.needs if self._by_attributes and self._setting else ():
            for origin in origins(self._known.rules, self._state.lines, task.line, name):
                yield from self._setting.get(origin, ())

    def before(self, node: Node) -> Sequence[Node]:
        """What comes directly before."""
        return self._before[node]

    def latest(self, deadline: datetime, finish: Mapping[Node, datetime] | None = None) -> dict[str, Latest]:
        """Latest times of every task, whatever its state, for everything to be finished by the deadline; by `finishes`
        for that deadline, where they are known."""
        if finish is None:
            finish = self.finishes(deadline)
        return {task: self.bounds(task, finish) for task, opening in self.order if not opening}

    def finishes(self, deadline: datetime) -> dict[Node, datetime]:
        """The last instants at which everything may finish."""
        finish = dict.fromkeys(self.order, deadline)
        for node in reversed(self.order):
            start = self.start(node, finish[node])
            for first in self._before[node]:
                if start < finish[first]:
                    finish[first] = start
        return finish

    def start(self, node: Node, finish: datetime) -> datetime:
        """When what is to finish then has to start."""
        task, opening = node
        term = None if opening else self.usual[task]
        return self._terms.before(finish, term) if term is not None else finish

    def bounds(self, task: str, finish: Mapping[Node, datetime]) -> Latest:
        """The latest times of a task by the last instants at which everything may finish."""
        end = finish[task, False]
        return Latest(finish.get((task, True), self.start((task, False), end)), end)

    def earliest(self, at: datetime, held: dict[str, datetime]) -> dict[str, Earliest]:
        """Expected times of every task as of an instant; `held` are tasks that do not start before another."""
        state = self._state
        wanted = state.order.requested_start
        floor = max(at, wanted) if wanted is not None else at
        finish: dict[Node, datetime] = {}
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


def _sorted(before: Mapping[Node, Iterable[Node]]) -> list[Node]:
    """Puts everything after what it comes after (Kahn); what is in a circle, or behind one, is left out."""
    missing = dict.fromkeys(before, 0)
    following: dict[Node, list[Node]] = {}
    for node, firsts in before.items():
        for each in firsts:
            missing[node] += 1
            following.setdefault(each, []).append(node)
    order = [node for node, count in missing.items() if not count]
    for node in order:
        for each in following.get(node, ()):
            missing[each] -= 1
            if not missing[each]:
                order.append(each)
    return order


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
