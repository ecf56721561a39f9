"""Tasks that wait for tasks of related orders."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from orderloom.models.order import OrderStatus
from orderloom.models.plan import TaskState
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.change import boxes
from tests.runtime.change.boxes import FILES, finish, order

S, T = OrderStatus, TaskState
LETTERS = """
product Letter { }
plan Post for Letter on add {
  milestone write { }
  call post { operation depot.send   after write, Parcel.pack within related order }
  milestone posted { after post }
}
"""


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[SyncRuntime]:
    with SyncRuntime(tmp_path / "home") as runtime:
        design = FILES["design.loom"] + LETTERS
        send = FILES["templates/send.http.j2"].replace('"size": {{ line.size }}', '"spec": {{ line.spec }}')
        runtime.deploy({**FILES, "design.loom": design, "templates/send.http.j2": send})
        yield runtime


def letter(*related: str, kind: str = "relatedTo", **more: Any) -> dict[str, Any]:
    item = {"id": "1", "action": "add", "product": {"productSpecification": {"id": "Letter"}}}
    relations = [{"id": each, "relationshipType": kind} for each in related]
    return {"billingAccount": {"id": "A-9"}, "productOrderItem": [item], "orderRelationship": relations, **more}


def card(*related: str, **more: Any) -> dict[str, Any]:
    found = letter(*related, **more)
    found["productOrderItem"][0]["product"] = {"productSpecification": {"id": "Card"}}
    return found


def states(runtime: SyncRuntime, id: str) -> dict[str, TaskState]:
    runtime.run_until_idle()
    return {task.definition.partition(".")[2]: task.state for task in runtime.tasks(id)}


def test_a_task_waits_for_one_of_a_related_order(runtime: SyncRuntime) -> None:
    first = runtime.submit(order()).id
    second = runtime.submit(letter(first)).id
    assert states(runtime, second) == {"write": T.COMPLETED, "post": T.PENDING, "posted": T.PENDING}
    assert runtime.order(second).status is S.PENDING
    assert [task.elsewhere for task in runtime.tasks(second)] == [(), ((first, "Ship.pack"),), ()]
    finish(runtime, first)
    assert runtime.order(second).status is S.COMPLETED
    assert f"`Ship.pack` of order `{first}` is over" in str(runtime.journal(second))
    assert [runtime.replay(each).differences for each in (first, second)] == [(), ()]
    assert '"relatedTo"' in str(runtime.resource(second)).replace("'", '"')


def test_what_is_done_already_or_not_there_is_not_waited_for(runtime: SyncRuntime) -> None:
    first = runtime.submit(order()).id
    finish(runtime, first)
    other = runtime.submit(letter()).id
    second = runtime.submit(letter(first, other)).id
    runtime.run_until_idle()
    assert [runtime.order(each).status for each in (other, second)] == [S.COMPLETED, S.COMPLETED]


def test_the_related_order_may_come_later_and_be_named_by_its_external_id(runtime: SyncRuntime) -> None:
    first = runtime.submit(letter("mine", "X-1")).id
    assert states(runtime, first)["post"] is T.PENDING
    runtime.submit(order(id="mine"))
    finish(runtime, "mine")
    assert states(runtime, first)["post"] is T.PENDING
    other = runtime.submit(order(externalId="X-1")).id
    assert states(runtime, first)["post"] is T.PENDING
    finish(runtime, other)
    assert runtime.order(first).status is S.COMPLETED
    assert runtime.submit(letter("mine", "X-1", id=first)).id == first
    assert not runtime.replay(first).differences


def test_an_order_that_waits_itself_is_waited_for(runtime: SyncRuntime) -> None:
    first = runtime.submit(order()).id
    gated = runtime.submit(order(orderRelationship=[{"id": first, "relationshipType": "dependsOn"}])).id
    second = runtime.submit(letter(gated)).id
    assert states(runtime, second)["post"] is T.PENDING
    finish(runtime, first)
    assert states(runtime, second)["post"] is T.PENDING
    finish(runtime, gated)
    assert runtime.order(second).status is S.COMPLETED


def test_a_person_decides_where_the_related_order_is_cancelled(runtime: SyncRuntime) -> None:
    first = runtime.submit(order()).id
    second, third = runtime.submit(letter(first)).id, runtime.submit(letter(first)).id
    runtime.run_until_idle()
    runtime.cancel(first, "ada")
    assert states(runtime, second)["post"] is T.FALLOUT
    (item,) = runtime.work(order=second)
    assert item.code == "related_order_ended"
    assert item.message == (
        f"comes after `Ship.pack` of a related order: order `{first}` has ended cancelled; retry to go on without it"
    )
    runtime.retry(item.id, "ada")
    assert states(runtime, second)["posted"] is T.COMPLETED
    runtime.cancel(third, "ada")
    runtime.run_until_idle()
    assert runtime.order(third).status is S.CANCELLED
    for each in (first, second, third):
        assert not runtime.replay(each).differences


def test_a_person_lets_tasks_go_on_without_the_related_order(runtime: SyncRuntime) -> None:
    first = runtime.submit(letter("never")).id
    assert states(runtime, first)["post"] is T.PENDING
    runtime.start(first, "ada", "it is not coming")
    assert states(runtime, first)["posted"] is T.COMPLETED
    assert "ada lets tasks go on in spite of related orders: it is not coming" in str(runtime.journal(first))
    assert not runtime.replay(first).differences


def test_amendments_of_either_order_keep_them_together(runtime: SyncRuntime) -> None:
    first, second = runtime.submit(order(count=2)).id, ""
    second = runtime.submit(letter(first)).id
    runtime.run_until_idle()
    runtime.amend(second, letter(description="by hand"), "ada")
    assert states(runtime, second)["post"] is T.PENDING
    assert runtime.state(second).order.related == (first,)
    one, other = runtime.work(order=first)
    runtime.complete(one.id, "ada")
    assert states(runtime, second)["post"] is T.PENDING
    # the box that is not packed yet is not wanted any more
    runtime.amend(first, order(count=2 if other.task.startswith("Parcel:" + first + ":1") else 1), "ada")
    if other.task.startswith("Parcel:" + first + ":1"):
        runtime.cancel(first, "ada", items=("1",))
    runtime.run_until_idle()
    assert states(runtime, second)["posted"] is T.COMPLETED
    for each in (first, second):
        assert not runtime.replay(each).differences


def test_an_order_that_is_cancelled_listens_no_more(runtime: SyncRuntime) -> None:
    first = runtime.submit(order()).id
    second = runtime.submit(letter(first)).id
    runtime.run_until_idle()
    runtime.cancel(second, "ada")
    runtime.run_until_idle()
    assert runtime.order(second).status is S.CANCELLED
    version = runtime.order(second).version
    store = runtime._runtime._store
    with store._database.snapshot() as reader:  # type: ignore[attr-defined]  # what no screen shows
        assert reader.execute("SELECT count(*) FROM subscriptions").fetchone() == (0,)
    finish(runtime, first)
    assert runtime.order(second).version == version
    assert boxes.FILES


RING = """
product Letter { }
product Card { }
plan Post for Letter on add { call post { operation depot.send   after Card.draw within related order } }
plan Draw for Card on add {
  call sketch { operation depot.send   after Letter.post within related order }
  milestone draw { after sketch }
}
"""


CIRCLE = """
product Letter { }
product Card {
  number  string
}
plan Post for Letter on add { call post { operation depot.send   after Card.draw within related order } }
plan Draw for Card on add {
  call sketch { operation depot.send   after Letter.post within related order   set number = response.tracking }
  milestone draw { after number }
}
"""


@pytest.mark.parametrize("plans", (RING, CIRCLE), ids=("tasks", "attribute"))
def test_orders_that_would_wait_for_each_other_are_handed_to_a_person(tmp_path: Path, plans: str) -> None:
    """In the second, `Card.draw` comes after no task of its own order, but `Card.sketch` supplies what it waits for."""
    send = FILES["templates/send.http.j2"].replace('"size": {{ line.size }}', '"spec": {{ line.spec }}')
    files = {**FILES, "design.loom": FILES["design.loom"] + plans, "templates/send.http.j2": send}
    with SyncRuntime(tmp_path / "home") as runtime:
        runtime.deploy(files)
        runtime.submit(letter("two", id="one"))
        assert states(runtime, "one") == {"post": T.PENDING}
        runtime.submit(card("one", id="two"))
        assert states(runtime, "two") == {"sketch": T.FALLOUT, "draw": T.PENDING}
        assert states(runtime, "one") == {"post": T.PENDING}
        (item,) = runtime.work()
        assert "order `one` waits for this one in turn" in item.message
        runtime.retry(item.id, "ada")
        runtime.run_until_idle()
        assert [runtime.order(each).status for each in ("one", "two")] == [S.COMPLETED, S.COMPLETED]
        assert not any(runtime.replay(each).differences for each in ("one", "two"))


def test_a_task_does_not_wait_for_an_order_that_waits_for_its_own(runtime: SyncRuntime) -> None:
    first = runtime.submit(letter("later")).id
    assert states(runtime, first)["post"] is T.PENDING
    runtime.submit(order(id="later", orderRelationship=[{"id": first, "relationshipType": "dependsOn"}]))
    assert states(runtime, first)["post"] is T.FALLOUT
    (item,) = runtime.work()
    assert "order `later` waits for this one in turn" in item.message
    runtime.skip(item.id, "ada")
    finish(runtime, "later")
    assert [runtime.order(each).status for each in (first, "later")] == [S.COMPLETED, S.COMPLETED]
    assert not any(runtime.replay(each).differences for each in (first, "later"))


@pytest.fixture(scope="module")
def circles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SyncRuntime]:
    send = FILES["templates/send.http.j2"].replace('"size": {{ line.size }}', '"spec": {{ line.spec }}')
    with SyncRuntime(tmp_path_factory.mktemp("circles") / "home") as runtime:
        runtime.deploy({**FILES, "design.loom": FILES["design.loom"] + CIRCLE, "templates/send.http.j2": send})
        yield runtime


RUNS = count()


def _related(data: st.DataObject, names: list[str], name: str, kind: str) -> list[str]:
    """The orders that one names: any others, but it can only depend on those that are there."""
    others = names if kind == "relatedTo" else names[: names.index(name)]
    found = data.draw(st.sets(st.sampled_from(others))) if others else set()
    return sorted(found - {name})


@settings(max_examples=15)
@given(data=st.data())
def test_whatever_waits_for_whatever_nothing_waits_for_ever(circles: SyncRuntime, data: st.DataObject) -> None:
    """Once people let go on what they are told of, all orders are done."""
    run = next(RUNS)
    names = [f"{run}-{place}" for place in range(data.draw(st.integers(2, 4), "orders"))]
    for name in names:
        kind = data.draw(st.sampled_from(("relatedTo", "relatedTo", "dependsOn")))
        known = _related(data, names, name, kind)
        circles.submit(data.draw(st.sampled_from((letter, card)))(*known, kind=kind, id=name))
        if data.draw(st.booleans(), "goes on"):
            circles.run_until_idle()
    circles.run_until_idle()
    told = 0
    while work := circles.work():
        told += 1
        circles.retry(data.draw(st.sampled_from([item.id for item in work])), "ada")
        circles.run_until_idle()
    event(f"people were asked: {bool(told)}")
    assert {name: circles.order(name).status for name in names} == dict.fromkeys(names, S.COMPLETED)
