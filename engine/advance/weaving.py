"""Weaves what staged decomposition makes into the running plan: new lines, their tasks, and what waits for these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orderloom.engine.advance.awaiting import await_related
from orderloom.engine.advance.index import Index
from orderloom.engine.advance.rollup import lines_ended
from orderloom.engine.advance.telling import line_data, task_data
from orderloom.engine.advance.turn import Turn
from orderloom.engine.decomposition import Staged, decompose_further, turned
from orderloom.engine.orchestration.weft import Weft, Woven
from orderloom.models.catalog import Action
from orderloom.models.fulfillment import Line, LineSource
from orderloom.models.journal import EntryKind
from orderloom.models.order import OrderStatus
from orderloom.models.plan import Task, TaskRole

#: lines that are there, by id, with the sources that they have gained
Joined = Mapping[str, Sequence[LineSource]]


def weave(turn: Turn, line: Line, attribute: str, *, replaces: bool) -> Staged:
    """Takes in what an attribute that has arrived, or `replaces` what was there, makes of its line; the values in the
    result are still to be set.

    Pending tasks come after new ones where the design says so. What cannot be carried out is left out as
    a whole, and a note tells why.
    """
    state = turn.state
    found = decompose_further(
        turn.program, state.order, state.lines, line.id, attribute, turn.index.around, replaces=replaces
    )
    if found.problems:
        _note(turn, line, attribute, "; ".join(problem.message for problem in found.problems))
        return Staged()
    if not found.added and not found.joined:
        return found
    former = [_Former(state.lines[each.id]) for each in found.joined]
    joined = {each.id: _join(state.lines[each.id], each) for each in found.joined}
    acting = [each.line for each in former if each.action is not each.line.action]
    woven = _planned(turn, found.added, acting, joined)
    if woven.ring:
        for each in former:
            each.restore()
        turn.index.weft = None
        _note(turn, line, attribute, _in_words(woven.ring))
        return Staged()
    _put_lines(turn, found.added, sort=bool(found.joined))
    _put(turn, woven, found.added, joined)
    _go_on(turn, found, woven.tasks)
    return found


def take_up(turn: Turn, line: Line) -> None:
    """A line that was to stay as it is, but whose values no longer do, is modified: it gets the tasks of that."""
    if not turned(line):
        return
    line.action = Action.MODIFY
    turn.index.values.pop(line.id, None)
    woven = _planned(turn, (), (line,), {})
    if woven.ring:
        line.action = Action.NO_CHANGE
        turn.index.weft = None
        turn.note(EntryKind.NOTE, line.id, {"text": f"nothing is done about what has changed: {_in_words(woven.ring)}"})
        return
    _put(turn, woven, (), {})
    _go_on(turn, Staged(joined=(line,)), woven.tasks)


class _Former:
    """What a line was before it was joined."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.action = line.action
        self._sources, self._added, self._removed = line.sources, line.users_added, line.users_removed

    def restore(self) -> None:
        self.line.action, self.line.sources = self.action, self._sources
        self.line.users_added, self.line.users_removed = self._added, self._removed


def _join(line: Line, wanted: Line) -> tuple[LineSource, ...]:
    """Gives the line the sources that it is to have; those among them that are new."""
    there = len(line.sources)
    line.sources, line.users_added, line.users_removed = wanted.sources, wanted.users_added, wanted.users_removed
    line.action = wanted.action
    return line.sources[there:]


def _planned(turn: Turn, added: Sequence[Line], acting: Iterable[Line], joined: Joined) -> Woven:
    """The tasks of lines that are new or have got another action."""
    state, index = turn.state, turn.index
    if index.weft is None or index.definitions.once_wide:
        index.weft = Weft(turn.program, state.order, state.lines, state.tasks, index.remedies)
    gained = {id: index.unfed(id, sources) for id, sources in joined.items()}
    return index.weft.weave(added, sorted(acting, key=lambda line: _stratum(turn, line)), gained, index.parts)


def _stratum(turn: Turn, line: Line) -> int:
    return turn.program.strata.get(line.spec, 0)


def _put_lines(turn: Turn, added: Sequence[Line], *, sort: bool) -> None:
    """Puts new lines among the others, sources before what they feed; `sort` where lines that are there have gained
    sources."""
    state = turn.state
    last = _stratum(turn, next(reversed(state.lines.values())))
    # the former lines stay as they were for whoever goes through them
    state.lines = {**state.lines, **{line.id: line for line in added}}
    if sort or any(_stratum(turn, line) < last for line in added):
        state.lines = dict(sorted(state.lines.items(), key=lambda each: _stratum(turn, each[1])))


def _put(turn: Turn, woven: Woven, added: Sequence[Line], joined: Joined) -> None:
    state, index = turn.state, turn.index
    superseded = [task for task in woven.tasks.values() if task.id in state.tasks]
    for task in superseded:
        _supersede(turn, state.tasks.pop(task.id), task)
    turn.tasks.update(woven.waiting, woven.elsewhere)
    state.tasks.update(woven.tasks)
    reopened = [
        state.lines[id]
        for id in dict.fromkeys(task.line for task in woven.tasks.values())
        if state.lines[id].state is OrderStatus.COMPLETED
    ]
    for line in reopened:
        turn.ended.pop(line.id, None)
        turn.move_line(line, OrderStatus.IN_PROGRESS)
    if superseded:
        for id, firsts in woven.waiting.items():
            state.tasks[id].after = tuple(sorted((*state.tasks[id].after, *firsts)))
        for id, others in woven.elsewhere.items():
            state.tasks[id].elsewhere = tuple(sorted((*state.tasks[id].elsewhere, *others)))
        turn.index = state.index = Index(turn.program, state)
    else:
        index.grow(state, added, joined, reopened, woven)


def _in_words(ring: Sequence[str]) -> str:
    return f"tasks would wait for each other: {' after '.join(f'`{task}`' for task in (*ring[:6], ring[0]))}"


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
