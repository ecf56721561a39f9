"""What watch rules count, and what they do when they fire.

One transaction reads what has happened behind cursors, counts it and does what follows: windows, cursors and deeds are
durable together, so nothing is counted twice or lost, and nothing is done twice.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from orderloom.engine.watching import Firing, Occurrence, Seen, Windows, counts, highest, observe
from orderloom.models.conversion import Json
from orderloom.models.journal import PriorityRaised, WorkKind
from orderloom.models.watching import (
    HoldConnector,
    Notify,
    OpenWatchWork,
    RaisePriority,
    WatchAction,
    Watched,
    WatchRule,
)
from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.codec import dumps, instant, loads, maybe_instant, micros
from orderloom.runtime.store.controls import hold
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import Conflict
from orderloom.runtime.store.event_codec import event_bytes
from orderloom.runtime.store.state_codec import form_bytes
from orderloom.runtime.store.work import WorkEvent, current, tell, untouched

#: rows of each kind looked at in one go
_CHUNK = 1_000
#: rows after which cursors are written though nothing was counted
_NOTED_EACH = 10_000
_ATTEMPTS, _PUBLISHED, _HISTORY = "watches.attempts", "watches.published", "watches.history"
_LAST = {
    _ATTEMPTS: "SELECT max(id) FROM attempts",
    _PUBLISHED: "SELECT max(sequence) FROM published",
    _HISTORY: "SELECT max(id) FROM work_history",
}
_SOURCES = {
    Watched.FAILURES: _ATTEMPTS,
    Watched.BREACHES: _PUBLISHED,
    Watched.WARNINGS: _PUBLISHED,
    Watched.FALLOUT: _HISTORY,
}
_ACCOUNT = "coalesce((SELECT account FROM orders o WHERE o.id = {0}.order_id), '')"
_FAILED = (
    "SELECT a.at, a.order_id, {account}, a.connector, a.operation, a.code, {task} FROM attempts a "
    "WHERE a.id > ? AND a.id <= ? AND a.outcome IN ('retriable', 'fatal') ORDER BY a.id"
)
_TASK = (
    "coalesce((SELECT json_extract(CAST(t.data AS TEXT), '$.def') FROM tasks t WHERE t.order_id = a.order_id "
    "AND t.id = a.task), '')"
)
_TOLD = (
    f"SELECT p.kind, p.order_id, {_ACCOUNT.format('p')}, p.data FROM published p "
    "WHERE p.sequence > ? AND p.sequence <= ? AND p.kind IN ('work.warned', 'work.breached') ORDER BY p.sequence"
)
_FALLEN = (
    f"SELECT h.at, h.order_id, {_ACCOUNT.format('h')}, h.queue, w.code FROM work_history h "
    "JOIN work w ON w.id = h.work WHERE h.id > ? AND h.id <= ? AND h.what = 'opened' AND w.kind = 'fallout' "
    "ORDER BY h.id"
)
_OPEN = (
    "INSERT INTO work (order_id, task, kind, queue, title, form, due, priority, state, claimed_by, code, message, "
    "opened_at, seeking) SELECT '', ?1, 'manual', ?2, ?3, ?4, NULL, 0, 'open', '', '', ?5, ?6, "
    "EXISTS (SELECT 1 FROM queue_rules WHERE queue = ?2 AND assign != 'pull') "
    "WHERE NOT EXISTS (SELECT 1 FROM work WHERE order_id = '' AND task = ?1 AND state != 'done')"
)
_OPENED = (
    "INSERT INTO work_history (work, order_id, at, what, who, holder, queue, reason) "
    "VALUES (?, '', ?, 'opened', ?, '', ?, '')"
)
_CLOSED = "UPDATE work SET state = 'done', closed_at = ?, lease = NULL, seeking = 0 WHERE id = ?"
_INBOX = "INSERT INTO inbox (order_id, event, received_at, priority) SELECT id, ?, ?, priority FROM orders WHERE id = ?"

#: the rules of a version of a bundle, by its digest
RulesOf = Callable[[str], Mapping[str, WatchRule]]


@dataclass(slots=True)
class Watching:
    """What the one worker keeps in memory between two looks: windows as they are durable, and cursors."""

    #: digest of the active version by bundle, as of the last look
    active: Mapping[str, str] = field(default_factory=dict)
    #: by bundle
    rules: Mapping[str, Mapping[str, WatchRule]] = field(default_factory=dict)
    windows: dict[str, Windows] = field(default_factory=dict)
    #: up to where each source was looked at, and up to where that is durable
    positions: Mapping[str, int] = field(default_factory=dict)
    noted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchView:
    """A rule of an active bundle."""

    bundle: str
    rule: WatchRule
    #: the highest count now, and of which key
    count: int
    key: str
    #: how often it has fired, and when last
    fired: int
    last_fired: datetime | None
    #: what it did then
    done: tuple[str, ...]


class Watches(Protocol):
    """Watch rules at work."""

    def tend_watches(self, watching: Watching, rules: RulesOf, now: datetime) -> int:
        """Counts what has happened since the last time, some at a time, and does what follows; returns how much there
        was to look at. After an error `watching` is not to be used again."""

    def close_work(self, work: int, by: str, at: datetime, deed: Deed) -> None:
        """Ends an item that a rule has opened. Raises NotFound, Conflict."""

    def watch_views(self, rules: Mapping[str, Mapping[str, WatchRule]], at: datetime) -> list[WatchView]:
        """How the rules, by bundle, stand."""


class SqliteWatches:
    """The part of a store for watch rules."""

    _database: Database

    def tend_watches(self, watching: Watching, rules: RulesOf, now: datetime) -> int:
        with self._database.snapshot() as reader:
            active = dict(reader.execute("SELECT name, digest FROM bundles WHERE active = 1").fetchall())
        if active != watching.active:
            # a design that is not at hand is read by a snapshot of its own
            watching.rules = {bundle: found for bundle, digest in active.items() if (found := rules(digest))}
            watching.active = active
            with self._database.transaction() as writer:
                _begin(writer, watching)
        if not watching.positions:
            return 0
        with self._database.snapshot() as reader:
            look = _look(reader, watching)
        wanted = [rule for known in watching.rules.values() for rule in known.values()]
        happened = [each for each in look.happened if any(counts(rule, each) for rule in wanted)]
        # what nothing counts may be looked at again after a restart
        if happened or (look.rows and _behind(watching, look.positions)):
            with self._database.transaction() as writer:
                for occurrence in sorted(happened, key=lambda each: each.at):
                    _count(writer, watching, occurrence, now)
                for bundle, windows in watching.windows.items():
                    _keep(writer, bundle, windows)
                _note(writer, look.positions)
            watching.noted = look.positions
        watching.positions = look.positions
        return look.rows if happened or look.more else 0

    def close_work(self, work: int, by: str, at: datetime, deed: Deed) -> None:
        with self._database.transaction() as writer:
            item = current(writer, work, at)
            untouched(item)
            if item.order:
                raise Conflict(f"order `{item.order}` waits for work item {work}")
            if item.claimed_by not in ("", by):
                raise Conflict(f"work item {work} is with `{item.claimed_by}`")
            tell(writer, work, at, WorkEvent.DONE, by)
            writer.execute(_CLOSED, (micros(at), work))
            record(writer, deed)

    def watch_views(self, rules: Mapping[str, Mapping[str, WatchRule]], at: datetime) -> list[WatchView]:
        views: list[WatchView] = []
        with self._database.snapshot() as reader:
            for bundle, known in sorted(rules.items()):
                windows = _windows(reader, bundle)
                for rule in known.values():
                    key, count = highest(rule, windows.seen.get(rule.name, {}), at)
                    fired, last = reader.execute(
                        "SELECT count(*), max(id) FROM watch_firings WHERE bundle = ? AND rule = ?", (bundle, rule.name)
                    ).fetchone()
                    row = reader.execute("SELECT at, done FROM watch_firings WHERE id = ?", (last,)).fetchone()
                    views.append(
                        WatchView(
                            bundle=bundle,
                            rule=rule,
                            count=count,
                            key=key,
                            fired=fired,
                            last_fired=maybe_instant(row[0]) if row else None,
                            done=tuple(loads(row[1])) if row else (),
                        )
                    )
        return views


# --- what has happened


@dataclass(slots=True)
class _Look:
    """What was found behind the cursors."""

    positions: dict[str, int]
    happened: list[Occurrence]
    #: how many there were to look at, and whether there are more
    rows: int = 0
    more: bool = False


def start_counting(writer: sqlite3.Connection) -> None:
    """A version with other rules is active from now on: what nobody has looked at so far is not counted by them."""
    for name, query in _LAST.items():
        writer.execute(
            f"INSERT INTO cursors (name, position) SELECT ?1, coalesce(({query}), 0) "
            "WHERE NOT EXISTS (SELECT 1 FROM cursors WHERE name = ?1)",
            (name,),
        )


def _begin(writer: sqlite3.Connection, watching: Watching) -> None:
    """With other rules: what they want is read from where it was left, and nothing else is."""
    wanted = {_SOURCES[rule.watched] for known in watching.rules.values() for rule in known.values()}
    kept = dict(writer.execute("SELECT name, position FROM cursors WHERE name GLOB 'watches.*'").fetchall())
    watching.positions = {name: kept[name] if name in kept else _end(writer, name) for name in sorted(wanted)}
    watching.noted = watching.positions
    writer.execute("DELETE FROM cursors WHERE name GLOB 'watches.*'")
    _note(writer, watching.positions)
    for (bundle,) in writer.execute("SELECT DISTINCT bundle FROM watch_windows").fetchall():
        if bundle not in watching.rules:
            writer.execute("DELETE FROM watch_windows WHERE bundle = ?", (bundle,))
    watching.windows = {bundle: _load(writer, bundle, known) for bundle, known in watching.rules.items()}


def _note(writer: sqlite3.Connection, positions: Mapping[str, int]) -> None:
    writer.executemany("INSERT OR REPLACE INTO cursors (name, position) VALUES (?, ?)", list(positions.items()))


def _behind(watching: Watching, positions: Mapping[str, int]) -> bool:
    return any(at - watching.noted[name] >= _NOTED_EACH for name, at in positions.items())


def _end(reader: sqlite3.Connection, name: str) -> int:
    return int(reader.execute(_LAST[name]).fetchone()[0] or 0)


def _look(reader: sqlite3.Connection, watching: Watching) -> _Look:
    look = _Look(dict(watching.positions), [])
    for name, after in watching.positions.items():
        last = _end(reader, name)
        until = min(last, after + _CHUNK)
        if until <= after:
            continue
        if name == _ATTEMPTS:
            by_task = any(rule.tasks for known in watching.rules.values() for rule in known.values())
            look.happened += _failures(reader, after, until, by_task=by_task)
        elif name == _PUBLISHED:
            look.happened += _clocks(reader, after, until)
        else:
            look.happened += _fallout(reader, after, until)
        look.positions[name] = until
        look.rows += until - after
        look.more = look.more or until < last
    return look


def _failures(reader: sqlite3.Connection, after: int, until: int, *, by_task: bool) -> list[Occurrence]:
    query = _FAILED.format(account=_ACCOUNT.format("a"), task=_TASK if by_task else "''")
    return [
        Occurrence(
            watched=Watched.FAILURES,
            at=instant(at),
            order=order,
            account=account,
            connector=connector,
            operation=operation,
            error=code,
            task=task,
        )
        for at, order, account, connector, operation, code, task in reader.execute(query, (after, until))
    ]


def _clocks(reader: sqlite3.Connection, after: int, until: int) -> list[Occurrence]:
    found: list[Occurrence] = []
    for kind, order, account, data in reader.execute(_TOLD, (after, until)):
        told = loads(data)
        watched = Watched.BREACHES if kind == "work.breached" else Watched.WARNINGS
        at = datetime.fromisoformat(told["at"])
        found.append(Occurrence(watched=watched, at=at, order=order, account=account, queue=told["queue"]))
    return found


def _fallout(reader: sqlite3.Connection, after: int, until: int) -> list[Occurrence]:
    return [
        Occurrence(watched=Watched.FALLOUT, at=instant(at), order=order, account=account, queue=queue, error=code)
        for at, order, account, queue, code in reader.execute(_FALLEN, (after, until))
    ]


# --- windows


def _load(writer: sqlite3.Connection, bundle: str, rules: Mapping[str, WatchRule]) -> Windows:
    """Those of the rules that there are; what is left of others goes."""
    windows = _windows(writer, bundle)
    for name in windows.seen.keys() - rules.keys():
        writer.execute("DELETE FROM watch_windows WHERE bundle = ? AND rule = ?", (bundle, name))
        del windows.seen[name]
    return windows


def _windows(connection: sqlite3.Connection, bundle: str) -> Windows:
    windows = Windows()
    rows = connection.execute("SELECT rule, key, seen FROM watch_windows WHERE bundle = ? ORDER BY last", (bundle,))
    for rule, key, seen in rows:
        keys = windows.seen.setdefault(rule, OrderedDict())
        keys[key] = tuple(Seen(instant(at), order) for at, order in loads(seen))
    return windows


def _keep(writer: sqlite3.Connection, bundle: str, windows: Windows) -> None:
    for (rule, key), there in windows.changed.items():
        if not there:
            writer.execute("DELETE FROM watch_windows WHERE bundle = ? AND rule = ? AND key = ?", (bundle, rule, key))
            continue
        seen = windows.seen[rule][key]
        data = dumps([(micros(each.at), each.order) for each in seen])
        writer.execute(
            "INSERT OR REPLACE INTO watch_windows (bundle, rule, key, seen, last) VALUES (?, ?, ?, ?, ?)",
            (bundle, rule, key, data, micros(seen[-1].at)),
        )
    windows.changed.clear()


# --- what follows


def _count(writer: sqlite3.Connection, watching: Watching, occurrence: Occurrence, now: datetime) -> None:
    for bundle, known in watching.rules.items():
        for firing in observe(known.values(), watching.windows[bundle], occurrence):
            _fire(writer, bundle, known[firing.rule], firing, now)


def _fire(writer: sqlite3.Connection, bundle: str, rule: WatchRule, firing: Firing, now: datetime) -> None:
    done = [text for action in rule.actions for text in _act(writer, bundle, rule, firing, action, now)]
    writer.execute(
        "INSERT INTO watch_firings (bundle, rule, key, at, count, done) VALUES (?, ?, ?, ?, ?, ?)",
        (bundle, rule.name, firing.key, micros(firing.at), firing.count, dumps(done)),
    )
    data: dict[str, Json] = {
        "watch": rule.name,
        "title": rule.title,
        "bundle": bundle,
        "why": why(rule),
        "key": firing.key,
        "at": firing.at.isoformat(),
        "count": firing.count,
        "notify": [action.name for action in rule.actions if isinstance(action, Notify)],
        "orders": list(firing.orders),
        "done": list(done),
    }
    order = firing.orders[0] if len(firing.orders) == 1 else ""
    writer.execute(
        "INSERT INTO published (order_id, at, kind, data) VALUES (?, ?, 'watch.fired', ?)",
        (order, micros(now), dumps(data)),
    )


def _act(
    writer: sqlite3.Connection, bundle: str, rule: WatchRule, firing: Firing, action: WatchAction, now: datetime
) -> list[str]:
    """Does it, in the name of the rule, and says what was done."""
    who, reason = f"watch:{rule.name}", f"{rule.title}: {why(rule)}"
    match action:
        case HoldConnector(connector=connector):
            if writer.execute("SELECT 1 FROM settings WHERE name = ?", (f"held:{connector}",)).fetchone():
                return [f"{connector} is held already"]
            deed = Deed(at=now, who=who, what="hold_connector", kind="connector", subject=connector, reason=reason)
            hold(writer, connector, reason)
            record(writer, deed)
            return [f"held {connector}"]
        case OpenWatchWork():
            return _open(writer, bundle, rule, firing, action, who, now)
        case RaisePriority():
            for order in firing.orders:
                deed = Deed(at=now, who=who, what="raise_priority", kind="order", subject=order, order=order)
                event = event_bytes(PriorityRaised(by=who, reason=reason))
                number = writer.execute(_INBOX, (event, micros(now), order)).lastrowid
                record(writer, deed, number)
            return [f"raised the priority of {len(firing.orders)} orders"]
        case Notify(name=name):
            return [f"told {name}"]


def _open(
    writer: sqlite3.Connection,
    bundle: str,
    rule: WatchRule,
    firing: Firing,
    action: OpenWatchWork,
    who: str,
    now: datetime,
) -> list[str]:
    """An item of no order; while one of the rule and key is open, there is no other."""
    task = f"watch:{bundle}.{rule.name}" + (f":{firing.key}" if firing.key else "")
    opened = writer.execute(_OPEN, (task, action.queue, action.title, form_bytes(()), why(rule), micros(now)))
    if not opened.rowcount:
        return [f"work in {action.queue} is open already"]
    number = opened.lastrowid
    writer.execute(_OPENED, (number, micros(now), who, action.queue))
    said = {"queue": action.queue, "title": action.title}
    told = {"item": number, "task": task, "kind": str(WorkKind.MANUAL), **said}
    writer.execute(
        "INSERT INTO published (order_id, at, kind, data) VALUES ('', ?, 'work.opened', ?)", (micros(now), dumps(told))
    )
    record(writer, Deed(at=now, who=who, what="open_work", kind="work", subject=str(number), after=dict(said)))
    return [f"opened item {number} in {action.queue}"]


def why(rule: WatchRule) -> str:
    """In words, e.g. `5 failures of inventory within 0:10:00`."""
    whose = rule.operation or rule.connector or rule.queue or ", ".join(rule.tasks)
    error = f" with {rule.error}" if rule.error else ""
    per = f" per {rule.per}" if rule.per is not None else ""
    return f"{rule.count} {rule.watched} of {whose}{error} within {rule.within}{per}"
