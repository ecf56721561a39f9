"""The worker's part: from the feed to deliveries, from deliveries to attempts, from attempts to what became of them.

Everything is a row before anything is sent, and a row is done only after the receiver has taken it: so the process may
end anywhere, and what was under way is sent again, under the same delivery id.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import datetime

from orderloom.runtime.clock import Clock
from orderloom.runtime.notifications.channels import most_hours, most_tries
from orderloom.runtime.notifications.matching import is_wanted
from orderloom.runtime.notifications.pacing import next_try
from orderloom.runtime.notifications.senders import NotDelivered, Senders
from orderloom.runtime.notifications.wording import BadValue, wording
from orderloom.runtime.store.deliveries import Attempted, Channel, Delivery, DeliveryState, OrderBrief, Untold
from orderloom.runtime.store.errors import StoreError
from orderloom.runtime.store.interface import Store
from orderloom.runtime.store.views import PublishedEvent

log = logging.getLogger(__name__)

#: events of the feed looked at in one go
EVENTS = 100


class Notifications:
    """See `worker.duties.Duty`."""

    def __init__(self, store: Store, senders: Senders, clock: Clock) -> None:
        self._store = store
        self._senders = senders
        self._clock = clock
        #: what is being sent, or was and is not settled yet, by id
        self._under_way: dict[int, asyncio.Task[None] | None] = {}
        self._attempts: list[Attempted] = []
        self._turn: asyncio.Task[None] | None = None
        #: nothing new is sent
        self._closing = False

    @property
    def busy(self) -> bool:
        return self._turn is not None or bool(self._under_way)

    def attend(self, now: datetime) -> bool:
        if self._turn is not None:
            return False
        due = self._store.next_delivery()
        if not self._attempts and not self._store.untold() and (due is None or due > now):
            return False
        self._begin_turn(now)
        return True

    def next_due(self) -> datetime | None:
        return self._store.next_delivery()

    async def close(self, grace: float) -> None:
        self._closing = True
        if self._turn is not None:
            await self._turn
        running = [task for task in self._under_way.values() if task is not None]
        if running:
            _, late = await asyncio.wait(running, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._settle(self._clock.now())
        self._under_way.clear()
        await self._senders.close()
        self._closing = False

    # --- one turn ----------------------------------------------------------------------------------------------------

    def _begin_turn(self, now: datetime) -> None:
        self._turn = asyncio.get_running_loop().create_task(self._take_turn(now))

    async def _take_turn(self, now: datetime) -> None:
        try:
            await self._settle(now)
            await asyncio.to_thread(self._route, now)
            found = await asyncio.to_thread(self._next, dict(self._under_way), now)
            for channel, delivery in () if self._closing else found:
                self._under_way[delivery.id] = asyncio.get_running_loop().create_task(self._attempt(channel, delivery))
        except StoreError as error:
            log.error("notifications wait: %s", error)
            await asyncio.sleep(1)
        finally:
            self._turn = None
        self._go_on()

    def _go_on(self) -> None:
        """What has ended meanwhile is settled together, at once: something may wait behind it."""
        if self._attempts and self._turn is None and not self._closing:
            self._begin_turn(self._clock.now())

    async def _settle(self, now: datetime) -> None:
        attempts, self._attempts = self._attempts, []
        if not attempts:
            return
        try:
            await asyncio.to_thread(self._store.settle, attempts, now)
        except StoreError:
            self._attempts = attempts + self._attempts
            raise
        for each in attempts:
            self._under_way.pop(each.delivery.id, None)

    def _route(self, now: datetime) -> None:
        if not self._store.untold():
            return
        found = self._store.next_untold(EVENTS)
        if found.events:
            last = found.events[-1].sequence
            behind = [channel for channel in found.channels if channel.position < last]
            self._store.route(behind, last, deliveries(found, now))

    def _next(self, under_way: dict[int, object], now: datetime) -> list[tuple[Channel, Delivery]]:
        found: list[tuple[Channel, Delivery]] = []
        for channel in self._store.channels():
            if channel.paused:
                continue
            limit = self._senders.at_once(channel)
            # what is under way is due too, and stands first
            due = self._store.due_deliveries(channel.name, now, limit + len(under_way))
            running = Counter(each.id in under_way for each in due)[True]
            fresh = [each for each in due if each.id not in under_way]
            found += [(channel, each) for each in fresh[: max(0, limit - running)]]
        return found

    async def _attempt(self, channel: Channel, delivery: Delivery) -> None:
        error, again = "", None
        try:
            await self._senders.send(channel, delivery, self._clock.now())
        except asyncio.CancelledError:
            # the row still waits
            self._under_way.pop(delivery.id, None)
            raise
        except NotDelivered as problem:
            error = str(problem)
        except Exception as problem:
            # a defect must not hold up the other channels
            log.exception("delivery `%s`", delivery.key)
            error = f"failed: {type(problem).__name__}"
        if error:
            again = next_try(delivery, self._clock.now(), most_tries(channel), most_hours(channel))
        self._attempts.append(Attempted(delivery=delivery, error=error, again=again))
        self._under_way[delivery.id] = None
        self._go_on()


def deliveries(found: Untold, now: datetime) -> list[Delivery]:
    """What the channels are to be told of these events, in the order of the feed."""
    return [
        worded(channel, event, found.orders.get(event.order), now)
        for event in found.events
        for channel in found.channels
        if event.sequence > channel.position and is_wanted(channel.wanted, event, found.orders.get(event.order))
    ]


def worded(channel: Channel, event: PublishedEvent, order: OrderBrief | None, now: datetime) -> Delivery:
    """The delivery of an event, as it will be sent; given up at once where its template fails on it."""
    subject, body, error = "", b"", ""
    try:
        message = wording(channel).message(channel, event, order, f"{channel.name}:{event.sequence}")
        subject, body = message.subject, message.body
    except BadValue as problem:
        error = f"the template fails: {problem}"
    return Delivery(
        channel=channel.name,
        sequence=event.sequence,
        order=event.order,
        kind=event.kind,
        at=event.at,
        subject=subject,
        body=body,
        state=DeliveryState.DEAD if error else DeliveryState.WAITING,
        since=now,
        error=error,
        settled_at=now if error else None,
    )
