"""Failed tasks with clocks of split seconds, and watch rules over them, while their processes are killed:
`python -m tests.faults.timing FOLDER ORDERS KILLS SEED`.
"""

from __future__ import annotations

import asyncio
import random
import sys
from functools import partial
from pathlib import Path

from orderloom.runtime import Runtime
from tests.faults.lives import killed, lived
from tests.faults.load import Log
from tests.runtime.sla.storms import DESIGN, box, bundle

ACCOUNTS = 3
RULES = (
    "watch storm { when 2 failures of depot within 200ms per account  do notify noc, raise priority }",
    'watch late { when 5 breaches of trouble within 1h  do open work in duty "Look after the depot" }',
)
#: late work goes to one queue, then to another
QUEUES = """\
queue trouble fallout { sla 300ms warn at 50%  escalate to worse }
queue worse fallout { sla 200ms warn at 50%  escalate to worst }
queue worst fallout { }
queue duty { }
"""


def files() -> dict[str, str]:
    found = bundle(*RULES)
    old = "queue trouble fallout { sla 2h warn at 50% }\nqueue duty { sla 1h }\n"
    assert old in DESIGN
    return {**found, "design.loom": found["design.loom"].replace(old, QUEUES)}


async def live(folder: Path, goal: int, *, forever: bool) -> None:
    acknowledged = Log(folder / "acknowledged.log")
    async with await Runtime.open(folder / "home") as runtime:
        await runtime.deploy(files())
        stop = asyncio.Event()
        running = asyncio.create_task(runtime.run_forever(stop))
        known = {line["number"] for line in acknowledged.lines()}
        for number in range(goal):
            if number not in known:
                await runtime.submit(box(15, f"A-{number % ACCOUNTS}"), idempotency_key=f"K-{number}")
                acknowledged.write({"number": number})
                await asyncio.sleep(0.003)
        while forever or not await over(runtime, goal):
            await asyncio.sleep(0.05)
            if running.done():
                running.result()
        stop.set()
        await running


async def over(runtime: Runtime, goal: int) -> bool:
    """Whether all of it has gone as far as it goes."""
    return len(await runtime.work(queue="worst", limit=10_000)) == goal


def main() -> None:
    folder, orders, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    chance = random.Random(seed)
    for life in range(kills):
        goal = orders * (life + 1) // (kills + 1)
        killed(partial(live, folder, goal, forever=True), life, chance, 0.1, 0.6)
    sys.exit(lived(partial(live, folder, orders, forever=False)))


if __name__ == "__main__":
    main()
