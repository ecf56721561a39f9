"""Time in a step: starts that wait for their date, colours that change, the completion that is expected.

One timer an order stands at the next instant at which a colour changes if nothing else happens. It is left where it is
when that instant moves on; a timer that then fires in vain is set anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from orderloom.engine.advance.rollup import lines_ended
from orderloom.engine.advance.turn import Turn
from orderloom.engine.scheduling.timeline import ORDER, Timeline, is_timed
from orderloom.engine.scheduling.turnings import colour, is_held
from orderloom.models.conversion import Json, to_json
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.journal import CancelTimer, EntryKind, Publish, StartTimer, TimerFired, TimerKind
from orderloom.models.order import OrderStatus
from orderloom.models.plan import LIVE, PlanState, Task, TaskState

#: the expected completion is told anew when it moves by more than this share of the order's whole time
_MOVED = 0.05


# --- starts ----------------------------------------------------------------------------------------------------------


def wait_for_start(turn: Turn) -> None:
    """Sets the timer of an order whose requested start is to come."""
    start = turn.state.order.requested_start
    if start is not None and turn.early:
        turn.tell(StartTimer(task="", kind=TimerKind.START, attempt=0, due=start))


def start_of(turn: Turn, task: Task) -> datetime | None:
    """The instant before which a task is not to start; None where it may start now.

    What takes others back, looks after them or is for a person to decide does not wait for the start of the order.
    """
    if task.role not in LIVE:
        return None
    wanted = turn.state.order.requested_start if turn.early else None
    late = turn.compiled(task).definition.start_late and turn.state.order.requested_completion is not None
    calculated = _timeline(turn).calculated.get(task.id) if late else None
    start = max((each for each in (wanted, calculated) if each is not None), default=None)
    return start if start is not None and start > turn.at else None


def hold_until(turn: Turn, task: Task, start: datetime) -> None:
    """Puts the task off to its start; the order's own timer serves where that is the requested one."""
    if task.state is TaskState.PENDING:
        turn.move(task, TaskState.SCHEDULED, why=f"starts at {to_json(start)}")
    if start == turn.state.order.requested_start:
        if task.due is not None and task.due != start:
            turn.tell(CancelTimer(task=task.id, kind=TimerKind.START))
    elif task.due != start:
        turn.tell(StartTimer(task=task.id, kind=TimerKind.START, attempt=0, due=start))
    if task.due != start:
        task.due = start
        turn.touch(task)


def start_timer_fired(turn: Turn, event: TimerFired) -> None:
    """The start of the order or of a task has come; one that was moved on is stale."""
    state = turn.state
    if state.status.final or state.plan is PlanState.NOT_STARTED:
        return
    if event.task:
        task = state.tasks.get(event.task)
        if task is not None and is_held(task):
            turn.agenda.append(task)
    elif not turn.early:
        turn.agenda.extend(task for task in state.tasks.values() if is_held(task))
        lines_ended(turn, reversed(state.lines.values()))


def reschedule(turn: Turn) -> None:
    """To be called when the plan, its dates or its durations have changed: starts and colours are reckoned anew."""
    turn.index.timeline = None
    turn.rescheduled = True
    wait_for_start(turn)
    turn.agenda.extend(task for task in turn.state.tasks.values() if is_held(task))


# --- colours ---------------------------------------------------------------------------------------------------------


def jeopardy_timer_fired(turn: Turn) -> None:
    """A colour may change by nothing but the time; a timer that was set anew since is stale."""
    state = turn.state
    if state.jeopardy_at is None or state.jeopardy_at > turn.at:
        return
    state.jeopardy_at = None
    keep_time(turn)
    if state.jeopardy_at is None:
        turn.tell(CancelTimer(task="", kind=TimerKind.JEOPARDY))


def keep_time(turn: Turn) -> None:
    """At the end of a step: recolours what it touched and what the time has changed, sets the timer."""
    state = turn.state
    if state.plan is not PlanState.NOT_STARTED and state.status.final and turn.early:
        turn.tell(CancelTimer(task="", kind=TimerKind.START))
    if not state.tasks:
        _keep_waiting(turn)
        return
    coloured = state.jeopardy_at is not None or state.jeopardy is not Jeopardy.GREEN
    if state.order.requested_completion is None and not is_timed(turn.program) and not coloured:
        return
    timeline = _timeline(turn)
    changed = False
    if turn.rescheduled:
        subjects: Iterable[str] = tuple(state.tasks)
    else:
        subjects = sorted(turn.tasks)
    for id in (*subjects, *timeline.due(turn.at)):
        task = state.tasks.get(id)
        if task is not None:
            changed = _recolour(turn, timeline, task) or changed
    if turn.rescheduled or changed:
        _roll_up(turn, timeline)
    if state.status.final:
        if state.jeopardy_at is not None:
            state.jeopardy_at = None
            turn.tell(CancelTimer(task="", kind=TimerKind.JEOPARDY))
        return
    _set_timer(turn, timeline)
    often = max(8, len(state.tasks) // 4)
    if turn.rescheduled or changed or not (state.version + 1) % often:
        _expect(turn, timeline)


def _keep_waiting(turn: Turn) -> None:
    """An order that waits as a whole has no tasks to reckon with: it is red once its requested completion is past."""
    state = turn.state
    due = state.order.requested_completion
    late = due is not None and due <= turn.at and not state.status.final
    now = Jeopardy.RED if late else Jeopardy.GREEN
    if state.jeopardy is not now:
        former, state.jeopardy = state.jeopardy, now
        _tell(turn, "", former, now, "it still waits" if late else "it waits no more, or may take longer")
    if due is not None and due > turn.at and state.status is OrderStatus.PENDING:
        if state.jeopardy_at != due:
            state.jeopardy_at = due
            turn.tell(StartTimer(task="", kind=TimerKind.JEOPARDY, attempt=0, due=due))
    elif state.jeopardy_at is not None:
        state.jeopardy_at = None
        turn.tell(CancelTimer(task="", kind=TimerKind.JEOPARDY))


def _timeline(turn: Turn) -> Timeline:
    timeline = turn.index.timeline
    if timeline is None:
        timeline = turn.index.timeline = Timeline(turn.program, turn.state)
    return timeline


def _recolour(turn: Turn, timeline: Timeline, task: Task) -> bool:
    """Gives the task the colour that it has now; returns whether it is another one."""
    found = timeline.turnings(task)
    now, why = colour(found, turn.at) if found else (Jeopardy.GREEN, "")
    if task.state is TaskState.FROZEN:
        now = task.jeopardy
    former = task.jeopardy
    if now is not former:
        timeline.count(task, -1)
        task.jeopardy = now
        timeline.count(task, 1)
        turn.touch(task)
        _tell(turn, task.id, former, now, why or _relief(task), task=task.id, line=task.line)
    timeline.plan(task, found)
    return now is not former


def _relief(task: Task) -> str:
    return "it is over" if task.state.final else "it is in time again"


def _roll_up(turn: Turn, timeline: Timeline) -> None:
    """Lines and the order take the worst colour of their open tasks."""
    state = turn.state
    if turn.rescheduled:
        lines: Iterable[str] = [id for id, line in state.lines.items() if not line.context]
    else:
        touched = (state.tasks[id] for id in sorted(turn.tasks) if id in state.tasks)
        lines = [each for each in dict.fromkeys(s for t in touched for s in timeline.subjects(t)) if each != ORDER]
    for id in lines:
        line, now = state.lines[id], timeline.colour(id)
        if line.jeopardy is not now:
            former, line.jeopardy = line.jeopardy, now
            turn.lines.add(id)
            _tell(turn, id, former, now, "the worst of its open tasks", line=id)
    now = timeline.colour(ORDER)
    if state.jeopardy is not now:
        former, state.jeopardy = state.jeopardy, now
        _tell(turn, "", former, now, "the worst of its open tasks")


def _tell(turn: Turn, subject: str, former: Jeopardy, now: Jeopardy, why: str, **where: str) -> None:
    change: dict[str, Json] = {"from": former.value, "to": now.value, "why": why}
    turn.note(EntryKind.JEOPARDY, subject, change)
    turn.tell(Publish(kind="jeopardy", data={"order": turn.state.order.id, **where, **change}))


def _set_timer(turn: Turn, timeline: Timeline) -> None:
    state, wanted = turn.state, timeline.next_at
    if wanted is None:
        return
    wanted = max(wanted, turn.at)
    armed = state.jeopardy_at
    if armed is None or armed < turn.at or wanted < armed:
        state.jeopardy_at = wanted
        turn.tell(StartTimer(task="", kind=TimerKind.JEOPARDY, attempt=0, due=wanted))


def _expect(turn: Turn, timeline: Timeline) -> None:
    """Reckons the expected completion anew, and tells it where it has moved."""
    state = turn.state
    if not timeline.has_durations:
        return
    expected, former = timeline.expected(turn.at), state.expected
    began = state.started_at or turn.at
    if former is not None and abs(expected - former) <= _MOVED * (max(expected, former) - began):
        return
    state.expected = expected
    moved: dict[str, Json] = {"from": to_json(former), "to": to_json(expected)}
    turn.note(EntryKind.EXPECTED, "", moved)
    turn.tell(Publish(kind="order.expected", data={"order": state.order.id, **moved}))
