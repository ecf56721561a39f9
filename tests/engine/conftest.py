"""Small hand-built designs and orders for tests of orchestration, advance and simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orderloom.engine.advance.agenda import settle
from orderloom.engine.advance.index import index_of
from orderloom.engine.advance.submission import start
from orderloom.engine.advance.turn import Turn
from orderloom.engine.program import Program, compile_design
from orderloom.models.catalog import Action, Attribute, Level, Spec
from orderloom.models.design import Design
from orderloom.models.expression import Binary, BinaryOperator, Formula, Literal, Presence, Reference, Root
from orderloom.models.fulfillment import Decomposition, Line, LineSource
from orderloom.models.integration import Callback, ConnectorDefinition, Operation
from orderloom.models.inventory import EMPTY
from orderloom.models.journal import Step
from orderloom.models.order import Account, ProductOrder
from orderloom.models.plan import OrderState
from orderloom.models.rules import Mapping as SetMapping
from orderloom.models.tasks import (
    Dependency,
    PlanDefinition,
    Queue,
    Reach,
    RetryKind,
    RetryPolicy,
    TaskDefinition,
    TaskKind,
    Within,
)
from orderloom.models.values import BOOLEAN, STRING, Type, Value

#: a Monday
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Kit:
    """Builds what a test needs from the models directly."""

    at = AT

    @staticmethod
    def read(name: str, root: Root = Root.LINE, kind: Type = STRING) -> Formula:
        return Formula(Reference(root, name, kind.maybe()), f"{root}.{name}")

    @staticmethod
    def equal(name: str, value: Value, root: Root = Root.LINE, kind: Type = STRING) -> Formula:
        test = Binary(BinaryOperator.EQUAL, Reference(root, name, kind.maybe()), Literal(value, kind), BOOLEAN.maybe())
        return Formula(test, f"{root}.{name} == {value}")

    @staticmethod
    def same(left: tuple[Root, str], right: tuple[Root, str]) -> Formula:
        names = [Reference(root, name, STRING.maybe()) for root, name in (left, right)]
        test = Binary(BinaryOperator.EQUAL, names[0], names[1], BOOLEAN.maybe())
        return Formula(test, f"{left[0]}.{left[1]} == {right[0]}.{right[1]}")

    @staticmethod
    def present(name: str, root: Root = Root.LINE) -> Formula:
        return Formula(Presence(Reference(root, name, STRING.maybe()), True), f"{name} is present")

    @staticmethod
    def constant(value: Value, kind: Type = STRING) -> Formula:
        return Formula(Literal(value, kind), repr(value))

    @staticmethod
    def sets(name: str, formula: Formula) -> SetMapping:
        return SetMapping(attribute=name, value=formula)

    @staticmethod
    def attribute(name: str, kind: Type = STRING, required: bool = False) -> Attribute:
        return Attribute(name=name, title=name, type=kind if required else kind.maybe(), required=required)

    @staticmethod
    def after(*tasks: str, reach: Reach = Reach.LINE, when: Formula | None = None) -> Dependency:
        return Dependency(tasks=tasks, reach=reach, when=when)

    @staticmethod
    def needs(attribute: str) -> Dependency:
        return Dependency(attribute=attribute)

    @staticmethod
    def task(kind: str, name: str, **fields: Any) -> TaskDefinition:
        """`name` is `Plan.task`; `after` may hold ids of tasks as they are."""
        given = fields.pop("after", ())
        after = tuple(Dependency(tasks=(each,)) if isinstance(each, str) else each for each in given)
        defaults: dict[str, Any] = {"operation": "sys.do"} if kind == "call" else {}
        if kind == "manual":
            defaults = {"queue": "desk"}
        return TaskDefinition(
            id=name, name=name.split(".")[1], title="", kind=TaskKind(kind), after=after, **{**defaults, **fields}
        )

    @staticmethod
    def plan(
        name: str, spec: str, *tasks: TaskDefinition, actions: tuple[Action, ...] = (Action.ADD,), **fields: Any
    ) -> PlanDefinition:
        return PlanDefinition(name=name, title="", spec=spec, actions=actions, tasks=tasks, **fields)

    @staticmethod
    def spec(name: str, *attributes: Attribute, **fields: Any) -> Spec:
        fields.setdefault("level", Level.PRODUCT)
        return Spec(name=name, title=name, attributes={each.name: each for each in attributes}, **fields)

    @staticmethod
    def operation(name: str = "sys.do", *outputs: Attribute, **fields: Any) -> Operation:
        within = fields.pop("callback_within", None)
        callback = Callback(correlate="ref", within=within) if within else None
        return Operation(
            name=name,
            title="",
            connector=name.split(".")[0],
            request=None,
            response=None,
            outputs={each.name: each for each in outputs},
            callback=callback,
            **fields,
        )

    @classmethod
    def program(
        cls,
        specs: Iterable[Spec],
        plans: Iterable[PlanDefinition],
        operations: Iterable[Operation] | None = None,
        queues: Iterable[Queue] = (),
        **fields: Any,
    ) -> Program:
        known = tuple(operations) if operations is not None else (cls.operation("sys.do", cls.attribute("ref")),)
        connectors = {each.connector for each in known}
        return compile_design(
            Design(
                name="t",
                version="1.0.0",
                digest="d",
                enums={},
                specs={each.name: each for each in specs},
                rules=fields.pop("rules", ()),
                tables={each.name: each for each in fields.pop("tables", ())},
                rejections=(),
                plans={each.name: each for each in plans},
                queues={each.name: each for each in (Queue(name="desk", title="Desk"), *queues)},
                connectors={
                    each: ConnectorDefinition(name=each, title="", kind="simulator", options={})
                    for each in sorted(connectors)
                },
                operations={each.name: each for each in known},
                settings={},
                **fields,
            )
        )

    @staticmethod
    def line(line_id: str, spec: str, sources: Iterable[str] = (), **fields: Any) -> Line:
        fields.setdefault("action", Action.ADD)
        fields.setdefault("level", Level.PRODUCT)
        fields.setdefault("parent", "")
        fields.setdefault("root", line_id)
        fields.setdefault("attributes", {})
        return Line(
            id=line_id,
            spec=spec,
            quantity=1,
            asset=f"asset-{line_id}",
            sources=tuple(LineSource(each, f"{each}->{spec}") for each in sources),
            **fields,
        )

    @staticmethod
    def order(**fields: Any) -> ProductOrder:
        return ProductOrder(id="O-1", account=Account(id="A-1"), items=(), order_date=AT, **fields)

    @classmethod
    def begin(
        cls, program: Program, *lines: Line, order: ProductOrder | None = None, at: datetime = AT
    ) -> tuple[OrderState, Step]:
        """An order that has just been submitted and decomposed into these lines."""
        state = OrderState(order=order or cls.order(), design=program.design.digest)
        turn = Turn(program, state, index_of(program, state), at)
        start(turn, Decomposition(order=state.order.id, lines={line.id: line for line in lines}), EMPTY)
        settle(turn)
        state.version += 1
        return state, turn.step()

    @staticmethod
    def states(state: OrderState) -> Mapping[str, str]:
        """States of tasks by the last part of their ids."""
        return {task.id.rsplit("/", 1)[1].split(".")[1]: task.state.value for task in state.tasks.values()}

    @staticmethod
    def within(otherwise: str = "skip") -> Within:
        return Within(limit=timedelta(hours=1), otherwise=otherwise)

    @staticmethod
    def retry(kind: str, retries: int | None, *seconds: int, **fields: Any) -> RetryPolicy:
        return RetryPolicy(
            kind=RetryKind(kind),
            retries=retries,
            intervals=tuple(timedelta(seconds=each) for each in seconds),
            **fields,
        )


@pytest.fixture
def kit() -> type[Kit]:
    return Kit


Commands = Callable[[Step], list[str]]


@pytest.fixture
def told() -> Commands:
    """The names of a step's commands."""
    return lambda step: [type(command).__name__ for command in step.commands]
