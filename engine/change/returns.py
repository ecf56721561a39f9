"""Points of no return: what a change may no longer touch, and what it costs to touch it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orderloom.engine.change.decide import Verdicts
from orderloom.engine.orchestration.definitions import Definitions
from orderloom.engine.orchestration.remedies import base
from orderloom.models.change import Consequence, Refusal, TaskVerdict
from orderloom.models.plan import LIVE, OrderState, Task, TaskRole, TaskState
from orderloom.models.tasks import NoReturn, PointOfNoReturn

_REACHED = frozenset((TaskState.COMPLETED, TaskState.AMENDED))
_TOUCHING = frozenset(
    (TaskVerdict.UNDO, TaskVerdict.REDO, TaskVerdict.UNDO_REDO, TaskVerdict.AMEND, TaskVerdict.CANCEL)
)


class Returns:
    """The points of no return that an order has reached, held against what a change touches."""

    def __init__(self, state: OrderState, known: Definitions, verdicts: Verdicts, touched: Iterable[str]) -> None:
        self._state = state
        self._known = known
        self._verdicts = verdicts
        #: ids of lines that change or go
        self._touched = dict.fromkeys(touched)
        self._bundles: dict[str, str] = {}
        for line in self._touched:
            self._bundles.setdefault(state.lines[line].root, line)

    def refusals(self) -> Iterator[Refusal]:
        for task, _, line in self._crossed(PointOfNoReturn.HARD):
            when = f" on {task.finished_at:%Y-%m-%d %H:%M} UTC" if task.finished_at else ""
            where = f"line `{line}`" if line == task.line else f"line `{line}` of the same bundle"
            why = f"{where} is past its point of no return: task `{task.id}` was done{when}"
            yield Refusal(task=task.id, line=task.line, refused=line, at=task.finished_at, why=why)

    def consequences(self) -> Iterator[Consequence]:
        for task, point, _ in self._crossed(PointOfNoReturn.SOFT):
            yield Consequence(
                task=task.id, line=task.line, at=task.finished_at, text=point.consequence, approval=point.approval
            )

    def _crossed(self, kind: PointOfNoReturn) -> Iterator[tuple[Task, NoReturn, str]]:
        """Reached points of this kind with the line that the change touches behind each."""
        taken_back = {task.of for task in self._state.tasks.values() if task.role is TaskRole.UNDO}
        for task in self._state.tasks.values():
            compiled = self._known.tasks.get(base(task.definition))
            point = compiled.definition.no_return if compiled else None
            if point is None or point.kind is not kind or task.state not in _REACHED or task.id in taken_back:
                continue
            if task.role not in LIVE:
                continue
            line = self._touches(task, point)
            if line:
                yield task, point, line

    def _touches(self, task: Task, point: NoReturn) -> str:
        if task.line in self._touched:
            return task.line
        if self._verdicts.verdicts.get(task.id, (TaskVerdict.KEEP, ""))[0] in _TOUCHING:
            return task.line
        line = self._state.lines.get(task.line)
        return self._bundles.get(line.root, "") if line and point.bundle else ""
