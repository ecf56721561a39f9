"""What it takes to amend a large order that is half done: 1,000 lines, three calls each, one line in ten changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter

from orderloom.engine.advance import advance
from orderloom.engine.change import assess
from orderloom.engine.program import Program, compile_design
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Action, Attribute, Level, Spec
from orderloom.models.design import Design
from orderloom.models.expression import Formula, Reference, Root
from orderloom.models.integration import ConnectorDefinition, Operation
from orderloom.models.inventory import EMPTY
from orderloom.models.journal import AmendmentRequested, CalloutAnswered, SendCallout, Submitted
from orderloom.models.order import Account, OrderItem, ProductOrder
from orderloom.models.plan import OrderState, TaskState
from orderloom.models.rules import DecompositionRule, Mapping
from orderloom.models.tasks import Dependency, PlanDefinition, TaskDefinition, TaskKind
from orderloom.models.values import STRING

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def program() -> Program:
    """A product made into one service, with three calls after each other that can be taken back."""
    attributes = {name: Attribute(name=name, title="", type=STRING.maybe()) for name in ("speed", "port")}
    copied = Formula(Reference(Root.LINE, "speed", STRING.maybe()), "speed")
    delivered = Formula(Reference(Root.RESPONSE, "ref", STRING), "response.ref")
    tasks = tuple(
        TaskDefinition(
            id=f"P.t{n}",
            name=f"t{n}",
            title="",
            kind=TaskKind.CALL,
            operation="sys.do",
            undo="sys.undo",
            after=(Dependency(tasks=(f"P.t{n - 1}",)),) if n else (),
            sets=() if n else (Mapping(attribute="port", value=delivered),),
        )
        for n in range(3)
    )
    output = Attribute(name="ref", title="", type=STRING)
    operations = {
        name: Operation(name=name, title="", connector="sys", request=None, response=None, outputs={"ref": output})
        for name in ("sys.do", "sys.undo")
    }
    rule = DecompositionRule(
        id="r", title="", source="Product", target="Service", mappings=(Mapping(attribute="speed", value=copied),)
    )
    return compile_design(
        Design(
            name="benchmark",
            version="1.0.0",
            digest="",
            enums={},
            specs={
                "Product": Spec(name="Product", title="", level=Level.PRODUCT, attributes=attributes),
                "Service": Spec(name="Service", title="", level=Level.RESOURCE_SERVICE, attributes=attributes),
            },
            rules=(rule,),
            tables={},
            rejections=(),
            plans={"P": PlanDefinition(name="P", title="", spec="Service", actions=(Action.ADD,), tasks=tasks)},
            queues={},
            connectors={"sys": ConnectorDefinition(name="sys", title="", kind="simulator", options={})},
            operations=operations,
            settings={},
        )
    )


def half_done(design: Program, lines: int) -> OrderState:
    """An order of so many lines, half of them products, whose calls are half answered."""
    items = tuple(
        OrderItem(id=str(n), action=Action.ADD, spec="Product", attributes={"speed": "slow"}) for n in range(lines // 2)
    )
    order = ProductOrder(id="O", account=Account(id="A"), items=items, order_date=AT)
    state = OrderState(order=order, design="")
    todo = list(advance(design, state, Submitted(inventory=EMPTY), AT).commands)
    answers = 0
    while todo and answers < lines // 2 * 3 // 2:
        command = todo.pop(0)
        if isinstance(command, SendCallout):
            answers += 1
            todo.extend(advance(design, state, _answer(command), AT).commands)
    for command in todo:
        if isinstance(command, SendCallout):
            state.tasks[command.task].state = TaskState.FALLOUT
    state.index = None
    return state


def _answer(command: SendCallout) -> CalloutAnswered:
    attempt = command.callout.attempt
    return CalloutAnswered(task=command.task, attempt=attempt, outcome=Outcome.COMPLETED, outputs={"ref": command.task})


def run(quick: bool) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the benchmark table: seconds to weigh an amendment, and to weigh and apply it."""
    lines = 100 if quick else 1_000
    design = program()
    weighing, applying = [], []
    for _ in range(1 if quick else 3):
        state = half_done(design, lines)
        items = tuple(
            replace(item, attributes={"speed": "fast"}) if place % 10 == 0 else item
            for place, item in enumerate(state.order.items)
        )
        request = AmendmentRequested(order=replace(state.order, items=items), inventory=EMPTY, by="ana")
        began = perf_counter()
        plan = assess(design, state, request)
        weighing.append(perf_counter() - began)
        assert plan.rows is not None
        began = perf_counter()
        advance(design, state, request, AT)
        applying.append(perf_counter() - began)
        assert state.revision == 1
    note = f"{min(weighing):.3f} s to weigh it alone, as a dry run does"
    yield f"amend: an order of {lines:,} lines half done", f"{min(applying):.3f} s", "under 1 s", note
