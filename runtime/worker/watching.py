"""The worker's duty to count for watch rules, and to do what they say."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from orderloom.models.watching import WatchRule
from orderloom.runtime.deployment import Library
from orderloom.runtime.errors import OrderloomError
from orderloom.runtime.store.watches import Watches, Watching

log = logging.getLogger(__name__)


class Watchman:
    """Looks at what has happened since the last time; what it keeps in memory is durable too."""

    def __init__(self, store: Watches, library: Library) -> None:
        self._store = store
        self._library = library
        self._watching = Watching()

    @property
    def busy(self) -> bool:
        return False

    def attend(self, now: datetime) -> bool:
        try:
            return self._store.tend_watches(self._watching, self._rules, now) > 0
        except BaseException:
            self._watching = Watching()
            raise

    def next_due(self) -> datetime | None:
        return None

    async def close(self, grace: float) -> None:
        """Nothing of it is ever under way."""

    def _rules(self, digest: str) -> Mapping[str, WatchRule]:
        try:
            return self._library.design(digest).watches
        except OrderloomError as error:
            log.error("the watch rules of bundle %s cannot be read: %s", digest[:12], error)
            return {}
