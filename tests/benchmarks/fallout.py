"""Failed tasks by their causes, and a bulk of them, where a hundred thousand wait."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from orderloom.runtime.store.bulk_records import BulkAction, NewBulk
from orderloom.runtime.store.causes import FalloutFilter
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from tests.runtime.worker.making import NOW, design, order, submit

CONNECTORS, CODES, ORDERS = 12, 25, 1_000
_WORK = (
    "INSERT INTO work (order_id, task, kind, queue, title, form, due, priority, state, claimed_by, code, message, "
    "opened_at) VALUES (?, ?, 'fallout', ?, 'sell', CAST('[]' AS BLOB), NULL, ?, 'open', '', ?, ?, ?)"
)
_ATTEMPT = (
    "INSERT INTO attempts (order_id, task, attempt, key, connector, operation, outcome, code, message, at, exchange) "
    "VALUES (?, ?, 1, 'k', ?, ?, 'fatal', ?, '', ?, ?)"
)


def _fill(store: SqliteStore, number: int) -> None:
    made = design(())
    submit(store, made, *(order(each) for each in range(ORDERS)))
    start = int(NOW.timestamp()) * 1_000_000
    work, attempts = [], []
    for each in range(number):
        id, task, at = f"ORD-{each % ORDERS:06d}", f"{each}/Deliver.sell", start + each
        code = f"CODE_{each % CODES}"
        work.append((id, task, f"queue {each % 5}", each % 5, code, f"box {each} of `{id}` is locked", at))
        attempts.append((id, task, f"c{each % CONNECTORS}", f"c{each % CONNECTORS}.sell", code, at, b'{"status":409}'))
    with store._database.transaction() as writer:
        writer.executemany(_ATTEMPT, attempts)
        writer.executemany(_WORK, work)


def run(quick: bool) -> list[tuple[str, str, str, str]]:
    number = 10_000 if quick else 100_000
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "orders.db"))
        _fill(store, number)
        rows: list[tuple[str, str, str, str]] = []

        def measure(name: str, target: str, note: str, act: object) -> None:
            begin = perf_counter()
            assert callable(act)
            act()
            rows.append((name, f"{(perf_counter() - begin) * 1000:,.1f} ms", target, note))

        def classify() -> None:
            while store.classify():
                pass

        measure("causes looked up", "", f"{number:,} failed tasks, once each, beside other work", classify)
        groups = FalloutFilter()
        measure("groups of like errors", "100 ms", f"{CONNECTORS * CODES} of them", lambda: store.cause_groups(groups))
        own = FalloutFilter(queues=frozenset(("queue 1", "queue 2")))
        measure("  of one's own queues", "100 ms", "", lambda: store.cause_groups(own))
        one = FalloutFilter(group=7)
        measure("  tasks of one group", "20 ms", "the first hundred", lambda: store.fallout(one))
        everything = NewBulk(
            action=BulkAction.RETRY, where=FalloutFilter(), who="ada", start_at=NOW + timedelta(days=1), at_once=1
        )
        measure("a bulk started", "1 s", f"{number:,} targets frozen", lambda: store.start_bulk(everything, NOW))
        store.close()
    return rows
