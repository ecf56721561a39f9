"""Callouts on their way: one lane a connector, most urgent first, as many at once as the connector bears."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from orderloom.connectors.breaker import BreakerState, is_failure
from orderloom.connectors.protocol import Connector
from orderloom.models.callout import Answer, Callout, Outcome
from orderloom.models.design import Design
from orderloom.models.integration import Operation
from orderloom.models.journal import CalloutAnswered, CalloutHeld, CalloutReleased
from orderloom.runtime.store.interface import Store
from orderloom.runtime.store.records import AnsweredCall, PendingCall
from orderloom.runtime.worker.arrivals import Arrival
from orderloom.runtime.worker.designs import Unavailable
from orderloom.runtime.worker.urgency import rank

log = logging.getLogger(__name__)

#: calls at once for a connector that states no limit
CONCURRENT = 64
#: calls of one connector in memory; the others stay rows until there is room
IN_MEMORY = 5_000

_Key = tuple[str, str, int]
#: rank, number and key of a call in the queue
_Place = tuple[int, int, _Key, PendingCall]

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
    answered: int = 0
    #: some calls were left in the store for want of room
    more: bool = False
    breaker: BreakerState | None = None
    #: number of calls at once, by the definition used last
    concurrent: int = CONCURRENT
    _queue: list[_Place] = field(default_factory=list)
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
        if len(self._waiting) >= IN_MEMORY:
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

    def _waits(self, place: _Place) -> bool:
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
        if self.more and len(self._waiting) < IN_MEMORY // 10:
            self.refill()
        for digest in [each for each in self._parked if self._loads(each)]:
            for key, call in self._parked.pop(digest).items():
                self._enqueue(key, call)
        while self._queue and self.running < self.concurrent:
            place = self._queue[0]
            if not self._waits(place):
                heapq.heappop(self._queue)
                continue
            _rank, _number, key, call = place
            if not self._loads(call.design):
                self._next()
                self._parked.setdefault(call.design, {})[key] = call
                continue
            reason = self._obstacle(call)
            if reason:
                self._tell_all(reason)
                return
            self._next()
            self._send(key, call)

    def _next(self) -> None:
        """The first call of the queue leaves it."""
        key = heapq.heappop(self._queue)[2]
        del self._waiting[key]
        self._untold.pop(key, None)

    def resumes_at(self) -> datetime | None:
        """When an open breaker lets the next call pass; None where it does not keep any waiting."""
        if not self._waiting or self.hold or self.breaker is None:
            return None
        return self.breaker.opens_until

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
        if self.hold:
            return self.hold
        definition = self.around.design(call.design).connectors[self.name]
        self.concurrent = definition.limit.concurrent or CONCURRENT
        if definition.breaker is None:
            self.breaker = None
        elif self.breaker is None or self.breaker.definition != definition.breaker:
            self.breaker = BreakerState(definition.breaker)
        if self.breaker is not None and not self.breaker.permits(self.around.now()):
            return f"the breaker of `{self.name}` is open after {self.breaker.failures} failures in a row"
        return ""

    def _tell_all(self, reason: str) -> None:
        for key, call in self._untold.items():
            self._told.add(key)
            event = CalloutHeld(task=call.task, attempt=call.callout.attempt, reason=reason)
            self.around.arrived(Arrival(call.order, event, rank=self._rank(call)))
        self._untold.clear()

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
        self.running += 1
        answer: Answers | None = getattr(connector, "answer", None)
        if answer is not None and self._immediate(answer, operation, call):
            return
        task = asyncio.get_running_loop().create_task(self._call(connector, operation, call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _immediate(self, answers: Answers, operation: Operation, call: PendingCall) -> bool:
        try:
            answer = answers(operation, call.callout)
        except Exception as error:
            log.exception("connector `%s` failed on `%s`", self.name, call.callout.key)
            answer = _broken(error, "internal")
        if answer is None:
            return False
        self.running -= 1
        self._answered(call, answer)
        return True

    async def _call(self, connector: Connector, operation: Operation, call: PendingCall) -> None:
        try:
            answer = await connector.call(operation, call.callout)
        except asyncio.CancelledError:
            self.running -= 1
            self._known.discard(_key(call))
            self.more = True
            raise
        except Exception as error:
            log.exception("connector `%s` failed on `%s`", self.name, call.callout.key)
            answer = _broken(error, "internal")
        self.running -= 1
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


class Lanes:
    """All lanes by connector; a lane is made when its first call comes."""

    def __init__(self, store: Store, around: Surroundings) -> None:
        self._store = store
        self._around = around
        self._lanes: dict[str, Lane] = {}
        self._holds: dict[str, str] = {}

    def __getitem__(self, connector: str) -> Lane:
        lane = self._lanes.get(connector)
        if lane is None:
            lane = Lane(name=connector, store=self._store, around=self._around, hold=self._hold(connector))
            self._lanes[connector] = lane
        return lane

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    @property
    def running(self) -> int:
        return sum(lane.running for lane in self._lanes.values())

    @property
    def answered(self) -> int:
        return sum(lane.answered for lane in self._lanes.values())

    def recover(self) -> None:
        """Takes up the calls that have no recorded answer."""
        for connector in self._store.pending_connectors():
            self[connector].refill()

    def read_holds(self) -> None:
        """What operators hold and release takes effect."""
        self._holds = self._store.held_connectors()
        for lane in self._lanes.values():
            lane.hold = self._hold(lane.name)

    def pump(self) -> None:
        for lane in self._lanes.values():
            lane.pump()

    def resume_at(self) -> datetime | None:
        """The earliest moment at which an open breaker lets a call pass."""
        moments = [moment for lane in self._lanes.values() if (moment := lane.resumes_at()) is not None]
        return min(moments, default=None)

    async def drain(self, seconds: float) -> None:
        for lane in self._lanes.values():
            await lane.drain(seconds)

    def _hold(self, connector: str) -> str:
        reason = self._holds.get(connector)
        return "" if reason is None else f"`{connector}` is offline: {reason or 'held by an operator'}"


#: makes a connector of a design ready, by digest and name
OpenConnector = Callable[[str, str], Connector]


def _key(call: PendingCall) -> _Key:
    return call.order, call.task, call.callout.attempt


def _broken(error: Exception, code: str) -> Answer:
    return Answer(outcome=Outcome.FATAL, code=code, message=f"{type(error).__name__}: {error}")
