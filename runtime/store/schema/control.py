"""Control of the running system: bulk work, limits, breakers, pauses, watch rules."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, text

from orderloom.runtime.store.schema.columns import blob_column, integer_column, metadata, text_column

#: one intervention on many work items or orders
bulks = Table(
    "bulks",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("action"),
    blob_column("arguments"),
    #: what they were chosen by
    blob_column("chosen"),
    text_column("state"),
    text_column("who"),
    text_column("reason"),
    integer_column("created_at"),
    integer_column("start_at"),
    #: microseconds between two, 0 for none
    integer_column("pace"),
    #: so many under way at most
    integer_column("at_once"),
    #: it stops when more than so many, or so many in a hundred, fail
    integer_column("most_failed", null=True),
    integer_column("most_percent", null=True),
    #: when the next one may be sent
    integer_column("next_at"),
    #: place of the next one
    integer_column("next"),
    integer_column("total"),
    integer_column("under_way"),
    integer_column("done"),
    integer_column("failed"),
    integer_column("refused"),
    #: of `done` and `failed`, what does not count any more since it was resumed
    integer_column("done_before"),
    integer_column("failed_before"),
    text_column("message"),
    integer_column("finished_at", null=True),
    Index("bulks_open", "id", sqlite_where=text("state IN ('running', 'stopping')")),
    sqlite_autoincrement=True,
)

#: what they are about, frozen when they start
bulk_items = Table(
    "bulk_items",
    metadata,
    integer_column("bulk"),
    integer_column("place"),
    #: the work item, 0 for an order as a whole
    integer_column("work"),
    text_column("order_id"),
    text_column("task"),
    text_column("state"),
    #: of the inbox
    integer_column("request", null=True),
    text_column("message"),
    integer_column("at", null=True),
    PrimaryKeyConstraint("bulk", "place"),
    Index("bulk_items_open", "bulk", "state", "place", sqlite_where=text("state IN ('underWay', 'awaiting')")),
    Index("bulk_items_by_work", "work"),
    sqlite_with_rowid=False,
)

#: what operators let a connector do, besides what its design says
limits = Table(
    "limits",
    metadata,
    #: "" for all together
    text_column("connector"),
    #: -1 for all
    integer_column("priority"),
    integer_column("at_once", null=True),
    #: microseconds between two calls
    integer_column("pace", null=True),
    PrimaryKeyConstraint("connector", "priority"),
    sqlite_with_rowid=False,
)

#: connectors that were released with a pace, for the calls that had waited
releases = Table(
    "releases",
    metadata,
    text_column("connector"),
    integer_column("pace"),
    integer_column("at"),
    PrimaryKeyConstraint("connector"),
    sqlite_with_rowid=False,
)

#: as the worker has them, and what operators want them to be
breakers = Table(
    "breakers",
    metadata,
    text_column("connector"),
    text_column("state"),
    integer_column("since"),
    integer_column("failures"),
    integer_column("opens_until", null=True),
    #: `open`, `closed`, or "" where nothing is asked for
    text_column("asked"),
    PrimaryKeyConstraint("connector"),
    sqlite_with_rowid=False,
)

#: task definitions whose tasks are not to start; a trigger holds their work items
paused = Table(
    "paused",
    metadata,
    #: "" for those of all bundles
    text_column("bundle"),
    text_column("definition"),
    text_column("reason"),
    text_column("who"),
    integer_column("at"),
    PrimaryKeyConstraint("bundle", "definition"),
    sqlite_with_rowid=False,
)

#: what watch rules have counted last, by key
watch_windows = Table(
    "watch_windows",
    metadata,
    text_column("bundle"),
    text_column("rule"),
    text_column("key"),
    blob_column("seen"),
    integer_column("last"),
    PrimaryKeyConstraint("bundle", "rule", "key"),
    sqlite_with_rowid=False,
)

#: when watch rules have fired
watch_firings = Table(
    "watch_firings",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("bundle"),
    text_column("rule"),
    text_column("key"),
    integer_column("at"),
    integer_column("count"),
    blob_column("done"),
    Index("watch_firings_by_rule", "bundle", "rule", "id"),
    sqlite_autoincrement=True,
)
