"""A worker that tells a webhook is killed again and again: each event arrives, under one id, in order per order; and
what it counts for analytics is counted once."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from orderloom.runtime.analytics.rollup import count_all
from orderloom.runtime.store.deliveries import DeliveryState
from orderloom.runtime.store.facts import Stretch
from orderloom.runtime.store.sqlite import SqliteStore
from tests.faults.load import share
from tests.faults.telling import opened
from tests.runtime.notifications.receivers import Hooks, Taken

ROOT = Path(__file__).parents[2]


def test_kills_lose_nothing_that_is_to_be_told(tmp_path: Path, deep: bool) -> None:
    orders, kills = (400, 60) if deep else (60, 6)
    chance = random.Random(11)
    tries: Counter[str] = Counter()

    def answer(taken: Taken) -> int:
        id = taken.headers["Orderloom-Delivery"]
        tries[id] += 1
        # some fail at first, some are taken although the process is gone before it knows
        return 503 if share(id, tries[id]) < 20 else 204

    with Hooks(answer) as hooks:
        for _ in range(kills):
            child = live(tmp_path, hooks.url, orders)
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n", child.communicate()
            time.sleep(chance.uniform(0.02, 0.4))
            child.kill()
            child.communicate()
        last = live(tmp_path, hooks.url, orders)
        output, errors = last.communicate(timeout=120)
        assert last.returncode == 0, output + errors
    store = opened(tmp_path)
    published = {event.sequence: event for event in store.events(limit=1_000_000)}
    assert {each.state for each in store.deliveries(tuple(DeliveryState), limit=1_000_000)} == {DeliveryState.DONE}
    assert_counted_once(store, orders)
    store.close()
    bodies: dict[int, set[bytes]] = defaultdict(set)
    firsts: dict[str, list[int]] = defaultdict(list)
    for taken in hooks.taken:
        found = json.loads(taken.body)
        sequence = found["sequence"]
        assert found["id"] == taken.headers["Orderloom-Delivery"] == f"crm:{sequence}"
        if sequence not in bodies:
            firsts[published[sequence].order].append(sequence)
        bodies[sequence].add(taken.body)
    assert set(bodies) == set(published)
    assert {len(each) for each in bodies.values()} == {1}
    assert all(each == sorted(each) for each in firsts.values())
    assert len(firsts) == orders


def assert_counted_once(store: SqliteStore, orders: int) -> None:
    # some was counted in the lives before
    with store._database.snapshot() as reader:
        assert reader.execute("SELECT position FROM cursors WHERE name = 'journal'").fetchone()[0] > 0
    assert count_all(store, 60)
    everything = [Stretch(0, 24 * 365 * 100, 24)]
    found: Counter[tuple[str, str]] = Counter()
    for key, tally in store.facts(("order.submitted", "order.completed", "task.done"), "", everything):
        found[key.measure, key.subject] += tally.count
    steps = [each for each in found if each[0] == "task.done"]
    assert len(steps) == 3
    assert set(found.values()) == {orders}
    with store._database.snapshot() as reader:
        assert reader.execute("SELECT count(*) FROM unfinished").fetchone()[0] == 0


def live(folder: Path, url: str, orders: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.faults.telling", str(folder), url, str(orders)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
