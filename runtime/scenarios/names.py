"""The names of a design that a scenario may use, and looking them up."""

from __future__ import annotations

from orderloom.engine.orchestration.remedies import GENERAL
from orderloom.models.catalog import Attribute, Enum, Spec
from orderloom.models.design import Design
from orderloom.models.tasks import TaskDefinition
from orderloom.models.values import Value
from orderloom.runtime.scenarios.nodes import Node


class Names:
    """Looks names up; one that is not there is told of at its place."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.enums: dict[str, Enum] = dict(design.enums)
        #: inventory items that the scenario gives or makes: id -> spec
        self.assets: dict[str, str] = {}
        self.tasks: dict[str, TaskDefinition] = {}
        #: what changes add to any plan, by plain name
        self._added = {each.name: each for each in GENERAL}
        self.learn(design)

    def learn(self, design: Design) -> None:
        """The tasks of a design, by id and by plain name; those known before count first."""
        for plan in design.plans.values():
            for task in plan.tasks:
                self.tasks.setdefault(task.id, task)
                self.tasks.setdefault(task.name, task)

    @property
    def events(self) -> frozenset[str]:
        return frozenset(task.event.event for task in self.tasks.values() if task.event)

    def spec(self, name: str, node: Node) -> Spec | None:
        """A spec by its name, or by the id of a line or inventory item that begins with it."""
        named = (name, self.assets.get(name, ""), name.partition(":")[0], name.partition("@")[0])
        found = next((self.design.specs[each] for each in named if each in self.design.specs), None)
        if found is None:
            node.unknown(name, self.design.specs, "product, service or resource")
        return found

    def task(self, name: str, node: Node) -> TaskDefinition | None:
        """A task by plain name, by `Plan.task`, or by its id in a plan; what changes add to a name is left aside."""
        parts = [part.partition("~")[0] for part in name.split("/")]
        for part in parts[1:] + parts[:1] if len(parts) > 1 else parts:
            found = self.tasks.get(part) or self._added.get(part.partition(" ")[0])
            if found is not None:
                return found
        node.unknown(name, self.tasks, "task")
        return None

    def operation(self, name: str, node: Node) -> bool:
        if name in self.design.operations:
            return True
        node.unknown(name, self.design.operations, "operation")
        return False

    def values(self, node: Node, attributes: dict[str, Attribute], what: str) -> dict[str, Value]:
        """Values of attributes by name, typed."""
        found = node.mapping(attributes, what)
        return {name: each.typed(attributes[name].type, self.enums) for name, each in found.items()}
