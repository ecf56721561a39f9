"""Plan and task definitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orderloom.dsl import tree
from orderloom.dsl.attributes import attributes
from orderloom.dsl.catalog import unknown_spec
from orderloom.dsl.checker import Checker
from orderloom.dsl.clauses import only
from orderloom.dsl.context import Context
from orderloom.dsl.decomposition import mapped, target_attribute
from orderloom.dsl.dependencies import dependencies
from orderloom.dsl.environment import Environment, Members
from orderloom.dsl.facts import NONE, if_true
from orderloom.dsl.queues import due, length, queue, retry_policy
from orderloom.dsl.suggestions import suggestion
from orderloom.dsl.supply import collects
from orderloom.dsl.symbols import unique
from orderloom.dsl.taskclauses import REPEATED, WORDS, check_clauses
from orderloom.dsl.waits import event_match, until, within
from orderloom.models.catalog import Action, Attribute
from orderloom.models.expression import Formula, Reference, Root
from orderloom.models.rules import Mapping
from orderloom.models.source import Label
from orderloom.models.tasks import (
    ErrorResponse,
    ErrorRoute,
    NoReturn,
    PlanDefinition,
    TaskDefinition,
    TaskKind,
)
from orderloom.models.visible import names_in


def build_plans(context: Context) -> None:
    for name, node in context.symbols.plans.items():
        if node.spec.text not in context.specs:
            unknown_spec(context, node.spec)
            continue
        environment = environment_of(context, node.spec.text)
        tasks = unique(f"in plan `{name}` the task", node.tasks, context.findings)
        context.plans[name] = PlanDefinition(
            name=name,
            title=node.title.value if node.title is not None else name,
            spec=node.spec.text,
            actions=tuple(_actions(context, node)),
            tasks=tuple(_task(context, node, task, environment) for task in tasks.values()),
            when=context.condition(environment, node.when.condition) if node.when is not None else None,
            once=node.once.reach if node.once is not None else None,
            doc=node.doc,
            span=node.name.span,
        )


def environment_of(context: Context, spec: str) -> Environment:
    """What conditions of plans and tasks may use: the plan's line and what stands around it."""
    return Environment(
        place="the condition of a task",
        roots={**context.members.roots(spec), Root.ASSET: context.members.asset(spec)},
        bare=Root.LINE,
    )


def _actions(context: Context, node: tree.PlanDeclaration) -> Iterator[Action]:
    seen: dict[str, tree.Name] = {}
    for name in node.actions:
        if name.text not in {action.value for action in Action}:
            context.findings.error(
                "LM1005",
                f"there is no action `{name.text}`",
                name.span,
                help=suggestion(name.text, [action.value for action in Action], what="action"),
            )
        elif name.text in seen:
            context.findings.error(
                "LM4010",
                f"the action `{name.text}` is named twice",
                name.span,
                help="remove one",
                labels=[Label(seen[name.text].span, "first named here")],
            )
        else:
            seen[name.text] = name
            yield Action(name.text)


def _task(
    context: Context, plan: tree.PlanDeclaration, node: tree.TaskDeclaration, environment: Environment
) -> TaskDefinition:
    check_clauses(context, node)
    for kind in dict.fromkeys(type(statement) for statement in node.statements):
        if kind not in REPEATED:
            only(node.statements, kind, WORDS[kind], context.findings)
    checker = context.checker(environment)
    condition = _first(node, tree.When)
    when: Formula | None = None
    facts = NONE
    if condition is not None:
        found = checker.condition(condition.condition)
        if found is not None:
            when = context.formula(found, condition.condition)
            facts = if_true(found)
    visible = _first(node, tree.VisibleStatement)
    if visible is not None:
        _check_words(context, plan, visible)
    once = _first(node, tree.OncePer)
    duration = _first(node, tree.DurationStatement)
    form = _form(context, plan, node)
    task = TaskDefinition(
        id=f"{plan.name.text}.{node.name.text}",
        name=node.name.text,
        title=node.title.value if node.title is not None else node.name.text,
        kind=node.kind,
        when=when,
        after=tuple(dependencies(context, plan, node, environment)),
        once=once.reach if once is not None else None,
        duration=due(context, duration.length, "a duration") if duration is not None else None,
        start_late=_first(node, tree.StartLateStatement) is not None,
        sets=tuple(_sets(context, plan, node, checker.assuming(facts), form)),
        form=form,
        visible=visible.text.value if visible is not None else "",
        doc=node.doc,
        span=node.name.span,
    )
    return _with_waits(context, node, environment, _with_change(context, plan, node, _with_work(context, node, task)))


def _first(node: tree.TaskDeclaration, kind: type[tree.Node]) -> tree.Node | None:
    found = tree.of_kind(node.statements, kind)
    return found[0] if found else None


def _with_work(context: Context, node: tree.TaskDeclaration, task: TaskDefinition) -> TaskDefinition:
    """The task with its operation, its queue and what happens to errors."""
    called = _first(node, tree.OperationStatement)
    retry = _first(node, tree.RetryStatement)
    fallout = _first(node, tree.FalloutStatement)
    worked = _first(node, tree.QueueStatement)
    expected = _first(node, tree.DueStatement)
    return replace(
        task,
        operation=operation_name(context, called.operation) if called is not None else "",
        retry=retry_policy(context, retry) if retry is not None else None,
        errors=tuple(_errors(context, node)),
        fallout=queue(context, fallout.queue, fallout=True) if fallout is not None else "",
        queue=queue(context, worked.queue, fallout=False) if worked is not None else "",
        due=due(context, expected.due) if expected is not None else None,
    )


def _check_words(context: Context, plan: tree.PlanDeclaration, visible: tree.VisibleStatement) -> None:
    spec = context.specs[plan.spec.text]
    for name in names_in(visible.text.value):
        if name not in spec.attributes:
            help = suggestion(name, spec.attributes, what="attribute")
            message = f"the words name `{name}`, which is no attribute of `{spec.name}`"
            context.findings.error("LM1004", message, visible.text.span, help=help)


def operation_name(context: Context, name: tree.DottedName) -> str:
    """The name of an operation that exists; "" if it does not."""
    if name.text in context.symbols.operations:
        return name.text
    context.findings.error(
        "LM1011",
        f"there is no operation `{name.text}`",
        name.span,
        help=suggestion(name.text, context.symbols.operations, what="operation"),
    )
    return ""


def _errors(context: Context, node: tree.TaskDeclaration) -> Iterator[ErrorRoute]:
    seen: dict[str, tree.ErrorStatement] = {}
    for statement in tree.of_kind(node.statements, tree.ErrorStatement):
        code = statement.code.value
        if code in seen:
            context.findings.error(
                "LM4003",
                f"the error code `{code}` has two routes",
                statement.span,
                help="keep one of them",
                labels=[Label(seen[code].span, "first given here")],
            )
            continue
        seen[code] = statement
        name = ""
        if statement.response is ErrorResponse.FALLOUT and statement.queue is not None:
            name = queue(context, statement.queue, fallout=True)
        yield ErrorRoute(code=code, response=statement.response, queue=name)


def _with_change(
    context: Context, plan: tree.PlanDeclaration, node: tree.TaskDeclaration, task: TaskDefinition
) -> TaskDefinition:
    """The task with what in-flight change does to it, and the plan that runs in its place."""
    cancel = _first(node, tree.CancelStatement)
    undo = _first(node, tree.UndoOperationStatement)
    undo_plan = _first(node, tree.UndoPlanStatement)
    amend_plan = _first(node, tree.AmendPlanStatement)
    subplan = _first(node, tree.PlanStatement)
    if undo is not None and undo_plan is not None:
        context.findings.error(
            "LM4003",
            "a task is undone either by an operation or by a plan",
            undo_plan.span,
            help="keep one of them",
            labels=[Label(undo.span, "the operation")],
        )
    no_return = _first(node, tree.NoReturnStatement)
    return replace(
        task,
        cancel=operation_name(context, cancel.operation) if cancel is not None else "",
        undo=operation_name(context, undo.operation) if undo is not None else "",
        undo_plan=_plan(context, plan, undo_plan.plan) if undo_plan is not None else "",
        amend_plan=_plan(context, plan, amend_plan.plan) if amend_plan is not None else "",
        plan=_plan(context, plan, subplan.plan) if subplan is not None else "",
        no_return=NoReturn(
            kind=no_return.kind,
            consequence=no_return.consequence.value if no_return.consequence is not None else "",
            approval=no_return.approval.text if no_return.approval is not None else "",
            bundle=no_return.bundle,
        )
        if no_return is not None
        else None,
    )


def _plan(context: Context, plan: tree.PlanDeclaration, name: tree.Name) -> str:
    """The name of a plan that can run on the lines of `plan`; "" if it is wrong."""
    other = context.symbols.plans.get(name.text)
    if other is None:
        context.findings.error(
            "LM1008",
            f"there is no plan `{name.text}`",
            name.span,
            help=suggestion(name.text, context.symbols.plans, what="plan"),
        )
        return ""
    if other.spec.text in context.specs and other.spec.text not in context.specs[plan.spec.text].lineage:
        context.findings.error(
            "LM4012",
            f"plan `{name.text}` is for `{other.spec.text}`, and here the line is of `{plan.spec.text}`",
            name.span,
            help="name a plan for the same spec, or for one that it extends",
        )
        return ""
    return name.text


def _with_waits(
    context: Context, node: tree.TaskDeclaration, environment: Environment, task: TaskDefinition
) -> TaskDefinition:
    """The task with what it waits for, and how long."""
    event = _first(node, tree.EventStatement)
    awaited = _first(node, tree.UntilStatement)
    limit = _first(node, tree.WithinStatement)
    pause = _first(node, tree.PauseForStatement)
    condition, instant = until(context, node, environment, awaited) if awaited is not None else (None, None)
    return replace(
        task,
        event=event_match(context, event, environment) if event is not None else None,
        until=condition,
        until_instant=instant,
        within=within(context, limit) if limit is not None else None,
        pause=length(context, pause.length, "a pause") if pause is not None else None,
    )


def _form(context: Context, plan: tree.PlanDeclaration, node: tree.TaskDeclaration) -> tuple[Attribute, ...]:
    fields = [field for statement in tree.of_kind(node.statements, tree.CollectStatement) for field in statement.fields]
    found, _broken = attributes(context, f"in task `{node.name.text}` the field", fields)
    return tuple(found.values())


def _sets(
    context: Context,
    plan: tree.PlanDeclaration,
    node: tree.TaskDeclaration,
    checker: Checker,
    form: tuple[Attribute, ...],
) -> Iterator[Mapping]:
    """What the task sets: as written, and each form field into the attribute of its name and type."""
    spec = context.specs[plan.spec.text]
    checker = replace(checker, environment=_environment_of_sets(context, node, checker.environment, form))
    seen: dict[str, tree.SetStatement] = {}
    for statement in tree.of_kind(node.statements, tree.SetStatement):
        name = statement.attribute.text
        if name in seen:
            context.findings.error(
                "LM3102",
                f"this task sets `{name}` twice",
                statement.attribute.span,
                help="keep one of them",
                labels=[Label(seen[name].attribute.span, "first set here")],
            )
            continue
        seen[name] = statement
        attribute = target_attribute(context, spec, statement.attribute)
        if attribute is None:
            continue
        value = mapped(checker, statement.value, attribute, frozenset())
        if value is not None:
            yield Mapping(attribute=name, value=context.formula(value, statement.value), span=statement.attribute.span)
    declared = [each for one in tree.of_kind(node.statements, tree.CollectStatement) for each in one.fields]
    by_name = {field.name: field for field in form}
    for field in declared:
        name = field.name.text
        if name not in seen and name in by_name and collects(context, spec.name, field):
            reference = Reference(Root.FORM, name, by_name[name].type)
            yield Mapping(attribute=name, value=Formula(reference, f"form.{name}"), span=field.name.span)


def _environment_of_sets(
    context: Context, node: tree.TaskDeclaration, environment: Environment, form: tuple[Attribute, ...]
) -> Environment:
    roots = dict(environment.roots)
    if node.kind is TaskKind.CALL:
        called = _first(node, tree.OperationStatement)
        operation = context.operations.get(called.operation.text) if called is not None else None
        declared = context.symbols.operations.get(called.operation.text) if called is not None else None
        names = tree.of_kind(declared.statements, tree.OutputStatement) if declared is not None else ()
        outputs = {name: each.type for name, each in operation.outputs.items()} if operation is not None else {}
        asked = _asked(node) if declared is None else frozenset()
        broken = {each.attribute.name.text for each in names} - outputs.keys()
        roots[Root.RESPONSE] = Members(
            owner=f"the answer of `{called.operation.text}`" if called is not None else "the answer",
            attributes=outputs,
            broken=frozenset(broken) | asked,
        )
    if node.kind is TaskKind.MANUAL:
        roots[Root.FORM] = Members(
            owner=f"the form of `{node.name.text}`", attributes={field.name: field.type for field in form}
        )
    if node.kind is TaskKind.WAIT and _first(node, tree.EventStatement) is not None:
        roots[Root.EVENT] = Members(owner="the event", open=True)
    return Environment(place=f"what a `{node.kind}` task sets", roots=roots, bare=environment.bare)


def _asked(node: tree.TaskDeclaration) -> frozenset[str]:
    """Outputs that a task uses of an operation that does not exist, about which nothing more is to be said."""
    found: set[str] = set()
    waiting: list[object] = [each.value for each in tree.of_kind(node.statements, tree.SetStatement)]
    while waiting:
        each = waiting.pop()
        if isinstance(each, tree.Path):
            if each.parts[0].text == Root.RESPONSE and len(each.parts) > 1:
                found.add(each.parts[1].text)
        elif isinstance(each, tuple):
            waiting.extend(each)
        elif hasattr(each, "__dataclass_fields__"):
            waiting.extend(getattr(each, name) for name in each.__dataclass_fields__)
    return frozenset(found)
