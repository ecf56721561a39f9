"""Which attributes tasks supply: those that a task of a plan for the spec sets, or collects under the same name.

What a rule maps from such an attribute comes later too, so the property spreads along the mappings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

from orderloom.dsl import tree
from orderloom.dsl.attributes import type_of
from orderloom.dsl.context import Context
from orderloom.dsl.decomposition import placed_rules
from orderloom.models.expression import Root

#: an attribute of a spec
Place = tuple[str, str]


def build_supply(context: Context) -> None:
    """Fills `Spec.supplied_later`; a plan or rule for a spec also serves the specs that extend it."""
    supplied = {
        (name, attribute)
        for plan in context.symbols.plans.values()
        if plan.spec.text in context.specs
        for task in plan.tasks
        for attribute in given_by(context, plan.spec.text, task)
        for name in context.structure.family[plan.spec.text]
    }
    _spread(context, supplied)
    for name, spec in context.specs.items():
        later = frozenset(attribute for attribute in spec.attributes if (name, attribute) in supplied)
        if later:
            context.specs[name] = replace(spec, supplied_later=later)


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


def _spread(context: Context, supplied: set[Place]) -> None:
    """Adds what mappings take from supplied attributes, until nothing is new."""
    feeds: dict[Place, set[Place]] = {}
    for rule in placed_rules(context):
        source, target = rule.source.text, rule.target.text
        if source not in context.specs or target not in context.specs:
            continue
        for mapping in tree.of_kind(rule.statements, tree.MappingStatement):
            fed = {(name, mapping.attribute.text) for name in context.structure.family[target]}
            for place in _read(context, source, mapping.value):
                feeds.setdefault(place, set()).update(fed)
    waiting = sorted(supplied)
    while waiting:
        new = feeds.get(waiting.pop(), set()) - supplied
        supplied |= new
        waiting.extend(sorted(new))


def _read(context: Context, source: str, value: tree.Expression) -> Iterator[Place]:
    """The attributes of the source line, its parent and its root that an expression names."""
    structure = context.structure
    for path in _paths(value):
        first, name = (Root.LINE.value, path.parts[0].text) if len(path.parts) == 1 else _two(path)
        if first == Root.LINE:
            specs = structure.family[source]
        elif first == Root.PARENT:
            specs = structure.parents(source)
        elif first == Root.ROOT:
            specs = structure.roots(source)
        else:
            continue
        for spec in specs:
            yield spec, name


def _two(path: tree.Path) -> tuple[str, str]:
    return path.parts[0].text, path.parts[1].text


def _paths(node: object) -> Iterator[tree.Path]:
    if isinstance(node, tree.Path):
        yield node
    elif isinstance(node, tuple):
        for each in node:
            yield from _paths(each)
    elif is_dataclass(node) and not isinstance(node, type):
        for field in fields(node):
            if field.name != "span":
                yield from _paths(getattr(node, field.name))
