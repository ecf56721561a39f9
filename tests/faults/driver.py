"""Runs the load in child processes and kills them: `python -m tests.faults.driver FOLDER ORDERS KILLS SEED`.

The children are forked from one process that has everything imported, so that a life costs no start-up.
"""

from __future__ import annotations

import asyncio
import random
import sys
from functools import partial
from pathlib import Path

from orderloom.engine.program import Program, compile_design
from orderloom.runtime.store.opening import prepare
from orderloom.runtime.store.sqlite import open_store
from orderloom.runtime.store.views import OrderFilter
from orderloom.runtime.worker.worker import Worker
from tests.faults.lives import killed, lived
from tests.faults.load import Log, System, loaded_design, people, submit_up_to
from tests.runtime.worker.making import NOW


def main() -> None:
    folder, orders, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    chance = random.Random(seed)
    program = compile_design(loaded_design())
    prepare(folder / "orders.db")
    for life in range(kills):
        goal = orders * (life + 1) // (kills + 1)
        killed(partial(live, folder, program, goal, forever=True), life, chance, 0.005, 0.25)
    sys.exit(lived(partial(live, folder, program, orders, forever=False)))


async def live(folder: Path, program: Program, goal: int, *, forever: bool) -> None:
    """One life of a process: the worker, the people, and whoever submits orders."""
    store = open_store(str(folder / "orders.db"))
    design = program.design
    store.deploy(design.name, design.version, design.digest, {}, NOW)
    system = System(store, Log(folder / "calls.log"))
    worker = Worker(store, lambda _digest: program, lambda _digest, _name: system)  # type: ignore[arg-type, return-value]
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run_forever(stop))
    working = asyncio.create_task(people(store))
    await submit_up_to(store, design.digest, Log(folder / "acknowledged.log"), goal)
    while forever or store.count_orders(OrderFilter()) != {"completed": goal}:
        await asyncio.sleep(0.02)
        for task in (running, working):
            if task.done():
                task.result()
    stop.set()
    working.cancel()
    await running
    worker.close()
    store.close()


if __name__ == "__main__":
    main()
