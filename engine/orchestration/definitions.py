"""The plan and task definitions of a program, indexed and with their formulas compiled, once per program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from weakref import WeakKeyDictionary

from orderloom.engine.expressions import CompiledExpression, Scope
from orderloom.engine.orchestration.reads import looks_wide, reads
from orderloom.engine.orchestration.remedies import NOWHERE, remedies
from orderloom.engine.program import Program
from orderloom.models.catalog import Attribute
from orderloom.models.expression import Formula, Root
from orderloom.models.integration import Operation
from orderloom.models.tasks import PlanDefinition, Reach, RetryPolicy, TaskDefinition


class CompiledSet:
    """One `set attribute = expression`."""

    __slots__ = ("attribute", "text", "value")

    def __init__(self, attribute: str, value: CompiledExpression) -> None:
        self.attribute = attribute
        self.value = value
        self.text = value.text


class CompiledTask:
    """A task definition with its formulas ready to evaluate and its names resolved."""

    __slots__ = (
        "_asks",
        "definition",
        "key",
        "matching",
        "operation",
        "plan",
        "retry",
        "sets",
        "until",
        "until_instant",
        "when",
    )

    def __init__(self, program: Program, plan: PlanDefinition, definition: TaskDefinition) -> None:
        def compiled(formula: Formula | None) -> CompiledExpression | None:
            return program.expression(formula) if formula else None

        event = definition.event
        self.plan = plan
        self.definition = definition
        self.operation: Operation | None = program.design.operations.get(definition.operation)
        self.retry: RetryPolicy | None = definition.retry or (self.operation.retry if self.operation else None)
        self._asks = ""
        self.when = compiled(definition.when)
        self.until = compiled(definition.until)
        self.until_instant = compiled(definition.until_instant)
        self.matching = compiled(event.matching) if event else None
        self.key = compiled(event.key) if event else None
        self.sets = tuple(CompiledSet(each.attribute, program.expression(each.value)) for each in definition.sets)

    @property
    def asks(self) -> str:
        """A mark of what the task asks of a person, or awaits: versions of a design that ask the same share it."""
        if not self._asks:
            task = self.definition
            formulas = (task.when, task.until, task.until_instant, task.event.matching if task.event else None)
            form = [(each.name, str(each.type), each.required, each.default, each.title) for each in task.form]
            words = (
                task.kind,
                task.queue,
                task.title,
                task.due,
                form,
                task.event.event if task.event else "",
                task.within,
            )
            told = repr((words, [each.text if each else "" for each in formulas]))
            self._asks = sha256(told.encode()).hexdigest()[:12]
        return self._asks

    def results(self) -> Mapping[str, Attribute]:
        """What a person who completes the task by hand may enter: outputs, fields of the form, of the event."""
        if self.operation:
            return self.operation.outputs
        found = {each.name: each for each in self.definition.form}
        for read in (read for each in self.sets for read in reads(each.value.formula)):
            if read.root is Root.EVENT:
                found.setdefault(read.name, Attribute(name=read.name, title=read.name, type=read.type.maybe()))
        return found


class Definitions:
    """Plans by the lines that they are for, and tasks by id."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._places = {name: place for place, name in enumerate(program.design.plans)}
        self._chosen: dict[tuple[str | None, tuple[int, ...]], tuple[PlanDefinition, ...]] = {}
        self.rules = {rule.id: rule for rule in program.design.rules}
        self.tasks: dict[str, CompiledTask] = {}
        for plan in program.design.plans.values():
            for definition in plan.tasks:
                self.tasks[definition.id] = CompiledTask(program, plan, definition)
                for remedy in remedies(plan, definition):
                    self.tasks[remedy.id] = CompiledTask(program, plan, remedy)
        for definition in NOWHERE.tasks:
            self.tasks[definition.id] = CompiledTask(program, NOWHERE, definition)
        #: how far dependencies look for a task, by its id
        self.looked_for: dict[str, frozenset[Reach]] = _looked_for(program.design.plans.values())
        #: whether anything runs `once per …`; whether conditions of plans with that look at more than attributes (at
        #: other lines at large, actions, quantities); and the attributes that they look at
        self.once, self.once_wide, self.once_reads = _once(program.design.plans)

    def plans(self, scope: Scope) -> tuple[PlanDefinition, ...]:
        """The plans that the scope's line calls for: those of its own spec first, then in the order of the design."""
        network = self._program.scenarios
        fired = network.match(scope)
        key = (scope.line.spec, fired)
        chosen = self._chosen.get(key)
        if chosen is None:
            chosen = self._chosen[key] = self._ordered(scope.line.spec, [network.rules[place].id for place in fired])
        return chosen

    def _ordered(self, spec: str | None, names: list[str]) -> tuple[PlanDefinition, ...]:
        lineage = self._program.lineage(spec or "")
        plans = [self._program.design.plans[name] for name in names]
        return tuple(sorted(plans, key=lambda plan: (lineage.index(plan.spec), self._places[plan.name])))


def _looked_for(plans: Iterable[PlanDefinition]) -> dict[str, frozenset[Reach]]:
    found: dict[str, set[Reach]] = {}
    for plan in plans:
        for definition in plan.tasks:
            for dependency in definition.after:
                for name in dependency.tasks:
                    found.setdefault(name, set()).add(dependency.reach)
    return {name: frozenset(reaches) for name, reaches in found.items()}


def _once(plans: Mapping[str, PlanDefinition]) -> tuple[bool, bool, frozenset[str]]:
    def counts(name: str, chain: tuple[str, ...]) -> bool:
        plan = plans[name]
        inner = (each.plan for each in plan.tasks if each.plan and each.plan not in chain)
        within = any(counts(each, (*chain, each)) for each in inner)
        return within or plan.once is not None or any(each.once is not None for each in plan.tasks)

    counting = [plan for name, plan in plans.items() if counts(name, (name,))]
    conditions = [plan.when for plan in counting if plan.when]
    attributes = frozenset(read.name for when in conditions for read in reads(when))
    return bool(counting), any(map(looks_wide, conditions)), attributes


_KNOWN: WeakKeyDictionary[Program, Definitions] = WeakKeyDictionary()


def definitions(program: Program) -> Definitions:
    """The definitions of the program, made when first asked for."""
    known = _KNOWN.get(program)
    if known is None:
        known = _KNOWN[program] = Definitions(program)
    return known
