"""Weaves what staged decomposition makes into the running plan: new lines, their tasks, and what waits for these."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from orderloom.engine.advance.awaiting import await_related
from orderloom.engine.advance.index import Index
from orderloom.engine.advance.rollup import lines_ended
from orderloom.engine.advance.telling import line_data, task_data
from orderloom.engine.advance.turn import Turn
from orderloom.engine.decomposition import Staged, decompose_further, turned
from orderloom.engine.decomposition.levels import TAKEN_BACK
from orderloom.engine.orchestration import orchestrate
from orderloom.engine.orchestration.cycles import cycle
from orderloom.models.catalog import Action
from orderloom.models.fulfillment import Line
from orderloom.models.journal import EntryKind
from orderloom.models.order import OrderStatus
from orderloom.models.plan import Task, TaskRole, TaskState

_GIVEN_UP = (TaskState.CANCELLED, TaskState.DISCARDED)


def weave(turn: Turn, line: Line, attribute: str) -> Staged:
    """Takes in what an attribute that has arrived makes of its line; the values in the result are still to be set.

    Tasks that have not started come after new ones where the design says so. What cannot be carried out is left out as
    a whole, and a note tells why.
    """
    state = turn.state
    found = decompose_further(turn.program, state.order, state.lines, line.id, attribute, turn.index.around)
    if found.problems:
        _note(turn, line, attribute, "; ".join(problem.message for problem in found.problems))
        return Staged()
    if not found.added and not found.joined:
        return found
    lines = {**state.lines, **{each.id: each for each in (*found.joined, *found.added)}}
    strata = turn.program.strata
    lines = {each.id: each for each in sorted(lines.values(), key=lambda each: strata.get(each.spec, 0))}
    acting = [each.id for each in found.joined if each.action is not state.lines[each.id].action]
    woven = _planned(turn, lines, {*acting, *(each.id for each in found.added)})
    if woven.ring:
        _note(turn, line, attribute, woven.ring)
        return Staged()
    for each in found.joined:
        there = state.lines[each.id]
        there.sources, there.users_added, there.users_removed = each.sources, each.users_added, each.users_removed
        there.action = each.action
        lines[each.id] = there
    state.lines = lines
    _put(turn, woven)
    _go_on(turn, found, woven.tasks)
    return found


def take_up(turn: Turn, line: Line) -> None:
    """A line that was to stay as it is, but whose values no longer do, is modified: it gets the tasks of that."""
    state = turn.state
    if not turned(line):
        return
    modified = replace(line, action=Action.MODIFY)
    woven = _planned(turn, {**state.lines, line.id: modified}, {line.id})
    if woven.ring:
        turn.note(EntryKind.NOTE, line.id, {"text": f"nothing is done about what has changed: {woven.ring}"})
        return
    line.action = Action.MODIFY
    _put(turn, woven)
    _go_on(turn, Staged(joined=(line,)), woven.tasks)


@dataclass(frozen=True, slots=True)
class _Woven:
    """Tasks that are new, and what tasks that have not started come after from now on."""

    tasks: dict[str, Task]
    waiting: dict[str, tuple[str, ...]]
    #: in words, the tasks that would then wait for each other; "" for none
    ring: str


def _planned(turn: Turn, lines: Mapping[str, Line], made: Collection[str]) -> _Woven:
    """The tasks of lines that are new or have got another action."""
    # nothing comes after the tasks of lines that a change has taken back
    there = {id: line for id, line in lines.items() if line.state not in TAKEN_BACK}
    plan = orchestrate(turn.program, turn.state.order, there)
    tasks = {task.id: task for task in plan.tasks if task.line in made and _to_do(turn, task.id)}
    waiting = {task.id: after for task in plan.tasks if (after := _later(turn, task, tasks))}
    ring = cycle({**_woven(turn, waiting), **tasks})
    names = " after ".join(f"`{task}`" for task in (*ring[:6], ring[0])) if ring else ""
    return _Woven(tasks, waiting, f"tasks would wait for each other: {names}" if ring else "")


def _to_do(turn: Turn, task: str) -> bool:
    """Whether there is no such task yet, or a change has given it up or is taking it back."""
    there = turn.state.tasks.get(task)
    return there is None or there.state in _GIVEN_UP or task in turn.index.remedies


def _put(turn: Turn, woven: _Woven) -> None:
    state = turn.state
    for task in woven.tasks.values():
        if task.id in state.tasks:
            _supersede(turn, state.tasks.pop(task.id), task)
    for id, after in woven.waiting.items():
        state.tasks[id].after = after
        turn.tasks.add(id)
    state.tasks.update(woven.tasks)
    for line in dict.fromkeys(task.line for task in woven.tasks.values()):
        if state.lines[line].state is OrderStatus.COMPLETED:
            turn.ended.pop(line, None)
            turn.move_line(state.lines[line], OrderStatus.IN_PROGRESS)
    turn.index = state.index = Index(turn.program, state)


def _supersede(turn: Turn, old: Task, new: Task) -> None:
    """A task that a change has given up makes way for one of its id, as one does that is done again."""
    tasks = turn.state.tasks
    new.attempts, new.generation = old.attempts, old.generation + 1
    old.id = f"{new.id}~{turn.state.revision}"
    while old.id in tasks:
        old.id += "'"
    old.role, old.of, old.within = TaskRole.FORMER, new.id, ""
    for remedy in (tasks[each] for each in turn.index.remedies.get(new.id, ())):
        remedy.of = old.id
        turn.tasks.add(remedy.id)
        if not remedy.state.done:
            new.after = tuple(sorted({*new.after, remedy.id}))
    tasks[old.id] = old
    turn.tasks.add(old.id)


def _later(turn: Turn, task: Task, tasks: dict[str, Task]) -> tuple[str, ...]:
    """What a task that has not started comes after from now on; empty where nothing changes."""
    there = turn.state.tasks.get(task.id)
    new = tasks.keys() & set(task.after)
    if there is None or there.state is not TaskState.PENDING or not new:
        return ()
    return tuple(sorted({*there.after, *new}))


def _woven(turn: Turn, waiting: dict[str, tuple[str, ...]]) -> dict[str, Task]:
    tasks = turn.state.tasks
    return {id: replace(task, after=waiting[id]) if id in waiting else task for id, task in tasks.items()}


def _go_on(turn: Turn, found: Staged, tasks: dict[str, Task]) -> None:
    """Tells of what is new, and goes on with it."""
    state = turn.state
    for line in found.added:
        turn.lines.add(line.id)
        turn.note(EntryKind.LINE_MADE, line.id, line_data(line))
    for each in found.joined:
        turn.lines.add(each.id)
        if state.lines[each.id].state is OrderStatus.COMPLETED:
            # inventory is told again, of the new users
            turn.ended[each.id] = state.lines[each.id]
    for task in tasks.values():
        turn.tasks.add(task.id)
        turn.note(EntryKind.TASK_MADE, task.id, task_data(task))
    await_related(turn)
    remaining = turn.index.remaining
    ready = [task for task in turn.agenda if not remaining.get(task.id)]
    turn.agenda.clear()
    turn.agenda.extend(ready)
    lines_ended(turn, [state.lines[each.id] for each in reversed(found.added)])
    turn.agenda.extend(task for task in tasks.values() if not remaining[task.id])


def _note(turn: Turn, line: Line, attribute: str, why: str) -> None:
    text = f"nothing is made of `{attribute}`, which has arrived: {why}"
    turn.note(EntryKind.NOTE, line.id, {"text": text})
