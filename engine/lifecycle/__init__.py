"""The legal edges of tasks, orders and plans: one table each, and one function that follows them."""

from orderloom.engine.lifecycle.edges import IllegalTransition
from orderloom.engine.lifecycle.orders import LINE_EDGES, ORDER_EDGES, move_line, move_order, order_path
from orderloom.engine.lifecycle.plans import PLAN_EDGES, move_plan
from orderloom.engine.lifecycle.tasks import TASK_EDGES, move

__all__ = [
    "LINE_EDGES",
    "ORDER_EDGES",
    "PLAN_EDGES",
    "TASK_EDGES",
    "IllegalTransition",
    "move",
    "move_line",
    "move_order",
    "move_plan",
    "order_path",
]
