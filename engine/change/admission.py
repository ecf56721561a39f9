"""What cannot be asked of an order at all, whatever else the request would come to."""

from __future__ import annotations

from orderloom.models.journal import CancellationRequested, ChangeRequest, MigrationRequested
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState, Task, TaskRole, TaskState
from orderloom.models.tasks import TaskKind


def barred(state: OrderState, request: ChangeRequest) -> str:
    """Why the order, as it is now, cannot be changed so, in words; "" where it can be weighed."""
    name = f"order `{state.order.id}`"
    if state.status.final:
        return f"{name} is {state.status}, it can no longer be changed; order the change instead"
    if state.status is OrderStatus.PENDING_CANCELLATION:
        return f"{name} is being cancelled, it can no longer be changed"
    if isinstance(request, CancellationRequested):
        known = {item.id for item in state.order.items}
        unknown = [f"`{item}`" for item in request.items if item not in known]
        if unknown:
            return f"{name} has no item {', '.join(unknown)}"
    if isinstance(request, MigrationRequested) and any(map(_calls, state.tasks.values())):
        return f"{name} has callouts under way; migrate it once they have answered"
    return ""


def _calls(task: Task) -> bool:
    """Whether its callout is under way, or is being cancelled."""
    running = task.kind is TaskKind.CALL and task.state is TaskState.RUNNING
    return running or (task.role is TaskRole.CANCEL and not task.state.final)
