"""A bulk intervention killed at random moments goes on where it was: each of its targets is done once, none is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderloom.models.journal import FalloutResolved
from orderloom.runtime.store.auditing import DeedFilter
from orderloom.runtime.store.bulk_records import TargetState
from orderloom.runtime.store.causes import FalloutFilter
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import OrderFilter
from tests.faults.load import Log, share

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as found:
        yield Path(found)


def run(folder: Path, orders: int, kills: int) -> SqliteStore:
    command = [sys.executable, "-m", "tests.faults.bulk", str(folder), str(orders), str(kills), "11"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return open_store(str(folder / "orders.db"))


def test_nothing_is_repeated_and_nothing_is_lost(folder: Path, deep: bool) -> None:
    orders, kills = (3000, 150) if deep else (400, 15)
    store = run(folder, orders, kills)
    (bulk,) = store.bulks()
    targets = store.bulk_targets(bulk.id, limit=orders + 1)
    assert (bulk.total, len(targets), bulk.refused, bulk.under_way) == (orders, orders, 0, 0)
    assert Counter(target.state for target in targets) == {
        TargetState.DONE: bulk.done,
        TargetState.FAILED: bulk.failed,
    }
    again = {target.order for target in targets if share(f"{target.order}:{target.task}#0") < 25}
    assert {target.order for target in targets if target.state is TargetState.FAILED} == again
    assert {each.item.order for each in store.fallout(FalloutFilter(), limit=orders)} == again
    assert store.count_orders(OrderFilter())["completed"] == orders - len(again)
    for target in targets:
        events = [record.event for record in store.journal(target.order)]
        assert sum(isinstance(event, FalloutResolved) for event in events) == 1
    deeds = store.deeds(DeedFilter(what="retry"), limit=orders + 1)
    assert Counter(each.deed.order for each in deeds) == Counter(target.order for target in targets)
    # it was under way when its processes were killed: else the test would show nothing
    attempts = Counter((line["key"], line["attempt"]) for line in Log(folder / "calls.log").lines())
    assert any(number > 1 for (_key, attempt), number in attempts.items() if attempt == 2)
    store.close()
