"""Tasks that can never run: conditions that are never true, attributes that nothing ever gives."""

from __future__ import annotations

from collections.abc import Set

from orderloom.dsl.context import Context
from orderloom.dsl.decomposition import all_ends_known
from orderloom.dsl.suggestions import listing
from orderloom.dsl.truth import never_true
from orderloom.models.catalog import Action, Level
from orderloom.models.tasks import PlanDefinition, TaskDefinition


def check(context: Context) -> None:
    made = {name for rule in context.rules for name in context.structure.family[rule.target]}
    for plan in context.plans.values():
        _check_made(context, plan, made)
        built_in = plan.actions and "action" not in context.specs[plan.spec].attributes
        domains = {("line", "action"): frozenset(str(action) for action in plan.actions)} if built_in else {}
        actions = f" on {listing(plan.actions)}" if plan.actions else ""
        if plan.when is not None and never_true(plan.when.expression, domains):
            node = context.symbols.plans[plan.name]
            context.findings.error(
                "LM4006",
                f"plan `{plan.name}`{actions} can never run: its condition is never true",
                node.when.span if node.when is not None else node.name.span,
                help="correct the condition, or remove the plan",
            )
            continue
        for task in plan.tasks:
            if task.when is not None and never_true(task.when.expression, domains) and task.span is not None:
                context.findings.error(
                    "LM4006",
                    f"task `{task.name}` can never run: `{task.when.text}` is never true{actions}",
                    task.span,
                    help="correct the condition, or remove the task",
                )
            _check_attributes(context, plan, task)


def _check_made(context: Context, plan: PlanDefinition, made: Set[str]) -> None:
    """A plan for lines that are added needs a rule that makes them; what inventory holds may still be changed."""
    spec = context.specs[plan.spec]
    if not made or not all_ends_known(context):
        # a bundle of parts for others to import, or a name that is reported elsewhere
        return
    if spec.level is Level.PRODUCT or Action.ADD not in plan.actions or made & {*context.structure.family[spec.name]}:
        return
    if any(upper for upper in context.structure.parents(spec.name)):
        return
    context.findings.warning(
        "LM4015",
        f"plan `{plan.name}` on `add` can never run: no rule makes a line of `{spec.name}`",
        context.symbols.plans[plan.name].spec.span,
        help=f"write `decompose … into {spec.name}`",
    )


def _check_attributes(context: Context, plan: PlanDefinition, task: TaskDefinition) -> None:
    """`after attribute` needs something that gives the attribute a value."""
    spec = context.specs[plan.spec]
    if spec.level is Level.PRODUCT:
        return
    family = context.structure.family[spec.name]
    fed = {name for each in (*family, *spec.lineage) for name in context.mapped.get(each, ())}
    for dependency in task.after:
        name = dependency.attribute
        if not name or dependency.span is None or name in fed or spec.attributes[name].default is not None:
            continue
        if not any(name in context.specs[each].supplied_later for each in family):
            context.findings.error(
                "LM4013",
                f"task `{task.name}` can never run: nothing gives `{name}` of `{spec.name}` a value",
                dependency.span,
                help="map it in a decomposition rule, or set or collect it in a task",
            )
