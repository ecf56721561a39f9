"""Orders, lines, tasks and steps for tests of the store, without a design."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orderloom.models.catalog import Action, Level
from orderloom.models.fulfillment import Line, Origin, Provenance
from orderloom.models.inventory import EMPTY
from orderloom.models.journal import Command, Entry, EntryKind, Event, Step, Submitted
from orderloom.models.order import Account, OrderItem, OrderStatus, ProductOrder
from orderloom.models.plan import OrderState, PlanState, Task
from orderloom.models.tasks import TaskKind
from orderloom.runtime.store.records import Applied, Batch, OrderCommit
from orderloom.runtime.store.records import Origin as EventOrigin
from orderloom.runtime.store.sqlite import SqliteStore
from orderloom.runtime.store.views import NewOrder

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DESIGN = "d" * 64


def order(id: str = "ORD-1", account: str = "A-1") -> ProductOrder:
    item = OrderItem(id="1", action=Action.ADD, spec="Internet", attributes={"speed": "fast"})
    return ProductOrder(
        id=id, account=Account(id=account, name="Ada"), items=(item,), order_date=NOW, external_id=f"X-{id}"
    )


def deployed(store: SqliteStore) -> SqliteStore:
    store.deploy("test", "1.0.0", DESIGN, {"bundle.yaml": b"name: test"}, NOW)
    return store


def submitted(store: SqliteStore, *ids: str) -> SqliteStore:
    store.submit([NewOrder(order=order(id), design=DESIGN) for id in ids or ("ORD-1",)], NOW)
    return store


def line(id: str = "1") -> Line:
    return Line(
        id=id,
        spec="Internet",
        level=Level.PRODUCT,
        action=Action.ADD,
        quantity=1,
        attributes={"speed": "fast", "length": 7},
        parent="",
        root="1",
        asset=f"asset-{id}",
        provenance={"speed": Provenance(origin=Origin.ORDER)},
    )


def task(id: str = "1/P.call", **fields: object) -> Task:
    made = Task(id=id, definition="P.call", kind=TaskKind.CALL, line="1")
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def step(*commands: Command, lines: tuple[str, ...] = (), tasks: tuple[str, ...] = ()) -> Step:
    entries = (Entry(EntryKind.NOTE, "", {"text": "noted"}),)
    return Step(entries=entries, commands=commands, lines=frozenset(lines), tasks=frozenset(tasks))


def batch(
    state: OrderState,
    done: Step,
    event: Event | None = None,
    origin: EventOrigin = None,
    at: datetime = NOW,
    sizes: tuple[int, int] | None = None,
) -> Batch:
    """One event applied to a state whose version counts it already."""
    applied = Applied(event=event or Submitted(inventory=EMPTY), at=at, step=done, origin=origin)
    sizes = (len(state.lines), len(state.tasks)) if sizes is None else sizes
    return Batch(commits=[OrderCommit(state=state, sizes=sizes, applied=[applied])])


def started(store: SqliteStore, *commands: Command, id: str = "ORD-1") -> OrderState:
    """A submitted order whose first event made one line and one task, and gave these commands."""
    submitted(store, id)
    state = store.state(id)
    state.version, state.status, state.plan = 1, OrderStatus.IN_PROGRESS, PlanState.IN_PROGRESS
    state.started_at = NOW
    state.lines["1"] = line()
    state.tasks["1/P.call"] = task(attempts=1, due=NOW + timedelta(hours=4))
    origin = store.inbox(0, 100)[-1]
    store.commit(batch(state, step(*commands, lines=("1",), tasks=("1/P.call",)), origin=origin, sizes=(0, 0)))
    return state


def next_step(
    store: SqliteStore, state: OrderState, *commands: Command, event: Event | None = None, origin: EventOrigin = None
) -> int:
    """Another event on the state; returns how many early messages met their wait."""
    state.version += 1
    return store.commit(batch(state, step(*commands), event, origin))
