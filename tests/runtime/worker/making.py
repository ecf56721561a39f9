"""Designs without text, systems without a network: what tests and benchmarks of the worker run on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from orderloom.engine.program import Program, compile_design
from orderloom.models.callout import Answer, Callout, Outcome
from orderloom.models.catalog import Action, Attribute, Level, Scope, Spec
from orderloom.models.design import Design
from orderloom.models.expression import Binary, BinaryOperator, Expression, Formula, Reference, Root
from orderloom.models.integration import Breaker, ConnectorDefinition, Limit, Operation
from orderloom.models.order import Account, OrderItem, ProductOrder
from orderloom.models.rules import DecompositionRule
from orderloom.models.tasks import (
    Dependency,
    EventMatch,
    PlanDefinition,
    Queue,
    RetryKind,
    RetryPolicy,
    TaskDefinition,
    TaskKind,
)
from orderloom.models.values import BOOLEAN, STRING
from orderloom.runtime.store.sqlite import SqliteStore
from orderloom.runtime.store.views import NewOrder

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_LIMIT = Limit()
QUICK = RetryPolicy(kind=RetryKind.FIXED, retries=50, intervals=(timedelta(milliseconds=5),))


def call(name: str, *after: str, operation: str = "shop.sell", **fields: Any) -> TaskDefinition:
    return task(name, TaskKind.CALL, *after, operation=operation, **fields)


def task(name: str, kind: TaskKind, *after: str, **fields: Any) -> TaskDefinition:
    dependencies = tuple(Dependency(tasks=(f"Deliver.{each}",)) for each in after)
    return TaskDefinition(id=f"Deliver.{name}", name=name, title=name, kind=kind, after=dependencies, **fields)


def attribute(name: str) -> Attribute:
    return Attribute(name=name, title="", type=STRING)


def operation(name: str, **fields: Any) -> Operation:
    fields.setdefault("outputs", {"ref": attribute("ref")})
    return Operation(name=f"shop.{name}", title="", connector="shop", request=None, response=None, **fields)


def design(
    tasks: Iterable[TaskDefinition],
    *operations: Operation,
    limit: Limit = NO_LIMIT,
    breaker: Breaker | None = None,
    digest: str = "d" * 64,
) -> Design:
    """One product `Box`, made into one `Parcel` an order and one `Shelf` an account, delivered by these tasks."""
    box = Spec(
        name="Box",
        title="Box",
        level=Level.PRODUCT,
        attributes={"serial": attribute("serial"), "ref": attribute("ref")},
        lineage=("Box",),
        supplied_later=frozenset(("ref",)),
    )
    parcel = Spec(
        name="Parcel",
        title="Parcel",
        level=Level.CUSTOMER_SERVICE,
        attributes={},
        scope=Scope.ORDER,
        lineage=("Parcel",),
    )
    shelf = Spec(
        name="Shelf", title="Shelf", level=Level.RESOURCE, attributes={}, scope=Scope.ACCOUNT, lineage=("Shelf",)
    )
    rules = (
        DecompositionRule(id="Box->Parcel", title="", source="Box", target="Parcel", mappings=()),
        DecompositionRule(id="Parcel->Shelf", title="", source="Parcel", target="Shelf", mappings=()),
    )
    plan = PlanDefinition(name="Deliver", title="Deliver", spec="Box", actions=(Action.ADD,), tasks=tuple(tasks))
    known = {each.name: each for each in (operation("sell"), *operations)}
    shop = ConnectorDefinition(name="shop", title="", kind="test", options={}, limit=limit, breaker=breaker)
    return Design(
        name="boxes",
        version="1.0.0",
        digest=digest,
        enums={},
        specs={each.name: each for each in (box, parcel, shelf)},
        rules=rules,
        tables={},
        rejections=(),
        plans={"Deliver": plan},
        queues={name: Queue(name=name, title=name, fallout=name == "fallout") for name in ("field", "fallout")},
        connectors={"shop": shop},
        operations=known,
        settings={},
    )


def waits_for_online() -> EventMatch:
    """An event `online` whose serial is that of the line."""
    key: Expression = Reference(Root.LINE, "serial", STRING, False)
    found: Expression = Reference(Root.EVENT, "serial", STRING, False)
    matching = Formula(Binary(BinaryOperator.EQUAL, found, key, BOOLEAN), "event.serial == serial")
    return EventMatch(event="online", matching=matching, field="serial", key=Formula(key, "serial"))


def order(number: int, account: str = "", boxes: int = 1) -> ProductOrder:
    items = tuple(
        OrderItem(id=str(each), action=Action.ADD, spec="Box", attributes={"serial": f"S-{number}-{each}"})
        for each in range(1, boxes + 1)
    )
    return ProductOrder(
        id=f"ORD-{number:06d}", account=Account(id=account or f"A-{number}"), items=items, order_date=NOW
    )


def submit(store: SqliteStore, design: Design, *orders: ProductOrder) -> None:
    """Deploys the design where it is not, and submits."""
    store.deploy(design.name, design.version, design.digest, {}, NOW)
    store.submit([NewOrder(order=each, design=design.digest) for each in orders], NOW)


def programs(design: Design) -> Callable[[str], Program]:
    program = compile_design(design)
    return lambda _digest: program


Script = Callable[[Callout], Answer]


def done(_callout: Callout) -> Answer:
    return Answer(outcome=Outcome.COMPLETED, outputs={"ref": "R"})


class Instant:
    """A system in the same process that answers at once."""

    def __init__(self, script: Script = done) -> None:
        self._script = script

    def answer(self, _operation: Operation, callout: Callout) -> Answer:
        return self._script(callout)

    async def call(self, operation: Operation, callout: Callout) -> Answer:
        return self.answer(operation, callout)

    def read_callback(
        self, operation: Operation, message: bytes | Mapping[str, object], headers: Mapping[str, str]
    ) -> tuple[str, Answer]:
        raise NotImplementedError

    async def close(self) -> None:
        return
