"""Why a line is as it is, and why a rule fired for a line or did not: trees of values, for others to render."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orderloom.engine.decomposition import decomposing
from orderloom.engine.expressions import NOTHING, Scope, Snapshot
from orderloom.engine.expressions.order import account_values, order_values
from orderloom.engine.network import RuleNetwork, Verdict
from orderloom.engine.program import Program
from orderloom.models.catalog import Action
from orderloom.models.fulfillment import Decomposition, Line, Problem, Provenance
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.order import ProductOrder
from orderloom.models.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeStory:
    """One attribute of a line: what it is, what it was, what set it."""

    name: str
    value: Value
    #: what inventory held, None for nothing
    before: Value
    #: None where nothing set it, e.g. a missing attribute
    provenance: Provenance | None
    #: required, and still to be supplied by a task
    missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStory:
    """One source of a technical line, and the rule that related them."""

    rule: str
    #: the rule's condition as written, "" for none
    condition: str
    line: LineStory


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStory:
    """A line with everything that it came from, up to the products."""

    id: str
    spec: str
    action: Action
    #: in words
    reason: str
    quantity: int
    attributes: tuple[AttributeStory, ...]
    sources: tuple[SourceStory, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStory:
    """One rule held against every line that it could be about."""

    rule: str
    title: str
    source: str
    target: str
    condition: str
    #: for each line of the source spec, in the order's order
    verdicts: tuple[Verdict, ...]
    #: problems of the order that kept some levels from being derived
    problems: tuple[Problem, ...]

    @property
    def fired(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.fires)


def explain_line(program: Program, decomposition: Decomposition, line: str) -> LineStory:
    """The story of one line. Raises KeyError for an id that the decomposition does not have."""
    return _story(program, decomposition, decomposition.lines[line])


def explain_rule(program: Program, order: ProductOrder, rule: str, inventory: Inventory = EMPTY) -> RuleStory:
    """Why a decomposition rule fires, or not, for each line of its source. Raises KeyError for an unknown rule id."""
    found = next((each for each in program.design.rules if each.id == rule), None)
    if found is None:
        raise KeyError(rule)
    work = decomposing(program, order, inventory)
    return RuleStory(
        rule=found.id,
        title=found.title,
        source=found.source,
        target=found.target,
        condition=found.when.text if found.when else "",
        verdicts=_verdicts(program, program.decompositions, rule, found.source, order, inventory, work.lines),
        problems=tuple(work.problems),
    )


def explain_scenario(
    program: Program, order: ProductOrder, decomposition: Decomposition, plan: str
) -> tuple[Verdict, ...]:
    """Why a plan is called for, or not, by each line of its spec. Raises KeyError for a plan without a scenario."""
    network = program.scenarios
    found = next((each for each in network.rules if each.id == plan), None)
    if found is None:
        raise KeyError(plan)
    return _verdicts(program, network, plan, found.spec, order, EMPTY, decomposition.lines)


def _verdicts(
    program: Program,
    network: RuleNetwork,
    rule: str,
    spec: str,
    order: ProductOrder,
    inventory: Inventory,
    lines: Mapping[str, Line],
) -> tuple[Verdict, ...]:
    scope = Scope(
        order=order_values(order),
        account=account_values(order.account),
        collections=Snapshot(program.specs, lines.values(), inventory),
    )
    found = []
    for line in lines.values():
        if spec in program.lineage(line.spec):
            scope.line = line
            scope.parent = lines.get(line.parent, NOTHING)
            scope.root = lines.get(line.root, NOTHING)
            scope.asset = inventory.assets.get(line.asset, NOTHING)
            found.append(network.verdict(rule, scope))
    return tuple(found)


def _story(program: Program, decomposition: Decomposition, line: Line) -> LineStory:
    names = dict.fromkeys((*line.attributes, *line.before, *line.missing))
    conditions = {rule.id: rule.when.text if rule.when else "" for rule in program.design.rules}
    return LineStory(
        id=line.id,
        spec=line.spec,
        action=line.action,
        reason=_reason(line),
        quantity=line.quantity,
        attributes=tuple(
            AttributeStory(
                name=name,
                value=line.attributes.get(name),
                before=line.before.get(name),
                provenance=line.provenance.get(name),
                missing=name in line.missing,
            )
            for name in names
        ),
        sources=tuple(
            SourceStory(
                rule=source.rule,
                condition=conditions.get(source.rule, ""),
                line=_story(program, decomposition, decomposition.lines[source.line]),
            )
            for source in line.sources
            if source.line in decomposition.lines
        ),
    )


def _reason(line: Line) -> str:
    """Why the line has its action."""
    if not line.anchor:
        return "a product that the order does not touch" if line.context else "as ordered"
    lost = _named(sorted(line.users_removed))
    match line.action:
        case Action.ADD:
            return "inventory has none"
        case Action.DELETE:
            return f"its last users are gone: {lost}"
        case Action.MODIFY:
            return f"it differs from inventory in {_named(_differences(line))}"
        case Action.NO_CHANGE if lost:
            return f"others still use it; it loses {lost}"
        case Action.NO_CHANGE:
            return "inventory already has it like this"
        case _:
            return f"all that use it {line.action}"


def _differences(line: Line) -> list[str]:
    names = dict.fromkeys((*line.attributes, *line.before))
    return [name for name in names if line.attributes.get(name) != line.before.get(name)] or ["quantity"]


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
