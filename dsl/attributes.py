"""Types as written, and the attributes, form fields and outputs declared with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orderloom.dsl import tree
from orderloom.dsl.context import Context
from orderloom.dsl.environment import NOTHING
from orderloom.dsl.literals import constant
from orderloom.dsl.suggestions import suggestion
from orderloom.dsl.symbols import ACTION_ENUM, unique
from orderloom.models.catalog import Attribute
from orderloom.models.values import Kind, Type

_PLAIN: Mapping[str, Type] = {kind.value: Type(kind) for kind in Kind if kind not in (Kind.ENUM, Kind.LIST)}


def type_of(context: Context, node: tree.TypeExpression) -> Type | None:
    """The type that is written; None if it is wrong."""
    if isinstance(node, tree.ListType):
        item = type_of(context, node.item)
        if item is None:
            return None
        if item.optional:
            context.findings.error(
                "LM2016", "the items of a list are never absent", node.item.span, help="leave out the `?`"
            )
            return None
        return Type(Kind.LIST, item=item, optional=node.optional)
    name = node.name.text
    found = _PLAIN.get(name)
    if found is None and (name in context.enums or name == ACTION_ENUM):
        found = Type(Kind.ENUM, name)
    if found is None:
        if name not in context.symbols.enums:
            context.findings.error(
                "LM1002",
                f"there is no type `{name}`",
                node.name.span,
                help=suggestion(name, [*_PLAIN, *context.symbols.enums], what="type"),
            )
        return None
    if node.unit is not None:
        if found.kind not in (Kind.INTEGER, Kind.DECIMAL):
            context.findings.error(
                "LM2016", f"`{name}` has no unit", node.unit.span, help="only `integer` and `decimal` have one"
            )
            return None
        found = Type(found.kind, unit=node.unit.value)
    return found.maybe() if node.optional else found


def attribute(context: Context, node: tree.AttributeDeclaration) -> Attribute | None:
    """One declared attribute; its type is optional wherever it may be absent, `?` written or not."""
    type_ = type_of(context, node.type)
    if type_ is None:
        return None
    if node.required and type_.optional:
        context.findings.error(
            "LM3006",
            f"`{node.name.text}` is required and may be absent",
            node.type.span,
            help="leave out `required` or the `?`",
        )
        return None
    default = None
    if node.default is not None:
        found = constant(context.checker(NOTHING), node.default, type_)
        if found is None:
            return None
        default = found.value
    elif not node.required:
        type_ = type_.maybe()
    return Attribute(
        name=node.name.text,
        title=node.title.value if node.title is not None else node.name.text,
        type=type_,
        required=node.required,
        default=default,
        doc=node.doc,
        span=node.name.span,
    )


def attributes(
    context: Context, kind: str, nodes: Iterable[tree.AttributeDeclaration]
) -> tuple[dict[str, Attribute], set[str]]:
    """The declared attributes by name, and the names of those that are wrong."""
    found: dict[str, Attribute] = {}
    broken: set[str] = set()
    for name, node in unique(kind, nodes, context.findings).items():
        one = attribute(context, node)
        if one is None:
            broken.add(name)
        else:
            found[name] = one
    return found, broken
