"""Which parts of a design an order used, so that a set of scenarios shows what it does not try."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orderloom.engine.program import Program
from orderloom.engine.simulation.rows import row_name, rows_used
from orderloom.models.design import Design
from orderloom.models.fulfillment import Origin
from orderloom.models.plan import OrderState, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Ids of what was used; coverages of several orders add up with `|`."""

    #: decomposition rules that fired
    rules: frozenset[str] = frozenset()
    #: mappings that gave a value, as `rule.attribute`
    mappings: frozenset[str] = frozenset()
    #: rows of decision tables that gave a value, as `table#1`
    rows: frozenset[str] = frozenset()
    plans: frozenset[str] = frozenset()
    #: task definitions with an instance that was completed
    tasks: frozenset[str] = frozenset()

    def __or__(self, other: Coverage) -> Coverage:
        return Coverage(
            rules=self.rules | other.rules,
            mappings=self.mappings | other.mappings,
            rows=self.rows | other.rows,
            plans=self.plans | other.plans,
            tasks=self.tasks | other.tasks,
        )

    def without(self, other: Coverage) -> Coverage:
        """What is here and not there, e.g. `everything(design).without(used)`."""
        return Coverage(
            rules=self.rules - other.rules,
            mappings=self.mappings - other.mappings,
            rows=self.rows - other.rows,
            plans=self.plans - other.plans,
            tasks=self.tasks - other.tasks,
        )


def everything(design: Design) -> Coverage:
    """All that a design has."""
    return Coverage(
        rules=frozenset(rule.id for rule in design.rules),
        mappings=frozenset(f"{rule.id}.{each.attribute}" for rule in design.rules for each in rule.mappings),
        rows=frozenset(
            row_name(table.name, place) for table in design.tables.values() for place in range(len(table.rows))
        ),
        plans=frozenset(design.plans),
        tasks=frozenset(task.id for plan in design.plans.values() for task in plan.tasks),
    )


def used(program: Program, state: OrderState) -> Coverage:
    """What an order has used so far."""
    lines = tuple(state.lines.values())
    return Coverage(
        rules=frozenset(source.rule for line in lines for source in line.sources),
        mappings=frozenset(
            f"{provenance.by}.{name}"
            for line in lines
            for name, provenance in line.provenance.items()
            if provenance.origin is Origin.RULE
        ),
        rows=frozenset(rows_used(program, state)),
        plans=frozenset(task.definition.partition(".")[0] for task in state.tasks.values()),
        tasks=_definitions(state),
    )


def _definitions(state: OrderState) -> frozenset[str]:
    done: Iterable[str] = (task.definition for task in state.tasks.values() if task.state is TaskState.COMPLETED)
    return frozenset(done)
