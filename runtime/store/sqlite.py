"""The embedded store: one SQLite file, durable at every commit (`synchronous=FULL`), one worker, any number of readers
and of programs that put requests into the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from orderloom.models.inventory import Inventory
from orderloom.models.journal import TimerKind
from orderloom.models.plan import OrderState
from orderloom.runtime.store.assigning import SqliteAssigning
from orderloom.runtime.store.auditing import SqliteAudit
from orderloom.runtime.store.bulk import SqliteBulk
from orderloom.runtime.store.bulk_sending import SqliteBulkSending
from orderloom.runtime.store.bundles import SqliteBundles
from orderloom.runtime.store.calendars import SqliteCalendars
from orderloom.runtime.store.causes import SqliteCauses
from orderloom.runtime.store.clocks import SqliteClocks
from orderloom.runtime.store.codec import instant, maybe_instant, micros
from orderloom.runtime.store.committing import write_rows
from orderloom.runtime.store.controls import SqliteControls
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.deliveries import SqliteDeliveries
from orderloom.runtime.store.desk import SqliteDesk
from orderloom.runtime.store.errors import NotFound
from orderloom.runtime.store.event_codec import callout_from, event_from
from orderloom.runtime.store.facts import SqliteFacts
from orderloom.runtime.store.gates import SqliteGates
from orderloom.runtime.store.histories import SqliteHistories
from orderloom.runtime.store.identity import SqliteIdentity
from orderloom.runtime.store.interface import Sealing
from orderloom.runtime.store.loading import load_inventory, load_states
from orderloom.runtime.store.opening import clean_errors, path_of
from orderloom.runtime.store.records import Batch, InboxEvent, PendingCall, Timer
from orderloom.runtime.store.requests import SqliteRequests
from orderloom.runtime.store.rows import rows_of
from orderloom.runtime.store.views import (
    AssetFilter,
    AssetView,
    AttemptView,
    JournalRecord,
    OrderFilter,
    OrderView,
    PoisonedView,
    PublishedEvent,
    TaskView,
    WorkFilter,
    WorkItem,
)
from orderloom.runtime.store.wanted import SqliteWanted
from orderloom.runtime.store.watches import SqliteWatches
from orderloom.runtime.store.work_notes import SqliteWorkNotes

if TYPE_CHECKING:
    from orderloom.runtime.store.queries import Queries


def open_store(url: str) -> SqliteStore:
    """Opens the store that a URL (`sqlite:///PATH`) or a bare path names; makes it where it is missing.

    Raises StoreUnsupported, StoreTooNew, StoreDamaged, StoreBusy, StoreError.
    """
    return SqliteStore(path_of(url))


#: of orders: 0 highest … 4
PRIORITIES = 5
_INBOX = "id, order_id, event, priority, received_at"


def _inbox_event(row: tuple[int, str, bytes, int, int]) -> InboxEvent:
    id, order, event, priority, received_at = row
    return InboxEvent(id=id, order=order, event=event_from(event), priority=priority, received_at=instant(received_at))


class _Sealing:
    def __init__(self, database: Database, met: int) -> None:
        self._database = database
        self._met = met

    def seal(self) -> int:
        self._database.seal()
        return self._met


class SqliteStore(
    SqliteBundles,
    SqliteRequests,
    SqliteDesk,
    SqliteAssigning,
    SqliteWorkNotes,
    SqliteGates,
    SqliteHistories,
    SqliteAudit,
    SqliteIdentity,
    SqliteDeliveries,
    SqliteFacts,
    SqliteClocks,
    SqliteCalendars,
    SqliteWatches,
    SqliteCauses,
    SqliteWanted,
    SqliteBulk,
    SqliteBulkSending,
    SqliteControls,
):
    """A `Store` in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self._data_version = -1

    @property
    def path(self) -> Path:
        return self._database.path

    @cached_property
    def _queries(self) -> Queries:
        # SQLAlchemy takes 100 ms to import; a worker without screens does without
        from orderloom.runtime.store.queries import Queries

        return Queries(self.path)

    # --- screens -----------------------------------------------------------------------------------------------------

    def order(self, order: str) -> OrderView:
        return self._queries.order(order)

    def orders(self, where: OrderFilter, limit: int = 100, before: int | None = None) -> list[OrderView]:
        return self._queries.orders(where, limit, before)

    def count_orders(self, where: OrderFilter) -> dict[str, int]:
        return self._queries.count_orders(where)

    def state(self, order: str) -> OrderState:
        found = self.load((order,))
        if not found:
            raise NotFound(f"there is no order `{order}`")
        return found[0]

    def tasks(self, states: Sequence[str], limit: int = 100) -> list[TaskView]:
        return self._queries.tasks(tuple(states), limit)

    def journal(self, order: str, after: int = 0, limit: int = 1000) -> list[JournalRecord]:
        return self._queries.journal(order, after, limit)

    def work_item(self, work: int) -> WorkItem:
        return self._queries.work_item(work)

    def work(self, where: WorkFilter, limit: int = 100, offset: int = 0) -> list[WorkItem]:
        return self._queries.work(where, limit, offset)

    def count_work(self, where: WorkFilter) -> dict[str, int]:
        return self._queries.count_work(where)

    def attempts(self, order: str, task: str = "") -> list[AttemptView]:
        return self._queries.attempts(order, task)

    def inventory(self, account: str) -> Inventory:
        with self._database.snapshot() as reader:
            return load_inventory(reader, account, micros(datetime.now(UTC)) or 0)

    def assets(self, where: AssetFilter, limit: int = 100, after: str = "") -> list[AssetView]:
        return self._queries.assets(where, limit, after)

    def events(self, after: int = 0, limit: int = 1000, order: str = "") -> list[PublishedEvent]:
        return self._queries.events(after, limit, order)

    def last_event(self) -> int:
        return self._queries.last_event()

    def poisoned(self) -> list[PoisonedView]:
        return self._queries.poisoned()

    # --- the worker --------------------------------------------------------------------------------------------------

    def lock_worker(self) -> None:
        self._database.lock_worker()

    def worker_runs(self) -> bool:
        return self._database.worker_runs()

    def load(self, orders: Sequence[str]) -> list[OrderState]:
        with self._database.snapshot() as reader:
            return load_states(reader, orders)

    def inbox(self, after: int, limit: int) -> list[InboxEvent]:
        with self._database.snapshot() as reader:
            rows = reader.execute(
                f"SELECT {_INBOX} FROM inbox WHERE refused IS NULL AND id > ? ORDER BY id LIMIT ?",
                (after, limit),
            ).fetchall()
        return [_inbox_event(row) for row in rows]

    def inbox_of_each(self, after: Sequence[int], limit: int) -> list[InboxEvent]:
        query = f"SELECT {_INBOX} FROM inbox WHERE refused IS NULL AND priority = ? AND id > ? ORDER BY id LIMIT ?"
        with self._database.snapshot() as reader:
            rows = [row for each, last in enumerate(after) for row in reader.execute(query, (each, last, limit))]
        return [_inbox_event(row) for row in rows]

    def inbox_may_have_changed(self) -> bool:
        former, self._data_version = self._data_version, self._database.data_version()
        return former != self._data_version

    def timers(self, until: datetime, limit: int) -> list[Timer]:
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT order_id, task, kind, attempt, due, (SELECT priority FROM orders WHERE id = order_id) "
                "FROM timers WHERE due <= ? ORDER BY due LIMIT ?",
                (micros(until), limit),
            ).fetchall()
        return [
            Timer(
                order=order, task=task, kind=TimerKind(kind), attempt=attempt, due=instant(due), priority=priority or 0
            )
            for order, task, kind, attempt, due, priority in rows
        ]

    def next_timer(self) -> datetime | None:
        with self._database.snapshot() as reader:
            return maybe_instant(reader.execute("SELECT min(due) FROM timers").fetchone()[0])

    def pending_connectors(self) -> list[str]:
        with self._database.snapshot() as reader:
            return [name for (name,) in reader.execute("SELECT DISTINCT connector FROM outbox ORDER BY connector")]

    def pending_calls(self, connector: str, limit: int) -> list[PendingCall]:
        with self._database.snapshot() as reader:
            rows = [
                row
                for priority in range(PRIORITIES)
                for row in reader.execute(
                    "SELECT order_id, task, priority, held, design, key, operation, attempt, context, since "
                    "FROM outbox WHERE connector = ? AND priority = ? ORDER BY since, order_id, task LIMIT ?",
                    (connector, priority, limit),
                )
            ]
        return [
            PendingCall(
                order=order,
                task=task,
                connector=connector,
                callout=callout_from(key, operation, attempt, context),
                priority=priority,
                held=held,
                design=design,
                since=instant(since),
            )
            for order, task, priority, held, design, key, operation, attempt, context, since in rows
        ]

    def commit(self, batch: Batch) -> int:
        return self.write(batch).seal()

    def write(self, batch: Batch) -> Sealing:
        rows = rows_of(batch)
        writer = self._database.begin()
        try:
            with clean_errors(self.path):
                met = write_rows(writer, rows)
        except BaseException:
            self._database.roll_back()
            raise
        return _Sealing(self._database, met)

    def close(self) -> None:
        if "_queries" in self.__dict__:
            self._queries.close()
        self._database.close()
