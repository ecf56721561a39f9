"""Makes the tasks of an order: plans by scenario, subplans in their place, `once per …` counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.reaches import Reaches
from orderloom.engine.orchestration.scopes import Scopes
from orderloom.engine.program import Program
from orderloom.models.catalog import Action
from orderloom.models.fulfillment import Line
from orderloom.models.plan import Task
from orderloom.models.tasks import PlanDefinition, Reach, TaskDefinition, TaskKind


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

    Lines are taken one after the other; under `once per …` the first that makes a task makes it for all.
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
        self._once: dict[tuple[str, Reach, str], list[Stand]] = {}
        self._makes = True

    def add(self, line: Line) -> None:
        """Makes the tasks of a line; none of one that the order leaves as it is."""
        if not line.context and line.action is not Action.NO_CHANGE:
            for plan in self._known.plans(self._scopes.of(line)):
                self._plan(plan, line)

    def look(self, line: Line) -> None:
        """Finds the tasks of other lines that stand for those of a line; makes none."""
        self._makes = False
        self.add(line)
        self._makes = True

    def hold(self, stand: Stand, chain: Sequence[Stand]) -> None:
        """Takes in a task that is there already. `chain` are the subplans that it is part of, the outermost first."""
        self.tasks[stand.task.id] = stand.task
        self.stands.append(stand)
        path = (*chain, stand)
        if path[0].plan.once is not None:
            self._held(path[0].plan.name, path[0].plan.once, stand)
        for each in path:
            if each.definition.once is not None:
                self._held(each.definition.id, each.definition.once, stand)

    def _held(self, name: str, once: Reach, stand: Stand) -> None:
        made = self._once.setdefault((name, once, self._reaches.home(stand.line, once)), [])
        if not made or made[0].line.id == stand.line.id:
            made.append(stand)

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
            if id not in self.tasks:
                if not self._makes:
                    continue
                task = Task(id=id, definition=definition.id, kind=definition.kind, line=line.id, within=within)
                self.tasks[id] = task
                self.made.append(task)
                self.stands.append(Stand(task, definition, plan, line))
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
        made = self._once.get((name, once, self._reaches.home(line, once)))
        if made is None or (made[0].task.id == id if id else made[0].line.id == line.id):
            return False
        self.stands.extend(Stand(each.task, each.definition, each.plan, line) for each in made)
        return True

    def _remember(self, name: str, once: Reach | None, line: Line, first: int) -> None:
        if once is not None and len(self.stands) > first:
            self._once.setdefault((name, once, self._reaches.home(line, once)), self.stands[first:])
