"""Watch rules on a real store and a virtual clock: what they count, when they fire, what they do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orderloom.runtime.clock import VirtualClock
from orderloom.runtime.errors import NotAllowed
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.cli.conftest import Shell
from tests.runtime.sla.storms import box, bundle, fired

START = datetime(2026, 3, 23, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOLD = 'watch storm "Depot fails" { when 3 failures of depot within 10m  do hold depot, notify noc }'


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def runtime(tmp_path: Path, clock: VirtualClock) -> Iterator[SyncRuntime]:
    with SyncRuntime(tmp_path / "home", clock=clock) as runtime:
        yield runtime


def on(runtime: SyncRuntime, clock: VirtualClock, minutes: int) -> None:
    for _ in range(minutes):
        clock.advance(MINUTE)
        runtime.run_until_idle()


def fails(runtime: SyncRuntime, weight: int = 15, account: str = "A-1") -> str:
    """One failure, for good."""
    order = runtime.submit(box(weight, account)).id
    runtime.run_until_idle()
    return order


def test_a_storm_holds_its_connector_once_and_tells(runtime: SyncRuntime, clock: VirtualClock) -> None:
    runtime.deploy(bundle(HOLD))
    order = runtime.submit(box(30)).id
    runtime.run_until_idle()
    assert runtime.watches()[0].count == 1
    on(runtime, clock, 1)
    assert not fired(runtime)
    on(runtime, clock, 1)
    (told,) = fired(runtime)
    assert (told["watch"], told["title"], told["notify"], told["count"]) == ("storm", "Depot fails", ["noc"], 3)
    assert told["at"] == (START + 2 * MINUTE).isoformat() and told["orders"] == [order]
    assert told["done"] == ["held depot", "told noc"]
    (depot,) = runtime.connectors()
    assert depot.held and "3 failures of depot within 0:10:00" in depot.reason
    (deed,) = [view.deed for view in runtime.audit(what="hold_connector")]
    assert (deed.who, deed.subject) == ("watch:storm", "depot")
    # held: what comes now waits, and nothing is counted
    runtime.submit(box(30))
    on(runtime, clock, 20)
    assert len(fired(runtime)) == 1
    (view,) = runtime.watches()
    assert (view.count, view.fired, view.done) == (0, 1, ("held depot", "told noc"))
    assert view.last_fired == START + 2 * MINUTE


def test_it_fires_again_only_after_the_count_has_fallen(runtime: SyncRuntime, clock: VirtualClock) -> None:
    runtime.deploy(bundle("watch storm { when 3 failures of depot.send within 10m  do notify noc }"))
    for _ in range(6):
        fails(runtime)
        on(runtime, clock, 1)
    assert [told["at"] for told in fired(runtime)] == [(START + 2 * MINUTE).isoformat()]
    on(runtime, clock, 15)
    for _ in range(3):
        fails(runtime)
    assert [told["at"] for told in fired(runtime)][1:] == [clock.now().isoformat()]


def test_what_is_counted_may_be_of_a_code_a_task_a_queue_or_an_account(
    runtime: SyncRuntime, clock: VirtualClock
) -> None:
    runtime.deploy(
        bundle(
            'watch full { when 2 failures of depot with error "NO_ROOM" within 1h  do notify full }',
            "watch task { when 3 failures of Parcel.send within 1h  do notify task }",
            "watch lost { when 2 fallout of trouble within 1h per account  do notify lost }",
            "watch slow { when 2 warnings of trouble within 4h  do notify slow }",
            "watch late { when 2 breaches of trouble within 4h  do notify late }",
        )
    )
    fails(runtime, 30, "A-1")
    fails(runtime, 15, "A-1")
    assert fired(runtime) == []
    fails(runtime, 15, "A-2")
    assert [told["watch"] for told in fired(runtime)] == ["full", "task"]
    fails(runtime, 15, "A-2")
    assert [(told["watch"], told["key"]) for told in fired(runtime)][2:] == [("lost", "A-2")]
    on(runtime, clock, 180)
    told = fired(runtime)[3:]
    # the third item of the depot that failed for a time comes two minutes after the others
    assert [each["watch"] for each in told] == ["lost", "slow", "late"]
    assert [each["at"] for each in told[1:]] == [(START + 60 * MINUTE).isoformat(), (START + 120 * MINUTE).isoformat()]


def test_work_of_no_order_is_opened_once_kept_in_time_and_done(runtime: SyncRuntime, clock: VirtualClock) -> None:
    runtime.deploy(bundle('watch storm { when 1 failure of depot within 1m  do open work in duty "Call the depot" }'))
    fails(runtime)
    (item,) = runtime.work(queue="duty")
    assert (item.order, item.task, item.title) == ("", "watch:storms.storm", "Call the depot")
    assert item.due == START + 60 * MINUTE
    on(runtime, clock, 5)
    fails(runtime)
    assert [item.id for item in runtime.work(queue="duty")] == [item.id]
    assert fired(runtime)[1]["done"] == ["work in duty is open already"]
    runtime.claim(item.id, "bob")
    with pytest.raises(NotAllowed, match="is with `bob`"):
        runtime.complete(item.id, "ada")
    runtime.complete(item.id, "bob")
    with pytest.raises(NotAllowed, match="is done"):
        runtime.complete(item.id, "bob")
    runtime.run_until_idle()
    assert runtime.work(queue="duty") == [] and runtime.sla("duty") == []
    on(runtime, clock, 5)
    fails(runtime)
    assert len(runtime.work(queue="duty")) == 1
    (opened, again) = [view.deed for view in reversed(runtime.audit(what="open_work"))]
    assert (opened.who, opened.subject) == ("watch:storm", str(item.id)) and again.subject != opened.subject


def test_orders_that_were_counted_go_before_others(runtime: SyncRuntime, clock: VirtualClock) -> None:
    runtime.deploy(bundle("watch unlucky { when 3 failures of depot within 1h per order  do raise priority }"))
    order, other = runtime.submit(box(30)).id, runtime.submit(box(15, priority=0)).id
    runtime.run_until_idle()
    on(runtime, clock, 3)
    assert [view.priority for view in map(runtime.order, (order, other))] == [3, 0]
    assert runtime.work(order=order)[0].priority == 3
    assert "priority 3, raised by watch:unlucky" in str([record.entries for record in runtime.journal(order)])
    assert runtime.replay(order).differences == ()
    (deed,) = [view.deed for view in runtime.audit(what="raise_priority")]
    assert (deed.who, deed.order) == ("watch:unlucky", order)


def test_windows_outlive_the_worker_and_a_new_version(tmp_path: Path, clock: VirtualClock) -> None:
    with SyncRuntime(tmp_path / "home", clock=clock) as runtime:
        runtime.deploy(bundle(HOLD))
        fails(runtime)
    with SyncRuntime(tmp_path / "home", clock=clock) as runtime:
        fails(runtime)
        runtime.deploy(bundle(HOLD, version="1.1.0"))
        assert not fired(runtime)
        fails(runtime)
        assert len(fired(runtime)) == 1
        runtime.deploy(bundle(version="1.2.0"))
        runtime.run_until_idle()
        assert runtime.watches() == []
        runtime.release_connector("depot")
        # what happens while there is no rule is not counted by a later one
        fails(runtime)
        fails(runtime)
        fails(runtime)
        runtime.deploy(bundle(HOLD, version="1.3.0"))
        fails(runtime)
        assert len(fired(runtime)) == 1 and runtime.watches()[0].count == 1


def test_rules_are_listed(tmp_path: Path) -> None:
    shell = Shell(tmp_path, tmp_path / "home")
    assert "no active bundle has watch rules" in shell("watches").stderr
    with SyncRuntime(tmp_path / "home") as runtime:
        runtime.deploy(bundle(HOLD))
        fails(runtime)
    (rule,) = shell.json("watches")
    assert (rule["watch"], rule["count"], rule["threshold"], rule["fired"]) == ("storm", 1, 3, 0)
    assert "1 of 3" in shell("watches").stdout
