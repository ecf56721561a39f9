"""Watch rules on the host's face."""

from __future__ import annotations

from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.face import Face
from orderloom.runtime.store.watches import WatchView


class WatchRules(Face):
    """The part of `Runtime` for those who look after the running system."""

    @needs(Permission.CONNECTORS_VIEW)
    async def watches(self) -> list[WatchView]:
        """The watch rules of the active bundles: how far each has counted, and when it fired."""
        rules = {each.name: (await self._design(each.digest)).watches for each in self._store.active_bundles()}
        return self._store.watch_views(rules, self._clock.now())
