"""The reports. Each is a function and a line of `REPORTS`; what it needs is facts by hour, never orders or tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orderloom.runtime.analytics.counting import CAUSE
from orderloom.runtime.analytics.figures import Cell, Column, Facts, Figure, change, read_facts, share
from orderloom.runtime.analytics.periods import Span
from orderloom.runtime.store.codec import micros
from orderloom.runtime.store.interface import Store

_ENDS = ("order.completed", "order.cancelled", "order.rejected", "order.failed", "order.partial")
_CHANGES = ("change.amend", "change.cancel", "change.migrate")
#: measure -> what is done once more
_REWORK = {
    "change.amend": "orders amended",
    "change.cancel": "cancellations",
    "change.migrate": "orders moved to another version",
    "task.redone": "tasks done again",
    "task.undone": "tasks taken back",
    "task.amended": "tasks amended",
    "task.restarted": "tasks started anew",
    "task.retried": "attempts by retry policy",
    "hand.retry": "retries by people",
    "hand.skip": "tasks skipped by people",
    "hand.complete": "tasks completed by hand",
    "hand.correct": "corrections of data",
}
_AGES = ((3600, "under 1 h"), (4 * 3600, "under 4 h"), (86400, "under 1 d"), (7 * 86400, "under 1 w"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for."""

    store: Store
    #: twice the window, so that the window before is there
    spans: Sequence[Span]
    #: periods of the window
    window: int
    product: str
    now: datetime
    #: queues that may be seen, None for all
    queues: frozenset[str] | None

    def facts(self, *measures: str, product: str | None = None) -> Facts:
        """Of these measures, for the product asked for or for this one."""
        wanted = self.product if product is None else product
        return read_facts(self.store, measures, wanted, self.spans, self.window)

    def sees(self, queue: str) -> bool:
        """Whether a queue may be seen."""
        return self.queues is None or queue in self.queues


@dataclass(frozen=True, slots=True)
class Table:
    """What a report shows."""

    columns: tuple[Column, ...]
    rows: list[tuple[Cell, ...]]
    figures: tuple[Figure, ...] = ()


def summary(asked: Question) -> Table:
    """One line for each of the measures that managers look at first."""
    found = asked.facts(
        *("order.submitted", *_ENDS, "order.fell", "order.right", "work.in_time", "work.late", *_CHANGES, "task.fell")
    )
    rows: list[tuple[Cell, ...]] = []

    def row(name: str, unit: str, now: float | None, before: float | None, trend: tuple[float | None, ...]) -> None:
        rows.append((name, unit, now, before, change(now, before), trend))

    for measure in ("order.submitted", *_ENDS):
        name = f"orders {measure.partition('.')[2]}"
        row(name, "", found.count(measure), found.count(measure, before=True), found.counts(measure))
    for part, name in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99")):
        now = found.seconds(part, "order.completed")
        before = found.seconds(part, "order.completed", before=True)
        row(f"cycle time {name}", "s", now, before, found.trend(part, "order.completed"))
    for name, part_of, whole in (
        ("fallout rate", ("order.fell",), _ENDS),
        ("first time right", ("order.right",), ("order.completed",)),
        ("work in time", ("work.in_time",), ("work.in_time", "work.late")),
    ):
        row(name, "share", *_share(found, part_of, whole), _shares(found, part_of, whole))
    row(
        "changes per order",
        "share",
        *_share(found, _CHANGES, ("order.submitted",)),
        _shares(found, _CHANGES, ("order.submitted",)),
    )
    columns = (
        *(Column("measure"), Column("unit"), Column("now", "row"), Column("before", "row")),
        *(Column("change", "change"), Column("trend", "trend")),
    )
    return Table(columns, rows)


def throughput(asked: Question) -> Table:
    """Orders by period."""
    found = asked.facts("order.submitted", *_ENDS)
    rows: list[tuple[Cell, ...]] = []
    before: float | None = found.count("order.completed", before=True) if asked.window == 1 else None
    for span, each in zip(asked.spans[-asked.window :], found.each, strict=True):
        counts: list[int] = [each[measure, ""].count for measure in ("order.submitted", *_ENDS)]
        rows.append((span.name, *counts, change(counts[1], before)))
        before = counts[1]
    names = ("submitted", *(measure.partition(".")[2] for measure in _ENDS))
    columns = (Column("period"), *(Column(name) for name in names), Column("change", "change"))
    return Table(columns, rows, tuple(_counted(found, measure) for measure in ("order.submitted", "order.completed")))


def cycle(asked: Question) -> Table:
    """How long orders of each product take from submission to completion, and steps from their start to their end."""
    columns = (
        *(Column("of"), Column("name"), Column("count")),
        *(Column(name, "s") for name in ("mean", "p50", "p90", "p99", "p90 before")),
        *(Column("change", "change"), Column("trend of p50", "trend")),
    )
    rows: list[tuple[Cell, ...]] = []
    products = [asked.product] if asked.product else ["", *asked.store.products_counted()]
    for product in products:
        found = asked.facts("order.completed", product=product)
        rows += _spans(found, "order.completed", "", ("order", product or "all products"))
    found = asked.facts("task.done")
    # where most of the time goes stands first
    for step in sorted(found.subjects("task.done"), key=lambda each: -found.now["task.done", each].total):
        rows += _spans(found, "task.done", step, ("step", step))
    return Table(columns, rows)


def _spans(found: Facts, measure: str, subject: str, lead: tuple[str, str]) -> list[tuple[Cell, ...]]:
    tally = found.now.get((measure, subject))
    if tally is None or not tally.count:
        return []
    now, before = (found.seconds(0.9, measure, subject, before=each) for each in (False, True))
    return [
        (
            *lead,
            tally.count,
            found.mean(measure, subject),
            found.seconds(0.5, measure, subject),
            now,
            found.seconds(0.99, measure, subject),
            before,
            change(now, before),
            found.trend(0.5, measure, subject),
        )
    ]


def queues(asked: Question) -> Table:
    """How old open work is, by queue, and how long work takes there. Open work is that of all products."""
    now = micros(asked.now) or 0
    ages: dict[str, list[float]] = defaultdict(list)
    unclaimed: dict[str, int] = defaultdict(int)
    overdue: dict[str, int] = defaultdict(int)
    for item in asked.store.open_work():
        ages[item.queue].append(max(0, now - item.opened_at) / 1e6)
        unclaimed[item.queue] += item.state == "open"
        overdue[item.queue] += item.due is not None and item.due < now
    found = asked.facts("work.done")
    rows: list[tuple[Cell, ...]] = []
    for queue in sorted({*ages, *found.subjects("work.done")}):
        if not asked.sees(queue):
            continue
        aged = ages.get(queue, [])
        steps = [sum(age < limit for age in aged) for limit, _ in _AGES]
        parts = [more - less for less, more in zip((0, *steps), (*steps, len(aged)), strict=False)]
        rows.append(
            (
                *(queue, len(aged), unclaimed[queue], overdue[queue]),
                max(aged, default=None),
                *parts,
                found.count("work.done", queue),
                found.seconds(0.5, "work.done", queue),
                found.seconds(0.9, "work.done", queue),
                found.counts("work.done", queue),
            )
        )
    columns = (
        *(Column("queue"), Column("open"), Column("unclaimed"), Column("overdue"), Column("oldest", "s")),
        *(Column(name) for name in (*(name for _, name in _AGES), "older", "done")),
        *(Column("p50", "s"), Column("p90", "s"), Column("trend of done", "trend")),
    )
    return Table(columns, rows)


def sla(asked: Question) -> Table:
    """How much of the work that had a due time was done by then, by queue."""
    measures = ("work.done", "work.in_time", "work.late", "told.work.warned", "told.work.breached")
    found = asked.facts(*measures)
    part, whole = ("work.in_time",), ("work.in_time", "work.late")
    rows: list[tuple[Cell, ...]] = []
    for queue in found.subjects(*measures):
        if not asked.sees(queue):
            continue
        now, before = _share(found, part, whole, queue)
        rows.append(
            (
                queue,
                *(found.count(measure, queue) for measure in measures),
                now,
                before,
                None if now is None or before is None else now - before,
                _shares(found, part, whole, queue),
            )
        )
    columns = (
        *(Column(name) for name in ("queue", "done", "in time", "late", "warned", "breached")),
        *(Column("compliance", "share"), Column("before", "share"), Column("change", "points")),
        Column("trend", "trend"),
    )
    return Table(columns, rows, (_figure("work in time", "share", _totals(found, part, whole)),))


def fallout(asked: Question) -> Table:
    """How many orders fell out, and why."""
    found = asked.facts("cause", "order.fell", *_ENDS)
    every = found.total("cause")
    rows: list[tuple[Cell, ...]] = []
    for cause in sorted(found.subjects("cause"), key=lambda each: (-found.count("cause", each), each)):
        code, _, step = cause.partition(CAUSE)
        now, before = found.count("cause", cause), found.count("cause", cause, before=True)
        rows.append((code, step, now, share(now, every), before, change(now, before), found.counts("cause", cause)))
    columns = (
        *(Column("cause"), Column("step"), Column("count"), Column("share", "share"), Column("before")),
        *(Column("change", "change"), Column("trend", "trend")),
    )
    figures = (
        _figure("fallout rate", "share", _totals(found, ("order.fell",), _ENDS)),
        Figure(name="times fallen out", unit="", now=every, before=found.total("cause", before=True)),
    )
    return Table(columns, rows, figures)


def rework(asked: Question) -> Table:
    """What was done more than once, or by hand."""
    found = asked.facts(*_REWORK, "order.submitted", "order.right", "order.completed")
    orders = found.count("order.submitted")
    rows: list[tuple[Cell, ...]] = []
    for measure, name in _REWORK.items():
        now, before = found.total(measure), found.total(measure, before=True)
        rows.append((name, now, share(now, orders), before, change(now, before), found.totals(measure)))
    columns = (
        *(Column("what"), Column("count"), Column("per order", "share"), Column("before")),
        *(Column("change", "change"), Column("trend", "trend")),
    )
    right = _totals(found, ("order.right",), ("order.completed",))
    return Table(columns, rows, (_figure("first time right", "share", right),))


REPORTS: Mapping[str, Callable[[Question], Table]] = {
    "summary": summary,
    "throughput": throughput,
    "cycle": cycle,
    "queues": queues,
    "sla": sla,
    "fallout": fallout,
    "rework": rework,
}


def _share(
    found: Facts, parts: Sequence[str], whole: Sequence[str], subject: str | None = None
) -> tuple[float | None, float | None]:
    """Of the window and of the one before; with no subject, all together."""

    def all_of(measures: Sequence[str], before: bool) -> int:
        if subject is None:
            return sum(found.total(each, before=before) for each in measures)
        return sum(found.count(each, subject, before=before) for each in measures)

    return share(all_of(parts, False), all_of(whole, False)), share(all_of(parts, True), all_of(whole, True))


def _shares(
    found: Facts, parts: Sequence[str], whole: Sequence[str], subject: str | None = None
) -> tuple[float | None, ...]:
    def all_of(measures: Sequence[str]) -> list[float]:
        series = [found.totals(each) if subject is None else found.counts(each, subject) for each in measures]
        return [sum(number or 0 for number in numbers) for numbers in zip(*series, strict=True)]

    return tuple(share(part, every) for part, every in zip(all_of(parts), all_of(whole), strict=True))


def _totals(found: Facts, parts: Sequence[str], whole: Sequence[str]) -> tuple[float | None, float | None]:
    return _share(found, parts, whole)


def _figure(name: str, unit: str, values: tuple[float | None, float | None]) -> Figure:
    return Figure(name=name, unit=unit, now=values[0], before=values[1])


def _counted(found: Facts, measure: str) -> Figure:
    now, before = found.count(measure), found.count(measure, before=True)
    return Figure(name=f"orders {measure.partition('.')[2]}", unit="", now=now, before=before)
