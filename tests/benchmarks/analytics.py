"""Reports over a million orders: their facts are added as counting adds them, from made-up histories of a year."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from orderloom.models.tasks import TaskKind
from orderloom.runtime.analytics.counting import CAUSE, Counted
from orderloom.runtime.analytics.duty import SHARE
from orderloom.runtime.analytics.periods import Period, periods
from orderloom.runtime.analytics.reports import REPORTS, Question
from orderloom.runtime.analytics.rollup import ROWS, count_some
from orderloom.runtime.store.facts import FactKey, Tally
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.worker.worker import Worker
from tests.runtime.worker.making import Instant, call, design, order, programs, submit, task

END = datetime(2026, 3, 1, 12, tzinfo=UTC)
_PRODUCTS = tuple(f"Product{number}" for number in range(5))
_STEPS = tuple(f"Plan{number % 3}.step{number}" for number in range(8))
_CAUSES = tuple(f"ERROR_{number}" for number in range(12))
_QUEUES = ("field", "noc", "desk", "billing")


def run(quick: bool) -> list[tuple[str, str, str, str]]:
    orders = 20_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "orders.db"))
        began = time.perf_counter()
        made = facts = 0.0
        for month in range(12):
            start = time.perf_counter()
            counted = _history(orders // 12, month)
            made += time.perf_counter() - start
            facts += len(counted.facts)
            _keep(store, counted)
        took = time.perf_counter() - began
        size = (Path(folder) / "orders.db").stat().st_size / 1e6
        rows: list[tuple[str, str, str, str]] = [
            (
                f"facts of {orders:,} orders in a year",
                f"{took:.0f} s",
                "",
                f"{made:.0f} s to make them up, {took - made:.0f} s to keep {facts:,.0f} of them, {size:.0f} MB",
            )
        ]
        for period, last in ((Period.DAY, 14), (Period.MONTH, 6)):
            times = {name: _seconds(store, name, period, last) for name in REPORTS}
            slowest = max(times, key=lambda name: times[name])
            rows.append(
                (
                    f"  slowest report, {last} {period}s and those before",
                    f"{times[slowest]:.2f} s",
                    "1 s" if period is Period.DAY else "5 s",
                    ", ".join(f"{name} {seconds:.2f}" for name, seconds in times.items()),
                )
            )
        store.close()
    return [*rows, _counting(200 if quick else 3_000)]


def _seconds(store: SqliteStore, name: str, period: Period, last: int) -> float:
    began = time.perf_counter()
    spans = periods(period, 2 * last, END, ZoneInfo("Europe/Vienna"))
    table = REPORTS[name](Question(store=store, spans=spans, window=last, product="", now=END, queues=None))
    if not table.rows:
        raise RuntimeError(f"report {name} is empty")
    return time.perf_counter() - began


def _history(orders: int, month: int) -> Counted:
    """A twelfth of the year before `END`."""
    chance = random.Random(month)
    counted = Counted()
    twelfth = int(timedelta(days=365) / timedelta(microseconds=1)) // 12
    end = int(END.timestamp()) * 1_000_000 - month * twelfth
    for _ in range(orders):
        at = end - int(chance.random() * twelfth)
        product = (chance.choice(_PRODUCTS),)
        counted.add("order.submitted", "", at, product)
        start = at
        for step in _STEPS:
            span = int(chance.lognormvariate(20, 2))
            at += span
            counted.add("task.done", step, at, product, span)
        if chance.random() < 0.1:
            step = chance.choice(_STEPS)
            queue = chance.choice(_QUEUES)
            counted.add("task.fell", step, at, product)
            counted.add("cause", chance.choice(_CAUSES) + CAUSE + step, at, product)
            counted.add("order.fell", "", at, product)
            counted.add("work.done", queue, at, product, int(chance.lognormvariate(22, 1)))
            counted.add(chance.choice(("work.in_time", "work.in_time", "work.late")), queue, at, product)
            counted.add("hand.retry", step, at, product)
        else:
            counted.add("order.right", "", at, product)
        counted.add("order.completed", "", at, product, at - start)
    return counted


def _keep(store: SqliteStore, counted: Counted) -> None:
    facts = sorted(counted.facts.items())
    for start in range(0, len(facts), 20_000):
        part: dict[FactKey, Tally] = dict(facts[start : start + 20_000])
        position = store.journal_slice(1).position
        if not store.keep_facts("journal", position, position + 1, part):
            raise RuntimeError("somebody else counts")


def _counting(orders: int) -> tuple[str, str, str, str]:
    """What it costs to count real journals."""
    made = design([call("first"), call("second", "first"), task("over", TaskKind.MILESTONE, "second")])
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "orders.db"))

        async def work() -> None:
            worker = Worker(store, programs(made), lambda _digest, _name: Instant())
            submit(store, made, *(order(number) for number in range(orders)))
            await worker.run_until_idle(600)
            worker.close()

        asyncio.run(work())
        rows = store.uncounted()
        began = time.perf_counter()
        while count_some(store, ROWS):
            pass
        took = time.perf_counter() - began
        store.close()
    return (
        "counting real journals",
        f"{rows / took:,.0f} rows/s",
        "",
        f"{took / rows * 1e6:.0f} µs a row of the journal, at most {SHARE:.0%} of the worker's time",
    )
