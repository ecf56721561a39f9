"""Events on their way to their orders."""

from __future__ import annotations

import heapq
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
    #: see `urgency.rank`
    rank: int = 0


class Arrivals:
    """What waits to be applied, by order; orders by rank and then in the order of their first event, events as they
    came."""

    def __init__(self) -> None:
        self._by_order: dict[str, list[Arrival]] = {}
        self._number = 0
        #: rank and number of each order that waits, also as a heap; in the heap some are outdated
        self._places: dict[str, tuple[int, int]] = {}
        self._heap: list[tuple[int, int, str]] = []
        self._came = 0

    def __len__(self) -> int:
        """Number of events."""
        return self._number

    def add(self, arrival: Arrival) -> None:
        self._by_order.setdefault(arrival.order, []).append(arrival)
        self._number += 1
        self._place(arrival.order, arrival.rank)

    def put_back(self, arrivals: Iterable[Arrival]) -> None:
        """Before all that waits for the same orders."""
        former: dict[str, list[Arrival]] = {}
        for arrival in arrivals:
            former.setdefault(arrival.order, []).append(arrival)
            self._number += 1
        for order, events in former.items():
            self._by_order[order] = events + self._by_order.get(order, [])
            self._place(order, events[0].rank)

    def take(self, orders: int, barred: frozenset[str] = frozenset()) -> dict[str, list[Arrival]]:
        """The events of at most so many orders, but for the barred ones."""
        chosen: dict[str, list[Arrival]] = {}
        passed: list[tuple[int, int, str]] = []
        while self._heap and len(chosen) < orders:
            place = heapq.heappop(self._heap)
            order = place[2]
            if self._places.get(order) != place[:2]:
                continue
            if order in barred:
                passed.append(place)
                continue
            del self._places[order]
            chosen[order] = self._by_order.pop(order)
            self._number -= len(chosen[order])
        for place in passed:
            heapq.heappush(self._heap, place)
        return chosen

    def waits(self, order: str) -> bool:
        return order in self._by_order

    def _place(self, order: str, rank: int) -> None:
        """Gives an order its place, or a better one."""
        found = self._places.get(order)
        if found is not None and found[0] <= rank:
            return
        self._came += 1
        self._places[order] = rank, self._came
        heapq.heappush(self._heap, (rank, self._came, order))
