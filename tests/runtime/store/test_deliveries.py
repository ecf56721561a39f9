"""Queues of deliveries: each event once a channel, in order per order, and nothing lost between feed and delivery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.codec import dumps, micros
from orderloom.runtime.store.deliveries import Attempted, Channel, Delivery, DeliveryState, Wanted
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.sqlite import SqliteStore, open_store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEED = Deed(at=NOW, who="root", what="test", kind="channel")


def channel(name: str = "crm") -> Channel:
    return Channel(name=name, kind="file", settings={"path": "/x"}, wanted=Wanted(kinds=("order.*",)), created_at=NOW)


def publish(store: SqliteStore, *orders: str) -> None:
    with store._database.transaction() as writer:
        for order in orders:
            writer.execute(
                "INSERT INTO published (order_id, at, kind, data) VALUES (?, ?, 'order.state', ?)",
                (order, micros(NOW), dumps({"to": "completed"})),
            )


def route(store: SqliteStore, limit: int = 100) -> None:
    found = store.next_untold(limit)
    made = [
        Delivery(
            channel=each.name,
            sequence=event.sequence,
            order=event.order,
            kind=event.kind,
            at=event.at,
            body=b"{}",
            since=NOW,
        )
        for each in found.channels
        for event in found.events
        if event.sequence > each.position
    ]
    last = found.events[-1].sequence
    store.route([each for each in found.channels if each.position < last], last, made)


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return open_store(str(tmp_path / "orders.db"))


def test_a_channel_is_told_from_its_start_on(store: SqliteStore) -> None:
    publish(store, "O-1")
    assert not store.untold()
    store.add_channel(channel(), DEED)
    assert not store.untold()
    publish(store, "O-2")
    assert store.untold()
    route(store)
    assert not store.untold()
    assert [each.order for each in store.due_deliveries("crm", NOW, 10)] == ["O-2"]
    assert store.channels()[0].wanted == Wanted(kinds=("order.*",))
    with pytest.raises(Conflict, match="a channel `crm` already"):
        store.add_channel(channel(), DEED)
    store.close()


def test_what_fails_holds_up_its_order_only(store: SqliteStore) -> None:
    store.add_channel(channel(), DEED)
    publish(store, "O-1", "O-1", "O-2")
    route(store)
    first, other = store.due_deliveries("crm", NOW, 10)
    assert (first.sequence, first.order, other.order) == (1, "O-1", "O-2")
    later = NOW + timedelta(seconds=10)
    store.settle([Attempted(delivery=first, error="503", again=later), Attempted(delivery=other)], NOW)
    assert store.due_deliveries("crm", NOW, 10) == []
    assert store.next_delivery() == later
    publish(store, "O-1", "O-2")
    route(store)
    # what came later of the other order goes, of the first one nothing does
    assert [each.order for each in store.due_deliveries("crm", NOW, 10)] == ["O-2"]
    (again,) = (each for each in store.due_deliveries("crm", later, 10) if each.order == "O-1")
    assert (again.id, again.tries, again.error) == (first.id, 1, "503")
    store.settle([Attempted(delivery=again, error="gone")], later)
    assert [each.sequence for each in store.due_deliveries("crm", later, 10) if each.order == "O-1"] == [2]
    (dead,) = store.deliveries((DeliveryState.DEAD,))
    assert (dead.id, dead.error, dead.body) == (first.id, "gone", b"{}")
    backlog = store.backlogs()["crm"]
    assert (backlog.waiting, backlog.dead, backlog.oldest) == (3, 1, NOW)
    assert store.resend([dead], later, DEED) == 1
    # it waits for the one that goes now
    assert [each.sequence for each in store.due_deliveries("crm", later, 10) if each.order == "O-1"] == [2]
    assert store.resend([dead], later, DEED) == 0
    store.close()


def test_a_pause_and_a_removal(store: SqliteStore) -> None:
    store.add_channel(channel(), DEED)
    publish(store, "O-1")
    store.pause_channel("crm", True, DEED)
    assert not store.untold()
    assert store.next_delivery() is None
    store.pause_channel("crm", False, DEED)
    assert store.untold()
    route(store)
    assert store.next_delivery() == NOW
    store.remove_channel("crm", DEED)
    assert store.deliveries(tuple(DeliveryState)) == []
    with pytest.raises(NotFound, match="no channel `crm`"):
        store.remove_channel("crm", DEED)
    with pytest.raises(NotFound, match="no channel `crm`"):
        store.pause_channel("crm", True, DEED)
    store.close()


def test_routing_twice_makes_nothing_twice(store: SqliteStore) -> None:
    store.add_channel(channel(), DEED)
    publish(store, "O-1", "O-2")
    before = store.next_untold(10)
    made = [
        Delivery(channel="crm", sequence=each.sequence, order=each.order, kind=each.kind, at=NOW, body=b"x", since=NOW)
        for each in before.events
    ]
    for _ in range(2):
        store.route(before.channels, 2, made)
    assert len(store.deliveries(tuple(DeliveryState))) == 2
    store.close()


@given(data=st.data())
def test_each_order_is_told_in_order_whatever_fails(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = open_store(str(tmp_path_factory.mktemp("deliveries") / "orders.db"))
    for name in ("crm", "erp"):
        store.add_channel(channel(name), DEED)
    now = NOW
    told: list[tuple[str, str, int]] = []
    for step in data.draw(st.lists(st.sampled_from(("publish", "route", "attempt")), min_size=5, max_size=25)):
        if step == "publish":
            publish(store, *data.draw(st.lists(st.sampled_from(("O-1", "O-2", "")), max_size=4)))
        elif step == "route" and store.untold():
            route(store, data.draw(st.integers(1, 3)))
        else:
            now = _attempt_some(store, data, now, told)
    while store.untold():
        route(store)
    while (due := store.next_delivery()) is not None:
        now = max(now, due)
        for name in ("crm", "erp"):
            found = store.due_deliveries(name, now, 100)
            store.settle([Attempted(delivery=each) for each in found], now)
            told += [(name, each.order, each.sequence) for each in found]
    wanted = [(each.order, each.sequence) for each in store.events(limit=1000)]
    for name in ("crm", "erp"):
        for order in ("O-1", "O-2", ""):
            assert [number for one, other, number in told if (one, other) == (name, order)] == [
                number for other, number in wanted if other == order
            ]
    store.close()


def _attempt_some(store: SqliteStore, data: st.DataObject, now: datetime, told: list[tuple[str, str, int]]) -> datetime:
    now += timedelta(seconds=data.draw(st.integers(0, 20)))
    for name in ("crm", "erp"):
        attempts: list[Attempted] = []
        for each in store.due_deliveries(name, now, 3):
            if data.draw(st.booleans()):
                attempts.append(Attempted(delivery=each))
                told.append((name, each.order, each.sequence))
            else:
                attempts.append(Attempted(delivery=each, error="no", again=now + timedelta(seconds=7)))
        store.settle(attempts, now)
    return now
