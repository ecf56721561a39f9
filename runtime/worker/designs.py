"""The programs of deployed bundles as the worker uses them, and the events of orders whose program cannot be had."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from time import monotonic

from orderloom.engine.program import Program
from orderloom.runtime.worker.arrivals import Arrival

log = logging.getLogger(__name__)

#: seconds until a bundle that could not be loaded is tried again
RETRY = 30.0


class Unavailable(Exception):
    """A bundle cannot be loaded now; the message says which and why."""


class Designs:
    """Each program is loaded once. One that cannot be is tried again from time to time; the orders that run on it are
    parked meanwhile, and nothing of theirs counts as failed."""

    def __init__(self, load: Callable[[str], Program]) -> None:
        self._load = load
        self._programs: dict[str, Program] = {}
        #: why a bundle cannot be loaded, and when it is tried again
        self._failed: dict[str, tuple[str, float]] = {}
        self._parked: dict[str, list[Arrival]] = {}

    def program(self, digest: str) -> Program:
        """Raises Unavailable."""
        found = self._programs.get(digest)
        if found is None:
            found = self._programs[digest] = self._loaded(digest)
        return found

    def park(self, digest: str, arrivals: Iterable[Arrival]) -> None:
        """Events of an order that runs on a bundle that is unavailable; they are durable elsewhere."""
        self._parked.setdefault(digest, []).extend(arrivals)

    def parked(self) -> int:
        """Number of events."""
        return sum(len(arrivals) for arrivals in self._parked.values())

    def freed(self) -> list[Arrival]:
        """Events whose bundle is available again, as they came; they are parked no more."""
        return [
            arrival for digest in list(self._parked) if self._available(digest) for arrival in self._parked.pop(digest)
        ]

    def retry(self) -> None:
        """Bundles that could not be loaded are tried when they are asked for next."""
        self._failed = {digest: (why, 0.0) for digest, (why, _until) in self._failed.items()}

    def _available(self, digest: str) -> bool:
        try:
            self.program(digest)
        except Unavailable:
            return False
        return True

    def _loaded(self, digest: str) -> Program:
        why, until = self._failed.get(digest, ("", 0.0))
        if until > monotonic():
            raise Unavailable(why)
        try:
            program = self._load(digest)
        except Exception as error:
            reason = f"bundle {digest[:12]} cannot be loaded, and its orders wait: {error}"
            if reason != why:
                log.error("%s", reason)
            self._failed[digest] = reason, monotonic() + RETRY
            raise Unavailable(reason) from error
        self._failed.pop(digest, None)
        if why:
            log.warning("bundle %s is loaded, and its orders go on", digest[:12])
        return program
