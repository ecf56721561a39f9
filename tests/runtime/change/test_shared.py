"""Whatever orders of one account come together: inventory is as if they had come one after the other."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orderloom.engine.program import Program, compile_design
from orderloom.models.callout import Answer, Callout, Outcome
from orderloom.models.catalog import Action
from orderloom.models.inventory import Asset
from orderloom.models.order import Account, OrderItem, ProductOrder
from orderloom.runtime.deployment import check_files
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import NewOrder, OrderFilter
from orderloom.runtime.worker.worker import Worker
from tests.runtime.worker.making import NOW, QUICK, Instant

DESIGN = """
product Line { site string required  speed integer = 1 }
product Premium { }
product Guest { }
product Rider { requires Premium }
product Rival { excludes Guest }
product Option { relies on Line }
resource Bond one per relation { }
service Access customer_facing one per account { premium boolean = false }
service Entry resource_facing one per account { }
resource Cell one per key(root.site) { }
decompose Line into Access { quantity speed }
decompose Line into Cell { when speed > 1   quantity speed }
decompose Line into Bond { }
decompose Option into Bond { }
decompose Premium into Access { premium = true }
decompose Access into Entry { }

connector net simulator { script "{}" }
operation net.make { }
plan MakeAccess for Access on add, modify, delete {
  call first { operation net.make }
  call second { operation net.make   after first }
}
plan MakeCell for Cell on add, modify, delete { call make { operation net.make } }
plan Host for Guest on add { call host { operation net.make } }
plan Rally for Rival on add { call rally { operation net.make } }
plan MakeLine for Line on add, modify, delete { call line { operation net.make   after Access.second within order } }
"""


#: how each order ended, and inventory by id
Outcomes = tuple[dict[str, str], dict[str, Asset]]


@cache
def program() -> Program:
    checked = check_files({"bundle.yaml": "name: shared\nversion: 1.0.0\n", "design.loom": DESIGN})
    assert checked.design is not None, checked.diagnostics
    plans = {
        name: replace(plan, tasks=tuple(replace(task, retry=QUICK) for task in plan.tasks))
        for name, plan in checked.design.plans.items()
    }
    return compile_design(replace(checked.design, plans=plans))


def busy(callout: Callout) -> Answer:
    """Every other first attempt is to be tried again, so that orders overlap as they like."""
    if callout.attempt <= 2 and sum(callout.key.encode()) % 2:
        return Answer(outcome=Outcome.RETRIABLE, code="status_503")
    return Answer(outcome=Outcome.COMPLETED)


def orders_of(steps: Sequence[tuple[str, int, int, str, int]]) -> list[ProductOrder]:
    """Each step is (what, which line, its speed, its site, its priority); what makes no sense is an add."""
    live: dict[str, tuple[int, str]] = {}
    orders: list[ProductOrder] = []
    for number, (what, which, speed, site, priority) in enumerate(steps, 1):
        id = f"ORD-{number}"
        known = sorted(live)
        named = known[which % len(known)] if known and what in ("modify", "delete") else ""
        if named:
            action, attributes = Action(what), {} if what == "delete" else {"speed": speed}
            live.pop(named, None)
            if what == "modify":
                live[named] = (speed, site)
            item = OrderItem(id="1", action=action, spec="Line", product=named, attributes=attributes)
        elif what not in ("add", "modify", "delete"):
            item = OrderItem(id="1", action=Action.ADD, spec=what.title())
        else:
            live[f"{id}:1"] = (speed, site)
            item = OrderItem(id="1", action=Action.ADD, spec="Line", attributes={"speed": speed, "site": site})
        account = Account(id="A")
        orders.append(ProductOrder(id=id, account=account, items=(item,), order_date=NOW, priority=priority))
    return orders


async def to_the_end(worker: Worker) -> None:
    await worker.run_until_idle(60)
    while worker.next_due() is not None:
        await asyncio.sleep(0.004)
        await worker.run_until_idle(60)


async def carried_out(store: SqliteStore, batches: Sequence[Sequence[ProductOrder]]) -> Outcomes:
    design = program().design
    store.deploy(design.name, design.version, design.digest, {}, NOW)
    worker = Worker(store, lambda _digest: program(), lambda _digest, _name: Instant(busy))
    for batch in batches:
        store.submit([NewOrder(order=order, design=design.digest) for order in batch], NOW)
        await to_the_end(worker)
    worker.close()
    # an order that has waited can no longer be rejected, it fails
    ended = {view.id: view.status.replace("rejected", "failed") for view in store.orders(OrderFilter())}
    return ended, dict(store.inventory("A").assets)


def left_by(batches: Sequence[Sequence[ProductOrder]]) -> Outcomes:
    """How the orders ended, and what the account has then; the next batch comes when the last one is done."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "orders.db"))
        try:
            return asyncio.run(carried_out(store, batches))
        finally:
            store.close()


steps = st.tuples(
    st.sampled_from(("add", "add", "modify", "delete", "premium", "guest", "rider", "rival", "option")),
    st.integers(0, 3),
    st.integers(1, 3),
    st.sampled_from(("North", "South")),
    st.integers(0, 4),
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, min_size=2, max_size=5))
@example([("add", 0, 2, "North", 4), ("add", 0, 3, "North", 0)])
@example([("add", 0, 2, "North", 4), ("option", 0, 1, "North", 0)])
@example([("premium", 0, 2, "North", 4), ("rider", 0, 1, "North", 0)])
@example([("guest", 0, 2, "North", 4), ("rival", 0, 1, "North", 0)])
@example([("add", 0, 2, "North", 4), ("premium", 0, 1, "North", 4), ("delete", 0, 1, "North", 4)])
def test_orders_that_come_together_leave_what_they_leave_one_after_the_other(
    found: list[tuple[str, int, int, str, int]],
) -> None:
    orders = orders_of(found)
    together = left_by([orders])
    assert together == left_by([[each] for each in orders])
    assert set(together[0].values()) <= {"completed", "failed"}


def reasons(tmp_path: Path, *orders: ProductOrder) -> dict[str, tuple[str, ...]]:
    """What each order waits for once all have been looked at; nothing is answered."""
    design = program().design
    store = open_store(str(tmp_path / "orders.db"))
    store.deploy(design.name, design.version, design.digest, {}, NOW)
    never = Answer(outcome=Outcome.RETRIABLE, code="status_503", retry_after=3600)
    worker = Worker(store, lambda _digest: program(), lambda _digest, _name: Instant(lambda _callout: never))
    store.submit([NewOrder(order=order, design=design.digest) for order in orders], NOW)
    asyncio.run(worker.run_until_idle(60))
    worker.close()
    found = {order.id: store.state(order.id).reasons for order in orders}
    store.close()
    return found


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        (("add", 1, "North"), ("premium", 1, ""), "Access@account:A"),
        (("guest", 1, ""), ("add", 1, "North"), ""),
        (("guest", 1, ""), ("guest", 1, ""), ""),
        (("guest", 1, ""), ("rival", 1, ""), "Guest"),
        (("rival", 1, ""), ("guest", 1, ""), "Guest"),
        (("premium", 1, ""), ("rider", 1, ""), "Premium"),
        (("add", 2, "North"), ("option", 1, ""), "Bond@relation:ORD-1:1"),
    ],
)
def test_only_what_has_to_do_with_each_other_waits(
    tmp_path: Path, first: tuple[str, int, str], second: tuple[str, int, str], common: str
) -> None:
    steps = [(what, 0, speed, site, 4) for what, speed, site in (first, second)]
    found = reasons(tmp_path, *orders_of(steps))
    why = f"order `ORD-1` has to do with `{common}` too and is not done"
    assert found == {"ORD-1": (), "ORD-2": (why,) if common else ()}
