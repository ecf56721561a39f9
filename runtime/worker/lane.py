"""The callouts of one connector on their way: most urgent first, as many at once as it bears, as operators allow."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from orderloom.connectors.breaker import CLOSED, OPEN, BreakerState, is_failure
from orderloom.connectors.protocol import Connector
from orderloom.models.callout import Answer, Callout, Outcome
from orderloom.models.design import Design
from orderloom.models.integration import Breaker, Operation
from orderloom.models.journal import CalloutAnswered, CalloutHeld, CalloutReleased
from orderloom.runtime.store.controls import BreakerRow
from orderloom.runtime.store.interface import Store
from orderloom.runtime.store.records import AnsweredCall, PendingCall
from orderloom.runtime.worker.arrivals import Arrival
from orderloom.runtime.worker.designs import Unavailable
from orderloom.runtime.worker.restraint import PRIORITIES, Place, Restraints
from orderloom.runtime.worker.urgency import rank

log = logging.getLogger(__name__)

#: calls at once for a connector that states no limit
CONCURRENT = 64
#: calls of one connector in memory; the others stay rows until there is room
IN_MEMORY = 5_000

_Key = tuple[str, str, int]

#: The method `answer` of a connector in the same process: it makes a call at once, and no coroutine is made for it.
#: None says that this call takes time, and is to be awaited.
Answers = Callable[[Operation, Callout], Answer | None]


class Surroundings(Protocol):
    """What a lane needs of its worker."""

    def design(self, digest: str) -> Design:
        """Raises Unavailable."""

    def connector(self, digest: str, name: str) -> Connector: ...

    def arrived(self, arrival: Arrival) -> None: ...

    def now(self) -> datetime: ...


@dataclass(slots=True)
class Lane:
    """The calls of one connector. `pump` sends what may be sent; answers come back as arrivals."""

    name: str
    store: Store
    around: Surroundings
    #: reason given by an operator who holds the connector, "" for none
    hold: str = ""
    running: int = 0
    #: the same by priority
    running_of: list[int] = field(default_factory=lambda: [0] * PRIORITIES)
    answered: int = 0
    #: some calls were left in the store for want of room
    more: bool = False
    breaker: BreakerState | None = None
    #: what operators allow, None for all
    restraints: Restraints | None = None
    #: the breaker as the store has it, and what an operator wants it to be
    breaker_row: BreakerRow | None = None
    #: number of calls at once, by the definition used last
    concurrent: int = CONCURRENT
    _queue: list[Place] = field(default_factory=list)
    #: number in the queue of each call that waits there; what was recalled stays in the queue until its turn comes
    _waiting: dict[_Key, int] = field(default_factory=dict)
    #: queued, running, or answered and not yet durable
    _known: set[_Key] = field(default_factory=set)
    _number: int = 0
    #: calls of orders whose design cannot be loaded now, by digest
    _parked: dict[str, dict[_Key, PendingCall]] = field(default_factory=dict)
    #: told to their tasks that they wait
    _told: set[_Key] = field(default_factory=set)
    #: waiting, and not told yet
    _untold: dict[_Key, PendingCall] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def add(self, call: PendingCall) -> None:
        """A call whose row is durable."""
        if self._in_turn() >= IN_MEMORY:
            self.more = True
            return
        key = _key(call)
        if key in self._known:
            return
        self._known.add(key)
        if call.held:
            self._told.add(key)
        self._enqueue(key, call)

    def _enqueue(self, key: _Key, call: PendingCall) -> None:
        self._number += 1
        self._waiting[key] = self._number
        if key not in self._told:
            self._untold[key] = call
        heapq.heappush(self._queue, (rank(call.since, call.priority), self._number, key, call))

    def recall(self, order: str, task: str, attempt: int) -> None:
        """The call is not wanted any more; where it is under way already, its answer will be stale."""
        key = (order, task, attempt)
        waited = self._waiting.pop(key, None) is not None
        for calls in self._parked.values():
            waited = calls.pop(key, None) is not None or waited
        if not waited:
            return
        self._untold.pop(key, None)
        self._told.discard(key)
        self._known.discard(key)
        if len(self._queue) > 2 * len(self._waiting) + 100:
            self._queue = [each for each in self._queue if self._waits(each)]
            heapq.heapify(self._queue)

    def _in_turn(self) -> int:
        """Calls that wait, without those that operators have put aside."""
        return len(self._waiting) - (0 if self.restraints is None else len(self.restraints))

    def restrain(self, restraints: Restraints | None) -> None:
        """What operators want from now on; what they had put aside takes its place again."""
        if self.restraints is not None:
            self._queue += self.restraints.kept()
            heapq.heapify(self._queue)
        self.restraints = restraints

    def _waits(self, place: Place) -> bool:
        return self._waiting.get(place[2]) == place[1]

    def _loads(self, digest: str) -> bool:
        try:
            self.around.design(digest)
        except Unavailable:
            return False
        return True

    def settled(self, order: str, task: str, attempt: int) -> None:
        """The call's row is gone."""
        self._known.discard((order, task, attempt))

    def refill(self) -> None:
        """Reads calls from the store that are not known here."""
        limit = IN_MEMORY + len(self._known)
        found = self.store.pending_calls(self.name, limit)
        self.more = False
        for call in sorted(found, key=lambda each: rank(each.since, each.priority)):
            self.add(call)
        self.more = self.more or len(found) >= limit

    def pump(self) -> None:
        """Sends what may be sent now; the others are told why they wait."""
        if self.more and self._in_turn() < IN_MEMORY // 10:
            self.refill()
        for digest in [each for each in self._parked if self._loads(each)]:
            for key, call in self._parked.pop(digest).items():
                self._enqueue(key, call)
        if self.hold:
            self._tell_all(self.hold)
            return
        while self.running < self.concurrent:
            place = self._first()
            if place is None:
                return
            _rank, _number, key, call = place
            reason = self._obstacle(call)
            if reason:
                heapq.heappush(self._queue, place)
                self._tell_all(reason)
                return
            del self._waiting[key]
            self._untold.pop(key, None)
            self._send(key, call)

    def _first(self) -> Place | None:
        """The call whose turn it is, taken out of the queue; None where none may go now."""
        restraints = self.restraints
        if restraints is not None and not self._free(restraints):
            return None
        while self._queue:
            place = heapq.heappop(self._queue)
            if not self._waits(place):
                continue
            key, call = place[2], place[3]
            if not self._loads(call.design):
                del self._waiting[key]
                self._untold.pop(key, None)
                self._parked.setdefault(call.design, {})[key] = call
            elif restraints is None or self._may_go(restraints, place):
                return place
        return None

    def _free(self, restraints: Restraints) -> bool:
        """Puts what may go again back into the queue; returns whether anything may go."""
        now = self.around.now()
        if restraints.closed(now):
            return False
        for priority, places in enumerate(restraints.aside):
            if places and not restraints.keeps(priority, now):
                heapq.heappush(self._queue, heapq.heappop(places))
        return True

    def _may_go(self, restraints: Restraints, place: Place) -> bool:
        """Whether operators allow it; else it is put aside."""
        key, call = place[2], place[3]
        paused = restraints.pause_of(call, self.around.design(call.design).name) if restraints.paused else None
        if paused is not None:
            restraints.resting.append(place)
            self._untold.pop(key, None)
            if key not in self._told:
                self._tell(key, call, f"`{call.task.rpartition('/')[2]}` is paused: {paused or 'by an operator'}")
            return False
        if restraints.keeps(call.priority, self.around.now()):
            heapq.heappush(restraints.aside[call.priority], place)
            return False
        return True

    def resumes_at(self) -> datetime | None:
        """When an open breaker or a pace lets the next call pass; None where they do not keep any waiting."""
        if not self._waiting or self.hold:
            return None
        until = self.breaker.opens_until if self.breaker is not None else None
        paced = self.restraints.resumes_at(self.around.now()) if self.restraints is not None else None
        return until if paced is None else paced if until is None else min(until, paced)

    async def drain(self, seconds: float) -> None:
        """Waits for the running calls; the ones that take longer are dropped, and sent again another time."""
        if not self._tasks:
            return
        _done, late = await asyncio.wait(self._tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _obstacle(self, call: PendingCall) -> str:
        definition = self.around.design(call.design).connectors[self.name]
        self.concurrent = definition.limit.concurrent or CONCURRENT
        if definition.breaker is None:
            self.breaker = None
        elif self.breaker is None or self.breaker.definition != definition.breaker:
            self.breaker = self._made_breaker(definition.breaker)
        if self.breaker is not None and not self.breaker.permits(self.around.now()):
            return f"the breaker of `{self.name}` is open after {self.breaker.failures} failures in a row"
        return ""

    def _made_breaker(self, definition: Breaker) -> BreakerState:
        """As it was when the last worker ended, and as an operator wants it."""
        row = self.breaker_row
        if row is None:
            return BreakerState(definition)
        made = BreakerState(definition, row.failures, row.opens_until)
        self.turn_breaker(row.asked, made)
        return made

    def turn_breaker(self, asked: str, breaker: BreakerState) -> None:
        """Does what an operator asks for, if anything."""
        if asked == OPEN:
            breaker.open(self.around.now())
        elif asked == CLOSED:
            breaker.close()

    def breaker_moved(self, *, failures_too: bool) -> BreakerRow | None:
        """What the store is to know of the breaker and does not, None for nothing."""
        breaker, row = self.breaker, self.breaker_row
        if breaker is None:
            return None
        state = CLOSED if breaker.opens_until is None else OPEN
        same = row is not None and row.state == state and row.opens_until == breaker.opens_until and not row.asked
        if row is not None and same and (row.failures == breaker.failures or not failures_too):
            return None
        if row is None and state == CLOSED and not breaker.failures:
            return None
        now = self.around.now()
        since = row.since if row is not None and row.state == state else now
        asked = row.asked if row is not None else ""
        self.breaker_row = BreakerRow(
            connector=self.name, state=state, since=since, failures=breaker.failures, opens_until=breaker.opens_until
        )
        return replace(self.breaker_row, asked=asked)

    def _tell_all(self, reason: str) -> None:
        for key, call in self._untold.items():
            self._tell(key, call, reason)
        self._untold.clear()

    def _tell(self, key: _Key, call: PendingCall, reason: str) -> None:
        self._told.add(key)
        event = CalloutHeld(task=call.task, attempt=call.callout.attempt, reason=reason)
        self.around.arrived(Arrival(call.order, event, rank=self._rank(call)))

    def _send(self, key: _Key, call: PendingCall) -> None:
        if key in self._told:
            self._told.discard(key)
            released = CalloutReleased(task=call.task, attempt=call.callout.attempt)
            self.around.arrived(Arrival(call.order, released, rank=self._rank(call)))
        try:
            connector = self.around.connector(call.design, self.name)
            operation = self.around.design(call.design).operations[call.callout.operation]
        except Exception as error:
            # a missing setting or secret, or a kind that is not installed: for a person to mend, not the order's fault
            log.error("connector `%s` cannot be opened: %s", self.name, error)
            self._answered(call, _broken(error, "connector"))
            return
        self._begin(call)
        answer: Answers | None = getattr(connector, "answer", None)
        if answer is not None and self._immediate(answer, operation, call):
            return
        task = asyncio.get_running_loop().create_task(self._call(connector, operation, call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _begin(self, call: PendingCall) -> None:
        self.running += 1
        self.running_of[call.priority] += 1
        if self.restraints is not None:
            self.restraints.begin(call.priority, self.around.now())

    def _end(self, call: PendingCall) -> None:
        self.running -= 1
        self.running_of[call.priority] -= 1
        if self.restraints is not None:
            self.restraints.end(call.priority)

    def _immediate(self, answers: Answers, operation: Operation, call: PendingCall) -> bool:
        try:
            answer = answers(operation, call.callout)
        except Exception as error:
            log.exception("connector `%s` failed on `%s`", self.name, call.callout.key)
            answer = _broken(error, "internal")
        if answer is None:
            return False
        self._end(call)
        self._answered(call, answer)
        return True

    async def _call(self, connector: Connector, operation: Operation, call: PendingCall) -> None:
        try:
            answer = await connector.call(operation, call.callout)
        except asyncio.CancelledError:
            self._end(call)
            self._known.discard(_key(call))
            self.more = True
            raise
        except Exception as error:
            log.exception("connector `%s` failed on `%s`", self.name, call.callout.key)
            answer = _broken(error, "internal")
        self._end(call)
        self._answered(call, answer)

    def _answered(self, call: PendingCall, answer: Answer) -> None:
        self.answered += 1
        if self.breaker is not None:
            self.breaker.record(not is_failure(answer), self.around.now())
        callout = call.callout
        event = CalloutAnswered(
            task=call.task,
            attempt=callout.attempt,
            outcome=answer.outcome,
            outputs=answer.outputs,
            code=answer.code,
            message=answer.message,
            correlation=answer.correlation,
            retry_after=answer.retry_after,
        )
        origin = AnsweredCall(
            task=call.task,
            attempt=callout.attempt,
            key=callout.key,
            connector=self.name,
            operation=callout.operation,
            outcome=answer.outcome.value,
            code=answer.code,
            message=answer.message,
            exchange=answer.exchange,
        )
        self.around.arrived(Arrival(call.order, event, origin, self._rank(call)))

    def _rank(self, call: PendingCall) -> int:
        return rank(self.around.now(), call.priority)


def _key(call: PendingCall) -> _Key:
    return call.order, call.task, call.callout.attempt


def _broken(error: Exception, code: str) -> Answer:
    return Answer(outcome=Outcome.FATAL, code=code, message=f"{type(error).__name__}: {error}")
