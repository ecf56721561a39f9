"""Change: gates between orders, superseded lines, history of assets, priorities in the inbox."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OPEN = sa.text("status NOT IN ('rejected', 'cancelled', 'completed', 'failed', 'partial')")


def upgrade() -> None:
    op.create_index("orders_open_by_account", "orders", ["account", "sequence"], unique=False, sqlite_where=_OPEN)
    op.add_column("contents", sa.Column("amended", sa.LargeBinary(), nullable=True))
    op.add_column("contents", sa.Column("design", sa.Text(), nullable=True))
    op.add_column("inbox", sa.Column("priority", sa.Integer(), nullable=False, server_default="4"))
    op.drop_index("inbox_waiting", table_name="inbox")
    op.create_index("inbox_waiting", "inbox", ["priority", "id"], unique=False, sqlite_where=sa.text("refused IS NULL"))
    op.create_table(
        "former",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gates",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("waits_for", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "waits_for"),
        sqlite_with_rowid=False,
    )
    op.create_index("gates_by_other", "gates", ["waits_for"], unique=False)
    op.create_table(
        "asset_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("change", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("asset_history_by_asset", "asset_history", ["asset", "id"], unique=False)
    # what is there is the first version of each
    op.execute(
        "INSERT INTO asset_history (asset, order_id, at, change, data) "
        "SELECT id, coalesce(json_extract(CAST(data AS TEXT), '$.order'), ''), updated_at, x'', data FROM inventory"
    )
