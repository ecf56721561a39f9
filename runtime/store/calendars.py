"""Calendars as they were changed at run time, over those of the designs."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from orderloom.models.conversion import Json
from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.codec import dumps, instant, loads, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarChange:
    """What counts instead of a calendar of a bundle, or beside it."""

    bundle: str
    name: str
    #: a calendar as `bundle.yaml` declares it, None for the bundle's own
    declared: Mapping[str, Json] | None = None
    #: days off beside those of the calendar
    off: tuple[date, ...] = ()
    #: days that are not off after all
    on: tuple[date, ...] = ()
    at: datetime
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which calendars count now."""

    #: digest of the active version by name of the bundle
    active: Mapping[str, str]
    #: by bundle and calendar
    changes: Mapping[tuple[str, str], CalendarChange]


class SqliteCalendars:
    """The part of a store for calendars."""

    _database: Database

    def put_calendar(self, change: CalendarChange, deed: Deed) -> None:
        with self._database.transaction() as writer:
            data = {
                "declared": change.declared,
                "off": [day.isoformat() for day in change.off],
                "on": [day.isoformat() for day in change.on],
            }
            writer.execute(
                "INSERT OR REPLACE INTO calendar_changes (bundle, name, data, at, who, reason) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (change.bundle, change.name, dumps(data), micros(change.at), change.by, change.reason),
            )
            outdate(writer, change.bundle)
            record(writer, deed)

    def drop_calendar(self, bundle: str, name: str, deed: Deed) -> None:
        with self._database.transaction() as writer:
            gone = writer.execute("DELETE FROM calendar_changes WHERE bundle = ? AND name = ?", (bundle, name))
            if not gone.rowcount:
                raise NotFound(f"the calendar `{name}` of `{bundle}` is as its bundle has it")
            outdate(writer, bundle)
            record(writer, deed)

    def calendar_standing(self) -> Standing:
        with self._database.snapshot() as reader:
            return standing(reader)


def standing(connection: sqlite3.Connection) -> Standing:
    """What counts as of the connection's transaction."""
    changes = connection.execute("SELECT bundle, name, data, at, who, reason FROM calendar_changes").fetchall()
    return Standing(
        active=dict(connection.execute("SELECT name, digest FROM bundles WHERE active = 1").fetchall()),
        changes={(row[0], row[1]): _change(*row) for row in changes},
    )


def outdate(writer: sqlite3.Connection, bundle: str) -> None:
    """The clocks of open work of this bundle are to be reckoned anew: its calendars may have changed."""
    writer.execute("UPDATE clocks SET outdated = 1 WHERE bundle = ? AND ended_at IS NULL", (bundle,))


def _change(bundle: str, name: str, data: bytes, at: int, who: str, reason: str) -> CalendarChange:
    found = loads(data)
    return CalendarChange(
        bundle=bundle,
        name=name,
        declared=found["declared"],
        off=tuple(date.fromisoformat(day) for day in found["off"]),
        on=tuple(date.fromisoformat(day) for day in found["on"]),
        at=instant(at),
        by=who,
        reason=reason,
    )
