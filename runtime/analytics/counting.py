"""From what happened to facts: pure, so that counting anew gives the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from orderloom.models.order import OrderStatus
from orderloom.runtime.store.facts import (
    HOUR,
    FactKey,
    JournalRow,
    JournalSlice,
    OrderHeader,
    OtherSlice,
    Tally,
    ToldRow,
    WorkRow,
)
from orderloom.runtime.store.histograms import bin_of

#: between a cause's error code and the task definition that it befell
CAUSE = "\t"

_FINAL = frozenset(str(status) for status in OrderStatus if status.final)
_BEGUN = frozenset(("ready", "running", "waiting"))
_OVER = frozenset(("skipped", "cancelled", "discarded", "amended"))
_ATTACHED = frozenset(("undo", "cancel", "amend", "resolve"))
#: verdicts of a change on tasks that are rework, and what is counted
_REWORK = {
    "redo": ("task.redone",),
    "undo": ("task.undone",),
    "undo and redo": ("task.undone", "task.redone"),
    "amend": ("task.amended",),
    "restart": ("task.restarted",),
}
#: ends of work items
_ENDED = frozenset(("done", "closed"))


@dataclass(slots=True)
class Counted:
    """Facts of some rows."""

    facts: dict[FactKey, Tally] = field(default_factory=dict)
    #: what is to be known of orders that go on
    memories: dict[str, dict[str, Any]] = field(default_factory=dict)
    over: list[str] = field(default_factory=list)

    def add(self, measure: str, subject: str, at: int, products: Iterable[str] = (), span: int | None = None) -> None:
        """Counts once for all orders and once for each product; `at` and `span` in microseconds."""
        hour = at // HOUR
        bin = None if span is None else bin_of(span)
        for product in ("", *products):
            key = FactKey(measure, product, hour, subject)
            tally = self.facts.get(key)
            if tally is None:
                tally = self.facts[key] = Tally()
            tally.count += 1
            if bin is not None and span is not None:
                tally.total += span
                tally.bins[bin] = tally.bins.get(bin, 0) + 1


def definition_of(task: str) -> str:
    """The definition of a task by its id, see `models.plan.Task`."""
    *before, last = task.rsplit("/", 2)
    last = last.partition("~")[0]
    if last in _ATTACHED and before:
        return f"{before[-1].partition('~')[0]}/{last}"
    return "conflict" if last.startswith("conflict ") else last


def count_journal(found: JournalSlice) -> Counted:
    """Facts of rows of the journal."""
    counted = Counted()
    memories = {order: dict(memory) for order, memory in found.memories.items()}
    over: set[str] = set()
    for row in found.rows:
        memory = memories.get(row.order)
        if memory is None:
            memory = memories[row.order] = _begun(counted, row, found.headers.get(row.order))
        if _count(counted, row, memory):
            over.add(row.order)
            counted.over.append(row.order)
            memory.update(late=True, since={})
    counted.memories = {
        order: memory for order, memory in memories.items() if order not in over and not memory.get("late")
    }
    return counted


def _begun(counted: Counted, row: JournalRow, header: OrderHeader | None) -> dict[str, Any]:
    submitted, products = header or OrderHeader(row.at, ())
    memory: dict[str, Any] = {"submitted": submitted, "products": list(products), "since": {}}
    if row.version == 1:
        counted.add("order.submitted", "", submitted, products)
    else:
        # it was over already
        memory["late"] = True
    return memory


def _count(counted: Counted, row: JournalRow, memory: dict[str, Any]) -> bool:
    """Returns whether the order is over."""
    products, at, event = memory["products"], row.at, row.event
    kind = event["kind"]
    if kind == "fallout":
        counted.add(f"hand.{event['action']}", definition_of(event["task"]), at, products)
    elif kind == "corrected":
        counted.add("hand.correct", "", at, products)
    final = ""
    for entry, subject, data in row.entries:
        if entry == "task.state":
            _count_task(counted, row, memory, subject, data)
        elif entry == "order.state" and data["to"] in _FINAL:
            final = data["to"]
        elif entry == "change" and data["stage"] == "applied":
            counted.add(f"change.{data['change']}", "", at, products)
            memory["changed"] = memory.get("changed") or data["change"] != "migrate"
        elif entry == "task.changed":
            for measure in _REWORK.get(data["verdict"], ()):
                counted.add(measure, definition_of(subject), at, products)
    if not final or memory.get("late"):
        return False
    counted.add(f"order.{final}", "", at, products, max(0, at - memory["submitted"]))
    if memory.get("fell"):
        counted.add("order.fell", "", at, products)
    elif final == OrderStatus.COMPLETED and not memory.get("changed"):
        counted.add("order.right", "", at, products)
    return True


def _count_task(counted: Counted, row: JournalRow, memory: dict[str, Any], task: str, data: Mapping[str, Any]) -> None:
    states = (data["from"], *data.get("through", ()), data["to"])
    definition, products, since = definition_of(task), memory["products"], memory["since"]
    for before, after in pairwise(states):
        if after == "fallout":
            memory["fell"] = True
            counted.add("task.fell", definition, row.at, products)
            counted.add("cause", _cause(row.event, task) + CAUSE + definition, row.at, products)
        elif after == "scheduled" and before == "failed":
            counted.add("task.retried", definition, row.at, products)
        if after in _BEGUN and not memory.get("late"):
            since.setdefault(task, row.at)
    if states[-1] == "completed":
        begun = since.pop(task, None)
        counted.add("task.done", definition, row.at, products, None if begun is None else max(0, row.at - begun))
    elif states[-1] in _OVER:
        since.pop(task, None)
        if states[-1] == "skipped":
            counted.add("task.skipped", definition, row.at, products)


def _cause(event: Mapping[str, Any], task: str) -> str:
    if event.get("task") != task:
        return "not possible any more"
    return str(event.get("code") or {"timer": "not in time"}.get(event["kind"], "failed"))


def count_other(found: OtherSlice) -> Counted:
    """Facts of the history of work, and of what the feed tells of work."""
    counted = Counted()
    for row in found.rows:
        header = found.headers.get(row.order)
        products = header.products if header else ()
        if isinstance(row, WorkRow):
            _count_work(counted, row, products)
        elif isinstance(row, ToldRow):
            counted.add(f"told.{row.kind}", str(row.data.get("queue", "")), row.at, products)
    return counted


def _count_work(counted: Counted, row: WorkRow, products: tuple[str, ...]) -> None:
    if row.what not in _ENDED:
        counted.add(f"work.{row.what}", row.queue, row.at, products)
        return
    counted.add("work.done", row.queue, row.at, products, max(0, row.at - row.opened_at))
    if row.due is not None:
        counted.add("work.in_time" if row.at <= row.due else "work.late", row.queue, row.at, products)
