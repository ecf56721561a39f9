"""The rows of an order once a change is applied: its lines and tasks, and the decisions that led to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from orderloom.engine.change.decide import Verdicts
from orderloom.engine.change.lines import Clash
from orderloom.engine.change.parts import parts_of
from orderloom.engine.change.undoing import Aftermath, providers
from orderloom.engine.orchestration.cycles import cycle
from orderloom.engine.orchestration.definitions import Definitions
from orderloom.engine.orchestration.remedies import AMEND, CONFLICT, RESOLVE, UNDO, base
from orderloom.engine.orchestration.sight import sight
from orderloom.engine.program import Program
from orderloom.models.change import TaskDecision, TaskVerdict
from orderloom.models.fulfillment import Line
from orderloom.models.plan import LIVE, OrderState, Task, TaskRole, TaskState
from orderloom.models.tasks import TaskKind

_V = TaskVerdict
_S = TaskState
#: states of a task whose turn has come or that is to try again: it waits where something before it is still to be done
_TURN_CAME = frozenset((_S.READY, _S.FROZEN, _S.SCHEDULED, _S.HELD, _S.FALLOUT))
_NOT_STARTED = frozenset((_S.PENDING, _S.READY, _S.FROZEN))


class TaskRows:
    """Makes the task rows from the verdicts."""

    def __init__(
        self,
        program: Program,
        state: OrderState,
        verdicts: Verdicts,
        lines: Mapping[str, Line],
        superseded: frozenset[str],
        known: Definitions,
        *,
        rescheduled: bool,
    ) -> None:
        self._program = program
        self._state = state
        self._verdicts = verdicts
        self._lines = lines
        #: ids of lines of which a former version is kept
        self._superseded = superseded
        self._known = known
        #: whether the dates of the order change: what has not been tried yet starts when they say
        self._rescheduled = rescheduled
        self._revision = state.revision + 1
        self.tasks: dict[str, Task] = {}
        self.renamed: dict[str, str] = {}
        #: what takes back or looks after a task, by the id that it has now
        self._remedies: dict[str, list[str]] = {}
        self._added: dict[str, str] = {}

    def make(self, clashes: Iterable[Clash]) -> tuple[TaskDecision, ...]:
        """Fills in `tasks` and `renamed`; gives the decisions on all tasks."""
        self._name_former()
        self._plan()
        self._keep_others()
        self._take_back()
        conflicts = self._conflicts(clashes)
        self._weave(conflicts)
        self._follow_what_is_taken_back()
        self._wait_behind_done()
        self._await_amended()
        self._wait_again()
        return tuple(self._decisions())

    # --- names and versions -----------------------------------------------------------------------------------------

    def _name_former(self) -> None:
        """Finds the tasks whose id a later run takes, and gives them another."""
        again = (
            task
            for task, (verdict, _) in self._verdicts.verdicts.items()
            if verdict in (_V.REDO, _V.UNDO_REDO, _V.AMEND) and self._state.tasks[task].role is not TaskRole.FORMER
        )
        for task in (*again, *self._verdicts.again):
            self.renamed[f"{task}~{self._revision}"] = task
        for part in self._state.tasks.values():
            if part.role is TaskRole.AMEND and part.within and self._amended_again(part):
                self.renamed[f"{part.id}~{self._revision}"] = part.id
        self._now = {former: task for task, former in self.renamed.items()}

    def _amended_again(self, part: Task) -> bool:
        """Whether it is part of an amend plan that starts all over."""
        whole = self._state.tasks[part.within]
        while whole.within and whole.definition.partition("/")[1] == "":
            whole = self._state.tasks[whole.within]
        return self._verdicts.verdicts.get(whole.id, (_V.KEEP, ""))[0] is _V.AMEND

    def _now_called(self, task: str) -> str:
        return self._now.get(task, task)

    def _version(self, task: Task) -> int:
        return self._revision if task.line in self._superseded and not task.version else task.version

    # --- what is taken back -----------------------------------------------------------------------------------------

    def _take_back(self) -> None:
        """Makes the tasks that take others back or look after them, in reverse order of dependency."""
        state = self._state
        taken_back: dict[str, tuple[str, ...]] = {}
        made: list[tuple[Task, str, TaskRole]] = []
        for task_id, (verdict, _) in self._verdicts.verdicts.items():
            role = {_V.UNDO: TaskRole.UNDO, _V.UNDO_REDO: TaskRole.UNDO, _V.RESOLVE: TaskRole.RESOLVE}.get(verdict)
            if role:
                name = f"{task_id}/{role}~{self._revision}"
                taken_back[task_id] = (name,)
                made.append((state.tasks[task_id], name, role))
        for task in state.tasks.values():
            if task.role in (TaskRole.UNDO, TaskRole.RESOLVE) and task.of and not task.state.final:
                taken_back[task.of] = (*taken_back.get(task.of, ()), task.id)
        after = Aftermath(state.tasks, state.lines, self._known).nearest(taken_back) if made else {}
        for task, name, role in made:
            self._add(self._remedy(task, name, role, after[task.id]), f"{_TAKES[role]} `{task.id}`")
        for task in state.tasks.values():
            if task.role is TaskRole.UNDO and task.of in after and task.state in _NOT_STARTED:
                row = self.tasks[task.id]
                row.after = tuple(sorted({*row.after, *after[task.of]} - {row.id}))
        for task_id, names in taken_back.items():
            self._remedies.setdefault(self._now_called(task_id), []).extend(names)

    def _remedy(self, task: Task, name: str, role: TaskRole, after: tuple[str, ...]) -> Task:
        suffix = UNDO if role is TaskRole.UNDO else RESOLVE
        definition = base(task.definition) + suffix
        if definition not in self._known.tasks:
            definition = RESOLVE
        return Task(
            id=name,
            definition=definition,
            kind=self._known.tasks[definition].definition.kind,
            line=task.line,
            after=after,
            role=role,
            of=self._now_called(task.id),
            version=self._version(task),
        )

    def _add(self, task: Task, why: str) -> None:
        """Adds a task; with a subplan, all of its tasks."""
        self.tasks[task.id] = task
        self._added[task.id] = why
        plan = self._known.tasks[task.definition].definition.plan
        if task.kind is TaskKind.SUBPLAN and plan:
            parts = parts_of(self._program, plan, task)
            for part in parts.values():
                self.tasks[part.id] = part
                self._added[part.id] = f"part of `{task.id}`"

    # --- the plan ---------------------------------------------------------------------------------------------------

    def _plan(self) -> None:
        """The tasks of the wanted plan, each as it goes on."""
        for wanted in self._verdicts.planned.values():
            old = self._state.tasks.get(wanted.id)
            if wanted.id in self.tasks:
                continue
            if old is None:
                self._added[wanted.id] = "the changed order calls for it"
                self.tasks[wanted.id] = replace(wanted)
            elif wanted.id in self._verdicts.again:
                self._added[wanted.id] = "the changed order calls for it again"
                self.tasks[wanted.id] = _anew(wanted, old)
            else:
                self._go_on(wanted, old)

    def _go_on(self, wanted: Task, old: Task) -> None:
        verdict = self._verdicts.verdicts[wanted.id][0]
        match verdict:
            case _V.RESTART | _V.REDO | _V.UNDO_REDO:
                row = _anew(wanted, old)
                if old.role is TaskRole.AMEND and wanted.id not in self._verdicts.designed:
                    row = replace(row, definition=old.definition, kind=old.kind, role=old.role)
                self.tasks[wanted.id] = row
            case _V.AMEND:
                definition = base(old.definition) + AMEND
                row = _anew(wanted, old)
                row = replace(row, definition=definition, kind=TaskKind.SUBPLAN, role=TaskRole.AMEND)
                self._add(row, "")
                del self._added[wanted.id]
            case _:
                kept = replace(old, after=wanted.after, needs=wanted.needs, within=wanted.within)
                if old.state is _S.PENDING:
                    kept.elsewhere = wanted.elsewhere
                if old.state is _S.FROZEN:
                    kept.state = _S.READY if old.started_at else _S.PENDING
                again = verdict is _V.UPDATE and kept.state is _S.READY
                if again or (self._rescheduled and self._is_untried(old, kept.state)):
                    # its condition, and when it is to start, is looked at again before it does
                    kept.state, kept.started_at, kept.retries = _S.PENDING, None, 0
                if kept.state in _NOT_STARTED and old.role is TaskRole.PLANNED:
                    kept.kind = wanted.kind
                if verdict is _V.UPDATE and old.attempts:
                    # its next attempt asks for something else, so it is another request
                    kept.generation += 1
                self.tasks[wanted.id] = kept

    def _is_untried(self, old: Task, state: TaskState) -> bool:
        """Whether its turn has come, and nothing has been sent or begun."""
        return state in (_S.READY, _S.HELD) and not self._verdicts.tried(old)

    def _keep_others(self) -> None:
        """Tasks outside the wanted plan: earlier runs, what ended, what takes back."""
        for old in self._state.tasks.values():
            name = self._now_called(old.id)
            if name != old.id:
                former = replace(old, id=name, role=TaskRole.FORMER, of=old.id, within="", version=self._version(old))
                if former.state is _S.WAITING or not former.state.final:
                    former.state = _S.CANCELLED if former.attempts else _S.DISCARDED
                self.tasks[name] = former
            elif old.id not in self.tasks:
                self.tasks[old.id] = self._other(old)

    def _other(self, old: Task) -> Task:
        # what takes a task back is about the run of then; an earlier run remains one of the task
        of = old.of if old.role is TaskRole.FORMER else self._now_called(old.of)
        row = replace(old, of=of, version=self._version(old))
        if old.role in (TaskRole.UNDO, TaskRole.RESOLVE) and not old.state.final and self._is_unknown(old):
            return _for_a_person(row)
        verdict = self._verdicts.verdicts.get(old.id, (_V.KEEP, ""))[0]
        match verdict:
            case _V.DISCARD:
                row.state = _S.DISCARDED
            case _V.CANCEL | _V.RESOLVE:
                row.state = _S.CANCELLED
            case _V.UNDO if old.state is _S.WAITING:
                row.state = _S.CANCELLED
        if old.state is _S.FROZEN and row.state is _S.FROZEN:
            row.state = _S.READY if old.started_at else _S.PENDING
        return row

    def _is_unknown(self, remedy: Task) -> bool:
        """Whether the design no longer has what takes back, or looks after, a task; or the whole that it is part of."""
        whole = self._state.tasks.get(remedy.within)
        if whole is not None and self._is_unknown(whole):
            return True
        parts = (each for each in self._state.tasks.values() if each.within == remedy.id and not each.state.final)
        return remedy.definition not in self._known.tasks or any(
            each.definition not in self._known.tasks for each in parts
        )

    # --- how they hang together -------------------------------------------------------------------------------------

    def _conflicts(self, clashes: Iterable[Clash]) -> dict[tuple[str, str], str]:
        """What is open for a person to decide, of earlier changes and of this one, by line and attribute."""
        made = {
            (task.line, str(task.outputs["attribute"])): task.id
            for task in self.tasks.values()
            if task.role is TaskRole.CONFLICT and not task.state.final
        }
        for clash in clashes:
            name = conflict_task(clash, self._revision)
            row = Task(
                id=name,
                definition=CONFLICT,
                kind=TaskKind.MANUAL,
                line=clash.line,
                role=TaskRole.CONFLICT,
                outputs={"attribute": clash.attribute, "delivered": clash.delivered, "amended": clash.amended},
            )
            self._add(row, f"`{clash.attribute}` was set by `{clash.by}`, the change sets it to something else")
            made[clash.line, clash.attribute] = name
        for place, name in list(made.items()):
            for derived in self._verdicts.made_of(*place):
                made.setdefault(derived, name)
        return made

    def _weave(self, conflicts: Mapping[tuple[str, str], str]) -> None:
        """What is done again comes after what takes its earlier run back, and after what is decided about it."""
        for task in list(self.tasks.values()):
            if task.role is TaskRole.FORMER:
                open_ones = [each for each in self._remedies.get(task.id, ()) if not self.tasks[each].state.final]
                live = self.tasks.get(task.of)
                if open_ones and live and not live.state.final:
                    live.after = tuple(sorted({*live.after, *open_ones}))
        if not conflicts:
            return
        for task in self.tasks.values():
            line = self._lines.get(task.line)
            if task.role in LIVE and line is not None and task.state in (_S.PENDING, *_TURN_CAME):
                seen = dict.fromkeys(sight(self._known.tasks[task.definition], line))
                waits = {name for (of, what), name in conflicts.items() if {(of, what), (of, "*")} & seen.keys()}
                if waits:
                    task.after = tuple(sorted({*task.after, *waits}))

    def _follow_what_is_taken_back(self) -> None:
        """What a line with another action calls for comes after what takes back that which the former one did."""
        open_ones: dict[str, set[str]] = {}
        for task, (verdict, _) in self._verdicts.verdicts.items():
            line = self._state.tasks[task].line
            if verdict in (_V.UNDO, _V.RESOLVE) and self._state.lines[line].action is not self._lines[line].action:
                remedies = (each for each in self._remedies.get(task, ()) if not self.tasks[each].state.final)
                open_ones.setdefault(line, set()).update(remedies)
        for row in (self.tasks[name] for name in self._added) if open_ones else ():
            if row.role in LIVE and not row.within and row.line in open_ones:
                row.after = tuple(sorted({*row.after, *open_ones[row.line]}))

    def _wait_behind_done(self) -> None:
        """What comes after a task that stays done comes after what that one came after and is to be done again, too."""
        before = self._before_done()
        for row in self.tasks.values():
            if row.role in LIVE and row.state in (_S.PENDING, *_TURN_CAME):
                firsts = (self.tasks[each] for each in self._before(row))
                more = {each for first in firsts for each in _open(first, before)} - {row.id}
                if not more <= set(row.after):
                    row.after = tuple(sorted({*row.after, *more}))

    def _before_done(self) -> dict[str, frozenset[str]]:
        """By task that stays done, the open ones that it came after, directly or through others that stay done."""
        found: dict[str, frozenset[str]] = {}
        stack = [row.id for row in self.tasks.values() if row.role in LIVE and row.state.done]
        while stack:
            row = self.tasks[stack[-1]]
            if row.id in found:
                stack.pop()
                continue
            firsts = [self.tasks[each] for each in self._before(row)]
            unknown = [each.id for each in firsts if each.state.done and each.id not in found]
            if unknown:
                stack += unknown
                continue
            stack.pop()
            found[row.id] = frozenset(each for first in firsts for each in _open(first, found))
        return found

    def _before(self, row: Task) -> Iterator[str]:
        """The tasks of the plan that a task comes after, as the whole that it is part of does once that has started."""
        while True:
            yield from (each for each in row.after if each in self.tasks and self.tasks[each].role in LIVE)
            whole = self.tasks.get(row.within)
            if whole is None or whole.state not in (_S.RUNNING, _S.COMPLETED):
                return
            row = whole

    def _await_amended(self) -> None:
        """What needs an attribute that is there, and is to be delivered anew, comes after what delivers it."""
        found = [
            (task, provider)
            for task in self.tasks.values()
            if task.needs and task.role in LIVE and task.state in (_S.PENDING, *_TURN_CAME)
            for provider in self._amending(task)
        ]
        before = {task.id: task.after for task, _ in found}
        for task, provider in found:
            task.after = tuple(sorted((*task.after, provider)))
        if not found or not cycle(self.tasks):
            return
        # where tasks would wait for each other, what is there has to do
        for task, _ in found:
            task.after = before[task.id]
        for task, provider in found:
            former, task.after = task.after, tuple(sorted((*task.after, provider)))
            if cycle(self.tasks):
                task.after = former

    def _amending(self, task: Task) -> Iterable[str]:
        """The tasks still to run that have delivered what this one needs, but for the whole that it is part of."""
        wholes, whole = {task.id}, task.within
        while whole:
            wholes.add(whole)
            whole = self.tasks[whole].within
        found = (each for name in task.needs for each in providers(self._lines, self._known, task.line, name))
        for provider in dict.fromkeys(found):
            row = self.tasks.get(provider)
            if row and row.role in LIVE and not row.state.final and provider not in wholes.union(task.after):
                yield provider

    def _wait_again(self) -> None:
        """A task whose turn had come waits where something before it is to be done, or done again.

        One in fallout too: nobody could have it tried again until that is done, and what it needs may never come.
        """
        for task in self.tasks.values():
            undo = task.role is TaskRole.UNDO and task.state in _NOT_STARTED
            if undo or (task.role in LIVE and task.state in _TURN_CAME):
                firsts = (self.tasks.get(each) for each in task.after)
                if any(first is not None and not first.state.done for first in firsts):
                    if task.state is _S.FALLOUT:
                        task.queue = ""
                    # it has not been tried yet as what it is then: only so it is told from what is to be tried again
                    task.state, task.due, task.started_at, task.retries = _S.PENDING, None, None, 0

    # --- decisions --------------------------------------------------------------------------------------------------

    def _decisions(self) -> Iterator[TaskDecision]:
        for old in self._state.tasks.values():
            verdict, why = self._verdicts.verdicts.get(old.id, (_V.KEEP, ""))
            if old.id in self._verdicts.again:
                verdict, why = _V.ADD, self._added[old.id]
            row = self.tasks[old.id]
            if verdict is _V.KEEP and row.state is _S.PENDING and old.state not in (_S.PENDING, _S.FROZEN):
                waits = any(first in self.tasks and not self.tasks[first].state.done for first in row.after)
                again = "what it comes after is to be done again"
                verdict, why = _V.UPDATE, again if waits else "the dates of the order differ"
            yield TaskDecision(
                task=old.id,
                line=old.line,
                definition=row.definition,
                verdict=verdict,
                before=old.state,
                after=row.state,
                why=why,
                by=tuple(self._by(old.id, verdict)),
            )
        for name, why in self._added.items():
            if name not in self._state.tasks:
                row = self.tasks[name]
                yield TaskDecision(
                    task=name,
                    line=row.line,
                    definition=row.definition,
                    verdict=_V.ADD,
                    before=None,
                    after=row.state,
                    why=why,
                )

    def _by(self, task: str, verdict: TaskVerdict) -> Iterable[str]:
        if verdict in (_V.UNDO, _V.UNDO_REDO, _V.RESOLVE):
            return self._remedies.get(self._now_called(task), ())
        return ()


def _open(first: Task, before: Mapping[str, Iterable[str]]) -> Iterable[str]:
    """The open task itself, or those before one that is done."""
    if first.state.done:
        return before[first.id]
    return () if first.state.final else (first.id,)


_TAKES = {TaskRole.UNDO: "takes back", TaskRole.RESOLVE: "looks after what is left of"}


def conflict_task(clash: Clash, revision: int) -> str:
    return f"{clash.line}/conflict {clash.attribute}~{revision}"


def _anew(wanted: Task, old: Task) -> Task:
    """The task as a new run: another request, told apart from what belongs to the earlier one."""
    return replace(
        wanted, state=_S.PENDING, attempts=old.attempts, generation=old.generation + 1, role=TaskRole.PLANNED
    )


def _for_a_person(row: Task) -> Task:
    """What takes a task back, as work of a person; what was part of it ends."""
    if row.within:
        row.state = _S.CANCELLED if row.attempts else _S.DISCARDED
    elif row.kind is TaskKind.MANUAL:
        row.definition = RESOLVE
    else:
        row = Task(
            id=row.id,
            definition=RESOLVE,
            kind=TaskKind.MANUAL,
            line=row.line,
            after=row.after,
            attempts=row.attempts,
            role=TaskRole.RESOLVE,
            of=row.of,
            version=row.version,
        )
    return row
