"""What cannot be asked of an order at all, whatever else the request would come to."""

from __future__ import annotations

from orderloom.models.journal import CancellationRequested, ChangeRequest
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState


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
    return ""
