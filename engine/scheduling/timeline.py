"""What is derived from the rows of an order about time and kept between events; never stored.

Latest times depend on the plan, durations and the requested completion only, not on what has happened. So the instants
at which a task changes colour follow from its own row, and an event touches only the tasks that it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from heapq import heappop, heappush
from weakref import WeakKeyDictionary

from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.feeding import made_from
from orderloom.engine.program import Program
from orderloom.engine.scheduling.network import Latest, Network, Node
from orderloom.engine.scheduling.schedule import calculated_starts
from orderloom.engine.scheduling.turnings import Turning, margin, turnings
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.plan import OrderState, Task
from orderloom.models.tasks import TaskKind

#: stands for the order among the subjects of counts
ORDER = ""


class Timeline:
    """The derived side of one order's times."""

    def __init__(self, program: Program, state: OrderState) -> None:
        self._program = program
        self._compiled = definitions(program).tasks
        self._state = state
        self.deadline = state.order.requested_completion
        share = program.design.jeopardy.slack
        self._share = share
        #: the last instants at which everything may finish; empty where the order has no requested completion
        self._finish: dict[Node, datetime] = self.network.finishes(self.deadline) if self.deadline else {}
        self.latest: dict[str, Latest] = self.network.latest(self.deadline, self._finish) if self.deadline else {}
        #: when tasks start that start as late as possible
        self.calculated = calculated_starts(self.network, self.latest, self.deadline, share) if self.deadline else {}
        #: by line, and for the order: how many of its open tasks are yellow, and red
        self._counts: dict[str, list[int]] = {}
        #: when each task changes colour next, and the same in a heap, where older entries may be left over
        self._next: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []
        self._above: dict[str, tuple[str, ...]] = {}
        for task in state.tasks.values():
            self.count(task, 1)
            self.plan(task, self.turnings(task))

    def grow(self, tasks: Mapping[str, Task], waiting: Mapping[str, Iterable[str]]) -> bool:
        """Takes in new tasks, and what tasks that are there come after from now on beside what they came after; False
        where it is to be made anew. That lines which were there are made of more is told with `join`, before."""
        touched = dict.fromkeys(tasks)
        if "network" in self.__dict__:
            order = self.network.grow(tasks, waiting)
            if order is None:
                return False
            touched.update(dict.fromkeys(self._sooner(order, waiting)))
        self.__dict__.pop("has_durations", None)
        if self.deadline:
            self.calculated |= calculated_starts(self.network, self.latest, self.deadline, self._share, touched)
        for id in touched:
            task = self._state.tasks[id]
            if id in tasks:
                self.count(task, 1)
            self.plan(task, self.turnings(task))
        return True

    def join(self, lines: Iterable[str]) -> bool:
        """Takes in that lines are made from others too; `lines` are these with all that are made from them. False where
        what was reckoned depends on that."""
        for line in lines:
            needs = "network" in self.__dict__ and line in self.network.needing
            if needs or self.colour(line) is not Jeopardy.GREEN:
                return False
            self._above.pop(line, None)
        return True

    def _sooner(self, order: Sequence[Node], waiting: Mapping[str, Iterable[str]]) -> Iterator[str]:
        """Reckons the latest times of these nodes anew; the tasks that have others now."""
        if self.deadline is None:
            return
        network, finish = self.network, self._finish
        for node in order:
            finish.setdefault(node, self.deadline)
        for id, firsts in waiting.items():
            start = network.start(network.opening(id), finish[network.opening(id)])
            for first in firsts:
                finish[first, False] = min(finish[first, False], start)
        for node in reversed(order):
            start = network.start(node, finish[node])
            for before in network.before(node):
                finish[before] = min(finish[before], start)
        for task in dict.fromkeys(task for task, _ in order):
            bounds = network.bounds(task, finish)
            if self.latest.get(task) != bounds:
                self.latest[task] = bounds
                yield task

    @cached_property
    def network(self) -> Network:
        return Network(self._program, self._state)

    @cached_property
    def has_durations(self) -> bool:
        return any(term is not None for term in self.network.usual.values())

    def expected(self, at: datetime) -> datetime:
        """Expected completion of the order as of an instant, linear in its tasks."""
        return max((each.finish for each in self.network.earliest(at, self.calculated).values()), default=at)

    def turnings(self, task: Task) -> list[Turning]:
        latest = self.latest.get(task.id)
        spare = margin(latest, self.deadline, self._share) if latest and self.deadline else timedelta(0)
        compiled = self._compiled.get(task.definition)
        # what a version of the design no longer has is history
        return turnings(self._program, compiled, task, latest, spare) if compiled else []

    def plan(self, task: Task, found: list[Turning]) -> None:
        """Notes when the task gets a worse colour than it has."""
        rank = task.jeopardy.rank
        at = next((each.at for each in found if each.to.rank > rank), None)
        if at is None:
            self._next.pop(task.id, None)
        elif self._next.get(task.id) != at:
            self._next[task.id] = at
            heappush(self._heap, (at, task.id))

    def due(self, at: datetime) -> list[str]:
        """Tasks that have changed colour by now, by their instants; they are to be planned anew."""
        found: list[str] = []
        while self._heap and self._heap[0][0] <= at:
            instant, task = heappop(self._heap)
            if self._next.get(task) == instant:
                del self._next[task]
                found.append(task)
        return found

    @property
    def next_at(self) -> datetime | None:
        """When a colour changes next if nothing else happens."""
        while self._heap and self._next.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def count(self, task: Task, change: int) -> None:
        """Adds the task in its colour to the counts of its line, the lines that it is made from, and the order."""
        if task.jeopardy is Jeopardy.GREEN:
            return
        place = task.jeopardy.rank - 1
        for subject in self.subjects(task):
            self._counts.setdefault(subject, [0, 0])[place] += change

    def colour(self, subject: str) -> Jeopardy:
        """The worst colour of a line's or the order's open tasks."""
        yellow, red = self._counts.get(subject, (0, 0))
        return Jeopardy.RED if red else Jeopardy.YELLOW if yellow else Jeopardy.GREEN

    def subjects(self, task: Task) -> tuple[str, ...]:
        """What takes its colour from the task: its line, the lines it is made from, the order."""
        known = self._above.get(task.line)
        if known is None:
            lines = self._state.lines
            found = dict.fromkeys((task.line,))
            todo = [task.line]
            while todo:
                line = lines.get(todo.pop())
                for source in made_from(line) if line else ():
                    if source in lines and source not in found and not lines[source].context:
                        found[source] = None
                        todo.append(source)
            known = self._above[task.line] = (*(each for each in found if each in lines), ORDER)
        return known


_TIMED: WeakKeyDictionary[Program, bool] = WeakKeyDictionary()


def is_timed(program: Program) -> bool:
    """Whether the design itself gives times: durations, due work, queues with a term."""
    known = _TIMED.get(program)
    if known is None:
        compiled = definitions(program).tasks.values()
        queues = program.design.queues.values()
        manual = any(each.definition.kind is TaskKind.MANUAL for each in compiled)
        known = _TIMED[program] = any(
            each.definition.duration is not None or each.definition.due is not None for each in compiled
        ) or any(queue.sla is not None and (queue.fallout or manual) for queue in queues)
    return known
