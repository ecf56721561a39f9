"""The difference between the lines of an order and those it is to have.

Lines are the same where their ids are. What the content asks for is compared, not what tasks and people have delivered
meanwhile: that is carried over, unless the task that delivered it is done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from orderloom.engine.change.content import Wanted
from orderloom.engine.decomposition import decompose
from orderloom.engine.expressions.order import order_values
from orderloom.engine.orchestration.scopes import Scopes
from orderloom.engine.orchestration.sight import ANY, ORDER, PARENT, ROOT, Key
from orderloom.engine.program import Program
from orderloom.models.catalog import Action
from orderloom.models.change import AttributeChange, ChangeKind
from orderloom.models.conversion import from_json, to_json
from orderloom.models.fulfillment import Line, Origin, Provenance
from orderloom.models.order import TAKEN_BACK, OrderStatus
from orderloom.models.plan import OrderState, Task, TaskRole
from orderloom.models.values import Value

Found = TypeVar("Found")

_DELIVERED = (Origin.TASK, Origin.PERSON)


@dataclass(frozen=True, slots=True)
class Clash:
    """An attribute that was delivered and that the change sets to something else."""

    line: str
    attribute: str
    delivered: Value
    by: str
    amended: Value


@dataclass(slots=True)
class LineDiff:
    """What differs, line by line."""

    #: lines to be added, in wanted order
    added: list[str] = field(default_factory=list)
    #: lines that are no longer wanted
    removed: list[str] = field(default_factory=list)
    #: lines whose content differs, with what differs
    changed: dict[str, list[AttributeChange]] = field(default_factory=dict)
    clashes: list[Clash] = field(default_factory=list)
    #: open conflicts of earlier changes that nothing is left to decide of: by task, why
    moot: dict[str, str] = field(default_factory=dict)
    #: keys of what differs, see `orchestration.sight`, as they were found: reasons name the first that a task sees
    keys: dict[Key, None] = field(default_factory=dict)

    def note(self, keys: Iterable[Key]) -> None:
        """What differs, too."""
        self.keys.update(dict.fromkeys(keys))


class Differences:
    """Compares the lines of an order with the wanted ones."""

    def __init__(self, program: Program, state: OrderState, wanted: Wanted, kind: ChangeKind) -> None:
        self._program = program
        self._state = state
        self._wanted = wanted
        self._kind = kind

    def find(self) -> LineDiff:
        diff = LineDiff()
        lines = self._wanted.lines
        for line in lines.values():
            old = self._state.lines.get(line.id)
            if old is None or old.context or old.state in TAKEN_BACK:
                if not line.context:
                    diff.added.append(line.id)
            elif not line.context:
                self._compare(old, line, diff)
        for old in self._state.lines.values():
            new = lines.get(old.id)
            if not old.context and old.state not in TAKEN_BACK and (new is None or new.context):
                diff.removed.append(old.id)
        if diff.removed or any(lines[each].action is not Action.NO_CHANGE for each in diff.added):
            diff.note([(ANY, ANY)])
        self._compare_orders(diff)
        for task in self._state.tasks.values():
            if task.role is TaskRole.CONFLICT and not task.state.final:
                why = self._settled(task)
                if why:
                    diff.moot[task.id] = why
        return diff

    def _settled(self, conflict: Task) -> str:
        """Why there is nothing left to decide; "" where it still is as it was when the conflict came up."""
        line, name = self._wanted.lines.get(conflict.line), str(conflict.outputs["attribute"])
        if line is None or line.context:
            return "its line is taken back"
        if line.attributes.get(name) != conflict.outputs["amended"]:
            return f"the changed order asks for another `{name}`"
        return ""

    def _compare(self, old: Line, new: Line, diff: LineDiff) -> None:
        changes: list[AttributeChange] = []
        for name in dict.fromkeys((*old.attributes, *new.attributes)):
            change = self._attribute(old, new, name, diff)
            if change:
                changes.append(change)
                diff.note(((new.id, name), (new.id, ANY), (ANY, name)))
        if old.action is not new.action:
            diff.note(((new.id, "@action"), (new.id, ANY), (ANY, "@action"), (ANY, ANY)))
        if old.quantity != new.quantity:
            diff.note(((new.id, "@quantity"), (new.id, ANY), (ANY, "@quantity"), (ANY, ANY)))
        moved = old.parent != new.parent or old.root != new.root
        if moved:
            diff.note(((new.id, PARENT), (new.id, ROOT), (ANY, ANY)))
        if changes or moved or old.action is not new.action or old.quantity != new.quantity:
            diff.changed[new.id] = changes

    def _attribute(self, old: Line, new: Line, name: str, diff: LineDiff) -> AttributeChange | None:
        before, after = old.attributes.get(name), new.attributes.get(name)
        provenance = old.provenance.get(name)
        if provenance is None or provenance.origin not in _DELIVERED:
            if after is None and name in new.missing:
                # filled in after a delivery
                return None
            return AttributeChange(name=name, before=before, after=after) if before != after else None
        asked = self._asked_before(old.id, name, after)
        if asked == after or before == after:
            return None
        if _explicit(new, name) or provenance.origin is Origin.PERSON:
            clash = Clash(line=new.id, attribute=name, delivered=before, by=provenance.by, amended=after)
            diff.clashes.append(clash)
            return None
        return None

    def _asked_before(self, line: str, name: str, otherwise: Value) -> Value:
        """What the content before the change asked of an attribute that was delivered since."""
        former = self._formerly_wanted.get(line)
        return former.attributes.get(name) if former else otherwise

    @cached_property
    def _formerly_wanted(self) -> Mapping[str, Line]:
        if self._kind is ChangeKind.MIGRATE:
            return {}
        found = decompose(self._program, self._state.order, self._wanted.inventory)
        return {} if found.problems else found.lines

    def _compare_orders(self, diff: LineDiff) -> None:
        before, after = order_values(self._state.order), order_values(self._wanted.order)
        names = [name for name in after if before[name] != after[name]]
        diff.note((ORDER, name) for name in names)
        if names:
            diff.note([(ORDER, ANY)])


def _explicit(line: Line, name: str) -> bool:
    provenance = line.provenance.get(name)
    return provenance is not None and provenance.origin is Origin.ORDER


def unfit(program: Program, lines: Iterable[Line]) -> Iterator[str]:
    """In words, what was delivered and is not of the type that this version of the design has there."""
    for line in lines:
        known = program.specs[line.spec].attributes
        for name, provenance in line.provenance.items():
            if line.context or provenance.origin not in _DELIVERED or line.attributes.get(name) is None:
                continue
            try:
                from_json(to_json(line.attributes[name]), known[name].type.maybe(), program.design.enums)
            except ValueError as error:
                yield f"line `{line.id}`: `{name}`, set by `{provenance.by}`, has another type in that version: {error}"


class Merge:
    """Puts the wanted lines together with what was delivered meanwhile."""

    def __init__(self, program: Program, state: OrderState, wanted: Wanted) -> None:
        self._program = program
        self._state = state
        self._wanted = wanted
        self._rules = {rule.id: rule for rule in program.design.rules}

    def lines(self, redone: frozenset[str]) -> dict[str, Line]:
        """The lines after the change. Deliveries of the tasks in `redone` are left out: they will come again."""
        merged: dict[str, Line] = {}
        for line in self._wanted.lines.values():
            merged[line.id] = self._merged(line, redone)
        scopes = Scopes(self._program, self._wanted.order, merged)
        for line in merged.values():
            if line.missing:
                self._fill(line, merged, scopes)
        return merged

    def _merged(self, line: Line, redone: frozenset[str]) -> Line:
        old = self._state.lines.get(line.id)
        new = replace(line, attributes=dict(line.attributes), provenance=dict(line.provenance))
        if old is None or old.context or line.context:
            return new
        if old.state in TAKEN_BACK:
            new.written = old.written and old.state is OrderStatus.PENDING_CANCELLATION
            return new
        new.state, new.written = old.state, old.written and old.asset == new.asset
        known = self._program.specs[line.spec].attributes
        for name, provenance in old.provenance.items():
            # another version of the design may not have it any more
            if provenance.origin in _DELIVERED and provenance.by not in redone and name in known:
                _deliver(new, name, old.attributes.get(name), provenance)
        new.attributes = _in_order(new.attributes, old.attributes)
        new.provenance = _in_order(new.provenance, old.provenance)
        return new

    def _fill(self, line: Line, lines: Mapping[str, Line], scopes: Scopes) -> None:
        for source in line.sources:
            rule = self._rules.get(source.rule)
            if rule is None or source.line not in lines:
                continue
            scope = scopes.of(lines[source.line])
            scope.target = line.attributes
            for mapping in rule.mappings:
                if mapping.attribute in line.missing:
                    value = self._program.expression(mapping.value).evaluate(scope)
                    if value is not None:
                        by = Provenance(origin=Origin.RULE, by=rule.id, source=source.line, text=mapping.value.text)
                        _deliver(line, mapping.attribute, value, by)


def _deliver(line: Line, name: str, value: Value, provenance: Provenance) -> None:
    line.attributes[name] = value
    line.provenance[name] = provenance
    if value is not None and name in line.missing:
        line.missing = tuple(each for each in line.missing if each != name)


def _in_order(found: dict[str, Found], like: Mapping[str, object]) -> dict[str, Found]:
    """The entries in the order of a former mapping as far as it has them, so that what did not change stays equal."""
    return {**{name: found[name] for name in like if name in found}, **found}
