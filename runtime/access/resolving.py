"""What roles, teams and memberships add up to for one user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orderloom.runtime.access.permissions import ROLES, Permission, Role
from orderloom.runtime.access.principals import Principal
from orderloom.runtime.store.identity import Grant, Held, OwnRole

#: seeing one of these without a role that confines it is seeing all
_WORK = frozenset({Permission.WORK_VIEW, Permission.FALLOUT_VIEW})
_ORDERS = frozenset({Permission.ORDERS_VIEW})


def all_roles(own: Iterable[OwnRole]) -> dict[str, Role]:
    """Those of the field and those made at run time, with what they include, by name.

    A role confines to accounts and queues where it says so, or where all that it lets see comes from roles that do.
    """
    known = {role.name: role for role in own}
    found: dict[str, Role] = dict(ROLES)
    for name in known:
        if name not in ROLES:
            found[name] = _whole(known[name], known)
    return found


def principal(name: str, held: Iterable[Held], roles: Mapping[str, Role]) -> Principal:
    """A user as of now. Roles that are not there any more give nothing."""
    values: dict[Grant, set[str]] = {kind: set() for kind in Grant}
    for grant in held:
        values[grant.kind].add(grant.value)
    theirs = [roles[role] for role in sorted(values[Grant.ROLE]) if role in roles]
    return Principal(
        name=name,
        permissions=frozenset(permission for role in theirs for permission in role.permissions),
        roles=tuple(role.name for role in theirs),
        teams=tuple(sorted(values[Grant.TEAM])),
        skills=frozenset(values[Grant.SKILL]),
        queues=frozenset(values[Grant.QUEUE]) if _confined(theirs, _WORK, "own_queues") else None,
        accounts=frozenset(values[Grant.ACCOUNT]) if _confined(theirs, _ORDERS, "own_accounts") else None,
    )


def _confined(roles: Iterable[Role], seeing: frozenset[Permission], confines: str) -> bool:
    return all(getattr(role, confines) for role in roles if role.permissions & seeing)


def _whole(role: OwnRole, known: Mapping[str, OwnRole]) -> Role:
    """The role with all that it includes, however deep; a circle adds nothing."""
    reached: list[Role | OwnRole] = [role]
    seen = {role.name}
    ahead = list(role.includes)
    while ahead:
        name = ahead.pop()
        found = ROLES.get(name) or known.get(name)
        if name in seen or found is None:
            continue
        seen.add(name)
        reached.append(found)
        if isinstance(found, OwnRole):
            ahead += found.includes
    return Role(
        name=role.name,
        title=role.title,
        permissions=frozenset(permission for each in reached for permission in each.permissions),
        own_accounts=role.own_accounts or _confines(reached, _ORDERS, "own_accounts"),
        own_queues=role.own_queues or _confines(reached, _WORK, "own_queues"),
    )


def _confines(roles: Iterable[Role | OwnRole], seeing: frozenset[Permission], confines: str) -> bool:
    """Whether something is seen, and all that is seen comes from roles that are confined."""
    giving = [role for role in roles if role.permissions & seeing]
    return bool(giving) and all(getattr(role, confines) for role in giving)
