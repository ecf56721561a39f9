"""What is written is found again by the worker and by those who look."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orderloom.models.callout import Callout, Exchange, Outcome
from orderloom.models.catalog import Attribute, Level
from orderloom.models.conversion import Json
from orderloom.models.inventory import AssetChange, AssetState
from orderloom.models.journal import (
    AwaitCallback,
    AwaitEvent,
    CallbackReceived,
    CalloutAnswered,
    CalloutHeld,
    CancelTimer,
    CloseWork,
    EventArrived,
    OpenWork,
    OrderHeld,
    Publish,
    SendCallout,
    StartTimer,
    StopWaiting,
    TimerFired,
    TimerKind,
    WorkKind,
    WriteInventory,
)
from orderloom.models.order import OrderStatus
from orderloom.models.values import INTEGER
from orderloom.runtime.store.errors import Conflict, NotFound, VersionConflict
from orderloom.runtime.store.records import AnsweredCall, Batch, Poisoned, Refusal, RequestState, Submission, Timer
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import AssetFilter, NewOrder, OrderFilter, WorkFilter, WorkState
from tests.runtime.store.making import DESIGN, NOW, batch, next_step, order, started, step, submitted, task

CALL = "1/P.call"
CALLOUT = Callout(key="ORD-1/1/P.call/0", operation="shop.sell", attempt=1, context={"line": {"speed": "fast"}})
SEND = SendCallout(task=CALL, connector="shop", callout=CALLOUT, priority=2)
ANSWERED = AnsweredCall(
    task=CALL,
    attempt=1,
    key=CALLOUT.key,
    connector="shop",
    operation="shop.sell",
    outcome="completed",
    exchange=Exchange(request="GET /", response="200", status=200, started=NOW, duration=1.5),
)
ANSWER = CalloutAnswered(task=CALL, attempt=1, outcome=Outcome.COMPLETED)


def test_a_submitted_order_waits_in_the_inbox(store: SqliteStore) -> None:
    submitted(store, "ORD-1", "ORD-2")
    assert [(event.order, event.event) for event in store.inbox(0, 10)] == [
        ("ORD-1", Submission()),
        ("ORD-2", Submission()),
    ]
    state = store.state("ORD-1")
    assert (state.order, state.version, state.design) == (order("ORD-1"), 0, DESIGN)


def test_orders_are_submitted_all_or_none(store: SqliteStore) -> None:
    submitted(store, "ORD-1")
    with pytest.raises(Conflict, match="order `ORD-1` exists already"):
        submitted(store, "ORD-2", "ORD-1")
    with pytest.raises(NotFound, match="there is no bundle"):
        store.submit([NewOrder(order=order("ORD-3"), design="unknown")], NOW)
    assert [view.id for view in store.orders(OrderFilter())] == ["ORD-1"]
    assert len(store.inbox(0, 10)) == 1


def test_a_state_comes_back_as_it_was(store: SqliteStore) -> None:
    state = started(store)
    assert store.state("ORD-1") == state
    assert store.inbox(0, 10) == []


def test_only_touched_rows_are_written_and_removed_ones_go(store: SqliteStore) -> None:
    state = started(store)
    state.version += 1
    state.tasks = {"1/P.first": task("1/P.first"), CALL: state.tasks[CALL]}
    store.commit(batch(state, step(tasks=("1/P.first",)), sizes=(1, 1)))
    assert list(store.state("ORD-1").tasks) == ["1/P.first", CALL]
    state.version += 1
    del state.tasks[CALL]
    store.commit(batch(state, step(tasks=(CALL,)), sizes=(1, 2)))
    assert store.state("ORD-1") == state


def test_a_batch_on_an_old_version_is_refused_whole(store: SqliteStore) -> None:
    first, second = started(store), started(store, id="ORD-2")
    first.version, second.version = 2, 5
    old = Batch(commits=[*batch(first, step(SEND)).commits, *batch(second, step()).commits])
    with pytest.raises(VersionConflict, match="1 of 2 orders were changed"):
        store.commit(old)
    assert store.state("ORD-1").version == 1
    assert store.pending_calls("shop", 10) == []
    assert next_step(store, replace(store.state("ORD-1"))) == 0


def test_the_journal_tells_what_happened(store: SqliteStore) -> None:
    state = started(store)
    next_step(store, state, event=OrderHeld(by="ada"))
    records = store.journal("ORD-1")
    assert [record.version for record in records] == [1, 2]
    assert records[1].event == OrderHeld(by="ada")
    assert records[1].entries == step().entries
    assert store.journal("ORD-1", after=1) == records[1:]


def test_a_call_is_pending_until_its_answer_is_recorded(store: SqliteStore) -> None:
    state = started(store, SEND)
    (pending,) = store.pending_calls("shop", 10)
    assert (pending.callout, pending.priority, pending.design) == (CALLOUT, 2, DESIGN)
    assert store.pending_connectors() == ["shop"]
    next_step(store, state, event=CalloutHeld(task=CALL, attempt=1, reason="offline"))
    assert [call.held for call in store.pending_calls("shop", 10)] == ["offline"]
    next_step(store, state, event=ANSWER, origin=ANSWERED)
    assert store.pending_calls("shop", 10) == []
    (attempt,) = store.attempts("ORD-1", CALL)
    assert (attempt.key, attempt.outcome, attempt.exchange) == (CALLOUT.key, "completed", ANSWERED.exchange)


def test_an_old_answer_leaves_the_newer_call(store: SqliteStore) -> None:
    state = started(store, SEND)
    next_step(store, state, replace(SEND, callout=replace(CALLOUT, attempt=2)))
    next_step(store, state, event=ANSWER, origin=ANSWERED)
    assert [call.callout.attempt for call in store.pending_calls("shop", 10)] == [2]


def test_timers_are_found_by_due_date(store: SqliteStore) -> None:
    limit = StartTimer(task=CALL, kind=TimerKind.LIMIT, attempt=1, due=NOW + timedelta(hours=4))
    retry = StartTimer(task=CALL, kind=TimerKind.RETRY, attempt=1, due=NOW + timedelta(seconds=1))
    state = started(store, limit, retry)
    assert store.next_timer() == retry.due
    assert [timer.kind for timer in store.timers(NOW + timedelta(hours=1), 10)] == [TimerKind.RETRY]
    fired = Timer(order="ORD-1", task=CALL, kind=TimerKind.RETRY, attempt=1, due=retry.due)
    again = replace(retry, attempt=2, due=NOW + timedelta(seconds=9))
    next_step(store, state, again, event=TimerFired(task=CALL, kind=TimerKind.RETRY, attempt=1), origin=fired)
    assert store.next_timer() == again.due
    next_step(store, state, CancelTimer(task=CALL, kind=TimerKind.RETRY), CancelTimer(task=CALL, kind=TimerKind.LIMIT))
    assert store.next_timer() is None


def test_a_callback_reaches_the_task_that_awaits_it(store: SqliteStore) -> None:
    started(store, AwaitCallback(task=CALL, operation="shop.sell", correlation="R-7"))
    assert store.post_callback("shop.sell", "R-7", Outcome.COMPLETED, {"port": "P-1"}, NOW) == 1
    (waiting,) = store.inbox(0, 10)
    assert waiting.event == CallbackReceived(task=CALL, outcome=Outcome.COMPLETED, outputs={"port": "P-1"}, attempt=1)


def test_a_callback_that_came_too_early_is_kept(store: SqliteStore) -> None:
    state = started(store)
    assert store.post_callback("shop.sell", "R-7", Outcome.FATAL, {}, NOW, "NO", "sold out") == 0
    assert store.post_callback("shop.sell", "R-8", Outcome.COMPLETED, {}, NOW) == 0
    assert next_step(store, state, AwaitCallback(task=CALL, operation="shop.sell", correlation="R-7", attempt=1)) == 1
    (waiting,) = store.inbox(0, 10)
    told = CallbackReceived(task=CALL, outcome=Outcome.FATAL, code="NO", message="sold out", attempt=1)
    assert waiting.event == told
    assert store.forget_early(NOW) == 0
    assert store.forget_early(NOW + timedelta(seconds=1)) == 1


@pytest.mark.parametrize(("key", "found"), [("S-1", "S-1"), (7, "7"), ("7", 7.0), (True, True), (1.5, "1.50")])
def test_an_event_reaches_the_tasks_whose_key_it_holds(store: SqliteStore, key: object, found: object) -> None:
    wait = AwaitEvent(task=CALL, event="ont.online", field="serial", key=key)  # type: ignore[arg-type]
    started(store, wait)
    assert store.post_event("ont.online", {"serial": "other"}, NOW) == 0
    assert store.post_event("ont.online", {"serial": found}, NOW) == 1  # type: ignore[dict-item]
    (waiting,) = store.inbox(0, 10)
    assert waiting.event == EventArrived(task=CALL, event="ont.online", payload={"serial": found})  # type: ignore[dict-item]


def test_an_event_with_no_key_reaches_all_who_listen(store: SqliteStore) -> None:
    started(store, AwaitEvent(task=CALL, event="storm"))
    second = started(store, AwaitEvent(task=CALL, event="storm"), id="ORD-2")
    started(store, AwaitEvent(task=CALL, event="storm", field="place.code", key="N"), id="ORD-3")
    assert store.post_event("storm", {"place": {"code": "N"}}, NOW) == 3
    next_step(store, second, StopWaiting(task=CALL))
    assert store.post_event("storm", {}, NOW) == 1


def test_early_events_reach_the_wait_that_comes_after(store: SqliteStore) -> None:
    state = started(store)
    for serial in ("S-1", "S-2", "S-1"):
        store.post_event("ont.online", {"serial": serial}, NOW)
    assert next_step(store, state, AwaitEvent(task=CALL, event="ont.online", field="serial", key="S-1")) == 2
    assert len(store.inbox(0, 10)) == 2


def test_early_events_are_found_by_any_of_their_members(store: SqliteStore) -> None:
    state = started(store)
    event: dict[str, Json] = {"place": {"code": 7}, "serial": "S-1", "a.b": "dotted", "long": "x" * 9999, "parts": [1]}
    for _ in range(2):
        assert store.post_event("storm", event, NOW) == 0
    keys: dict[str, Json] = {"place.code": "7", "serial": "S-1", "a.b": "dotted", "long": "x" * 9999, "parts": [1]}
    others: dict[str, Json] = {"place.code": 8, "long": "x" * 9, "nothing": "S-1"}
    for field, key in others.items():
        assert next_step(store, state, AwaitEvent(task=CALL, event="storm", field=field, key=key)) == 0
    for field, key in keys.items():
        assert next_step(store, state, AwaitEvent(task=CALL, event="storm", field=field, key=key)) == 2
        for _ in range(2):
            next_step(store, state, StopWaiting(task=CALL))
            assert store.post_event("storm", event, NOW) == 0
    assert store.forget_early(NOW + timedelta(seconds=1)) == 2
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("SELECT count(*) FROM early_members").fetchone() == (0,)


def test_work_items_are_opened_claimed_and_closed(store: SqliteStore) -> None:
    form = (Attribute(name="length", title="Length", type=INTEGER, required=True),)
    manual = OpenWork(task=CALL, kind=WorkKind.MANUAL, queue="field", title="Install", form=form, due=NOW, priority=1)
    state = started(store, manual)
    started(store, replace(manual, due=None), id="ORD-2")
    started(store, replace(manual, priority=0), id="ORD-3")
    items = store.work(WorkFilter(queue="field"))
    assert [item.order for item in items] == ["ORD-3", "ORD-1", "ORD-2"]
    assert items[1].form == form
    assert store.count_work(WorkFilter()) == {"field": 3}
    claimed = store.claim(items[1].id, "ada", NOW)
    assert (claimed.state, claimed.claimed_by) == (WorkState.CLAIMED, "ada")
    with pytest.raises(Conflict, match="is with `ada`"):
        store.claim(claimed.id, "bob", NOW)
    assert store.unclaim(claimed.id, "ada", NOW).claimed_by == ""
    next_step(store, state, CloseWork(task=CALL))
    assert store.work_item(claimed.id).state is WorkState.DONE
    with pytest.raises(Conflict, match="is done"):
        store.claim(claimed.id, "ada", NOW)
    next_step(store, state, replace(manual, kind=WorkKind.FALLOUT, queue="desk", code="NO"))
    assert [item.code for item in store.work(WorkFilter(kinds=(WorkKind.FALLOUT,)))] == ["NO"]


def test_changes_of_two_orders_to_one_asset_add_up(store: SqliteStore) -> None:
    change = AssetChange(
        id="as-1",
        spec="Access",
        level=Level.RESOURCE,
        account="A-1",
        order="ORD-1",
        state=AssetState.ACTIVE,
        attributes={"port": "P-1"},
        users_added=frozenset(("u-1",)),
    )
    other = replace(change, order="ORD-2", attributes={"speed": 7}, users_added=frozenset(("u-2",)))
    started(store, WriteInventory(changes=(change, other)))
    second = started(store, WriteInventory(changes=(replace(other, users_added=frozenset(("u-3",))),)), id="ORD-2")
    asset = store.inventory("A-1").assets["as-1"]
    assert (asset.users, asset.attributes) == (frozenset(("u-1", "u-2", "u-3")), {"port": "P-1", "speed": 7})
    gone = replace(change, state=AssetState.TERMINATED, users_added=frozenset(), users_removed=asset.users)
    next_step(store, second, WriteInventory(changes=(gone,)))
    assert store.inventory("A-1").assets == {}
    assert [view.asset.state for view in store.assets(AssetFilter(account="A-1"))] == [AssetState.TERMINATED]


def test_the_feed_goes_on_where_it_was_left(store: SqliteStore) -> None:
    state = started(store, Publish(kind="order.state", data={"to": "inProgress"}))
    last = store.last_event()
    next_step(store, state, Publish(kind="milestone", data={"text": "done"}))
    assert [(event.kind, event.data) for event in store.events(after=last)] == [("milestone", {"text": "done"})]
    assert len(store.events(order="ORD-1")) == 2


def test_a_request_is_pending_then_applied_or_refused(store: SqliteStore) -> None:
    state = started(store)
    asked, refused = (store.post("ORD-1", OrderHeld(by="ada"), NOW) for _ in range(2))
    assert store.request(asked) == (RequestState.PENDING, "")
    first, second = store.inbox(0, 10)
    next_step(store, state, event=OrderHeld(by="ada"), origin=first)
    store.commit(Batch(refused=[Refusal(order="ORD-1", origin=second, message="it is held already")]))
    assert store.request(asked) == (RequestState.APPLIED, "")
    assert store.request(refused) == (RequestState.REFUSED, "it is held already")
    assert store.inbox(0, 10) == []
    with pytest.raises(NotFound, match="there is no order `ORD-9`"):
        store.post("ORD-9", OrderHeld(by="ada"), NOW)


def test_a_poisoned_event_is_set_aside_and_can_be_tried_again(store: SqliteStore) -> None:
    started(store, SEND)
    trouble = Poisoned(order="ORD-1", event=ANSWER, at=NOW, message="boom", traceback="…", origin=ANSWERED)
    store.commit(Batch(poisoned=[trouble]))
    assert store.pending_calls("shop", 10) == []
    (view,) = store.poisoned()
    assert (view.order, view.event, view.message) == ("ORD-1", ANSWER, "boom")
    assert [event.kind for event in store.events()] == ["event.poisoned"]
    store.retry_poisoned(view.id, NOW)
    assert store.poisoned() == []
    assert [event.event for event in store.inbox(0, 10)] == [ANSWER]


def test_bundles_are_immutable_and_one_version_is_active(store: SqliteStore) -> None:
    assert store.bundle_sources(DESIGN) == {"bundle.yaml": b"name: test", "a/b.loom": b"\x00\xff"}
    store.deploy("test", "1.1.0", "e" * 64, {"bundle.yaml": b"2"}, NOW + timedelta(seconds=1))
    assert [view.version for view in store.active_bundles()] == ["1.1.0"]
    with pytest.raises(Conflict, match="is deployed with other content"):
        store.deploy("test", "1.1.0", "f" * 64, {}, NOW)
    assert store.activate(DESIGN).active
    assert [(view.version, view.active) for view in store.bundles()] == [("1.1.0", False), ("1.0.0", True)]


def test_lists_of_orders_are_filtered_and_paged(store: SqliteStore) -> None:
    submitted(store, *(f"ORD-{number}" for number in range(5)))
    started(store, id="ORD-9")
    page = store.orders(OrderFilter(), limit=4)
    assert [view.id for view in page] == ["ORD-9", "ORD-4", "ORD-3", "ORD-2"]
    assert [view.id for view in store.orders(OrderFilter(), before=page[-1].sequence)] == ["ORD-1", "ORD-0"]
    assert [view.id for view in store.orders(OrderFilter(statuses=(OrderStatus.IN_PROGRESS,)))] == ["ORD-9"]
    assert [view.id for view in store.orders(OrderFilter(external_id="X-ORD-3", account="A-1"))] == ["ORD-3"]
    assert store.count_orders(OrderFilter()) == {"acknowledged": 5, "inProgress": 1}
    assert store.order("ORD-9").bundle == "test"
    with pytest.raises(NotFound):
        store.order("ORD-7")


def test_connectors_are_held_and_released(store: SqliteStore) -> None:
    store.hold_connector("shop", "maintenance")
    assert store.held_connectors() == {"shop": "maintenance"}
    store.release_connector("shop")
    assert store.held_connectors() == {}


def test_another_connection_is_noticed(store: SqliteStore) -> None:
    beside = open_store(str(store.path))
    try:
        store.inbox_may_have_changed()
        assert not store.inbox_may_have_changed()
        submitted(beside)
        assert store.inbox_may_have_changed()
        assert not store.inbox_may_have_changed()
    finally:
        beside.close()


def test_what_was_written_is_there_after_reopening(store: SqliteStore, tmp_path: Path) -> None:
    state = started(store, SEND)
    store.close()
    again = open_store(str(tmp_path / "orders.db"))
    assert again.state("ORD-1") == state
    assert len(again.pending_calls("shop", 10)) == 1
    again.close()
    again = open_store(str(tmp_path / "orders.db"))
    again.close()
