"""Request templates that read what tasks supply later, in calls that do not come after those tasks.

A line that is added may start without an attribute that a task sets or collects. A call of its plan that sends the
attribute has to wait for it: for the attribute itself, or for a task that gives it, at once or by way of other tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass

from jinja2 import nodes

from orderloom.connectors.templates.names import dotted
from orderloom.connectors.templates.sandbox import parse
from orderloom.models.catalog import Action, Spec
from orderloom.models.design import Design
from orderloom.models.expression import Reference, Root
from orderloom.models.integration import Template
from orderloom.models.rules import DecompositionRule
from orderloom.models.structure import structure_of
from orderloom.models.tasks import PlanDefinition, TaskDefinition, TaskKind

#: attribute of a spec
Place = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """A call that may be sent before an attribute of its line has a value."""

    task: TaskDefinition
    spec: str
    attribute: str
    #: ids of the tasks that give the value
    givers: tuple[str, ...]


class Arrivals:
    """What tasks of a design wait for, and who supplies what."""

    def __init__(self, design: Design) -> None:
        self._design = design
        self._family = structure_of(design.specs, design.rules).family
        self._tasks = {task.id: (plan, task) for plan in design.plans.values() for task in plan.tasks}
        self._before: dict[str, list[str]] = {name: [] for name in self._tasks}
        for _, task in self._tasks.values():
            self._before[task.id] += [name for each in task.after for name in each.tasks if name in self._tasks]
            if task.kind is TaskKind.SUBPLAN and task.plan in design.plans:
                inner = [each.id for each in design.plans[task.plan].tasks]
                # the tasks of a subplan come after what it comes after, and what follows it after them
                for name in inner:
                    self._before[name] += [each for each in self._before[task.id] if each not in inner]
                self._before[task.id] += inner
        self._givers = self._spread(self._given())
        #: operation -> its calls that may be made before something is supplied
        self._calls: dict[str, list[tuple[PlanDefinition, TaskDefinition]]] = {}
        for plan, task in self._tasks.values():
            if task.kind is TaskKind.CALL and design.specs[plan.spec].supplied_later and self._for_new_lines(plan):
                self._calls.setdefault(task.operation, []).append((plan, task))

    def early(self, operation: str, template: Template) -> Iterator[Early]:
        """The calls of an operation that its request template makes fail, one for each attribute."""
        calls = self._calls.get(operation, ())
        sent = unguarded(template) if calls else frozenset()
        for plan, task in calls:
            spec = self._design.specs[plan.spec]
            for name in sorted(sent & spec.supplied_later):
                if not self._there_from_the_start(spec, name) and not self._waits_for(plan, task, name):
                    yield Early(
                        task=task,
                        spec=spec.name,
                        attribute=name,
                        givers=tuple(sorted(self._givers.get((spec.name, name), ()))),
                    )

    def _for_new_lines(self, plan: PlanDefinition) -> bool:
        """Whether a plan is used for lines that are added, by itself or as a subplan of such a plan."""
        if Action.ADD in plan.actions:
            return True
        return not plan.actions and any(
            Action.ADD in outer.actions
            for outer, task in self._tasks.values()
            if task.kind is TaskKind.SUBPLAN and task.plan == plan.name
        )

    def _there_from_the_start(self, spec: Spec, name: str) -> bool:
        """Whether a default or a mapping of what the source line has gives a value when the line is made."""
        return spec.attributes[name].default is not None or any(
            mapping.attribute == name and not self._supplied(rule, mapping.value.expression)
            for rule in self._design.rules
            if rule.target in {*spec.lineage, *self._family[spec.name]}
            for mapping in rule.mappings
        )

    def _supplied(self, rule: DecompositionRule, value: object) -> bool:
        return any(name in self._design.specs[rule.source].supplied_later for name in _line_attributes(value)) or any(
            reference.root in (Root.PARENT, Root.ROOT) for reference in _references(value)
        )

    def _waits_for(self, plan: PlanDefinition, task: TaskDefinition, name: str) -> bool:
        if task.when is not None and name in _line_attributes(task.when.expression):
            return True
        kin = {*self._design.specs[plan.spec].lineage, *self._family[plan.spec]}
        givers = self._givers.get((plan.spec, name), frozenset())
        waiting, seen = [task.id], {task.id}
        while waiting:
            each = waiting.pop()
            its_plan, its_task = self._tasks[each]
            if its_plan.spec in kin and any(dependency.attribute == name for dependency in its_task.after):
                return True
            if each != task.id and each in givers:
                return True
            waiting += [earlier for earlier in self._before[each] if earlier not in seen]
            seen.update(self._before[each])
        return False

    def _given(self) -> dict[Place, frozenset[str]]:
        """Attribute -> the tasks that set or collect it."""
        given: dict[Place, set[str]] = {}
        for plan, task in self._tasks.values():
            names = {each.attribute for each in task.sets} | {each.name for each in task.form}
            for spec in self._family[plan.spec]:
                for name in names & self._design.specs[spec].supplied_later:
                    given.setdefault((spec, name), set()).add(task.id)
        return {place: frozenset(tasks) for place, tasks in given.items()}

    def _spread(self, given: Mapping[Place, frozenset[str]]) -> Mapping[Place, frozenset[str]]:
        """Adds what decomposition rules take from such attributes, until nothing is new."""
        givers = dict(given)
        growing = True
        while growing:
            growing = False
            for rule in self._design.rules:
                for mapping in rule.mappings:
                    read = [
                        givers.get((source, name), frozenset())
                        for source in self._family[rule.source]
                        for name in _line_attributes(mapping.value.expression)
                    ]
                    found = frozenset().union(*read)
                    for target in self._family[rule.target]:
                        known = givers.get((target, mapping.attribute), frozenset())
                        if not found <= known:
                            givers[target, mapping.attribute] = known | found
                            growing = True
        return givers


def unguarded(template: Template) -> frozenset[str]:
    """The attributes of `line` that a template sends without a `default` and without asking whether they are there."""
    tree = parse(template.text)
    asked: list[nodes.Node | None] = [node.node for node in tree.find_all(nodes.Test)]
    asked += [node.node for node in tree.find_all(nodes.Filter) if node.name == "default"]
    asked += [node.test for node in tree.find_all(nodes.If)]
    asked += [node.test for node in tree.find_all(nodes.CondExpr)]
    return frozenset(_of_line(tree)) - {name for node in asked for name in _of_line(node)}


def _of_line(node: nodes.Node | None) -> Iterator[str]:
    if node is None:
        return
    names = dotted(node)
    if len(names) >= 2 and names[0] == "line":
        yield names[1]
        return
    for child in node.iter_child_nodes():
        yield from _of_line(child)


def _line_attributes(value: object) -> frozenset[str]:
    return frozenset(each.name for each in _references(value) if each.root is Root.LINE)


def _references(node: object) -> Iterator[Reference]:
    if isinstance(node, Reference):
        yield node
    elif isinstance(node, tuple):
        for each in node:
            yield from _references(each)
    elif is_dataclass(node) and not isinstance(node, type):
        for field in fields(node):
            yield from _references(getattr(node, field.name))
