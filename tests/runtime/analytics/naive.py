"""The same numbers, reckoned the plain way: by reading all journals whole, and with exact percentiles."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from orderloom.models.journal import Entry, EntryKind, FalloutResolved, LineCorrected
from orderloom.runtime.store.sqlite import SqliteStore
from orderloom.runtime.store.views import OrderFilter, WorkFilter, WorkState

FINAL = ("completed", "cancelled", "rejected", "failed", "partial")


@dataclass
class Naive:
    """Counts and spans (seconds) by measure and subject."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    spans: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, measure: str, subject: str = "", span: float | None = None) -> None:
        self.counts[measure, subject] += 1
        if span is not None:
            self.spans[measure, subject].append(span)


def reckon(store: SqliteStore, counts: Callable[[datetime], bool], product: str = "") -> Naive:
    """Of all instants for which `counts` is true."""
    naive = Naive()
    for view in store.orders(OrderFilter(), limit=100_000):
        state = store.state(view.id)
        if product and product not in {item.spec for item in state.order.items if not item.parent}:
            continue
        _order(naive, store, view.id, view.submitted_at, counts)
    for item in store.work(WorkFilter(states=(WorkState.DONE,)), limit=100_000):
        assert item.closed_at is not None
        products = {each.spec for each in store.state(item.order).order.items if not each.parent}
        if counts(item.closed_at) and (not product or product in products):
            naive.add("work.done", item.queue, (item.closed_at - item.opened_at).total_seconds())
            if item.due is not None:
                naive.add("work.in_time" if item.closed_at <= item.due else "work.late", item.queue)
    return naive


def _order(
    naive: Naive, store: SqliteStore, order: str, submitted: datetime, counts: Callable[[datetime], bool]
) -> None:
    records = store.journal(order, limit=100_000)
    if records and counts(submitted):
        naive.add("order.submitted")
    fell = changed = False
    begun: dict[str, datetime] = {}
    for record in records:
        counted = counts(record.at)
        if counted and isinstance(record.event, FalloutResolved):
            naive.add(f"hand.{record.event.action}", record.event.task.split("/")[-1])
        if counted and isinstance(record.event, LineCorrected):
            naive.add("hand.correct")
        for entry in record.entries:
            fell = _task(naive, entry, begun, record.at, counted) or fell
            if entry.kind is EntryKind.CHANGE and entry.data["stage"] == "applied":
                changed = True
                if counted:
                    naive.add(f"change.{entry.data['change']}")
        (final,) = [
            str(entry.data["to"])
            for entry in record.entries
            if entry.kind is EntryKind.ORDER_STATE and entry.data["to"] in FINAL
        ] or [""]
        if final and counted:
            naive.add(f"order.{final}", "", (record.at - submitted).total_seconds())
            if fell:
                naive.add("order.fell")
            elif final == "completed" and not changed:
                naive.add("order.right")


def _task(naive: Naive, entry: Entry, begun: dict[str, datetime], at: datetime, counted: bool) -> bool:
    """Returns whether the task fell out."""
    if entry.kind is not EntryKind.TASK_STATE:
        return False
    through = entry.data.get("through", [])
    assert isinstance(through, list)
    states = [*through, entry.data["to"]]
    definition = entry.subject.split("/")[-1]
    if "ready" in states or "running" in states or "waiting" in states:
        begun.setdefault(entry.subject, at)
    if states[-1] == "completed":
        start = begun.pop(entry.subject)
        if counted:
            naive.add("task.done", definition, (at - start).total_seconds())
    elif states[-1] in ("skipped", "cancelled", "discarded", "amended"):
        begun.pop(entry.subject, None)
        if states[-1] == "skipped" and counted:
            naive.add("task.skipped", definition)
    if counted and "fallout" in states:
        naive.add("task.fell", definition)
    return "fallout" in states


def percentile(spans: list[float], share: float) -> float | None:
    """By nearest rank."""
    return sorted(spans)[max(1, math.ceil(share * len(spans))) - 1] if spans else None
