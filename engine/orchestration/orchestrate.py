"""`orchestrate`: the plan of an order.

Scenarios and the conditions of plans are decided here, on the attributes that are there; a task's own `when` is decided
when the task becomes ready, because tasks before it may have set what it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orderloom.engine.orchestration.cycles import cycle
from orderloom.engine.orchestration.dependencies import Dependencies
from orderloom.engine.orchestration.instances import Instances
from orderloom.engine.orchestration.reaches import Reaches
from orderloom.engine.orchestration.scopes import Scopes
from orderloom.engine.program import Program
from orderloom.models.fulfillment import Line
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.order import ProductOrder
from orderloom.models.plan import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The tasks of an order, all pending. With problems they are not to be used."""

    #: lines in their order, each with its plans and their tasks in the order of the design
    tasks: tuple[Task, ...]
    #: why the order cannot be carried out, in words
    problems: tuple[str, ...] = ()


def orchestrate(program: Program, order: ProductOrder, lines: Mapping[str, Line], inventory: Inventory = EMPTY) -> Plan:
    """The plan for the lines of an order, sources before what they feed. Linear in lines, tasks and dependencies."""
    reaches = Reaches(lines)
    scopes = Scopes(program, order, lines, inventory)
    made = Instances(program, reaches, scopes)
    for line in lines.values():
        made.add(line)
    problems = [f"plan `{name}` contains itself through its subplans" for name in made.endless]
    dependencies = Dependencies(program, order.related, lines, reaches, scopes)
    dependencies.file(made.stands)
    dependencies.resolve(made.stands)
    ring = cycle(made.tasks)
    if ring:
        names = " after ".join(f"`{task}`" for task in (*ring[:6], ring[0]))
        problems.append(f"tasks wait for each other: {names}; narrow one of these dependencies or make it conditional")
    return Plan(tasks=tuple(made.tasks.values()), problems=tuple(problems))
