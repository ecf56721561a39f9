"""How endangered a task, a line or an order is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Jeopardy(StrEnum):
    GREEN = "green"
    #: in time as things stand, with little to spare
    YELLOW = "yellow"
    #: too late
    RED = "red"

    @property
    def rank(self) -> int:
        """The higher, the worse."""
        return _RANKS[self]


_RANKS = {Jeopardy.GREEN: 0, Jeopardy.YELLOW: 1, Jeopardy.RED: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """When something turns yellow; both in percent."""

    #: slack that is left, as a share of the time from the task's start to the end of the order
    slack: int = 25
    #: time that is left until work is due, as a share of the time that there was for it
    due: int = 25
