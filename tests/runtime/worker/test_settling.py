"""A change is weighed against all that came before it, whatever came together with it."""

from __future__ import annotations

from pathlib import Path

from orderloom.models.inventory import AssetState
from orderloom.models.journal import AmendmentRequested
from orderloom.models.order import OrderStatus
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.change.boxes import FILES, finish, order

#: a person takes back what was sent
BY_HAND = {
    **FILES,
    "design.loom": FILES["design.loom"].replace("undo      depot.fetch", "undo with Fetch")
    + """
plan Fetch for Parcel {
  manual collect "Collect the parcel" { queue packers }
}
""",
}


def test_a_change_sees_what_its_order_did_just_before(tmp_path: Path) -> None:
    with SyncRuntime(tmp_path / "home") as runtime:
        runtime.deploy(BY_HAND)
        id = runtime.submit(order(count=2)).id
        runtime.run_until_idle()
        runtime.amend(id, order(count=1), "ada")
        runtime.run_until_idle()
        (collecting,) = (item for item in runtime.work(order=id) if "collect" in item.task)
        # both wait in the inbox when the worker takes them up
        runtime.complete(collecting.id, "ada")
        runtime.amend(id, order(count=1, size="large"), "ada")
        runtime.run_until_idle()
        seen = [record.event for record in runtime.journal(id) if isinstance(record.event, AmendmentRequested)][-1]
        assert f"{id}:1" in seen.inventory.assets
        assert f"{id}:2" not in seen.inventory.assets
        finish(runtime, id)
        assert runtime.order(id).status is OrderStatus.COMPLETED
        left = {view.asset.id: view.asset.state for view in runtime.inventory()}
        assert left[f"{id}:1"] is AssetState.ACTIVE
        assert left[f"{id}:2"] is AssetState.TERMINATED
        assert runtime.replay(id).differences == ()


def test_changes_and_starts_of_one_account_follow_each_other(tmp_path: Path) -> None:
    with SyncRuntime(tmp_path / "home") as runtime:
        runtime.deploy(FILES)
        ids = [runtime.submit(order(account=account, count=2)).id for account in ("A-1", "A-1", "A-2")]
        runtime.run_until_idle()
        for id in ids:
            runtime.amend(id, order(account="A-1" if id != ids[2] else "A-2", size="large"), "ada")
            runtime.cancel(id, "ada")
        new = runtime.submit(order()).id
        runtime.run_until_idle()
        finish(runtime, new)
        assert [runtime.order(id).status for id in (*ids, new)] == [OrderStatus.CANCELLED] * 3 + [OrderStatus.COMPLETED]
        assert not any(runtime.replay(id).differences for id in (*ids, new))
