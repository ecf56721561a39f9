"""What people do with work items through the host's face: who gets one, who keeps it, where it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orderloom.models.journal import WorkKind
from orderloom.models.tasks import AssignMode
from orderloom.runtime.clock import VirtualClock
from orderloom.runtime.errors import Forbidden, NotAllowed, UnknownQueue, UnknownWork, ValuesRefused
from orderloom.runtime.store.views import WorkItem, WorkState
from orderloom.runtime.store.work import WorkEvent
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.face.parcels import FILES, box

DESIGN = (
    FILES["design.loom"]
    .replace(
        "queue packers { sla 4h }",
        """queue packers {
  assign      by_skill fragile when size == large
  assign      round_robin when order.priority < 4
  sla         4h
  escalate to leads
}
queue leads { assign least_loaded }""",
    )
    .replace("queue trouble fallout { sla 4h }", "queue trouble fallout { sla 4h }\nqueue experts fallout { }")
)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def runtime(tmp_path: Path, clock: VirtualClock) -> Iterator[SyncRuntime]:
    """Three packers, of whom one knows about fragile things, one who sees everything, one for errors."""
    with SyncRuntime(tmp_path / "home", clock=clock) as runtime:
        runtime.deploy({**FILES, "design.loom": DESIGN})
        runtime.add_user("root", roles=["administrator"])
        for name in ("ada", "bob", "cleo"):
            runtime.add_user(name, roles=["operator"], queues=["packers"])
        runtime.grant("user", "cleo", "skill", "fragile")
        runtime.add_user("mia", roles=["manager"])
        runtime.add_user("fay", roles=["fallout_operator"], queues=["trouble"])
        yield runtime


def opened(runtime: SyncRuntime, count: int = 1, **more: str) -> list[WorkItem]:
    """The items of new orders, after the worker has looked after them; oldest first."""
    orders = [runtime.submit(box(f"b{number}", **more)).id for number in range(count)]
    runtime.run_until_idle()
    return [item for order in orders for item in runtime.work(order=order)]


def test_items_go_round_among_those_who_are_there(runtime: SyncRuntime) -> None:
    runtime.set_away(True, "bob")
    items = opened(runtime, 4, priority="1")
    assert [item.claimed_by for item in items] == ["ada", "cleo", "ada", "cleo"]
    assert {item.state for item in items} == {WorkState.ASSIGNED}
    runtime.set_away(False, "bob")
    assert [item.claimed_by for item in opened(runtime, 3, priority="1")] == ["ada", "bob", "cleo"]


def test_an_item_that_needs_a_skill_waits_for_somebody_who_has_it(runtime: SyncRuntime) -> None:
    runtime.revoke("user", "cleo", "skill", "fragile")
    (item,) = opened(runtime, size="large")
    assert (item.state, item.assign, item.skills) == (WorkState.OPEN, AssignMode.BY_SKILL, ("fragile",))
    assert runtime.acting_as("ada").next_work() is None
    runtime.grant("user", "bob", "skill", "fragile")
    runtime.run_until_idle()
    assert runtime.work_item(item.id).claimed_by == "bob"
    # who goes away while it waits for them loses it to the next
    runtime.grant("user", "ada", "skill", "fragile")
    runtime.set_away(True, "bob")
    runtime.run_until_idle()
    assert runtime.work_item(item.id).claimed_by == "ada"
    assert [each.what for each in runtime.work_history(item.id)] == [
        WorkEvent.OPENED,
        WorkEvent.ASSIGNED,
        WorkEvent.RELEASED,
        WorkEvent.ASSIGNED,
    ]


def test_what_is_given_back_goes_to_somebody_else(runtime: SyncRuntime) -> None:
    (item,) = opened(runtime, priority="1")
    assert item.claimed_by == "ada"
    with pytest.raises(NotAllowed, match="is for `ada` to do"):
        runtime.acting_as("bob").claim(item.id)
    runtime.acting_as("ada").release(item.id)
    runtime.run_until_idle()
    assert runtime.work_item(item.id).claimed_by == "bob"


def test_a_lease_runs_out_and_is_kept_by_what_its_owner_does(runtime: SyncRuntime, clock: VirtualClock) -> None:
    (item,) = opened(runtime)
    ada, bob = runtime.acting_as("ada"), runtime.acting_as("bob")
    assert ada.claim(item.id).lease == clock.now() + timedelta(minutes=30)
    clock.advance(timedelta(minutes=29))
    ada.note(item.id, "the box is wet")
    ada.attach(item.id, "https://files.example.net/wet.jpg", media_type="image/jpeg")
    clock.advance(timedelta(minutes=29))
    with pytest.raises(NotAllowed, match="is with `ada`"):
        bob.claim(item.id)
    ada.renew(item.id)
    clock.advance(timedelta(minutes=30))
    runtime.run_until_idle()
    assert runtime.work_item(item.id).state is WorkState.OPEN
    bob.claim(item.id)
    with pytest.raises(NotAllowed, match=r"is with `bob`.*your lease ran out"):
        ada.complete(item.id, values={"weight": 3})
    with pytest.raises(NotAllowed, match="your lease ran out"):
        ada.renew(item.id)
    assert [(note.by, note.text, note.name) for note in bob.work_notes(item.id)] == [
        ("ada", "the box is wet", ""),
        ("ada", "", "wet.jpg"),
    ]
    lapsed = [event.data for event in runtime.events() if event.kind == "work.lapsed"]
    assert [(each["item"], each["from"]) for each in lapsed] == [(item.id, "ada")]


def test_a_lease_that_has_run_out_frees_the_item_also_where_no_worker_runs(
    runtime: SyncRuntime, clock: VirtualClock
) -> None:
    (item,) = opened(runtime)
    runtime.acting_as("ada").claim(item.id)
    clock.advance(timedelta(minutes=30))
    assert runtime.acting_as("bob").claim(item.id).claimed_by == "bob"


def test_what_is_completed_is_not_lost_while_no_worker_runs(runtime: SyncRuntime, clock: VirtualClock) -> None:
    (item,) = opened(runtime)
    ada = runtime.acting_as("ada")
    ada.complete(item.id, values={"weight": 3})
    ada.claim(item.id)
    clock.advance(timedelta(hours=2))
    with pytest.raises(NotAllowed, match="is with `ada`"):
        runtime.acting_as("bob").claim(item.id)
    with pytest.raises(NotAllowed, match="waits to be taken up"):
        ada.complete(item.id, values={"weight": 3})
    with pytest.raises(NotAllowed, match="is being completed by `ada`"):
        runtime.acting_as("mia").assign(item.id, "bob")
    runtime.run_until_idle()
    assert runtime.work_item(item.id).state is WorkState.DONE
    assert [(each.what, each.by) for each in runtime.work_history(item.id)][-1] == (WorkEvent.DONE, "ada")


def test_the_next_item_is_the_most_urgent_of_ones_own_queues(runtime: SyncRuntime, clock: VirtualClock) -> None:
    runtime.override_queue("packers", assign="pull")
    (usual,) = opened(runtime)
    clock.advance(timedelta(hours=1))
    (later,) = opened(runtime)
    (urgent,) = opened(runtime, priority="0")
    ada = runtime.acting_as("ada")
    found = [ada.next_work() for _ in range(4)]
    assert [each and each.id for each in found] == [urgent.id, usual.id, later.id, None]
    ada.release(urgent.id)
    ada.release(later.id)
    # what one has just given back comes last
    runtime.acting_as("bob").release(runtime.acting_as("bob").claim(later.id).id)
    assert [each and each.id for each in (ada.next_work(), ada.next_work())] == [later.id, urgent.id]
    assert runtime.acting_as("fay").next_work() is None


def test_people_see_and_do_the_work_of_their_queues_only(runtime: SyncRuntime) -> None:
    (item,) = opened(runtime)
    (heavy,) = opened(runtime)
    runtime.complete(heavy.id, "ada", {"weight": 99})
    runtime.run_until_idle()
    ada, fay, mia = (runtime.acting_as(name) for name in ("ada", "fay", "mia"))
    (failed,) = mia.work(kind=WorkKind.FALLOUT)
    assert [each.id for each in ada.work()] == [item.id]
    assert [each.id for each in fay.work()] == [failed.id]
    assert {each.id for each in mia.work()} == {item.id, failed.id}
    runtime.grant("user", "ada", "queue", "trouble")
    for attempt in (
        lambda: runtime.acting_as("ada").claim(failed.id),
        lambda: fay.claim(item.id),
        lambda: fay.note(item.id, "x"),
        lambda: fay.escalate(item.id, "leads"),
        lambda: fay.work_history(item.id),
    ):
        with pytest.raises(UnknownWork):
            attempt()
    for forbidden in (lambda: ada.assign(item.id, "bob"), lambda: ada.override_queue("packers", assign="pull")):
        with pytest.raises(Forbidden):
            forbidden()
    assert [queue.name for queue in fay.queues()] == ["trouble"]
    with pytest.raises(UnknownQueue):
        fay.queue("packers")


def test_a_manager_gives_work_to_those_who_can_do_it(runtime: SyncRuntime) -> None:
    (item,) = opened(runtime)
    runtime.acting_as("ada").claim(item.id)
    mia = runtime.acting_as("mia")
    for name, why in (("fay", "no member of `packers`"), ("nobody", "no active user")):
        with pytest.raises(NotAllowed, match=why):
            mia.assign(item.id, name)
    assert mia.assign(item.id, "bob", reason="ada is ill").claimed_by == "bob"
    with pytest.raises(NotAllowed, match="is for `bob` to do"):
        runtime.acting_as("ada").complete(item.id, values={"weight": 1})
    assert runtime.acting_as("bob").claim(item.id).state is WorkState.CLAIMED
    (deed,) = runtime.audit(what="assign")
    assert (deed.deed.who, deed.deed.before["claimed_by"], deed.deed.after["claimed_by"]) == ("mia", "ada", "bob")


def test_many_are_reassigned_at_once(runtime: SyncRuntime) -> None:
    items = opened(runtime, 5)
    for item in items[:3]:
        runtime.acting_as("ada").claim(item.id)
    mia = runtime.acting_as("mia")
    with pytest.raises(NotAllowed, match="which items"):
        mia.reassign(to="bob")
    moved = mia.reassign(claimed_by="ada", to="bob", reason="ada is ill")
    assert sorted(each.item for each in moved) == [item.id for item in items[:3]]
    assert [runtime.work_item(item.id).claimed_by for item in items] == ["bob", "bob", "bob", "", ""]
    named = mia.reassign([items[3].id, 999, items[0].id], to="cleo")
    assert [bool(each.refused) for each in sorted(named, key=lambda each: each.item)] == [False, False, True]
    # to nobody: whom the rules choose
    runtime.override_queue("packers", assign="least_loaded")
    runtime.run_until_idle()
    mia.reassign(queue="packers")
    runtime.run_until_idle()
    found = Counter(item.claimed_by for item in runtime.work())
    assert (set(found), sorted(found.values())) == ({"ada", "bob", "cleo"}, [1, 2, 2])


def test_items_are_escalated_and_handed_over_to_queues_of_their_kind(runtime: SyncRuntime) -> None:
    first, second = opened(runtime, 2)
    ada, bob, mia = (runtime.acting_as(name) for name in ("ada", "bob", "mia"))
    ada.claim(first.id)
    with pytest.raises(NotAllowed, match="is with `ada`"):
        bob.escalate(first.id)
    passed = ada.escalate(first.id, reason="too big")
    assert (passed.queue, passed.state, passed.claimed_by) == ("leads", WorkState.OPEN, "")
    assert passed.assign is AssignMode.LEAST_LOADED
    runtime.grant("user", "bob", "queue", "leads")
    runtime.run_until_idle()
    assert runtime.work_item(first.id).claimed_by == "bob"
    with pytest.raises(UnknownWork):
        ada.work_item(first.id)
    for queue, error, why in (("trouble", NotAllowed, "failed tasks"), ("nowhere", UnknownQueue, "leads")):
        with pytest.raises(error, match=why):
            mia.hand_over(second.id, queue)
    bob.claim(second.id)
    assert mia.hand_over(second.id, "leads").claimed_by == ""
    with pytest.raises(NotAllowed, match="names none to escalate to"):
        mia.escalate(second.id)
    assert mia.hand_over(second.id, "packers").queue == "packers"
    told = [(event.kind, event.data.get("from"), event.data.get("queue")) for event in runtime.events()]
    assert ("work.escalated", "packers", "leads") in told
    assert ("work.handedOver", "leads", "packers") in told
    whats = [(each.what, each.by, each.reason) for each in runtime.work_history(first.id)]
    assert (WorkEvent.ESCALATED, "ada", "too big") in whats


def test_a_queue_is_ruled_otherwise_for_a_while(runtime: SyncRuntime, clock: VirtualClock) -> None:
    (item,) = opened(runtime)
    mia = runtime.acting_as("mia")
    view = mia.override_queue("packers", assign="least_loaded", lease=timedelta(hours=2), reason="rush")
    assert view.assign == ("by_skill fragile when size == large", "round_robin when order.priority < 4")
    assert view.rule is not None
    assert (view.rule.assign, view.rule.by, view.rule.reason) == (AssignMode.LEAST_LOADED, "mia", "rush")
    runtime.run_until_idle()
    found = runtime.work_item(item.id)
    assert found.state is WorkState.ASSIGNED
    assert runtime.acting_as(found.claimed_by).claim(item.id).lease == clock.now() + timedelta(hours=2)
    (large,) = opened(runtime, size="large")
    assert large.claimed_by not in ("", found.claimed_by)
    count = mia.queue("packers").count
    assert (count.open, count.assigned, count.claimed, count.late) == (0, 1, 1, 0)
    assert {member.name: member.load for member in view.members} == {"ada": 0, "bob": 0, "cleo": 0}
    mia.override_queue("packers", paused=True)
    assert opened(runtime, size="large")[0].state is WorkState.OPEN
    assert mia.reset_queue("packers").rule is None
    runtime.run_until_idle()
    assert runtime.work(state=WorkState.OPEN) == []
    with pytest.raises(NotAllowed, match="is as designed"):
        mia.reset_queue("packers")
    wrongs: list[dict[str, Any]] = [
        {"assign": "by_skill"},
        {"assign": "pull", "skills": ["fragile"]},
        {"assign": "lottery"},
        {"lease": timedelta(0)},
        {},
    ]
    for wrong in wrongs:
        with pytest.raises(NotAllowed):
            mia.override_queue("packers", **wrong)
    assert [deed.deed.what for deed in runtime.audit(kind="queue")] == ["reset_queue", *["override_queue"] * 2]


def test_an_item_closes_with_its_task_whoever_has_it(runtime: SyncRuntime) -> None:
    (item,) = opened(runtime)
    ada = runtime.acting_as("ada")
    ada.claim(item.id)
    runtime.cancel(item.order)
    runtime.run_until_idle()
    assert runtime.work_item(item.id).state is WorkState.DONE
    assert runtime.work_history(item.id)[-1].what is WorkEvent.CLOSED
    for attempt in (
        lambda: ada.complete(item.id, values={"weight": 1}),
        lambda: ada.release(item.id),
        lambda: ada.renew(item.id),
        lambda: runtime.assign(item.id, "bob"),
        lambda: runtime.escalate(item.id),
    ):
        with pytest.raises(NotAllowed, match="is done"):
            attempt()


@pytest.mark.parametrize(
    "url",
    ["", "photo.jpg", "data:text/plain,hello", "javascript:alert(1)", "https://ada:secret@files/x", "https://a b/c"],
)
def test_an_attachment_is_a_place_and_never_content_or_a_secret(runtime: SyncRuntime, url: str) -> None:
    (item,) = opened(runtime)
    with pytest.raises(ValuesRefused) as refused:
        runtime.attach(item.id, url)
    assert "secret" not in str(refused.value)
    assert runtime.work_notes(item.id) == []
