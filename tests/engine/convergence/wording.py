"""Designs and orders in a few lines, for the notes of a failure."""

from __future__ import annotations

from collections.abc import Iterable

from orderloom.engine.expressions.wording import written
from orderloom.engine.program import Program
from orderloom.models.order import OrderItem
from orderloom.models.rules import DecompositionRule


def told_design(program: Program) -> str:
    design = program.design
    scopes = ", ".join(f"{spec.name} one per {spec.scope}" for spec in design.specs.values())
    rules = "\n".join(map(_rule_told, design.rules))
    plans = ", ".join(f"{plan.spec}: {[str(each.kind) for each in plan.tasks]}" for plan in design.plans.values())
    return f"{scopes}\n{rules}\nplans {plans}"


def told(name: str, items: Iterable[OrderItem]) -> str:
    return "\n".join((name, *map(_item_told, items)))


def _rule_told(rule: DecompositionRule) -> str:
    when = f" when {written(rule.when.expression)}" if rule.when else ""
    group = f" group {rule.group}" if rule.group else ""
    units = f" units {written(rule.quantity.expression)}" if rule.quantity else ""
    sets = ", ".join(f"{each.attribute} = {written(each.value.expression)}" for each in rule.mappings)
    return f"{rule.id}{group}{when}{units} sets {sets}"


def _item_told(item: OrderItem) -> str:
    given = ", ".join(f"{name}={value}" for name, value in item.attributes.items())
    under = f" under {item.parent}" if item.parent else ""
    ties = "".join(f" {each.kind} {each.item or each.product}" for each in item.relations)
    return f"  {item.id}: {item.action} {item.product} {item.spec} x{item.quantity}{under}{ties} {given}"
