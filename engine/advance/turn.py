"""One event being applied: what it changes, and what is to be told of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime

from orderloom.engine.advance.index import Index
from orderloom.engine.lifecycle import move, move_line, move_order, move_plan, order_path
from orderloom.engine.orchestration.definitions import CompiledTask
from orderloom.engine.program import Program
from orderloom.models.conversion import Json
from orderloom.models.fulfillment import Line
from orderloom.models.journal import Command, Entry, EntryKind, Publish, Step
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState, PlanState, Task, TaskState


class Turn:
    """Collects the entries and commands of one step. All changes to states go through here."""

    def __init__(self, program: Program, state: OrderState, index: Index, at: datetime) -> None:
        self.program = program
        self.state = state
        self.index = index
        self.at = at
        self.entries: list[Entry] = []
        self.commands: list[Command] = []
        self.lines: set[str] = set()
        self.tasks: set[str] = set()
        #: tasks whose turn may have come, first in first out
        self.agenda: deque[Task] = deque()
        #: waiting tasks whose condition may have become true
        self.recheck: deque[str] = deque()
        #: lines that started and lines that ended in this step, for inventory
        self.started: dict[str, Line] = {}
        self.ended: dict[str, Line] = {}
        #: lines that were taken back in this step
        self.taken_back: dict[str, Line] = {}
        #: whether all starts and colours are to be reckoned anew, since the plan or its dates are new
        self.rescheduled = False
        #: whether a change was asked for in this step
        self.requested = False
        self._moves: dict[str, dict[str, Json]] = {}
        self._order_move: dict[str, Json] | None = None

    @property
    def held(self) -> bool:
        """Whether nothing new may start."""
        return self.state.status is OrderStatus.HELD

    @property
    def freezing(self) -> bool:
        """Whether a change is to be weighed before anything goes on."""
        return self.state.change is not None

    @property
    def early(self) -> bool:
        """Whether the requested start of the order is to come."""
        start = self.state.order.requested_start
        return start is not None and start > self.at

    def compiled(self, task: Task) -> CompiledTask:
        return self.index.definitions.tasks[task.definition]

    def line(self, task: Task) -> Line:
        """The line that the task works on, in the version that it is about."""
        if task.version:
            return self.state.former[f"{task.line}~{task.version}"]
        return self.state.lines[task.line]

    def beside(self, task: Task, line: str) -> Line | None:
        """Another line as the task sees it: in the version of the same change, where there is one."""
        lines = self.state.lines
        return self.state.former.get(f"{line}~{task.version}", lines.get(line)) if task.version else lines.get(line)

    def next_chapter(self) -> None:
        """What tasks and lines do from now on is told in entries of its own."""
        self._moves.clear()

    def tell(self, command: Command) -> None:
        self.commands.append(command)

    def note(self, kind: EntryKind, subject: str, data: Mapping[str, Json]) -> None:
        self.entries.append(Entry(kind, subject, data))

    def touch(self, task: Task) -> None:
        self.tasks.add(task.id)

    def move(self, task: Task, *path: TaskState, why: str) -> None:
        """Takes the task along legal edges. All its moves of one step make one entry, which names those between."""
        index = self.index
        former = task.state
        index.count(task, -1)
        for state in path:
            move(task, state, self.at)
        index.count(task, 1)
        self.tasks.add(task.id)
        told = self._moves.get(task.id)
        if told is None:
            told = self._moves[task.id] = {"from": former, "to": former, "why": why}
            self.entries.append(Entry(EntryKind.TASK_STATE, task.id, told))
        elif why:
            told["why"] = f"{told['why']}; {why}" if told["why"] else why
        self._passed(told, path)

    def move_line(self, line: Line, *path: OrderStatus) -> None:
        former = line.state
        for state in path:
            move_line(line, state)
        self.lines.add(line.id)
        told = self._moves.get(f"\0{line.id}")
        if told is None:
            told = self._moves[f"\0{line.id}"] = {"from": former, "to": former, "why": ""}
            self.entries.append(Entry(EntryKind.LINE_STATE, line.id, told))
        self._passed(told, path)

    def move_order(self, to: OrderStatus, why: str) -> None:
        """Takes the order to a state, where needed through `inProgress`; the world is told the net change."""
        state = self.state
        former = state.status
        path = order_path(former, to)
        for each in path:
            move_order(state, each)
        if not path:
            return
        if to.final:
            state.completed_at = self.at if to is not OrderStatus.REJECTED else None
        if self._order_move is None:
            self._order_move = {"from": former, "to": former, "why": why}
            self.note(EntryKind.ORDER_STATE, "", self._order_move)
        else:
            self._order_move["why"] = f"{self._order_move['why']}; {why}"
        self._passed(self._order_move, path)

    def move_plan(self, to: PlanState, why: str) -> None:
        former = self.state.plan
        move_plan(self.state, to)
        self.note(EntryKind.PLAN_STATE, "", {"from": former, "to": to, "why": why})

    def step(self) -> Step:
        """What the step has done, once it is at its end."""
        moved = self._order_move
        if moved:
            told: dict[str, Json] = {"order": self.state.order.id, "from": moved["from"], "to": moved["to"]}
            self.tell(Publish(kind="order.state", data=told))
        return Step(
            entries=tuple(self.entries),
            commands=tuple(self.commands),
            lines=frozenset(self.lines),
            tasks=frozenset(self.tasks),
        )

    @staticmethod
    def _passed(told: dict[str, Json], path: tuple[TaskState, ...] | tuple[OrderStatus, ...]) -> None:
        through = told.get("through")
        passed = list(through) if isinstance(through, list) else []
        if told["to"] != told["from"] or passed:
            passed.append(told["to"])
        passed.extend(path[:-1])
        told["to"] = path[-1]
        if passed:
            told["through"] = passed
