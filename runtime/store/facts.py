"""What happened, counted by hour: derived from rows that are only added, so made anew at any time.

A cursor says how far each source is counted. It moves in the transaction that keeps what was counted, and only from
where it was read: so a restart neither doubles nor loses, and two processes may count at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.codec import dumps, loads
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.deliveries import top_products
from orderloom.runtime.store.histograms import Bins, add, packed, unpacked

#: microseconds
HOUR = 3_600_000_000
#: hours that facts are kept by: hours, and days of UTC
_LENGTHS = (1, 24)
_AT_ONCE = 200


class FactKey(NamedTuple):
    """What is counted, where."""

    measure: str
    #: spec of the orders' topmost product, "" for all orders
    product: str
    #: since 1970, UTC
    hour: int
    #: a task definition, a queue, an error …; "" for nothing in particular
    subject: str


class Stretch(NamedTuple):
    """Hours from the first up to the end, since 1970 in UTC, all of them whole days where they are read by days."""

    first: int
    end: int
    #: 1 or 24
    hours: int


@dataclass(slots=True)
class Tally:
    """How often, and how long it took."""

    count: int = 0
    #: microseconds of those that took time
    total: int = 0
    bins: Bins = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Counts the other one too."""
        self.count += other.count
        self.total += other.total
        add(self.bins, other.bins)


class JournalRow(NamedTuple):
    """A row of the journal as it is counted."""

    order: str
    version: int
    #: microseconds since 1970
    at: int
    event: dict[str, Any]
    #: (kind, subject, data)
    entries: list[tuple[str, str, dict[str, Any]]]


class OrderHeader(NamedTuple):
    """What facts say of an order."""

    #: microseconds since 1970
    submitted_at: int
    #: specs of its topmost products as it was submitted
    products: tuple[str, ...]


class WorkRow(NamedTuple):
    """Something that happened to a work item."""

    order: str
    at: int
    what: str
    queue: str
    opened_at: int
    due: int | None


class ToldRow(NamedTuple):
    """An event of the feed."""

    order: str
    at: int
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSlice:
    """The next rows of the journal, and what is known of their orders."""

    position: int
    last: int
    rows: tuple[JournalRow, ...]
    #: what is kept of orders under way
    memories: Mapping[str, dict[str, Any]]
    #: of the others
    headers: Mapping[str, OrderHeader]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSlice:
    """The next rows of the history of work, or of the feed."""

    source: str
    position: int
    last: int
    rows: tuple[WorkRow | ToldRow, ...]
    headers: Mapping[str, OrderHeader]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """An open work item as analytics see it."""

    queue: str
    kind: str
    state: str
    opened_at: int
    due: int | None


#: source -> its cursor's end
_ENDS = {
    "journal": "SELECT coalesce(max(rowid), 0) FROM journal",
    "work": "SELECT coalesce(max(id), 0) FROM work_history",
    "feed": "SELECT coalesce(max(sequence), 0) FROM published",
}
_KEEP = (
    "INSERT INTO facts (measure, product, hours, hour, subject, count, total, histogram) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (measure, product, hours, hour, subject) "
    "DO UPDATE SET count = excluded.count, total = excluded.total, histogram = excluded.histogram"
)
_FIND = (
    "SELECT count, total, histogram FROM facts "
    "WHERE measure = ? AND product = ? AND hours = ? AND hour = ? AND subject = ?"
)


class SqliteFacts:
    """Facts in the store."""

    _database: Database

    def uncounted(self) -> int:
        """Rows of the journal, the history of work and the feed that are not counted yet."""
        with self._database.long_snapshot() as reader:
            return sum(
                max(0, int(reader.execute(end).fetchone()[0]) - _position(reader, source))
                for source, end in _ENDS.items()
            )

    def journal_slice(self, limit: int) -> JournalSlice:
        """The next rows of the journal."""
        with self._database.long_snapshot() as reader:
            position = _position(reader, "journal")
            found = reader.execute(
                "SELECT rowid, order_id, version, at, event, entries FROM journal WHERE rowid > ? ORDER BY rowid "
                "LIMIT ?",
                (position, limit),
            ).fetchall()
            orders = list(dict.fromkeys(row[1] for row in found))
            memories = {
                order: loads(data)
                for order, data in _for_each(reader, "SELECT order_id, data FROM unfinished WHERE order_id IN", orders)
            }
            headers = _headers(reader, [order for order in orders if order not in memories])
        rows = tuple(
            JournalRow(order, version, at, loads(event), loads(entries))
            for _, order, version, at, event, entries in found
        )
        last = found[-1][0] if found else position
        return JournalSlice(position=position, last=last, rows=rows, memories=memories, headers=headers)

    def work_slice(self, limit: int) -> OtherSlice:
        """The next rows of the history of work."""
        with self._database.long_snapshot() as reader:
            position = _position(reader, "work")
            found = reader.execute(
                "SELECT h.id, h.order_id, h.at, h.what, h.queue, w.opened_at, w.due FROM work_history h "
                "JOIN work w ON w.id = h.work WHERE h.id > ? ORDER BY h.id LIMIT ?",
                (position, limit),
            ).fetchall()
            headers = _headers(reader, {row[1] for row in found})
        rows = tuple(WorkRow(*row[1:]) for row in found)
        last = found[-1][0] if found else position
        return OtherSlice(source="work", position=position, last=last, rows=rows, headers=headers)

    def feed_slice(self, limit: int) -> OtherSlice:
        """The next events of the feed that are about work."""
        with self._database.long_snapshot() as reader:
            position = _position(reader, "feed")
            (end,) = reader.execute(_ENDS["feed"]).fetchone()
            last = min(end, position + limit)
            found = reader.execute(
                "SELECT order_id, at, kind, data FROM published WHERE sequence > ? AND sequence <= ? "
                "AND kind GLOB 'work.*' ORDER BY sequence",
                (position, last),
            ).fetchall()
            headers = _headers(reader, {row[0] for row in found})
        rows = tuple(ToldRow(order, at, kind, loads(data)) for order, at, kind, data in found)
        return OtherSlice(source="feed", position=position, last=last, rows=rows, headers=headers)

    def keep_facts(
        self,
        source: str,
        position: int,
        last: int,
        facts: Mapping[FactKey, Tally],
        memories: Mapping[str, dict[str, Any]] | None = None,
        over: Iterable[str] = (),
    ) -> bool:
        """Adds what was counted from `position` to `last`, what is to be known of orders under way, and drops those
        that are over; False where somebody else has counted it."""
        with self._database.transaction() as writer:
            if _position(writer, source) != position:
                return False
            writer.execute("INSERT OR REPLACE INTO cursors (name, position) VALUES (?, ?)", (source, last))
            for hours in _LENGTHS:
                writer.executemany(_KEEP, [_merged(writer, key, hours, sum) for key, sum in _by(facts, hours).items()])
            writer.executemany(
                "INSERT OR REPLACE INTO unfinished (order_id, data) VALUES (?, ?)",
                [(order, dumps(memory)) for order, memory in (memories or {}).items()],
            )
            writer.executemany("DELETE FROM unfinished WHERE order_id = ?", [(order,) for order in over])
        return True

    def forget_facts(self, deed: Deed) -> None:
        """All of them; counting begins anew."""
        with self._database.transaction() as writer:
            for table in ("facts", "unfinished"):
                writer.execute(f"DELETE FROM {table}")
            writer.executemany("DELETE FROM cursors WHERE name = ?", [(source,) for source in _ENDS])
            record(writer, deed)

    def facts(self, measures: Sequence[str], product: str, stretches: Sequence[Stretch]) -> list[tuple[FactKey, Tally]]:
        """What was counted in these stretches of time, for orders with this product, "" for all."""
        with self._database.long_snapshot() as reader:
            rows = [
                row
                for measure in measures
                for first, end, hours in stretches
                for row in reader.execute(
                    "SELECT measure, product, hour, subject, count, total, histogram FROM facts "
                    "WHERE measure = ? AND product = ? AND hours = ? AND hour >= ? AND hour < ?",
                    (measure, product, hours, first, end),
                )
            ]
        return [
            (FactKey(measure, product, hour, subject), Tally(count, total, unpacked(histogram)))
            for measure, product, hour, subject, count, total, histogram in rows
        ]

    def products_counted(self) -> list[str]:
        """Products of which there are orders, by name."""
        with self._database.long_snapshot() as reader:
            found: list[str] = []
            # each product is one step in the index
            while row := reader.execute(
                "SELECT product FROM facts WHERE measure = 'order.submitted' AND product > ? ORDER BY product LIMIT 1",
                (found[-1] if found else "",),
            ).fetchone():
                found.append(row[0])
        return found

    def open_work(self) -> list[OpenWork]:
        """All work that is open."""
        with self._database.long_snapshot() as reader:
            rows = reader.execute(
                "SELECT queue, kind, state, opened_at, due FROM work WHERE state != 'done'"
            ).fetchall()
        return [
            OpenWork(queue=queue, kind=kind, state=state, opened_at=opened_at, due=due)
            for queue, kind, state, opened_at, due in rows
        ]


def _position(connection: sqlite3.Connection, source: str) -> int:
    row = connection.execute("SELECT position FROM cursors WHERE name = ?", (source,)).fetchone()
    return int(row[0]) if row else 0


def _by(facts: Mapping[FactKey, Tally], hours: int) -> Mapping[FactKey, Tally]:
    if hours == 1:
        return facts
    found: dict[FactKey, Tally] = {}
    for key, tally in facts.items():
        key = key._replace(hour=key.hour // hours * hours)
        found.setdefault(key, Tally()).add(tally)
    return found


def _merged(writer: sqlite3.Connection, key: FactKey, hours: int, tally: Tally) -> tuple[Any, ...]:
    measure, product, hour, subject = key
    place = (measure, product, hours, hour, subject)
    row = writer.execute(_FIND, place).fetchone()
    if row is not None:
        sum = Tally(row[0], row[1], unpacked(row[2]))
        sum.add(tally)
        tally = sum
    return (*place, tally.count, tally.total, packed(tally.bins))


def _headers(reader: sqlite3.Connection, orders: Iterable[str]) -> dict[str, OrderHeader]:
    query = "SELECT id, submitted_at, content FROM orders JOIN contents ON order_id = id WHERE id IN"
    return {
        order: OrderHeader(submitted_at, top_products(loads(content)))
        for order, submitted_at, content in _for_each(reader, query, list(orders))
    }


def _for_each(reader: sqlite3.Connection, query: str, orders: Sequence[str]) -> Iterable[tuple[Any, ...]]:
    for start in range(0, len(orders), _AT_ONCE):
        some = orders[start : start + _AT_ONCE]
        yield from reader.execute(f"{query} ({', '.join('?' * len(some))})", some)
