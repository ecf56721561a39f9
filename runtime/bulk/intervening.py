"""Interventions on many failed tasks or orders, on the host's face."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta

from orderloom.models.conversion import Json, to_json
from orderloom.models.journal import WorkKind
from orderloom.models.order import OrderStatus
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.errors import NotAllowed, UnknownBulk, UnknownQueue
from orderloom.runtime.face import allowed
from orderloom.runtime.fallout import Fallout
from orderloom.runtime.pace import Pace
from orderloom.runtime.store.bulk_records import BulkAction, BulkView, NewBulk, Target, TargetState
from orderloom.runtime.store.causes import FalloutFilter
from orderloom.runtime.store.errors import NotFound
from orderloom.runtime.store.views import OrderFilter
from orderloom.runtime.views import plain

#: under way at once, where nothing else is said: of those that may fail again, and of the others
AT_ONCE, AT_ONCE_SURE = 20, 1000


class Intervening(Fallout):
    """The part of `Runtime` for those who do one thing to many. What a bulk does is done by the worker, durably; the
    methods return when its targets are frozen."""

    @needs(Permission.FALLOUT_BULK)
    async def start_bulk(
        self,
        action: BulkAction | str,
        where: FalloutFilter | None = None,
        *,
        items: Iterable[int] | None = None,
        values: Mapping[str, object] | None = None,
        outputs: Mapping[str, object] | None = None,
        queue: str = "",
        at: datetime | None = None,
        pace: Pace | None = None,
        at_once: int | None = None,
        most_failed: int | None = None,
        most_percent: int | None = None,
        by: str = "",
        reason: str = "",
    ) -> BulkView:
        """Does something to the failed tasks that are named, or that the filter finds now: retry, skip, complete (with
        `outputs`), handOver (to `queue`), correct (with `values`, then retry); from `at` on, at that pace.

        It stops by itself when more than `most_failed`, or `most_percent` in a hundred (of ten at least), have fallen
        out again. So few are under way at once (20 of those that may fail again) that this comes in time. Raises
        NotAllowed where there are none, UnknownWork, UnknownQueue.
        """
        wanted = BulkAction(action)
        if wanted in (BulkAction.HOLD, BulkAction.RESUME):
            raise NotAllowed(what=wanted, why="that is for orders")
        arguments = _arguments(wanted, values, outputs, queue)
        if queue:
            await self._known_queue(queue)
        if at_once is None:
            at_once = AT_ONCE if wanted in (BulkAction.RETRY, BulkAction.CORRECT) else AT_ONCE_SURE
        targets = None if items is None else [self._work_of(item, WorkKind.FALLOUT, wanted).id for item in items]
        return await self._start(
            wanted,
            self._seen(where),
            targets,
            arguments=arguments,
            at=at,
            pace=pace,
            at_once=at_once,
            most_failed=most_failed,
            most_percent=most_percent,
            by=by,
            reason=reason,
        )

    @needs(Permission.FALLOUT_RESOLVE)
    async def schedule_retry(self, item: int, at: datetime, by: str = "", reason: str = "") -> BulkView:
        """Tries a failed task again at that instant, unless it is done with by then; as a bulk of one, which can be
        stopped like any other. Raises UnknownWork, NotAllowed."""
        work = self._work_of(item, WorkKind.FALLOUT, "retry")
        return await self._start(BulkAction.RETRY, FalloutFilter(), [work.id], at=at, by=by, reason=reason)

    @needs(Permission.ORDERS_HOLD)
    async def hold_many(
        self,
        action: BulkAction | str = BulkAction.HOLD,
        *,
        orders: Sequence[str] | None = None,
        status: OrderStatus | str = "",
        account: str = "",
        bundle: str = "",
        pace: Pace | None = None,
        by: str = "",
        reason: str = "",
    ) -> BulkView:
        """Holds or resumes the orders that are named, or that the filter finds now. Raises UnknownOrder, NotAllowed
        where there are none."""
        wanted = BulkAction(action)
        if wanted not in (BulkAction.HOLD, BulkAction.RESUME):
            raise NotAllowed(what=wanted, why="that is for failed tasks")
        if status:
            statuses: tuple[OrderStatus, ...] = (OrderStatus(status),)
        else:
            holds = wanted is BulkAction.HOLD
            statuses = (OrderStatus.IN_PROGRESS, OrderStatus.PENDING) if holds else (OrderStatus.HELD,)
        design = self._active(bundle).digest if bundle else ""
        where = OrderFilter(statuses=statuses, account=account, accounts=self._principal.accounts, design=design)
        targets = None if orders is None else [self._order(each).id for each in orders]
        return await self._start(
            wanted, where, targets, at_once=AT_ONCE_SURE, pace=pace, by=by, reason=reason, bundle=bundle
        )

    @needs(Permission.FALLOUT_VIEW)
    async def bulks(self, limit: int = 100) -> list[BulkView]:
        """Newest first; those confined to queues or accounts see their own."""
        return self._store.bulks(limit, who=self._principal.name if self._confined() else "")

    @needs(Permission.FALLOUT_VIEW)
    async def bulk(self, number: int) -> BulkView:
        """How far it came. Raises UnknownBulk."""
        return self._bulk(number)

    @needs(Permission.FALLOUT_VIEW)
    async def bulk_targets(
        self, number: int, state: TargetState | str = "", limit: int = 100, after: int = 0
    ) -> list[Target]:
        """What it is about, in the order in which they are sent; `after` is the place of the last one seen. Raises
        UnknownBulk."""
        self._bulk(number)
        return self._store.bulk_targets(number, TargetState(state) if state else None, limit, after)

    @needs(Permission.FALLOUT_BULK)
    async def stop_bulk(self, number: int, by: str = "", reason: str = "") -> BulkView:
        """Sends nothing more of it; what is under way goes on. Raises UnknownBulk, NotAllowed."""
        before = {"state": self._bulk(number).state.value}
        deed = self._deed("stop_bulk", "bulk", str(number), by=by, before=before, reason=reason)
        message = f"stopped by {deed.who}" + (f": {reason}" if reason else "")
        with allowed("stop"):
            return self._store.stop_bulk(number, message, deed.at, deed)

    @needs(Permission.FALLOUT_BULK)
    async def resume_bulk(self, number: int, by: str = "", reason: str = "") -> BulkView:
        """Goes on where it stopped; what failed until then counts no more. Raises UnknownBulk, NotAllowed."""
        before = {"state": self._bulk(number).state.value}
        deed = self._deed("resume_bulk", "bulk", str(number), by=by, before=before, reason=reason)
        with allowed("resume"):
            found = self._store.resume_bulk(number, deed.at, deed)
        self._host.wake()
        return found

    # --- inside

    def _bulk(self, number: int) -> BulkView:
        try:
            found = self._store.bulk(number)
        except (NotFound, OverflowError):
            raise UnknownBulk(bulk=number) from None
        if self._confined() and found.who != self._principal.name:
            raise UnknownBulk(bulk=number)
        return found

    def _confined(self) -> bool:
        """What somebody else has started may be about work or orders that they do not see."""
        return self._principal.queues is not None or self._principal.accounts is not None

    async def _start(
        self,
        action: BulkAction,
        where: FalloutFilter | OrderFilter,
        targets: Sequence[int | str] | None,
        *,
        arguments: Mapping[str, Json] | None = None,
        at: datetime | None = None,
        pace: Pace | None = None,
        at_once: int = AT_ONCE,
        most_failed: int | None = None,
        most_percent: int | None = None,
        by: str,
        reason: str,
        bundle: str = "",
    ) -> BulkView:
        now = self._clock.now()
        chosen: dict[str, Json] = {"items": [*targets]} if targets is not None else _said(where)
        if bundle:
            chosen["bundle"] = bundle
        deed = self._deed(
            "start_bulk", "bulk", action.value, by=by, after={**chosen, **(arguments or {})}, reason=reason
        )
        new = NewBulk(
            action=action,
            arguments=arguments or {},
            targets=targets,
            where=where,
            chosen=chosen,
            who=deed.who,
            reason=reason,
            start_at=at or now,
            pace=pace.interval if pace else timedelta(0),
            at_once=at_once,
            most_failed=most_failed,
            most_percent=most_percent,
        )
        with allowed(action):
            found = await asyncio.to_thread(self._store.start_bulk, new, now, deed)
        self._host.wake()
        return found

    async def _known_queue(self, name: str) -> None:
        """Raises UnknownQueue."""
        queues: set[str] = set()
        for bundle in self._store.active_bundles():
            queues.update((await self._design(bundle.digest)).queues)
        if name not in queues:
            raise UnknownQueue(queue=name, known=", ".join(sorted(queues)))


def _arguments(
    action: BulkAction, values: Mapping[str, object] | None, outputs: Mapping[str, object] | None, queue: str
) -> dict[str, Json]:
    """What the action needs, and nothing else. Raises NotAllowed."""
    given: dict[str, Json] = {}
    for name, found, wanted in (
        ("values", values, BulkAction.CORRECT),
        ("outputs", outputs, BulkAction.COMPLETE),
        ("queue", queue, BulkAction.HAND_OVER),
    ):
        if found and action is not wanted:
            raise NotAllowed(what=action, why=f"it takes no {name}")
        if action is wanted and not found and name != "outputs":
            raise NotAllowed(what=action, why=f"it needs {name}")
        if found:
            given[name] = plain(found)
    return given


def _said(where: FalloutFilter | OrderFilter) -> dict[str, Json]:
    """A filter's conditions that say something, as JSON."""
    said: dict[str, Json] = {}
    for each in fields(where):
        value = getattr(where, each.name)
        if value and each.name not in ("queues", "accounts"):
            said[each.name] = [str(state) for state in value] if isinstance(value, tuple) else to_json(value)
    return said
