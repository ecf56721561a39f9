"""What one task transition costs in the core.

Orders of 20 calls on four lines, every second call after the one before, each setting an attribute; and one order of
5,000 lines with three calls each, to see that the cost does not grow with the order. Nothing is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from time import perf_counter

from orderloom.engine.advance import advance
from orderloom.engine.advance.agenda import settle
from orderloom.engine.advance.index import index_of
from orderloom.engine.advance.submission import start
from orderloom.engine.advance.turn import Turn
from orderloom.engine.program import Program, compile_design
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Action, Attribute, Level, Spec
from orderloom.models.design import Design
from orderloom.models.expression import Formula, Reference, Root
from orderloom.models.fulfillment import Decomposition, Line, LineSource
from orderloom.models.integration import ConnectorDefinition, Operation
from orderloom.models.inventory import EMPTY
from orderloom.models.journal import CalloutAnswered, SendCallout, Step
from orderloom.models.order import Account, OrderStatus, ProductOrder
from orderloom.models.plan import OrderState
from orderloom.models.rules import Mapping
from orderloom.models.tasks import Dependency, PlanDefinition, TaskDefinition, TaskKind
from orderloom.models.values import STRING

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
#: pending, ready, running, completed
EDGES_OF_A_CALL = 3


def program(tasks: int) -> Program:
    """A design with one spec of ten attributes and one plan of so many calls."""
    attributes = {f"a{n}": Attribute(name=f"a{n}", title="", type=STRING.maybe()) for n in range(10)}
    output = Attribute(name="ref", title="", type=STRING)
    operation = Operation(
        name="sys.do", title="", connector="sys", request=None, response=None, outputs={"ref": output}
    )
    result = Formula(Reference(Root.RESPONSE, "ref", STRING), "response.ref")
    definitions = tuple(
        TaskDefinition(
            id=f"P.t{n}",
            name=f"t{n}",
            title="",
            kind=TaskKind.CALL,
            operation="sys.do",
            after=(Dependency(tasks=(f"P.t{n - 1}",)),) if n % 2 else (),
            sets=(Mapping(attribute=f"a{n % 10}", value=result),),
        )
        for n in range(tasks)
    )
    return compile_design(
        Design(
            name="benchmark",
            version="1.0.0",
            digest="",
            enums={},
            specs={"S": Spec(name="S", title="", level=Level.PRODUCT, attributes=attributes)},
            rules=(),
            tables={},
            rejections=(),
            plans={"P": PlanDefinition(name="P", title="", spec="S", actions=(Action.ADD,), tasks=definitions)},
            queues={},
            connectors={"sys": ConnectorDefinition(name="sys", title="", kind="simulator", options={})},
            operations={"sys.do": operation},
            settings={},
        )
    )


def begin(design: Program, lines: int, number: int) -> tuple[OrderState, Step]:
    """An order of so many lines, the first of which stands above the others, as far as it goes by itself."""
    made = {
        str(n): Line(
            id=str(n),
            spec="S",
            level=Level.PRODUCT,
            action=Action.ADD,
            quantity=1,
            attributes={},
            parent="0" if n else "",
            root="0",
            asset=f"asset-{number}-{n}",
            sources=(LineSource("0", "r"),) if n else (),
        )
        for n in range(lines)
    }
    order = ProductOrder(id=f"O-{number}", account=Account(id="A"), items=(), order_date=AT)
    state = OrderState(order=order, design="")
    turn = Turn(design, state, index_of(design, state), AT)
    start(turn, Decomposition(order=order.id, lines=made), EMPTY)
    settle(turn)
    return state, turn.step()


def finish(design: Program, state: OrderState, step: Step) -> tuple[int, float]:
    """Answers every call; gives the number of events and the seconds inside `advance`."""
    todo = [command for command in step.commands if isinstance(command, SendCallout)]
    events, spent = 0, 0.0
    while todo:
        task = todo.pop().task
        answer = CalloutAnswered(task=task, attempt=1, outcome=Outcome.COMPLETED, outputs={"ref": task})
        began = perf_counter()
        step = advance(design, state, answer, AT)
        spent += perf_counter() - began
        events += 1
        todo.extend(command for command in step.commands if isinstance(command, SendCallout))
    assert state.status is OrderStatus.COMPLETED
    return events, spent


def measured(design: Program, lines: int, orders: int) -> tuple[float, float, float]:
    """Microseconds per task to plan and start, per event, and per transition all in."""
    events, inside, made = 0, 0.0, 0.0
    for number in range(orders):
        started = perf_counter()
        state, step = begin(design, lines, number)
        made += perf_counter() - started
        count, spent = finish(design, state, step)
        events, inside = events + count, inside + spent
    return 1e6 * made / events, 1e6 * inside / events, 1e6 * (made + inside) / (events * EDGES_OF_A_CALL)


def run(quick: bool) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the benchmark table; the best of several rounds counts, since others only add what is not the core's."""
    cases = (
        ("20 calls on 4 lines", program(5), 4, 20 if quick else 200),
        ("a large order, 3 calls a line", program(3), 200 if quick else 5_000, 1),
    )
    for name, design, lines, orders in cases:
        rounds = [measured(design, lines, orders) for _ in range(1 if quick else 5)]
        plan, event, transition = (min(column) for column in zip(*rounds, strict=True))
        note = f"{plan:.1f} µs a task to plan and start, {event:.1f} µs an event"
        yield f"core: {name}", f"{transition:.1f} µs a transition", "at most 50 µs", note
