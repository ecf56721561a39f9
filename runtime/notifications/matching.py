"""Which events a channel is told, and what of them."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from orderloom.models.conversion import Json
from orderloom.runtime.store.deliveries import OrderBrief, Wanted
from orderloom.runtime.store.views import PublishedEvent

#: what customers may be told: kind -> members of its data
_FOR_CUSTOMERS: Mapping[str, tuple[str, ...]] = {
    "order.state": ("order", "from", "to"),
    "order.expected": ("order", "from", "to"),
    "milestone": ("order", "text"),
    "order.information_required": ("event", "order", "attributes", "text"),
}


def is_wanted(wanted: Wanted, event: PublishedEvent, order: OrderBrief | None) -> bool:
    """Whether all conditions hold; one on orders does not for an event of no order."""
    if wanted.kinds and not any(fnmatchcase(event.kind, kind) for kind in wanted.kinds):
        return False
    if wanted.visible_only and not _is_for_customers(event):
        return False
    if wanted.accounts and (order is None or order.account not in wanted.accounts):
        return False
    if wanted.products and (order is None or not set(wanted.products).intersection(order.products)):
        return False
    return not wanted.queues or not set(wanted.queues).isdisjoint(_queues(event))


def _queues(event: PublishedEvent) -> set[str]:
    """The queue that it is about, and those that a watch rule notifies."""
    queue, notified = event.data.get("queue"), event.data.get("notify")
    found = {str(each) for each in notified} if isinstance(notified, list) else set()
    return found | {queue} if isinstance(queue, str) else found


def told(wanted: Wanted, event: PublishedEvent) -> Mapping[str, Json]:
    """The data of an event as this channel gets it: nothing but words for customers where it is for them."""
    if not wanted.visible_only:
        return event.data
    return {name: event.data[name] for name in _FOR_CUSTOMERS[event.kind] if name in event.data}


def _is_for_customers(event: PublishedEvent) -> bool:
    return event.kind in _FOR_CUSTOMERS and (event.kind != "milestone" or event.data.get("visible") is True)
