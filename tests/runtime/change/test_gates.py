"""Orders that wait for other orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orderloom.models.inventory import AssetState
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.order import OrderStatus
from orderloom.runtime.errors import ExternalIdUsed, NotAllowed, OrderRefused, SubmittedBefore
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.change.boxes import FILES, change, finish, order

S = OrderStatus


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[SyncRuntime]:
    with SyncRuntime(tmp_path / "home") as runtime:
        runtime.deploy(FILES)
        yield runtime


def statuses(runtime: SyncRuntime, *ids: str) -> list[OrderStatus]:
    runtime.run_until_idle()
    return [runtime.order(id).status for id in ids]


def test_an_order_waits_until_the_one_it_depends_on_is_completed(runtime: SyncRuntime) -> None:
    first = runtime.submit(order(account="A-1", externalId="X-1"))
    related = [{"id": "X-1", "relationshipType": "dependsOn"}]
    second = runtime.submit(order(account="A-2", orderRelationship=related))
    assert statuses(runtime, first.id, second.id) == [S.PENDING, S.PENDING]
    assert runtime.state(second.id).reasons == (f"waits until order `{first.id}` is completed",)
    assert not runtime.tasks(second.id)
    finish(runtime, first.id)
    assert [task.definition for task in runtime.tasks(second.id)] == ["Ship.send", "Ship.pack"]
    finish(runtime, second.id)
    assert statuses(runtime, first.id, second.id) == [S.COMPLETED, S.COMPLETED]
    assert not runtime.state(second.id).reasons
    assert not runtime.replay(second.id).differences
    assert runtime.resource(second.id)["orderRelationship"]


def test_an_order_whose_related_order_was_cancelled_waits_for_a_person(runtime: SyncRuntime) -> None:
    first = runtime.submit(order(account="A-1"))
    second = runtime.submit(order(orderRelationship=[{"id": first.id, "relationshipType": "dependsOn"}]))
    third = runtime.submit(order(orderRelationship=[{"id": second.id, "relationshipType": "dependsOn"}]))
    runtime.run_until_idle()
    runtime.cancel(first.id, "ada")
    assert statuses(runtime, first.id, second.id) == [S.CANCELLED, S.PENDING]
    (reason,) = runtime.state(second.id).reasons
    assert reason == f"depends on order `{first.id}`, which ended cancelled; a person decides whether to start it"
    runtime.start(second.id, "ada", "the customer insists")
    runtime.run_until_idle()
    assert "started by ada in spite of other orders: the customer insists" in str(runtime.journal(second.id))
    assert runtime.tasks(second.id)
    finish(runtime, second.id)
    finish(runtime, third.id)
    assert statuses(runtime, second.id, third.id) == [S.COMPLETED, S.COMPLETED]


def test_an_order_that_waits_can_be_cancelled_but_not_held(runtime: SyncRuntime) -> None:
    first = runtime.submit(order(account="A-1"))
    second = runtime.submit(order(orderRelationship=[{"id": first.id, "relationshipType": "dependsOn"}]))
    runtime.run_until_idle()
    runtime.hold(second.id, "ada")
    runtime.cancel(second.id, "ada", "changed my mind")
    assert statuses(runtime, second.id) == [S.CANCELLED]
    assert not runtime.replay(second.id).differences
    finish(runtime, first.id)
    assert statuses(runtime, first.id, second.id) == [S.COMPLETED, S.CANCELLED]


def test_an_unknown_related_order_is_refused(runtime: SyncRuntime) -> None:
    with pytest.raises(OrderRefused, match=r"orderRelationship\[0\]\.id: expected an order that was submitted"):
        runtime.submit(order(orderRelationship=[{"id": "nobody", "relationshipType": "dependsOn"}]))


def test_orders_of_one_account_go_in_sequence_where_the_design_asks(tmp_path: Path) -> None:
    sequenced = {**FILES, "bundle.yaml": FILES["bundle.yaml"] + "sequence: account\n"}
    with SyncRuntime(tmp_path / "other") as runtime:
        runtime.deploy(sequenced)
        ids = [runtime.submit(order(account="A-1")).id for _ in range(4)]
        other = runtime.submit(order(account="A-2")).id
        runtime.run_until_idle()
        assert runtime.tasks(other)
        for index, id in enumerate(ids):
            waiting = [bool(runtime.tasks(each)) for each in ids]
            assert waiting == [True] * (index + 1) + [False] * (len(ids) - index - 1)
            finish(runtime, id)
        assert statuses(runtime, *ids) == [S.COMPLETED] * 4


def test_orders_for_one_product_go_one_after_the_other(runtime: SyncRuntime) -> None:
    first = runtime.submit(order(account="A-1"))
    product = f"{first.id}:1"
    second = runtime.submit(change("modify", product, size="large"))
    third = runtime.submit(change("delete", product))
    beside = runtime.submit(order(account="A-1"))
    assert statuses(runtime, first.id, second.id, third.id, beside.id) == [S.PENDING] * 4
    assert runtime.tasks(beside.id)
    assert runtime.state(second.id).reasons == (f"order `{first.id}` is changing product `{product}` and is not done",)
    assert len(runtime.state(third.id).reasons) == 2
    finish(runtime, first.id)
    assert not runtime.tasks(third.id)
    (line,) = (line for line in runtime.lines(second.id) if line.spec == "Box")
    assert {each.name: each.before for each in line.attributes}["size"] == "small"
    finish(runtime, second.id)
    (line,) = (line for line in runtime.lines(third.id) if line.spec == "Box")
    assert {each.name: each.before for each in line.attributes}["size"] == "large"
    finish(runtime, third.id)
    finish(runtime, beside.id)
    assert statuses(runtime, first.id, second.id, third.id, beside.id) == [S.COMPLETED] * 4
    history = runtime.asset_history(product)
    assert [each.number for each in history] == list(range(1, len(history) + 1))
    assert [each.asset.state for each in history][-1] is AssetState.TERMINATED
    assert {each.change.order for each in history} == {first.id, second.id, third.id}
    for id in (first.id, second.id, third.id):
        assert not runtime.replay(id).differences


def test_the_same_order_twice_is_one(runtime: SyncRuntime) -> None:
    first = runtime.submit(order(account="A-1", externalId="X-1"))
    assert runtime.submit(order(account="A-1", externalId="X-1")).id == first.id
    with pytest.raises(ExternalIdUsed, match=f"external id `X-1` is that of order `{first.id}`, which has other"):
        runtime.submit(order(account="A-1", externalId="X-1", size="large"))
    with pytest.raises(ExternalIdUsed, match=f"that of order `{first.id}`, which has the same content"):
        runtime.submit(order(account="A-1", externalId="X-1", id="mine"))
    assert len(runtime.orders()) == 1
    runtime.run_until_idle()
    runtime.cancel(first.id, "ada")
    runtime.run_until_idle()
    again = runtime.submit(order(account="A-1", externalId="X-1", size="large", id="mine"))
    assert again.id == "mine"
    with pytest.raises(SubmittedBefore):
        runtime.submit(order(account="A-9", externalId="X-1", id="mine"))


def test_a_started_order_is_not_started_again(runtime: SyncRuntime) -> None:
    first = runtime.submit(order())
    runtime.run_until_idle()
    receipt = runtime.start(first.id, "ada")
    runtime.run_until_idle()
    assert receipt.verdict == "queued"
    assert runtime._runtime._store.request(receipt.number)[1] == f"order `{first.id}` does not wait, it is pending"
    with pytest.raises(NotAllowed, match="was submitted later"):
        runtime.order_at(first.id, runtime.order(first.id).submitted_at.replace(year=2000))


def test_an_order_that_waits_past_its_requested_completion_is_red(runtime: SyncRuntime) -> None:
    first = runtime.submit(order()).id
    related = [{"id": first, "relationshipType": "dependsOn"}]
    late = runtime.submit(order(orderRelationship=related, requestedCompletionDate="2020-01-01T00:00:00Z")).id
    far = runtime.submit(order(orderRelationship=related, requestedCompletionDate="2120-01-01T00:00:00Z")).id
    assert statuses(runtime, late, far) == [S.PENDING, S.PENDING]
    assert [runtime.state(each).jeopardy for each in (late, far)] == [Jeopardy.RED, Jeopardy.GREEN]
    assert runtime.state(far).jeopardy_at == datetime(2120, 1, 1, tzinfo=UTC)
    assert "it still waits" in str(runtime.journal(late))
    wanted = order(orderRelationship=related, requestedCompletionDate="2120-01-01T00:00:00Z")
    runtime.amend(late, wanted, "ada")
    runtime.cancel(far, "ada")
    assert statuses(runtime, late, far) == [S.PENDING, S.CANCELLED]
    assert [runtime.state(each).jeopardy for each in (late, far)] == [Jeopardy.GREEN, Jeopardy.GREEN]
    timers = {each.order for each in runtime._runtime._store.timers(datetime(2121, 1, 1, tzinfo=UTC), 9)}
    assert (late in timers, far in timers) == (True, False)
    for each in (first, late):
        finish(runtime, each)
    assert not any(runtime.replay(each).differences for each in (first, late, far))
