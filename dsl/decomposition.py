"""Decomposition rules, exclusive groups, keys of scopes, and rejections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from types import MappingProxyType

from orderloom.dsl import tree
from orderloom.dsl.catalog import LEVEL_ORDER, LEVEL_WORDS, unknown_spec
from orderloom.dsl.checker import Checker
from orderloom.dsl.clauses import only
from orderloom.dsl.context import Context
from orderloom.dsl.environment import Environment, Members
from orderloom.dsl.facts import if_true
from orderloom.dsl.suggestions import listing, nearest, suggestion
from orderloom.dsl.truth import never_true
from orderloom.models.catalog import Attribute, Level, Scope, Spec
from orderloom.models.expression import Expression, Formula, Literal, Root
from orderloom.models.rules import DecompositionRule, Rejection
from orderloom.models.rules import Mapping as RuleMapping
from orderloom.models.source import Label
from orderloom.models.structure import Structure
from orderloom.models.values import INTEGER, Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A rule as written, with its place in an exclusive group."""

    node: tree.DecomposeDeclaration
    group: str = ""
    rank: int = 0


def build_structure(context: Context) -> None:
    """Which specs stand above which: from `contains` and from the rules whose two specs exist."""
    context.structure = Structure(
        lineage={name: spec.lineage for name, spec in context.specs.items()},
        contains=tuple((name, child.spec) for name, spec in context.specs.items() for child in spec.contains),
        edges=tuple(
            (placed.node.source.text, placed.node.target.text)
            for placed in _placed(context)
            if placed.node.source.text in context.specs and placed.node.target.text in context.specs
        ),
    )
    for rule in placed_rules(context):
        context.mapped.setdefault(rule.target.text, set()).update(
            statement.attribute.text for statement in tree.of_kind(rule.statements, tree.MappingStatement)
        )


def build_rules(context: Context) -> None:
    """The rules, with ids that are unique and stable."""
    counts: dict[tuple[str, str], int] = {}
    for placed in _placed(context):
        node = placed.node
        pair = (node.source.text, node.target.text)
        counts[pair] = counts.get(pair, 0) + 1
        suffix = f"#{counts[pair]}" if counts[pair] > 1 else ""
        rule = _rule(context, placed, f"{pair[0]}->{pair[1]}{suffix}")
        if rule is not None:
            context.rules.append(rule)


def build_scope_keys(context: Context) -> None:
    """The keys of `one per key(…)`, evaluated over a source line of any of the spec's sources."""
    for name, node in context.symbols.specs.items():
        spec = context.specs[name]
        clause = next(iter(tree.of_kind(node.clauses, tree.ScopeClause)), None)
        if clause is None or clause.key is None:
            base = context.specs[spec.lineage[1]] if len(spec.lineage) > 1 else None
            if clause is None and base is not None and base.scope_key is not None:
                context.specs[name] = replace(spec, scope_key=base.scope_key)
            continue
        sources = dict.fromkeys(source for source, target in context.structure.edges if target in spec.lineage)
        shown = listing(sources) if sources else "nothing"
        members = context.members.any_of(tuple(sources), f"the source of `{name}` ({shown})")
        roots = {**context.members.roots(name), Root.LINE: members}
        environment = Environment(place="the key of a scope", roots=roots, bare=Root.LINE)
        found = context.checker(environment).infer(clause.key)
        if found is not None:
            context.specs[name] = replace(spec, scope_key=context.formula(found, clause.key))


def build_rejections(context: Context) -> None:
    """The rejections, numbered within their spec."""
    counts: dict[str, int] = {}
    for node in context.symbols.rejections:
        name = node.spec.text
        if name not in context.specs:
            unknown_spec(context, node.spec)
            continue
        counts[name] = counts.get(name, 0) + 1
        environment = Environment(
            place="a rejection",
            roots={**context.members.roots(name), Root.ASSET: context.members.asset(name)},
            bare=Root.LINE,
        )
        when = context.condition(environment, node.condition)
        if when is not None:
            context.rejections.append(
                Rejection(
                    id=f"{name}#{counts[name]}",
                    message=node.message.value,
                    spec=name,
                    when=when,
                    span=node.message.span,
                )
            )


def placed_rules(context: Context) -> Iterator[tree.DecomposeDeclaration]:
    """All rules as written, alone or in groups."""
    return (placed.node for placed in _placed(context))


def _placed(context: Context) -> Iterator[Placed]:
    groups: dict[str, int] = {}
    for declaration in context.symbols.rules:
        if isinstance(declaration, tree.DecomposeDeclaration):
            yield Placed(node=declaration)
            continue
        group = _group_name(declaration)
        groups[group] = groups.get(group, 0) + 1
        suffix = f"#{groups[group]}" if groups[group] > 1 else ""
        for rank, node in enumerate(declaration.rules):
            yield Placed(node=node, group=group + suffix, rank=rank)


def _group_name(group: tree.DecomposeGroup) -> str:
    """The group's title, else its first rule, so that it does not depend on what else the design holds."""
    if group.title is not None:
        return group.title.value
    return f"{group.rules[0].source.text}->{group.rules[0].target.text}" if group.rules else ""


def _rule(context: Context, placed: Placed, id: str) -> DecompositionRule | None:
    node = placed.node
    for name in (node.source, node.target):
        if name.text not in context.specs:
            unknown_spec(context, name)
    if node.source.text not in context.specs or node.target.text not in context.specs:
        return None
    source, target = context.specs[node.source.text], context.specs[node.target.text]
    _check_levels(context, node, source, target)
    deciding = context.checker(_environment(context, source.name, source.name))
    checker = context.checker(_environment(context, source.name, target.name))
    condition = only(node.statements, tree.When, "when", context.findings)
    when: Formula | None = None
    if condition is not None:
        found = deciding.condition(condition.condition)
        if found is not None:
            when = context.formula(found, condition.condition)
            # `asset.` is another item in the mappings
            checker = checker.assuming(frozenset(fact for fact in if_true(found) if fact[0] != Root.ASSET))
            if never_true(found):
                context.findings.error(
                    "LM3110",
                    f"this rule into `{target.name}` can never fire: its condition is never true",
                    condition.condition.span,
                    help="correct the condition or remove the rule",
                )
    priority = only(node.statements, tree.PriorityStatement, "priority", context.findings)
    mappings = tuple(_mappings(context, node, checker, source, target))
    _check_required(context, node, target)
    return DecompositionRule(
        id=id,
        title=node.title.value if node.title is not None else f"{source.title} into {target.title}",
        source=source.name,
        target=target.name,
        when=when,
        mappings=mappings,
        quantity=_quantity(context, node, checker),
        priority=priority.value.value if priority is not None else 0,
        group=placed.group,
        rank=placed.rank,
        doc=node.doc,
        span=node.span,
    )


def _environment(
    context: Context, source: str, held: str, set_so_far: Mapping[str, Type] = MappingProxyType({})
) -> Environment:
    """What a rule may use; `asset.` is what inventory holds of the spec `held`."""
    return Environment(
        place="a decomposition rule",
        roots={
            **context.members.roots(source),
            Root.ASSET: context.members.asset(held),
            Root.TARGET: Members(owner="what this rule has set so far", attributes=set_so_far),
        },
        bare=Root.LINE,
    )


def _check_levels(context: Context, node: tree.DecomposeDeclaration, source: Spec, target: Spec) -> None:
    if target.level is Level.PRODUCT:
        context.findings.error(
            "LM3101",
            f"`{target.name}` is a product, and an order decomposes into services and resources",
            node.target.span,
            help="name a service or a resource as the target",
        )
    elif LEVEL_ORDER.index(target.level) < LEVEL_ORDER.index(source.level):
        context.findings.error(
            "LM3109",
            f"`{source.name}` is {LEVEL_WORDS[source.level]} and cannot be decomposed into {LEVEL_WORDS[target.level]}",
            node.target.span,
            help="decomposition goes from product to customer-facing and resource-facing service to resource",
        )


def _mappings(
    context: Context, node: tree.DecomposeDeclaration, checker: Checker, source: Spec, target: Spec
) -> Iterator[RuleMapping]:
    set_so_far: dict[str, Type] = {}
    seen: dict[str, tree.MappingStatement] = {}
    checker = replace(checker, environment=_environment(context, source.name, target.name, set_so_far))
    for statement in tree.of_kind(node.statements, tree.MappingStatement):
        name = statement.attribute.text
        if name in seen:
            context.findings.error(
                "LM3102",
                f"this rule sets `{name}` twice",
                statement.attribute.span,
                help="keep one of them",
                labels=[Label(seen[name].attribute.span, "first set here")],
            )
            continue
        seen[name] = statement
        attribute = target_attribute(context, target, statement.attribute)
        if attribute is None:
            continue
        value = mapped(checker, statement.value, attribute, target.supplied_later)
        if value is None:
            continue
        set_so_far[name] = value.type
        yield RuleMapping(attribute=name, value=context.formula(value, statement.value), span=statement.attribute.span)


def target_attribute(context: Context, spec: Spec, name: tree.Name) -> Attribute | None:
    """The attribute of `spec` that is to be set; None, reported, if there is none."""
    found = spec.attributes.get(name.text)
    if found is None and name.text not in context.broken_attributes[spec.name]:
        help = suggestion(name.text, spec.attributes, what="attribute")
        if name.text in ("action", "quantity"):
            help = "the action is derived" if name.text == "action" else "write `quantity` without `=`"
        context.findings.error("LM1004", f"`{spec.name}` has no attribute `{name.text}`", name.span, help=help)
    return found


def mapped(
    checker: Checker, node: tree.Expression, attribute: Attribute, supplied_later: Set[str]
) -> Expression | None:
    """The value for an attribute: of its type, and present where nothing else would give a value."""
    if attribute.required and attribute.default is None and attribute.name not in supplied_later:
        return checker.check_present(node, attribute.type, why=f"`{attribute.name}` is required and")
    return checker.check(node, attribute.type)


def all_ends_known(context: Context) -> bool:
    """Whether the sources and targets of all rules exist; else nothing is known of which lines there can be."""
    return all({node.source.text, node.target.text} <= context.specs.keys() for node in placed_rules(context))


def _check_required(context: Context, node: tree.DecomposeDeclaration, target: Spec) -> None:
    given = {statement.attribute.text for statement in tree.of_kind(node.statements, tree.MappingStatement)}
    # a name that is misspelt is reported where it stands
    given |= {near for name in given - target.attributes.keys() if (near := nearest(name, target.attributes))}
    if target.scope is not Scope.LINE:
        # several sources may feed one line, each with what it knows
        given |= context.mapped[target.name]
    missing = [
        name
        for name, attribute in target.attributes.items()
        if attribute.required and attribute.default is None and name not in given and name not in target.supplied_later
    ]
    if missing:
        context.findings.error(
            "LM3103",
            f"this rule gives no value for {listing(missing)}, which `{target.name}` requires",
            node.target.span,
            help="set it here, give the attribute a default, or let a task of a plan for it set or collect it",
        )


def _quantity(context: Context, node: tree.DecomposeDeclaration, checker: Checker) -> Formula | None:
    statement = only(node.statements, tree.QuantityStatement, "quantity", context.findings)
    if statement is None:
        return None
    found = checker.check_present(statement.value, INTEGER, why="the quantity")
    if found is None:
        return None
    if isinstance(found, Literal) and isinstance(found.value, int) and found.value < 1:
        context.findings.error(
            "LM3108", f"a quantity of {found.value} makes no line", statement.value.span, help="write at least 1"
        )
        return None
    return context.formula(found, statement.value)


def broader(child: Scope, parent: Scope) -> bool:
    """Whether one scope merges over more than another.

    A child that is one per parent, of lines that do not merge, merges only what comes from one line above both.
    """
    order = list(Scope)
    return order.index(child) > order.index(parent) and (child, parent) != (Scope.PARENT, Scope.LINE)
