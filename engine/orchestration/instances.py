"""Makes the tasks of an order: plans by scenario, subplans in their place, `once per …` counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.reaches import Reaches
from orderloom.engine.orchestration.scopes import Scopes
from orderloom.engine.program import Program
from orderloom.models.catalog import Action
from orderloom.models.fulfillment import Line
from orderloom.models.plan import Task
from orderloom.models.tasks import PlanDefinition, Reach, TaskDefinition, TaskKind

#: what runs once per something: name of the plan or task, reach, and which of these
_Once = tuple[str, Reach, str]


@dataclass(frozen=True, slots=True)
class Stand:
    """A task as one line sees it: its own, or the one that stands for it under `once per …`."""

    task: Task
    definition: TaskDefinition
    plan: PlanDefinition
    #: the line that sees it; for a task of another line, that one comes after what this line's would come after
    line: Line


class Instances:
    """The tasks of an order, in the order of lines, plans and definitions.

    Lines are taken one after the other; under `once per …` the first that makes a task makes it for all. Of an order
    that is under way, the tasks that are there are taken in first (`hold`), then what they stand for (`look`).
    """

    def __init__(self, program: Program, reaches: Reaches, scopes: Scopes) -> None:
        self._plans = program.design.plans
        self._known = definitions(program)
        self._reaches = reaches
        self._scopes = scopes
        self.tasks: dict[str, Task] = {}
        #: those of them that were not there already, in the order in which they were made
        self.made: list[Task] = []
        self.stands: list[Stand] = []
        #: plans that contain themselves through their subplans
        self.endless: dict[str, None] = {}
        self._once: dict[_Once, list[Stand]] = {}
        self._makes = True
        #: tasks that were there and have not come up in a plan yet
        self._held: dict[str, Stand] = {}
        #: at which line, and in which of its plans, what runs once is already
        self._holders: dict[_Once, tuple[Line, PlanDefinition]] = {}
        self._looked_at: set[tuple[str, str]] = set()

    def add(self, line: Line) -> None:
        """Makes the tasks of a line; none of one that the order leaves as it is."""
        for plan in self._called_for(line):
            self._plan(plan, line)

    def hold(self, stand: Stand, chain: Sequence[Stand]) -> None:
        """Takes in a task that is there already. `chain` are the subplans that it is part of, the outermost first."""
        self.tasks[stand.task.id] = stand.task
        self._held[stand.task.id] = stand
        plan = (*chain, stand)[0].plan
        for name, once in ((plan.name, plan.once), (stand.definition.id, stand.definition.once)):
            if once is not None:
                key = (name, once, self._reaches.home(stand.line, once))
                self._holders.setdefault(key, (stand.line, plan))

    def look(self, lines: Iterable[Line]) -> None:
        """Finds what the tasks that were taken in stand for, and whatever else lines have of each other; makes none."""
        self._makes = False
        if self._known.once:
            for line in lines:
                for plan in self._called_for(line):
                    self._look_at(plan, line)
            for line, plan in tuple(self._holders.values()):
                self._look_at(plan, line)
        # the rest is of plans that would not be called for any more
        self.stands.extend(self._held.values())
        self._held.clear()
        self._makes = True

    def _called_for(self, line: Line) -> tuple[PlanDefinition, ...]:
        quiet = line.context or line.action is Action.NO_CHANGE
        return () if quiet else self._known.plans(self._scopes.of(line))

    def _look_at(self, plan: PlanDefinition, line: Line) -> None:
        if (plan.name, line.id) not in self._looked_at:
            self._looked_at.add((plan.name, line.id))
            self._plan(plan, line)

    def _plan(self, plan: PlanDefinition, line: Line) -> None:
        if not self._stood_for(plan.name, plan.once, line, ""):
            first = len(self.stands)
            self._tasks(plan, line, "", line.id, (plan.name,))
            self._remember(plan.name, plan.once, line, first)

    def _tasks(self, plan: PlanDefinition, line: Line, within: str, prefix: str, chain: tuple[str, ...]) -> None:
        for definition in plan.tasks:
            id = f"{prefix}/{definition.id}"
            if self._stood_for(definition.id, definition.once, line, id):
                continue
            first = len(self.stands)
            if id in self.tasks:
                if held := self._held.pop(id, None):
                    self.stands.append(held)
            elif self._makes:
                task = Task(id=id, definition=definition.id, kind=definition.kind, line=line.id, within=within)
                self.tasks[id] = task
                self.made.append(task)
                self.stands.append(Stand(task, definition, plan, line))
            else:
                continue
            if definition.kind is TaskKind.SUBPLAN:
                if definition.plan in chain:
                    self.endless[definition.plan] = None
                else:
                    inner = self._plans[definition.plan]
                    self._tasks(inner, line, id, id, (*chain, inner.name))
            self._remember(definition.id, definition.once, line, first)

    def _stood_for(self, name: str, once: Reach | None, line: Line, id: str) -> bool:
        """Whether another task stands for the one of this id, or other tasks for those of the line's plan; they are
        noted as stands of this line, too."""
        if once is None:
            return False
        key = (name, once, self._reaches.home(line, once))
        if key not in self._once and key in self._holders:
            holder, plan = self._holders[key]
            if holder.id == line.id and not id:
                return False
            self._look_at(plan, holder)
        made = self._once.get(key)
        if made is None or (made[0].task.id == id if id else made[0].line.id == line.id):
            return False
        self.stands.extend(Stand(each.task, each.definition, each.plan, line) for each in made)
        return True

    def _remember(self, name: str, once: Reach | None, line: Line, first: int) -> None:
        if once is None or len(self.stands) == first:
            return
        key = (name, once, self._reaches.home(line, once))
        if self._makes or (key in self._holders and self._holders[key][0].id == line.id):
            self._once.setdefault(key, self.stands[first:])
