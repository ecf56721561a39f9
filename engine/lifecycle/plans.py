"""The states of a running plan and the edges between them."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.engine.lifecycle.edges import check
from orderloom.models.plan import OrderState, PlanState

_S = PlanState

#: from each state to those that may follow
PLAN_EDGES: Mapping[PlanState, frozenset[PlanState]] = {
    _S.NOT_STARTED: frozenset((_S.IN_PROGRESS, _S.CANCELLED)),
    # cancelled: everything that was done is taken back
    _S.IN_PROGRESS: frozenset((_S.FREEZING, _S.COMPLETED, _S.CANCELLED, _S.FAILED)),
    _S.FREEZING: frozenset((_S.FROZEN,)),
    _S.FROZEN: frozenset((_S.IN_PROGRESS, _S.CANCELLED)),
    _S.COMPLETED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.FAILED: frozenset(),
}


def move_plan(state: OrderState, to: PlanState) -> None:
    """Takes the order's plan along one legal edge; raises IllegalTransition, with the plan unchanged."""
    check(PLAN_EDGES, f"the plan of order `{state.order.id}`", state.plan, to)
    state.plan = to
