"""What operators want of the running system: connectors held, paced, limited; breakers; paused tasks; a drained worker.

Each change raises one number, by which a running worker, in whatever process, sees that there is something to read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orderloom.models.conversion import Json
from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.codec import dumps, instant, loads, maybe_instant, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import NotFound

#: stands in a key for all priorities, and for all connectors
EVERY_PRIORITY, EVERY_CONNECTOR = -1, ""

HELD = "held:"
_VERSION, _DRAIN, _DRAINED = "controls", "drain", "drained"
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restraint:
    """How many calls at once, and how fast one after the other; None is as the design says."""

    at_once: int | None = None
    pace: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PacedRelease:
    """A connector that was held: until its calls from before that instant are out, all go at this pace."""

    pace: timedelta
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRow:
    """A breaker as the worker has it, or had it when it ended."""

    connector: str
    #: `open` or `closed`
    state: str
    since: datetime
    #: in a row
    failures: int
    #: when the next call may pass, None while closed
    opens_until: datetime | None
    #: what an operator wants it to be and no worker has done yet: `open`, `closed` or ""
    asked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A task definition whose tasks are not to start."""

    #: "" for all bundles
    bundle: str
    #: `Plan.task`
    definition: str
    reason: str
    by: str
    at: datetime
    #: work items that it holds
    held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """The worker is to take nothing new."""

    by: str
    reason: str
    at: datetime
    #: it ends once nothing is under way
    ends: bool
    #: since when nothing is under way, None while something is
    drained_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """All of it, of one moment."""

    version: int = 0
    #: connector -> reason
    held: Mapping[str, str] = field(default_factory=dict)
    #: by connector and priority
    limits: Mapping[tuple[str, int], Restraint] = field(default_factory=dict)
    releases: Mapping[str, PacedRelease] = field(default_factory=dict)
    breakers: Mapping[str, BreakerRow] = field(default_factory=dict)
    #: (bundle, definition) -> reason
    paused: Mapping[tuple[str, str], str] = field(default_factory=dict)
    drain: Drain | None = None


class SqliteControls:
    """Controls in the store."""

    _database: Database

    def controls_version(self) -> int:
        """Rises with each change; cheap."""
        with self._database.snapshot() as reader:
            return _version(reader)

    def controls(self) -> Controls:
        with self._database.snapshot() as reader:
            return Controls(
                version=_version(reader),
                held={
                    name.removeprefix(HELD): reason
                    for name, reason in reader.execute("SELECT name, value FROM settings WHERE name GLOB 'held:*'")
                },
                limits={
                    (connector, priority): Restraint(
                        at_once=at_once, pace=None if pace is None else pace * _MICROSECOND
                    )
                    for connector, priority, at_once, pace in reader.execute(
                        "SELECT connector, priority, at_once, pace FROM limits ORDER BY connector, priority"
                    )
                },
                releases={
                    connector: PacedRelease(pace=pace * _MICROSECOND, at=instant(at))
                    for connector, pace, at in reader.execute("SELECT connector, pace, at FROM releases")
                },
                breakers={row[0]: _breaker(row) for row in reader.execute(f"SELECT {_BREAKER} FROM breakers")},
                paused={
                    (bundle, definition): reason
                    for bundle, definition, reason in reader.execute("SELECT bundle, definition, reason FROM paused")
                },
                drain=_drain(reader),
            )

    # --- connectors

    def hold_connector(self, connector: str, reason: str, deed: Deed | None = None) -> None:
        """Its calls wait from now on, also in a worker that runs."""
        with self._database.transaction() as writer:
            hold(writer, connector, reason)
            _tell(writer, deed, "connector.held", {"connector": connector, "reason": reason})
            record(writer, deed)

    def release_connector(
        self, connector: str, deed: Deed | None = None, pace: timedelta | None = None, at: datetime | None = None
    ) -> None:
        """Its calls go out again; those that waited at that instant at this pace, and what comes meanwhile behind."""
        with self._database.transaction() as writer:
            writer.execute("DELETE FROM settings WHERE name = ?", (HELD + connector,))
            writer.execute("DELETE FROM releases WHERE connector = ?", (connector,))
            if pace is not None:
                writer.execute(
                    "INSERT INTO releases (connector, pace, at) VALUES (?, ?, ?)",
                    (connector, pace // _MICROSECOND, micros(at) or 0),
                )
            _changed(writer)
            _tell(writer, deed, "connector.released", {"connector": connector})
            record(writer, deed)

    def end_release(self, connector: str, at: datetime) -> None:
        """None of the calls that waited at that instant is left."""
        with self._database.transaction() as writer:
            ended = writer.execute(
                "DELETE FROM releases WHERE connector = ? AND at = ?", (connector, micros(at))
            ).rowcount
            if ended:
                _changed(writer)

    def held_connectors(self) -> dict[str, str]:
        """Name -> reason."""
        with self._database.snapshot() as reader:
            rows = reader.execute("SELECT name, value FROM settings WHERE name GLOB 'held:*'").fetchall()
        return {name.removeprefix(HELD): reason for name, reason in rows}

    def calls_waiting(self) -> dict[str, int]:
        """Calls without an answer, those under way included, by connector."""
        with self._database.snapshot() as reader:
            return dict(reader.execute("SELECT connector, count(*) FROM outbox GROUP BY connector").fetchall())

    def calls_before(self, connector: str, at: datetime) -> bool:
        """Whether a call from before or at that instant has no answer yet."""
        with self._database.snapshot() as reader:
            row = reader.execute(
                "SELECT 1 FROM outbox WHERE connector = ? AND priority IN (0, 1, 2, 3, 4) AND since <= ? LIMIT 1",
                (connector, micros(at)),
            ).fetchone()
        return row is not None

    def limit(self, connector: str, priority: int, limit: Restraint | None, deed: Deed | None = None) -> None:
        """Sets what it may have, None for what the design says."""
        with self._database.transaction() as writer:
            writer.execute("DELETE FROM limits WHERE connector = ? AND priority = ?", (connector, priority))
            if limit is not None:
                pace = None if limit.pace is None else limit.pace // _MICROSECOND
                writer.execute(
                    "INSERT INTO limits (connector, priority, at_once, pace) VALUES (?, ?, ?, ?)",
                    (connector, priority, limit.at_once, pace),
                )
            _changed(writer)
            record(writer, deed)

    # --- breakers

    def ask_breaker(self, connector: str, asked: str, at: datetime, deed: Deed | None = None) -> None:
        """What it is to be: `open` or `closed`; the worker does it."""
        with self._database.transaction() as writer:
            writer.execute(
                "INSERT INTO breakers (connector, state, since, failures, opens_until, asked) "
                "VALUES (?, 'closed', ?, 0, NULL, ?) ON CONFLICT (connector) DO UPDATE SET asked = excluded.asked",
                (connector, micros(at), asked),
            )
            _changed(writer)
            record(writer, deed)

    def save_breakers(self, rows: Sequence[BreakerRow]) -> None:
        """As the worker has them; what was `asked` of these is done. The world is told of those that turned."""
        with self._database.transaction() as writer:
            former = dict(writer.execute("SELECT connector, state FROM breakers").fetchall())
            for row in rows:
                if former.get(row.connector, "closed") != row.state:
                    said: dict[str, Json] = {"connector": row.connector, "state": row.state, "failures": row.failures}
                    _publish(writer, row.since, "connector.breaker", said)
            writer.executemany(
                "INSERT INTO breakers (connector, state, since, failures, opens_until, asked) "
                "VALUES (?1, ?2, ?3, ?4, ?5, '') ON CONFLICT (connector) DO UPDATE SET state = ?2, since = ?3, "
                "failures = ?4, opens_until = ?5, asked = CASE WHEN asked = ?6 THEN '' ELSE asked END",
                [
                    (row.connector, row.state, micros(row.since), row.failures, micros(row.opens_until), row.asked)
                    for row in rows
                ],
            )

    # --- task definitions

    def pause_tasks(self, pause: Pause, deed: Deed | None = None) -> None:
        """Tasks of the definition that become ready wait from now on."""
        with self._database.transaction() as writer:
            writer.execute(
                "INSERT OR REPLACE INTO paused (bundle, definition, reason, who, at) VALUES (?, ?, ?, ?, ?)",
                (pause.bundle, pause.definition, pause.reason, pause.by, micros(pause.at)),
            )
            _changed(writer)
            record(writer, deed)

    def unpause_tasks(self, bundle: str, definition: str, deed: Deed | None = None) -> int:
        """They go on; returns how many work items were held. Raises NotFound."""
        with self._database.transaction() as writer:
            gone = writer.execute(
                "DELETE FROM paused WHERE bundle = ? AND definition = ?", (bundle, definition)
            ).rowcount
            if not gone:
                raise NotFound(f"no pause of `{definition}`")
            freed = writer.execute(
                "UPDATE work SET state = 'open' WHERE state = 'held' AND NOT EXISTS (SELECT 1 FROM paused p "
                f"WHERE {_PAUSES})"
            ).rowcount
            _changed(writer)
            record(writer, deed)
            return freed

    def pauses(self) -> list[Pause]:
        """Oldest first."""
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT bundle, definition, reason, who, at, "
                f"(SELECT count(*) FROM work WHERE state = 'held' AND {_PAUSES}) FROM paused p ORDER BY at, definition"
            ).fetchall()
        return [
            Pause(bundle=bundle, definition=definition, reason=reason, by=by, at=instant(at), held=held)
            for bundle, definition, reason, by, at, held in rows
        ]

    # --- the worker

    def drain(self) -> Drain | None:
        """Whether the worker is to take nothing new."""
        with self._database.snapshot() as reader:
            return _drain(reader)

    def start_drain(self, drain: Drain, deed: Deed | None = None) -> None:
        with self._database.transaction() as writer:
            found = {"by": drain.by, "reason": drain.reason, "at": micros(drain.at), "ends": drain.ends}
            writer.execute("DELETE FROM settings WHERE name = ?", (_DRAINED,))
            _set(writer, _DRAIN, dumps(found).decode())
            _changed(writer)
            record(writer, deed)

    def end_drain(self, deed: Deed | None = None) -> bool:
        """The worker takes up work again; returns whether it was told not to."""
        with self._database.transaction() as writer:
            ended = writer.execute("DELETE FROM settings WHERE name = ?", (_DRAIN,)).rowcount > 0
            writer.execute("DELETE FROM settings WHERE name = ?", (_DRAINED,))
            _changed(writer)
            record(writer, deed)
            return ended

    def note_drained(self, at: datetime) -> None:
        """Nothing is under way any more."""
        with self._database.transaction() as writer:
            _set(writer, _DRAINED, str(micros(at)))


_BREAKER = "connector, state, since, failures, opens_until, asked"
#: whether the pause `p` holds a row of `work`
_PAUSES = (
    "substr(task, -length(p.definition) - 1) = '/' || p.definition AND (p.bundle = '' OR p.bundle = "
    "(SELECT name FROM orders JOIN bundles ON digest = design WHERE orders.id = work.order_id))"
)


def hold(writer: sqlite3.Connection, connector: str, reason: str) -> None:
    """Its calls wait from now on."""
    _set(writer, HELD + connector, reason)
    writer.execute("DELETE FROM releases WHERE connector = ?", (connector,))
    _changed(writer)


def _set(writer: sqlite3.Connection, name: str, value: str) -> None:
    writer.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (name, value))


def _tell(writer: sqlite3.Connection, deed: Deed | None, kind: str, data: dict[str, Json]) -> None:
    """What a person did, to those who listen."""
    if deed is not None:
        _publish(writer, deed.at, kind, {**data, "by": deed.who})


def _publish(writer: sqlite3.Connection, at: datetime, kind: str, data: Mapping[str, Json]) -> None:
    writer.execute(
        "INSERT INTO published (order_id, at, kind, data) VALUES ('', ?, ?, ?)", (micros(at), kind, dumps(dict(data)))
    )


def _changed(writer: sqlite3.Connection) -> None:
    _set(writer, _VERSION, str(_version(writer) + 1))


def _version(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM settings WHERE name = ?", (_VERSION,)).fetchone()
    return int(row[0]) if row else 0


def _span(pace: int | None) -> timedelta | None:
    return None if pace is None else pace * _MICROSECOND


def _drain(reader: sqlite3.Connection) -> Drain | None:
    found = dict(reader.execute("SELECT name, value FROM settings WHERE name IN (?, ?)", (_DRAIN, _DRAINED)).fetchall())
    if _DRAIN not in found:
        return None
    told = loads(found[_DRAIN].encode())
    drained = found.get(_DRAINED)
    return Drain(
        by=told["by"],
        reason=told["reason"],
        at=instant(told["at"]),
        ends=told["ends"],
        drained_at=maybe_instant(int(drained)) if drained else None,
    )


def _breaker(row: tuple[str, str, int, int, int | None, str]) -> BreakerRow:
    connector, state, since, failures, opens_until, asked = row
    return BreakerRow(
        connector=connector,
        state=state,
        since=instant(since),
        failures=failures,
        opens_until=maybe_instant(opens_until),
        asked=asked,
    )
