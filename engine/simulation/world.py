"""The systems, people and timers around a simulated order: hears commands, plans what comes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orderloom.engine.advance import related_verdict
from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.reads import reads
from orderloom.engine.orchestration.remedies import base
from orderloom.engine.program import Program
from orderloom.engine.simulation.agenda import Agenda
from orderloom.engine.simulation.plausible import plausible, plausible_values
from orderloom.engine.simulation.script import Delivery, Reply, Script, entry
from orderloom.models.callout import Callout, Outcome
from orderloom.models.conversion import Json, to_json
from orderloom.models.expression import Root
from orderloom.models.journal import (
    AwaitEvent,
    AwaitRelated,
    CallbackReceived,
    CalloutAnswered,
    CancelTimer,
    CloseWork,
    Command,
    EventArrived,
    FalloutResolved,
    LineCorrected,
    OpenWork,
    RelatedTaskEnded,
    SendCallout,
    StartTimer,
    StopWaiting,
    TimerFired,
    WorkCompleted,
    WorkKind,
)
from orderloom.models.plan import OrderState

_CALLBACK_AFTER = timedelta(minutes=1)
_RELATED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One callout that was made, and what was answered."""

    at: datetime
    task: str
    callout: Callout
    reply: Reply


class World:
    """Acts out a script."""

    def __init__(self, program: Program, state: OrderState, agenda: Agenda, script: Script) -> None:
        self._design = program.design
        self._tasks = definitions(program).tasks
        self._state = state
        self._agenda = agenda
        self._script = script
        self._start = datetime.min
        self._calls: dict[str, int] = {}
        self._decided: dict[str, int] = {}
        #: how often something plausible was made up
        self._made_up = 0
        self.made: list[Made] = []

    def go_on_with(self, program: Program) -> None:
        """The order has migrated to another version of its design."""
        self._design = program.design
        self._tasks = definitions(program).tasks

    def open(self, at: datetime) -> None:
        """Plans what the script has at fixed times; `at` is when the order is submitted."""
        self._start = at
        for after, event in self._script.interventions:
            self._agenda.put(at + after, event)

    def hear(self, command: Command, at: datetime) -> None:
        """Takes a command of the core."""
        match command:
            case SendCallout():
                self._call(command, at)
            case StartTimer():
                fired = TimerFired(task=command.task, kind=command.kind, attempt=command.attempt)
                self._agenda.put(command.due, fired, ("timer", command.task, command.kind))
            case CancelTimer():
                self._agenda.call_off(("timer", command.task, command.kind))
            case OpenWork() if command.kind is WorkKind.MANUAL:
                self._work(command, at)
            case OpenWork():
                self._decide(command, at)
            case CloseWork():
                self._agenda.call_off(("work", command.task))
            case AwaitEvent():
                self._await(command, at)
            case AwaitRelated():
                for order, task in command.tasks:
                    self._await_related(order, task, at)
            case StopWaiting():
                self._agenda.call_off(("callback", command.task))
            case _:
                pass

    def _call(self, command: SendCallout, at: datetime) -> None:
        name = command.callout.operation
        number = self._calls.get(name, 0)
        self._calls[name] = number + 1
        reply = self._reply(command, number, at)
        self.made.append(Made(at=at, task=command.task, callout=command.callout, reply=reply))
        answered = CalloutAnswered(
            task=command.task,
            attempt=command.callout.attempt,
            outcome=reply.outcome,
            outputs=reply.outputs,
            code=reply.code,
            message=reply.message,
            correlation=command.callout.key,
            retry_after=reply.retry_after,
        )
        self._agenda.put(at + reply.latency, answered)
        later = reply.callback
        if reply.outcome is Outcome.ACCEPTED and later:
            result = CallbackReceived(
                task=command.task,
                outcome=later.outcome,
                outputs=later.outputs,
                code=later.code,
                message=later.message,
                attempt=command.callout.attempt,
            )
            self._agenda.put(at + reply.latency + later.latency, result, ("callback", command.task))

    def _reply(self, command: SendCallout, number: int, at: datetime) -> Reply:
        given = self._script.answer(command, number) if self._script.answer else None
        if given is not None:
            return given
        scripted = self._script.replies.get(command.callout.operation)
        if scripted:
            return scripted[min(number, len(scripted) - 1)]
        operation = self._design.operations[command.callout.operation]
        self._made_up += 1
        outputs = plausible_values(operation.outputs.values(), self._design.enums, at, self._made_up)
        if operation.callback is None:
            return Reply(outputs=outputs)
        return Reply(outcome=Outcome.ACCEPTED, callback=Reply(outputs=outputs, latency=_CALLBACK_AFTER))

    def _work(self, command: OpenWork, at: datetime) -> None:
        named = entry(self._script.people, command.task, self._definition(command.task))
        person = self._script.people[named] if named else self._script.anyone
        if person is None:
            return
        self._made_up += 1
        values = plausible_values(command.form, self._design.enums, at, self._made_up)
        done = WorkCompleted(task=command.task, by=person.by, values={**values, **person.values})
        self._agenda.put(at + person.after, done, ("work", command.task))

    def _decide(self, command: OpenWork, at: datetime) -> None:
        named = entry(self._script.decisions, command.task, self._definition(command.task))
        decisions = self._script.decisions[named] if named else ()
        number = self._decided.get(command.task, 0)
        if number >= len(decisions):
            return
        self._decided[command.task] = number + 1
        decision = decisions[number]
        if decision.correct:
            line = self._state.tasks[command.task].line
            corrected = LineCorrected(line=line, values=decision.correct, by=decision.by, reason=decision.reason)
            self._agenda.put(at + decision.after, corrected)
        resolved = FalloutResolved(
            task=command.task,
            action=decision.action,
            by=decision.by,
            reason=decision.reason,
            outputs=decision.outputs,
        )
        self._agenda.put(at + decision.after, resolved, ("work", command.task))

    def _await(self, command: AwaitEvent, at: datetime) -> None:
        scripted = [each for each in self._script.events if each.event == command.event]
        for each in scripted:
            if not command.field or each.payload.get(command.field) == command.key:
                arrived = EventArrived(task=command.task, event=each.event, payload=each.payload)
                self._agenda.put(max(at, self._instant(each)), arrived)
        if not scripted and self._script.spontaneous is not None:
            arrived = EventArrived(task=command.task, event=command.event, payload=self._payload(command, at))
            self._agenda.put(at + self._script.spontaneous, arrived)

    def _await_related(self, order: str, task: str, at: datetime) -> None:
        script = self._script
        if order in script.others:
            self._tell_of(script.others[order], order, task, at)
        elif script.elsewhere is None:
            self._agenda.put(at + _RELATED_AFTER, RelatedTaskEnded(order=order, task=task))
        else:
            for each in script.elsewhere:
                if (each.order, each.task) == (order, task):
                    ended = RelatedTaskEnded(order=order, task=task, problem=each.problem)
                    self._agenda.put(max(at, self._start + each.after), ended)

    def _tell_of(self, state: OrderState, order: str, task: str, at: datetime) -> None:
        """Of an order that was simulated before: when its tasks were done, or when it ended without."""
        problem = related_verdict(state, task)
        if problem is None:
            return
        tasks = [each for each in state.tasks.values() if base(each.definition) == task]
        ends = [each.finished_at for each in tasks] if not problem else [state.completed_at]
        ended = max((each for each in (*ends, state.started_at) if each is not None), default=at)
        self._agenda.put(max(at, ended), RelatedTaskEnded(order=order, task=task, problem=problem))

    def _payload(self, command: AwaitEvent, at: datetime) -> Mapping[str, Json]:
        compiled = self._tasks[self._definition(command.task)]
        formulas = [each.value.formula for each in compiled.sets]
        if compiled.matching:
            formulas.append(compiled.matching.formula)
        self._made_up += 1
        payload: dict[str, Json] = {}
        for read in (read for formula in formulas for read in reads(formula) if read.root is Root.EVENT):
            payload[read.name] = to_json(plausible(read.name, read.type, self._design.enums, at, self._made_up))
        if command.field:
            payload[command.field] = command.key
        return payload

    def _instant(self, delivery: Delivery) -> datetime:
        return self._start + delivery.after

    def _definition(self, task: str) -> str:
        return self._state.tasks[task].definition
