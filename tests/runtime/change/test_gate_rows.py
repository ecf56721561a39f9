"""Gates in the store: opened in the transaction that ends the other order, whichever of the two commits first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orderloom.models.journal import OrderDeferred
from orderloom.models.order import OrderStatus
from orderloom.runtime.store.records import Gate, GateKind, Submission
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from tests.runtime.store.making import batch, deployed, step, submitted


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(str(tmp_path / "orders.db"))
    submitted(deployed(opened), "FIRST", "SECOND")
    # both are taken up
    for event in opened.inbox(0, 10):
        with opened._database.transaction() as writer:
            writer.execute("DELETE FROM inbox WHERE id = ?", (event.id,))
    yield opened
    opened.close()


def defer(store: SqliteStore, kind: GateKind = GateKind.SEQUENCE) -> int:
    state = store.state("SECOND")
    state.version, state.status, state.reasons = state.version + 1, OrderStatus.PENDING, ("waits",)
    made = batch(state, step(), OrderDeferred(reasons=("waits",)))
    made.commits[0].gates = (Gate(waits_for="FIRST", kind=kind, reason="waits"),)
    return store.commit(made)


def end(store: SqliteStore, status: OrderStatus = OrderStatus.COMPLETED) -> int:
    state = store.state("FIRST")
    state.version, state.status = state.version + 1, status
    return store.commit(batch(state, step()))


def waiting(store: SqliteStore) -> list[tuple[str, object]]:
    return [(event.order, event.event) for event in store.inbox(0, 10)]


def test_a_gate_opens_with_the_end_of_the_other_order(store: SqliteStore) -> None:
    assert defer(store) == 0
    assert [gate.waits_for for gate in store.gates("SECOND")] == ["FIRST"]
    assert waiting(store) == []
    assert end(store) == 1
    assert waiting(store) == [("SECOND", Submission())]


def test_a_gate_written_after_the_other_order_has_ended_opens_at_once(store: SqliteStore) -> None:
    assert end(store) == 0
    assert defer(store) == 1
    assert waiting(store) == [("SECOND", Submission())]


def test_what_waits_for_a_person_is_not_put_into_the_inbox(store: SqliteStore) -> None:
    end(store, OrderStatus.CANCELLED)
    assert defer(store, GateKind.ENDED) == 0
    assert waiting(store) == []


def test_an_order_that_ends_waits_for_nothing(store: SqliteStore) -> None:
    defer(store)
    state = store.state("SECOND")
    state.version, state.status = state.version + 1, OrderStatus.CANCELLED
    store.commit(batch(state, step()))
    assert store.gates("SECOND") == []
    end(store)
    assert waiting(store) == []


def test_earlier_open_orders_are_found_by_index(store: SqliteStore) -> None:
    submitted(store, "THIRD")
    assert store.earlier_open("FIRST") == []
    with store._database.transaction() as writer:
        writer.execute("UPDATE orders SET account = 'A'")
    assert store.earlier_open("THIRD") == ["FIRST", "SECOND"]
    end(store)
    assert store.earlier_open("THIRD") == ["SECOND"]
    assert [state.order.id for state in store.earlier_states("THIRD")] == ["SECOND"]
    assert store.statuses(("FIRST", "nobody")) == {"FIRST": OrderStatus.COMPLETED}
    query = (
        "EXPLAIN QUERY PLAN SELECT other.id FROM orders AS own JOIN orders AS other "
        "ON other.account = own.account AND other.sequence < own.sequence WHERE own.id = ? "
        "AND other.status NOT IN ('rejected', 'cancelled', 'completed', 'failed', 'partial') ORDER BY other.sequence"
    )
    plan = " ".join(row[3] for row in store._database._reader.execute(query, ("x",)))
    assert "orders_open_by_account" in plan and "TEMP B-TREE" not in plan, plan
