"""The tables. Instants are integers, microseconds since 1970 in UTC; blobs are JSON (see the codecs).

Keys begin with the order's id where a row belongs to an order. Lists of screens find their rows by index: each index
below names the one it serves.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

#: the newest revision of runtime/store/migrations; revisions are numbers, so that a newer one can be told
REVISION = "0004"

metadata = MetaData()


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _integer(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=null)


def _blob(name: str, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null)


bundles = Table(
    "bundles",
    metadata,
    _text("digest"),
    _text("name"),
    _text("version"),
    _blob("sources"),
    _integer("deployed_at"),
    _integer("active"),
    PrimaryKeyConstraint("digest"),
    UniqueConstraint("name", "version"),
)

orders = Table(
    "orders",
    metadata,
    Column("sequence", Integer, primary_key=True),
    _text("id"),
    _text("external_id"),
    _text("account"),
    _text("account_name"),
    _text("status"),
    _text("plan"),
    _integer("priority"),
    _text("design"),
    _integer("version"),
    _integer("submitted_at"),
    _integer("updated_at"),
    _integer("started_at", null=True),
    _integer("completed_at", null=True),
    _blob("rest"),
    UniqueConstraint("id"),
    Index("orders_by_status", "status", "sequence"),
    Index("orders_by_account", "account", "sequence"),
    # what an order may have to wait for
    Index(
        "orders_open_by_account",
        "account",
        "sequence",
        sqlite_where=text("status NOT IN ('rejected', 'cancelled', 'completed', 'failed', 'partial')"),
    ),
    Index("orders_by_external_id", "external_id", sqlite_where=text("external_id != ''")),
)

#: what is wide and seldom changes, kept out of the row that every event writes
contents = Table(
    "contents",
    metadata,
    _text("order_id"),
    #: as submitted
    _blob("content"),
    _blob("outline"),
    #: as a change left it, NULL where none did
    _blob("amended", null=True),
    #: the design that it was submitted to, NULL in rows older than schema 0003: the one it runs on
    _text("design", null=True),
    PrimaryKeyConstraint("order_id"),
)

#: what was submitted, as it came
documents = Table(
    "documents",
    metadata,
    _text("order_id"),
    _blob("document"),
    PrimaryKeyConstraint("order_id"),
)

lines = Table(
    "lines",
    metadata,
    _text("order_id"),
    _text("id"),
    _text("spec"),
    _text("state"),
    _blob("data"),
    PrimaryKeyConstraint("order_id", "id"),
    sqlite_with_rowid=False,
)

#: versions of lines that changes have superseded
former = Table(
    "former",
    metadata,
    _text("order_id"),
    _text("id"),
    _text("line"),
    _blob("data"),
    PrimaryKeyConstraint("order_id", "id"),
    sqlite_with_rowid=False,
)

#: orders that wait for other orders before they are taken up
gates = Table(
    "gates",
    metadata,
    _text("order_id"),
    _text("waits_for"),
    _text("kind"),
    _text("reason"),
    PrimaryKeyConstraint("order_id", "waits_for"),
    Index("gates_by_other", "waits_for"),
    sqlite_with_rowid=False,
)

tasks = Table(
    "tasks",
    metadata,
    _text("order_id"),
    _text("id"),
    _text("state"),
    _blob("data"),
    PrimaryKeyConstraint("order_id", "id"),
    # lists of what is in trouble; the ones that run or are done change too often to be indexed
    Index("tasks_in_trouble", "state", "order_id", sqlite_where=text("state IN ('fallout', 'failed', 'held')")),
    sqlite_with_rowid=False,
)

#: no key of its own but the unique one: rows are appended, which costs least where many orders move at once
journal = Table(
    "journal",
    metadata,
    _text("order_id"),
    _integer("version"),
    _integer("at"),
    _blob("event"),
    _blob("entries"),
    UniqueConstraint("order_id", "version", name="journal_once"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("order_id"),
    _blob("event"),
    _integer("received_at"),
    #: why the core refused it; only such rows stay
    _text("refused", null=True),
    #: of the order, as it was then
    Column("priority", Integer, nullable=False, server_default="4"),
    Index("inbox_waiting", "priority", "id", sqlite_where=text("refused IS NULL")),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    _text("order_id"),
    _text("task"),
    _integer("attempt"),
    _text("key"),
    _text("connector"),
    _text("operation"),
    _integer("priority"),
    _text("design"),
    _integer("since"),
    _blob("context"),
    _text("held"),
    PrimaryKeyConstraint("order_id", "task"),
    Index("outbox_by_connector", "connector", "priority", "since"),
)

timers = Table(
    "timers",
    metadata,
    _text("order_id"),
    _text("task"),
    _text("kind"),
    _integer("attempt"),
    _integer("due"),
    PrimaryKeyConstraint("order_id", "task", "kind"),
    Index("timers_by_due", "due"),
    sqlite_with_rowid=False,
)

subscriptions = Table(
    "subscriptions",
    metadata,
    _text("order_id"),
    _text("task"),
    #: `callback` or `event`
    _text("kind"),
    #: the operation or the event
    _text("name"),
    #: member of the payload that holds the key, "" for any payload
    _text("field"),
    _blob("key"),
    PrimaryKeyConstraint("order_id", "task"),
    Index("subscriptions_by_key", "kind", "name", "field", "key"),
    sqlite_with_rowid=False,
)

#: messages that came before anybody awaited them
early = Table(
    "early",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("kind"),
    _text("name"),
    #: callbacks: the correlation as JSON
    _blob("key"),
    _blob("message"),
    _integer("received_at"),
    Index("early_by_key", "kind", "name", "key"),
    Index("early_by_age", "received_at"),
)

#: the members of early events, by which waits find them
early_members = Table(
    "early_members",
    metadata,
    _text("name"),
    #: name or dotted path
    _text("field"),
    _blob("key"),
    _integer("early"),
    PrimaryKeyConstraint("name", "field", "key", "early"),
    Index("early_members_by_event", "early"),
    sqlite_with_rowid=False,
)

work = Table(
    "work",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("order_id"),
    _text("task"),
    _text("kind"),
    _text("queue"),
    _text("title"),
    _blob("form"),
    _integer("due", null=True),
    _integer("priority"),
    _text("state"),
    _text("claimed_by"),
    _text("code"),
    _text("message"),
    _integer("opened_at"),
    _integer("claimed_at", null=True),
    _integer("closed_at", null=True),
    #: of fallout: why, as a row of `causes`; NULL until that is looked up
    _integer("cause", null=True),
    #: how it finds a person, and what they must know, by the rules of its queue
    Column("assign", Text, nullable=False, server_default="pull"),
    Column("skills", LargeBinary, nullable=False, server_default=text("x'5b5d'")),
    #: 1 where the worker is to look for somebody
    Column("seeking", Integer, nullable=False, server_default="0"),
    #: until when the one who has claimed it keeps it
    _integer("lease", null=True),
    #: of the inbox: what the one who has it asked for; while that waits, nobody else can take it
    _integer("request", null=True),
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

#: errors that are alike
causes = Table(
    "causes",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("connector"),
    _text("operation"),
    #: of the protocol, 0 where there was none
    _integer("status"),
    _text("code"),
    #: the message, without what differs from case to case
    _text("pattern"),
    #: one message as it came
    _text("sample"),
    UniqueConstraint("connector", "operation", "status", "code", "pattern"),
    sqlite_autoincrement=True,
)

#: what owners of orders are asked for, by the work item that waits for it
wanted = Table(
    "wanted",
    metadata,
    Column("work", Integer, primary_key=True),
    _text("order_id"),
    _text("line"),
    _blob("attributes"),
    _text("text"),
    _text("who"),
    _integer("at"),
    Index("wanted_by_order", "order_id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("order_id"),
    _text("task"),
    _integer("attempt"),
    _text("key"),
    _text("connector"),
    _text("operation"),
    _text("outcome"),
    _text("code"),
    _text("message"),
    _integer("at"),
    _blob("exchange", null=True),
    Index("attempts_by_task", "order_id", "task"),
)

inventory = Table(
    "inventory",
    metadata,
    _text("id"),
    _text("account"),
    _text("spec"),
    _text("state"),
    _blob("data"),
    _integer("updated_at"),
    PrimaryKeyConstraint("id"),
    Index("inventory_by_account", "account", "state"),
    Index("inventory_by_spec", "spec", "id"),
)

#: every version of every asset
asset_history = Table(
    "asset_history",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("asset"),
    _text("order_id"),
    _integer("at"),
    #: the change, and what it left
    _blob("change"),
    _blob("data"),
    Index("asset_history_by_asset", "asset", "id"),
    sqlite_autoincrement=True,
)

published = Table(
    "published",
    metadata,
    Column("sequence", Integer, primary_key=True),
    _text("order_id"),
    _integer("at"),
    _text("kind"),
    _blob("data"),
    Index("published_by_order", "order_id", "sequence"),
    sqlite_autoincrement=True,
)

poisoned = Table(
    "poisoned",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("order_id"),
    _blob("event"),
    _integer("at"),
    _text("message"),
    _text("traceback"),
    sqlite_autoincrement=True,
)

settings = Table(
    "settings",
    metadata,
    _text("name"),
    _text("value"),
    PrimaryKeyConstraint("name"),
)

#: who had a work item when; triggers refuse to change or delete a row
work_history = Table(
    "work_history",
    metadata,
    Column("id", Integer, primary_key=True),
    _integer("work"),
    _text("order_id"),
    _integer("at"),
    #: opened, assigned, claimed, released, lapsed, escalated, handedOver, returned, done, closed
    _text("what"),
    #: who did it, "" for the software
    _text("who"),
    #: who has it since, "" for nobody
    _text("holder"),
    #: in which it is since
    _text("queue"),
    _text("reason"),
    Index("work_history_by_work", "work", "id"),
    Index("work_history_by_time", "at"),
    sqlite_autoincrement=True,
)

#: what people wrote about a work item, or where they said that something about it lies
work_notes = Table(
    "work_notes",
    metadata,
    Column("id", Integer, primary_key=True),
    _integer("work"),
    _text("order_id"),
    _integer("at"),
    _text("who"),
    _text("text"),
    #: of an attachment; the content stays where it is
    _text("url"),
    _text("name"),
    _text("media_type"),
    Index("work_notes_by_work", "work", "id"),
    sqlite_autoincrement=True,
)

#: what stands over the rules of a queue's design, at run time
queue_rules = Table(
    "queue_rules",
    metadata,
    _text("queue"),
    #: NULL for as designed
    _text("assign", null=True),
    _blob("skills"),
    #: microseconds, NULL for as usual
    _integer("lease", null=True),
    #: 1 where nothing is assigned for the time being
    _integer("paused"),
    _integer("at"),
    _text("who"),
    _text("reason"),
    PrimaryKeyConstraint("queue"),
    sqlite_with_rowid=False,
)

#: who of a queue's members got the last item
queue_turns = Table(
    "queue_turns", metadata, _text("queue"), _text("last"), PrimaryKeyConstraint("queue"), sqlite_with_rowid=False
)

#: in what time each work item is to be done, and what was told of that; kept when the item is over
clocks = Table(
    "clocks",
    metadata,
    Column("work", Integer, primary_key=True),
    _text("order_id"),
    _text("bundle"),
    _text("design"),
    #: whose `warn at` and `escalate to` count
    _text("queue"),
    #: in which the item was last seen
    _text("place"),
    _blob("term"),
    _integer("started_at"),
    #: NULL while it stands, or for none
    _integer("warn_at", null=True),
    _integer("due", null=True),
    #: when there is something to tell
    _integer("next_at", null=True),
    #: 0 running, 1 warned, 2 breached
    _integer("stage"),
    _integer("step"),
    _integer("breached_at", null=True),
    _integer("paused_at", null=True),
    #: 1 where calendars have changed since
    _integer("outdated"),
    _integer("ended_at", null=True),
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
    _integer("work"),
    _text("order_id"),
    _text("reason"),
    _integer("began_at"),
    _text("paused_by"),
    _integer("ended_at", null=True),
    _text("ended_by"),
    Index("clock_pauses_by_work", "work", "id"),
    sqlite_autoincrement=True,
)

#: what counts over the calendars of designs
calendar_changes = Table(
    "calendar_changes",
    metadata,
    _text("bundle"),
    _text("name"),
    _blob("data"),
    _integer("at"),
    _text("who"),
    _text("reason"),
    PrimaryKeyConstraint("bundle", "name"),
    sqlite_with_rowid=False,
)

#: what watch rules have counted last, by key
watch_windows = Table(
    "watch_windows",
    metadata,
    _text("bundle"),
    _text("rule"),
    _text("key"),
    _blob("seen"),
    _integer("last"),
    PrimaryKeyConstraint("bundle", "rule", "key"),
    sqlite_with_rowid=False,
)

#: when watch rules have fired
watch_firings = Table(
    "watch_firings",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("bundle"),
    _text("rule"),
    _text("key"),
    _integer("at"),
    _integer("count"),
    _blob("done"),
    Index("watch_firings_by_rule", "bundle", "rule", "id"),
    sqlite_autoincrement=True,
)

#: what people did; triggers refuse to change or delete a row
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    _integer("at"),
    _text("who"),
    _text("on_behalf"),
    _text("what"),
    _text("kind"),
    _text("subject"),
    _text("order_id"),
    _blob("before"),
    _blob("after"),
    _text("reason"),
    _integer("denied"),
    #: of the inbox
    _integer("request", null=True),
    Index("audit_by_who", "who", "id"),
    Index("audit_by_subject", "kind", "subject", "id"),
    Index("audit_by_order", "order_id", "id"),
    sqlite_autoincrement=True,
)

users = Table(
    "users",
    metadata,
    _text("name"),
    _text("title"),
    _text("email"),
    _integer("active"),
    _integer("away"),
    _integer("created_at"),
    PrimaryKeyConstraint("name"),
)

teams = Table("teams", metadata, _text("name"), _text("title"), PrimaryKeyConstraint("name"))

#: roles made at run time; those of the field stand in `access/permissions.py`
roles = Table("roles", metadata, _text("name"), _text("title"), _blob("data"), PrimaryKeyConstraint("name"))

#: what users and teams hold: roles, queues, skills, accounts; users also teams
grants = Table(
    "grants",
    metadata,
    #: `user` or `team`, and its name
    _text("holder"),
    _text("name"),
    _text("kind"),
    _text("value"),
    PrimaryKeyConstraint("holder", "name", "kind", "value"),
    # members of a queue, holders of a role
    Index("grants_by_value", "kind", "value"),
    sqlite_with_rowid=False,
)

#: where notifications go, and what
channels = Table(
    "channels",
    metadata,
    _text("name"),
    _text("kind"),
    _blob("settings"),
    _blob("wanted"),
    _blob("templates"),
    _integer("paused"),
    #: of the feed `published`, up to which it was looked at
    _integer("position"),
    _integer("created_at"),
    PrimaryKeyConstraint("name"),
)

#: one event of the feed for one channel
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("channel"),
    _integer("sequence"),
    _text("order_id"),
    _text("kind"),
    _integer("at"),
    _text("subject"),
    #: as it is sent; empty once it was
    _blob("body"),
    _text("state"),
    _integer("tries"),
    #: NULL where it waits behind another of the same channel and order, or for nothing
    _integer("due", null=True),
    _integer("since"),
    _text("error"),
    _integer("settled_at", null=True),
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
    _text("measure"),
    #: spec of the orders' topmost product, "" for all orders
    _text("product"),
    #: 1 for an hour, 24 for a day of UTC, which holds its hours once more, so that long reports stay fast
    _integer("hours"),
    #: the first, since 1970, UTC
    _integer("hour"),
    #: what of: a task definition, a queue, an error; "" for nothing in particular
    _text("subject"),
    _integer("count"),
    #: microseconds of all together
    _integer("total"),
    _blob("histogram"),
    PrimaryKeyConstraint("measure", "product", "hours", "hour", "subject"),
    sqlite_with_rowid=False,
)

#: what `facts` must know of orders that are not at their end
unfinished = Table(
    "unfinished",
    metadata,
    _text("order_id"),
    _blob("data"),
    PrimaryKeyConstraint("order_id"),
    sqlite_with_rowid=False,
)

#: how far what is derived from rows that are only added has come
cursors = Table("cursors", metadata, _text("name"), _integer("position"), PrimaryKeyConstraint("name"))

#: one intervention on many work items or orders
bulks = Table(
    "bulks",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("action"),
    _blob("arguments"),
    #: what they were chosen by
    _blob("chosen"),
    _text("state"),
    _text("who"),
    _text("reason"),
    _integer("created_at"),
    _integer("start_at"),
    #: microseconds between two, 0 for none
    _integer("pace"),
    #: so many under way at most
    _integer("at_once"),
    #: it stops when more than so many, or so many in a hundred, fail
    _integer("most_failed", null=True),
    _integer("most_percent", null=True),
    #: when the next one may be sent
    _integer("next_at"),
    #: place of the next one
    _integer("next"),
    _integer("total"),
    _integer("under_way"),
    _integer("done"),
    _integer("failed"),
    _integer("refused"),
    #: of `done` and `failed`, what does not count any more since it was resumed
    _integer("done_before"),
    _integer("failed_before"),
    _text("message"),
    _integer("finished_at", null=True),
    Index("bulks_open", "id", sqlite_where=text("state IN ('running', 'stopping')")),
    sqlite_autoincrement=True,
)

#: what they are about, frozen when they start
bulk_items = Table(
    "bulk_items",
    metadata,
    _integer("bulk"),
    _integer("place"),
    #: the work item, 0 for an order as a whole
    _integer("work"),
    _text("order_id"),
    _text("task"),
    _text("state"),
    #: of the inbox
    _integer("request", null=True),
    _text("message"),
    _integer("at", null=True),
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
    _text("connector"),
    #: -1 for all
    _integer("priority"),
    _integer("at_once", null=True),
    #: microseconds between two calls
    _integer("pace", null=True),
    PrimaryKeyConstraint("connector", "priority"),
    sqlite_with_rowid=False,
)

#: connectors that were released with a pace, for the calls that had waited
releases = Table(
    "releases",
    metadata,
    _text("connector"),
    _integer("pace"),
    _integer("at"),
    PrimaryKeyConstraint("connector"),
    sqlite_with_rowid=False,
)

#: as the worker has them, and what operators want them to be
breakers = Table(
    "breakers",
    metadata,
    _text("connector"),
    _text("state"),
    _integer("since"),
    _integer("failures"),
    _integer("opens_until", null=True),
    #: `open`, `closed`, or "" where nothing is asked for
    _text("asked"),
    PrimaryKeyConstraint("connector"),
    sqlite_with_rowid=False,
)

#: task definitions whose tasks are not to start; a trigger holds their work items
paused = Table(
    "paused",
    metadata,
    #: "" for those of all bundles
    _text("bundle"),
    _text("definition"),
    _text("reason"),
    _text("who"),
    _integer("at"),
    PrimaryKeyConstraint("bundle", "definition"),
    sqlite_with_rowid=False,
)
