"""What the outside is told, and what reports are made from."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint, text

from orderloom.runtime.store.schema.columns import blob_column, integer_column, metadata, text_column

#: where notifications go, and what
channels = Table(
    "channels",
    metadata,
    text_column("name"),
    text_column("kind"),
    blob_column("settings"),
    blob_column("wanted"),
    blob_column("templates"),
    integer_column("paused"),
    #: of the feed `published`, up to which it was looked at
    integer_column("position"),
    integer_column("created_at"),
    PrimaryKeyConstraint("name"),
)

#: one event of the feed for one channel
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("channel"),
    integer_column("sequence"),
    text_column("order_id"),
    text_column("kind"),
    integer_column("at"),
    text_column("subject"),
    #: as it is sent; empty once it was
    blob_column("body"),
    text_column("state"),
    integer_column("tries"),
    #: NULL where it waits behind another of the same channel and order, or for nothing
    integer_column("due", null=True),
    integer_column("since"),
    text_column("error"),
    integer_column("settled_at", null=True),
    UniqueConstraint("channel", "sequence"),
    Index("deliveries_by_due", "channel", "due", sqlite_where=text("due IS NOT NULL")),
    Index("deliveries_waiting", "channel", "order_id", "id", sqlite_where=text("state = 'waiting'")),
    # lists of what is not done, and removing a channel
    Index("deliveries_undone", "channel", "id", sqlite_where=text("state != 'done'")),
    Index("deliveries_by_order", "order_id", "id"),
    sqlite_autoincrement=True,
)

#: what happened, by hour: counts, and spans of time as histograms; derived from the journal, see `analytics/`
facts = Table(
    "facts",
    metadata,
    text_column("measure"),
    #: spec of the orders' topmost product, "" for all orders
    text_column("product"),
    #: 1 for an hour, 24 for a day of UTC, which holds its hours once more, so that long reports stay fast
    integer_column("hours"),
    #: the first, since 1970, UTC
    integer_column("hour"),
    #: what of: a task definition, a queue, an error; "" for nothing in particular
    text_column("subject"),
    integer_column("count"),
    #: microseconds of all together
    integer_column("total"),
    blob_column("histogram"),
    PrimaryKeyConstraint("measure", "product", "hours", "hour", "subject"),
    sqlite_with_rowid=False,
)

#: what `facts` must know of orders that are not at their end
unfinished = Table(
    "unfinished",
    metadata,
    text_column("order_id"),
    blob_column("data"),
    PrimaryKeyConstraint("order_id"),
    sqlite_with_rowid=False,
)

#: how far what is derived from rows that are only added has come
cursors = Table("cursors", metadata, text_column("name"), integer_column("position"), PrimaryKeyConstraint("name"))
