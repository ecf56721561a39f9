"""A store that cannot do its work says so, and keeps nothing of what it could not finish."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from orderloom.models.callout import Callout
from orderloom.models.catalog import Level
from orderloom.models.inventory import AssetChange, AssetState
from orderloom.models.journal import OpenWork, Publish, SendCallout, StartTimer, TimerKind, WorkKind, WriteInventory
from orderloom.runtime.store import committing, opening
from orderloom.runtime.store.codec import dumps
from orderloom.runtime.store.errors import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreTooNew, StoreUnsupported
from orderloom.runtime.store.schema import REVISION, metadata
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from tests.runtime.store.making import NOW, batch, started, step, submitted

CALL = "1/P.call"
COMMANDS = (
    SendCallout(task=CALL, connector="shop", callout=Callout(key="k", operation="shop.sell", attempt=1, context={})),
    StartTimer(task=CALL, kind=TimerKind.RETRY, attempt=1, due=NOW),
    OpenWork(task=CALL, kind=WorkKind.MANUAL, queue="q", title="t"),
    Publish(kind="k", data={}),
    WriteInventory(
        changes=(
            AssetChange(id="a", spec="S", level=Level.RESOURCE, account="A-1", order="ORD-1", state=AssetState.ACTIVE),
        )
    ),
)


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(path) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    connection.close()
    return found


def test_a_batch_is_atomic_wherever_it_breaks(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    state = started(store)
    before = contents(store.path)
    calls = 0
    real = committing._many

    def counted(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        real(*arguments)  # type: ignore[arg-type]
        if calls == breaks_at:
            raise sqlite3.OperationalError("injected")

    monkeypatch.setattr(committing, "_many", counted)
    state.version += 1
    changed = batch(state, step(*COMMANDS, lines=("1",), tasks=(CALL,)))
    breaks_at, broken = 1, 0
    while True:
        calls = 0
        try:
            store.commit(changed)
        except StoreError as error:
            assert "injected" in str(error)
            assert contents(store.path) == before
            broken, breaks_at = broken + 1, breaks_at + 1
        else:
            break
    assert broken > 15
    after = contents(store.path)
    assert {name for name in after if after[name] != before[name]} >= {
        "orders",
        "journal",
        "outbox",
        "timers",
        "work",
        "published",
        "inventory",
    }


def test_a_full_disk_is_a_clean_error_and_loses_nothing(store: SqliteStore) -> None:
    submitted(store)
    before = contents(store.path)
    writer = store._database._writer
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFull, match="no room left to write"):
        submitted(store, *(f"ORD-{number}" for number in range(2, 1000)))
    assert contents(store.path) == before
    writer.execute("PRAGMA max_page_count = 1000000")
    submitted(store, "ORD-2")


def test_a_locked_database_is_a_clean_error(store: SqliteStore) -> None:
    store._database._writer.execute("PRAGMA busy_timeout = 10")
    beside = sqlite3.connect(store.path, isolation_level=None)
    beside.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="is locked: another process has been writing"):
        submitted(store)
    beside.execute("ROLLBACK")
    beside.close()
    submitted(store)


def test_a_newer_schema_is_refused(store: SqliteStore) -> None:
    path = store.path
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    connection.close()
    with pytest.raises(StoreTooNew, match=r"schema 0999, this version knows 0004\); upgrade orderloom"):
        open_store(str(path))


@pytest.mark.parametrize("damage", [b"this is no database, but a text that someone wrote " * 100, b"\x00" * 5000])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "orders.db"
    path.write_bytes(damage)
    with pytest.raises(StoreDamaged, match="is no sound SQLite database"):
        open_store(str(path))
    assert path.read_bytes() == damage


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    with pytest.raises(StoreDamaged, match="tables of another program"):
        open_store(str(path))


@pytest.mark.parametrize("url", ["postgresql://localhost/orders", "mysql://x", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(StoreUnsupported):
        open_store(url)


def test_a_missing_folder_is_a_clean_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does its folder exist"):
        open_store(str(tmp_path / "nowhere" / "orders.db"))


def test_migrations_make_the_tables_of_the_schema(store: SqliteStore) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    assert REVISION == opening.REVISION
    engine = create_engine(f"sqlite:///{store.path}")
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert differences == []


def test_a_store_of_the_first_revision_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    opening.migrate(path, "0001")
    with closing(sqlite3.connect(path)) as old:
        old.execute(
            "INSERT INTO early (kind, name, key, message, received_at) VALUES ('event', 'ont.online', ?, ?, 0)",
            (b"", dumps({"serial": "S-1"})),
        )
        old.commit()
    with closing(open_store(str(path))), closing(sqlite3.connect(path)) as new:
        assert new.execute("SELECT name, field, early FROM early_members").fetchall() == [("ont.online", "serial", 1)]
        assert new.execute("SELECT version_num FROM alembic_version").fetchall() == [(REVISION,)]


def test_a_store_that_is_up_to_date_opens_without_the_migration_library(store: SqliteStore) -> None:
    code = (
        "import sys; from orderloom.runtime.store.sqlite import open_store; "
        f"open_store({str(store.path)!r}).close(); print('alembic' in sys.modules, 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (
            "SELECT * FROM tasks WHERE state IN (?, ?) AND tasks.state IN ('fallout', 'failed', 'held')",
            "tasks_in_trouble",
        ),
        ("SELECT * FROM work WHERE queue = ? AND work.state != 'done' ORDER BY priority", "work_by_queue"),
        ("SELECT * FROM orders WHERE status = ? ORDER BY sequence DESC LIMIT 9", "orders_by_status"),
        ("SELECT * FROM orders WHERE external_id = ? AND orders.external_id != ''", "orders_by_external_id"),
        ("SELECT * FROM orders WHERE account = ? ORDER BY sequence DESC", "orders_by_account"),
        ("SELECT * FROM inbox WHERE refused IS NULL AND priority = ? AND id > ? ORDER BY id", "inbox_waiting"),
        ("SELECT * FROM timers WHERE due <= ? ORDER BY due", "timers_by_due"),
        ("SELECT * FROM published WHERE order_id = ? AND sequence > 1 ORDER BY sequence", "published_by_order"),
        (
            "SELECT id FROM early_members JOIN early ON id = early WHERE early_members.name = ? AND field = ? "
            "AND early_members.key = ?",
            "PRIMARY KEY",
        ),
        ("SELECT * FROM inventory WHERE account = ? AND state IN ('reserved', 'active')", "inventory_by_account"),
        ("SELECT * FROM journal WHERE order_id = ? AND version > 1 ORDER BY version", "journal"),
    ],
)
def test_lists_are_served_by_an_index(store: SqliteStore, query: str, index: str) -> None:
    plan = store._database._reader.execute("EXPLAIN QUERY PLAN " + query, ("x",) * query.count("?")).fetchall()
    text = " ".join(row[3] for row in plan)
    assert index in text and "TEMP B-TREE" not in text, text
