"""Orders changed in flight through the host, and their past made again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orderloom.models.change import TaskVerdict
from orderloom.models.inventory import AssetState
from orderloom.models.order import OrderStatus
from orderloom.models.plan import TaskRole, TaskState
from orderloom.runtime.errors import ChangeRefused, OrderRefused, StillWorking, UnknownAsset, UnknownBundle
from orderloom.runtime.store.order_codec import state_bytes
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.change.boxes import FILES, change, finish, order

S = OrderStatus
HARD = {**FILES, "design.loom": FILES["design.loom"].replace("undo      depot.fetch", "no return hard")}


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[SyncRuntime]:
    with SyncRuntime(tmp_path / "home") as runtime:
        runtime.deploy(FILES)
        yield runtime


def sent(runtime: SyncRuntime, **more: object) -> str:
    """An order whose parcel is sent and waits to be packed."""
    id = runtime.submit(order(**more)).id  # type: ignore[arg-type]  # what the test gives
    runtime.run_until_idle()
    return id


def test_a_preview_changes_nothing_and_tells_what_happens(runtime: SyncRuntime) -> None:
    id = sent(runtime)
    before = state_bytes(runtime.state(id))
    plan = runtime.preview_amend(id, order(size="large"))
    assert not plan.refused
    assert {each.task.rpartition(".")[2]: each.verdict for each in plan.tasks if each.before is not None} == {
        "send": TaskVerdict.UNDO_REDO,
        "pack": TaskVerdict.KEEP,
    }
    assert state_bytes(runtime.state(id)) == before
    assert runtime.order(id).version == len(runtime.journal(id))
    runtime.amend(id, order(size="large"), "ada", "the box was too small")
    runtime.run_until_idle()
    state = runtime.state(id)
    assert state.revision == plan.revision == 1
    assert {each.id for each in state.former.values()} and state.former
    assert plan.rows and {task: row.state for task, row in plan.rows.tasks.items()}.keys() == state.tasks.keys()
    undone = [task for task in state.tasks.values() if task.role is TaskRole.UNDO]
    assert [task.state for task in undone] == [TaskState.COMPLETED]
    finish(runtime, id)
    assert runtime.order(id).status is S.COMPLETED
    assert [call.operation for call in runtime.attempts(id)] == ["depot.send", "depot.fetch", "depot.send"]
    (parcel,) = runtime.inventory(spec="Parcel")
    assert parcel.asset.attributes["size"] == "large"
    item = runtime.resource(id)["productOrderItem"]
    assert isinstance(item, list) and "large" in str(item[0])


def test_every_past_state_is_made_again_byte_for_byte(runtime: SyncRuntime) -> None:
    id = runtime.submit(order()).id
    seen = [(runtime.order(id).updated_at, state_bytes(runtime.state(id)))]

    def look() -> None:
        runtime.run_until_idle()
        seen.append((runtime.journal(id)[-1].at, state_bytes(runtime.state(id))))

    look()
    runtime.amend(id, order(size="large", count=2), "ada")
    look()
    runtime.amend(id, order(count=2), "ada")
    look()
    runtime.cancel(id, "ada", items=("2",))
    look()
    finish(runtime, id)
    look()
    for at, stored in seen[1:]:
        assert state_bytes(runtime.order_at(id, at)) == stored
    assert runtime.order_at(id, seen[0][0]).version == 0
    found = runtime.replay(id)
    assert found.differences == ()
    assert found.events == runtime.order(id).version


def test_a_replay_tells_where_the_store_differs(runtime: SyncRuntime) -> None:
    id = sent(runtime)
    store = runtime._runtime._store
    with store._database.transaction() as writer:  # type: ignore[attr-defined]  # the damage that is done here
        writer.execute(
            "UPDATE tasks SET data = CAST(replace(data, 'waiting', 'pending') AS BLOB) WHERE order_id = ?", (id,)
        )
        writer.execute("UPDATE journal SET entries = CAST('[]' AS BLOB) WHERE order_id = ? AND version = 2", (id,))
    found = {each.where: each for each in runtime.replay(id).differences}
    assert set(found) == {"journal", "task Parcel:" + id + ":1/Ship.pack"}
    assert found["journal"].version == 2


def test_a_cancelled_order_leaves_nothing(runtime: SyncRuntime) -> None:
    id = sent(runtime)
    runtime.cancel(id, "ada", "not wanted")
    runtime.run_until_idle()
    assert runtime.order(id).status is S.CANCELLED
    assert [call.operation for call in runtime.attempts(id)] == ["depot.send", "depot.fetch"]
    assert {each.asset.state for each in runtime.inventory(account="A-1")} <= {AssetState.TERMINATED}
    assert not runtime.work()
    assert not runtime.replay(id).differences
    with pytest.raises(OrderRefused, match=r"id: expected `.*`, or nothing, found `'else'`"):
        runtime.amend(id, order(id="else"), "ada")
    with pytest.raises(OrderRefused, match=r"billingAccount\.id: expected `A-1`, as ordered, found `'A-2'`"):
        runtime.amend(id, order("A-2"), "ada")


def test_a_point_of_no_return_refuses_unless_forced(tmp_path: Path) -> None:
    import threading

    stop = threading.Event()
    with SyncRuntime(tmp_path / "hard") as runtime:
        runtime.deploy(HARD)
        id = sent(runtime)
        worker = threading.Thread(target=runtime.run_forever, args=(stop,))
        worker.start()
        try:
            plan = runtime.preview_cancel(id)
            assert plan.refused and plan.refusals[0].task.endswith("Ship.send")
            with pytest.raises(ChangeRefused, match="`cancel` of order") as refused:
                runtime.cancel(id, "ada")
            assert refused.value.reasons == plan.reasons
            with pytest.raises(ChangeRefused):
                runtime.amend(id, order(size="large"), "ada")
            assert runtime.cancel(id, "root", "the house is gone", force=True).verdict == "applied"
            assert "force" in str(runtime.journal(id)[-1].event)
        finally:
            stop.set()
            worker.join()
        assert not runtime.replay(id).differences


def test_an_order_migrates_to_another_version(runtime: SyncRuntime) -> None:
    id, other = sent(runtime), sent(runtime)
    newer = FILES["design.loom"].replace(
        "  manual pack", '  milestone on_its_way "On its way" { after send }\n  manual pack'
    )
    runtime.deploy({**FILES, "bundle.yaml": "name: boxes\nversion: 1.1.0\n", "design.loom": newer})
    plan = runtime.preview_migrate(id, "1.1.0")
    assert [each.task.rpartition(".")[2] for each in plan.tasks if each.verdict is TaskVerdict.ADD] == ["on_its_way"]
    with pytest.raises(UnknownBundle):
        runtime.migrate(id, "9.9.9", "ada")
    runtime.migrate(id, "1.1.0", "ada", "the milestone is wanted")
    runtime.run_until_idle()
    assert [runtime.order(each).bundle_version for each in (id, other)] == ["1.1.0", "1.0.0"]
    assert any(task.definition == "Ship.on_its_way" for task in runtime.tasks(id))
    for each in (id, other):
        finish(runtime, each)
        assert runtime.order(each).status is S.COMPLETED
        assert not runtime.replay(each).differences
    before = runtime.order_at(id, runtime.journal(id)[1].at)
    assert before.design != runtime.order(id).design


def test_an_order_is_previewed_before_it_is_submitted(runtime: SyncRuntime) -> None:
    id = sent(runtime)
    finish(runtime, id)
    found = runtime.preview(change("modify", f"{id}:1", size="large"))
    assert {line.spec: line.action for line in found.lines} == {"Box": "modify", "Parcel": "modify"}
    assert [task.definition for task in found.tasks] == ["Ship.send", "Ship.pack"]
    assert len(runtime.orders()) == 1
    assert runtime.preview(change("modify", "nothing", size="large")).problems
    with pytest.raises(UnknownAsset):
        runtime.asset_history("nothing")


def test_a_preview_tells_what_an_order_would_wait_for_and_whether_it_would_be_taken(runtime: SyncRuntime) -> None:
    id = runtime.submit(order(externalId="X-1")).id
    product = f"{id}:1"
    same = runtime.preview(order(externalId="X-1"))
    assert (same.same_as, same.problems, same.lines) == (id, (), ())
    other = runtime.preview(order(externalId="X-1", size="large"))
    assert other.problems == (f"another order was submitted before, as `{id}`",)
    runtime.run_until_idle()
    modify = change("modify", product, size="large")
    found = runtime.preview(modify)
    assert found.waits == (f"order `{id}` is changing product `{product}` and is not done",)
    late = runtime.submit(modify).id
    runtime.run_until_idle()
    assert runtime.state(late).reasons == found.waits
    later = runtime.preview({**order(account="A-2"), "requestedStartDate": "2999-01-01T00:00:00Z"})
    assert later.waits == ("its requested start, 2999-01-01T00:00:00+00:00",)
    assert later.expected and later.expected.year == 2999
    depends = runtime.preview(order(account="A-3", orderRelationship=[{"id": "X-1", "relationshipType": "dependsOn"}]))
    assert depends.waits == (f"waits until order `{id}` is completed",)
    # it is not in inventory yet: by the time the order starts it may be
    made = runtime.submit(order(account="A-4", externalId="X-4"))
    soon = {**change("modify", f"{made.id}:1", account="A-4", size="large")}
    found = runtime.preview({**soon, "orderRelationship": [{"id": "X-4", "relationshipType": "dependsOn"}]})
    assert found.waits and not found.problems and "has no product" in found.doubts[0]
    finish(runtime, id)
    finish(runtime, late)
    assert not runtime.preview(change("modify", product, size="small")).waits


def test_a_preview_refuses_what_the_request_would_be_refused(runtime: SyncRuntime) -> None:
    id = sent(runtime, count=2)
    assert runtime.preview_cancel(id, items=("1", "99")).reasons == (f"order `{id}` has no item `99`",)
    assert not runtime.preview_cancel(id, items=("1",)).refused
    finish(runtime, id)
    for plan in (runtime.preview_cancel(id), runtime.preview_amend(id, order(size="large"))):
        assert plan.refused
        assert plan.rows is None
        assert plan.reasons == (f"order `{id}` is completed, it can no longer be changed; order the change instead",)


def test_a_preview_of_a_migration_is_refused_while_calls_are_under_way(tmp_path: Path) -> None:
    slow = FILES["design.loom"].replace("depot.send: [{status: 201,", "depot.send: [{latency: 60s, status: 201,")
    with SyncRuntime(tmp_path / "slow") as runtime:
        runtime.deploy({**FILES, "design.loom": slow})
        id = runtime.submit(order()).id
        with pytest.raises(StillWorking):
            runtime.run_until_idle(0.5)
        runtime.deploy({**FILES, "bundle.yaml": "name: boxes\nversion: 1.1.0\n"})
        plan = runtime.preview_migrate(id, "1.1.0")
        assert plan.reasons == (f"order `{id}` has callouts under way; migrate it once they have answered",)


def test_another_priority_holds_for_what_is_open_and_is_told(runtime: SyncRuntime) -> None:
    id = sent(runtime)
    assert [item.priority for item in runtime.work(order=id)] == [4]
    assert runtime.preview_amend(id, order(priority="0")).priority == (4, 0)
    runtime.amend(id, order(priority="0"), "ada")
    runtime.run_until_idle()
    assert [item.priority for item in runtime.work(order=id)] == [0]
    assert runtime.order(id).priority == 0
    assert "'priority': [4, 0]" in str(runtime.journal(id))
    assert not runtime.replay(id).differences
