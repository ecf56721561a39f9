"""Watch rules: what is counted, in which time, and what is done when it comes too often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from orderloom.models.source import Span


class Watched(StrEnum):
    """What a watch rule counts."""

    #: an attempt of a callout that did not succeed
    FAILURES = "failures"
    #: work of a queue that was not done in time
    BREACHES = "breaches"
    #: work of a queue whose time is running out
    WARNINGS = "warnings"
    #: failed tasks that come into a queue
    FALLOUT = "fallout"


class WatchKey(StrEnum):
    """What a rule may count each on its own."""

    ACCOUNT = "account"
    ORDER = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldConnector:
    """`hold inventory`."""

    connector: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """`notify noc`: who listens for this name is told."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWatchWork:
    """`open work in noc "title"`: an item of no order."""

    queue: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisePriority:
    """`raise priority`: of the orders that were counted, by one step."""


WatchAction = HoldConnector | Notify | OpenWatchWork | RaisePriority


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRule:
    """`watch inventory_storm { when 5 failures of inventory within 10m  do hold inventory, notify noc }`.

    Exactly one of `connector`, `operation`, `tasks` and `queue` says whose.
    """

    name: str
    title: str
    watched: Watched
    #: from 1 on
    count: int
    within: timedelta
    connector: str = ""
    operation: str = ""
    #: ids of task definitions
    tasks: tuple[str, ...] = ()
    queue: str = ""
    #: only those with this error code, "" for all
    error: str = ""
    #: None: all are counted together
    per: WatchKey | None = None
    actions: tuple[WatchAction, ...]
    doc: str = ""
    span: Span | None = None
