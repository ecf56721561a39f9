"""Decomposition of a modify on a bundle of a thousand lines that inventory has, shared items included."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import UTC, datetime
from time import perf_counter

from orderloom.engine.decomposition import decompose
from orderloom.engine.inventory import apply_change, change_for, state_after
from orderloom.engine.program import Program, compile_design
from orderloom.models.catalog import Action, Attribute, Contains, Level, Scope, Spec
from orderloom.models.design import Design
from orderloom.models.expression import Formula, Reference, Root
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.order import Account, OrderItem, ProductOrder
from orderloom.models.rules import DecompositionRule, Mapping
from orderloom.models.values import INTEGER, STRING

SIZES = (100, 1_000, 5_000)
ROUNDS = 5
#: lines that one child of the bundle becomes, itself included
CHILD_LINES = 3


def run(quick: bool) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the benchmark table; the median round counts."""
    program = _program()
    for lines in SIZES[:1] if quick else SIZES:
        children = lines // CHILD_LINES
        first = _order("O1", _added(children))
        inventory = _carried_out(program, first)
        for name, items in (
            ("one child", (_changed(1),)),
            ("root, which every rule looks at", (_root(),)),
            ("every child", tuple(map(_changed, range(children)))),
        ):
            order = _order("O2", items)
            seconds = []
            for _ in range(2 if quick else ROUNDS):
                gc.collect()
                start = perf_counter()
                found = decompose(program, order, inventory)
                seconds.append(perf_counter() - start)
                assert not found.problems
            middle = sorted(seconds)[len(seconds) // 2]
            yield (
                f"modify {name}, {len(inventory.assets):,} items",
                f"{middle:.3f} s",
                "",
                f"{middle / len(inventory.assets) * 1e6:.0f} µs an item, {len(found.lines):,} lines",
            )


def _carried_out(program: Program, order: ProductOrder) -> Inventory:
    found = decompose(program, order, EMPTY)
    assert not found.problems
    changes = (change_for(each, found.lines, order, state_after(each, found.lines)) for each in found.lines.values())
    return Inventory(assets={each.id: apply_change(None, each) for each in changes})


def _program() -> Program:
    attributes = {
        name: Attribute(name=name, title="", type=type) for name, type in (("speed", INTEGER), ("site", STRING))
    }

    def spec(name: str, level: Level, scope: Scope = Scope.LINE, contains: tuple[Contains, ...] = ()) -> Spec:
        return Spec(
            name=name, title="", level=level, attributes=attributes, scope=scope, contains=contains, lineage=(name,)
        )

    specs = (
        spec("Site", Level.PRODUCT, contains=(Contains(spec="Phone", least=0, most=None),)),
        spec("Phone", Level.PRODUCT),
        spec("Voice", Level.CUSTOMER_SERVICE),
        spec("Number", Level.RESOURCE),
        spec("Trunk", Level.RESOURCE_SERVICE, Scope.BUNDLE),
        spec("Platform", Level.RESOURCE, Scope.ACCOUNT),
    )
    feeds = (("Site", "Trunk"), ("Phone", "Voice"), ("Voice", "Number"), ("Voice", "Trunk"), ("Trunk", "Platform"))
    return compile_design(
        Design(
            name="benchmark",
            version="1.0.0",
            digest="",
            enums={},
            specs={each.name: each for each in specs},
            rules=tuple(_rule(*each) for each in feeds),
            tables={},
            rejections=(),
            plans={},
            queues={},
            connectors={},
            operations={},
            settings={},
        )
    )


def _rule(source: str, target: str) -> DecompositionRule:
    site = Formula(Reference(Root.ROOT, "site", STRING), "root.site")
    speed = Formula(Reference(Root.LINE, "speed", INTEGER), "speed")
    own = (Mapping(attribute="speed", value=speed),) if target in ("Voice", "Number") else ()
    return DecompositionRule(
        id=f"{source}->{target}",
        title="",
        source=source,
        target=target,
        mappings=(*own, Mapping(attribute="site", value=site)),
    )


def _added(children: int) -> tuple[OrderItem, ...]:
    phones = (
        OrderItem(id=f"{each}", action=Action.ADD, spec="Phone", attributes={"speed": 1}, parent="site")
        for each in range(children)
    )
    return (OrderItem(id="site", action=Action.ADD, spec="Site", attributes={"site": "here"}), *phones)


def _changed(child: int) -> OrderItem:
    return OrderItem(id=f"c{child}", action=Action.MODIFY, spec="Phone", attributes={"speed": 2}, product=f"O1:{child}")


def _root() -> OrderItem:
    return OrderItem(id="r", action=Action.MODIFY, spec="Site", attributes={"site": "there"}, product="O1:site")


def _order(id: str, items: tuple[OrderItem, ...]) -> ProductOrder:
    return ProductOrder(id=id, account=Account(id="A"), items=items, order_date=datetime(2026, 3, 2, tzinfo=UTC))
