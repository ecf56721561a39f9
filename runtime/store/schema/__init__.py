"""The tables. Instants are integers, microseconds since 1970 in UTC; blobs are JSON (see the codecs).

Keys begin with the order's id where a row belongs to an order. Lists of screens find their rows by index: each index
names the one it serves.
"""

from __future__ import annotations

from orderloom.runtime.store.schema.columns import metadata
from orderloom.runtime.store.schema.control import (
    breakers,
    bulk_items,
    bulks,
    limits,
    paused,
    releases,
    watch_firings,
    watch_windows,
)
from orderloom.runtime.store.schema.orders import (
    asset_history,
    attempts,
    bundles,
    contents,
    documents,
    early,
    early_members,
    former,
    gates,
    inbox,
    inventory,
    journal,
    lines,
    orders,
    outbox,
    poisoned,
    published,
    settings,
    subscriptions,
    tasks,
    timers,
)
from orderloom.runtime.store.schema.people import audit, grants, roles, teams, users
from orderloom.runtime.store.schema.telling import channels, cursors, deliveries, facts, unfinished
from orderloom.runtime.store.schema.work import (
    calendar_changes,
    causes,
    clock_pauses,
    clocks,
    queue_rules,
    queue_turns,
    wanted,
    work,
    work_history,
    work_notes,
)

#: the newest revision of runtime/store/migrations; revisions are numbers, so that a newer one can be told
REVISION = "0004"

__all__ = [
    "REVISION",
    "asset_history",
    "attempts",
    "audit",
    "breakers",
    "bulk_items",
    "bulks",
    "bundles",
    "calendar_changes",
    "causes",
    "channels",
    "clock_pauses",
    "clocks",
    "contents",
    "cursors",
    "deliveries",
    "documents",
    "early",
    "early_members",
    "facts",
    "former",
    "gates",
    "grants",
    "inbox",
    "inventory",
    "journal",
    "limits",
    "lines",
    "metadata",
    "orders",
    "outbox",
    "paused",
    "poisoned",
    "published",
    "queue_rules",
    "queue_turns",
    "releases",
    "roles",
    "settings",
    "subscriptions",
    "tasks",
    "teams",
    "timers",
    "unfinished",
    "users",
    "wanted",
    "watch_firings",
    "watch_windows",
    "work",
    "work_history",
    "work_notes",
]
