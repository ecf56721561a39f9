"""How items of a queue find a person: `assign` rules, the first of which counts whose condition holds."""

from __future__ import annotations

from collections.abc import Iterator

from orderloom.dsl import tree
from orderloom.dsl.context import Context
from orderloom.dsl.environment import ACCOUNT, ORDER, Environment
from orderloom.dsl.suggestions import suggestion
from orderloom.models.design import DEFAULT_FALLOUT_QUEUE
from orderloom.models.expression import Root
from orderloom.models.source import Label
from orderloom.models.tasks import AssignMode, AssignRule


def assign_rules(context: Context, node: tree.QueueDeclaration) -> tuple[AssignRule, ...]:
    """The rules of a queue, in the order of the design."""
    return tuple(_rules(context, node))


def _rules(context: Context, node: tree.QueueDeclaration) -> Iterator[AssignRule]:
    always: tree.AssignStatement | None = None
    for statement in tree.of_kind(node.statements, tree.AssignStatement):
        if always is not None:
            context.findings.error(
                "LM4021",
                "this rule is never reached",
                statement.span,
                help="put the rules with `when` first, the one for all other items last",
                labels=[Label(always.span, "holds for every item")],
            )
        elif statement.condition is None:
            always = statement
        mode = _mode(context, statement.mode)
        if mode is None:
            continue
        yield AssignRule(
            mode=mode,
            skills=_skills(context, statement, mode),
            when=context.condition(_environment(context, node), statement.condition),
            span=statement.span,
        )


def _mode(context: Context, name: tree.Name) -> AssignMode | None:
    modes = [str(mode) for mode in AssignMode]
    if name.text in modes:
        return AssignMode(name.text)
    context.findings.error(
        "LM1021",
        f"there is no way to assign called `{name.text}`",
        name.span,
        help=suggestion(name.text, modes, what="way to assign"),
    )
    return None


def _skills(context: Context, statement: tree.AssignStatement, mode: AssignMode) -> tuple[str, ...]:
    if mode is AssignMode.BY_SKILL and not statement.skills:
        context.findings.error(
            "LM4022", "`by_skill` names no skill", statement.mode.span, help="write them behind it: `by_skill fibre`"
        )
    elif mode is not AssignMode.BY_SKILL and statement.skills:
        context.findings.error(
            "LM4022",
            f"`{mode}` takes no skills",
            statement.skills[0].span,
            help="leave them out, or write `by_skill` before them",
        )
    seen: dict[str, tree.Name] = {}
    for name in statement.skills:
        if name.text in seen:
            context.findings.error(
                "LM4022",
                f"the skill `{name.text}` is named twice",
                name.span,
                help="remove one",
                labels=[Label(seen[name.text].span, "first named here")],
            )
        seen.setdefault(name.text, name)
    return tuple(seen)


def _environment(context: Context, node: tree.QueueDeclaration) -> Environment:
    """What a condition may use: the order, its account, and the lines whose tasks come into the queue."""
    line = context.members.any_of(_sources(context, node.name.text), f"a line with work in `{node.name.text}`")
    return Environment(
        place="the condition of an `assign`",
        roots={Root.LINE: line, Root.ORDER: ORDER, Root.ACCOUNT: ACCOUNT},
        bare=Root.LINE,
    )


def _sources(context: Context, queue: str) -> list[str]:
    """The specs of the plans that may put items into a queue."""
    return list(
        dict.fromkeys(
            plan.spec.text
            for plan in context.symbols.plans.values()
            if plan.spec.text in context.specs
            and (queue == DEFAULT_FALLOUT_QUEUE or any(queue in _queues(task) for task in plan.tasks))
        )
    )


def _queues(task: tree.TaskDeclaration) -> set[str]:
    """The queues that a task names."""
    naming = (tree.QueueStatement, tree.FalloutStatement, tree.ErrorStatement, tree.WithinStatement)
    return {
        statement.queue.text
        for statement in task.statements
        if isinstance(statement, naming) and statement.queue is not None
    }
