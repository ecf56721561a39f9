"""Work items as rows: read, checked for leases that have run out, and told in their history."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from orderloom.models.conversion import Json
from orderloom.models.journal import WorkKind
from orderloom.models.tasks import AssignMode
from orderloom.runtime.store.codec import dumps, loads, maybe_instant, micros
from orderloom.runtime.store.codec import instant as instant_of
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.state_codec import form_from
from orderloom.runtime.store.views import WorkItem, WorkState

COLUMNS = (
    "id, order_id, task, kind, queue, title, form, due, priority, state, claimed_by, code, message, opened_at, "
    "claimed_at, closed_at, assign, skills, lease"
)


class WorkEvent(StrEnum):
    """What happens to a work item."""

    OPENED = "opened"
    ASSIGNED = "assigned"
    CLAIMED = "claimed"
    RELEASED = "released"
    #: the one who had it did nothing until the lease ran out
    LAPSED = "lapsed"
    ESCALATED = "escalated"
    HANDED_OVER = "handedOver"
    #: to the owner of the order
    RETURNED = "returned"
    #: somebody has done it
    DONE = "done"
    #: its task went on without anybody
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkChange:
    """One row of an item's history."""

    work: int
    order: str
    at: datetime
    what: WorkEvent
    #: who did it, "" for the software
    by: str
    #: who has it since, "" for nobody
    holder: str
    #: in which it is since
    queue: str
    reason: str


#: beyond what SQLite can hold, there is nothing
_NUMBERS = range(-(1 << 63), 1 << 63)
_TOLD = (
    "INSERT INTO work_history (work, order_id, at, what, who, holder, queue, reason) "
    "SELECT id, order_id, ?, ?, ?, claimed_by, queue, ? FROM work WHERE id = ?"
)
_FREED = (
    "UPDATE work SET state = 'open', claimed_by = '', claimed_at = NULL, lease = NULL, request = NULL, "
    "former = claimed_by, seeking = assign != 'pull' OR EXISTS (SELECT 1 FROM queue_rules r WHERE r.queue = work.queue "
    "AND r.assign IS NOT NULL) WHERE id = ?"
)
#: what the holder asked for waits in the inbox
PENDING = "(request IS NOT NULL AND EXISTS (SELECT 1 FROM inbox i WHERE i.id = request AND i.refused IS NULL))"


def one(connection: sqlite3.Connection, work: int) -> WorkItem:
    """Raises NotFound."""
    row = None
    if work in _NUMBERS:
        row = connection.execute(f"SELECT {COLUMNS} FROM work WHERE id = ?", (work,)).fetchone()
    if row is None:
        raise NotFound(f"there is no work item {work}")
    return item_of(row)


def current(writer: sqlite3.Connection, work: int, at: datetime) -> WorkItem:
    """The item as it is at that instant: free, where the lease of the one who has it has run out. Raises NotFound."""
    item = one(writer, work)
    if item.state is WorkState.CLAIMED and item.lease is not None and item.lease <= at and not pending(writer, work):
        lapse(writer, item, at)
        return one(writer, work)
    return item


def pending(connection: sqlite3.Connection, work: int) -> bool:
    """Whether something that its holder asked for waits to be taken up."""
    return bool(connection.execute(f"SELECT {PENDING} FROM work WHERE id = ?", (work,)).fetchone()[0])


def lapse(writer: sqlite3.Connection, item: WorkItem, at: datetime) -> None:
    """Nobody has it any more."""
    free(writer, item.id)
    tell(writer, item.id, at, WorkEvent.LAPSED, reason=item.claimed_by)
    publish(writer, item, at, "work.lapsed", {"from": item.claimed_by})


def free(writer: sqlite3.Connection, work: int) -> None:
    """Open again, for anybody but, by the rules, the one who had it."""
    writer.execute(_FREED, (work,))


def tell(writer: sqlite3.Connection, work: int, at: datetime, what: WorkEvent, by: str = "", reason: str = "") -> None:
    """Adds to the item's history how it is now."""
    writer.execute(_TOLD, (micros(at), what, by, reason, work))


def publish(
    writer: sqlite3.Connection, item: WorkItem, at: datetime, kind: str, data: Mapping[str, Json] | None = None
) -> None:
    """Tells the world of a work item."""
    said = {"item": item.id, "task": item.task, "kind": str(item.kind), "queue": item.queue, "title": item.title}
    writer.execute(
        "INSERT INTO published (order_id, at, kind, data) VALUES (?, ?, ?, ?)",
        (item.order, micros(at), kind, dumps({**said, **(data or {})})),
    )


def untouched(item: WorkItem) -> None:
    """Raises Conflict where nobody can have it now."""
    match item.state:
        case WorkState.DONE:
            raise Conflict(f"work item {item.id} is done")
        case WorkState.HELD:
            raise Conflict(f"work item {item.id} is held: its task is paused")
        case WorkState.RETURNED:
            raise Conflict(f"work item {item.id} waits for the owner of the order")


def item_of(row: Any) -> WorkItem:
    """A work item from a row of `COLUMNS`."""
    (
        id, order, task, kind, queue, title, form, due, priority, state, by, code, message, opened, claimed, closed,
        assign, skills, lease,
    ) = row  # fmt: skip
    return WorkItem(
        id=id,
        order=order,
        task=task,
        kind=WorkKind(kind),
        queue=queue,
        title=title,
        form=form_from(form),
        due=maybe_instant(due),
        priority=priority,
        state=WorkState(state),
        claimed_by=by,
        code=code,
        message=message,
        opened_at=instant_of(opened),
        claimed_at=maybe_instant(claimed),
        closed_at=maybe_instant(closed),
        assign=AssignMode(assign),
        skills=tuple(loads(skills)),
        lease=maybe_instant(lease),
    )
