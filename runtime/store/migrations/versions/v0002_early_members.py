"""Early events are found by their members, not by reading all of one name."""

import sqlalchemy as sa
from alembic import op

from orderloom.runtime.store.codec import loads
from orderloom.runtime.store.routing import member_rows

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    members = op.create_table(
        "early_members",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("early", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "field", "key", "early"),
        sqlite_with_rowid=False,
    )
    op.create_index("early_members_by_event", "early_members", ["early"], unique=False)
    connection = op.get_bind()
    waiting = connection.execute(sa.text("SELECT id, name, message FROM early WHERE kind = 'event'")).all()
    rows = [row for id, name, message in waiting for row in member_rows(id, name, loads(message))]
    if rows:
        columns = ("name", "field", "key", "early")
        connection.execute(sa.insert(members), [dict(zip(columns, row, strict=True)) for row in rows])
