"""What one task transition costs in the core: `python tests/benchmarks/advance.py [orders]`.

Orders of 20 calls on four lines, every second call after the one before, each setting an attribute; and one order of
5,000 lines with three calls each, to see that the cost does not grow with the order. Nothing is stored.
"""

from __future__ import annotations

import sys
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


def report(name: str, design: Program, lines: int, orders: int) -> None:
    """Runs the orders one after another and prints a row."""
    events, inside, made, began = 0, 0.0, 0.0, perf_counter()
    for number in range(orders):
        started = perf_counter()
        state, step = begin(design, lines, number)
        made += perf_counter() - started
        count, spent = finish(design, state, step)
        events, inside = events + count, inside + spent
    total = perf_counter() - began
    edges = events * EDGES_OF_A_CALL
    print(
        f"{name:<28} {1e6 * made / events:>9.1f} {1e6 * inside / events:>9.1f} {1e6 * total / edges:>13.1f} "
        f"{edges / total:>13,.0f}"
    )


def main(orders: int) -> None:
    print(f"{'':<28} {'plan µs':>9} {'event µs':>9} {'transition µs':>13} {'transitions/s':>13}")
    print(f"{'':<28} {'per task':>9} {'':>9} {'all in':>13} {'':>13}")
    report("20 calls on 4 lines", program(5), 4, orders)
    report("15,000 calls on 5,000 lines", program(3), 5_000, 1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
