"""Decomposition and orchestration: orders a second by lines per order, and the time per line.

An order is a list of bundles: a product with two children that become a service each, two of them shared by the bundle,
then a resource-facing service and a resource; lines counts all levels. Each technical line has a plan of two tasks.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import UTC, datetime
from time import perf_counter

from orderloom.engine.decomposition import decompose
from orderloom.engine.orchestration import orchestrate
from orderloom.engine.program import Program, compile_design
from orderloom.models.catalog import Action, Attribute, Contains, Level, Scope, Spec
from orderloom.models.design import Design
from orderloom.models.expression import Binary, BinaryOperator, Formula, Literal, Reference, Root
from orderloom.models.inventory import EMPTY
from orderloom.models.order import Account, OrderItem, ProductOrder
from orderloom.models.rules import DecompositionRule, Mapping
from orderloom.models.tasks import Dependency, PlanDefinition, TaskDefinition, TaskKind
from orderloom.models.values import BOOLEAN, INTEGER, STRING

SIZES = (1, 10, 100, 1_000, 5_000)
ROUNDS = 5
#: product lines and technical lines that one bundle becomes
BUNDLE_LINES = 9
TARGET = 2.0


def run(quick: bool) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the benchmark table; sizes are measured in turn, the median round counts."""
    program = _program()
    sizes = SIZES[:3] if quick else SIZES
    orders = {size: _order(size) for size in sizes}
    for order in orders.values():
        _work(program, order)
    seconds: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    lines = {}
    for _ in range(2 if quick else ROUNDS):
        for size, order in orders.items():
            repeats = max(1, 100 // size)
            gc.collect()
            decomposing = orchestrating = 0.0
            for _ in range(repeats):
                count, first, second = _work(program, order)
                decomposing += first / repeats
                orchestrating += second / repeats
            lines[size] = count
            seconds[size].append((decomposing + orchestrating, decomposing))
    for size, found in seconds.items():
        whole, decomposing = sorted(found)[len(found) // 2]
        yield (
            f"decompose + orchestrate, {lines[size]:,} lines",
            f"{1 / whole:,.0f} orders/s, {whole:.3f} s",
            f"{TARGET:.0f} s" if size == SIZES[-1] else "",
            f"{whole / lines[size] * 1e6:.0f} µs a line, decomposition {decomposing / lines[size] * 1e6:.0f}",
        )


def _work(program: Program, order: ProductOrder) -> tuple[int, float, float]:
    """Lines made, seconds to decompose, seconds to orchestrate."""
    start = perf_counter()
    found = decompose(program, order)
    middle = perf_counter()
    assert not found.problems
    orchestrate(program, order, found.lines, EMPTY)
    return len(found.lines), middle - start, perf_counter() - middle


def _program() -> Program:
    attributes = {
        name: Attribute(name=name, title="", type=type) for name, type in (("speed", INTEGER), ("site", STRING))
    }

    def spec(name: str, level: Level, scope: Scope = Scope.LINE, contains: tuple[Contains, ...] = ()) -> Spec:
        return Spec(
            name=name, title="", level=level, attributes=attributes, scope=scope, contains=contains, lineage=(name,)
        )

    specs = (
        spec(
            "Internet", Level.PRODUCT, contains=tuple(Contains(spec=each, least=0, most=1) for each in ("Box", "Phone"))
        ),
        spec("Box", Level.PRODUCT),
        spec("Phone", Level.PRODUCT),
        spec("Access", Level.CUSTOMER_SERVICE, Scope.BUNDLE),
        spec("Voice", Level.CUSTOMER_SERVICE),
        spec("Device", Level.CUSTOMER_SERVICE),
        spec("Fiber", Level.RESOURCE_SERVICE, Scope.BUNDLE),
        spec("Number", Level.RESOURCE),
        spec("Port", Level.RESOURCE, Scope.BUNDLE),
    )
    feeds = (
        ("Internet", "Access"),
        ("Phone", "Voice"),
        ("Box", "Device"),
        ("Access", "Fiber"),
        ("Voice", "Fiber"),
        ("Voice", "Number"),
        ("Fiber", "Port"),
    )
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
            plans={each.name: each for each in (_plan(spec.name) for spec in specs if spec.level is not Level.PRODUCT)},
            queues={},
            connectors={},
            operations={},
            settings={},
        )
    )


def _rule(source: str, target: str) -> DecompositionRule:
    speed, site = Reference(Root.LINE, "speed", INTEGER), Reference(Root.ROOT, "site", STRING)
    doubled = Binary(BinaryOperator.PLUS, speed, Literal(0, INTEGER), INTEGER)
    return DecompositionRule(
        id=f"{source}->{target}",
        title="",
        source=source,
        target=target,
        when=Formula(Binary(BinaryOperator.AT_LEAST, speed, Literal(10, INTEGER), BOOLEAN), "speed >= 10"),
        mappings=(
            Mapping(attribute="speed", value=Formula(doubled, "speed + 0")),
            Mapping(attribute="site", value=Formula(site, "root.site")),
        ),
    )


def _plan(spec: str) -> PlanDefinition:
    tasks = tuple(
        TaskDefinition(
            id=f"Make{spec}.{name}",
            name=name,
            title="",
            kind=TaskKind.MILESTONE,
            after=tuple(Dependency(tasks=(f"Make{spec}.{each}",)) for each in after),
        )
        for name, after in (("begin", ()), ("finish", ("begin",)))
    )
    return PlanDefinition(name=f"Make{spec}", title="", spec=spec, actions=(Action.ADD,), tasks=tasks)


def _order(lines: int) -> ProductOrder:
    items = []
    for bundle in range(max(1, lines // BUNDLE_LINES)):
        whole = lines >= BUNDLE_LINES
        root = f"{bundle}"
        for name, parent in (("Internet", ""), ("Box", root), ("Phone", root)) if whole else (("Box", ""),):
            items.append(
                OrderItem(
                    id=f"{root}.{name}" if parent else root,
                    action=Action.ADD,
                    spec=name,
                    attributes={"speed": 500, "site": f"site {bundle}"},
                    parent=parent,
                )
            )
    return ProductOrder(
        id="O",
        account=Account(id="A"),
        items=tuple(items),
        order_date=datetime(2026, 3, 2, tzinfo=UTC),
    )
