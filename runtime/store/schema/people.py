"""Who is who, and the trail of what they did."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table

from orderloom.runtime.store.schema.columns import blob_column, integer_column, metadata, text_column

users = Table(
    "users",
    metadata,
    text_column("name"),
    text_column("title"),
    text_column("email"),
    integer_column("active"),
    integer_column("away"),
    integer_column("created_at"),
    PrimaryKeyConstraint("name"),
)

teams = Table("teams", metadata, text_column("name"), text_column("title"), PrimaryKeyConstraint("name"))

#: roles made at run time; those of the field stand in `access/permissions.py`
roles = Table(
    "roles", metadata, text_column("name"), text_column("title"), blob_column("data"), PrimaryKeyConstraint("name")
)

#: what users and teams hold: roles, queues, skills, accounts; users also teams
grants = Table(
    "grants",
    metadata,
    #: `user` or `team`, and its name
    text_column("holder"),
    text_column("name"),
    text_column("kind"),
    text_column("value"),
    PrimaryKeyConstraint("holder", "name", "kind", "value"),
    # members of a queue, holders of a role
    Index("grants_by_value", "kind", "value"),
    sqlite_with_rowid=False,
)

#: what people did; triggers refuse to change or delete a row
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    integer_column("at"),
    text_column("who"),
    text_column("on_behalf"),
    text_column("what"),
    text_column("kind"),
    text_column("subject"),
    text_column("order_id"),
    blob_column("before"),
    blob_column("after"),
    text_column("reason"),
    integer_column("denied"),
    #: of the inbox
    integer_column("request", null=True),
    Index("audit_by_who", "who", "id"),
    Index("audit_by_subject", "kind", "subject", "id"),
    Index("audit_by_order", "order_id", "id"),
    sqlite_autoincrement=True,
)
