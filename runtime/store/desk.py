"""Who has which work item: taken for a while, given back, given to somebody, done, passed to another queue.

Opening and closing come from the core, with the batch. Each method is one transaction on the item as it is then, so
that an item is never with two people, however many processes work on the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orderloom.models.journal import Event, WorkKind
from orderloom.models.tasks import AssignMode, AssignRule
from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.codec import dumps, loads, maybe_instant, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.event_codec import event_bytes
from orderloom.runtime.store.views import WorkItem, WorkState
from orderloom.runtime.store.work import (
    COLUMNS,
    PENDING,
    WorkEvent,
    current,
    free,
    item_of,
    lapse,
    one,
    pending,
    publish,
    tell,
    untouched,
)

#: how long a work item stays with the one who claimed it, where its queue says nothing else
LEASE = timedelta(minutes=30)
#: items freed in one transaction
_CHUNK = 200

#: word for word as the index on it has it, so that SQLite sees that it serves
HELD = "state IN ('assigned', 'claimed')"
#: of orders: 0 highest … 4
PRIORITIES = 5
_SELECT = f"SELECT {COLUMNS} FROM work"
_INBOX = "INSERT INTO inbox (order_id, event, received_at, priority) SELECT id, ?, ?, priority FROM orders WHERE id = ?"
_CLAIMED = (
    "UPDATE work SET state = 'claimed', claimed_by = ?, claimed_at = ?, lease = ?, request = NULL, seeking = 0, "
    "former = '' WHERE id = ?"
)
_ASSIGNED = (
    "UPDATE work SET state = 'assigned', claimed_by = ?, claimed_at = NULL, lease = NULL, request = NULL, seeking = 0, "
    "former = '' WHERE id = ?"
)
_PASSED = (
    "UPDATE work SET queue = ?2, assign = ?3, skills = ?4, state = 'open', claimed_by = '', claimed_at = NULL, "
    "lease = NULL, request = NULL, former = '', seeking = ?3 != 'pull' OR EXISTS (SELECT 1 FROM queue_rules r "
    "WHERE r.queue = ?2 AND r.assign IS NOT NULL) WHERE id = ?1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody may be given next."""

    by: str
    kinds: tuple[WorkKind, ...]
    #: only of this queue, "" for any
    queue: str = ""
    #: only of these; None for all
    queues: frozenset[str] | None = None
    #: only of orders of these accounts; None for all
    accounts: frozenset[str] | None = None
    #: what they know; None where that is of no matter
    skills: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of one of many items."""

    item: int
    #: why it stayed as it was, "" where it did not
    refused: str = ""


class SqliteDesk:
    """The part of a store for those who work queues."""

    _database: Database

    def claim(self, work: int, by: str, at: datetime, deed: Deed | None = None) -> WorkItem:
        with self._database.transaction() as writer:
            item = current(writer, work, at)
            _theirs_or_nobodys(writer, item, by)
            _claim(writer, item, by, at)
            record(writer, deed)
            return one(writer, work)

    def claim_next(self, wish: Wish, at: datetime, deed: Callable[[WorkItem], Deed | None]) -> WorkItem | None:
        with self._database.transaction() as writer:
            item = _next(writer, wish)
            if item is None:
                return None
            _claim(writer, item, wish.by, at)
            record(writer, deed(item))
            return one(writer, item.id)

    def renew(self, work: int, by: str, at: datetime, deed: Deed | None = None) -> WorkItem:
        with self._database.transaction() as writer:
            item = current(writer, work, at)
            if item.state is not WorkState.CLAIMED or item.claimed_by != by:
                raise Conflict(_lost(writer, item, by))
            writer.execute("UPDATE work SET lease = ? WHERE id = ?", (micros(at + lease_of(writer, item.queue)), work))
            record(writer, deed)
            return one(writer, work)

    def unclaim(self, work: int, by: str, at: datetime, deed: Deed | None = None) -> WorkItem:
        with self._database.transaction() as writer:
            item = current(writer, work, at)
            if item.state not in (WorkState.CLAIMED, WorkState.ASSIGNED) or item.claimed_by != by:
                raise Conflict(_lost(writer, item, by))
            _settled(writer, item)
            free(writer, work)
            tell(writer, work, at, WorkEvent.RELEASED, by)
            record(writer, deed)
            return one(writer, work)

    def assign(self, work: int, to: str, at: datetime, deed: Deed) -> WorkItem:
        with self._database.transaction() as writer:
            _assign(writer, current(writer, work, at), to, at, deed)
            return one(writer, work)

    def reassign(
        self, works: Iterable[int], to: str, at: datetime, deed: Callable[[WorkItem], Deed], within: str = ""
    ) -> list[Moved]:
        moved: list[Moved] = []
        with self._database.transaction() as writer:
            for work in works:
                try:
                    item = current(writer, work, at)
                    if within and item.claimed_by != within:
                        raise Conflict(f"work item {work} is not with `{within}` any more")
                    _assign(writer, item, to, at, deed(item))
                    moved.append(Moved(item=work))
                except (Conflict, NotFound) as error:
                    moved.append(Moved(item=work, refused=str(error)))
        return moved

    def finish(self, work: int, by: str, event: Event, at: datetime, deed: Deed | None = None) -> int:
        with self._database.transaction() as writer:
            item = current(writer, work, at)
            _theirs_or_nobodys(writer, item, by)
            if pending(writer, work):
                raise Conflict(f"what `{by}` asked for work item {work} before waits to be taken up")
            if item.state is not WorkState.CLAIMED:
                _claim(writer, item, by, at)
            number = writer.execute(_INBOX, (event_bytes(event), micros(at), item.order)).lastrowid
            assert number is not None
            writer.execute("UPDATE work SET request = ? WHERE id = ?", (number, work))
            record(writer, deed, number)
            return number

    def pass_on(
        self, work: int, queue: str, rule: AssignRule, what: WorkEvent, at: datetime, deed: Deed, holder: str | None
    ) -> WorkItem:
        with self._database.transaction() as writer:
            pass_on(writer, work, queue, rule, what, at, deed, holder)
            return one(writer, work)

    def lapse(self, at: datetime) -> int:
        query = f"{_SELECT} WHERE state = 'claimed' AND lease <= ? AND NOT {PENDING} ORDER BY lease LIMIT ?"
        with self._database.snapshot() as reader:
            if reader.execute(query, (micros(at), 1)).fetchone() is None:
                return 0
        with self._database.transaction() as writer:
            rows = writer.execute(query, (micros(at), _CHUNK)).fetchall()
            for row in rows:
                lapse(writer, item_of(row), at)
        return len(rows)

    def next_lease(self) -> datetime | None:
        with self._database.snapshot() as reader:
            row = reader.execute(
                f"SELECT lease FROM work WHERE state = 'claimed' AND lease IS NOT NULL AND NOT {PENDING} "
                "ORDER BY lease LIMIT 1"
            ).fetchone()
        return None if row is None else maybe_instant(row[0])


def pass_on(
    writer: sqlite3.Connection,
    work: int,
    queue: str,
    rule: AssignRule,
    what: WorkEvent,
    at: datetime,
    deed: Deed,
    holder: str | None,
) -> None:
    """Inside a transaction: the item goes to another queue. Raises NotFound, Conflict."""
    item = current(writer, work, at)
    untouched(item)
    _settled(writer, item)
    if holder is not None and item.claimed_by not in ("", holder):
        raise Conflict(_with_whom(item))
    if item.queue == queue:
        raise Conflict(f"work item {work} is in `{queue}` already")
    writer.execute(_PASSED, (work, queue, rule.mode, dumps(rule.skills)))
    tell(writer, work, at, what, deed.who, deed.reason)
    kind = "work.escalated" if what is WorkEvent.ESCALATED else "work.handedOver"
    publish(writer, one(writer, work), at, kind, {"from": item.queue, "by": deed.who, "reason": deed.reason})
    record(writer, deed)


def _claim(writer: sqlite3.Connection, item: WorkItem, by: str, at: datetime) -> None:
    until = micros(at + lease_of(writer, item.queue))
    if item.state is WorkState.CLAIMED:
        # what they have asked for is still theirs
        writer.execute("UPDATE work SET lease = ? WHERE id = ?", (until, item.id))
        return
    writer.execute(_CLAIMED, (by, micros(at), until, item.id))
    tell(writer, item.id, at, WorkEvent.CLAIMED, by)


def _assign(writer: sqlite3.Connection, item: WorkItem, to: str, at: datetime, deed: Deed) -> None:
    """To somebody, or, to "", to whom the rules choose."""
    untouched(item)
    _settled(writer, item)
    if not to:
        free(writer, item.id)
        tell(writer, item.id, at, WorkEvent.RELEASED, deed.who, deed.reason)
    elif item.claimed_by != to:
        writer.execute(_ASSIGNED, (to, item.id))
        tell(writer, item.id, at, WorkEvent.ASSIGNED, deed.who, deed.reason)
        publish(writer, item, at, "work.assigned", {"to": to, "by": deed.who})
    record(writer, deed)


def assign_by_rule(writer: sqlite3.Connection, item: WorkItem, to: str, at: datetime) -> None:
    """An open item to the one whom the rules have chosen."""
    writer.execute(_ASSIGNED, (to, item.id))
    tell(writer, item.id, at, WorkEvent.ASSIGNED)
    publish(writer, item, at, "work.assigned", {"to": to, "by": ""})


def _next(writer: sqlite3.Connection, wish: Wish) -> WorkItem | None:
    """The most urgent item that they may take: theirs to do first, what they gave back last."""
    tests, values = _wished(wish)
    row = writer.execute(
        f"{_SELECT} WHERE {HELD} AND state = 'assigned' AND claimed_by = ? AND {tests} "
        "ORDER BY priority, due IS NULL, due, id LIMIT 1",
        (wish.by, *values),
    ).fetchone()
    if row is not None:
        return item_of(row)
    rules = {
        queue: (AssignMode(mode), frozenset(loads(skills)))
        for queue, mode, skills in writer.execute(
            "SELECT queue, assign, skills FROM queue_rules WHERE assign IS NOT NULL"
        )
    }
    for former in ("former != ?", "former = ?"):
        for priority in range(PRIORITIES):
            # as the indexes have them, so that nothing is sorted
            for due, order in (("due IS NOT NULL", "due, id"), ("due IS NULL", "id")):
                found = [
                    item
                    for place, queue in _places(wish)
                    if (
                        item := _first(
                            writer.execute(
                                f"{_SELECT} WHERE state != 'done' AND {place} AND priority = ? AND {due} "
                                f"AND state = 'open' AND {former} AND {tests} ORDER BY {order}",
                                (*queue, priority, wish.by, *values),
                            ),
                            wish,
                            rules,
                        )
                    )
                ]
                if found:
                    return min(found, key=lambda item: (item.due or item.opened_at, item.id))
    return None


def _places(wish: Wish) -> list[tuple[str, tuple[str, ...]]]:
    """Conditions on the queue, each served by an index."""
    if wish.queue:
        return [("queue = ?", (wish.queue,))]
    if wish.queues is not None:
        return [("queue = ?", (queue,)) for queue in sorted(wish.queues)]
    return [("1", ())]


def _first(rows: sqlite3.Cursor, wish: Wish, rules: Mapping[str, tuple[AssignMode, frozenset[str]]]) -> WorkItem | None:
    """The first for which they have the skills."""
    for row in rows:
        item = item_of(row)
        mode, skills = rules.get(item.queue, (item.assign, frozenset(item.skills)))
        if mode is not AssignMode.BY_SKILL or wish.skills is None or skills <= wish.skills:
            rows.close()
            return item
    return None


def _wished(wish: Wish) -> tuple[str, list[object]]:
    """Conditions besides the index's."""
    tests = [f"kind IN ({_marks(wish.kinds)})"]
    values: list[object] = list(wish.kinds)
    if wish.queue:
        tests.append("+queue = ?")
        values.append(wish.queue)
    if wish.queues is not None:
        tests.append(f"+queue IN ({_marks(wish.queues)})")
        values.extend(sorted(wish.queues))
    if wish.accounts is not None:
        tests.append(f"(SELECT account FROM orders o WHERE o.id = order_id) IN ({_marks(wish.accounts)})")
        values.extend(sorted(wish.accounts))
    return " AND ".join(tests), values


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def lease_of(writer: sqlite3.Connection, queue: str) -> timedelta:
    row = writer.execute("SELECT lease FROM queue_rules WHERE queue = ?", (queue,)).fetchone()
    return LEASE if row is None or row[0] is None else timedelta(microseconds=row[0])


def _settled(writer: sqlite3.Connection, item: WorkItem) -> None:
    """Raises Conflict while what its holder asked for waits."""
    if pending(writer, item.id):
        raise Conflict(f"work item {item.id} is being completed by `{item.claimed_by}`")


def _theirs_or_nobodys(writer: sqlite3.Connection, item: WorkItem, by: str) -> None:
    """Raises Conflict."""
    untouched(item)
    if item.claimed_by not in ("", by):
        raise Conflict(_lost(writer, item, by))


def _lost(writer: sqlite3.Connection, item: WorkItem, by: str) -> str:
    """Why somebody does not have an item."""
    if item.state is WorkState.DONE:
        return f"work item {item.id} is done"
    found = _with_whom(item) if item.claimed_by else f"work item {item.id} is not with `{by}`, it is {item.state}"
    row = writer.execute(
        "SELECT at FROM work_history WHERE work = ? AND what = 'lapsed' AND reason = ? ORDER BY id DESC LIMIT 1",
        (item.id, by),
    ).fetchone()
    return f"{found}; your lease ran out" if row is not None else found


def _with_whom(item: WorkItem) -> str:
    if item.state is WorkState.ASSIGNED:
        return f"work item {item.id} is for `{item.claimed_by}` to do; ask for it to be assigned to you"
    return f"work item {item.id} is with `{item.claimed_by}`; ask them to give it back"
