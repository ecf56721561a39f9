"""People: the trail of what they did, users, teams and roles."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _audit()
    _identity()
    _notifications()
    _analytics()
    _fallout()
    _control()
    _desk()
    _clocks()
    _watches()


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("on_behalf", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.Column("after", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("denied", sa.Integer(), nullable=False),
        sa.Column("request", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_by_who", "audit", ["who", "id"], unique=False)
    op.create_index("audit_by_subject", "audit", ["kind", "subject", "id"], unique=False)
    op.create_index("audit_by_order", "audit", ["order_id", "id"], unique=False)
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit trail is only ever added to'); END"
        )
    # a row that takes the place of another is no update to SQLite
    op.execute(
        "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit "
        "WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) "
        "BEGIN SELECT RAISE(ABORT, 'the audit trail is only ever added to'); END"
    )


def _identity() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("away", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "teams",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "roles",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "grants",
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("holder", "name", "kind", "value"),
        sqlite_with_rowid=False,
    )
    op.create_index("grants_by_value", "grants", ["kind", "value"], unique=False)


def _fallout() -> None:
    op.add_column("work", sa.Column("cause", sa.Integer(), nullable=True))
    op.create_index(
        "work_of_no_cause", "work", ["id"], unique=False, sqlite_where=sa.text("kind = 'fallout' AND cause IS NULL")
    )
    op.create_index(
        "work_by_cause",
        "work",
        ["cause", "opened_at", "queue"],
        unique=False,
        sqlite_where=sa.text("state != 'done' AND cause IS NOT NULL"),
    )
    op.create_table(
        "causes",
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts("connector", "operation"),
        sa.Column("status", sa.Integer(), nullable=False),
        *_texts("code", "pattern", "sample"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("connector", "operation", "status", "code", "pattern"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "wanted",
        sa.Column("work", sa.Integer(), nullable=False),
        *_texts("order_id", "line"),
        sa.Column("attributes", sa.LargeBinary(), nullable=False),
        *_texts("text", "who"),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("work"),
    )
    op.create_index("wanted_by_order", "wanted", ["order_id"], unique=False)
    op.create_table(
        "bulks",
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts("action"),
        sa.Column("arguments", sa.LargeBinary(), nullable=False),
        sa.Column("chosen", sa.LargeBinary(), nullable=False),
        *_texts("state", "who", "reason"),
        *_integers("created_at", "start_at", "pace", "at_once"),
        *_integers("most_failed", "most_percent", null=True),
        *_integers("next_at", "next", "total", "under_way", "done", "failed", "refused", "done_before"),
        *_integers("failed_before"),
        *_texts("message"),
        *_integers("finished_at", null=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "bulks_open", "bulks", ["id"], unique=False, sqlite_where=sa.text("state IN ('running', 'stopping')")
    )
    op.create_table(
        "bulk_items",
        *_integers("bulk", "place", "work"),
        *_texts("order_id", "task", "state"),
        *_integers("request", null=True),
        *_texts("message"),
        *_integers("at", null=True),
        sa.PrimaryKeyConstraint("bulk", "place"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "bulk_items_open",
        "bulk_items",
        ["bulk", "state", "place"],
        unique=False,
        sqlite_where=sa.text("state IN ('underWay', 'awaiting')"),
    )
    op.create_index("bulk_items_by_work", "bulk_items", ["work"], unique=False)


def _control() -> None:
    op.create_table(
        "limits",
        *_texts("connector"),
        *_integers("priority"),
        *_integers("at_once", "pace", null=True),
        sa.PrimaryKeyConstraint("connector", "priority"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "releases",
        *_texts("connector"),
        *_integers("pace", "at"),
        sa.PrimaryKeyConstraint("connector"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "breakers",
        *_texts("connector", "state"),
        *_integers("since", "failures"),
        *_integers("opens_until", null=True),
        *_texts("asked"),
        sa.PrimaryKeyConstraint("connector"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "paused",
        *_texts("bundle", "definition", "reason", "who"),
        *_integers("at"),
        sa.PrimaryKeyConstraint("bundle", "definition"),
        sqlite_with_rowid=False,
    )
    # with the transaction that opens the item, so that nobody can take it before it is held
    op.execute(
        "CREATE TRIGGER work_paused AFTER INSERT ON work WHEN NEW.kind = 'manual' AND NEW.state = 'open' AND EXISTS ("
        "SELECT 1 FROM paused WHERE substr(NEW.task, -length(definition) - 1) = '/' || definition AND (bundle = '' OR "
        "bundle = (SELECT name FROM orders JOIN bundles ON digest = design WHERE orders.id = NEW.order_id))) "
        "BEGIN UPDATE work SET state = 'held' WHERE id = NEW.id; END"
    )


def _desk() -> None:
    op.add_column("work", sa.Column("assign", sa.Text(), nullable=False, server_default="pull"))
    op.add_column("work", sa.Column("skills", sa.LargeBinary(), nullable=False, server_default=sa.text("x'5b5d'")))
    op.add_column("work", sa.Column("seeking", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("work", sa.Column("lease", sa.Integer(), nullable=True))
    op.add_column("work", sa.Column("request", sa.Integer(), nullable=True))
    op.add_column("work", sa.Column("former", sa.Text(), nullable=False, server_default=""))
    for name, columns, condition in (
        ("work_seeking", ["queue"], "seeking = 1 AND state = 'open'"),
        ("work_by_holder", ["claimed_by", "state"], "state IN ('assigned', 'claimed')"),
        ("work_by_lease", ["lease"], "state = 'claimed'"),
    ):
        op.create_index(name, "work", columns, unique=False, sqlite_where=sa.text(condition))
    op.create_table(
        "work_history",
        *_integers("id", "work"),
        *_texts("order_id"),
        *_integers("at"),
        *_texts("what", "who", "holder", "queue", "reason"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("work_history_by_work", "work_history", ["work", "id"], unique=False)
    op.create_index("work_history_by_time", "work_history", ["at"], unique=False)
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER work_history_no_{verb.lower()} BEFORE {verb} ON work_history "
            "BEGIN SELECT RAISE(ABORT, 'the history of work is only ever added to'); END"
        )
    # a row that takes the place of another is no update to SQLite
    op.execute(
        "CREATE TRIGGER work_history_no_replace BEFORE INSERT ON work_history "
        "WHEN EXISTS (SELECT 1 FROM work_history WHERE id = NEW.id) "
        "BEGIN SELECT RAISE(ABORT, 'the history of work is only ever added to'); END"
    )
    op.create_table(
        "work_notes",
        *_integers("id", "work"),
        *_texts("order_id"),
        *_integers("at"),
        *_texts("who", "text", "url", "name", "media_type"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("work_notes_by_work", "work_notes", ["work", "id"], unique=False)
    op.create_table(
        "queue_rules",
        *_texts("queue"),
        sa.Column("assign", sa.Text(), nullable=True),
        sa.Column("skills", sa.LargeBinary(), nullable=False),
        *_integers("lease", null=True),
        *_integers("paused", "at"),
        *_texts("who", "reason"),
        sa.PrimaryKeyConstraint("queue"),
        sqlite_with_rowid=False,
    )
    op.create_table("queue_turns", *_texts("queue", "last"), sa.PrimaryKeyConstraint("queue"), sqlite_with_rowid=False)


def _notifications() -> None:
    op.create_table(
        "channels",
        *_texts("name", "kind"),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("settings", "wanted", "templates")),
        *_integers("paused", "position", "created_at"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        *_texts("channel"),
        *_integers("sequence"),
        *_texts("order_id", "kind"),
        *_integers("at"),
        *_texts("subject"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        *_texts("state"),
        *_integers("tries"),
        *_integers("due", null=True),
        *_integers("since"),
        *_texts("error"),
        *_integers("settled_at", null=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "sequence"),
        sqlite_autoincrement=True,
    )
    for name, columns, where in (
        ("deliveries_by_due", ["channel", "due"], "due IS NOT NULL"),
        ("deliveries_waiting", ["channel", "order_id", "id"], "state = 'waiting'"),
        ("deliveries_undone", ["channel", "id"], "state != 'done'"),
    ):
        op.create_index(name, "deliveries", columns, unique=False, sqlite_where=sa.text(where))
    op.create_index("deliveries_by_order", "deliveries", ["order_id", "id"], unique=False)


def _analytics() -> None:
    op.create_table(
        "facts",
        *_texts("measure", "product"),
        *_integers("hours", "hour"),
        *_texts("subject"),
        *_integers("count", "total"),
        sa.Column("histogram", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("measure", "product", "hours", "hour", "subject"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unfinished",
        *_texts("order_id"),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_with_rowid=False,
    )
    op.create_table("cursors", *_texts("name"), *_integers("position"), sa.PrimaryKeyConstraint("name"))


def _clocks() -> None:
    op.create_table(
        "clocks",
        *_integers("work"),
        *_texts("order_id", "bundle", "design", "queue", "place"),
        sa.Column("term", sa.LargeBinary(), nullable=False),
        *_integers("started_at"),
        *_integers("warn_at", "due", "next_at", null=True),
        *_integers("stage", "step"),
        *_integers("breached_at", "paused_at", null=True),
        *_integers("outdated"),
        *_integers("ended_at", null=True),
        sa.PrimaryKeyConstraint("work"),
    )
    for name, columns, where in (
        ("clocks_by_next", ["next_at"], "next_at IS NOT NULL"),
        ("clocks_outdated", ["work"], "outdated = 1"),
        ("clocks_of_bundle", ["bundle"], "ended_at IS NULL"),
        ("clocks_by_due", ["due"], "ended_at IS NULL"),
    ):
        op.create_index(name, "clocks", columns, unique=False, sqlite_where=sa.text(where))
    op.create_table(
        "clock_pauses",
        *_integers("id", "work"),
        *_texts("order_id", "reason"),
        *_integers("began_at"),
        *_texts("paused_by"),
        *_integers("ended_at", null=True),
        *_texts("ended_by"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("clock_pauses_by_work", "clock_pauses", ["work", "id"], unique=False)
    op.create_table(
        "calendar_changes",
        *_texts("bundle", "name"),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        *_integers("at"),
        *_texts("who", "reason"),
        sa.PrimaryKeyConstraint("bundle", "name"),
        sqlite_with_rowid=False,
    )


def _watches() -> None:
    op.create_table(
        "watch_windows",
        *_texts("bundle", "rule", "key"),
        sa.Column("seen", sa.LargeBinary(), nullable=False),
        *_integers("last"),
        sa.PrimaryKeyConstraint("bundle", "rule", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "watch_firings",
        *_integers("id"),
        *_texts("bundle", "rule", "key"),
        *_integers("at", "count"),
        sa.Column("done", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("watch_firings_by_rule", "watch_firings", ["bundle", "rule", "id"], unique=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _integers(*names: str, null: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=null) for name in names]
