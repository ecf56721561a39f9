"""Makes an order's state again from its events: same design, order and events in, same bytes out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from orderloom.engine.advance.advance import advance
from orderloom.engine.program import Program
from orderloom.models.journal import Event
from orderloom.models.order import ProductOrder
from orderloom.models.plan import OrderState


def replay(program: Program, order: ProductOrder, events: Iterable[tuple[Event, datetime]]) -> OrderState:
    """The state after these events at these instants; raises Refused for an event that was refused."""
    state = OrderState(order=order, design=program.design.digest)
    for event, at in events:
        advance(program, state, event, at)
    return state
