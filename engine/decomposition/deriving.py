"""Values that rules give anew when an attribute that they look at gets a value: lines follow what they are made from.

What a task or a person has set stays, and so does what a rule of a higher priority gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orderloom.engine.decomposition.actions import differs
from orderloom.engine.decomposition.surroundings import Surroundings
from orderloom.engine.firing import FiringRule
from orderloom.engine.program import Program
from orderloom.engine.readings import QUANTITY
from orderloom.models.catalog import Action
from orderloom.models.fulfillment import Line, Origin, Provenance
from orderloom.models.order import TAKEN_BACK, ProductOrder
from orderloom.models.values import Value


@dataclass(frozen=True, slots=True)
class Supplied:
    """A value that a rule gives to a line that is there already."""

    line: str
    #: or `readings.QUANTITY`
    attribute: str
    #: an integer for the quantity
    value: Value
    provenance: Provenance

    def put(self, line: Line) -> None:
        """Gives it to the line; one that was to stay as it is is modified then."""
        if self.attribute == QUANTITY:
            assert isinstance(self.value, int)
            line.quantity = self.value
        else:
            line.attributes = {**line.attributes, self.attribute: self.value}
            line.provenance = {**line.provenance, self.attribute: self.provenance}
            line.missing = tuple(name for name in line.missing if name != self.attribute)
        if turned(line):
            line.action = Action.MODIFY


def turned(line: Line) -> bool:
    """Whether a technical line was to stay as it is, and no longer does."""
    if line.action is not Action.NO_CHANGE or line.context or not line.sources or line.held is None:
        return False
    return differs(line, line.held)


def derived(
    program: Program, order: ProductOrder, line: str, attribute: str, around: Surroundings
) -> Iterator[Supplied]:
    """The values that rules which have fired give now that the line's attribute has its value, where they differ.

    The attribute may be `readings.QUANTITY`.
    """
    giving = program.giving.get(attribute)
    if giving is None:
        return
    for source, rules in around.looking(giving, line):
        for target in (around.lines[id] for id in around.fed.get(source.id, ())):
            if target.action is Action.DELETE or target.state in TAKEN_BACK:
                continue
            fired = {each.rule for each in target.sources if each.line == source.id}
            for rule in rules:
                if rule.id in fired:
                    yield from _given(program, order, rule, source, target, attribute, around)
                    if attribute in rule.counts:
                        yield from _counted(program, order, rule, target, around)


def _given(
    program: Program,
    order: ProductOrder,
    rule: FiringRule,
    source: Line,
    target: Line,
    attribute: str,
    around: Surroundings,
) -> Iterator[Supplied]:
    found = _contributed(order, rule, source, target, around)
    follow = {attribute}
    for mapping in rule.mappings:
        name = mapping.attribute
        value = found.get(name)
        if value is None or follow.isdisjoint(mapping.reads):
            continue
        follow.add(name)
        provenance = Provenance(origin=Origin.RULE, by=rule.id, source=source.id, text=mapping.value.text)
        if value != target.attributes.get(name) and takes_over(program, provenance, target, name):
            yield Supplied(target.id, name, value, provenance)


def _counted(
    program: Program, order: ProductOrder, rule: FiringRule, target: Line, around: Surroundings
) -> Iterator[Supplied]:
    found = units(program, order, target, around)
    if found is not None and found != target.quantity:
        text = rule.quantity.text if rule.quantity else ""
        yield Supplied(target.id, QUANTITY, found, Provenance(origin=Origin.RULE, by=rule.id, text=text))


def units(program: Program, order: ProductOrder, target: Line, around: Surroundings) -> int | None:
    """The units that all sources of a line ask for now; None where they say nothing of it."""
    asked = []
    for each in target.sources:
        rule = program.firing_by_id.get(each.rule)
        if rule is not None and rule.quantity is not None:
            scope = around.scope(order, around.lines[each.line])
            scope.asset = around.held(target)
            found = rule.quantity.evaluate(scope)
            if isinstance(found, int) and found > 0:
                asked.append(found)
    return sum(asked) if asked else None


def _contributed(
    order: ProductOrder, rule: FiringRule, source: Line, target: Line, around: Surroundings
) -> dict[str, Value]:
    """What a rule gives now to a target of a source."""
    scope = around.scope(order, source)
    scope.asset = around.held(target)
    found: dict[str, Value] = {}
    scope.target = found
    for mapping in rule.mappings:
        value = mapping.value.evaluate(scope)
        if value is not None:
            found[mapping.attribute] = value
    return found


def takes_over(program: Program, late: Provenance, line: Line, name: str) -> bool:
    """Whether a rule's value takes the place of the one that a line has."""
    there = line.provenance.get(name)
    if line.attributes.get(name) is None or there is None or there.origin in (Origin.DEFAULT, Origin.INVENTORY):
        return True
    if there.origin is not Origin.RULE:
        return False
    if (there.by, there.source) == (late.by, late.source):
        return True
    known = program.firing_by_id
    return there.by not in known or known[late.by].rule.priority > known[there.by].rule.priority
