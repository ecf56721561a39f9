"""What becomes of each task: kept, updated, started anew, done again, taken back, or no longer needed.

A task is affected when it can see something that differs. What an affected task delivers may differ too, so the tasks
that see that are affected in their turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from orderloom.engine.change.content import Wanted
from orderloom.engine.change.lines import LineDiff, Merge
from orderloom.engine.change.parts import parts_of
from orderloom.engine.orchestration.definitions import CompiledTask, Definitions
from orderloom.engine.orchestration.feeding import made_from
from orderloom.engine.orchestration.reads import reads
from orderloom.engine.orchestration.remedies import AMEND, base, cancel_task
from orderloom.engine.orchestration.scopes import Scopes
from orderloom.engine.orchestration.sight import ANY, Key, condition, sight
from orderloom.engine.program import Program
from orderloom.models.change import TaskVerdict
from orderloom.models.expression import Root
from orderloom.models.fulfillment import Line, LineSource, Origin
from orderloom.models.order import TAKEN_BACK
from orderloom.models.plan import LIVE, OrderState, Task, TaskRole, TaskState
from orderloom.models.rules import Mapping as SetMapping
from orderloom.models.tasks import TaskKind

_V = TaskVerdict
#: states in which a task has not started, or waits for a person who sees its line as it is then
_FRESH = frozenset((TaskState.PENDING, TaskState.READY, TaskState.FROZEN))
#: states in which an attempt was made that did not end well, or not yet
_UNDER_WAY = frozenset((TaskState.SCHEDULED, TaskState.FALLOUT, TaskState.WAITING, TaskState.HELD, TaskState.FAILED))
_DONE = frozenset((TaskState.COMPLETED, TaskState.AMENDED))
_SKIPPED = TaskState.SKIPPED
#: with the id of a subplan: its tasks are affected because it may no longer be wanted
_PARTS = "@parts"


class Verdicts:
    """The verdict on each task, with its reason in words."""

    def __init__(
        self,
        program: Program,
        state: OrderState,
        wanted: Wanted,
        diff: LineDiff,
        known: Definitions,
        *,
        migrates: bool,
    ) -> None:
        self._program = program
        self._state = state
        self._wanted = wanted
        self._diff = diff
        self._known = known
        #: whether another version of the design holds from now on; then calls under way are not cancelled
        self._migrates = migrates
        self.verdicts: dict[str, tuple[TaskVerdict, str]] = {}
        #: tasks that come back though an earlier run of theirs was given up
        self.again: set[str] = set()
        #: tasks that an amend plan stood for, and that go on as designed, since what it amends does not stand any more
        self.designed: set[str] = set()
        #: why keys differ, for the words of reasons
        self._causes: dict[Key, str] = dict.fromkeys(diff.keys, "")
        self._taken_back = {task.of for task in state.tasks.values() if task.role in (TaskRole.UNDO, TaskRole.RESOLVE)}
        #: the wanted tasks by id, with those of amend plans that stand in the place of one
        self.planned: dict[str, Task] = dict(wanted.tasks)
        #: keys of what is delivered anew whatever differs
        self._first: list[Key] = []

    def decide(self) -> None:
        """Fills in `verdicts`."""
        kept: list[Task] = []
        for clash in self._diff.clashes:
            for line, name in self.made_of(clash.line, clash.attribute):
                keys: tuple[Key, ...] = ((line, name), (line, ANY))
                self._causes |= dict.fromkeys(keys, "")
                self._first += keys
        for task in self._state.tasks.values():
            if task.role is TaskRole.AMEND and task.id in self._wanted.tasks and not self._given_up(task):
                self._amending(task)
        for task in self._state.tasks.values():
            if task.role in LIVE and task.id not in self._wanted.tasks:
                if task.id in self.verdicts:
                    continue
                if task.id in self.planned:
                    kept.append(task)
                else:
                    self._gone(task)
            elif task.role in LIVE:
                if self._given_up(task):
                    self.again.add(task.id)
                else:
                    kept.append(task)
        # what is new at a line delivers what was not there, or came from another one
        new = filter(self._is_new_at_its_line, self._wanted.tasks.values())
        self._first += (key for task in new for key in self._delivered(task, _V.ADD))
        if self._migrates:
            self._ask_anew(kept)
        self._affect(kept)
        for task in self._state.tasks.values():
            if task.role is TaskRole.FORMER:
                self._former(task)
        for conflict, why in self._diff.moot.items():
            opened = self._state.tasks[conflict].state is TaskState.WAITING
            self.verdicts[conflict] = (_V.CANCEL if opened else _V.DISCARD, why)
        self._wholes()

    def _is_new_at_its_line(self, task: Task) -> bool:
        """Whether the line was there and the task was not, or comes back."""
        line = self._state.lines.get(task.line)
        there = line is not None and not line.context and line.state not in TAKEN_BACK
        return there and (task.id not in self._state.tasks or task.id in self.again)

    def _given_up(self, task: Task) -> bool:
        if task.state in (TaskState.CANCELLED, TaskState.DISCARDED):
            return True
        line = self._state.lines.get(task.line)
        return task.id in self._taken_back or line is None or line.state in TAKEN_BACK

    def _amending(self, whole: Task) -> None:
        """Plans the parts of an amend plan that stands for a task, as the design has them while it is under way."""
        if whole.state.final:
            self.planned.update((part.id, _as_planned(part)) for part in self._parts_of(whole))
        elif whole.definition in self._known.tasks:
            plan = self._known.tasks[whole.definition].definition.plan
            self.planned.update(parts_of(self._program, plan, whole))
            for part in self._parts_of(whole):
                if part.definition.endswith(AMEND) and part.id in self.planned and not self._given_up(part):
                    self._amending(part)
        else:
            self.verdicts[whole.id] = (_V.RESTART, "the design no longer says how to amend it")
            self._first += (*self._delivered(whole, _V.RESTART), *self._not_amended(whole))

    def _parts_of(self, whole: Task) -> Iterator[Task]:
        """The tasks of an amend plan, and of the plans within it, that stand in the place of a task."""
        inside = {whole.id}
        for part in self._state.tasks.values():
            if part.role is TaskRole.AMEND and part.within in inside:
                inside.add(part.id)
                yield part

    # --- tasks that are no longer wanted --------------------------------------------------------------------------

    def _gone(self, task: Task) -> None:
        line = self._wanted.lines.get(task.line)
        stays = line is not None and not line.context
        if self._given_up(task):
            return
        why = "the changed line does not call for it" if stays else "its line is taken back"
        verdict = self.verdicts[task.id] = self._end(task, why)
        if stays and task.state in _DONE and not self._migrates:
            # what it delivered goes with it, for those who saw that as well
            self._first += self._delivered(task, verdict[0])

    def _former(self, task: Task) -> None:
        """An earlier run whose later one does not come about: taken back with it."""
        if task.state is not TaskState.COMPLETED or task.id in self._taken_back:
            return
        if task.of in self.designed:
            self.verdicts[task.id] = self._end(task, "the changed line does not call for it")
        elif task.of not in self.planned:
            live = self._state.tasks.get(task.of)
            if live is None or live.state not in _DONE:
                self.verdicts[task.id] = self._end(task, "its line is taken back before it was done again")

    def tried(self, task: Task) -> int:
        """How often this run of the task has been tried; a call that is held has not been sent yet."""
        return task.attempts - self._tried_before.get(task.id, 0) - (task.state is TaskState.HELD)

    @cached_property
    def _tried_before(self) -> Mapping[str, int]:
        """The attempts of all earlier runs, by task."""
        found: dict[str, int] = {}
        for task in self._state.tasks.values():
            if task.role is TaskRole.FORMER:
                found[task.of] = max(found.get(task.of, 0), task.attempts)
        return found

    def _end(self, task: Task, why: str) -> tuple[TaskVerdict, str]:
        state = task.state
        undo = self.undo_of(task)
        if was_cancelled(self._state, task):
            return _V.CANCEL, f"{why}; its call was cancelled"
        first = self._under_way(task, why)
        if first:
            return first
        if state in _DONE or _taken_on(task):
            if undo:
                return _V.UNDO, f"{why}; `{undo}` takes it back"
            if self._unknown(task) and task.kind is TaskKind.CALL:
                return _V.RESOLVE, f"{why}; the design no longer says how to take it back"
            return _V.CANCEL, f"{why}; nothing is to be taken back"
        tried = self.tried(task)
        if tried and state in _UNDER_WAY and task.kind is TaskKind.CALL:
            if undo:
                return _V.RESOLVE, f"{why}; it failed, and a person looks whether `{undo}` is needed"
            return _V.CANCEL, f"{why}; nothing is to be taken back"
        if state in (TaskState.WAITING, TaskState.RUNNING):
            return _V.CANCEL, f"{why}; it was not done yet"
        if state in (TaskState.SCHEDULED, TaskState.FALLOUT) and tried:
            return _V.CANCEL, f"{why}; it was not done yet"
        if state is _SKIPPED:
            return _V.DISCARD, f"{why}; it was skipped"
        return _V.DISCARD, f"{why}; it has not started"

    # --- tasks that are still wanted --------------------------------------------------------------------------------

    def _ask_anew(self, kept: Iterable[Task]) -> None:
        """What the other version of the design asks of people, or waits for, otherwise is asked anew; what is under way
        in another manner starts in that one."""
        for task in kept:
            compiled = self._compiled(task)
            if compiled is None or task.state in _FRESH or task.state.final or was_cancelled(self._state, task):
                continue
            waiting = task.state is TaskState.WAITING and task.kind in (TaskKind.MANUAL, TaskKind.WAIT)
            if task.kind is compiled.definition.kind and not (waiting and task.asked != compiled.asks):
                continue
            why = "the other version of the design has it otherwise"
            verdict = self._under_way(task, why) or (self._again(task, why) if _taken_on(task) else (_V.RESTART, why))
            self.verdicts[task.id] = verdict
            self._first += self._delivered(task, verdict[0])

    def _affect(self, kept: Iterable[Task]) -> None:
        """Follows what differs to the tasks that see it, and on to those that see what these deliver."""
        seen_by: dict[Key, list[Task]] = {}
        for task in kept:
            for key in self._sight(task):
                seen_by.setdefault(key, []).append(task)
            if task.within:
                seen_by.setdefault((task.within, _PARTS), []).append(task)
        todo = deque((*self._diff.keys, *self._first))
        followed: set[Key] = set()
        while todo:
            key = todo.popleft()
            if key in followed:
                continue
            followed.add(key)
            for task in seen_by.get(key, ()):
                if self._is_decided(task, key):
                    continue
                verdict = self.verdicts[task.id] = self._still_wanted(task, key)
                if verdict[0] not in (_V.UPDATE, _V.KEEP):
                    todo.extend(self._delivered(task, verdict[0]))
                if self._goes_on_as_designed(task, verdict[0]):
                    todo.extend(self._not_amended(task))
                elif task.kind is TaskKind.SUBPLAN and self._is_looked_at_again(task, verdict[0], key):
                    todo.append((task.id, _PARTS))
        for task in kept:
            if task.id not in self.verdicts:
                cancelled = was_cancelled(self._state, task)
                self.verdicts[task.id] = (_V.REDO, "its call was cancelled") if cancelled else (_V.KEEP, "")

    def _is_looked_at_again(self, whole: Task, verdict: TaskVerdict, key: Key) -> bool:
        """Whether it is open again if the tasks of a subplan are wanted at all."""
        inner = key[1] == _PARTS
        return inner or whole.state is _SKIPPED or verdict is _V.RESTART or self._condition_fails(whole)

    def _is_decided(self, task: Task, key: Key) -> bool:
        """Whether nothing more that differs can lead to another verdict: only that it, or what it is part of, is not
        needed any more can."""
        verdict = self.verdicts.get(task.id, (None, ""))[0]
        if verdict not in (_V.AMEND, _V.UPDATE):
            return verdict is not None
        begun = key[1] == _PARTS and task.kind is TaskKind.SUBPLAN and task.state is TaskState.RUNNING
        return not begun and not self._condition_fails(task)

    def _goes_on_as_designed(self, task: Task, verdict: TaskVerdict) -> bool:
        """Whether the amend plan that stands for the task is given up; if it runs, then as if never done."""
        if not task.definition.endswith(AMEND) or verdict not in (_V.RESTART, _V.REDO, _V.UNDO_REDO):
            return False
        return task.state in _DONE or self._condition_fails(task) or not self._stands(task)

    def _stands(self, task: Task) -> bool:
        """Whether an earlier run of the task is done, and neither taken back nor replaced."""
        former = (each for each in self._state.tasks.values() if each.role is TaskRole.FORMER and each.of == task.id)
        return any(each.state is TaskState.COMPLETED and each.id not in self._taken_back for each in former)

    def _not_amended(self, whole: Task) -> Iterator[Key]:
        """Ends the tasks of the amend plan that stands for a task; gives the keys of what they have delivered."""
        self.designed.add(whole.id)
        for part in self._parts_of(whole):
            self.planned.pop(part.id, None)
            if part.state is _SKIPPED or self._given_up(part):
                self.verdicts[part.id] = (_V.KEEP, "")
            else:
                self.verdicts[part.id] = self._end(part, f"`{whole.id}` is not amended any more")
                yield from self._delivered(part, _V.UNDO)

    def _sight(self, task: Task) -> Iterable[Key]:
        line = self._wanted.lines[task.line]
        compiled = self._compiled(task)
        if compiled is None:
            return ()
        if task.state is TaskState.SKIPPED:
            if task.by:
                return ()
            # one whose time limit has passed had started: it is tried again
            return sight(compiled, line) if task.attempts else condition(compiled, line)
        if task.role is TaskRole.AMEND:
            designed = self._known.tasks.get(base(task.definition))
            return (*sight(compiled, line), *(sight(designed, line) if designed else ()))
        return sight(compiled, line)

    def _still_wanted(self, task: Task, key: Key) -> tuple[TaskVerdict, str]:
        state = task.state
        why = self._words(key)
        begun = state is TaskState.RUNNING or task.role is TaskRole.AMEND
        if task.kind is TaskKind.SUBPLAN and begun and not state.done and self._condition_fails(task):
            return _V.RESTART, f"{why}; its condition is looked at again"
        if was_cancelled(self._state, task):
            return _V.REDO, f"{why}; its call was cancelled"
        if key[1] == _PARTS and state is TaskState.RUNNING and task.kind is TaskKind.SUBPLAN:
            return _V.RESTART, why
        if state in _FRESH or (task.kind is TaskKind.SUBPLAN and state is TaskState.RUNNING):
            return _V.UPDATE, why
        first = self._under_way(task, why)
        if first:
            return first
        if task.kind is TaskKind.MANUAL and state is TaskState.WAITING and not self._condition_fails(task):
            return _V.UPDATE, why
        if state is TaskState.SKIPPED:
            return _V.REDO, f"{why}; its condition is looked at again"
        if _taken_on(task):
            return self._again(task, why)
        if state in _UNDER_WAY or state is TaskState.RUNNING:
            return _V.RESTART, why
        return self._again(task, why)

    def _again(self, task: Task, why: str) -> tuple[TaskVerdict, str]:
        designed = self._known.tasks[base(task.definition)].definition
        if designed.amend_plan and task.state in _DONE and not self._condition_fails(task):
            return _V.AMEND, f"{why}; plan `{designed.amend_plan}` changes it"
        undo = self.undo_of(task)
        if undo:
            return _V.UNDO_REDO, f"{why}; `{undo}` takes it back first"
        return _V.REDO, why

    def _condition_fails(self, task: Task) -> bool:
        """Whether the task would not be wanted with what is known of the changed content."""
        compiled = self._known.tasks.get(base(task.definition))
        if compiled is None or compiled.when is None:
            return False
        causes = [
            self._causes[key] for key in condition(compiled, self._wanted.lines[task.line]) if key in self._causes
        ]
        # what a task is to deliver again may not be what it was
        return bool(causes) and (any(causes) or not compiled.when.is_true(self._scopes.of(self._merged[task.line])))

    @cached_property
    def _merged(self) -> Mapping[str, Line]:
        return Merge(self._program, self._state, self._wanted).lines(frozenset())

    @cached_property
    def _scopes(self) -> Scopes:
        return Scopes(self._program, self._wanted.order, self._merged)

    def _delivered(self, task: Task, verdict: TaskVerdict) -> list[Key]:
        """The keys of what the task may deliver differently when it is done again, and of what is made from that."""
        found: list[Key] = []
        for each in self._sets(task, verdict):
            for line, name in ((task.line, each.attribute), *self.made_of(task.line, each.attribute)):
                if (line, name) in self._causes:
                    continue
                for key in ((line, name), (line, ANY), (ANY, name)):
                    self._causes.setdefault(key, task.id)
                    found.append(key)
        return found

    def made_of(self, line: str, name: str) -> list[tuple[str, str]]:
        """The attributes, with their lines, that rules make of an attribute, directly or not."""
        found: dict[tuple[str, str], None] = {}
        todo = deque(self._filled_from(line, name))
        while todo:
            place = todo.popleft()
            if place not in found:
                found[place] = None
                todo.extend(self._filled_from(*place))
        return list(found)

    def _sets(self, task: Task, verdict: TaskVerdict) -> Iterable[SetMapping]:
        compiled = self._known.tasks.get(base(task.definition))
        if verdict is _V.AMEND and compiled:
            parts = parts_of(self._program, compiled.definition.amend_plan, task)
            return [each for part in parts.values() for each in self._known.tasks[part.definition].definition.sets]
        return compiled.definition.sets if compiled else ()

    def _filled_from(self, line: str, name: str) -> Iterable[tuple[str, str]]:
        """Attributes of lines made from this one that rules fill in, or have filled in, from this attribute."""
        for target in self._fed.get(line, ()):
            for source in target.sources:
                rule = self._known.rules.get(source.rule) if source.line == line else None
                for mapping in rule.mappings if rule else ():
                    seen = {read.name for read in reads(mapping.value) if read.root is Root.LINE}
                    if name in seen and _is_given(target, mapping.attribute, source):
                        yield target.id, mapping.attribute

    @cached_property
    def _fed(self) -> Mapping[str, list[Line]]:
        found: dict[str, list[Line]] = {}
        for line in self._wanted.lines.values():
            for source in made_from(line):
                found.setdefault(source, []).append(line)
        return found

    def _wholes(self) -> None:
        """A subplan that is done starts anew where any of its tasks has to run."""
        tasks = self.planned
        todo = deque(task for task in tasks.values() if task.within and self._will_run(task.id))
        while todo:
            whole = tasks[todo.popleft().within]
            old = self._state.tasks.get(whole.id)
            if old is None or whole.id in self.again:
                continue
            verdict = self.verdicts.get(whole.id, (_V.KEEP, ""))[0]
            if verdict in (_V.KEEP, _V.UPDATE) and old.state.done:
                self.verdicts[whole.id] = (_V.REDO, "tasks of it are to be done")
                if whole.within:
                    todo.append(whole)

        going_on = {task.within for task in tasks.values() if self._is_open(task.id)}
        for whole in self._state.tasks.values():
            stays = self.verdicts.get(whole.id, (None, ""))[0] in (_V.KEEP, _V.UPDATE) and whole.id in tasks
            under_way = whole.kind is TaskKind.SUBPLAN and whole.state is TaskState.RUNNING
            if stays and under_way and whole.id not in going_on:
                self.verdicts[whole.id] = (_V.RESTART, "nothing of it is left to do")

    def _is_open(self, task: str) -> bool:
        """Whether the task is still to be done once the change is applied."""
        old = self._state.tasks.get(task)
        if old is None or task in self.again:
            return True
        verdict = self.verdicts[task][0]
        return not old.state.final if verdict in (_V.KEEP, _V.UPDATE) else True

    def _will_run(self, task: str) -> bool:
        old = self._state.tasks.get(task)
        if old is None or task in self.again:
            return True
        return self.verdicts[task][0] in (_V.REDO, _V.UNDO_REDO, _V.AMEND)

    def _under_way(self, task: Task, why: str) -> tuple[TaskVerdict, str] | None:
        """The verdict on a call that is to end before anything else is decided about it; None for any other task."""
        waiting = _taken_on(task)
        if task.kind is not TaskKind.CALL or not (waiting or task.state is TaskState.RUNNING):
            return None
        compiled = self._compiled(task)
        operation = compiled.definition.cancel if compiled and not self._migrates else ""
        if not operation:
            return None if waiting else (_V.FINISH_FIRST, f"{why}; its callout is under way")
        cancel = self._state.tasks.get(cancel_task(task))
        if cancel is not None and cancel.state.final:
            return _V.FINISH_FIRST, f"{why}; its callout is under way, and `{operation}` could not cancel it"
        return _V.CANCEL_FIRST, f"{why}; its callout is under way, `{operation}` cancels it"

    def amends(self, task: str) -> bool:
        """Whether it stands for a task, or is part of what does, and runs again: until then holds what it delivered."""
        again = (_V.REDO, _V.UNDO_REDO, _V.RESTART)
        row = self._state.tasks[task]
        return row.role is TaskRole.AMEND and self.verdicts[task][0] in again and task not in self.designed

    # --- facts ------------------------------------------------------------------------------------------------------

    def undo_of(self, task: Task) -> str:
        """The operation or plan that takes the task back, "" for none."""
        compiled = self._known.tasks.get(base(task.definition))
        return compiled.definition.undo or compiled.definition.undo_plan if compiled else ""

    def _compiled(self, task: Task) -> CompiledTask | None:
        return self._known.tasks.get(task.definition)

    def _unknown(self, task: Task) -> bool:
        return base(task.definition) not in self._known.tasks

    def _words(self, key: Key) -> str:
        line, name = key
        if name == _PARTS:
            return f"task `{line}` is looked at again"
        cause = self._causes.get(key, "")
        shown = name.removeprefix("@")
        if cause:
            return f"task `{cause}` may deliver another `{shown}`" if name != ANY else f"task `{cause}` is done again"
        if line == ANY:
            return "the lines of the order differ" if name == ANY else f"`{shown}` of a line differs"
        if name == ANY:
            return f"line `{line}` differs" if line != "order" else "the order differs"
        return f"`{shown}` of line `{line}` differs" if line != "order" else f"`{shown}` of the order differs"


def was_cancelled(state: OrderState, task: Task) -> bool:
    """Whether its call was cancelled for the change that is being weighed."""
    cancel = state.tasks.get(cancel_task(task)) if task.state is TaskState.FROZEN else None
    return cancel is not None and cancel.of == task.id and cancel.state is TaskState.COMPLETED


def _taken_on(task: Task) -> bool:
    """Whether an external system has taken the call on, and its result is to come."""
    return task.kind is TaskKind.CALL and task.state is TaskState.WAITING


def _is_given(line: Line, attribute: str, source: LineSource) -> bool:
    """Whether a source of the line gives the attribute, or is to give it once it can."""
    by = line.provenance.get(attribute)
    given = by is not None and by.origin is Origin.RULE and (by.by, by.source) == (source.rule, source.line)
    return given or attribute in line.missing


def _as_planned(task: Task) -> Task:
    """The task as the plan asks for it, without what has become of it."""
    return Task(
        id=task.id,
        definition=task.definition,
        kind=task.kind,
        line=task.line,
        within=task.within,
        after=task.after,
        needs=task.needs,
        role=task.role,
    )
