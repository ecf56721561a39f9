"""Short ways to write specs, rules, orders and expressions in tests of decomposition and the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from orderloom.engine.inventory import apply_change, change_for, state_after, writes
from orderloom.engine.program import Program, compile_design
from orderloom.models.catalog import Action, Attribute, Contains, Enum, Level, Relation, RelationKind, Scope, Spec
from orderloom.models.conversion import Json
from orderloom.models.design import Design
from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Expression,
    Formula,
    Literal,
    Reference,
    Root,
    Unary,
    UnaryOperator,
)
from orderloom.models.fulfillment import Decomposition
from orderloom.models.inventory import Asset, AssetState, Inventory
from orderloom.models.order import Account, ItemRelation, OrderItem, ProductOrder
from orderloom.models.rules import DecompositionRule, Rejection, Table
from orderloom.models.rules import Mapping as Sets
from orderloom.models.values import ACTION, BOOLEAN, STRING, Kind, Type, Value

ACCOUNT = Account(id="ACC", name="Ada")
DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
LEVELS = {
    "product": Level.PRODUCT,
    "cfs": Level.CUSTOMER_SERVICE,
    "rfs": Level.RESOURCE_SERVICE,
    "resource": Level.RESOURCE,
}


def enum_type(name: str) -> Type:
    return Type(Kind.ENUM, name)


def attribute(name: str, type: Type = STRING, *, required: bool = False, default: Value = None) -> Attribute:
    return Attribute(name=name, title="", type=type, required=required, default=default)


def spec(
    name: str,
    level: str,
    *attributes: Attribute,
    scope: Scope = Scope.LINE,
    contains: Iterable[tuple[str, int, int | None]] = (),
    relations: Iterable[tuple[RelationKind, str]] = (),
    lineage: tuple[str, ...] = (),
    supplied_later: Iterable[str] = (),
    key: Formula | None = None,
    **fields: Any,
) -> Spec:
    return Spec(
        name=name,
        title=name,
        level=LEVELS[level],
        attributes={each.name: each for each in attributes},
        scope=scope,
        scope_key=key,
        contains=tuple(Contains(spec=child, least=least, most=most) for child, least, most in contains),
        relations=tuple(Relation(kind=kind, spec=other) for kind, other in relations),
        lineage=(name, *lineage),
        supplied_later=frozenset(supplied_later),
        **fields,
    )


def ref(name: str, type: Type = STRING, root: Root = Root.LINE, *, meta: bool = False) -> Reference:
    return Reference(root, name, type, meta)


def lit(value: Value, type: Type = STRING) -> Literal:
    return Literal(value, type)


def equal(left: Expression, right: Expression) -> Binary:
    return Binary(BinaryOperator.EQUAL, left, right, BOOLEAN)


def is_action(action: Action) -> Binary:
    return equal(ref("action", ACTION, meta=True), lit(str(action), ACTION))


def not_(operand: Expression) -> Unary:
    return Unary(UnaryOperator.NOT, operand, BOOLEAN)


def formula(expression: Expression, text: str = "…") -> Formula:
    return Formula(expression, text)


def rule(
    source: str, target: str, *, when: Expression | None = None, suffix: str = "", **fields: Any
) -> DecompositionRule:
    """Other keyword arguments are fields of the rule, or mappings: `sets={"name": expression}`."""
    sets: Mapping[str, Expression] = fields.pop("sets", {})
    quantity: Expression | None = fields.pop("quantity", None)
    return DecompositionRule(
        id=f"{source}->{target}{suffix}",
        title="",
        source=source,
        target=target,
        when=formula(when) if when else None,
        mappings=tuple(Sets(attribute=name, value=formula(value, f"…{name}")) for name, value in sets.items()),
        quantity=formula(quantity) if quantity else None,
        **fields,
    )


def design(
    specs: Iterable[Spec],
    rules: Iterable[DecompositionRule] = (),
    *,
    enums: Iterable[Enum] = (),
    tables: Iterable[Table] = (),
    rejections: Iterable[Rejection] = (),
) -> Design:
    return Design(
        name="test",
        version="1.0.0",
        digest="0",
        enums={each.name: each for each in enums},
        specs={each.name: each for each in specs},
        rules=tuple(rules),
        tables={each.name: each for each in tables},
        rejections=tuple(rejections),
        plans={},
        queues={},
        connectors={},
        operations={},
        settings={},
    )


def program(*arguments: Any, **fields: Any) -> Program:
    return compile_design(design(*arguments, **fields))


def item(
    id: str,
    spec: str,
    action: Action = Action.ADD,
    *,
    parent: str = "",
    product: str = "",
    quantity: int = 1,
    relies_on: str = "",
    **attributes: Json,
) -> OrderItem:
    return OrderItem(
        id=id,
        action=action,
        spec=spec,
        quantity=quantity,
        attributes=attributes,
        product=product,
        parent=parent,
        relations=(ItemRelation(kind=RelationKind.RELIES_ON, item=relies_on),) if relies_on else (),
    )


def order(*items: OrderItem, id: str = "O1", account: Account = ACCOUNT) -> ProductOrder:
    return ProductOrder(id=id, account=account, items=items, order_date=DAY)


def carried_out(order: ProductOrder, decomposition: Decomposition, inventory: Inventory) -> Inventory:
    """Inventory once every line has been fulfilled; terminated assets are left out."""
    assets: dict[str, Asset] = dict(inventory.assets)
    for line in decomposition.lines.values():
        if line.context or not writes(line, decomposition.lines):
            continue
        change = change_for(line, decomposition.lines, order, state_after(line, decomposition.lines))
        assets[line.asset] = apply_change(assets.get(line.asset), change)
    return Inventory(assets={id: each for id, each in assets.items() if each.state is not AssetState.TERMINATED})
