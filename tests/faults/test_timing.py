"""Clocks and watch rules under kills: all is told and done exactly once, as if nobody had been killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from orderloom.engine.watching import Occurrence, Windows, observe
from orderloom.models.watching import Watched
from orderloom.runtime.store.views import PublishedEvent
from orderloom.runtime.synchronous import SyncRuntime

ROOT = Path(__file__).parents[2]


def test_what_clocks_and_rules_do_is_done_once_under_kills(tmp_path: Path, deep: bool) -> None:
    orders, kills = (900, 150) if deep else (90, 15)
    command = [sys.executable, "-m", "tests.faults.timing", str(tmp_path), str(orders), str(kills), "7"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with SyncRuntime(tmp_path / "home") as runtime:
        events = runtime.events(limit=100_000)
        assert len(events) < 100_000
        assert_each_item_went_its_way_once(events, orders)
        assert_rules_fired_as_counted(runtime, events, orders)


def assert_each_item_went_its_way_once(events: list[PublishedEvent], orders: int) -> None:
    ways: dict[Any, list[tuple[str, Any]]] = defaultdict(list)
    for event in events:
        if event.kind in ("work.warned", "work.breached", "work.escalated") and event.order:
            ways[event.data["item"]].append((event.kind.removeprefix("work."), event.data["queue"]))
    way = [
        ("warned", "trouble"),
        ("breached", "trouble"),
        ("escalated", "worse"),
        ("warned", "worse"),
        ("breached", "worse"),
        ("escalated", "worst"),
    ]
    assert len(ways) == orders
    assert [found for found in ways.values() if found != way] == []


def assert_rules_fired_as_counted(runtime: SyncRuntime, events: list[PublishedEvent], orders: int) -> None:
    (bundle,) = runtime.bundles()
    rules = runtime.design(bundle.digest).watches
    accounts = {view.id: view.account for view in runtime.orders(limit=10_000)}
    attempts = sorted(
        (attempt for order in accounts for attempt in runtime.attempts(order)), key=lambda attempt: attempt.id
    )
    assert len(attempts) == orders
    expected, windows = [], Windows()
    for attempt in attempts:
        failure = Occurrence(
            watched=Watched.FAILURES,
            at=attempt.at,
            order=attempt.order,
            account=accounts[attempt.order],
            connector="depot",
        )
        expected += observe([rules["storm"]], windows, failure)
    fired = [event.data for event in events if event.kind == "watch.fired"]
    storms = [(data["key"], data["at"], data["orders"]) for data in fired if data["watch"] == "storm"]
    assert len(storms) > 1
    assert storms == [(each.key, each.at.isoformat(), list(each.orders)) for each in expected]
    raised = Counter(view.deed.order for view in runtime.audit(what="raise_priority", limit=10_000))
    assert raised == Counter(order for each in expected for order in each.orders)
    for view in runtime.orders(limit=10_000):
        assert view.priority == max(0, 4 - raised[view.id])
    assert [data["watch"] for data in fired].count("late") == 1
    (item,) = runtime.work(queue="duty")
    assert item.title == "Look after the depot"
