"""Orders that wait for each other under kills: all of them end, none before what it waits for."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from orderloom.engine.program import compile_design
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState
from orderloom.runtime import past
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import OrderFilter
from tests.faults.waiting import ACCOUNTS, waiting_design

ROOT = Path(__file__).parents[2]


def test_orders_that_wait_for_each_other_survive_kills(tmp_path: Path, deep: bool) -> None:
    orders, kills = (1200, 150) if deep else (120, 20)
    command = [sys.executable, "-m", "tests.faults.waiting", str(tmp_path), str(orders), str(kills), "3"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    store = open_store(str(tmp_path / "orders.db"))
    try:
        assert_all_is_done(store, orders)
        assert_none_went_too_early(store)
    finally:
        store.close()


def assert_all_is_done(store: SqliteStore, orders: int) -> None:
    program = compile_design(waiting_design())
    views = store.orders(OrderFilter(), limit=10_000)
    assert [view.status for view in views] == [OrderStatus.COMPLETED] * orders
    for view in views:
        assert past.replayed(store, lambda _digest: program, view.id).differences == ()
        assert store.gates(view.id) == []
    with store._database.snapshot() as reader:
        assert reader.execute("SELECT count(*) FROM subscriptions").fetchone() == (0,)
    assert store.inbox(0, 10) == [] and store.poisoned() == [] and store.next_timer() is None


def assert_none_went_too_early(store: SqliteStore) -> None:
    states = {state.order.id: state for state in store.load([v.id for v in store.orders(OrderFilter(), limit=10_000)])}
    named = {**states, **{state.order.external_id: state for state in states.values()}}
    last: dict[str, OrderState] = {}
    counted = 0
    for id in sorted(states):
        state = states[id]
        for other in state.order.depends_on:
            assert started(state) >= ended(states[other]), id
        for other in state.order.related:
            if other in named:
                counted += 1
                own, theirs = (build(each) for each in (state, named[other]))
                assert own[0] >= theirs[1], id
        former = last.get(state.order.account.id)
        assert former is None or started(state) >= ended(former), id
        last[state.order.account.id] = state
    assert len(last) == ACCOUNTS and counted > len(states) // 3


def started(state: OrderState) -> datetime:
    assert state.started_at is not None
    return state.started_at


def ended(state: OrderState) -> datetime:
    assert state.completed_at is not None
    return state.completed_at


def build(state: OrderState) -> tuple[datetime, datetime]:
    """When its task `build` started and finished."""
    (task,) = (task for task in state.tasks.values() if task.definition == "Deliver.build")
    assert task.started_at is not None and task.finished_at is not None
    return task.started_at, task.finished_at
