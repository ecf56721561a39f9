"""The states of an order and of its lines (TMF622 v4 ProductOrderStateType) and the edges between them."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.engine.lifecycle.edges import IllegalTransition, check
from orderloom.models.fulfillment import Line
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState

_S = OrderStatus

#: from each state to those that may follow
ORDER_EDGES: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    _S.ACKNOWLEDGED: frozenset((_S.IN_PROGRESS, _S.PENDING, _S.REJECTED)),
    _S.IN_PROGRESS: frozenset(
        (_S.PENDING, _S.HELD, _S.ASSESSING_CANCELLATION, _S.COMPLETED, _S.FAILED, _S.PARTIAL),
    ),
    _S.PENDING: frozenset((_S.IN_PROGRESS, _S.ASSESSING_CANCELLATION, _S.CANCELLED)),
    _S.HELD: frozenset((_S.IN_PROGRESS, _S.ASSESSING_CANCELLATION, _S.CANCELLED)),
    _S.ASSESSING_CANCELLATION: frozenset((_S.IN_PROGRESS, _S.PENDING, _S.HELD, _S.PENDING_CANCELLATION)),
    _S.PENDING_CANCELLATION: frozenset((_S.CANCELLED,)),
    _S.REJECTED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset(),
    _S.PARTIAL: frozenset(),
}

#: lines have the states and the edges of orders (TMF622 v4 ProductOrderItemStateType); besides, a line that is
#: completed while its order goes on may be taken up again or taken back by a change
LINE_EDGES: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    **ORDER_EDGES,
    _S.COMPLETED: frozenset((_S.IN_PROGRESS, _S.ASSESSING_CANCELLATION)),
}


def order_path(former: OrderStatus, wanted: OrderStatus) -> tuple[OrderStatus, ...]:
    """The legal way from one state to another: the edge itself, or through `inProgress`.

    Empty where the order is there already. Raises IllegalTransition where there is no such way.
    """
    if former is wanted:
        return ()
    if wanted in ORDER_EDGES[former]:
        return (wanted,)
    if _S.IN_PROGRESS in ORDER_EDGES[former] and wanted in ORDER_EDGES[_S.IN_PROGRESS]:
        return (_S.IN_PROGRESS, wanted)
    raise IllegalTransition("the order", former, wanted, frozenset(ORDER_EDGES[former]))


def move_order(state: OrderState, to: OrderStatus) -> None:
    """Takes the order along one legal edge; raises IllegalTransition, with the order unchanged."""
    check(ORDER_EDGES, f"order `{state.order.id}`", state.status, to)
    state.status = to


def move_line(line: Line, to: OrderStatus) -> None:
    """Takes the line along one legal edge; raises IllegalTransition, with the line unchanged."""
    check(LINE_EDGES, f"line `{line.id}`", line.state, to)
    line.state = to
