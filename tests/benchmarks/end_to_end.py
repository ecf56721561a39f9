"""Orders from submission to completion on SQLite with `synchronous=FULL`, one commit before each effect.

Two systems stand at the other end: one of a single line that answers at once, so that what is measured is the engine,
the store and the worker; and the simulator that is shipped, for which each request is rendered by its template and each
answer read by its response template. A transition is one legal edge that a task took, as the journal names it; a step
is one event applied, which is one version of an order and one journal row.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from orderloom.connectors.options import Options
from orderloom.connectors.protocol import Connector
from orderloom.connectors.simulator import Script, SimulatorConnector
from orderloom.models.design import Design
from orderloom.models.integration import Template
from orderloom.models.tasks import TaskDefinition
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import OrderFilter
from orderloom.runtime.worker.totals import Totals
from orderloom.runtime.worker.worker import Worker
from tests.runtime.worker.making import Instant, call, design, order, programs, submit

Rows = list[tuple[str, str, str, str]]

CORES = os.cpu_count()

REQUEST = """\
POST /parcels HTTP/1.1
Content-Type: application/json

{"serial": {{ line.serial }}, "order": {{ order.id }}, "account": {{ account.id }}, "attempt": {{ task.attempt }}}
"""
RESPONSE = """\
outcome: {{ "completed" if status == 201 else "failed" }}
set:
  ref: {{ body.parcel.ref }}
code: {{ body.error.code | default(none) }}
"""
SCRIPT = {"shop.sell": {"status": 201, "body": {"parcel": {"ref": "R-{{ request.serial }}"}}}}

#: the system at the other end, for a design
Open = Callable[[Design], Connector]


def instant(_design: Design) -> Connector:
    return Instant()


def simulated(design: Design) -> Connector:
    return SimulatorConnector(
        design.connectors["shop"], Options(), design.operations, design.enums, script=Script.parse(SCRIPT)
    )


def with_templates(design: Design) -> Design:
    """The same design with templates for its operation."""
    sell = replace(
        design.operations["shop.sell"],
        request=Template(path="sell.http.j2", text=REQUEST),
        response=Template(path="sell.yaml.j2", text=RESPONSE),
    )
    return replace(design, operations={sell.name: sell})


class Measured(NamedTuple):
    seconds: float
    #: seconds of processor time, all threads; what is left when other programs want the cores too
    processor: float
    totals: Totals


def run(quick: bool) -> Rows:
    orders, rounds = (100, 1) if quick else (1000, 5)
    throughput = [many(orders, 20, instant) for _ in range(rounds)]
    templates = [many(orders, 20, simulated) for _ in range(rounds)]
    alone = one_by_one(20 if quick else 200, tasks=10)
    rendered = statistics.median(each.totals.transitions / each.seconds for each in templates)
    dearer = statistics.median(each.processor / each.totals.callouts for each in templates) - statistics.median(
        each.processor / each.totals.callouts for each in throughput
    )
    edges = statistics.median(each.totals.transitions / each.seconds for each in throughput)
    steps = statistics.median(each.totals.events / each.seconds for each in throughput)
    finished = statistics.median(orders / each.seconds for each in throughput)
    per_commit = throughput[0].totals.events / throughput[0].totals.commits
    cost = statistics.median(each.processor / each.totals.events for each in throughput)
    per_second = statistics.median(each.totals.transitions / each.processor for each in throughput)
    note = f"{orders} orders at once, 20 tasks each, fsync on, {CORES} cores, median of {rounds}"
    return [
        ("durable task transitions", f"{edges:,.0f}/s", "10,000/s, beyond it 20,000/s", note),
        ("  the same as steps (journal rows)", f"{steps:,.0f}/s", "", f"{per_commit:.0f} a commit"),
        ("  the same as orders", f"{finished:,.0f}/s", "", ""),
        ("  processor time a step", f"{cost * 1e6:.0f} µs", "", f"{per_second:,.0f} transitions a processor second"),
        (
            "durable task transitions, simulator",
            f"{rendered:,.0f}/s",
            "10,000/s, beyond it 20,000/s",
            f"the same, with request and response templates: {dearer * 1e6:.0f} µs of processor time more a call",
        ),
        (
            "a 10-task order alone",
            f"{statistics.median(alone) * 1000:.1f} ms",
            "10 ms",
            f"11 commits one after the other; 90% within {sorted(alone)[len(alone) * 9 // 10] * 1000:.1f} ms; "
            f"a commit of one row alone takes {fsync() * 1000:.2f} ms here",
        ),
    ]


def many(orders: int, tasks: int, system: Open) -> Measured:
    """All orders are submitted, then run to their end."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "orders.db"))
        chain = with_templates(design(chain_of(tasks)))
        shop = system(chain)
        # one order beforehand: the design is compiled at first use
        submit(store, chain, order(0))

        async def run() -> Measured:
            worker = Worker(store, programs(chain), lambda _digest, _name: shop)
            await worker.run_until_idle(600)
            submit(store, chain, *(order(number) for number in range(1, orders + 1)))
            start, used = time.perf_counter(), time.process_time()
            totals = await worker.run_until_idle(600)
            seconds, processor = time.perf_counter() - start, time.process_time() - used
            worker.close()
            return Measured(seconds=seconds, processor=processor, totals=totals)

        measured = asyncio.run(run())
        _check(store, orders + 1)
        return measured


def one_by_one(orders: int, tasks: int) -> list[float]:
    """Seconds from the submission of each order to its completion, nothing else going on."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "orders.db"))
        chain = design(chain_of(tasks))

        async def run() -> list[float]:
            worker = Worker(store, programs(chain), lambda _digest, _name: Instant())
            seconds = []
            for number in range(orders):
                start = time.perf_counter()
                submit(store, chain, order(number))
                await worker.run_until_idle(600)
                seconds.append(time.perf_counter() - start)
            worker.close()
            return seconds[1:]

        seconds = asyncio.run(run())
        _check(store, orders)
        return seconds


def chain_of(tasks: int) -> list[TaskDefinition]:
    return [call("t0"), *(call(f"t{each}", f"t{each - 1}") for each in range(1, tasks))]


def fsync() -> float:
    """Seconds that the disk takes to make four kilobytes durable."""
    with tempfile.NamedTemporaryFile() as file:
        times = []
        for _ in range(50):
            start = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def _check(store: SqliteStore, orders: int) -> None:
    found = store.count_orders(OrderFilter())
    store.close()
    if found != {"completed": orders}:
        raise RuntimeError(f"expected {orders} completed orders, found {found}")
