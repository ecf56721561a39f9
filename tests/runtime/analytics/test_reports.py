"""Reports on the host's face: who may see what, what there is not, and the worker that counts beside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.access.principals import Principal
from orderloom.runtime.analytics import duty
from orderloom.runtime.analytics.duty import Counting
from orderloom.runtime.clock import VirtualClock
from orderloom.runtime.errors import Forbidden, NotPossible
from orderloom.runtime.store.sqlite import open_store
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.analytics.test_facts import START, TWO, crate, store_of
from tests.runtime.face.parcels import box

SEES = frozenset({Permission.ANALYTICS_VIEW})


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def runtime(tmp_path: Path, clock: VirtualClock) -> Iterator[SyncRuntime]:
    with SyncRuntime(tmp_path / "home", clock=clock) as runtime:
        runtime.deploy(TWO)
        yield runtime


def test_queues_are_seen_by_those_who_see_them(runtime: SyncRuntime, clock: VirtualClock) -> None:
    runtime.submit(box())
    runtime.run_until_idle()
    clock.advance(timedelta(hours=5))
    (row,) = runtime.report("queues").rows
    assert row[:5] == ("packers", 1, 1, 1, 18_000.0)
    # by age: under 1 h, 4 h, 1 d, 1 w, older
    assert row[5:10] == (0, 0, 1, 0, 0)
    other = runtime.bound(Principal(name="eve", permissions=SEES, queues=frozenset({"trouble"})))
    assert other.report("queues").rows == ()
    assert other.report("sla").rows == ()
    mine = runtime.bound(Principal(name="ada", permissions=SEES, queues=frozenset({"packers"})))
    assert len(mine.report("queues").rows) == 1


def test_facts_of_all_accounts_are_not_for_those_of_some(runtime: SyncRuntime) -> None:
    with pytest.raises(Forbidden):
        runtime.bound(Principal(name="cleo", permissions=SEES, accounts=frozenset({"A-1"}))).report("summary")
    with pytest.raises(Forbidden):
        runtime.bound(Principal(name="dan", permissions=frozenset())).report("summary")


def test_what_there_is_not_is_refused(runtime: SyncRuntime) -> None:
    with pytest.raises(NotPossible, match="take one of summary, throughput"):
        runtime.report("weather")
    with pytest.raises(NotPossible, match="take 1 to 1000"):
        runtime.report("summary", last=0)
    with pytest.raises(NotPossible, match="no such period"):
        runtime.report("summary", until=datetime(1, 1, 2))
    for period, zone in (("year", ""), ("day", "Mars/Base"), ("day", "../etc/passwd")):
        with pytest.raises(NotPossible, match="no such period or time zone"):
            runtime.report("summary", period=period, zone=zone)


def test_a_time_without_a_zone_is_of_the_zone_of_the_report(runtime: SyncRuntime) -> None:
    for zone in ("America/New_York", "Pacific/Auckland"):
        found = runtime.report("throughput", last=1, until=datetime(2026, 3, 12), zone=zone)
        assert [row[0] for row in found.rows] == ["2026-03-12"]


def test_windows_are_compared(runtime: SyncRuntime, clock: VirtualClock) -> None:
    for number in (3, 1, 2):
        for _ in range(number):
            runtime.submit(crate())
        runtime.run_until_idle()
        clock.advance(timedelta(days=1))
    until = clock.now() - timedelta(days=1)
    found = runtime.report("throughput", last=2, until=until)
    assert [row[:3] for row in found.rows] == [("2026-03-29", 1, 1), ("2026-03-30", 2, 2)]
    assert [row[-1] for row in found.rows] == [None, 1.0]
    (submitted, _) = found.figures
    assert (submitted.now, submitted.before) == (3, 3)
    summary = {row[0]: row for row in runtime.report("summary", last=1, until=until).rows}
    assert summary["orders completed"][2:] == (2, 1, 1.0, (2,))
    assert summary["first time right"][2] == 1.0


def test_the_worker_counts_beside_its_orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SyncRuntime(tmp_path / "home", clock=VirtualClock(START)) as runtime:
        runtime.deploy(TWO)
        for _ in range(5):
            runtime.submit(crate())
        runtime.run_until_idle()
        path = store_of(runtime).path
    monkeypatch.setattr(duty, "PAUSE", 0.0)
    store = open_store(str(path))
    assert store.uncounted() > 0

    async def run() -> None:
        counting = Counting(store)
        patience = time.monotonic() + 20
        while store.uncounted() and time.monotonic() < patience:
            # it never keeps the worker from coming to rest
            assert not counting.attend(START)
            assert not counting.busy
            await asyncio.sleep(0.005)
        counting.attend(START)
        await counting.close(1)

    asyncio.run(run())
    assert store.uncounted() == 0
    store.close()
