"""Watch rules: `observe` counts what happens within a sliding time and says when a rule fires, in bounded memory.

A rule of N keeps the last N occurrences of each key and no others, which is enough: the count within the time reaches N
exactly when the Nth last is still within it, and has been below N before exactly when it was not.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orderloom.models.watching import Watched, WatchKey, WatchRule

#: keys of one rule that are kept; of more, those that were quiet longest are forgotten
MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Something that rules may count; fields that it has not are empty."""

    watched: Watched
    at: datetime
    order: str = ""
    account: str = ""
    connector: str = ""
    operation: str = ""
    #: id of the task definition
    task: str = ""
    queue: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """One counted occurrence, as far as it is kept."""

    at: datetime
    order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A rule whose count has come to N from below."""

    rule: str
    key: str
    at: datetime
    count: int
    #: those of the occurrences that were counted, each once, in their order
    orders: tuple[str, ...]


@dataclass(slots=True)
class Windows:
    """What is kept between occurrences: rule -> key -> the last ones, oldest first; quiet keys stand first."""

    seen: dict[str, OrderedDict[str, tuple[Seen, ...]]] = field(default_factory=dict)
    #: (rule, key) of what `observe` has changed, and whether it is still there
    changed: dict[tuple[str, str], bool] = field(default_factory=dict)


def observe(rules: Iterable[WatchRule], windows: Windows, occurrence: Occurrence) -> list[Firing]:
    """Counts one occurrence; returns what fires, in the order of the rules. `windows` is changed in place.

    An instant before one that was counted already (a clock set back) counts as that one.
    """
    fired: list[Firing] = []
    for rule in rules:
        if not counts(rule, occurrence):
            continue
        key = key_of(rule, occurrence)
        keys = windows.seen.setdefault(rule.name, OrderedDict())
        before = keys.pop(key, ())
        at = max(occurrence.at, before[-1].at) if before else occurrence.at
        within = tuple(each for each in before if at - each.at <= rule.within)
        now = (*within, Seen(at, occurrence.order))
        keys[key] = now[-rule.count :]
        windows.changed[rule.name, key] = True
        if len(within) < rule.count <= len(now):
            orders = tuple(dict.fromkeys(each.order for each in now if each.order))
            fired.append(Firing(rule=rule.name, key=key, at=at, count=len(now), orders=orders))
        while len(keys) > MOST_KEYS:
            quiet, _ = keys.popitem(last=False)
            windows.changed[rule.name, quiet] = False
    return fired


def counts(rule: WatchRule, occurrence: Occurrence) -> bool:
    """Whether a rule counts such an occurrence."""
    if rule.watched is not occurrence.watched or (rule.error and rule.error != occurrence.error):
        return False
    if rule.watched is not Watched.FAILURES:
        return rule.queue == occurrence.queue
    if rule.tasks:
        return occurrence.task in rule.tasks
    return rule.operation == occurrence.operation if rule.operation else rule.connector == occurrence.connector


def key_of(rule: WatchRule, occurrence: Occurrence) -> str:
    """What the rule counts the occurrence under; "" where all count together."""
    if rule.per is WatchKey.ACCOUNT:
        return occurrence.account
    return occurrence.order if rule.per is WatchKey.ORDER else ""


def count_at(rule: WatchRule, seen: Sequence[Seen], at: datetime) -> int:
    """The count of one key at an instant, at most N."""
    return sum(1 for each in seen if at - each.at <= rule.within)


def highest(rule: WatchRule, keys: Mapping[str, Sequence[Seen]], at: datetime) -> tuple[str, int]:
    """The key with the highest count at an instant, with that count."""
    return max(
        ((key, count_at(rule, seen, at)) for key, seen in keys.items()), key=lambda each: each[1], default=("", 0)
    )
