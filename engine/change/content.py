"""The wanted content of an order: what a request makes of it, decomposed and orchestrated as if ordered at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from orderloom.engine.change.baseline import baseline
from orderloom.engine.decomposition import decompose
from orderloom.engine.orchestration import orchestrate
from orderloom.engine.program import Program
from orderloom.models.change import ChangeKind
from orderloom.models.fulfillment import Line
from orderloom.models.inventory import Inventory
from orderloom.models.journal import AmendmentRequested, CancellationRequested, ChangeRequest
from orderloom.models.order import OrderItem, ProductOrder
from orderloom.models.plan import OrderState, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the order is to be; without lines where the whole order goes."""

    order: ProductOrder
    everything: bool
    inventory: Inventory
    lines: Mapping[str, Line] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    #: the tasks and people whose findings have added to it, see `findings`
    findings_of: frozenset[str] = frozenset()


def kind_of(request: ChangeRequest) -> ChangeKind:
    match request:
        case AmendmentRequested():
            return ChangeKind.AMEND
        case CancellationRequested():
            return ChangeKind.CANCEL
        case _:
            return ChangeKind.MIGRATE


def wanted(program: Program, state: OrderState, request: ChangeRequest) -> Wanted:
    """The lines and tasks that the order has if it is ordered as wanted, all as new."""
    order = ordered(state.order, request)
    before = baseline(state, request.inventory)
    if not order.items and isinstance(request, CancellationRequested):
        return Wanted(order=state.order, everything=True, inventory=before)
    found = decompose(program, order, before)
    problems = tuple(f"line `{each.line}`: {each.message}" if each.line else each.message for each in found.problems)
    if problems:
        return Wanted(order=order, everything=False, inventory=before, problems=problems)
    plan = orchestrate(program, order, found.lines, before)
    return Wanted(
        order=order,
        everything=False,
        inventory=before,
        lines=found.lines,
        tasks={task.id: task for task in plan.tasks},
        problems=plan.problems,
    )


def ordered(order: ProductOrder, request: ChangeRequest) -> ProductOrder:
    """The content that the request asks for; without items where all of it is to go."""
    match request:
        case AmendmentRequested():
            return request.order
        case CancellationRequested(items=items):
            gone = below(order.items, items) if items else {item.id for item in order.items}
            return replace(order, items=tuple(item for item in order.items if item.id not in gone))
        case _:
            return order


def below(items: Iterable[OrderItem], tops: Iterable[str]) -> set[str]:
    """The ids of these items and of all that stand under them; parents come before their children."""
    gone = set(tops)
    for item in items:
        if item.parent in gone:
            gone.add(item.id)
    return gone
