"""Channels that are told what orders publish, and what is to be delivered to them.

A channel has routed the feed up to its `position`. Its deliveries of one order are a queue: only the first that waits
has a `due`, so that what cannot be delivered holds up what comes after it there, and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from orderloom.models.conversion import Json
from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.codec import dumps, instant, loads, maybe_instant, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.views import PublishedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events a channel is told; conditions hold together, empty ones are left out."""

    #: kinds, in which `*` stands for anything
    kinds: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    #: specs of the order's topmost products
    products: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    #: only what customers are told of their orders
    visible_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where to tell, what, and how it is worded. Secrets are named, never held."""

    name: str
    kind: str
    settings: Mapping[str, Json]
    wanted: Wanted = Wanted()
    #: kind of event, in which `*` stands for anything -> Jinja template; the first that fits counts
    templates: Mapping[str, str] = field(default_factory=dict)
    paused: bool = False
    #: sequence of the last event of the feed that it was looked at for
    position: int = 0
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBrief:
    """What notifications say of an order."""

    id: str
    external_id: str
    account: str
    account_name: str
    status: str
    priority: int
    category: str
    description: str
    #: specs of its topmost products, each once
    products: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """The next events of the feed for the channels that are not at its end."""

    channels: tuple[Channel, ...]
    events: tuple[PublishedEvent, ...]
    orders: Mapping[str, OrderBrief]


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    #: given up, until somebody sends it again
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one channel."""

    #: 0 before it is stored
    id: int = 0
    channel: str
    #: of the event in the feed
    sequence: int
    order: str
    kind: str
    at: datetime
    subject: str = ""
    #: as it is sent; empty once it was delivered
    body: bytes
    state: DeliveryState = DeliveryState.WAITING
    tries: int = 0
    #: next attempt; None where it waits behind another, or for nothing
    due: datetime | None = None
    #: since when it is tried
    since: datetime
    #: why the last attempt failed
    error: str = ""
    settled_at: datetime | None = None

    @property
    def key(self) -> str:
        """Stable over all attempts and restarts, for receivers that want each only once."""
        return f"{self.channel}:{self.sequence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """What became of an attempt to deliver."""

    delivery: Delivery
    #: "" for success
    error: str = ""
    #: when to try again; None where it was delivered or is given up
    again: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits for a channel."""

    waiting: int
    dead: int
    #: of those that wait
    oldest: datetime | None


_CHANNEL = "name, kind, settings, wanted, templates, paused, position, created_at"
_DELIVERY = "id, channel, sequence, order_id, kind, at, subject, body, state, tries, due, since, error, settled_at"
_INSERT = (
    "INSERT OR IGNORE INTO deliveries (channel, sequence, order_id, kind, at, subject, body, state, tries, since, "
    "error, settled_at, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, CASE WHEN ? != 'waiting' OR EXISTS (SELECT 1 "
    "FROM deliveries WHERE channel = ? AND order_id = ? AND state = 'waiting') THEN NULL ELSE ? END)"
)
_DONE = (
    "UPDATE deliveries SET state = 'done', tries = tries + 1, due = NULL, body = x'', error = '', settled_at = ? "
    "WHERE id = ? AND state = 'waiting'"
)
_DEAD = (
    "UPDATE deliveries SET state = 'dead', tries = tries + 1, due = NULL, error = ?, settled_at = ? "
    "WHERE id = ? AND state = 'waiting'"
)
_AGAIN = "UPDATE deliveries SET tries = tries + 1, due = ?, error = ? WHERE id = ? AND state = 'waiting'"
#: the first of an order's queue may go, once nothing of that queue is due
_NEXT = (
    "UPDATE deliveries SET due = ? WHERE id = (SELECT min(id) FROM deliveries WHERE channel = ? AND order_id = ? "
    "AND state = 'waiting') AND NOT EXISTS (SELECT 1 FROM deliveries WHERE channel = ? AND order_id = ? "
    "AND state = 'waiting' AND due IS NOT NULL)"
)
_REVIVE = (
    "UPDATE deliveries SET state = 'waiting', tries = 0, since = ?, settled_at = NULL WHERE id = ? AND state = 'dead'"
)


class SqliteDeliveries:
    """Channels and deliveries in the store."""

    _database: Database

    # --- channels ----------------------------------------------------------------------------------------------------

    def add_channel(self, channel: Channel, deed: Deed) -> None:
        """It is told what is published from now on. Raises Conflict where the name is taken."""
        with self._database.transaction() as writer:
            if writer.execute("SELECT 1 FROM channels WHERE name = ?", (channel.name,)).fetchone():
                raise Conflict(f"there is a channel `{channel.name}` already")
            wanted = channel.wanted
            writer.execute(
                f"INSERT INTO channels ({_CHANNEL}) VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
                (
                    channel.name,
                    channel.kind,
                    dumps(dict(channel.settings)),
                    dumps({name: getattr(wanted, name) for name in Wanted.__slots__}),
                    dumps(dict(channel.templates)),
                    _last_event(writer),
                    micros(channel.created_at),
                ),
            )
            record(writer, deed)

    def remove_channel(self, name: str, deed: Deed) -> None:
        """With all that waited for it. Raises NotFound."""
        with self._database.transaction() as writer:
            if not writer.execute("DELETE FROM channels WHERE name = ?", (name,)).rowcount:
                raise NotFound(f"there is no channel `{name}`")
            writer.execute("DELETE FROM deliveries WHERE channel = ?", (name,))
            record(writer, deed)

    def pause_channel(self, name: str, paused: bool, deed: Deed) -> None:
        """What is published meanwhile waits. Raises NotFound."""
        with self._database.transaction() as writer:
            if not writer.execute("UPDATE channels SET paused = ? WHERE name = ?", (int(paused), name)).rowcount:
                raise NotFound(f"there is no channel `{name}`")
            record(writer, deed)

    def channels(self) -> list[Channel]:
        """By name."""
        with self._database.snapshot() as reader:
            return [_channel(row) for row in reader.execute(f"SELECT {_CHANNEL} FROM channels ORDER BY name")]

    def backlogs(self) -> dict[str, Backlog]:
        """By channel; those without any are left out."""
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT channel, sum(state = 'waiting'), sum(state = 'dead'), "
                "min(CASE state WHEN 'waiting' THEN at END) FROM deliveries WHERE state != 'done' GROUP BY channel"
            ).fetchall()
        return {
            channel: Backlog(waiting=waiting, dead=dead, oldest=maybe_instant(oldest))
            for channel, waiting, dead, oldest in rows
        }

    # --- the feed to deliveries --------------------------------------------------------------------------------------

    def untold(self) -> bool:
        """Whether a channel that is not paused has events of the feed before it."""
        with self._database.snapshot() as reader:
            (position,) = reader.execute("SELECT min(position) FROM channels WHERE paused = 0").fetchone()
            return position is not None and position < _last_event(reader)

    def next_untold(self, limit: int) -> Untold:
        """The next events, for the channels furthest behind and all that are not at the end."""
        with self._database.long_snapshot() as reader:
            channels = tuple(
                _channel(row)
                for row in reader.execute(f"SELECT {_CHANNEL} FROM channels WHERE paused = 0 ORDER BY name")
            )
            after = min((channel.position for channel in channels), default=0)
            rows = reader.execute(
                "SELECT sequence, order_id, at, kind, data FROM published WHERE sequence > ? ORDER BY sequence LIMIT ?",
                (after, limit),
            ).fetchall()
            orders = {order: brief for order in {row[1] for row in rows} if (brief := _brief(reader, order))}
        events = tuple(
            PublishedEvent(sequence=sequence, order=order, at=instant(at), kind=kind, data=loads(data))
            for sequence, order, at, kind, data in rows
        )
        return Untold(channels=channels, events=events, orders=orders)

    def route(self, channels: Sequence[Channel], position: int, deliveries: Sequence[Delivery]) -> None:
        """Keeps what the channels are to be told of the feed up to `position`, and that they are there now; a channel
        that has moved meanwhile, or is gone, is left out."""
        with self._database.transaction() as writer:
            moved = {
                channel.name
                for channel in channels
                if writer.execute(
                    "UPDATE channels SET position = ? WHERE name = ? AND position = ? AND paused = 0",
                    (position, channel.name, channel.position),
                ).rowcount
            }
            writer.executemany(_INSERT, [_row(each) for each in deliveries if each.channel in moved])

    # --- attempts ----------------------------------------------------------------------------------------------------

    def next_delivery(self) -> datetime | None:
        """When the earliest attempt is due; None for none."""
        with self._database.snapshot() as reader:
            (due,) = reader.execute(
                "SELECT min((SELECT min(due) FROM deliveries d WHERE d.channel = c.name AND d.due IS NOT NULL)) "
                "FROM channels c WHERE c.paused = 0"
            ).fetchone()
        return maybe_instant(due)

    def due_deliveries(self, channel: str, now: datetime, limit: int) -> list[Delivery]:
        """What is to be attempted, longest due first."""
        with self._database.snapshot() as reader:
            rows = reader.execute(
                f"SELECT {_DELIVERY} FROM deliveries WHERE channel = ? AND due IS NOT NULL AND due <= ? "
                "ORDER BY due, id LIMIT ?",
                (channel, micros(now), limit),
            ).fetchall()
        return [_delivery(row) for row in rows]

    def settle(self, attempts: Sequence[Attempted], now: datetime) -> None:
        """Keeps what became of attempts; what waited behind a delivery that is done or given up is due then."""
        at = micros(now)
        with self._database.transaction() as writer:
            for each in attempts:
                delivery = each.delivery
                if each.again is not None:
                    writer.execute(_AGAIN, (micros(each.again), each.error, delivery.id))
                    continue
                if each.error:
                    writer.execute(_DEAD, (each.error, at, delivery.id))
                else:
                    writer.execute(_DONE, (at, delivery.id))
                _release(writer, delivery, at)

    def deliveries(
        self, states: Sequence[DeliveryState], channel: str = "", order: str = "", limit: int = 100
    ) -> list[Delivery]:
        """Newest first; empty conditions are left out."""
        tests = [f"state IN ({', '.join('?' * len(states))})"]
        values: list[object] = [str(state) for state in states]
        for column, value in (("channel", channel), ("order_id", order)):
            if value:
                tests.append(f"{column} = ?")
                values.append(value)
        with self._database.snapshot() as reader:
            rows = reader.execute(
                f"SELECT {_DELIVERY} FROM deliveries WHERE {' AND '.join(tests)} ORDER BY id DESC LIMIT ?",
                (*values, limit),
            ).fetchall()
        return [_delivery(row) for row in rows]

    def resend(self, deliveries: Sequence[Delivery], now: datetime, deed: Deed) -> int:
        """Tries again what was given up; returns how many there still were."""
        at = micros(now)
        with self._database.transaction() as writer:
            found = 0
            for each in sorted(deliveries, key=lambda each: each.id):
                found += writer.execute(_REVIVE, (at, each.id)).rowcount
                _release(writer, each, at)
            record(writer, deed)
        return found


def _last_event(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(sequence), 0) FROM published").fetchone()[0])


def _release(writer: sqlite3.Connection, delivery: Delivery, at: int | None) -> None:
    queue = (delivery.channel, delivery.order)
    writer.execute(_NEXT, (at, *queue, *queue))


def _row(delivery: Delivery) -> tuple[object, ...]:
    since = micros(delivery.since)
    return (
        delivery.channel,
        delivery.sequence,
        delivery.order,
        delivery.kind,
        micros(delivery.at),
        delivery.subject,
        delivery.body,
        str(delivery.state),
        since,
        delivery.error,
        micros(delivery.settled_at),
        str(delivery.state),
        delivery.channel,
        delivery.order,
        since,
    )


def _channel(row: tuple[Any, ...]) -> Channel:
    name, kind, settings, wanted, templates, paused, position, created_at = row
    found: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in loads(wanted).items()
    }
    return Channel(
        name=name,
        kind=kind,
        settings=loads(settings),
        wanted=Wanted(**found),
        templates=loads(templates),
        paused=bool(paused),
        position=position,
        created_at=instant(created_at),
    )


def _delivery(row: tuple[Any, ...]) -> Delivery:
    id, channel, sequence, order, kind, at, subject, body, state, tries, due, since, error, settled_at = row
    return Delivery(
        id=id,
        channel=channel,
        sequence=sequence,
        order=order,
        kind=kind,
        at=instant(at),
        subject=subject,
        body=body,
        state=DeliveryState(state),
        tries=tries,
        due=maybe_instant(due),
        since=instant(since),
        error=error,
        settled_at=maybe_instant(settled_at),
    )


def _brief(reader: sqlite3.Connection, order: str) -> OrderBrief | None:
    row = reader.execute(
        "SELECT account, account_name, external_id, status, priority, coalesce(amended, content) "
        "FROM orders JOIN contents ON order_id = id WHERE id = ?",
        (order,),
    ).fetchone()
    if row is None:
        return None
    account, account_name, external_id, status, priority, content = row
    asked = loads(content)
    return OrderBrief(
        id=order,
        external_id=external_id,
        account=account,
        account_name=account_name,
        status=status,
        priority=priority,
        category=asked["category"],
        description=asked["description"],
        products=top_products(asked),
    )


def top_products(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Specs of an order's topmost items, each once, from its content as it is stored."""
    return tuple(dict.fromkeys(item["spec"] for item in asked["items"] if not item.get("parent")))
