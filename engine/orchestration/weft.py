"""The tasks of a running plan with all that they can come after, kept so that more lines can be woven in.

What it costs to weave in a line depends on what the line touches, not on the size of the order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orderloom.engine.orchestration.cycles import cycle
from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.dependencies import Dependencies
from orderloom.engine.orchestration.instances import Instances, Stand
from orderloom.engine.orchestration.reaches import Reaches
from orderloom.engine.orchestration.remedies import base
from orderloom.engine.orchestration.scopes import Scopes
from orderloom.engine.program import Program
from orderloom.models.fulfillment import Line
from orderloom.models.order import TAKEN_BACK, ProductOrder
from orderloom.models.plan import Task, TaskRole, TaskState
from orderloom.models.tasks import Dependency, Reach

_GIVEN_UP = (TaskState.CANCELLED, TaskState.DISCARDED)


@dataclass(frozen=True, slots=True)
class Woven:
    """Tasks that are new, and what those that have not started come after from now on, beside what they came after."""

    tasks: dict[str, Task]
    #: by task: other tasks, sorted
    waiting: dict[str, tuple[str, ...]]
    #: by task: tasks of related orders, sorted
    elsewhere: dict[str, tuple[tuple[str, str], ...]]
    #: the tasks that would then wait for each other; empty where none do
    ring: tuple[str, ...]


class Weft:
    """The plan of an order as it is: who runs once for whom, and who looks where for what comes first."""

    def __init__(
        self,
        program: Program,
        order: ProductOrder,
        lines: Mapping[str, Line],
        tasks: Mapping[str, Task],
        remedied: Collection[str],
    ) -> None:
        """`remedied` are the tasks that something takes back or looks after."""
        self._known = definitions(program)
        self._tasks = tasks
        # nothing comes after the tasks of lines that a change has taken back
        self._lines = {id: line for id, line in lines.items() if line.state not in TAKEN_BACK}
        self._reaches = Reaches(self._lines)
        self._scopes = Scopes(program, order, self._lines)
        self._instances = Instances(program, self._reaches, self._scopes)
        self._dependencies = Dependencies(program, order.related, self._lines, self._reaches, self._scopes)
        #: the stands that look for tasks of a definition, by its id, the reach and the key under which they look
        self._looking: dict[tuple[str, Reach, str], list[tuple[Stand, Dependency]]] = {}
        self._at: dict[str, list[Stand]] = {}
        self._hold(remedied)
        self._instances.look(self._lines.values())
        self._file(self._instances.stands)

    def weave(
        self,
        added: Sequence[Line],
        acting: Sequence[Line],
        joined: Mapping[str, Iterable[str]],
        parts: Mapping[str, Sequence[str]],
    ) -> Woven:
        """What becomes of the plan with lines that are new, with lines that are there and have another action, and with
        lines that have gained sources, new ones among them.

        It is to be given up where nothing comes of that. `parts` are the tasks of each subplan.
        """
        instances, dependencies = self._instances, self._dependencies
        for line in added:
            self._lines[line.id] = line
            self._reaches.add(line)
        for id, sources in joined.items():
            self._join(self._lines[id], sources)
        self._scopes.renew()
        made, stood = len(instances.made), len(instances.stands)
        for line in (*acting, *added):
            instances.add(line)
        tasks = {task.id: task for task in instances.made[made:]}
        stands = instances.stands[stood:]
        self._file(stands)
        dependencies.resolve(each for each in stands if each.task.id in tasks)
        waiting: dict[str, set[str]] = {}
        for task, first in (*self._behind(stands), *self._before(stands, tasks)):
            if task not in tasks and task != first and self._tasks[task].state is TaskState.PENDING:
                waiting.setdefault(task, set()).add(first)
        later: dict[str, tuple[str, ...]] = {}
        for task, firsts in waiting.items():
            if found := firsts.difference(self._tasks[task].after):
                later[task] = tuple(sorted(found))
        return Woven(tasks, later, self._elsewhere(stands, tasks), self._ring(tasks, later, parts))

    def _join(self, line: Line, sources: Iterable[str]) -> None:
        """Takes in that a line has these sources too: its tasks, and those below, are found through them."""
        for below in self._reaches.join(line, sources):
            stands = self._at.get(below, ())
            self._dependencies.file(stands)
            self._look(stands)

    def _hold(self, remedied: Collection[str]) -> None:
        found: dict[str, Stand] = {}
        for task in self._tasks.values():
            compiled = self._known.tasks.get(base(task.definition))
            if compiled is not None and self._is_planned(task, remedied):
                line = self._lines[task.line]
                found[task.id] = Stand(task, compiled.definition, compiled.plan, line)
        for stand in found.values():
            chain: list[Stand] = []
            within = stand.task.within
            while within in found:
                chain.insert(0, found[within])
                within = found[within].task.within
            if not within:
                self._instances.hold(stand, chain)

    def _is_planned(self, task: Task, remedied: Collection[str]) -> bool:
        """Whether the task stands in the plan and is neither given up nor being taken back."""
        if task.state in _GIVEN_UP or task.id in remedied or task.line not in self._lines:
            return False
        if task.role is TaskRole.AMEND:
            # what it consists of is not of the plan
            return not task.within or self._tasks[task.within].role is TaskRole.PLANNED
        return task.role is TaskRole.PLANNED

    def _file(self, stands: Iterable[Stand]) -> None:
        stands = tuple(stands)
        for stand in stands:
            self._at.setdefault(stand.line.id, []).append(stand)
        self._dependencies.file(stands)
        self._look(stands)

    def _look(self, stands: Iterable[Stand]) -> None:
        """Notes where stands look for tasks that come first."""
        for stand in stands:
            if stand.task.state is not TaskState.PENDING:
                continue
            for dependency in stand.definition.after:
                reach = dependency.reach
                for key in self._reaches.seen(stand.line, reach) if dependency.tasks else ():
                    for name in dependency.tasks:
                        looking = self._looking.setdefault((name, reach, key), [])
                        looking.append((stand, dependency))

    def _behind(self, stands: Iterable[Stand]) -> Iterator[tuple[str, str]]:
        """Each task that comes after one of these stands, with the task of that."""
        for stand in stands:
            name = stand.definition.id
            for reach in self._known.looked_for.get(name, ()):
                for key in self._reaches.member(stand.line, reach):
                    yield from self._looks(stand, self._looking.get((name, reach, key), ()), beyond=False)
                for key in self._reaches.connected(stand.line) if reach is Reach.LINE else ():
                    yield from self._looks(stand, self._looking.get((name, reach, key), ()), beyond=True)

    def _looks(
        self, stand: Stand, looking: Iterable[tuple[Stand, Dependency]], *, beyond: bool
    ) -> Iterator[tuple[str, str]]:
        name = stand.definition.id
        for other, dependency in looking:
            if dependency.reach is Reach.LINE:
                part = self._dependencies.part(other, name)
                if (part and part != stand.task.id) or self._dependencies.beyond(other, name) is not beyond:
                    continue
            if self._dependencies.holds(dependency, other):
                yield other.task.id, stand.task.id

    def _before(self, stands: Iterable[Stand], tasks: Collection[str]) -> Iterator[tuple[str, str]]:
        """Each task that was there and stands for one of these, with the tasks that it comes after for that."""
        for stand in stands:
            if stand.task.id not in tasks:
                for dependency in self._dependencies.holding(stand):
                    for first in self._dependencies.firsts(stand, dependency) if dependency.tasks else ():
                        yield stand.task.id, first

    def _elsewhere(self, stands: Iterable[Stand], tasks: Collection[str]) -> dict[str, tuple[tuple[str, str], ...]]:
        """What tasks that were there, and stand for one of these, come after in related orders for that."""
        found: dict[str, set[tuple[str, str]]] = {}
        for stand in stands:
            task = stand.task
            if task.id not in tasks and task.state is TaskState.PENDING:
                for dependency in self._dependencies.holding(stand):
                    found.setdefault(task.id, set()).update(self._dependencies.related(dependency))
        later = {id: tuple(sorted(each.difference(self._tasks[id].elsewhere))) for id, each in found.items()}
        return {id: each for id, each in later.items() if each}

    def _ring(
        self, tasks: Mapping[str, Task], later: Mapping[str, tuple[str, ...]], parts: Mapping[str, Sequence[str]]
    ) -> tuple[str, ...]:
        """Tasks that would wait for each other: all that do come before something new, a task or what is waited for."""
        within: dict[str, list[str]] = {}
        for task in tasks.values():
            if task.within:
                within.setdefault(task.within, []).append(task.id)
        found: dict[str, Task] = {}
        todo = [*tasks, *(first for firsts in later.values() for first in firsts)]
        while todo:
            id = todo.pop()
            there = tasks.get(id) or self._tasks.get(id)
            if there is None or id in found:
                continue
            task = found[id] = replace(there, after=(*there.after, *later[id])) if id in later else there
            todo += (*task.after, *parts.get(id, ()), *within.get(id, ()))
            if task.within:
                todo.append(task.within)
        return cycle(found)
