"""The structure of the catalog: levels of children, children that need themselves, relations that contradict."""

from __future__ import annotations

from orderloom.dsl import tree
from orderloom.dsl.catalog import LEVEL_ORDER, LEVEL_WORDS
from orderloom.dsl.context import Context
from orderloom.dsl.cycles import cycles
from orderloom.models.catalog import Level, RelationKind, Spec
from orderloom.models.source import Span


def check(context: Context) -> None:
    for name, node in context.symbols.specs.items():
        spec = context.specs[name]
        for statement in tree.of_kind(node.statements, tree.ContainsStatement):
            if statement.spec.text in context.specs:
                _check_level(context, spec, context.specs[statement.spec.text], statement)
        _check_relations(context, spec, node)
    _check_endless(context)


def _check_level(context: Context, spec: Spec, child: Spec, statement: tree.ContainsStatement) -> None:
    commercial = (spec.level is Level.PRODUCT, child.level is Level.PRODUCT)
    upwards = LEVEL_ORDER.index(child.level) < LEVEL_ORDER.index(spec.level)
    if commercial[0] != commercial[1] or upwards:
        context.findings.error(
            "LM3003",
            f"`{spec.name}` ({LEVEL_WORDS[spec.level]}) cannot contain `{child.name}` ({LEVEL_WORDS[child.level]})",
            statement.spec.span,
            help="products contain products; what realises them comes by `decompose`",
        )


def _check_relations(context: Context, spec: Spec, node: tree.SpecDeclaration) -> None:
    statements = tree.of_kind(node.statements, tree.RelationStatement)
    excluded = {each.spec for each in spec.relations if each.kind is RelationKind.EXCLUDES}
    needed = {each.spec for each in spec.relations if each.kind is not RelationKind.EXCLUDES}
    needed |= {each.spec for each in spec.contains if each.least}
    for statement in statements:
        name = statement.spec.text
        if name == spec.name:
            _contradiction(context, f"`{name}` {statement.kind.replace('_', ' ')} itself", statement.span)
        elif statement.kind is RelationKind.EXCLUDES and name in excluded & needed:
            _contradiction(context, f"`{spec.name}` both needs and excludes `{name}`", statement.span)


def _contradiction(context: Context, message: str, span: Span) -> None:
    context.findings.error("LM3010", message, span, help="remove one of the statements")


def _check_endless(context: Context) -> None:
    """A spec that needs a child that needs it again, has no finite order."""
    graph = {name: [child.spec for child in spec.contains if child.least > 0] for name, spec in context.specs.items()}
    for cycle in cycles(graph):
        node = context.symbols.specs[cycle[0]]
        context.findings.error(
            "LM3009",
            f"`{cycle[0]}` needs itself as a child: {' → '.join(f'`{each}`' for each in cycle)}",
            node.name.span,
            help="let one of them be contained `0..` times",
        )
