"""Orders that are amended and cancelled in flight while their processes are killed:
`python -m tests.faults.changing FOLDER ORDERS KILLS SEED`.
"""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from orderloom.engine.program import Program, compile_design
from orderloom.models.design import Design
from orderloom.models.inventory import EMPTY
from orderloom.models.journal import AmendmentRequested, CancellationRequested, ChangeRequest
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.tasks import TaskKind
from orderloom.runtime.store.opening import prepare
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import OrderFilter
from orderloom.runtime.worker.worker import Worker
from tests.faults.lives import killed, lived
from tests.faults.load import Log, System, people, share, submit_up_to
from tests.runtime.worker.making import NOW, QUICK, call, design, operation, order, task

FINAL = frozenset(str(status) for status in OrderStatus if status.final)


def changed_design() -> Design:
    """Two calls that can be taken back, a person, a call that ends it."""
    tasks = (
        call("reserve", retry=QUICK, undo="shop.free"),
        call("build", "reserve", retry=QUICK, undo="shop.raze"),
        task("visit", TaskKind.MANUAL, "build", queue="field"),
        call("bill", "visit", retry=QUICK),
    )
    return design(tasks, operation("free"), operation("raze"))


def request(number: int) -> ChangeRequest | None:
    """What is asked of an order: a third are amended, a third cancelled."""
    wanted = order(number, boxes=1 + number % 2)
    if number % 3 == 0:
        return None
    if number % 3 == 1:
        return CancellationRequested(inventory=EMPTY, by="ada")
    return AmendmentRequested(order=amended(wanted), inventory=EMPTY, by="ada")


def amended(found: ProductOrder) -> ProductOrder:
    first, *rest = found.items
    return replace(found, items=(replace(first, attributes={"serial": "other"}), *rest))


async def change(store: SqliteStore, log: Log, number: int) -> None:
    """Asks for the changes, each when its order has come a different way."""
    asked = {line["order"] for line in log.lines()}
    while True:
        for each in range(number):
            wanted, id = request(each), f"ORD-{each:06d}"
            if wanted is None or id in asked:
                continue
            state = store.load([id])
            if not state or state[0].version < 2 + share(id) % 4:
                continue
            if not state[0].status.final:
                store.post(id, wanted, datetime.now(UTC))
            asked.add(id)
            log.write({"order": id})
        await asyncio.sleep(0.01)


async def live(folder: Path, program: Program, goal: int, *, forever: bool) -> None:
    store = open_store(str(folder / "orders.db"))
    made = program.design
    store.deploy(made.name, made.version, made.digest, {}, NOW)
    system = System(store, Log(folder / "calls.log"))
    worker = Worker(store, lambda _digest: program, lambda _digest, _name: system)  # type: ignore[arg-type, return-value]
    stop = asyncio.Event()
    tasks = [asyncio.create_task(worker.run_forever(stop)), asyncio.create_task(people(store))]
    await submit_up_to(store, made.digest, Log(folder / "acknowledged.log"), goal)
    tasks.append(asyncio.create_task(change(store, Log(folder / "asked.log"), goal)))
    rest = 0
    while forever or rest < 5:
        await asyncio.sleep(0.02)
        found = store.count_orders(OrderFilter())
        rest = rest + 1 if sum(found.values()) == goal and found.keys() <= FINAL else 0
        for each in tasks:
            if each.done():
                each.result()
    stop.set()
    for each in tasks[1:]:
        each.cancel()
    await tasks[0]
    worker.close()
    store.close()


def main() -> None:
    folder, orders, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    chance = random.Random(seed)
    program = compile_design(changed_design())
    prepare(folder / "orders.db")
    for life in range(kills):
        goal = orders * (life + 1) // (kills + 1)
        killed(partial(live, folder, program, goal, forever=True), life, chance, 0.02, 0.3)
    sys.exit(lived(partial(live, folder, program, orders, forever=False)))


if __name__ == "__main__":
    main()
