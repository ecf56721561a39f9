"""States of the orders that moved last, within a bound, so that they are not read again for each event."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container

from orderloom.models.plan import OrderState


class StateCache:
    """Keeps states up to a number of rows (an order with its lines and tasks); a row takes about a kilobyte."""

    def __init__(self, rows: int) -> None:
        self._bound = rows
        self._rows = 0
        self._states: OrderedDict[str, tuple[OrderState, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._states)

    @property
    def rows(self) -> int:
        return self._rows

    def get(self, order: str) -> OrderState | None:
        found = self._states.get(order)
        if found is None:
            return None
        self._states.move_to_end(order)
        return found[0]

    def keep(self, state: OrderState) -> None:
        """Keeps a state, or takes note of its new size."""
        self.drop(state.order.id)
        rows = 1 + len(state.lines) + len(state.tasks)
        self._states[state.order.id] = state, rows
        self._rows += rows

    def drop(self, order: str) -> None:
        found = self._states.pop(order, None)
        if found is not None:
            self._rows -= found[1]

    def clear(self) -> None:
        self._states.clear()
        self._rows = 0

    def shrink(self, needed: Container[str]) -> None:
        """Lets the longest untouched ones go until the bound holds; the needed ones stay."""
        if self._rows <= self._bound:
            return
        for order in list(self._states):
            if self._rows <= self._bound:
                return
            if order not in needed:
                self.drop(order)
