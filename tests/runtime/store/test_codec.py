"""Every value, event and state comes back from bytes exactly as it went in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderloom.models.callout import Callout, Exchange, Outcome
from orderloom.models.catalog import Action, Attribute, Level, RelationKind, Scope
from orderloom.models.fulfillment import Line, LineRelation, LineSource, Origin, Provenance
from orderloom.models.inventory import Asset, AssetChange, AssetState, Inventory
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.journal import (
    AmendmentRequested,
    CallbackReceived,
    CalloutAnswered,
    CalloutHeld,
    CalloutReleased,
    CancellationRequested,
    Entry,
    EntryKind,
    EventArrived,
    FalloutAction,
    FalloutResolved,
    LineCorrected,
    MigrationRequested,
    OrderDeferred,
    OrderHeld,
    OrderReleased,
    PriorityRaised,
    RelatedOrdersWaived,
    RelatedTaskEnded,
    Submitted,
    TimerFired,
    TimerKind,
    WorkCompleted,
)
from orderloom.models.order import Account, ItemRelation, OrderItem, OrderStatus, ProductOrder
from orderloom.models.plan import OrderState, PlanState, Task, TaskRole, TaskState, WaitingChange
from orderloom.models.tasks import TaskKind
from orderloom.models.values import Kind, Period, Type, Value
from orderloom.runtime.store.codec import dumps, instant, loads, micros, unpack
from orderloom.runtime.store.event_codec import (
    callout_from,
    context_bytes,
    entries_bytes,
    entries_from,
    event_bytes,
    event_from,
    exchange_bytes,
    exchange_from,
)
from orderloom.runtime.store.histories import change_bytes, change_of
from orderloom.runtime.store.order_codec import outline_bytes, rest_bytes, state_bytes, state_from
from orderloom.runtime.store.records import Submission
from orderloom.runtime.store.state_codec import (
    asset_of,
    form_bytes,
    form_from,
    line_bytes,
    line_from,
    order_bytes,
    order_from,
    packed_asset,
    task_bytes,
    task_from,
)

texts = st.text(st.characters(codec=None), max_size=20)
instants = st.datetimes(timezones=st.just(UTC)).map(lambda found: found.replace(fold=0))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**70), max_value=2**70),
    st.decimals(allow_nan=False, allow_infinity=False),
    texts,
    st.dates(),
    instants,
    st.timedeltas(),
    st.builds(Period, st.integers(-1000, 1000)),
)
values: st.SearchStrategy[Value] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6
)
by_name = st.dictionaries(texts, values, max_size=4)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
json_by_name = st.dictionaries(texts, json_values, max_size=4)
maybe_instants = st.none() | instants
enums = st.sampled_from


def same(found: object, wanted: object) -> None:
    """Equal, and of the same types all the way down: True is not 1, 1.0 not 1, 1.50 not 1.5."""
    assert found == wanted
    assert repr(found) == repr(wanted)


@given(values)
def test_values(value: Value) -> None:
    same(unpack(loads(dumps(value))), value)


def test_values_that_look_alike_stay_apart() -> None:
    for value in (
        True,
        1,
        Decimal(1),
        Decimal("1.0"),
        Decimal("-0"),
        "1",
        date(2026, 1, 1),
        Period(1),
        timedelta(1),
        2**64,
    ):
        same(unpack(loads(dumps((value,)))), (value,))


@given(json_by_name)
def test_json(found: dict[str, object]) -> None:
    same(loads(dumps(found)), found)


@given(instants)
def test_instants(value: datetime) -> None:
    number = micros(value)
    assert number is not None
    assert instant(number) == value


tasks = st.builds(
    Task,
    id=texts,
    definition=texts,
    kind=enums(TaskKind),
    line=texts,
    within=texts,
    after=st.lists(texts, max_size=3).map(tuple),
    needs=st.lists(texts, max_size=3).map(tuple),
    elsewhere=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    state=enums(TaskState),
    attempts=st.integers(0, 9),
    retries=st.integers(0, 9),
    generation=st.integers(0, 9),
    outputs=by_name,
    code=texts,
    message=texts,
    queue=texts,
    asked=texts,
    due=maybe_instants,
    ready_at=maybe_instants,
    started_at=maybe_instants,
    finished_at=maybe_instants,
    by=texts,
    jeopardy=enums(Jeopardy),
    role=enums(TaskRole),
    of=texts,
    version=st.integers(0, 9),
)


@given(tasks)
def test_tasks(task: Task) -> None:
    same(task_from(task.id, task_bytes(task)), task)


lines = st.builds(
    Line,
    id=texts,
    spec=texts,
    level=enums(Level),
    action=enums(Action),
    quantity=st.integers(0, 99),
    attributes=by_name,
    parent=texts,
    root=texts,
    asset=texts,
    scope=enums(Scope),
    anchor=texts,
    sources=st.lists(st.builds(LineSource, texts, texts), max_size=2).map(tuple),
    relations=st.lists(st.builds(LineRelation, enums(RelationKind), texts), max_size=2).map(tuple),
    context=st.booleans(),
    jeopardy=enums(Jeopardy),
    missing=st.lists(texts, max_size=2).map(tuple),
    before=by_name,
    users_added=st.frozensets(texts, max_size=1),
    users_removed=st.frozensets(texts, max_size=1),
    provenance=st.dictionaries(
        texts, st.builds(Provenance, origin=enums(Origin), by=texts, source=texts, text=texts), max_size=2
    ),
    state=enums(OrderStatus),
)


@given(lines)
def test_lines(line: Line) -> None:
    same(line_from(line.id, line_bytes(line)), line)


items = st.builds(
    OrderItem,
    id=texts,
    action=enums(Action),
    spec=texts,
    quantity=st.integers(),
    attributes=json_by_name,
    product=texts,
    parent=texts,
    relations=st.lists(st.builds(ItemRelation, kind=enums(RelationKind), item=texts, product=texts), max_size=2).map(
        tuple
    ),
)


orders = st.builds(
    ProductOrder,
    id=texts,
    account=st.builds(Account, id=texts, name=texts),
    items=st.lists(items, max_size=2).map(tuple),
    order_date=instants,
    external_id=texts,
    category=texts,
    description=texts,
    channel=texts,
    priority=st.integers(0, 4),
    requested_start=maybe_instants,
    requested_completion=maybe_instants,
    depends_on=st.lists(texts, max_size=2).map(tuple),
    related=st.lists(texts, max_size=2).map(tuple),
)


@given(orders)
def test_orders(order: ProductOrder) -> None:
    same(order_from(order_bytes(order)), order)


assets = st.builds(
    Asset,
    id=texts,
    spec=texts,
    level=enums(Level),
    account=texts,
    state=enums(AssetState),
    attributes=by_name,
    quantity=st.integers(0, 99),
    parent=texts,
    users=st.frozensets(texts, max_size=1),
    relies_on=st.frozensets(texts, max_size=1),
    anchor=texts,
    order=texts,
)


@given(assets)
def test_assets(asset: Asset) -> None:
    same(asset_of(loads(dumps(packed_asset(asset)))), asset)


inventories = st.builds(
    Inventory,
    assets=st.lists(assets, max_size=2).map(lambda found: {asset.id: asset for asset in found}),
    at=maybe_instants,
)
retry_after = st.floats(0, 1000)
common = {
    "inventory": inventories,
    "by": texts,
    "reason": texts,
    "accept": st.booleans(),
    "roles": st.lists(texts, max_size=2).map(tuple),
    "force": st.booleans(),
}
changes = st.one_of(
    st.builds(AmendmentRequested, order=orders, **common),
    st.builds(CancellationRequested, items=st.lists(texts, max_size=2).map(tuple), **common),
    st.builds(MigrationRequested, design=texts, **common),
)
some = st.text(min_size=1, max_size=5)
events = st.one_of(
    changes,
    st.builds(Submitted, inventory=inventories),
    st.builds(Submitted, inventory=inventories, by=some, reason=texts),
    st.builds(OrderDeferred, reasons=st.lists(texts, max_size=2).map(tuple)),
    st.builds(RelatedTaskEnded, order=texts, task=texts, problem=texts),
    st.builds(RelatedOrdersWaived, by=texts, reason=texts),
    st.builds(Submission, by=some, reason=texts),
    st.builds(TimerFired, task=texts, kind=enums(TimerKind), attempt=st.integers(0, 9)),
    st.builds(
        CalloutAnswered,
        task=texts,
        attempt=st.integers(0, 9),
        outcome=enums(Outcome),
        outputs=by_name,
        code=texts,
        message=texts,
        correlation=texts,
        retry_after=retry_after.filter(bool),
    ),
    st.builds(CalloutHeld, task=texts, attempt=st.integers(0, 9), reason=texts),
    st.builds(CalloutReleased, task=texts, attempt=st.integers(0, 9)),
    st.builds(CallbackReceived, task=texts, outcome=enums(Outcome), outputs=by_name, code=texts, message=texts),
    st.builds(EventArrived, task=texts, event=texts, payload=json_by_name),
    st.builds(WorkCompleted, task=texts, by=texts, values=by_name),
    st.builds(FalloutResolved, task=texts, action=enums(FalloutAction), by=texts, reason=texts, outputs=by_name),
    st.builds(LineCorrected, line=texts, values=by_name, by=texts, reason=texts),
    st.builds(OrderHeld, by=texts, reason=texts),
    st.builds(OrderReleased, by=texts, reason=texts),
    st.builds(PriorityRaised, by=texts, reason=texts),
    st.just(Submission()),
)


@given(events)
def test_events(event: object) -> None:
    same(event_from(event_bytes(event)), event)  # type: ignore[arg-type]  # a union, as strategies cannot say


states = st.builds(
    OrderState,
    order=orders,
    design=texts,
    version=st.integers(0, 99),
    status=enums(OrderStatus),
    plan=enums(PlanState),
    lines=st.lists(lines, max_size=2).map(lambda found: {line.id: line for line in found}),
    tasks=st.lists(tasks, max_size=2).map(lambda found: {task.id: task for task in found}),
    reasons=st.lists(texts, max_size=2).map(tuple),
    held_from=st.none() | enums(OrderStatus),
    jeopardy=enums(Jeopardy),
    jeopardy_at=st.none() | instants,
    expected=st.none() | instants,
    started_at=maybe_instants,
    completed_at=maybe_instants,
    revision=st.integers(0, 9),
    former=st.lists(lines, max_size=2).map(lambda found: {f"{line.id}~1": line for line in found}),
    change=st.none() | st.builds(WaitingChange, request=changes, at=instants, status=enums(OrderStatus)),
)


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(states)
def test_states(state: OrderState) -> None:
    header = (
        state.design,
        state.version,
        state.status.value,
        state.plan.value,
        micros(state.started_at),
        micros(state.completed_at),
        rest_bytes(state),
    )
    lines = {id: line_from(id, line_bytes(line)) for id, line in state.lines.items()}
    tasks = {id: task_from(id, task_bytes(task)) for id, task in state.tasks.items()}
    former = {id: line_from(line.id, line_bytes(line)) for id, line in state.former.items()}
    found = state_from(header, order_from(order_bytes(state.order)), outline_bytes(state), lines, tasks, former)
    same(found, state)
    assert state_bytes(found) == state_bytes(state)


asset_changes = st.builds(
    AssetChange,
    id=texts,
    spec=texts,
    level=enums(Level),
    account=texts,
    order=texts,
    state=enums(AssetState),
    attributes=by_name,
    quantity=st.integers(0, 99),
    parent=texts,
    users_added=st.frozensets(texts, max_size=1),
    users_removed=st.frozensets(texts, max_size=1),
    relies_on=st.frozensets(texts, max_size=1),
    anchor=texts,
    ordered=texts,
    moved_from=texts,
    restored=st.none() | assets,
)


@given(asset_changes)
def test_asset_changes(change: AssetChange) -> None:
    same(change_of(change_bytes(change)), change)


@given(st.lists(st.builds(Entry, enums(EntryKind), texts, json_by_name), max_size=3).map(tuple))
def test_entries(entries: tuple[Entry, ...]) -> None:
    same(entries_from(entries_bytes(entries)), entries)


@given(texts, texts, st.integers(1, 9), st.dictionaries(texts, by_name, max_size=3))
def test_callouts(key: str, operation: str, attempt: int, context: dict[str, dict[str, Value]]) -> None:
    callout = Callout(key=key, operation=operation, attempt=attempt, context=context)
    same(callout_from(key, operation, attempt, context_bytes(context)), callout)


@given(
    st.builds(
        Exchange,
        request=texts,
        response=texts,
        status=st.none() | st.integers(100, 599),
        started=instants,
        duration=retry_after,
    )
)
def test_exchanges(exchange: Exchange) -> None:
    same(exchange_from(exchange_bytes(exchange)), exchange)


types = st.recursive(
    st.builds(
        Type, enums([kind for kind in Kind if kind is not Kind.LIST]), name=texts, unit=texts, optional=st.booleans()
    ),
    lambda inner: st.builds(Type, st.just(Kind.LIST), item=inner, optional=st.booleans()),
    max_leaves=2,
)


@given(
    st.lists(
        st.builds(Attribute, name=texts, title=texts, type=types, required=st.booleans(), default=values, doc=texts),
        max_size=3,
    ).map(tuple)
)
def test_forms(form: tuple[Attribute, ...]) -> None:
    same(form_from(form_bytes(form)), form)
