"""What the outside asks of the worker: each request is a row in the inbox."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from orderloom.models.callout import Outcome
from orderloom.models.conversion import Json
from orderloom.models.journal import CallbackReceived, Event
from orderloom.models.order import OrderStatus
from orderloom.models.plan import PlanState
from orderloom.models.values import Value
from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.codec import dumps, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import Conflict, ExternalIdTaken, NotFound
from orderloom.runtime.store.event_codec import event_bytes
from orderloom.runtime.store.records import RequestState, Submission
from orderloom.runtime.store.routing import callback_message, route_callback, route_event
from orderloom.runtime.store.state_codec import order_bytes
from orderloom.runtime.store.views import NewOrder, WorkState
from orderloom.runtime.store.work import one, pending

_INBOX = (
    "INSERT INTO inbox (order_id, event, received_at, priority) "
    "VALUES (?1, ?2, ?3, coalesce((SELECT priority FROM orders WHERE id = ?1), 4))"
)
_NO_LINES = dumps(([], []))
_NO_REST = dumps({})


class SqliteRequests:
    """The `Requests` side of a store, but for work items."""

    _database: Database

    def submit(self, orders: Sequence[NewOrder], at: datetime, deed: Deed | None = None) -> None:
        now = micros(at)
        rows = [(new, order_bytes(new.order)) for new in orders]
        with self._database.transaction() as writer:
            for design in {new.design for new in orders}:
                if writer.execute("SELECT 1 FROM bundles WHERE digest = ?", (design,)).fetchone() is None:
                    raise NotFound(f"there is no bundle of digest `{design}`")
            seen: set[str] = set()
            seen_outside: set[str] = set()
            for new, _content in rows:
                id = new.order.id
                if id in seen or writer.execute("SELECT 1 FROM orders WHERE id = ?", (id,)).fetchone():
                    raise Conflict(f"order `{id}` exists already; give the new one another id")
                seen.add(id)
                _refuse_duplicate(writer, new.order.external_id, seen_outside)
            writer.executemany(
                "INSERT INTO orders (id, external_id, account, account_name, status, plan, priority, design, version,"
                " submitted_at, updated_at, rest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
                [
                    (
                        new.order.id,
                        new.order.external_id,
                        new.order.account.id,
                        new.order.account.name,
                        OrderStatus.ACKNOWLEDGED.value,
                        PlanState.NOT_STARTED.value,
                        new.order.priority,
                        new.design,
                        now,
                        now,
                        _NO_REST,
                    )
                    for new, _content in rows
                ],
            )
            writer.executemany(
                "INSERT INTO contents (order_id, content, outline, design) VALUES (?, ?, ?, ?)",
                [(new.order.id, content, _NO_LINES, new.design) for new, content in rows],
            )
            writer.executemany(
                "INSERT INTO documents (order_id, document) VALUES (?, ?)",
                [(new.order.id, new.document) for new in orders if new.document],
            )
            submission = event_bytes(Submission())
            writer.executemany(_INBOX, [(new.order.id, submission, now) for new, _content in rows])
            record(writer, deed)

    def document(self, order: str) -> bytes:
        with self._database.snapshot() as reader:
            row = reader.execute("SELECT document FROM documents WHERE order_id = ?", (order,)).fetchone()
        return bytes(row[0]) if row else b""

    def post(self, order: str, event: Event, at: datetime, deed: Deed | None = None) -> int:
        return self._ask(order, event_bytes(event), at, deed)

    def post_answer(self, work: int, events: Sequence[Event], at: datetime, deed: Deed | None = None) -> int:
        with self._database.transaction() as writer:
            item = one(writer, work)
            if item.state is not WorkState.RETURNED:
                raise Conflict(f"work item {work} does not wait for the owner of the order")
            if pending(writer, work):
                raise Conflict(f"what was answered for work item {work} waits to be taken up")
            number = 0
            for event in events:
                number = _number(writer.execute(_INBOX, (item.order, event_bytes(event), micros(at))).lastrowid)
            writer.execute("UPDATE work SET request = ? WHERE id = ?", (number, work))
            record(writer, deed, number)
            return number

    def start(
        self, order: str, by: str, reason: str, at: datetime, deed: Deed | None = None, *, force: bool = False
    ) -> int:
        return self._ask(order, event_bytes(Submission(by=by, reason=reason, force=force)), at, deed)

    def _ask(self, order: str, event: bytes, at: datetime, deed: Deed | None) -> int:
        with self._database.transaction() as writer:
            if writer.execute("SELECT 1 FROM orders WHERE id = ?", (order,)).fetchone() is None:
                raise NotFound(f"there is no order `{order}`")
            number = _number(writer.execute(_INBOX, (order, event, micros(at))).lastrowid)
            record(writer, deed, number)
            return number

    def request(self, number: int) -> tuple[RequestState, str]:
        with self._database.snapshot() as reader:
            row = reader.execute("SELECT refused FROM inbox WHERE id = ?", (number,)).fetchone()
        if row is None:
            return RequestState.APPLIED, ""
        return (RequestState.PENDING, "") if row[0] is None else (RequestState.REFUSED, str(row[0]))

    def post_callback(
        self,
        operation: str,
        correlation: str,
        outcome: Outcome,
        outputs: Mapping[str, Value],
        at: datetime,
        code: str = "",
        message: str = "",
        deed: Deed | None = None,
    ) -> int:
        found = callback_message(
            CallbackReceived(task="", outcome=outcome, outputs=outputs, code=code, message=message)
        )
        with self._database.transaction() as writer:
            record(writer, deed)
            return route_callback(writer, operation, correlation, found, micros(at) or 0)

    def post_event(self, name: str, payload: Mapping[str, Json], at: datetime, deed: Deed | None = None) -> int:
        with self._database.transaction() as writer:
            record(writer, deed)
            return route_event(writer, name, payload, micros(at) or 0)

    def forget_early(self, before: datetime) -> int:
        with self._database.transaction() as writer:
            instant = micros(before)
            writer.execute(
                "DELETE FROM early_members WHERE early IN (SELECT id FROM early WHERE received_at < ?)", (instant,)
            )
            return writer.execute("DELETE FROM early WHERE received_at < ?", (instant,)).rowcount

    def retry_poisoned(self, number: int, at: datetime, deed: Deed | None = None) -> int:
        with self._database.transaction() as writer:
            row = writer.execute("SELECT order_id, event FROM poisoned WHERE id = ?", (number,)).fetchone()
            if row is None:
                raise NotFound(f"no event {number} was set aside")
            writer.execute("DELETE FROM poisoned WHERE id = ?", (number,))
            request = _number(writer.execute(_INBOX, (*row, micros(at))).lastrowid)
            record(writer, deed, request)
            return request


def _refuse_duplicate(writer: sqlite3.Connection, external_id: str, seen: set[str]) -> None:
    """An external id names one order, but one that was rejected or cancelled may be submitted again under it."""
    if not external_id:
        return
    row = writer.execute(
        "SELECT id FROM orders WHERE external_id = ? AND external_id != '' AND status NOT IN ('rejected', 'cancelled')",
        (external_id,),
    ).fetchone()
    if row is not None:
        raise ExternalIdTaken(external_id, str(row[0]))
    if external_id in seen:
        raise ExternalIdTaken(external_id, "")
    seen.add(external_id)


def _number(found: int | None) -> int:
    assert found is not None
    return found
