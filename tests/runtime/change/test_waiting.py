"""Orders that wait, for other orders or for their date, are changed before they start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orderloom.models.order import OrderStatus
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.change.boxes import FILES, change, finish, order

S = OrderStatus


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[SyncRuntime]:
    with SyncRuntime(tmp_path / "home") as runtime:
        runtime.deploy(FILES)
        yield runtime


def after(other: str, **more: Any) -> dict[str, Any]:
    return order(orderRelationship=[{"id": other, "relationshipType": "dependsOn"}], **more)


def waiting(runtime: SyncRuntime) -> tuple[str, str]:
    """An order that is at work, and one that waits for it."""
    first = runtime.submit(order()).id
    second = runtime.submit(after(first)).id
    runtime.run_until_idle()
    assert runtime.order(second).status is S.PENDING
    return first, second


def size(runtime: SyncRuntime, id: str) -> object:
    (line,) = (line for line in runtime.lines(id) if line.spec == "Parcel")
    return {each.name: each.value for each in line.attributes}["size"]


def test_an_order_that_waits_is_amended_and_goes_on_waiting(runtime: SyncRuntime) -> None:
    first, second = waiting(runtime)
    plan = runtime.preview_amend(second, order(size="large", priority="1"))
    assert not plan.refused and plan.revision == 1 and not plan.tasks
    runtime.amend(second, order(size="large", priority="1"), "ada", "a larger one")
    runtime.run_until_idle()
    assert runtime.order(second).status is S.PENDING
    assert runtime.order(second).priority == 1
    assert runtime.state(second).reasons == (f"waits until order `{first}` is completed",)
    assert "large" in str(runtime.resource(second))
    finish(runtime, first)
    assert size(runtime, second) == "large"
    finish(runtime, second)
    assert runtime.order(second).status is S.COMPLETED
    assert not runtime.replay(second).differences
    assert [event.data["change"] for event in runtime.events(order=second) if event.kind == "order.change"] == ["amend"]


def test_an_amendment_before_and_one_after_the_start(runtime: SyncRuntime) -> None:
    first, second = waiting(runtime)
    runtime.amend(second, order(size="large", count=2), "ada")
    finish(runtime, first)
    runtime.amend(second, order(size="small"), "ada")
    finish(runtime, second)
    assert runtime.state(second).revision == 2
    assert {item.asset.attributes["size"] for item in runtime.inventory(spec="Parcel", state="active")} == {"small"}
    assert len(runtime.inventory(spec="Parcel", state="active")) == 2
    assert not runtime.replay(second).differences


def test_an_amendment_can_end_the_wait_or_bring_another(runtime: SyncRuntime) -> None:
    first = runtime.submit(order(account="A-1")).id
    second = runtime.submit(change("modify", f"{first}:1", size="large")).id
    runtime.run_until_idle()
    assert runtime.order(second).status is S.PENDING and not runtime.tasks(second)
    runtime.amend(second, order(account="A-1"), "ada")
    runtime.run_until_idle()
    assert runtime.tasks(second)
    third = runtime.submit(change("modify", f"{first}:1", size="large")).id
    runtime.run_until_idle()
    runtime.amend(third, change("modify", f"{second}:1", size="large"), "ada")
    runtime.run_until_idle()
    assert runtime.state(third).reasons == (f"order `{second}` is changing product `{second}:1` and is not done",)
    finish(runtime, second)
    finish(runtime, third)
    assert runtime.order(third).status is S.COMPLETED
    assert not runtime.replay(third).differences


def test_a_part_of_an_order_that_waits_is_cancelled_then_the_rest(runtime: SyncRuntime) -> None:
    first = runtime.submit(order()).id
    second, third = runtime.submit(after(first, count=2)).id, runtime.submit(after(first, count=2)).id
    runtime.run_until_idle()
    for each in (second, third):
        runtime.cancel(each, "ada", items=("2",))
        runtime.run_until_idle()
        assert [item.id for item in runtime.state(each).order.items] == ["1"]
    assert runtime.preview_cancel(third, items=("1",)).everything
    runtime.cancel(third, "ada", items=("1",))
    finish(runtime, first)
    finish(runtime, second)
    assert [runtime.order(each).status for each in (second, third)] == [S.COMPLETED, S.CANCELLED]
    for each in (second, third):
        assert not runtime.replay(each).differences


def test_an_order_that_waits_migrates(runtime: SyncRuntime) -> None:
    first, second = waiting(runtime)
    newer = FILES["design.loom"].replace("  manual pack", "  milestone sent { after send }\n  manual pack")
    runtime.deploy({**FILES, "bundle.yaml": "name: boxes\nversion: 1.1.0\n", "design.loom": newer})
    assert not runtime.preview_migrate(second, "1.1.0").refused
    runtime.migrate(second, "1.1.0", "ada")
    finish(runtime, first)
    assert [task.definition for task in runtime.tasks(second)] == ["Ship.send", "Ship.sent", "Ship.pack"]
    assert runtime.order(second).bundle_version == "1.1.0"
    finish(runtime, second)
    assert not runtime.replay(second).differences


def test_an_order_for_later_is_amended_and_rescheduled(runtime: SyncRuntime) -> None:
    now = runtime.order(runtime.submit(order(account="A-2")).id).submitted_at
    later, sooner = (now + timedelta(days=days) for days in (30, -1))
    id = runtime.submit(order(requestedStartDate=later.isoformat())).id
    runtime.run_until_idle()
    assert runtime.order(id).status is S.PENDING and not runtime.attempts(id)
    runtime.amend(id, order(size="large", requestedStartDate=(later + timedelta(days=1)).isoformat()), "ada")
    runtime.run_until_idle()
    assert not runtime.attempts(id) and size(runtime, id) == "large"
    runtime.amend(id, order(size="large", requestedStartDate=sooner.isoformat()), "ada", "sooner")
    runtime.run_until_idle()
    assert len(runtime.attempts(id)) == 1
    finish(runtime, id)
    assert runtime.order(id).status is S.COMPLETED
    assert not runtime.replay(id).differences


def test_an_order_that_has_started_is_not_amended_into_the_way_of_another(runtime: SyncRuntime) -> None:
    held = runtime.submit(order(account="A-1")).id
    finish(runtime, held)
    first, second = runtime.submit(change("modify", f"{held}:1", size="large")).id, runtime.submit(order("A-1")).id
    runtime.run_until_idle()
    both = order(account="A-1")
    named = change("delete", f"{held}:1")["productOrderItem"][0]
    both["productOrderItem"].append({**named, "id": "9"})
    why = f"order `{first}` is changing product `{held}:1` and is not done"
    assert runtime.preview_amend(second, both).reasons == (why,)
    receipt = runtime.amend(second, both, "ada")
    runtime.run_until_idle()
    store = runtime._runtime._store
    assert store.request(receipt.number)[1] == f"order `{second}` cannot have this content yet: {why}"
    assert not runtime.preview_amend(second, order(account="A-1", size="large")).refused
    finish(runtime, first)
    assert not runtime.preview_amend(second, both).refused
    runtime.amend(second, both, "ada")
    finish(runtime, second)
    assert runtime.order(second).status is S.COMPLETED
    assert not runtime.inventory(spec="Box", state="active")[1:]
