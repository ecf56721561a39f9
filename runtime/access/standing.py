"""What users and teams hold, as screens show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orderloom.runtime.access.permissions import Permission, Role
from orderloom.runtime.access.resolving import principal
from orderloom.runtime.store.identity import Grant, Held, Holder, Team, User


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    """A user, and what they may do as of now."""

    user: User
    #: granted to the user alone or to one of the user's teams
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    skills: tuple[str, ...]
    queues: tuple[str, ...]
    accounts: tuple[str, ...]
    permissions: tuple[Permission, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamView:
    """A team with its members and what it gives them."""

    team: Team
    members: tuple[str, ...]
    roles: tuple[str, ...]
    skills: tuple[str, ...]
    queues: tuple[str, ...]
    accounts: tuple[str, ...]


def theirs(held: Iterable[Held], user: str) -> list[Held]:
    """What a user holds, also through teams; of all grants."""
    held = list(held)
    own = [each for each in held if each.holder is Holder.USER and each.name == user]
    teams = {each.value for each in own if each.kind is Grant.TEAM}
    return own + [each for each in held if each.holder is Holder.TEAM and each.name in teams]


def _values(held: Iterable[Held], kind: Grant) -> tuple[str, ...]:
    return tuple(sorted({each.value for each in held if each.kind is kind}))


def user_view(user: User, held: list[Held], roles: Mapping[str, Role]) -> UserView:
    """`held`: by the user, also through teams."""
    return UserView(
        user=user,
        roles=_values(held, Grant.ROLE),
        teams=_values(held, Grant.TEAM),
        skills=_values(held, Grant.SKILL),
        queues=_values(held, Grant.QUEUE),
        accounts=_values(held, Grant.ACCOUNT),
        permissions=tuple(sorted(principal(user.name, held, roles).permissions)) if user.active else (),
    )


def team_view(team: Team, held: list[Held]) -> TeamView:
    """`held`: by anybody."""
    given = [each for each in held if each.holder is Holder.TEAM and each.name == team.name]
    return TeamView(
        team=team,
        members=tuple(each.name for each in held if each.kind is Grant.TEAM and each.value == team.name),
        roles=_values(given, Grant.ROLE),
        skills=_values(given, Grant.SKILL),
        queues=_values(given, Grant.QUEUE),
        accounts=_values(given, Grant.ACCOUNT),
    )
