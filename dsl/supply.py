"""Which attributes tasks supply: those that a task of a plan for the spec sets, or collects under the same name."""

from __future__ import annotations

from dataclasses import replace

from orderloom.dsl import tree
from orderloom.dsl.attributes import type_of
from orderloom.dsl.context import Context


def build_supply(context: Context) -> None:
    """Fills `Spec.supplied_later`; a plan for a spec also serves the specs that extend it."""
    supplied: dict[str, set[str]] = {name: set() for name in context.specs}
    for plan in context.symbols.plans.values():
        base = plan.spec.text
        if base not in context.specs:
            continue
        given = {name for task in plan.tasks for name in given_by(context, base, task)}
        for name in context.structure.family[base]:
            supplied[name] |= given
    for name, spec in context.specs.items():
        if supplied[name]:
            context.specs[name] = replace(spec, supplied_later=frozenset(supplied[name]))


def given_by(context: Context, spec: str, task: tree.TaskDeclaration) -> tuple[str, ...]:
    """The attributes of `spec` that a task gives a value when it completes."""
    given = dict.fromkeys(
        statement.attribute.text
        for statement in tree.of_kind(task.statements, tree.SetStatement)
        if statement.attribute.text in context.specs[spec].attributes
    )
    for statement in tree.of_kind(task.statements, tree.CollectStatement):
        given.update(dict.fromkeys(field.name.text for field in statement.fields if collects(context, spec, field)))
    return tuple(given)


def collects(context: Context, spec: str, field: tree.AttributeDeclaration) -> bool:
    """Whether a form field stands for the attribute of that name: they have one type."""
    attribute = context.specs[spec].attributes.get(field.name.text)
    if attribute is None:
        return False
    type_ = type_of(context, field.type)
    return type_ is not None and type_.required() == attribute.type.required()
