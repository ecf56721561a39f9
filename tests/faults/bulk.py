"""Bulk interventions on failed tasks while their processes are killed:
`python -m tests.faults.bulk FOLDER ORDERS KILLS SEED`.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from orderloom.engine.program import Program, compile_design
from orderloom.models.callout import Answer, Callout, Outcome
from orderloom.models.design import Design
from orderloom.models.integration import Operation
from orderloom.runtime.bulk.duty import BulkDuty
from orderloom.runtime.store.bulk_records import BulkAction, BulkState, NewBulk
from orderloom.runtime.store.causes import FalloutFilter
from orderloom.runtime.store.opening import prepare
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import NewOrder, OrderFilter
from orderloom.runtime.worker.worker import Worker
from tests.faults.lives import killed, lived
from tests.faults.load import Log, share
from tests.runtime.worker.making import NOW, call, design, order


def bulk_design() -> Design:
    return design((call("sell"),))


class System:
    """Refuses each order once, and a quarter of them twice. What it answers follows from the request alone."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def call(self, _operation: Operation, callout: Callout) -> Answer:
        self._log.write({"key": callout.key, "attempt": callout.attempt})
        await asyncio.sleep(share(callout.key, callout.attempt, "pause") / 20_000)
        refusals = 2 if share(callout.key) < 25 else 1
        if callout.attempt <= refusals:
            return Answer(outcome=Outcome.FATAL, code="LOCKED", message=f"{callout.key} is locked")
        return Answer(outcome=Outcome.COMPLETED, outputs={"ref": callout.key})


class Library:
    """The one design."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def design(self, _digest: str) -> Design:
        return self._program.design

    def program(self, _digest: str) -> Program:
        return self._program


def started(store: SqliteStore, orders: int) -> bool:
    """Starts the bulk once all orders have fallen out."""
    if store.bulks():
        return True
    if len(store.fallout(FalloutFilter(), limit=orders + 1)) < orders:
        return False
    now = datetime.now(UTC)
    store.start_bulk(
        NewBulk(
            action=BulkAction.RETRY,
            where=FalloutFilter(code="LOCKED"),
            who="ada",
            start_at=now,
            at_once=40,
            pace=timedelta(microseconds=300),
        ),
        now,
    )
    return True


def ended(store: SqliteStore, orders: int) -> bool:
    return started(store, orders) and store.bulks()[0].state is BulkState.DONE


async def live(folder: Path, program: Program, orders: int, until: Callable[[SqliteStore, int], bool]) -> None:
    store = open_store(str(folder / "orders.db"))
    system = System(Log(folder / "calls.log"))
    worker = Worker(
        store,
        lambda _digest: program,
        lambda _digest, _name: system,  # type: ignore[arg-type, return-value]  # no more of one is asked
        duties=[BulkDuty(store, Library(program))],  # type: ignore[arg-type]
    )
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run_forever(stop))
    while not until(store, orders):
        await asyncio.sleep(0.01)
        if running.done():
            running.result()
    stop.set()
    await running
    worker.close()
    store.close()


def never(store: SqliteStore, orders: int) -> bool:
    started(store, orders)
    return False


def main() -> None:
    folder, orders, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    chance = random.Random(seed)
    program = compile_design(bulk_design())
    prepare(folder / "orders.db")
    store = open_store(str(folder / "orders.db"))
    made = program.design
    store.deploy(made.name, made.version, made.digest, {}, NOW)
    store.submit([NewOrder(order=order(number), design=made.digest) for number in range(orders)], NOW)
    assert store.count_orders(OrderFilter()) == {"acknowledged": orders}
    store.close()
    if code := lived(partial(live, folder, program, orders, started)):
        sys.exit(code)
    for life in range(kills):
        killed(partial(live, folder, program, orders, never), life, chance, 0.02, 0.12)
    sys.exit(lived(partial(live, folder, program, orders, ended)))


if __name__ == "__main__":
    main()
