"""The more urgent goes first, and nobody waits for ever, whatever arrives."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from orderloom.models.callout import Answer, Callout, Outcome
from orderloom.models.catalog import Action
from orderloom.models.integration import Limit
from orderloom.models.journal import OrderReleased
from orderloom.models.order import Account, OrderItem, ProductOrder
from orderloom.runtime.clock import VirtualClock
from orderloom.runtime.store.sqlite import open_store
from orderloom.runtime.worker.arrivals import Arrival, Arrivals
from orderloom.runtime.worker.urgency import AGEING, rank
from orderloom.runtime.worker.worker import Worker
from tests.runtime.worker.making import Instant, call, design, programs, submit

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT = OrderReleased(by="")

#: minutes since the arrival before, priority; and how many are served before the next comes
arrivals = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=60)


@given(arrivals)
def test_only_what_comes_within_the_bound_goes_before(found: list[tuple[int, int, int]]) -> None:
    waiting = Arrivals()
    since: dict[str, datetime] = {}
    priorities: dict[str, int] = {}
    served: list[str] = []
    now = NOW

    def serve() -> None:
        (order,) = waiting.take(1) or ("",)
        if not order:
            return
        for other in since:
            if other not in served and other != order and since[other] < since[order]:
                # it was overtaken: by something more urgent, that came within the bound
                ahead = priorities[other] - priorities[order]
                assert ahead > 0
                assert since[order] - since[other] <= ahead * AGEING
        served.append(order)

    for number, (minutes, priority, serves) in enumerate(found):
        now += timedelta(minutes=minutes)
        order = f"{number}"
        since[order], priorities[order] = now, priority
        waiting.add(Arrival(order, EVENT, rank=rank(now, priority)))
        for _ in range(serves):
            serve()
    while waiting:
        serve()
    assert sorted(served) == sorted(since)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 3)), max_size=30), st.integers(1, 3))
def test_events_of_one_order_stay_in_their_order(found: list[tuple[str, int]], at_once: int) -> None:
    waiting = Arrivals()
    wanted: dict[str, list[str]] = {}
    for number, (order, place) in enumerate(found):
        waiting.add(Arrival(order, OrderReleased(by=str(number)), rank=place))
        wanted.setdefault(order, []).append(str(number))
    assert len(waiting) == len(found)
    seen: dict[str, list[str]] = {}
    while waiting:
        taken = waiting.take(at_once)
        for order, events in taken.items():
            first, *rest = events
            seen.setdefault(order, []).append(first.event.by)  # type: ignore[union-attr]  # made so above
            waiting.put_back(rest)
    assert seen == wanted


def test_urgent_orders_are_taken_up_and_sent_first(tmp_path: Path) -> None:
    """One call at a time; orders come in from least to most urgent."""
    store = open_store(str(tmp_path / "orders.db"))
    clock = VirtualClock(NOW)
    chain = design([call("t0")], limit=Limit(concurrent=1))
    called: list[str] = []

    def answer(callout: Callout) -> Answer:
        called.append(str(callout.context["order"]["id"]))
        return Answer(outcome=Outcome.COMPLETED, outputs={"ref": "R"})

    def one(id: str, priority: int) -> ProductOrder:
        item = OrderItem(id="1", action=Action.ADD, spec="Box", attributes={"serial": id})
        return ProductOrder(id=id, account=Account(id=id), items=(item,), order_date=NOW, priority=priority)

    submit(store, chain, one("old", 4))
    submit(store, chain, *(one(f"p{priority}", priority) for priority in (4, 3, 2, 1, 0)))
    worker = Worker(store, programs(chain), lambda _digest, _name: Instant(answer), clock)
    asyncio.run(worker.run_until_idle(30))
    worker.close()
    store.close()
    assert called == ["p0", "p1", "p2", "p3", "old", "p4"]
