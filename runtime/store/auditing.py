"""The trail of what people did: rows are only ever added."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime

from orderloom.models.conversion import Json
from orderloom.runtime.store.codec import dumps, instant, loads, micros
from orderloom.runtime.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody did, or tried to do; written with what it changed, in the same transaction."""

    at: datetime
    #: the principal
    who: str
    #: for whom they say they did it, "" for themselves
    on_behalf: str = ""
    #: the operation, e.g. `hold_connector`
    what: str
    #: kind of thing and its name, e.g. `connector`, `inventory`
    kind: str
    subject: str = ""
    #: the order that it is about, "" for none
    order: str = ""
    before: dict[str, Json] = field(default_factory=dict)
    after: dict[str, Json] = field(default_factory=dict)
    reason: str = ""
    #: it was not allowed
    denied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedView:
    """A deed of the trail."""

    id: int
    deed: Deed
    #: number of the request that it made, None for none
    request: int | None
    #: why the core refused that request, "" if it did not
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedFilter:
    """Conditions that hold together; empty ones are left out."""

    who: str = ""
    what: str = ""
    kind: str = ""
    subject: str = ""
    order: str = ""
    denied: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


_INSERT = (
    "INSERT INTO audit (at, who, on_behalf, what, kind, subject, order_id, before, after, reason, denied, request) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def record(writer: sqlite3.Connection, deed: Deed | None, request: int | None = None) -> None:
    """Inside a transaction, beside what the deed changes; nothing for None."""
    if deed is None:
        return
    writer.execute(
        _INSERT,
        (
            micros(deed.at),
            deed.who,
            deed.on_behalf,
            deed.what,
            deed.kind,
            deed.subject,
            deed.order,
            dumps(deed.before),
            dumps(deed.after),
            deed.reason,
            int(deed.denied),
            request,
        ),
    )


class SqliteAudit:
    """The trail in the store."""

    _database: Database

    def record(self, deed: Deed) -> None:
        """A deed that changed nothing else."""
        with self._database.transaction() as writer:
            record(writer, deed)

    def deeds(self, where: DeedFilter, limit: int = 100, before: int | None = None) -> list[DeedView]:
        """Newest first; `before` is the `id` of the last one seen."""
        tests: list[str] = []
        values: list[object] = []
        for column, value in (
            ("who", where.who),
            ("what", where.what),
            ("kind", where.kind),
            ("subject", where.subject),
            ("order_id", where.order),
        ):
            if value:
                tests.append(f"a.{column} = ?")
                values.append(value)
        for test, number in (
            ("a.denied = ?", None if where.denied is None else int(where.denied)),
            ("a.at >= ?", micros(where.since)),
            ("a.at < ?", micros(where.until)),
            ("a.id < ?", before),
        ):
            if number is not None:
                tests.append(test)
                values.append(number)
        condition = f"WHERE {' AND '.join(tests)} " if tests else ""
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT a.id, a.at, a.who, a.on_behalf, a.what, a.kind, a.subject, a.order_id, a.before, a.after, "
                "a.reason, a.denied, a.request, i.refused "
                f"FROM audit a LEFT JOIN inbox i ON i.id = a.request {condition}ORDER BY a.id DESC LIMIT ?",
                (*values, limit),
            ).fetchall()
        return [
            DeedView(
                id=id,
                deed=Deed(
                    at=instant(at),
                    who=who,
                    on_behalf=on_behalf,
                    what=what,
                    kind=kind,
                    subject=subject,
                    order=order,
                    before=loads(before_),
                    after=loads(after),
                    reason=reason,
                    denied=bool(denied),
                ),
                request=request,
                refused=refused or "",
            )
            for (
                id,
                at,
                who,
                on_behalf,
                what,
                kind,
                subject,
                order,
                before_,
                after,
                reason,
                denied,
                request,
                refused,
            ) in rows
        ]
