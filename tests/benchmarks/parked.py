"""What orders cost that only wait: memory and start-up of a worker beside 100,000 orders with an open manual task."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_PARK = """
import asyncio, sys
from orderloom.models.tasks import TaskKind
from orderloom.runtime.store.sqlite import open_store
from orderloom.runtime.worker.worker import Worker
from tests.runtime.worker.making import Instant, call, design, order, programs, submit, task
path, orders = sys.argv[1], int(sys.argv[2])
manual = design([call("first"), task("visit", TaskKind.MANUAL, "first", queue="field"), call("last", "visit")])
store = open_store(path)
async def park():
    worker = Worker(store, programs(manual), lambda _digest, _name: Instant())
    for first in range(0, orders, 5000):
        submit(store, manual, *(order(number) for number in range(first, min(first + 5000, orders))))
        await worker.run_until_idle(600)
    worker.close()
asyncio.run(park())
store.close()
"""

_START = """
import time
start = time.perf_counter()
import asyncio, json, sys
from orderloom.models.journal import WorkCompleted
from orderloom.models.tasks import TaskKind
import orderloom.runtime.runtime  # what a worker of the command line has in memory too
from orderloom.runtime.store.sqlite import open_store
from orderloom.runtime.store.views import OrderFilter, WorkFilter
from orderloom.runtime.worker.worker import Worker
from tests.runtime.worker.making import NOW, Instant, call, design, programs, task
imported = time.perf_counter() - start
manual = design([call("first"), task("visit", TaskKind.MANUAL, "first", queue="field"), call("last", "visit")])
store = open_store(sys.argv[1])
def memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))
async def run():
    worker = Worker(store, programs(manual), lambda _digest, _name: Instant())
    await worker.run_until_idle(600)
    ready = time.perf_counter() - start
    resident = memory()
    for item in store.work(WorkFilter(queue="field"), limit=1):
        moment = time.perf_counter()
        store.post(item.order, WorkCompleted(task=item.task, by="ada"), NOW)
        await worker.run_until_idle(600)
        completed = time.perf_counter() - moment
    worker.close()
    print(json.dumps({"imported": imported, "ready": ready, "resident": resident, "completed": completed,
                      "after": memory(), "counts": store.count_orders(OrderFilter())}))
asyncio.run(run())
store.close()
"""


def run(quick: bool) -> list[tuple[str, str, str, str]]:
    orders = 2_000 if quick else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.db"
        _python(_PARK, str(path), str(orders))
        size = path.stat().st_size / 1e6
        found = json.loads(_python(_START, str(path)))
    if sum(found["counts"].values()) != orders or found["counts"].get("completed") != 1:
        raise RuntimeError(f"expected {orders} orders, one of them completed, found {found['counts']}")
    return [
        (
            f"{orders:,} parked orders: memory of the worker",
            f"{found['resident']:.0f} MB",
            "200 MB",
            f"{size:.0f} MB on disk; {found['after']:.0f} MB with the screens' library, after one was completed",
        ),
        (
            f"{orders:,} parked orders: start-up",
            f"{found['ready']:.2f} s",
            "3 s",
            f"of it imports {found['imported']:.2f} s; {os.cpu_count()} cores",
        ),
        ("  completing one of them", f"{found['completed'] * 1000:.0f} ms", "", "post, two steps, two commits"),
    ]


def _python(code: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout
