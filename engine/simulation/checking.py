"""Holds what became of an order against what was expected of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from orderloom.engine.simulation.expectations import (
    AtExpected,
    CalloutsExpected,
    CallsExpected,
    ChangeExpected,
    CompletionExpected,
    Expectation,
    JeopardyExpected,
    JournalExpected,
    OfState,
    PublishedExpected,
    ReasonsExpected,
    RefusedExpected,
    Row,
    RowsExpected,
    StatusExpected,
    Subject,
    TookExpected,
)
from orderloom.engine.simulation.naming import lines_named, names_of, tasks_named
from orderloom.engine.simulation.scenario import Finding
from orderloom.engine.simulation.simulate import SimulationResult
from orderloom.engine.simulation.wording import entry_text, instant_text, span_text, to_second
from orderloom.models.change import TaskVerdict
from orderloom.models.conversion import to_json
from orderloom.models.fulfillment import Line
from orderloom.models.inventory import Asset
from orderloom.models.journal import EntryKind, Publish
from orderloom.models.plan import OrderState, Task, TaskState

#: entries of the journal that a finding shows at most
_SHOWN = 10
_Found = Line | Task | Asset


def check(result: SimulationResult, expectations: Iterable[Expectation], place: str) -> list[Finding]:
    """What does not hold. That something was refused is a finding of its own unless it was expected."""
    expected = list(expectations)
    if not any(isinstance(each, RefusedExpected) for each in expected):
        expected.append(RefusedExpected(place=place, texts=()))
    checker = _Checker(result)
    return [*(found for each in expected for found in checker.check(each)), *checker.dry_runs(place)]


class _Checker:
    def __init__(self, result: SimulationResult) -> None:
        self._result = result
        self._start = result.events[0][1] if result.events else result.ended

    def check(self, expected: Expectation) -> Iterator[Finding]:
        result = self._result
        match expected:
            case RowsExpected() | StatusExpected() | ReasonsExpected() | JeopardyExpected() | CompletionExpected():
                yield from self._of_state(expected, result.state, "")
            case AtExpected():
                state = next(state for after, state in result.looks if after == expected.after)
                for each in expected.expectations:
                    yield from self._of_state(each, state, f"{span_text(expected.after)} after the submission, ")
            case CallsExpected():
                made = [each.callout.operation for each in result.callouts]
                if (found := made.count(expected.operation)) != expected.count:
                    message = f"expected {expected.count} calls of `{expected.operation}`, found {found}"
                    yield Finding(place=expected.place, message=message, excerpt=self._calls())
            case CalloutsExpected():
                made = [each.callout.operation for each in result.callouts]
                if tuple(made) != expected.operations:
                    message = f"expected the callouts {_listed(expected.operations)}, found {_listed(made)}"
                    yield Finding(place=expected.place, message=message, excerpt=self._calls())
            case JournalExpected():
                for text in expected.texts:
                    if not any(text in entry_text(entry) for _, entry in result.journal):
                        message = f"expected the journal to tell `{text}`, found no such entry"
                        yield Finding(place=expected.place, message=message, excerpt=self._excerpt(()))
            case RefusedExpected():
                yield from self._texts(expected.place, "refused", expected.texts, self._refused())
            case PublishedExpected():
                told = [each for _, each in result.commands if isinstance(each, Publish) and each.kind == "milestone"]
                yield from self._texts(
                    expected.place, "published", expected.texts, [str(each.data["text"]) for each in told]
                )
            case ChangeExpected():
                yield from self._change(expected)
            case TookExpected():
                if (took := to_second(result.ended - self._start)) != expected.span:
                    message = f"expected the order to take {span_text(expected.span)}, found {span_text(took)}"
                    yield Finding(place=expected.place, message=message, excerpt=self._excerpt(()))

    def _change(self, expected: ChangeExpected) -> Iterator[Finding]:
        changes = self._result.changes
        if expected.number >= len(changes):
            message = f"expected at least {expected.number + 1} change, found {len(changes)}"
            yield Finding(place=expected.place, message=message, excerpt=self._excerpt(("",)))
            return
        plan = changes[expected.number].predicted
        names = {task.task: names_of(task.task) for task in plan.tasks}
        verdicts = {task.task: str(task.verdict) for task in plan.tasks}
        yield from _verdicts(expected.place, "task", expected.tasks, names, verdicts)
        names = {line.line: (line.line, line.spec) for line in plan.lines}
        verdicts = {line.line: str(line.verdict) for line in plan.lines}
        yield from _verdicts(expected.place, "line", expected.lines, names, verdicts)
        if expected.consequences is not None:
            told = [each.text for each in plan.consequences]
            yield from self._texts(expected.place, "consequences", expected.consequences, told)
        if expected.reasons is not None:
            yield from self._texts(expected.place, "refused, since", expected.reasons, list(plan.reasons))

    def dry_runs(self, place: str) -> Iterator[Finding]:
        """Where a change did something else than its dry run told; one that waits for a callout tells nothing yet."""
        told = [(at, entry) for at, entry in self._result.journal if entry.kind is EntryKind.TASK_CHANGED]
        for change in self._result.changes:
            if change.predicted.rows is None:
                continue
            did = {entry.subject: entry.data["verdict"] for at, entry in told if at == change.at}
            for task in change.predicted.tasks:
                found = did.get(task.task, TaskVerdict.KEEP)
                if task.before is not None and found != task.verdict:
                    message = f"the dry run of the {change.predicted.kind} told `{task.verdict}` for task `{task.task}`"
                    message += f", and `{found}` happened"
                    yield Finding(place=place, message=message, excerpt=self._excerpt((task.task,)))

    def _refused(self) -> list[str]:
        found = []
        for _, entry in self._result.journal:
            if entry.kind is EntryKind.NOTE and str(entry.data.get("text", "")).startswith("refused: "):
                found.append(str(entry.data["text"]))
            elif entry.kind is EntryKind.CHANGE and entry.data.get("stage") == "refused":
                found.append(entry_text(entry))
        return found

    def _texts(self, place: str, what: str, wanted: tuple[str, ...], found: list[str]) -> Iterator[Finding]:
        if len(wanted) != len(found) or any(part not in text for part, text in zip(wanted, found, strict=True)):
            message = f"expected {what}: {_listed(wanted)}, found {_listed(found)}"
            yield Finding(place=place, message=message, excerpt=self._excerpt(()))

    def _of_state(self, expected: OfState, state: OrderState, when: str) -> Iterator[Finding]:
        match expected:
            case StatusExpected():
                if state.status is not expected.status:
                    message = f"{when}expected the order to be {expected.status}, found {state.status}"
                    if state.reasons:
                        message += f": {'; '.join(state.reasons)}"
                    stuck = [task.id for task in state.tasks.values() if task.state is TaskState.FALLOUT]
                    yield Finding(place=expected.place, message=message, excerpt=self._excerpt(("", *stuck)))
            case JeopardyExpected():
                if state.jeopardy is not expected.jeopardy:
                    message = f"{when}expected the order to be {expected.jeopardy}, found {state.jeopardy}"
                    yield Finding(place=expected.place, message=message, excerpt=self._excerpt(()))
            case CompletionExpected():
                if self._since(state.expected) != expected.span:
                    message = f"{when}expected the completion after {span_text(expected.span)}"
                    message += f", found {_shown(self._since(state.expected))}"
                    yield Finding(place=expected.place, message=message, excerpt=self._excerpt(()))
            case ReasonsExpected():
                for text in expected.texts:
                    if not any(text in reason for reason in state.reasons):
                        message = f"{when}expected the reason `{text}`, found {_listed(state.reasons)}"
                        yield Finding(place=expected.place, message=message)
            case RowsExpected():
                yield from self._rows(expected, state, when)

    def _rows(self, expected: RowsExpected, state: OrderState, when: str) -> Iterator[Finding]:
        subject, rows = expected.subject, list(_rows(expected, state, self._result))
        wanted = len(expected.rows) if expected.count is None else expected.count
        if len(rows) != wanted:
            found = _listed([row.id for row in rows])
            message = f"{when}expected {wanted or 'no'} {subject} `{expected.name}`, found {len(rows)}: {found}"
            yield Finding(place=expected.place, message=message, excerpt=self._excerpt([row.id for row in rows]))
            return
        all_wanted = expected.rows if expected.count is None else expected.rows * expected.count
        for row, each in zip(rows, all_wanted, strict=False):
            for problem in self._differences(row, each, state):
                message = f"{when}{subject} `{row.id}`: {problem}"
                yield Finding(place=each.place, message=message, excerpt=self._excerpt([row.id]))

    def _differences(self, row: _Found, wanted: Row, state: OrderState) -> Iterator[str]:
        for name, value in wanted.fields.items():
            if name in ("after", "before"):
                assert isinstance(row, Task)
                assert isinstance(value, tuple)
                yield from _misplaced(row, name, value, state)
                continue
            found = self._field(row, name)
            holds = str(value) in str(found) if name == "message" else found == value
            if not holds:
                yield f"expected `{name}` {_shown(value)}, found {_shown(found)}"
        attributes: Mapping[str, object] = {} if isinstance(row, Task) else row.attributes
        for name, value in wanted.attributes.items():
            if attributes.get(name) != value:
                yield f"expected `{name}` {_shown(value)}, found {_shown(attributes.get(name))}"

    def _field(self, row: _Found, name: str) -> object:
        match row, name:
            case Line(), "sources":
                return tuple(source.line for source in row.sources)
            case Asset(), "users":
                return len(row.users)
            case Task(), "attempted":
                made = [each.at for each in self._result.callouts if each.task == row.id]
                return tuple(to_second(at - made[0]) for at in made)
            case Task(), "started":
                return self._since(row.started_at)
            case Task(), "due":
                return self._since(row.due)
            case Task(), "finished":
                return self._since(row.finished_at)
        found = getattr(row, name)
        return str(found) if name in ("state", "action", "jeopardy") else found

    def _since(self, at: datetime | None) -> timedelta | None:
        return None if at is None else to_second(at - self._start)

    def _excerpt(self, subjects: Iterable[str]) -> tuple[str, ...]:
        """The last entries about these subjects, of any subject if there are none."""
        about = set(subjects)
        told = [each for each in self._result.journal if not about or each[1].subject in about]
        return tuple(f"{instant_text(at, self._start)} {entry_text(entry)}" for at, entry in told[-_SHOWN:])

    def _calls(self) -> tuple[str, ...]:
        made = self._result.callouts[-_SHOWN:]
        return tuple(
            f"{instant_text(each.at, self._start)} {each.callout.operation} for {each.task}: {each.reply.outcome}"
            + (f" {each.reply.code}" if each.reply.code else "")
            for each in made
        )


def _rows(expected: RowsExpected, state: OrderState, result: SimulationResult) -> Iterable[_Found]:
    match expected.subject:
        case Subject.LINE:
            return lines_named(state, expected.name)
        case Subject.ASSET:
            assets = result.inventory.assets
            if expected.name in assets:
                return [assets[expected.name]]
            return [asset for asset in assets.values() if asset.spec == expected.name]
    tasks = tasks_named(state, expected.name)
    if not expected.rows or any(row.fields.get("state") == TaskState.SKIPPED for row in expected.rows):
        return tasks
    return [task for task in tasks if task.state is not TaskState.SKIPPED] or tasks


def _verdicts(
    place: str, what: str, wanted: Mapping[str, str], names: Mapping[str, tuple[str, ...]], found: Mapping[str, str]
) -> Iterator[Finding]:
    for name, verdict in wanted.items():
        ids = [id for id, known in names.items() if name in known]
        if not ids:
            yield Finding(place=place, message=f"expected the change to {verdict} {what} `{name}`, found no decision")
        for id in ids:
            if found[id] != verdict:
                message = f"expected the change to {verdict} {what} `{id}`, found `{found[id]}`"
                yield Finding(place=place, message=message)


def _misplaced(task: Task, name: str, others: tuple[str, ...], state: OrderState) -> Iterator[str]:
    """Where a task did not start after, or end before, others."""
    for other in (each for named in others for each in tasks_named(state, named)):
        if other.state is TaskState.SKIPPED:
            continue
        first, second = (other, task) if name == "after" else (task, other)
        if first.finished_at is None or second.started_at is None or second.started_at < first.finished_at:
            yield f"expected it {name} `{other.id}`, found {_times(task)}, and that one {_times(other)}"


def _times(task: Task) -> str:
    started = "not started" if task.started_at is None else f"started {task.started_at:%d %b %H:%M:%S}"
    return started if task.finished_at is None else f"{started}, finished {task.finished_at:%d %b %H:%M:%S}"


def _shown(value: object) -> str:
    if value is None:
        return "absent"
    if isinstance(value, timedelta):
        return f"`{span_text(value)}`"
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(each) for each in value) + "]"
    return f"`{to_json(value)}`"  # type: ignore[arg-type]  # anything else is a value


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts) or "nothing"
