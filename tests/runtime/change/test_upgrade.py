"""A store of an older schema, with orders in flight and inventory in it, is brought up to date and goes on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from orderloom.models.inventory import AssetState
from orderloom.models.order import OrderStatus
from orderloom.runtime.home import database_url
from orderloom.runtime.store.opening import REVISION, migrate, path_of
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.change.boxes import FILES, change, finish, order

#: before orders could be changed and wait for each other
OLD = "0002"


def as_it_was(path: Path) -> None:
    """Puts the rows of a store into one of the old schema, with the columns that there were."""
    newer = path.with_suffix(".newer")
    path.rename(newer)
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
    migrate(path, OLD)
    old = sqlite3.connect(path)
    old.execute("ATTACH ? AS newer", (str(newer),))
    tables = [name for (name,) in old.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for table in tables:
        if table.startswith("sqlite_") or table == "alembic_version":
            continue
        columns = ", ".join(row[1] for row in old.execute(f"PRAGMA table_info({table})"))
        old.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM newer.{table}")
    assert {"gates", "former", "asset_history"}.isdisjoint(tables) and "journal" in tables
    old.commit()
    old.close()
    newer.unlink()


def test_orders_in_flight_and_inventory_of_an_old_store_go_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with SyncRuntime(home) as runtime:
        runtime.deploy(FILES)
        done = runtime.submit(order(account="A-1")).id
        finish(runtime, done)
        working = runtime.submit(order(account="A-1", externalId="X-1")).id
        runtime.run_until_idle()
        # nobody has taken this one up yet
        fresh = runtime.submit(order(account="A-2")).id
    path = path_of(database_url(home))
    as_it_was(path)
    with SyncRuntime(home) as runtime:
        with sqlite3.connect(path) as reader:
            assert reader.execute("SELECT version_num FROM alembic_version").fetchone() == (REVISION,)
        assert [runtime.order(each).status for each in (done, working)] == [OrderStatus.COMPLETED, OrderStatus.PENDING]
        # an order that waits for one that was in flight before, and one for what inventory held before
        after = runtime.submit(change("modify", f"{working}:1", size="large")).id
        modified = runtime.submit(change("modify", f"{done}:1", size="large")).id
        depends = runtime.submit(order(orderRelationship=[{"id": "X-1", "relationshipType": "dependsOn"}])).id
        runtime.run_until_idle()
        assert not runtime.tasks(after) and not runtime.tasks(depends) and runtime.tasks(modified)
        assert runtime.attempts(fresh)
        runtime.amend(working, order(size="small", count=2), "ada")
        for each in (working, fresh, modified, after, depends):
            finish(runtime, each)
            assert runtime.order(each).status is OrderStatus.COMPLETED
        for each in (done, working, fresh, modified, after, depends):
            assert not runtime.replay(each).differences
        history = runtime.asset_history(f"{done}:1")
        assert [each.asset.attributes["size"] for each in (history[0], history[-1])] == ["small", "large"]
        assert history[0].asset.state is AssetState.ACTIVE and history[-1].change.order == modified
