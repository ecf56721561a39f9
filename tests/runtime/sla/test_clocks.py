"""Clocks of work on a real store and a virtual clock: warned, late, passed on, stopped, on other calendars."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from orderloom.runtime.clock import VirtualClock
from orderloom.runtime.errors import CalendarRefused, NotAllowed, UnknownCalendar, UnknownReason, UnknownWork
from orderloom.runtime.sla.clockwork import Clockwork
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.sla import storms
from tests.runtime.sla.visits import HOUR, MONDAY, bundle, story, told, visit


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(MONDAY)


@pytest.fixture
def runtime(tmp_path: Path, clock: VirtualClock) -> Iterator[SyncRuntime]:
    with SyncRuntime(tmp_path / "home", clock=clock) as runtime:
        yield runtime


def opened(runtime: SyncRuntime, *, queue: str = "field", **changes: str) -> int:
    """A visit that waits in a queue."""
    runtime.deploy(bundle(queue, **changes))
    order = runtime.submit(visit()).id
    runtime.run_until_idle()
    (item,) = runtime.work(order=order)
    return item.id


def on(runtime: SyncRuntime, clock: VirtualClock, hours: float, step: float = 0.5) -> None:
    """The time goes on, and the worker looks every so often."""
    for _ in range(round(hours / step)):
        clock.advance(step * HOUR)
        runtime.run_until_idle()


def test_work_is_warned_about_late_and_passed_along_each_at_its_instant(
    runtime: SyncRuntime, clock: VirtualClock
) -> None:
    item = opened(runtime)
    (left,) = runtime.sla()
    assert (left.item, left.queue, left.stage, left.left) == (item, "field", "running", 4 * HOUR)
    assert (left.warn_at, left.due) == (MONDAY + 3 * HOUR, MONDAY + 4 * HOUR)
    on(runtime, clock, 12)
    assert story(runtime) == [
        ("warned", 3),
        ("breached", 4),
        ("escalated", 4),
        ("warned", 5),
        ("breached", 6),
        ("escalated", 6),
    ]
    assert [event.data["queue"] for event in told(runtime)] == [
        "field",
        "field",
        "leads",
        "leads",
        "leads",
        "directors",
    ]
    assert [event.data["from"] for event in told(runtime, "escalated")] == ["field", "leads"]
    assert runtime.work_item(item).queue == "directors"
    history = [(change.what, change.queue, change.by) for change in runtime.work_history(item)]
    assert history == [("opened", "field", ""), ("escalated", "leads", ""), ("escalated", "directors", "")]
    (left,) = runtime.sla()
    assert left.stage == "breached" and left.left == -6 * HOUR


def test_a_queue_without_a_time_keeps_what_is_left_of_the_chain(runtime: SyncRuntime, clock: VirtualClock) -> None:
    design = bundle()["design.loom"].replace("escalate to leads", "escalate to slow after 1h")
    runtime.deploy(bundle(design=design))
    runtime.submit(visit())
    runtime.run_until_idle()
    on(runtime, clock, 10)
    assert story(runtime) == [("warned", 3), ("breached", 4), ("escalated", 5), ("escalated", 6)]
    assert [event.data["queue"] for event in told(runtime, "escalated")] == ["slow", "chief"]


def test_what_is_done_in_time_is_never_late(runtime: SyncRuntime, clock: VirtualClock) -> None:
    item = opened(runtime)
    on(runtime, clock, 3.5)
    runtime.complete(item, "ada")
    on(runtime, clock, 10)
    assert story(runtime) == [("warned", 3)]
    assert runtime.sla() == []


def test_after_a_day_without_a_worker_all_is_told_at_once_in_its_order(
    runtime: SyncRuntime, clock: VirtualClock
) -> None:
    first = opened(runtime)
    clock.advance(1 * HOUR)
    second = runtime.submit(visit("A-2")).id
    runtime.run_until_idle()
    clock.advance(timedelta(days=1))
    runtime.run_until_idle()
    found = [(event.kind.removeprefix("work."), event.data["item"] == first) for event in told(runtime)]
    assert found == [
        ("warned", True),
        ("breached", True),
        ("escalated", True),
        ("warned", False),
        ("warned", True),
        ("breached", False),
        ("escalated", False),
        ("breached", True),
        ("escalated", True),
        ("warned", False),
        ("breached", False),
        ("escalated", False),
    ]
    assert {event.at for event in told(runtime)} == {clock.now()}
    assert told(runtime, "breached")[0].data["at"] == (MONDAY + 4 * HOUR).isoformat()
    assert runtime.work(order=second)[0].queue == "directors"


def test_what_was_done_late_while_nobody_looked_is_late(
    runtime: SyncRuntime, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = opened(runtime)
    clock.advance(5 * HOUR)
    with monkeypatch.context() as blind:
        blind.setattr(Clockwork, "attend", lambda *_: False)
        runtime.complete(item, "ada")
        runtime.run_until_idle()
    assert story(runtime) == []
    on(runtime, clock, 10)
    assert [kind for kind, _ in story(runtime)] == ["warned", "breached"]


def test_a_clock_that_is_set_back_repeats_nothing(tmp_path: Path) -> None:
    clock = VirtualClock(MONDAY)
    with SyncRuntime(tmp_path / "home", clock=clock) as runtime:
        opened(runtime)
        on(runtime, clock, 4.5)
        before = story(runtime)
    clock = VirtualClock(MONDAY + 1 * HOUR)
    with SyncRuntime(tmp_path / "home", clock=clock) as runtime:
        runtime.run_until_idle()
        on(runtime, clock, 3)
        assert story(runtime) == before
        on(runtime, clock, 4)
        assert [kind for kind, _ in story(runtime)] == [kind for kind, _ in before] + [
            "warned",
            "breached",
            "escalated",
        ]


def test_a_pause_puts_off_what_is_to_come(runtime: SyncRuntime, clock: VirtualClock) -> None:
    item = opened(runtime)
    on(runtime, clock, 2)
    runtime.pause_work(item, "waiting_customer", "ada")
    (left,) = runtime.sla()
    assert (left.paused_at, left.reason, left.due, left.left) == (MONDAY + 2 * HOUR, "waiting_customer", None, 2 * HOUR)
    on(runtime, clock, 20)
    assert story(runtime) == [("paused", 2)]
    with pytest.raises(NotAllowed, match="stands already"):
        runtime.pause_work(item, "again", "ada")
    assert runtime.resume_work(item, "bob").due == MONDAY + 24 * HOUR
    with pytest.raises(NotAllowed, match="goes on already"):
        runtime.resume_work(item, "bob")
    on(runtime, clock, 2.5)
    assert story(runtime) == [("paused", 2), ("resumed", 22), ("warned", 23), ("breached", 24), ("escalated", 24)]
    (pause,) = runtime.work_pauses(item)
    assert (pause.reason, pause.by, pause.ended_by) == ("waiting_customer", "ada", "bob")
    assert pause.ended_at == MONDAY + 22 * HOUR
    deeds = [(view.deed.what, view.deed.who) for view in runtime.audit(subject=str(item))]
    assert ("pause_work", "ada") in deeds and ("resume_work", "bob") in deeds


def test_a_pause_ends_with_its_item(runtime: SyncRuntime, clock: VirtualClock) -> None:
    item = opened(runtime)
    runtime.pause_work(item, "waiting", "ada")
    on(runtime, clock, 1)
    runtime.complete(item, "ada")
    runtime.run_until_idle()
    assert runtime.work_pauses(item)[0].ended_at == MONDAY + HOUR
    assert story(runtime) == [("paused", 0)]


def test_pauses_need_a_clock_and_a_reason_that_the_design_knows(runtime: SyncRuntime) -> None:
    item = opened(runtime, queue="slow", reasons="pause_reasons: { waiting_customer: Waiting for the customer }")
    with pytest.raises(NotAllowed, match="no time in which"):
        runtime.pause_work(item, "waiting_customer")
    with pytest.raises(UnknownReason, match="clocks are not stopped for `tea`: waiting_customer"):
        runtime.pause_work(item, "tea")
    with pytest.raises(UnknownWork):
        runtime.pause_work(99, "tea")


def test_a_due_time_of_the_task_comes_before_that_of_its_queue(runtime: SyncRuntime, clock: VirtualClock) -> None:
    item = opened(runtime, queue="field due 8h")
    assert runtime.work_item(item).due == MONDAY + 8 * HOUR
    on(runtime, clock, 10)
    assert story(runtime)[:3] == [("warned", 6), ("breached", 8), ("escalated", 8)]


def test_an_item_that_is_handed_over_gets_the_time_of_its_new_queue(runtime: SyncRuntime, clock: VirtualClock) -> None:
    item = opened(runtime)
    on(runtime, clock, 3.5)
    runtime.hand_over(item, "office", "ada")
    runtime.run_until_idle()
    assert runtime.work_item(item).due == MONDAY + 27.5 * HOUR
    assert story(runtime) == [("warned", 3), ("rescheduled", 3.5)]
    on(runtime, clock, 25)
    assert story(runtime)[2:] == [("warned", 7.5), ("breached", 27.5), ("escalated", 27.5)]


def test_business_hours_are_counted_over_the_change_of_the_clock(runtime: SyncRuntime, clock: VirtualClock) -> None:
    # Friday at noon in Berlin; on Sunday the clocks go forward, and the office opens at 06:00 UTC on Monday
    clock.advance(timedelta(days=4, hours=4))
    item = opened(runtime, queue="office")
    assert runtime.work_item(item).due == datetime(2026, 3, 30, 10, tzinfo=UTC)
    clock.advance(timedelta(days=4))
    runtime.run_until_idle()
    warned, breached, _ = told(runtime)
    assert warned.data["at"] == "2026-03-27T15:00:00+00:00"
    assert breached.data["at"] == "2026-03-30T10:00:00+00:00"


def test_a_day_off_that_is_added_puts_off_open_work_and_taking_it_back_brings_it_back(
    runtime: SyncRuntime, clock: VirtualClock
) -> None:
    item = opened(runtime, queue="office")
    due = MONDAY + 8 * HOUR
    assert runtime.work_item(item).due == due
    on(runtime, clock, 1)
    runtime.set_calendar("office", off=[date(2026, 3, 23)], by="ada", reason="storm")
    runtime.run_until_idle()
    assert runtime.work_item(item).due == due + 24 * HOUR
    (event,) = told(runtime, "rescheduled")
    assert event.data["before"] == due.isoformat() and event.data["due"] == (due + 24 * HOUR).isoformat()
    (office,) = runtime.calendars()
    assert office.calendar.holidays == {date(2026, 3, 23): "storm"} and office.change is not None
    # new work is due by it too
    runtime.submit(visit("A-2"))
    runtime.run_until_idle()
    assert [each.due for each in runtime.sla()] == [due + 24 * HOUR, due + 24 * HOUR]
    runtime.reset_calendar("office")
    runtime.run_until_idle()
    assert [each.due for each in runtime.sla()] == [due, due + 17 * HOUR]
    with pytest.raises(UnknownCalendar, match="none is changed"):
        runtime.reset_calendar("office")


def test_a_calendar_is_declared_anew_or_refused(runtime: SyncRuntime, clock: VirtualClock) -> None:
    item = opened(runtime, queue="office")
    runtime.set_calendar("office", declared={"hours": {"mon-sun": "00:00-24:00"}, "time_zone": "UTC"})
    runtime.run_until_idle()
    assert runtime.work_item(item).due == MONDAY + 8 * HOUR
    with pytest.raises(CalendarRefused, match=r"the calendar `office` is refused: hours"):
        runtime.set_calendar("office", declared={"hours": {"mon": "25:00-26:00"}})
    with pytest.raises(UnknownCalendar, match="no calendar `shop` to change: office"):
        runtime.set_calendar("shop", off=[date(2026, 3, 23)])


def test_a_new_version_with_other_days_off_moves_open_work_of_the_old_one(
    runtime: SyncRuntime, clock: VirtualClock
) -> None:
    item = opened(runtime, queue="office")
    on(runtime, clock, 5)
    runtime.deploy(bundle("office", version="1.1.0", holidays="2026-03-23"))
    runtime.run_until_idle()
    assert runtime.work_item(item).due == MONDAY + 32 * HOUR
    # what people were told stays told
    assert story(runtime) == [("warned", 4), ("rescheduled", 5)]
    on(runtime, clock, 28)
    assert story(runtime)[2:] == [("breached", 32), ("escalated", 32)]


def test_the_clock_stands_while_the_owner_of_the_order_is_asked(runtime: SyncRuntime, clock: VirtualClock) -> None:
    runtime.deploy(storms.bundle())
    order = runtime.submit(storms.box(15)).id
    runtime.run_until_idle()
    (item,) = runtime.work(order=order)
    on(runtime, clock, 0.5)
    runtime.return_to_owner(item.id, text="where is it to go?", by="ada")
    runtime.run_until_idle()
    on(runtime, clock, 10)
    assert story(runtime) == [("paused", 0.5)]
    runtime.take_back(item.id, "ada")
    runtime.run_until_idle()
    assert runtime.work_item(item.id).due == MONDAY + 12 * HOUR
    on(runtime, clock, 2)
    assert story(runtime)[1:] == [("resumed", 10.5), ("warned", 11), ("breached", 12)]
    assert [(pause.reason, pause.by) for pause in runtime.work_pauses(item.id)] == [("with_owner", "ada")]


def test_items_that_are_older_than_their_history_get_clocks(tmp_path: Path, clock: VirtualClock) -> None:
    with SyncRuntime(tmp_path / "home", clock=clock) as runtime:
        item = opened(runtime)
        # as a store of an older version leaves them
        with runtime._runtime._store._database.transaction() as writer:  # type: ignore[attr-defined]
            writer.execute("DROP TRIGGER work_history_no_delete")
            for table in ("clocks", "work_history", "cursors"):
                writer.execute(f"DELETE FROM {table}")
    with SyncRuntime(tmp_path / "home", clock=clock) as runtime:
        on(runtime, clock, 3)
        assert story(runtime) == [("warned", 3)]
        assert runtime.sla()[0].due == runtime.work_item(item).due == MONDAY + 4 * HOUR
