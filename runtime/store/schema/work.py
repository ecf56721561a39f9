"""Work of people: items, queues, clocks, causes of failures."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, UniqueConstraint, text

from orderloom.runtime.store.schema.columns import blob_column, integer_column, metadata, text_column

work = Table(
    "work",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("order_id"),
    text_column("task"),
    text_column("kind"),
    text_column("queue"),
    text_column("title"),
    blob_column("form"),
    integer_column("due", null=True),
    integer_column("priority"),
    text_column("state"),
    text_column("claimed_by"),
    text_column("code"),
    text_column("message"),
    integer_column("opened_at"),
    integer_column("claimed_at", null=True),
    integer_column("closed_at", null=True),
    #: of fallout: why, as a row of `causes`; NULL until that is looked up
    integer_column("cause", null=True),
    #: how it finds a person, and what they must know, by the rules of its queue
    Column("assign", Text, nullable=False, server_default="pull"),
    Column("skills", LargeBinary, nullable=False, server_default=text("x'5b5d'")),
    #: 1 where the worker is to look for somebody
    Column("seeking", Integer, nullable=False, server_default="0"),
    #: until when the one who has claimed it keeps it
    integer_column("lease", null=True),
    #: of the inbox: what the one who has it asked for; while that waits, nobody else can take it
    integer_column("request", null=True),
    #: who had it last and gave it back, or let the lease run out
    Column("former", Text, nullable=False, server_default=""),
    Index("work_open", "order_id", "task", unique=True, sqlite_where=text("state != 'done'")),
    Index("work_by_queue", "queue", "priority", "due", sqlite_where=text("state != 'done'")),
    Index("work_by_urgency", "priority", "due", sqlite_where=text("state != 'done'")),
    Index("work_by_order", "order_id"),
    Index("work_seeking", "queue", sqlite_where=text("seeking = 1 AND state = 'open'")),
    # how much each has to do, and what of it is assigned
    Index("work_by_holder", "claimed_by", "state", sqlite_where=text("state IN ('assigned', 'claimed')")),
    Index("work_by_lease", "lease", sqlite_where=text("state = 'claimed'")),
    Index("work_of_no_cause", "id", sqlite_where=text("kind = 'fallout' AND cause IS NULL")),
    # groups of like errors, also by queue
    Index("work_by_cause", "cause", "opened_at", "queue", sqlite_where=text("state != 'done' AND cause IS NOT NULL")),
    sqlite_autoincrement=True,
)

#: who had a work item when; triggers refuse to change or delete a row
work_history = Table(
    "work_history",
    metadata,
    Column("id", Integer, primary_key=True),
    integer_column("work"),
    text_column("order_id"),
    integer_column("at"),
    #: opened, assigned, claimed, released, lapsed, escalated, handedOver, returned, done, closed
    text_column("what"),
    #: who did it, "" for the software
    text_column("who"),
    #: who has it since, "" for nobody
    text_column("holder"),
    #: in which it is since
    text_column("queue"),
    text_column("reason"),
    Index("work_history_by_work", "work", "id"),
    Index("work_history_by_time", "at"),
    sqlite_autoincrement=True,
)

#: what people wrote about a work item, or where they said that something about it lies
work_notes = Table(
    "work_notes",
    metadata,
    Column("id", Integer, primary_key=True),
    integer_column("work"),
    text_column("order_id"),
    integer_column("at"),
    text_column("who"),
    text_column("text"),
    #: of an attachment; the content stays where it is
    text_column("url"),
    text_column("name"),
    text_column("media_type"),
    Index("work_notes_by_work", "work", "id"),
    sqlite_autoincrement=True,
)

#: what stands over the rules of a queue's design, at run time
queue_rules = Table(
    "queue_rules",
    metadata,
    text_column("queue"),
    #: NULL for as designed
    text_column("assign", null=True),
    blob_column("skills"),
    #: microseconds, NULL for as usual
    integer_column("lease", null=True),
    #: 1 where nothing is assigned for the time being
    integer_column("paused"),
    integer_column("at"),
    text_column("who"),
    text_column("reason"),
    PrimaryKeyConstraint("queue"),
    sqlite_with_rowid=False,
)

#: who of a queue's members got the last item
queue_turns = Table(
    "queue_turns",
    metadata,
    text_column("queue"),
    text_column("last"),
    PrimaryKeyConstraint("queue"),
    sqlite_with_rowid=False,
)

#: in what time each work item is to be done, and what was told of that; kept when the item is over
clocks = Table(
    "clocks",
    metadata,
    Column("work", Integer, primary_key=True),
    text_column("order_id"),
    text_column("bundle"),
    text_column("design"),
    #: whose `warn at` and `escalate to` count
    text_column("queue"),
    #: in which the item was last seen
    text_column("place"),
    blob_column("term"),
    integer_column("started_at"),
    #: NULL while it stands, or for none
    integer_column("warn_at", null=True),
    integer_column("due", null=True),
    #: when there is something to tell
    integer_column("next_at", null=True),
    #: 0 running, 1 warned, 2 breached
    integer_column("stage"),
    integer_column("step"),
    integer_column("breached_at", null=True),
    integer_column("paused_at", null=True),
    #: 1 where calendars have changed since
    integer_column("outdated"),
    integer_column("ended_at", null=True),
    Index("clocks_by_next", "next_at", sqlite_where=text("next_at IS NOT NULL")),
    Index("clocks_outdated", "work", sqlite_where=text("outdated = 1")),
    Index("clocks_of_bundle", "bundle", sqlite_where=text("ended_at IS NULL")),
    # lists of what is due next
    Index("clocks_by_due", "due", sqlite_where=text("ended_at IS NULL")),
)

#: times in which clocks stood
clock_pauses = Table(
    "clock_pauses",
    metadata,
    Column("id", Integer, primary_key=True),
    integer_column("work"),
    text_column("order_id"),
    text_column("reason"),
    integer_column("began_at"),
    text_column("paused_by"),
    integer_column("ended_at", null=True),
    text_column("ended_by"),
    Index("clock_pauses_by_work", "work", "id"),
    sqlite_autoincrement=True,
)

#: what counts over the calendars of designs
calendar_changes = Table(
    "calendar_changes",
    metadata,
    text_column("bundle"),
    text_column("name"),
    blob_column("data"),
    integer_column("at"),
    text_column("who"),
    text_column("reason"),
    PrimaryKeyConstraint("bundle", "name"),
    sqlite_with_rowid=False,
)

#: errors that are alike
causes = Table(
    "causes",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("connector"),
    text_column("operation"),
    #: of the protocol, 0 where there was none
    integer_column("status"),
    text_column("code"),
    #: the message, without what differs from case to case
    text_column("pattern"),
    #: one message as it came
    text_column("sample"),
    UniqueConstraint("connector", "operation", "status", "code", "pattern"),
    sqlite_autoincrement=True,
)

#: what owners of orders are asked for, by the work item that waits for it
wanted = Table(
    "wanted",
    metadata,
    Column("work", Integer, primary_key=True),
    text_column("order_id"),
    text_column("line"),
    blob_column("attributes"),
    text_column("text"),
    text_column("who"),
    integer_column("at"),
    Index("wanted_by_order", "order_id"),
)
