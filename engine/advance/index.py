"""What `advance` derives from the rows of an order and keeps between events, so that no event looks at all tasks.

It is made in one pass over lines, tasks and dependencies, and kept up to date afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from orderloom.engine.decomposition import Surroundings
from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.feeding import made_from
from orderloom.engine.orchestration.reads import Read, reads
from orderloom.engine.orchestration.scopes import Scopes
from orderloom.engine.orchestration.weft import Weft, Woven
from orderloom.engine.program import Program
from orderloom.engine.scheduling.timeline import Timeline
from orderloom.engine.scheduling.turnings import is_held
from orderloom.models.expression import Root
from orderloom.models.fulfillment import Line, LineSource
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState, Task, TaskRole, TaskState
from orderloom.models.tasks import TaskKind
from orderloom.models.values import Value

#: states in which a task goes on by itself
_GOING_ON = frozenset((TaskState.READY, TaskState.RUNNING, TaskState.SCHEDULED, TaskState.HELD))
_FINAL = frozenset(state for state in TaskState if state.final)
#: stands for any line in the keys of watchers
ANY_LINE = "*"


class Index:
    """The derived side of one order's state."""

    def __init__(self, program: Program, state: OrderState) -> None:
        self.program = program
        self.definitions = definitions(program)
        self.scopes = Scopes(program, state.order, state.lines)
        self.rules = self.definitions.rules
        self.around = Surroundings(program, state.lines)
        self._lines, self._former = state.lines, state.former
        #: times, made when first asked for
        self.timeline: Timeline | None = None
        #: what lines that are found later are woven into, made when there are any
        self.weft: Weft | None = None
        #: of each task, its place among the rows
        self.places: dict[str, int] = {}
        #: tasks that come after a task
        self.dependants: dict[str, list[str]] = {}
        #: how many tasks (here and elsewhere), attributes and subplan starts a pending task still waits for
        self.remaining: dict[str, int] = {}
        #: pending tasks that wait for an attribute, by (line, attribute)
        self.needing: dict[tuple[str, str], list[str]] = {}
        #: pending tasks that wait for tasks of a related order, by (order, task definition)
        self.elsewhere: dict[tuple[str, str], list[str]] = {}
        #: tasks of a subplan, and how many of them are not done
        self.parts: dict[str, list[str]] = {}
        self.parts_open: dict[str, int] = {}
        #: waiting tasks to look at again when an attribute changes, by (line or ANY_LINE, attribute)
        self.watchers: dict[tuple[str, str], dict[str, None]] = {}
        #: lines made from a line
        self.fed: dict[str, list[str]] = {}
        #: open tasks of a line and lines made from it that are not final
        self.line_open: dict[str, int] = {}
        self.lines_open = 0
        #: what templates see of a line, until an attribute of it changes
        self.values: dict[str, Mapping[str, Value]] = {}
        #: tasks that are not final; those that go on by themselves; those that wait for someone or something
        self.open = 0
        self.active = 0
        self.waiting = 0
        #: callouts under way
        self.calling = 0
        #: tasks that cancel calls and have not ended
        self.cancelling = 0
        #: earlier runs of a task
        self.former: dict[str, list[str]] = {}
        #: what takes a task back, or looks after what is left of it
        self.remedies: dict[str, list[str]] = {}
        self._read_lines(state)
        self._read_tasks(state)

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """A copy of an order's state has no index: it makes its own."""
        return type(None), ()

    @cached_property
    def sharing(self) -> Mapping[str, Sequence[Line]]:
        """The lines of each asset, whatever their states."""
        return _by_asset(self._lines.values())

    @cached_property
    def superseded(self) -> Mapping[str, Sequence[Line]]:
        """The versions of lines of each asset that changes have superseded."""
        return _by_asset(self._former.values())

    @cached_property
    def left_behind(self) -> Mapping[str, Sequence[Line]]:
        """By line, versions of it that worked on another inventory item than it does now."""
        found: dict[str, list[Line]] = {}
        for line in self._former.values():
            if self._lines[line.id].asset != line.asset:
                found.setdefault(line.id, []).append(line)
        return found

    def grow(
        self,
        state: OrderState,
        added: Sequence[Line],
        joined: Mapping[str, Sequence[LineSource]],
        reopened: Sequence[Line],
        woven: Woven,
    ) -> None:
        """Takes in what was woven in: new lines and tasks, lines with the sources that they have gained, lines that are
        open again, and what tasks come after from now on."""
        self._lines = state.lines
        self.scopes.renew(state.lines)
        self.around.grow(state.lines, added, joined)
        self._grow_times(added, joined, woven)
        for line in added:
            self.line_open.setdefault(line.id, 0)
            self._open(state, line)
            for source in made_from(line):
                self.fed.setdefault(source, []).append(line.id)
            if "sharing" in self.__dict__:
                self.__dict__["sharing"].setdefault(line.asset, []).append(line)
        for id in joined:
            # it may have another action
            self.values.pop(id, None)
        again = {line.id for line in reopened}
        for id, sources in joined.items():
            line = state.lines[id]
            open_before = not line.context and not line.state.final and id not in again
            for source in self.unfed(id, sources):
                self.fed.setdefault(source, []).append(id)
                if open_before:
                    self._keep_open(state, source)
        for line in reopened:
            self._open(state, line)
        for task in woven.tasks.values():
            self._read_task(state, task)
        for id, firsts in woven.waiting.items():
            self._wait_for(state, state.tasks[id], firsts)
        for id, others in woven.elsewhere.items():
            self._wait_elsewhere(state.tasks[id], others)

    def unfed(self, line: str, sources: Iterable[LineSource]) -> list[str]:
        """The lines among these sources that nothing of the line was made from until now."""
        return [each for each in dict.fromkeys(each.line for each in sources) if line not in self.fed.get(each, ())]

    def _grow_times(self, added: Sequence[Line], joined: Iterable[str], woven: Woven) -> None:
        """Times grow with the plan, but are made anew where lines that were there may supply other attributes."""
        times, names = self.timeline, {line.id for line in added}
        alone = times is not None and all(task.line in names for task in woven.tasks.values())
        if not (times and alone and times.join(self._below(joined)) and times.grow(woven.tasks, woven.waiting)):
            self.timeline = None

    def _below(self, lines: Iterable[str]) -> Iterable[str]:
        """The lines with all that are made from them."""
        found = dict.fromkeys(lines)
        todo = list(found)
        while todo:
            for below in self.fed.get(todo.pop(), ()):
                if below not in found:
                    found[below] = None
                    todo.append(below)
        return found

    def _wait_for(self, state: OrderState, task: Task, firsts: Sequence[str]) -> None:
        """A pending task comes after these too."""
        task.after = tuple(sorted((*task.after, *firsts)))
        for first in firsts:
            behind = self.dependants.setdefault(first, [])
            behind.append(task.id)
            behind.sort(key=self.places.__getitem__)
            if task.id in self.remaining and not state.tasks[first].state.done:
                self.remaining[task.id] += 1

    def _wait_elsewhere(self, task: Task, others: Iterable[tuple[str, str]]) -> None:
        """A pending task comes after these tasks of related orders too."""
        self.count(task, -1)
        task.elsewhere = tuple(sorted((*task.elsewhere, *others)))
        self.count(task, 1)
        for each in others:
            behind = self.elsewhere.setdefault(each, [])
            behind.append(task.id)
            behind.sort(key=self.places.__getitem__)
            if task.id in self.remaining:
                self.remaining[task.id] += 1

    def _open(self, state: OrderState, line: Line) -> None:
        """Counts a line as one that is not final, and that keeps open what it is made from."""
        if line.context or line.state.final:
            return
        self.lines_open += 1
        for source in made_from(line):
            self._keep_open(state, source)

    def _keep_open(self, state: OrderState, source: str) -> None:
        if source in state.lines and not state.lines[source].context:
            self.line_open[source] = self.line_open.get(source, 0) + 1

    def count(self, task: Task, change: int) -> None:
        """Adds the task, in the state it has, to the counts by standing, or with -1 takes it out."""
        state = task.state
        if state in _FINAL:
            return
        self.open += change
        if task.kind is TaskKind.CALL and state is TaskState.RUNNING:
            self.calling += change
        if task.role is TaskRole.CANCEL:
            self.cancelling += change
        if task.kind is TaskKind.SUBPLAN and state is TaskState.RUNNING:
            return
        if is_held(task):
            self.waiting += change
        elif state in _GOING_ON or (state is TaskState.WAITING and task.kind is TaskKind.CALL):
            self.active += change
        elif state is not TaskState.PENDING or task.elsewhere:
            self.waiting += change

    def watch(self, state: OrderState, task: Task) -> None:
        """Has the task looked at again when an attribute that its `until` reads changes."""
        for key in self._watched(state, task):
            self.watchers.setdefault(key, {})[task.id] = None

    def unwatch(self, state: OrderState, task: Task) -> None:
        for key in self._watched(state, task):
            self.watchers.get(key, {}).pop(task.id, None)

    def watching(self, line: str, attribute: str) -> Iterable[str]:
        """Tasks to look at again now that this attribute of this line has changed."""
        found = dict.fromkeys(
            (*self.watchers.get((line, attribute), ()), *self.watchers.get((ANY_LINE, attribute), ()))
        )
        return sorted(found, key=self.places.__getitem__)

    def _watched(self, state: OrderState, task: Task) -> Iterable[tuple[str, str]]:
        # the order may be on its way to a version of the design that no longer has the task
        compiled = self.definitions.tasks.get(task.definition)
        until = compiled.definition.until if compiled else None
        line = state.former[f"{task.line}~{task.version}"] if task.version else state.lines[task.line]
        return [(_subject(read, line.id, line.parent, line.root), read.name) for read in reads(until)] if until else ()

    def _read_lines(self, state: OrderState) -> None:
        for line in state.lines.values():
            if not line.context:
                self.line_open.setdefault(line.id, 0)
                self._open(state, line)
            for source in made_from(line):
                self.fed.setdefault(source, []).append(line.id)

    def _read_tasks(self, state: OrderState) -> None:
        for task in state.tasks.values():
            self._read_task(state, task)

    def _read_task(self, state: OrderState, task: Task) -> None:
        self.places[task.id] = len(self.places)
        self.count(task, 1)
        if not task.state.final:
            self.line_open[task.line] = self.line_open.get(task.line, 0) + 1
        if task.role is TaskRole.FORMER:
            self.former.setdefault(task.of, []).append(task.id)
            return
        if task.role in (TaskRole.UNDO, TaskRole.RESOLVE) and task.of:
            self.remedies.setdefault(task.of, []).append(task.id)
        for first in task.after:
            self.dependants.setdefault(first, []).append(task.id)
        if task.within:
            self.parts.setdefault(task.within, []).append(task.id)
            self.parts_open[task.within] = self.parts_open.get(task.within, 0) + (not task.state.final)
        if task.state is TaskState.PENDING:
            self.remaining[task.id] = self._unmet(state, task)
            for each in task.elsewhere:
                self.elsewhere.setdefault(each, []).append(task.id)
        elif task.state is TaskState.WAITING:
            self.watch(state, task)

    def _unmet(self, state: OrderState, task: Task) -> int:
        unmet = len(task.elsewhere)
        unmet += sum(1 for first in task.after if first in state.tasks and not state.tasks[first].state.done)
        line = state.former[f"{task.line}~{task.version}"] if task.version else state.lines[task.line]
        attributes = line.attributes
        for name in task.needs:
            if attributes.get(name) is None:
                self.needing.setdefault((task.line, name), []).append(task.id)
                unmet += 1
        if task.within and state.tasks[task.within].state is not TaskState.RUNNING:
            unmet += 1
        return unmet


def index_of(program: Program, state: OrderState) -> Index:
    """The order's index, made where there is none for this program."""
    index = state.index
    if not isinstance(index, Index) or index.program is not program:
        index = state.index = Index(program, state)
    return index


def is_open(status: OrderStatus) -> bool:
    """Whether events can still change an order in this state."""
    return not status.final and status is not OrderStatus.ACKNOWLEDGED


def _by_asset(lines: Iterable[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.asset, []).append(line)
    return found


def _subject(read: Read, line: str, parent: str, root: str) -> str:
    match read.root:
        case Root.LINE:
            return line
        case Root.PARENT:
            return parent
        case Root.ROOT:
            return root
        case _:
            return ANY_LINE
