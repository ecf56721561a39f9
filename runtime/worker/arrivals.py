"""Events on their way to their orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orderloom.models.journal import Event
from orderloom.runtime.store.records import Origin, Submission


@dataclass(slots=True)
class Arrival:
    """One event for one order, with the place where it is durable meanwhile."""

    order: str
    event: Event | Submission
    origin: Origin = None


class Arrivals:
    """What waits to be applied, by order; orders in the order of their first event, events as they came."""

    def __init__(self) -> None:
        self._by_order: dict[str, list[Arrival]] = {}
        self._number = 0

    def __len__(self) -> int:
        """Number of events."""
        return self._number

    def add(self, arrival: Arrival) -> None:
        self._by_order.setdefault(arrival.order, []).append(arrival)
        self._number += 1

    def put_back(self, arrivals: Iterable[Arrival]) -> None:
        """Before all that waits for the same orders."""
        former: dict[str, list[Arrival]] = {}
        for arrival in arrivals:
            former.setdefault(arrival.order, []).append(arrival)
            self._number += 1
        for order, events in former.items():
            self._by_order[order] = events + self._by_order.get(order, [])

    def take(self, orders: int, barred: frozenset[str] = frozenset()) -> dict[str, list[Arrival]]:
        """The events of at most so many orders, but for the barred ones."""
        chosen: dict[str, list[Arrival]] = {}
        for order, events in self._by_order.items():
            if len(chosen) == orders:
                break
            if order not in barred:
                chosen[order] = events
        for order, events in chosen.items():
            del self._by_order[order]
            self._number -= len(events)
        return chosen

    def waits(self, order: str) -> bool:
        return order in self._by_order
