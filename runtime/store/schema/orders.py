"""Bundles, orders, and what carries them out."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint, text

from orderloom.runtime.store.schema.columns import blob_column, integer_column, metadata, text_column

bundles = Table(
    "bundles",
    metadata,
    text_column("digest"),
    text_column("name"),
    text_column("version"),
    blob_column("sources"),
    integer_column("deployed_at"),
    integer_column("active"),
    PrimaryKeyConstraint("digest"),
    UniqueConstraint("name", "version"),
)

orders = Table(
    "orders",
    metadata,
    Column("sequence", Integer, primary_key=True),
    text_column("id"),
    text_column("external_id"),
    text_column("account"),
    text_column("account_name"),
    text_column("status"),
    text_column("plan"),
    integer_column("priority"),
    text_column("design"),
    integer_column("version"),
    integer_column("submitted_at"),
    integer_column("updated_at"),
    integer_column("started_at", null=True),
    integer_column("completed_at", null=True),
    blob_column("rest"),
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
    text_column("order_id"),
    #: as submitted
    blob_column("content"),
    blob_column("outline"),
    #: as a change left it, NULL where none did
    blob_column("amended", null=True),
    #: the design that it was submitted to, NULL in rows older than schema 0003: the one it runs on
    text_column("design", null=True),
    PrimaryKeyConstraint("order_id"),
)

#: what was submitted, as it came
documents = Table(
    "documents",
    metadata,
    text_column("order_id"),
    blob_column("document"),
    PrimaryKeyConstraint("order_id"),
)

lines = Table(
    "lines",
    metadata,
    text_column("order_id"),
    text_column("id"),
    text_column("spec"),
    text_column("state"),
    blob_column("data"),
    PrimaryKeyConstraint("order_id", "id"),
    sqlite_with_rowid=False,
)

#: versions of lines that changes have superseded
former = Table(
    "former",
    metadata,
    text_column("order_id"),
    text_column("id"),
    text_column("line"),
    blob_column("data"),
    PrimaryKeyConstraint("order_id", "id"),
    sqlite_with_rowid=False,
)

#: orders that wait for other orders before they are taken up
gates = Table(
    "gates",
    metadata,
    text_column("order_id"),
    text_column("waits_for"),
    text_column("kind"),
    text_column("reason"),
    PrimaryKeyConstraint("order_id", "waits_for"),
    Index("gates_by_other", "waits_for"),
    sqlite_with_rowid=False,
)

tasks = Table(
    "tasks",
    metadata,
    text_column("order_id"),
    text_column("id"),
    text_column("state"),
    blob_column("data"),
    PrimaryKeyConstraint("order_id", "id"),
    # lists of what is in trouble; the ones that run or are done change too often to be indexed
    Index("tasks_in_trouble", "state", "order_id", sqlite_where=text("state IN ('fallout', 'failed', 'held')")),
    sqlite_with_rowid=False,
)

#: no key of its own but the unique one: rows are appended, which costs least where many orders move at once
journal = Table(
    "journal",
    metadata,
    text_column("order_id"),
    integer_column("version"),
    integer_column("at"),
    blob_column("event"),
    blob_column("entries"),
    UniqueConstraint("order_id", "version", name="journal_once"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("order_id"),
    blob_column("event"),
    integer_column("received_at"),
    #: why the core refused it; only such rows stay
    text_column("refused", null=True),
    #: of the order, as it was then
    Column("priority", Integer, nullable=False, server_default="4"),
    Index("inbox_waiting", "priority", "id", sqlite_where=text("refused IS NULL")),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    text_column("order_id"),
    text_column("task"),
    integer_column("attempt"),
    text_column("key"),
    text_column("connector"),
    text_column("operation"),
    integer_column("priority"),
    text_column("design"),
    integer_column("since"),
    blob_column("context"),
    text_column("held"),
    PrimaryKeyConstraint("order_id", "task"),
    Index("outbox_by_connector", "connector", "priority", "since"),
)

timers = Table(
    "timers",
    metadata,
    text_column("order_id"),
    text_column("task"),
    text_column("kind"),
    integer_column("attempt"),
    integer_column("due"),
    PrimaryKeyConstraint("order_id", "task", "kind"),
    Index("timers_by_due", "due"),
    sqlite_with_rowid=False,
)

subscriptions = Table(
    "subscriptions",
    metadata,
    text_column("order_id"),
    text_column("task"),
    #: `callback` or `event`
    text_column("kind"),
    #: the operation or the event
    text_column("name"),
    #: member of the payload that holds the key, "" for any payload
    text_column("field"),
    blob_column("key"),
    PrimaryKeyConstraint("order_id", "task"),
    Index("subscriptions_by_key", "kind", "name", "field", "key"),
    sqlite_with_rowid=False,
)

#: messages that came before anybody awaited them
early = Table(
    "early",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("kind"),
    text_column("name"),
    #: callbacks: the correlation as JSON
    blob_column("key"),
    blob_column("message"),
    integer_column("received_at"),
    Index("early_by_key", "kind", "name", "key"),
    Index("early_by_age", "received_at"),
)

#: the members of early events, by which waits find them
early_members = Table(
    "early_members",
    metadata,
    text_column("name"),
    #: name or dotted path
    text_column("field"),
    blob_column("key"),
    integer_column("early"),
    PrimaryKeyConstraint("name", "field", "key", "early"),
    Index("early_members_by_event", "early"),
    sqlite_with_rowid=False,
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("order_id"),
    text_column("task"),
    integer_column("attempt"),
    text_column("key"),
    text_column("connector"),
    text_column("operation"),
    text_column("outcome"),
    text_column("code"),
    text_column("message"),
    integer_column("at"),
    blob_column("exchange", null=True),
    Index("attempts_by_task", "order_id", "task"),
)

inventory = Table(
    "inventory",
    metadata,
    text_column("id"),
    text_column("account"),
    text_column("spec"),
    text_column("state"),
    blob_column("data"),
    integer_column("updated_at"),
    PrimaryKeyConstraint("id"),
    Index("inventory_by_account", "account", "state"),
    Index("inventory_by_spec", "spec", "id"),
)

#: every version of every asset
asset_history = Table(
    "asset_history",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("asset"),
    text_column("order_id"),
    integer_column("at"),
    #: the change, and what it left
    blob_column("change"),
    blob_column("data"),
    Index("asset_history_by_asset", "asset", "id"),
    sqlite_autoincrement=True,
)

published = Table(
    "published",
    metadata,
    Column("sequence", Integer, primary_key=True),
    text_column("order_id"),
    integer_column("at"),
    text_column("kind"),
    blob_column("data"),
    Index("published_by_order", "order_id", "sequence"),
    sqlite_autoincrement=True,
)

poisoned = Table(
    "poisoned",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("order_id"),
    blob_column("event"),
    integer_column("at"),
    text_column("message"),
    text_column("traceback"),
    sqlite_autoincrement=True,
)

settings = Table(
    "settings",
    metadata,
    text_column("name"),
    text_column("value"),
    PrimaryKeyConstraint("name"),
)
