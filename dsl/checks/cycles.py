"""Tasks that wait for each other: inside a plan, and across plans.

A cycle of dependencies can never be passed by lines that have all of its tasks. Where a dependency of the cycle has a
condition (`if`), it may be passed when that is false, so it is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from orderloom.dsl.context import Context
from orderloom.dsl.cycles import cycles
from orderloom.models.source import Span
from orderloom.models.tasks import PlanDefinition, Reach, TaskDefinition, TaskKind


@dataclass(frozen=True, slots=True)
class Edge:
    """One task definition that another comes after."""

    target: str
    reach: Reach
    conditional: bool
    span: Span | None
    #: the attribute that the target supplies, "" for a dependency on the task itself
    attribute: str = ""
    #: whether the target is a task of the subplan that the task runs
    inside: bool = False


def check(context: Context) -> None:
    graph = {task.id: tuple(_edges(context, plan, task)) for plan in context.plans.values() for task in plan.tasks}
    certain = {name: [edge.target for edge in edges if not edge.conditional] for name, edges in graph.items()}
    reported: set[frozenset[str]] = set()
    for cycle in cycles(certain):
        reported.add(frozenset(cycle))
        _report(context, cycle, graph, certain=True)
    for cycle in cycles({name: [edge.target for edge in edges] for name, edges in graph.items()}):
        if not any(members & set(cycle) for members in reported):
            _report(context, cycle, graph, certain=False)


def _edges(context: Context, plan: PlanDefinition, task: TaskDefinition) -> Iterator[Edge]:
    for dependency in task.after:
        conditional = dependency.when is not None
        for target in dependency.tasks:
            if _meet(context, plan, target, dependency.reach):
                yield Edge(target, dependency.reach, conditional, dependency.span)
        if dependency.attribute:
            for target in _only_giver(context, plan, dependency.attribute):
                yield Edge(target, dependency.reach, conditional, dependency.span, dependency.attribute)
    if task.kind is TaskKind.SUBPLAN and task.plan in context.plans:
        for inner in context.plans[task.plan].tasks:
            yield Edge(inner.id, Reach.LINE, False, task.span, inside=True)


def _meet(context: Context, plan: PlanDefinition, target: str, reach: Reach) -> bool:
    """Whether lines of one order in reach can have both plans: on one line their actions must meet."""
    other = context.plans.get(target.split(".", 1)[0])
    if other is None or reach is Reach.RELATED_ORDER:
        return False
    kin = {*context.specs[plan.spec].lineage, *context.structure.family[plan.spec]}
    if reach is not Reach.LINE or other.spec not in kin or not plan.actions or not other.actions:
        return True
    return bool(set(plan.actions) & set(other.actions))


def _only_giver(context: Context, plan: PlanDefinition, attribute: str) -> tuple[str, ...]:
    """The one task that gives an attribute, where no rule, default or other task does."""
    spec = context.specs[plan.spec]
    kin = {*spec.lineage, *context.structure.family[spec.name]}
    if spec.attributes[attribute].default is not None:
        return ()
    if any(rule.target in kin and attribute in {each.attribute for each in rule.mappings} for rule in context.rules):
        return ()
    givers = [
        task.id
        for other in context.plans.values()
        if other.spec in kin
        for task in other.tasks
        if attribute in {each.attribute for each in task.sets}
    ]
    return tuple(givers) if len(givers) == 1 else ()


def _report(context: Context, cycle: tuple[str, ...], graph: dict[str, tuple[Edge, ...]], *, certain: bool) -> None:
    plans = {name.split(".", 1)[0] for name in cycle}
    steps: list[str] = []
    span: Span | None = None
    for name, following in pairwise(cycle):
        edge = next(each for each in graph[name] if each.target == following and (not certain or not each.conditional))
        span = span or edge.span
        shown = following.split(".", 1)[1] if len(plans) == 1 else following
        reach = f" within {edge.reach}" if edge.reach is not Reach.LINE else ""
        given = f", which gives `{edge.attribute}`" if edge.attribute else ""
        steps.append(f"`{shown}` of its subplan" if edge.inside else f"`{shown}`{reach}{given}")
    first = cycle[0].split(".", 1)[1] if len(plans) == 1 else cycle[0]
    code, report = ("LM4004" if len(plans) == 1 else "LM4005"), context.findings.error
    if not certain:
        code, report = "LM4014", context.findings.warning
    if span is not None:
        report(
            code,
            f"tasks wait for each other: `{first}` after {' after '.join(steps)}",
            span,
            help="remove one of these dependencies" if certain else "make sure that the conditions exclude each other",
        )
