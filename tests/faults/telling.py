"""One life of a worker that tells a webhook of its orders and counts them for analytics:
`python -m tests.faults.telling FOLDER URL ORDERS`.

It says `ready` once it works, and ends by itself when all orders are completed and everything is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orderloom.runtime.analytics import duty as counting
from orderloom.runtime.clock import SystemClock
from orderloom.runtime.notifications import pacing
from orderloom.runtime.notifications.duty import Notifications
from orderloom.runtime.notifications.senders import Senders
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.deliveries import Channel, DeliveryState
from orderloom.runtime.store.errors import Conflict
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import NewOrder, OrderFilter
from orderloom.runtime.worker.duties import Duty
from orderloom.runtime.worker.worker import Worker
from tests.runtime.worker.making import NOW, Instant, call, design, order, programs


def main() -> None:
    pacing.FIRST_PAUSE = timedelta(milliseconds=5)
    counting.PAUSE, counting.SHARE = 0.01, 0.5
    asyncio.run(live(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))


def opened(folder: Path) -> SqliteStore:
    return open_store(str(folder / "orders.db"))


def add_channel(store: SqliteStore, url: str) -> None:
    channel = Channel(name="crm", kind="webhook", settings={"url": url, "tries": 1000}, created_at=NOW)
    with contextlib.suppress(Conflict):
        store.add_channel(channel, Deed(at=NOW, who="root", what="add_channel", kind="channel"))


async def live(folder: Path, url: str, orders: int) -> None:
    store = opened(folder)
    made = design([call("first"), call("second", "first"), call("third", "second")])
    store.deploy(made.name, made.version, made.digest, {}, NOW)
    add_channel(store, url)
    duties: list[Duty] = [Notifications(store, Senders({}), SystemClock()), counting.Counting(store)]
    worker = Worker(store, programs(made), lambda _digest, _name: Instant(), duties=duties)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run_forever(stop))
    print("ready", flush=True)
    for number in range(orders):
        with contextlib.suppress(Conflict):
            store.submit([NewOrder(order=order(number), design=made.digest)], datetime.now(UTC))
        await asyncio.sleep(0.002)
    while (
        store.count_orders(OrderFilter()) != {"completed": orders}
        or store.untold()
        or store.deliveries((DeliveryState.WAITING,), limit=1)
    ):
        await asyncio.sleep(0.02)
        if running.done():
            running.result()
    stop.set()
    await running
    worker.close()
    store.close()


if __name__ == "__main__":
    main()
