"""What a lane does with calls that wait."""

from __future__ import annotations

from typing import Any

import pytest

from orderloom.models.callout import Callout
from orderloom.runtime.store.records import PendingCall
from orderloom.runtime.worker.arrivals import Arrival
from orderloom.runtime.worker.designs import Unavailable
from orderloom.runtime.worker.lane import Lane
from tests.runtime.worker.making import NOW, Instant, call, design


class Around:
    """A worker of one design, which may be out of reach."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.loads = True
        self.found = design([call("first")])

    def design(self, _digest: str) -> Any:
        if not self.loads:
            raise Unavailable("not now")
        return self.found

    def connector(self, _digest: str, _name: str) -> Any:
        return Instant()

    def arrived(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)

    def now(self) -> Any:
        return NOW


def pending(number: int) -> PendingCall:
    callout = Callout(key=f"k{number}", operation="shop.sell", attempt=1, context={})
    return PendingCall(order=f"o{number}", task="first", connector="shop", callout=callout, design="d", since=NOW)


def lane(around: Around, hold: str = "") -> Lane:
    store: Any = None
    return Lane(name="shop", store=store, around=around, hold=hold)


def test_a_call_recalled_while_held_is_never_sent() -> None:
    around = Around()
    held = lane(around, hold="maintenance")
    for number in range(4):
        held.add(pending(number))
    held.pump()
    assert [type(each.event).__name__ for each in around.arrivals] == ["CalloutHeld"] * 4
    held.pump()
    assert len(around.arrivals) == 4
    held.recall("o0", "first", 1)
    held.recall("o2", "first", 1)
    held.recall("o2", "first", 1)
    # asked for once more, it counts again
    held.add(pending(2))
    around.arrivals.clear()
    held.hold = ""
    held.pump()
    answered = [each.order for each in around.arrivals if type(each.event).__name__ == "CalloutAnswered"]
    assert sorted(answered) == ["o1", "o2", "o3"]


def test_a_call_recalled_while_its_design_is_out_of_reach_is_never_sent() -> None:
    around = Around()
    parked = lane(around)
    around.loads = False
    for number in range(2):
        parked.add(pending(number))
    parked.pump()
    parked.recall("o0", "first", 1)
    around.loads = True
    parked.pump()
    assert [each.order for each in around.arrivals] == ["o1"]


def test_recalling_every_held_call_looks_at_each_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    waits = Lane._waits

    def counted(of: Lane, place: Any) -> bool:
        nonlocal looked
        looked += 1
        return waits(of, place)

    monkeypatch.setattr(Lane, "_waits", counted)
    held = lane(Around(), hold="maintenance")
    for number in range(4000):
        held.add(pending(number))
    for number in range(4000):
        held.recall(f"o{number}", "first", 1)
    assert looked < 3 * 4000
    assert len(held._queue) <= 101
