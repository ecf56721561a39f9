"""Enums and specs: inheritance, attributes, structure, scopes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from orderloom.dsl import tree
from orderloom.dsl.attributes import attributes
from orderloom.dsl.clauses import only
from orderloom.dsl.context import Context
from orderloom.dsl.cycles import cycles
from orderloom.dsl.environment import LINE_BUILT_INS
from orderloom.dsl.suggestions import suggestion
from orderloom.dsl.symbols import ACTION_ENUM, unique
from orderloom.models.catalog import Action, Attribute, Contains, Enum, Level, Relation, Scope, Spec
from orderloom.models.source import Label


def build_enums(context: Context) -> None:
    """The enums of the bundle, and the built-in one of line actions."""
    context.enums[ACTION_ENUM] = Enum(name=ACTION_ENUM, title="Action", values=tuple(action.value for action in Action))
    for name, node in context.symbols.enums.items():
        if name == ACTION_ENUM:
            continue
        values = unique(f"in enum `{name}` the value", node.values, context.findings)
        context.enums[name] = Enum(
            name=name,
            title=node.title.value if node.title is not None else name,
            values=tuple(values),
            doc=node.doc,
            span=node.name.span,
        )


def build_specs(context: Context) -> None:
    """The specs with what they inherit merged in; keys of scopes and what tasks supply come later."""
    bases = _bases(context)
    for name in _bases_first(bases):
        context.specs[name] = _spec(context, context.symbols.specs[name], bases[name])
    in_order = {name: context.specs[name] for name in context.symbols.specs}
    context.specs.clear()
    context.specs.update(in_order)


def _bases(context: Context) -> dict[str, str | None]:
    """Spec -> what it extends; None where it extends nothing, nothing known, or itself in the end."""
    bases: dict[str, str | None] = {}
    clauses: dict[str, tree.ExtendsClause] = {}
    for name, node in context.symbols.specs.items():
        clause = only(node.clauses, tree.ExtendsClause, "extends", context.findings)
        bases[name] = None
        if clause is None:
            continue
        clauses[name] = clause
        if clause.spec.text in context.symbols.specs:
            bases[name] = clause.spec.text
        else:
            unknown_spec(context, clause.spec)
    for cycle in cycles({name: (base,) if base else () for name, base in bases.items()}):
        context.findings.error(
            "LM3001",
            f"`{cycle[0]}` extends itself: {' → '.join(f'`{each}`' for each in cycle)}",
            clauses[cycle[0]].span,
            help="remove one `extends`",
        )
        for name in cycle:
            bases[name] = None
    return bases


def _bases_first(bases: Mapping[str, str | None]) -> tuple[str, ...]:
    placed: dict[str, None] = {}
    for name in bases:
        path = []
        at: str | None = name
        while at is not None and at not in placed:
            path.append(at)
            at = bases[at]
        placed.update(dict.fromkeys(reversed(path)))
    return tuple(placed)


def unknown_spec(context: Context, name: tree.Name) -> None:
    """Reports the name of a spec that does not exist."""
    context.findings.error(
        "LM1003",
        f"there is no product, service or resource `{name.text}`",
        name.span,
        help=suggestion(name.text, context.symbols.specs, what="spec"),
    )


def _spec(context: Context, node: tree.SpecDeclaration, base_name: str | None) -> Spec:
    name = node.name.text
    base = context.specs[base_name] if base_name is not None else None
    own, broken = attributes(
        context, f"in `{name}` the attribute", tree.of_kind(node.statements, tree.AttributeDeclaration)
    )
    inherited = dict(base.attributes) if base is not None else {}
    if base is not None:
        broken |= context.broken_attributes[base.name]
    context.broken_attributes[name] = broken
    for attribute in own.values():
        _check_override(context, attribute, inherited.get(attribute.name), base)
        if attribute.name in LINE_BUILT_INS:
            _warn_of_built_in(context, attribute)
    scope = only(node.clauses, tree.ScopeClause, "one per", context.findings)
    version = only(node.clauses, tree.VersionClause, "version", context.findings)
    level = _level(context, node, base)
    if scope is not None and level is Level.PRODUCT:
        context.findings.error(
            "LM3007",
            f"`{name}` is a product, and products do not merge",
            scope.span,
            help="`one per` belongs to services and resources",
        )
    return Spec(
        name=name,
        title=node.title.value if node.title is not None else name,
        level=level,
        attributes={**inherited, **own},
        contains=_contains(context, node, base),
        relations=_relations(context, node, base),
        scope=scope.scope if scope is not None else base.scope if base is not None else Scope.LINE,
        lineage=(name, *(base.lineage if base is not None else ())),
        version=version.version.value if version is not None else "1",
        valid_from=_validity(context, version)[0],
        valid_until=_validity(context, version)[1],
        doc=node.doc,
        span=node.name.span,
    )


def _warn_of_built_in(context: Context, attribute: Attribute) -> None:
    if attribute.span is not None:
        context.findings.warning(
            "LM1019",
            f"the attribute `{attribute.name}` hides the built-in of that name",
            attribute.span,
            help="rename it if expressions need the built-in",
        )


def _check_override(context: Context, own: Attribute, inherited: Attribute | None, base: Spec | None) -> None:
    if inherited is None or base is None or own.span is None:
        return
    labels = [Label(inherited.span, f"as `{base.name}` has it")] if inherited.span is not None else []
    if own.type.required() != inherited.type.required():
        context.findings.error(
            "LM3002",
            f"`{own.name}` is `{own.type.required()}` here and `{inherited.type.required()}` in `{base.name}`",
            own.span,
            help="an attribute keeps its type; use another name",
            labels=labels,
        )
    elif own.type.optional and not inherited.type.optional:
        context.findings.error(
            "LM3002",
            f"`{own.name}` may be absent here, but always has a value in `{base.name}`",
            own.span,
            help="make it `required` or give it a default, since rules for the other rely on it",
            labels=labels,
        )


def _level(context: Context, node: tree.SpecDeclaration, base: Spec | None) -> Level:
    facing = only(node.clauses, tree.FacingClause, "customer_facing` or `resource_facing", context.findings)
    level = {
        tree.SpecKeyword.PRODUCT: Level.PRODUCT,
        tree.SpecKeyword.RESOURCE: Level.RESOURCE,
        tree.SpecKeyword.SERVICE: Level.CUSTOMER_SERVICE,
    }[node.keyword]
    if facing is not None and node.keyword is not tree.SpecKeyword.SERVICE:
        context.findings.error(
            "LM3003", f"a {node.keyword} faces nobody", facing.span, help=f"only services are `{facing.level}`"
        )
    elif facing is not None:
        level = facing.level
    elif node.keyword is tree.SpecKeyword.SERVICE:
        if base is None:
            context.findings.error(
                "LM3003",
                f"service `{node.name.text}` does not say whom it faces",
                node.name.span,
                help="write `customer_facing` or `resource_facing` after its name",
            )
        elif base.level in (Level.CUSTOMER_SERVICE, Level.RESOURCE_SERVICE):
            level = base.level
    if base is not None and base.level is not level:
        extends = only(node.clauses, tree.ExtendsClause, "extends", context.findings)
        context.findings.error(
            "LM3003",
            f"`{node.name.text}` ({LEVEL_WORDS[level]}) extends `{base.name}` ({LEVEL_WORDS[base.level]})",
            extends.span if extends is not None else node.name.span,
            help="a spec extends one of its own level",
        )
    return level


LEVEL_WORDS: Mapping[Level, str] = {
    Level.PRODUCT: "a product",
    Level.CUSTOMER_SERVICE: "a customer-facing service",
    Level.RESOURCE_SERVICE: "a resource-facing service",
    Level.RESOURCE: "a resource",
}
#: from commercial to technical
LEVEL_ORDER = (Level.PRODUCT, Level.CUSTOMER_SERVICE, Level.RESOURCE_SERVICE, Level.RESOURCE)


def _contains(context: Context, node: tree.SpecDeclaration, base: Spec | None) -> tuple[Contains, ...]:
    found = {each.spec: each for each in base.contains} if base is not None else {}
    own: dict[str, tree.ContainsStatement] = {}
    for statement in tree.of_kind(node.statements, tree.ContainsStatement):
        name = statement.spec.text
        if name not in context.symbols.specs:
            unknown_spec(context, statement.spec)
            continue
        if name in own:
            context.findings.error(
                "LM3005",
                f"`{node.name.text}` says twice how many of `{name}` it contains",
                statement.span,
                help="keep one of them",
                labels=[Label(own[name].span, "first said here")],
            )
            continue
        own[name] = statement
        if statement.most is not None and (statement.most == 0 or statement.least > statement.most):
            context.findings.error(
                "LM3004",
                f"`{statement.least}..{statement.most}` allows no number of `{name}`",
                statement.span,
                help="write the least number, `..`, and a number that is at least as great",
            )
            continue
        found[name] = Contains(spec=name, least=statement.least, most=statement.most)
    return tuple(found.values())


def _relations(context: Context, node: tree.SpecDeclaration, base: Spec | None) -> tuple[Relation, ...]:
    found = dict.fromkeys(base.relations) if base is not None else {}
    for statement in tree.of_kind(node.statements, tree.RelationStatement):
        if statement.spec.text not in context.symbols.specs:
            unknown_spec(context, statement.spec)
            continue
        found[Relation(kind=statement.kind, spec=statement.spec.text)] = None
    return tuple(found)


def _validity(context: Context, clause: tree.VersionClause | None) -> tuple[date | None, date | None]:
    if clause is None:
        return None, None
    days: list[date | None] = []
    for literal in (clause.valid_from, clause.valid_until):
        day = literal.value if literal is not None else None
        if literal is not None and type(day) is not date:
            context.findings.error("LM2001", "expected a `date`", literal.span, help="write the day as `2026-01-31`")
        days.append(day if type(day) is date else None)
    first, last = days
    if first is not None and last is not None and last < first:
        context.findings.error(
            "LM3008", f"it is valid until {last}, before it starts on {first}", clause.span, help="swap the dates"
        )
    return first, last
