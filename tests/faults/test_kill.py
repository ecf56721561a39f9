"""Killed at random moments under load, and started again: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orderloom.engine.advance import replay
from orderloom.engine.program import compile_design
from orderloom.models.plan import OrderState
from orderloom.runtime.store.errors import WorkerRunning
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import AssetFilter, OrderFilter, WorkFilter
from tests.faults.load import Log, loaded_design

ROOT = Path(__file__).parents[2]


def run(folder: Path, orders: int, kills: int, seed: int = 0) -> SqliteStore:
    folder.mkdir()
    command = [sys.executable, "-m", "tests.faults.driver", str(folder), str(orders), str(kills), str(seed)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return open_store(str(folder / "orders.db"))


def essence(state: OrderState) -> object:
    """All of a state but the instants, which are those of the run."""
    tasks = {
        id: replace(task, due=None, ready_at=None, started_at=None, finished_at=None)
        for id, task in state.tasks.items()
    }
    return state.order, state.status, state.plan, state.lines, tasks, state.reasons


def outcome(store: SqliteStore) -> tuple[object, ...]:
    orders = [view.id for view in store.orders(OrderFilter(), limit=100_000)]
    states = {state.order.id: essence(state) for state in store.load(orders)}
    assets = {view.asset.id: view.asset for view in store.assets(AssetFilter(), limit=100_000)}
    attempts = {id: sorted((a.task, a.attempt, a.key, a.outcome, a.code) for a in store.attempts(id)) for id in orders}
    return states, assets, attempts


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a place: a killed process loses no page cache, so only speed differs."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as found:
        yield Path(found)


def test_fifty_kills_change_nothing(folder: Path, deep: bool) -> None:
    orders, kills = (3000, 400) if deep else (400, 50)
    undisturbed = run(folder / "undisturbed", orders, 0)
    killed = run(folder / "killed", orders, kills, seed=7)
    try:
        assert_acknowledged_orders_are_there(killed, folder / "killed")
        assert_keys_are_used_well(folder / "killed")
        assert outcome(killed) == outcome(undisturbed)
        assert_nothing_is_left(killed)
        assert_the_journal_tells_it_all(killed)
    finally:
        undisturbed.close()
        killed.close()


def assert_acknowledged_orders_are_there(store: SqliteStore, folder: Path) -> None:
    acknowledged = {line["order"] for line in Log(folder / "acknowledged.log").lines()}
    assert acknowledged == {view.id for view in store.orders(OrderFilter(), limit=100_000)}


def assert_keys_are_used_well(folder: Path) -> None:
    bodies: dict[str, set[str]] = defaultdict(set)
    requests: dict[tuple[str, int], set[str]] = defaultdict(set)
    calls: list[dict[str, Any]] = Log(folder / "calls.log").lines()
    for line in calls:
        assert line["key"]
        bodies[line["key"]].add(line["body"])
        requests[line["key"], line["attempt"]].add(line["whole"])
    assert {len(found) for found in bodies.values()} == {1}
    assert {len(found) for found in requests.values()} == {1}
    # some were sent again after a kill: else the test would show nothing
    assert len(calls) > len(requests)


def assert_nothing_is_left(store: SqliteStore) -> None:
    assert store.pending_connectors() == []
    assert store.next_timer() is None
    assert store.inbox(0, 10) == []
    assert store.work(WorkFilter()) == []
    assert store.poisoned() == []


def assert_the_journal_tells_it_all(store: SqliteStore) -> None:
    program = compile_design(loaded_design())
    for view in store.orders(OrderFilter(), limit=100_000):
        state = store.state(view.id)
        records = store.journal(view.id)
        assert [record.version for record in records] == list(range(1, state.version + 1))
        assert replay(program, state.order, ((record.event, record.at) for record in records)) == state


def test_two_workers_are_refused_across_processes(tmp_path: Path) -> None:
    path = tmp_path / "orders.db"
    code = (
        f"import sys, time; from orderloom.runtime.store.sqlite import open_store; store = open_store({str(path)!r}); "
        "store.lock_worker(); print('locked', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        store = open_store(str(path))
        with pytest.raises(WorkerRunning, match=f"as process {holder.pid} .*; an SQLite store has one worker"):
            store.lock_worker()
        holder.kill()
        holder.wait()
        store.lock_worker()
        store.close()
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout is not None:
            holder.stdout.close()
