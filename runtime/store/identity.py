"""People and programs in the store: users, teams, roles of one's own, and what each is granted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.codec import dumps, instant, loads, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import Conflict, NotFound


class Holder(StrEnum):
    """Who may hold grants; what a team holds, each of its members has."""

    USER = "user"
    TEAM = "team"


class Grant(StrEnum):
    """What somebody may be given, beside a name for it."""

    ROLE = "role"
    QUEUE = "queue"
    SKILL = "skill"
    #: sees the orders of this account
    ACCOUNT = "account"
    #: of users only: is a member of
    TEAM = "team"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person or a program that acts. Users are never deleted, since the trail names them."""

    name: str
    title: str = ""
    email: str = ""
    active: bool = True
    #: gets no work assigned
    away: bool = False
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    name: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRole:
    """A role that was made at run time, of permissions and of other roles."""

    name: str
    title: str
    permissions: frozenset[Permission]
    #: names of roles whose permissions it has too
    includes: tuple[str, ...] = ()
    own_accounts: bool = False
    own_queues: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One grant."""

    holder: Holder
    name: str
    kind: Grant
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody who works a queue, directly or through a team."""

    name: str
    skills: frozenset[str]
    away: bool


_USER = "name, title, email, active, away, created_at"


class SqliteIdentity:
    """The part of a store that knows who is who."""

    _database: Database

    def has_users(self) -> bool:
        with self._database.snapshot() as reader:
            return reader.execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None

    def users(self) -> list[User]:
        """By name."""
        with self._database.snapshot() as reader:
            return [_user(row) for row in reader.execute(f"SELECT {_USER} FROM users ORDER BY name")]

    def user(self, name: str) -> User:
        """Raises NotFound."""
        with self._database.snapshot() as reader:
            row = reader.execute(f"SELECT {_USER} FROM users WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise NotFound(f"there is no user `{name}`")
        return _user(row)

    def add_user(self, user: User, grants: Iterable[tuple[Grant, str]], deed: Deed) -> None:
        """With what they are granted. Raises Conflict where the name is taken."""
        with self._database.transaction() as writer:
            try:
                writer.execute(
                    f"INSERT INTO users ({_USER}) VALUES (?, ?, ?, ?, ?, ?)",
                    (user.name, user.title, user.email, int(user.active), int(user.away), micros(user.created_at)),
                )
            except sqlite3.IntegrityError:
                raise Conflict(f"there is a user `{user.name}` already") from None
            for kind, value in grants:
                _give(writer, Holder.USER, user.name, kind, value)
            record(writer, deed)

    def change_user(self, user: User, deed: Deed) -> None:
        """Raises NotFound."""
        with self._database.transaction() as writer:
            changed = writer.execute(
                "UPDATE users SET title = ?, email = ?, active = ?, away = ? WHERE name = ?",
                (user.title, user.email, int(user.active), int(user.away), user.name),
            ).rowcount
            if not changed:
                raise NotFound(f"there is no user `{user.name}`")
            record(writer, deed)

    def teams(self) -> list[Team]:
        """By name."""
        with self._database.snapshot() as reader:
            rows = reader.execute("SELECT name, title FROM teams ORDER BY name").fetchall()
        return [Team(name=name, title=title) for name, title in rows]

    def put_team(self, team: Team, deed: Deed) -> None:
        """Makes a team, or gives it another title."""
        with self._database.transaction() as writer:
            writer.execute("INSERT OR REPLACE INTO teams (name, title) VALUES (?, ?)", (team.name, team.title))
            record(writer, deed)

    def drop_team(self, name: str, deed: Deed) -> None:
        """With all that it holds. Raises NotFound."""
        with self._database.transaction() as writer:
            if not writer.execute("DELETE FROM teams WHERE name = ?", (name,)).rowcount:
                raise NotFound(f"there is no team `{name}`")
            writer.execute("DELETE FROM grants WHERE holder = 'team' AND name = ?", (name,))
            writer.execute("DELETE FROM grants WHERE kind = 'team' AND value = ?", (name,))
            record(writer, deed)

    def own_roles(self) -> list[OwnRole]:
        """By name."""
        with self._database.snapshot() as reader:
            rows = reader.execute("SELECT name, title, data FROM roles ORDER BY name").fetchall()
        return [_role(name, title, data) for name, title, data in rows]

    def put_role(self, role: OwnRole, deed: Deed) -> None:
        """Makes a role, or changes what it is."""
        data = dumps(
            {
                "permissions": sorted(role.permissions),
                "includes": list(role.includes),
                "own_accounts": role.own_accounts,
                "own_queues": role.own_queues,
            }
        )
        with self._database.transaction() as writer:
            writer.execute(
                "INSERT OR REPLACE INTO roles (name, title, data) VALUES (?, ?, ?)", (role.name, role.title, data)
            )
            record(writer, deed)

    def drop_role(self, name: str, deed: Deed) -> None:
        """Whoever has it loses it. Raises NotFound."""
        with self._database.transaction() as writer:
            if not writer.execute("DELETE FROM roles WHERE name = ?", (name,)).rowcount:
                raise NotFound(f"there is no role `{name}` that could be removed")
            writer.execute("DELETE FROM grants WHERE kind = 'role' AND value = ?", (name,))
            record(writer, deed)

    def held(self) -> list[Held]:
        """All grants, by holder."""
        with self._database.snapshot() as reader:
            rows = reader.execute("SELECT holder, name, kind, value FROM grants ORDER BY holder, name, kind, value")
            return [Held(holder=Holder(h), name=name, kind=Grant(kind), value=value) for h, name, kind, value in rows]

    def held_by(self, user: str) -> list[Held]:
        """What a user holds, also through teams."""
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT holder, name, kind, value FROM grants WHERE holder = 'user' AND name = ?1 UNION ALL "
                "SELECT holder, name, kind, value FROM grants WHERE holder = 'team' AND name IN "
                "(SELECT value FROM grants WHERE holder = 'user' AND name = ?1 AND kind = 'team')",
                (user,),
            ).fetchall()
        return [Held(holder=Holder(h), name=name, kind=Grant(kind), value=value) for h, name, kind, value in rows]

    def give(self, grant: Held, deed: Deed) -> None:
        """Giving again changes nothing."""
        with self._database.transaction() as writer:
            _give(writer, grant.holder, grant.name, grant.kind, grant.value)
            record(writer, deed)

    def take(self, grant: Held, deed: Deed) -> None:
        """Raises NotFound where it is not held."""
        with self._database.transaction() as writer:
            taken = writer.execute(
                "DELETE FROM grants WHERE holder = ? AND name = ? AND kind = ? AND value = ?",
                (grant.holder, grant.name, grant.kind, grant.value),
            ).rowcount
            if not taken:
                raise NotFound(f"{grant.holder} `{grant.name}` does not hold {grant.kind} `{grant.value}`")
            record(writer, deed)

    def members_of(self, queue: str) -> list[Member]:
        """The active users who are members of a queue, by name."""
        with self._database.snapshot() as reader:
            return members(reader, queue)


def members(connection: sqlite3.Connection, queue: str) -> list[Member]:
    """See `members_of`."""
    rows = connection.execute(_MEMBERS, (queue,)).fetchall()
    return [Member(name=name, skills=_skills(connection, name), away=bool(away)) for name, away in rows]


_MEMBERS = """
SELECT u.name, u.away FROM users u
WHERE u.active = 1 AND u.name IN (
  SELECT name FROM grants WHERE kind = 'queue' AND value = ?1 AND holder = 'user'
  UNION
  SELECT m.name FROM grants g JOIN grants m ON m.kind = 'team' AND m.value = g.name AND m.holder = 'user'
  WHERE g.kind = 'queue' AND g.value = ?1 AND g.holder = 'team'
)
ORDER BY u.name
"""
_SKILLS = """
SELECT value FROM grants
WHERE kind = 'skill' AND (
  holder = 'user' AND name = ?1
  OR holder = 'team' AND name IN (SELECT value FROM grants WHERE holder = 'user' AND name = ?1 AND kind = 'team')
)
"""


def _give(writer: sqlite3.Connection, holder: Holder, name: str, kind: Grant, value: str) -> None:
    writer.execute(
        "INSERT OR IGNORE INTO grants (holder, name, kind, value) VALUES (?, ?, ?, ?)", (holder, name, kind, value)
    )


def _skills(reader: sqlite3.Connection, user: str) -> frozenset[str]:
    return frozenset(value for (value,) in reader.execute(_SKILLS, (user,)))


def _user(row: tuple[str, str, str, int, int, int]) -> User:
    name, title, email, active, away, created_at = row
    return User(
        name=name,
        title=title,
        email=email,
        active=bool(active),
        away=bool(away),
        created_at=instant(created_at),
    )


def _role(name: str, title: str, data: bytes) -> OwnRole:
    found = loads(data)
    known = set(Permission)
    return OwnRole(
        name=name,
        title=title,
        # a permission that this version of the software does not know grants nothing
        permissions=frozenset(Permission(each) for each in found["permissions"] if each in known),
        includes=tuple(found["includes"]),
        own_accounts=found["own_accounts"],
        own_queues=found["own_queues"],
    )
