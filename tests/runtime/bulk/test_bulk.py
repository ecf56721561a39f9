"""Bulk interventions: frozen targets, pace, thresholds, stops, schedules; and the causes that they are chosen by."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orderloom.models.callout import Outcome
from orderloom.models.integration import Callback
from orderloom.models.tasks import TaskKind
from orderloom.runtime.store.bulk_records import BulkAction, BulkState, TargetState
from orderloom.runtime.store.causes import FalloutFilter, pattern_of
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.views import OrderFilter, WorkState
from tests.runtime.bulk.shop import Shop
from tests.runtime.worker.making import NOW, call, operation, task


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    found = Shop(tmp_path)
    yield found
    found.close()


def statuses(shop: Shop) -> dict[str, int]:
    return shop.store.count_orders(OrderFilter())


@pytest.mark.parametrize(
    ("message", "pattern"),
    [
        ("port 17 of SW-0042 is taken", "port … of … is taken"),
        ("cannot reach 10.0.0.1:8080.", "cannot reach …."),
        ('no "Blue Box" at `line 3`', "no … at …"),
        ("sold out", "sold out"),
        ("", ""),
    ],
)
def test_a_pattern_leaves_out_what_differs(message: str, pattern: str) -> None:
    assert pattern_of(message) == pattern


def test_like_errors_are_one_group(shop: Shop) -> None:
    shop.submit(1, 2, 3, refused="SOLD_OUT")
    shop.submit(4, refused="LOCKED")
    shop.submit(5)
    shop.run()
    shop.clock.advance(timedelta(minutes=5))
    shop.submit(6, refused="SOLD_OUT")
    shop.run()
    first, second = shop.store.cause_groups(FalloutFilter())
    assert (first.count, first.cause.code, second.count, second.cause.code) == (4, "SOLD_OUT", 1, "LOCKED")
    assert (first.cause.connector, first.cause.operation, first.cause.status) == ("shop", "shop.sell", 409)
    assert first.cause.pattern == "box of … is …"
    assert first.sample == "box of ORD-000001 is `ORD-000001`"
    assert (first.first_seen, first.last_seen) == (NOW, NOW + timedelta(minutes=5))
    assert [each.item.order for each in shop.store.fallout(FalloutFilter(group=second.cause.id))] == ["ORD-000004"]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (FalloutFilter(connector="shop"), 3),
        (FalloutFilter(connector="depot"), 0),
        (FalloutFilter(operation="shop.sell", status=409), 3),
        (FalloutFilter(status=500), 0),
        (FalloutFilter(code="SOLD_OUT"), 2),
        (FalloutFilter(queue="fallout"), 3),
        (FalloutFilter(queue="field"), 0),
        (FalloutFilter(queues=frozenset(("field",))), 0),
        (FalloutFilter(order="ORD-000003"), 1),
        (FalloutFilter(task="Deliver.sell"), 3),
        (FalloutFilter(task="liver.sell"), 0),
        (FalloutFilter(product="Box"), 3),
        (FalloutFilter(product="Bag"), 0),
        (FalloutFilter(account="A-1"), 1),
        (FalloutFilter(accounts=frozenset(("A-1", "A-2"))), 2),
        (FalloutFilter(bundle="boxes"), 3),
        (FalloutFilter(bundle="bags"), 0),
        (FalloutFilter(before=NOW), 0),
        (FalloutFilter(before=NOW + timedelta(seconds=1)), 3),
        (FalloutFilter(since=NOW), 3),
        (FalloutFilter(states=(WorkState.CLAIMED,)), 0),
    ],
)
def test_what_a_filter_finds(shop: Shop, where: FalloutFilter, found: int) -> None:
    shop.submit(1, 2, refused="SOLD_OUT")
    shop.submit(3, refused="LOCKED")
    shop.run()
    assert len(shop.store.fallout(where)) == found


def test_what_is_retried_is_what_was_there_at_the_start(shop: Shop) -> None:
    shop.submit(1, 2, refused="SOLD_OUT")
    shop.run()
    started = shop.start(where=FalloutFilter(code="SOLD_OUT"))
    assert (started.total, started.waiting) == (2, 2)
    shop.refused = {"ORD-000002": "SOLD_OUT"}
    shop.submit(3, refused="SOLD_OUT")
    shop.run()
    found = shop.store.bulk(started.id)
    assert (found.state, found.done, found.failed, found.refused) == (BulkState.DONE, 1, 1, 0)
    assert [each.order for each in shop.store.bulk_targets(started.id)] == ["ORD-000001", "ORD-000002"]
    assert [(each.state, each.message) for each in shop.store.bulk_targets(started.id)] == [
        (TargetState.DONE, ""),
        (TargetState.FAILED, f"in fallout again, as item {shop.fallout()[-1].id}"),
    ]
    assert shop.sold.count("ORD-000003") == 1
    assert [event.kind for event in shop.store.events() if event.kind.startswith("bulk.")] == [
        "bulk.started",
        "bulk.done",
    ]


def test_a_pace_is_kept_to_the_instant(shop: Shop) -> None:
    shop.submit(*range(1, 8), refused="SOLD_OUT")
    shop.run()
    shop.refused.clear()
    before = len(shop.sold)
    started = shop.start(pace=timedelta(seconds=20))
    shop.run()
    assert len(shop.sold) - before == 1
    shop.later(seconds=19.9)
    assert len(shop.sold) - before == 1
    shop.later(seconds=0.1)
    assert len(shop.sold) - before == 2
    for _ in range(5):
        shop.later(seconds=20)
    assert len(shop.sold) - before == 7
    assert shop.store.bulk(started.id).state is BulkState.DONE


def test_it_stops_when_too_many_fall_out_again_and_goes_on_when_told(shop: Shop) -> None:
    shop.submit(*range(1, 31), refused="SOLD_OUT")
    shop.run()
    started = shop.start(most_failed=3, at_once=2)
    shop.run()
    stopped = shop.store.bulk(started.id)
    assert (stopped.state, stopped.done) == (BulkState.STOPPED, 0)
    assert 4 <= stopped.failed <= 5
    assert "fell out again, more than 3" in stopped.message
    sold = len(shop.sold)
    shop.later(hours=1)
    assert len(shop.sold) == sold
    shop.refused.clear()
    shop.store.resume_bulk(started.id, shop.clock.now())
    shop.run()
    ended = shop.store.bulk(started.id)
    assert (ended.state, ended.done + ended.failed, ended.failed) == (BulkState.DONE, 30, stopped.failed)


def test_a_share_counts_once_ten_are_decided(shop: Shop) -> None:
    shop.submit(*range(1, 41), refused="SOLD_OUT")
    shop.run()
    shop.refused = {id: code for number, (id, code) in enumerate(shop.refused.items()) if number % 2}
    started = shop.start(most_percent=30, at_once=1)
    shop.run()
    found = shop.store.bulk(started.id)
    assert (found.state, found.done, found.failed) == (BulkState.STOPPED, 5, 5)


def test_a_scheduled_retry_waits_for_its_time_and_can_be_stopped(shop: Shop) -> None:
    shop.submit(1, 2, refused="SOLD_OUT")
    shop.run()
    shop.refused.clear()
    one, two = (item.id for item in shop.fallout())
    at = NOW + timedelta(hours=2)
    first, second = shop.start(targets=[one], start_at=at), shop.start(targets=[two], start_at=at)
    assert shop.store.fallout_item(one).retry_at == at
    assert shop.store.stop_bulk(second.id, "not now", NOW).state is BulkState.STOPPED
    assert shop.store.fallout_item(two).retry_at is None
    shop.later(minutes=119)
    assert len(shop.fallout()) == 2
    shop.later(minutes=1)
    assert [item.id for item in shop.fallout()] == [two]
    assert shop.store.bulk(first.id).state is BulkState.DONE


def test_the_other_actions(shop: Shop) -> None:
    shop.submit(1, 2, 3, 4, 5, refused="SOLD_OUT")
    shop.run()
    items = [item.id for item in shop.fallout()]
    skipped = shop.start(BulkAction.SKIP, targets=items[:1])
    handed = shop.start(BulkAction.HAND_OVER, targets=items[1:2], arguments={"queue": "late"})
    completed = shop.start(BulkAction.COMPLETE, targets=items[2:3], arguments={"outputs": {"ref": "by hand"}})
    wrong = shop.start(BulkAction.COMPLETE, targets=items[3:4], arguments={"outputs": {"colour": "red"}})
    corrected = shop.start(BulkAction.CORRECT, targets=items[4:], arguments={"values": {"serial": "S-new"}})
    shop.refused.clear()
    shop.run()
    for bulk in (skipped, completed, corrected):
        assert (shop.store.bulk(bulk.id).state, shop.store.bulk(bulk.id).done) == (BulkState.DONE, 1)
    (left,) = shop.store.bulk_targets(wrong.id)
    assert (left.state, "colour" in left.message) == (TargetState.REFUSED, True)
    assert [item.queue for item in shop.fallout()] == ["fallout", "fallout"]
    assert shop.store.bulk_targets(handed.id)[0].message == "its design has no queue `late` for failed tasks"
    assert any(line.attributes.get("serial") == "S-new" for line in shop.store.state("ORD-000005").lines.values())


def test_orders_are_held_and_resumed_in_bulk(tmp_path: Path) -> None:
    shop = Shop(tmp_path, (task("visit", TaskKind.MANUAL, queue="field"), call("sell", "visit")))
    shop.submit(1, 2, 3)
    shop.run()
    held = shop.start(BulkAction.HOLD, where=OrderFilter(accounts=frozenset(("A-1", "A-2"))))
    shop.run()
    assert (shop.store.bulk(held.id).done, statuses(shop)) == (2, {"held": 2, "pending": 1})
    again = shop.start(BulkAction.HOLD, where=OrderFilter(), targets=["ORD-000001", "ORD-000003"])
    shop.run()
    assert (shop.store.bulk(again.id).done, shop.store.bulk(again.id).refused) == (1, 1)
    assert "only one in progress" in shop.store.bulk_targets(again.id)[0].message
    shop.start(BulkAction.RESUME, where=OrderFilter())
    shop.run()
    assert "held" not in statuses(shop)
    shop.close()


def test_what_others_have_is_left_to_them(shop: Shop) -> None:
    shop.submit(1, 2, refused="SOLD_OUT")
    shop.run()
    one = shop.fallout()[0].id
    shop.store.claim(one, "bob", shop.clock.now())
    shop.refused.clear()
    started = shop.start()
    shop.run()
    assert [(each.state, each.message) for each in shop.store.bulk_targets(started.id)] == [
        (TargetState.REFUSED, "bob has it"),
        (TargetState.DONE, ""),
    ]
    assert [item.id for item in shop.fallout()] == [one]


def test_nothing_to_do_is_no_bulk(shop: Shop) -> None:
    with pytest.raises(Conflict, match="nothing matches"):
        shop.start()
    with pytest.raises(NotFound):
        shop.store.bulk(1)
    assert shop.store.bulks() == []


def test_no_more_are_under_way_than_may_be(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.submit(*range(1, 6), refused="SOLD_OUT")
    shop.run()
    shop.refused.clear()
    shop.store.hold_connector("shop", "maintenance")
    started = shop.start(at_once=2)
    shop.run()
    found = shop.store.bulk(started.id)
    assert (found.under_way, found.waiting) == (2, 3)
    shop.store.release_connector("shop")
    shop.run()
    assert shop.store.bulk(started.id).done == 5
    shop.close()


def test_what_awaits_a_message_keeps_no_others_back_and_is_decided_by_it(tmp_path: Path) -> None:
    port = operation("port", callback=Callback(correlate="ref", within=timedelta(days=1)))
    shop = Shop(tmp_path, [call("port", operation="shop.port")], port)
    ids = shop.submit(1, 2, 3, refused="SOLD_OUT")
    shop.run()
    shop.refused.clear()
    started = shop.start(at_once=1, most_failed=0)
    shop.run()
    assert [each.state for each in shop.store.bulk_targets(started.id)] == [TargetState.AWAITING] * 3
    shop.store.post_callback("shop.port", ids[0], Outcome.COMPLETED, {}, shop.clock.now())
    shop.run()
    found = shop.store.bulk(started.id)
    assert (found.state, found.under_way, found.done) == (BulkState.RUNNING, 2, 1)
    shop.store.post_callback("shop.port", ids[1], Outcome.FATAL, {}, shop.clock.now(), "NO_LINE", "none free")
    shop.run()
    assert shop.store.bulk(started.id).failed == 1
    (group,) = shop.store.cause_groups(FalloutFilter())
    assert (group.cause.operation, group.cause.status, group.cause.code) == ("shop.port", 0, "NO_LINE")
    shop.later(days=1)
    ended = shop.store.bulk(started.id)
    assert (ended.state, ended.done, ended.failed) == (BulkState.DONE, 1, 2)
    shop.close()
