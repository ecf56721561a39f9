"""The worker's loop: take what has happened, advance the orders, commit them together, then act on what is durable.

While one batch is being made durable by a thread, the next one is advanced. Nothing is sent before its batch is
durable, and nothing that was durable is forgotten before its effect is: so the process may end anywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic

from orderloom.connectors.protocol import Connector
from orderloom.engine.program import Program
from orderloom.models.design import Design
from orderloom.models.inventory import Inventory
from orderloom.models.journal import TimerFired
from orderloom.models.order import ProductOrder
from orderloom.models.plan import OrderState
from orderloom.runtime.clock import Clock, SystemClock
from orderloom.runtime.store.errors import StoreBusy, StoreError, StoreFull
from orderloom.runtime.store.interface import Store
from orderloom.runtime.store.records import Batch, Gate, Refusal
from orderloom.runtime.worker.advancing import Outcome, apply_events, design_for
from orderloom.runtime.worker.arrivals import Arrival, Arrivals
from orderloom.runtime.worker.cache import StateCache
from orderloom.runtime.worker.designs import Designs, Unavailable
from orderloom.runtime.worker.duties import Duties, Duty
from orderloom.runtime.worker.effects import Effects
from orderloom.runtime.worker.gating import conflicts_of, gates_of
from orderloom.runtime.worker.lanes import Lanes
from orderloom.runtime.worker.settling import asks_for_change, set_apart
from orderloom.runtime.worker.timers import TimerWindow
from orderloom.runtime.worker.totals import Totals
from orderloom.runtime.worker.urgency import rank

log = logging.getLogger(__name__)

#: orders in one commit at most
BATCH = 256
#: inbox events read at a time
INBOX = 1_000
#: of orders: 0 highest … 4
PRIORITIES = 5
#: seconds between looks into the inbox: while there is work, and at most while there is none
BUSY_POLL, IDLE_POLL = 0.02, 0.05
#: how long a message that nobody awaits yet is kept
EARLY = timedelta(days=1)
#: seconds to wait after the store could not write
BACKOFF = 1.0


@dataclass(slots=True)
class _Flight:
    """A batch that is written and being made durable."""

    batch: Batch
    arrivals: dict[str, list[Arrival]]
    done: asyncio.Future[int]


class Worker:
    """Runs the orders of one store. Only one worker runs on a store; a second is refused with WorkerRunning.

    `programs` gives the program of a bundle by its digest, `connectors` an open connector by digest and name; both are
    asked once for each and the answers are kept. The caller closes the connectors. `duties` are done beside.
    """

    def __init__(
        self,
        store: Store,
        programs: Callable[[str], Program],
        connectors: Callable[[str, str], Connector],
        clock: Clock | None = None,
        cache_rows: int = 60_000,
        duties: Iterable[Duty] = (),
    ) -> None:
        store.lock_worker()
        self._store = store
        self._clock = clock or SystemClock()
        self._open_connector = connectors
        self._designs = Designs(programs)
        self._connectors: dict[tuple[str, str], Connector] = {}
        self._arrivals = Arrivals()
        self._cache = StateCache(cache_rows)
        self._timers = TimerWindow(store)
        self._lanes = Lanes(store, self)
        self._duties = Duties(list(duties), IDLE_POLL)
        self._woken = asyncio.Event()
        #: the last event read, by priority
        self._inbox_read = [0] * PRIORITIES
        self._inbox_more = True
        self._next_poll = 0.0
        self._next_sweep = 0.0
        self._now = self._clock.now()
        self._flight: _Flight | None = None
        #: orders whose events are applied one at a time, until the one that fails is found
        self._suspects: set[str] = set()
        self._totals = Totals()
        self._effects = Effects(self._lanes, self._timers, self._cache, self._totals)
        self._sealer = ThreadPoolExecutor(1, thread_name_prefix="orderloom-seal")
        self._recovered = False
        #: a loop runs, and how often it had nothing to do
        self._driven = False
        self._idle_rounds = 0
        #: the drain that is done with, by when it was asked for
        self._drained: datetime | None = None

    # --- for the host ------------------------------------------------------------------------------------------------

    @property
    def totals(self) -> Totals:
        """Counts since the worker was made."""
        return replace(self._totals, callouts=self._lanes.answered)

    def wake(self) -> None:
        """Something was put into the inbox by this process. To be called on the worker's event loop."""
        self._next_poll = 0.0
        self._woken.set()

    def next_due(self) -> datetime | None:
        """When the earliest timer of all orders is due; None for none."""
        return self._store.next_timer()

    async def run_until_idle(self, timeout: float = 60.0) -> Totals:  # noqa: ASYNC109  # the caller's own words
        """Runs until no event waits, no call is running and no timer is due, and returns what was done meanwhile.

        Orders that wait for people, callbacks or later timers, and calls held by a breaker, do not count. Raises
        TimeoutError after so many seconds, and StoreError where the store cannot write; nothing is lost by either.
        """
        before = self.totals
        self._next_poll = 0.0
        self._designs.retry()
        async with asyncio.timeout(timeout):
            if self._driven:
                await self._others_idle()
            else:
                with self._driving():
                    # what an earlier run left in flight when it was cancelled
                    await self._land({})
                    while await self._round():
                        pass
        return self.totals.since(before)

    async def run_forever(self, stop: asyncio.Event, grace: float = 10.0) -> None:
        """Runs until `stop` is set, then lets running calls end, for so many seconds, and keeps their answers.

        A store that is full or locked is tried again each second.
        """
        if self._driven:
            raise RuntimeError("this worker runs already")
        watch = asyncio.get_running_loop().create_task(self._wake_on(stop))
        try:
            with self._driving():
                await self._land({})
                while not stop.is_set() and not self._ends():
                    try:
                        if not await self._round():
                            self._idle_rounds += 1
                            await self._rest()
                    except (StoreBusy, StoreFull) as error:
                        log.error("%s; trying again", error)
                        await asyncio.sleep(BACKOFF)
                await self._lanes.drain(grace)
                await self._duties.close(grace)
                while self._arrivals or self._flight is not None:
                    await self._commit_next()
        finally:
            watch.cancel()

    async def let_go(self) -> None:
        """Waits no longer for calls under way; they are sent again by the next worker."""
        await self._lanes.drain(0)

    def close(self) -> None:
        """Ends the thread; what is not durable is taken up again by the next worker."""
        self._sealer.shutdown(wait=True)

    @contextlib.contextmanager
    def _driving(self) -> Iterator[None]:
        # an event belongs to the loop that waits for it first, and each run may have a loop of its own
        self._woken = asyncio.Event()
        self._driven = True
        try:
            with fewer_collections():
                yield
        finally:
            self._driven = False

    async def _others_idle(self) -> None:
        """Waits for the loop that runs already to come to rest; the round under way may have looked too early."""
        rounds = self._idle_rounds + 2
        while self._driven and self._idle_rounds < rounds:
            self.wake()
            await asyncio.sleep(BUSY_POLL / 4)

    async def _wake_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._woken.set()

    # --- for lanes ---------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self._now

    def arrived(self, arrival: Arrival) -> None:
        self._arrivals.add(arrival)
        self._woken.set()

    def design(self, digest: str) -> Design:
        return self._designs.program(digest).design

    def connector(self, digest: str, name: str) -> Connector:
        found = self._connectors.get((digest, name))
        if found is None:
            found = self._connectors[digest, name] = self._open_connector(digest, name)
        return found

    # --- the loop ----------------------------------------------------------------------------------------------------

    async def _round(self) -> bool:
        """One turn of the loop; returns whether there is or was anything to do."""
        # an instant never lies before one that the journal holds already
        self._now = max(self._now, self._clock.now())
        self._woken.clear()
        if not self._recovered:
            self._lanes.read_controls()
            self._lanes.recover()
            self._recovered = True
        self._listen()
        drained = self._lanes.drained is not None
        if not drained:
            self._take_up()
        busy = bool(self._arrivals) or self._flight is not None
        attended = not drained and self._duties.attend(self._now, monotonic(), rested=not busy)
        if attended:
            # it may have put something into the inbox
            self._next_poll = 0.0
        if busy:
            waits = self._flight is not None and not self._flight.done.done()
            await self._commit_next()
            if not waits:
                # callouts and other users of the loop get their turn
                await asyncio.sleep(0)
            return True
        if self._lanes.running or self._duties.busy:
            await self._clock.wait(self._woken, BUSY_POLL)
            return True
        if drained:
            self._note_drained()
        return not drained and (self._inbox_more or attended)

    def _take_up(self) -> None:
        """What is due beside the inbox: events that waited for their bundle, timers, calls."""
        self._arrivals.put_back(self._designs.freed())
        for timer in self._timers.fire(self._now):
            fired = TimerFired(task=timer.task, kind=timer.kind, attempt=timer.attempt)
            self._arrivals.add(Arrival(timer.order, fired, timer, rank(timer.due, timer.priority)))
        self._lanes.pump()

    def _ends(self) -> bool:
        """Whether an operator wanted it to end, and it may."""
        drain = self._lanes.drained
        return drain is not None and drain.ends and self._drained == drain.at

    def _note_drained(self) -> None:
        """Nothing is under way any more, and nothing new is taken up."""
        drain = self._lanes.drained
        if drain is None or self._drained == drain.at:
            return
        self._drained = drain.at
        log.info("drained: %s", drain.reason or f"asked for by {drain.by}")
        if drain.ends:
            self._store.end_drain()
        else:
            self._store.note_drained(self._now)

    async def _rest(self) -> None:
        """Waits for something to do."""
        seconds = IDLE_POLL
        moments = (
            [self._timers.next_due(self._now), self._lanes.resume_at(), self._duties.next_due()]
            if self._lanes.drained is None
            else []
        )
        for moment in moments:
            if moment is not None:
                seconds = min(seconds, (moment - self._now).total_seconds())
        await self._clock.wait(self._woken, max(seconds, 0.001))

    def _listen(self) -> None:
        """Takes up what came into the inbox."""
        moment = monotonic()
        if len(self._arrivals) > 2 * INBOX or (moment < self._next_poll and not self._inbox_more):
            return
        self._next_poll = moment + BUSY_POLL
        self._lanes.note(moment)
        if not self._store.inbox_may_have_changed() and not self._inbox_more:
            return
        former = self._lanes.drained
        self._lanes.read_controls()
        if self._lanes.drained is not None:
            return
        if former is not None:
            # what came meanwhile was seen, and not taken
            self._inbox_more = True
        found = sorted(
            self._store.inbox_of_each(self._inbox_read, INBOX),
            key=lambda event: (rank(event.received_at, event.priority), event.id),
        )
        self._inbox_more = len(found) >= INBOX
        for event in found[:INBOX]:
            self._inbox_read[event.priority] = event.id
            place = rank(event.received_at, event.priority)
            self._arrivals.add(Arrival(event.order, event.event, event, place))
        if moment >= self._next_sweep:
            self._next_sweep = moment + 3600
            self._store.forget_early(self._now - EARLY)

    async def _commit_next(self) -> None:
        """Advances the next orders while the last batch is being made durable, then writes theirs."""
        taken = self._take()
        if self._flight is not None and (asks_for_change(taken) or asks_for_change(self._flight.arrivals)):
            await self._land(taken)
        batch = self._advance(taken) if taken else Batch()
        await self._land(taken)
        if not (batch.commits or batch.refused or batch.stale or batch.poisoned):
            return
        try:
            sealing = self._store.write(batch)
        except BaseException:
            self._undo(taken)
            raise
        done = asyncio.get_running_loop().run_in_executor(self._sealer, sealing.seal)
        self._flight = _Flight(batch, taken, done)

    def _take(self) -> dict[str, list[Arrival]]:
        taken = self._arrivals.take(BATCH)
        for order in self._suspects.intersection(taken):
            self._arrivals.put_back(taken[order][1:])
            del taken[order][1:]
        return taken

    def _advance(self, taken: dict[str, list[Arrival]]) -> Batch:
        batch = Batch()
        states = self._states(taken)
        self._arrivals.put_back(set_apart(taken, states))
        for order, arrivals in list(taken.items()):
            state = states.get(order)
            if state is None:
                batch.refused += [
                    Refusal(order=order, origin=arrival.origin, message=f"there is no order `{order}`")
                    for arrival in arrivals
                ]
                continue
            digest = state.design
            try:
                for arrival in arrivals:
                    digest = design_for(state, arrival.event)
                    self._designs.program(digest)
            except Unavailable:
                self._designs.park(digest, taken.pop(order))
                continue
            outcome = apply_events(
                self._designs.program, state, arrivals, self._now, self._inventory, self._gates, self._conflicts
            )
            if outcome.commit is not None:
                batch.commits.append(outcome.commit)
            batch.refused += outcome.refused
            batch.stale += outcome.stale
            if outcome.spoiled:
                self._set_aside(order, outcome, taken)
            if outcome.poisoned is not None:
                batch.poisoned.append(outcome.poisoned)
        return batch

    def _set_aside(self, order: str, outcome: Outcome, taken: dict[str, list[Arrival]]) -> None:
        """The core failed: its half-made changes are forgotten, and what was left is tried again one by one."""
        self._cache.drop(order)
        self._arrivals.put_back(outcome.left)
        del taken[order][len(taken[order]) - len(outcome.left) :]
        if outcome.poisoned is None:
            self._suspects.add(order)
        else:
            self._suspects.discard(order)
            log.error("order `%s`: event set aside: %s", order, outcome.poisoned.message)

    def _states(self, orders: Iterable[str]) -> dict[str, OrderState]:
        states: dict[str, OrderState] = {}
        absent: list[str] = []
        for order in orders:
            state = self._cache.get(order)
            if state is None:
                absent.append(order)
            else:
                states[order] = state
        if absent:
            for state in self._store.load(absent):
                states[state.order.id] = state
                self._cache.keep(state)
        return states

    def _gates(self, state: OrderState) -> tuple[Gate, ...]:
        program = self._designs.program(state.design)
        account = state.order.account.id
        return gates_of(self._store, program, state, lambda: self._inventory(account, self._now))

    def _conflicts(self, state: OrderState, wanted: ProductOrder, inventory: Inventory) -> tuple[str, ...]:
        return conflicts_of(self._store, self._designs.program(state.design), state, wanted, inventory)

    def _inventory(self, account: str, at: datetime) -> Inventory:
        return replace(self._store.inventory(account), at=at)

    async def _land(self, later: dict[str, list[Arrival]]) -> None:
        """Waits until the batch in flight is durable, then does what it asked for.

        The later events are applied in memory already: their states stay, and they are taken back with the batch where
        it fails.
        """
        flight, self._flight = self._flight, None
        if flight is None:
            return
        try:
            met = await asyncio.shield(flight.done)
        except asyncio.CancelledError:
            self._flight = flight
            self._undo(later)
            raise
        except StoreError:
            self._undo(later)
            self._undo(flight.arrivals)
            raise
        if met:
            self._next_poll, self._inbox_more = 0.0, True
        self._effects.act(flight.batch, later)

    def _undo(self, arrivals: dict[str, list[Arrival]]) -> None:
        """Nothing of it was kept: the events wait again, and no state in memory counts."""
        self._arrivals.put_back(arrival for events in arrivals.values() for arrival in events)
        self._cache.clear()


@contextlib.contextmanager
def fewer_collections() -> Iterator[None]:
    """States of orders hold no cycles, so the collector would walk them all again and again for nothing."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
