"""Who may work which queue, as of one moment."""

from __future__ import annotations

from orderloom.models.journal import WorkKind
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.access.principals import Principal
from orderloom.runtime.access.resolving import all_roles, principal
from orderloom.runtime.store.interface import Store


class People:
    """Looked up once for each, so not to be kept for long. In a store without users everybody may work all queues."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._users = {user.name: user for user in store.users()}
        self._roles = all_roles(store.own_roles())
        self._principals: dict[str, Principal] = {}

    def skills(self, name: str) -> frozenset[str] | None:
        """None where nothing is known of anybody's skills."""
        if not self._users:
            return None
        return self._principal(name).skills if name in self._users else frozenset()

    def works(self, name: str, queue: str) -> bool:
        """Whether items of the queue may wait for them."""
        return not self._users or (not self._refusal(name, queue) and not self._users[name].away)

    def refusal(self, name: str, queue: str, kind: WorkKind) -> str:
        """Why an item cannot be given to somebody, "" where it can."""
        if not self._users:
            return ""
        if reason := self._refusal(name, queue):
            return reason
        if kind is WorkKind.FALLOUT and not self._principal(name).may(Permission.FALLOUT_RESOLVE):
            return f"`{name}` may not resolve fallout"
        return ""

    def _refusal(self, name: str, queue: str) -> str:
        if name not in self._users or not self._users[name].active:
            return f"there is no active user `{name}`"
        found = self._principal(name)
        if not found.may(Permission.WORK_DO):
            return f"`{name}` may not do work"
        return "" if found.sees_queue(queue) else f"`{name}` is no member of `{queue}`"

    def _principal(self, name: str) -> Principal:
        found = self._principals.get(name)
        if found is None:
            found = self._principals[name] = principal(name, self._store.held_by(name), self._roles)
        return found
