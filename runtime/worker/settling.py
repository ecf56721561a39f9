"""Which events of a batch have to wait for what comes before them to be in the store.

A request to change an order is weighed against what its account has and what the account's other orders do, as the
store holds it. So it comes first in its batch and is the only one of its account there; what its order was told before
goes into an earlier batch, and orders of the account that are to start into a later one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

from orderloom.models.journal import ChangeRequest
from orderloom.models.plan import OrderState
from orderloom.runtime.store.records import Submission
from orderloom.runtime.worker.arrivals import Arrival

_CHANGES: tuple[type, ...] = get_args(ChangeRequest)


def asks_for_change(taken: Mapping[str, list[Arrival]]) -> bool:
    """Whether a request to change an order is among these events."""
    return any(isinstance(each.event, _CHANGES) for arrivals in taken.values() for each in arrivals)


def set_apart(taken: dict[str, list[Arrival]], states: Mapping[str, OrderState]) -> list[Arrival]:
    """Takes what is to wait for a later batch out of `taken`, and puts the orders that are to change first."""
    if not asks_for_change(taken):
        return []
    later: list[Arrival] = []
    changing: dict[str, str] = {}
    for order in [each for each in taken if each in states]:
        account = states[order].order.account.id
        first, *more = [*_places(taken[order], _CHANGES), len(taken[order])]
        if not more:
            continue
        if first == 0 and account not in changing:
            changing[account] = order
            later += _cut(taken, order, more[0])
        else:
            later += _cut(taken, order, first)
    for order in [each for each in taken if each in states]:
        if changing.get(states[order].order.account.id, order) != order:
            later += _cut(taken, order, next(_places(taken[order], (Submission,)), len(taken[order])))
    others = [each for each in taken if each not in changing.values()]
    for order in others:
        taken[order] = taken.pop(order)
    return later


def _places(arrivals: list[Arrival], kinds: tuple[type, ...]) -> Iterator[int]:
    return (place for place, each in enumerate(arrivals) if isinstance(each.event, kinds))


def _cut(taken: dict[str, list[Arrival]], order: str, place: int) -> list[Arrival]:
    """The events from that place on, taken out."""
    arrivals = taken.pop(order)
    if place:
        taken[order] = arrivals[:place]
    return arrivals[place:]
