"""The library face: everything that a service wrapper calls, on a real store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderloom.models.inventory import AssetState
from orderloom.models.order import OrderStatus
from orderloom.models.plan import TaskState
from orderloom.runtime.clock import VirtualClock
from orderloom.runtime.errors import (
    BundleRefused,
    NotAllowed,
    NothingDeployed,
    OrderRefused,
    StillWorking,
    SubmittedBefore,
    UnknownBundle,
    UnknownLine,
    UnknownOperation,
    UnknownOrder,
    UnknownWork,
    Unreadable,
    ValuesRefused,
    VersionTaken,
    WhichBundle,
)
from orderloom.runtime.runtime import Runtime
from orderloom.runtime.store.errors import WorkerRunning
from orderloom.runtime.synchronous import SyncRuntime
from orderloom.runtime.views import Verdict
from tests.runtime.face.parcels import FILES, VERSION_1, box


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[SyncRuntime]:
    with SyncRuntime(tmp_path / "home") as runtime:
        runtime.deploy(FILES)
        yield runtime


def packed(runtime: SyncRuntime, order: str, weight: int = 3) -> None:
    """Works until the order's parcel is packed and the depot has answered."""
    runtime.run_until_idle()
    (item,) = runtime.work(order=order)
    runtime.complete(item.id, "ada", {"weight": weight})
    runtime.run_until_idle()


def test_an_order_from_submission_to_completion(runtime: SyncRuntime) -> None:
    order = runtime.submit({**box("books", externalId="X-1"), "@extension": {"kept": True}})
    assert (order.status, order.account, order.external_id) == (OrderStatus.ACKNOWLEDGED, "A-1", "X-1")
    assert (order.bundle, order.bundle_version) == ("parcels", "1.0.0")
    packed(runtime, order.id)
    assert runtime.publish("parcel.seen", {"tracking": "other"}).tasks == 0
    assert runtime.publish("parcel.seen", {"tracking": "T-1"}).tasks == 1
    runtime.run_until_idle()
    assert runtime.order(order.id).status is OrderStatus.COMPLETED

    lines = {line.spec: line for line in runtime.lines(order.id)}
    weight = {each.name: each for each in lines["Parcel"].attributes}["weight"]
    assert weight.value == 3
    assert weight.provenance and weight.provenance.by.endswith("Ship.pack")
    assert {task.definition: task.state for task in runtime.tasks(order.id)} == {
        "Ship.pack": TaskState.COMPLETED,
        "Ship.send": TaskState.COMPLETED,
        "Ship.seen": TaskState.COMPLETED,
    }
    assert [call.operation for call in runtime.attempts(order.id)] == ["depot.send"]
    assert [each.asset.state for each in runtime.inventory(account="A-1", spec="Parcel")] == [AssetState.ACTIVE]
    versions = [record.version for record in runtime.journal(order.id)]
    assert versions == list(range(1, len(versions) + 1))
    states = [each.data["to"] for each in runtime.events() if each.kind == "order.state"]
    assert states[-1] == "completed"
    resource = runtime.resource(order.id)
    assert resource["@extension"] == {"kept": True}
    assert resource["state"] == "completed"
    assert resource["completionDate"]


def test_bundles_are_immutable_and_deployed_whole(runtime: SyncRuntime) -> None:
    assert not runtime.deploy(FILES).fresh
    with pytest.raises(VersionTaken) as taken:
        runtime.deploy({**FILES, "notes.md": "more"})
    assert "raise `version`" in taken.value.help
    broken = {**FILES, "bundle.yaml": "name: parcels\nversion: 1.1.0\n"}
    broken["design.loom"] = broken["design.loom"].replace("queue   packers", "queue   painters")
    with pytest.raises(BundleRefused) as refused:
        runtime.deploy(broken)
    assert any("painters" in found.message for found in refused.value.diagnostics)
    assert [(each.version, each.active) for each in runtime.bundles()] == [("1.0.0", True)]


def test_templates_are_checked_before_a_bundle_is_deployed(runtime: SyncRuntime) -> None:
    broken = {**FILES, "bundle.yaml": "name: parcels\nversion: 1.1.0\n"}
    broken["templates/send.http.j2"] = broken["templates/send.http.j2"].replace("line.weight", "line.wait")
    with pytest.raises(BundleRefused) as refused:
        runtime.deploy(broken)
    assert any("wait" in found.message for found in refused.value.diagnostics)


def test_an_order_keeps_the_version_that_it_started_with(runtime: SyncRuntime) -> None:
    old = runtime.submit(box())
    newer = {**FILES, "bundle.yaml": "name: parcels\nversion: 2.0.0\n"}
    newer["design.loom"] = newer["design.loom"].replace('"Pack the parcel"', '"Wrap the parcel"')
    runtime.deploy(newer)
    new = runtime.submit(box())
    runtime.run_until_idle()
    assert [item.title for item in runtime.work(order=old.id)] == ["Pack the parcel"]
    assert [item.title for item in runtime.work(order=new.id)] == ["Wrap the parcel"]


def test_a_bundle_must_be_named_where_there_are_several(tmp_path: Path) -> None:
    with SyncRuntime(tmp_path) as runtime:
        with pytest.raises(NothingDeployed):
            runtime.submit(box())
        runtime.deploy(FILES)
        runtime.deploy({**FILES, "bundle.yaml": VERSION_1.replace("parcels", "letters")})
        with pytest.raises(WhichBundle, match=r"letters, parcels"):
            runtime.submit(box())
        with pytest.raises(UnknownBundle):
            runtime.submit(box(), bundle="cards")
        assert runtime.submit(box(), bundle="letters").bundle == "letters"
        with pytest.raises(Unreadable):
            runtime.deploy(tmp_path / "nowhere")


def test_the_same_order_is_taken_once(runtime: SyncRuntime) -> None:
    first = runtime.submit(box("a"), idempotency_key="k-1")
    assert runtime.submit(box("a"), idempotency_key="k-1") == first
    with pytest.raises(SubmittedBefore):
        runtime.submit(box("b"), idempotency_key="k-1")
    assert runtime.submit(box("a")).id != first.id
    named = runtime.submit(box("a", id="ORD-1"))
    assert named.id == "ORD-1"
    assert runtime.submit(box("a", id="ORD-1")) == named
    with pytest.raises(SubmittedBefore):
        runtime.submit(box("b", id="ORD-1"))
    assert len(runtime.orders()) == 3


def test_a_bad_document_is_refused_and_a_bad_order_rejected(runtime: SyncRuntime) -> None:
    with pytest.raises(OrderRefused) as refused:
        runtime.submit({"productOrderItem": []})
    assert refused.value.problems[0].path == "productOrderItem"
    rejected = [runtime.submit(found).id for found in (box(size="huge"), box("forbidden"))]
    runtime.run_until_idle()
    assert [runtime.order(each).status for each in rejected] == [OrderStatus.REJECTED] * 2
    assert "small, large" in runtime.state(rejected[0]).reasons[0]
    assert "No box is called forbidden" in runtime.state(rejected[1]).reasons[0]


def test_orders_are_listed_by_what_they_are(runtime: SyncRuntime) -> None:
    accounts = {"X-A": "A", "X-B": "B", "X-C": "A"}
    ids = [runtime.submit(box(account=account, externalId=id)).id for id, account in accounts.items()]
    runtime.submit(box("forbidden", account="C"))
    runtime.run_until_idle()
    assert [each.id for each in runtime.orders(account="A")] == [ids[2], ids[0]]
    assert [each.id for each in runtime.orders(external_id="X-B")] == [ids[1]]
    assert [each.account for each in runtime.orders(status="rejected")] == ["C"]
    newest = runtime.orders(limit=2)
    assert [each.account for each in runtime.orders(before=newest[-1].sequence)] == ["B", "A"]


def test_work_is_claimed_by_one_and_its_values_are_typed(runtime: SyncRuntime) -> None:
    runtime.submit(box())
    runtime.run_until_idle()
    (item,) = runtime.work(queue="packers")
    assert runtime.claim(item.id, "ada").claimed_by == "ada"
    for attempt in (lambda: runtime.claim(item.id, "bob"), lambda: runtime.complete(item.id, "bob", {"weight": 1})):
        with pytest.raises(NotAllowed):
            attempt()
    with pytest.raises(NotAllowed):
        runtime.release(item.id, "bob")
    with pytest.raises(ValuesRefused) as refused:
        runtime.complete(item.id, "ada", {"weight": "heavy", "colour": "red"})
    assert {each.path: each.found for each in refused.value.problems} == {"weight": "`'heavy'`", "colour": "`'red'`"}
    with pytest.raises(ValuesRefused, match="weight: expected integer"):
        runtime.complete(item.id, "ada", {})
    assert runtime.release(item.id, "ada").claimed_by == ""
    assert runtime.work(claimed_by="ada") == []
    runtime.complete(item.id, "bob", {"weight": "4"})
    runtime.run_until_idle()
    (task,) = [each for each in runtime.tasks(item.order) if each.definition == "Ship.pack"]
    assert (task.state, task.by) == (TaskState.COMPLETED, "bob")
    with pytest.raises(NotAllowed):
        runtime.complete(item.id, "bob", {"weight": 4})
    with pytest.raises(UnknownWork):
        runtime.work_item(4711)


def test_a_refused_completion_leaves_the_item_to_others(runtime: SyncRuntime) -> None:
    order = runtime.submit(box()).id
    runtime.run_until_idle()
    (item,) = runtime.work(queue="packers")
    with pytest.raises(ValuesRefused):
        runtime.complete(item.id, "ada", {"weight": "heavy"})
    assert runtime.claim(item.id, "bob").claimed_by == "bob"
    runtime.complete(item.id, "bob", {"weight": 30})
    runtime.run_until_idle()
    (failed,) = runtime.work(kind="fallout", order=order)
    with pytest.raises(ValuesRefused):
        runtime.complete_by_hand(failed.id, "ada", {"tracking": 1.5})
    assert runtime.work_item(failed.id).claimed_by == ""


def test_no_number_is_too_large_for_a_work_item(runtime: SyncRuntime) -> None:
    with pytest.raises(UnknownWork):
        runtime.work_item(10**30)


def test_fallout_is_corrected_and_tried_again(runtime: SyncRuntime) -> None:
    order = runtime.submit(box())
    packed(runtime, order.id, weight=30)
    (item,) = runtime.work(kind="fallout", code="NO_ROOM")
    assert (item.queue, item.message) == ("trouble", "too heavy")
    parcel = next(line.id for line in runtime.lines(order.id) if line.spec == "Parcel")
    with pytest.raises(ValuesRefused):
        runtime.correct(order.id, parcel, {"weight": "less"}, "ada")
    with pytest.raises(ValuesRefused, match="expected one of"):
        runtime.correct(order.id, parcel, {}, "ada")
    with pytest.raises(UnknownLine):
        runtime.correct(order.id, "nothing", {"weight": 1}, "ada")
    with pytest.raises(NotAllowed):
        runtime.complete(item.id, "ada", {})
    runtime.correct(order.id, parcel, {"weight": 5}, "ada", "repacked")
    runtime.retry(item.id, "ada")
    runtime.run_until_idle()
    assert [call.outcome for call in runtime.attempts(order.id)] == ["fatal", "completed"]


def test_fallout_is_skipped_or_done_by_hand(runtime: SyncRuntime) -> None:
    skipped, by_hand = (runtime.submit(box()).id for _ in range(2))
    packed(runtime, skipped, weight=30)
    packed(runtime, by_hand, weight=30)
    (item,) = runtime.work(kind="fallout", order=skipped)
    runtime.skip(item.id, "ada", "nobody misses it")
    (item,) = runtime.work(kind="fallout", order=by_hand)
    with pytest.raises(ValuesRefused, match="tracking"):
        runtime.complete_by_hand(item.id, "ada", {})
    runtime.complete_by_hand(item.id, "ada", {"tracking": "HAND-1"})
    runtime.run_until_idle()
    sent = {order: next(t for t in runtime.tasks(order) if t.definition == "Ship.send") for order in (skipped, by_hand)}
    assert sent[skipped].state is TaskState.SKIPPED
    assert sent[by_hand].outputs == {"tracking": "HAND-1"}


def test_an_order_is_held_and_resumed(runtime: SyncRuntime) -> None:
    order = runtime.submit(box()).id
    runtime.run_until_idle()
    assert runtime.hold(order, "ada", "the customer is away").verdict is Verdict.QUEUED
    runtime.run_until_idle()
    assert runtime.order(order).status is OrderStatus.HELD
    runtime.resume(order, "ada")
    runtime.run_until_idle()
    assert runtime.order(order).status is not OrderStatus.HELD
    for ask in (runtime.order, runtime.lines, runtime.journal, runtime.attempts, runtime.resource):
        with pytest.raises(UnknownOrder):
            ask("nowhere")
    with pytest.raises(UnknownOrder):
        runtime.hold("nowhere", "ada")
    with pytest.raises(UnknownOperation):
        runtime.callback("depot.paint", b"{}")


def test_a_running_worker_gives_its_verdict(tmp_path: Path) -> None:
    stop = threading.Event()
    with SyncRuntime(tmp_path) as working, SyncRuntime(tmp_path) as other:
        working.deploy(FILES)
        thread = threading.Thread(target=working.run_forever, args=(stop,))
        thread.start()
        try:
            order = other.submit(box()).id
            for _ in range(200):
                if other.order(order).version:
                    break
                threading.Event().wait(0.02)
            assert other.hold(order, "ada").verdict is Verdict.APPLIED
            assert other.order(order).status is OrderStatus.HELD
            with pytest.raises(NotAllowed):
                other.hold(order, "ada")
            with pytest.raises(WorkerRunning):
                other.run_until_idle()
        finally:
            stop.set()
            thread.join()


def test_a_worker_may_be_stopped_and_run_again_and_ends_with_the_runtime(tmp_path: Path) -> None:
    async def run() -> None:
        async with await Runtime.open(tmp_path) as runtime:
            await runtime.deploy(FILES)
            for _ in range(2):
                stop = asyncio.Event()
                running = asyncio.create_task(runtime.run_forever(stop))
                order = await runtime.submit(box())
                for _ in range(1000):
                    if (await runtime.order(order.id)).version:
                        break
                    await asyncio.sleep(0.01)
                stop.set()
                await running
            left = asyncio.create_task(runtime.run_forever())
            await asyncio.sleep(0.05)
        await left

    asyncio.run(asyncio.wait_for(run(), 60))


def test_what_is_left_when_time_is_up_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        async with await Runtime.open(tmp_path, clock=VirtualClock()) as runtime:
            await runtime.deploy(FILES)
            await asyncio.gather(*(runtime.submit(box()) for _ in range(50)))
            with pytest.raises(StillWorking):
                await runtime.run_until_idle(within=0)
            await runtime.run_until_idle()
            assert len(await runtime.work()) == 50

    asyncio.run(run())


def test_the_plain_front_has_every_method() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(Runtime) - {"open", "demand"} == public(SyncRuntime)
    assert SyncRuntime.submit.__doc__ == Runtime.submit.__doc__


def test_the_home_is_its_owners_alone(tmp_path: Path) -> None:
    with SyncRuntime(tmp_path / "deep" / "home"):
        assert (tmp_path / "deep" / "home").stat().st_mode & 0o777 == 0o700
