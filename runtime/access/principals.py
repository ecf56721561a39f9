"""Who acts: a person or a program, with what they may do and see."""

from __future__ import annotations

from dataclasses import dataclass

from orderloom.runtime.access.permissions import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody as of one moment: what roles, teams and memberships add up to."""

    name: str
    permissions: frozenset[Permission]
    roles: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    skills: frozenset[str] = frozenset()
    #: queues whose work they see and do; None for all
    queues: frozenset[str] | None = None
    #: accounts whose orders they see; None for all
    accounts: frozenset[str] | None = None
    #: speaks for others: names who acts in `by`
    trusted: bool = False

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def sees_queue(self, queue: str) -> bool:
        return self.queues is None or queue in self.queues

    def sees_account(self, account: str) -> bool:
        return self.accounts is None or account in self.accounts


#: the program around the host, which owns the store's files; it says itself for whom it acts
SYSTEM = Principal(name="system", permissions=frozenset(Permission), roles=("administrator",), trusted=True)
