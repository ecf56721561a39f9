"""Control of the running system on the host's face: connectors, breakers, limits, paused tasks, a drained worker.

All of it is rows; the worker, in whatever process, takes it up within a moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from orderloom.models.conversion import Json
from orderloom.models.integration import ConnectorDefinition
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.errors import NotAllowed, UnknownBundle, UnknownConnector, UnknownDefinition
from orderloom.runtime.face import Face
from orderloom.runtime.pace import Pace
from orderloom.runtime.store.controls import EVERY_CONNECTOR, EVERY_PRIORITY, Controls, Drain, Pause, Restraint
from orderloom.runtime.store.errors import NotFound
from orderloom.runtime.views import BreakerView, ConnectorView, LimitView

#: of orders: 0 highest … 4
_PRIORITIES = range(5)


class Control(Face):
    """The part of `Runtime` for those who look after connectors and the worker."""

    # --- connectors

    @needs(Permission.CONNECTORS_VIEW)
    async def connectors(self) -> list[ConnectorView]:
        """The external systems of the active bundles, by name, with what operators want of them."""
        controls, calls, now = self._store.controls(), self._store.calls_waiting(), self._clock.now()
        found: dict[str, ConnectorView] = {}
        for bundle in self._store.active_bundles():
            for name, definition in (await self._design(bundle.digest)).connectors.items():
                before = found[name].bundles if name in found else ()
                found[name] = ConnectorView(
                    name=name,
                    title=definition.title,
                    kind=definition.kind,
                    held=name in controls.held,
                    reason=controls.held.get(name, ""),
                    bundles=(*before, bundle.name),
                    calls=calls.get(name, 0),
                    release=str(Pace(controls.releases[name].pace)) if name in controls.releases else "",
                    breaker=_breaker(controls, definition, now),
                    limits=_limits(controls, definition),
                )
        return [found[name] for name in sorted(found)]

    @needs(Permission.CONNECTORS_CONTROL)
    async def hold_connector(self, name: str, reason: str = "", by: str = "") -> None:
        """Takes an external system offline: calls to it wait, and none fails. Raises UnknownConnector."""
        await self._connector(name)
        deed = self._deed("hold_connector", "connector", name, by=by, after={"held": True}, reason=reason)
        self._store.hold_connector(name, reason, deed)
        self._host.wake()

    @needs(Permission.CONNECTORS_CONTROL)
    async def release_connector(self, name: str, by: str = "", pace: Pace | None = None, reason: str = "") -> None:
        """Sends the calls that waited; at that pace, until the last of them is out, so that the system is not overrun
        when it comes back. Raises UnknownConnector, NotAllowed where it is not held."""
        if name not in self._store.held_connectors():
            await self._connector(name)
            raise NotAllowed(what="release", why=f"`{name}` is not held")
        after: dict[str, Json] = {"pace": str(pace)} if pace else {}
        deed = self._deed(
            "release_connector", "connector", name, by=by, before={"held": True}, after=after, reason=reason
        )
        self._store.release_connector(name, deed, pace.interval if pace else None, deed.at)
        self._host.wake()

    @needs(Permission.CONNECTORS_CONTROL)
    async def limit_connector(
        self,
        name: str = EVERY_CONNECTOR,
        *,
        priority: int | None = None,
        at_once: int | None = None,
        pace: Pace | None = None,
        by: str = "",
        reason: str = "",
    ) -> None:
        """At most so many calls at once, and at that pace; of one connector or, for "", of all together; of one
        priority or of all. What the design says stays the upper bound. Without both, it is as the design says. Raises
        UnknownConnector, NotAllowed."""
        if name != EVERY_CONNECTOR:
            await self._connector(name)
        if priority is not None and priority not in _PRIORITIES:
            raise NotAllowed(what="limit", why=f"priorities go from 0 to 4, not {priority}")
        if at_once is not None and at_once < 1:
            raise NotAllowed(what="limit", why="at least one call at once; hold the connector for none")
        level = EVERY_PRIORITY if priority is None else priority
        former = self._store.controls().limits.get((name, level))
        limit = Restraint(at_once=at_once, pace=pace.interval if pace else None)
        wanted = None if at_once is None and pace is None else limit
        deed = self._deed(
            "limit_connector",
            "connector",
            name,
            by=by,
            before=_shown(former, priority),
            after=_shown(wanted, priority),
            reason=reason,
        )
        self._store.limit(name, level, wanted, deed)
        self._host.wake()

    @needs(Permission.CONNECTORS_VIEW)
    async def shared_limits(self) -> list[LimitView]:
        """What operators allow to all connectors together, by priority."""
        controls = self._store.controls()
        return [_limit(priority, limit) for (name, priority), limit in controls.limits.items() if not name]

    @needs(Permission.CONNECTORS_CONTROL)
    async def open_breaker(self, name: str, by: str = "", reason: str = "") -> None:
        """Lets no call pass for the pause that the design gives the breaker, as though the system had failed. Raises
        UnknownConnector, NotAllowed where it has no breaker."""
        await self._ask_breaker(name, "open", by, reason)

    @needs(Permission.CONNECTORS_CONTROL)
    async def close_breaker(self, name: str, by: str = "", reason: str = "") -> None:
        """Lets calls pass again at once, and forgets the failures. Raises UnknownConnector, NotAllowed."""
        await self._ask_breaker(name, "closed", by, reason)

    # --- task definitions

    @needs(Permission.WORKER_CONTROL)
    async def pause_tasks(self, definition: str, bundle: str = "", by: str = "", reason: str = "") -> Pause:
        """Calls and manual tasks of a definition, `Plan.task`, that become ready from now on wait: no call is sent, and
        no work item can be taken. What is under way goes on. Raises UnknownDefinition, UnknownBundle."""
        active = self._store.active_bundles()
        if bundle and bundle not in {each.name for each in active}:
            raise UnknownBundle(name=bundle)
        designs = [await self._design(each.digest) for each in active if not bundle or each.name == bundle]
        known = {task.id for design in designs for plan in design.plans.values() for task in plan.tasks}
        if definition not in known:
            raise UnknownDefinition(definition=definition)
        deed = self._deed("pause_tasks", "definition", definition, by=by, after={"bundle": bundle}, reason=reason)
        pause = Pause(bundle=bundle, definition=definition, reason=reason, by=deed.who, at=deed.at)
        self._store.pause_tasks(pause, deed)
        self._host.wake()
        return pause

    @needs(Permission.WORKER_CONTROL)
    async def resume_tasks(self, definition: str, bundle: str = "", by: str = "", reason: str = "") -> int:
        """They go on; returns how many work items had waited. Raises UnknownDefinition where it is not paused."""
        deed = self._deed("resume_tasks", "definition", definition, by=by, before={"bundle": bundle}, reason=reason)
        try:
            freed = self._store.unpause_tasks(bundle, definition, deed)
        except NotFound:
            raise UnknownDefinition(definition=definition) from None
        self._host.wake()
        return freed

    @needs(Permission.PLANS_VIEW)
    async def paused_tasks(self) -> list[Pause]:
        """Definitions whose tasks wait, oldest first."""
        return self._store.pauses()

    # --- the worker

    @needs(Permission.WORKER_CONTROL)
    async def drain(self, *, ends: bool = False, by: str = "", reason: str = "") -> Drain:
        """The worker ends what is under way and takes nothing new, no event, no timer, no call, until `undrain`; with
        `ends` its process ends then. Meanwhile requests are kept in the inbox."""
        deed = self._deed("drain", "worker", by=by, after={"ends": ends}, reason=reason)
        drain = Drain(by=deed.who, reason=reason, at=deed.at, ends=ends)
        self._store.start_drain(drain, deed)
        self._host.wake()
        return drain

    @needs(Permission.WORKER_CONTROL)
    async def undrain(self, by: str = "", reason: str = "") -> bool:
        """The worker takes up what came meanwhile; returns whether it was drained."""
        if self._store.drain() is None:
            return False
        ended = self._store.end_drain(self._deed("undrain", "worker", by=by, reason=reason))
        self._host.wake()
        return ended

    @needs(Permission.WORKER_CONTROL)
    async def drained(self) -> Drain | None:
        """Whether the worker takes nothing new, and since when nothing is under way; None where it works."""
        return self._store.drain()

    @needs(Permission.WORKER_CONTROL)
    async def worker_runs(self) -> bool:
        """Whether a worker runs on the store, here or in another process."""
        return self._host.worker_runs()

    # --- inside

    async def _connector(self, name: str) -> ConnectorDefinition:
        for bundle in self._store.active_bundles():
            found = (await self._design(bundle.digest)).connectors.get(name)
            if found is not None:
                return found
        raise UnknownConnector(connector=name)

    async def _ask_breaker(self, name: str, asked: str, by: str, reason: str) -> None:
        if (await self._connector(name)).breaker is None:
            raise NotAllowed(what="breaker", why=f"`{name}` has no breaker; hold the connector instead")
        row = self._store.controls().breakers.get(name)
        before = {"state": row.state if row else "closed"}
        deed = self._deed("breaker", "connector", name, by=by, before=before, after={"state": asked}, reason=reason)
        self._store.ask_breaker(name, asked, deed.at, deed)
        self._host.wake()


def _breaker(controls: Controls, definition: ConnectorDefinition, now: datetime) -> BreakerView | None:
    if definition.breaker is None:
        return None
    row = controls.breakers.get(definition.name)
    if row is None:
        return BreakerView(state="closed", since=None, failures=0, until=None)
    until = row.opens_until
    if until is not None and until <= now:
        return BreakerView(state="half-open", since=until, failures=row.failures, until=None, asked=row.asked)
    return BreakerView(state=row.state, since=row.since, failures=row.failures, until=until, asked=row.asked)


def _limits(controls: Controls, definition: ConnectorDefinition) -> tuple[LimitView, ...]:
    limit = definition.limit
    found = [_limit(priority, each) for (name, priority), each in controls.limits.items() if name == definition.name]
    if limit.concurrent or limit.per_second:
        pace = str(Pace.of(limit.per_second)) if limit.per_second else None
        found.append(LimitView(priority=None, at_once=limit.concurrent, pace=pace, by_operator=False))
    return tuple(found)


def _limit(priority: int, limit: Restraint) -> LimitView:
    return LimitView(
        priority=None if priority == EVERY_PRIORITY else priority,
        at_once=limit.at_once,
        pace=str(Pace(limit.pace)) if limit.pace is not None else None,
        by_operator=True,
    )


def _shown(limit: Restraint | None, priority: int | None) -> Mapping[str, Json]:
    if limit is None:
        return {"priority": priority}
    pace = str(Pace(limit.pace)) if limit.pace is not None else None
    return {"priority": priority, "at_once": limit.at_once, "pace": pace}
