"""Whom a queue's rule gives an item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orderloom.models.tasks import AssignMode
from orderloom.runtime.store.identity import Member


def choose(
    mode: AssignMode, skills: Iterable[str], members: Iterable[Member], load: Mapping[str, int], last: str, former: str
) -> str:
    """The name of the member who gets an item; "" where nobody can, or people pull.

    `load`: how many items each has; `last`: who got the last one of the queue; `former`: who has just given this one
    back, and does not get it again.
    """
    needed = frozenset(skills) if mode is AssignMode.BY_SKILL else frozenset()
    able = [member for member in members if not member.away and member.name != former and needed <= member.skills]
    if mode is AssignMode.PULL or not able:
        return ""
    in_turn = sorted(able, key=lambda member: (member.name <= last, member.name))
    if mode is AssignMode.ROUND_ROBIN:
        return in_turn[0].name
    return min(in_turn, key=lambda member: load.get(member.name, 0)).name
