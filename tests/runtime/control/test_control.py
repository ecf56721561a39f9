"""What operators want of connectors, tasks and the worker is kept, and taken up by a worker that runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orderloom.engine.advance import replay
from orderloom.engine.program import compile_design
from orderloom.models.callout import Answer, Callout, Outcome
from orderloom.models.design import Design
from orderloom.models.integration import Breaker, Operation
from orderloom.models.journal import WorkCompleted
from orderloom.models.plan import TaskState
from orderloom.models.tasks import TaskKind
from orderloom.runtime.clock import Clock, SystemClock, VirtualClock
from orderloom.runtime.store.controls import Drain, Pause, Restraint
from orderloom.runtime.store.errors import Conflict
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import OrderFilter, WorkFilter, WorkState
from orderloom.runtime.worker.worker import Worker
from tests.runtime.worker.making import NOW, Instant, call, design, done, order, submit, task

SELL = [call("sell")]


class Place:
    """A store and its worker, which can be started anew."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self.path = str(path / "orders.db")
        self.clock = clock or VirtualClock(NOW)
        self.store: SqliteStore = open_store(self.path)
        self.worker: Worker | None = None
        self.calls: list[str] = []
        #: answers as done while true
        self.well = True

    def answer(self, callout: Callout) -> Answer:
        self.calls.append(callout.key)
        return done(callout) if self.well else Answer(outcome=Outcome.FATAL, code="connection")

    def made(self, found: Design, system: object | None = None) -> Worker:
        if self.worker is None:
            program = compile_design(found)
            answering = system or Instant(self.answer)
            self.worker = Worker(
                self.store,
                lambda _digest: program,
                lambda _digest, _name: answering,  # type: ignore[arg-type, return-value]
                self.clock,
            )
        return self.worker

    def run(self, found: Design) -> None:
        asyncio.run(self.made(found).run_until_idle(timeout=20))

    def later(self, found: Design, seconds: float) -> None:
        assert isinstance(self.clock, VirtualClock)
        self.clock.advance(timedelta(seconds=seconds))
        self.run(found)

    def restart(self) -> None:
        if self.worker is not None:
            self.worker.close()
            self.worker = None
        self.store.close()
        self.store = open_store(self.path)

    def states(self, number: int = 1) -> dict[str, TaskState]:
        return {each.definition: each.state for each in self.store.state(order(number).id).tasks.values()}

    def close(self) -> None:
        if self.worker is not None:
            self.worker.close()
        self.store.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.close()


class Slow:
    """A system whose calls take until they are let go."""

    def __init__(self) -> None:
        self.under_way: Counter[int] = Counter()
        self.gate = asyncio.Semaphore(0)
        self.peak = 0

    async def call(self, _operation: Operation, callout: Callout) -> Answer:
        priority = int(str(callout.context["order"]["priority"]))
        self.under_way[priority] += 1
        self.peak = max(self.peak, self.under_way.total())
        try:
            await self.gate.acquire()
        finally:
            self.under_way[priority] -= 1
        return done(callout)

    def let_go(self, number: int) -> None:
        for _ in range(number):
            self.gate.release()


async def soon(test: Callable[[], bool], within: float = 1.0) -> None:
    """It becomes true within so many seconds."""
    async with asyncio.timeout(within):
        while not test():  # noqa: ASYNC110  # another process tells nobody
            await asyncio.sleep(0.01)


def running(path: Path, work: Callable[[Place, Slow, SqliteStore], Awaitable[None]], found: Design) -> None:
    """Does something beside a worker that runs; the store is that of another process."""

    async def run() -> None:
        place, slow, other = Place(path, SystemClock()), Slow(), open_store(str(path / "orders.db"))
        stop = asyncio.Event()
        worker = asyncio.create_task(place.made(found, slow).run_forever(stop, grace=0.1))
        try:
            await work(place, slow, other)
        finally:
            stop.set()
            slow.let_go(10_000)
            await worker
            other.close()
            place.close()

    asyncio.run(run())


# --- release --------------------------------------------------------------------------------------------------------


def test_what_waited_goes_out_at_the_pace_of_the_release_also_after_a_restart(place: Place) -> None:
    found = design(SELL)
    place.store.hold_connector("shop", "maintenance")
    submit(place.store, found, *map(order, range(1, 7)))
    place.run(found)
    place.store.release_connector("shop", pace=timedelta(seconds=10), at=place.clock.now())
    place.run(found)
    assert len(place.calls) == 1
    place.later(found, 9.8)
    assert len(place.calls) == 1
    place.later(found, 0.2)
    assert len(place.calls) == 2
    place.restart()
    place.run(found)
    assert len(place.calls) == 3
    place.later(found, 5)
    assert len(place.calls) == 3
    for expected in (4, 5, 6):
        place.later(found, 10)
        assert len(place.calls) == expected
    assert place.store.count_orders(OrderFilter()) == {"completed": 6}


def test_the_pace_ends_with_the_calls_that_had_waited(tmp_path: Path) -> None:
    found = design(SELL)

    async def work(place: Place, slow: Slow, other: SqliteStore) -> None:
        other.hold_connector("shop", "maintenance")
        submit(other, found, order(1), order(2))
        await soon(lambda: len(other.tasks(("held",))) == 2)
        other.release_connector("shop", pace=timedelta(seconds=0.2), at=place.clock.now())
        slow.let_go(100)
        await soon(lambda: other.count_orders(OrderFilter()) == {"completed": 2}, 3)
        await soon(lambda: not other.controls().releases, 3)

    running(tmp_path, work, found)


# --- limits ---------------------------------------------------------------------------------------------------------


def test_limits_are_taken_up_within_a_second_and_reset(tmp_path: Path) -> None:
    found = design(SELL)

    async def work(_place: Place, slow: Slow, other: SqliteStore) -> None:
        other.limit("shop", -1, Restraint(at_once=2))
        submit(other, found, *map(order, range(1, 11)))
        await soon(lambda: slow.under_way.total() == 2)
        await asyncio.sleep(0.2)
        assert slow.under_way.total() == 2
        other.limit("shop", -1, Restraint(at_once=5))
        await soon(lambda: slow.under_way.total() == 5)
        other.limit("shop", -1, Restraint(at_once=1))
        await asyncio.sleep(0.3)
        slow.let_go(4)
        await soon(lambda: slow.under_way.total() == 1)
        slow.let_go(1)
        await asyncio.sleep(0.2)
        assert slow.under_way.total() == 1
        other.limit("shop", -1, None)
        await soon(lambda: slow.under_way.total() == 5)
        assert slow.peak == 5

    running(tmp_path, work, found)


def test_priorities_have_limits_of_their_own(tmp_path: Path) -> None:
    found = design(SELL)

    async def work(_place: Place, slow: Slow, other: SqliteStore) -> None:
        other.limit("shop", 4, Restraint(at_once=1))
        late = [order(number) for number in range(1, 6)]
        urgent = [replace(order(number), priority=0) for number in range(6, 9)]
        submit(other, found, *late, *urgent)
        await soon(lambda: slow.under_way == Counter({4: 1, 0: 3}))
        await asyncio.sleep(0.2)
        assert slow.under_way[4] == 1
        other.limit("", -1, Restraint(at_once=3))
        slow.let_go(3)
        await soon(lambda: slow.under_way.total() <= 2)
        other.limit("shop", 4, None)
        await soon(lambda: slow.under_way.total() == 3)
        await asyncio.sleep(0.2)
        assert slow.under_way.total() == 3

    running(tmp_path, work, found)


def test_a_pace_of_one_priority_leaves_the_others_alone(place: Place) -> None:
    found = design(SELL)
    place.store.limit("shop", 4, Restraint(pace=timedelta(seconds=30)))
    urgent = [replace(order(number), priority=1) for number in range(1, 4)]
    submit(place.store, found, *map(order, range(4, 8)), *urgent)
    place.run(found)
    assert len(place.calls) == 4
    place.later(found, 30)
    assert len(place.calls) == 5
    place.store.limit("shop", 4, None)
    place.run(found)
    assert len(place.calls) == 7


def test_a_call_that_is_recalled_while_it_is_put_aside_is_never_sent(place: Place) -> None:
    found = design(SELL)
    place.store.limit("shop", 4, Restraint(pace=timedelta(hours=1)))
    submit(place.store, found, order(1), order(2))
    place.run(found)
    lane = next(iter(place.made(found)._lanes))
    (left,) = place.store.pending_calls("shop", 9)
    lane.recall(left.order, left.task, left.callout.attempt)
    place.later(found, 7200)
    assert len(place.calls) == 1


# --- breakers -------------------------------------------------------------------------------------------------------


def test_a_breaker_is_seen_by_others_kept_and_turned(place: Place) -> None:
    found = design([call("sell")], breaker=Breaker(failures=3, pause=timedelta(minutes=5)))
    place.well = False
    submit(place.store, found, *map(order, range(1, 6)))
    place.run(found)
    place.run(found)
    row = place.store.controls().breakers["shop"]
    assert (row.state, row.failures, row.since, row.opens_until) == ("open", 3, NOW, NOW + timedelta(minutes=5))
    assert len(place.calls) == 3
    place.restart()
    place.later(found, 60)
    assert len(place.calls) == 3
    place.well = True
    place.store.ask_breaker("shop", "closed", place.clock.now())
    assert place.store.controls().breakers["shop"].asked == "closed"
    place.run(found)
    place.run(found)
    row = place.store.controls().breakers["shop"]
    assert (row.state, row.failures, row.opens_until, row.asked) == ("closed", 0, None, "")
    assert len(place.calls) == 5
    place.store.ask_breaker("shop", "open", place.clock.now())
    submit(place.store, found, order(7))
    place.run(found)
    assert len(place.calls) == 5
    place.later(found, 300)
    assert len(place.calls) == 6
    place.run(found)
    told = [event.data["state"] for event in place.store.events() if event.kind == "connector.breaker"]
    assert told == ["open", "closed", "open", "closed"]


# --- task definitions -----------------------------------------------------------------------------------------------


def test_calls_and_manual_tasks_of_a_paused_definition_wait(place: Place) -> None:
    found = design([call("sell"), task("visit", TaskKind.MANUAL, "sell", queue="field"), call("bill", "visit")])
    for name in ("Deliver.visit", "Deliver.bill"):
        pause = Pause(bundle="boxes", definition=name, reason="not yet", by="ada", at=NOW)
        place.store.pause_tasks(pause)
    submit(place.store, found, order(1), order(2))
    place.run(found)
    items = place.store.work(WorkFilter(states=(WorkState.HELD,)))
    assert [item.title for item in items] == ["visit", "visit"]
    with pytest.raises(Conflict, match="is held"):
        place.store.claim(items[0].id, "bob", NOW)
    assert [(each.definition, each.held) for each in place.store.pauses()] == [
        ("Deliver.bill", 0),
        ("Deliver.visit", 2),
    ]
    place.restart()
    assert place.store.unpause_tasks("boxes", "Deliver.visit") == 2
    for item in place.store.work(WorkFilter()):
        place.store.post(item.order, WorkCompleted(task=item.task, by="bob"), NOW)
    place.run(found)
    assert place.states()["Deliver.bill"] is TaskState.HELD
    (held, _other) = place.store.pending_calls("shop", 9)
    assert held.held == "`Deliver.bill` is paused: not yet"
    assert len(place.calls) == 2
    place.restart()
    place.run(found)
    assert len(place.calls) == 2
    place.store.unpause_tasks("boxes", "Deliver.bill")
    place.run(found)
    assert place.store.count_orders(OrderFilter()) == {"completed": 2}
    program = compile_design(found)
    for number in (1, 2):
        state = place.store.state(order(number).id)
        records = place.store.journal(state.order.id)
        assert replay(program, state.order, ((each.event, each.at) for each in records)) == state


def test_a_pause_is_for_its_bundle_and_its_definition_only(place: Place) -> None:
    found = design([call("sell"), task("visit", TaskKind.MANUAL, queue="field")])
    for bundle, name in (
        ("others", "Deliver.visit"),
        ("", "Deliver.sel"),
        ("", "eliver.sell"),
        ("others", "Deliver.sell"),
    ):
        place.store.pause_tasks(Pause(bundle=bundle, definition=name, reason="", by="ada", at=NOW))
    submit(place.store, found, order(1))
    place.run(found)
    assert len(place.calls) == 1
    assert place.store.work(WorkFilter(states=(WorkState.HELD,))) == []


# --- drain ----------------------------------------------------------------------------------------------------------


def drain(*, ends: bool = False) -> Drain:
    return Drain(by="ada", reason="upgrade", at=NOW, ends=ends)


def test_a_drained_worker_ends_what_is_under_way_and_takes_nothing_new(tmp_path: Path) -> None:
    found = design([call("sell"), call("bill", "sell")])

    async def work(place: Place, slow: Slow, other: SqliteStore) -> None:
        submit(other, found, order(1))
        await soon(lambda: slow.under_way.total() == 1)
        other.start_drain(drain())
        await asyncio.sleep(0.2)
        submit(other, found, order(2))
        await asyncio.sleep(0.2)
        noted = other.drain()
        assert noted is not None
        assert noted.drained_at is None
        slow.let_go(1)
        await soon(lambda: (now := other.drain()) is not None and now.drained_at is not None)
        assert slow.under_way.total() == 0
        assert other.count_orders(OrderFilter()) == {"inProgress": 1, "acknowledged": 1}
        assert other.state(order(1).id).version > 1
        assert other.end_drain()
        slow.let_go(10)
        await soon(lambda: other.count_orders(OrderFilter()) == {"completed": 2}, 3)

    running(tmp_path, work, found)


def test_a_worker_ends_by_a_drain_that_says_so(place: Place) -> None:
    found = design(SELL)
    submit(place.store, found, order(1))
    place.store.start_drain(drain(ends=True))
    asyncio.run(asyncio.wait_for(place.made(found).run_forever(asyncio.Event()), 10))
    assert place.store.drain() is None
    assert place.calls == []
    place.restart()
    place.run(found)
    assert len(place.calls) == 1


def test_a_drain_lasts_until_it_is_undone(place: Place) -> None:
    found = design(SELL)
    submit(place.store, found, order(1))
    place.store.start_drain(drain())
    place.run(found)
    place.restart()
    place.run(found)
    assert place.calls == []
    assert place.store.end_drain()
    assert not place.store.end_drain()
    place.run(found)
    assert len(place.calls) == 1
