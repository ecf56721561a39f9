"""A million inventory items in the store: loading them, finding what an account has, one order against it."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from orderloom.models.catalog import Action, Level
from orderloom.models.design import Design
from orderloom.models.inventory import EMPTY, AssetChange, AssetState
from orderloom.models.journal import Step, Submitted, WriteInventory
from orderloom.models.order import Account, OrderItem, ProductOrder
from orderloom.models.plan import OrderState
from orderloom.runtime.store.records import Applied, Batch, OrderCommit
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import AssetFilter
from orderloom.runtime.worker.worker import Worker
from tests.runtime.worker.making import NOW, Instant, call, design, order, programs, submit

Rows = list[tuple[str, str, str, str]]

#: items of one account: a product, what realises it, what it stands on
PER_ACCOUNT = 10
BATCH = 10_000


def run(quick: bool) -> Rows:
    items = 20_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.db"
        store = open_store(str(path))
        boxes = design([call("first")])
        submit(store, boxes, order(0, account="loader"))
        start = time.perf_counter()
        _load(store, items)
        loaded = time.perf_counter() - start
        size = path.stat().st_size + path.with_name(path.name + "-wal").stat().st_size
        accounts = items // PER_ACCOUNT
        chosen = [f"A-{number * 7919 % accounts}" for number in range(200)]
        query = [_timed(partial(_inventory, store, account)) for account in chosen]
        lists = [_timed(partial(store.assets, AssetFilter(account=account))) for account in chosen]
        seconds = asyncio.run(_orders(store, boxes, chosen[:100]))
        store.close()
    note = f"{items:,} items of {accounts:,} accounts, {os.cpu_count()} cores"
    return [
        ("inventory: loading", f"{items / loaded:,.0f} items/s", "", f"{note}, {size / items:,.0f} bytes an item"),
        (
            "  what an account has, for the core",
            f"{statistics.median(query) * 1e6:,.0f} µs",
            "",
            f"{PER_ACCOUNT} items",
        ),
        ("  the same as a list for a screen", f"{statistics.median(lists) * 1e6:,.0f} µs", "", ""),
        (
            "  an order against an account in it",
            f"{statistics.median(seconds) * 1000:.1f} ms",
            "",
            f"from submission to completion, 90% within {sorted(seconds)[len(seconds) * 9 // 10] * 1000:.1f} ms",
        ),
    ]


def _load(store: SqliteStore, items: int) -> None:
    """Writes the items as an order does, in the transactions of its commits."""
    (state,) = store.load(["ORD-000000"])
    changes: list[AssetChange] = []
    for change in _items(items):
        changes.append(change)
        if len(changes) == BATCH:
            _write(store, state, changes)
            changes = []
    if changes:
        _write(store, state, changes)


def _write(store: SqliteStore, state: OrderState, changes: list[AssetChange]) -> None:
    state.version += 1
    step = Step(entries=(), commands=(WriteInventory(changes=tuple(changes)),), lines=frozenset(), tasks=frozenset())
    applied = Applied(event=Submitted(inventory=EMPTY), at=NOW, step=step)
    store.commit(Batch(commits=[OrderCommit(state=state, sizes=(0, 0), applied=[applied])]))


def _items(items: int) -> Iterator[AssetChange]:
    for number in range(items):
        account, place = f"A-{number // PER_ACCOUNT}", number % PER_ACCOUNT
        product = place < PER_ACCOUNT // 2
        above = f"{account}:{place - PER_ACCOUNT // 2}"
        yield AssetChange(
            id=f"{account}:{place}" if product else f"Parcel@order:{account}:{place}",
            spec="Box" if product else "Parcel",
            level=Level.PRODUCT if product else Level.CUSTOMER_SERVICE,
            account=account,
            order="ORD-000000",
            state=AssetState.ACTIVE,
            attributes={"serial": f"S-{number}"} if product else {},
            users_added=frozenset() if product else frozenset((above,)),
        )


async def _orders(store: SqliteStore, boxes: Design, accounts: list[str]) -> list[float]:
    worker = Worker(store, programs(boxes), lambda _digest, _name: Instant())
    await worker.run_until_idle(60)
    seconds = []
    for number, account in enumerate(accounts, 1):
        start = time.perf_counter()
        submit(store, boxes, _change(number, account))
        await worker.run_until_idle(60)
        seconds.append(time.perf_counter() - start)
        status = store.order(f"ORD-{number:06d}").status
        if status != "completed":
            raise RuntimeError(f"order {number} of {account} is {status}")
    worker.close()
    return seconds


def _change(number: int, account: str) -> ProductOrder:
    """One more box, and the serial of one that is there."""
    wanted = replace(order(number), account=Account(id=account))
    changed = OrderItem(id="2", action=Action.MODIFY, spec="Box", product=f"{account}:0", attributes={"serial": "new"})
    return replace(wanted, items=(*wanted.items, changed))


def _timed(what: Callable[[], object]) -> float:
    start = time.perf_counter()
    what()
    return time.perf_counter() - start


def _inventory(store: SqliteStore, account: str) -> None:
    found = len(store.inventory(account).assets)
    if found != PER_ACCOUNT:
        raise RuntimeError(f"expected {PER_ACCOUNT} items, found {found}")
