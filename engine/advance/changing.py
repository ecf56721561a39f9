"""Change in flight: a request freezes the plan, is weighed once no callout is under way, and is applied or refused.

What the change does is decided in `engine/change`; here its rows are put in place, every state by a legal edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from orderloom.engine.advance.awaiting import await_related
from orderloom.engine.advance.cancelling import cancel_calls
from orderloom.engine.advance.index import Index
from orderloom.engine.advance.refused import Refused
from orderloom.engine.advance.rollup import lines_ended, write_inventory
from orderloom.engine.advance.telling import line_data, task_data
from orderloom.engine.advance.timekeeping import reschedule
from orderloom.engine.advance.turn import Turn
from orderloom.engine.change import assess, barred, baseline, kind_of, ordered, was_cancelled
from orderloom.engine.inventory import state_after
from orderloom.engine.scheduling.turnings import is_held
from orderloom.models.catalog import Action
from orderloom.models.change import ChangeKind, ChangePlan, LineDecision, LineVerdict, Rows, TaskVerdict
from orderloom.models.conversion import Json, to_json
from orderloom.models.inventory import AssetState
from orderloom.models.journal import (
    AmendmentRequested,
    CancellationRequested,
    CancelTimer,
    ChangeRequest,
    CloseWork,
    EntryKind,
    MigrationRequested,
    Publish,
    RecallCallout,
    StopWaiting,
    TimerKind,
)
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState, PlanState, Task, TaskState, WaitingChange
from orderloom.models.tasks import TaskKind

_S = TaskState
#: the way back before its turn came, for a task whose turn has come or that was started
_BACK = (_S.FROZEN, _S.PENDING)


def change_requested(turn: Turn, event: ChangeRequest) -> None:
    """Freezes the plan; nothing new starts until the change is weighed. Of several that wait, the latest counts."""
    state = turn.state
    _check(turn, event)
    if state.plan is PlanState.NOT_STARTED:
        _before_start(turn, event)
        return
    waiting = state.change
    _tell(turn, event, "requested")
    status = waiting.status if waiting else state.status
    if waiting:
        _tell(turn, waiting.request, "superseded", by=event.by)
    else:
        turn.move_plan(PlanState.FREEZING, why=f"{kind_of(event)} asked for by {event.by}")
    cancels = isinstance(event, CancellationRequested)
    if cancels and state.status is not OrderStatus.ASSESSING_CANCELLATION:
        turn.move_order(OrderStatus.ASSESSING_CANCELLATION, why=f"asked for by {event.by}")
    elif not cancels and state.status is OrderStatus.ASSESSING_CANCELLATION:
        turn.move_order(status, why=f"another change is asked for by {event.by}")
    # what the order has written is taken out now: by the time it is weighed, some of it may be taken back
    request = replace(event, inventory=baseline(state, event.inventory))
    state.change = WaitingChange(request=request, at=turn.at, status=status)
    turn.requested = True


def _before_start(turn: Turn, event: ChangeRequest) -> None:
    """An order that waits for others has other content from now on; the host looks anew at what it waits for."""
    state = turn.state
    content = ordered(state.order, event)
    _tell(turn, event, "requested")
    if not content.items:
        why = f"cancelled by {event.by} before it started"
        turn.move_order(OrderStatus.CANCELLED, why=why)
        # it waits for nothing any more
        state.reasons = (f"{why}: {event.reason}" if event.reason else why,)
        _tell(turn, event, "applied")
        return
    state.order = content
    state.revision += 1
    if isinstance(event, MigrationRequested):
        state.design = event.design
    _tell(turn, event, "applied", revision=state.revision)
    data: dict[str, Json] = {
        "order": state.order.id,
        "change": kind_of(event).value,
        "outcome": "applied",
        "reasons": [],
    }
    turn.tell(Publish(kind="order.change", data=data))


def _check(turn: Turn, event: ChangeRequest) -> None:
    state = turn.state
    name = f"order `{state.order.id}`"
    if why := barred(state, event):
        raise Refused(why)
    if state.plan is PlanState.NOT_STARTED and state.status is not OrderStatus.PENDING:
        raise Refused(f"{name} has not been taken up yet")
    if isinstance(event, AmendmentRequested) and event.order.id != state.order.id:
        raise Refused(f"the amendment is for order `{event.order.id}`, this is {name}")
    if isinstance(event, MigrationRequested) and event.design != turn.program.design.digest:
        raise Refused(f"the migration is to design `{event.design}`, not to `{turn.program.design.digest}`")


def weigh(turn: Turn) -> bool:
    """Decides on the change that waits, and applies it or goes back to where the order was.

    While calls are under way, those are cancelled that the change does not go together with and that can be. Returns
    whether anything came of it, False where there is nothing to do but to wait.
    """
    state = turn.state
    waiting = state.change
    under_way = turn.index.calling or turn.index.cancelling
    if waiting is None or (under_way and not turn.requested):
        return False
    turn.requested = False
    if under_way and not _can_be_cancelled(turn):
        return False
    request = waiting.request
    write_inventory(turn)
    plan = assess(turn.program, state, request)
    if not plan.refused and cancel_calls(turn, plan):
        return True
    if under_way or (plan.rows is None and not plan.refused):
        return False
    turn.move_plan(PlanState.FROZEN, why="no callout is under way")
    state.change = None
    if plan.rows is None:
        _refuse(turn, waiting, plan)
        return True
    turn.next_chapter()
    _apply(turn, plan, plan.rows)
    if isinstance(request, MigrationRequested):
        state.design = request.design
    turn.move_plan(PlanState.IN_PROGRESS, why=f"{plan.kind} {plan.revision} is applied")
    _tell(turn, request, "applied", **_summary(plan))
    turn.tell(Publish(kind="order.change", data=_public(turn, plan, "applied")))
    if plan.everything:
        turn.move_order(OrderStatus.PENDING_CANCELLATION, why="what was done is taken back")
    elif state.status is OrderStatus.ASSESSING_CANCELLATION:
        turn.move_order(waiting.status, why="the other items go on")
    _thaw(turn)
    return True


def _can_be_cancelled(turn: Turn) -> bool:
    """Whether the design says how to cancel any of the calls that have been sent."""
    sent = (_S.RUNNING, _S.WAITING)
    tasks = turn.state.tasks.values()
    return any(task.state in sent and turn.compiled(task).definition.cancel for task in tasks)


def _refuse(turn: Turn, waiting: WaitingChange, plan: ChangePlan) -> None:
    _tell(turn, waiting.request, "refused", reasons=list(plan.reasons))
    turn.tell(Publish(kind="order.change", data=_public(turn, plan, "refused")))
    turn.move_plan(PlanState.IN_PROGRESS, why=f"{plan.kind} is refused")
    if turn.state.status is OrderStatus.ASSESSING_CANCELLATION:
        turn.move_order(waiting.status, why="the cancellation is refused")
    for task in turn.state.tasks.values():
        if task.state is _S.FROZEN:
            if was_cancelled(turn.state, task):
                # what was cancelled is asked for again by another request
                task.generation += 1
            turn.move(task, _S.READY if task.started_at else _S.PENDING, why="the plan goes on")
    turn.index = turn.state.index = Index(turn.program, turn.state)
    # a migration is weighed at once, so nothing waits; what may start next is the former version's to say
    if not isinstance(waiting.request, MigrationRequested):
        _thaw(turn)


def _thaw(turn: Turn) -> None:
    """Puts on the agenda what may start."""
    reschedule(turn)
    tasks = turn.state.tasks
    turn.agenda.extend(tasks[task] for task, count in turn.index.remaining.items() if not count)
    if not turn.held:
        turn.agenda.extend(task for task in tasks.values() if task.state is _S.READY)
    turn.recheck.extend(task.id for task in tasks.values() if task.state is _S.WAITING)


# --- applying ----------------------------------------------------------------------------------------------------


def _apply(turn: Turn, plan: ChangePlan, rows: Rows) -> None:
    state = turn.state
    states = _item_states(state)
    decisions = {each.task: each for each in plan.tasks}
    former = {old: name for name, old in rows.renamed.items()}
    tasks: dict[str, Task] = {}
    for name, row in rows.tasks.items():
        old = state.tasks.get(rows.renamed.get(name, name))
        if old is None or (name in former and name not in rows.renamed):
            tasks[name] = replace(row)
            turn.tasks.add(name)
            turn.note(EntryKind.TASK_MADE, name, task_data(row))
        else:
            tasks[name] = old
    for name, row in rows.tasks.items():
        if name in state.tasks or name in rows.renamed:
            decision = decisions.get(rows.renamed.get(name, name))
            why = decision.why if decision and name not in former else "done again" if name in rows.renamed else ""
            _put(turn, tasks[name], row, why)
    for each in plan.tasks:
        if each.verdict is not TaskVerdict.KEEP and each.before is not None:
            data: dict[str, Json] = {
                "verdict": each.verdict.value,
                "from": each.before.value,
                "to": each.after.value,
                "why": each.why,
                "by": list(each.by),
            }
            turn.note(EntryKind.TASK_CHANGED, each.task, data)
    state.tasks = tasks
    _put_lines(turn, plan, rows)
    waited = turn.early
    state.order = rows.order
    if waited and not turn.early:
        turn.tell(CancelTimer(task="", kind=TimerKind.START))
    state.revision = plan.revision
    turn.index = state.index = Index(turn.program, state)
    _move_lines(turn, plan, states)
    await_related(turn)


def _put(turn: Turn, task: Task, row: Task, why: str) -> None:
    """Takes a task to the row that was decided for it."""
    if task == row:
        return
    if task.state is not row.state:
        _let_go(turn, task)
        path: tuple[TaskState, ...] = (row.state,)
        if row.state is _S.PENDING and task.state is not _S.FROZEN:
            path = _BACK
        elif task.state is _S.FROZEN and row.state is _S.COMPLETED:
            path = (_S.READY, _S.RUNNING, _S.COMPLETED)
        task.id = row.id
        turn.move(task, *path, why=why)
    task.id = row.id
    if row.state is _S.PENDING:
        task.started_at = row.started_at
    turn.tasks.add(row.id)
    for name in (
        "definition", "kind", "line", "within", "after", "needs", "elsewhere", "attempts", "retries", "generation",
        "outputs", "code", "message", "queue", "asked", "due", "by", "role", "of", "version",
    ):  # fmt: skip
        setattr(task, name, getattr(row, name))


def _let_go(turn: Turn, task: Task) -> None:
    """Takes back what the task had asked for."""
    match task.state:
        case _S.FALLOUT:
            turn.tell(CloseWork(task=task.id))
        case _S.SCHEDULED:
            kind = TimerKind.START if is_held(task) else TimerKind.RETRY
            turn.tell(CancelTimer(task=task.id, kind=kind))
        case _S.HELD:
            turn.tell(RecallCallout(task=task.id, attempt=task.attempts))
        case _S.WAITING if task.kind is TaskKind.MANUAL:
            turn.tell(CloseWork(task=task.id))
        case _S.WAITING:
            turn.tell(StopWaiting(task=task.id))
            turn.tell(CancelTimer(task=task.id, kind=TimerKind.LIMIT))
            if task.kind is TaskKind.PAUSE:
                turn.tell(CancelTimer(task=task.id, kind=TimerKind.PAUSE))


def _put_lines(turn: Turn, plan: ChangePlan, rows: Rows) -> None:
    state = turn.state
    verdicts = {each.line: each for each in plan.lines}
    for name, line in rows.lines.items():
        if state.lines.get(name) is line:
            continue
        turn.lines.add(name)
        decision = verdicts.get(name)
        if decision and decision.verdict is LineVerdict.ADD:
            turn.note(EntryKind.LINE_MADE, name, line_data(line))
    for each in plan.lines:
        if each.verdict in (LineVerdict.CHANGE, LineVerdict.REMOVE):
            turn.note(EntryKind.LINE_CHANGED, each.line, _line_change(each))
    dropped = [name for name in state.lines if name not in rows.lines]
    turn.lines.update(dropped)
    #: copies, since the plan of the change is a value and the rows of the order change
    state.lines = {
        name: line if state.lines.get(name) is line else replace(line, attributes=dict(line.attributes))
        for name, line in rows.lines.items()
    }
    state.former.update(rows.former)


def _line_change(each: LineDecision) -> dict[str, Json]:
    return {
        "verdict": each.verdict.value,
        "action": each.action_after.value if each.action_after else None,
        "quantity": each.quantity_after,
        "attributes": {
            change.name: {"from": to_json(change.before), "to": to_json(change.after)} for change in each.attributes
        },
        "why": each.why,
    }


def _item_states(state: OrderState) -> dict[str, AssetState]:
    """The states of what lines have added that are completed: it is suspended where all that use it are."""
    return {
        line.id: state_after(line, state.lines)
        for line in state.lines.values()
        if line.action is Action.ADD and line.sources and line.state is OrderStatus.COMPLETED
    }


def _move_lines(turn: Turn, plan: ChangePlan, states: Mapping[str, AssetState]) -> None:
    """Takes lines to where their tasks are: taken back, or taken up again.

    `states` are those of the items that were added before the change.
    """
    lines = turn.state.lines
    for each in plan.lines:
        line = lines[each.line]
        if each.verdict is LineVerdict.REMOVE:
            if each.state_after is OrderStatus.CANCELLED:
                turn.move_line(line, OrderStatus.PENDING, OrderStatus.CANCELLED)
                turn.taken_back[line.id] = line
            else:
                started = (OrderStatus.IN_PROGRESS,) if line.state is OrderStatus.ACKNOWLEDGED else ()
                turn.move_line(line, *started, OrderStatus.ASSESSING_CANCELLATION, OrderStatus.PENDING_CANCELLATION)
        elif line.state is OrderStatus.COMPLETED and line.id in turn.lines:
            turn.move_line(line, OrderStatus.IN_PROGRESS)
    _tell_again(turn, plan, states)
    reopened = {task.line for task in turn.state.tasks.values() if not task.state.final}
    for name in sorted(reopened):
        if lines[name].state is OrderStatus.COMPLETED:
            turn.move_line(lines[name], OrderStatus.IN_PROGRESS)
    turn.index = turn.state.index = Index(turn.program, turn.state)
    lines_ended(turn, reversed(lines.values()))


def _tell_again(turn: Turn, plan: ChangePlan, states: Mapping[str, AssetState]) -> None:
    """Inventory is told again of what stands under a line, or is related to one, that works on another item now.

    And of what is no longer added for suspended items alone, or is now.
    """
    state = turn.state
    for name, found in _item_states(state).items():
        if found is not states.get(name, found):
            turn.ended[name] = state.lines[name]
    versions = {name: state.former.get(f"{name}~{plan.revision}") for name in state.lines}
    moved = {name for name, former in versions.items() if former and former.asset != state.lines[name].asset}
    for line in state.lines.values() if moved else ():
        tied = line.parent in moved or any(each.line in moved for each in line.relations)
        if tied and line.state is OrderStatus.COMPLETED and not line.context:
            turn.ended[line.id] = line


# --- words -------------------------------------------------------------------------------------------------------


def _tell(turn: Turn, request: ChangeRequest, stage: str, **more: Json) -> None:
    data: dict[str, Json] = {"change": kind_of(request).value, "stage": stage, "by": request.by, **more}
    if request.reason:
        data["reason"] = request.reason
    if request.force:
        data["force"] = True
    if isinstance(request, CancellationRequested) and request.items:
        data["items"] = list(request.items)
    if isinstance(request, MigrationRequested):
        data["design"] = request.design
    turn.note(EntryKind.CHANGE, "", data)


def _summary(plan: ChangePlan) -> dict[str, Json]:
    counts: dict[str, Json] = {}
    for each in plan.tasks:
        found = counts.get(each.verdict.value, 0)
        counts[each.verdict.value] = (found if isinstance(found, int) else 0) + 1
    priority: dict[str, Json] = {"priority": list(plan.priority)} if plan.priority else {}
    return {
        "revision": plan.revision,
        **priority,
        "tasks": counts,
        "past return": [each.why for each in plan.refusals],
        "consequences": [each.text for each in plan.consequences],
        "conflicts": [each.task for each in plan.conflicts],
    }


def _public(turn: Turn, plan: ChangePlan, outcome: str) -> dict[str, Json]:
    kind = plan.kind if not plan.everything else ChangeKind.CANCEL
    return {"order": turn.state.order.id, "change": kind.value, "outcome": outcome, "reasons": list(plan.reasons)}
