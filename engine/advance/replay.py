"""Makes an order's state again from its events: same design, order and events in, same bytes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from orderloom.engine.advance.advance import advance
from orderloom.engine.program import Program
from orderloom.models.journal import Event, MigrationRequested
from orderloom.models.order import ProductOrder
from orderloom.models.plan import OrderState


def replay(
    program: Program,
    order: ProductOrder,
    events: Iterable[tuple[Event, datetime]],
    versions: Mapping[str, Program] | None = None,
) -> OrderState:
    """The state after these events at these instants; raises Refused for an event that was refused.

    `versions` holds the designs that the order migrated to, by digest.
    """
    state = OrderState(order=order, design=program.design.digest)
    for event, at in events:
        goes_to = program
        if isinstance(event, MigrationRequested) and versions:
            goes_to = versions.get(event.design, program)
        advance(goes_to, state, event, at)
        if state.design == goes_to.design.digest:
            program = goes_to
    return state
