"""Amended and cancelled under kills: every order ends, what was done is taken back once, the journal tells it all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from orderloom.engine.program import compile_design
from orderloom.models.inventory import AssetState
from orderloom.models.order import OrderStatus
from orderloom.models.plan import TaskRole, TaskState
from orderloom.runtime import past
from orderloom.runtime.store.sqlite import open_store
from orderloom.runtime.store.views import AssetFilter, OrderFilter, WorkFilter
from tests.faults.changing import changed_design
from tests.faults.load import Log

ROOT = Path(__file__).parents[2]


def test_changes_in_flight_survive_kills(tmp_path: Path, deep: bool) -> None:
    orders, kills = (1500, 200) if deep else (120, 20)
    command = [sys.executable, "-m", "tests.faults.changing", str(tmp_path), str(orders), str(kills), "5"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    program = compile_design(changed_design())
    store = open_store(str(tmp_path / "orders.db"))
    ended: Counter[OrderStatus] = Counter()
    for view in store.orders(OrderFilter(), limit=10_000):
        state = store.state(view.id)
        ended[view.status] += 1
        assert past.replayed(store, lambda _digest: program, view.id).differences == ()
        assert all(task.state.final for task in state.tasks.values()), view.id
        taken_back = [task.of for task in state.tasks.values() if task.role is TaskRole.UNDO]
        assert len(taken_back) == len(set(taken_back))
        if view.status is OrderStatus.CANCELLED:
            undone = {task.of for task in state.tasks.values() if task.state is TaskState.COMPLETED}
            for attempt in store.attempts(view.id):
                can_be_undone = not attempt.task.endswith(".bill")
                if attempt.outcome == "completed" and attempt.operation == "shop.sell" and can_be_undone:
                    assert attempt.task in undone, (view.id, attempt.task)
        else:
            assert view.status is OrderStatus.COMPLETED
    assert ended[OrderStatus.CANCELLED] > orders // 10
    assert sum(ended.values()) == orders
    keys = {(line["key"], line["body"]) for line in Log(tmp_path / "calls.log").lines()}
    assert len({key for key, _ in keys}) == len(keys)
    for asset in (each.asset for each in store.assets(AssetFilter(), limit=100_000)):
        number = int(asset.account.removeprefix("A-"))
        cancelled = store.order(f"ORD-{number:06d}").status is OrderStatus.CANCELLED
        assert (asset.state is AssetState.TERMINATED) == cancelled
    assert store.pending_connectors() == [] and store.next_timer() is None
    assert store.inbox(0, 10) == [] and store.work(WorkFilter()) == [] and store.poisoned() == []
    store.close()
