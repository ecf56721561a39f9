"""The worker end to end on a real store: what happens to orders, and what never happens twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orderloom.engine.advance import advance
from orderloom.engine.program import Program
from orderloom.models.callout import Answer, Callout, Outcome
from orderloom.models.design import Design
from orderloom.models.integration import Breaker, Callback, Limit, Operation
from orderloom.models.inventory import AssetState
from orderloom.models.journal import (
    CalloutAnswered,
    FalloutAction,
    FalloutResolved,
    OrderHeld,
    OrderReleased,
    WorkCompleted,
    WorkKind,
)
from orderloom.models.order import OrderStatus
from orderloom.models.plan import TaskState
from orderloom.models.tasks import TaskKind, Within
from orderloom.runtime.clock import VirtualClock
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import StoreFull, WorkerRunning
from orderloom.runtime.store.records import Batch, RequestState
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import OrderFilter, WorkFilter
from orderloom.runtime.worker import advancing
from orderloom.runtime.worker.totals import Totals
from orderloom.runtime.worker.worker import Worker
from tests.runtime.worker.making import (
    NOW,
    QUICK,
    Instant,
    Script,
    call,
    design,
    operation,
    order,
    programs,
    submit,
    task,
    waits_for_online,
)

CHAIN = (call("first"), call("second", "first"), task("over", TaskKind.MILESTONE, "second"))


class Host:
    """A store with a worker on a clock that the test sets."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = VirtualClock(NOW)
        self.store = open_store(str(path))
        self.worker: Worker | None = None

    def run(self, design: Design, connector: Any, **options: Any) -> Totals:
        async def until_idle() -> Totals:
            if self.worker is None:
                self.worker = Worker(
                    self.store, programs(design), lambda _digest, _name: connector, self.clock, **options
                )
            return await self.worker.run_until_idle(30)

        return asyncio.run(until_idle())

    def restart(self) -> None:
        """What a new process would see."""
        self.close()
        self.store, self.worker = open_store(str(self.path)), None

    def close(self) -> None:
        if self.worker is not None:
            self.worker.close()
        self.store.close()

    def statuses(self) -> dict[str, int]:
        return self.store.count_orders(OrderFilter())

    def states(self, number: int = 1) -> dict[str, TaskState]:
        return {each.definition.split(".")[1]: each.state for each in self.store.state(order(number).id).tasks.values()}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path / "orders.db")
    yield made
    made.close()


def answers(*outcomes: Answer) -> Script:
    """One after the other, the last for ever."""
    left = list(outcomes)
    return lambda _callout: left.pop(0) if len(left) > 1 else left[0]


FAILED = Answer(outcome=Outcome.RETRIABLE, code="status_503")
REFUSED = Answer(outcome=Outcome.FATAL, code="NO_STOCK", message="sold out")
COMPLETED = Answer(outcome=Outcome.COMPLETED)


def test_orders_run_to_their_end(host: Host) -> None:
    chain = design(CHAIN)
    submit(host.store, chain, *(order(number, boxes=2) for number in range(20)))
    keys: Counter[str] = Counter()

    def count(callout: Callout) -> Answer:
        keys[callout.key] += 1
        return COMPLETED

    totals = host.run(chain, Instant(count))
    assert host.statuses() == {"completed": 20}
    assert len(keys) == 20 * 2 * 2 and set(keys.values()) == {1}
    assert (totals.callouts, totals.poisoned, totals.refused) == (80, 0, 0)
    assert totals.commits < totals.events / 10
    assert {asset.state for asset in host.store.inventory("A-3").assets.values()} == {AssetState.ACTIVE}
    journal = host.store.journal(order(3).id)
    assert [record.version for record in journal] == list(range(1, 6))


def test_a_state_read_again_is_the_state_that_was_kept(host: Host) -> None:
    chain = design(CHAIN)
    submit(host.store, chain, *(order(number) for number in range(30)))
    host.run(chain, Instant(), cache_rows=1)
    assert host.statuses() == {"completed": 30}


def test_manual_work_goes_through_the_inbox(host: Host) -> None:
    manual = design([task("visit", TaskKind.MANUAL, queue="field"), call("after", "visit")])
    submit(host.store, manual, order(1))
    host.run(manual, Instant())
    (item,) = host.store.work(WorkFilter(queue="field"))
    number = host.store.post(item.order, WorkCompleted(task=item.task, by="ada"), NOW)
    again = host.store.post(item.order, WorkCompleted(task=item.task, by="bob"), NOW)
    host.run(manual, Instant())
    assert host.statuses() == {"completed": 1}
    assert host.store.request(number)[0] is RequestState.APPLIED
    assert host.store.request(again)[0] in (RequestState.REFUSED, RequestState.APPLIED)
    assert host.store.work(WorkFilter()) == []


def test_what_the_core_refuses_is_told(host: Host) -> None:
    chain = design([task("visit", TaskKind.MANUAL, queue="field")])
    submit(host.store, chain, order(1))
    host.run(chain, Instant())
    (item,) = host.store.work(WorkFilter())
    number = host.store.post(item.order, FalloutResolved(task=item.task, action=FalloutAction.RETRY, by="ada"), NOW)
    totals = host.run(chain, Instant())
    state, message = host.store.request(number)
    assert (state, totals.refused) == (RequestState.REFUSED, 1)
    assert message


def test_a_retry_waits_for_its_timer(host: Host) -> None:
    chain = design([call("first", retry=QUICK)])
    submit(host.store, chain, order(1))
    system = Instant(answers(FAILED, FAILED, COMPLETED))
    host.run(chain, system)
    assert host.worker is not None and host.worker.next_due() == NOW + timedelta(milliseconds=5)
    host.run(chain, system)
    assert host.statuses() == {"inProgress": 1}
    for _ in range(2):
        host.clock.advance(timedelta(milliseconds=5))
        host.run(chain, system)
    assert host.statuses() == {"completed": 1}
    attempts = host.store.attempts(order(1).id)
    assert [attempt.outcome for attempt in attempts] == ["retriable", "retriable", "completed"]
    assert len({attempt.key for attempt in attempts}) == 1
    assert host.worker.next_due() is None


def test_a_timer_far_away_is_a_row_and_outlives_the_worker(host: Host) -> None:
    wait = task(
        "online", TaskKind.WAIT, event=waits_for_online(), within=Within(limit=timedelta(hours=4), otherwise="continue")
    )
    chain = design([wait])
    submit(host.store, chain, order(1))
    host.run(chain, Instant())
    host.restart()
    host.clock.advance(timedelta(hours=3))
    host.run(chain, Instant())
    assert host.statuses() == {"pending": 1}
    host.clock.advance(timedelta(hours=1))
    host.run(chain, Instant())
    assert host.statuses() == {"completed": 1}


def test_exhausted_retries_open_fallout_and_a_person_decides(host: Host) -> None:
    chain = design(CHAIN)
    submit(host.store, chain, order(1))
    system = Instant(answers(REFUSED, COMPLETED))
    host.run(chain, system)
    (item,) = host.store.work(WorkFilter(kinds=(WorkKind.FALLOUT,)))
    assert (item.code, item.message) == ("NO_STOCK", "sold out")
    assert [task.code for task in host.store.tasks(("fallout",))] == ["NO_STOCK"]
    host.store.post(item.order, FalloutResolved(task=item.task, action=FalloutAction.RETRY, by="ada"), NOW)
    host.run(chain, system)
    assert host.statuses() == {"completed": 1}


@pytest.mark.parametrize("early", [True, False])
def test_callbacks_complete_their_tasks(host: Host, early: bool) -> None:
    taken = operation("port", callback=Callback(correlate="ref", within=timedelta(hours=4)))
    chain = design([call("port", operation="shop.port")], taken)
    submit(host.store, chain, order(1))
    accepted = Instant(lambda _callout: Answer(outcome=Outcome.ACCEPTED, outputs={"ref": "R-1"}, correlation="R-1"))
    if early:
        host.store.post_callback("shop.port", "R-1", Outcome.COMPLETED, {}, NOW)
    host.run(chain, accepted)
    if not early:
        assert host.states() == {"port": TaskState.WAITING}
        assert host.store.post_callback("shop.port", "R-1", Outcome.COMPLETED, {}, NOW) == 1
        host.run(chain, accepted)
    assert host.statuses() == {"completed": 1}


@pytest.mark.parametrize("early", [True, False])
def test_events_complete_the_waits_they_match(host: Host, early: bool) -> None:
    chain = design([task("online", TaskKind.WAIT, event=waits_for_online())])
    submit(host.store, chain, order(1), order(2))
    if early:
        host.store.post_event("online", {"serial": "S-1-1"}, NOW)
    host.run(chain, Instant())
    if not early:
        assert host.store.post_event("online", {"serial": "S-1-1"}, NOW) == 1
        host.run(chain, Instant())
    assert host.states(1) == {"online": TaskState.COMPLETED}
    assert host.states(2) == {"online": TaskState.WAITING}


def test_an_open_breaker_holds_calls_and_lets_them_go(host: Host) -> None:
    breaker = Breaker(failures=2, pause=timedelta(seconds=30))
    chain = design([call("first", retry=QUICK)], breaker=breaker, limit=Limit(concurrent=1))
    submit(host.store, chain, *(order(number) for number in range(5)))
    lost = Answer(outcome=Outcome.RETRIABLE, code="connection")
    system = Instant(answers(lost, lost, COMPLETED))
    host.run(chain, system)
    states = Counter(task.state for number in range(5) for task in host.store.state(order(number).id).tasks.values())
    assert states[TaskState.HELD] == 3
    assert {attempt.code for number in range(5) for attempt in host.store.attempts(order(number).id)} == {"connection"}
    host.restart()
    assert all(pending.held for pending in host.store.pending_calls("shop", 9))
    for _ in range(3):
        host.clock.advance(timedelta(seconds=30))
        host.run(chain, system)
    assert host.statuses() == {"completed": 5}


def test_an_operator_takes_a_connector_offline(host: Host) -> None:
    chain = design(CHAIN)
    host.store.hold_connector("shop", "maintenance")
    submit(host.store, chain, order(1))
    host.run(chain, Instant())
    assert host.states()["first"] is TaskState.HELD
    host.store.release_connector("shop")
    host.run(chain, Instant())
    assert host.statuses() == {"completed": 1}


def test_a_held_order_waits(host: Host) -> None:
    chain = design([task("visit", TaskKind.MANUAL, queue="field"), call("after", "visit")])
    submit(host.store, chain, order(1))
    host.run(chain, Instant())
    host.store.post(order(1).id, OrderHeld(by="ada"), NOW)
    host.run(chain, Instant())
    assert host.store.order(order(1).id).status is OrderStatus.HELD
    host.store.post(order(1).id, OrderReleased(by="ada"), NOW)
    host.run(chain, Instant())
    assert host.store.order(order(1).id).status is OrderStatus.PENDING


def test_orders_wait_for_a_bundle_that_cannot_be_loaded(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    """Neither their events nor their calls count as failed, and orders of other bundles go on."""
    visited = [task("visit", TaskKind.MANUAL, queue="field"), call("first", "visit")]
    sick, sound = design(visited, digest="a" * 64), replace(design(CHAIN, digest="b" * 64), name="others")
    submit(host.store, sick, order(1), order(2))
    submit(host.store, sound, order(3), order(4))
    host.store.hold_connector("shop", "not yet")
    loads = {sick.digest: True, sound.digest: True}
    compiled = {each.digest: programs(each)("") for each in (sick, sound)}

    def load(digest: str) -> Program:
        if not loads[digest]:
            raise ValueError("no such construct")
        return compiled[digest]

    def run() -> Totals:
        async def until_idle() -> Totals:
            if host.worker is None:
                host.worker = Worker(host.store, load, lambda _digest, _name: Instant(), host.clock)
            return await host.worker.run_until_idle(30)

        return asyncio.run(until_idle())

    run()
    host.store.post(order(1).id, WorkCompleted(task=f"{1}/Deliver.visit", by="ada"), NOW)
    run()
    assert {call.order for call in host.store.pending_calls("shop", 9)} == {order(each).id for each in (1, 3, 4)}
    host.restart()
    loads[sick.digest] = False
    host.store.post(order(2).id, OrderHeld(by="ada"), NOW)
    number = host.store.post(order(2).id, OrderReleased(by="ada"), NOW)
    host.store.release_connector("shop")
    assert run().poisoned == 0
    assert host.statuses() == {"completed": 2, "pending": 1, "inProgress": 1}
    assert host.store.request(number)[0] is RequestState.PENDING
    assert "cannot be loaded, and its orders wait: no such construct" in caplog.text
    assert len(caplog.records) == 1
    loads[sick.digest] = True
    run()
    assert host.store.request(number)[0] is RequestState.APPLIED
    assert host.statuses() == {"completed": 3, "pending": 1}
    assert host.store.poisoned() == []


def test_an_event_the_core_cannot_digest_blocks_nothing(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = design(CHAIN)
    submit(host.store, chain, *(order(number) for number in range(5)))
    real = advance

    def broken(program: object, state: object, event: object, at: object) -> object:
        if isinstance(event, CalloutAnswered) and state.order.id == order(3).id:  # type: ignore[attr-defined]
            state.tasks.clear()  # type: ignore[attr-defined]
            raise ZeroDivisionError("a fault of the core")
        return real(program, state, event, at)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(advancing, "advance", broken)
        totals = host.run(chain, Instant())
    assert totals.poisoned == 1
    assert host.statuses() == {"completed": 4, "inProgress": 1}
    (poisoned,) = host.store.poisoned()
    assert (poisoned.order, poisoned.message) == (order(3).id, "ZeroDivisionError: a fault of the core")
    assert "a fault of the core" in poisoned.traceback
    host.store.retry_poisoned(poisoned.id, NOW)
    host.run(chain, Instant())
    assert host.statuses() == {"completed": 5}


def test_the_culprit_among_many_events_of_one_order_is_found(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = design([task("visit", TaskKind.MANUAL, queue="field")])
    submit(host.store, chain, order(1))
    host.run(chain, Instant())
    id = order(1).id
    real = advance

    def broken(program: object, state: object, event: object, at: object) -> object:
        if event == OrderHeld(by="trouble"):
            raise ZeroDivisionError("a fault of the core")
        return real(program, state, event, at)  # type: ignore[arg-type]

    monkeypatch.setattr(advancing, "advance", broken)
    events = (OrderHeld(by="ada"), OrderReleased(by="ada"), OrderHeld(by="trouble"), OrderHeld(by="bob"))
    numbers = [host.store.post(id, event, NOW) for event in events]
    totals = host.run(chain, Instant())
    assert (totals.events, totals.poisoned) == (3, 1)
    assert all(host.store.request(number)[0] is RequestState.APPLIED for number in numbers)
    assert host.store.order(id).status is OrderStatus.HELD
    assert [event.event for event in host.store.poisoned()] == [OrderHeld(by="trouble")]


@pytest.mark.parametrize("broken", ["write", "seal"])
def test_a_store_that_cannot_write_loses_nothing(host: Host, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    chain = design(CHAIN, limit=Limit(concurrent=7))
    submit(host.store, chain, *(order(number) for number in range(50)))
    write, seal = SqliteStore.write, Database.seal
    calls = 0

    def fails() -> bool:
        nonlocal calls
        calls += 1
        return calls % 3 == 0

    def full_at_write(store: SqliteStore, batch: Batch) -> object:
        if fails():
            raise StoreFull("no room left")
        return write(store, batch)

    def full_at_seal(database: Database) -> None:
        if fails():
            database.roll_back()
            raise StoreFull("no room left")
        seal(database)

    seen: Counter[str] = Counter()

    class Counting(Slow):
        async def call(self, called: Operation, callout: Callout) -> Answer:
            seen[callout.key] += 1
            return await super().call(called, callout)

    system: Any = Counting(0.001)

    async def until_done() -> int:
        worker = host.worker = Worker(host.store, programs(chain), lambda _digest, _name: system)
        failures = 0
        while host.statuses() != {"completed": 50}:
            try:
                await worker.run_until_idle(30)
            except StoreFull:
                failures += 1
        return failures

    with monkeypatch.context() as patched:
        if broken == "write":
            patched.setattr(SqliteStore, "write", full_at_write)
        else:
            patched.setattr(Database, "seal", full_at_seal)
        assert asyncio.run(until_done()) >= 2
    assert set(seen.values()) == {1}
    assert all([record.version for record in host.store.journal(order(number).id)] == [1, 2, 3] for number in range(50))


class Slow:
    """A system that takes its time, and notes how many calls it has at once."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.running = self.most = 0
        self.order: list[str] = []

    async def call(self, _operation: Operation, callout: Callout) -> Answer:
        self.order.append(callout.key)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(self.pause)
        self.running -= 1
        return COMPLETED


def test_a_run_that_is_cut_short_goes_on_later(host: Host) -> None:
    chain = design(CHAIN)
    submit(host.store, chain, *(order(number) for number in range(300)))
    system: Any = Slow(0.001)

    async def in_pieces() -> int:
        worker = host.worker = Worker(host.store, programs(chain), lambda _digest, _name: system)
        cuts = 0
        while host.statuses() != {"completed": 300}:
            try:
                await worker.run_until_idle(0.005 + cuts / 100)
            except TimeoutError:
                cuts += 1
        return cuts

    assert asyncio.run(in_pieces()) >= 2
    assert len(set(system.order)) == len(system.order) == 600


def test_no_more_calls_run_at_once_than_the_connector_bears(host: Host) -> None:
    chain = design(CHAIN, limit=Limit(concurrent=3))
    submit(host.store, chain, *(order(number) for number in range(12)))
    system = Slow(0.002)
    host.run(chain, system)
    assert (system.most, host.statuses()) == (3, {"completed": 12})


def test_a_connector_that_raises_is_fallout_not_a_crash(host: Host) -> None:
    chain = design(CHAIN)
    submit(host.store, chain, order(1))

    def broken(_callout: Callout) -> Answer:
        raise RuntimeError("a fault of the connector")

    host.run(chain, Instant(broken))
    (item,) = host.store.work(WorkFilter())
    assert (item.code, item.message) == ("internal", "RuntimeError: a fault of the connector")


def test_running_for_ever_serves_another_connection_and_stops_gracefully(host: Host) -> None:
    chain = design(CHAIN)
    submit(host.store, chain, order(1))
    beside = open_store(str(host.path))

    async def served() -> None:
        host.clock = None  # type: ignore[assignment]  # the system's
        slow: Any = Slow(0.05)
        worker = host.worker = Worker(host.store, programs(chain), lambda _digest, _name: slow)
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run_forever(stop))
        await reach(lambda: host.statuses() == {"completed": 1})
        submit(beside, chain, order(2))
        await reach(lambda: host.statuses() == {"completed": 2})
        submit(host.store, chain, order(4))
        await worker.run_until_idle(10)
        assert host.statuses() == {"completed": 3}
        submit(beside, chain, order(3))
        # under way, not only noted: a call that was not sent yet is left to the next worker
        await reach(lambda: slow.running == 1)
        stop.set()
        await asyncio.wait_for(running, 10)
        # the call that ran was waited for, and its answer kept
        assert host.states(3)["first"] is TaskState.COMPLETED

    async def reach(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110  # what it waits for is in a database
                await asyncio.sleep(0.005)

    asyncio.run(served())
    beside.close()


def test_a_second_worker_is_refused(host: Host) -> None:
    chain = design(CHAIN)
    submit(host.store, chain, order(1))
    host.run(chain, Instant())
    beside = open_store(str(host.path))
    with pytest.raises(WorkerRunning, match=r"a worker runs on .* already, as process"):
        Worker(beside, programs(chain), lambda _digest, _name: Instant())
    beside.close()
    host.restart()
    host.run(chain, Instant())
