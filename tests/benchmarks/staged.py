"""Lines that are made while the order runs: what each of many calls delivers makes another line, with its tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time

from orderloom.engine.advance import advance
from orderloom.engine.program import Program, compile_design
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Action, Level
from orderloom.models.expression import Formula, Presence, Reference, Root
from orderloom.models.inventory import EMPTY
from orderloom.models.journal import CalloutAnswered, SendCallout, Submitted
from orderloom.models.order import Account, OrderItem, ProductOrder
from orderloom.models.plan import OrderState
from orderloom.models.rules import DecompositionRule, Mapping
from orderloom.models.tasks import PlanDefinition, TaskDefinition, TaskKind
from orderloom.models.values import BOOLEAN, STRING
from tests.benchmarks import amend

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
SIZES = (100, 400, 1_600)


def program() -> Program:
    """The design of `amend`; once a service has its port, a resource of its own is made, with two tasks."""
    design = amend.program().design
    port = Reference(Root.LINE, "port", STRING.maybe())
    rule = DecompositionRule(
        id="late",
        title="",
        source="Service",
        target="Access",
        when=Formula(Presence(port, True, BOOLEAN), "port is present"),
        mappings=(Mapping(attribute="port", value=Formula(port, "port")),),
    )
    tasks = tuple(
        TaskDefinition(id=f"A.t{n}", name=f"t{n}", title="", kind=TaskKind.CALL, operation="sys.do") for n in range(2)
    )
    plan = PlanDefinition(name="A", title="", spec="Access", actions=(Action.ADD,), tasks=tasks)
    access = replace(design.specs["Service"], name="Access", lineage=("Access",), level=Level.RESOURCE)
    return compile_design(
        replace(
            design,
            specs={**design.specs, "Access": access},
            rules=(*design.rules, rule),
            plans={**design.plans, "A": plan},
        )
    )


def run(quick: bool) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the benchmark table: processor time of an arrival, in orders of ever more lines."""
    design = program()
    for services in SIZES[:1] if quick else SIZES:
        items = tuple(
            OrderItem(id=str(n), action=Action.ADD, spec="Product", attributes={"speed": "slow"})
            for n in range(services)
        )
        order = ProductOrder(
            id="O", account=Account(id="A"), items=items, order_date=AT, requested_completion=AT + timedelta(days=9)
        )
        state = OrderState(order=order, design="")
        calls = advance(design, state, Submitted(inventory=EMPTY), AT).commands
        surveys = [each for each in calls if isinstance(each, SendCallout)]
        assert len(surveys) == services
        began = process_time()
        for each in surveys:
            answer = CalloutAnswered(
                task=each.task, attempt=each.callout.attempt, outcome=Outcome.COMPLETED, outputs={"ref": each.task}
            )
            advance(design, state, answer, AT)
        spent = process_time() - began
        assert sum(line.spec == "Access" for line in state.lines.values()) == services
        yield (
            f"staged: {services:,} lines made one after the other",
            f"{spent / services * 1e3:.2f} ms each",
            "flat",
            f"{spent:.2f} s in all",
        )
