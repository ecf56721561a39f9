"""Takes sample orders through to their ends: submits them, does what people do, sends the events they wait for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.reads import reads
from orderloom.engine.orchestration.scopes import Scopes
from orderloom.engine.program import compile_design
from orderloom.engine.simulation.plausible import plausible
from orderloom.models.conversion import Json, to_json
from orderloom.models.design import Design
from orderloom.models.expression import Root
from orderloom.models.journal import WorkKind
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState, Task, TaskState
from orderloom.models.tasks import ErrorResponse, TaskKind
from orderloom.runtime import tmf622
from orderloom.runtime.acceleration import AcceleratedClock
from orderloom.runtime.errors import OrderRefused
from orderloom.runtime.runtime import Runtime

#: who does the manual tasks
PERSON = "demo"
#: real seconds between looks at the orders
_PAUSE = 0.03
#: what goes on by itself
_GOING_ON = (TaskState.READY, TaskState.RUNNING, TaskState.SCHEDULED, TaskState.HELD, TaskState.WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sample order."""

    #: its file's name
    name: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of a sample order."""

    name: str
    #: "" where it was not submitted
    order: str
    description: str
    #: None where it was not submitted
    status: OrderStatus | None
    lines: int
    tasks: int
    #: attempts beyond the first, over all calls
    retries: int
    #: by the clock of the orders
    took: timedelta | None
    #: in words
    result: str
    #: whether it ended as its design provides, or was left to people on purpose
    as_designed: bool


class Demonstration:
    """One run; the runtime's worker must run meanwhile."""

    def __init__(self, runtime: Runtime, design: Design, clock: AcceleratedClock, *, leave_work: bool) -> None:
        """With `leave_work` manual tasks are left undone."""
        self._runtime = runtime
        self._design = design
        self._definitions = definitions(compile_design(design))
        self._program = compile_design(design)
        self._clock = clock
        self._leave_work = leave_work
        self._sent: set[str] = set()
        self._made_up = 0

    async def run(
        self, samples: Sequence[Sample], on_progress: Callable[[int, str], None], within: float = 120
    ) -> list[Ended]:
        """Submits the orders of one account one after another, those of different accounts side by side.

        Raises TimeoutError after so many real seconds.
        """
        queues: dict[str, list[Sample]] = {}
        for sample in sorted(samples, key=lambda each: str(each.document.get("id", each.name))):
            queues.setdefault(_account(sample), []).append(sample)
        running: dict[str, Sample] = {}
        ended: dict[str, Ended] = {}
        deadline = time.monotonic() + within
        while queues or running:
            if time.monotonic() > deadline:
                raise TimeoutError(f"orders that have not ended: {', '.join(running)}")
            await self._submit_next(queues, running, ended)
            states = {order: await self._runtime.state(order) for order in running}
            for order, state in states.items():
                if self._settled(state):
                    ended[running[order].name] = self._became(running[order], state)
                    account = _account(running.pop(order))
                    if not state.status.final:
                        ended |= {each.name: _not_submitted(each, order) for each in queues.pop(account, ())}
                else:
                    await self._act(state)
            self._skip_idle([states[order] for order in running])
            on_progress(len(ended), ", ".join(sample.name for sample in running.values()))
            await asyncio.sleep(_PAUSE)
        return [ended[sample.name] for sample in samples]

    async def _submit_next(
        self, queues: dict[str, list[Sample]], running: dict[str, Sample], ended: dict[str, Ended]
    ) -> None:
        busy = {_account(sample) for sample in running.values()}
        for account in [each for each in queues if each not in busy]:
            sample = queues[account].pop(0)
            if not queues[account]:
                del queues[account]
            try:
                order = await self._runtime.submit(sample.document, bundle=self._design.name)
            except OrderRefused as refused:
                ended[sample.name] = _refused(sample, refused)
                continue
            running[order.id] = sample

    def _settled(self, state: OrderState) -> bool:
        """Whether nothing more happens to the order without people."""
        return state.status.final or (state.version > 0 and not any(self._going_on(state)))

    def _going_on(self, state: OrderState) -> Iterator[Task]:
        for task in state.tasks.values():
            if task.state not in _GOING_ON or task.kind is TaskKind.SUBPLAN:
                continue
            if task.kind is TaskKind.MANUAL and self._leave_work:
                continue
            if task.kind is TaskKind.WAIT and self._definitions.tasks[task.definition].definition.event is None:
                continue
            yield task

    async def _act(self, state: OrderState) -> None:
        """Does what people and other systems do for an order."""
        if not self._leave_work:
            for item in await self._runtime.work(kind=WorkKind.MANUAL, order=state.order.id):
                values = {
                    field.name: self._plausible(field.name, field.type)
                    for field in item.form
                    if field.required and field.default is None
                }
                await self._runtime.complete(item.id, PERSON, values)
        for task in self._going_on(state):
            if task.kind is TaskKind.WAIT and task.state is TaskState.WAITING:
                key = f"{state.order.id} {task.id} {task.attempts}"
                if key not in self._sent:
                    self._sent.add(key)
                    event, payload = self._event(state, task)
                    await self._runtime.publish(event, payload)

    def _event(self, state: OrderState, task: Task) -> tuple[str, dict[str, Json]]:
        """An event that the task waits for."""
        compiled = self._definitions.tasks[task.definition]
        event = compiled.definition.event
        if event is None:
            raise ValueError(f"`{task.definition}` waits for no event")
        formulas = [each.value.formula for each in compiled.sets]
        if compiled.matching:
            formulas.append(compiled.matching.formula)
        payload: dict[str, Json] = {
            read.name: self._plausible(read.name, read.type)
            for formula in formulas
            for read in reads(formula)
            if read.root is Root.EVENT
        }
        if compiled.key and event.field:
            scope = Scopes(self._program, state.order, state.lines).of(state.lines[task.line])
            payload[event.field] = to_json(compiled.key.evaluate(scope))
        return event.event, payload

    def _plausible(self, name: str, type: Any) -> Json:
        self._made_up += 1
        return to_json(plausible(name, type, self._design.enums, self._clock.now(), self._made_up))

    def _skip_idle(self, states: Sequence[OrderState]) -> None:
        """Where all orders wait for their next try or for a date, lets the clock skip to the first of them."""
        due: list[datetime] = []
        for task in (task for state in states for task in self._going_on(state)):
            asleep = task.state is TaskState.SCHEDULED or task.kind is TaskKind.PAUSE
            if not asleep or task.due is None:
                return
            due.append(task.due)
        if due:
            self._clock.skip_to(min(due))

    def _became(self, sample: Sample, state: OrderState) -> Ended:
        ended = state.completed_at
        result, as_designed = self._result(state)
        return Ended(
            name=sample.name,
            order=state.order.id,
            description=state.order.description,
            status=state.status,
            lines=len(state.lines),
            tasks=len(state.tasks),
            retries=sum(max(0, task.attempts - 1) for task in state.tasks.values() if task.kind is TaskKind.CALL),
            took=ended - state.order.order_date if ended else None,
            result=result,
            as_designed=as_designed,
        )

    def _result(self, state: OrderState) -> tuple[str, bool]:
        """In words, and whether the design provides for it."""
        if state.status is OrderStatus.COMPLETED:
            return "completed", True
        if state.status is OrderStatus.REJECTED:
            messages = {rejection.message for rejection in self._design.rejections}
            by_rule = bool(state.reasons) and all(any(m in reason for m in messages) for reason in state.reasons)
            return "; ".join(state.reasons), by_rule
        fallout = [task for task in state.tasks.values() if task.state is TaskState.FALLOUT]
        if fallout:
            said = "; ".join(
                f"{task.definition} lies with {task.queue}: {task.code} {task.message}" for task in fallout
            )
            return said.rstrip(), all(self._routed(task) for task in fallout)
        waiting = [task for task in state.tasks.values() if task.kind is TaskKind.MANUAL and task.state in _GOING_ON]
        if waiting:
            return "waits for people: " + ", ".join(task.definition for task in waiting), self._leave_work
        return "; ".join(state.reasons) or str(state.status), False

    def _routed(self, task: Task) -> bool:
        """Whether the design itself says where this error code goes."""
        errors = self._definitions.tasks[task.definition].definition.errors
        return any(each.code == task.code and each.response is ErrorResponse.FALLOUT for each in errors)


def _account(sample: Sample) -> str:
    try:
        account = tmf622.account_of(tmf622.read(sample.document))
    except OrderRefused:
        account = None
    return account.id if account else sample.name


def _refused(sample: Sample, refused: OrderRefused) -> Ended:
    return _never(sample, str(refused), as_designed=False)


def _not_submitted(sample: Sample, before: str) -> Ended:
    return _never(sample, f"not submitted: comes after {before}", as_designed=True)


def _never(sample: Sample, result: str, *, as_designed: bool) -> Ended:
    return Ended(
        name=sample.name,
        order="",
        description=str(sample.document.get("description", "")),
        status=None,
        lines=0,
        tasks=0,
        retries=0,
        took=None,
        result=result,
        as_designed=as_designed,
    )
