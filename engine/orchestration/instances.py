"""Makes the tasks of an order: plans by scenario, subplans in their place, `once per …` counted."""

from __future__ import annotations

from collections.abc import Mapping
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
    """The tasks of an order, in the order of lines, plans and definitions."""

    def __init__(self, program: Program, lines: Mapping[str, Line], reaches: Reaches, scopes: Scopes) -> None:
        self._plans = program.design.plans
        self._reaches = reaches
        self.tasks: dict[str, Task] = {}
        self.stands: list[Stand] = []
        #: plans that contain themselves through their subplans
        self.endless: dict[str, None] = {}
        self._once: dict[tuple[str, Reach, str], list[Stand]] = {}
        known = definitions(program)
        for line in lines.values():
            if line.context or line.action is Action.NO_CHANGE:
                continue
            for plan in known.plans(scopes.of(line)):
                self._plan(plan, line)

    def _plan(self, plan: PlanDefinition, line: Line) -> None:
        if not self._stood_for(plan.name, plan.once, line):
            first = len(self.stands)
            self._tasks(plan, line, "", line.id, (plan.name,))
            self._remember(plan.name, plan.once, line, first)

    def _tasks(self, plan: PlanDefinition, line: Line, within: str, prefix: str, chain: tuple[str, ...]) -> None:
        for definition in plan.tasks:
            if self._stood_for(definition.id, definition.once, line):
                continue
            first = len(self.stands)
            task = Task(
                id=f"{prefix}/{definition.id}",
                definition=definition.id,
                kind=definition.kind,
                line=line.id,
                within=within,
            )
            self.tasks[task.id] = task
            self.stands.append(Stand(task, definition, plan, line))
            if definition.kind is TaskKind.SUBPLAN:
                if definition.plan in chain:
                    self.endless[definition.plan] = None
                else:
                    inner = self._plans[definition.plan]
                    self._tasks(inner, line, task.id, task.id, (*chain, inner.name))
            self._remember(definition.id, definition.once, line, first)

    def _stood_for(self, name: str, once: Reach | None, line: Line) -> bool:
        if once is None:
            return False
        made = self._once.get((name, once, self._reaches.home(line, once)))
        if made is None:
            return False
        self.stands.extend(Stand(each.task, each.definition, each.plan, line) for each in made)
        return True

    def _remember(self, name: str, once: Reach | None, line: Line, first: int) -> None:
        if once is not None:
            self._once[name, once, self._reaches.home(line, once)] = self.stands[first:]
