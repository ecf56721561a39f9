"""Whatever orders come for whatever accounts: those in sequence never overlap, the last word on a product counts."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderloom.models.callout import Answer, Callout, Outcome
from orderloom.models.catalog import Action
from orderloom.models.design import Design
from orderloom.models.order import Account, OrderItem, ProductOrder
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import OrderFilter
from orderloom.runtime.worker.worker import Worker
from tests.runtime.worker.making import NOW, QUICK, Instant, call, design, programs, submit

quick = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


def busy(callout: Callout) -> Answer:
    """Every other first attempt is to be tried again, so that orders overlap as they like."""
    if callout.attempt == 1 and sum(callout.key.encode()) % 2:
        return Answer(outcome=Outcome.RETRIABLE, code="status_503")
    return Answer(outcome=Outcome.COMPLETED, outputs={"ref": "R"})


def boxes(*, sequence: bool) -> Design:
    made = design([call("first", retry=QUICK), call("second", "first", retry=QUICK)])
    plan = replace(made.plans["Deliver"], actions=(Action.ADD, Action.MODIFY))
    return replace(made, plans={"Deliver": plan}, account_sequence=sequence)


def ordered(number: int, account: str, priority: int, product: str = "") -> ProductOrder:
    action = Action.MODIFY if product else Action.ADD
    item = OrderItem(id="1", action=action, spec="Box", product=product, attributes={"serial": f"S-{number}"})
    id = f"ORD-{number:03d}"
    return ProductOrder(id=id, account=Account(id=account), items=(item,), order_date=NOW, priority=priority)


async def to_the_end(worker: Worker) -> None:
    await worker.run_until_idle(60)
    while worker.next_due() is not None:
        # a call is to be tried again in a moment
        await asyncio.sleep(0.005)
        await worker.run_until_idle(60)


def carried_out(folder: str, made: Design, orders: list[ProductOrder]) -> SqliteStore:
    store = open_store(str(Path(folder) / "orders.db"))
    worker = Worker(store, programs(made), lambda _digest, _name: Instant(busy))
    store.deploy(made.name, made.version, made.digest, {}, NOW)
    submit(store, made, *orders)
    asyncio.run(to_the_end(worker))
    worker.close()
    assert store.count_orders(OrderFilter()) == {"completed": len(orders)}
    assert not any(store.gates(order.id) for order in orders)
    return store


@quick
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 4)), min_size=1, max_size=12))
def test_orders_of_an_account_in_sequence_never_overlap(found: list[tuple[str, int]]) -> None:
    orders = [ordered(number, account, priority) for number, (account, priority) in enumerate(found)]
    with tempfile.TemporaryDirectory() as folder:
        store = carried_out(folder, boxes(sequence=True), orders)
        started: dict[str, int] = {}
        ended: dict[str, int] = {}
        for event in store.events(limit=10_000):
            if event.kind == "order.state" and event.data["to"] == "inProgress":
                started.setdefault(event.order, event.sequence)
            if event.kind == "order.state" and event.data["to"] == "completed":
                ended[event.order] = event.sequence
        store.close()
    for account in "ABC":
        mine = [order.id for order in orders if order.account.id == account]
        for first, second in itertools.pairwise(mine):
            assert ended[first] < started[second]


@quick
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4)), max_size=8))
def test_the_last_order_for_a_product_has_the_last_word(found: list[tuple[int, int]]) -> None:
    orders = [ordered(0, "A", 4), ordered(1, "A", 0)]
    last = {each.id: "S-" + str(number) for number, each in enumerate(orders)}
    for number, (product, priority) in enumerate(found, 2):
        orders.append(ordered(number, "A", priority, product=f"{orders[product].id}:1"))
        last[orders[product].id] = f"S-{number}"
    with tempfile.TemporaryDirectory() as folder:
        store = carried_out(folder, boxes(sequence=False), orders)
        assets = store.inventory("A").assets
        store.close()
    assert {id: assets[f"{id}:1"].attributes["serial"] for id in last} == last
