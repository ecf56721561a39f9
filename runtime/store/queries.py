"""What screens read, by SQLAlchemy Core. Every list has an index that serves it, see the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, Select, case, create_engine, event, func, select, text
from sqlalchemy.exc import DBAPIError

from orderloom.models.inventory import AssetState
from orderloom.models.order import OrderStatus
from orderloom.models.plan import PlanState
from orderloom.runtime.store import schema
from orderloom.runtime.store.codec import instant, loads, maybe_instant
from orderloom.runtime.store.errors import NotFound
from orderloom.runtime.store.event_codec import entries_from, event_from, exchange_from, journal_event
from orderloom.runtime.store.opening import BUSY_TIMEOUT, translated
from orderloom.runtime.store.state_codec import asset_of, task_from
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
    WorkState,
)
from orderloom.runtime.store.work import COLUMNS, item_of

# Conditions of partial indexes, word for word as in the schema: only so does SQLite see that an index serves a query.
_EXTERNAL = text("orders.external_id != ''")
_UNDONE = text("work.state != 'done'")
_IN_TROUBLE = text("tasks.state IN ('fallout', 'failed', 'held')")
_TROUBLE = frozenset(("fallout", "failed", "held"))
_WORK = tuple(schema.work.c[name] for name in COLUMNS.split(", "))


class Queries:
    """Reads of one store, on connections of their own; any number of threads may read at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        url = f"sqlite:///file:{quote(str(path.absolute()))}?uri=true"
        self._engine: Engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT})
        event.listen(self._engine, "connect", _read_only)

    def close(self) -> None:
        self._engine.dispose()

    def _rows(self, query: Select[Any]) -> list[Any]:
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(query))
        except OverflowError:
            # a number beyond what SQLite can hold: no row has it
            return []
        except DBAPIError as error:
            raise translated(error.orig if isinstance(error.orig, Exception) else error, self._path) from error

    # --- orders ------------------------------------------------------------------------------------------------------

    def order(self, order: str) -> OrderView:
        rows = self._rows(_orders().where(schema.orders.c.id == order))
        if not rows:
            raise NotFound(f"there is no order `{order}`")
        return _order_view(rows[0])

    def orders(self, where: OrderFilter, limit: int, before: int | None) -> list[OrderView]:
        query = _matching_orders(_orders(), where).order_by(schema.orders.c.sequence.desc()).limit(limit)
        if before is not None:
            query = query.where(schema.orders.c.sequence < before)
        return [_order_view(row) for row in self._rows(query)]

    def count_orders(self, where: OrderFilter) -> dict[str, int]:
        column = schema.orders.c.status
        query = _matching_orders(select(column, func.count()), where).group_by(column)
        return {row[0]: row[1] for row in self._rows(query)}

    def tasks(self, states: tuple[str, ...], limit: int) -> list[TaskView]:
        table = schema.tasks.c
        query = select(table.order_id, table.id, table.data).where(table.state.in_(states))
        if _TROUBLE.issuperset(states):
            query = query.where(_IN_TROUBLE)
        return [_task_view(row) for row in self._rows(query.order_by(table.order_id, table.id).limit(limit))]

    def journal(self, order: str, after: int, limit: int) -> list[JournalRecord]:
        table = schema.journal.c
        query = (
            select(table.version, table.at, table.event, table.entries)
            .where(table.order_id == order, table.version > after)
            .order_by(table.version)
            .limit(limit)
        )
        return [
            JournalRecord(
                order=order,
                version=row[0],
                at=instant(row[1]),
                event=journal_event(row[2]),
                entries=entries_from(row[3]),
            )
            for row in self._rows(query)
        ]

    def attempts(self, order: str, task: str) -> list[AttemptView]:
        table = schema.attempts.c
        query = select(schema.attempts).where(table.order_id == order).order_by(table.id)
        if task:
            query = query.where(table.task == task)
        return [_attempt_view(row) for row in self._rows(query)]

    # --- people's work -----------------------------------------------------------------------------------------------

    def work_item(self, work: int) -> WorkItem:
        rows = self._rows(select(*_WORK).where(schema.work.c.id == work))
        if not rows:
            raise NotFound(f"there is no work item {work}")
        return item_of(rows[0])

    def work(self, where: WorkFilter, limit: int, offset: int) -> list[WorkItem]:
        table = schema.work.c
        undated_last = case((table.due.is_(None), 1), else_=0)
        query = _matching_work(select(*_WORK), where)
        query = query.order_by(table.priority, undated_last, table.due, table.id).limit(limit).offset(offset)
        return [item_of(row) for row in self._rows(query)]

    def count_work(self, where: WorkFilter) -> dict[str, int]:
        column = schema.work.c.queue
        query = _matching_work(select(column, func.count()), where).group_by(column)
        return {row[0]: row[1] for row in self._rows(query)}

    # --- inventory ---------------------------------------------------------------------------------------------------

    def assets(self, where: AssetFilter, limit: int, after: str) -> list[AssetView]:
        table = schema.inventory.c
        query = select(table.data, table.updated_at).where(table.id > after).order_by(table.id).limit(limit)
        if where.account:
            query = query.where(table.account == where.account)
        if where.accounts is not None:
            query = query.where(table.account.in_(where.accounts))
        if where.spec:
            query = query.where(table.spec == where.spec)
        if where.states:
            query = query.where(table.state.in_([AssetState(state).value for state in where.states]))
        return [AssetView(asset=asset_of(loads(row[0])), updated_at=instant(row[1])) for row in self._rows(query)]

    # --- feed --------------------------------------------------------------------------------------------------------

    def events(self, after: int, limit: int, order: str) -> list[PublishedEvent]:
        table = schema.published.c
        query = select(schema.published).where(table.sequence > after).order_by(table.sequence).limit(limit)
        if order:
            query = query.where(table.order_id == order)
        return [
            PublishedEvent(
                sequence=row.sequence, order=row.order_id, at=instant(row.at), kind=row.kind, data=loads(row.data)
            )
            for row in self._rows(query)
        ]

    def last_event(self) -> int:
        return int(self._rows(select(func.max(schema.published.c.sequence)))[0][0] or 0)

    def poisoned(self) -> list[PoisonedView]:
        return [
            PoisonedView(
                id=row.id,
                order=row.order_id,
                event=event_from(row.event),
                at=instant(row.at),
                message=row.message,
                traceback=row.traceback,
            )
            for row in self._rows(select(schema.poisoned).order_by(schema.poisoned.c.id))
        ]


def _read_only(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def _orders() -> Select[Any]:
    table = schema.orders.c
    bundle = schema.bundles.c
    return select(
        table.sequence,
        table.id,
        table.external_id,
        table.account,
        table.account_name,
        table.status,
        table.plan,
        table.priority,
        table.design,
        bundle.name,
        bundle.version.label("bundle_version"),
        table.version,
        table.submitted_at,
        table.updated_at,
        table.started_at,
        table.completed_at,
    ).join_from(schema.orders, schema.bundles, table.design == bundle.digest)


def _matching_orders(query: Select[Any], where: OrderFilter) -> Select[Any]:
    table = schema.orders.c
    if where.statuses:
        query = query.where(table.status.in_([OrderStatus(status).value for status in where.statuses]))
    if where.account:
        query = query.where(table.account == where.account)
    if where.accounts is not None:
        query = query.where(table.account.in_(where.accounts))
    if where.external_id:
        query = query.where(table.external_id == where.external_id, _EXTERNAL)
    if where.design:
        query = query.where(table.design == where.design)
    return query


def _matching_work(query: Select[Any], where: WorkFilter) -> Select[Any]:
    table = schema.work.c
    if where.states:
        query = query.where(table.state.in_([state.value for state in where.states]))
        if WorkState.DONE not in where.states:
            query = query.where(_UNDONE)
    if where.kinds:
        query = query.where(table.kind.in_([kind.value for kind in where.kinds]))
    if where.queue:
        query = query.where(table.queue == where.queue)
    if where.order:
        query = query.where(table.order_id == where.order)
    if where.claimed_by:
        query = query.where(table.claimed_by == where.claimed_by)
    if where.code:
        query = query.where(table.code == where.code)
    if where.queues is not None:
        query = query.where(table.queue.in_(sorted(where.queues)))
    if where.accounts is not None:
        orders = schema.orders.c
        theirs = select(orders.account).where(orders.id == table.order_id).scalar_subquery()
        query = query.where(theirs.in_(sorted(where.accounts)))
    return query


def _order_view(row: Any) -> OrderView:
    return OrderView(
        sequence=row.sequence,
        id=row.id,
        external_id=row.external_id,
        account=row.account,
        account_name=row.account_name,
        status=OrderStatus(row.status),
        plan=PlanState(row.plan),
        priority=row.priority,
        design=row.design,
        bundle=row.name,
        bundle_version=row.bundle_version,
        version=row.version,
        submitted_at=instant(row.submitted_at),
        updated_at=instant(row.updated_at),
        started_at=maybe_instant(row.started_at),
        completed_at=maybe_instant(row.completed_at),
    )


def _task_view(row: Any) -> TaskView:
    task = task_from(row.id, row.data)
    return TaskView(
        order=row.order_id,
        id=task.id,
        definition=task.definition,
        kind=task.kind.value,
        line=task.line,
        state=task.state.value,
        attempts=task.attempts,
        queue=task.queue,
        code=task.code,
        message=task.message,
        due=task.due,
    )


def _attempt_view(row: Any) -> AttemptView:
    return AttemptView(
        id=row.id,
        order=row.order_id,
        task=row.task,
        attempt=row.attempt,
        key=row.key,
        connector=row.connector,
        operation=row.operation,
        outcome=row.outcome,
        code=row.code,
        message=row.message,
        at=instant(row.at),
        exchange=None if row.exchange is None else exchange_from(row.exchange),
    )
