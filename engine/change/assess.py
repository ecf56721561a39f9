"""`assess`: what a change would do to an order, decision by decision, with nothing done."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace

from orderloom.engine.change.admission import barred
from orderloom.engine.change.content import Wanted, kind_of, ordered, wanted
from orderloom.engine.change.decide import Verdicts
from orderloom.engine.change.findings import with_findings
from orderloom.engine.change.lines import Differences, LineDiff, Merge, unfit
from orderloom.engine.change.returns import Returns
from orderloom.engine.change.rows import TaskRows, conflict_task
from orderloom.engine.orchestration.definitions import Definitions, definitions
from orderloom.engine.program import Program
from orderloom.models.catalog import Action
from orderloom.models.change import (
    ChangeKind,
    ChangePlan,
    Conflict,
    Consequence,
    DateChange,
    LineDecision,
    LineVerdict,
    Refusal,
    Rows,
    TaskVerdict,
)
from orderloom.models.fulfillment import Line
from orderloom.models.journal import ChangeRequest
from orderloom.models.order import TAKEN_BACK, OrderStatus, ProductOrder
from orderloom.models.plan import OrderState, PlanState, Task, TaskRole, TaskState

_REDONE = frozenset(
    (TaskVerdict.REDO, TaskVerdict.UNDO_REDO, TaskVerdict.RESTART, TaskVerdict.UNDO, TaskVerdict.CANCEL)
)


def assess(program: Program, state: OrderState, request: ChangeRequest) -> ChangePlan:
    """What the request would do to the order as it is now. Pure: neither the state nor the request is touched.

    `program` is the design that the order is to run on. Tasks whose callout is under way are told as FINISH_FIRST: what
    becomes of them is decided once they have answered, so such a plan has no rows; nor has one with calls
    that are to be cancelled first, CANCEL_FIRST.
    """
    kind = kind_of(request)
    if why := barred(state, request):
        return ChangePlan(
            order=state.order.id, kind=kind, revision=state.revision + 1, everything=False, reasons=(why,)
        )
    if state.plan is PlanState.NOT_STARTED:
        # it is decomposed once it starts, against what inventory holds then
        order = ordered(state.order, request)
        return ChangePlan(
            order=state.order.id,
            kind=kind,
            revision=state.revision + 1,
            everything=not order.items,
            dates=_dates(state.order, order) if order.items else (),
            priority=_priority(state.order, order),
        )
    plain = wanted(program, state, request)
    content = plain if plain.problems or plain.everything else with_findings(program, state, plain, frozenset())
    plan = ChangePlan(
        order=state.order.id,
        kind=kind,
        revision=state.revision + 1,
        everything=content.everything,
        dates=_dates(state.order, content.order),
        priority=_priority(state.order, content.order),
    )
    if content.problems:
        return replace(plan, problems=content.problems, reasons=content.problems)
    known = definitions(program)
    diff, verdicts, redone = _weighed(program, state, content, kind, known)
    lost: frozenset[str] = frozenset()
    while content.findings_of & (redone | verdicts.again):
        # what is to be found out again adds nothing until then
        lost |= content.findings_of & (redone | verdicts.again)
        content = with_findings(program, state, plain, lost)
        diff, verdicts, redone = _weighed(program, state, content, kind, known)
    merged = Merge(program, state, content).lines(redone | verdicts.again)
    problems = tuple(unfit(program, merged.values())) if kind is ChangeKind.MIGRATE else ()
    if problems:
        return replace(plan, problems=problems, reasons=problems)
    lines, former = _lines(state, content, merged, plan.revision)
    superseded = frozenset(line.id for line in former.values())
    rows = TaskRows(program, state, verdicts, lines, superseded, known, rescheduled=bool(plan.dates))
    decisions = rows.make(diff.clashes)
    touched = (*diff.changed, *diff.removed, *(clash.line for clash in diff.clashes))
    returns = Returns(state, known, verdicts, touched)
    refusals, consequences = tuple(returns.refusals()), tuple(returns.consequences())
    reasons = tuple(_reasons(request, refusals, consequences))
    waits = any(each.verdict in (TaskVerdict.FINISH_FIRST, TaskVerdict.CANCEL_FIRST) for each in decisions)
    return replace(
        plan,
        lines=tuple(_line_decisions(state, diff, lines, rows.tasks)),
        tasks=decisions,
        refusals=refusals,
        consequences=consequences,
        conflicts=tuple(
            Conflict(
                line=clash.line,
                attribute=clash.attribute,
                delivered=clash.delivered,
                by=clash.by,
                amended=clash.amended,
                task=conflict_task(clash, plan.revision),
            )
            for clash in diff.clashes
        ),
        reasons=reasons,
        rows=None
        if waits or reasons
        else Rows(order=content.order, lines=lines, former=former, tasks=rows.tasks, renamed=rows.renamed),
    )


def _weighed(
    program: Program, state: OrderState, content: Wanted, kind: ChangeKind, known: Definitions
) -> tuple[LineDiff, Verdicts, frozenset[str]]:
    """What differs, what becomes of the tasks, and those of them whose deliveries do not count any more."""
    diff = Differences(program, state, content, kind).find()
    diff.note(key for clash in diff.clashes for key in ((clash.line, clash.attribute), (clash.line, "*")))
    verdicts = Verdicts(program, state, content, diff, known, migrates=kind is ChangeKind.MIGRATE)
    verdicts.decide()
    over = (
        state.tasks[task]
        for task, (verdict, _) in verdicts.verdicts.items()
        if verdict in _REDONE and not verdicts.amends(task)
    )
    # what an earlier run has delivered stands under the name of its task
    return diff, verdicts, frozenset(task.of if task.role is TaskRole.FORMER else task.id for task in over)


def _reasons(
    request: ChangeRequest, refusals: tuple[Refusal, ...], consequences: tuple[Consequence, ...]
) -> Iterator[str]:
    if not request.force:
        yield from (each.why for each in refusals)
    for each in consequences:
        if not request.accept:
            yield f"task `{each.task}` is done, and its consequence is not accepted: {each.text}"
        elif each.approval and each.approval not in request.roles and not request.force:
            yield f"task `{each.task}` is done, and changing it needs the approval of `{each.approval}`: {each.text}"


def _dates(before: ProductOrder, after: ProductOrder) -> tuple[DateChange, ...]:
    pairs = (
        ("requested start", before.requested_start, after.requested_start),
        ("requested completion", before.requested_completion, after.requested_completion),
    )
    return tuple(DateChange(name=name, before=was, after=now) for name, was, now in pairs if was != now)


def _priority(before: ProductOrder, after: ProductOrder) -> tuple[int, int] | None:
    return (before.priority, after.priority) if before.priority != after.priority else None


def _lines(
    state: OrderState, content: Wanted, merged: Mapping[str, Line], revision: int
) -> tuple[dict[str, Line], dict[str, Line]]:
    """The lines after the change, and the versions that it supersedes. What did not change stays the very same."""
    lines: dict[str, Line] = {}
    former: dict[str, Line] = {}
    for line in merged.values():
        old = state.lines.get(line.id)
        if old is None or old.context:
            lines[line.id] = line
        elif line.context:
            # the order no longer touches it: its row stays, to be taken back
            lines[line.id] = old
        elif old == line:
            lines[line.id] = old
        else:
            lines[line.id] = line
            former[f"{line.id}~{revision}"] = replace(old)
    for old in state.lines.values():
        if old.id not in lines and not old.context:
            lines[old.id] = old
    return lines, former


def _line_decisions(
    state: OrderState, diff: LineDiff, lines: Mapping[str, Line], tasks: Mapping[str, Task]
) -> Iterator[LineDecision]:
    at_work = {task.line for task in tasks.values() if not task.state.final}
    removed, added = frozenset(diff.removed), frozenset(diff.added)
    for line in lines.values():
        old = state.lines.get(line.id)
        if line.context:
            continue
        if line.id in added:
            quiet = line.action is Action.NO_CHANGE
            yield LineDecision(
                line=line.id,
                spec=line.spec,
                verdict=LineVerdict.ADD,
                action_after=line.action,
                quantity_after=line.quantity,
                state_after=line.state,
                why="it is looked at, and stays as it is" if quiet else "the changed order calls for it",
            )
        elif line.id in removed and old:
            yield LineDecision(
                line=line.id,
                spec=line.spec,
                verdict=LineVerdict.REMOVE,
                action_before=old.action,
                quantity_before=old.quantity,
                state_before=old.state,
                state_after=_removed_state(old, at_work),
                why="the changed order no longer calls for it",
            )
        elif old and old.state not in TAKEN_BACK:
            changes = diff.changed.get(line.id)
            yield LineDecision(
                line=line.id,
                spec=line.spec,
                verdict=LineVerdict.KEEP if changes is None else LineVerdict.CHANGE,
                action_before=old.action,
                action_after=line.action,
                quantity_before=old.quantity,
                quantity_after=line.quantity,
                attributes=tuple(changes or ()),
                state_before=old.state,
                state_after=line.state if changes is None else OrderStatus.IN_PROGRESS,
                why="" if changes is None else "the changed order asks for something else",
            )


def _removed_state(line: Line, at_work: Container[str]) -> OrderStatus:
    """The state of a line that is taken back: at once cancelled if nothing of it has started, or is left of before."""
    fresh = line.state is OrderStatus.ACKNOWLEDGED and not line.written and line.id not in at_work
    return OrderStatus.CANCELLED if fresh else OrderStatus.PENDING_CANCELLATION


def running(state: OrderState) -> bool:
    """Whether a callout is under way."""
    return any(task.state is TaskState.RUNNING and task.kind == "call" for task in state.tasks.values())
