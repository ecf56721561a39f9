"""What a table of edges is, and the error for leaving it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

State = TypeVar("State", bound=StrEnum)


class IllegalTransition(Exception):
    """{subject} cannot go from `{former}` to `{wanted}`, only to {legal}"""

    def __init__(self, subject: str, former: StrEnum, wanted: StrEnum, legal: frozenset[StrEnum]) -> None:
        self.subject = subject
        self.former = former
        self.wanted = wanted
        self.legal = legal
        names = ", ".join(f"`{state}`" for state in sorted(legal)) or "nothing, it is final"
        text = type(self).__doc__ or ""
        super().__init__(text.format(subject=subject, former=former, wanted=wanted, legal=names))


def check(edges: Mapping[State, frozenset[State]], subject: str, former: State, wanted: State) -> None:
    """Raises IllegalTransition unless the table has the edge."""
    if wanted not in edges[former]:
        raise IllegalTransition(subject, former, wanted, frozenset(edges[former]))
