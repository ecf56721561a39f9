"""What customers are told: the points that the design shows, reached and to come, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orderloom.models.order import OrderStatus
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.access.principals import Principal
from orderloom.runtime.errors import Forbidden, UnknownOrder
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.face.parcels import FILES, box

SHOWN = {
    **FILES,
    "design.loom": FILES["design.loom"]
    .replace("    on error  ", '    visible   "Your parcel is on its way"\n    on error  ')
    .replace(
        "  wait seen {",
        "  milestone counted { after pack }\n"
        '  milestone packed "Packed" { after pack  visible "Your {size} parcel is packed" }\n  wait seen {',
    ),
}


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[SyncRuntime]:
    with SyncRuntime(tmp_path / "home") as runtime:
        runtime.deploy(SHOWN)
        yield runtime


def told(runtime: SyncRuntime, order: str) -> list[tuple[str, bool]]:
    return [(each.text, each.reached) for each in runtime.progress(order).milestones]


def test_progress_is_what_the_design_shows(runtime: SyncRuntime) -> None:
    order = runtime.submit(box(externalId="X-1")).id
    runtime.run_until_idle()
    assert told(runtime, order) == [("Your parcel is on its way", False), ("Your small parcel is packed", False)]
    (item,) = runtime.work(order=order)
    runtime.complete(item.id, "ada", {"weight": 30})
    runtime.run_until_idle()
    # the depot refused it: that is nothing a customer is told
    assert told(runtime, order) == [("Your small parcel is packed", True), ("Your parcel is on its way", False)]
    found = runtime.progress(order)
    assert (found.external_id, found.status, found.completed_at) == ("X-1", OrderStatus.PENDING, None)
    assert found.milestones[0].at is not None
    (failed,) = runtime.work(order=order, kind="fallout")
    runtime.complete_by_hand(failed.id, "bo", {"tracking": "T-9"})
    runtime.run_until_idle()
    runtime.publish("parcel.seen", {"tracking": "T-9"})
    runtime.run_until_idle()
    assert told(runtime, order) == [("Your small parcel is packed", True), ("Your parcel is on its way", True)]
    assert runtime.progress(order).status is OrderStatus.COMPLETED


def test_the_feed_says_what_is_for_customers(runtime: SyncRuntime) -> None:
    order = runtime.submit(box()).id
    runtime.run_until_idle()
    (item,) = runtime.work(order=order)
    runtime.complete(item.id, "ada", {"weight": 3})
    runtime.run_until_idle()
    told = {each.data["text"]: each.data["visible"] for each in runtime.events(order=order) if each.kind == "milestone"}
    assert told == {"counted": False, "Your small parcel is packed": True, "Your parcel is on its way": True}


def test_what_is_over_has_nothing_to_come(runtime: SyncRuntime) -> None:
    order = runtime.submit(box()).id
    runtime.run_until_idle()
    runtime.cancel(order, "ada", "changed my mind")
    runtime.run_until_idle()
    assert runtime.progress(order).status is OrderStatus.CANCELLED
    assert told(runtime, order) == []


def test_customers_see_progress_of_their_own_orders_only(runtime: SyncRuntime) -> None:
    order = runtime.submit(box()).id
    allowed = frozenset({Permission.ORDERS_VIEW})
    mine = runtime.bound(Principal(name="cleo", permissions=allowed, accounts=frozenset({"A-1"})))
    assert mine.progress(order).order == order
    other = runtime.bound(Principal(name="dan", permissions=allowed, accounts=frozenset({"A-2"})))
    with pytest.raises(UnknownOrder):
        other.progress(order)
    with pytest.raises(Forbidden):
        mine.tasks(order)
