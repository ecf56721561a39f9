"""What tasks come after: names resolved to task definitions or attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orderloom.dsl import tree
from orderloom.dsl.catalog import unknown_spec
from orderloom.dsl.context import Context
from orderloom.dsl.decomposition import all_ends_known
from orderloom.dsl.environment import Environment
from orderloom.dsl.suggestions import suggestion
from orderloom.models.tasks import Dependency, Reach

_REACH: Mapping[tree.DependencyReach, Reach] = {
    tree.DependencyReach.LINE: Reach.LINE,
    tree.DependencyReach.PARENT: Reach.PARENT,
    tree.DependencyReach.BUNDLE: Reach.BUNDLE,
    tree.DependencyReach.ORDER: Reach.ORDER,
    tree.DependencyReach.RELATED_ORDER: Reach.RELATED_ORDER,
}
#: how far `after Spec.task` looks where no reach is written
USUAL_REACH = Reach.BUNDLE


def dependencies(
    context: Context, plan: tree.PlanDeclaration, task: tree.TaskDeclaration, environment: Environment
) -> Iterator[Dependency]:
    """The dependencies of a task, in the order in which they are written."""
    for statement in tree.of_kind(task.statements, tree.AfterStatement):
        for item in statement.items:
            found = _dependency(context, plan, task, item, environment)
            if found is not None:
                yield found


def _dependency(
    context: Context,
    plan: tree.PlanDeclaration,
    task: tree.TaskDeclaration,
    item: tree.DependencyItem,
    environment: Environment,
) -> Dependency | None:
    when = context.condition(environment, item.condition)
    reach = _REACH[item.reach] if item.reach is not None else None
    tasks: tuple[str, ...] = ()
    attribute = ""
    if len(item.target.parts) == 1:
        name = item.target.parts[0]
        if name.text in {each.name.text for each in plan.tasks}:
            tasks = (f"{plan.name.text}.{name.text}",)
        elif name.text in context.specs[plan.spec.text].attributes:
            attribute = name.text
        else:
            _unknown(context, plan, name)
            return None
        reach = reach or Reach.LINE
    else:
        reach = reach or USUAL_REACH
        tasks = _tasks_of_spec(context, plan, item, reach)
        if not tasks:
            return None
    return Dependency(
        tasks=tasks, attribute=attribute, reach=reach, when=when, text=context.text(item.span), span=item.span
    )


def _unknown(context: Context, plan: tree.PlanDeclaration, name: tree.Name) -> None:
    if name.text in context.broken_attributes[plan.spec.text]:
        return
    known = [*(task.name.text for task in plan.tasks), *context.specs[plan.spec.text].attributes]
    homes = [
        f"{other.spec.text}.{name.text}"
        for other in context.symbols.plans.values()
        if other is not plan and name.text in {task.name.text for task in other.tasks}
    ]
    help = f"another plan has it: write `{homes[0]} within bundle`" if homes else ""
    context.findings.error(
        "LM1009",
        f"plan `{plan.name.text}` has no task `{name.text}`, and `{plan.spec.text}` no such attribute",
        name.span,
        help=help or suggestion(name.text, known, what="task"),
    )


def _tasks_of_spec(
    context: Context, plan: tree.PlanDeclaration, item: tree.DependencyItem, reach: Reach
) -> tuple[str, ...]:
    """Ids of the task that a dependency names, if it can ever be in reach."""
    task = item.target.parts[-1]
    found = plans_with_task(context, item.target)
    if found and reach is Reach.LINE and not _related(context, plan.spec.text, [each.spec.text for each in found]):
        if not all_ends_known(context):
            return ()
        context.findings.error(
            "LM4011",
            f"a line of `{plan.spec.text}` is never made from one of `{item.target.parts[0].text}`, nor the other way "
            "round, so this waits for nothing",
            item.span,
            help="look further, as in `within bundle`",
        )
        return ()
    return tuple(f"{each.name.text}.{task.text}" for each in found)


def plans_with_task(context: Context, target: tree.DottedName) -> list[tree.PlanDeclaration]:
    """The plans with the task that `Spec.task` names: for the spec, for what extends it, and for what it extends."""
    spec, task = target.parts[0], target.parts[-1]
    if spec.text not in context.specs:
        unknown_spec(context, spec)
        return []
    kin = {*context.specs[spec.text].lineage, *context.structure.family[spec.text]}
    plans = [each for each in context.symbols.plans.values() if each.spec.text in kin]
    found = [each for each in plans if task.text in {one.name.text for one in each.tasks}]
    if not found:
        known = [one.name.text for each in plans for one in each.tasks]
        context.findings.error(
            "LM1009",
            f"no plan for `{spec.text}` has a task `{task.text}`",
            task.span,
            help=suggestion(task.text, known, what=f"task in plans for `{spec.text}`"),
        )
    return found


def _related(context: Context, spec: str, others: list[str]) -> bool:
    """Whether lines of `spec` may be, be made from, or make lines of one of the others."""
    around = {*context.structure.connected(spec), *context.specs[spec].lineage}
    return any(name in around for other in others for name in context.structure.family[other])
