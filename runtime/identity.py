"""Who is who, on the host's face: users, teams, roles, memberships, and the trail of what all of them did.

A store without users is open: whoever opens it acts with all permissions, as the program that owns the file. With the
first user, who has to be an administrator, each operation is checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Self

from orderloom.models.conversion import Json
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import ROLES, Permission, Role
from orderloom.runtime.access.principals import SYSTEM, Principal
from orderloom.runtime.access.resolving import all_roles, principal
from orderloom.runtime.access.standing import TeamView, UserView, team_view, theirs, user_view
from orderloom.runtime.errors import (
    NameRefused,
    NotGranted,
    NotPossible,
    UnknownPermission,
    UnknownRole,
    UnknownTeam,
    UnknownUser,
    UserExists,
)
from orderloom.runtime.face import Face
from orderloom.runtime.store.auditing import DeedFilter, DeedView
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.identity import Grant, Held, Holder, OwnRole, Team, User

ADMINISTRATOR = "administrator"
#: of names of users, teams and roles
_LONGEST = 64


class Identity(Face):
    """The part of `Runtime` for users and what they may do."""

    async def acting_as(self, name: str) -> Self:
        """The host as this user may use it; what they may do is looked up now. Only the program that owns the store
        may ask. Raises UnknownUser, also for one who is not active; in a store without users anybody may do all."""
        self._demand_trust(f"act as {name}")
        return self.bound(self._principal_of(name))

    def has_users(self) -> bool:
        """Whether there are users, so that operations are checked."""
        return self._store.has_users()

    # --- users

    @needs(Permission.USERS_VIEW)
    async def users(self) -> list[UserView]:
        """All users, by name."""
        held, roles = self._store.held(), self._roles()
        return [user_view(user, theirs(held, user.name), roles) for user in self._store.users()]

    @needs(Permission.USERS_VIEW)
    async def user(self, name: str) -> UserView:
        """Raises UnknownUser."""
        user = self._user(name)
        return user_view(user, self._store.held_by(name), self._roles())

    @needs(Permission.USERS_MANAGE)
    async def add_user(
        self,
        name: str,
        *,
        title: str = "",
        email: str = "",
        roles: Iterable[str] = (),
        teams: Iterable[str] = (),
        queues: Iterable[str] = (),
        skills: Iterable[str] = (),
        accounts: Iterable[str] = (),
        by: str = "",
    ) -> UserView:
        """Makes a user. The first one of a store must be an administrator. Raises UserExists, NameRefused, UnknownRole,
        UnknownTeam, NotPossible."""
        _named(name)
        grants = [
            *((Grant.ROLE, each) for each in roles),
            *((Grant.TEAM, each) for each in teams),
            *((Grant.QUEUE, each) for each in queues),
            *((Grant.SKILL, each) for each in skills),
            *((Grant.ACCOUNT, each) for each in accounts),
        ]
        self._known(grants)
        if (Grant.ROLE, ADMINISTRATOR) not in grants and not self._store.has_users():
            raise NotPossible(what="add the first user", why="there would be no administrator", do="add one first")
        user = User(name=name, title=title, email=email, created_at=self._clock.now())
        after: dict[str, Json] = {"grants": [f"{kind} {value}" for kind, value in grants]}
        try:
            self._store.add_user(user, grants, self._deed("add_user", "user", name, by=by, after=after))
        except Conflict:
            raise UserExists(user=name) from None
        return user_view(user, self._store.held_by(name), self._roles())

    @needs(Permission.USERS_MANAGE)
    async def change_user(
        self,
        name: str,
        *,
        title: str | None = None,
        email: str | None = None,
        active: bool | None = None,
        by: str = "",
        reason: str = "",
    ) -> UserView:
        """Changes what is given. One who is not active may do nothing. Raises UnknownUser, NotPossible for the last
        administrator."""
        former = self._user(name)
        wanted = replace(
            former,
            title=former.title if title is None else title,
            email=former.email if email is None else email,
            active=former.active if active is None else active,
        )
        if former.active and not wanted.active:
            self._leave_administrator(name)
        return self._changed("change_user", former, wanted, by, reason)

    @needs(Permission.WORK_VIEW)
    async def set_away(self, away: bool, name: str = "", by: str = "", reason: str = "") -> UserView:
        """Whether somebody gets work assigned: oneself, or, with the permission to assign work, somebody else. Raises
        UnknownUser."""
        name = name or self._who(by)
        if name != self._who(by):
            self.demand(Permission.WORK_ASSIGN, "set_away")
        former = self._user(name)
        return self._changed("set_away", former, replace(former, away=away), by, reason)

    # --- teams

    @needs(Permission.USERS_VIEW)
    async def teams(self) -> list[TeamView]:
        """All teams, by name."""
        held = self._store.held()
        return [team_view(team, held) for team in self._store.teams()]

    @needs(Permission.USERS_MANAGE)
    async def put_team(self, name: str, title: str = "", by: str = "") -> TeamView:
        """Makes a team, or gives it another title. Raises NameRefused."""
        _named(name)
        team = Team(name=name, title=title)
        former = next((each for each in self._store.teams() if each.name == name), None)
        before: dict[str, Json] = {} if former is None else {"title": former.title}
        self._store.put_team(team, self._deed("put_team", "team", name, by=by, before=before, after={"title": title}))
        return team_view(team, self._store.held())

    @needs(Permission.USERS_MANAGE)
    async def drop_team(self, name: str, by: str = "", reason: str = "") -> None:
        """Its members lose what it gave them. Raises UnknownTeam, NotPossible."""
        view = next((each for each in await self.teams() if each.team.name == name), None)
        if view is None:
            raise UnknownTeam(team=name)
        self._leave_administrator(without=[Held(holder=Holder.TEAM, name=name, kind=Grant.ROLE, value=ADMINISTRATOR)])
        before: dict[str, Json] = {"members": list(view.members), "roles": list(view.roles)}
        self._store.drop_team(name, self._deed("drop_team", "team", name, by=by, before=before, reason=reason))

    # --- roles

    @needs(Permission.USERS_VIEW)
    async def roles(self) -> list[Role]:
        """All roles with all that they permit: those of the field, then those made here."""
        return list(self._roles().values())

    @needs(Permission.USERS_MANAGE)
    async def put_role(
        self,
        name: str,
        *,
        title: str = "",
        permissions: Iterable[str] = (),
        includes: Iterable[str] = (),
        own_accounts: bool = False,
        own_queues: bool = False,
        by: str = "",
        reason: str = "",
    ) -> Role:
        """Makes a role of permissions and of other roles, or changes it. Raises NameRefused, UnknownPermission,
        UnknownRole, NotPossible for a role of the field."""
        _named(name)
        if name in ROLES:
            raise NotPossible(what=f"change the role `{name}`", why="it is one of the field's", do="take another name")
        known = self._roles()
        included = tuple(includes)
        for each in included:
            if each not in known:
                raise UnknownRole(role=each, known=", ".join(known))
        role = OwnRole(
            name=name,
            title=title,
            permissions=frozenset(_permission(each) for each in permissions),
            includes=included,
            own_accounts=own_accounts,
            own_queues=own_queues,
        )
        former = next((_told(each) for each in self._store.own_roles() if each.name == name), None)
        deed = self._deed("put_role", "role", name, by=by, before=former, after=_told(role), reason=reason)
        self._store.put_role(role, deed)
        return self._roles()[name]

    @needs(Permission.USERS_MANAGE)
    async def drop_role(self, name: str, by: str = "", reason: str = "") -> None:
        """Whoever has it loses it. Raises UnknownRole, NotPossible for a role of the field."""
        if name in ROLES:
            raise NotPossible(what=f"remove the role `{name}`", why="it is one of the field's", do="take it from users")
        known = self._roles()
        if name not in known:
            raise UnknownRole(role=name, known=", ".join(known))
        before = next((_told(each) for each in self._store.own_roles() if each.name == name), None)
        self._store.drop_role(name, self._deed("drop_role", "role", name, by=by, before=before, reason=reason))

    # --- what is granted

    @needs(Permission.USERS_MANAGE)
    async def grant(
        self, holder: Holder | str, name: str, kind: Grant | str, value: str, by: str = "", reason: str = ""
    ) -> None:
        """Gives a user or a team a role, a queue, a skill, an account; a user also a team. Giving again changes
        nothing. Raises UnknownUser, UnknownTeam, UnknownRole."""
        given = self._grant(holder, name, kind, value)
        self._known([(given.kind, given.value)])
        after: dict[str, Json] = {str(given.kind): value}
        self._store.give(given, self._deed("grant", str(given.holder), name, by=by, after=after, reason=reason))

    @needs(Permission.USERS_MANAGE)
    async def revoke(
        self, holder: Holder | str, name: str, kind: Grant | str, value: str, by: str = "", reason: str = ""
    ) -> None:
        """Takes it back. Raises UnknownUser, UnknownTeam, NotGranted, NotPossible for the last administrator."""
        taken = self._grant(holder, name, kind, value)
        self._leave_administrator(without=[taken])
        before: dict[str, Json] = {str(taken.kind): value}
        try:
            self._store.take(taken, self._deed("revoke", str(taken.holder), name, by=by, before=before, reason=reason))
        except NotFound:
            raise NotGranted(holder=taken.holder, name=name, kind=taken.kind, value=value) from None

    # --- the trail

    @needs(Permission.AUDIT_VIEW)
    async def audit(
        self,
        *,
        who: str = "",
        what: str = "",
        kind: str = "",
        subject: str = "",
        order: str = "",
        denied: bool | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[DeedView]:
        """What people did and were not let do, newest first; `before` is the `id` of the last one seen."""
        where = DeedFilter(
            who=who, what=what, kind=kind, subject=subject, order=order, denied=denied, since=since, until=until
        )
        return self._store.deeds(where, limit, before)

    # --- inside

    def _principal_of(self, name: str) -> Principal:
        if name == SYSTEM.name:
            return SYSTEM
        if not self._store.has_users():
            return replace(SYSTEM, name=name, trusted=False)
        user = self._user(name)
        if not user.active:
            raise UnknownUser(user=name)
        return principal(name, self._store.held_by(name), self._roles())

    def _roles(self) -> dict[str, Role]:
        return all_roles(self._store.own_roles())

    def _user(self, name: str) -> User:
        try:
            return self._store.user(name)
        except NotFound:
            raise UnknownUser(user=name) from None

    def _changed(self, what: str, former: User, wanted: User, by: str, reason: str) -> UserView:
        names = [
            name for name in ("title", "email", "active", "away") if getattr(former, name) != getattr(wanted, name)
        ]
        before: dict[str, Json] = {name: getattr(former, name) for name in names}
        after: dict[str, Json] = {name: getattr(wanted, name) for name in names}
        deed = self._deed(what, "user", wanted.name, by=by, before=before, after=after, reason=reason)
        self._store.change_user(wanted, deed)
        return user_view(wanted, self._store.held_by(wanted.name), self._roles())

    def _grant(self, holder: Holder | str, name: str, kind: Grant | str, value: str) -> Held:
        held = Held(holder=Holder(holder), name=name, kind=Grant(kind), value=value)
        if held.holder is Holder.USER:
            self._user(name)
        elif name not in {each.name for each in self._store.teams()}:
            raise UnknownTeam(team=name)
        elif held.kind is Grant.TEAM:
            raise NotPossible(what="put a team into a team", why="only users are members", do="add its users")
        return held

    def _known(self, grants: Iterable[tuple[Grant, str]]) -> None:
        """What is to be granted exists. Queues and skills are names that designs use; any will do."""
        roles = self._roles()
        teams = {team.name for team in self._store.teams()}
        for kind, value in grants:
            if kind is Grant.ROLE and value not in roles:
                raise UnknownRole(role=value, known=", ".join(roles))
            if kind is Grant.TEAM and value not in teams:
                raise UnknownTeam(team=value)

    def _leave_administrator(self, leaving: str = "", without: Iterable[Held] = ()) -> None:
        """Refuses what would leave no active administrator."""
        gone = set(without)
        held = [each for each in self._store.held() if each not in gone]
        for user in self._store.users():
            if user.active and user.name != leaving:
                found = theirs(held, user.name)
                if any(each.kind is Grant.ROLE and each.value == ADMINISTRATOR for each in found):
                    return
        raise NotPossible(
            what="take this back", why="no active administrator would be left", do="make somebody else one first"
        )


def _named(name: str) -> None:
    """Names stand in commands, files and logs."""
    if not name or len(name) > _LONGEST or not all(each.isalnum() or each in "._-@" for each in name):
        raise NameRefused(name=name[:_LONGEST], most=_LONGEST)
    if name == SYSTEM.name:
        raise NotPossible(what="name somebody `system`", why="the program itself is called so", do="take another name")


def _told(role: OwnRole) -> dict[str, Json]:
    """For the trail: all that says what a role permits, and to whom it confines."""
    return {
        "permissions": [*map(str, sorted(role.permissions))],
        "includes": list(role.includes),
        "own_accounts": role.own_accounts,
        "own_queues": role.own_queues,
    }


def _permission(name: str) -> Permission:
    try:
        return Permission(name)
    except ValueError:
        raise UnknownPermission(permission=name, known=", ".join(Permission)) from None
